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
    paths.extend(parlor_inbox::openapi());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Parlor", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "securitySchemes": {
            "token": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
            "user": { "type": "apiKey", "in": "header", "name": "X-User-Id" },
            "applicationKey": { "type": "apiKey", "in": "header", "name": "X-App-Key" },
            "bearer": { "type": "http", "scheme": "bearer" },
        } },
    })
}

fn operation(route: &Route) -> Value {
    let parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut operation = json!({
        "summary": who(route.who),
        "parameters": parameters,
        "responses": {
            "200": { "description": "Done" },
            "400": { "description": "Refused: `error`, often with `errorType`" },
            "401": { "description": "Not logged in" },
            "403": { "description": "Not allowed" },
        },
    });
    if route.who != Who::Anyone {
        operation["security"] = json!([{ "token": [], "user": [] }]);
    }
    // What stands before the body fills the path, or names a form's file.
    let body = route.sample.find('{').map_or("", |at| &route.sample[at..]);
    if route.verb != Verb::Get {
        let example: Value = serde_json::from_str(body).unwrap_or_else(|_| json!({}));
        operation["requestBody"] = json!({ "content": { "application/json": { "example": example } } });
    } else if !route.sample.is_empty() {
        operation["description"] = format!("Example query: `{}`", route.sample).into();
    }
    operation
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
}
