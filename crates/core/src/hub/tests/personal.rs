//! Inboxes, personal events, presence.

use super::*;

fn inbox(hub: &Hub, user: &str, rooms: &[&str]) -> (Arc<Ear>, Subscription) {
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Inbox, &actor(user), ear.clone());
    let rooms: Vec<(RoomId, i64)> = rooms.iter().map(|r| (RoomId::from(*r), 4)).collect();
    assert_eq!(hub.follow_rooms(subscription, &rooms, true, MS), []);
    (ear, subscription)
}

/// Answers the only question: they are members.
fn still_members(hub: &Hub, asked: &[Output], about: &[&str]) {
    let [Output::Judge { room, round, followers, .. }] = asked else { panic!("one question, not {asked:?}") };
    assert_eq!(followers.iter().map(|u| u.as_str()).collect::<Vec<_>>(), about);
    hub.judged(room, *round, &[], &[], MS);
}

#[test]
fn an_inbox_hears_the_news_of_its_rooms_and_of_no_other() {
    let hub = Hub::new();
    let (ann, subscription) = inbox(&hub, "ann", &["r", "s"]);
    hub.publish(vec![at("r", 5), at("t", 6), at("s", 5)], MS);
    assert_eq!(ann.heard(), "5 5");
    hub.end(subscription);
    hub.publish(vec![at("r", 8)], MS);
    assert_eq!(ann.heard(), "");
    assert_eq!((hub.figures().rooms, hub.figures().users), (0, 0));
}

/// An inbox that hears of no messages.
struct Aloof(Arc<Ear>);

impl Listener for Aloof {
    fn hear(&self, published: &Arc<Published>) {
        self.0.hear(published);
    }
    fn wants_messages(&self) -> bool {
        false
    }
    fn revoked(&self) {}
}

#[test]
fn an_inbox_that_wants_no_messages_hears_all_else_and_keeps_nobody_from_hearing_them() {
    let hub = Hub::new();
    let ear = Ear::new();
    let aloof = hub.listen(Interest::Inbox, &actor("ann"), Arc::new(Aloof(ear.clone())));
    hub.follow_rooms(aloof, &[("r".into(), 4)], true, MS);
    let of_another = joined("r", 6, "bob");
    hub.publish(vec![at("r", 5), of_another], MS);
    assert_eq!(ear.heard(), "member");
    let (reader, subscription) = inbox(&hub, "ann", &["r"]);
    hub.publish(vec![at("r", 7)], MS);
    assert_eq!(reader.heard(), "7");
    hub.end(subscription);
    ear.heard();
    hub.publish(vec![at("r", 8)], MS);
    assert_eq!((ear.heard(), reader.heard()), ("".into(), "".into()));
}

#[test]
fn memberships_come_and_go_by_their_events() {
    let hub = Hub::new();
    let (ann, _) = inbox(&hub, "ann", &[]);
    let asked = hub.publish(vec![at("r", 1), joined("r", 2, "ann"), at("r", 3)], MS);
    assert_eq!(ann.heard(), "", "nobody knew this room, so the word may be an old one");
    still_members(&hub, &asked, &["ann"]);
    assert_eq!(ann.heard(), "3");
    hub.publish(vec![left("r", 4, "ann"), at("r", 5)], MS);
    assert_eq!(ann.heard(), "");
    assert_eq!(hub.figures().rooms, 0);
}

#[test]
fn a_room_left_while_memberships_are_loaded_does_not_come_back() {
    let hub = Hub::new();
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Inbox, &actor("ann"), ear.clone());
    let asked = hub.publish(vec![left("r", 4, "ann"), left("s", 9, "ann"), joined("s", 10, "ann")], MS);
    still_members(&hub, &asked, &["ann"]);
    hub.follow_rooms(subscription, &[("r".into(), 3), ("s".into(), 8)], true, MS);
    hub.publish(vec![at("r", 5), at("s", 11)], MS);
    assert_eq!(ear.heard(), "11");
    // Read after the end of an earlier membership: that end is no news.
    let other = hub.listen(Interest::Inbox, &actor("bob"), ear.clone());
    hub.publish(vec![left("t", 4, "bob")], MS);
    hub.follow_rooms(other, &[("t".into(), 6)], true, MS);
    hub.publish(vec![left("t", 4, "bob"), at("t", 7)], MS);
    assert_eq!(ear.heard(), "7");
}

#[test]
fn a_second_connection_shares_the_rooms_of_the_first() {
    let hub = Hub::new();
    let (first, one) = inbox(&hub, "ann", &["r"]);
    let second = Ear::new();
    let two = hub.listen(Interest::Inbox, &actor("ann"), second.clone());
    assert!(hub.knows_rooms(two));
    hub.end(one);
    hub.publish(vec![at("r", 5)], MS);
    assert_eq!((first.heard(), second.heard()), ("".into(), "5".into()));
}

#[test]
fn news_that_come_late_reach_an_inbox_all_the_same() {
    let hub = Hub::new();
    let (ann, _) = inbox(&hub, "ann", &["r"]);
    hub.publish(vec![at("r", 5)], MS);
    hub.publish(vec![at("r", 4)], MS);
    assert_eq!(ann.heard(), "5 4");
}

#[test]
fn after_a_hole_followers_who_are_no_members_any_more_are_dropped() {
    let hub = Hub::new();
    let (ann, _) = inbox(&hub, "ann", &["r"]);
    hub.publish(vec![at("r", 5)], Duration::ZERO);
    hub.publish(vec![at("r", 7)], Duration::ZERO);
    assert_eq!(ann.heard(), "5");
    assert_eq!(hub.tick(100 * MS).len(), 1);
    let asked = hub.repaired(&"r".into(), Piece { after: 5, facts: vec![], upto: 7 }, 110 * MS);
    let [Output::Judge { round, followers, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(followers, &["ann".into()]);
    hub.judged(&"r".into(), *round, &[], &["ann".into()], 111 * MS);
    assert_eq!(ann.heard(), "");
    assert_eq!(hub.figures().rooms, 0);
}

#[test]
fn personal_events_reach_their_user_alone_whether_or_not_the_room_is_kept() {
    let hub = Hub::new();
    let (ann, bob) = (Ear::new(), Ear::new());
    hub.listen(Interest::User, &actor("ann"), ann.clone());
    hub.listen(Interest::User, &actor("bob"), bob.clone());
    let read = Event::Read {
        room: "r".into(),
        user: "ann".into(),
        seq: 3,
        thread: None,
        at: Time(0),
        named: std::sync::Arc::new([]),
    };
    hub.publish(vec![joined("r", 1, "ann"), loose(read), left("r", 2, "ann")], MS);
    assert_eq!(ann.heard(), "member read out");
    assert_eq!(bob.heard(), "");
}

#[test]
fn a_room_listener_hears_read_marks_but_nothing_of_others_memberships() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 0);
    let (_, _) = inbox(&hub, "ann", &["r"]);
    let read = Event::Read {
        room: "r".into(),
        user: "bob".into(),
        seq: 3,
        thread: None,
        at: Time(0),
        named: std::sync::Arc::new([]),
    };
    hub.publish(vec![joined("r", 1, "bob"), loose(read)], MS);
    assert_eq!(ann.heard(), "read");
}

#[test]
fn presence_reaches_those_who_watch_it() {
    let hub = Hub::new();
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Presence, &actor("ann"), ear.clone());
    assert_eq!(hub.watch(subscription, &["bob".into()], &[]), 0);
    assert!(hub.is_watched(&"bob".into()) && !hub.is_watched(&"ann".into()));
    hub.watch(subscription, &["cas".into()], &["bob".into()]);
    assert!(hub.is_watched(&"cas".into()) && !hub.is_watched(&"bob".into()));
    let many: Vec<UserId> = (0..WATCHED).map(|n| UserId::new(n.to_string())).collect();
    assert_eq!(hub.watch(subscription, &many, &[]), 1);
    hub.end(subscription);
    assert_eq!(hub.figures().users, 0);
}

#[test]
fn a_connection_without_login_hears_what_concerns_everyone_only() {
    let hub = Hub::new();
    let ear = Ear::new();
    let subscription = hub.listen_anonymously(ear.clone());
    let facts = [
        Event::Setting { id: "Site_Name".into(), value: crate::setting::Value::Bool(true), at: Time(0) },
        Event::Team { team: "t".into() },
    ];
    hub.publish(facts.map(loose).into(), MS);
    assert_eq!(ear.heard(), "Setting");
    hub.end(subscription);
    hub.publish(
        vec![loose(Event::Setting {
            id: "Site_Name".into(),
            value: crate::setting::Value::Bool(true),
            at: Time(0),
        })],
        MS,
    );
    assert_eq!(ear.heard(), "");
}
