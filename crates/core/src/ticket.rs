//! Tickets: rooms that belong to a host application's ticket, and who may enter them by its facts.

use crate::{
    clock::Time,
    id::{RoomId, UserId},
    user::User,
};

/// Longest ticket id, in bytes.
pub const MAX_TICKET_ID: usize = 64;
/// Assignees, and verifiers, of one ticket at most.
pub const MAX_PEOPLE: usize = 1_000;

/// What the host application says of a ticket. The ids need not belong to users that are known here.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The room it is talked about in.
    pub room: RoomId,
    /// The host's own id, unique.
    pub id: String,
    /// What it is about.
    pub title: Option<String>,
    /// Who opened it; never changes.
    pub created_by: UserId,
    /// Who works on it.
    pub assignees: Vec<UserId>,
    /// The vendor that it concerns.
    pub vendor: Option<String>,
    /// Who of OPS verified it.
    pub verified_by: Vec<UserId>,
    /// A free word; decides about ACCOUNTS.
    pub category: Option<String>,
    /// A free word that decides nothing.
    pub status: String,
    /// First told of.
    pub created_at: Time,
    /// Last change of its facts.
    pub updated_at: Time,
}

/// Why somebody may enter a ticket's room; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// By the role ADMIN.
    Admin,
    /// Opened it.
    Creator,
    /// Works on it.
    Assignee,
    /// A VENDOR of the vendor that it concerns.
    Vendor,
    /// Of OPS, and verified it.
    Ops,
    /// Of ACCOUNTS, and it is about money.
    Accounts,
}

impl Relation {
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Creator => "creator",
            Self::Assignee => "assignee",
            Self::Vendor => "vendor",
            Self::Ops => "ops",
            Self::Accounts => "accounts",
        }
    }
    /// Makes a member of the room, without a word written there.
    pub fn is_member(self) -> bool {
        !matches!(self, Self::Admin | Self::Accounts)
    }
}

impl Ticket {
    /// Why this user may enter; `None` when he may not. `money`: the categories that ACCOUNTS see.
    pub fn relation(&self, user: &User, money: &[String]) -> Option<Relation> {
        let about_money =
            || self.category.as_ref().is_some_and(|word| money.iter().any(|m| m.eq_ignore_ascii_case(word)));
        let same_vendor = || self.vendor.is_some() && self.vendor.as_deref() == user.host.vendor.as_deref();
        if user.has_role("admin") {
            Some(Relation::Admin)
        } else if user.id == self.created_by {
            Some(Relation::Creator)
        } else if self.assignees.contains(&user.id) {
            Some(Relation::Assignee)
        } else if user.has_role("vendor") && same_vendor() {
            Some(Relation::Vendor)
        } else if user.has_role("ops") && self.verified_by.contains(&user.id) {
            Some(Relation::Ops)
        } else if user.has_role("accounts") && about_money() {
            Some(Relation::Accounts)
        } else {
            None
        }
    }

    /// Whether the facts make this user a member: any relation but one by role alone.
    pub fn makes_member(&self, user: &User) -> bool {
        let without_admin = User {
            roles: user.roles.iter().filter(|r| r.as_str() != "admin").cloned().collect(),
            ..user.clone()
        };
        self.relation(&without_admin, &[]).is_some_and(Relation::is_member)
    }

    /// The name that people see.
    pub fn shown(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.id)
    }
}

/// Whether a text can be a ticket's id.
pub fn is_ticket_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    !text.is_empty() && text.len() <= MAX_TICKET_ID && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn ticket() -> Ticket {
        Ticket {
            room: "r".into(),
            id: "T-1".into(),
            title: None,
            created_by: "alice".into(),
            assignees: vec!["bob".into()],
            vendor: Some("v-9".into()),
            verified_by: vec!["olga".into()],
            category: Some("payment".into()),
            status: "OPEN".into(),
            created_at: Time(0),
            updated_at: Time(0),
        }
    }

    fn user(id: &str, roles: &[&str], vendor: Option<&str>) -> User {
        let roles = roles.iter().map(|role| (*role).into()).collect();
        let host = crate::user::HostFacts { vendor: vendor.map(str::to_owned), ..Default::default() };
        User { roles, host, ..samples::user(id) }
    }

    #[test]
    fn each_of_the_six_rules_lets_in_and_nothing_else_does() {
        let money = ["PAYMENT".to_owned(), "INVOICE".to_owned()];
        let by = |id: &str, roles: &[&str], vendor| ticket().relation(&user(id, roles, vendor), &money);
        assert_eq!(by("root", &["admin"], None), Some(Relation::Admin));
        assert_eq!(by("alice", &["user"], None), Some(Relation::Creator));
        assert_eq!(by("bob", &["user"], None), Some(Relation::Assignee));
        assert_eq!(by("vera", &["vendor"], Some("v-9")), Some(Relation::Vendor));
        assert_eq!(by("olga", &["ops"], None), Some(Relation::Ops));
        assert_eq!(by("ada", &["accounts"], None), Some(Relation::Accounts));
        for (id, roles, vendor) in [
            ("vera", &["vendor"][..], Some("v-8")),
            ("vera", &["vendor"], None),
            ("vera", &["user"], Some("v-9")),
            ("olga", &["user"], None),
            ("oleg", &["ops"], None),
            ("x", &["user"], None),
        ] {
            assert_eq!(by(id, roles, vendor), None, "{id} {roles:?} {vendor:?}");
        }
        let no_vendor = Ticket { vendor: None, category: Some("STOCK".into()), ..ticket() };
        assert_eq!(no_vendor.relation(&user("vera", &["vendor"], None), &money), None);
        assert_eq!(no_vendor.relation(&user("ada", &["accounts"], None), &money), None);
    }

    #[test]
    fn rights_by_role_alone_make_no_member_but_a_named_administrator_is_one() {
        assert!(!ticket().makes_member(&user("root", &["admin"], None)));
        assert!(!ticket().makes_member(&user("ada", &["accounts"], None)));
        assert!(ticket().makes_member(&user("alice", &["admin"], None)));
        assert!(ticket().makes_member(&user("vera", &["vendor"], Some("v-9"))));
    }

    #[test]
    fn a_ticket_id_keeps_to_its_letters() {
        assert!(is_ticket_id("GRN:4711_a.b-c"));
        for bad in ["", "a b", "a/b", "a@b", &"x".repeat(65)] {
            assert!(!is_ticket_id(bad), "{bad}");
        }
    }
}
