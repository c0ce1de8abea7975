//! The field rule: no direct room, group or case is made of field staff alone, and nobody is added so that it becomes
//! one. A room of one person is none of its business.

use crate::{
    classes::Class,
    error::{Result, State},
    id::UserId,
    room::{Room, RoomKind},
    store::Tx,
    user::User,
};

/// Whether the rule knows rooms of this kind.
fn covers(kind: RoomKind) -> bool {
    matches!(kind, RoomKind::Direct | RoomKind::Group | RoomKind::Case)
}

/// Whether these users alone may have a room of this kind.
///
/// # Errors
/// `State(FieldToField)`.
pub(crate) fn check_all<'a>(kind: RoomKind, users: impl Iterator<Item = &'a User>) -> Result<()> {
    let (mut count, mut field) = (0, 0);
    for user in users {
        count += 1;
        field += usize::from(user.class() == Class::Field);
    }
    if covers(kind) && count > 1 && field == count { Err(State::FieldToField.into()) } else { Ok(()) }
}

/// Whether these users may be added to a room, in the transaction that adds them.
///
/// # Errors
/// `State(FieldToField)`.
pub(crate) fn check_added(tx: &mut dyn Tx, room: &Room, added: &[UserId]) -> Result<()> {
    if !covers(room.kind) {
        return Ok(());
    }
    let mut field = 0;
    for id in added {
        match tx.user(id)? {
            Some(user) if user.class() == Class::Field => field += 1,
            Some(_) => return Ok(()),
            None => {}
        }
    }
    if field == 0 || tx.has_others_than_field(&room.id)? {
        return Ok(());
    }
    // Members that are field staff, or a room that nobody is in.
    if room.members as usize + field > 1 { Err(State::FieldToField.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn person(role: &str) -> User {
        User { roles: vec!["user".into(), role.into()], ..samples::user(role) }
    }

    #[test]
    fn field_staff_alone_are_refused_and_anybody_else_helps() {
        let (driver, regulator) = (person("bus-driver"), person("queue-regulator"));
        let control = User { roles: vec!["bus-driver".into(), "control-staff".into()], ..driver.clone() };
        let check = |kind, users: &[&User]| check_all(kind, users.iter().copied());
        for kind in [RoomKind::Direct, RoomKind::Group, RoomKind::Case] {
            assert!(check(kind, &[&driver, &regulator]).is_err());
            assert!(check(kind, &[&driver, &control]).is_ok());
            assert!(check(kind, &[&driver]).is_ok());
        }
        assert!(check(RoomKind::Channel, &[&driver, &regulator]).is_ok());
    }
}
