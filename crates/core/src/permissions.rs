//! Who may do what: one table of actions, one judgement, for every door.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::RoleId,
    membership::Membership,
    message::Message,
    room::{Room, RoomKind},
    session::Actor,
    user::User,
};

/// What somebody wants to do. `Own…` and `Any…` are different actions; [`RULES`] says what each takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Action {
    ReadRoom,
    JoinRoom,
    PostMessage,
    EditOwnMessage,
    EditAnyMessage,
    DeleteOwnMessage,
    DeleteAnyMessage,
    React,
    Pin,
    Star,
    ShowTyping,
    UploadFile,
    TakePart,
    EditRoom,
    ArchiveRoom,
    UnarchiveRoom,
    DeleteChannel,
    DeleteGroup,
    DeleteDirect,
    DeleteTeam,
    SetReadOnly,
    SetReactWhenReadOnly,
    ToggleEncryption,
    SetOwner,
    SetModerator,
    SetLeader,
    MuteUser,
    RemoveUser,
    RemoveAnyChannelUser,
    RemoveAnyGroupUser,
    AddUser,
    AddAnyChannelUser,
    AddAnyGroupUser,
    LeaveChannel,
    LeaveGroup,
    StartDiscussion,
    CreateInvite,
    SeeRoom,
    ListAnyMembers,
    ListBroadcastMembers,
    EditTeam,
    EditTeamMember,
    AddTeamMember,
    ListTeamRooms,
    AddTeamRoom,
    CreateTeamChannel,
    CreateTeamGroup,
    DeleteTeamChannel,
    DeleteTeamGroup,
    EditTeamRoom,
    RemoveTeamRoom,
    ConvertTeam,
}

/// How close one must stand to the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// None at all: whoever holds the permission, even without seeing the room. To the others an unreadable room
    /// stays unknown.
    Holder,
    /// Anybody who is logged in.
    LoggedIn,
    /// May read the room.
    Reader,
    /// Is a member of it.
    Member,
}

/// What an action takes.
#[derive(Debug)]
pub struct Rule {
    /// The action.
    pub action: Action,
    /// How close one must stand to the room.
    pub standing: Standing,
    /// One of these permissions (workspace-wide or by a role in the room); none means standing is enough.
    pub any_of: &'static [&'static str],
    /// The room must be open for writing by this member: not archived, not muted, not read-only.
    pub writable: bool,
}

const fn rule(action: Action, standing: Standing, any_of: &'static [&'static str], writable: bool) -> Rule {
    Rule { action, standing, any_of, writable }
}

/// What each action takes. Whoever may read a public room may also write there without having joined.
pub const RULES: &[Rule] = &[
    rule(Action::ReadRoom, Standing::Reader, &[], false),
    rule(Action::JoinRoom, Standing::LoggedIn, &["view-c-room"], false),
    rule(Action::PostMessage, Standing::Reader, &[], true),
    rule(Action::EditOwnMessage, Standing::Reader, &[], true),
    rule(Action::EditAnyMessage, Standing::Reader, &["edit-message"], false),
    rule(Action::DeleteOwnMessage, Standing::Reader, &["delete-own-message", "delete-message"], true),
    rule(Action::DeleteAnyMessage, Standing::Reader, &["delete-message", "force-delete-message"], false),
    rule(Action::React, Standing::Reader, &[], false),
    rule(Action::Pin, Standing::Member, &["pin-message"], false),
    rule(Action::Star, Standing::Member, &[], false),
    rule(Action::ShowTyping, Standing::Reader, &[], true),
    rule(Action::UploadFile, Standing::Reader, &[], true),
    rule(Action::TakePart, Standing::Member, &[], false),
    rule(Action::EditRoom, Standing::Holder, &["edit-room"], false),
    rule(Action::ArchiveRoom, Standing::Holder, &["archive-room"], false),
    rule(Action::UnarchiveRoom, Standing::Holder, &["unarchive-room"], false),
    rule(Action::DeleteChannel, Standing::Holder, &["delete-c"], false),
    rule(Action::DeleteGroup, Standing::Holder, &["delete-p"], false),
    rule(Action::DeleteDirect, Standing::Holder, &["delete-d"], false),
    rule(Action::DeleteTeam, Standing::Holder, &["delete-team"], false),
    rule(Action::SetReadOnly, Standing::Holder, &["set-readonly"], false),
    rule(Action::SetReactWhenReadOnly, Standing::Holder, &["set-react-when-readonly"], false),
    rule(Action::ToggleEncryption, Standing::Holder, &["toggle-room-e2e-encryption"], false),
    rule(Action::SetOwner, Standing::Holder, &["set-owner"], false),
    rule(Action::SetModerator, Standing::Holder, &["set-moderator"], false),
    rule(Action::SetLeader, Standing::Holder, &["set-leader"], false),
    rule(Action::MuteUser, Standing::Holder, &["mute-user"], false),
    rule(Action::RemoveUser, Standing::Reader, &["remove-user"], false),
    rule(Action::RemoveAnyChannelUser, Standing::Holder, &["kick-user-from-any-c-room"], false),
    rule(Action::RemoveAnyGroupUser, Standing::Holder, &["kick-user-from-any-p-room"], false),
    rule(Action::AddUser, Standing::Member, &["add-user-to-joined-room"], false),
    rule(Action::AddAnyChannelUser, Standing::Holder, &["add-user-to-any-c-room"], false),
    rule(Action::AddAnyGroupUser, Standing::Holder, &["add-user-to-any-p-room"], false),
    rule(Action::LeaveChannel, Standing::Member, &["leave-c"], false),
    rule(Action::LeaveGroup, Standing::Member, &["leave-p"], false),
    rule(
        Action::StartDiscussion,
        Standing::Reader,
        &["start-discussion", "start-discussion-other-user"],
        // Its anchor is a line in the room.
        true,
    ),
    rule(Action::CreateInvite, Standing::Member, &["create-invite-links"], false),
    rule(Action::SeeRoom, Standing::Holder, &["view-room-administration"], false),
    rule(Action::ListAnyMembers, Standing::Holder, &["view-members-list-all-rooms"], false),
    rule(Action::ListBroadcastMembers, Standing::Reader, &["view-broadcast-member-list"], false),
    rule(Action::EditTeam, Standing::Holder, &["edit-team"], false),
    rule(Action::EditTeamMember, Standing::Holder, &["edit-team-member"], false),
    rule(Action::AddTeamMember, Standing::Holder, &["add-team-member"], false),
    rule(Action::ListTeamRooms, Standing::Holder, &["view-all-team-channels"], false),
    rule(Action::AddTeamRoom, Standing::Holder, &["add-team-channel"], false),
    rule(Action::CreateTeamChannel, Standing::Holder, &["create-team-channel"], false),
    rule(Action::CreateTeamGroup, Standing::Holder, &["create-team-group"], false),
    rule(Action::DeleteTeamChannel, Standing::Holder, &["delete-team-channel"], false),
    rule(Action::DeleteTeamGroup, Standing::Holder, &["delete-team-group"], false),
    rule(Action::EditTeamRoom, Standing::Holder, &["edit-team-channel"], false),
    rule(Action::RemoveTeamRoom, Standing::Holder, &["remove-team-channel"], false),
    rule(Action::ConvertTeam, Standing::Holder, &["convert-team"], false),
];

/// A favourable judgement and on what it stands; the write checks the versions again in its transaction.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// The user and the access version that was judged.
    pub user: Option<(crate::id::UserId, i64)>,
    /// The room and the access version that was judged.
    pub room: Option<(crate::id::RoomId, i64)>,
    /// Why it was allowed.
    pub why: Why,
}

/// Which rule decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// The server itself acts.
    #[default]
    System,
    /// Standing was enough.
    Standing,
    /// By this permission, through this role.
    Permission(&'static str, RoleId),
}

/// What the action is about.
#[derive(Clone, Copy)]
pub enum Object<'a> {
    /// The workspace.
    Workspace,
    /// A room.
    Room(&'a Arc<Room>),
    /// A message in a room.
    Message(&'a Arc<Room>, &'a Message),
}

/// Everything that the judgement looks at.
struct Case<'a> {
    user: &'a User,
    room: Option<(&'a Room, Option<&'a Membership>)>,
    reach: Reach,
}

/// By what a room is reached, beside membership.
#[derive(Clone, Copy)]
enum Reach {
    /// By membership, or because it is public.
    Ordinary,
    /// A support case: its members, and the control centre. Written to while it is open.
    Case { control: bool, open: bool },
    /// A ticket: by its facts alone.
    Ticket { enters: bool },
}

/// What nobody does to a ticket's room by hand: its members and its name follow from the ticket's facts.
fn follows_from_facts(action: Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::JoinRoom
            | A::EditRoom
            | A::ArchiveRoom
            | A::DeleteGroup
            | A::SetOwner
            | A::SetModerator
            | A::SetLeader
            | A::RemoveUser
            | A::RemoveAnyGroupUser
            | A::AddUser
            | A::AddAnyGroupUser
            | A::LeaveGroup
            | A::CreateInvite
            | A::StartDiscussion
    )
}

fn needs_no_standing(action: Action) -> bool {
    RULES.iter().any(|rule| rule.action == action && rule.standing == Standing::Holder)
}

fn writes(action: Action) -> bool {
    RULES.iter().any(|rule| rule.action == action && rule.writable)
}

impl Chat {
    /// Judges whether the actor may do this to the object. Unknown and unreadable rooms give the same refusal.
    pub async fn authorize(&self, actor: &Actor, action: Action, object: Object<'_>) -> Result<Judgement> {
        let user = self.active_user(actor).await?;
        let room = match object {
            Object::Workspace => None,
            Object::Room(room) | Object::Message(room, _) => Some(room),
        };
        if actor.is_system() {
            return Ok(Judgement::default());
        }
        let membership = match room {
            Some(room) => self.membership(&room.id, &user.id).await?,
            None => None,
        };
        if let Some(room) = room.filter(|room| room.is_direct() && writes(action)) {
            self.check_all_active(room).await?;
        }
        if let (Some(room), None, false) = (room, &membership, needs_no_standing(action))
            && (self.is_hidden_by_team(&user, room).await?
                || (room.is_public() && self.is_banned(room, &user.id).await?))
        {
            return Err(Refusal::NotFound(What::Room));
        }
        let reach = match room {
            Some(room) => self.reach(&user, room).await?,
            None => Reach::Ordinary,
        };
        let case = Case { user: &user, room: room.map(|r| (&**r, membership.as_deref())), reach };
        let why = self.judge(&case, action)?;
        Ok(Judgement {
            user: Some((user.id.clone(), user.access)),
            room: room.map(|r| (r.id.clone(), r.access)),
            why,
        })
    }

    /// Whether the actor holds a permission, workspace-wide or (with a room) by a role in that room.
    pub async fn may(
        &self,
        actor: &Actor,
        permission: &'static str,
        room: Option<&Arc<Room>>,
    ) -> Result<bool> {
        let user = self.active_user(actor).await?;
        if actor.is_system() {
            return Ok(true);
        }
        let membership = match room {
            Some(room) => self.membership(&room.id, &user.id).await?,
            None => None,
        };
        let held = user.roles.iter().chain(membership.iter().flat_map(|m| &m.roles));
        Ok(self.roles().holds_in(held, permission, room.map(|room| &room.id)).is_some())
    }

    /// As [`Chat::may`], with a refusal that names the permission.
    pub async fn require(
        &self,
        actor: &Actor,
        permission: &'static str,
        room: Option<&Arc<Room>>,
    ) -> Result<()> {
        if self.may(actor, permission, room).await? { Ok(()) } else { Err(Refusal::NotAllowed(permission)) }
    }

    fn judge(&self, case: &Case<'_>, action: Action) -> Result<Why> {
        let rule = RULES.iter().find(|r| r.action == action).ok_or(Refusal::NotAllowed("unknown-action"))?;
        let roles = self.roles();
        let by_room = case.room.and_then(|(_, m)| m).map(|m| m.roles.as_slice()).unwrap_or_default();
        let held = || case.user.roles.iter().chain(by_room);
        let place = case.room.map(|(room, _)| &room.id);
        let holds = |permission: &str| roles.holds_in(held(), permission, place);
        if let Some((room, membership)) = case.room {
            let readable = match case.reach {
                Reach::Ordinary => {
                    membership.is_some() || (room.is_public() && holds("view-c-room").is_some())
                }
                Reach::Case { control, .. } => membership.is_some() || control,
                Reach::Ticket { enters } => enters,
            };
            let allowed = || rule.any_of.iter().any(|p| holds(p).is_some());
            let by_holding = rule.standing == Standing::Holder && allowed();
            if !(readable || by_holding) {
                return Err(Refusal::NotFound(What::Room));
            }
            if matches!(case.reach, Reach::Ticket { .. }) && follows_from_facts(action) {
                return Err(Refusal::NotAllowed("ticket-facts"));
            }
            if rule.standing == Standing::Member && membership.is_none() {
                return Err(Refusal::NotMember);
            }
            if rule.writable && matches!(case.reach, Reach::Case { open: false, .. }) {
                return Err(State::CaseClosed.into());
            }
            if rule.writable {
                if membership.is_some_and(|m| m.blocked || m.blocker) {
                    return Err(State::Blocked.into());
                }
                self.check_writable(case.user, room, held)?;
            }
        }
        if rule.any_of.is_empty() {
            return Ok(Why::Standing);
        }
        for &permission in rule.any_of {
            if let Some(role) = holds(permission) {
                return Ok(Why::Permission(permission, role.clone()));
            }
        }
        Err(Refusal::NotAllowed(rule.any_of[0]))
    }

    async fn reach(&self, user: &User, room: &Room) -> Result<Reach> {
        Ok(match room.kind {
            RoomKind::Case => {
                let open = self.case(&room.id).await?.is_none_or(|case| case.closed.is_none());
                Reach::Case { control: crate::cases::is_control(user), open }
            }
            RoomKind::Ticket => Reach::Ticket { enters: self.enters_ticket(user, &room.id).await? },
            _ => Reach::Ordinary,
        })
    }

    /// Channels of a private team and discussions of them are for the team; to others they don't exist.
    pub(crate) async fn is_hidden_by_team(&self, user: &User, room: &Room) -> Result<bool> {
        if !room.is_public() || room.team_main {
            return Ok(false);
        }
        let Some(team) = self.team_around(room).await? else { return Ok(false) };
        if !team.private || self.membership(&team.room, &user.id).await?.is_some() {
            return Ok(false);
        }
        Ok(self.roles().holds(user.roles.iter(), "view-all-team-channels").is_none())
    }

    /// A direct room with a deactivated account in it is for reading only.
    async fn check_all_active(&self, room: &Room) -> Result<()> {
        for id in &room.direct {
            if !self.user(id).await?.is_some_and(|user| user.active) {
                return Err(State::ReadOnly.into());
            }
        }
        Ok(())
    }

    fn check_writable<'a, I: Iterator<Item = &'a RoleId>>(
        &self,
        user: &User,
        room: &Room,
        held: impl Fn() -> I,
    ) -> Result<()> {
        if room.archived {
            return Err(State::Archived.into());
        }
        if room.muted.contains(&user.id) {
            return Err(State::Muted.into());
        }
        if (room.read_only || room.broadcast) && !room.unmuted.contains(&user.id) {
            let roles = self.roles();
            roles.holds_in(held(), "post-readonly", Some(&room.id)).ok_or(Refusal::State(State::ReadOnly))?;
        }
        Ok(())
    }
}
