use super::*;
use crate::samples;

fn channel() -> Room {
    Room { kind: RoomKind::Channel, ..samples::room("r") }
}

#[test]
fn a_default_channel_stays_public_and_a_group_can_be_one_but_no_direct_room() {
    let room = Room { default: true, ..channel() };
    assert_eq!(check(&room, &RoomChange::Kind(RoomKind::Group)), Err(State::DefaultRoom.into()));
    assert!(check(&channel(), &RoomChange::Kind(RoomKind::Group)).is_ok());
    let kind = |kind| Room { kind, ..samples::room("r") };
    assert!(check(&kind(RoomKind::Group), &RoomChange::Default(true)).is_ok());
    assert!(check(&kind(RoomKind::Direct), &RoomChange::Default(true)).is_err());
}

#[test]
fn a_room_is_archived_once() {
    let room = Room { archived: true, ..channel() };
    assert_eq!(check(&room, &RoomChange::Archived(true)), Err(State::Archived.into()));
    assert_eq!(check(&channel(), &RoomChange::Archived(false)), Err(State::NotArchived.into()));
    assert!(check(&room, &RoomChange::Archived(false)).is_ok());
}

#[test]
fn a_direct_room_has_a_topic_but_no_name() {
    let room = Room { kind: RoomKind::Direct, ..samples::room("d") };
    assert!(check(&room, &RoomChange::Topic("t".into())).is_ok());
    assert_eq!(check(&room, &RoomChange::Name("n".into())), Err(State::DirectRoom.into()));
    assert_eq!(check(&room, &RoomChange::ReadOnly(true)), Err(State::DirectRoom.into()));
}

#[test]
fn a_side_panel_shows_one_or_two_distinct_lists_of_a_team() {
    let team = Room { team_main: true, ..channel() };
    let items = |all: &[&str]| RoomChange::Sidepanel(all.iter().map(|s| (*s).to_owned()).collect());
    assert!(check(&team, &items(&["channels", "discussions"])).is_ok());
    for bad in [&["channels", "channels"][..], &["x"], &["channels", "discussions", "channels"]] {
        assert!(check(&team, &items(bad)).is_err(), "{bad:?}");
    }
    assert!(check(&channel(), &items(&["channels"])).is_err());
}

#[test]
fn texts_are_bounded() {
    assert!(check(&channel(), &RoomChange::Topic("x".repeat(MAX_TEXT))).is_ok());
    assert!(check(&channel(), &RoomChange::Topic("x".repeat(MAX_TEXT + 1))).is_err());
    assert!(check(&channel(), &RoomChange::JoinCode(Some("x".repeat(101)))).is_err());
    assert!(check(&channel(), &RoomChange::JoinCode(Some("a\0".into()))).is_err());
    assert!(check(&channel(), &RoomChange::Topic("a\0".into())).is_err());
    assert!(check(&channel(), &RoomChange::HiddenSystem(vec!["two words".into()])).is_err());
}

#[test]
fn a_favourite_needs_a_default_room() {
    let step = |change| Step { change, names: None, notice: None, judgement: Judgement::default() };
    let mut room = channel();
    apply(&mut room, &step(RoomChange::Favourite(true)));
    assert!(!room.favourite);
    apply(&mut room, &step(RoomChange::Default(true)));
    apply(&mut room, &step(RoomChange::Favourite(true)));
    assert!(room.favourite);
    apply(&mut room, &step(RoomChange::Default(false)));
    assert!(!room.favourite);
}

#[test]
fn nothing_is_told_when_nothing_changes() {
    let step = |change| Step { change, names: None, notice: None, judgement: Judgement::default() };
    assert!(!differs(&channel(), &step(RoomChange::ReadOnly(false))));
    assert!(differs(&channel(), &step(RoomChange::ReadOnly(true))));
}
