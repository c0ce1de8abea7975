//! What a backup promises, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

mod common;

use common::cast::{people, send};
use common::{Place, wait};
use parlor_store::backup::{self, BackupError, Report, check, create, restore};
use parlor_store::{Engine, Lane, Location, params};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A server's data directory with two stored files, one of which the database names, and one that is lost.
fn with_files(place: &Place, engine: &Engine, data: &Path) -> backup::Place {
    let blobs = data.join("uploads");
    for id in ["AAaa1234567890abcdefgh", "BBbb1234567890abcdefgh"] {
        let file = blobs.join(&id[..2]).join(&id[2..4]).join(id);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, format!("bytes of {id}")).unwrap();
    }
    fs::write(data.join("key"), "sealed").unwrap();
    wait(engine.write(Lane::Verb, 0, |tx| {
        for id in ["AAaa1234567890abcdefgh", "CCcc1234567890abcdefgh"] {
            tx.exec(
                "INSERT INTO uploads (id, author, role, name, media_type, size, sha256, at)
                 VALUES ($1, 1, 'file', 'x', 'text/plain', 1, $2, 0)",
                params![id, [0u8; 32]],
            )?;
            tx.exec("INSERT INTO blobs (id, size, refs) VALUES ($1, 1, 1)", params![id])?;
        }
        Ok(())
    }))
    .unwrap();
    backup::Place { location: place.location.clone(), blobs: Some(blobs), files: vec![data.join("key")] }
}

/// An empty place of the same kind.
fn another(place: &Place, data: &Path) -> (Place, backup::Place) {
    let new = match place.location {
        Location::Sqlite(_) => Place::sqlite(),
        Location::Postgres(_) => Place::postgres().unwrap(),
    };
    let location = new.location.clone();
    (new, backup::Place { location, blobs: Some(data.join("uploads")), files: vec![data.join("key")] })
}

fn numbers(engine: &Engine) -> (i64, i64, i64) {
    let sql =
        "SELECT (SELECT COUNT(*) FROM messages), (SELECT position FROM room_heads ORDER BY room LIMIT 1),
        (SELECT COUNT(*) FROM journal)";
    wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)))
        .unwrap()
}

story!(a_backup_under_load_holds_every_message_acknowledged_before_it, |place| {
    let engine = place.open();
    people(&engine, 2, 1);
    let data = tempfile::tempdir().unwrap();
    let from = with_files(&place, &engine, data.path());
    for n in 0..200 {
        wait(engine.append(send(&format!("before{n}"), "r0", "u0", "searchable"))).unwrap();
    }
    let (target, stop) = (data.path().join("backup"), AtomicBool::new(false));
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(SeqCst) {
                    break;
                }
                wait(engine.append(send(&format!("during{n}"), "r0", "u1", "more"))).unwrap();
            }
        });
        let report = create(&from, &target).unwrap();
        stop.store(true, SeqCst);
        report
    });
    assert_eq!((report.uploads, report.missing), (1, 1));
    assert_eq!(check(&target).unwrap(), report);
    let elsewhere = tempfile::tempdir().unwrap();
    let (new, to) = another(&place, elsewhere.path());
    assert_eq!(restore(&target, &to).unwrap(), report);
    let restored = new.open();
    let (messages, position, journal) = numbers(&restored);
    assert!(
        messages >= 200 && messages == position && messages == journal,
        "{messages} {position} {journal}"
    );
    let again = wait(restored.append(send("before7", "r0", "u0", "x"))).unwrap();
    assert!(again.duplicate && again.message.seq == 8);
    let next = wait(restored.append(send("next", "r0", "u0", "x"))).unwrap();
    assert_eq!(next.message.seq, position + 1);
    let facts = new.facts.lock().unwrap();
    let highest =
        wait(restored.read(|tx| Ok(tx.one("SELECT MAX(g) FROM journal", &[], |row| row.get::<i64>(0))?)));
    assert_eq!(facts.last().unwrap().g, highest.unwrap());
    let file = elsewhere.path().join("uploads/AA/aa/AAaa1234567890abcdefgh");
    assert_eq!(fs::read_to_string(file).unwrap(), "bytes of AAaa1234567890abcdefgh");
    assert_eq!(fs::read_to_string(elsewhere.path().join("key")).unwrap(), "sealed");
    people_go_on(&restored);
});

/// New users and rooms get keys that were never used.
fn people_go_on(engine: &Engine) {
    wait(engine.write(Lane::Verb, 0, |tx| {
        let before: i64 = tx.one("SELECT MAX(key) FROM users", &[], |row| row.get(0))?;
        tx.exec(
            "INSERT INTO users (id, username, username_key, name, name_key, kind, emails, active, roles,
                status_default, status_text, bio, nickname, language, utc_offset, custom_fields, preferences,
                require_password_change, has_password, created_at, updated_at)
             VALUES ('new', 'new', 'new', '', '', 0, '[]', 1, '', 0, '', '', '', '', 0, '{}', '{}', 0, 0, 0, 0)",
            &[],
        )?;
        let after: i64 = tx.one("SELECT MAX(key) FROM users", &[], |row| row.get(0))?;
        assert!(after > before);
        Ok(())
    }))
    .unwrap();
}

story!(a_target_that_holds_anything_is_left_alone, |place| {
    let engine = place.open();
    people(&engine, 1, 1);
    let data = tempfile::tempdir().unwrap();
    let from = with_files(&place, &engine, data.path());
    let target = data.path().join("backup");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("mine"), "").unwrap();
    assert!(matches!(create(&from, &target), Err(BackupError::NotEmpty(_))));
    fs::remove_file(target.join("mine")).unwrap();
    create(&from, &target).unwrap();
    // Into the place that it was made from, and into one whose key or files are there.
    assert!(matches!(restore(&target, &from), Err(BackupError::NotEmpty(_))));
    let only_database = backup::Place { blobs: None, files: Vec::new(), ..from.clone() };
    assert!(matches!(restore(&target, &only_database), Err(BackupError::NotEmpty(_))));
    let elsewhere = tempfile::tempdir().unwrap();
    let (_new, to) = another(&place, elsewhere.path());
    fs::write(elsewhere.path().join("key"), "another").unwrap();
    assert!(matches!(restore(&target, &to), Err(BackupError::NotEmpty(_))));
    fs::remove_file(elsewhere.path().join("key")).unwrap();
    restore(&target, &to).unwrap();
});

story!(a_damaged_or_unfinished_backup_is_refused, |place| {
    let engine = place.open();
    people(&engine, 1, 1);
    let data = tempfile::tempdir().unwrap();
    let from = with_files(&place, &engine, data.path());
    let target = data.path().join("backup");
    create(&from, &target).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (_new, to) = another(&place, elsewhere.path());
    let mut flipped = 0;
    for name in [
        "parlor.db",
        "tables/users.copy",
        "uploads.sums",
        "uploads/AA/aa/AAaa1234567890abcdefgh",
        "files/key",
    ] {
        let file = target.join(name);
        let Ok(sound) = fs::read(&file) else { continue };
        let mut damaged = sound.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&file, damaged).unwrap();
        assert!(matches!(restore(&target, &to), Err(BackupError::Damaged(_))), "{name}");
        fs::remove_file(&file).unwrap();
        assert!(matches!(check(&target), Err(BackupError::Damaged(_) | BackupError::Io(..))), "{name}");
        fs::write(&file, sound).unwrap();
        flipped += 1;
    }
    assert_eq!(flipped, 4);
    check(&target).unwrap();
    fs::rename(target.join("manifest.json"), target.join("manifest.part")).unwrap();
    assert!(matches!(restore(&target, &to), Err(BackupError::NoBackup(..))));
});

#[test]
fn a_backup_of_another_kind_of_database_or_of_a_newer_version_is_refused() {
    let place = Place::sqlite();
    let engine = place.open();
    let data = tempfile::tempdir().unwrap();
    let from = backup::Place { location: place.location.clone(), blobs: None, files: Vec::new() };
    let target = data.path().join("backup");
    let Report { schema, .. } = create(&from, &target).unwrap();
    drop(engine);
    let to = backup::Place { location: Location::Postgres("postgresql://x@/x".into()), ..from.clone() };
    assert!(matches!(restore(&target, &to), Err(BackupError::Unfit(_))));
    let manifest = fs::read_to_string(target.join("manifest.json")).unwrap();
    let newer = manifest.replace(&format!("\"schema\": {schema}"), "\"schema\": 9999");
    fs::write(target.join("manifest.json"), newer).unwrap();
    let to = backup::Place { location: Location::Sqlite(data.path().join("new.db")), ..from };
    assert!(matches!(restore(&target, &to), Err(BackupError::Unfit(_))));
}

#[test]
fn a_path_without_a_database_is_not_made_into_one() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("none.db");
    let from = backup::Place { location: Location::Sqlite(path.clone()), blobs: None, files: Vec::new() };
    assert!(create(&from, &data.path().join("backup")).is_err());
    assert!(!path.exists());
}
