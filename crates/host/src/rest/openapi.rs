//! What the paths that all doors share take and give.

use serde_json::{Map, Value};

use crate::described::{Entry, may, need, paths};

const USER: &str = "/api/users/{id}";
const FILE: &str = "/api/files/{id}/{name}";

const ENTRIES: &[Entry] = &[
    Entry::new("post", "/api/auth/login", "Logs in with a password")
        .body(&[
            may("username", "string", "or email"),
            may("email", "string", ""),
            need("password", "string", ""),
            may("code", "string", "of the second factor"),
        ])
        .refuses(&[429])
        .for_anybody(),
    Entry::new("get", "/api/auth/me", "Who the caller is"),
    Entry::new("get", USER, "A user"),
    Entry::new("put", USER, "Tells of a user (the application, ADMIN); only keys that are present change")
        .body(&[
            may("username", "string", ""),
            may("name", "string", ""),
            may("email", "string", "null takes it away"),
            may("roles", "array", "role words"),
            may("vendor_id", "string", "null takes it away"),
            may("password", "string", "makes a login possible; at least 8 characters"),
        ])
        .gives(&[200, 201])
        .refuses(&[409]),
    Entry::new(
        "delete",
        USER,
        "Removes a user who never wrote, or switches one off (the application, ADMIN)",
    )
    .query(&[may("mode", "string", "deactivate or activate")])
    .refuses(&[409]),
    Entry::new("get", FILE, "A file, by a signed address or with a token")
        .query(&[
            may("u", "string", "the viewer"),
            may("exp", "integer", "when the address ends"),
            may("sig", "string", "the signature"),
            may("access_token", "string", "a token, where no header can be set"),
        ])
        .gives(&[200, 206]),
    Entry::new("put", FILE, "The bytes of an announced upload, by a signed address")
        .query(&[
            need("u", "string", ""),
            need("exp", "integer", ""),
            need("size", "integer", ""),
            need("sig", "string", ""),
        ])
        .gives(&[201])
        .refuses(&[413, 415])
        .for_anybody(),
];

/// Those of the rooms contract, which says 422 where others say 400.
const FILES: &[Entry] = &[
    Entry::new("post", "/api/chat/upload", "Uploads a file for a later message")
        .form(&[need("file", "file", ""), may("room_id", "string", "the room it is for")])
        .gives(&[201])
        .refuses(&[413, 415]),
    Entry::new("get", "/api/chat/upload/signed-url", "An address to which a file can be sent, once")
        .query(&[
            need("filename", "string", ""),
            need("mime_type", "string", ""),
            need("size", "integer", "bytes"),
        ])
        .refuses(&[413, 415]),
    Entry::new("get", "/api/chat/media/{id}/url", "A fresh address of a file"),
];

/// The paths that belong to no single contract, as the `paths` of an OpenAPI document.
pub fn openapi() -> Map<String, Value> {
    let mut all = paths("host", &[400, 401, 403, 404], ENTRIES);
    all.extend(paths("host", &[401, 403, 404, 422], FILES));
    all
}
