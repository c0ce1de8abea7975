//! What a line consists of.

use crate::{
    chars,
    scan::{Found, Inside, Rule, Scanner},
    sink::{Builder, Nowhere, Sink},
    tree::Inline,
};

/// Emoticons between spoiler marks could nest spoilers while looking ahead; nobody writes more than this.
const DEEPEST_SPOILERS: u8 = 3;

impl Scanner<'_> {
    /// The rest of the line as nodes, and where the next line begins. `None` when nothing is left of it.
    pub(crate) fn line(&mut self, start: usize) -> Option<(Vec<Inline>, usize)> {
        let mut out = Builder::default();
        let mut at = start;
        let mut after_text = false;
        loop {
            if let Some(end) = self.item(at, after_text, &mut out) {
                (at, after_text) = (end, false);
            } else if let Some(end) = self.anything(at, &mut out) {
                (at, after_text) = (end, true);
            } else {
                break;
            }
        }
        (at > start).then(|| (out.finish(), self.line_end(at).unwrap_or(at)))
    }

    /// One piece of a line that is more than a character. Emoji and emoticons don't begin right `after_text`.
    pub(crate) fn item<S: Sink>(&mut self, at: usize, after_text: bool, out: &mut S) -> Option<usize> {
        if let Some(end) = self.quiet_words(at) {
            out.plain(&self.text[at..end]);
            return Some(end);
        }
        if let Some(end) = self.item_but_emoticons(at, after_text, out) {
            return Some(end);
        }
        if !after_text
            && let Some((end, ..)) = self.emoticon_at(at)
            && self.stands(None, end, Inside::default())
        {
            return self.emoticon(at, out);
        }
        self.wide_mention(at, out)
    }

    pub(crate) fn item_but_emoticons<S: Sink>(
        &mut self,
        at: usize,
        after_text: bool,
        out: &mut S,
    ) -> Option<usize> {
        let byte = self.byte(at)?;
        let found = match byte {
            b' ' | b'\t' => return self.blanks(at, out),
            b'\n' | b'\r' => return None,
            b'<' => self.timestamp(at, out).or_else(|| self.reference(at, Inside::default(), out)),
            b'[' => self.reference(at, Inside::default(), out),
            b'+' => self.telephone(at, out),
            b'\\' => self.formula(at, out).or_else(|| self.escaped(at, out)),
            b'`' => self.code(at, out),
            b'!' => self.image(at, out),
            b'|' => self.spoiler(at, out),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        if let Some(end) = self.mail(at, out) {
            return Some(end);
        }
        if let Some(end) = self.autolink(at, out) {
            return Some(end);
        }
        if let Some(end) = self.empty_emphasis(at, out) {
            return Some(end);
        }
        if let Some(end) = self.emphasis(at, Inside::default(), out) {
            return Some(end);
        }
        if let Some(end) = self.mention(at, out) {
            return Some(end);
        }
        match byte {
            b':' | 128.. if !after_text => self.emoji(at, out),
            b'c' => self.color(at, out),
            b'$' => self.formula(at, out),
            _ => None,
        }
    }

    /// One character, with a telephone number or address right behind it, which is then no link.
    pub(crate) fn anything<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let c = self.char(at).filter(|c| !matches!(c, '\n' | '\r'))?;
        let mut end = at + c.len_utf8();
        end = self.number(end).unwrap_or(end);
        end = self.bare_address(end).unwrap_or(end);
        out.plain(&self.text[at..end]);
        Some(end)
    }

    /// A character that a backslash keeps from being a mark.
    fn escaped<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        self.byte(at + 1).filter(|&byte| chars::ESCAPABLE.has(byte))?;
        out.plain(&self.text[at + 1..at + 2]);
        Some(at + 2)
    }

    /// `||text||`
    fn spoiler<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        if !self.starts(at, "||") {
            return None;
        }
        let found = self.recall(Rule::Spoiler, at, Inside::default(), |s| {
            if s.spoilers == DEEPEST_SPOILERS {
                return None;
            }
            s.spoilers += 1;
            let end = s.spoiler_content(at + 2, &mut Nowhere);
            s.spoilers -= 1;
            s.starts(end, "||").then_some(Found { end: end + 2, form: 0 }).filter(|_| end > at + 2)
        })?;
        if S::BUILDS {
            let mut content = Builder::default();
            if self.spoiler_content(at + 2, &mut content) + 2 == found.end {
                out.node(|| Inline::Spoiler(content.finish()));
            } else {
                // The budget ran out between looking and building.
                out.plain(&self.text[at..found.end]);
            }
        }
        Some(found.end)
    }

    fn spoiler_content<S: Sink>(&mut self, start: usize, out: &mut S) -> usize {
        let mut at = start;
        while !self.starts(at, "||") && (S::BUILDS || self.spend(1)) {
            match self.item(at, false, out).or_else(|| self.anything(at, out)) {
                Some(end) => at = end,
                None => break,
            }
        }
        at
    }

    /// What stands behind `* ` in a list, and where the next line begins. An asterisk that marks nothing ends the list.
    pub(crate) fn asterisk_item(&mut self, start: usize) -> Option<(Vec<Inline>, usize)> {
        let mut out = Builder::default();
        let mut at = start;
        loop {
            if let Some(end) = self.item(at, false, &mut out) {
                at = end;
            } else if self.is(at, b'*') {
                return None;
            } else if let Some(end) = self.anything(at, &mut out) {
                at = end;
            } else {
                break;
            }
        }
        (at > start).then(|| (out.finish(), self.line_end(at).unwrap_or(at)))
    }

    /// `color:#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa`.
    fn color<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        const START: &str = "color:#";
        if !self.options.colors || !self.starts(at, START) {
            return None;
        }
        let start = at + START.len();
        let digits = self.while_bytes(start, |byte| byte.is_ascii_hexdigit()) - start;
        let (width, parts) = match digits {
            3 => (1, 3),
            4 | 5 => (1, 4),
            6 | 7 => (2, 3),
            8.. => (2, 4),
            _ => return None,
        };
        let end = start + width * parts;
        if self.byte(end).is_some_and(|byte| chars::TEXT.has_or_beyond(byte)) {
            return None;
        }
        let part = |index: usize| {
            let digits = &self.text[start + width * index..start + width * (index + 1)];
            let value = u8::from_str_radix(digits, 16).unwrap_or(0);
            if width == 1 { value * 17 } else { value }
        };
        let a = if parts == 4 { part(3) } else { 255 };
        out.node(|| Inline::Color { r: part(0), g: part(1), b: part(2), a });
        Some(end)
    }

    /// A formula within a line: `$x$`, `\(x\)`.
    fn formula<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let start = self.formula_mark(at, "\\(", "$")?;
        let end = self.formula_end(start, "\\)", "$")?;
        let text = &self.text[start..end];
        out.node(|| Inline::Katex(text.to_owned()));
        self.formula_mark(end, "\\)", "$")
    }

    /// The end of the mark of a formula that stands there.
    pub(crate) fn formula_mark(&self, at: usize, parenthesis: &str, dollar: &str) -> Option<usize> {
        let is = |wanted: bool, mark: &str| (wanted && self.starts(at, mark)).then_some(at + mark.len());
        is(self.options.katex_parenthesis, parenthesis).or_else(|| is(self.options.katex_dollar, dollar))
    }

    /// Where the formula's closing mark begins.
    pub(crate) fn formula_end(&mut self, start: usize, parenthesis: &str, dollar: &str) -> Option<usize> {
        let kind = usize::from(dollar.len() == 1);
        let mut at = start;
        while at < self.no_formula_from[kind].min(self.text.len()) {
            at = self.while_bytes(at, |byte| !matches!(byte, b'\\' | b'$'));
            if self.formula_mark(at, parenthesis, dollar).is_some() {
                return Some(at);
            }
            at += 1;
        }
        self.no_formula_from[kind] = self.no_formula_from[kind].min(start);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Options, scan::Scanner};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn quiet_words_read_as_they_would_letter_by_letter(
            parts in proptest::collection::vec(prop_oneof![
                "[a-cDOXB08]{1,4}",
                "[ .,:;!?@#_*~`|<>()=+/-]{1,2}",
                prop::sample::select(vec![
                    " ", " ", "\n", "localhost", "color:#fff", "mailto:", "https://", "x.com", "a@b.de", ":a:", ":)", "D:",
                    "O_O", "é", "\u{1f600}", "\u{2764}", "||", "](", "* ", "$",
                ]).prop_map(str::to_owned),
            ], 0..24)
        ) {
            let text = parts.concat();
            let options = Options { colors: true, katex_dollar: true, ..Options::default() };
            let short = Scanner::new(&text, &options).document();
            prop_assert_eq!(short, Scanner::thorough(&text, &options).document());
        }
    }
}
