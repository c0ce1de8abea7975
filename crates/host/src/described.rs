//! What the paths of a door take and give, as a table from which the OpenAPI document is written. A test of the program
//! compares the tables with the routers.

use serde_json::{Map, Value, json};

/// A parameter of a query, or a field of a body.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    name: &'static str,
    kind: &'static str,
    needed: bool,
    meaning: &'static str,
}

/// What must be there; `kind` is a type of JSON.
pub const fn need(name: &'static str, kind: &'static str, meaning: &'static str) -> Field {
    Field { name, kind, needed: true, meaning }
}

/// What may be left out.
pub const fn may(name: &'static str, kind: &'static str, meaning: &'static str) -> Field {
    Field { name, kind, needed: false, meaning }
}

/// `limit`, `before` and `after` of lists.
pub const LIMIT: Field = may("limit", "integer", "1 to 100, 50 unless given");
/// See [`LIMIT`].
pub const BEFORE: Field = may("before", "string", "a cursor: what is older");
/// See [`LIMIT`].
pub const AFTER: Field = may("after", "string", "a cursor: what is newer");
/// Lists of messages, rooms, conversations.
pub const PAGE: [Field; 3] = [LIMIT, BEFORE, AFTER];

/// A path with one of its verbs.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// In lower case.
    pub verb: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    summary: &'static str,
    query: &'static [Field],
    body: &'static [Field],
    /// The body is a form with a file rather than JSON.
    form: bool,
    success: &'static [u16],
    refused: &'static [u16],
    /// Needs no token.
    open: bool,
}

impl Entry {
    /// A path that answers 200.
    pub const fn new(verb: &'static str, path: &'static str, summary: &'static str) -> Self {
        let (query, body): (&[Field], &[Field]) = (&[], &[]);
        Self { verb, path, summary, query, body, form: false, success: &[200], refused: &[], open: false }
    }
    /// With these parameters of the query.
    #[must_use]
    pub const fn query(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }
    /// With these fields in its body.
    #[must_use]
    pub const fn body(self, body: &'static [Field]) -> Self {
        Self { body, ..self }
    }
    /// With a form that has a file in it.
    #[must_use]
    pub const fn form(self, body: &'static [Field]) -> Self {
        Self { body, form: true, ..self }
    }
    /// Answers with one of these when it is done.
    #[must_use]
    pub const fn gives(self, success: &'static [u16]) -> Self {
        Self { success, ..self }
    }
    /// Refuses with these too, beside what the whole door refuses with.
    #[must_use]
    pub const fn refuses(self, refused: &'static [u16]) -> Self {
        Self { refused, ..self }
    }
    /// For anybody, without a token.
    #[must_use]
    pub const fn for_anybody(self) -> Self {
        Self { open: true, ..self }
    }
}

/// The `paths` of an OpenAPI document for the door of this name, whose paths all refuse with `usual`.
pub fn paths(door: &str, usual: &[u16], entries: &[Entry]) -> Map<String, Value> {
    let mut paths = Map::new();
    for entry in entries {
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        if let Some(verbs) = path.as_object_mut() {
            verbs.insert(entry.verb.to_owned(), operation(door, usual, entry));
        }
    }
    paths
}

fn operation(door: &str, usual: &[u16], entry: &Entry) -> Value {
    let in_path = entry.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(entry.query.iter().map(|field| {
        json!({
            "name": field.name, "in": "query", "required": field.needed, "description": field.meaning,
            "schema": { "type": field.kind },
        })
    }));
    let mut operation = json!({
        "summary": entry.summary,
        "tags": [door],
        "parameters": parameters,
        "responses": responses(usual, entry),
        "security": [{ "bearer": [] }, { "applicationKey": [] }, { "token": [], "user": [] }],
    });
    if entry.open {
        operation["security"] = json!([]);
    }
    if !entry.body.is_empty() {
        let kind = if entry.form { "multipart/form-data" } else { "application/json" };
        let content = Map::from_iter([(kind.to_owned(), json!({ "schema": schema(entry.body) }))]);
        let needed = entry.body.iter().any(|field| field.needed);
        operation["requestBody"] = json!({ "required": needed, "content": content });
    }
    operation
}

fn schema(fields: &[Field]) -> Value {
    let property = |field: &Field| match (field.kind, field.meaning) {
        ("file", meaning) => json!({ "type": "string", "format": "binary", "description": meaning }),
        (kind, "") => json!({ "type": kind }),
        (kind, meaning) => json!({ "type": kind, "description": meaning }),
    };
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn responses(usual: &[u16], entry: &Entry) -> Map<String, Value> {
    let mut responses = Map::new();
    for status in entry.success {
        responses.insert(status.to_string(), json!({ "description": meaning(*status) }));
    }
    let of_body: &[u16] = if entry.body.is_empty() { &[] } else { &[413, 415] };
    for status in usual.iter().chain(entry.refused).chain(of_body).chain(&[429, 503]) {
        let told = json!({ "description": meaning(*status), "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Problem" } } } });
        responses.insert(status.to_string(), told);
    }
    responses
}

fn meaning(status: u16) -> &'static str {
    match status {
        101 => "The connection is a WebSocket from now on",
        200 => "Done",
        201 => "Made",
        206 => "A part of it",
        400 | 422 => "Some fields are not valid; `detail` names them",
        401 => "No token, or one that proves nothing",
        403 => "Known, but not allowed",
        404 => "Unknown, or not to be known of",
        406 => "It answers in another type only",
        409 => "Something stands in the way",
        413 => "Too large",
        415 => "Of a type that is not taken",
        426 => "This path is for WebSockets",
        429 => "Too fast; `Retry-After` says when to come back",
        503 => "Busy: nothing was done, try again",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_described_with_all_that_it_takes_and_gives() {
        const ENTRIES: &[Entry] = &[
            Entry::new("get", "/x/{id}", "Shows it").query(&[LIMIT]),
            Entry::new("post", "/x/{id}", "Makes it")
                .body(&[need("a", "string", "")])
                .gives(&[201])
                .refuses(&[409]),
            Entry::new("put", "/y", "Takes it").form(&[need("file", "file", "the file")]).for_anybody(),
        ];
        let paths = paths("x", &[401], ENTRIES);
        let (get, post) = (&paths["/x/{id}"]["get"], &paths["/x/{id}"]["post"]);
        assert_eq!(
            (&get["parameters"][0]["in"], &get["parameters"][1]["name"]),
            (&json!("path"), &json!("limit"))
        );
        assert_eq!(post["requestBody"]["content"]["application/json"]["schema"]["required"], json!(["a"]));
        let statuses: Vec<&String> = post["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["201", "401", "409", "413", "415", "429", "503"]);
        assert_eq!(paths["/y"]["put"]["security"], json!([]));
        assert!(paths["/y"]["put"]["requestBody"]["content"]["multipart/form-data"].is_object());
    }
}
