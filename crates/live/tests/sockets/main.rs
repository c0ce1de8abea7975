//! Live connections over real sockets.

#[path = "../common/mod.rs"]
mod common;
mod crowd;

use common::{EVENT, Got, Raw, TestServer, frame};
use futures_util::{SinkExt, StreamExt};
use parlor_live::{CapLimits, Class, Close, Closed, Options, Pushed, ServeOptions, frame_sse, frame_text};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_foreign_client_is_echoed_and_may_close() {
    let server = TestServer::start().await;
    let url = format!("ws://{}/ws", server.address);
    let (mut client, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    for text in ["hello", "", &"x".repeat(200_000), "Grüße 😀"] {
        client.send(Message::text(text)).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Message::text(text));
    }
    client.close(None).await.unwrap();
    while client.next().await.is_some() {}
    assert_eq!(server.door.metrics.messages_in.get(), 4);
}

#[tokio::test]
async fn ten_thousand_frames_arrive_in_their_order() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    client.say("ready").await;
    client.expect("ready").await;
    let outbox = server.stage.outbox(0);
    let publisher = tokio::spawn(async move {
        for number in 0..10_000 {
            while outbox.bytes() > 500_000 {
                tokio::task::yield_now().await;
            }
            assert_eq!(outbox.push(frame_text(number.to_string().as_bytes()), EVENT), Pushed::Queued);
        }
    });
    for number in 0..10_000 {
        client.expect(&number.to_string()).await;
    }
    publisher.await.unwrap();
    assert_eq!(server.live.queued_bytes(), 0);
}

#[tokio::test]
async fn a_slow_reader_is_cut_with_a_reason_while_others_go_on() {
    let options = Options { close_timeout: Duration::from_secs(60), ..Options::default() };
    let server = TestServer::with(options, ServeOptions::default(), CapLimits::default()).await;
    let mut slow = server.connect().await;
    slow.say("slow").await;
    slow.expect("slow").await;
    let mut quick = server.connect().await;
    quick.say("quick").await;
    quick.expect("quick").await;
    let (slow_box, quick_box) = (server.stage.outbox(0), server.stage.outbox(1));
    let news = "n".repeat(16 * 1024);
    let shared = frame_text(news.as_bytes());
    let mut sent = 0;
    while slow_box.push(shared.clone(), EVENT) == Pushed::Queued {
        assert!(slow_box.bytes() <= 1 << 20);
        sent += 1;
        assert_eq!(quick_box.push(shared.clone(), EVENT), Pushed::Queued);
        quick.expect(&news).await;
    }
    assert!(sent >= 60, "1 MiB was allowed, not {sent} frames");
    assert_eq!(slow_box.closed(), Some(Closed::TooSlow));
    assert_eq!(slow.close_code().await, 1013);
    assert_eq!(slow.hear().await, Got::End);
    quick.say("still here").await;
    quick.expect("still here").await;
    assert_eq!(server.door.metrics.too_slow.get(), 1);
}

#[tokio::test]
async fn input_may_come_in_fragments_and_single_bytes() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    let mut bytes = frame(0x01, "Grü".as_bytes());
    bytes.extend(frame(0x89, b"are you there"));
    bytes.extend(frame(0x80, "ße".as_bytes()));
    bytes.extend(frame(0x81, b"whole"));
    for byte in bytes {
        client.send(&[byte]).await;
    }
    assert_eq!(client.hear().await, Got::Pong(b"are you there".to_vec()));
    client.expect("Grüße").await;
    client.expect("whole").await;
}

#[tokio::test]
async fn bytes_sent_with_the_handshake_are_not_lost() {
    let server = TestServer::start().await;
    let mut client = Raw { stream: tokio::net::TcpStream::connect(server.address).await.unwrap() };
    let mut bytes = common::handshake("").into_bytes();
    bytes.extend(frame(0x81, b"early"));
    bytes.extend(&frame(0x81, b"and cut")[..5]);
    client.send(&bytes).await;
    let head = client.request("").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    client.expect("early").await;
    client.send(&frame(0x81, b"and cut")[5..]).await;
    client.expect("and cut").await;
}

#[tokio::test]
async fn broken_frames_end_their_connection_with_the_code_and_no_other() {
    let server = TestServer::start().await;
    let mut other = server.connect().await;
    let cases: [(&str, Vec<u8>, u16); 12] = [
        ("unmasked", b"\x81\x02hi".to_vec(), 1002),
        ("reserved bit", frame(0xc1, b"x"), 1002),
        ("reserved opcode", frame(0x83, b"x"), 1002),
        ("long ping", frame(0x89, &[0; 126]), 1002),
        ("fragmented ping", frame(0x09, b"x"), 1002),
        ("continuation of nothing", frame(0x80, b"x"), 1002),
        ("message in a message", [frame(0x01, b"x"), frame(0x81, b"y")].concat(), 1002),
        ("close of one byte", frame(0x88, b"\x03"), 1002),
        ("text that is not UTF-8", frame(0x81, b"\xc3\x28"), 1007),
        ("16 MiB promised", b"\x82\xff\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec(), 1009),
        ("one-byte fragments", one_byte_fragments(), 1009),
        ("binary", frame(0x82, b"x"), 1003),
    ];
    for (name, bytes, code) in cases {
        let mut client = server.connect().await;
        // The server may have gone before all of it is written.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &bytes).await;
        assert_eq!(client.close_code().await, code, "{name}");
        assert_eq!(client.hear().await, Got::End, "{name}");
        other.say(name).await;
        other.expect(name).await;
    }
    assert_eq!(server.door.metrics.broken.get(), 11);
}

fn one_byte_fragments() -> Vec<u8> {
    let mut bytes = frame(0x01, b"a");
    bytes.extend(frame(0x00, b"a").repeat(300));
    bytes
}

#[tokio::test]
async fn a_pending_request_stops_neither_events_nor_pongs() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    client.say("answer slow").await;
    client.say("echo").await;
    client.expect("echo").await;
    server.stage.outbox(0).push(frame_text(b"event"), EVENT);
    client.expect("event").await;
    client.send(&frame(0x89, b"?")).await;
    assert_eq!(client.hear().await, Got::Pong(b"?".to_vec()));
    server.stage.release("slow");
    client.expect("answered slow").await;
}

#[tokio::test]
async fn answers_come_in_the_order_of_their_requests_unless_apart() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    for request in ["answer one", "answer two", "apart three", "echo"] {
        client.say(request).await;
    }
    client.expect("echo").await;
    server.stage.release("two");
    server.stage.release("three");
    client.expect("answered three").await;
    server.stage.release("one");
    client.expect("answered one").await;
    client.expect("answered two").await;
    assert_eq!(*server.stage.started.lock().unwrap(), ["one", "two", "three"]);
}

#[tokio::test]
async fn nothing_behind_a_request_to_wait_for_is_looked_at() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    client.say("wait login").await;
    client.say("echo").await;
    let outbox = loop {
        if !server.stage.started.lock().unwrap().is_empty() {
            break server.stage.outbox(0);
        }
        tokio::task::yield_now().await;
    };
    outbox.push(frame_text(b"event"), EVENT);
    client.expect("event").await;
    server.stage.release("login");
    client.expect("answered login").await;
    client.expect("echo").await;
}

#[tokio::test]
async fn writes_are_queued_while_earlier_ones_wait_for_the_disk_and_refusals_keep_their_turn() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    for request in ["queue one", "refuse two", "queue three", "echo"] {
        client.say(request).await;
    }
    client.expect("echo").await;
    assert_eq!(*server.stage.started.lock().unwrap(), ["one", "three"], "nobody waited for the first");
    server.stage.release("three");
    server.stage.release("one");
    for answer in ["one", "two", "three"] {
        client.expect(&format!("answered {answer}")).await;
    }
}

#[tokio::test]
async fn a_burst_of_requests_is_started_up_to_the_bound_and_answered_in_order() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    let burst: Vec<u8> = (0..1_000).flat_map(|n| frame(0x81, format!("answer {n}").as_bytes())).collect();
    client.send(&burst).await;
    while server.stage.started.lock().unwrap().len() < 256 {
        tokio::task::yield_now().await;
    }
    let outbox = server.stage.outbox(0);
    for _ in 0..3 {
        outbox.push(frame_text(b"event"), EVENT);
        client.expect("event").await;
    }
    assert_eq!(server.stage.started.lock().unwrap().len(), 256, "the bound holds");
    for number in 0..1_000 {
        server.stage.release(&number.to_string());
    }
    for number in 0..1_000 {
        client.expect(&format!("answered {number}")).await;
    }
    let expected: Vec<_> = (0..1_000).map(|n| n.to_string()).collect();
    assert_eq!(*server.stage.started.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_client_that_asks_but_does_not_read_is_not_read_either() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    let question = frame(0x81, &[b'q'; 60_000]);
    let (mut reading, mut writing) = client.stream.split();
    let asker = async {
        for _ in 0..500 {
            tokio::io::AsyncWriteExt::write_all(&mut writing, &question).await.unwrap();
        }
    };
    // 30 MB of echoes wait in no memory of ours: the client begins to read when it can write no more.
    let reader = async {
        let mut left = 500 * (60_000 + 4);
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            assert!(server.live.queued_bytes() < 256 * 1024 + 62_000);
            left -= tokio::io::AsyncReadExt::read(&mut reading, &mut buffer).await.unwrap();
        }
    };
    tokio::join!(asker, reader);
    assert_eq!(server.door.metrics.too_slow.get(), 0);
}

#[tokio::test]
async fn a_kick_tells_the_reason_and_nothing_that_was_queued() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    client.say("hello").await;
    client.expect("hello").await;
    let outbox = server.stage.outbox(0);
    let kick = outbox.kick_handle();
    outbox.push(frame_text(b"secret"), EVENT);
    kick.kick(Close::policy("logged out"));
    assert_eq!(outbox.push(frame_text(b"late"), Class::Reply), Pushed::Closed);
    client.expect("farewell").await;
    assert_eq!(client.hear().await, Got::Close(1008, "logged out".into()));
    assert_eq!(client.hear().await, Got::End);
    drop(client);
    while server.live.connections() > 0 {
        tokio::task::yield_now().await;
    }
    kick.kick(Close::policy("again, to nobody"));
    assert_eq!(server.door.metrics.connections.get(), 0);
    assert_eq!(server.live.caps().taken(), 0);
}

#[tokio::test]
async fn a_session_may_end_its_connection_after_what_it_said() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    client.say("answer last").await;
    client.say("goodbye").await;
    client.say("end").await;
    client.say("too late").await;
    client.expect("goodbye").await;
    server.stage.release("last");
    client.expect("answered last").await;
    assert_eq!(client.hear().await, Got::Close(4000, "as you wish".into()));
}

#[tokio::test]
async fn a_panic_in_a_session_ends_that_connection_alone() {
    let server = TestServer::start().await;
    let mut other = server.connect().await;
    let mut client = server.connect().await;
    client.say("panic").await;
    assert_eq!(client.hear().await, Got::End);
    other.say("fine").await;
    other.expect("fine").await;
    assert_eq!(server.live.connections(), 1);
}

#[tokio::test]
async fn the_end_of_the_server_lets_answers_go_first_and_tells_clients_to_come_back() {
    let mut server = TestServer::start().await;
    let mut busy = server.connect().await;
    busy.say("answer last").await;
    busy.say("sent").await;
    busy.expect("sent").await;
    let mut idle = server.connect().await;
    server.stop();
    assert_eq!(idle.hear().await, Got::Close(1012, "the server restarts".into()));
    busy.say("not looked at").await;
    server.stage.release("last");
    busy.expect("answered last").await;
    assert_eq!(busy.close_code().await, 1012);
    drop((busy, idle));
    assert!(server.stopped().await);
    assert_eq!(server.live.connections(), 0);
}

#[tokio::test]
async fn a_stream_of_events_is_sent_as_it_happens_and_ends_with_its_outbox() {
    let server = TestServer::start().await;
    let mut client = Raw { stream: tokio::net::TcpStream::connect(server.address).await.unwrap() };
    let head = client.request("GET /events HTTP/1.1\r\nHost: chat.example\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
    let outbox = server.stage.outbox(0);
    outbox.push(frame_sse(Some("1"), Some("message"), "hello"), EVENT);
    assert!(client.read_until("\n\n").await.ends_with("id: 1\nevent: message\ndata: hello\n\n"));
    outbox.push(frame_sse(None, None, "more"), EVENT);
    assert!(client.read_until("\n\n").await.ends_with("data: more\n\n"));
    outbox.push(frame_sse(None, None, "last"), EVENT);
    outbox.finish(Close::new(4000, "as you wish"));
    assert!(client.read_until("0\r\n\r\n").await.contains("data: last\n\n"));
}

/// A body in pieces, one each time the clock ticks, until they end or an answer comes; the answer.
async fn brought(server: &TestServer, pieces: usize, size: usize, every: Duration) -> String {
    let mut raw =
        Raw { stream: tokio::net::TcpStream::connect(server.address).await.expect("the server listens") };
    let length = pieces * size;
    raw.send(format!("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await;
    let (mut reader, mut writer) = raw.stream.into_split();
    let bringing = tokio::spawn(async move {
        let (mut tick, piece) = (tokio::time::interval(every), vec![b'x'; size]);
        for _ in 0..pieces {
            tick.tick().await;
            if writer.write_all(&piece).await.is_err() {
                break;
            }
        }
        writer
    });
    let mut answer = Vec::new();
    while !answer.ends_with(b"Late") && !answer.ends_with(length.to_string().as_bytes()) {
        answer.push(reader.read_u8().await.expect("an answer comes"));
    }
    bringing.abort();
    let text = String::from_utf8(answer).expect("an answer is text");
    text.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_and_a_slow_one_comes_whole() {
    let serving = ServeOptions { slow_body: Duration::from_millis(200), ..ServeOptions::default() };
    let server = TestServer::with(Options::default(), serving, CapLimits::default()).await;
    let tick = Duration::from_millis(20);
    assert_eq!(brought(&server, 1_000_000, 1, tick).await, "Late");
    // It takes longer than that too, and earns its time by what it brings.
    assert_eq!(brought(&server, 30, 1024, tick).await, "30720");
}
