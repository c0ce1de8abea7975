//! Emoji: names between colons, characters, emoticons.

use std::sync::LazyLock;

use crate::{
    chars,
    scan::Scanner,
    sink::Sink,
    tree::{Emoji, Inline},
};

/// What emoticons stand for. None is the beginning of another, so their order says nothing.
const EMOTICONS: &[(&str, &[&str])] = &[
    ("heart", &["<3"]),
    ("broken_heart", &["</3"]),
    ("smiley", &[":D", ":-D", "=D"]),
    ("laughing", &[">:)", ">;)", ">:-)", ">=)"]),
    ("sweat_smile", &["':)", "':-)", "'=)", "':D", "':-D", "'=D"]),
    ("joy", &[":')", ":'-)"]),
    (
        "innocent",
        &["O:)", "O:-)", "O;-)", "O=)", "O:3", "O:-3", "0:)", "0:-)", "0;-)", "0;^)", "0:3", "0:-3"],
    ),
    ("slight_smile", &[":)", ":-)", "=]", "=)", ":]"]),
    ("wink", &[";)", ";-)", "*-)", "*)", ";-]", ";]", ";D", ";^)"]),
    ("kissing_heart", &[":*", ":-*", "=*", ":^*"]),
    ("stuck_out_tongue", &[":P", ":-P", "=P", ":-Þ", ":Þ", ":-b", ":b"]),
    ("stuck_out_tongue_winking_eye", &[">:P", "X-P"]),
    ("sunglasses", &["B-)", "B)", "8)", "8-)", "B-D", "8-D"]),
    ("disappointed", &[">:[", ":-(", ":(", ":-[", ":[", "=("]),
    ("confused", &[">:\\", ">:/", ":-/", ":-.", ":/", ":\\", "=/", "=\\", ":L", "=L"]),
    ("persevere", &[">.<"]),
    ("cry", &[":'(", ":'-(", ";(", ";-("]),
    ("angry", &[">:(", ">:-(", ":@"]),
    ("flushed", &[":$", "=$"]),
    ("fearful", &["D:"]),
    ("sweat", &["':(", "':-(", "'=("]),
    ("no_mouth", &[":-X", ":X", ":-#", ":#", "=X", "=#"]),
    ("expressionless", &["-_-", "-__-", "-___-"]),
    ("open_mouth", &[":-O", ":O", "O_O", ">:O"]),
    ("dizzy_face", &["#-)", "#)", "%-)", "%)", "X)", "X-)"]),
    ("thumbsup", &["(y)"]),
    ("person_gesturing_ok", &["*\\0/*", "\\0/", "*\\O/*", "\\O/"]),
];

/// Emoticons and their meanings by their first character.
static BY_FIRST: LazyLock<Vec<Vec<(&str, &str)>>> = LazyLock::new(|| {
    let mut by_first = vec![Vec::new(); 128];
    for (meaning, texts) in EMOTICONS {
        for text in *texts {
            by_first[usize::from(text.as_bytes()[0])].push((*text, *meaning));
        }
    }
    by_first
});

impl Scanner<'_> {
    /// An emoji by name or as a character.
    pub(crate) fn emoji<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let first = self.byte(at)?;
        if first == b':' {
            let end = self.while_bytes(at + 1, |byte| chars::SHORT_CODE.has(byte));
            let named = end > at + 1 && self.is(end, b':');
            return named.then(|| {
                let name = &self.text[at + 1..end];
                out.node(|| Inline::Emoji(Emoji::ShortCode(name.to_owned())));
                end + 1
            });
        }
        if first < 128 {
            return None;
        }
        let end = self.pictograph(at)?;
        let text = &self.text[at..end];
        out.node(|| Inline::Emoji(Emoji::Unicode(text.to_owned())));
        Some(end)
    }

    /// The end of the emoji character that begins there, with its modifiers and what is joined to it. The blocks and
    /// joints are those that the clients' parser knows; newer or more complex emoji are plain text, which looks the same.
    fn pictograph(&mut self, at: usize) -> Option<usize> {
        let c = self.char(at)?;
        let end = at + c.len_utf8();
        match c {
            '\u{1f600}'..='\u{1f64f}' | '\u{1f680}'..='\u{1f6fa}' => Some(end),
            '\u{1f900}'..='\u{1f9ff}' => Some(self.joined_to_person(end)),
            '\u{1f300}'..='\u{1f5ff}' => self.joined(at),
            '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' => Some(self.after_variation(end)),
            '\u{1f100}'..='\u{1f1ff}' => {
                let second = self.char(end).filter(|c| ('\u{1f100}'..='\u{1f1ff}').contains(c))?;
                Some(end + second.len_utf8())
            }
            _ => None,
        }
    }

    fn after_variation(&self, at: usize) -> usize {
        match self.char(at) {
            Some(c @ '\u{fe00}'..='\u{fe0f}') => at + c.len_utf8(),
            _ => at,
        }
    }

    fn symbol(&self, at: usize) -> Option<usize> {
        let c = self.char(at).filter(|c| ('\u{1f300}'..='\u{1f5ff}').contains(c))?;
        Some(self.after_variation(at + c.len_utf8()))
    }

    fn joint(&self, at: usize) -> Option<usize> {
        (self.char(at)? == '\u{200d}').then_some(at + '\u{200d}'.len_utf8())
    }

    /// `symbol tone? (joint symbol tone?)*`
    fn joined(&mut self, at: usize) -> Option<usize> {
        let mut next = at;
        loop {
            let mut end = self.symbol(next)?;
            if let Some(tone) = self.char(end).filter(|c| ('\u{1f3fb}'..='\u{1f3ff}').contains(c)) {
                end += tone.len_utf8();
            }
            self.spend(1);
            match self.joint(end) {
                Some(after) => next = after,
                None => return Some(end),
            }
        }
    }

    /// `(symbol (joint symbol)*)?`
    fn joined_to_person(&self, at: usize) -> usize {
        let Some(mut end) = self.symbol(at) else { return at };
        while let Some(next) = self.joint(end).and_then(|after| self.symbol(after)) {
            end = next;
        }
        end
    }

    /// The emoticon that begins there: where it ends, its text and its meaning.
    pub(crate) fn emoticon_at(&self, at: usize) -> Option<(usize, &'static str, &'static str)> {
        if !self.options.emoticons {
            return None;
        }
        let found = {
            let rest = self.text.as_bytes().get(at..)?;
            // Compared by hand: most differ in their second byte.
            let fits = |text: &str| text.len() <= rest.len() && text.bytes().zip(rest).all(|(a, b)| a == *b);
            BY_FIRST.get(usize::from(*rest.first()?))?.iter().find(|(text, _)| fits(text))
        };
        found.map(|&(text, code)| (at + text.len(), text, code))
    }

    /// Takes an emoticon, whatever follows.
    pub(crate) fn emoticon<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let (end, text, short_code) = self.emoticon_at(at)?;
        out.node(|| Inline::Emoji(Emoji::Emoticon { text, short_code }));
        Some(end)
    }

    /// The one to three emoji that a whole text consists of.
    pub(crate) fn only_emoji(&mut self) -> Option<Vec<Emoji>> {
        let mut found = Collected(Vec::new());
        let mut at = self.gap_end(0);
        while at < self.text.len() && found.0.len() < 3 {
            let end = match self.emoji(at, &mut found) {
                Some(end) => end,
                None => self.emoticon(at, &mut found)?,
            };
            at = self.gap_end(end);
        }
        (at == self.text.len() && !found.0.is_empty()).then_some(found.0)
    }

    fn gap_end(&self, at: usize) -> usize {
        self.while_bytes(at, |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }
}

/// Collects emoji as they are.
struct Collected(Vec<Emoji>);

impl Sink for Collected {
    const BUILDS: bool = true;
    fn plain(&mut self, _: &str) {}
    fn node(&mut self, make: impl FnOnce() -> Inline) {
        if let Inline::Emoji(emoji) = make() {
            self.0.push(emoji);
        }
    }
}
