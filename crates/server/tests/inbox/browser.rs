//! A browser's `EventSource` in Chromium.

use parlor_testkit::browser::{self, Pages, TELL};
use parlor_testkit::{Person, Rest, Server, needs, server::ADMINISTRATOR};
use serde_json::{Value, json};

use crate::world::KEY;

/// What the page does: whatever it hears goes back to where the page came from.
const PAGE: &str = r#"<!doctype html><script>
const query = new URLSearchParams(location.search);
const tell = (what) => fetch("/told", { method: "POST", body: JSON.stringify(what) });
const stream = new EventSource(`${query.get("server")}/api/chat/stream?access_token=${query.get("token")}`);
stream.addEventListener("ready", (event) => tell({ name: "ready", id: event.lastEventId, data: JSON.parse(event.data) }));
stream.onmessage = (event) => tell({ name: "message", id: event.lastEventId, data: JSON.parse(event.data) });
</script>"#;

async fn say(server: &Server, text: &str) -> Value {
    let app: Rest = server.rest().header("x-app-key", KEY);
    let answer = app.post("/api/chat/send", json!({ "from_name": "bob", "message": text })).await;
    answer.expect(201)["message"].take()
}

/// A server that takes pages of this origin, and somebody's token.
async fn world(pages: &Pages) -> (Server, String) {
    let setup = Server::setup().env("PARLOR_APP_KEY", KEY).env("CORS_ORIGINS", &pages.origin);
    let server = setup.start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let ann = administrator.make(&server, "ann", "Ann").await;
    let token = ann.rest.token().expect("a token").to_owned();
    // Whoever says something in general is a member of it.
    let here = json!({ "from_name": "ann", "message": "here" });
    server.rest().header("x-app-key", KEY).post("/api/chat/send", here).await.expect(201);
    (server, token)
}

/// S0-36, S0-38, S0-68: with `access_token`, from another origin that is listed; cut off with the server it comes back by
/// itself and misses nothing.
#[tokio::test]
async fn s0_36_s0_38_s0_68_a_browsers_event_source_comes_back_by_itself_and_misses_nothing() {
    if !needs::met("chromium", browser::installed()) {
        return;
    }
    let pages = Pages::new().await;
    let (mut server, token) = world(&pages).await;
    let path = format!("/?server={}&token={token}", server.url());
    let mut page = pages.open(vec![("/", "text/html", PAGE.to_owned())], &path).await;
    let ready = page.tells().await;
    assert_eq!((&ready["name"], &ready["data"]["username"]), (&json!("ready"), &json!("ann")));
    say(&server, "before the cut").await;
    let before = page.tells().await;
    assert_eq!(before["data"]["message"], "before the cut");
    server.restart().await;
    for n in 0..3 {
        say(&server, &format!("while it was away {n}")).await;
    }
    let again = page.tells().await;
    assert_eq!((&again["name"], &again["id"]), (&json!("ready"), &before["id"]), "taken up where it was cut");
    for n in 0..3 {
        assert_eq!(
            page.tells().await["data"]["message"],
            format!("while it was away {n}"),
            "each once, in order"
        );
    }
    page.close().await;
}

/// S0-35, S0-38, S0-67: the example page of this door, as it is, in a browser: rooms with their last line and what is unread,
/// messages and their changes as they come.
#[tokio::test]
async fn s0_35_s0_38_the_example_page_listens_and_shows_rooms_and_changes() {
    if !needs::met("chromium", browser::installed()) {
        return;
    }
    let pages = Pages::new().await;
    let (server, token) = world(&pages).await;
    let example = include_str!("../../../../examples/inbox/page.html");
    let fill = format!(
        "<script>form.server.value = {:?}; form.token.value = {token:?}; form.requestSubmit();</script>",
        server.url()
    );
    let files = vec![("/", "text/html; charset=utf-8", format!("{example}{TELL}{fill}"))];
    let mut page = pages.open(files, "/").await;
    page.shows("ann, 0 unread").await;
    let said = say(&server, "<b>hello</b>").await;
    let shown = page.shows("general [1] bob: <b>hello</b>").await;
    assert!(shown.contains("general: bob: <b>hello</b>"), "{shown}");
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let edit = json!({"roomId": said["room_id"], "msgId": said["id"], "text": "hello again"});
    administrator.rest.post("chat.update", edit).await.expect(200);
    page.shows("bob: hello again (edited)").await;
    page.close().await;
}
