//! What is counted, and under which names.

pub(crate) const MESSAGES: &str = "messages";
pub(crate) const FILES: &str = "files";
pub(crate) const AVATARS: &str = "avatars";
pub(crate) const EMOJI: &str = "emoji";
pub(crate) const USERS: &str = "users";
/// Accounts for authors whose own are gone there.
pub(crate) const GONE: &str = "users gone there";
pub(crate) const ROOMS: &str = "rooms";
pub(crate) const TEAMS: &str = "teams";
pub(crate) const MEMBERS: &str = "memberships";
pub(crate) const ROLES: &str = "roles";
pub(crate) const PERMISSIONS: &str = "permissions";
pub(crate) const SETTINGS: &str = "settings";
pub(crate) const INTEGRATIONS: &str = "integrations";
