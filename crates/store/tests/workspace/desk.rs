//! What the rows of cases, tickets and settings promise, on SQLite and on PostgreSQL alike.

use crate::common::Place as Database;
use crate::{read, story, write};
use parlor_core::{
    case::{Case, Priority, Queue},
    clock::Time,
    error::Refusal,
    id::{RoomId, UserId},
    role::{Grant, Role, RoleScope},
    room::{Room, RoomKind},
    samples,
    setting::Value,
    store::{
        CaseFilter, Place, ReadDesk, ReadRooms, ReadWorkspace, TicketFilter, WriteAccounts, WriteDesk,
        WriteRooms, WriteWorkspace,
    },
    ticket::Ticket,
};
use parlor_store::Engine;

fn with_rooms(place: &Database, kind: RoomKind, ids: &'static [&'static str]) -> Engine {
    let engine = place.open();
    write(&engine, move |tx| {
        for id in ["ann", "bob", "cy"] {
            tx.insert_user(&samples::user(id))?;
        }
        for id in ids {
            tx.insert_room(&Room { kind, ..samples::room(id) })?;
        }
        Ok(())
    })
    .unwrap();
    engine
}

fn case(room: &str, since: i64, queue: Queue) -> Case {
    Case {
        room: room.into(),
        requester: Some("ann".into()),
        requester_role: Some("BUS_DRIVER".into()),
        queue,
        priority: Priority::High,
        first_seq: 1,
        waiting_since: Time(since),
        closed: None,
        participants: Vec::new(),
    }
}

fn rooms_of(found: &[(Case, Place)]) -> Vec<&str> {
    found.iter().map(|(case, _)| case.room.as_str()).collect()
}

story!(a_case_is_kept_with_its_participants_in_the_order_in_which_they_came, |place| {
    let engine = with_rooms(&place, RoomKind::Case, &["k1"]);
    let closed = Case { closed: Some(("bob".into(), Time(9))), ..case("k1", 5, Queue::Driver) };
    let stored = closed.clone();
    write(&engine, move |tx| {
        tx.put_case(&case("k1", 5, Queue::General))?;
        tx.put_case(&stored)?;
        for (at, user) in [(1, "cy"), (2, "ann")] {
            let membership = samples::membership("k1", user);
            tx.insert_membership(&parlor_core::membership::Membership { joined_at: Time(at), ..membership })?;
        }
        Ok(())
    })
    .unwrap();
    let found = read(&engine, |tx| tx.case(&"k1".into())).unwrap();
    assert_eq!(found, Case { participants: vec!["cy".into(), "ann".into()], ..closed });
    assert_eq!(read(&engine, |tx| tx.case(&"none".into())), None);
    let nowhere = write(&engine, |tx| tx.put_case(&case("none", 1, Queue::General)));
    assert!(matches!(nowhere, Err(Refusal::NotFound(_))));
});

story!(a_view_shows_open_cases_the_longest_waiting_first_page_by_page, |place| {
    let engine = with_rooms(&place, RoomKind::Case, &["k1", "k2", "k3", "k4"]);
    write(&engine, |tx| {
        tx.put_case(&case("k1", 30, Queue::Driver))?;
        tx.put_case(&case("k2", 10, Queue::Emergency))?;
        tx.put_case(&case("k3", 20, Queue::Driver))?;
        tx.put_case(&Case { closed: Some(("bob".into(), Time(9))), ..case("k4", 1, Queue::Driver) })
    })
    .unwrap();
    let view =
        |queue, beyond| CaseFilter { view: Some(queue), open: Some(true), beyond, ..CaseFilter::default() };
    let all = read(&engine, move |tx| tx.cases(&view(Queue::General, None), 0, 10));
    assert_eq!(rooms_of(&all), ["k2", "k3", "k1"]);
    let place = all[0].1.clone();
    let rest = read(&engine, move |tx| tx.cases(&view(Queue::General, Some(place)), 0, 10));
    assert_eq!(rooms_of(&rest), ["k3", "k1"]);
    let last = rest[1].1.clone();
    let back = CaseFilter { back: true, ..view(Queue::General, Some(last)) };
    assert_eq!(rooms_of(&read(&engine, move |tx| tx.cases(&back, 0, 10))), ["k3", "k2"], "the nearest first");
    let drivers = read(&engine, move |tx| tx.cases(&view(Queue::Driver, None), 1, 10));
    assert_eq!(rooms_of(&drivers), ["k1"]);
    assert_eq!(read(&engine, move |tx| tx.count_cases(&view(Queue::Driver, None))), 2);
    let closed = CaseFilter { open: Some(false), ..CaseFilter::default() };
    assert_eq!(rooms_of(&read(&engine, move |tx| tx.cases(&closed, 0, 10))), ["k4"]);
    let mine = CaseFilter { participant: Some("bob".into()), ..CaseFilter::default() };
    assert!(read(&engine, move |tx| tx.cases(&mine, 0, 10)).is_empty());
    assert_eq!(read(&engine, |tx| tx.open_case_of(&"ann".into())).unwrap().room, "k3".into());
    assert_eq!(read(&engine, |tx| tx.open_case_of(&"bob".into())), None);
});

fn ticket(id: &str, room: &str) -> Ticket {
    Ticket {
        room: room.into(),
        id: id.into(),
        title: Some("short delivery".into()),
        created_by: "ann".into(),
        assignees: vec!["zoe".into(), "bob".into()],
        vendor: Some("v-9".into()),
        verified_by: vec!["cy".into()],
        category: Some("Payment".into()),
        status: "OPEN".into(),
        created_at: Time(1),
        updated_at: Time(2),
    }
}

story!(a_ticket_is_kept_with_people_who_need_not_be_known, |place| {
    let engine = with_rooms(&place, RoomKind::Ticket, &["t1", "t2"]);
    write(&engine, |tx| tx.put_ticket(&ticket("T-1", "t1"))).unwrap();
    let changed = Ticket { assignees: vec!["bob".into()], vendor: None, ..ticket("T-1", "t1") };
    assert_eq!(read(&engine, |tx| tx.ticket_by_id("T-1")), Some(ticket("T-1", "t1")));
    let stored = changed.clone();
    write(&engine, move |tx| tx.put_ticket(&stored)).unwrap();
    assert_eq!(read(&engine, |tx| tx.ticket(&"t1".into())), Some(changed));
    assert_eq!(read(&engine, |tx| tx.ticket_by_id("T-2")), None);
    let twice = write(&engine, |tx| tx.put_ticket(&ticket("T-1", "t2")));
    assert!(matches!(twice, Err(Refusal::Taken { .. })), "{twice:?}");
});

story!(tickets_are_listed_by_what_opens_them_and_go_with_their_room, |place| {
    let engine = with_rooms(&place, RoomKind::Ticket, &["t1", "t2"]);
    write(&engine, |tx| {
        tx.put_ticket(&ticket("T-1", "t1"))?;
        tx.put_ticket(&Ticket {
            created_by: "cy".into(),
            assignees: Vec::new(),
            vendor: None,
            category: None,
            ..ticket("T-2", "t2")
        })
    })
    .unwrap();
    let ids = |filter: TicketFilter| {
        let found = read(&engine, move |tx| tx.tickets(&filter, 10));
        let mut ids: Vec<String> = found.into_iter().map(|(ticket, _)| ticket.id).collect();
        ids.sort();
        ids
    };
    let person = |id: &str| TicketFilter { person: Some(UserId::from(id)), ..TicketFilter::default() };
    assert_eq!(ids(person("bob")), ["T-1"]);
    assert_eq!(ids(person("cy")), ["T-2"]);
    assert_eq!(ids(TicketFilter { ops: true, ..person("cy") }), ["T-1", "T-2"]);
    assert_eq!(ids(TicketFilter { vendor: Some("v-9".into()), ..TicketFilter::default() }), ["T-1"]);
    assert_eq!(ids(TicketFilter { categories: vec!["PAYMENT".into()], ..TicketFilter::default() }), ["T-1"]);
    assert_eq!(ids(TicketFilter { all: true, ..TicketFilter::default() }), ["T-1", "T-2"]);
    assert!(ids(person("nobody")).is_empty());
    let skipping = TicketFilter { all: true, skip: 1, ..TicketFilter::default() };
    assert_eq!(ids(skipping.clone()).len(), 1);
    let counted =
        read(&engine, move |tx| Ok((tx.count_tickets(&skipping)?, tx.count_tickets(&person("bob"))?)));
    assert_eq!(counted, (2, 1));
    let about = read(&engine, |tx| tx.tickets_about(&"cy".into(), Some("v-9")));
    assert_eq!(about.len(), 2);
    write(&engine, |tx| tx.remove_room(&RoomId::from("t1"))).unwrap();
    assert_eq!(read(&engine, |tx| tx.ticket_by_id("T-1")), None);
    assert!(read(&engine, |tx| tx.room(&"t1".into())).is_none());
});

story!(each_change_of_a_setting_a_grant_or_a_role_has_a_later_time_than_the_one_before, |place| {
    let engine = place.open();
    let change = |value: f64| {
        write(&engine, move |tx| {
            let setting = tx.put_setting("Some", Some(&Value::Number(value)))?;
            let grant = Grant { permission: "some".into(), roles: Vec::new(), updated_at: tx.time() };
            let role = Role {
                id: "some".into(),
                name: "Some".into(),
                description: String::new(),
                scope: RoleScope::Workspace,
                protected: false,
                mandatory_2fa: false,
                updated_at: tx.time(),
            };
            Ok([setting, tx.put_grant(&grant)?, tx.put_role(&role)?].map(Time::millis))
        })
        .unwrap()
    };
    place.clock.set(5_000);
    assert_eq!(change(1.0), [5_000; 3]);
    assert_eq!(change(2.0), [5_001; 3], "in the same millisecond");
    place.clock.set(4_000);
    assert_eq!(change(3.0), [5_002; 3], "a clock that was put back changes nothing");
    let stored = read(&engine, |tx| tx.setting_values());
    assert_eq!(stored, [("Some".to_owned(), Value::Number(3.0), Time(5_002))]);
    let gone = write(&engine, |tx| Ok([tx.put_setting("Some", None)?, tx.remove_role(&"some".into())?]));
    assert_eq!(gone.unwrap().map(Time::millis), [5_003; 2]);
    place.clock.set(9_000);
    assert_eq!(change(4.0), [9_000; 3]);
});
