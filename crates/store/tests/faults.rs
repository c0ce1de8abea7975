//! What stands when the disk fails: nothing is acknowledged that is not stored, and what was acknowledged is there.
//!
//! The faults befall a child process, this test binary again, under a limit that its shell sets.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

mod common;

use common::cast::{people, send};
use common::{Place, wait};
use parlor_core::clock::System;
use parlor_core::error::Refusal;
use parlor_store::{Engine, Lane, Location, Options};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

const DATABASE: &str = "PARLOR_FAULT_TEST_DATABASE";

fn open(path: &Path, poisoned: Arc<AtomicBool>) -> Engine {
    let mut options = Options::new(Arc::new(System::new()), Arc::new(drop));
    options.on_poison = Arc::new(move |_| poisoned.store(true, SeqCst));
    options.checkpoint_at = 256 << 10;
    Engine::open(&Location::Sqlite(path.to_owned()), options).unwrap()
}

/// Sends until the store says no, and says on standard output what was acknowledged.
fn send_until_refused(engine: &Engine) -> Refusal {
    let text = "x".repeat(2_000);
    for n in 0..100_000 {
        let id = format!("m{n}");
        match wait(engine.append(send(&id, "r0", "u0", &text))) {
            Ok(stored) => println!("acked {} {id}", stored.message.seq),
            Err(refusal) => return refusal,
        }
    }
    panic!("no fault befell the store");
}

/// Runs one of the child's parts below under a shell's command; gives the lines that it wrote.
fn child(part: &str, shell: &str, database: &Path) -> Vec<String> {
    let out = Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$0\" --exact --ignored --nocapture {part}")])
        .arg(std::env::current_exe().unwrap())
        .env(DATABASE, database)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(out.status.success(), "{part}: {}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Every acknowledged message is there, once and in its place.
fn all_there(database: &Path, lines: &[String]) {
    let engine = open(database, Arc::default());
    let stored: HashSet<String> = wait(engine.read(|tx| {
        let sql = "SELECT 'acked ' || (key & 68719476735) || ' ' || id FROM messages";
        Ok(tx.query(sql, &[], |row| row.get(0))?.into_iter().collect())
    }))
    .unwrap();
    let acked: Vec<&String> = lines.iter().filter(|line| line.starts_with("acked")).collect();
    assert!(acked.len() > 50, "{lines:?}");
    for line in acked {
        assert!(stored.contains(line), "lost: {line}");
    }
    // It goes on where it stopped.
    let next = wait(engine.append(send("after", "r0", "u0", "x"))).unwrap();
    assert_eq!(next.message.seq, stored.len() as i64 + 1);
}

#[test]
#[ignore = "a part of the test below"]
fn child_is_killed() {
    let engine = Arc::new(open(&database(), Arc::default()));
    if wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM users", &[], |row| row.get::<i64>(0))?)))
        .unwrap()
        == 0
    {
        people(&engine, 8, 1);
    }
    let cycle = std::process::id();
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let engine = &engine;
            scope.spawn(move || {
                for n in 0.. {
                    let id = format!("c{cycle}-{sender}-{n}");
                    let stored =
                        wait(engine.append(send(&id, "r0", &format!("u{sender}"), "hello"))).unwrap();
                    println!("acked {} {id}", stored.message.seq);
                }
            });
        }
    });
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing_that_was_acknowledged() {
    let place = Place::sqlite();
    let Location::Sqlite(path) = &place.location else { unreachable!() };
    let mut lines = Vec::new();
    for cycle in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "child_is_killed"])
            .env(DATABASE, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let wanted = 20 + 37 * cycle;
        lines.extend(out.by_ref().filter(|line| line.starts_with("acked")).take(wanted));
        child.kill().unwrap();
        // The last line may be cut: nobody has read its end.
        lines.extend(out.filter(|line| line.starts_with("acked") && line.split(' ').count() == 3));
        child.wait().unwrap();
    }
    lines.retain(|line| line.matches('-').count() == 2);
    let places: HashSet<&str> = lines.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(places.len(), lines.len(), "two messages in one place");
    all_there(path, &lines);
}

#[test]
fn postgres_may_crash_under_load_and_nothing_acknowledged_is_lost_or_doubled() {
    if std::env::var_os(parlor_testkit::postgres::SKIP).is_some() {
        return;
    }
    let server = parlor_testkit::postgres::Postgres::start();
    let mut options = Options::new(Arc::new(System::new()), Arc::new(drop));
    options.connections = 4;
    let engine = Engine::open(&Location::Postgres(server.database()), options).unwrap();
    people(&engine, 4, 1);
    let stop = AtomicBool::new(false);
    let (acked, counted, unknown) = (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let (engine, stop, acked) = (&engine, &stop, &acked);
            scope.spawn(move || {
                for n in 0.. {
                    let id = format!("m{sender}-{n}");
                    // A client that hears `Unavailable` sends the same again.
                    let stored = loop {
                        match wait(engine.append(send(&id, "r0", &format!("u{sender}"), "hello"))) {
                            Ok(stored) => break stored,
                            Err(Refusal::Unavailable) => {}
                            Err(other) => panic!("{other}"),
                        }
                    };
                    acked.lock().unwrap().push((stored.message.seq, id));
                    if stop.load(SeqCst) {
                        return;
                    }
                }
            });
        }
        let (engine, stop, counted, unknown) = (&engine, &stop, &counted, &unknown);
        scope.spawn(move || {
            while !stop.load(SeqCst) {
                let done = wait(engine.write(Lane::Verb, 0, |tx| {
                    tx.exec(
                        "UPDATE users SET last_login = COALESCE(last_login, 0) + 1 WHERE id = 'u0'",
                        &[],
                    )?;
                    Ok(())
                }));
                if done.is_ok() { counted } else { unknown }.fetch_add(1, SeqCst);
            }
        });
        for _ in 0..3 {
            let before = acked.lock().unwrap().len();
            while acked.lock().unwrap().len() < before + 100 {
                std::thread::yield_now();
            }
            server.stop(true);
            server.up();
        }
        stop.store(true, SeqCst);
    });
    let mut acked = acked.into_inner().unwrap();
    acked.sort_unstable();
    let stored: Vec<(i64, String)> = wait(engine.read(|tx| {
        let sql = "SELECT key & 68719476735, id FROM messages ORDER BY key";
        Ok(tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }))
    .unwrap();
    assert_eq!(stored, acked);
    assert!(stored.iter().map(|(seq, _)| *seq).eq(1..=stored.len() as i64), "holes");
    let sql = "SELECT last_login FROM users WHERE id = 'u0'";
    let done = wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| row.get::<usize>(0))?))).unwrap();
    let (counted, unknown) = (counted.into_inner(), unknown.into_inner());
    assert!(done >= counted && done <= counted + unknown, "{done} of {counted} and {unknown}");
}

fn database() -> PathBuf {
    PathBuf::from(std::env::var_os(DATABASE).unwrap())
}

#[test]
#[ignore = "a part of the test below"]
fn child_meets_a_failing_disk() {
    let poisoned = Arc::new(AtomicBool::new(false));
    let engine = open(&database(), poisoned.clone());
    people(&engine, 1, 1);
    assert_eq!(send_until_refused(&engine), Refusal::Unavailable);
    assert!(poisoned.load(SeqCst));
    // Nothing is taken any more, not even what would fit.
    for n in 0..10 {
        let refused = wait(engine.append(send(&format!("late{n}"), "r0", "u0", "x")));
        assert_eq!(refused.unwrap_err(), Refusal::Unavailable);
    }
    println!("poisoned");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_and_nothing_acknowledged_is_lost() {
    let place = Place::sqlite();
    let Location::Sqlite(path) = &place.location else { unreachable!() };
    // A limit on the size of files makes a write of the log fail in the middle.
    let lines = child("child_meets_a_failing_disk", "trap '' XFSZ; ulimit -f 4000;", path);
    assert!(lines.iter().any(|line| line.ends_with("poisoned")), "{lines:?}");
    all_there(path, &lines);
}

#[test]
#[ignore = "a part of the test below"]
fn child_meets_a_full_disk() {
    let poisoned = Arc::new(AtomicBool::new(false));
    let engine = open(&database(), poisoned.clone());
    people(&engine, 1, 1);
    let filler = database().with_file_name("filler");
    std::fs::write(&filler, vec![0; 3 << 20]).unwrap();
    assert_eq!(send_until_refused(&engine), Refusal::Unavailable);
    assert!(!poisoned.load(SeqCst), "a full disk is no reason to stop");
    // Reads go on, and once there is room so do writes, without a restart.
    let count =
        wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM messages", &[], |row| row.get::<i64>(0))?)));
    assert!(count.unwrap() > 50);
    std::fs::remove_file(&filler).unwrap();
    for n in 0..50 {
        let id = format!("again{n}");
        let stored = wait(engine.append(send(&id, "r0", "u0", "x"))).unwrap();
        println!("acked {} {id}", stored.message.seq);
    }
    drop(engine);
    // The file system goes with the child: what it held is looked at elsewhere.
    std::fs::copy(database(), database().parent().unwrap().with_extension("copy")).unwrap();
}

#[test]
fn a_full_disk_refuses_until_there_is_room_again() {
    let directory = tempfile::tempdir().unwrap();
    let mount = directory.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let shell = format!("mount -t tmpfs -o size=6m small '{}' &&", mount.display());
    let own = "unshare --mount --map-root-user sh -c";
    let able = Command::new("sh").args(["-c", &format!("{own} \"{shell} true\"")]).status();
    if !able.is_ok_and(|status| status.success()) {
        println!("left out: this system does not let a test mount a small file system of its own");
        return;
    }
    let exec = "exec \"$0\" --exact --ignored --nocapture child_meets_a_full_disk";
    let out = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &format!("{shell} {exec}")])
        .arg(std::env::current_exe().unwrap())
        .env(DATABASE, mount.join("parlor.db"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let lines: Vec<String> = String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect();
    all_there(&mount.with_extension("copy"), &lines);
}

#[test]
fn a_postgres_that_is_frozen_is_refused_in_time_and_used_again_when_it_goes_on() {
    if std::env::var_os(parlor_testkit::postgres::SKIP).is_some() {
        return;
    }
    let server = parlor_testkit::postgres::Postgres::start();
    let options = Options::new(Arc::new(System::new()), Arc::new(drop));
    let engine = Engine::open(&Location::Postgres(server.database()), options).unwrap();
    people(&engine, 1, 1);
    wait(engine.append(send("before", "r0", "u0", "x"))).unwrap();
    server.freeze(true);
    let began = std::time::Instant::now();
    let read = engine.read(|tx| Ok(tx.query("SELECT id FROM users", &[], |row| row.get::<String>(0))?));
    let write = engine.write(Lane::Verb, 0, |tx| Ok(tx.exec("UPDATE users SET bio = 'x'", &[])?));
    let append = engine.append(send("during", "r0", "u0", "x"));
    assert_eq!(wait(read).err(), Some(Refusal::Unavailable));
    assert_eq!(wait(write).err(), Some(Refusal::Unavailable));
    assert_eq!(wait(append).err(), Some(Refusal::Unavailable));
    let took = began.elapsed();
    server.freeze(false);
    assert!(took < std::time::Duration::from_secs(6), "{took:?}");
    // The same again is the message, whatever became of the first try.
    wait(engine.append(send("during", "r0", "u0", "x"))).unwrap();
    wait(engine.append(send("after", "r0", "u0", "x"))).unwrap();
}

#[test]
fn the_way_to_postgres_is_encrypted_and_its_certificate_checked_as_the_operator_says() {
    if std::env::var_os(parlor_testkit::postgres::SKIP).is_some() {
        return;
    }
    let server = parlor_testkit::postgres::Postgres::start();
    let (url, certificate) = server.encrypted();
    let encrypted = |query: &str| {
        let options = Options::new(Arc::new(System::new()), Arc::new(drop));
        let engine = Engine::open(&Location::Postgres(format!("{url}?{query}")), options).ok()?;
        let sql =
            "SELECT CASE WHEN ssl THEN 1 ELSE 0 END::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Some(wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| row.get::<i64>(0))?))).unwrap() == 1)
    };
    assert_eq!(encrypted("sslmode=disable"), Some(false));
    assert_eq!(encrypted("sslmode=prefer"), Some(true));
    assert_eq!(encrypted("sslmode=require"), Some(true));
    let authority = certificate.display();
    assert_eq!(encrypted(&format!("sslmode=verify-full&sslrootcert={authority}")), Some(true));
    assert_eq!(encrypted("sslmode=verify-full"), None, "nobody vouches for it");
}
