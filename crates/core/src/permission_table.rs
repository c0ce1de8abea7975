//! Rocket.Chat's permissions with their default roles, and the built-in roles.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    clock::Time,
    id::RoleId,
    role::{Grant, Role, RoleScope, Roles},
};

/// Built-in roles: id, scope, description.
pub const ROLES: &[(&str, RoleScope, &str)] = &[
    ("admin", RoleScope::Workspace, "Admin"),
    ("moderator", RoleScope::Room, "Moderator"),
    ("leader", RoleScope::Room, "Leader"),
    ("owner", RoleScope::Room, "Owner"),
    ("user", RoleScope::Workspace, ""),
    ("bot", RoleScope::Workspace, ""),
    ("app", RoleScope::Workspace, ""),
    ("guest", RoleScope::Workspace, ""),
    ("anonymous", RoleScope::Workspace, ""),
    ("livechat-agent", RoleScope::Workspace, "Livechat Agent"),
    ("livechat-manager", RoleScope::Workspace, "Livechat Manager"),
    ("control-staff", RoleScope::Workspace, "Answers support cases"),
    ("control-admin", RoleScope::Workspace, "Answers support cases"),
    ("bus-driver", RoleScope::Workspace, "Field staff: opens support cases"),
    ("queue-regulator", RoleScope::Workspace, "Field staff: opens support cases"),
    ("vendor", RoleScope::Workspace, "Sees the tickets of its vendor"),
    ("accounts", RoleScope::Workspace, "Sees tickets about payments"),
    ("ops", RoleScope::Workspace, "Sees the tickets that it verified"),
];

/// Permissions and the roles that hold them unless an administrator says otherwise. The order is part of the
/// contract: an embeddable client finds `edit-message` at 28, `view-full-other-user-info` at 70, `post-readonly` at
/// 140 and `pin-message` at 150. New ones go to the end.
#[rustfmt::skip]
pub const PERMISSIONS: &[(&str, &[&str])] = &[
    ("access-permissions", &["admin"]),
    ("access-marketplace", &["admin"]),
    ("access-setting-permissions", &["admin"]),
    ("add-oauth-service", &["admin"]),
    ("add-user-to-joined-room", &["admin", "owner", "moderator"]),
    ("add-user-to-any-c-room", &["admin"]),
    ("add-user-to-any-p-room", &[]),
    ("kick-user-from-any-c-room", &["admin"]),
    ("kick-user-from-any-p-room", &[]),
    ("api-bypass-rate-limit", &["admin", "bot", "app"]),
    ("archive-room", &["admin", "owner"]),
    ("assign-admin-role", &["admin"]),
    ("assign-roles", &["admin"]),
    ("ban-user", &["admin", "owner", "moderator"]),
    ("bulk-register-user", &["admin"]),
    ("change-livechat-room-visitor", &["admin"]),
    ("create-c", &["admin", "user", "bot", "app"]),
    ("create-d", &["admin", "user", "bot", "app"]),
    ("create-p", &["admin", "user", "bot", "app"]),
    ("create-personal-access-tokens", &["admin", "user"]),
    ("create-user", &["admin"]),
    ("clean-channel-history", &["admin"]),
    ("delete-c", &["admin", "owner"]),
    ("delete-d", &["admin"]),
    ("delete-message", &["admin", "owner", "moderator"]),
    ("delete-own-message", &["admin", "user"]),
    ("delete-p", &["admin", "owner"]),
    ("delete-user", &["admin"]),
    ("edit-message", &["admin", "owner", "moderator"]),
    ("edit-other-user-active-status", &["admin"]),
    ("edit-other-user-info", &["admin"]),
    ("edit-other-user-password", &["admin"]),
    ("edit-other-user-avatar", &["admin"]),
    ("edit-other-user-e2ee", &["admin"]),
    ("edit-other-user-totp", &["admin"]),
    ("edit-privileged-setting", &["admin"]),
    ("edit-room", &["admin", "owner", "moderator"]),
    ("edit-room-avatar", &["admin", "owner", "moderator"]),
    ("edit-room-retention-policy", &["admin"]),
    ("force-delete-message", &["admin", "owner"]),
    ("join-without-join-code", &["admin", "bot", "app"]),
    ("leave-c", &["admin", "user", "bot", "anonymous", "app"]),
    ("leave-p", &["admin", "user", "bot", "anonymous", "app"]),
    ("logout-other-user", &["admin"]),
    ("logout-device-management", &["admin"]),
    ("manage-apps", &["admin"]),
    ("manage-assets", &["admin"]),
    ("manage-email-inbox", &["admin"]),
    ("manage-emoji", &["admin"]),
    ("manage-user-status", &["admin"]),
    ("manage-outgoing-integrations", &["admin"]),
    ("manage-incoming-integrations", &["admin"]),
    ("manage-own-outgoing-integrations", &["admin"]),
    ("manage-own-incoming-integrations", &["admin"]),
    ("manage-oauth-apps", &["admin"]),
    ("manage-selected-settings", &["admin"]),
    ("manage-sounds", &["admin"]),
    ("manage-the-app", &["admin"]),
    ("manage-cloud", &["admin"]),
    ("manage-moderation-actions", &["admin"]),
    ("manage-voip-call-settings", &["admin"]),
    ("mention-all", &["admin", "owner", "moderator", "user"]),
    ("mention-here", &["admin", "owner", "moderator", "user"]),
    ("mute-user", &["admin", "owner", "moderator"]),
    ("notifications-change", &["admin"]),
    ("post-in-locked-room", &["admin"]),
    ("preview-c-room", &["admin", "user", "anonymous"]),
    ("reset-other-user-e2e-key", &["admin"]),
    ("register-on-cloud", &["admin"]),
    ("remove-user", &["admin", "owner", "moderator"]),
    ("view-full-other-user-info", &["admin"]),
    ("run-import", &["admin"]),
    ("run-migration", &["admin"]),
    ("set-leader", &["admin", "owner"]),
    ("set-moderator", &["admin", "owner"]),
    ("set-owner", &["admin", "owner"]),
    ("send-many-messages", &["admin", "bot", "app"]),
    ("send-mail", &["admin"]),
    ("send-omnichannel-chat-transcript", &["admin"]),
    ("set-react-when-readonly", &["admin", "owner"]),
    ("set-readonly", &["admin", "owner"]),
    ("set-owner-of-team", &["admin", "owner"]),
    ("snippet-message", &["admin", "owner", "moderator"]),
    ("start-discussion", &["admin", "user", "guest", "app"]),
    ("start-discussion-other-user", &["admin", "user", "owner", "app"]),
    ("sync-auth-services-users", &["admin"]),
    ("test-admin-options", &["admin"]),
    ("test-push-notifications", &["admin", "user"]),
    ("toggle-room-e2e-encryption", &["admin", "owner"]),
    ("unarchive-room", &["admin"]),
    ("user-generate-access-token", &["admin"]),
    ("mobile-upload-file", &["admin", "user"]),
    ("videoconf-ring-users", &["admin", "owner", "moderator", "user"]),
    ("view-broadcast-member-list", &["admin", "owner", "moderator"]),
    ("view-c-room", &["admin", "user", "bot", "app", "anonymous"]),
    ("view-d-room", &["admin", "user", "bot", "app", "guest"]),
    ("view-device-management", &["admin"]),
    ("view-engagement-dashboard", &["admin"]),
    ("view-federation-data", &["admin"]),
    ("view-history", &["admin", "user", "anonymous"]),
    ("view-import-operations", &["admin"]),
    ("view-join-code", &["admin"]),
    ("view-joined-room", &["guest", "bot", "app", "anonymous"]),
    ("view-logs", &["admin"]),
    ("view-members-list-all-rooms", &["admin"]),
    ("view-moderation-console", &["admin"]),
    ("view-other-user-channels", &["admin"]),
    ("view-outside-room", &["admin", "user", "bot", "app", "owner", "moderator"]),
    ("view-p-room", &["admin", "user", "anonymous", "guest"]),
    ("view-privileged-setting", &["admin"]),
    ("view-room-administration", &["admin"]),
    ("view-statistics", &["admin"]),
    ("view-user-administration", &["admin"]),
    ("view-all-teams", &["admin"]),
    ("view-all-team-channels", &["admin", "owner"]),
    ("view-livechat-rooms", &[]),
    ("view-livechat-manager", &["admin"]),
    ("view-l-room", &["admin"]),
    ("view-livechat-current-chats", &["admin"]),
    ("view-livechat-unit", &["admin"]),
    ("view-omnichannel-contact-center", &["admin"]),
    ("view-agent-canned-responses", &[]),
    ("view-canned-responses", &["admin"]),
    ("save-canned-responses", &["admin"]),
    ("transfer-livechat-guest", &["admin"]),
    ("close-livechat-room", &["admin"]),
    ("close-others-livechat-room", &["admin"]),
    ("message-impersonate", &["bot", "app"]),
    ("create-team", &["admin", "user"]),
    ("delete-team", &["admin", "owner"]),
    ("convert-team", &["admin", "owner"]),
    ("edit-team", &["admin", "owner"]),
    ("edit-team-member", &["admin", "owner", "moderator"]),
    ("edit-team-channel", &["admin", "owner", "moderator"]),
    ("add-team-channel", &["admin", "owner", "moderator"]),
    ("add-team-member", &["admin", "owner", "moderator"]),
    ("remove-team-channel", &["admin", "owner", "moderator"]),
    ("access-federation", &["admin", "user"]),
    ("add-all-to-room", &["admin"]),
    ("block-ip-device-management", &["admin"]),
    ("post-readonly", &["admin", "owner", "moderator"]),
    ("create-invite-links", &["admin", "owner", "moderator"]),
    ("call-management", &["admin", "owner", "moderator", "user"]),
    ("can-audit", &["admin"]),
    ("can-audit-log", &["admin"]),
    ("bypass-time-limit-edit-and-delete", &["admin", "bot", "app"]),
    ("export-messages-as-pdf", &["admin", "user"]),
    ("auto-translate", &["admin"]),
    ("view-audit-logs", &["admin"]),
    ("create-moderation-report", &["admin", "user"]),
    ("pin-message", &["admin", "owner", "moderator"]),
    ("create-team-channel", &["admin", "owner", "moderator"]),
    ("create-team-group", &["admin", "owner", "moderator"]),
    ("delete-team-channel", &["admin", "owner"]),
    ("delete-team-group", &["admin", "owner"]),
    ("move-room-to-team", &["admin", "owner", "moderator"]),
    ("allow-internal-voice-calls", &["admin", "user"]),
    ("allow-external-voice-calls", &["admin", "user"]),
    ("clear-oembed-cache", &["admin"]),
    ("view-read-receipts", &["admin", "user"]),
    ("mail-messages", &["admin"]),
];

/// Roles and grants as they are where nobody changed them, overlaid by what the store holds.
pub fn snapshot(stored_roles: Vec<Role>, stored_grants: Vec<Grant>) -> Roles {
    let mut roles = FxHashMap::default();
    for &(id, scope, description) in ROLES {
        let role = Role {
            id: RoleId::new(id),
            name: id.into(),
            description: description.into(),
            scope,
            protected: true,
            mandatory_2fa: false,
            updated_at: Time(0),
        };
        roles.insert(role.id.clone(), role);
    }
    roles.extend(stored_roles.into_iter().map(|role| (role.id.clone(), role)));
    let mut grants: FxHashMap<Arc<str>, Grant> = FxHashMap::default();
    for &(permission, holders) in PERMISSIONS {
        let permission: Arc<str> = permission.into();
        let holders = holders.iter().map(|&role| RoleId::new(role)).collect();
        grants.insert(permission.clone(), Grant { permission, roles: holders, updated_at: Time(0) });
    }
    let mut all = Roles { roles, grants, overrides: FxHashMap::default() };
    for grant in stored_grants {
        all.put(grant);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_that_clients_count_on_do_not_move() {
        let at = |index: usize| PERMISSIONS[index].0;
        assert_eq!(
            [at(28), at(70), at(140), at(150)],
            ["edit-message", "view-full-other-user-info", "post-readonly", "pin-message"]
        );
        assert!(PERMISSIONS.len() >= 151);
    }

    #[test]
    fn every_permission_is_held_by_roles_that_exist() {
        let known = |role: &str| ROLES.iter().any(|r| r.0 == role);
        assert!(PERMISSIONS.iter().flat_map(|p| p.1).all(|role| known(role)));
    }
}
