//! Somebody else's server: hears calls and answers as told.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::mpsc;

/// Longest wait for a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A call as it was heard.
pub struct Heard {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte by byte.
    pub bytes: Bytes,
    /// Its body.
    pub body: Value,
}

type Answers = Arc<Mutex<VecDeque<(u16, &'static str)>>>;

/// The server.
pub struct Sink {
    /// Where it is.
    pub url: String,
    answers: Answers,
    calls: mpsc::UnboundedReceiver<Heard>,
}

impl Sink {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hear", listener.local_addr().expect("an address"));
        let answers = Answers::default();
        let (sender, calls) = mpsc::unbounded_channel();
        let state = (answers.clone(), sender);
        let router = Router::new().fallback(hear).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answers, calls }
    }

    /// The next answers; afterwards 200 and nothing.
    pub fn answer(&self, status: u16, body: &'static str) {
        self.answers.lock().push_back((status, body));
    }

    pub async fn next(&mut self) -> Heard {
        let call = tokio::time::timeout(PATIENCE, self.calls.recv()).await;
        call.expect("a call in time").expect("the sink is open")
    }

    /// What has been heard and not looked at.
    pub fn unheard(&mut self) -> usize {
        std::iter::from_fn(|| self.calls.try_recv().ok()).count()
    }
}

async fn hear(
    State((answers, sender)): State<(Answers, mpsc::UnboundedSender<Heard>)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> impl IntoResponse {
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    // The test may have ended.
    let _ = sender.send(Heard { headers, bytes, body });
    let (status, body) = answers.lock().pop_front().unwrap_or((200, ""));
    (StatusCode::from_u16(status).unwrap_or_default(), body)
}
