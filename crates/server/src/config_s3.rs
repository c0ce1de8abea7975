//! Configuration of the S3-compatible store for files.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use parlor_store::s3::{PATIENCE, S3Place};
use serde::Deserialize;

use crate::config::Environment;

/// The bucket when Supabase's variables name none.
const SUPABASE_BUCKET: &str = "chat-media";
/// The region where none is said: stores that know no regions take it.
const REGION: &str = "us-east-1";

/// The `[s3]` table of the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct S3File {
    endpoint: Option<String>,
    region: Option<String>,
    bucket: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    path_style: Option<bool>,
    prefix: Option<String>,
    timeout: Option<u64>,
}

impl std::fmt::Debug for S3File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3File").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// Reads the environment (`PARLOR_S3_*`, then `SUPABASE_*`), then the file. `None` when nothing names a store.
///
/// # Errors
/// One clear line that names the value.
pub(crate) fn load(env: &Environment, file: S3File) -> Result<Option<S3Place>> {
    let get =
        |name: &str| env.get(name).map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let supabase = Supabase::read(&get)?;
    let bucket = get("PARLOR_S3_BUCKET").or(file.bucket).or(supabase.as_ref().map(|s| s.bucket.clone()));
    let endpoint = get("PARLOR_S3_ENDPOINT").or(file.endpoint).or(supabase.as_ref().map(Supabase::endpoint));
    let own_access = get("PARLOR_S3_ACCESS_KEY_ID").or(file.access_key_id);
    let own_secret = get("PARLOR_S3_SECRET_ACCESS_KEY").or(file.secret_access_key);
    ensure!(
        own_access.is_some() == own_secret.is_some(),
        "PARLOR_S3_ACCESS_KEY_ID and PARLOR_S3_SECRET_ACCESS_KEY go together"
    );
    // Keys of one's own are better than Supabase's, which then need no session.
    let lent = supabase.as_ref().filter(|_| own_access.is_none());
    let access_key = own_access.or(lent.map(|s| s.project.clone()));
    let secret_key = own_secret.or(lent.map(|s| s.key.clone()));
    if bucket.is_none() && endpoint.is_none() && access_key.is_none() {
        return Ok(None);
    }
    let region = get("PARLOR_S3_REGION").or(file.region);
    let endpoint = match (endpoint, &region) {
        (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
        (None, Some(region)) => format!("https://s3.{region}.amazonaws.com"),
        (None, None) => {
            anyhow::bail!("PARLOR_S3_ENDPOINT or PARLOR_S3_REGION must say where the store for files is")
        }
    };
    let web = endpoint.starts_with("https://") || endpoint.starts_with("http://");
    ensure!(web, "PARLOR_S3_ENDPOINT must begin with http:// or https://");
    let path_style = match get("PARLOR_S3_PATH_STYLE").as_deref() {
        None => file.path_style.unwrap_or(true),
        Some("1" | "true") => true,
        Some("0" | "false") => false,
        Some(_) => anyhow::bail!("PARLOR_S3_PATH_STYLE must be 1 or 0"),
    };
    Ok(Some(S3Place {
        endpoint,
        region: region.unwrap_or_else(|| REGION.to_owned()),
        bucket: bucket.context("PARLOR_S3_BUCKET must name the bucket for files")?,
        access_key: access_key.context("PARLOR_S3_ACCESS_KEY_ID must say who calls the store for files")?,
        secret_key: secret_key
            .context("PARLOR_S3_SECRET_ACCESS_KEY must prove who calls the store for files")?,
        session_token: get("PARLOR_S3_SESSION_TOKEN").or(file.session_token).or(lent.map(|s| s.key.clone())),
        path_style,
        prefix: prefix(get("PARLOR_S3_PREFIX").or(file.prefix))?,
        patience: patience(get("PARLOR_S3_TIMEOUT").as_deref(), file.timeout)?,
    }))
}

fn patience(said: Option<&str>, file: Option<u64>) -> Result<Duration> {
    let said = said.map(|text| text.parse().context("PARLOR_S3_TIMEOUT must be a number of seconds"));
    let Some(seconds) = said.transpose()?.or(file) else { return Ok(PATIENCE) };
    ensure!((1..=600).contains(&seconds), "PARLOR_S3_TIMEOUT must be 1 to 600 seconds");
    Ok(Duration::from_secs(seconds))
}

/// Has the settings say where files lie, whatever they said before.
pub(crate) fn tell(settings: &mut std::collections::BTreeMap<String, String>, bucket: bool) {
    let kind = if bucket { "AmazonS3" } else { "FileSystem" };
    settings.insert("FileUpload_Storage_Type".to_owned(), kind.to_owned());
}

fn prefix(wanted: Option<String>) -> Result<String> {
    let wanted = wanted.unwrap_or_default();
    let plain = wanted.trim_matches('/');
    let good =
        plain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b)) && !plain.contains("//");
    let dots = plain.split('/').any(|part| part == "." || part == "..");
    ensure!(good && !dots, "PARLOR_S3_PREFIX may hold letters, digits, and the characters - _ . /");
    Ok(if plain.is_empty() { String::new() } else { format!("{plain}/") })
}

/// Supabase's variables, as products that use it have them.
struct Supabase {
    url: String,
    key: String,
    bucket: String,
    /// The first label of the host.
    project: String,
}

impl Supabase {
    fn read(get: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let (url, key) = match (get("SUPABASE_URL"), get("SUPABASE_KEY")) {
            (None, None) => return Ok(None),
            (Some(url), Some(key)) => (url.trim_end_matches('/').to_owned(), key),
            _ => anyhow::bail!("SUPABASE_URL and SUPABASE_KEY go together"),
        };
        let host = url.split("://").nth(1).context("SUPABASE_URL must begin with https://")?;
        let project = host.split(['.', ':', '/']).next().unwrap_or_default().to_owned();
        let bucket = get("SUPABASE_BUCKET").unwrap_or_else(|| SUPABASE_BUCKET.to_owned());
        Ok(Some(Self { project, url, key, bucket }))
    }

    fn endpoint(&self) -> String {
        format!("{}/storage/v1/s3", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<S3Place>> {
        let env = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(&env, S3File::default())
    }

    /// S3-49, S3-50, S3-51.
    #[test]
    fn s3_49_to_s3_51_supabase_is_an_s3_store_whose_key_is_its_own_proof() {
        let given = [("SUPABASE_URL", "https://abcd.supabase.co/"), ("SUPABASE_KEY", "the key")];
        let place = read(&given).unwrap().unwrap();
        assert_eq!(place.endpoint, "https://abcd.supabase.co/storage/v1/s3");
        assert_eq!((place.bucket.as_str(), place.access_key.as_str()), ("chat-media", "abcd"));
        assert_eq!((place.secret_key.as_str(), place.session_token.as_deref()), ("the key", Some("the key")));
        assert!(place.path_style);
        let mut own = given.to_vec();
        own.extend([
            ("SUPABASE_BUCKET", "other"),
            ("PARLOR_S3_ACCESS_KEY_ID", "a"),
            ("PARLOR_S3_SECRET_ACCESS_KEY", "s"),
        ]);
        let place = read(&own).unwrap().unwrap();
        assert_eq!(
            (place.bucket.as_str(), place.access_key.as_str(), place.session_token),
            ("other", "a", None)
        );
    }

    #[test]
    fn a_store_that_is_half_said_is_refused_and_none_is_none() {
        assert!(read(&[]).unwrap().is_none());
        let whole = [
            ("PARLOR_S3_BUCKET", "files"),
            ("PARLOR_S3_REGION", "eu-west-3"),
            ("PARLOR_S3_ACCESS_KEY_ID", "a"),
            ("PARLOR_S3_SECRET_ACCESS_KEY", "s"),
        ];
        let place = read(&whole).unwrap().unwrap();
        assert_eq!(place.endpoint, "https://s3.eu-west-3.amazonaws.com");
        assert!(!format!("{place:?}").contains("secret"));
        assert_eq!(place.patience, PATIENCE);
        for left_out in 0..whole.len() {
            let mut half = whole.to_vec();
            half.remove(left_out);
            assert!(read(&half).is_err(), "{half:?}");
        }
        for bad in [
            ("PARLOR_S3_ENDPOINT", "s3.example.org"),
            ("PARLOR_S3_PATH_STYLE", "perhaps"),
            ("PARLOR_S3_PREFIX", "../up"),
            ("PARLOR_S3_PREFIX", "a b"),
            ("PARLOR_S3_TIMEOUT", "0"),
            ("PARLOR_S3_TIMEOUT", "a while"),
        ] {
            let mut wrong = whole.to_vec();
            wrong.push(bad);
            assert!(read(&wrong).is_err(), "{bad:?}");
        }
    }
}
