//! Accounts.

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use parlor_core::{
    clock::Time,
    hashes::unhex,
    id::{RoleId, UserId},
    json::Json,
    moving::Moved,
    moving_users::{MovedToken, MovedUser},
    user::{Email, Status, User, UserKind},
};
use serde_json::Value;

use super::{
    Importer,
    kind::{GONE, USERS},
};
use crate::doc::{Doc, carried};

/// Longest user name, in characters.
const LONGEST_NAME: usize = 128;

impl Importer<'_> {
    /// Takes in a batch of accounts.
    pub(crate) async fn users(&mut self, docs: Vec<Doc>) -> Result<()> {
        let mut wanted = Vec::new();
        for doc in docs {
            self.tally.read(USERS);
            match self.moved_user(&doc) {
                Ok(user) => wanted.push(user),
                Err(reason) => self.tally.left(USERS, &doc.id(), reason),
            }
        }
        self.take_people(USERS, wanted).await
    }

    async fn take_people(&mut self, kind: &'static str, wanted: Vec<MovedUser>) -> Result<()> {
        let asked: Vec<(UserId, String, usize)> = wanted
            .iter()
            .map(|moved| (moved.user.id.clone(), moved.user.username.clone(), moved.user.emails.len()))
            .collect();
        let done = self.chat.move_users(&self.actor, wanted, self.dry).await?;
        for ((id, username, emails), moved) in asked.into_iter().zip(done) {
            self.tally.done(kind, &username, &moved);
            if let Moved::New(user) = &moved {
                if user.username != username {
                    self.tally.note(format!("user {username} is {} here: the name was taken", user.username));
                }
                if user.emails.len() != emails {
                    self.tally
                        .note(format!("user {}: an address belongs to somebody else here", user.username));
                }
            }
            if let Moved::New(user) | Moved::Known(user) = moved {
                // Mentions and reactions there use the name that it has there.
                self.names.insert(username.to_lowercase(), id.to_string());
                self.know(&id, user.id, &user.username, &user.name);
            }
        }
        Ok(())
    }

    fn moved_user(&self, doc: &Doc) -> Result<MovedUser, &'static str> {
        let id = UserId::parse(&doc.id()).ok_or("its id can't be one here")?;
        let username = doc.text("username").ok_or("it has no user name")?;
        if username.chars().count() > LONGEST_NAME {
            return Err("its user name is too long");
        }
        let kind = match doc.words("type").as_str() {
            "bot" => UserKind::Bot,
            "app" => UserKind::App,
            "visitor" => return Err("it is a visitor's"),
            _ => UserKind::Person,
        };
        let created_at = doc.time("createdAt").unwrap_or_else(|| self.chat.now());
        let empty = self.chat.empty_user(id, &username);
        let roles: Vec<RoleId> = doc.texts("roles").iter().filter_map(|role| RoleId::parse(role)).collect();
        let user = User {
            name: doc.text("name").unwrap_or_else(|| username.clone()),
            kind,
            emails: emails(doc),
            active: doc.flag("active").unwrap_or(true),
            roles: if roles.is_empty() { empty.roles.clone() } else { roles },
            status_default: Status::from_word(&doc.words("statusDefault")).unwrap_or(Status::Online),
            status_text: cut(doc.words("statusText"), 120),
            bio: cut(doc.words("bio"), 260),
            nickname: cut(doc.words("nickname"), 120),
            language: doc.words("language"),
            utc_offset: doc.number("utcOffset").filter(|hours| hours.abs() <= 14.0).unwrap_or_default(),
            custom_fields: doc.carried("customFields").unwrap_or_default(),
            preferences: preferences(doc),
            require_password_change: doc.is("requirePasswordChange"),
            created_at,
            updated_at: doc.time("_updatedAt").unwrap_or(created_at),
            last_login: doc.time("lastLogin"),
            ..empty
        };
        let second = doc.is("services.totp.enabled");
        Ok(MovedUser {
            user,
            password: password(doc),
            totp: doc.text("services.totp.secret").filter(|_| second),
            recovery: doc.texts("services.totp.hashedBackup").iter().filter_map(|hash| unhex(hash)).collect(),
            email_codes: doc.is("services.email2fa.enabled"),
            tokens: doc.docs("services.resume.loginTokens").iter().filter_map(personal_token).collect(),
            links: links(doc),
            keys: doc.text("e2e.public_key").zip(doc.text("e2e.private_key")).filter(fits),
        })
    }

    /// Sees to it that everybody is known: for those whose accounts are gone there, deactivated ones without a password
    /// are made, so that what they wrote stays theirs. `wanted`: id and user name there.
    pub(crate) async fn remember(
        &mut self,
        wanted: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<()> {
        let mut missing: Vec<MovedUser> = Vec::new();
        for (there, username) in wanted {
            let Some(id) = UserId::parse(&there).filter(|_| !self.people.contains_key(&there)) else {
                continue;
            };
            if missing.iter().any(|known| known.user.id == id) {
                continue;
            }
            self.tally.read(GONE);
            let username = username.unwrap_or_else(|| format!("user-{there}"));
            let empty = self.chat.empty_user(id, &username);
            missing.push(MovedUser {
                user: User { active: false, ..empty },
                password: None,
                totp: None,
                recovery: Vec::new(),
                email_codes: false,
                tokens: Vec::new(),
                links: Vec::new(),
                keys: None,
            });
        }
        let mut rest = missing;
        while !rest.is_empty() {
            let more = rest.split_off(rest.len().min(parlor_core::moving::AT_ONCE));
            self.take_people(GONE, rest).await?;
            rest = more;
        }
        Ok(())
    }
}

/// The stored form of a password: bcrypt, or what newer versions make.
fn password(doc: &Doc) -> Option<String> {
    let forms = ["services.password.bcrypt", "services.password.argon2"];
    forms.iter().find_map(|path| doc.text(path)).filter(|hash| hash.starts_with('$') && hash.len() <= 256)
}

/// Whether keys are no longer than clients make them.
fn fits((public, private): &(String, String)) -> bool {
    public.len().max(private.len()) <= 16 * 1024
}

/// What an account proves itself with, beside those who vouch for its owner.
const OWN_PROOFS: [&str; 12] = [
    "password",
    "passwordHistory",
    "resume",
    "email",
    "email2fa",
    "emailCode",
    "totp",
    "cloud",
    "iframe",
    "loginToken",
    "ldap",
    "saml",
];

/// Who vouches for an account's owner: services of OAuth by their names, and the directory.
fn links(doc: &Doc) -> Vec<(String, String)> {
    let services = doc.at("services").and_then(Value::as_object).into_iter().flatten();
    let outside = services.filter(|(name, _)| !OWN_PROOFS.contains(&name.as_str()) && name.len() <= 64);
    let subject = |service: &Value| match service.get("id")? {
        Value::String(id) => Some(id.clone()).filter(|id| !id.is_empty() && !id.contains('\0')),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    let mut all: Vec<(String, String)> =
        outside.filter_map(|(name, service)| Some((name.to_lowercase(), subject(service)?))).collect();
    all.extend(doc.text("services.ldap.id").map(|id| ("ldap".to_owned(), entry(&id))));
    all.retain(|(_, subject)| subject.len() <= 512);
    all
}

/// A directory's id, kept as hexadecimal digits: the text that they say, or the digits where it is none.
fn entry(digits: &str) -> String {
    let lower = digits.to_ascii_lowercase();
    let pairs: Option<Vec<u8>> =
        (0..lower.len() / 2).map(|at| u8::from_str_radix(lower.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    let text =
        pairs.filter(|_| lower.len().is_multiple_of(2)).and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| !text.chars().any(char::is_control)).unwrap_or(lower)
}

fn emails(doc: &Doc) -> Vec<Email> {
    let mut all: Vec<Email> = Vec::new();
    for email in doc.docs("emails").iter().take(10) {
        let Some(address) = email.text("address").filter(|a| a.contains('@') && a.len() <= 320) else {
            continue;
        };
        if all.iter().all(|known| !known.address.eq_ignore_ascii_case(&address)) {
            all.push(Email { address, verified: email.is("verified") });
        }
    }
    all
}

fn preferences(doc: &Doc) -> Json {
    doc.at("settings.preferences").filter(|v| v.is_object()).and_then(carried).unwrap_or_default()
}

fn cut(text: String, most: usize) -> String {
    if text.chars().count() > most { text.chars().take(most).collect() } else { text }
}

/// Sessions stay behind; what programs sign in with moves in.
fn personal_token(token: &Doc) -> Option<MovedToken> {
    if token.words("type") != "personalAccessToken" {
        return None;
    }
    let hash: [u8; 32] = STANDARD.decode(token.text("hashedToken")?).ok()?.try_into().ok()?;
    Some(MovedToken {
        name: token.text("name")?,
        hash,
        last_six: token.words("lastTokenPart"),
        bypass: token.is("bypassTwoFactor"),
        created_at: token.time("createdAt").unwrap_or(Time(0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_vouches_for_somebody_goes_on_doing_so() {
        let doc = Doc::of(json!({"services": {
            "password": {"bcrypt": "$2b$"}, "google": {"id": "117", "email": "x"}, "github": {"id": 9},
            "Harbour": {"id": "tove"}, "twitter": {}, "totp": {"id": "x"},
            "ldap": {"id": "66383164346661652d37", "idAttribute": "entryUUID"},
        }}));
        let mut all = links(&doc);
        all.sort();
        let wanted = [("github", "9"), ("google", "117"), ("harbour", "tove"), ("ldap", "f81d4fae-7")];
        assert_eq!(all, wanted.map(|(service, subject)| (service.to_owned(), subject.to_owned())));
        assert_eq!(entry("F8 1"), "f8 1", "no digits");
        assert_eq!(entry("FFd81D"), "ffd81d", "no text");
    }

    #[test]
    fn only_personal_tokens_move_in() {
        let hash = STANDARD.encode([7; 32]);
        let login = Doc::of(json!({"hashedToken": hash, "when": {"$date": 1}}));
        assert!(personal_token(&login).is_none());
        let own = Doc::of(json!({"hashedToken": hash, "type": "personalAccessToken", "name": "ci"}));
        assert_eq!(personal_token(&own).map(|token| token.hash), Some([7; 32]));
    }
}
