//! The text under the reading eye: looking ahead, remembering what was found, and the budget that keeps reading linear.

use rustc_hash::FxHashMap;

use crate::{Options, chars};

/// Steps of looking ahead that a text may cost: a flat part, and this many for each byte. What people write needs at most
/// three for each byte, random marks and brackets fewer than ten; what asks for more stays plain from there on.
const FLAT_FUEL: usize = 10_000;
const FUEL_FOR_EACH_BYTE: usize = 16;
/// Steps that looking up what was found before is worth.
pub(crate) const COST_OF_RECALL: usize = 4;
/// Bytes to run over for the cost of a step.
pub(crate) const BYTES_IN_A_STEP: usize = 4;

/// The marks and brackets around a place. Each can surround it once, which bounds the depth of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Inside(u8);

impl Inside {
    pub(crate) const BOLD: Self = Self(1);
    pub(crate) const ITALIC: Self = Self(2);
    pub(crate) const STRIKE: Self = Self(4);
    pub(crate) const LINK: Self = Self(8);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What can be remembered of a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    Bold,
    Italic,
    Strike,
    Reference,
    Image,
    Spoiler,
    /// Whether what follows an emoticon lets it stand: in a line, in bold, in italic.
    StandsInLine,
    StandsInBold,
    StandsInItalic,
}

/// Something found: where it ends, and in which of its forms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) end: usize,
    pub(crate) form: u8,
}

/// Characters whose runs are measured once and not again from each of their places.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Alphanumeric,
    Asterisk,
    Underscore,
    Tilde,
    At,
    Blank,
    /// The local part of an e-mail address.
    Mail,
}

/// A host name's labels, as far as they go, and the last dot between them.
#[derive(Clone, Copy, Default)]
struct Labels {
    start: usize,
    end: usize,
    last_dot: usize,
}

/// The text of a Markdown link that was looked for, up to where it ends. Later brackets within it end at the same place,
/// so they need not look again.
#[derive(Default)]
pub(crate) struct Title {
    pub(crate) inside: Inside,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Marked text within it, which can't be entered in its middle.
    pub(crate) leaps: Vec<(usize, usize)>,
    /// Where the whole link ends, if the title belongs to one.
    pub(crate) link_end: Option<usize>,
}

impl Title {
    /// Whether a title that reaches this place goes on as this one.
    pub(crate) fn meets(&self, at: usize, inside: Inside) -> bool {
        self.inside == inside
            && (self.start..self.end).contains(&at)
            && self
                .leaps
                .partition_point(|&(start, _)| start < at)
                .checked_sub(1)
                .is_none_or(|last| self.leaps.get(last).is_none_or(|&(_, end)| end <= at))
    }
}

pub(crate) struct Scanner<'t> {
    pub(crate) text: &'t str,
    pub(crate) options: &'t Options,
    fuel: usize,
    memory: FxHashMap<(u32, Rule, Inside), Option<Found>>,
    runs: [(usize, usize); 7],
    /// The last two measured.
    labels: [Labels; 2],
    last_link_middle: Option<usize>,
    /// From here on no formula ends: those of their own line, those within one.
    pub(crate) no_formula_from: [usize; 2],
    /// Where the last local part of an e-mail address ended that has no domain behind it.
    pub(crate) no_mail_at: usize,
    /// The last title of a link that was looked for.
    pub(crate) title: Title,
    /// Whether any address in the text is written with its scheme.
    pub(crate) has_schemes: bool,
    /// Spoilers that are being looked for around the place.
    pub(crate) spoilers: u8,
    /// Up to here no quiet words begin.
    not_quiet_before: usize,
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str, options: &'t Options) -> Self {
        Self {
            text,
            options,
            fuel: FLAT_FUEL + FUEL_FOR_EACH_BYTE * text.len(),
            memory: FxHashMap::default(),
            runs: [(1, 0); 7],
            labels: [Labels::default(); 2],
            last_link_middle: text.rfind("]("),
            no_formula_from: [usize::MAX; 2],
            no_mail_at: usize::MAX,
            title: Title::default(),
            has_schemes: text.contains("://"),
            spoilers: 0,
            // The one address without a sign in it.
            not_quiet_before: if text.contains("localhost") { usize::MAX } else { 0 },
        }
    }

    /// The end of words in which nothing can begin: ASCII letters and digits up to a blank, the end, a comma or a full
    /// stop, with blanks between them. All that is more than text needs a sign in it or right behind it, so most of what
    /// people write is read by this, once, instead of asking each rule at each letter.
    pub(crate) fn quiet_words(&mut self, start: usize) -> Option<usize> {
        if start < self.not_quiet_before {
            return None;
        }
        let (mut at, mut end) = (start, None);
        loop {
            let word = self.while_bytes(at, |byte| byte.is_ascii_alphanumeric());
            let ends = match self.byte(word) {
                Some(b'.') => self.is_gap_or_end(word + 1),
                Some(b',') => true,
                _ => self.is_gap_or_end(word),
            };
            if word == at || !ends {
                self.not_quiet_before = word;
                return end;
            }
            end = Some(word);
            at = self.while_bytes(word, |byte| matches!(byte, b' ' | b'\t'));
            if at == word {
                return end;
            }
        }
    }

    /// Without the short way over quiet words.
    #[cfg(test)]
    pub(crate) fn thorough(text: &'t str, options: &'t Options) -> Self {
        Self { not_quiet_before: usize::MAX, ..Self::new(text, options) }
    }

    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Whether this byte stands there.
    pub(crate) fn is(&self, at: usize, byte: u8) -> bool {
        self.byte(at) == Some(byte)
    }

    pub(crate) fn starts(&self, at: usize, with: &str) -> bool {
        self.text.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(with.as_bytes()))
    }

    /// The character that begins there. `None` at the end, and within a character.
    pub(crate) fn char(&self, at: usize) -> Option<char> {
        match self.byte(at)? {
            byte if byte < 128 => Some(byte as char),
            _ => self.text.get(at..)?.chars().next(),
        }
    }

    /// The end of the line end that begins there.
    pub(crate) fn line_end(&self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'\r' if self.is(at + 1, b'\n') => Some(at + 2),
            b'\r' | b'\n' => Some(at + 1),
            _ => None,
        }
    }

    /// Where blanks, a line end or the end of the text stand.
    pub(crate) fn is_gap_or_end(&self, at: usize) -> bool {
        self.byte(at).is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }

    /// The end of the bytes that satisfy `belongs`.
    pub(crate) fn while_bytes(&self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        at + rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len())
    }

    /// The end of the characters that satisfy `belongs`.
    pub(crate) fn while_chars(&self, at: usize, belongs: impl Fn(char) -> bool) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.find(|c| !belongs(c)).unwrap_or(rest.len())
    }

    /// The end of the run that covers this place; the place itself when none does.
    pub(crate) fn run(&mut self, kind: Run, at: usize) -> usize {
        let (start, end) = self.runs[kind as usize];
        if (start..end).contains(&at) {
            return end;
        }
        let end = match kind {
            Run::Alphanumeric => self.while_bytes(at, |byte| byte.is_ascii_alphanumeric()),
            Run::Asterisk => self.while_bytes(at, |byte| byte == b'*'),
            Run::Underscore => self.while_bytes(at, |byte| byte == b'_'),
            Run::Tilde => self.while_bytes(at, |byte| byte == b'~'),
            Run::At => self.while_bytes(at, |byte| byte == b'@'),
            Run::Blank => self.while_bytes(at, |byte| matches!(byte, b' ' | b'\t')),
            Run::Mail => self.mail_end(at),
        };
        if end > at {
            self.spend((end - at) / BYTES_IN_A_STEP);
            self.runs[kind as usize] = (at, end);
        }
        end
    }

    /// Letters and special characters, with single dots between them.
    fn mail_end(&self, at: usize) -> usize {
        let mut end = at;
        while let Some(c) = self.char(end) {
            let belongs = match c {
                '.' => self.char(end + 1).is_some_and(chars::is_mail),
                c => c.is_ascii() && chars::MAIL_SPECIAL.has(c as u8) || chars::is_mail(c),
            };
            if !belongs {
                break;
            }
            end += c.len_utf8();
        }
        end
    }

    /// The end of the domain name that begins there: `localhost`, or labels with at least one dot between them.
    pub(crate) fn domain(&mut self, at: usize) -> Option<usize> {
        if self.starts(at, "localhost") {
            return Some(at + "localhost".len());
        }
        let first = self.byte(at)?;
        if first == b'_' || first != b'-' && !chars::is_host(first) {
            return None;
        }
        // Of two dashes the first takes the second with it, so labels that begin at the second may be others.
        let doubtful = first == b'-' && at > 0 && matches!(self.byte(at - 1), Some(b'-' | b'_'));
        let covers =
            |labels: &Labels| labels.start == at || !doubtful && (labels.start..labels.end).contains(&at);
        let known = self.labels.iter().find(|labels| labels.end > at && covers(labels)).copied();
        let labels = match known {
            Some(labels) => labels,
            None if doubtful && !self.spend(1) => return None,
            None => {
                let labels = self.measure_labels(at);
                self.spend((labels.end - at) / if doubtful { 1 } else { BYTES_IN_A_STEP });
                self.labels = [labels, self.labels[0]];
                labels
            }
        };
        (at < labels.last_dot).then_some(labels.end)
    }

    fn measure_labels(&self, start: usize) -> Labels {
        let mut labels = Labels { start, end: self.label_end(start), last_dot: start };
        while self.is(labels.end, b'.') {
            let end = self.label_end(labels.end + 1);
            if end == labels.end + 1 {
                break;
            }
            labels.last_dot = labels.end;
            labels.end = end;
        }
        labels
    }

    /// The end of one label. A dash or underscore takes the next character with it, punctuation included: so the
    /// clients' parser has it.
    fn label_end(&self, start: usize) -> usize {
        let mut at = start;
        loop {
            at = self.while_bytes(at, chars::is_host);
            if !self.is(at, b'-') && !self.is(at, b'_') {
                return at;
            }
            match self.char(at + 1) {
                Some(c) if !c.is_ascii() || !chars::BREAKS_HOST.has(c as u8) => at += 1 + c.len_utf8(),
                _ => return at,
            }
        }
    }

    /// Whether the middle of a Markdown link comes at or after this place.
    pub(crate) fn link_middle_after(&self, at: usize) -> bool {
        self.last_link_middle.is_some_and(|last| last >= at)
    }

    /// Pays for looking ahead. `false`: the text has used up what it may cost.
    pub(crate) fn spend(&mut self, steps: usize) -> bool {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                self.fuel = left;
                true
            }
            None => {
                self.fuel = 0;
                false
            }
        }
    }

    /// What is remembered of a place: `None` when nothing is, `Some(None)` when nothing was found there.
    #[expect(clippy::option_option, reason = "never looked for, looked for in vain, found")]
    pub(crate) fn known(&mut self, rule: Rule, at: usize, inside: Inside) -> Option<Option<Found>> {
        let place = u32::try_from(at).ok()?;
        self.memory.get(&(place, rule, inside)).copied()
    }

    pub(crate) fn learn(&mut self, rule: Rule, at: usize, inside: Inside, found: Option<Found>) {
        if let Ok(place) = u32::try_from(at) {
            self.memory.insert((place, rule, inside), found);
        }
    }

    /// Looks for something once for each place and surrounding. What was found is found again, budget or not, so that a
    /// tree can be built of it.
    pub(crate) fn recall(
        &mut self,
        rule: Rule,
        at: usize,
        inside: Inside,
        find: impl FnOnce(&mut Self) -> Option<Found>,
    ) -> Option<Found> {
        let affordable = self.spend(COST_OF_RECALL);
        if let Some(known) = self.known(rule, at, inside) {
            return known;
        }
        if !affordable {
            return None;
        }
        let found = find(self).filter(|_| self.fuel > 0);
        self.learn(rule, at, inside, found);
        found
    }
}
