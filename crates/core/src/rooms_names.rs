//! What rooms may be called.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::RoomId,
    room::Room,
    setting::Settings,
};

/// Longest name or title of a room, in characters.
pub const MAX_NAME: usize = 120;
/// Words that look like the system speaking.
const RESERVED: [&str; 4] = ["admin", "administrator", "system", "user"];

/// The names a room will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) name: String,
    pub(crate) title: String,
}

impl Chat {
    /// Checks a wanted name against the workspace's rules and the rooms there are. `of`: the room that has or shall
    /// have it.
    pub(crate) async fn check_room_name(&self, wanted: &str, of: Option<&RoomId>) -> Result<Names> {
        let settings = self.settings();
        let title = clean_title(wanted)?;
        let free = settings.is_on("UI_Allow_room_names_with_special_chars");
        let mut name = if free { slug(&title) } else { title.clone() };
        if name.is_empty() {
            name = tail(&self.new_id());
        }
        check_pattern(&settings, &name)?;
        let taken = self.named_otherwise(&name, of).await?;
        if taken.is_none() {
            return Ok(Names { name, title });
        }
        if !free || taken.is_some_and(|room| room.title.as_deref() == Some(&*title)) {
            return Err(Refusal::Taken { what: What::RoomName, value: name });
        }
        for number in 1..1_000 {
            let numbered = format!("{name}-{number}");
            if self.named_otherwise(&numbered, of).await?.is_none() {
                return Ok(Names { name: numbered, title });
            }
        }
        Err(Refusal::Taken { what: What::RoomName, value: name })
    }

    async fn named_otherwise(&self, name: &str, of: Option<&RoomId>) -> Result<Option<Room>> {
        let wanted = name.to_owned();
        let found = self.store().reading(move |rows| crate::rooms::named(rows, &wanted)).await?;
        Ok(found.filter(|room| Some(&room.id) != of))
    }
}

/// Refuses names that look like the system speaking; for renaming.
pub(crate) fn refuse_reserved(name: &str) -> Result<()> {
    let lower = name.trim().to_lowercase();
    if RESERVED.contains(&&*lower) { Err(Refusal::Reserved(name.trim().to_owned())) } else { Ok(()) }
}

/// The one way to write a name: what looks the same and is put together otherwise is the same.
pub(crate) fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// A display name: without blanks around it, control characters or excess; its characters put together.
pub(crate) fn clean_title(wanted: &str) -> Result<String> {
    let title = composed(wanted.trim());
    let bad = |problem: &str| Err(Refusal::invalid("room-name", problem));
    if title.is_empty() {
        return bad("must not be empty");
    }
    if title.chars().count() > MAX_NAME {
        return Err(Refusal::TooLarge { what: "room-name", limit: MAX_NAME as u64 });
    }
    if title.chars().any(char::is_control) {
        return bad("must not hold control characters");
    }
    Ok(title)
}

fn check_pattern(settings: &Settings, name: &str) -> Result<()> {
    let pattern = match settings.text("UTF8_Channel_Names_Validation") {
        "" => "[0-9a-zA-Z-_.]+",
        pattern => pattern,
    };
    // A pattern that does not compile must not open the door to every name.
    let fits = compile(pattern).or_else(|| compile("[0-9a-zA-Z-_.]+")).is_some_and(|p| p.is_match(name));
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid("room-name", format!("{name} is not a valid room name.")))
}

fn compile(pattern: &str) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build().ok()
}

/// A name for addresses: letters without their marks, Greek and Cyrillic ones as they sound, digits, `-`, `_` and `.`;
/// everything else becomes one `-`.
pub(crate) fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() || "_.".contains(c) {
            slug.push(c);
        } else if let Some(sound) = sound(c) {
            let capital = c.is_uppercase();
            slug.extend(sound.chars().enumerate().map(|(at, c)| match capital && at == 0 {
                true => c.to_ascii_uppercase(),
                false => c,
            }));
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// How a letter is written in Latin ones.
fn sound(c: char) -> Option<&'static str> {
    const GREEK: (&str, &[&str]) = (
        "αβγδεζηθικλμνξοπρστυφχψως",
        &[
            "a", "b", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "ks", "o", "p", "r", "s", "t",
            "y", "f", "x", "ps", "o", "s",
        ],
    );
    const CYRILLIC: (&str, &[&str]) = (
        "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґђјљњћџ",
        &[
            "a", "b", "v", "g", "d", "e", "zh", "z", "i", "j", "k", "l", "m", "n", "o", "p", "r", "s", "t",
            "u", "f", "h", "c", "ch", "sh", "sh", "", "y", "", "e", "yu", "ya", "i", "yi", "ye", "g", "dj",
            "j", "lj", "nj", "c", "dz",
        ],
    );
    const LATIN: (&str, &[&str]) = ("ßæœøłđðþ", &["ss", "ae", "oe", "o", "l", "d", "d", "th"]);
    let small = c.to_lowercase().next()?;
    [LATIN, GREEK, CYRILLIC].iter().find_map(|(letters, sounds)| {
        letters.chars().position(|letter| letter == small).and_then(|at| sounds.get(at).copied())
    })
}

/// A name made of a host application's word: lower case, everything but letters, digits, `.` and `-` becomes one `_`;
/// at most 50 characters.
pub(crate) fn host_slug(word: &str) -> String {
    let mut slug = String::new();
    for c in word.to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c) {
            slug.push(c);
        } else if !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_matches('_').chars().take(50).collect()
}

/// As [`host_slug`], and the last 8 characters of the room's id where nothing of the word is left.
pub(crate) fn host_name(word: &str, id: &RoomId) -> String {
    match host_slug(word) {
        slug if slug.is_empty() => last(id, 8),
        slug => slug,
    }
}

/// The last characters of an id, for rooms whose title has nothing to make a name of.
pub(crate) fn tail(id: &str) -> String {
    last(id, 12)
}

fn last(id: &str, count: usize) -> String {
    let skipped = id.chars().count().saturating_sub(count);
    id.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_keeps_what_addresses_can_hold() {
        assert_eq!(slug("Grüße an  alle!"), "Grusse-an-alle");
        assert_eq!(slug("Ελληνικά-1"), "Ellinika-1");
        assert_eq!(slug("Тест съезда"), "Test-sezda");
        assert_eq!(slug("a.b_c-d"), "a.b_c-d");
        assert_eq!(slug("日本語"), "");
    }

    #[test]
    fn a_host_applications_word_becomes_a_name_or_the_end_of_the_id_does() {
        let id: RoomId = "019a9f50-0000-7000-8000-0123456789ab".into();
        assert_eq!(host_name("  Stage  Props! (2) ", &id), "stage_props_2");
        assert_eq!(host_name("a.b-C", &id), "a.b-c");
        assert_eq!(host_name(&"x".repeat(60), &id), "x".repeat(50));
        assert_eq!(host_name("日本", &id), "456789ab");
        assert_eq!(tail(&id), "0123456789ab");
    }

    #[test]
    fn a_name_outside_the_pattern_is_refused() {
        let settings = Settings::default();
        assert!(check_pattern(&settings, "general-2.x").is_ok());
        for bad in ["two words", "invalid*name", "a/b", "x\n", ""] {
            assert!(check_pattern(&settings, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_title_is_bounded_and_printable() {
        assert_eq!(clean_title("  Team talk ").as_deref(), Ok("Team talk"));
        assert_eq!(clean_title("cafe\u{301}").as_deref(), Ok("caf\u{e9}"));
        assert!(clean_title(" ").is_err());
        assert!(clean_title("a\u{7}").is_err());
        assert!(clean_title(&"x".repeat(MAX_NAME + 1)).is_err());
    }

    #[test]
    fn names_of_the_system_are_reserved() {
        assert!(refuse_reserved("Admin").is_err());
        assert!(refuse_reserved("admins").is_ok());
    }
}
