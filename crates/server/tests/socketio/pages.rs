//! A browser: the example pages of both doors in Chromium, as they are, with the client that they install.

use parlor_testkit::browser::{self, Page, Pages, TELL};
use parlor_testkit::{Server, binary, needs};
use serde_json::json;

use super::client::{Sio, group, put_ticket, setup, token};

/// The bundle for browsers of the pinned `socket.io-client`.
fn client() -> Result<String, String> {
    let bundle = "tests/clients/node/node_modules/socket.io-client/dist/socket.io.esm.min.js";
    std::fs::read_to_string(binary::root().join(bundle))
        .map_err(|_| "socket.io-client is not installed".to_owned())
}

/// Everything that a test of a page needs, or the reason why it steps aside.
async fn stage() -> Option<(Pages, Server, String)> {
    let client = client();
    let there = client.as_ref().map(drop).map_err(Clone::clone).and_then(|()| browser::installed());
    if !needs::met("chromium", there) {
        return None;
    }
    let pages = Pages::new().await;
    let server = setup().env("CORS_ORIGINS", &pages.origin).env("PARLOR_SEND_RATE", "0").start().await;
    for id in ["u-alice", "u-bob"] {
        drop(Sio::of(&server, id, &[]).await);
    }
    Some((pages, server, client.expect("it is there")))
}

/// Fills the field of the page's form once it is shown, and sends it.
fn says(field: &str, text: &str) -> String {
    format!(
        r##"<script>
const begin = setInterval(() => {{
  const form = document.getElementById("send");
  if (form.hidden) return document.querySelector("#rooms button[data-wanted]")?.click();
  clearInterval(begin);
  form.elements["{field}"].value = "{text}";
  form.requestSubmit();
}}, 100);
</script>"##
    )
}

async fn open(pages: Pages, page: &str, client: String, path: &str) -> Page {
    let files =
        vec![("/", "text/html; charset=utf-8", page.to_owned()), ("/client.js", "text/javascript", client)];
    pages.open(files, path).await
}

/// Waits for all of the lines: what is said just now may be shown before what was missed.
async fn all_shown(page: &mut Page, lines: u64) -> String {
    loop {
        let shown = page.shows(&format!("line {}.", lines - 1)).await;
        if (0..lines).all(|n| shown.contains(&format!("line {n}."))) {
            return shown;
        }
    }
}

/// What a page shows of the lines, each of which it must show once and in their order.
fn in_order(shown: &str, lines: u64) {
    let places: Vec<usize> = (0..lines)
        .map(|n| {
            let line = format!("line {n}.");
            assert_eq!(shown.matches(&line).count(), 1, "{line}: {shown}");
            shown.find(&line).expect("it is shown")
        })
        .collect();
    assert!(places.is_sorted(), "{shown}");
}

/// Over long polls alone: said in the page, heard there, and nothing is missing after the server was away.
#[tokio::test]
async fn s3_56_the_page_of_rooms_chats_in_a_browser_over_long_polls() {
    let Some((pages, mut server, client)) = stage().await else { return };
    let room = group(&server, &token("u-bob", &[], 600), "project", &["alice"]).await;
    let mut bob = Sio::of(&server, "u-bob", &[]).await;
    bob.grant("join_room", json!({"room_id": room})).await;
    let page = include_str!("../../../../examples/rooms/index.html");
    // The page lists the first channel too: it is to enter the project.
    let page = format!("{page}{TELL}{}", says("content", "Good <b>morning</b>"));
    let page = page.replace(
        "button.dataset.id = id;",
        "button.dataset.id = id; if (name === 'project') button.dataset.wanted = '';",
    );
    let path = format!("/?server={}&token={}&transports=polling", server.url(), token("u-alice", &[], 600));
    let mut page = open(pages, &page, client, &path).await;
    page.shows("Good <b>morning</b>").await;
    let heard = bob.event("new_message").await;
    assert_eq!(
        (&heard["message"]["content"], &heard["room_id"]),
        (&json!("Good <b>morning</b>"), &json!(room))
    );
    bob.grant("typing", json!({"room_id": room, "is_typing": true})).await;
    page.shows("Bob Doe types").await;

    server.kill9();
    server.restart().await;
    let mut bob = Sio::of(&server, "u-bob", &[]).await;
    for n in 0..60 {
        bob.grant("send_message", json!({"room_id": room, "content": format!("line {n}.")})).await;
    }
    in_order(&all_shown(&mut page, 60).await, 60);
    page.close().await;
}

/// Over a WebSocket from the first request on.
#[tokio::test]
async fn s4_12_s4_43_the_page_of_a_ticket_chats_in_a_browser_over_a_websocket() {
    let Some((pages, mut server, client)) = stage().await else { return };
    put_ticket(&server, "T-7", json!({"created_by": "u-alice", "assignees": ["u-bob"]})).await;
    let mut bob = Sio::of(&server, "u-bob", &[]).await;
    bob.grant("send_message", json!({"ticketId": "T-7", "message": "What is missing?"})).await;
    bob.grant("join_ticket", json!({"ticketId": "T-7"})).await;
    let page = include_str!("../../../../examples/tickets/index.html");
    let page = format!("{page}{TELL}{}", says("message", "Two boxes"));
    let token = token("u-alice", &[], 600);
    let path = format!("/?server={}&ticket=T-7&token={token}&transports=websocket", server.url());
    let mut page = open(pages, &page, client, &path).await;
    let shown = page.shows("Two boxes").await;
    assert!(shown.contains("Bob Doe") && shown.contains("What is missing?"), "{shown}");
    assert_eq!(bob.event("new_message").await["message"]["message"], "Two boxes");

    server.kill9();
    server.restart().await;
    let mut bob = Sio::of(&server, "u-bob", &[]).await;
    for n in 0..60 {
        bob.grant("send_message", json!({"ticketId": "T-7", "message": format!("line {n}.")})).await;
    }
    in_order(&all_shown(&mut page, 60).await, 60);
    let gone = super::client::call(&server, reqwest::Method::DELETE, "/api/tickets/T-7", None, None).await;
    let _ = gone.expect(200);
    page.shows("Ticket deleted.").await;
    page.close().await;
}
