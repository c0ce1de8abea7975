//! The short names of emoji that clients know without asking the server.

/// One name a line, in the order of their bytes: the sets of CLDR, Emojibase, GitHub, iamcal and JoyPixels together, as
/// emojibase-data 17.0.0 (MIT, Miles Johnson) has them, without what says the tone of skin.
const NAMES: &str = include_str!("emoji_names.txt");

/// What a tone of skin is called behind a name.
const TONES: [&str; 5] = ["light", "medium_light", "medium", "medium_dark", "dark"];

/// Whether it is the short name of an emoji, without colons, in whatever set and tone of skin.
pub(crate) fn is_standard(name: &str) -> bool {
    is_listed(untoned(name))
}

/// Two people in one emoji have two tones.
fn untoned(mut name: &str) -> &str {
    while let Some(plain) = without_word(name).or_else(|| without_number(name)) {
        name = plain;
    }
    name
}

fn without_word(name: &str) -> Option<&str> {
    let toned = name.strip_suffix("_skin_tone")?;
    // The longest first: `medium_dark` ends in `dark`.
    let mut tones = ["medium_light", "medium_dark"].into_iter().chain(TONES);
    tones.find_map(|tone| toned.strip_suffix(tone)?.strip_suffix('_'))
}

/// `_tone1`, `_tone1-2`
fn without_number(name: &str) -> Option<&str> {
    let (plain, tones) = name.rsplit_once("_tone")?;
    let is_tone = |text: &str| matches!(text.as_bytes(), [b'1'..=b'5']);
    tones.split('-').all(is_tone).then_some(plain)
}

/// Searches the lines by halves.
fn is_listed(name: &str) -> bool {
    let (mut low, mut high) = (0, NAMES.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = NAMES[..middle].rfind('\n').map_or(0, |end| end + 1);
        let end = NAMES[start..].find('\n').map_or(NAMES.len(), |length| start + length);
        match NAMES[start..end].cmp(name) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_order_by_which_it_is_searched_and_each_is_found() {
        let all: Vec<&str> = NAMES.lines().collect();
        assert!(all.is_sorted() && all.len() > 4_000);
        assert!(all.iter().all(|name| is_listed(name)));
    }

    #[test]
    fn names_of_all_sets_are_known_and_in_all_tones_of_skin() {
        for name in [
            "+1",
            "-1",
            "thumbsup",
            "thumbsup_tone3",
            "wave_tone1",
            "slight_smile",
            "slightly_smiling_face",
            "flag_de",
            "de",
            "tada",
            "thumbs_up_medium_dark_skin_tone",
            "couple_with_heart_tone1-2",
        ] {
            assert!(is_standard(name), "{name}");
        }
    }

    #[test]
    fn what_no_set_has_is_unknown() {
        for name in ["", "bike_shed_of_parlor", "thumbsup_tone6", "_tone1", "tad", "tadaa", "\n", "zzzz"] {
            assert!(!is_standard(name), "{name}");
        }
    }
}
