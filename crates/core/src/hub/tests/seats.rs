//! Seats at the desk.

use super::*;
use crate::user::User;

fn cyd(role: &str, access: i64) -> Arc<User> {
    let roles = vec![crate::id::RoleId::from(role)];
    Arc::new(User { roles, access, ..samples::user("cyd") })
}

fn becomes(role: &str, access: i64) -> Fact {
    loose(Event::User { user: cyd(role, access), change: Change::Changed, before: Some(cyd("user", 1)) })
}

fn desk() -> (Hub, Arc<Ear>, Subscription) {
    let (hub, ear) = (Hub::new(), Ear::new());
    hub.know_cases(Box::new(|_| true));
    let seat = hub.listen(Interest::Desk, &actor("cyd"), ear.clone());
    (hub, ear, seat)
}

#[test]
fn a_seat_hears_from_the_word_that_entitles_it_to_the_word_that_does_not() {
    let (hub, ear, seat) = desk();
    hub.publish(vec![at("r", 1)], MS);
    hub.seat(seat, &cyd("user", 1));
    hub.publish(vec![at("r", 2), becomes("bus-driver", 2), at("r", 3)], MS);
    assert_eq!((ear.heard(), hub.is_heard(&"r".into())), (String::new(), false));
    hub.publish(vec![becomes("control-staff", 3), at("r", 4), becomes("admin", 4), at("r", 5)], MS);
    assert_eq!((ear.heard(), hub.is_heard(&"r".into())), ("4 5".into(), true));
    hub.publish(vec![becomes("user", 5), at("r", 6), becomes("control-admin", 6), at("r", 7)], MS);
    assert_eq!(ear.heard(), "revoked 7");
    hub.end(seat);
    hub.publish(vec![becomes("user", 7), becomes("admin", 8), at("r", 8)], MS);
    assert_eq!(ear.heard(), "");
    assert_eq!((hub.is_heard(&"r".into()), hub.figures().users), (false, 0));
}

#[test]
fn the_newest_word_about_a_seat_counts_whichever_comes_last() {
    let (hub, ear, seat) = desk();
    hub.publish(vec![becomes("control-staff", 3)], MS);
    hub.seat(seat, &cyd("user", 2));
    hub.publish(vec![at("r", 1)], MS);
    assert_eq!(ear.heard(), "1", "what was read before the role was given");
    hub.publish(vec![becomes("user", 4)], MS);
    hub.seat(seat, &cyd("control-staff", 3));
    hub.publish(vec![at("r", 2), becomes("control-staff", 3), at("r", 3)], MS);
    assert_eq!(ear.heard(), "revoked", "what was read before it was taken");
}
