//! The desk: who hears of all support cases. A listener may take its seat before it is entitled; whether it hears
//! follows the user's role from then on.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{Global, Hub, Kind, Subscription, add, crowd::Entry};
use crate::{cases::is_control, id::UserId, user::User};

/// Everybody with a seat; those who hear are in the crowd.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) heard: Global,
    /// By serial. Taken before the crowd's lock, after the gate.
    seats: Mutex<FxHashMap<u64, Seat>>,
}

struct Seat {
    entry: Entry,
    /// How new the word about the role is that it was judged by; older ones don't count.
    access: i64,
    hears: bool,
}

impl Desk {
    /// Takes a seat, and hears nothing before it is judged.
    pub(super) fn sit(&self, entry: Entry) {
        self.seats.lock().insert(entry.serial, Seat { entry, access: i64::MIN, hears: false });
    }

    pub(super) fn take(&self, subscription: Subscription) -> Option<Entry> {
        let mut seats = self.seats.lock();
        let seat = seats.remove(&subscription.serial)?;
        self.heard.take(subscription);
        Some(seat.entry)
    }

    /// Lets it hear or not, as this word about the role says. `true` when it lost the right.
    fn judge(&self, subscription: Subscription, access: i64, entitled: bool) -> bool {
        let _gate = self.heard.gate.lock();
        let mut seats = self.seats.lock();
        let Some(seat) = seats.get_mut(&subscription.serial).filter(|seat| seat.access <= access) else {
            return false;
        };
        seat.access = access;
        match (std::mem::replace(&mut seat.hears, entitled), entitled) {
            (false, true) => self.heard.crowd.lock().add(seat.entry.clone()),
            (true, false) => {
                self.heard.take(subscription);
                seat.entry.listener.revoked();
                return true;
            }
            _ => {}
        }
        false
    }
}

impl Hub {
    /// Judges a seat at the desk by the user as read after `listen`. A newer word that was heard since counts more.
    pub fn seat(&self, subscription: Subscription, user: &User) {
        if subscription.kind == Kind::Desk && self.desk.judge(subscription, user.access, is_control(user)) {
            add(&self.counts.revoked, 1);
        }
    }

    /// Judges all seats of a user whose roles may have changed.
    pub(super) fn reseat(&self, id: &UserId, user: &User) {
        let Some(cell) = self.cell(id) else { return };
        let is_seat = |s: &Subscription, who: &super::crowd::Who| s.kind == Kind::Desk && !who.system;
        let seats: Vec<_> = {
            let state = cell.state.lock();
            state.subscriptions.iter().filter(|(s, who)| is_seat(s, who)).map(|(s, _)| *s).collect()
        };
        seats.into_iter().for_each(|seat| self.seat(seat, user));
    }
}
