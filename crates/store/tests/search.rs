//! What searching promises, on SQLite and on PostgreSQL alike, before and after indexing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

mod common;

use common::cast::{message, people, send};
use common::{Place, wait};
use parlor_core::id::MessageId;
use parlor_core::message::MessageKind;
use parlor_core::store::{Journal, Page, ReadMessages, Search, WriteMessages};
use parlor_store::{Engine, Lane, params};
use std::time::{Duration, Instant};

fn opened(place: &Place) -> Engine {
    let engine = place.open();
    people(&engine, 3, 3);
    engine
}

fn say(engine: &Engine, id: &str, room: &str, text: &str) {
    wait(engine.append(send(id, room, "u0", text))).unwrap();
}

fn find_with(engine: &Engine, search: Search, page: Page) -> Vec<String> {
    let found = wait(engine.read(move |tx| tx.search(&search, page))).unwrap();
    assert!(!found.partial);
    found.messages.into_iter().map(|m| m.id.to_string()).collect()
}

fn asked(text: &str, rooms: &[&str]) -> Search {
    Search {
        words: text.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect(),
        rooms: rooms.iter().map(|r| (*r).into()).collect(),
        ..Search::default()
    }
}

fn find(engine: &Engine, text: &str) -> Vec<String> {
    find_with(engine, asked(text, &["r0", "r1", "r2"]), Page { offset: 0, count: 50 })
}

/// Waits until nothing is left to index.
fn indexed(engine: &Engine) {
    let began = Instant::now();
    let sql = "SELECT (SELECT COALESCE(MAX(g), 0) FROM journal)
        - (SELECT g FROM journal_cursors WHERE name = 'search')";
    while wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| row.get::<i64>(0))?))).unwrap() != 0 {
        assert!(began.elapsed() < Duration::from_secs(90), "indexing does not end");
        std::thread::yield_now();
    }
}

/// Tells the same before the index has the messages, and after.
fn both_ways(engine: &Engine, tell: impl Fn(&str)) {
    tell("not indexed");
    indexed(engine);
    tell("indexed");
}

fn change(engine: &Engine, id: &'static str, text: &'static str) {
    wait(engine.write(Lane::Verb, 0, move |tx| {
        let mut message = tx.message(&id.into())?.unwrap();
        let taken = tx.advance(&message.room.clone())?;
        message.text = text.into();
        (message.rev, message.updated_at) = (taken.position, taken.at);
        tx.update_message(&message)?;
        let place = Some((message.room.clone(), taken.position));
        tx.record(
            place,
            parlor_core::event::Event::Message {
                message: message.into(),
                change: parlor_core::event::Change::Changed,
                head: None,
            },
        )
    }))
    .unwrap();
}

fn remove(engine: &Engine, id: &'static str) {
    wait(engine.write(Lane::Verb, 0, move |tx| {
        let message = tx.message(&id.into())?.unwrap();
        let taken = tx.advance(&message.room)?;
        tx.delete_message(&message, taken.position, taken.at)?;
        tx.record(
            Some((message.room.clone(), taken.position)),
            parlor_core::event::Event::MessageDeleted {
                room: message.room.clone(),
                message: message.id.clone(),
                seq: message.seq,
                thread: None,
                emptied: None,
                by: None,
            },
        )
    }))
    .unwrap();
}

story!(a_message_is_found_at_once_and_after_it_is_indexed, |place| {
    let engine = opened(&place);
    say(&engine, "a", "r0", "Das Schöne an Crème brûlée");
    say(&engine, "b", "r1", "明天在北京开会");
    say(&engine, "c", "r2", "nothing to see");
    both_ways(&engine, |when| {
        assert_eq!(find(&engine, "schone"), ["a"], "{when}");
        assert_eq!(find(&engine, "CREME Brulee"), ["a"], "{when}");
        assert_eq!(find(&engine, "北京"), ["b"], "{when}");
        assert_eq!(find(&engine, "京"), ["b"], "{when}");
        assert_eq!(find(&engine, "会"), ["b"], "{when}");
        assert!(find(&engine, "京北").is_empty(), "{when}");
        assert!(find(&engine, "schone nothing").is_empty(), "{when}");
        assert!(find(&engine, "schon").is_empty(), "{when}");
        let mut typing = asked("sch", &["r0", "r1"]);
        typing.prefix = true;
        assert_eq!(find_with(&engine, typing, Page { offset: 0, count: 9 }), ["a"], "{when}");
    });
});

story!(a_message_that_can_not_be_indexed_keeps_no_others_out_of_the_index, |place| {
    let engine = opened(&place);
    // The index refuses the second message of the first room.
    let refuse = match place.location {
        parlor_store::Location::Sqlite(_) => {
            "CREATE TRIGGER broken BEFORE INSERT ON search_docs WHEN NEW.key = (1 << 36) | 2
                BEGIN SELECT RAISE(ABORT, 'broken'); END"
        }
        _ => "ALTER TABLE search_docs ADD CONSTRAINT broken CHECK (key <> (1::bigint << 36) | 2)",
    };
    wait(engine.write(Lane::Verb, 0, move |tx| {
        tx.exec(refuse, params![])?;
        Ok(())
    }))
    .unwrap();
    for id in ["a", "b", "c"] {
        say(&engine, id, "r0", "words that are looked for");
    }
    indexed(&engine);
    assert_eq!(find(&engine, "looked"), ["c", "a"]);
});

story!(hits_come_newest_first_over_all_rooms_and_in_pages, |place| {
    let engine = opened(&place);
    for n in 0..30 {
        place.clock.set(1_000 * (n + 1));
        // The rooms take turns, so that their keys are no order.
        say(&engine, &format!("m{n:02}"), &format!("r{}", 2 - n % 3), "hello there");
        if n == 14 {
            indexed(&engine);
        }
    }
    let all: Vec<String> = (0..30).rev().map(|n| format!("m{n:02}")).collect();
    both_ways(&engine, |when| {
        assert_eq!(find(&engine, "hello"), all, "{when}");
        let page = find_with(&engine, asked("hello", &["r0", "r1", "r2"]), Page { offset: 5, count: 10 });
        assert_eq!(page, all[5..15], "{when}");
        let by_filter = find_with(&engine, asked("", &["r0", "r1", "r2"]), Page { offset: 5, count: 10 });
        assert_eq!(by_filter, all[5..15], "{when}");
    });
});

story!(only_the_rooms_that_are_named_are_searched, |place| {
    let engine = opened(&place);
    for room in ["r0", "r1", "r2"] {
        say(&engine, &format!("in-{room}"), room, "secret");
    }
    both_ways(&engine, |when| {
        let page = Page { offset: 0, count: 9 };
        assert_eq!(find_with(&engine, asked("secret", &["r1"]), page), ["in-r1"], "{when}");
        assert_eq!(find_with(&engine, asked("", &["r1"]), page), ["in-r1"], "{when}");
        assert!(find_with(&engine, asked("secret", &[]), page).is_empty(), "{when}");
        assert!(find_with(&engine, asked("secret", &["gone"]), page).is_empty(), "{when}");
        let mut many: Vec<String> = (0..40).map(|n| format!("none{n}")).collect();
        many.extend(["r0".into(), "r2".into()]);
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(find_with(&engine, asked("secret", &many), page).len(), 2, "{when}");
    });
});

story!(an_edited_message_is_found_by_its_new_words_only, |place| {
    let engine = opened(&place);
    say(&engine, "a", "r0", "the old words");
    indexed(&engine);
    change(&engine, "a", "quite new ones");
    both_ways(&engine, |when| {
        assert_eq!(find(&engine, "new"), ["a"], "{when}");
        assert!(find(&engine, "old").is_empty(), "{when}");
    });
});

story!(a_removed_message_is_found_no_more, |place| {
    let engine = opened(&place);
    say(&engine, "a", "r0", "to be gone");
    say(&engine, "b", "r0", "gone but here");
    indexed(&engine);
    remove(&engine, "a");
    both_ways(&engine, |when| assert_eq!(find(&engine, "gone"), ["b"], "{when}"));
    let docs =
        wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM search_docs", &[], |r| r.get::<i64>(0))?)));
    assert_eq!(docs.unwrap(), 1);
});

story!(a_removed_room_leaves_the_index, |place| {
    let engine = opened(&place);
    for n in 0..1_200 {
        drop(engine.append(send(&format!("m{n}"), "r0", "u0", "doomed")));
    }
    say(&engine, "last", "r1", "doomed not");
    indexed(&engine);
    wait(engine.write(Lane::Verb, 0, |tx| {
        use parlor_core::store::{ReadRooms, WriteRooms};
        let room = tx.room(&"r0".into())?.unwrap();
        tx.remove_room(&room.id)?;
        tx.record(None, parlor_core::event::Event::RoomRemoved { room: room.into() })
    }))
    .unwrap();
    both_ways(&engine, |when| assert_eq!(find(&engine, "doomed"), ["last"], "{when}"));
    let docs =
        wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM search_docs", &[], |r| r.get::<i64>(0))?)));
    assert_eq!(docs.unwrap(), 1);
});

story!(nothing_of_a_room_that_was_swept_before_it_was_indexed_stays_behind, |place| {
    let engine = opened(&place);
    say(&engine, "old", "r0", "doomed");
    indexed(&engine);
    wait(engine.write(Lane::Verb, 0, |tx| {
        use parlor_core::store::{ReadRooms, WriteRooms};
        // Said, removed and swept before the index looks.
        tx.append_message(message("new", "r0", "u0", "doomed too"))?;
        let room = tx.room(&"r0".into())?.unwrap();
        tx.remove_room(&room.id)?;
        while tx.sweep_rooms()? {}
        tx.record(None, parlor_core::event::Event::RoomRemoved { room: room.into() })
    }))
    .unwrap();
    say(&engine, "last", "r1", "doomed not");
    indexed(&engine);
    let docs =
        wait(engine.read(|tx| Ok(tx.one("SELECT COUNT(*) FROM search_docs", &[], |r| r.get::<i64>(0))?)));
    assert_eq!(docs.unwrap(), 1);
});

story!(filters_narrow_a_search, |place| {
    let engine = opened(&place);
    place.clock.set(1_000);
    say(&engine, "early", "r0", "report");
    place.clock.set(9_000);
    wait(engine.append(send("other", "r0", "u1", "report"))).unwrap();
    let mut notice = send("notice", "r0", "u0", "report");
    notice.message.kind = MessageKind::Notice("r".into());
    wait(engine.append(notice)).unwrap();
    both_ways(&engine, |when| {
        let page = Page { offset: 0, count: 9 };
        let by = Search { from: vec!["u1".into()], ..asked("report", &["r0"]) };
        assert_eq!(find_with(&engine, by, page), ["other"], "{when}");
        let before =
            Search { before: Some(parlor_core::clock::Time(5_000)), ..asked("report", &["r0", "r1"]) };
        assert_eq!(find_with(&engine, before, page), ["early"], "{when}");
        let links = Search { has: vec!["link".into()], ..asked("report", &["r0"]) };
        assert!(find_with(&engine, links, page).is_empty(), "{when}");
        assert_eq!(find(&engine, "report"), ["other", "early"], "{when}");
    });
});

story!(whatever_is_typed_is_only_ever_a_word, |place| {
    let engine = opened(&place);
    say(&engine, "a", "r0", "100% of a_b and c*d (near) \"x\" it's -y NEAR/2 a:b ^z {q} foo\\bar");
    say(&engine, "b", "r0", "plain");
    let nasty = [
        "\"",
        "'",
        "''",
        "\"\"",
        "*",
        "%",
        "_",
        "a*",
        "NEAR(",
        "NEAR(a b, 2)",
        "near/2",
        "a:b",
        "room:1",
        "body:x",
        "-y",
        "^z",
        "{q}",
        "(",
        ")",
        "AND",
        "OR",
        "NOT",
        "a AND",
        "OR b",
        "NOT x",
        "a OR",
        "foo\\bar",
        "\\",
        "\0",
        "a\0b",
        "&",
        "|",
        "!",
        "<->",
        "'a':*",
        "(.*a){25}",
        "[[",
        "🦀",
        "\u{202e}abc",
        "\u{fffd}",
        "ﷺ",
    ];
    let long = "x".repeat(10_000);
    both_ways(&engine, |when| {
        for text in nasty.iter().copied().chain([long.as_str()]) {
            for prefix in [false, true] {
                let words = Search { words: vec![text.into()], prefix, ..asked("", &["r0", "r1"]) };
                let found = find_with(&engine, words, Page { offset: 0, count: 9 });
                assert!(!found.contains(&"b".to_owned()), "{text:?} {when}");
            }
        }
        assert_eq!(find(&engine, "100%"), ["a"], "{when}");
        assert_eq!(find(&engine, "foo\\bar"), ["a"], "{when}");
        assert_eq!(find(&engine, "a:b"), ["a"], "{when}");
        assert!(find(&engine, "%").is_empty(), "{when}");
    });
});

story!(file_names_and_descriptions_are_searched_too, |place| {
    let engine = opened(&place);
    let mut with_file = message("a", "r0", "u0", "look");
    with_file.attachments = vec![parlor_core::message::Attachment::File(parlor_core::message::FileCard {
        upload: "AbCd1234567890abcdefgh".into(),
        name: "Quarterly-Report.pdf".into(),
        media_type: "application/pdf".into(),
        size: 1,
        description: "draft for Zoë".into(),
        dimensions: None,
        preview: None,
        thumbnail: None,
        said: None,
    })];
    wait(engine.write(Lane::Verb, 0, move |tx| tx.append_message(with_file.clone()))).unwrap();
    both_ways(&engine, |when| {
        assert_eq!(find(&engine, "report.pdf"), ["a"], "{when}");
        assert_eq!(find(&engine, "zoe"), ["a"], "{when}");
    });
});

story!(what_waited_at_a_stop_is_indexed_after_the_start, |place| {
    let engine = opened(&place);
    for n in 0..600 {
        drop(engine.append(send(&format!("m{n}"), "r0", "u0", "many words")));
    }
    say(&engine, "last", "r0", "rare");
    drop(engine);
    let engine = place.open();
    both_ways(&engine, |when| {
        assert_eq!(find(&engine, "rare"), ["last"], "{when}");
        assert_eq!(find(&engine, "many").len(), 50, "{when}");
    });
    let found = wait(engine.read(|tx| {
        let sql = "SELECT id FROM messages WHERE id = $1";
        Ok(tx.one(sql, params!["last"], |row| row.get::<MessageId>(0))?)
    }));
    assert_eq!(found.unwrap().as_str(), "last");
});

story!(a_search_that_runs_out_of_time_gives_the_newest_and_says_so, |place| {
    let engine = opened(&place);
    for n in 0..3 {
        say(&engine, &format!("m{n}"), "r0", "hello");
    }
    indexed(&engine);
    // Far behind the others, as after many messages of other rooms.
    wait(engine.write(Lane::Verb, 0, |tx| {
        tx.exec(
            "UPDATE search_docs SET doc = doc + 1000000 WHERE doc = (SELECT MAX(doc) FROM search_docs)",
            &[],
        )?;
        Ok(())
    }))
    .unwrap();
    let look = |patience| {
        let search = Search { patience, ..asked("", &["r0", "r1"]) };
        let page = Page { offset: 0, count: 50 };
        let found = wait(engine.read(move |tx| tx.search(&search, page))).unwrap();
        (found.messages.len(), found.partial)
    };
    assert_eq!(look(Some(Duration::ZERO)), (1, true));
    assert_eq!(look(Some(Duration::from_secs(60))), (3, false));
});
