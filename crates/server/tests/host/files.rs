//! Files: uploaded, shown, fetched by whoever may see them.

use parlor_testkit::rest::answer;
use parlor_testkit::{Answer, HostApp, HostPerson, Rest, Server, faketime};
use reqwest::Method;
use serde_json::{Value, json};

/// The smallest picture there is.
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
const TEXT: &[u8] = b"0123456789 plain text that is long enough to be one";

async fn upload(person: &HostPerson, name: &str, bytes: &[u8]) -> Answer {
    person.rest.upload("/api/chat/upload", "file", (name, "application/octet-stream", bytes), &[]).await
}

fn path(url: &Value) -> String {
    let url = url.as_str().expect("an address");
    url[url.find("/api/").expect("a path")..].to_owned()
}

async fn fetch(rest: &Rest, url: &Value) -> Answer {
    answer(rest.request(Method::GET, &path(url))).await
}

async fn pair(server: &Server) -> (HostPerson, HostPerson, HostPerson, String) {
    let alice = HostApp::person(server, "u-alice", &[]).await;
    let bob = HostApp::person(server, "u-bob", &[]).await;
    let eve = HostApp::person(server, "u-eve", &["ADMIN"]).await;
    let body = json!({"room_type": "direct", "member_ids": ["u-bob"]});
    let room =
        alice.rest.post("/api/chat/rooms", body).await.expect(201)["id"].as_str().expect("an id").to_owned();
    (alice, bob, eve, room)
}

/// S3-3, S3-24, S3-71, S3-52, S4-44: uploaded, sent, and fetched by members through addresses of their own.
#[tokio::test]
async fn s3_3_s3_24_s3_52_s3_71_s4_44_a_file_is_seen_by_whoever_may_read_its_room() {
    let server = HostApp::setup().start().await;
    let (alice, bob, eve, room) = pair(&server).await;
    let file = upload(&alice, "../dot.gif", GIF).await.expect(201);
    assert_eq!(
        (&file["filename"], &file["mime_type"], &file["size"]),
        (&json!("dot.gif"), &json!("image/gif"), &json!(GIF.len()))
    );
    let nobody = server.rest();
    assert_eq!(fetch(&nobody, &file["url"]).await.bytes, GIF);
    let id = file["id"].as_str().expect("an id");
    let media = format!("/api/chat/media/{id}/url");
    bob.rest.get(&media, &[]).await.problem(404, "not_found");

    let send = json!({"room_id": room, "message_type": "image", "content": "look", "media_url": file["url"],
        "media_filename": "renamed.gif", "media_size": 1, "media_mime_type": "x/y"});
    eve.rest.post("/api/chat/messages", send.clone()).await.problem(404, "not_found");
    let sent = alice.rest.post("/api/chat/messages", send.clone()).await.expect(201);
    assert_eq!((&sent["message_type"], &sent["media_filename"]), (&json!("image"), &json!("renamed.gif")));
    assert_eq!((&sent["media_mime_type"], &sent["media_id"]), (&json!("image/gif"), &file["id"]));

    let seen = bob
        .rest
        .get(&format!("/api/chat/messages/{}", sent["id"].as_str().expect("an id")), &[])
        .await
        .expect(200);
    assert_ne!(seen["media_url"], sent["media_url"], "each viewer has an address of his own");
    let got = fetch(&nobody, &seen["media_url"]).await;
    assert_eq!((got.status, got.bytes.as_slice()), (200, GIF));
    for (name, value) in [
        ("content-type", "image/gif"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cache-control", "private"),
    ] {
        assert_eq!(got.headers[name], value, "{name}");
    }
    assert!(got.headers["content-disposition"].to_str().unwrap().starts_with("inline"));
    bob.rest.get(&media, &[]).await.expect(200);
    eve.rest.get(&media, &[]).await.problem(404, "not_found");

    let bare = path(&seen["media_url"]).split('?').next().unwrap().to_owned();
    nobody.get(&bare, &[]).await.problem(401, "unauthorized");
    eve.rest.get(&bare, &[]).await.problem(404, "not_found");
    assert_eq!(bob.rest.get(&bare, &[]).await.bytes, GIF);
    let by_query = nobody.get(&bare, &[("access_token", &bob.token)]).await;
    assert_eq!(by_query.bytes, GIF);
    let forged = path(&seen["media_url"]).replace("u-bob", "u-eve");
    nobody.get(&forged, &[]).await.problem(403, "bad_signature");

    alice
        .rest
        .remove(&format!("/api/chat/messages/{}", sent["id"].as_str().expect("an id")))
        .await
        .expect(200);
    fetch(&nobody, &seen["media_url"]).await.problem(404, "not_found");

    // The same picture as a file is a file.
    let file = upload(&alice, "dot.gif", GIF).await.expect(201);
    let send = json!({"room_id": room, "message_type": "File", "media_id": file["id"], "client_id": "as-a-file",
        "media_filename": "../../etc/pass\u{1}wd.gif"});
    let sent = alice.rest.post("/api/chat/messages", send.clone()).await.expect(201);
    assert_eq!((&sent["message_type"], &sent["media_filename"]), (&json!("file"), &json!("passwd.gif")));
    let forward = json!({"room_id": room, "forwarded_from_id": sent["id"]});
    let copy = bob.rest.post("/api/chat/messages", forward).await.expect(201);
    assert_eq!((&copy["message_type"], &copy["media_filename"]), (&json!("file"), &json!("passwd.gif")));
    let of = format!("/api/chat/messages/{}", sent["id"].as_str().expect("an id"));
    assert_eq!(bob.rest.get(&of, &[]).await.expect(200)["message_type"], "file");
    alice.rest.remove(&of).await.expect(200);
    let retried = alice.rest.post("/api/chat/messages", send).await.expect(200);
    assert_eq!(
        (&retried["id"], &retried["is_deleted"]),
        (&sent["id"], &json!(true)),
        "what it shows is gone"
    );
}

/// S4-44, S3-64: what is not taken, and why.
#[tokio::test]
async fn s3_64_s4_44_uploads_are_judged_by_their_bytes() {
    let server = HostApp::setup().env("PARLOR_MAX_UPLOAD", "2000").start().await;
    let (alice, _, eve, room) = pair(&server).await;
    for (name, bytes) in [
        ("a.png", &b"<html><script>alert(1)</script></html>"[..]),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.txt", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"),
    ] {
        upload(&alice, name, bytes).await.problem(415, "unsupported_media_type");
    }
    upload(&alice, "a.txt", b"").await.problem(422, "validation_failed");
    upload(&alice, "a.txt", &[b'x'; 2001]).await.problem(413, "payload_too_large");
    let wrong_field =
        alice.rest.upload("/api/chat/upload", "other", ("a.txt", "text/plain", TEXT), &[]).await;
    wrong_field.problem(422, "validation_failed");
    alice.rest.post("/api/chat/upload", json!({})).await.problem(422, "validation_failed");
    let to_room = |person: &HostPerson| {
        let rest = person.rest.clone();
        let room = room.clone();
        async move { rest.upload("/api/chat/upload", "file", ("a.txt", "x/y", TEXT), &[("room_id", &room)]).await }
    };
    to_room(&eve).await.problem(404, "not_found");
    let file = to_room(&alice).await.expect(201);
    assert_eq!(file["mime_type"], "text/plain");
    let as_image = json!({"room_id": room, "message_type": "image", "media_id": file["id"]});
    alice.rest.post("/api/chat/messages", as_image).await.problem(422, "validation_failed");
    // Browsers send names as they are: what no name should hold is left out.
    for name in ["a\u{1}b\u{7f}.txt", "\u{0}../x/a\tb.txt", "..\\ab.txt"] {
        let form = format!(
            "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n0123 \u{1}\r\n--b--\r\n"
        );
        let request = alice.rest.request(Method::POST, "/api/chat/upload");
        let request = request.header("content-type", "multipart/form-data; boundary=b").body(form);
        let stored = answer(request).await.expect(201);
        assert_eq!((&stored["filename"], &stored["size"]), (&json!("ab.txt"), &json!(6)), "{name:?}");
    }
    HostApp::rest(&server).post("/api/chat/upload", json!({})).await.problem(403, "user_required");
    server.rest().post("/api/chat/upload", json!({})).await.problem(401, "unauthorized");
}

/// S3-52, S3-71: parts of a file, addresses that run out, and media for everybody where the operator wants it.
#[tokio::test]
async fn s3_52_s3_71_ranges_and_ends_of_addresses() {
    let server = HostApp::setup().env("PARLOR_FILE_URL_TTL", "1").start().await;
    let (alice, ..) = pair(&server).await;
    let file = upload(&alice, "a.txt", TEXT).await.expect(201);
    let bare = path(&file["url"]).split('?').next().unwrap().to_owned();
    let part = alice.rest.header("range", "bytes=2-5").get(&bare, &[]).await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &TEXT[2..6]));
    assert_eq!(part.headers["content-range"], format!("bytes 2-5/{}", TEXT.len()));
    assert!(part.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let nobody = server.rest();
    let over = parlor_testkit::wait::until("the address runs out", || {
        let nobody = nobody.clone();
        let url = file["url"].clone();
        async move {
            let got = fetch(&nobody, &url).await;
            (got.status != 200).then_some(got)
        }
    });
    over.await.problem(403, "url_expired");

    let open = HostApp::setup().env("PARLOR_PUBLIC_MEDIA", "1").start().await;
    let (alice, ..) = pair(&open).await;
    let file = upload(&alice, "a.txt", TEXT).await.expect(201);
    assert!(!file["url"].as_str().unwrap().contains('?'));
    assert_eq!(fetch(&open.rest(), &file["url"]).await.bytes, TEXT);
}

/// S3-25: an address for the bytes, once, and not more of them.
#[tokio::test]
async fn s3_25_a_file_can_be_sent_to_a_signed_address() {
    let server = HostApp::setup().start().await;
    let (alice, bob, _, room) = pair(&server).await;
    let size = TEXT.len().to_string();
    let asked = [("filename", "notes.txt"), ("mime_type", "text/plain"), ("size", size.as_str())];
    let signed = alice.rest.get("/api/chat/upload/signed-url", &asked).await.expect(200);
    assert_eq!(signed["method"], "PUT");
    let nobody = server.rest();
    let put = |url: String, bytes: &'static [u8]| {
        let request = nobody.request(Method::PUT, &url).header("content-type", "text/plain").body(bytes);
        answer(request)
    };
    let target = path(&signed["upload_url"]);
    put(target.replace("u-alice", "u-bob"), TEXT).await.problem(403, "bad_signature");
    let larger: &[u8] = b"0123456789 plain text that is long enough to be one, and then some more";
    put(target.clone(), larger).await.problem(413, "payload_too_large");
    put(target.clone(), TEXT).await.expect(201);
    assert_eq!(put(target, TEXT).await.status, 409);
    assert_eq!(fetch(&nobody, &signed["url"]).await.bytes, TEXT);
    let send = json!({"room_id": room, "message_type": "file", "media_id": signed["id"]});
    let sent = alice.rest.post("/api/chat/messages", send).await.expect(201);
    let forward = json!({"room_id": room, "forwarded_from_id": sent["id"]});
    let copy = bob.rest.post("/api/chat/messages", forward).await.expect(201);
    assert_ne!(copy["media_id"], sent["media_id"]);
    assert_eq!(fetch(&nobody, &copy["media_url"]).await.bytes, TEXT);

    alice.rest.get("/api/chat/upload/signed-url", &asked[..2]).await.problem(422, "validation_failed");
    let html = [("filename", "a.html"), ("mime_type", "text/html"), ("size", "5")];
    alice.rest.get("/api/chat/upload/signed-url", &html).await.problem(415, "unsupported_media_type");
    let huge = [("filename", "a.txt"), ("mime_type", "text/plain"), ("size", "99999999999")];
    alice.rest.get("/api/chat/upload/signed-url", &huge).await.problem(413, "payload_too_large");
}

/// S3-25, S3-52: an address for the bytes is good for a quarter of an hour, and said to be; then one asks for another.
#[tokio::test]
async fn s3_25_s3_52_a_signed_address_for_the_bytes_ends_after_a_quarter_of_an_hour() {
    let Some(clock) = faketime::Clock::start() else { return };
    let server = clock.given_to(HostApp::setup()).start().await;
    let (alice, ..) = pair(&server).await;
    let size = TEXT.len().to_string();
    let asked = [("filename", "notes.txt"), ("mime_type", "text/plain"), ("size", size.as_str())];
    let sign = || async { alice.rest.get("/api/chat/upload/signed-url", &asked).await.expect(200) };
    let nobody = server.rest();
    let put = |signed: Value| {
        let request = nobody.request(Method::PUT, &path(&signed["upload_url"]));
        answer(request.header("content-type", "text/plain").body(TEXT))
    };
    let (early, late) = (sign().await, sign().await);
    clock.set(14 * 60);
    put(early).await.expect(201);
    clock.set(15 * 60 + 1);
    put(late).await.problem(403, "url_expired");
    put(sign().await).await.expect(201);
}
