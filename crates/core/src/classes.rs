//! The host application's role words: what they mean here, and how they meet Rocket.Chat's roles.

use crate::{id::RoleId, user::User};

/// Words that mean something here, each with its role. `ADMIN` and `admin` are the same in both directions.
pub const WORDS: &[(&str, &str)] = &[
    ("ADMIN", "admin"),
    ("CONTROL_STAFF", "control-staff"),
    ("CONTROL_ADMIN", "control-admin"),
    ("BUS_DRIVER", "bus-driver"),
    ("QUEUE_REGULATOR", "queue-regulator"),
    ("VENDOR", "vendor"),
    ("ACCOUNTS", "accounts"),
    ("OPS", "ops"),
];

/// Most role words of one user.
pub const MAX_WORDS: usize = 64;

/// How support sees somebody. Control beats field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Opens cases.
    Field,
    /// Answers them.
    Control,
    /// Neither.
    None,
}

impl Class {
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Control => "control",
            Self::None => "none",
        }
    }
}

/// The role that stands for a word; `None` for words that mean nothing here.
pub fn role_of(word: &str) -> Option<RoleId> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, role)| RoleId::from(*role))
}

impl User {
    /// The role words: the host's own, then those of roles that were given here; `USER` when there is none.
    pub fn words(&self) -> Vec<String> {
        let holds = |word: &String| role_of(word).is_none_or(|role| self.has_role(&role));
        let mut all: Vec<String> = self.host.words.iter().filter(|word| holds(word)).cloned().collect();
        for (word, role) in WORDS {
            if self.has_role(role) && !all.iter().any(|held| held == word) {
                all.push((*word).to_owned());
            }
        }
        if all.is_empty() {
            all.push("USER".to_owned());
        }
        all
    }

    /// Whether one of the role words is this one.
    pub fn is(&self, word: &str) -> bool {
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, role)) => self.has_role(role),
            None => self.words().iter().any(|held| held == word),
        }
    }

    /// How support sees this user.
    pub fn class(&self) -> Class {
        let any = |roles: &[&str]| roles.iter().any(|role| self.has_role(role));
        if any(&["control-staff", "control-admin", "admin"]) {
            Class::Control
        } else if any(&["bus-driver", "queue-regulator"]) {
            Class::Field
        } else {
            Class::None
        }
    }
}
