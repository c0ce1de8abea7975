//! What the rows of messages, threads and marks promise, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod common;

use common::{Place, cast, wait};
use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, UserId},
    membership::{Membership, ReadMark},
    message::{Mark, Mention, Message, MessageKind},
    samples,
    store::{
        FileFilter, Journal, MarkChange, MessageFilter, Page, Quota, ReadMessages, ReadRooms, Search, Slice,
        Unread, WriteMessages, WriteRooms,
    },
};
use parlor_store::{Engine, Lane, SqlTx};

const START: i64 = 1_700_000_000_000;
const ALL: Page = Page { offset: 0, count: 50 };

fn write<R: Send + 'static>(
    engine: &Engine,
    work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> R {
    wait(engine.write(Lane::Verb, 0, work)).unwrap()
}

fn try_write<R: Send + 'static>(
    engine: &Engine,
    work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> Result<R> {
    wait(engine.write(Lane::Verb, 0, work))
}

fn read<R: Send + 'static>(
    engine: &Engine,
    work: impl FnOnce(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> R {
    wait(engine.read(work)).unwrap()
}

/// Users u0 to u2, rooms r0 and r1, and `count` messages m1 … in r0 by u0, a second apart.
fn with_messages(place: &Place, count: i64) -> Engine {
    let engine = place.open();
    cast::people(&engine, 3, 2);
    for n in 1..=count {
        place.clock.set(START + n * 1_000);
        append(&engine, cast::message(&format!("m{n}"), "r0", "u0", &format!("text {n}")));
    }
    engine
}

fn append(engine: &Engine, message: Message) -> Message {
    write(engine, move |tx| tx.append_message(message.clone()))
}

fn reply(engine: &Engine, id: &str, root: &str, author: &str, followers: &[&str]) -> Message {
    let message = Message { thread: Some(root.into()), ..cast::message(id, "r0", author, id) };
    let (root, followers): (MessageId, Vec<UserId>) =
        (root.into(), followers.iter().map(|f| UserId::from(*f)).collect());
    write(engine, move |tx| {
        let stored = tx.append_message(message.clone())?;
        let info = tx.add_reply(&root, &stored, &followers)?;
        let mut root = tx.message(&root)?.unwrap();
        root.thread_info = Some(info);
        change(tx, root)?;
        Ok(stored)
    })
}

fn change(tx: &mut SqlTx<'_>, mut message: Message) -> Result<Message> {
    let place = tx.advance(&message.room)?;
    (message.rev, message.updated_at) = (place.position, place.at);
    tx.update_message(&message)?;
    Ok(message)
}

fn delete(engine: &Engine, id: &str) {
    let id = MessageId::from(id);
    write(engine, move |tx| {
        let message = tx.message(&id)?.unwrap();
        let place = tx.advance(&message.room)?;
        tx.delete_message(&message, place.position, place.at)
    });
}

fn join(engine: &Engine, user: &str) -> Membership {
    let membership = samples::membership("r0", user);
    let stored = membership.clone();
    write(engine, move |tx| tx.insert_membership(&stored));
    membership
}

fn ids(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|m| m.id.as_str()).collect()
}

fn slice(engine: &Engine, slice: Slice) -> Vec<String> {
    let found = read(engine, move |tx| tx.timeline(&"r0".into(), &slice));
    found.into_iter().map(|m| m.id.to_string()).collect()
}

story!(a_timeline_is_cut_by_places_and_by_times, |place| {
    let engine = with_messages(&place, 9);
    append(&engine, cast::message("other", "r1", "u0", "elsewhere"));
    let at = |n: i64| Some(Time(START + n * 1_000));
    let newest = Slice::newest(3);
    assert_eq!(slice(&engine, newest.clone()), ["m9", "m8", "m7"]);
    assert_eq!(slice(&engine, Slice { before: Some(4), ..newest.clone() }), ["m3", "m2", "m1"]);
    let up = Slice { newest_first: false, ..Slice::newest(3) };
    assert_eq!(slice(&engine, Slice { after: Some(7), ..up.clone() }), ["m8", "m9"]);
    assert_eq!(slice(&engine, Slice { latest: at(3), ..newest.clone() }), ["m2", "m1"]);
    assert_eq!(
        slice(&engine, Slice { latest: at(3), inclusive: true, ..newest.clone() }),
        ["m3", "m2", "m1"]
    );
    assert_eq!(slice(&engine, Slice { oldest: at(8), ..newest.clone() }), ["m9"]);
    assert_eq!(slice(&engine, Slice { oldest: at(8), inclusive: true, ..newest.clone() }), ["m9", "m8"]);
    assert_eq!(slice(&engine, Slice { oldest: at(100), ..newest.clone() }), [""; 0]);
    assert_eq!(slice(&engine, Slice { oldest: at(-1), latest: at(100), ..up.clone() }), ["m1", "m2", "m3"]);
    let second = Slice { page: Page { offset: 2, count: 2 }, ..newest };
    assert_eq!(slice(&engine, second), ["m7", "m6"]);
});

story!(a_message_reads_back_with_all_that_belongs_to_it, |place| {
    let engine = with_messages(&place, 1);
    let changed = write(&engine, |tx| {
        let mut message = tx.message(&"m1".into())?.unwrap();
        message.text = "changed".into();
        message.pinned = Some(Mark { by: "u1".into(), username: "u1".into(), at: Time(5) });
        change(tx, message)
    });
    let found = read(&engine, |tx| tx.message(&"m1".into())).unwrap();
    assert_eq!(found, changed);
    assert_eq!((found.seq, found.rev, found.author.as_str()), (1, 2, "u0"));
    assert_eq!(read(&engine, |tx| tx.message(&"nothing".into())), None);
});

story!(a_removed_message_is_a_tombstone_that_remembers_its_author, |place| {
    let engine = with_messages(&place, 3);
    delete(&engine, "m3");
    let gone = read(&engine, |tx| tx.message(&"m3".into())).unwrap();
    assert!(gone.deleted && gone.text.is_empty());
    assert_eq!((gone.author.as_str(), gone.room.as_str(), gone.seq, gone.rev), ("u0", "r0", 3, 4));
    assert_eq!(slice(&engine, Slice::newest(9)), ["m2", "m1"]);
    let head = read(&engine, |tx| tx.head(&"r0".into())).unwrap();
    assert_eq!((head.messages, head.last_message.as_deref()), (2, Some("m2")));
    let told = read(&engine, |tx| tx.deleted_after(&"r0".into(), 3, 10));
    assert_eq!(told.iter().map(|t| (t.id.as_str(), t.rev)).collect::<Vec<_>>(), [("m3", 4)]);
    assert!(read(&engine, |tx| tx.deleted_after(&"r0".into(), 4, 10)).is_empty());
    assert_eq!(read(&engine, |tx| tx.deleted_since(&"r0".into(), Time(0), 10)).len(), 1);
    let at = told[0].at;
    assert!(read(&engine, move |tx| tx.deleted_since(&"r0".into(), at, 10)).is_empty());
});

story!(who_catches_up_gets_new_and_changed_messages_by_position, |place| {
    let engine = with_messages(&place, 4);
    place.clock.set(START + 60_000);
    for id in ["m2", "m1"] {
        write(&engine, move |tx| {
            let message = tx.message(&id.into())?.unwrap();
            change(tx, message)
        });
    }
    let after = |rev: i64, limit| {
        let found = read(&engine, move |tx| tx.changed_after(&"r0".into(), rev, limit));
        found.iter().map(|m| (m.id.to_string(), m.rev)).collect::<Vec<_>>()
    };
    let pair = |id: &str, rev| (id.to_owned(), rev);
    assert_eq!(after(0, 10), [pair("m3", 3), pair("m4", 4), pair("m2", 5), pair("m1", 6)]);
    assert_eq!(after(0, 2), [pair("m3", 3), pair("m4", 4)]);
    assert_eq!(after(4, 1), [pair("m2", 5)]);
    assert_eq!(after(6, 10), []);
    let since = |ms: i64| {
        let found = read(&engine, move |tx| tx.changed_since(&"r0".into(), Time(START + ms), 10));
        ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(since(3_500), ["m4", "m2", "m1"]);
    assert_eq!(since(59_999), ["m2", "m1"]);
    assert_eq!(since(70_000), [""; 0]);
});

story!(ones_unread_are_what_others_wrote_after_the_mark_and_did_not_remove, |place| {
    let engine = with_messages(&place, 2);
    let mut reader = join(&engine, "u1");
    reader.mark = ReadMark { seq: 2, counted: 2, at: None };
    let change = MarkChange { mark: reader.mark, marked_unread: false, back: false, at: Time(START) };
    write(&engine, move |tx| tx.put_mark(&"r0".into(), &"u1".into(), &change));
    let unread = |reader: &Membership| {
        let reader = reader.clone();
        // Twice the same: the first is counted together with all rooms, the second by itself.
        let both = read(&engine, move |tx| tx.unread_all(&[reader.clone(), reader]));
        assert_eq!(both[0], both[1]);
        both[0].clone()
    };
    assert_eq!(unread(&reader), Unread::default());
    for (id, author) in [("m3", "u0"), ("own", "u1"), ("m5", "u0"), ("m6", "u0")] {
        append(&engine, cast::message(id, "r0", author, "hello"));
    }
    assert_eq!(unread(&reader).messages, 3);
    delete(&engine, "m5");
    assert_eq!(unread(&reader).messages, 2);
    let mut named = cast::message("m7", "r0", "u0", "@all @u1");
    named.mentions = vec![Mention::All];
    write(&engine, move |tx| {
        let stored = tx.append_message(named.clone())?;
        tx.put_mentions(&stored, &["u1".into()], true)
    });
    let wanted = Unread { messages: 3, mentions: 1, group_mentions: 1, ..Unread::default() };
    assert_eq!(unread(&reader), wanted);
    let mut deaf = reader.clone();
    deaf.notify.mute_group_mentions = true;
    assert_eq!(unread(&deaf).group_mentions, 0);
});

story!(a_list_of_many_rooms_takes_as_many_statements_as_one_of_two, |place| {
    let engine = with_messages(&place, 1);
    cast::rooms(&engine, 2..1_000);
    let memberships = |count: usize| -> Vec<Membership> {
        (0..count).map(|n| samples::membership(&format!("r{n}"), "u1")).collect()
    };
    let all = memberships(1_000);
    write(&engine, move |tx| all.iter().try_for_each(|membership| tx.insert_membership(membership)));
    let statements = |count: usize| {
        let look = |_| {
            let (some, before) = (memberships(count), engine.figures().statements);
            let unread = read(&engine, move |tx| tx.unread_all(&some));
            assert_eq!((unread.len(), unread[0].messages, unread[1].messages), (count, 1, 0));
            engine.figures().statements - before
        };
        // Indexing goes on beside it: the least is what the list itself takes.
        (0..8).map(look).min()
    };
    assert_eq!(statements(1_000), statements(2));
});

story!(a_mark_moves_forward_only_unless_it_is_meant_to_go_back, |place| {
    let engine = with_messages(&place, 3);
    join(&engine, "u1");
    let put = |seq: i64, at: i64, back: bool| {
        let mark = ReadMark { seq, counted: seq, at: Some(Time(at)) };
        let change = MarkChange { mark, marked_unread: back, back, at: Time(START) };
        write(&engine, move |tx| tx.put_mark(&"r0".into(), &"u1".into(), &change))
    };
    let stands = |seq: i64, at: i64, marked_unread: bool| {
        let now = read(&engine, |tx| tx.membership(&"r0".into(), &"u1".into())).unwrap();
        assert_eq!((now.mark.seq, now.mark.at, now.marked_unread), (seq, Some(Time(at)), marked_unread));
    };
    assert!(put(2, 20, false));
    assert!(!put(2, 21, false));
    assert!(!put(1, 22, false));
    assert!(put(1, 10, true));
    stands(1, 10, true);
    assert!(put(2, 90, false));
    // By a node whose clock is behind.
    assert!(put(3, 30, false));
    stands(3, 90, false);
    let receipts = read(&engine, |tx| tx.receipts(&"r0".into(), 3));
    assert_eq!(receipts.iter().map(|r| r.user.as_str()).collect::<Vec<_>>(), ["u1"]);
});

story!(what_is_emptied_in_place_goes_on_counting_as_it_did, |place| {
    let engine = with_messages(&place, 2);
    let reader = join(&engine, "u0");
    append(&engine, cast::message("theirs", "r0", "u1", "hello"));
    let unread = || {
        read(&engine, {
            let reader = reader.clone();
            move |tx| tx.unread(&reader)
        })
        .messages
    };
    assert_eq!(unread(), 1);
    write(&engine, |tx| {
        let message = tx.message(&"m1".into())?.unwrap();
        change(tx, Message { kind: MessageKind::Notice("rm".into()), text: String::new(), ..message })
    });
    assert_eq!(unread(), 1);
});

story!(what_somebody_wrote_is_gone_through_in_looks_of_bounded_size, |place| {
    let engine = with_messages(&place, 205);
    append(&engine, cast::message("theirs", "r1", "u1", "hello"));
    append(&engine, cast::message("last", "r1", "u0", "hello"));
    let (mut from, mut found, mut looks) = (Some(0), Vec::new(), 0);
    while let Some(at) = from {
        let (messages, next) = read(&engine, move |tx| tx.messages_of(&"u0".into(), at));
        assert!(messages.len() <= 100);
        found.extend(messages);
        (from, looks) = (next, looks + 1);
    }
    assert_eq!((found.len(), found[205].id.as_str(), looks), (206, "last", 3));
});

// PostgreSQL folds as the locale of its database says.
#[test]
fn letter_case_does_not_matter_in_any_script_on_sqlite() {
    let engine = with_messages(&Place::sqlite(), 1);
    append(&engine, cast::message("umlaut", "r0", "u0", "ÄRGER und ÜBEL"));
    let with = |text: &str| {
        let filter = MessageFilter { text: text.into(), ..MessageFilter::default() };
        read(&engine, move |tx| tx.list_messages(&"r0".into(), &filter, ALL)).total
    };
    assert_eq!((with("ärger"), with("Übel"), with("ubel")), (1, 1, 0));
}

story!(a_thread_counts_its_replies_and_knows_who_follows_it, |place| {
    let engine = with_messages(&place, 1);
    let reader = join(&engine, "u0");
    reply(&engine, "a", "m1", "u1", &["u1", "u0"]);
    reply(&engine, "b", "m1", "u2", &["u2"]);
    let root = || read(&engine, |tx| tx.message(&"m1".into())).unwrap();
    let info = root().thread_info.unwrap();
    assert_eq!(info.replies, 2);
    assert_eq!(info.followers.iter().map(|f| f.as_str()).collect::<Vec<_>>(), ["u0", "u1", "u2"]);
    let unread = || {
        let reader = reader.clone();
        let both = read(&engine, move |tx| tx.unread_all(&[reader.clone(), reader]));
        assert_eq!(both[0], both[1]);
        both[0].clone()
    };
    assert_eq!(unread().threads, ["m1".into()]);
    let listed = |filter: MessageFilter| {
        let page = read(&engine, move |tx| tx.list_messages(&"r0".into(), &filter, ALL));
        (ids(&page.items).into_iter().map(str::to_owned).collect::<Vec<_>>(), page.total)
    };
    let none = MessageFilter::default;
    let in_thread = MessageFilter { in_thread: Some("m1".into()), ascending: true, ..none() };
    assert_eq!(listed(in_thread), (vec!["a".into(), "b".into()], 2));
    assert_eq!(listed(MessageFilter { threads: Some(None), ..none() }), (vec!["m1".into()], 1));
    let followed = |user: &str| MessageFilter { threads: Some(Some(user.into())), ..none() };
    assert_eq!(listed(followed("u2")).1, 1);
    assert_eq!(listed(MessageFilter { room_only: true, ..none() }), (vec!["m1".into()], 1));
    assert_eq!(listed(none()).1, 3);
    let read_it = || {
        let mark = ReadMark { seq: 10, counted: 0, at: Some(Time(START)) };
        write(&engine, move |tx| tx.put_thread_mark(&"m1".into(), &"u0".into(), mark))
    };
    assert!(read_it());
    assert!(!read_it());
    assert_eq!(unread(), Unread::default());
    write(&engine, |tx| tx.follow_thread(&"m1".into(), &"u2".into(), 0, false));
    assert_eq!(root().thread_info.unwrap().followers.len(), 2);
});

story!(a_thread_ends_with_its_last_reply_or_its_root, |place| {
    let engine = with_messages(&place, 1);
    let first = reply(&engine, "a", "m1", "u1", &["u1"]);
    let second = reply(&engine, "b", "m1", "u1", &["u1"]);
    delete(&engine, "b");
    let left = write(&engine, move |tx| tx.remove_reply(&"m1".into(), &second)).unwrap();
    assert_eq!((left.replies, left.last_at), (1, first.at));
    delete(&engine, "a");
    assert_eq!(write(&engine, move |tx| tx.remove_reply(&"m1".into(), &first)), None);
    reply(&engine, "c", "m1", "u1", &["u1"]);
    write(&engine, |tx| tx.end_thread(&"m1".into()));
    assert_eq!(read(&engine, |tx| tx.message(&"c".into())).unwrap().thread, None);
});

story!(stars_and_pins_are_listed_for_whom_they_concern, |place| {
    let engine = with_messages(&place, 3);
    write(&engine, |tx| tx.put_star(&"u1".into(), &"m2".into(), true));
    write(&engine, |tx| tx.put_star(&"u1".into(), &"m2".into(), true));
    let starred = |user: &str| {
        let filter = MessageFilter { starred_by: Some(user.into()), ..MessageFilter::default() };
        read(&engine, move |tx| tx.list_messages(&"r0".into(), &filter, ALL)).total
    };
    assert_eq!((starred("u1"), starred("u2"), starred("nobody")), (1, 0, 0));
    let among = read(&engine, |tx| tx.starred(&"u1".into(), &["m1".into(), "m2".into()]));
    assert_eq!(among, ["m2".into()]);
    write(&engine, |tx| tx.put_star(&"u1".into(), &"m2".into(), false));
    assert_eq!(starred("u1"), 0);
});

story!(search_finds_words_only_in_the_rooms_asked_for, |place| {
    let engine = with_messages(&place, 12);
    append(&engine, cast::message("other", "r1", "u0", "text 1 elsewhere"));
    let found = |rooms: &[&str], words: &[&str]| {
        let search = Search {
            rooms: rooms.iter().map(|r| (*r).into()).collect(),
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            ..Search::default()
        };
        let found = read(&engine, move |tx| tx.search(&search, ALL));
        ids(&found.messages).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(&["r0"], &["12"]), ["m12"]);
    assert_eq!(found(&["r1"], &["TEXT"]), ["other"]);
    assert_eq!(found(&[], &["text"]), [""; 0]);
    assert_eq!(found(&["r0"], &["%"]), [""; 0]);
});

story!(an_upload_is_listed_once_its_message_stands, |place| {
    let engine = with_messages(&place, 1);
    let upload = parlor_core::store::Upload {
        id: "f".into(),
        bytes: "f".into(),
        room: Some("r0".into()),
        user: "u0".into(),
        message: None,
        role: "file".into(),
        name: "Plan.PDF".into(),
        media_type: "application/pdf".into(),
        size: 3,
        sha256: [7; 32],
        original: None,
        dimensions: Some((3, 4)),
        preview: None,
        at: Time(START),
        expires_at: Some(Time(START + 5)),
    };
    let stored = upload.clone();
    write(&engine, move |tx| tx.insert_upload(&stored, Quota::default()));
    assert_eq!(read(&engine, |tx| tx.upload(&"f".into())), Some(upload));
    let plans = FileFilter { text: "plan".into(), group: String::new() };
    let listed = || {
        let plans = plans.clone();
        read(&engine, move |tx| tx.files(&"r0".into(), &plans, ALL)).total
    };
    assert_eq!(listed(), 0);
    assert_eq!(read(&engine, |tx| tx.expired_uploads(Time(START + 5))).len(), 1);
    write(&engine, |tx| tx.confirm_upload(&"f".into(), Some(&"m1".into())));
    assert_eq!(listed(), 1);
    assert!(read(&engine, |tx| tx.expired_uploads(Time(i64::MAX))).is_empty());
    delete(&engine, "m1");
    assert_eq!(listed(), 0);
    assert_eq!(read(&engine, |tx| tx.expired_uploads(Time(i64::MAX))).len(), 1);
});

fn file(id: &str, user: &str, content: u8, size: i64) -> parlor_core::store::Upload {
    parlor_core::store::Upload {
        id: id.into(),
        bytes: id.into(),
        room: Some("r0".into()),
        user: user.into(),
        message: None,
        role: "file".into(),
        name: "a.txt".into(),
        media_type: "text/plain".into(),
        size,
        sha256: [content; 32],
        original: None,
        dimensions: None,
        preview: None,
        at: Time(START),
        expires_at: Some(Time(START + 5)),
    }
}

story!(the_same_bytes_are_kept_once_and_freed_with_the_last_file_that_has_them, |place| {
    let engine = with_messages(&place, 1);
    let insert = |upload: parlor_core::store::Upload| {
        write(&engine, move |tx| tx.insert_upload(&upload, Quota::default())).to_string()
    };
    assert_eq!(insert(file("f1", "u0", 1, 10)), "f1");
    assert_eq!(insert(file("f2", "u1", 1, 10)), "f1", "the same content");
    assert_eq!(insert(file("f3", "u1", 2, 20)), "f3");
    assert_eq!(insert(file("f4", "u1", 0, 5)), "f4", "no checksum: like no other");
    assert_eq!(insert(file("f5", "u1", 0, 5)), "f5");
    let copy = parlor_core::store::Upload { id: "f6".into(), ..file("f1", "u0", 1, 10) };
    write(&engine, move |tx| tx.insert_copy(&copy, Quota::default()));
    let used =
        |user: Option<&'static str>| read(&engine, move |tx| tx.bytes_of(user.map(Into::into).as_ref()));
    assert_eq!((used(Some("u0")), used(Some("u1")), used(None)), (20, 40, 60), "each file counts in full");
    let ids: Vec<parlor_core::id::UploadId> = ["f1", "f2", "f3", "x"].map(Into::into).to_vec();
    assert_eq!(read(&engine, move |tx| tx.unknown_bytes(&ids)), ["f2".into(), "x".into()]);
    let remove = |id: &'static str| write(&engine, move |tx| tx.remove_upload(&id.into()));
    assert_eq!((remove("f1"), remove("f2"), remove("f2")), (None, None, None), "one still has them");
    assert_eq!(remove("f6"), Some("f1".into()));
    assert_eq!(insert(file("f7", "u0", 1, 10)), "f7", "what is gone is not shared");
    assert_eq!((used(Some("u0")), used(Some("u1")), used(None)), (10, 30, 40));
    let gone = parlor_core::store::Upload { id: "f8".into(), ..file("f1", "u0", 1, 10) };
    let refused = try_write(&engine, move |tx| tx.insert_copy(&gone, Quota::default()));
    assert_eq!(refused, Err(Refusal::NotFound(What::Upload)));
});

story!(a_quota_that_is_full_refuses_and_counts_nothing, |place| {
    let engine = with_messages(&place, 1);
    let quota = Quota { user: Some(25), workspace: Some(40) };
    let insert = |upload: parlor_core::store::Upload| {
        try_write(&engine, move |tx| tx.insert_upload(&upload, quota).map(drop))
    };
    let full = |what, limit| Err(Refusal::TooLarge { what, limit });
    assert_eq!(insert(file("f1", "u0", 1, 26)), full("files of a user", 25));
    assert_eq!(insert(file("f1", "u0", 1, 25)), Ok(()));
    assert_eq!(insert(file("f2", "u0", 1, 1)), full("files of a user", 25), "shared bytes count too");
    assert_eq!(insert(file("f2", "u1", 2, 16)), full("files of the workspace", 40));
    assert_eq!(insert(file("f2", "u1", 2, 15)), Ok(()));
    assert_eq!(insert(file("f3", "u1", 3, 1)), full("files of the workspace", 40));
    write(&engine, |tx| tx.remove_upload(&"f1".into()));
    assert_eq!(insert(file("f3", "u0", 3, 25)), Ok(()));
    assert_eq!(read(&engine, |tx| tx.bytes_of(None)), 40);
});
