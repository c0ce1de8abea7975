//! What an account's values must look like, whoever gives them.

use regex::Regex;
use serde_json::{Map, Value};

use crate::{
    chat::Chat,
    credentials::Password,
    error::{Refusal, Result},
    id::RoleId,
    json::Json,
    role::RoleScope,
    setting::Settings,
};

/// Longest user name, in characters.
pub const MAX_USERNAME: usize = 100;
/// Longest display name, in characters.
pub const MAX_NAME: usize = 255;
/// Longest biography, in characters.
pub const MAX_BIO: usize = 260;
/// Longest nickname, in characters.
pub const MAX_NICKNAME: usize = 120;
/// Longest address, in bytes.
const MAX_EMAIL: usize = 254;
/// Longest value of a custom field, in characters, whatever the field's own limit is.
const MAX_FIELD: usize = 4_096;

/// Whether a user name has the form that the workspace asks for. Says nothing of reserved or taken names.
pub(crate) fn check_username(username: &str, settings: &Settings) -> Result<()> {
    let bad = || Refusal::invalid("username", "The username provided is not valid");
    if username.chars().count() > MAX_USERNAME || username.contains('\n') {
        return Err(bad());
    }
    let pattern = match settings.text("UTF8_User_Names_Validation") {
        "" => "[0-9a-zA-Z-_.]+",
        chosen => chosen,
    };
    let fits = named(pattern).is_some_and(|regex| regex.is_match(username));
    if fits && !["all", "here"].contains(&username) { Ok(()) } else { Err(bad()) }
}

/// A pattern of the settings, for the whole text; one that can't be read falls back to the strictest.
fn named(pattern: &str) -> Option<Regex> {
    let whole = |p: &str| {
        // JavaScript takes `[a-_.]`-like lists with a bare hyphen; here it is escaped.
        let p = p.replace("-_", r"\-_");
        regex::RegexBuilder::new(&format!("^(?:{p})$")).size_limit(1 << 20).build().ok()
    };
    whole(pattern).or_else(|| whole("[0-9a-zA-Z-_.]+"))
}

/// Refuses names that the workspace keeps for itself.
pub(crate) fn check_reserved(username: &str, settings: &Settings) -> Result<()> {
    let folded = username.to_lowercase();
    let list = |id: &str| -> Vec<String> {
        settings
            .text(id)
            .split(',')
            .map(|name| name.trim().to_lowercase())
            .filter(|n| !n.is_empty())
            .collect()
    };
    let system = list("Accounts_SystemBlockedUsernameList").contains(&folded);
    let chosen =
        || list("Accounts_BlockedUsernameList").iter().any(|p| named(p).is_some_and(|r| r.is_match(&folded)));
    if system || chosen() { Err(Refusal::Reserved(username.to_owned())) } else { Ok(()) }
}

/// Refuses display names that would be markup, or are too long.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.contains(['<', '>', '/', '\\']) {
        return Err(Refusal::invalid("name", "Name contains invalid characters"));
    }
    longest("name", name, MAX_NAME)
}

pub(crate) fn longest(what: &'static str, text: &str, limit: usize) -> Result<()> {
    if text.chars().count() > limit { Err(Refusal::TooLarge { what, limit: limit as u64 }) } else { Ok(()) }
}

/// Whether it can be an address, of a domain that the workspace allows.
pub(crate) fn check_email(email: &str, settings: &Settings) -> Result<()> {
    let bad = || Refusal::invalid("email", format!("Invalid email {email}"));
    let (local, domain) = email.rsplit_once('@').ok_or_else(bad)?;
    let local_fits = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let label_fits = |label: &str| {
        let inside = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        inside && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    if email.len() > MAX_EMAIL
        || local.is_empty()
        || !local.chars().all(local_fits)
        || !domain.split('.').all(label_fits)
    {
        return Err(bad());
    }
    let domain = domain.to_lowercase();
    let listed = |id: &str| -> Vec<String> {
        settings.text(id).split(',').map(|d| d.trim().to_lowercase()).filter(|d| !d.is_empty()).collect()
    };
    let allowed = listed("Accounts_AllowedDomainsList");
    if listed("Accounts_BlockedDomainsList").contains(&domain)
        || !(allowed.is_empty() || allowed.contains(&domain))
    {
        return Err(Refusal::invalid("domain", "The email domain is not allowed"));
    }
    Ok(())
}

/// Checks custom fields against `Accounts_CustomFields` and keeps those that it knows.
///
/// # Errors
/// `Invalid` of field `user-registration-custom-field`, with a sentence.
pub(crate) fn check_custom_fields(given: &Json, settings: &Settings) -> Result<Json> {
    let known: Map<String, Value> =
        serde_json::from_str(settings.text("Accounts_CustomFields")).unwrap_or_default();
    let given: Map<String, Value> = serde_json::from_str(given.as_str()).unwrap_or_default();
    let mut kept = Map::new();
    for (name, field) in &known {
        let value = given.get(name).or_else(|| field.get("defaultValue")).cloned().unwrap_or(Value::Null);
        let text = match &value {
            Value::String(text) => text.trim().to_owned(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        check_field(name, &text, field)?;
        if !text.is_empty() || given.contains_key(name) {
            kept.insert(name.clone(), if value.is_string() { text.into() } else { value });
        }
    }
    Ok(Json::new(Value::Object(kept).to_string()))
}

fn check_field(name: &str, text: &str, field: &Value) -> Result<()> {
    let bad = |problem| Err(Refusal::invalid("user-registration-custom-field", problem));
    let size = text.chars().count();
    let bound = |key| field.get(key).and_then(Value::as_u64).map(|n| n as usize);
    if text.is_empty() {
        return match field.get("required") {
            Some(Value::Bool(true)) => bad(format!("The field {name} is required")),
            _ => Ok(()),
        };
    }
    if field.get("type").and_then(Value::as_str) == Some("select") {
        let options = field.get("options").and_then(Value::as_array);
        if !options.is_some_and(|all| all.iter().any(|o| o.as_str() == Some(text))) {
            return bad(format!("Value for field {name} is invalid"));
        }
    }
    let most = bound("maxLength").filter(|most| *most > 0).unwrap_or(MAX_FIELD).min(MAX_FIELD);
    if size > most {
        return bad(format!("Max length of field {name} {most}"));
    }
    match bound("minLength") {
        Some(least) if size < least => bad(format!("Min length of field {name} {least}")),
        _ => Ok(()),
    }
}

impl Chat {
    /// Refuses a password that breaks the policy, and gives the stored form of a good one.
    pub(crate) async fn accept_password(&self, password: &str) -> Result<String> {
        let faults = self.ports.credentials.password_faults(password, &self.settings());
        if !faults.is_empty() {
            return Err(Refusal::WeakPassword(faults));
        }
        self.ports.credentials.hash(&Password::Plain(password.to_owned())).await
    }

    /// Refuses roles that nobody can hold in the whole workspace.
    pub(crate) fn check_roles(&self, roles: &[RoleId]) -> Result<()> {
        let known = self.roles();
        let fits = |id: &RoleId| known.roles.get(id).is_some_and(|role| role.scope == RoleScope::Workspace);
        if roles.iter().all(fits) { Ok(()) } else { Err(Refusal::NotFound(crate::error::What::Role)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(chosen: &[(&str, &str)]) -> Settings {
        let value = |text: &str| crate::setting::Value::Text(text.into());
        Settings::snapshot(
            chosen.iter().map(|(id, text)| ((*id).to_owned(), value(text), crate::clock::Time(0))),
        )
    }

    #[test]
    fn user_names_follow_the_workspaces_pattern() {
        let usual = settings(&[]);
        for good in ["ann", "ann-b_c.d", "rocketchat.internal.admin.test", "X1"] {
            assert!(check_username(good, &usual).is_ok(), "{good}");
        }
        for bad in ["", "test$username<>", "a b", "all", "here", "ann\n", &"x".repeat(101)] {
            assert!(check_username(bad, &usual).is_err(), "{bad:?}");
        }
        let letters = settings(&[("UTF8_User_Names_Validation", "[a-zé]+")]);
        assert!(check_username("rené", &letters).is_ok());
        assert!(check_username("ann1", &letters).is_err());
        let broken = settings(&[("UTF8_User_Names_Validation", "[a-")]);
        assert!(check_username("ann1", &broken).is_ok());
        assert!(check_username("ann 1", &broken).is_err());
    }

    #[test]
    fn reserved_names_are_refused_in_any_case() {
        let usual = settings(&[("Accounts_BlockedUsernameList", "root, boss.*")]);
        for reserved in ["admin", "Administrator", "ROOT", "boss1"] {
            assert!(check_reserved(reserved, &usual).is_err(), "{reserved}");
        }
        assert!(check_reserved("ann", &usual).is_ok());
    }

    #[test]
    fn addresses_are_checked_with_their_domain() {
        let usual = settings(&[]);
        for good in ["ann@example.org", "a.b+c@x.co", "root@localhost"] {
            assert!(check_email(good, &usual).is_ok(), "{good}");
        }
        for bad in ["", "ann", "@x.org", "ann@", "a b@x.org", "ann@-x.org", "ann@x..org", "é@x.org"] {
            assert!(check_email(bad, &usual).is_err(), "{bad}");
        }
        let closed = settings(&[
            ("Accounts_AllowedDomainsList", "example.org"),
            ("Accounts_BlockedDomainsList", "bad.org"),
        ]);
        assert!(check_email("ann@Example.org", &closed).is_ok());
        assert!(check_email("ann@other.org", &closed).is_err());
        assert!(check_email("ann@bad.org", &closed).is_err());
    }

    #[test]
    fn custom_fields_obey_their_definitions_and_unknown_ones_are_dropped() {
        let fields = r#"{"team":{"type":"select","required":true,"options":["a","b"]},
            "note":{"type":"text","minLength":2,"maxLength":4}}"#;
        let some = settings(&[("Accounts_CustomFields", fields)]);
        let check = |given: &str| check_custom_fields(&Json::new(given), &some);
        let kept = check(r#"{"team":"a","note":" abc ","more":1}"#).map(|json| json.as_str().to_owned());
        assert_eq!(kept.as_deref(), Ok(r#"{"note":"abc","team":"a"}"#));
        for bad in
            [r#"{}"#, r#"{"team":"c"}"#, r#"{"team":"a","note":"x"}"#, r#"{"team":"a","note":"xxxxx"}"#]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
        let emptied = check(r#"{"team":"a","note":""}"#).map(|json| json.as_str().to_owned());
        assert_eq!(emptied.as_deref(), Ok(r#"{"note":"","team":"a"}"#));
        assert_eq!(check_custom_fields(&Json::new(r#"{"x":1}"#), &settings(&[])), Ok(Json::object()));
    }
}
