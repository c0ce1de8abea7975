//! People with files.

use parlor_testkit::rest::answer;
use parlor_testkit::{Answer, HostApp, HostPerson, Person, Rest, Server};
use reqwest::Method;
use serde_json::{Value, json};

/// Two of the host's people and the direct room between them.
pub(crate) async fn pair(server: &Server) -> (HostPerson, HostPerson, String) {
    let alice = HostApp::person(server, "u-alice", &[]).await;
    let bob = HostApp::person(server, "u-bob", &[]).await;
    let body = json!({"room_type": "direct", "member_ids": ["u-bob"]});
    let room =
        alice.rest.post("/api/chat/rooms", body).await.expect(201)["id"].as_str().expect("an id").to_owned();
    (alice, bob, room)
}

/// Uploads through the rooms door.
pub(crate) async fn upload(person: &HostPerson, name: &str, bytes: &[u8]) -> Answer {
    person.rest.upload("/api/chat/upload", "file", (name, "application/octet-stream", bytes), &[]).await
}

/// Sends an uploaded file through the rooms door.
pub(crate) async fn send(person: &HostPerson, room: &str, kind: &str, file: &Value) -> Value {
    let body = json!({"room_id": room, "message_type": kind, "media_id": file["id"]});
    person.rest.post("/api/chat/messages", body).await.expect(201)
}

/// Uploads to a room as Rocket.Chat's clients do, with the message.
pub(crate) async fn rocket_upload(person: &Person, room: &str, name: &str, bytes: &[u8]) -> Answer {
    person
        .rest
        .upload(&format!("rooms.upload/{room}"), "file", (name, "application/octet-stream", bytes), &[])
        .await
}

/// Fetches the path of an address.
pub(crate) async fn fetch(rest: &Rest, url: &Value) -> Answer {
    let url = url.as_str().expect("an address");
    let path = url.find("/api/").or_else(|| url.find("/file-upload/")).map_or(url, |at| &url[at..]);
    answer(rest.request(Method::GET, path)).await
}

/// Plain text of so many bytes that is like no other.
pub(crate) fn text(seed: u64, size: usize) -> Vec<u8> {
    let mut line = String::with_capacity(size + 32);
    let mut number = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while line.len() < size {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        line.push_str(&format!("{number:x}\n"));
    }
    line.truncate(size);
    line.into_bytes()
}

/// A picture of so many pixels, as PNG.
pub(crate) fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..width * height * 3).map(|n| (n / 7 % 251) as u8).collect();
    encoder.write_header().expect("a header").write_image_data(&pixels).expect("pixels");
    bytes
}
