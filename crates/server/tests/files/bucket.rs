//! Files in an S3-compatible store: as they are elsewhere for those who use them, and gone when the store is away.

use std::process::Command;

use parlor_testkit::rest::answer;
use parlor_testkit::{Answer, Bucket, Cast, HostApp, Server, binary};
use serde_json::{Value, json};

use crate::world::{fetch, pair, picture, rocket_upload, send, text, upload};

/// The keys of stored files, without the mark of their owner.
fn files_in(bucket: &Bucket) -> Vec<String> {
    bucket.keys().into_iter().filter(|key| !key.ends_with(".workspace")).collect()
}

/// More than goes in one part.
const LARGE: usize = 9 << 20;

/// S3-24, S3-49, S3-71, S4-44: the rooms door on a bucket; addresses that are good, forged and too old.
#[tokio::test]
async fn s3_24_s3_49_s3_71_s4_44_media_of_the_rooms_door_lies_in_the_bucket() {
    let Some(bucket) = Bucket::start().await else { return };
    let server = bucket.used_by(HostApp::setup()).start().await;
    let (alice, bob, room) = pair(&server).await;
    let shown = picture(700, 500);
    let file = upload(&alice, "a.png", &shown).await.expect(201);
    assert_eq!(files_in(&bucket).len(), 2, "the picture and its thumbnail: {:?}", bucket.keys());
    let sent = send(&alice, &room, "image", &file).await;
    let path = format!("/api/chat/messages/{}", sent["id"].as_str().expect("an id"));
    let seen = bob.rest.get(&path, &[]).await.expect(200);
    let nobody = server.rest();
    assert_eq!(fetch(&nobody, &seen["media_url"]).await.bytes, shown);
    let part = fetch(&nobody.header("range", "bytes=10-19"), &seen["media_url"]).await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &shown[10..20]));
    let forged = seen["media_url"].as_str().expect("an address").replace("u-bob", "u-eve");
    fetch(&nobody, &json!(forged)).await.problem(403, "bad_signature");

    let large = text(1, LARGE);
    let file = upload(&alice, "large.txt", &large).await.expect(201);
    assert!(fetch(&nobody, &file["url"]).await.bytes == large, "what went in parts comes back whole");
    let middle = fetch(&nobody.header("range", "bytes=8388600-8388620"), &file["url"]).await;
    assert_eq!(middle.bytes, large[8_388_600..=8_388_620]);

    let _ = alice.rest.remove(&path).await.expect(200);
    fetch(&nobody, &seen["media_url"]).await.problem(404, "not_found");
}

/// S3-25, S3-71: bytes by a signed address go to the bucket too, and addresses end.
#[tokio::test]
async fn s3_25_s3_71_signed_addresses_work_on_the_bucket_and_end() {
    let Some(bucket) = Bucket::start().await else { return };
    let server = bucket.used_by(HostApp::setup()).env("PARLOR_FILE_URL_TTL", "1").start().await;
    let (alice, ..) = pair(&server).await;
    let bytes = text(2, 100);
    let asked = [("filename", "notes.txt"), ("mime_type", "text/plain"), ("size", "100")];
    let signed = alice.rest.get("/api/chat/upload/signed-url", &asked).await.expect(200);
    let url = signed["upload_url"].as_str().expect("an address");
    let target = &url[url.find("/api/").expect("a path")..];
    let put = |target: String, body: Vec<u8>| {
        parlor_testkit::rest::answer(server.rest().request(reqwest::Method::PUT, &target).body(body))
    };
    put(target.replace("notes", "other"), bytes.clone()).await.problem(403, "bad_signature");
    put(target.to_owned(), bytes.clone()).await.expect(201);
    assert_eq!(files_in(&bucket).len(), 1);
    let file = upload(&alice, "a.txt", &bytes).await.expect(201);
    let nobody = server.rest();
    let over = parlor_testkit::wait::until("the address runs out", || {
        let (nobody, url) = (nobody.clone(), file["url"].clone());
        async move { Some(fetch(&nobody, &url).await).filter(|got| got.status != 200) }
    });
    over.await.problem(403, "url_expired");
}

fn attachment(message: &Value) -> Value {
    message["message"]["attachments"][0].clone()
}

/// S1-62, S4-44: Rocket.Chat's uploads on a bucket: thumbnails, parts, addresses of the store itself, deletion.
#[tokio::test]
async fn s1_62_s4_44_uploads_of_rocketchat_lie_in_the_bucket_and_leave_it() {
    let Some(bucket) = Bucket::start().await else { return };
    let mut server = bucket.used_by(Server::setup()).env("PARLOR_S3_PREFIX", "chat/one").start().await;
    let cast = Cast::assemble(&server).await;
    let room = cast.owner.group("plans", &[&cast.member]).await;
    let shown = picture(900, 300);
    let sent = rocket_upload(&cast.owner, &room, "a.png", &shown).await.ok();
    let card = attachment(&sent);
    assert!(bucket.keys().iter().all(|key| key.starts_with("chat/one/")), "{:?}", bucket.keys());
    assert_eq!(files_in(&bucket).len(), 2);
    let got = fetch(&cast.member.rest, &card["title_link"]).await;
    assert_eq!((got.status, got.bytes == shown), (200, true));
    assert_eq!(
        fetch(&cast.member.rest.header("range", "bytes=-4"), &card["title_link"]).await.bytes,
        shown[shown.len() - 4..]
    );
    let small = fetch(&cast.member.rest, &card["image_url"]).await;
    assert!(small.status == 200 && small.bytes != shown, "a thumbnail");
    assert_eq!(fetch(&cast.outsider.rest, &card["title_link"]).await.status, 403);

    let large = text(9, LARGE);
    let in_parts = rocket_upload(&cast.owner, &room, "large.txt", &large).await.ok();
    let whole = fetch(&cast.member.rest, &attachment(&in_parts)["title_link"]).await;
    assert!(whole.bytes == large, "what went in parts comes back whole");

    server.stop().await;
    server.restart().await;
    assert!(fetch(&cast.member.rest, &card["title_link"]).await.bytes == shown, "after a restart");

    let off = json!({"value": false});
    let _ = cast.administrator.rest.post("settings/FileUpload_S3_Proxy_Uploads", off).await.ok();
    let elsewhere = fetch(&cast.member.rest, &card["title_link"]).await;
    assert_eq!(elsewhere.status, 302);
    let address = elsewhere.headers["location"].to_str().expect("an address");
    assert!(answer(server.rest().at(address)).await.bytes == shown, "by the store's own address");
    let forged = address.replace("X-Amz-Credential=S3RVER", "X-Amz-Credential=SOMEBODY");
    assert_eq!(answer(server.rest().at(&forged)).await.status, 403);
    assert_eq!(fetch(&cast.outsider.rest, &card["title_link"]).await.status, 403);

    let delete = json!({"roomId": room, "msgId": sent["message"]["_id"]});
    let _ = cast.owner.rest.post("chat.delete", delete).await.ok();
    server.restart().await;
    parlor_testkit::wait::until("the bytes are gone", || async {
        (files_in(&bucket).len() == 1).then_some(())
    })
    .await;
}

/// The store goes away in the middle: clear refusals at every door, messages go on, nothing acknowledged is lost.
#[tokio::test]
async fn while_the_store_is_away_files_are_refused_and_messages_go_on() {
    let Some(mut bucket) = Bucket::start().await else { return };
    let mut server = bucket.used_by(HostApp::setup()).start().await;
    let (alice, _, room) = pair(&server).await;
    let ticket = json!({"created_by": "u-alice"});
    let _ = HostApp::rest(&server).put("/api/tickets/T-1", ticket).await.expect(201);
    let asked = [("filename", "later.txt"), ("mime_type", "text/plain"), ("size", "100")];
    let signed = alice.rest.get("/api/chat/upload/signed-url", &asked).await.expect(200);
    let target = signed["upload_url"].as_str().expect("an address");
    let target = &target[target.find("/api/").expect("a path")..];
    let rest = server.rest();
    let put = || answer(rest.request(reqwest::Method::PUT, target).body(text(8, 100)));
    let cast = Cast::assemble(&server).await;
    let group = cast.owner.group("plans", &[&cast.member]).await;
    let bytes = text(3, 5_000);
    let kept = upload(&alice, "kept.txt", &bytes).await.expect(201);
    let waiting = upload(&alice, "waiting.txt", &text(4, 2_000)).await.expect(201);
    send(&alice, &room, "file", &kept).await;

    bucket.take_away();
    let refused = upload(&alice, "lost.txt", &text(5, 100)).await.problem(503, "unavailable");
    assert_eq!(refused["detail"], refused["message"], "as this door says everything");
    let path = "/api/tickets/T-1/chat/upload";
    let refused = alice.rest.upload(path, "file", ("lost.txt", "text/plain", &text(5, 100)), &[]).await;
    refused.problem(503, "unavailable");
    let refused = put().await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.problem(503, "unavailable");
    fetch(&server.rest(), &kept["url"]).await.problem(503, "unavailable");
    let refused = rocket_upload(&cast.owner, &group, "lost.txt", &text(6, 100)).await.refused(400);
    assert_eq!(refused["errorType"], "error-file-storage-unavailable");
    // What is stored can be shown and talked about; only its bytes have to wait.
    send(&alice, &room, "file", &waiting).await;
    cast.owner.say(&group, "still here").await;

    server.restart().await;
    cast.owner.say(&group, "after a restart without the store").await;
    bucket.bring_back().await;
    // The signed address is still good for its one time.
    put().await.expect(201);
    assert!(fetch(&server.rest(), &kept["url"]).await.bytes == bytes, "the bytes are back");
    assert_eq!(fetch(&server.rest(), &waiting["url"]).await.bytes, text(4, 2_000));
    let again = rocket_upload(&cast.owner, &group, "again.txt", &text(6, 100)).await.ok();
    assert_eq!(fetch(&cast.member.rest, &attachment(&again)["title_link"]).await.bytes, text(6, 100));
    let history: Answer = cast.member.rest.get("groups.history", &[("roomId", &group)]).await;
    let history = history.ok();
    let said: Vec<&str> =
        history["messages"].as_array().expect("a list").iter().filter_map(|m| m["msg"].as_str()).collect();
    for text in ["still here", "after a restart without the store"] {
        assert!(said.contains(&text), "{said:?}");
    }
}

/// Files of before stay where they are and are found there; the doctor tells a good key from a bad one.
#[tokio::test]
async fn local_files_of_before_are_still_served_and_the_doctor_looks_at_the_bucket() {
    let Some(bucket) = Bucket::start().await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = text(7, 3_000);
    let file = {
        let server = HostApp::setup().data(folder.path()).start().await;
        let (alice, _, room) = pair(&server).await;
        let file = upload(&alice, "a.txt", &bytes).await.expect(201);
        send(&alice, &room, "file", &file).await;
        file
    };
    let server = bucket.used_by(HostApp::setup()).data(folder.path()).start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    let bare = file["url"].as_str().expect("an address").split('?').next().expect("a path").to_owned();
    assert_eq!(fetch(&alice.rest, &json!(bare)).await.bytes, bytes);
    drop(server);

    let doctor = |key: &str| {
        let mut command = Command::new(binary::parlor());
        command.arg("doctor").arg("--data").arg(folder.path()).args(["--listen", "127.0.0.1:0"]);
        command.envs(bucket.variables()).env("ROOT_URL", "https://chat.example.org");
        let told = command.env("PARLOR_S3_ACCESS_KEY_ID", key).output().expect("the doctor comes");
        (told.status.success(), String::from_utf8_lossy(&told.stdout).into_owned())
    };
    let (good, told) = doctor(parlor_testkit::bucket::KEY);
    assert!(good && told.contains("ok   files can be written, read, listed and removed"), "{told}");
    let (good, told) = doctor("somebody else");
    assert!(!good && told.contains("BAD  files can be written"), "{told}");
}
