//! The port to a directory (LDAP): nouns, and the settings that describe it.

use std::{collections::BTreeMap, time::Duration};

use crate::{blobs::Boxed, chat::Chat, error::Result, oauth_services::words, users_change::Secret};

/// Entries of a directory that are looked at in one go.
pub const MAX_ENTRIES: usize = 50_000;

/// How the way to the directory is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    Plain,
    /// Asked for on a plain connection, before anything else is said.
    StartTls,
    /// From the first byte.
    Tls,
}

/// Where a directory is and how people are found in it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the way is protected.
    pub encryption: Encryption,
    /// Certificates in PEM that are trusted besides the machine's.
    pub authority: String,
    /// Whether the server's certificate must be right.
    pub verify: bool,
    /// Whose name the server reads by; nobody's when there is none.
    pub reader: Option<(String, Secret)>,
    /// Longest time to connect.
    pub connect_within: Duration,
    /// Longest time for one answer.
    pub within: Duration,
    /// Below what people are.
    pub base: String,
    /// What is said of all people, in parentheses.
    pub filter: String,
    /// Attributes that a typed name is looked for in.
    pub search_fields: Vec<String>,
    /// Only the entries directly below the base.
    pub one_level: bool,
    /// Entries in one page.
    pub page: i32,
    /// Attributes whose first one that is there names a person for ever.
    pub unique: Vec<String>,
    /// The attribute with the user name.
    pub username: String,
    /// The attribute with the address.
    pub email: String,
    /// The attribute with the name to show.
    pub name: String,
    /// What a user name becomes an address with where there is none.
    pub domain: String,
}

/// An entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the directory.
    pub dn: String,
    /// Texts by attribute, in lower case.
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl Entry {
    /// The first text of an attribute.
    pub fn first(&self, attribute: &str) -> Option<&str> {
        let texts = self.attributes.get(&attribute.to_lowercase())?;
        texts.iter().map(|text| text.trim()).find(|text| !text.is_empty())
    }
}

/// A directory. Bounded in time; what went wrong stands in the log.
pub trait Directory: Send + Sync {
    /// Connects and says who reads.
    ///
    /// # Errors
    /// `Unavailable`.
    fn check<'a>(&'a self, place: &'a Place) -> Boxed<'a, ()>;
    /// The one entry of that name; `None` when there is none, or more than one.
    ///
    /// # Errors
    /// `Unavailable`.
    fn find<'a>(&'a self, place: &'a Place, name: &'a str) -> Boxed<'a, Option<Entry>>;
    /// Whether this is the entry's password. An empty one never is.
    ///
    /// # Errors
    /// `Unavailable`.
    fn prove<'a>(&'a self, place: &'a Place, dn: &'a str, password: &'a str) -> Boxed<'a, bool>;
    /// All people, in pages.
    ///
    /// # Errors
    /// `Unavailable`, also when there are more than [`MAX_ENTRIES`]: half a list would tell lies.
    fn all<'a>(&'a self, place: &'a Place) -> Boxed<'a, Vec<Entry>>;
    /// How many entries below a base fit a filter, in which `#{username}` and `#{userdn}` stand for the person, and
    /// `#{groupName}` for the group.
    ///
    /// # Errors
    /// `Unavailable`.
    fn is_in<'a>(&'a self, place: &'a Place, group: &'a Group, person: &'a Entry) -> Boxed<'a, bool>;
}

/// A group that a person may be in.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Below what groups are.
    pub base: String,
    /// How membership is asked for.
    pub filter: String,
}

/// No directory: for tests and commands that need none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Directory for Nowhere {
    fn check<'a>(&'a self, _: &'a Place) -> Boxed<'a, ()> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
    fn find<'a>(&'a self, _: &'a Place, _: &'a str) -> Boxed<'a, Option<Entry>> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
    fn prove<'a>(&'a self, _: &'a Place, _: &'a str, _: &'a str) -> Boxed<'a, bool> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
    fn all<'a>(&'a self, _: &'a Place) -> Boxed<'a, Vec<Entry>> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
    fn is_in<'a>(&'a self, _: &'a Place, _: &'a Group, _: &'a Entry) -> Boxed<'a, bool> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
}

impl Chat {
    /// The directory of the settings, when it is switched on.
    pub(crate) fn directory_place(&self) -> Result<Option<Place>> {
        let settings = self.settings();
        if !settings.is_on("LDAP_Enable") || settings.text("LDAP_Host").trim().is_empty() {
            return Ok(None);
        }
        let text = |id: &str| settings.text(id).trim().to_owned();
        let millis = |id: &str| Duration::from_millis(settings.number(id).clamp(100.0, 60_000.0) as u64);
        let reader = if settings.is_on("LDAP_Authentication") {
            let password = self.secret_setting("LDAP_Authentication_Password")?;
            Some((text("LDAP_Authentication_UserDN"), Secret(password)))
        } else {
            None
        };
        Ok(Some(Place {
            host: text("LDAP_Host"),
            port: settings.number("LDAP_Port").clamp(1.0, 65_535.0) as u16,
            encryption: match settings.text("LDAP_Encryption") {
                "tls" => Encryption::StartTls,
                "ssl" => Encryption::Tls,
                _ => Encryption::Plain,
            },
            authority: text("LDAP_CA_Cert"),
            verify: settings.is_on("LDAP_Reject_Unauthorized"),
            reader,
            connect_within: millis("LDAP_Connect_Timeout"),
            within: millis("LDAP_Timeout"),
            base: text("LDAP_BaseDN"),
            filter: text("LDAP_User_Search_Filter"),
            search_fields: words(settings.text("LDAP_User_Search_Field")),
            one_level: settings.text("LDAP_User_Search_Scope") == "one",
            page: settings.number("LDAP_Search_Page_Size").clamp(1.0, 1_000.0) as i32,
            unique: words(settings.text("LDAP_Unique_Identifier_Field")),
            username: text("LDAP_Username_Field"),
            email: text("LDAP_Email_Field"),
            name: text("LDAP_Name_Field"),
            domain: text("LDAP_Default_Domain"),
        }))
    }
}
