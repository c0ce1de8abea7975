//! Moving in with very much, in bounded memory. It takes minutes, so it runs only when it is asked for:
//!
//! ```sh
//! cargo build --release --package parlor-server
//! PARLOR_BIN=target/release/parlor cargo test --package parlor-server --test movein -- --ignored --nocapture million
//! ```
//!
//! `MOVING_MESSAGES` takes another number, `MOVING_DATABASE` a PostgreSQL database that is empty.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use bson::{Document, doc};

use crate::{harbour::at, run::command};

/// The most that an import may take, in KiB, whatever the number of messages.
const MOST_MEMORY: u64 = 384 * 1024;
const PEOPLE: u64 = 1_000;
const ROOMS: u64 = 300;
const WORDS: [&str; 24] = [
    "tide", "herring", "lantern", "mooring", "the", "quay", "is", "free", "until", "noon", "please", "bring",
    "rope", "and", "a", "chart", "of", "outer", "banks", "we", "sail", "at", "dawn", "tomorrow",
];

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

fn person(n: u64) -> Document {
    doc! {"_id": format!("person{n:011}"), "username": format!("person{n}"), "name": format!("Person {n}")}
}

fn room(n: u64) -> String {
    format!("room{n:013}")
}

/// A message as a workspace has them: every tenth a reply, some with reactions, mentions, edits.
fn message(n: u64, chance: &mut Chance) -> Document {
    // A few rooms have most of the messages.
    let place = chance.below(ROOMS).min(chance.below(ROOMS)).min(chance.below(ROOMS));
    let by = person(chance.below(PEOPLE));
    let long = 3 + chance.below(30);
    let text: Vec<&str> = (0..long).map(|_| WORDS[chance.below(WORDS.len() as u64) as usize]).collect();
    let when = at(n as i64 / 3);
    let mut message = doc! {"_id": format!("m{n:016}"), "rid": room(place), "msg": text.join(" "), "ts": when.clone(),
    "u": by, "_updatedAt": when.clone(), "urls": [], "mentions": [], "channels": [], "md": [{"type": "PARAGRAPH",
        "value": [{"type": "PLAIN_TEXT", "value": text.join(" ")}]}]};
    match chance.below(20) {
        // The root may lie in another room: then it is a message of its own.
        0 | 1 if n > 2_000 => drop(message.insert("tmid", format!("m{:016}", n - 1 - chance.below(2_000)))),
        2 => drop(message.insert(
            "reactions",
            doc! {":fish:": {"usernames": [format!("person{}", chance.below(PEOPLE))]}},
        )),
        3 => drop(message.insert("mentions", vec![person(chance.below(PEOPLE))])),
        4 => message.extend(doc! {"editedAt": when, "editedBy": person(chance.below(PEOPLE))}),
        _ => {}
    }
    message
}

fn collection(folder: &Path, name: &str, documents: impl Iterator<Item = Document>) {
    let mut file = BufWriter::new(File::create(folder.join(format!("{name}.bson"))).expect("a file"));
    for document in documents {
        document.to_writer(&mut file).expect("written");
    }
    file.flush().expect("written");
}

fn dump(folder: &Path, messages: u64) {
    fs::create_dir_all(folder).expect("a folder");
    let people = (0..PEOPLE).map(|n| {
        let mut person = person(n);
        person.extend(doc! {"type": "user", "active": true, "roles": ["user"], "createdAt": at(0)});
        person
    });
    collection(folder, "users", people);
    let rooms = (0..ROOMS).map(
        |n| doc! {"_id": room(n), "t": if n % 3 == 0 { "p" } else { "c" }, "name": format!("room-{n}"), "u": person(n), "ts": at(0)},
    );
    collection(folder, "rocketchat_room", rooms);
    let members = (0..ROOMS * 20).map(|n| {
        let (place, who) = (n / 20, (n * 37) % PEOPLE);
        doc! {"_id": format!("sub{n}"), "rid": room(place), "u": person(who), "ts": at(0), "ls": at(messages as i64 / 6),
        "open": true, "alert": true, "unread": 3}
    });
    collection(folder, "rocketchat_subscription", members);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    collection(folder, "rocketchat_message", (0..messages).map(|n| message(n, &mut chance)));
}

/// What a run said, how long it took, and the most memory it had, in KiB.
fn measured(data: &Path, source: &Path) -> (String, Duration, u64) {
    let mut command = command(data, &["rocketchat", source.to_str().expect("a path")]);
    if let Ok(database) = std::env::var("MOVING_DATABASE") {
        command.args(["--database", &database]);
    }
    let began = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let ended = loop {
        let now = fs::read_to_string(&status).unwrap_or_default();
        let line = now.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        most = most.max(now.unwrap_or_default());
        if let Some(ended) = child.try_wait().expect("it can be asked") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let took = began.elapsed();
    let out = std::io::read_to_string(child.stdout.take().expect("its output")).expect("text");
    assert!(ended.success(), "{out}");
    (out, took, most)
}

#[test]
#[ignore = "takes minutes; the head of this file says how to run it"]
fn a_million_messages_move_in_within_bounded_memory_and_only_once() {
    let messages = std::env::var("MOVING_MESSAGES").map_or(1_000_000, |n| n.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let (data, source) = (folder.path().join("data"), folder.path().join("dump/rocketchat"));
    dump(&source, messages);
    for (round, [new, known]) in [[messages, 0], [0, messages]].into_iter().enumerate() {
        let (out, took, memory) = measured(&data, &source);
        let a_second = messages as f64 / took.as_secs_f64();
        println!(
            "{out}\nround {round}: {took:.1?}, {a_second:.0} messages a second, at most {} MiB",
            memory / 1024
        );
        let line = out.lines().find(|line| line.starts_with("messages ")).expect("it is counted");
        let counts: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(counts, [messages, new, known, 0]);
        assert!(memory < MOST_MEMORY, "{memory} KiB");
    }
}
