//! `parlor serve`: opens everything, listens, and ends in order.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use parlor_core::{
    bootstrap::{FirstAdmin, ROCKET_CAT},
    chat::Chat,
    id::UserId,
};
use parlor_live::ServeOptions;
use parlor_store::Serving;
use tokio::task::JoinHandle;

use crate::{
    cli::ServeFlags,
    config::{self, Config},
    entrances::Entrances,
    http, wiring,
};

/// Sockets from one address: whole offices come through one.
const SOCKETS_PER_ADDRESS: u32 = 20_000;

/// Runs the server until it is told to stop.
pub fn run(flags: &ServeFlags) -> Result<()> {
    let config = Arc::new(Config::load(flags, &config::environment())?);
    crate::logs::start(config.log_format);
    // Until the end: whoever would change the database meanwhile is refused, or tells us.
    let several = config.redis.is_some();
    let _serving = config.database.as_deref().map(|url| Serving::begin(url, several)).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Arc<Config>) -> Result<()> {
    if config.mongo_url_present {
        tracing::warn!(
            "MONGO_URL is not used: Parlor keeps its own database. Bring your data in with: parlor import rocketchat"
        );
    }
    let entrances = Entrances::bind(&config).await?;
    let mut core = wiring::open(&config).await?;
    let (burst, rate) = config.host.sends(config.test_mode);
    core.chat.limit_sends(burst, rate);
    core.chat.limit_missed(usize::try_from(config.host.stream_missed).unwrap_or(usize::MAX));
    let turn = core.turn(&config).await?;
    let made = first_start(&core.chat, &config).await?;
    let parts = core.start(&config).await?;
    drop(turn);
    let router = http::router(&parts, &config);
    let client_timeout = Duration::from_secs(config.client_timeout);
    let options = ServeOptions {
        head_timeout: client_timeout,
        stall_timeout: client_timeout,
        slow_body: client_timeout * 2,
        max_sockets_per_address: SOCKETS_PER_ADDRESS,
        trusted_proxies: config.trusted_proxies,
        shutdown_timeout: Duration::from_secs(config.stop_within),
        ..ServeOptions::default()
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut serving = Vec::new();
    let (entrances, keeper) = entrances.open(router, &config)?;
    for (entrance, router) in entrances {
        let (live, mut stopped) = (parts.live.clone(), stopped.clone());
        let shutdown = async move { drop(stopped.wait_for(|stop| *stop).await) };
        serving.push(tokio::spawn(parlor_live::serve(entrance, router, live, options, shutdown)));
    }
    say_hello(&config, made.is_some());
    told_to_stop().await;
    tracing::info!("stopping: what was accepted is finished");
    let _ = stop.send(true);
    keeper.inspect(JoinHandle::abort);
    let within = Duration::from_secs(config.stop_within);
    parts.stop(within).await;
    for task in serving {
        let _ = tokio::time::timeout(within, task).await;
    }
    Ok(())
}

/// What every workspace has, and the operator's wishes.
async fn first_start(chat: &Arc<Chat>, config: &Config) -> Result<Option<UserId>> {
    chat.ensure_bot().await?;
    chat.ensure_system_user().await?;
    chat.ensure_general(&UserId::new(ROCKET_CAT)).await?;
    let mut wanted = config.overwrite.clone();
    // These are beginnings only: whoever chose otherwise in the administration is not overruled.
    let settings = chat.settings();
    for (id, value) in &config.host.beginnings {
        if settings.get(id).is_some_and(|setting| setting.value == setting.def.default.value()) {
            wanted.entry(id.clone()).or_insert_with(|| value.clone());
        }
    }
    chat.overwrite_settings(&wanted, &config.root_url).await?;
    chat.set_money(config.host.accounts_categories.clone()).await?;
    let made = match &config.admin {
        Some(admin) => make_admin(chat, admin, false).await?,
        None => None,
    };
    if let Some(admin) = &config.test_admin {
        let also = make_admin(chat, admin, true).await?;
        if let Some(id) = &also {
            chat.ensure_test_app(id, &admin.username).await?;
        }
        return Ok(made.or(also));
    }
    Ok(made)
}

/// Makes an administrator: the first one, whose address the operator vouches for, or one `beside` any other.
async fn make_admin(chat: &Arc<Chat>, admin: &config::FirstAdmin, beside: bool) -> Result<Option<UserId>> {
    let wanted = FirstAdmin {
        username: admin.username.clone(),
        password: admin.password.clone(),
        name: admin.name.clone(),
        email: admin.email.clone(),
        email_verified: !beside,
        id: admin.id.as_deref().map(UserId::new),
        token: admin.token.clone(),
    };
    let made = chat.ensure_admin(wanted, beside).await.context("can't make the first administrator")?;
    if let Some(id) = &made {
        chat.join_default_rooms(id, true).await?;
        tracing::info!(username = %admin.username, "made an administrator");
    }
    Ok(made)
}

fn say_hello(config: &Config, made: bool) {
    tracing::info!("ready: {}", config.root_url);
    if config.admin.is_none() && config.test_admin.is_none() && !made {
        tracing::info!(
            "no ADMIN_USERNAME given: be the first to register, or stop the server and make an administrator with `parlor user create --admin NAME`"
        );
    }
}

/// Waits for SIGTERM or Ctrl-C.
async fn told_to_stop() {
    let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(term) => term,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM can't be heard; stop with Ctrl-C");
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
