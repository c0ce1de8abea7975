//! Users, their secrets and sessions, and what hosts say of users.

use crate::{read, story, write};
use parlor_core::{
    clock::Time,
    error::{Refusal, What},
    id::UserId,
    membership::Membership,
    message::{Message, Reaction},
    samples,
    session::{Session, SessionKind},
    store::{
        Document, Journal, Page, ReadAccounts, ReadMessages, ReadRooms, ReadWorkspace, RoomFilter, Secrets,
        UserFilter, UserSort, WriteAccounts, WriteMessages, WriteRooms, WriteWorkspace,
    },
    user::{Email, HostFacts, User},
};
use parlor_store::{Engine, params};

const ALL: Page = Page { offset: 0, count: 100 };

fn person(id: &str, address: &str) -> User {
    let emails = vec![Email { address: address.into(), verified: true }];
    User { name: format!("{id} Person"), emails, ..samples::user(id) }
}

fn store(engine: &Engine, people: Vec<User>) {
    write(engine, move |tx| people.iter().try_for_each(|user| tx.insert_user(user))).unwrap();
}

fn names(engine: &Engine, filter: UserFilter) -> String {
    let found = read(engine, move |tx| tx.users(&filter, ALL));
    let counted = found.items.len() as u64 == found.total;
    assert!(counted, "a page that holds all counts all");
    found.items.into_iter().map(|user| user.username).collect::<Vec<_>>().join(",")
}

story!(a_user_is_found_by_id_name_and_address_in_any_case_and_each_is_given_once, |place| {
    let engine = place.open();
    let ann = User {
        roles: vec!["user".into(), "admin".into()],
        bio: "çé 😀".into(),
        utc_offset: 5.5,
        last_login: Some(Time(7)),
        access: 3,
        ..person("Ann", "Ann@Example.org")
    };
    store(&engine, vec![ann.clone(), person("bob", "bob@example.org")]);
    assert_eq!(read(&engine, |tx| tx.user(&"Ann".into())), Some(ann.clone()));
    assert_eq!(read(&engine, |tx| tx.user(&"ann".into())), None, "ids are told apart by case");
    assert_eq!(read(&engine, |tx| tx.user_by_username("aNN")), Some(ann.clone()));
    assert_eq!(read(&engine, |tx| tx.user_by_email("ann@EXAMPLE.org")), Some(ann.clone()));
    assert_eq!(read(&engine, |tx| tx.user_by_email("")), None);
    let taken = |user: User| match write(&engine, move |tx| tx.insert_user(&user)) {
        Err(Refusal::Taken { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(taken(User { id: "c".into(), ..person("ANN", "c@example.org") }), What::Username);
    assert_eq!(taken(person("cy", "BOB@example.org")), What::Email);
    assert!(write(&engine, |tx| tx.insert_user(&person("bob", "d@example.org"))).is_err());
    let renamed = User { username: "bob".into(), ..ann };
    let clash = write(&engine, move |tx| tx.update_user(&renamed));
    assert!(matches!(clash, Err(Refusal::Taken { what: What::Username, .. })), "{clash:?}");
    assert_eq!(names(&engine, UserFilter::default()), "Ann,bob");
});

story!(users_are_listed_by_what_they_are_and_in_the_order_asked_for, |place| {
    let engine = place.open();
    let of = |id: &str, change: &dyn Fn(&mut User)| {
        let mut user = person(id, &format!("{id}@mail.example"));
        change(&mut user);
        user
    };
    store(
        &engine,
        vec![
            of("cy", &|u| (u.created_at, u.last_login) = (Time(1), Some(Time(30)))),
            of("ann", &|u| (u.created_at, u.active) = (Time(3), false)),
            of("bob", &|u| {
                u.roles = vec!["user".into(), "admin".into()];
                (u.created_at, u.updated_at, u.last_login) = (Time(2), Time(50), Some(Time(20)));
            }),
            of("x_y%z", &|u| (u.created_at, u.roles) = (Time(4), vec!["admin-not".into()])),
        ],
    );
    let f = UserFilter::default;
    assert_eq!(names(&engine, f()), "ann,bob,cy,x_y%z");
    assert_eq!(names(&engine, UserFilter { descending: true, ..f() }), "x_y%z,cy,bob,ann");
    assert_eq!(names(&engine, UserFilter { sort: UserSort::CreatedAt, ..f() }), "cy,bob,ann,x_y%z");
    assert_eq!(names(&engine, UserFilter { active: Some(true), ..f() }), "bob,cy,x_y%z");
    assert_eq!(names(&engine, UserFilter { roles: vec!["admin".into()], ..f() }), "bob");
    assert_eq!(names(&engine, UserFilter { has_logged_in: Some(true), ..f() }), "bob,cy");
    assert_eq!(names(&engine, UserFilter { text: "B".into(), ..f() }), "bob");
    assert_eq!(names(&engine, UserFilter { text: "%".into(), ..f() }), "x_y%z", "no wildcard");
    assert_eq!(names(&engine, UserFilter { text: "mail.example".into(), ..f() }), "");
    let by_address = UserFilter { text: "CY@mail".into(), search_email: true, ..f() };
    assert_eq!(names(&engine, by_address), "cy");
    assert_eq!(names(&engine, UserFilter { ids: Some(vec!["bob".into()]), ..f() }), "bob");
    assert_eq!(names(&engine, UserFilter { ids: Some(Vec::new()), ..f() }), "");
    assert_eq!(names(&engine, UserFilter { except: vec!["bob".into()], ..f() }), "ann,cy,x_y%z");
    assert_eq!(names(&engine, UserFilter { changed_after: Some(Time(10)), ..f() }), "bob");
    let page = read(&engine, move |tx| tx.users(&f(), Page { offset: 1, count: 2 }));
    assert_eq!((page.total, page.items[0].username.as_str(), page.items.len()), (4, "bob", 2));
    assert_eq!(read(&engine, move |tx| tx.count_users(&f())), 4);
});

story!(secrets_are_kept_apart_and_go_with_their_user, |place| {
    let engine = place.open();
    store(&engine, vec![person("ann", "a@example.org")]);
    assert!(read(&engine, |tx| tx.secrets(&"ann".into())) == Secrets::default());
    let secrets = Secrets {
        password: Some("$argon2id$…".into()),
        totp: Some("sealed".into()),
        totp_pending: Some("offered".into()),
        totp_step: Some(u64::from(u32::MAX) + 1),
        recovery: vec![[7; 32], [255; 32]],
        email_codes: true,
    };
    let kept = secrets.clone();
    write(&engine, move |tx| tx.put_secrets(&"ann".into(), &kept)).unwrap();
    assert!(read(&engine, |tx| tx.secrets(&"ann".into())) == secrets);
    write(&engine, |tx| tx.remove_user(&"ann".into())).unwrap();
    assert_eq!(read(&engine, |tx| tx.user(&"ann".into())), None);
    store(&engine, vec![person("ann", "a@example.org")]);
    assert!(read(&engine, |tx| tx.secrets(&"ann".into())) == Secrets::default(), "a namesake begins anew");
});

fn session(id: &str, user: &str, kind: SessionKind, expires: Option<i64>) -> Session {
    let mut token_hash = [0; 32];
    token_hash[..id.len()].copy_from_slice(id.as_bytes());
    Session {
        id: id.into(),
        user: user.into(),
        token_hash,
        kind,
        created_at: Time(5),
        used_at: Time(5),
        expires_at: expires.map(Time),
        user_agent: "a browser".into(),
        address: "::1".into(),
    }
}

story!(sessions_are_found_by_their_tokens_and_end_one_by_one_or_together, |place| {
    let engine = place.open();
    store(&engine, vec![person("ann", "a@example.org"), person("bob", "b@example.org")]);
    let personal = SessionKind::PersonalToken { name: "bot".into(), last_six: "abcdef".into(), bypass: true };
    let all = [
        session("one", "ann", SessionKind::Login, Some(100)),
        session("two", "ann", SessionKind::Login, Some(200)),
        session("bot", "ann", personal, None),
        session("app", "ann", SessionKind::Application { app: "zapier".into() }, Some(200)),
        session("his", "bob", SessionKind::Login, Some(200)),
    ];
    let stored = all.clone();
    write(&engine, move |tx| stored.iter().try_for_each(|session| tx.insert_session(session))).unwrap();
    for session in &all {
        let hash = session.token_hash;
        assert_eq!(read(&engine, move |tx| tx.session_by_token(&hash)).as_ref(), Some(session));
    }
    assert_eq!(read(&engine, |tx| tx.session_by_token(&[9; 32])), None);
    let ids = |user: &'static str| {
        let mut ids: Vec<String> = read(&engine, move |tx| tx.sessions(&user.into()))
            .into_iter()
            .map(|session| session.id.as_str().to_owned())
            .collect();
        ids.sort();
        ids.join(",")
    };
    assert_eq!(ids("ann"), "app,bot,one,two");
    for at in [70, 60] {
        write(&engine, move |tx| tx.put_session_use(&"one".into(), Time(at))).unwrap();
        let used = read(&engine, |tx| tx.log_in(&"one".into())).unwrap().used_at;
        assert_eq!(used, Time(70), "the last use holds, whichever node writes later");
    }
    assert_eq!(read(&engine, |tx| tx.log_ins(ALL)).total, 3, "log-ins alone");
    assert!(write(&engine, |tx| tx.remove_session(&"two".into())).unwrap());
    assert!(!write(&engine, |tx| tx.remove_session(&"two".into())).unwrap());
    assert_eq!(write(&engine, |tx| tx.remove_expired_sessions(Time(150))).unwrap(), 1);
    assert_eq!(ids("ann"), "app,bot", "what never ends stays");
    write(&engine, |tx| tx.insert_session(&session("new", "ann", SessionKind::Login, Some(900)))).unwrap();
    write(&engine, |tx| tx.insert_session(&session("own", "ann", SessionKind::Login, Some(900)))).unwrap();
    write(&engine, |tx| tx.remove_sessions(&"ann".into(), Some(&"own".into()), false)).unwrap();
    assert!(ids("ann").contains("own") && ids("ann").contains("bot") && !ids("ann").contains("new"));
    write(&engine, |tx| tx.remove_sessions(&"ann".into(), None, true)).unwrap();
    assert!(!ids("ann").contains("own") && !ids("ann").contains("bot"));
    assert_eq!(ids("bob"), "his");
});

story!(what_a_host_says_of_a_user_is_kept_and_another_id_leads_to_the_same_user, |place| {
    let engine = place.open();
    let host = HostFacts {
        words: vec!["OPS".into(), "VENDOR".into()],
        given: vec!["ops".into()],
        vendor: Some("v-9".into()),
        known: true,
        placeholder: true,
        first_id: None,
    };
    let waiting =
        User { host: host.clone(), roles: vec!["ops".into()], ..person("by-name", "n@example.org") };
    store(&engine, vec![waiting, person("ann", "a@example.org")]);
    assert_eq!(read(&engine, |tx| tx.user(&"by-name".into())).unwrap().host, host);
    write(&engine, |tx| {
        tx.insert_room(&samples::room("r"))?;
        tx.insert_membership(&samples::membership("r", "by-name"))?;
        let open =
            parlor_core::room::Room { kind: parlor_core::room::RoomKind::Channel, ..samples::room("o") };
        tx.insert_room(&open)?;
        let ban = |id: &str| Document {
            id: id.into(),
            key: "o".into(),
            body: parlor_core::json::Json::object(),
            updated_at: Time(0),
        };
        tx.put_document("bans", &ban("o by-name"))?;
        tx.put_document("bans", &ban("o ann"))?;
        let ignoring =
            Membership { ignored: vec!["ann".into(), "by-name".into()], ..samples::membership("r", "ann") };
        tx.insert_membership(&ignoring)?;
        let liked = Reaction { emoji: ":ant:".into(), users: vec![("by-name".into(), "N".into())] };
        let message = tx.append_message(samples::message("m", "r", "ann", 1))?;
        let taken = tx.advance(&"r".into())?;
        tx.update_message(&Message { reactions: vec![liked], rev: taken.position, ..message })?;
        let key = tx.one("SELECT key FROM rooms WHERE id = $1", params!["o"], |row| row.get::<i64>(0))?;
        for person in ["by-name", "u-1"] {
            let sql = "INSERT INTO ticket_people (room, part, person, place) VALUES ($1, 0, $2, 0)";
            tx.exec(sql, params![key, person])?;
        }
        let sql =
            "INSERT INTO mail_links (hash, purpose, whom, address, expires_at) VALUES ('h', 0, $1, '', 9)";
        tx.exec(sql, params!["by-name"])?;
        let own = Document { id: "e".into(), key: "by-name".into(), ..ban("e") };
        tx.put_document("exports", &own)
    })
    .unwrap();
    write(&engine, |tx| {
        tx.rename_user(&"by-name".into(), &"u-1".into())?;
        let renamed = tx.user(&"u-1".into())?.expect("it has its new id");
        let first_id = Some(UserId::new("by-name"));
        tx.update_user(&User {
            host: HostFacts { placeholder: false, first_id, ..renamed.host.clone() },
            ..renamed
        })
    })
    .unwrap();
    for id in ["u-1", "by-name"] {
        let found = read(&engine, move |tx| tx.user(&id.into())).expect("both lead there");
        assert_eq!((found.id.as_str(), found.host.placeholder), ("u-1", false), "{id}");
        assert_eq!(found.host.first_id.as_deref(), Some("by-name"));
    }
    assert!(read(&engine, |tx| tx.membership(&"r".into(), &"u-1".into())).is_some());
    let seen = |user: &'static str| {
        let filter = RoomFilter { visible_to: Some(user.into()), ..RoomFilter::default() };
        read(&engine, move |tx| tx.rooms(&filter, ALL)).items.len()
    };
    assert_eq!(seen("u-1"), 1, "a ban goes with the user, and the room with it");
    assert_eq!(seen("ann"), 1, "the room that she is in");
    write(&engine, |tx| tx.remove_document("bans", "o ann")).unwrap();
    assert_eq!(seen("ann"), 2);
    let left = read(&engine, |tx| tx.documents("bans", Some("o"), ALL)).items;
    assert_eq!(left.iter().map(|ban| ban.id.as_str()).collect::<Vec<_>>(), ["o u-1"]);
    let ignoring = read(&engine, |tx| tx.membership(&"r".into(), &"ann".into())).expect("she is a member");
    assert_eq!(ignoring.ignored, ["ann".into(), UserId::new("u-1")], "who is ignored stays ignored");
    let message = read(&engine, |tx| tx.message(&"m".into())).expect("it is there");
    assert_eq!(message.reactions[0].users[0].0.as_str(), "u-1", "a reaction is the same person's");
    for (table, column) in [("ticket_people", "person"), ("mail_links", "whom"), ("documents", "look_up")] {
        let count = |id: &'static str| {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1");
            read(&engine, move |tx| Ok(tx.one(&sql, params![id], |row| row.get::<i64>(0))?))
        };
        assert_eq!((count("by-name"), count("u-1")), (0, 1), "{table}");
    }
});
