//! What is kept: each content once, within quotas, without what pictures tell, and nothing that nobody needs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use parlor_testkit::{Bucket, Cast, HostApp, Server, wait};
use serde_json::{Value, json};

use crate::world::{fetch, jpeg_with_exif, pair, rocket_upload, send, stored, text, upload};

/// Older than anything that may still be on its way.
fn long_ago() -> SystemTime {
    SystemTime::now() - Duration::from_secs(2 * 3600)
}

fn card(sent: &Value) -> Value {
    sent["message"]["attachments"][0].clone()
}

/// The same content of two people is stored once; it goes with the last file that has it, and neither can tell.
#[tokio::test]
async fn the_same_content_is_stored_once_and_freed_with_its_last_file() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let (ours, theirs) = (cast.owner.group("ours", &[]).await, cast.outsider.group("theirs", &[]).await);
    let bytes = text(1, 40_000);
    let first = rocket_upload(&cast.owner, &ours, "a.txt", &bytes).await.ok();
    let second = rocket_upload(&cast.outsider, &theirs, "b.txt", &bytes).await.ok();
    assert_ne!(first["message"]["file"]["_id"], second["message"]["file"]["_id"]);
    let used = cast.administrator.rest.get("statistics", &[]).await.ok();
    assert_eq!((&used["uploadsTotalSize"], &used["uploadsStoredSize"]), (&json!(80_000), &json!(40_000)));
    assert_eq!(used["uploadsQuota"], json!({"used": 80_000, "limit": null}));

    let mine = fetch(&cast.owner.rest, &card(&first)["title_link"]).await;
    let other = fetch(&cast.outsider.rest, &card(&second)["title_link"]).await;
    assert!(mine.bytes == bytes && other.bytes == bytes);
    assert_eq!(fetch(&cast.outsider.rest, &card(&first)["title_link"]).await.status, 403);
    let shown = |answer: &parlor_testkit::Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(shown(&mine), shown(&other), "nothing tells that the bytes are shared");
    assert_ne!(mine.headers["etag"], other.headers["etag"]);

    let delete = |person: &parlor_testkit::Person, sent: &Value| {
        let body = json!({"fileId": sent["message"]["file"]["_id"]});
        let rest = person.rest.clone();
        async move { rest.post("uploads.delete", body).await }
    };
    let _ = delete(&cast.owner, &second).await.refused(400);
    assert_eq!(delete(&cast.owner, &first).await.ok()["deletedFiles"].as_array().map(Vec::len), Some(1));
    assert_eq!(fetch(&cast.owner.rest, &card(&first)["title_link"]).await.status, 403);
    assert!(
        fetch(&cast.outsider.rest, &card(&second)["title_link"]).await.bytes == bytes,
        "the other has it still"
    );
    assert_eq!(stored(&server).len(), 1);
    let left = cast
        .owner
        .rest
        .get("chat.getMessage", &[("msgId", first["message"]["_id"].as_str().expect("an id"))])
        .await
        .ok();
    assert_eq!(left["message"]["attachments"][0]["text"], "_File removed_");
    let _ = delete(&cast.outsider, &second).await.ok();
    assert!(stored(&server).is_empty(), "{:?}", stored(&server));
    let used = cast.administrator.rest.get("statistics", &[]).await.ok();
    assert_eq!((&used["uploadsStoredSize"], &used["uploadsQuota"]["used"]), (&json!(0), &json!(0)));
}

/// Nobody stores more than the settings allow, at any door; what is removed makes room again.
#[tokio::test]
async fn quotas_hold_at_every_door() {
    let server = Server::setup().setting("FileUpload_Quota_User", "1000").start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[&cast.member]).await;
    let sent = rocket_upload(&cast.owner, &room, "a.txt", &text(1, 900)).await.ok();
    let refused = rocket_upload(&cast.owner, &room, "b.txt", &text(2, 101)).await.refused(400);
    assert_eq!(refused["errorType"], "error-file-quota-exceeded");
    assert_eq!(refused["details"]["limit"], 1000);
    let _ = rocket_upload(&cast.member, &room, "b.txt", &text(2, 101)).await.ok();
    let gone = json!({"fileId": sent["message"]["file"]["_id"]});
    let _ = cast.owner.rest.post("uploads.delete", gone).await.ok();
    let _ = rocket_upload(&cast.owner, &room, "b.txt", &text(2, 101)).await.ok();
    let whole = json!({"value": 250});
    let _ = cast.administrator.rest.post("settings/FileUpload_Quota_Workspace", whole).await.ok();
    let refused = rocket_upload(&cast.member, &room, "c.txt", &text(3, 60)).await.refused(400);
    assert_eq!(refused["error"], "The workspace has no room for more files [error-file-quota-exceeded]");

    let host = HostApp::setup().setting("FileUpload_Quota_User", "1000").start().await;
    let (alice, bob, room) = pair(&host).await;
    let file = upload(&alice, "a.txt", &text(4, 900)).await.expect(201);
    upload(&alice, "b.txt", &text(5, 101)).await.problem(413, "payload_too_large");
    let sent = send(&alice, &room, "file", &file).await;
    // To show a file again is to have it.
    let forward = json!({"room_id": room, "forwarded_from_id": sent["id"]});
    let _ = alice.rest.post("/api/chat/messages", forward.clone()).await.problem(413, "payload_too_large");
    let _ = bob.rest.post("/api/chat/messages", forward).await.expect(201);
}

fn leave(path: &Path, at: SystemTime) {
    fs::create_dir_all(path.parent().expect("it lies somewhere")).expect("a folder");
    let file = File::create(path).expect("a file");
    file.set_modified(at).expect("a time");
}

fn local(files: &Path, id: &str) -> PathBuf {
    files.join(&id[..2]).join(&id[2..4]).join(id)
}

/// Bytes that a server left behind between storing and committing go; those on their way, and those of others, stay.
#[tokio::test]
async fn what_no_row_names_is_swept_and_what_is_on_its_way_is_not() {
    let mut server = HostApp::setup().start().await;
    let (alice, ..) = pair(&server).await;
    let bytes = text(1, 500);
    let file = upload(&alice, "a.txt", &bytes).await.expect(201);
    let files = server.data().join("files");
    let kept = local(&files, file["id"].as_str().expect("an id"));
    File::options().write(true).open(&kept).expect("it is there").set_modified(long_ago()).expect("a time");
    let (orphan, fresh, foreign) = ("0rphan0000000000000000", "fresh00000000000000000", "not-an-id-of-ours");
    leave(&local(&files, orphan), long_ago());
    leave(&local(&files, fresh), SystemTime::now());
    leave(&files.join("ab/cd").join(foreign), long_ago());
    leave(&files.join("tmp/cut-off"), long_ago());
    leave(&files.join("tmp/coming"), SystemTime::now());
    server.restart().await;
    let gone = || async { (!local(&files, orphan).exists()).then_some(()) };
    wait::until("what no row names is gone", gone).await;
    assert!(!files.join("tmp/cut-off").exists());
    for stays in [local(&files, fresh), files.join("ab/cd").join(foreign), files.join("tmp/coming"), kept] {
        assert!(stays.exists(), "{}", stays.display());
    }
    assert_eq!(fetch(&server.rest(), &file["url"]).await.bytes, bytes);

    // Another database on the same folder finds nothing of its own there, and leaves all of it alone.
    leave(&local(&files, orphan), long_ago());
    server.stop().await;
    fs::write(files.join(".workspace"), "another").expect("it can be written");
    server.restart().await;
    wait::until("it says so", || {
        let said = server.logs().contains("belongs to another workspace");
        async move { said.then_some(()) }
    })
    .await;
    assert!(local(&files, orphan).exists());
}

/// The same in a bucket, and second copies too.
#[tokio::test]
async fn what_no_row_names_is_swept_from_a_bucket() {
    let Some(bucket) = Bucket::start().await else { return };
    let mut server = bucket.used_by(HostApp::setup()).start().await;
    let (alice, bob, _) = pair(&server).await;
    let bytes = text(1, 500);
    let first = upload(&alice, "a.txt", &bytes).await.expect(201);
    let second = upload(&bob, "a.txt", &bytes).await.expect(201);
    let ours: Vec<String> = bucket.keys().into_iter().filter(|key| key.len() == 22).collect();
    assert_eq!(
        ours.len(),
        2,
        "a second copy waits for the sweep, so that nobody can tell by the time it takes"
    );
    ours.iter().for_each(|key| bucket.date(key, long_ago()));
    server.restart().await;
    let id = first["id"].as_str().expect("an id");
    wait::until("one is left", || async {
        let left: Vec<String> = bucket.keys().into_iter().filter(|key| key.len() == 22).collect();
        (left == [id]).then_some(())
    })
    .await;
    for file in [first, second] {
        assert_eq!(fetch(&server.rest(), &file["url"]).await.bytes, bytes);
    }
}

/// A photograph is stored without what it tells, upright, and as large as it says.
#[tokio::test]
async fn photographs_lose_what_they_tell_and_stay_upright() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[]).await;
    let (photograph, secret) = jpeg_with_exif();
    let sent = rocket_upload(&cast.owner, &room, "a.jpg", &photograph).await.ok();
    let card = card(&sent);
    let got = fetch(&cast.owner.rest, &card["title_link"]).await;
    assert_eq!(got.status, 200);
    assert!(!got.bytes.windows(secret.len()).any(|part| part == secret), "where it was taken");
    assert_eq!(
        sent["message"]["file"]["size"].as_u64().or(card["image_size"].as_u64()),
        Some(got.bytes.len() as u64)
    );
    assert_eq!(card["image_dimensions"], json!({"width": 8, "height": 16}), "turned upright");
    assert!(card["image_preview"].as_str().is_some_and(|preview| !preview.is_empty()), "a blurred preview");
}

/// `rooms.images`: pictures alone, the newest first, from one of them on.
#[tokio::test]
async fn pictures_of_a_room_are_listed_for_its_members() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[&cast.member]).await;
    let mut ids = Vec::new();
    for width in 2..5 {
        let sent = rocket_upload(&cast.owner, &room, "a.png", &crate::world::picture(width, 2)).await.ok();
        ids.push(sent["message"]["file"]["_id"].as_str().expect("an id").to_owned());
    }
    let _ = rocket_upload(&cast.owner, &room, "a.txt", &text(1, 100)).await.ok();
    ids.reverse();
    let list = |query: Vec<(&'static str, String)>| {
        let rest = cast.member.rest.clone();
        async move {
            let query: Vec<(&str, &str)> =
                query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let found = rest.get("rooms.images", &query).await.ok();
            let ids = found["files"].as_array().expect("a list").iter();
            ids.map(|file| file["_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(vec![("roomId", room.clone())]).await, ids);
    assert_eq!(list(vec![("roomId", room.clone()), ("startingFromId", ids[1].clone())]).await, ids[1..]);
    assert_eq!(list(vec![("roomId", room.clone()), ("count", "1".into())]).await, ids[..1]);
    let refused = |rest: parlor_testkit::Rest, room: String| async move {
        rest.get("rooms.images", &[("roomId", &room)]).await.status
    };
    assert_eq!(refused(cast.outsider.rest.clone(), room.clone()).await, 403);
    assert_eq!(refused(cast.member.rest.clone(), "invalid".into()).await, 403);
    assert_eq!(refused(server.rest(), room).await, 401);
    assert_eq!(cast.member.rest.get("rooms.images", &[]).await.status, 400);
}

/// A link that was kept leads nowhere once its message is gone, though the bytes wait for the sweep.
#[tokio::test]
async fn the_file_of_a_removed_message_is_gone_at_once_by_its_old_link() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("ours", &[&cast.member]).await;
    let sent = rocket_upload(&cast.owner, &room, "a.txt", &text(1, 400)).await.ok();
    let link = card(&sent)["title_link"].clone();
    assert_eq!(fetch(&cast.member.rest, &link).await.status, 200);
    let removed = json!({"roomId": room, "msgId": sent["message"]["_id"]});
    let _ = cast.owner.rest.post("chat.delete", removed).await.ok();
    assert_eq!(fetch(&cast.member.rest, &link).await.status, 403);
    let open = json!({"value": false});
    let _ = cast.administrator.rest.post("settings/FileUpload_ProtectFiles", open).await.ok();
    assert_eq!(fetch(&server.rest(), &link).await.status, 403);
}

/// What a disk does to a file.
type Damage = fn(&Path);

/// A disk that lost or changed bytes: whoever may see the file is told that it is gone, never shown something else.
#[tokio::test]
async fn a_damaged_file_is_not_given_out() {
    let server = Server::start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("ours", &[&cast.member]).await;
    let damages: [(&str, Damage); 3] = [
        ("changed", |path| {
            let mut bytes = fs::read(path).expect("it is there");
            bytes[100] ^= 1;
            fs::write(path, bytes).expect("it can be written");
        }),
        ("cut", |path| {
            File::options().write(true).open(path).and_then(|file| file.set_len(50)).expect("cut")
        }),
        ("removed", |path| fs::remove_file(path).expect("removed")),
    ];
    for (seed, (name, damage)) in (1..).zip(damages) {
        let before = stored(&server);
        let sent = rocket_upload(&cast.owner, &room, "a.txt", &text(seed, 400)).await.ok();
        let link = card(&sent)["title_link"].clone();
        assert_eq!(fetch(&cast.member.rest, &link).await.status, 200);
        let id = stored(&server).into_iter().find(|id| !before.contains(id)).expect("it is stored");
        damage(&local(&server.data().join("files"), &id));
        assert_eq!(fetch(&cast.member.rest, &link).await.status, 404, "{name}");
        assert_eq!(fetch(&cast.outsider.rest, &link).await.status, 403, "{name}");
        let _ = rocket_upload(&cast.owner, &room, "b.txt", &text(seed + 10, 400)).await.ok();
    }
}
