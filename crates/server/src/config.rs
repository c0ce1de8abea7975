//! Configuration: one typed struct, filled from flags, environment and an optional file, in that order of weight.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use parlor_core::id::UserId;
use parlor_store::s3::S3Place;
use serde::Deserialize;

use crate::{
    cli::ServeFlags,
    config_host::{HostConfig, HostFile},
    config_push::{self, PushFile},
    config_s3::{self, S3File},
    config_tls::{self, TlsConfig, TlsFile},
};

/// Everything that decides how the server runs. `parlor.example.toml` explains each with its default.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to listen on by plain HTTP.
    pub listen: Vec<SocketAddr>,
    /// TLS, where it is spoken.
    pub tls: Option<TlsConfig>,
    /// Where SQLite and files live.
    pub data: PathBuf,
    /// `postgres://…`, or `None` for SQLite in `data`.
    pub database: Option<String>,
    /// Where several processes on one database meet; `None` where one serves alone.
    pub redis: Option<Redis>,
    /// The bucket that files lie in, or `None` for the data directory.
    pub s3: Option<S3Place>,
    /// One's own credentials for pushes to phones.
    pub push: parlor_outbound::Own,
    /// Public base URL without a trailing slash.
    pub root_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: usize,
    /// Origins that may call from browsers; `*` for any (without credentials).
    pub cors_origins: Vec<String>,
    /// Token for `/metrics` from elsewhere than this machine.
    pub metrics_token: Option<String>,
    /// Rocket.Chat's version that its clients are told, such as `8.5.0`.
    pub announced_version: String,
    /// The first administrator.
    pub admin: Option<FirstAdmin>,
    /// The administrator of client suites: in `TEST_MODE`, unless that is `bare`.
    pub test_admin: Option<FirstAdmin>,
    /// Settings forced to a value at start (`OVERWRITE_SETTING_*`).
    pub overwrite: BTreeMap<String, String>,
    /// Rate limits off, for client suites; loopback only.
    pub test_mode: bool,
    /// The doors for host applications.
    pub host: HostConfig,
    /// Folder with a web app to serve instead of the embedded one.
    pub web_dir: Option<PathBuf>,
    /// Logs as `text` or `json`.
    pub log_format: LogFormat,
    /// Longest wait for open work when stopping, in seconds.
    pub stop_within: u64,
    /// The environment names a MongoDB: worth one warning.
    pub mongo_url_present: bool,
    /// Seconds that a client may take for the head of a request, or bring or take nothing of a body; twice as
    /// long a body may be waited for in all, beside a second for each KiB of it.
    pub client_timeout: u64,
}

/// Where several processes on one PostgreSQL database meet.
#[derive(Clone)]
pub struct Redis {
    /// `redis://…`; never logged, it may hold a password.
    pub url: String,
    /// A process that was not heard of for so long is gone, with everybody who was connected to it.
    pub silence: Duration,
    /// How often what others committed is looked for without a hint.
    pub look: Duration,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("silence", &self.silence).finish_non_exhaustive()
    }
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The first administrator, made only while there is none.
#[derive(Clone)]
pub struct FirstAdmin {
    /// User name.
    pub username: String,
    /// Password in clear; never logged.
    pub password: Option<String>,
    /// Display name.
    pub name: String,
    /// Address, taken as verified.
    pub email: Option<String>,
    /// The account's id, when it must be a certain one.
    pub id: Option<String>,
    /// A personal access token that it holds from the beginning.
    pub token: Option<String>,
}

impl std::fmt::Debug for FirstAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAdmin").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The file's form: every key optional, unknown keys refused so that a slip of the pen is seen.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<Vec<SocketAddr>>,
    data: Option<PathBuf>,
    database: Option<String>,
    redis_url: Option<String>,
    node_silence: Option<u64>,
    node_look: Option<u64>,
    root_url: Option<String>,
    trusted_proxies: Option<usize>,
    cors_origins: Option<Vec<String>>,
    metrics_token: Option<String>,
    announced_version: Option<String>,
    jwt_secret: Option<String>,
    app_key: Option<String>,
    host: HostFile,
    s3: S3File,
    push: PushFile,
    tls: TlsFile,
    log_format: Option<LogFormat>,
    stop_within: Option<u64>,
    client_timeout: Option<u64>,
    settings: BTreeMap<String, toml::Value>,
}

/// Where values come from besides flags; a map so that tests need not touch the process.
pub type Environment = BTreeMap<String, String>;

/// The process's environment.
pub fn environment() -> Environment {
    std::env::vars().collect()
}

impl Config {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// One clear line that says which value is wrong and where it came from.
    pub fn load(flags: &ServeFlags, env: &Environment) -> Result<Self> {
        let file = read_file(flags, env)?;
        let get = |name: &str| env.get(name).filter(|v| !v.is_empty()).cloned();
        let test = get("TEST_MODE").filter(|v| matches!(v.as_str(), "true" | "1" | "bare"));
        let test_mode = test.is_some();
        let spoken = file.tls.is_spoken(env);
        let listen = listen_addresses(flags, env, file.listen, spoken)?;
        let data = flags
            .data
            .clone()
            .or(get("PARLOR_DATA").map(PathBuf::from))
            .or(file.data)
            .unwrap_or("data".into());
        let tls = config_tls::load(env, file.tls, &data)?;
        let secure = tls.as_ref().map_or(&[][..], |tls| &tls.listen);
        if test_mode && !listen.iter().chain(secure).all(|a| a.ip().is_loopback()) {
            bail!(
                "TEST_MODE switches protection off and is refused unless every --listen address is loopback"
            );
        }
        let shown = |scheme: &str, address: &SocketAddr| format!("{scheme}://{}", shown(*address));
        let own = secure.first().map(|address| shown("https", address));
        let own = own.or_else(|| listen.first().map(|address| shown("http", address)));
        let root_url = get("ROOT_URL").or(file.root_url).or(own).unwrap_or_default();
        ensure!(
            root_url.starts_with("http://") || root_url.starts_with("https://"),
            "ROOT_URL must begin with http:// or https://"
        );
        let origins = ["CORS_ORIGINS", "ALLOWED_ORIGINS"].into_iter().filter_map(get).flat_map(|v| list(&v));
        let mut cors_origins: Vec<String> = origins.collect();
        cors_origins.extend(file.cors_origins.unwrap_or_default());
        let silence = number(get("PARLOR_NODE_SILENCE"), "PARLOR_NODE_SILENCE")?
            .map(|seconds| seconds as u64)
            .or(file.node_silence)
            .unwrap_or(5);
        let look = number(get("PARLOR_NODE_LOOK"), "PARLOR_NODE_LOOK")?
            .map(|millis| millis as u64)
            .or(file.node_look)
            .unwrap_or(250);
        let mut config = Self {
            data,
            tls,
            database: flags.database.clone().or(get("PARLOR_DATABASE_URL")).or(file.database),
            redis: redis(get("PARLOR_REDIS_URL").or(file.redis_url), silence, look)?,
            s3: config_s3::load(env, file.s3)?,
            push: config_push::load(env, file.push)?,
            root_url: root_url.trim_end_matches('/').to_owned(),
            trusted_proxies: number(get("HTTP_FORWARDED_COUNT"), "HTTP_FORWARDED_COUNT")?
                .or(file.trusted_proxies)
                .unwrap_or(0),
            cors_origins,
            metrics_token: get("PARLOR_METRICS_TOKEN").or(file.metrics_token),
            announced_version: version(get("PARLOR_ANNOUNCED_VERSION").or(file.announced_version))?,
            admin: first_admin(env)?,
            test_admin: test.filter(|v| v != "bare").map(|_| test_admin()),
            overwrite: overwritten(env, &file.settings)?,
            test_mode,
            host: HostConfig::load(
                env,
                file.host,
                get("PARLOR_JWT_SECRET").or(file.jwt_secret),
                get("PARLOR_APP_KEY").or(file.app_key),
            )?,
            web_dir: flags.web_dir.clone().or(get("PARLOR_WEB_DIR").map(PathBuf::from)),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
            stop_within: file.stop_within.unwrap_or(10),
            client_timeout: number(get("PARLOR_CLIENT_TIMEOUT"), "PARLOR_CLIENT_TIMEOUT")?
                .map(|seconds| seconds as u64)
                .or(file.client_timeout)
                .unwrap_or(30),
            mongo_url_present: env.contains_key("MONGO_URL"),
            listen,
        };
        config_s3::tell(&mut config.overwrite, config.s3.is_some());
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        ensure!(
            (1..=3600).contains(&self.client_timeout),
            "the client timeout must be from 1 to 3600 seconds"
        );
        ensure!(
            self.tls.as_ref().is_none_or(|tls| tls.redirect.is_empty())
                || self.root_url.starts_with("https://"),
            "PARLOR_TLS_REDIRECT sends people to ROOT_URL, which must begin with https://"
        );
        ensure!(
            self.redis.is_none() || self.database.is_some(),
            "PARLOR_REDIS_URL is for several processes on one PostgreSQL database (PARLOR_DATABASE_URL); SQLite serves one process"
        );
        if let Some(url) = &self.database {
            ensure!(
                url.starts_with("postgres://") || url.starts_with("postgresql://"),
                "the database must be a postgres:// URL; without one SQLite in the data directory is used"
            );
        }
        Ok(())
    }
}

fn redis(url: Option<String>, silence: u64, look: u64) -> Result<Option<Redis>> {
    let Some(url) = url else { return Ok(None) };
    ensure!(
        ["redis://", "rediss://", "redis+unix://", "unix://"].iter().any(|scheme| url.starts_with(scheme)),
        "PARLOR_REDIS_URL must begin with redis://, rediss:// or redis+unix://"
    );
    ensure!((2..=60).contains(&silence), "PARLOR_NODE_SILENCE must be from 2 to 60 seconds");
    ensure!((20..=5_000).contains(&look), "PARLOR_NODE_LOOK must be from 20 to 5000 milliseconds");
    let (silence, look) = (Duration::from_secs(silence), Duration::from_millis(look));
    Ok(Some(Redis { url, silence, look }))
}

/// An address as a link shows it.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

fn read_file(flags: &ServeFlags, env: &Environment) -> Result<File> {
    let named = flags.config.clone().or_else(|| env.get("PARLOR_CONFIG").map(PathBuf::from));
    let Some(path) = named else { return Ok(File::default()) };
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", path.display()))
}

/// Whether a text is a valid configuration file.
///
/// # Errors
/// What is wrong with it.
pub fn check_file(text: &str) -> Result<()> {
    toml::from_str::<File>(text).map(drop).map_err(Into::into)
}

fn listen_addresses(
    flags: &ServeFlags,
    env: &Environment,
    file: Option<Vec<SocketAddr>>,
    tls: bool,
) -> Result<Vec<SocketAddr>> {
    if !flags.listen.is_empty() {
        return Ok(flags.listen.clone());
    }
    let parse = |text: String| -> Result<SocketAddr> {
        text.parse().with_context(|| format!("'{text}' is not an address like 127.0.0.1:3000"))
    };
    if let Some(listed) = env.get("LISTEN").filter(|v| !v.is_empty()) {
        return list(listed).into_iter().map(parse).collect();
    }
    let (ip, port) =
        (env.get("BIND_IP").filter(|v| !v.is_empty()), env.get("PORT").filter(|v| !v.is_empty()));
    if ip.is_none()
        && port.is_none()
        && let Some(listed) = file.filter(|l| !l.is_empty())
    {
        return Ok(listed);
    }
    // Whoever speaks TLS names plain addresses, too, if he wants any.
    if tls && ip.is_none() && port.is_none() {
        return Ok(Vec::new());
    }
    let (ip, port) = (ip.map_or("0.0.0.0", String::as_str), port.map_or("3000", String::as_str));
    Ok(vec![parse(format!("{ip}:{port}"))?])
}

fn number(value: Option<String>, name: &str) -> Result<Option<usize>> {
    value.map(|v| v.parse().with_context(|| format!("{name} must be a number"))).transpose()
}

/// A comma list, or a JSON list.
pub(crate) fn list(text: &str) -> Vec<String> {
    serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| {
        text.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
    })
}

/// The version that Rocket.Chat's clients are told: three numbers, by which they choose what they ask.
fn version(wanted: Option<String>) -> Result<String> {
    let version = wanted.unwrap_or_else(|| parlor_rocketchat::VERSION.to_owned());
    let numbers = version.split('.').map(str::parse::<u32>).filter(Result::is_ok).count();
    ensure!(
        numbers == 3 && version.split('.').count() == 3,
        "the announced version must be three numbers, such as 8.5.0, and not '{version}'"
    );
    Ok(version)
}

fn first_admin(env: &Environment) -> Result<Option<FirstAdmin>> {
    let get = |name: &str| env.get(name).filter(|v| !v.is_empty()).cloned();
    if let Some(username) = get("ADMIN_USERNAME").or_else(|| get("ADMIN_PASS").map(|_| "admin".to_owned())) {
        let name = get("ADMIN_NAME").unwrap_or_else(|| username.clone());
        return Ok(Some(FirstAdmin {
            password: get("ADMIN_PASS"),
            name,
            email: get("ADMIN_EMAIL"),
            id: None,
            token: None,
            username,
        }));
    }
    let pair = get("ROCKETCHAT_ADMIN_USER_ID").zip(get("ROCKETCHAT_ADMIN_TOKEN"));
    if let Some((id, token)) = &pair {
        ensure!(UserId::parse(id).is_some(), "ROCKETCHAT_ADMIN_USER_ID must match [A-Za-z0-9_.:@-]{{1,64}}");
        ensure!(token.chars().count() >= 32, "ROCKETCHAT_ADMIN_TOKEN must be at least 32 characters");
    }
    // A backend that knows only the pair is let in by it alone.
    let username = get("ROCKETCHAT_ADMIN_USER").or_else(|| pair.as_ref().map(|_| "admin".to_owned()));
    Ok(username.map(|username| {
        let (id, token) = pair.unzip();
        let password = get("ROCKETCHAT_ADMIN_PASSWORD");
        FirstAdmin { name: username.clone(), username, password, email: None, id, token }
    }))
}

/// The administrator that Rocket.Chat makes in TEST_MODE, beside any other, and client suites log in as.
fn test_admin() -> FirstAdmin {
    let id = "rocketchat.internal.admin.test";
    FirstAdmin {
        username: id.into(),
        password: Some(id.into()),
        name: "RocketChat Internal Admin Test".into(),
        email: Some(format!("{id}@rocket.chat")),
        id: Some(id.into()),
        token: None,
    }
}

fn overwritten(env: &Environment, file: &BTreeMap<String, toml::Value>) -> Result<BTreeMap<String, String>> {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut all: BTreeMap<_, _> = file.iter().map(|(id, value)| (id.clone(), text(value))).collect();
    let from_env =
        env.iter().filter_map(|(k, v)| Some((k.strip_prefix("OVERWRITE_SETTING_")?.to_owned(), v.clone())));
    all.extend(from_env);
    // Rocket.Chat's own variable for the mail server; a setting that is forced by its id weighs more.
    if let Some(url) = env.get("MAIL_URL").filter(|url| !url.trim().is_empty()) {
        for (id, value) in parlor_mail::read_url(url).context("MAIL_URL")? {
            all.entry(id.to_owned()).or_insert(value);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn load(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::load(&ServeFlags::default(), &env(pairs))
    }

    #[test]
    fn the_mail_server_comes_from_its_url_and_a_wrong_one_stops_the_start_without_its_password() {
        let config = load(&[
            ("MAIL_URL", "smtps://ann:secret-pass@mail.example.org:465"),
            ("OVERWRITE_SETTING_SMTP_Port", "4650"),
        ]);
        let overwrite = config.unwrap().overwrite;
        assert_eq!(
            (overwrite["SMTP_Host"].as_str(), overwrite["SMTP_Port"].as_str()),
            ("mail.example.org", "4650")
        );
        let error = format!("{:#}", load(&[("MAIL_URL", "mail://ann:secret-pass@x")]).unwrap_err());
        assert!(error.contains("MAIL_URL") && !error.contains("secret-pass"), "{error}");
    }

    #[test]
    fn an_existing_rocketchat_deployment_file_works_unchanged() {
        let config = load(&[
            ("ROOT_URL", "https://chat.example.org/"),
            ("PORT", "4000"),
            ("MONGO_URL", "mongodb://mongo/rocketchat"),
            ("ADMIN_USERNAME", "boss"),
            ("ADMIN_PASS", "secret-pass"),
            ("OVERWRITE_SETTING_Site_Name", "Example"),
        ]);
        let config = config.unwrap();
        assert_eq!(config.root_url, "https://chat.example.org");
        assert_eq!(config.listen, ["0.0.0.0:4000".parse().unwrap()]);
        assert!(config.mongo_url_present);
        assert_eq!(config.overwrite["Site_Name"], "Example");
        assert!(!format!("{:?}", config.admin).contains("secret-pass"));
    }

    #[test]
    fn test_mode_is_refused_where_others_could_reach_it() {
        assert!(load(&[("TEST_MODE", "true")]).is_err());
        let config = load(&[("TEST_MODE", "true"), ("BIND_IP", "127.0.0.1")]).unwrap();
        assert!(config.admin.is_none());
        assert_eq!(config.test_admin.unwrap().id.as_deref(), Some("rocketchat.internal.admin.test"));
        let own = [("TEST_MODE", "true"), ("BIND_IP", "127.0.0.1"), ("ADMIN_USERNAME", "boss")];
        let config = load(&own).unwrap();
        assert!(config.admin.is_some() && config.test_admin.is_some(), "one beside the other");
        let config = load(&[("TEST_MODE", "bare"), ("BIND_IP", "127.0.0.1")]).unwrap();
        assert!(config.test_mode && config.test_admin.is_none());
    }

    #[test]
    fn a_wrong_value_is_said_in_one_line() {
        for bad in [
            ("PORT", "many"),
            ("PARLOR_CLIENT_TIMEOUT", "0"),
            ("ROOT_URL", "chat"),
            ("PARLOR_JWT_SECRET", "short"),
            ("PARLOR_APP_KEY", "one character fewer than needed"),
            ("PARLOR_DATABASE_URL", "mysql://x"),
            ("PARLOR_REDIS_URL", "redis://localhost"),
            ("PARLOR_REDIS_URL", "http://localhost"),
            ("ROCKETCHAT_ADMIN_TOKEN", "31 characters, which is too few"),
            ("ROCKETCHAT_ADMIN_USER_ID", "no id"),
        ] {
            let beside = match bad.0 {
                "ROCKETCHAT_ADMIN_TOKEN" => ("ROCKETCHAT_ADMIN_USER_ID", "boss"),
                _ => ("ROCKETCHAT_ADMIN_TOKEN", "a token of 32 characters and some more"),
            };
            let error = load(&[beside, bad]).unwrap_err();
            assert!(!format!("{error:#}").contains('\n'), "{error:#}");
        }
    }

    #[test]
    fn the_example_file_is_valid_and_an_unknown_key_is_not() {
        let example = include_str!("../../../parlor.example.toml");
        let live: String =
            example.lines().map(|l| l.strip_prefix("#= ").unwrap_or(l)).collect::<Vec<_>>().join("\n");
        check_file(&live).unwrap();
        assert!(live.lines().filter(|l| l.contains(" = ")).count() >= 10);
        assert!(check_file("listne = []").is_err());
    }
}
