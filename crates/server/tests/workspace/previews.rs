//! Links are looked at once by the server, when the workspace wants it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::header, response::IntoResponse, routing::get};
use parlor_testkit::{Cast, Server, server::Setup};
use serde_json::Value;

/// Somebody else's pages, and how often they were asked for.
struct Pages {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Pages {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let page = get(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async {
                let html = "<title>The page</title><meta property=og:title content='Caf\u{e9}'>
                    <meta property=og:image content=/a.png>";
                let latin = html.chars().map(|c| c as u8).collect::<Vec<_>>();
                ([(header::CONTENT_TYPE, "text/html; charset=iso-8859-1")], latin).into_response()
            }
        });
        let router = Router::new().route("/page", page);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, asked }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/page", self.port)
    }

    fn wanted(&self, setup: Setup) -> Setup {
        setup
            .setting("API_Embed", "true")
            .setting("API_EmbedIgnoredHosts", "")
            .setting("API_EmbedSafePorts", &self.port.to_string())
    }
}

#[tokio::test]
async fn a_link_is_looked_at_once_and_shown_to_all_readers() {
    let pages = Pages::open().await;
    let server = pages.wanted(Server::setup()).setting("SSRF_Allowlist", "127.0.0.1").start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.channel("links", &[&cast.member]).await;
    let mut socket = cast.member.socket(&server).await;
    socket.stream("room-messages", &room).await.expect("a member may listen");
    let link = pages.url();
    for text in [format!("look: {link}"), format!("again {link}"), format!("<{link}|named>")] {
        let said = cast.owner.say(&room, &text).await;
        let seen = socket
            .event_where("room-messages", &room, |args| {
                args[0]["_id"] == said["_id"] && args[0]["urls"][0]["meta"]["ogTitle"] == "Café"
            })
            .await;
        let meta = &seen[0]["urls"][0]["meta"];
        assert_eq!(meta["pageTitle"], "The page");
        assert_eq!(meta["ogImage"], format!("http://127.0.0.1:{}/a.png", pages.port));
    }
    let params = [("roomId", &*room), ("url", &link)];
    let asked = cast.member.rest.get("chat.getURLPreview", &params).await.ok();
    assert_eq!(asked["urlPreview"]["meta"]["ogTitle"], "Café");
    assert!(
        cast.outsider.rest.get("chat.getURLPreview", &[("roomId", "unknown"), ("url", &link)]).await.status
            >= 400
    );
    assert_eq!(pages.asked.load(Ordering::SeqCst), 1, "asked for once");
    // A message stands as its author wrote it: a preview is no edit.
    let page = cast.member.rest.get("channels.messages", &[("roomId", &room)]).await.ok();
    let messages = page["messages"].as_array().expect("messages");
    assert!(messages.iter().all(|message| message["editedAt"] == Value::Null));
}

#[tokio::test]
async fn nobody_is_called_while_previews_are_off_or_the_address_is_not_open() {
    let pages = Pages::open().await;
    let (off, closed) = tokio::join!(
        Server::setup().setting("SSRF_Allowlist", "127.0.0.1").start(),
        pages.wanted(Server::setup()).start()
    );
    for server in [off, closed] {
        let cast = Cast::assemble(&server).await;
        let room = cast.owner.channel("links", &[]).await;
        let link = pages.url();
        _ = cast.owner.say(&room, &link).await;
        // The answer comes behind the message in the same queue.
        let params = [("roomId", &*room), ("url", &link)];
        let asked = cast.owner.rest.get("chat.getURLPreview", &params).await.ok();
        assert_eq!(asked["urlPreview"]["meta"], serde_json::json!({}));
    }
    assert_eq!(pages.asked.load(Ordering::SeqCst), 0);
}
