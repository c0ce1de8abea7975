//! Many things that arrive at once are stored as each alone would be, and refused as it would be.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod common;

use common::wait;
use parlor_core::{
    clock::Time,
    error::{Refusal, Result, State, What},
    event::{Change, Event},
    id::{RoomId, UserId},
    membership::{Membership, ReadMark},
    room::{Room, RoomKind},
    samples,
    store::{Arrivals, ReadAccounts, ReadRooms, Restored, Secrets, WriteMessages},
    user::{Email, User},
};
use parlor_store::{Engine, Lane, SqlTx};

fn write<R: Send + 'static>(
    engine: &Engine,
    work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> Result<R> {
    wait(engine.write(Lane::Verb, 0, work))
}

fn person(n: usize, address: &str) -> User {
    let email = Email { address: address.to_owned(), verified: n.is_multiple_of(2) };
    User { emails: vec![email], ..samples::user(&format!("person{n}")) }
}

fn crowd(tx: &mut SqlTx<'_>, all: &[User]) -> Result<()> {
    let secrets = Secrets { password: Some("$2b$04$kept".into()), ..Secrets::default() };
    tx.insert_users(&all.iter().map(|user| (user, &secrets)).collect::<Vec<_>>())
}

/// More than are sent before the first is answered.
const MANY: usize = 600;

story!(a_crowd_is_stored_as_each_alone_would_be_or_not_at_all, |place| {
    let engine = place.open();
    let all: Vec<User> = (0..MANY).map(|n| person(n, &format!("P{n}@x.example"))).collect();
    let wanted = all.clone();
    let (there, taken, password) = write(&engine, move |tx| {
        crowd(tx, &all)?;
        let ids: Vec<UserId> = (0..=MANY).map(|n| UserId::from(format!("person{n}").as_str())).collect();
        let there = tx.users_at(&ids.iter().collect::<Vec<_>>())?;
        let taken = [tx.taken_usernames(&["PERSON7", "nobody"])?, tx.taken_emails(&["p8@X.example", "p@x"])?];
        Ok((there, taken, tx.secrets(&ids[9])?.password))
    })
    .unwrap();
    assert_eq!(there[..MANY], wanted.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!((&there[MANY], taken), (&None, [vec![true, false], vec![true, false]]));
    assert_eq!(password.as_deref(), Some("$2b$04$kept"), "as it came");
    for (second, what) in [
        (User { username: "PERSON3".into(), ..person(MANY + 1, "new@x.example") }, What::Username),
        (person(MANY + 1, "p4@x.example"), What::Email),
    ] {
        let both = vec![person(MANY, "other@x.example"), second];
        let refused = write(&engine, move |tx| crowd(tx, &both));
        assert!(matches!(refused, Err(Refusal::Taken { what: said, .. }) if said == what), "{refused:?}");
        let first = write(&engine, |tx| tx.user(&format!("person{MANY}").as_str().into())).unwrap();
        assert_eq!(first, None, "all or nothing");
    }
});

fn entered(room: &str, user: usize, mark: ReadMark) -> Membership {
    Membership { mark, ..samples::membership(room, &format!("person{user}")) }
}

story!(members_arrive_together_with_the_marks_that_they_had, |place| {
    let engine = place.open();
    let users: Vec<User> = (0..3).map(|n| person(n, &format!("p{n}@x.example"))).collect();
    let rooms = [samples::room("a"), samples::room("b")];
    let (marks, ends) = write(&engine, move |tx| {
        crowd(tx, &users)?;
        tx.insert_rooms(&rooms.iter().collect::<Vec<_>>())?;
        let said = |n: i64| Restored {
            message: samples::message(&format!("m{n}"), "a", "person0", 0),
            at: Time(n * 1_000),
        };
        tx.restore_messages((1..=50).map(said).collect())?;
        let [a, b, none] = ["a", "b", "none"].map(RoomId::from);
        let asked = [(&a, Time(20_000)), (&a, Time(999)), (&b, Time(5)), (&a, Time(i64::MAX))];
        let marks = tx.marks_until(&asked)?;
        let members = [entered("a", 0, marks[0]), entered("b", 0, marks[2]), entered("a", 1, marks[1])];
        tx.insert_memberships(&members.iter().collect::<Vec<_>>())?;
        Ok((marks, tx.lock_rooms(&[&b, &none, &a])?))
    })
    .unwrap();
    let at = |seq: i64, at: i64| ReadMark { seq, counted: seq, at: Some(Time(at)) };
    assert_eq!(marks, [at(20, 20_000), at(0, 999), at(0, 5), at(50, i64::MAX)]);
    let end = |seq: i64| Some(ReadMark { seq, counted: seq, at: None });
    assert_eq!(ends, [end(0), None, end(50)]);

    let nobody = |tx: &mut SqlTx<'_>| tx.insert_memberships(&[&entered("b", 9, ReadMark::default())]);
    assert_eq!(write(&engine, nobody), Err(Refusal::NotFound(What::User)));
    let [new, old] = [2, 0].map(|user| entered("b", user, ReadMark::default()));
    let again = write(&engine, move |tx| tx.insert_memberships(&[&new, &old]));
    assert_eq!(again, Err(State::AlreadyMember.into()));
    let found = write(&engine, |tx| {
        let [a, b] = ["a", "b"].map(RoomId::from);
        let [zero, one, two] = ["person0", "person1", "person2"].map(UserId::from);
        let are = tx.are_members(&[(&a, &zero), (&b, &one), (&a, &one), (&b, &two)])?;
        Ok((are, [tx.room(&a)?.unwrap().members, tx.room(&b)?.unwrap().members]))
    });
    assert_eq!(found, Ok((vec![true, false, true, false], [2, 1])), "all or nothing");
});

story!(a_room_of_the_same_people_is_found_beside_one_of_the_same_id, |place| {
    let engine = place.open();
    let direct = |id: &str, users: [&str; 2]| Room {
        kind: RoomKind::Direct,
        name: None,
        direct: users.map(UserId::from).to_vec(),
        ..samples::room(id)
    };
    let stored = [direct("d1", ["ann", "bob"]), samples::room("r")];
    let asked =
        [direct("x", ["ann", "cy"]), direct("y", ["bob", "ann"]), samples::room("r"), samples::room("s")];
    let (there, names) = write(&engine, move |tx| {
        tx.insert_rooms(&stored.iter().collect::<Vec<_>>())?;
        let made = |room: &Room| Event::Room { room: room.clone().into(), change: Change::Made };
        tx.record_all(stored.iter().map(made).collect())?;
        Ok((tx.rooms_at(&asked.iter().collect::<Vec<_>>())?, tx.taken_room_names(&["R", "x"])?))
    })
    .unwrap();
    let ids: Vec<Option<&str>> =
        there.iter().map(|room| room.as_ref().map(|room| room.id.as_str())).collect();
    assert_eq!((ids, names), (vec![None, Some("d1"), Some("r"), None], vec![true, false]));
    let both = [samples::room("second"), samples::room("r")];
    let refused = write(&engine, move |tx| tx.insert_rooms(&both.iter().collect::<Vec<_>>()));
    assert!(matches!(refused, Err(Refusal::Taken { .. })), "{refused:?}");
    assert_eq!(write(&engine, |tx| tx.room(&"second".into())), Ok(None));
    let told: Vec<i64> = place.facts.lock().unwrap().iter().map(|fact| fact.g).collect();
    assert_eq!(told.len(), 2);
    assert!(told[0] > 0 && told[0] < told[1], "in their order: {told:?}");
});
