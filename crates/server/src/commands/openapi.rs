//! `parlor openapi`: the REST API as an OpenAPI document, from the same table that the router is built from.

use std::collections::BTreeMap;

use anyhow::Result;
use parlor_rocketchat::{Door, Route, Verb, Who};
use serde_json::{Map, Value, json};

pub(super) fn print() -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&document(&Door::routes()))?);
    Ok(())
}

fn document(routes: &[Route]) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes {
        let verb = match route.verb {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Put => "put",
            Verb::Delete => "delete",
        };
        paths.entry(&route.path).or_default().insert(verb.to_owned(), operation(route));
    }
    let mut paths: Map<String, Value> =
        paths.into_iter().map(|(path, verbs)| (path.to_owned(), Value::Object(verbs))).collect();
    let doors = [
        parlor_host::rest::openapi(),
        parlor_inbox::openapi(),
        parlor_support::openapi(),
        parlor_rooms::openapi(),
        parlor_tickets::openapi(),
    ];
    paths.extend(doors.into_iter().flatten());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Parlor", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "securitySchemes": {
            "token": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
            "user": { "type": "apiKey", "in": "header", "name": "X-User-Id" },
            "applicationKey": { "type": "apiKey", "in": "header", "name": "X-App-Key" },
            "bearer": { "type": "http", "scheme": "bearer" },
        }, "schemas": { "Problem": {
            "type": "object",
            "required": ["error", "message"],
            "properties": {
                "error": { "type": "string", "description": "The code, which programs compare" },
                "message": { "type": "string", "description": "For people" },
                "detail": { "description": "More, such as which field has which problem" },
            },
        } } },
    })
}

fn operation(route: &Route) -> Value {
    let of_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = of_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if route.verb == Verb::Get {
        parameters.extend(query(route.sample));
    }
    let mut operation = json!({
        "summary": who(route.who),
        "parameters": parameters,
        "responses": responses(route),
    });
    if route.who != Who::Anyone {
        operation["security"] = json!([{ "token": [], "user": [] }]);
    }
    // What stands before the body fills the path, or names a form's file.
    let body = route.sample.find('{').map_or("", |at| &route.sample[at..]);
    if route.verb != Verb::Get {
        let example: Value = serde_json::from_str(body).unwrap_or_else(|_| json!({}));
        operation["requestBody"] = json!({ "content": { "application/json": { "example": example } } });
    }
    operation
}

/// The parameters that a sample like `/path roomId=$public&count=5` has, with its values where they are not placeholders.
fn query(sample: &str) -> Vec<Value> {
    let pairs = sample.split(' ').find(|part| !part.starts_with('/')).unwrap_or_default();
    let pairs = pairs.split('&').filter_map(|pair| pair.split_once('='));
    let shown = pairs.map(|(name, value)| {
        let mut parameter = json!({ "name": name, "in": "query", "schema": { "type": "string" } });
        if !value.contains('$') {
            parameter["example"] = value.into();
        }
        parameter
    });
    shown.collect()
}

fn responses(route: &Route) -> Value {
    let mut responses = json!({
        "200": { "description": "Done" },
        "400": { "description": "Refused: `error`, often with `errorType`" },
        "401": { "description": "Not logged in" },
        "403": { "description": "Not allowed" },
        "404": { "description": "Unknown, or not to be known of" },
        "429": { "description": "Too fast; `X-RateLimit-Reset` says when to come back" },
        "503": { "description": "Busy: nothing was done, try again" },
    });
    if route.verb != Verb::Get {
        responses["413"] = json!({ "description": "Too large" });
        responses["415"] = json!({ "description": "Of a type that is not taken" });
    } else if route.path.starts_with("/hooks/") {
        responses["405"] = json!({ "description": "Hooks are posted to" });
    }
    responses
}

fn who(who: Who) -> String {
    match who {
        Who::Anyone => "For anybody".into(),
        Who::User => "For whoever is logged in".into(),
        Who::May(permissions) => format!("For holders of {}", permissions.join(" or ")),
        Who::Reader => "For whoever may read the room".into(),
        Who::Member => "For members of the room".into(),
        Who::MayInRoom(permissions) | Who::Holder(permissions) => {
            format!("For holders of {} (also by a role in the room)", permissions.join(" or "))
        }
        Who::Author(permissions) => format!("For the author, and holders of {}", permissions.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_in_the_document() {
        let routes = Door::routes();
        let document = document(&routes);
        for route in &routes {
            assert!(document["paths"][&route.path].is_object(), "{}", route.path);
        }
    }

    #[test]
    fn a_sample_names_the_parameters_of_its_query() {
        let shown = query("/none roomId=$public&count=5");
        assert_eq!((&shown[0]["name"], &shown[0]["example"]), (&json!("roomId"), &Value::Null));
        assert_eq!((&shown[1]["name"], &shown[1]["example"]), (&json!("count"), &json!("5")));
        assert!(query("/$username").is_empty() && query(" ").is_empty() && query("").is_empty());
    }

    /// The doors' sources with their routers.
    const ROUTERS: [&str; 5] = [
        include_str!("../../../host/src/rest/mod.rs"),
        include_str!("../../../inbox/src/lib.rs"),
        include_str!("../../../support/src/lib.rs"),
        include_str!("../../../rooms/src/lib.rs"),
        include_str!("../../../tickets/src/lib.rs"),
    ];

    /// The value of a name that a router uses for several verbs of one path.
    fn meant<'a>(source: &'a str, handler: &'a str) -> &'a str {
        let name =
            handler.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        match source.split_once(&format!("let {name} = ")) {
            Some((_, rest)) if !name.is_empty() => rest.split(';').next().unwrap_or_default(),
            _ => handler,
        }
    }

    #[test]
    fn the_doors_of_host_applications_are_described_route_by_route() {
        let document = document(&Door::routes());
        let mut described = 0;
        for source in ROUTERS {
            for route in source.split(".route(").skip(1) {
                let path = route.split('"').nth(1).unwrap_or_default();
                let handler = route.split_once("\",").map_or("", |(_, rest)| rest);
                let handler = handler.split("\n        .").next().unwrap_or_default();
                for verb in ["get", "post", "put", "patch", "delete", "any"] {
                    if !meant(source, handler).contains(&format!("{verb}(")) {
                        continue;
                    }
                    let verb = if verb == "any" { "get" } else { verb };
                    assert!(document["paths"][path][verb]["summary"].is_string(), "{verb} {path}");
                    described += 1;
                }
            }
        }
        let doors = ["host", "inbox", "support", "rooms", "tickets"];
        let all =
            document["paths"].as_object().into_iter().flatten().flat_map(|(_, verbs)| verbs.as_object());
        let of_doors = all.flatten().filter(|(_, entry)| {
            entry["tags"]
                .as_array()
                .is_some_and(|tags| tags.iter().any(|tag| doors.iter().any(|door| tag == door)))
        });
        assert_eq!(of_doors.count(), described, "nothing is described that is not there");
    }
}
