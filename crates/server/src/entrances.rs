//! Where clients come in: plain addresses, those that speak TLS, and those that only send people there.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use parlor_live::Entrance;
use parlor_tls::{Acme, Challenge, Shelf, server_config, watch};
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{
    chores,
    config::Config,
    config_tls::{Source, TlsConfig},
};

/// Bound addresses, each with what it serves.
pub(crate) struct Entrances {
    plain: Vec<TcpListener>,
    secure: Vec<TcpListener>,
    redirect: Vec<TcpListener>,
}

/// An entrance and what it serves.
pub(crate) type Opened = (Entrance, Router);

impl Entrances {
    /// Binds every address, so that a taken port is said before anything is opened.
    pub(crate) async fn bind(config: &Config) -> Result<Self> {
        let (secure, redirect) =
            config.tls.as_ref().map_or((&[][..], &[][..]), |tls| (&tls.listen, &tls.redirect));
        Ok(Self {
            plain: bind(&config.listen).await?,
            secure: bind(secure).await?,
            redirect: bind(redirect).await?,
        })
    }

    /// What each serves, and the task that keeps the certificate, if there is one.
    pub(crate) fn open(
        self,
        router: Router,
        config: &Config,
    ) -> Result<(Vec<Opened>, Option<JoinHandle<()>>)> {
        let (mut router, mut keeper, mut opened) = (router, None, Vec::new());
        if let Some(tls) = &config.tls {
            let shelf = Arc::new(Shelf::default());
            // Asked only where an authority checks names that way; without a check going on there is no answer.
            let checks =
                matches!(&tls.source, Source::Authority(order) if order.challenge == Challenge::Http)
                    .then(|| checks(shelf.clone()));
            keeper = Some(keep(tls, &shelf)?);
            let server_config = server_config(shelf)?;
            let secure = strict(router.clone(), tls.hsts);
            for listener in self.secure {
                tracing::info!(address = %listener.local_addr()?, "listening with TLS");
                opened.push((Entrance::secure(listener, server_config.clone()), secure.clone()));
            }
            let mut elsewhere = elsewhere(&config.root_url);
            if let Some(checks) = checks {
                router = router.merge(checks.clone());
                elsewhere = elsewhere.merge(checks);
            }
            for listener in self.redirect {
                tracing::info!(address = %listener.local_addr()?, to = config.root_url, "redirecting");
                opened.push((listener.into(), elsewhere.clone()));
            }
        }
        for listener in self.plain {
            tracing::info!(address = %listener.local_addr()?, "listening");
            opened.push((listener.into(), router.clone()));
        }
        Ok((opened, keeper))
    }
}

async fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>> {
    let mut bound = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await;
        bound.push(listener.with_context(|| format!("can't listen on {address}"))?);
    }
    Ok(bound)
}

/// Fills the shelf from files, which must be good at the start; an authority may be away.
fn keep(tls: &TlsConfig, shelf: &Arc<Shelf>) -> Result<JoinHandle<()>> {
    match &tls.source {
        Source::Files(pair) => {
            pair.load(shelf).context("the certificate")?;
            let (shelf, pair) = (shelf.clone(), pair.clone());
            Ok(chores::keep("certificate files", move || watch(shelf.clone(), pair.clone())))
        }
        Source::Authority(order) => {
            let acme = Acme::new(order.clone(), shelf.clone()).context("the authority for certificates")?;
            if !shelf.is_filled() {
                tracing::info!(names = ?order.domains, directory = order.directory, "asking for a certificate");
            }
            let acme = Arc::new(acme);
            Ok(chores::keep("certificates", move || acme.clone().run()))
        }
    }
}

/// Tells browsers to come by HTTPS alone, where the operator wants that.
fn strict(router: Router, seconds: u64) -> Router {
    match HeaderValue::from_str(&format!("max-age={seconds}")) {
        Ok(value) if seconds > 0 => {
            router.layer(SetResponseHeaderLayer::overriding(header::STRICT_TRANSPORT_SECURITY, value))
        }
        _ => router,
    }
}

/// Everybody is sent to the public address, whatever host he asked for; whoever looks after the server may see that it
/// is well.
fn elsewhere(root_url: &str) -> Router {
    let origin: Arc<str> = root_url.into();
    let send = move |uri: Uri| async move {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // 308 keeps the method, so that a call that came in by HTTP is not silently turned into another.
        Redirect::permanent(&format!("{origin}{path}"))
    };
    Router::new().route("/health", get(|| async { "ok" })).fallback(send)
}

/// What an authority asks for by plain HTTP while it checks a name.
fn checks(shelf: Arc<Shelf>) -> Router {
    async fn answer(State(shelf): State<Arc<Shelf>>, Path(token): Path<String>) -> Response {
        match shelf.answer(&token) {
            Some(text) => text.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
    Router::new().route("/.well-known/acme-challenge/{token}", get(answer)).with_state(shelf)
}
