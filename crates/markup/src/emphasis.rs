//! Bold, italic and struck text, and what may stand in it.

use crate::{
    chars,
    scan::{COST_OF_RECALL, Found, Inside, Rule, Run, Scanner},
    sink::{Builder, Nowhere, Sink},
    tree::Inline,
};

/// One mark on each side, or two.
const SINGLE: u8 = 1;
const DOUBLE: u8 = 2;
/// Italic marks that turn out to be text, because letters follow: `_a_b`.
const PLAIN: u8 = 4;

/// Which marks surround the content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bold,
    Italic,
    Strike,
}

impl Kind {
    fn mark(self) -> u8 {
        match self {
            Self::Bold => b'*',
            Self::Italic => b'_',
            Self::Strike => b'~',
        }
    }

    fn inside(self) -> Inside {
        match self {
            Self::Bold => Inside::BOLD,
            Self::Italic => Inside::ITALIC,
            Self::Strike => Inside::STRIKE,
        }
    }

    fn rule(self) -> Rule {
        match self {
            Self::Bold => Rule::Bold,
            Self::Italic => Rule::Italic,
            Self::Strike => Rule::Strike,
        }
    }
}

impl Scanner<'_> {
    /// Bold, italic or struck text that begins there.
    pub(crate) fn emphasis<S: Sink>(&mut self, at: usize, inside: Inside, out: &mut S) -> Option<usize> {
        match self.byte(at)? {
            b'*' => self.marked(Kind::Bold, at, inside, out),
            b'~' => self.marked(Kind::Strike, at, inside, out),
            b'_' => self.marked(Kind::Italic, at, inside, out),
            byte if byte.is_ascii_alphanumeric() && !inside.has(Inside::ITALIC) => self.word(at, out),
            _ => None,
        }
    }

    /// Letters and digits with one or two underscores behind them: text, so that the underscores mark nothing.
    fn word<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let end = self.run(Run::Alphanumeric, at);
        if !self.is(end, b'_') {
            return None;
        }
        let end = if self.is(end + 1, b'_') { end + 2 } else { end + 1 };
        out.plain(&self.text[at..end]);
        Some(end)
    }

    fn marked<S: Sink>(&mut self, kind: Kind, at: usize, inside: Inside, out: &mut S) -> Option<usize> {
        if inside.has(kind.inside()) {
            return None;
        }
        let inside = inside.and(kind.inside());
        let found = self.recall(kind.rule(), at, inside, |s| match kind {
            Kind::Italic => s.find_italic(at, inside),
            _ => s.find_marked(kind, at, inside),
        })?;
        if S::BUILDS {
            self.build_marked(kind, at, inside, found, out);
        }
        Some(found.end)
    }

    fn find_marked(&mut self, kind: Kind, at: usize, inside: Inside) -> Option<Found> {
        let mark = kind.mark();
        if self.is(at + 1, mark)
            && let Some(end) = self.content(kind, at + 2, inside, &mut Nowhere)
            && self.is(end, mark)
            && self.is(end + 1, mark)
        {
            return Some(Found { end: end + 2, form: DOUBLE });
        }
        let end = self.content(kind, at + 1, inside, &mut Nowhere)?;
        self.is(end, mark).then_some(Found { end: end + 1, form: SINGLE })
    }

    fn find_italic(&mut self, at: usize, inside: Inside) -> Option<Found> {
        if self.is(at + 1, b'_') {
            let end = self.content(Kind::Italic, at + 2, inside, &mut Nowhere)?;
            if !self.is(end, b'_') || !self.is(end + 1, b'_') {
                return None;
            }
            let word = self.while_bytes(end + 2, |byte| byte.is_ascii_alphanumeric());
            let form = if word > end + 2 { DOUBLE | PLAIN } else { DOUBLE };
            return Some(Found { end: word, form });
        }
        let end = self.content(Kind::Italic, at + 1, inside, &mut Nowhere)?;
        if !self.is(end, b'_') {
            return None;
        }
        let word = self.while_bytes(end + 1, |byte| byte.is_ascii_alphabetic());
        let form = if word > end + 1 { SINGLE | PLAIN } else { SINGLE };
        Some(Found { end: word, form })
    }

    fn build_marked<S: Sink>(&mut self, kind: Kind, at: usize, inside: Inside, found: Found, out: &mut S) {
        let width = if found.form & DOUBLE != 0 { 2 } else { 1 };
        let mut content = Builder::default();
        let end = self.content(kind, at + width, inside, &mut content).unwrap_or(at + width);
        let content = content.finish();
        let word = self.text.get(end + width..found.end).unwrap_or_default();
        if found.form & PLAIN == 0 && end + width != found.end || found.form & PLAIN != 0 && word.is_empty() {
            // The budget ran out between looking and building.
            return out.plain(&self.text[at..found.end]);
        }
        if found.form & PLAIN == 0 {
            out.node(|| match kind {
                Kind::Bold => Inline::Bold(content),
                Kind::Italic => Inline::Italic(content),
                Kind::Strike => Inline::Strike(content),
            });
            return;
        }
        // The marks are text, the content keeps its meaning.
        let marks = &self.text[at..at + width];
        let mut whole = Builder::default();
        whole.plain(marks);
        content.into_iter().for_each(|item| whole.node(|| item));
        whole.plain(marks);
        whole.plain(word);
        whole.finish().into_iter().for_each(|item| out.node(|| item));
    }

    /// What stands between marks, as far as it goes. `None` when nothing does.
    fn content<S: Sink>(&mut self, kind: Kind, start: usize, inside: Inside, out: &mut S) -> Option<usize> {
        let mut at = start;
        let mut after_text = false;
        while S::BUILDS || self.spend(1) {
            if let Some(end) = self.content_item(kind, at, inside, after_text, out) {
                (at, after_text) = (end, false);
                continue;
            }
            match self.char(at) {
                Some(c) if c != '\n' && c != ' ' && c != kind.mark() as char => {
                    out.plain(&self.text[at..at + c.len_utf8()]);
                    (at, after_text) = (at + c.len_utf8(), true);
                }
                _ => break,
            }
        }
        (at > start).then_some(at)
    }

    fn content_item<S: Sink>(
        &mut self,
        kind: Kind,
        at: usize,
        inside: Inside,
        after_text: bool,
        out: &mut S,
    ) -> Option<usize> {
        if let Some(end) = self.content_item_but_emoticons(kind, at, inside, after_text, out) {
            return Some(end);
        }
        if let Some((end, ..)) = self.emoticon_at(at)
            && (kind == Kind::Strike || !after_text && self.stands(Some(kind), end, inside))
        {
            return self.emoticon(at, out);
        }
        self.wide_mention(at, out)
    }

    /// Everything that may stand between marks, emoticons apart.
    pub(crate) fn content_item_but_emoticons<S: Sink>(
        &mut self,
        kind: Kind,
        at: usize,
        inside: Inside,
        after_text: bool,
        out: &mut S,
    ) -> Option<usize> {
        let byte = self.byte(at)?;
        let found = match byte {
            b' ' | b'\t' => return self.blanks(at, out),
            b'`' => self.code(at, out),
            b'<' if kind == Kind::Strike => {
                self.timestamp(at, out).or_else(|| self.reference(at, inside, out))
            }
            b'[' | b'<' => self.reference(at, inside, out),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        if let Some(end) = self.mention(at, out) {
            return Some(end);
        }
        if let Some(end) = self.emphasis(at, inside, out) {
            return Some(end);
        }
        if (byte == b':' || byte >= 128) && (kind == Kind::Strike || !after_text) {
            return self.emoji(at, out);
        }
        None
    }

    /// Whether an emoticon stands as one: when nothing follows, a blank, a mark, or something that is more than text.
    /// Emoticons in a row are judged together, once.
    pub(crate) fn stands(&mut self, kind: Option<Kind>, after: usize, inside: Inside) -> bool {
        let rule = match kind {
            None | Some(Kind::Strike) => Rule::StandsInLine,
            Some(Kind::Bold) => Rule::StandsInBold,
            Some(Kind::Italic) => Rule::StandsInItalic,
        };
        if !self.spend(COST_OF_RECALL) && self.known(rule, after, inside).is_none() {
            return false;
        }
        let mut row = Vec::new();
        let mut at = after;
        let stands = loop {
            if let Some(known) = self.known(rule, at, inside) {
                break known.is_some();
            }
            row.push(at);
            if self.stands_before(kind, at, inside) {
                break true;
            }
            match self.emoticon_at(at) {
                Some((end, ..)) if self.spend(COST_OF_RECALL) => at = end,
                _ => break false,
            }
        };
        for at in row {
            self.learn(rule, at, inside, stands.then_some(Found { end: at, form: 0 }));
        }
        stands
    }

    fn stands_before(&mut self, kind: Option<Kind>, at: usize, inside: Inside) -> bool {
        if self.is_gap_or_end(at) || self.is(at, b'*') || kind == Some(Kind::Italic) && self.is(at, b'_') {
            return true;
        }
        match kind {
            Some(kind) => self.content_item_but_emoticons(kind, at, inside, false, &mut Nowhere).is_some(),
            None => self.item_but_emoticons(at, false, &mut Nowhere).is_some(),
        }
    }

    /// Marks with nothing but blanks between them are text: `* *`.
    pub(crate) fn empty_emphasis<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let run = match self.byte(at)? {
            b'*' => Run::Asterisk,
            b'_' => Run::Underscore,
            b'~' => Run::Tilde,
            _ => return None,
        };
        let marks = self.run(run, at);
        let blanks = self.run(Run::Blank, marks);
        let end = self.run(run, blanks);
        if blanks == marks || end == blanks {
            return None;
        }
        out.plain(&self.text[at..end]);
        Some(end)
    }

    pub(crate) fn blanks<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let end = self.while_bytes(at, |byte| matches!(byte, b' ' | b'\t'));
        (end > at).then(|| {
            out.plain(&self.text[at..end]);
            end
        })
    }

    /// Text between backticks, within a line.
    pub(crate) fn code<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        if !self.is(at, b'`') {
            return None;
        }
        let end = self.while_bytes(at + 1, |byte| byte != b'`' && byte != b'\n');
        if end == at + 1 || !self.is(end, b'`') {
            self.spend(end - at);
            return None;
        }
        let text = &self.text[at + 1..end];
        out.node(|| Inline::Code(text.to_owned()));
        Some(end + 1)
    }

    /// `@name`, `#name`, and the text before a sign that keeps it from being one: `a@b`.
    pub(crate) fn mention<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let c = self.char(at)?;
        let next = at + c.len_utf8();
        let textual = if c.is_ascii() { chars::TEXT.has(c as u8) } else { (c as u32) < 0x1_0000 };
        if textual && let Some(end) = self.sign_within_text(at, next) {
            out.plain(&self.text[at..end]);
            return Some(end);
        }
        match c {
            '@' => self.user_mention(at, out),
            '#' => {
                let end = self.name_end(next);
                let name = &self.text[next..end];
                (end > next).then(|| {
                    out.node(|| Inline::ChannelMention(name.to_owned()));
                    end
                })
            }
            _ => None,
        }
    }

    /// The end of the sign and the letter after it that follow text there.
    fn sign_within_text(&mut self, text: usize, sign: usize) -> Option<usize> {
        let end = match self.byte(sign)? {
            // Signs in a row were measured at the first of them.
            b'@' if self.is(text, b'@') => self.run(Run::At, text),
            b'@' => self.run(Run::At, sign),
            b'#' => sign + 1,
            _ => return None,
        };
        let letter = self.char(end).filter(|&c| chars::is_letter_or_digit(c))?;
        Some(end + letter.len_utf8())
    }

    /// The end of the name that begins there. Names may have dots in them; one at the end closes a sentence.
    fn name_end(&self, start: usize) -> usize {
        let end = self.while_chars(start, chars::is_name);
        start + self.text.get(start..end).unwrap_or_default().trim_end_matches('.').len()
    }

    fn user_mention<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let start = self.run(Run::At, at);
        let mut end = self.name_end(start);
        if end == start {
            return None;
        }
        if self.is(end, b':') || self.is(end, b'@') {
            let server = self.name_end(end + 1);
            if server > end + 1 {
                end = server;
            }
        }
        // Only the last sign belongs to the name.
        out.plain(&self.text[at..start - 1]);
        let name = &self.text[start..end];
        out.node(|| Inline::UserMention(name.to_owned()));
        Some(end)
    }

    /// A sign right behind a character beyond the basic plane, which the clients' parser sees as two: never a mention.
    pub(crate) fn wide_mention<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let c = self.char(at).filter(|&c| c as u32 >= 0x1_0000)?;
        let end = self.sign_within_text(at, at + c.len_utf8())?;
        out.plain(&self.text[at..end]);
        Some(end)
    }
}
