//! Text cut into the tokens that are indexed and looked for: the same cut for both, whatever the engine.
//!
//! Words are folded (case, width, diacritics). Scripts that write without blanks (Chinese, Japanese, Thai and
//! their neighbours, and Korean, whose words grow endings) are cut into overlapping pairs of characters, with
//! the last one alone: a query for two or more of them is a run of pairs, a query for one is the beginning of a
//! pair, so any part of such a text is found.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest token in characters; what is longer is cut there.
const LONGEST: usize = 64;
/// Tokens of one text at most: an index entry has to stay small whatever is pasted.
const MOST: usize = 4_000;

/// What a text consists of, in order.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut cutter = Cutter { out: Vec::new(), word: String::new(), run: Vec::new(), runs_alone: true };
    cutter.cut(text);
    cutter.out
}

/// What a word of a query consists of; to be found one after the other. A lone character of a script without
/// blanks is the beginning of a token.
pub(crate) fn query_tokens(word: &str) -> Phrase {
    let mut cutter = Cutter { out: Vec::new(), word: String::new(), run: Vec::new(), runs_alone: false };
    cutter.cut(word);
    let prefix = cutter.out.last().is_some_and(|last| {
        let mut chars = last.chars();
        chars.next().is_some_and(unspaced) && chars.next().is_none()
    });
    Phrase { tokens: cutter.out, prefix }
}

/// Tokens that stand one after the other; the last may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    pub(crate) tokens: Vec<String>,
    pub(crate) prefix: bool,
}

impl Phrase {
    /// Whether a text's tokens hold this phrase.
    pub(crate) fn stands_in(&self, text: &[String]) -> bool {
        let Some((last, before)) = self.tokens.split_last() else { return true };
        text.windows(self.tokens.len()).any(|window| {
            let Some((end, start)) = window.split_last() else { return false };
            start == before && if self.prefix { end.starts_with(last.as_str()) } else { end == last }
        })
    }
}

struct Cutter {
    out: Vec<String>,
    word: String,
    run: Vec<char>,
    /// The last character of a run is a token of its own (in texts, not in queries).
    runs_alone: bool,
}

impl Cutter {
    fn cut(&mut self, text: &str) {
        if text.is_ascii() { self.cut_ascii(text) } else { self.cut_any(text) }
    }

    /// As [`Self::cut_any`] for what needs no folding but of its case: a tenth of the time.
    fn cut_ascii(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let shortened = words.map(|word| word[..word.len().min(LONGEST)].to_ascii_lowercase());
        self.out.extend(shortened.take(MOST));
    }

    fn cut_any(&mut self, text: &str) {
        for c in text.nfkc().flat_map(char::to_lowercase) {
            if self.out.len() >= MOST {
                return;
            }
            if unspaced(c) {
                self.end_word();
                self.run.push(c);
            } else if c.is_alphanumeric() {
                self.end_run();
                self.fold(c);
            } else if is_combining_mark(c) {
                // A mark belongs to what it stands on; a stray one to nothing.
                if !self.run.is_empty() {
                    self.run.push(c);
                } else if !self.word.is_empty() && !dropped(c) {
                    self.word.push(c);
                }
            } else if !ignorable(c) {
                self.end_word();
                self.end_run();
            }
        }
        self.end_word();
        self.end_run();
    }

    /// Adds a letter or digit without its diacritics.
    fn fold(&mut self, c: char) {
        match c {
            'ß' => self.word.push_str("ss"),
            'æ' => self.word.push_str("ae"),
            'œ' => self.word.push_str("oe"),
            'ø' => self.word.push('o'),
            'đ' | 'ð' => self.word.push('d'),
            'ł' => self.word.push('l'),
            'ı' => self.word.push('i'),
            'þ' => self.word.push_str("th"),
            'ς' => self.word.push('σ'),
            c if c.is_ascii() => self.word.push(c),
            c => self.word.extend(std::iter::once(c).nfd().filter(|c| !dropped(*c))),
        }
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        let end = word.char_indices().nth(LONGEST).map_or(word.len(), |(end, _)| end);
        self.out.push(word[..end].to_owned());
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        self.out.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
        if let Some(last) = run.last()
            && (self.runs_alone || run.len() == 1)
        {
            self.out.push(last.to_string());
        }
    }
}

/// Characters of scripts whose words are not set apart by blanks, and Hangul.
fn unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Myanmar
        | 0x1100..=0x11FF // Hangul Jamo
        | 0x1780..=0x17FF // Khmer
        | 0x2E80..=0x2FDF // radicals
        | 0x3005..=0x3007
        | 0x3041..=0x30FF // Hiragana, Katakana
        | 0x3105..=0x312F // Bopomofo
        | 0x3131..=0x318E
        | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7FF // Hangul
        | 0xF900..=0xFAFF
        | 0x20000..=0x3FFFF)
        && c.is_alphanumeric() | is_combining_mark(c)
}

/// Marks that people leave out when they type: of Latin, Greek, Cyrillic, Hebrew and Arabic. Those of Indic
/// scripts are vowels and stay.
fn dropped(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x0591..=0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670
        | 0x06D6..=0x06ED | 0x0640)
}

/// Characters that stand inside a word without being seen: joiners, soft hyphens, variation selectors.
fn ignorable(c: char) -> bool {
    matches!(u32::from(c), 0x00AD | 0x0640 | 0x200B..=0x200F | 0x2060 | 0xFE00..=0xFE0F | 0xFEFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> String {
        tokens(text).join(" ")
    }

    fn found(query: &str, text: &str) -> bool {
        query_tokens(query).stands_in(&tokens(text))
    }

    #[test]
    fn words_are_folded_by_case_width_and_diacritics() {
        assert_eq!(cut("Crème BRÛLÉE, naïve; Straße"), "creme brulee naive strasse");
        assert_eq!(cut("Ｆｕｌｌ ﬁne Łódź Øre"), "full fine lodz ore");
        assert_eq!(cut("ΟΔΥΣΣΕΎΣ Ёлка"), "οδυσσευσ елка");
        assert_eq!(cut("don\u{ad}t re\u{301}sume\u{301}"), "dont resume");
        assert_eq!(cut("İstanbul"), "istanbul");
    }

    #[test]
    fn ascii_is_cut_as_everything_else_is() {
        let every: String = (0..128).map(char::from).collect();
        let long = "Xy".repeat(100);
        let many = "ab ".repeat(10_000);
        for text in [&every, &long, &many, "", " ", "a", "Hello, World! x_1-2", "ends here.", "\0a\u{7f}b"] {
            let mut cutter =
                Cutter { out: Vec::new(), word: String::new(), run: Vec::new(), runs_alone: true };
            cutter.cut_any(text);
            assert_eq!(tokens(text), cutter.out, "{text:.40}");
        }
    }

    #[test]
    fn signs_part_words() {
        assert_eq!(cut("foo_bar-baz@x.org #tag :smile: a\0b"), "foo bar baz x org tag smile a b");
        assert_eq!(cut("*** — …"), "");
    }

    #[test]
    fn texts_without_blanks_are_cut_into_pairs() {
        assert_eq!(cut("我是中国人"), "我是 是中 中国 国人 人");
        assert_eq!(cut("東京に行く Rust入門"), "東京 京に に行 行く く rust 入門 門");
    }

    #[test]
    fn any_part_of_such_a_text_is_found_and_nothing_else() {
        let text = "明天在北京开会";
        for part in ["明", "会", "北京", "在北京", "北京开会", "明天在北京开会"] {
            assert!(found(part, text), "{part}");
        }
        for other in ["京北", "北会", "天北京", "上"] {
            assert!(!found(other, text), "{other}");
        }
        assert!(found("ขอบคุณ", "สวัสดีครับขอบคุณมาก"));
        assert!(found("ありがと", "どうもありがとうございます"));
        assert!(found("서울", "서울에서 만나요"));
    }

    #[test]
    fn half_width_and_full_width_kana_are_the_same() {
        assert!(found("ｶﾞﾗｽ", "ガラス"));
    }

    #[test]
    fn a_word_with_signs_in_it_is_a_run_of_words() {
        assert!(found("foo-bar", "see foo bar here"));
        assert!(!found("foo-bar", "foo and bar"));
        assert!(!found("fo", "foo"));
    }

    #[test]
    fn vowels_of_indic_scripts_stay() {
        assert_eq!(cut("हिन्दी"), "हिन्दी");
        assert!(!found("हन्द", "हिन्दी"));
    }

    #[test]
    fn no_text_makes_more_or_longer_tokens_than_an_index_entry_takes() {
        assert_eq!(tokens(&"ab ".repeat(10_000)).len(), MOST);
        assert!(tokens(&"中".repeat(10_000)).len() <= 10_000);
        assert_eq!(tokens(&"x".repeat(5_000))[0].len(), LONGEST);
    }
}
