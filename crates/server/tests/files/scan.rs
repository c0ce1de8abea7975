//! Files looked at by a virus scanner before they are stored.

use parlor_testkit::clamav::{FOUND, Scanner, infected};
use parlor_testkit::{Cast, HostApp, Server};
use serde_json::json;

use crate::world::{pair, rocket_upload, stored, text, upload};

fn watched(scanner: &Scanner, setup: parlor_testkit::server::Setup) -> parlor_testkit::server::Setup {
    setup.setting("FileUpload_Scanner", &format!("unix:{}", scanner.socket().display()))
}

/// What is infected is refused at every door, nothing of it is stored, and it is written down who brought it.
#[tokio::test]
async fn an_infected_file_is_refused_and_written_down() {
    let Some(scanner) = Scanner::start().await else { return };
    let server = watched(&scanner, Server::setup()).start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[&cast.member]).await;
    let _ = rocket_upload(&cast.owner, &room, "good.txt", &text(1, 300_000)).await.ok();
    let before = stored(&server);
    let refused = rocket_upload(&cast.owner, &room, "bad.txt", &infected()).await.refused(400);
    assert_eq!(refused["errorType"], "error-file-infected");
    assert!(refused["error"].as_str().expect("a text").contains(FOUND), "{refused}");
    assert_eq!(stored(&server), before, "nothing of it is there");
    let log = cast.administrator.rest.get("audit.log", &[]).await.ok().to_string();
    for told in ["upload.infected", "bad.txt", FOUND, "owner"] {
        assert!(log.contains(told), "{told}: {log}");
    }
    let files = cast.owner.rest.get("groups.files", &[("roomId", &room)]).await.ok();
    assert_eq!(files["total"], 1);

    let host = watched(&scanner, HostApp::setup()).start().await;
    let (alice, ..) = pair(&host).await;
    let refused = upload(&alice, "bad.txt", &infected()).await.problem(422, "validation_failed");
    assert!(refused.to_string().contains(FOUND), "{refused}");
    assert!(stored(&host).is_empty());
}

/// Without a verdict (the scanner is away, or says that a file is too large for it) the settings decide.
#[tokio::test]
async fn without_a_verdict_files_are_refused_unless_the_workspace_takes_them() {
    let Some(mut scanner) = Scanner::start().await else { return };
    let server = watched(&scanner, Server::setup()).start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[]).await;
    let unscanned = |name: &'static str, bytes: Vec<u8>| {
        let (owner, room) = (cast.owner.clone(), room.clone());
        async move { rocket_upload(&owner, &room, name, &bytes).await }
    };
    let refused = unscanned("large.txt", text(2, 1_500_000)).await.refused(400);
    assert_eq!(refused["errorType"], "error-invalid-file-scan");
    scanner.take_away();
    let refused = unscanned("a.txt", text(3, 100)).await.refused(400);
    assert_eq!(refused["errorType"], "error-invalid-file-scan");
    cast.owner.say(&room, "words need no scanner").await;
    let accept = json!({"value": "accept"});
    let _ = cast.administrator.rest.post("settings/FileUpload_Scanner_Unavailable", accept).await.ok();
    let _ = unscanned("a.txt", text(3, 100)).await.ok();
    scanner.bring_back().await;
    let refused = unscanned("bad.txt", infected()).await.refused(400);
    assert_eq!(refused["errorType"], "error-file-infected");
}
