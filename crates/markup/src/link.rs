//! Links, images, addresses, e-mail addresses and telephone numbers.

use crate::{
    chars, host,
    scan::{BYTES_IN_A_STEP, Found, Inside, Rule, Run, Scanner, Title},
    sink::{Builder, Nowhere, Sink},
    tree::Inline,
};

/// Telephone numbers with fewer digits are just numbers.
const SHORTEST_NUMBER: usize = 5;

impl Scanner<'_> {
    /// `[text](address)` or `<address|text>`, unless within a link.
    pub(crate) fn reference<S: Sink>(&mut self, at: usize, inside: Inside, out: &mut S) -> Option<usize> {
        let first = self.byte(at)?;
        if !matches!(first, b'[' | b'<') || inside.has(Inside::LINK) {
            return None;
        }
        let found = self.recall(Rule::Reference, at, inside, |s| {
            if first == b'[' { s.find_reference(at, inside) } else { s.find_slack_link(at) }
        })?;
        if S::BUILDS {
            let node = if first == b'[' {
                self.build_reference(at, found.end, inside)
            } else {
                self.build_slack_link(at, found.end)
            };
            out.node(|| node);
        }
        Some(found.end)
    }

    fn find_reference(&mut self, at: usize, inside: Inside) -> Option<Found> {
        if !self.link_middle_after(at + 1) {
            return None;
        }
        let inside = inside.and(Inside::LINK);
        let mut title = Title { inside, start: at + 1, end: at + 1, ..Title::default() };
        while title.end < self.text.len() && !self.title.meets(title.end, inside) && self.spend(1) {
            match self.title_step(title.end, inside, &mut Nowhere) {
                Some(end) => {
                    if end > title.end + 1 {
                        title.leaps.push((title.end, end));
                    }
                    title.end = end;
                }
                None => break,
            }
        }
        if self.title.meets(title.end, inside) {
            return self.title.link_end.map(|end| Found { end, form: 0 });
        }
        title.link_end = self.link_end(title.end);
        self.title = title;
        self.title.link_end.map(|end| Found { end, form: 0 })
    }

    /// The end of the link whose title ends there.
    fn link_end(&mut self, middle: usize) -> Option<usize> {
        if !self.starts(middle, "](") {
            return None;
        }
        let end = self.link_address(middle + 2)?;
        (self.is(end, b')') && host::is_safe(&self.target(middle + 2, end), self.options)).then_some(end + 1)
    }

    fn build_reference(&mut self, at: usize, end: usize, inside: Inside) -> Inline {
        let inside = inside.and(Inside::LINK);
        let mut label = Builder::default();
        let mut middle = at + 1;
        while middle < end
            && let Some(next) = self.title_step(middle, inside, &mut label)
        {
            middle = next;
        }
        let start = (middle + 2).min(end - 1);
        let src = self.target(start, end - 1);
        let label = if middle == at + 1 { vec![Inline::Plain(src.clone())] } else { label.finish() };
        Inline::Link { src, label }
    }

    /// One step through the text of a Markdown link. It may cross lines, and may not hold the middle of another link.
    fn title_step<S: Sink>(&mut self, at: usize, inside: Inside, out: &mut S) -> Option<usize> {
        if let Some(end) = self.blanks(at, out).or_else(|| self.emphasis(at, inside, out)) {
            return Some(end);
        }
        let c = self.char(at)?;
        if c == ']' && self.ends_title(at) {
            return None;
        }
        let end = at + c.len_utf8();
        out.plain(&self.text[at..end]);
        Some(end)
    }

    /// Whether `](…` stands there, or `] [text](`, where the bracket before is no link.
    fn ends_title(&mut self, at: usize) -> bool {
        if self.starts(at, "](") {
            return at + 2 < self.text.len();
        }
        if !self.starts(at, "] [") {
            return false;
        }
        let end = self.while_bytes(at + 3, |byte| byte != b']');
        self.spend(end - at);
        self.starts(end, "](")
    }

    fn find_slack_link(&mut self, at: usize) -> Option<Found> {
        let end = match self.address_start(at + 1) {
            Some(start) => self.address_end(start),
            None => match self.scheme(at + 1) {
                Some(start) => Some(self.address_end(start)).filter(|&end| end > start)?,
                None => self.number(at + 1)?,
            },
        };
        if !self.is(end, b'|') || !host::is_safe(&self.target(at + 1, end), self.options) {
            return None;
        }
        let close = self.while_bytes(end + 1, |byte| chars::SLACK_TITLE.has_or_beyond(byte));
        (close > end + 1 && self.is(close, b'>')).then_some(Found { end: close + 1, form: 0 })
    }

    fn build_slack_link(&self, at: usize, end: usize) -> Inline {
        let inner = &self.text[at + 1..end - 1];
        let (src, title) = inner.split_once('|').unwrap_or((inner, inner));
        Inline::Link {
            src: self.target(at + 1, at + 1 + src.len()),
            label: vec![Inline::Plain(title.to_owned())],
        }
    }

    /// What to link for the address or telephone number in this range.
    fn target(&self, start: usize, end: usize) -> String {
        let written = &self.text[start..end];
        if written.starts_with('+') && !written.contains(':') {
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            return format!("tel:{digits}");
        }
        written.to_owned()
    }

    /// `![text](address)`.
    pub(crate) fn image<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        if !self.starts(at, "![") || !self.link_middle_after(at + 2) {
            return None;
        }
        let found = self.recall(Rule::Image, at, Inside::default(), |s| {
            let end = s.link_end(s.image_text_end(at + 2))?;
            Some(Found { end, form: 0 })
        })?;
        let middle = self.image_text_end(at + 2);
        let src = self.target(middle + 2, found.end - 1);
        let label = &self.text[at + 2..middle];
        out.node(|| Inline::Image {
            label: if label.is_empty() { src.clone() } else { label.to_owned() },
            src,
        });
        Some(found.end)
    }

    fn image_text_end(&self, start: usize) -> usize {
        let is_blank = |byte| matches!(byte, b' ' | b'\t');
        let blanks = self.while_bytes(start, is_blank);
        let text = self.while_bytes(blanks, |byte| chars::TEXT.has_or_beyond(byte));
        if text > blanks { self.while_bytes(text, is_blank) } else { start }
    }

    /// The end of the address or telephone number within the parentheses of a Markdown link.
    fn link_address(&mut self, at: usize) -> Option<usize> {
        if let Some(start) = self.address_start(at) {
            return self.link_address_end(start);
        }
        match self.scheme(at) {
            Some(start) => self.link_address_end(start).filter(|&end| end > start),
            None => self.number(at),
        }
    }

    /// The end of an address that may hold balanced parentheses. `None` when the budget is used up.
    fn link_address_end(&mut self, start: usize) -> Option<usize> {
        if !self.spend(1) {
            return None;
        }
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            let run = self.while_bytes(at, |byte| chars::TRAILING_IN_LINK.has(byte));
            if run > at {
                if run < self.text.len() && self.is_gap_or_end(run) {
                    break;
                }
                at = run;
            } else if byte == b'(' {
                let close =
                    self.while_bytes(at + 1, |byte| byte != b' ' && chars::ADDRESS.has_or_beyond(byte));
                if !self.spend(close - at) {
                    return None;
                }
                if !self.is(close, b')') {
                    break;
                }
                at = close + 1;
            } else if byte != b' ' && chars::ADDRESS.has_or_beyond(byte) {
                at += 1;
            } else {
                break;
            }
        }
        self.spend(at - start).then_some(at)
    }

    /// The end of an address's body: up to a blank, a closing parenthesis, or punctuation that ends it.
    fn address_end(&mut self, start: usize) -> usize {
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            let run = self.while_bytes(at, |byte| chars::TRAILING.has(byte));
            if run > at {
                if self.is_gap_or_end(run) {
                    break;
                }
                let inner = self.while_bytes(at, |byte| chars::TRAILING.has(byte) && byte != b')');
                at = inner;
                if inner < run {
                    break;
                }
            } else if byte != b' ' && chars::ADDRESS.has_or_beyond(byte) {
                at += 1;
            } else {
                break;
            }
        }
        self.spend(at - start);
        at
    }

    /// `letters:`, up to 32 of them.
    fn scheme(&self, at: usize) -> Option<usize> {
        let longest = self.text.as_bytes().get(at..)?.iter().take(32);
        let end = at + longest.take_while(|&&byte| chars::SCHEME.has(byte)).count();
        (end > at && self.is(end, b':')).then_some(end + 1)
    }

    /// The end of `scheme://user:word@host:port` or `host:port`.
    pub(crate) fn address_start(&mut self, at: usize) -> Option<usize> {
        if self.has_schemes
            && let Some(end) = self.scheme(at).filter(|&end| self.starts(end, "//"))
        {
            let host = self.user_info(end + 2).unwrap_or(end + 2);
            if let Some(end) = self.host_and_port(host) {
                return Some(end);
            }
        }
        self.host_and_port(at)
    }

    fn user_info(&self, at: usize) -> Option<usize> {
        let user = self.while_bytes(at, |byte| chars::USER_INFO.has(byte));
        if user == at {
            return None;
        }
        let mut end = user;
        if self.is(user, b':') {
            let word = self.while_bytes(user + 1, |byte| chars::USER_INFO.has(byte));
            if word > user + 1 {
                end = word;
            }
        }
        self.is(end, b'@').then_some(end + 1)
    }

    fn host_and_port(&mut self, at: usize) -> Option<usize> {
        let host = self.domain(at)?;
        if self.is(host, b':') {
            let port = self.while_bytes(host + 1, |byte| byte.is_ascii_digit());
            if port > host + 1 {
                return Some(port);
            }
        }
        Some(host)
    }

    /// The end of an address without the checks of a link: text takes it whole.
    pub(crate) fn bare_address(&mut self, at: usize) -> Option<usize> {
        let start = self.address_start(at)?;
        Some(self.address_end(start))
    }

    /// An address that was written out: up to the next blank, less punctuation at its end. What can't be linked is text,
    /// as a whole.
    pub(crate) fn autolink<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let start = self.address_start(at)?;
        let gap = self.while_bytes(start, |byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        let rest = &self.text.as_bytes()[start..gap];
        let end =
            start + rest.iter().rposition(|&byte| !chars::TRAILING.has(byte)).map_or(0, |last| last + 1);
        let written = &self.text[at..end];
        if !S::BUILDS {
            self.spend((gap - at) / BYTES_IN_A_STEP);
            return Some(end);
        }
        if host::is_safe(written, self.options) && host::is_known(written, self.options, false) {
            let label = vec![Inline::Plain(written.to_owned())];
            out.node(|| Inline::Link { src: host::link_target(written), label });
        } else {
            out.plain(written);
        }
        Some(end)
    }

    /// An e-mail address, perhaps with `mailto:` before it.
    pub(crate) fn mail<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let start = if self.starts(at, "mailto:") { at + "mailto:".len() } else { at };
        if !self.char(start).is_some_and(chars::is_mail) {
            return None;
        }
        let sign = self.run(Run::Mail, start);
        if sign == self.no_mail_at || !self.is(sign, b'@') {
            return None;
        }
        let Some(end) = self.domain(sign + 1) else {
            self.no_mail_at = sign;
            return None;
        };
        if !S::BUILDS {
            return Some(end);
        }
        let address = &self.text[start..end];
        let src = format!("mailto:{address}");
        if host::is_known(&src, self.options, true) && host::is_safe(&src, self.options) {
            out.node(|| Inline::Link { src, label: vec![Inline::Plain(address.to_owned())] });
        } else {
            out.plain(&self.text[at..end]);
        }
        Some(end)
    }

    /// The end of a telephone number: `+12345`, `+12-345`, `+(12)345-67`.
    pub(crate) fn number(&self, at: usize) -> Option<usize> {
        if !self.is(at, b'+') {
            return None;
        }
        let digits = |at: usize| self.while_bytes(at, |byte| byte.is_ascii_digit());
        let after_dash = |at: usize| {
            Some(at)
                .filter(|&at| self.is(at, b'-'))
                .map(|at| (at + 1, digits(at + 1)))
                .filter(|(from, to)| to > from)
        };
        let plain = digits(at + 1);
        if plain > at + 1 {
            return Some(after_dash(plain).map_or(plain, |(_, end)| end));
        }
        let inner = digits(at + 2);
        if !self.is(at + 1, b'(') || inner == at + 2 || !self.is(inner, b')') {
            return None;
        }
        if let Some((_, end)) = after_dash(inner + 1) {
            return Some(end);
        }
        let end = digits(inner + 1);
        (end > inner + 1).then(|| after_dash(end).map_or(end, |(_, end)| end))
    }

    /// A telephone number as a link.
    pub(crate) fn telephone<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let end = self.number(at)?;
        let written = &self.text[at..end];
        if written.bytes().filter(u8::is_ascii_digit).count() < SHORTEST_NUMBER {
            out.plain(written);
        } else {
            let src = self.target(at, end);
            out.node(|| Inline::Link { src, label: vec![Inline::Plain(written.to_owned())] });
        }
        Some(end)
    }
}
