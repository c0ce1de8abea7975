//! Whoever loses access hears nothing that is later.

use super::*;
use crate::user::User;

fn user(id: &str, active: bool, access: i64) -> Arc<User> {
    Arc::new(User { active, access, ..samples::user(id) })
}

fn user_changed(id: &str, active: bool, access: i64) -> Fact {
    let before = Some(user(id, true, 0));
    loose(Event::User { user: user(id, active, access), change: Change::Changed, before })
}

#[test]
fn a_removed_member_hears_nothing_later_and_the_others_hear_it_all() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 4);
    let (bob, _) = listen(&hub, "bob", "r", 4);
    let asked = hub.publish(vec![at("r", 5), left("r", 6, "bob"), at("r", 7)], MS);
    let round = round(&asked, &["bob"]);
    assert_eq!((ann.heard(), bob.heard()), ("5".into(), "5".into()));
    hub.publish(vec![at("r", 8)], MS);
    hub.judged(&"r".into(), round, &["bob".into()], &[], MS);
    assert_eq!(ann.heard(), "7 8");
    assert_eq!(bob.heard(), "revoked");
}

#[test]
fn whoever_leaves_a_room_that_all_may_read_goes_on_listening() {
    let hub = Hub::new();
    let (bob, _) = listen(&hub, "bob", "r", 4);
    let asked = hub.publish(vec![left("r", 5, "bob"), at("r", 6)], MS);
    hub.judged(&"r".into(), round(&asked, &["bob"]), &[], &[], MS);
    assert_eq!(bob.heard(), "6");
}

#[test]
fn a_revocation_that_comes_early_waits_for_its_position() {
    let hub = Hub::new();
    let (bob, _) = listen(&hub, "bob", "r", 4);
    assert_eq!(hub.publish(vec![at("r", 7), left("r", 6, "bob")], MS), []);
    let asked = hub.publish(vec![at("r", 5)], MS);
    assert_eq!(bob.heard(), "5");
    hub.judged(&"r".into(), round(&asked, &["bob"]), &["bob".into()], &[], MS);
    assert_eq!(bob.heard(), "revoked");
}

#[test]
fn a_change_of_the_rooms_access_judges_all_and_any_other_change_nobody() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 4);
    let (bob, _) = listen(&hub, "bob", "r", 4);
    let asked = hub.publish(vec![changed("r", 5, 1)], MS);
    hub.judged(&"r".into(), round(&asked, &["ann", "bob"]), &["bob".into()], &[], MS);
    assert_eq!((ann.heard(), bob.heard()), ("room".into(), "revoked".into()));
    assert_eq!(hub.publish(vec![changed("r", 6, 1)], MS), []);
    assert_eq!(ann.heard(), "room");
}

#[test]
fn whoever_was_judged_before_the_first_fact_of_a_room_is_judged_again() {
    let hub = Hub::new();
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Room("r".into()), &actor("bob"), ear.clone());
    // What came before this position may have been bob's removal; it may never come.
    let asked = hub.publish(vec![at("r", 5)], MS);
    assert!(hub.activate(subscription, Some(3)));
    hub.judged(&"r".into(), round(&asked, &["bob"]), &["bob".into()], &[], MS);
    assert_eq!(ear.heard(), "revoked");
}

#[test]
fn a_subscription_that_is_not_yet_judged_is_lost_as_well() {
    let hub = Hub::new();
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Room("r".into()), &actor("bob"), ear.clone());
    let asked = hub.publish(vec![left("r", 5, "bob")], MS);
    hub.judged(&"r".into(), round(&asked, &["bob"]), &["bob".into()], &[], MS);
    assert!(!hub.activate(subscription, None));
    assert_eq!(ear.heard(), "revoked");
}

#[test]
fn an_answer_to_an_overtaken_question_is_ignored() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 4);
    let first = round(&hub.publish(vec![left("r", 5, "ann"), at("r", 6)], MS), &["ann"]);
    let asked = hub.publish(
        vec![loose(Event::Permission { id: "view-c-room".into(), roles: [].into(), at: Time(0) })],
        MS,
    );
    let second = round(&asked, &["ann"]);
    hub.judged(&"r".into(), first, &[], &[], MS);
    assert_eq!(ann.heard(), "");
    hub.judged(&"r".into(), second, &[], &[], MS);
    assert_eq!(ann.heard(), "6");
}

#[test]
fn a_question_without_an_answer_is_asked_again_and_the_room_stands_still() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 4);
    let asked = hub.publish(vec![left("r", 5, "ann"), at("r", 6)], Duration::ZERO);
    let round = round(&asked, &["ann"]);
    assert_eq!(hub.tick(50 * MS), []);
    hub.unjudged(&"r".into(), round);
    assert_eq!(hub.tick(100 * MS), asked);
    assert_eq!(hub.tick(150 * MS), []);
    assert_eq!(hub.tick(5_100 * MS), asked, "its answer was lost");
    assert_eq!(ann.heard(), "");
}

#[test]
fn a_changed_role_judges_the_rooms_of_that_user_only() {
    let hub = Hub::new();
    let (_ann, _) = listen(&hub, "ann", "r", 4);
    let (bob, _) = listen(&hub, "bob", "r", 4);
    assert_eq!(hub.publish(vec![user_changed("bob", true, 0)], MS), []);
    let round = round(&hub.publish(vec![user_changed("bob", true, 1)], MS), &["bob"]);
    hub.judged(&"r".into(), round, &["bob".into()], &[], MS);
    assert_eq!(bob.heard(), "revoked");
}

#[test]
fn a_deactivated_user_loses_everything_at_once() {
    let hub = Hub::new();
    let ear = Ear::new();
    let all = [Interest::User, Interest::Inbox, Interest::LoggedIn, Interest::Everyone, Interest::Presence];
    for interest in all {
        hub.listen(interest, &actor("bob"), ear.clone());
    }
    let (room, _) = listen(&hub, "bob", "r", 4);
    hub.publish(vec![user_changed("bob", false, 1), at("r", 5)], MS);
    assert_eq!(room.heard(), "revoked");
    assert_eq!(ear.heard(), "revoked revoked revoked revoked revoked");
    assert_eq!(hub.figures(), Figures { published: 2, revoked: 6, ..Figures::default() });
}

#[test]
fn an_ended_session_hears_so_and_loses_its_subscriptions_and_others_stay() {
    let hub = Hub::new();
    let (phone, laptop) = (Ear::new(), Ear::new());
    let other = Actor::user("bob".into(), Some("laptop".into()));
    hub.listen(Interest::User, &actor("bob"), phone.clone());
    hub.listen(Interest::User, &other, laptop.clone());
    let (room, _) = listen(&hub, "bob", "r", 4);
    let ended = |session: Option<&str>, kept: Option<&str>| {
        let (session, kept) = (session.map(Into::into), kept.map(Into::into));
        loose(Event::SessionsEnded { user: "bob".into(), session, kept })
    };
    hub.publish(vec![ended(Some("bob-phone"), None), at("r", 5)], MS);
    assert_eq!(phone.heard(), "ended revoked");
    assert_eq!(room.heard(), "revoked");
    assert_eq!(laptop.heard(), "ended");
    hub.publish(vec![ended(None, Some("laptop"))], MS);
    assert_eq!(laptop.heard(), "ended");
    hub.publish(vec![ended(None, None)], MS);
    assert_eq!(laptop.heard(), "ended revoked");
}

#[test]
fn a_removed_room_is_told_and_then_nobody_listens_to_it() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![placed("r", 5, Event::RoomRemoved { room: room("r", 1) }), at("r", 6)], MS);
    assert_eq!(ann.heard(), "room-removed revoked");
    assert_eq!(hub.figures().rooms, 0);
}

#[test]
fn typing_is_not_kept_while_a_room_stands_still_but_read_marks_are() {
    let hub = Hub::new();
    let (ann, _) = listen(&hub, "ann", "r", 4);
    let typing = Event::Activity {
        room: "r".into(),
        user: "bob".into(),
        name: "bob".into(),
        activities: Arc::new([]),
        thread: None,
        origin: 0,
    };
    let read = Event::Read {
        room: "r".into(),
        user: "bob".into(),
        seq: 3,
        thread: None,
        at: Time(0),
        named: std::sync::Arc::new([]),
    };
    let asked = hub.publish(vec![left("r", 5, "ann")], MS);
    hub.publish(vec![loose(typing.clone()), loose(read)], MS);
    assert_eq!(ann.heard(), "");
    hub.judged(&"r".into(), round(&asked, &["ann"]), &[], &[], MS);
    hub.publish(vec![loose(typing)], MS);
    assert_eq!(ann.heard(), "read typing");
}
