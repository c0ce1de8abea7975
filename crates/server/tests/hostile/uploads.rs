//! Files and forms as they must not be.

use parlor_testkit::server::ADMINISTRATOR;
use parlor_testkit::{HostApp, Person, Server, wait};

use crate::attack::{Dialect, judge, wrong};
use crate::watch::Watch;
use crate::wire::Wire;

/// Bytes that a file may have in these tests: more than frameworks let through by themselves.
const LIMIT: usize = 4 << 20;

struct Stage {
    server: Server,
    watch: Watch,
    person: Person,
    room: String,
}

impl Stage {
    async fn set() -> Self {
        let setup = HostApp::setup().setting("FileUpload_MaxFileSize", &LIMIT.to_string());
        let server = setup.start().await;
        let watch = Watch::begin(&server).await;
        let person = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        let room = person.group("files", &[]).await;
        Self { server, watch, person, room }
    }

    /// The head of an upload, without its end.
    fn head(&self, more: &str) -> String {
        format!(
            "POST /api/v1/rooms.media/{} HTTP/1.1\r\nhost: x\r\nx-user-id: {}\r\nx-auth-token: {}\r\n{more}",
            self.room,
            self.person.id,
            self.person.rest.token().expect("a token")
        )
    }

    /// Files that are on their way.
    fn half_written(&self) -> usize {
        std::fs::read_dir(self.server.data().join("files/tmp")).map_or(0, Iterator::count)
    }

    async fn end(self) {
        wait::until("nothing half-written is left", || async { (self.half_written() == 0).then_some(()) })
            .await;
        self.watch.end(&self.server).await;
    }
}

fn part(name: &str, content: &str) -> String {
    format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

fn file(name: &str, content: &str) -> String {
    format!(
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/plain\r\n\r\n\
         {content}\r\n"
    )
}

#[tokio::test]
async fn a_form_that_is_none_is_refused_and_leaves_nothing_behind() {
    let stage = Stage::set().await;
    let end = "--b--\r\n";
    let forms: Vec<(&str, &str, String)> = vec![
        ("nothing", "multipart/form-data; boundary=b", String::new()),
        ("no boundary", "multipart/form-data", file("a.txt", "x") + end),
        ("an empty boundary", "multipart/form-data; boundary=", file("a.txt", "x") + end),
        ("another boundary", "multipart/form-data; boundary=c", file("a.txt", "x") + end),
        ("a boundary of 10,000 letters", "multipart/form-data; boundary=LONG", file("a.txt", "x") + end),
        ("cut off in the file", "multipart/form-data; boundary=b", file("a.txt", "x")),
        (
            "cut off in a head",
            "multipart/form-data; boundary=b",
            "--b\r\ncontent-disposition: form-da".to_owned(),
        ),
        (
            "5,000 fields",
            "multipart/form-data; boundary=b",
            part("a", "x").repeat(5_000) + &file("a.txt", "x") + end,
        ),
        ("a field of 100 KB", "multipart/form-data; boundary=b", part("a", &"x".repeat(100_000)) + end),
        ("two files", "multipart/form-data; boundary=b", file("a.txt", "x").repeat(2) + end),
        ("no file", "multipart/form-data; boundary=b", part("file", "x") + end),
        ("an empty file", "multipart/form-data; boundary=b", file("a.txt", "") + end),
        ("a head of 3 MB", "multipart/form-data; boundary=b", file(&"x".repeat(3_000_000), "x") + end),
        (
            "3 MB before the boundary",
            "multipart/form-data; boundary=b",
            "x".repeat(3_000_000) + &file("a.txt", "x") + end,
        ),
        ("JSON", "application/json", "{}".to_owned()),
        ("no type", "", "x".to_owned()),
        ("too much", "multipart/form-data; boundary=b", file("a.txt", &"x".repeat(LIMIT + 1)) + end),
    ];
    let (mut tried, mut found) = (0, Vec::new());
    for (name, kind, body) in forms {
        let path = format!("rooms.media/{}", stage.room);
        let request = stage.person.rest.request(reqwest::Method::POST, &path);
        let kind = kind.replace("LONG", &"b".repeat(10_000));
        let request = request.header("content-type", kind).body(body);
        tried += 1;
        match parlor_testkit::rest::try_answer(request).await {
            Ok(answer) => {
                found.extend(wrong(Dialect::RocketChat, &answer).map(|wrong| format!("{name}: {wrong}")));
                if answer.status < 400 {
                    found.push(format!("{name}: taken, {}", answer.text()));
                }
            }
            Err(error) => found.push(format!("{name}: {error:?}")),
        }
    }
    judge("forms", tried, found);
    stage.end().await;
}

#[tokio::test]
async fn a_file_within_the_limit_is_taken_at_every_door() {
    let stage = Stage::set().await;
    let alice = HostApp::person(&stage.server, "u-alice", &["USER"]).await;
    let facts = serde_json::json!({"title": "GRN 1", "created_by": "u-alice"});
    let made = HostApp::rest(&stage.server).put("/api/tickets/T-1", facts).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let film = [&b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"[..], &vec![7; LIMIT - 1_000]].concat();
    let media = format!("rooms.media/{}", stage.room);
    for (rest, path) in [
        (&stage.person.rest, media.as_str()),
        (&alice.rest, "/api/chat/upload"),
        (&alice.rest, "/api/tickets/T-1/chat/upload"),
    ] {
        let answer = rest.upload(path, "file", ("film.mp4", "video/mp4", &film), &[]).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {} {}", answer.status, answer.text());
    }
    stage.end().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_behind() {
    let stage = Stage::set().await;
    let body = file("a.txt", &"x".repeat(100_000));
    for cut in [0, 1, 50, 200, 10_000, body.len()] {
        for more in ["content-length: 500000\r\n", "transfer-encoding: chunked\r\n"] {
            let mut wire = Wire::open(&stage.server).await;
            wire.send(stage.head(&format!("content-type: multipart/form-data; boundary=b\r\n{more}\r\n")))
                .await;
            let piece = &body[..cut];
            if more.starts_with("transfer") {
                wire.send(format!("{:x}\r\n{piece}", body.len())).await;
            } else {
                wire.send(piece).await;
            }
        }
    }
    // Without an end, and too much.
    let mut wire = Wire::open(&stage.server).await;
    wire.send(
        stage.head("content-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n\r\n"),
    )
    .await;
    let head = file("a.txt", "");
    wire.send(format!("{:x}\r\n{head}\r\n", head.len())).await;
    let piece = "x".repeat(64 << 10);
    for _ in 0..2 * LIMIT / piece.len() {
        wire.send(format!("{:x}\r\n{piece}\r\n", piece.len())).await;
    }
    if let Some(told) = wire.told().await {
        assert!((400..500).contains(&told.status), "{} {}", told.status, told.text());
    }
    stage.end().await;
}

/// A picture's head with the size that it claims, and hardly anything behind it.
fn claims(width: u32, height: u32) -> Vec<u8> {
    let mut picture = super::PICTURE.to_vec();
    picture[16..20].copy_from_slice(&width.to_be_bytes());
    picture[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc(&picture[12..29]);
    picture[29..33].copy_from_slice(&checksum.to_be_bytes());
    picture
}

/// The checksum of PNG's chunks.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 },
        )
    })
}

#[tokio::test]
async fn a_picture_that_lies_is_a_file_or_refused_and_never_unpacked() {
    let stage = Stage::set().await;
    let gif = |width: u16, height: u16| {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
        // Frames without end.
        (0..10_000).for_each(|_| bytes.extend([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]));
        bytes
    };
    let jpeg = [&b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"[..], &[0; 500]].concat();
    let webp = [&b"RIFF\xff\xff\xff\x7fWEBPVP8L\xff\xff\xff\x7f\x2f\xff\xff\xff\xff"[..], &[0; 500]].concat();
    let bombs: Vec<(&str, &str, Vec<u8>)> = vec![
        ("30,000 by 30,000", "a.png", claims(30_000, 30_000)),
        ("all there is", "a.png", claims(u32::MAX, u32::MAX)),
        ("nothing", "a.png", claims(0, 0)),
        ("cut off", "a.png", super::PICTURE[..40].to_vec()),
        ("frames without end", "a.gif", gif(1, 1)),
        ("a large canvas", "a.gif", gif(u16::MAX, u16::MAX)),
        ("a large photograph", "a.jpg", jpeg),
        ("a large picture", "a.webp", webp),
        ("a script", "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
        ("entities", "a.svg", b"<!DOCTYPE x [<!ENTITY a '&a;&a;'>]><svg>&a;</svg>".to_vec()),
        ("a page", "a.png", b"<html><script>alert(1)</script>".to_vec()),
        ("a path", "../../../../tmp/a.png", super::PICTURE.to_vec()),
        ("line breaks", "a\r\nx: y\r\n\r\n.png", super::PICTURE.to_vec()),
        ("a long name", &*"x".repeat(4_000).leak(), super::PICTURE.to_vec()),
    ];
    let (mut tried, mut found) = (0, Vec::new());
    for (what, name, bytes) in &bombs {
        for path in [
            format!("rooms.media/{}", stage.room),
            "users.setAvatar".to_owned(),
            "emoji-custom.create".to_owned(),
        ] {
            let field = if path.starts_with("rooms") {
                "file"
            } else if path.starts_with("users") {
                "image"
            } else {
                "emoji"
            };
            let answer = stage
                .person
                .rest
                .upload(&path, field, (name, "image/png", bytes), &[("name", "x"), ("aliases", "")])
                .await;
            tried += 1;
            found.extend(
                wrong(Dialect::RocketChat, &answer).map(|wrong| format!("{what} to {path}: {wrong}")),
            );
            let Some(url) = answer.body["file"]["url"].as_str() else { continue };
            let served = stage.person.rest.get(url, &[]).await;
            let header = |name: &str| {
                served.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
            };
            let kind = header("content-type");
            if header("x-content-type-options") != "nosniff"
                || (kind.contains("html") || kind.contains("svg"))
                    && !header("content-disposition").starts_with("attachment")
            {
                found.push(format!("{what}: served as {kind}, {}", header("content-disposition")));
            }
        }
    }
    judge("pictures", tried, found);
    stage.end().await;
}
