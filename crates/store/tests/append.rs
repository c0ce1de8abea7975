//! What storing a message promises, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

mod common;

use common::cast::{message, people, send};
use common::{Place, wait};
use parlor_core::clock::Time;
use parlor_core::error::{Refusal, Result, What};
use parlor_core::event::Event;
use parlor_core::id::{MessageId, RoomId, UserId};
use parlor_core::message::{Mention, Message, MessageKind};
use parlor_core::permissions::Judgement;
use parlor_core::store::{Append, Appended, Journal, ReadMessages, Restored, WriteMessages};
use parlor_store::{Engine, Lane, params};

fn store(engine: &Engine, append: Append) -> Result<Appended> {
    wait(engine.append(append))
}

fn number(engine: &Engine, sql: &'static str) -> i64 {
    wait(engine.read(move |tx| Ok(tx.one(sql, &[], |row| row.get(0))?))).unwrap()
}

fn opened(place: &Place) -> Engine {
    let engine = place.open();
    people(&engine, 3, 2);
    engine
}

story!(messages_of_a_room_get_positions_without_holes_and_numbers_that_count, |place| {
    let engine = opened(&place);
    let answers: Vec<_> = (0..100)
        .map(|n| engine.append(send(&format!("m{n}"), &format!("r{}", n % 2), "u0", "hello")))
        .collect();
    for (n, answer) in (0..).zip(answers) {
        let Appended { message, duplicate, head } = wait(answer).unwrap();
        let expected = n / 2 + 1;
        assert_eq!((message.seq, message.rev, message.counted), (expected, expected, expected));
        assert_eq!((head.position, head.counted, head.messages), (expected, expected, expected));
        assert_eq!(head.last_message.as_ref(), Some(&message.id));
        assert!(!duplicate);
    }
    drop(engine);
    let engine = place.open();
    let next = store(&engine, send("next", "r0", "u1", "hello")).unwrap();
    assert_eq!(next.message.seq, 51);
    assert_eq!((next.head.last_seq, next.head.last_seq_by_another), (51, 50));
    assert_eq!(next.head.last_author, Some(UserId::from("u1")));
});

story!(a_notice_takes_a_position_but_does_not_count, |place| {
    let engine = opened(&place);
    store(&engine, send("m1", "r0", "u0", "hello")).unwrap();
    let mut notice = send("n1", "r0", "u1", "u1");
    notice.message.kind = MessageKind::Notice("uj".into());
    let stored = store(&engine, notice).unwrap();
    assert_eq!((stored.message.seq, stored.message.counted), (2, 1));
    assert_eq!((stored.head.messages, stored.head.counted, stored.head.last_seq), (2, 1, 1));
    assert_eq!(stored.head.last_message, Some(MessageId::from("m1")));
});

story!(a_rooms_time_never_goes_back_whatever_the_clock_does, |place| {
    let engine = opened(&place);
    place.clock.set(1_000);
    let first = store(&engine, send("m1", "r0", "u0", "hello")).unwrap().message.at;
    let second = store(&engine, send("m2", "r0", "u0", "hello")).unwrap().message.at;
    place.clock.set(10);
    let third = store(&engine, send("m3", "r0", "u0", "hello")).unwrap().message.at;
    place.clock.set(5_000_000);
    let fourth = store(&engine, send("m4", "r0", "u0", "hello")).unwrap().message.at;
    assert_eq!([first.0, second.0, third.0, fourth.0], [1_000, 1_001, 1_002, 5_000_000]);
});

story!(the_same_send_again_is_the_stored_message_for_ever, |place| {
    let engine = opened(&place);
    let first = store(&engine, send("m1", "r0", "u0", "hello")).unwrap();
    drop(engine);
    let engine = place.open();
    place.facts.lock().unwrap().clear();
    store(&engine, send("m2", "r0", "u0", "later")).unwrap();
    let again = store(&engine, send("m1", "r0", "u0", "something else")).unwrap();
    assert!(again.duplicate);
    assert_eq!(again.message, first.message);
    assert_eq!(again.head.position, 2);
    assert_eq!(place.facts.lock().unwrap().len(), 1);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM messages"), 2);
});

story!(the_same_send_twice_at_once_is_stored_once, |place| {
    let engine = opened(&place);
    let answers: Vec<_> = (0..50).map(|_| engine.append(send("m1", "r0", "u0", "hello"))).collect();
    let all: Vec<Appended> = answers.into_iter().map(|answer| wait(answer).unwrap()).collect();
    assert_eq!(all.iter().filter(|a| !a.duplicate).count(), 1);
    assert!(all.iter().all(|a| a.message.seq == 1));
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM messages"), 1);
});

story!(a_foreign_id_is_refused_without_an_echo, |place| {
    let engine = opened(&place);
    store(&engine, send("m1", "r0", "u0", "secret")).unwrap();
    for (room, author) in [("r0", "u1"), ("r1", "u0"), ("r1", "u1")] {
        assert_eq!(store(&engine, send("m1", room, author, "x")).unwrap_err(), Refusal::IdConflict);
        let both = [send("m9", "r0", "u0", "a"), send("m9", room, author, "b")].map(|a| engine.append(a));
        let [first, second] = both.map(wait);
        first.unwrap();
        assert_eq!(second.unwrap_err(), Refusal::IdConflict);
    }
    assert_eq!(number(&engine, "SELECT position FROM room_heads ORDER BY room LIMIT 1"), 2);
});

story!(a_refused_send_takes_nothing_of_the_others_in_its_batch_with_it, |place| {
    let engine = opened(&place);
    store(&engine, send("m1", "r0", "u0", "secret")).unwrap();
    // While this job runs everything after it is queued, so that it becomes one batch.
    let (go, wait_for) = std::sync::mpsc::channel::<()>();
    let busy = engine.write(Lane::Message, 0, move |_| {
        wait_for.recv().ok();
        Ok(())
    });
    let before = engine.append(send("m2", "r0", "u0", "hello"));
    let mut foreign = send("m1", "r1", "u1", "@u0 look");
    foreign.mentioned = vec![UserId::from("u0")];
    let refused = engine.append(foreign);
    let after = engine.append(send("m3", "r0", "u0", "hello again"));
    go.send(()).unwrap();
    wait(busy).unwrap();
    assert_eq!(wait(before).unwrap().message.seq, 2);
    assert_eq!(wait(refused).unwrap_err(), Refusal::IdConflict);
    assert_eq!(wait(after).unwrap().message.seq, 3);
    assert_eq!(number(&engine, "SELECT position FROM room_heads ORDER BY room LIMIT 1"), 3);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM journal"), 3);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM messages"), 3);
    assert_eq!(store(&engine, send("m4", "r0", "u0", "and on")).unwrap().message.seq, 4);
});

story!(a_verb_that_is_refused_after_it_wrote_a_message_leaves_none, |place| {
    let engine = opened(&place);
    let refused: Result<()> = wait(engine.write(Lane::Verb, 0, |tx| {
        parlor_core::store::WriteMessages::append_message(tx, message("n1", "r0", "u0", "hello"))?;
        Err(Refusal::NotMember)
    }));
    assert_eq!(refused.unwrap_err(), Refusal::NotMember);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM messages"), 0);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM journal"), 0);
    assert_eq!(number(&engine, "SELECT position FROM room_heads ORDER BY room LIMIT 1"), 0);
    assert_eq!(store(&engine, send("m1", "r0", "u0", "hello")).unwrap().message.seq, 1);
});

story!(a_judgement_that_was_overtaken_is_stale_and_takes_no_position, |place| {
    let engine = opened(&place);
    store(&engine, send("m1", "r0", "u0", "hello")).unwrap();
    let bump = |sql: &'static str| {
        wait(engine.write(Lane::Verb, 0, move |tx| Ok(tx.exec(sql, &[]).map(|_| ())?))).unwrap();
    };
    bump("UPDATE rooms SET access = 2 WHERE id = 'r0'");
    assert_eq!(store(&engine, send("m2", "r0", "u0", "x")).unwrap_err(), Refusal::Stale);
    let mut judged_anew = send("m2", "r0", "u0", "x");
    judged_anew.judgement.room = Some((RoomId::from("r0"), 2));
    assert_eq!(store(&engine, judged_anew).unwrap().message.seq, 2);
    bump("UPDATE users SET access = 2 WHERE id = 'u1'");
    assert_eq!(store(&engine, send("m3", "r1", "u1", "x")).unwrap_err(), Refusal::Stale);
    assert_eq!(store(&engine, send("m3", "gone", "u0", "x")).unwrap_err(), Refusal::Stale);
    let mut unjudged = send("m3", "gone", "u0", "x");
    unjudged.judgement = Judgement::default();
    assert_eq!(store(&engine, unjudged).unwrap_err(), Refusal::NotFound(What::Room));
});

story!(facts_are_published_in_the_order_of_each_room_with_growing_numbers, |place| {
    let engine = opened(&place);
    let answers: Vec<_> =
        (0..500).map(|n| engine.append(send(&format!("m{n}"), &format!("r{}", n % 2), "u0", "x"))).collect();
    answers.into_iter().for_each(|answer| drop(wait(answer).unwrap()));
    let facts = place.facts.lock().unwrap().clone();
    assert_eq!(facts.len(), 500);
    assert!(facts.windows(2).all(|pair| pair[0].g < pair[1].g));
    for room in ["r0", "r1"] {
        let positions: Vec<i64> = facts
            .iter()
            .filter_map(|fact| fact.place.as_ref().filter(|(r, _)| r.as_str() == room).map(|(_, p)| *p))
            .collect();
        assert_eq!(positions, (1..=250).collect::<Vec<_>>());
    }
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM journal"), 500);
    let last = facts.last().unwrap().g;
    assert_eq!(number(&engine, "SELECT MAX(g) FROM journal"), last);
    drop(engine);
    let engine = place.open();
    store(&engine, send("after", "r0", "u0", "x")).unwrap();
    assert!(place.facts.lock().unwrap().last().unwrap().g > last);
});

story!(mentions_are_rows_for_those_addressed_and_one_for_all, |place| {
    let engine = opened(&place);
    let mut append = send("m1", "r0", "u0", "@u1 @u2 @all");
    append.mentioned = vec!["u1".into(), "u2".into(), "nobody".into()];
    append.message.mentions = vec![Mention::All];
    store(&engine, append).unwrap();
    store(&engine, send("m2", "r0", "u0", "nothing")).unwrap();
    let whom = wait(engine.read(|tx| {
        let sql = "SELECT COALESCE(u.id, '*'), key_of.seq FROM (SELECT whom, key & 68719476735 AS seq FROM mentions)
            AS key_of LEFT JOIN users u ON u.key = key_of.whom ORDER BY 1";
        Ok(tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))?)
    }))
    .unwrap();
    assert_eq!(whom, [("*".into(), 1), ("u1".into(), 1), ("u2".into(), 1)]);
});

story!(a_reply_needs_a_root_in_its_own_room, |place| {
    let engine = opened(&place);
    store(&engine, send("root", "r0", "u0", "hello")).unwrap();
    let reply = |id: &str, room: &str, root: &str| {
        let mut append = send(id, room, "u1", "reply");
        append.message.thread = Some(root.into());
        append
    };
    let stored = store(&engine, reply("a1", "r0", "root")).unwrap();
    assert_eq!((stored.message.seq, stored.message.counted), (2, 1));
    for (room, root) in [("r1", "root"), ("r0", "nothing")] {
        let refused = store(&engine, reply("a2", room, root)).unwrap_err();
        assert_eq!(refused, Refusal::NotFound(What::Message));
    }
});

story!(a_batch_with_an_impossible_message_stores_the_others, |place| {
    let engine = opened(&place);
    let answers: Vec<_> = (0..20)
        .map(|n| {
            let text = if n == 7 { "a\0b" } else { "fine" };
            engine.append(send(&format!("m{n}"), "r0", "u0", text))
        })
        .collect();
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(wait(answer).is_ok(), n != 7, "m{n}");
    }
    assert_eq!(number(&engine, "SELECT position FROM room_heads ORDER BY room LIMIT 1"), 19);
});

story!(appends_and_verbs_in_one_room_share_its_positions, |place| {
    let engine = opened(&place);
    let mut verbs = Vec::new();
    let mut sends = Vec::new();
    for n in 0..100 {
        sends.push(engine.append(send(&format!("m{n}"), "r0", "u0", "x")));
        verbs.push(engine.write(Lane::Verb, 0, move |tx| {
            let taken = tx.advance(&"r0".into())?;
            tx.skip(&"r0".into(), taken.position)?;
            // Half of them change their mind after they wrote.
            if n % 2 == 0 { Ok(taken.position) } else { Err(Refusal::Stale) }
        }));
    }
    let mut positions: Vec<i64> = sends.into_iter().map(|a| wait(a).unwrap().message.seq).collect();
    positions.extend(verbs.into_iter().filter_map(|a| wait(a).ok()));
    positions.sort_unstable();
    assert_eq!(positions, (1..=150).collect::<Vec<_>>());
    assert_eq!(number(&engine, "SELECT position FROM room_heads ORDER BY room LIMIT 1"), 150);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM journal"), 150);
    let facts = place.facts.lock().unwrap();
    assert_eq!(facts.iter().filter(|f| matches!(f.event, Event::Skipped { .. })).count(), 50);
});

story!(a_large_room_costs_no_more_than_a_small_one, |place| {
    let engine = opened(&place);
    // The least of a few sends: what the engine does beside them (PostgreSQL's appender looks after itself now and then)
    // is no part of a message's cost.
    let cost = |id: &str, room: &str| {
        let one = |n: usize| {
            let before = engine.figures();
            store(&engine, send(&format!("{id}{n}"), room, "u0", "x")).unwrap();
            let after = engine.figures();
            (after.statements - before.statements, after.rows_written - before.rows_written)
        };
        (0..8).map(one).min()
    };
    store(&engine, send("warm", "r1", "u0", "x")).unwrap();
    let small = cost("a", "r1");
    wait(engine.write(Lane::Verb, 0, |tx| {
        for n in 0..2_000 {
            tx.exec(
                "INSERT INTO memberships (room, whom, id, roles, flags, joined_at, mark_seq, mark_counted, ignored,
                    updated_at) SELECT key, $1, $2, '', 0, 0, 0, 0, '', 0 FROM rooms WHERE id = 'r0'",
                params![n, format!("s{n}")],
            )?;
        }
        Ok(())
    }))
    .unwrap();
    store(&engine, send("warm2", "r0", "u0", "x")).unwrap();
    assert_eq!(cost("b", "r0"), small);
});

story!(extras_come_back_with_the_stored_message, |place| {
    let engine = opened(&place);
    let mut append = send("m1", "r0", "u0", "hi");
    append.message.guise.alias = Some("Somebody".into());
    append.message.ungrouped = true;
    let first = store(&engine, append).unwrap().message;
    let again = store(
        &engine,
        Append { message: Message::clone(&message("m1", "r0", "u0", "")), ..send("m1", "r0", "u0", "") },
    );
    assert_eq!(again.unwrap().message, first);
});

story!(messages_of_another_chat_come_in_together_with_their_times_threads_and_what_hangs_on_them, |place| {
    let engine = opened(&place);
    store(&engine, send("here", "r0", "u0", "hello")).unwrap();
    let bring = |engine: &Engine| {
        wait(engine.write(Lane::Bulk, 0, |tx| {
            let old = |id: &str, room: &str, author: &str, at: i64, thread: Option<&str>| {
                let mut message = message(id, room, author, "from elsewhere");
                message.thread = thread.map(MessageId::from);
                Restored { message, at: Time(at) }
            };
            let mut named = old("named", "r1", "u1", 3_000, Some("root"));
            named.message.mentions = vec![
                Mention::User { id: "u2".into(), username: "u2".into(), name: "u2".into() },
                Mention::All,
            ];
            let all = vec![
                old("root", "r1", "u0", 1_000, None),
                old("reply", "r1", "u1", 2_000, Some("root")),
                old("here", "r1", "u2", 2_000, None),
                named,
                old("other", "r0", "u2", 1_000, None),
            ];
            let stored = tx.restore_messages(all)?;
            let new: Vec<Message> = stored.iter().flatten().cloned().collect();
            tx.add_replies(&new)?;
            tx.follow_threads(&[("root".into(), "u2".into(), 1), ("root".into(), "nobody".into(), 1)])?;
            tx.put_stars(&[("u2".into(), "root".into()), ("u2".into(), "root".into())])?;
            Ok(stored.iter().map(|m| m.as_ref().map(|m| (m.seq, m.at.0))).collect::<Vec<_>>())
        }))
        .unwrap()
    };
    // A room's times never go back; one that is far ahead of the message's keeps its last.
    let last = 1_700_000_000_000;
    let wanted = [Some((1, 1_000)), Some((2, 2_000)), None, Some((3, 3_000)), Some((2, last))];
    assert_eq!(bring(&engine), wanted);
    let standing =
        wait(engine.read(|tx| tx.standing(&["reply".into(), "here".into(), "none".into()]))).unwrap();
    let mut told: Vec<_> =
        standing.iter().map(|s| (s.id.as_str(), s.room.as_deref(), s.thread.as_deref(), s.deleted)).collect();
    told.sort_unstable();
    assert_eq!(told, [("here", Some("r0"), None, false), ("reply", Some("r1"), Some("root"), false)]);
    let root = wait(engine.read(|tx| tx.message(&"root".into()))).unwrap().unwrap();
    let info = root.thread_info.unwrap();
    assert_eq!((info.replies, info.last_at), (2, Time(3_000)));
    let mut followers: Vec<&str> = info.followers.iter().map(|user| user.as_str()).collect();
    followers.sort_unstable();
    assert_eq!(followers, ["u1", "u2"]);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM mentions WHERE thread IS NOT NULL"), 2);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM stars"), 1);
    // Once more: nothing is new.
    let facts = place.facts.lock().unwrap().len();
    assert_eq!(bring(&engine), [None; 5]);
    assert_eq!(place.facts.lock().unwrap().len(), facts);
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM messages"), 5);
});

story!(a_message_that_cannot_come_in_takes_those_beside_it_back, |place| {
    let engine = opened(&place);
    let bring = |author: &'static str| {
        wait(engine.write(Lane::Bulk, 0, move |tx| {
            let old = |id: &str, author: &str| Restored {
                message: message(id, "r0", author, "from elsewhere"),
                at: Time(1_000),
            };
            tx.restore_messages(vec![old("one", "u0"), old("two", author)])
        }))
    };
    assert_eq!(bring("nobody").unwrap_err(), Refusal::NotFound(What::User));
    assert_eq!(number(&engine, "SELECT COUNT(*) FROM messages"), 0);
    assert_eq!(number(&engine, "SELECT MAX(position) FROM room_heads"), 0);
    assert!(place.facts.lock().unwrap().is_empty());
    let stored = bring("u1").unwrap();
    let places: Vec<i64> = stored.iter().flatten().map(|message| message.seq).collect();
    assert_eq!(places, [1, 2]);
});
