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

/// A photograph that lies on its side (16 by 8 pixels) and tells where it was taken, and what it tells.
pub(crate) fn jpeg_with_exif() -> (Vec<u8>, &'static [u8]) {
    const SECRET: &[u8] = b"taken at 48.8584 N 2.2945 E";
    let (start, rest) = PHOTOGRAPH.split_at(2);
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend(SECRET);
    let length = u16::try_from(exif.len() + 2).expect("it is short").to_be_bytes();
    ([start, &[0xff, 0xe1], &length, &exif, rest].concat(), SECRET)
}

/// The ids of all files that a server keeps in its data folder.
pub(crate) fn stored(server: &Server) -> Vec<String> {
    let is_id = |name: &String| name.len() == 22 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut ids = Vec::new();
    let mut folders = vec![server.data().join("files")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                _ => ids.extend(entry.file_name().into_string().ok().filter(is_id)),
            }
        }
    }
    ids
}

/// 16 by 8 pixels.
const PHOTOGRAPH: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10\x4a\x46\x49\x46\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00\x43\
    \x00\x28\x1c\x1e\x23\x1e\x19\x28\x23\x21\x23\x2d\x2b\x28\x30\x3c\x64\x41\x3c\x37\x37\x3c\x7b\x58\
    \x5d\x49\x64\x91\x80\x99\x96\x8f\x80\x8c\x8a\xa0\xb4\xe6\xc3\xa0\xaa\xda\xad\x8a\x8c\xc8\xff\xcb\
    \xda\xee\xf5\xff\xff\xff\x9b\xc1\xff\xff\xff\xfa\xff\xe6\xfd\xff\xf8\xff\xdb\x00\x43\x01\x2b\x2d\
    \x2d\x3c\x35\x3c\x76\x41\x41\x76\xf8\xa5\x8c\xa5\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\
    \xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\
    \xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xff\xc0\x00\x11\x08\x00\x08\x00\x10\x03\
    \x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xc4\x00\x15\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x04\xff\xc4\x00\x14\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\xff\xc4\x00\x15\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x03\x04\xff\xc4\x00\x14\x11\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00\x98\x05\x01\x7f\xff\xd9";
