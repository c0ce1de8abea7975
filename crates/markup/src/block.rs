//! Blocks: what lines are, seen from their beginning.

use crate::{
    chars,
    scan::Scanner,
    tree::{Block, Document, Inline, ListItem, Task},
};

const FENCE: &str = "```";
const SPOILER: &str = "||";
/// Of those that clients hold exactly.
const LARGEST_NUMBER: u64 = (1 << 53) - 1;

/// Lines of one block, and where the next block begins.
type Lines<T> = Option<(Vec<T>, usize)>;

/// Reads one line of a block.
type LineOf<S, T> = fn(&mut S, usize) -> Option<(T, usize)>;

impl Scanner<'_> {
    /// Reads the whole text.
    pub(crate) fn document(mut self) -> Document {
        if let Some(emoji) = self.only_emoji() {
            return Document { blocks: vec![Block::BigEmoji(emoji)] };
        }
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < self.text.len() {
            let Some((block, end)) = self.block(at) else { break };
            blocks.push(block);
            at = end;
        }
        Document { blocks }
    }

    fn block(&mut self, at: usize) -> Option<(Block, usize)> {
        let found = match self.byte(at)? {
            b'>' => self.lines(at, Self::quoted).map(|(lines, end)| (Block::Quote(lines), end)),
            b'|' => self.spoiler_block(at),
            b'`' => self.fenced(at),
            b'#' => self.heading(at),
            b'-' => match self.lines(at, Self::task) {
                Some((tasks, end)) => Some((Block::Tasks(tasks), end)),
                None => self.unordered(at, Self::dashed),
            },
            b'*' => self.unordered(at, Self::starred),
            b'0'..=b'9' => {
                self.lines(at, Self::numbered).map(|(items, end)| (Block::OrderedList(items), end))
            }
            b'\\' | b'$' => self.formula_block(at),
            b' ' | b'\t' | b'\r' | b'\n' => self.empty_line(at),
            _ => None,
        };
        found.or_else(|| self.line(at).map(|(line, end)| (Block::Paragraph(line), end)))
    }

    fn unordered(&mut self, at: usize, item: LineOf<Self, Vec<Inline>>) -> Option<(Block, usize)> {
        self.lines(at, item).map(|(items, end)| (Block::UnorderedList(items), end))
    }

    /// Neighbouring lines of one kind; `None` without any.
    fn lines<T>(
        &mut self,
        start: usize,
        mut line: impl FnMut(&mut Self, usize) -> Option<(T, usize)>,
    ) -> Lines<T> {
        let mut lines = Vec::new();
        let mut at = start;
        while let Some((found, end)) = line(self, at) {
            lines.push(found);
            at = end;
        }
        (!lines.is_empty()).then_some((lines, at))
    }

    fn blanks_end(&self, at: usize) -> usize {
        self.while_bytes(at, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// The end of the blanks that must stand there.
    fn needed_blanks(&self, at: usize) -> Option<usize> {
        Some(self.blanks_end(at)).filter(|&end| end > at)
    }

    fn quoted(&mut self, at: usize) -> Option<(Vec<Inline>, usize)> {
        if !self.is(at, b'>') {
            return None;
        }
        let start = self.blanks_end(at + 1);
        match self.line_end(start) {
            Some(end) => Some((vec![Inline::Plain(String::new())], end)),
            None => self.line(start),
        }
    }

    fn spoiler_block(&mut self, at: usize) -> Option<(Block, usize)> {
        if !self.starts(at, SPOILER) {
            return None;
        }
        let start = self.line_end(at + SPOILER.len())?;
        let (lines, end) =
            self.lines(start, |s, at| if s.starts(at, SPOILER) { None } else { s.line(at) })?;
        let close = self.line_end(end).unwrap_or(end);
        self.starts(close, SPOILER).then(|| (Block::SpoilerBlock(lines), close + SPOILER.len()))
    }

    fn fenced(&mut self, at: usize) -> Option<(Block, usize)> {
        if !self.starts(at, FENCE) {
            return None;
        }
        let name = at + FENCE.len();
        let name_end = self.while_bytes(name, |byte| chars::LANGUAGE.has(byte));
        let start = self.line_end(name_end)?;
        let (lines, end) = self.lines(start, Self::code_line)?;
        let close = self.line_end(end)?;
        if !self.starts(close, FENCE) {
            return None;
        }
        let language = Some(self.text[name..name_end].to_owned()).filter(|name| !name.is_empty());
        Some((Block::Code { language, lines }, close + FENCE.len()))
    }

    /// A line of code begins at its end of the line before, save the first; it may be empty.
    fn code_line(&mut self, at: usize) -> Option<(String, usize)> {
        if let Some(end) = self.code_text(at) {
            return Some((self.text[at..end].to_owned(), end));
        }
        if !self.is(at, b'\n') {
            return None;
        }
        if let Some(end) = self.code_text(at + 1) {
            return Some((self.text[at + 1..end].to_owned(), end));
        }
        (!self.starts(at + 1, FENCE)).then(|| (String::new(), at + 1))
    }

    fn code_text(&self, at: usize) -> Option<usize> {
        let line = self.while_bytes(at, |byte| !matches!(byte, b'\r' | b'\n'));
        let text = self.text.get(at..line)?;
        let end = at + text.find(FENCE).unwrap_or(text.len());
        (end > at).then_some(end)
    }

    fn heading(&mut self, at: usize) -> Option<(Block, usize)> {
        let marks = self.while_bytes(at, |byte| byte == b'#');
        let level = u8::try_from(marks - at).ok().filter(|level| (1..=4).contains(level))?;
        let start = self.needed_blanks(marks)?;
        let end = self.while_bytes(start, |byte| !matches!(byte, b'\r' | b'\n'));
        let text = self.text[start..end].to_owned();
        (!text.is_empty()).then_some((Block::Heading { level, text }, end))
    }

    fn task(&mut self, at: usize) -> Option<(Task, usize)> {
        let done = match self.text.as_bytes().get(at..at + 5)? {
            b"- [x]" => true,
            b"- [ ]" => false,
            _ => return None,
        };
        let start = self.needed_blanks(at + 5)?;
        let (content, end) = self.line(start)?;
        Some((Task { done, content }, end))
    }

    fn numbered(&mut self, at: usize) -> Option<(ListItem, usize)> {
        let digits = self.while_bytes(at, |byte| byte.is_ascii_digit());
        if digits == at || !self.is(digits, b'.') {
            return None;
        }
        let start = self.needed_blanks(digits + 1)?;
        let (content, end) = self.line(start)?;
        let number = self.text[at..digits].parse().unwrap_or(u64::MAX).min(LARGEST_NUMBER);
        Some((ListItem { number, content }, end))
    }

    fn dashed(&mut self, at: usize) -> Option<(Vec<Inline>, usize)> {
        let start = self.is(at, b'-').then(|| self.needed_blanks(at + 1)).flatten()?;
        self.line(start)
    }

    fn starred(&mut self, at: usize) -> Option<(Vec<Inline>, usize)> {
        let start = self.is(at, b'*').then(|| self.needed_blanks(at + 1)).flatten()?;
        self.asterisk_item(start)
    }

    fn formula_block(&mut self, at: usize) -> Option<(Block, usize)> {
        let start = self.formula_mark(at, "\\[", "$$")?;
        let end = self.formula_end(start, "\\]", "$$")?;
        let close = self.formula_mark(end, "\\]", "$$")?;
        Some((Block::Katex(self.text[start..end].to_owned()), close))
    }

    fn empty_line(&mut self, at: usize) -> Option<(Block, usize)> {
        self.line_end(self.blanks_end(at)).map(|end| (Block::LineBreak, end))
    }
}
