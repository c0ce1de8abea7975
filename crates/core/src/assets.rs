//! Pictures of the workspace itself: its logo, background and icons. Each is a setting (`Assets_NAME`) that points to
//! stored bytes.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::UploadId,
    json::Json,
    session::Actor,
    setting::Value,
    store::{Lane, Upload},
    uploads::Purpose,
};

/// Largest asset, in bytes.
pub const MAX_ASSET: usize = 2 * 1024 * 1024;

impl Chat {
    /// Gives an asset its picture. Needs `manage-assets`.
    ///
    /// # Errors
    /// `NotFound(Setting)` for a name that is none; `Invalid` of field `asset` for bytes that are no picture.
    pub async fn set_asset(&self, actor: &Actor, name: &str, file: &str, bytes: &[u8]) -> Result<()> {
        self.require(actor, "manage-assets", None).await?;
        let id = self.asset_setting(name)?;
        if bytes.len() > MAX_ASSET {
            return Err(Refusal::TooLarge { what: "file", limit: MAX_ASSET as u64 });
        }
        let stored = self.store_bytes(actor, Purpose::Asset, file, bytes).await?;
        let Some(extension) = extension(&stored.media_type) else {
            self.forget_bytes(&stored.id).await;
            return Err(Refusal::invalid("asset", "Invalid file type"));
        };
        let url = format!("assets/{name}.{extension}");
        self.point_asset(id, Some((url, stored.id.to_string()))).await
    }

    /// Goes back to the picture that the server brings. Needs `manage-assets`.
    pub async fn unset_asset(&self, actor: &Actor, name: &str) -> Result<()> {
        self.require(actor, "manage-assets", None).await?;
        let id = self.asset_setting(name)?;
        self.point_asset(id, None).await
    }

    /// The picture that an asset was given; `None` for the server's own.
    pub async fn asset(&self, name: &str) -> Result<Option<(Upload, Vec<u8>)>> {
        let id = self.asset_setting(name)?;
        let Some(tag) = self.asset_tag(id) else { return Ok(None) };
        let Some(upload) = UploadId::parse(&tag) else { return Ok(None) };
        let found = self.public_bytes(&upload).await.ok();
        Ok(found.filter(|(upload, _)| upload.role == "asset"))
    }

    fn asset_setting(&self, name: &str) -> Result<&'static str> {
        let settings = self.settings();
        let found = settings.get(&format!("Assets_{name}"));
        found.map(|s| s.def.id).ok_or(Refusal::NotFound(What::Setting))
    }

    fn asset_value(&self, id: &str) -> serde_json::Map<String, serde_json::Value> {
        match self.settings().get(id).map(|s| s.value.clone()) {
            Some(Value::Json(json)) => serde_json::from_str(json.as_str()).unwrap_or_default(),
            _ => serde_json::Map::new(),
        }
    }

    fn asset_tag(&self, id: &str) -> Option<String> {
        self.asset_value(id).get("etag").and_then(serde_json::Value::as_str).map(str::to_owned)
    }

    async fn point_asset(&self, id: &'static str, to: Option<(String, String)>) -> Result<()> {
        let old = self.asset_tag(id);
        let mut value = self.asset_value(id);
        match to {
            Some((url, tag)) => {
                value.insert("url".to_owned(), url.into());
                value.insert("etag".to_owned(), tag.into());
            }
            None => {
                value.remove("url");
                value.remove("etag");
            }
        }
        let value = Arc::new(Value::Json(Json::new(serde_json::Value::Object(value).to_string())));
        self.store().writing(Lane::Verbs, move |tx| crate::settings_admin::store(tx, id, &value)).await?;
        if let Some(old) = old {
            self.forget_bytes(&old).await;
        }
        Ok(())
    }
}

/// The file extension of a picture; `None` for what is no picture.
fn extension(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "image/x-icon" | "image/vnd.microsoft.icon" => "ico",
        _ => return None,
    })
}
