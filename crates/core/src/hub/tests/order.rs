//! Positions go out in order, holes are read from the store, and nothing is kept for nobody.

use super::*;

#[test]
fn positions_that_come_early_wait_for_their_turn() {
    let hub = Hub::new();
    let (ear, _) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![at("r", 7)], MS);
    hub.publish(vec![at("r", 6)], MS);
    assert_eq!(ear.heard(), "");
    hub.publish(vec![at("r", 5)], MS);
    assert_eq!(ear.heard(), "5 6 7");
    hub.publish(vec![at("r", 6), at("r", 7), at("r", 8)], MS);
    assert_eq!(ear.heard(), "8");
}

#[test]
fn a_position_without_an_event_holds_nobody_up() {
    let hub = Hub::new();
    let (ear, _) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![at("r", 6)], MS);
    hub.publish(vec![placed("r", 5, Event::Skipped { room: "r".into() })], MS);
    assert_eq!(ear.heard(), "6");
}

#[test]
fn two_facts_of_one_position_are_both_heard() {
    let hub = Hub::new();
    let (ear, _) = listen(&hub, "ann", "r", 4);
    let (team, _) = (Ear::new(), hub.listen(Interest::LoggedIn, &actor("bob"), Ear::new()));
    hub.listen(Interest::LoggedIn, &actor("bob"), team.clone());
    let other = placed("r", 5, Event::Team { team: "t".into() });
    hub.publish(vec![at("r", 5), other, at("r", 5)], MS);
    assert_eq!(ear.heard(), "5 5");
    assert_eq!(team.heard(), "Team");
}

#[test]
fn an_old_hole_is_read_from_the_store_and_the_room_goes_on_after_it() {
    let hub = Hub::new();
    let (ear, _) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![at("r", 6), at("r", 9)], Duration::ZERO);
    assert_eq!(hub.tick(99 * MS), []);
    assert_eq!(hub.tick(100 * MS), [Output::ReadHole { room: "r".into(), after: 4 }]);
    assert_eq!(hub.tick(200 * MS), [], "it is asked once");
    // The store has got further: 5 is newer now (8), so the reading gives 6 and 8, and the jump ends at 8.
    let piece = Piece { after: 4, facts: vec![at("r", 6), at("r", 8)], upto: 8 };
    let asked = hub.repaired(&"r".into(), piece, 210 * MS);
    let round = round(&asked, &["ann"]);
    assert_eq!(ear.heard(), "", "an access change may have been among the missing");
    assert_eq!(hub.judged(&"r".into(), round, &[], &[], 211 * MS), []);
    assert_eq!(ear.heard(), "6 8 9");
    hub.publish(vec![at("r", 7), at("r", 10)], 212 * MS);
    assert_eq!(ear.heard(), "10");
}

#[test]
fn a_reading_from_before_a_room_was_kept_anew_is_thrown_away() {
    let hub = Hub::new();
    let (_, subscription) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![at("r", 6)], Duration::ZERO);
    assert_eq!(hub.tick(100 * MS).len(), 1);
    hub.end(subscription);
    hub.tick(100 * MS);
    let piece = |after| Piece { after, facts: vec![at("r", 5), at("r", 6)], upto: 6 };
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Room("r".into()), &actor("ann"), ear.clone());
    assert_eq!(hub.repaired(&"r".into(), piece(4), 110 * MS), []);
    assert!(hub.activate(subscription, Some(3)));
    assert_eq!(hub.repaired(&"r".into(), piece(4), 110 * MS), [], "position 4 is not in it");
    assert_eq!(ear.heard(), "");
}

#[test]
fn a_hole_that_closes_by_itself_is_not_read() {
    let hub = Hub::new();
    let (ear, _) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![at("r", 6)], Duration::ZERO);
    hub.publish(vec![at("r", 5)], 50 * MS);
    hub.publish(vec![at("r", 8)], 90 * MS);
    assert_eq!(hub.tick(120 * MS), [], "this hole is only 30 ms old");
    hub.publish(vec![at("r", 7)], 130 * MS);
    assert_eq!(hub.tick(500 * MS), []);
    assert_eq!(ear.heard(), "5 6 7 8");
}

#[test]
fn a_hole_that_could_not_be_read_is_asked_for_again() {
    let hub = Hub::new();
    let (_ear, _) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![at("r", 6)], Duration::ZERO);
    let asked = hub.tick(100 * MS);
    assert_eq!(asked.len(), 1);
    hub.unrepaired(&"r".into(), 110 * MS);
    assert_eq!(hub.tick(150 * MS), []);
    assert_eq!(hub.tick(210 * MS), asked);
}

#[test]
fn too_many_waiting_facts_are_read_from_the_store_instead() {
    let hub = Hub::new();
    let (ear, _) = listen(&hub, "ann", "r", 0);
    let own = Ear::new();
    hub.listen(Interest::User, &actor("bob"), own.clone());
    let many = (2..=room::PARKED as i64 + 2).map(|p| at("r", p));
    hub.publish(std::iter::once(joined("r", 20_000, "bob")).chain(many).collect(), 1_000 * MS);
    assert_eq!(hub.figures().parked, 1, "the one that came after");
    assert_eq!(own.heard(), "member", "what concerns a user is not lost");
    assert_eq!(hub.tick(1_001 * MS), [Output::ReadHole { room: "r".into(), after: 0 }]);
    assert_eq!(ear.heard(), "");
}

#[test]
fn a_room_that_nobody_listens_to_is_not_kept() {
    let hub = Hub::new();
    hub.publish(vec![at("r", 5)], MS);
    assert_eq!(hub.figures().rooms, 0);
    let (ear, subscription) = listen(&hub, "ann", "r", 7);
    hub.publish(vec![at("r", 8)], MS);
    assert_eq!((ear.heard().as_str(), hub.figures().rooms), ("8", 1));
    hub.end(subscription);
    hub.end(subscription);
    hub.publish(vec![at("r", 9)], MS);
    assert_eq!(ear.heard(), "");
    let figures = hub.figures();
    assert_eq!((figures.rooms, figures.users), (0, 0));
}

#[test]
fn what_waits_in_a_room_when_its_last_listener_goes_still_reaches_its_user() {
    let hub = Hub::new();
    let own = Ear::new();
    hub.listen(Interest::User, &actor("bob"), own.clone());
    let (_ear, subscription) = listen(&hub, "ann", "r", 4);
    hub.publish(vec![joined("r", 6, "bob")], MS);
    hub.end(subscription);
    assert_eq!(own.heard(), "");
    assert_eq!(hub.tick(2 * MS), []);
    assert_eq!(own.heard(), "member");
    assert_eq!(hub.figures().rooms, 0);
}

#[test]
fn the_first_listener_must_say_where_the_room_stands_and_later_ones_need_not() {
    let hub = Hub::new();
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Room("r".into()), &actor("ann"), ear.clone());
    assert!(hub.wants_position(subscription));
    assert!(hub.activate(subscription, Some(6)));
    // Committed before the position was read, told later: it can be paged, so it is not heard.
    hub.publish(vec![at("r", 6), at("r", 7)], MS);
    assert_eq!(ear.heard(), "7");
    let second = hub.listen(Interest::Room("r".into()), &actor("bob"), Ear::new());
    assert!(!hub.wants_position(second));
}
