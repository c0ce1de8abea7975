use super::*;

const S: Duration = Duration::from_secs(1);

fn told(presence: &Presence, now: Duration) -> Vec<Status> {
    presence.tick(now).into_iter().map(|(_, status)| status).collect()
}

fn ann() -> UserId {
    "ann".into()
}

#[test]
fn a_user_is_online_while_connected_and_offline_after_the_grace() {
    let presence = Presence::default();
    presence.connected(&ann(), 1, Status::Online);
    presence.connected(&ann(), 2, Status::Online);
    presence.connected(&ann(), 2, Status::Online);
    assert_eq!((presence.connections(), told(&presence, S)), (2, vec![Status::Online]));
    presence.disconnected(&ann(), 1, S);
    presence.disconnected(&ann(), 2, 2 * S);
    assert_eq!((told(&presence, 6 * S), presence.status(&ann())), (vec![], Status::Online));
    assert_eq!((told(&presence, 7 * S), presence.status(&ann())), (vec![Status::Offline], Status::Offline));
    assert_eq!(presence.connections(), 0);
    assert!(presence.0.lock().all.is_empty(), "whoever is gone is forgotten");
}

fn at(whereabouts: Whereabouts) -> Shared {
    Shared { user: ann(), chosen: Status::Online, whereabouts }
}

#[test]
fn whoever_is_connected_to_another_node_is_online_until_that_node_or_the_user_goes() {
    let (presence, other) = (Presence::default(), NodeId(7));
    presence.share();
    let there = at(Whereabouts::There { away: false });
    presence.all_elsewhere(other, std::slice::from_ref(&there), S);
    assert_eq!((presence.connections(), told(&presence, S)), (0, vec![Status::Online]));
    assert_eq!((presence.moved(), presence.shared()), (vec![], vec![]), "that node tells of it itself");
    presence.elsewhere(other, &at(Whereabouts::There { away: true }), S);
    assert_eq!(presence.attention(&ann()), Attention::Idle);
    presence.connected(&ann(), 1, Status::Online);
    assert_eq!((presence.connections(), presence.moved()), (1, vec![there]));
    presence.all_elsewhere(other, &[], 2 * S);
    assert_eq!(presence.status(&ann()), Status::Online, "still connected here");
    presence.disconnected(&ann(), 1, 2 * S);
    assert_eq!(presence.moved()[0].whereabouts, Whereabouts::Gone);
    assert_eq!((told(&presence, 7 * S), presence.status(&ann())), (vec![Status::Offline], Status::Offline));
}

#[test]
fn a_status_declared_on_one_node_shows_on_the_other_without_an_echo() {
    let (here, there) = (Presence::default(), Presence::default());
    here.share();
    there.share();
    here.declare(&ann(), Status::Busy);
    here.moved().iter().for_each(|one| there.elsewhere(NodeId(1), one, S));
    assert_eq!(told(&there, S), [Status::Busy]);
    there.moved().iter().for_each(|one| here.elsewhere(NodeId(2), one, S));
    assert_eq!((here.moved(), here.status(&ann())), (vec![], Status::Busy));
}

#[test]
fn whoever_comes_back_within_the_grace_was_never_gone() {
    let presence = Presence::default();
    presence.connected(&ann(), 1, Status::Online);
    presence.tick(S);
    presence.disconnected(&ann(), 1, 2 * S);
    presence.connected(&ann(), 2, Status::Online);
    assert_eq!(told(&presence, 10 * S), []);
}

#[test]
fn a_user_is_away_when_nobody_sits_at_any_connection() {
    let presence = Presence::default();
    presence.connected(&ann(), 1, Status::Online);
    presence.connected(&ann(), 2, Status::Online);
    presence.away(&ann(), 1, true);
    assert_eq!(presence.status(&ann()), Status::Online);
    presence.away(&ann(), 2, true);
    assert_eq!(presence.status(&ann()), Status::Away);
    presence.away(&ann(), 1, false);
    assert_eq!(told(&presence, S), [Status::Online], "what changed back is not told");
}

#[test]
fn the_choice_stands_above_what_the_connections_say_but_not_above_absence() {
    let presence = Presence::default();
    presence.chose(&ann(), Status::Busy);
    assert_eq!(presence.status(&ann()), Status::Offline);
    presence.connected(&ann(), 1, Status::Busy);
    presence.away(&ann(), 1, true);
    assert_eq!(presence.status(&ann()), Status::Busy);
    presence.declare(&ann(), Status::Offline);
    assert_eq!(presence.status(&ann()), Status::Offline, "invisible");
    presence.chose(&ann(), Status::Away);
    assert_eq!(told(&presence, S), [Status::Away]);
}

#[test]
fn whoever_becomes_invisible_with_a_text_is_told_as_gone() {
    let presence = Presence::default();
    presence.connected(&ann(), 1, Status::Online);
    presence.declare(&ann(), Status::Busy);
    assert_eq!(told(&presence, S), [Status::Busy]);
    presence.retell(&ann());
    assert_eq!(told(&presence, S), [Status::Busy], "with another text");
    presence.declare(&ann(), Status::Offline);
    presence.retell(&ann());
    assert_eq!(told(&presence, S), [Status::Offline]);
    presence.retell(&ann());
    assert_eq!(told(&presence, S), []);
}

#[test]
fn a_status_set_without_any_connection_shows_until_connections_change() {
    let presence = Presence::default();
    presence.declare(&ann(), Status::Busy);
    assert_eq!(told(&presence, S), [Status::Busy]);
    assert_eq!(told(&presence, 60 * S), []);
    presence.connected(&ann(), 1, Status::Online);
    assert_eq!(told(&presence, 61 * S), [Status::Online]);
}

#[test]
fn a_new_text_is_told_although_the_status_is_the_same() {
    let presence = Presence::default();
    presence.connected(&ann(), 1, Status::Online);
    presence.tick(S);
    presence.retell(&ann());
    assert_eq!(told(&presence, 2 * S), [Status::Online]);
    presence.retell(&"bob".into());
    assert_eq!(told(&presence, 3 * S), []);
}

#[test]
fn what_nobody_has_connected_changes_nothing() {
    let presence = Presence::default();
    presence.disconnected(&ann(), 1, S);
    presence.away(&ann(), 1, true);
    assert_eq!((told(&presence, S), presence.online(10)), (vec![], vec![]));
}
