//! What the rows of rooms, memberships and teams promise, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails has failed the test")]

mod common;

use common::{Place, wait};
use parlor_core::{
    clock::Time,
    error::{Refusal, Result, State, What},
    id::{RoomId, UserId},
    room::{Room, RoomKind},
    samples,
    store::{
        Invite, MemberFilter, Page, ReadRooms, RoomFilter, RoomSort, Team, TeamFilter, WriteAccounts,
        WriteRooms,
    },
};
use parlor_store::{Engine, Lane, SqlTx};

const ALL: Page = Page { offset: 0, count: 50 };

fn write<R: Send + 'static>(
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

/// A database with the users ann, bob and cy.
fn with_users(place: &Place) -> Engine {
    let engine = place.open();
    write(&engine, |tx| {
        for id in ["ann", "bob", "cy"] {
            tx.insert_user(&samples::user(id))?;
        }
        Ok(())
    })
    .unwrap();
    engine
}

fn full_room() -> Room {
    Room {
        kind: RoomKind::Channel,
        name: Some("Café.Talk".into()),
        title: Some("Café talk".into()),
        topic: "t".into(),
        description: "d".into(),
        announcement: "a".into(),
        default: true,
        featured: true,
        favourite: true,
        sidepanel: vec!["channels".into(), "discussions".into()],
        e2e_key: Some("k".into()),
        read_only: true,
        react_when_read_only: true,
        broadcast: true,
        encrypted: true,
        archived: true,
        join_code: Some("secret".into()),
        hidden_system: vec!["uj".into(), "ul".into()],
        avatar: Some("e".into()),
        muted: vec!["bob".into()],
        unmuted: vec!["cy".into()],
        parent: Some("p".into()),
        team: Some("team".into()),
        team_main: true,
        team_default: true,
        access: 1,
        ..samples::room("r")
    }
}

story!(a_room_reads_back_as_it_was_written, |place| {
    let engine = with_users(&place);
    let room = full_room();
    let stored = room.clone();
    write(&engine, move |tx| tx.insert_room(&stored)).unwrap();
    assert_eq!(read(&engine, |tx| tx.room(&"r".into())), Some(room.clone()));
    assert_eq!(read(&engine, |tx| tx.room_by_name("CAFÉ.TALK")), Some(room.clone()));
    assert_eq!(read(&engine, |tx| tx.head(&"r".into())), Some(Default::default()));
    assert_eq!(read(&engine, |tx| tx.room(&"other".into())), None);
    let mut changed = Room { name: Some("b".into()), default: false, muted: vec![], ..room };
    let stored = changed.clone();
    write(&engine, move |tx| {
        tx.update_room(&stored)?;
        tx.bump_access(&stored.id)
    })
    .unwrap();
    changed.access += 1;
    assert_eq!(read(&engine, |tx| tx.room(&"r".into())), Some(changed));
});

story!(a_name_belongs_to_one_room_whatever_its_case, |place| {
    let engine = with_users(&place);
    let named = |id: &str, name: &str| Room { name: Some(name.into()), ..samples::room(id) };
    let (first, second, third) = (named("a", "Talk"), named("b", "tALK"), named("c", "other"));
    write(&engine, move |tx| tx.insert_room(&first)).unwrap();
    let taken = Refusal::Taken { what: What::RoomName, value: "tALK".into() };
    assert_eq!(write(&engine, move |tx| tx.insert_room(&second)), Err(taken));
    write(&engine, move |tx| tx.insert_room(&third)).unwrap();
    let renamed = named("c", "talk");
    let taken = Refusal::Taken { what: What::RoomName, value: "talk".into() };
    assert_eq!(write(&engine, move |tx| tx.update_room(&renamed)), Err(taken));
});

story!(the_same_set_of_people_has_one_direct_room, |place| {
    let engine = with_users(&place);
    let direct = |id: &str, users: &[&str]| Room {
        kind: RoomKind::Direct,
        name: None,
        direct: users.iter().map(|u| UserId::from(*u)).collect(),
        ..samples::room(id)
    };
    let (first, second) = (direct("d1", &["ann", "bob"]), direct("d2", &["bob", "ann"]));
    write(&engine, move |tx| tx.insert_room(&first)).unwrap();
    assert!(matches!(write(&engine, move |tx| tx.insert_room(&second)), Err(Refusal::Taken { .. })));
    let found = read(&engine, |tx| tx.direct_room(&["bob".into(), "ann".into()])).unwrap();
    assert_eq!(&*found.id, "d1");
    assert_eq!(found.direct, ["ann".into(), "bob".into()]);
    assert_eq!(read(&engine, |tx| tx.direct_room(&["ann".into()])), None);
});

story!(a_membership_reads_back_and_is_counted, |place| {
    let engine = with_users(&place);
    let mut full = samples::membership("r", "bob");
    full.id = "m".into();
    full.roles = vec!["owner".into(), "leader".into()];
    (full.open, full.favourite, full.marked_unread, full.blocker, full.blocked) =
        (true, true, true, true, true);
    full.last_reply = Some(Time(8));
    full.ignored = vec!["cy".into()];
    full.e2e_key = Some("k".into());
    full.notify.desktop = Some("mentions".into());
    full.notify.sound = Some("beep".into());
    full.notify.hide_unread = true;
    let (stored, again) = (full.clone(), full.clone());
    write(&engine, move |tx| {
        tx.insert_room(&samples::room("r"))?;
        tx.insert_membership(&stored)
    })
    .unwrap();
    let refused = write(&engine, move |tx| tx.insert_membership(&again));
    assert_eq!(refused, Err(State::AlreadyMember.into()));
    assert_eq!(read(&engine, |tx| tx.membership(&"r".into(), &"bob".into())), Some(full.clone()));
    assert_eq!(read(&engine, |tx| tx.membership_by_id(&"m".into())), Some(full.clone()));
    assert_eq!(read(&engine, |tx| tx.membership(&"r".into(), &"ann".into())), None);
    assert_eq!(read(&engine, |tx| tx.room(&"r".into())).unwrap().members, 1);
    assert_eq!(read(&engine, |tx| tx.count_role(&"r".into(), "owner")), 1);
    assert_eq!(read(&engine, |tx| tx.count_role(&"r".into(), "own")), 0);
    let mut changed = full;
    changed.roles = vec![];
    changed.mark.seq = 9;
    changed.updated_at = Time(99);
    let stored = changed.clone();
    write(&engine, move |tx| tx.update_membership(&stored)).unwrap();
    assert_eq!(read(&engine, |tx| tx.membership(&"r".into(), &"bob".into())), Some(changed));
    assert_eq!(read(&engine, |tx| tx.members_with_roles(&"r".into())), []);
});

story!(an_ended_membership_leaves_a_tombstone, |place| {
    let engine = with_users(&place);
    write(&engine, |tx| {
        tx.insert_room(&samples::room("r"))?;
        tx.insert_membership(&samples::membership("r", "ann"))
    })
    .unwrap();
    place.clock.set(1_700_000_000_500);
    let end = |tx: &mut SqlTx<'_>| tx.remove_membership(&"r".into(), &"ann".into());
    assert_eq!(write(&engine, end), Ok(true));
    assert_eq!(write(&engine, end), Ok(false));
    let left = read(&engine, |tx| tx.removed_memberships(&"ann".into(), Time(1_700_000_000_499)));
    assert_eq!(
        (left.len(), &*left[0].id, &*left[0].room, left[0].at),
        (1, "r-ann", "r", Time(1_700_000_000_500))
    );
    assert_eq!(read(&engine, |tx| tx.removed_memberships(&"ann".into(), Time(1_700_000_000_500))), []);
    assert_eq!(read(&engine, |tx| tx.room(&"r".into())).unwrap().members, 0);
});

story!(a_removed_room_is_gone_at_once_and_swept_afterwards, |place| {
    let engine = with_users(&place);
    write(&engine, |tx| {
        tx.insert_room(&samples::room("r"))?;
        tx.insert_membership(&samples::membership("r", "ann"))?;
        tx.remove_room(&"r".into())
    })
    .unwrap();
    let look = |tx: &mut SqlTx<'_>| {
        Ok((
            tx.room(&"r".into())?.is_none() && tx.head(&"r".into())?.is_none(),
            tx.memberships_of(&"ann".into(), None)?.len(),
            tx.removed_memberships(&"ann".into(), Time(0))?.len(),
        ))
    };
    assert_eq!(read(&engine, look), (true, 0, 1));
    while write(&engine, |tx| tx.sweep_rooms()).unwrap() {}
    assert_eq!(read(&engine, look), (true, 0, 1));
    let again = write(&engine, |tx| tx.remove_room(&"r".into()));
    assert_eq!(again, Err(Refusal::NotFound(What::Room)));
    write(&engine, |tx| tx.insert_room(&samples::room("r"))).unwrap();
});

story!(ones_rooms_come_with_heads_and_only_what_changed, |place| {
    let engine = with_users(&place);
    let at = |id: &str, time| Room { updated_at: Time(time), ..samples::room(id) };
    let (old, new) = (at("old", 10), at("new", 20));
    write(&engine, move |tx| {
        tx.insert_room(&old)?;
        tx.insert_room(&new)?;
        tx.insert_membership(&samples::membership("old", "ann"))?;
        tx.insert_membership(&samples::membership("new", "ann"))
    })
    .unwrap();
    let names = |since| {
        let found = read(&engine, move |tx| tx.rooms_of(&"ann".into(), since));
        found
            .iter()
            .map(|(m, v)| {
                assert_eq!(m.room, v.room.id);
                v.room.id.to_string()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["old", "new"]);
    assert_eq!(names(Some(Time(10))), ["new"]);
    assert_eq!(names(Some(Time(20))), Vec::<String>::new());
});

story!(lists_of_rooms_filter_sort_and_page, |place| {
    let engine = with_users(&place);
    let channel = |id: &str, members| Room { kind: RoomKind::Channel, members, ..samples::room(id) };
    let rooms =
        [channel("b_1", 0), channel("a", 0), Room { topic: "50% off".into(), ..samples::room("secret") }];
    write(&engine, move |tx| {
        for room in &rooms {
            tx.insert_room(room)?;
        }
        tx.insert_membership(&samples::membership("secret", "ann"))
    })
    .unwrap();
    let list = |filter: RoomFilter, page| {
        let found = read(&engine, move |tx| tx.rooms(&filter, page));
        (found.items.iter().map(|v| v.room.id.to_string()).collect::<Vec<_>>().join(","), found.total)
    };
    let filter = RoomFilter::default;
    let seen_by = |user: &str| RoomFilter { visible_to: Some(user.into()), ..filter() };
    assert_eq!(list(seen_by("ann"), ALL), ("a,b_1,secret".into(), 3));
    assert_eq!(list(seen_by("bob"), ALL), ("a,b_1".into(), 2));
    assert_eq!(list(seen_by("ann"), Page { offset: 1, count: 1 }), ("b_1".into(), 3));
    assert_eq!(list(RoomFilter { descending: true, ..seen_by("bob") }, ALL).0, "b_1,a");
    assert_eq!(list(RoomFilter { member: Some("ann".into()), ..filter() }, ALL).0, "secret");
    for (text, found) in
        [("\0", ""), ("%", "secret"), ("_", "b_1"), ("B_", "b_1"), ("'", ""), ("50% OFF", "secret")]
    {
        assert_eq!(list(RoomFilter { text: text.into(), ..filter() }, ALL).0, found, "{text}");
    }
    let kinds = RoomFilter { kinds: vec![RoomKind::Group], sort: RoomSort::LastMessage, ..filter() };
    assert_eq!(list(kinds, ALL).0, "secret");
    assert_eq!(list(RoomFilter { ids: Some(vec![]), ..filter() }, ALL).1, 0);
    assert_eq!(list(RoomFilter { ids: Some(vec!["a".into()]), ..filter() }, ALL).0, "a");
    for off in [
        RoomFilter { discussion: Some(true), ..filter() },
        RoomFilter { team_main: Some(true), ..filter() },
        RoomFilter { in_team: Some(true), ..filter() },
        RoomFilter { team_default: Some(true), ..filter() },
        RoomFilter { below_team: Some(("x".into(), "y".into())), ..filter() },
        RoomFilter { default: Some(true), ..filter() },
        RoomFilter { archived: Some(true), ..filter() },
        RoomFilter { parent: Some("x".into()), ..filter() },
        RoomFilter { team: Some("x".into()), ..filter() },
        RoomFilter { name: Some("x".into()), ..filter() },
        RoomFilter { name: Some("\0".into()), ..filter() },
    ] {
        assert_eq!(list(off.clone(), ALL).1, 0, "{off:?}");
    }
});

story!(lists_of_members_filter_and_sort, |place| {
    let engine = with_users(&place);
    write(&engine, |tx| {
        tx.insert_room(&samples::room("r"))?;
        for (user, role) in [("ann", ""), ("bob", "moderator"), ("cy", "owner")] {
            let mut membership = samples::membership("r", user);
            membership.roles = if role.is_empty() { vec![] } else { vec![role.into()] };
            tx.insert_membership(&membership)?;
        }
        Ok(())
    })
    .unwrap();
    let list = |filter: MemberFilter| {
        let found = read(&engine, move |tx| tx.members(&RoomId::from("r"), &filter, ALL));
        assert_eq!(found.items.len() as u64, found.total);
        found.items.iter().map(|m| m.user.to_string()).collect::<Vec<_>>().join(",")
    };
    let filter = MemberFilter::default;
    assert_eq!(list(filter()), "ann,bob,cy");
    assert_eq!(list(MemberFilter { descending: true, ..filter() }), "cy,bob,ann");
    assert_eq!(list(MemberFilter { by_role: true, ..filter() }), "cy,bob,ann");
    assert_eq!(list(MemberFilter { text: "B".into(), ..filter() }), "bob");
    assert_eq!(list(MemberFilter { text: "%".into(), ..filter() }), "");
    assert_eq!(list(MemberFilter { text: "a\0".into(), ..filter() }), "");
    assert_eq!(list(MemberFilter { roles: vec!["owner".into(), "moderator".into()], ..filter() }), "bob,cy");
    assert_eq!(list(MemberFilter { only: Some(vec!["ann".into(), "x".into()]), ..filter() }), "ann");
    assert_eq!(list(MemberFilter { active: Some(false), ..filter() }), "");
});

story!(teams_are_found_by_name_and_by_member, |place| {
    let engine = with_users(&place);
    let team = |id: &str, private| Team {
        id: id.into(),
        name: id.to_uppercase(),
        private,
        room: format!("{id}-room").into(),
        creator: "ann".into(),
        created_at: Time(1),
        updated_at: Time(1),
    };
    let (open, closed, twin) =
        (team("open", false), team("closed", true), Team { id: "x".into(), ..team("open", true) });
    let mine = open.clone();
    write(&engine, move |tx| {
        for team in [&mine, &closed] {
            tx.insert_room(&samples::room(&team.room))?;
            tx.insert_team(team)?;
        }
        tx.insert_membership(&samples::membership("closed-room", "ann"))
    })
    .unwrap();
    assert!(matches!(
        write(&engine, move |tx| tx.insert_team(&twin)),
        Err(Refusal::Taken { what: What::TeamName, .. })
    ));
    assert_eq!(read(&engine, |tx| tx.team_by_name("Open")), Some(open.clone()));
    assert_eq!(read(&engine, |tx| tx.team(&"open".into())), Some(open));
    let list = |filter: TeamFilter| {
        let found = read(&engine, move |tx| tx.teams(&filter, ALL));
        found.items.iter().map(|t| t.id.to_string()).collect::<Vec<_>>().join(",")
    };
    let filter = TeamFilter::default;
    assert_eq!(list(filter()), "closed,open");
    assert_eq!(list(TeamFilter { member: Some("ann".into()), ..filter() }), "closed");
    assert_eq!(list(TeamFilter { visible_to: Some("bob".into()), ..filter() }), "open");
    assert_eq!(list(TeamFilter { visible_to: Some("ann".into()), ..filter() }), "closed,open");
    assert_eq!(list(TeamFilter { prefix: "OP".into(), ..filter() }), "open");
    write(&engine, |tx| tx.remove_team(&"open".into())).unwrap();
    assert_eq!(list(filter()), "closed");
});

story!(an_invite_counts_its_uses_exactly, |place| {
    let engine = with_users(&place);
    let invite = Invite {
        id: "i".into(),
        room: "r".into(),
        creator: "ann".into(),
        days: 1,
        max_uses: 2,
        uses: 0,
        created_at: Time(1),
        expires_at: Some(Time(100)),
    };
    let stored = invite.clone();
    write(&engine, move |tx| tx.insert_invite(&stored)).unwrap();
    assert_eq!(read(&engine, |tx| tx.invite("i")), Some(invite.clone()));
    assert_eq!(read(&engine, |tx| tx.invites(Some(&"r".into()))), std::slice::from_ref(&invite));
    assert_eq!(read(&engine, |tx| tx.invites(None)), [invite]);
    assert_eq!(read(&engine, |tx| tx.invites(Some(&"x".into()))), []);
    let used = |at| write(&engine, move |tx| tx.use_invite("i", Time(at)));
    assert_eq!([used(50), used(100), used(99), used(99)], [Ok(true), Ok(false), Ok(true), Ok(false)]);
    assert_eq!(write(&engine, |tx| tx.remove_invite("i")), Ok(true));
    assert_eq!(write(&engine, |tx| tx.remove_invite("i")), Ok(false));
});

story!(channels_of_a_private_team_are_listed_for_its_members, |place| {
    let engine = with_users(&place);
    let team = Team {
        id: "t".into(),
        name: "t".into(),
        private: true,
        room: "main".into(),
        creator: "ann".into(),
        created_at: Time(1),
        updated_at: Time(1),
    };
    let inside = Room { kind: RoomKind::Channel, team: Some("t".into()), ..samples::room("inside") };
    let main = Room { team: Some("t".into()), team_main: true, ..samples::room("main") };
    write(&engine, move |tx| {
        tx.insert_room(&inside)?;
        tx.insert_room(&main)?;
        tx.insert_team(&team)?;
        tx.insert_membership(&samples::membership("main", "ann"))
    })
    .unwrap();
    let seen_by = |user: &str| {
        let filter = RoomFilter { visible_to: Some(user.into()), ..RoomFilter::default() };
        read(&engine, move |tx| tx.rooms(&filter, ALL))
            .items
            .iter()
            .map(|v| v.room.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(seen_by("ann"), ["inside", "main"]);
    assert_eq!(seen_by("bob"), Vec::<String>::new());
});
