//! Filters: what is typed by people never changes what is asked.

use ldap3::ldap_escape;
use parlor_core::directory::{Entry, Group, Place};

/// Everybody, or whoever is called so.
pub(crate) fn person_filter(place: &Place, name: Option<&str>) -> String {
    let filter = match place.filter.trim() {
        "" => "(objectclass=*)".to_owned(),
        filter if filter.starts_with('(') => filter.to_owned(),
        filter => format!("({filter})"),
    };
    let Some(name) = name else {
        // Only who could sign in: entries without a name are no people.
        return format!("(&{filter}({}=*))", attribute(&place.username));
    };
    let name = ldap_escape(name);
    let fields = place.search_fields.iter().map(|field| format!("({}={name})", attribute(field)));
    let fields: Vec<String> = fields.collect();
    match fields.as_slice() {
        [] => format!("(&{filter}({}={name}))", attribute(&place.username)),
        [one] => format!("(&{filter}{one})"),
        all => format!("(&{filter}(|{}))", all.concat()),
    }
}

/// A group's question about a person.
pub(crate) fn filled(filter: &str, place: &Place, group: &Group, person: &Entry) -> String {
    let filter = if filter.is_empty() { "(&(cn=#{groupName})(memberUid=#{username}))" } else { filter };
    // One pass, so that what is put in is not looked at again.
    let values = [
        ("#{username}", person.first(&place.username).unwrap_or_default()),
        ("#{userdn}", person.dn.as_str()),
        ("#{groupName}", group.name.as_str()),
    ];
    let (mut out, mut rest) = (String::new(), filter);
    'all: while !rest.is_empty() {
        for (mark, value) in values {
            if let Some(after) = rest.strip_prefix(mark) {
                out.push_str(&ldap_escape(value));
                rest = after;
                continue 'all;
            }
        }
        let next = rest.chars().next().map_or(0, char::len_utf8);
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    out
}

/// A setting that is no attribute's name asks for nothing that is there.
fn attribute(name: &str) -> &str {
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.;".contains(&b));
    if fits { name } else { "uid" }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use parlor_core::directory::Encryption;

    use super::*;

    fn place() -> Place {
        Place {
            host: "h".into(),
            port: 389,
            encryption: Encryption::Plain,
            authority: String::new(),
            verify: true,
            reader: None,
            connect_within: Duration::from_secs(1),
            within: Duration::from_secs(1),
            base: "dc=x".into(),
            filter: "(objectclass=person)".into(),
            search_fields: vec!["uid".into(), "mail".into()],
            one_level: false,
            page: 10,
            unique: vec!["entryUUID".into()],
            username: "uid".into(),
            email: "mail".into(),
            name: "cn".into(),
            domain: String::new(),
        }
    }

    #[test]
    fn a_typed_name_stays_within_its_place_in_the_filter() {
        let asked = person_filter(&place(), Some("ann"));
        assert_eq!(asked, "(&(objectclass=person)(|(uid=ann)(mail=ann)))");
        for trick in ["*", "ann)(uid=*", "*)(|(uid=*", "a\\b", "a\0b", "(|"] {
            let asked = person_filter(&place(), Some(trick));
            assert_eq!(asked.matches('(').count(), 5, "{asked}");
            assert!(!asked.contains('*') && !asked.contains('\0'), "{asked}");
        }
        let broken = Place { search_fields: vec!["uid=*)(x".into()], ..place() };
        assert_eq!(person_filter(&broken, Some("ann")), "(&(objectclass=person)(uid=ann))");
    }

    #[test]
    fn a_group_is_asked_about_the_very_person() {
        let texts = BTreeMap::from([("uid".to_owned(), vec!["an)n".to_owned()])]);
        let person = Entry { dn: "uid=#{groupName},dc=x".into(), attributes: texts };
        let group = Group { name: "staff*".into(), base: String::new(), filter: String::new() };
        let asked = filled("", &place(), &group, &person);
        assert_eq!(asked, "(&(cn=staff\\2a)(memberUid=an\\29n))");
        let by_dn = filled("(&(cn=#{groupName})(member=#{userdn}))", &place(), &group, &person);
        assert_eq!(by_dn, "(&(cn=staff\\2a)(member=uid=#{groupName},dc=x))");
    }
}
