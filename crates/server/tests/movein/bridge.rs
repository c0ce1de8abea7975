//! A bridge to a server that is kept; a second Parlor stands for it.

use parlor_testkit::{Cast, Server, cast::Person, server::ADMINISTRATOR, wait};
use serde_json::Value;

/// A server that mirrors to and from `other`, and people on it.
async fn bridged(other: &Server) -> (Server, Cast) {
    let (user, password) = ADMINISTRATOR;
    let server = Server::setup()
        .env("PARLOR_BRIDGE_URL", &other.url())
        .env("PARLOR_BRIDGE_USER", user)
        .env("PARLOR_BRIDGE_PASSWORD", password)
        .start()
        .await;
    let cast = Cast::assemble(&server).await;
    (server, cast)
}

/// What people said in the channel of this name, oldest first, with who said it.
async fn said(of: &Person, name: &str) -> Vec<(String, String)> {
    let query = [("roomName", name), ("count", "100")];
    let answer = of.rest.get("channels.history", &query).await;
    let messages = answer.body["messages"].as_array().cloned().unwrap_or_default();
    let people = messages.iter().filter(|message| message["t"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = people.map(|m| (text(&m["u"]["username"]), text(&m["msg"]))).collect();
    all.reverse();
    all
}

/// Waits until exactly these words stand there, each once.
async fn hears(of: &Person, name: &str, wanted: &[&str]) -> Vec<(String, String)> {
    wait::until("the words come over the bridge", || async {
        let found = said(of, name).await;
        let words: Vec<&str> = found.iter().map(|(_, words)| words.as_str()).collect();
        assert!(words.len() <= wanted.len(), "something came twice: {words:?}");
        (words == wanted).then_some(found)
    })
    .await
}

#[tokio::test]
async fn both_sides_of_a_bridge_hear_everything_once_and_catch_up_after_a_kill() {
    let mut other = Server::start().await;
    let (mut here, cast) = bridged(&other).await;
    let (user, password) = ADMINISTRATOR;
    let there = Person::sign_in(&other, user, password).await;
    let room = cast.owner.channel("crossing", &[&cast.member]).await;
    cast.owner.say(&room, "one").await;
    let found = hears(&there, "crossing", &["one"]).await;
    assert_eq!(found[0].0, cast.owner.username, "the author has an account there: {found:?}");

    let id = there.rest.get("channels.info", &[("roomName", "crossing")]).await.ok();
    let id = id["channel"]["_id"].as_str().expect("an id").to_owned();
    there.say(&id, "two").await;
    let found = hears(&cast.owner, "crossing", &["one", "two"]).await;
    assert_eq!(found[1].0, user, "people are the same by their names: {found:?}");

    // The other side is gone: local chat goes on, and a warning says so.
    other.kill9();
    cast.member.say(&room, "three").await;
    wait::until("a warning", || async { here.logs().contains("Rocket.Chat offline").then_some(()) }).await;
    cast.owner.say(&room, "four").await;
    other.restart().await;
    hears(&there, "crossing", &["one", "two", "three", "four"]).await;

    // This side is killed; what is said there meanwhile is caught up.
    here.kill9();
    there.say(&id, "five").await;
    here.restart().await;
    hears(&cast.owner, "crossing", &["one", "two", "three", "four", "five"]).await;
    cast.owner.say(&room, "six").await;
    let all = ["one", "two", "three", "four", "five", "six"];
    hears(&there, "crossing", &all).await;
    hears(&cast.owner, "crossing", &all).await;
}

#[tokio::test]
async fn rooms_and_people_of_the_other_side_are_made_here() {
    let other = Server::start().await;
    let far = Cast::assemble(&other).await;
    let (_here, cast) = bridged(&other).await;
    // The bridge begins when it first hears: something it said is the sign.
    let room = cast.owner.channel("sign", &[]).await;
    cast.owner.say(&room, "begin").await;
    // That name belongs to somebody there, whose password the bridge does not know: the words say whose they are.
    let told = format!("*{}*: begin", cast.owner.username);
    hears(&far.administrator, "sign", &[&told]).await;
    let far_person = far.administrator.make(&other, "farfarer", "Far Farer").await;
    let away = far_person.channel("island", &[&far.administrator]).await;
    far_person.say(&away, "land in sight").await;
    let found = hears(&cast.owner, "island", &["land in sight"]).await;
    assert_eq!(found[0].0, "farfarer");
    let user = cast.administrator.rest.get("users.info", &[("username", "farfarer")]).await.ok();
    assert_eq!(user["user"]["name"], "Far Farer", "{user}");
}

#[tokio::test]
async fn what_is_said_in_a_private_room_is_told_in_no_public_one_of_the_same_name() {
    let other = Server::start().await;
    let (user, password) = ADMINISTRATOR;
    let there = Person::sign_in(&other, user, password).await;
    let plans = there.channel("plans", &[]).await;
    let news = there.group("news", &[]).await;
    let (here, cast) = bridged(&other).await;
    let (few, many) =
        (cast.owner.group("plans", &[&cast.member]).await, cast.owner.channel("news", &[]).await);
    cast.owner.say(&few, "for the few").await;
    cast.owner.say(&many, "for the many").await;
    // A room that is as public there as here is the sign that all before it was looked at.
    let sign = cast.owner.channel("sign", &[]).await;
    cast.owner.say(&sign, "done").await;
    hears(&there, "sign", &["done"]).await;
    assert_eq!(said(&there, "plans").await, []);
    let query = [("roomId", news.as_str())];
    let messages = there.rest.get("groups.history", &query).await.ok();
    assert!(!messages.to_string().contains("for the many"), "{messages}");
    assert!(here.logs().contains("room of another kind"), "the log says why");
    // Nor the other way round.
    there.say(&plans, "known to all").await;
    let id = there.rest.get("channels.info", &[("roomName", "sign")]).await.ok();
    there.say(id["channel"]["_id"].as_str().expect("an id"), "done too").await;
    hears(&cast.owner, "sign", &["done", "done too"]).await;
    let history = cast.owner.rest.get("groups.history", &[("roomId", &few)]).await.ok();
    assert!(!history.to_string().contains("known to all"), "{history}");
}

/// Without credentials the server says what is missing.
#[test]
fn a_bridge_without_credentials_is_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let done = std::process::Command::new(parlor_testkit::binary::parlor())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .env("PARLOR_BRIDGE_URL", "http://127.0.0.1:9")
        .output()
        .expect("it runs");
    assert!(!done.status.success());
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(told.contains("PARLOR_BRIDGE_USER"), "{told}");
}
