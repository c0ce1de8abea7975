//! What a host's token says about a person: the claim map, apart from signatures and times.

use parlor_core::clock::Time;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Longest user id and user name, in characters.
const MAX_WORD: usize = 64;
/// Longest display name; a longer one is cut.
const MAX_NAME: usize = 128;
/// Longest e-mail address.
const MAX_EMAIL: usize = 254;
/// Most roles of one token.
const MAX_ROLES: usize = 64;
const ADMIN: &str = "ADMIN";

/// Who vouches for the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// The shared secret: host and operator are the same hands.
    Secret,
    /// A key of the key set: an identity provider, which may serve others too.
    KeySet,
}

/// A person as a host's token describes him. A claim that is absent is `None` and leaves what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostClaims {
    /// `sub`: `[A-Za-z0-9_.:@-]{1,64}`.
    pub id: String,
    /// `preferred_username`: `[A-Za-z0-9_.-]{1,64}`.
    pub username: Option<String>,
    /// `name`: 1 to 128 characters.
    pub name: Option<String>,
    /// `email`, as given.
    pub email: Option<String>,
    /// `role` and `roles` together: upper case, renamed, each once.
    pub roles: Option<Vec<String>>,
    /// `vendor_id`: the vendor that a VENDOR belongs to.
    pub vendor: Option<String>,
    /// `exp`: the connection ends then.
    pub expires: Time,
    /// Who vouches.
    pub voucher: Voucher,
    /// Whether a user made by name only may be taken over by this token.
    pub may_claim_placeholders: bool,
}

impl HostClaims {
    /// The user name for a user who is new: as claimed, else the local part of the address, else the id.
    pub fn wanted_username(&self) -> String {
        let local = || self.email.as_deref().and_then(|email| email.split('@').next()).and_then(username);
        self.username
            .clone()
            .or_else(local)
            .or_else(|| username(&self.id))
            .unwrap_or_else(|| "user".to_owned())
    }

    /// The display name for a user who is new.
    pub fn wanted_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.wanted_username())
    }
}

/// `PARLOR_JWT_ROLE_MAP`: the host's words for roles, renamed before anything else looks at them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMap(BTreeMap<String, String>);

/// A role map that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the role map must look like HOST_WORD=ADMIN,OTHER=OPS; this part does not: {0}")]
pub struct BadRoleMap(String);

impl RoleMap {
    /// Reads `HOST_WORD=ADMIN,OTHER=OPS`; letter case and `-` or blanks don't matter.
    ///
    /// # Errors
    /// [`BadRoleMap`] with the first part that doesn't fit.
    pub fn parse(text: &str) -> Result<Self, BadRoleMap> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (from, to) = part.split_once('=').ok_or_else(|| BadRoleMap(part.to_owned()))?;
            match (role_word(from), role_word(to)) {
                (Some(from), Some(to)) => Ok((from, to)),
                _ => Err(BadRoleMap(part.to_owned())),
            }
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }
}

/// The operator's word on what tokens may do.
#[derive(Clone, Debug, Default)]
pub struct ClaimRules {
    /// Renames roles.
    pub role_map: RoleMap,
    /// `PARLOR_JWT_CLAIM_PLACEHOLDERS`: tokens of the key set may take over placeholders too.
    pub claim_placeholders: bool,
}

/// The claim that is missing or of the wrong kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadClaim(pub &'static str);

/// Reads the claims of a token whose signature and times were checked.
///
/// # Errors
/// [`BadClaim`]: no usable `sub`, or a claim of the wrong type.
pub fn read(
    claims: &Map<String, Value>,
    expires: Time,
    voucher: Voucher,
    rules: &ClaimRules,
) -> Result<HostClaims, BadClaim> {
    let text = |name: &'static str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(BadClaim(name)),
    };
    let vendor = match claims.get("vendor_id").and_then(integer) {
        Some(number) => Some(number),
        None => text("vendor_id")?.map(|vendor| cut(vendor, MAX_WORD)),
    };
    Ok(HostClaims {
        id: subject(claims).ok_or(BadClaim("sub"))?,
        username: text("preferred_username")?.and_then(username),
        name: text("name")?.map(|name| cut(name, MAX_NAME)).filter(|name| !name.is_empty()),
        email: text("email")?.filter(|email| is_email(email)).map(str::to_owned),
        roles: roles(claims, voucher, &rules.role_map)?,
        vendor,
        expires,
        voucher,
        may_claim_placeholders: voucher == Voucher::Secret || rules.claim_placeholders,
    })
}

fn subject(claims: &Map<String, Value>) -> Option<String> {
    let sub = claims.get("sub")?;
    let id = integer(sub).or_else(|| sub.as_str().map(str::to_owned))?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.:@-".contains(&b);
    ((1..=MAX_WORD).contains(&id.len()) && id.bytes().all(fits)).then_some(id)
}

/// An integer in decimal form; nothing for 1.5, nor for 1.0.
fn integer(value: &Value) -> Option<String> {
    value
        .as_i64()
        .map(|number| number.to_string())
        .or_else(|| value.as_u64().map(|number| number.to_string()))
}

/// A user name: whatever isn't allowed in one becomes a dot. `None` if nothing but dots would be left.
fn username(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let name: String = text.chars().take(MAX_WORD).map(|c| if fits(c) { c } else { '.' }).collect();
    name.contains(|c| c != '.').then_some(name)
}

/// Without control characters, at most so many characters.
fn cut(text: &str, longest: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(longest).collect()
}

fn is_email(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    let parts = text.rsplit_once('@');
    text.len() <= MAX_EMAIL
        && !text.contains(odd)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// The union of both claims. `ADMIN` from a key set counts only if the operator's map made it.
fn roles(
    claims: &Map<String, Value>,
    voucher: Voucher,
    map: &RoleMap,
) -> Result<Option<Vec<String>>, BadClaim> {
    let mut words: Vec<&str> = Vec::new();
    let mut claimed = false;
    for name in ["role", "roles"] {
        match claims.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(list)) => words.extend(list.split(',')),
            Some(Value::Array(list)) => {
                for word in list {
                    words.push(word.as_str().ok_or(BadClaim(name))?);
                }
            }
            Some(_) => return Err(BadClaim(name)),
        }
        claimed = true;
    }
    let mut roles = Vec::new();
    for word in words.into_iter().filter(|word| !word.trim().is_empty()) {
        let word = role_word(word).ok_or(BadClaim("roles"))?;
        let role = match map.0.get(&word) {
            Some(renamed) => renamed.clone(),
            None if word == ADMIN && voucher == Voucher::KeySet => continue,
            None => word,
        };
        if !roles.contains(&role) {
            roles.push(role);
        }
        if roles.len() > MAX_ROLES {
            return Err(BadClaim("roles"));
        }
    }
    Ok(claimed.then_some(roles))
}

/// Upper case, `-` and blanks as `_`; nothing for an empty, overlong or unprintable word.
fn role_word(text: &str) -> Option<String> {
    let text = text.trim();
    let mend = |c: char| if c == '-' || c.is_whitespace() { '_' } else { c };
    let word: String = text.to_uppercase().chars().map(mend).collect();
    let fits = !word.is_empty() && word.chars().count() <= MAX_WORD && !word.contains(char::is_control);
    fits.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_with(claims: Value, voucher: Voucher, map: &str) -> Result<HostClaims, BadClaim> {
        let rules = ClaimRules { role_map: RoleMap::parse(map).unwrap(), claim_placeholders: false };
        read(claims.as_object().unwrap(), Time(5), voucher, &rules)
    }

    fn by_secret(claims: Value) -> Result<HostClaims, BadClaim> {
        read_with(claims, Voucher::Secret, "")
    }

    fn roles_of(claims: Value) -> Option<Vec<String>> {
        by_secret(claims).unwrap().roles
    }

    #[test]
    fn every_claim_has_its_place() {
        let claims = json!({
            "sub": "u-driver1", "preferred_username": "driver1", "name": "Driver One", "email": "d1@example.com",
            "role": "bus-driver", "roles": ["ops"], "vendor_id": 17, "other": {"ignored": true},
        });
        let expected = HostClaims {
            id: "u-driver1".into(),
            username: Some("driver1".into()),
            name: Some("Driver One".into()),
            email: Some("d1@example.com".into()),
            roles: Some(vec!["BUS_DRIVER".into(), "OPS".into()]),
            vendor: Some("17".into()),
            expires: Time(5),
            voucher: Voucher::Secret,
            may_claim_placeholders: true,
        };
        assert_eq!(by_secret(claims), Ok(expected));
    }

    #[test]
    fn the_id_is_a_well_formed_text_or_an_integer() {
        for (sub, id) in [
            (json!("a.b:c@d-e_1"), "a.b:c@d-e_1"),
            (json!(42), "42"),
            (json!(u64::MAX), "18446744073709551615"),
        ] {
            assert_eq!(by_secret(json!({"sub": sub})).unwrap().id, id);
        }
        let bad = [
            json!(""),
            json!(" a"),
            json!("a b"),
            json!("ü"),
            json!("a/b"),
            json!(1.5),
            json!(true),
            json!(null),
            json!(["a"]),
            json!({"$ne": 1}),
            json!("x".repeat(65)),
        ];
        for sub in bad {
            assert_eq!(by_secret(json!({"sub": sub})), Err(BadClaim("sub")), "{sub}");
        }
        assert_eq!(by_secret(json!({})), Err(BadClaim("sub")));
    }

    #[test]
    fn absent_claims_leave_everything_and_a_new_user_gets_a_name_anyway() {
        let claims = by_secret(json!({"sub": "u:1", "name": null, "email": ""})).unwrap();
        assert_eq!((&claims.username, &claims.name, &claims.email), (&None, &None, &None));
        assert_eq!((&claims.roles, &claims.vendor), (&None, &None));
        assert_eq!((claims.wanted_username(), claims.wanted_name()), ("u.1".into(), "u.1".into()));
        let claims = by_secret(json!({"sub": "u1", "email": "max+chat@example.com"})).unwrap();
        assert_eq!(claims.wanted_username(), "max.chat");
        let claims = by_secret(json!({"sub": ":", "email": "++@example.com"})).unwrap();
        assert_eq!(claims.wanted_username(), "user");
    }

    #[test]
    fn names_are_mended_to_what_is_allowed() {
        let claims = json!({"sub": "u1", "preferred_username": "Jörg Müller!", "name": "A\u{0}\n<b>"});
        let claims = by_secret(claims).unwrap();
        assert_eq!(claims.username.as_deref(), Some("J.rg.M.ller."));
        assert_eq!(claims.name.as_deref(), Some("A<b>"));
        let long = json!({"sub": "u1", "preferred_username": "x".repeat(500), "name": "ü".repeat(500)});
        let claims = by_secret(long).unwrap();
        assert_eq!(claims.username.unwrap().len(), 64);
        assert_eq!(claims.name.unwrap().chars().count(), 128);
        let dots = by_secret(json!({"sub": "u1", "preferred_username": "../.."})).unwrap();
        assert_eq!(dots.wanted_username(), "u1");
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        for email in ["a", "@b", "a@", "a b@c", "a@b\r\nBcc: x", &format!("{}@b", "a".repeat(260))] {
            assert_eq!(by_secret(json!({"sub": "u1", "email": email})).unwrap().email, None, "{email}");
        }
    }

    #[test]
    fn claims_of_the_wrong_type_are_refused() {
        for name in ["preferred_username", "name", "email", "role", "roles", "vendor_id"] {
            for value in [json!(true), json!({"$ne": null}), json!(1.5), json!([1])] {
                let refused = by_secret(json!({"sub": "u1", name: value}));
                assert_eq!(refused, Err(BadClaim(name)), "{value}");
            }
        }
    }

    #[test]
    fn roles_are_one_list_of_upper_case_words() {
        assert_eq!(
            roles_of(json!({"sub": "u1", "role": " bus-driver, Ops ,,ops"})).unwrap(),
            ["BUS_DRIVER", "OPS"]
        );
        assert_eq!(roles_of(json!({"sub": "u1", "roles": "control staff"})).unwrap(), ["CONTROL_STAFF"]);
        assert_eq!(roles_of(json!({"sub": "u1", "role": "A", "roles": ["b", "a"]})).unwrap(), ["A", "B"]);
        assert_eq!(roles_of(json!({"sub": "u1", "roles": []})).unwrap(), [""; 0]);
        assert_eq!(roles_of(json!({"sub": "u1", "roles": null})), None);
    }

    #[test]
    fn too_many_or_unprintable_roles_are_refused() {
        let many: Vec<String> = (0..65).map(|n| format!("r{n}")).collect();
        for roles in [json!(many), json!(["a\u{7}b"]), json!(["x".repeat(65)])] {
            assert_eq!(by_secret(json!({"sub": "u1", "roles": roles})), Err(BadClaim("roles")));
        }
    }

    #[test]
    fn the_role_map_renames_the_hosts_words() {
        let claims = json!({"sub": "u1", "roles": ["super-user", "driver", "ops"]});
        let claims = read_with(claims, Voucher::Secret, "Super_User=ADMIN, driver=bus-driver").unwrap();
        assert_eq!(claims.roles.unwrap(), ["ADMIN", "BUS_DRIVER", "OPS"]);
        for bad in ["x", "=ADMIN", "x=", "a=b,c"] {
            assert!(RoleMap::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(RoleMap::parse(" , "), Ok(RoleMap::default()));
    }

    #[test]
    fn a_key_sets_admin_counts_only_by_the_operators_word() {
        let claims = json!({"sub": "u1", "roles": ["admin", "ops"]});
        let roles = |voucher, map| read_with(claims.clone(), voucher, map).unwrap().roles.unwrap();
        assert_eq!(roles(Voucher::Secret, ""), ["ADMIN", "OPS"]);
        assert_eq!(roles(Voucher::KeySet, ""), ["OPS"]);
        assert_eq!(roles(Voucher::KeySet, "admin=ADMIN"), ["ADMIN", "OPS"]);
        assert_eq!(roles(Voucher::KeySet, "ops=ADMIN"), ["ADMIN"]);
    }

    #[test]
    fn a_key_set_takes_over_placeholders_only_by_the_operators_word() {
        let claims = json!({"sub": "u1"});
        let claims = claims.as_object().unwrap();
        let may = |voucher, claim_placeholders| {
            let rules = ClaimRules { claim_placeholders, ..ClaimRules::default() };
            read(claims, Time(0), voucher, &rules).unwrap().may_claim_placeholders
        };
        assert!(may(Voucher::Secret, false) && may(Voucher::KeySet, true) && !may(Voucher::KeySet, false));
    }
}
