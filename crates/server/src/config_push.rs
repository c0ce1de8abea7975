//! Configuration of one's own credentials for pushes to phones.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use parlor_outbound::{Apple, Google, Own};
use parlor_push::{Key, ServiceAccount};
use serde::Deserialize;

use crate::config::Environment;

/// The `[push]` table of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PushFile {
    fcm_account: Option<PathBuf>,
    fcm_url: Option<String>,
    apns_key: Option<PathBuf>,
    apns_key_id: Option<String>,
    apns_team_id: Option<String>,
    apns_topic: Option<String>,
    apns_url: Option<String>,
}

/// Reads the environment (`PARLOR_FCM_*`, `PARLOR_APNS_*`), then the file, and what they name. Without any of it phones are
/// reached through a gateway alone.
///
/// # Errors
/// One clear line that names the value and shows no secret.
pub(crate) fn load(env: &Environment, file: PushFile) -> Result<Own> {
    let get = |name: &str| env.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let url = |name: &str, file: Option<String>| -> Result<Option<String>> {
        let url = get(name).or(file);
        let good = url.as_ref().is_none_or(|url| url.starts_with("https://") || url.starts_with("http://"));
        ensure!(good, "{name} must begin with https://");
        Ok(url)
    };
    let read = |name: &str, path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("{name}: can't read {}", path.display()))
    };
    let google = match get("PARLOR_FCM_ACCOUNT").map(PathBuf::from).or(file.fcm_account) {
        None => None,
        Some(path) => {
            let text = read("PARLOR_FCM_ACCOUNT", &path)?;
            let account = ServiceAccount::read(&text)
                .with_context(|| format!("PARLOR_FCM_ACCOUNT: {}", path.display()))?;
            Some(Arc::new(Google::new(account, url("PARLOR_FCM_URL", file.fcm_url)?)))
        }
    };
    let apple = match get("PARLOR_APNS_KEY").map(PathBuf::from).or(file.apns_key) {
        None => None,
        Some(path) => {
            let text = read("PARLOR_APNS_KEY", &path)?;
            let Some(key) = Key::read_pem(&text) else {
                bail!("PARLOR_APNS_KEY: {} is not a .p8 key of Apple's", path.display())
            };
            let id = get("PARLOR_APNS_KEY_ID").or(file.apns_key_id);
            let team = get("PARLOR_APNS_TEAM_ID").or(file.apns_team_id);
            let topic = get("PARLOR_APNS_TOPIC").or(file.apns_topic);
            Some(Arc::new(Apple::new(
                key,
                id.context("PARLOR_APNS_KEY_ID must name the key")?,
                team.context("PARLOR_APNS_TEAM_ID must name the team")?,
                topic.context("PARLOR_APNS_TOPIC must be the app's bundle id")?,
                url("PARLOR_APNS_URL", file.apns_url)?,
            )))
        }
    };
    Ok(Own { google, apple })
}
