//! A ticket's room of a hundred thousand messages: read, listed and searched as quickly as a small one, by many at once.

use std::time::{Duration, Instant};

use parlor_testkit::Server;
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::client::{Sio, call, put_ticket, setup, token};

/// Messages of the large room.
const MANY: i64 = 100_000;
/// What an answer may take at the median.
const QUICK: Duration = Duration::from_millis(50);
/// On a machine that does a lot besides, no more than so many times what the same takes in a room of two messages.
const TIMES: u32 = 3;

/// Fills the room of the message that says `seed` with copies, as if all had been sent and indexed.
fn fill(server: &Server) {
    let database = Connection::open(server.data().join("parlor.sqlite")).expect("a database");
    database.execute_batch("PRAGMA synchronous = OFF; BEGIN").expect("it begins");
    let copies = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO messages (key, id, counted, author, at, flags, text)
        SELECT m.key + i, m.id || '-' || i, m.counted + i, m.author, m.at + i, m.flags, 'line ' || i || ' of the log'
        FROM messages m, n WHERE m.text = 'seed'";
    database.execute(copies, [MANY]).expect("copies");
    let heads =
        "UPDATE room_heads SET position = position + ?1, counted = counted + ?1, messages = messages + ?1,
        last_key = last_key + ?1, last_seq = last_seq + ?1
        WHERE room IN (SELECT key >> 36 FROM messages WHERE text = 'seed')";
    assert_eq!(database.execute(heads, [MANY]).expect("heads"), 1);
    let index = "CREATE TEMP TABLE copies AS SELECT key, text FROM messages WHERE text LIKE 'line %';
        DELETE FROM copies WHERE key IN (SELECT key FROM search_docs);
        INSERT INTO search_docs (key) SELECT key FROM copies;
        INSERT INTO search_index (rowid, room, body)
        SELECT doc, d.key >> 36, text FROM copies c JOIN search_docs d ON d.key = c.key;
        COMMIT";
    database.execute_batch(index).expect("an index");
}

/// The median of a few answers to each of the two paths, asked in turn.
async fn medians(server: &Server, by: &str, paths: [&str; 2]) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        for (path, times) in paths.iter().zip(&mut times) {
            let begin = Instant::now();
            let _ = call(server, Method::GET, path, Some(by), None).await.expect(200);
            times.push(begin.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

#[tokio::test]
async fn s3_66_s3_68_s4_9_s4_10_a_room_of_a_hundred_thousand_messages_is_as_quick_as_a_small_one() {
    let mut server = setup().start().await;
    let alice = token("u-alice", &[], 600);
    drop(Sio::of(&server, "u-alice", &[]).await);
    let mut ids = Vec::new();
    for (ticket, text) in [("T-small", "line 7 of the log"), ("T-large", "seed")] {
        let room = put_ticket(&server, ticket, json!({"created_by": "u-alice"})).await["room_id"].take();
        let path = format!("/api/tickets/{ticket}/chat");
        let said = call(&server, Method::POST, &path, Some(&alice), Some(json!({"message": text}))).await;
        let id = said.expect(201)["message"]["id"].take();
        ids.push([room, id].map(|id| id.as_str().expect("an id").to_owned()));
    }
    assert!(server.stop().await.success());
    let server = tokio::task::spawn_blocking(move || {
        fill(&server);
        server
    });
    let mut server = server.await.expect("the rooms are filled");
    server.restart().await;

    let ([small, first], [large, seed]) = (&ids[0], &ids[1]);
    let newest =
        call(&server, Method::GET, &format!("/api/chat/rooms/{large}/messages"), Some(&alice), None).await;
    let newest = newest.expect(200);
    assert_eq!(newest["pagination"]["total"], MANY + 1);
    assert_eq!(newest["messages"][49]["content"], format!("line {MANY} of the log"));
    let both = |path: &str| {
        let of = |room: &str, id: &str, ticket: &str| {
            path.replace("ROOM", room).replace("MESSAGE", id).replace("TICKET", ticket)
        };
        [of(small, first, "T-small"), of(large, &format!("{seed}-50000"), "T-large")]
    };
    for path in [
        "/api/chat/rooms/ROOM/messages",
        "/api/chat/rooms/ROOM/messages?before=MESSAGE",
        "/api/chat/rooms/ROOM/messages?after=MESSAGE",
        "/api/chat/rooms?limit=50",
        "/api/chat/search?q=line+7&room_id=ROOM",
        "/api/tickets/TICKET/chat",
        "/api/tickets/TICKET/chat?before=MESSAGE",
        "/api/tickets?limit=50",
        "/api/conversations/ROOM/messages",
        "/api/conversations/ROOM/messages?after=MESSAGE",
    ] {
        let [in_small, in_large] = both(path);
        let [little, much] = medians(&server, &alice, [&in_small, &in_large]).await;
        assert!(much <= QUICK || much <= little * TIMES, "{path}: {much:?}, in a small room {little:?}");
    }

    // Many at once wait for each other's answers no longer than for as many of a small room.
    let path = format!("/api/chat/rooms/{large}/messages");
    let many = (0..32).map(|_| call(&server, Method::GET, &path, Some(&alice), None));
    for answer in futures_util::future::join_all(many).await {
        assert_eq!(answer.expect(200)["messages"].as_array().map(Vec::len), Some(50));
    }
    let found =
        call(&server, Method::GET, "/api/chat/search?q=line+77777", Some(&alice), None).await.expect(200);
    assert!(found["messages"].as_array().is_some_and(|all| all.len() == 1), "{found}");
    assert_ne!(found["messages"][0]["id"], Value::Null);
}
