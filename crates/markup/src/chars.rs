//! Which characters may stand where.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A set of ASCII characters, looked up by one shift.
#[derive(Clone, Copy)]
pub(crate) struct Set(u128);

impl Set {
    /// The characters of `members`, and letters and digits too if `alnum`.
    const fn new(members: &str, alnum: bool) -> Self {
        let mut bits = 0;
        let bytes = members.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            bits |= 1 << bytes[at];
            at += 1;
        }
        let mut byte = 0u8;
        while alnum && byte < 128 {
            if byte.is_ascii_alphanumeric() {
                bits |= 1 << byte;
            }
            byte += 1;
        }
        Self(bits)
    }

    /// Every printable character, less those of `others`.
    const fn printable_but(others: &str) -> Self {
        let mut bits = 0;
        let mut byte = 0x20;
        while byte < 0x7f {
            bits |= 1 << byte;
            byte += 1;
        }
        Self(bits & !Self::new(others, false).0)
    }

    pub(crate) const fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    /// Whether it holds the character or that is beyond ASCII.
    pub(crate) const fn has_or_beyond(self, byte: u8) -> bool {
        byte >= 128 || self.0 >> byte & 1 == 1
    }
}

/// Ordinary text: no marks, no brackets.
pub(crate) const TEXT: Set = Set::printable_but("()*[\\]^_`{|}~");
/// Punctuation that doesn't belong to an address when it ends it.
pub(crate) const TRAILING: Set = Set::new(".,!%~*\"':;()=", false);
/// The same within the parentheses of a Markdown link.
pub(crate) const TRAILING_IN_LINK: Set = Set::new(".,!%*\"':;=", false);
/// The body of an address.
pub(crate) const ADDRESS: Set = Set::printable_but(")\\|");
/// The text of `<address|text>`.
pub(crate) const SLACK_TITLE: Set = Set::printable_but("<>|");
/// What a scheme is made of.
pub(crate) const SCHEME: Set = Set::new("+-", true);
/// User and password in an address.
pub(crate) const USER_INFO: Set = Set::new("$&+_#?-", true);
/// What an e-mail address may have between letters.
pub(crate) const MAIL_SPECIAL: Set = Set::new("!#$%&'*+/=?^_`{|}~-", false);
/// The name between two colons.
pub(crate) const SHORT_CODE: Set = Set::new("-_+.", true);
/// The language behind a fence.
pub(crate) const LANGUAGE: Set = Set::new(" _-.", true);
/// What a backslash makes plain.
pub(crate) const ESCAPABLE: Set = Set::new("*_~`#.", false);
/// ASCII that can't stand in a host name.
const NOT_HOST: Set = Set::new("-_.,!%~*\"':;()=$@&+#?\\/|><`[] \t\r\n", false);
/// What ends a host name even behind a dash.
pub(crate) const BREAKS_HOST: Set = Set::new("\\/|><%`[] \t\r\n", false);

/// A character of a host name's label other than dashes and underscores, as generous as the clients' parser.
pub(crate) fn is_host(byte: u8) -> bool {
    !NOT_HOST.has(byte)
}

/// A letter or decimal digit of any script; beyond the basic plane none counts.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    (c as u32) < 0x1_0000
        && match c.general_category_group() {
            GeneralCategoryGroup::Letter => true,
            GeneralCategoryGroup::Number => {
                c.general_category() == unicode_properties::GeneralCategory::DecimalNumber
            }
            _ => false,
        }
}

/// A character of a user's or channel's name.
pub(crate) fn is_name(c: char) -> bool {
    matches!(c, '-' | '_' | '.') || is_letter_or_digit(c)
}

/// A character that may begin the local part of an e-mail address: letters, digits, marks, emoji.
pub(crate) fn is_mail(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    c as u32 >= 0x1_0000
        || is_letter_or_digit(c)
        || c.general_category_group() == GeneralCategoryGroup::Mark
        || is_pictograph(c)
}

/// The basic plane's signs that e-mail addresses may contain.
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{200d}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{231a}' | '\u{231b}' | '\u{2328}' | '\u{23cf}' | '\u{23e9}'..='\u{23f3}'
        | '\u{23f8}'..='\u{23fa}' | '\u{24c2}' | '\u{25aa}' | '\u{25ab}' | '\u{25b6}' | '\u{25c0}'
        | '\u{25fb}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}' | '\u{2934}' | '\u{2935}' | '\u{2b05}'..='\u{2b07}'
        | '\u{2b1b}' | '\u{2b1c}' | '\u{2b50}' | '\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}')
}

/// Whether nothing of it is visible, by JavaScript's notion of white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == '\u{feff}' || c.is_whitespace() && c != '\u{85}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_take_letters_and_digits_but_no_punctuation() {
        assert!(b"aZ09{}^".iter().all(|&b| is_host(b)));
        assert!(!b".,!%~*\"':;()=$@&+#?\\/|><`[] \t\r\n".iter().any(|&b| is_host(b)));
        assert!(is_host("é".as_bytes()[0]));
    }

    #[test]
    fn names_take_letters_of_every_script_but_no_signs() {
        assert!("aZ9-_.éя日".chars().all(is_name));
        assert!(!" @#:/!😀½²Ⅳ".chars().any(is_name));
    }

    #[test]
    fn white_space_is_blank_and_a_letter_is_not() {
        assert!(is_blank(" \t\u{a0}\u{feff}") && is_blank(""));
        assert!(!is_blank(" a "));
    }
}
