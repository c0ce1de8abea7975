//! Forms with one small file that fits in memory: avatars, emoji, sounds, assets.

use std::collections::HashMap;

use axum::http::header;
use parlor_live::body;
use serde_json::Value;

use super::uploads::unread;
use crate::{call::Call, refusal::Refused};

/// Fields beside the file, and their size, at most.
const FIELDS: usize = 20;
const FIELD_BYTES: usize = 64 * 1024;

/// A file from a form.
pub(crate) struct File {
    /// The form's name for it.
    pub(crate) field: String,
    /// The client's name for it.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// The name's extension in lower case, or one that the bytes tell.
    pub(crate) fn extension(&self) -> String {
        match self.name.rsplit_once('.') {
            Some((_, extension)) if !extension.is_empty() => extension.to_ascii_lowercase(),
            _ => String::new(),
        }
    }
}

/// A form, or a JSON object in its place.
pub(crate) struct Form {
    pub(crate) file: Option<File>,
    pub(crate) fields: HashMap<String, String>,
}

impl Form {
    /// A field with something in it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The file, which must have come in this field.
    pub(crate) fn take_file(&mut self, field: &str) -> Result<File, Refused> {
        match self.file.take() {
            Some(file) if file.field == field => Ok(file),
            Some(_) => Err(Refused::meteor("invalid-field", "")),
            None => Err(Refused::new("No file was uploaded [invalid-field]").kind("invalid-field")),
        }
    }

    /// Reads a form whose file has at most `limit` bytes; JSON and URL-encoded bodies give fields only.
    pub(crate) async fn read(call: &mut Call, limit: usize) -> Result<Self, Refused> {
        let multipart = call
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|t| t.as_bytes().to_ascii_lowercase().starts_with(b"multipart/form-data"));
        if !multipart {
            let fields = call.object().await?.into_iter().filter_map(|(key, value)| match value {
                Value::String(text) => Some((key, text)),
                Value::Null | Value::Object(_) | Value::Array(_) => None,
                other => Some((key, other.to_string())),
            });
            return Ok(Self { file: None, fields: fields.collect() });
        }
        let body = call.take_body();
        let mut parts = body::Form::of(&call.headers, body).await.map_err(unread)?;
        let mut form = Self { file: None, fields: HashMap::new() };
        let mut seen = 0;
        while let Some(mut part) = parts.next().await.map_err(unread)? {
            // Those that come twice count twice.
            seen += 1;
            if seen > FIELDS + 1 {
                return Err(bad_form());
            }
            let field = part.name().to_owned();
            let name = part.file_name().map(str::to_owned);
            let most = if name.is_some() { limit } else { FIELD_BYTES };
            let mut bytes = Vec::new();
            while let Some(piece) = part.piece().await.map_err(unread)? {
                if bytes.len() + piece.len() > most {
                    return Err(too_large(most));
                }
                bytes.extend_from_slice(&piece);
            }
            match name {
                Some(_) if form.file.is_some() => {
                    return Err(Refused::new("Just 1 file is allowed [invalid-field]").kind("invalid-field"));
                }
                Some(name) => form.file = Some(File { field, name, bytes }),
                None => {
                    let text = String::from_utf8(bytes).map_err(|_| bad_form())?;
                    form.fields.insert(field, text);
                }
            }
        }
        Ok(form)
    }
}

fn bad_form() -> Refused {
    Refused::new("Error parsing the form [invalid-form]").kind("invalid-form")
}

fn too_large(limit: usize) -> Refused {
    Refused::meteor("error-file-too-large", &format!("File is larger than {limit} bytes"))
}
