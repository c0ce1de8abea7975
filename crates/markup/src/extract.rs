//! What others need of a tree: who and what is mentioned, what is linked, how it reads without markup.

use std::collections::HashSet;

use crate::{
    time,
    tree::{Block, Document, Emoji, Inline},
};

/// Stands for what a spoiler hides.
const HIDDEN: &str = "▮▮▮";

/// The user names mentioned, `all` and `here` included, each once, in order. A mention of a user of another server is
/// `name:server`.
pub fn mentions(document: &Document) -> Vec<&str> {
    distinct(document, |item| match item {
        Inline::UserMention(name) => Some(name),
        _ => None,
    })
}

/// The names of channels mentioned, each once, in order.
pub fn channels(document: &Document) -> Vec<&str> {
    distinct(document, |item| match item {
        Inline::ChannelMention(name) => Some(name),
        _ => None,
    })
}

/// The web addresses linked, each once, in order: `http` and `https` ones, and those written without a scheme, which
/// are `//host…` or `host:port…`. E-mail addresses, telephone numbers, images and code are not among them.
pub fn links(document: &Document) -> Vec<&str> {
    distinct(document, |item| match item {
        Inline::Link { src, .. } if is_web(src) => Some(src),
        _ => None,
    })
}

fn is_web(src: &str) -> bool {
    match src.split_once(':') {
        None => true,
        Some((scheme, _)) => {
            scheme.eq_ignore_ascii_case("http")
                || scheme.eq_ignore_ascii_case("https")
                || scheme.eq_ignore_ascii_case("localhost")
                || scheme.contains(['.', '/'])
        }
    }
}

fn distinct<'d>(document: &'d Document, pick: impl Fn(&'d Inline) -> Option<&'d String>) -> Vec<&'d str> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut visit = |item: &'d Inline| {
        if let Some(text) = pick(item)
            && seen.insert(text.as_str())
        {
            found.push(text.as_str());
        }
    };
    for block in &document.blocks {
        lines(block).for_each(|line| walk(line, &mut visit));
    }
    found
}

/// The lines of a block that hold nodes.
fn lines(block: &Block) -> Box<dyn Iterator<Item = &[Inline]> + '_> {
    match block {
        Block::Paragraph(line) => Box::new(std::iter::once(line.as_slice())),
        Block::Quote(lines) | Block::UnorderedList(lines) | Block::SpoilerBlock(lines) => {
            Box::new(lines.iter().map(Vec::as_slice))
        }
        Block::OrderedList(items) => Box::new(items.iter().map(|item| item.content.as_slice())),
        Block::Tasks(tasks) => Box::new(tasks.iter().map(|task| task.content.as_slice())),
        Block::Heading { .. }
        | Block::Code { .. }
        | Block::BigEmoji(_)
        | Block::LineBreak
        | Block::Katex(_) => Box::new(std::iter::empty()),
    }
}

/// Visits every node; the depth is bounded by [`crate::MAX_DEPTH`].
fn walk<'d>(items: &'d [Inline], visit: &mut impl FnMut(&'d Inline)) {
    for item in items {
        visit(item);
        match item {
            Inline::Bold(inner)
            | Inline::Italic(inner)
            | Inline::Strike(inner)
            | Inline::Spoiler(inner)
            | Inline::Link { label: inner, .. } => walk(inner, visit),
            _ => {}
        }
    }
}

/// The text without markup, for notifications: link texts instead of addresses, emoji as characters, spoilers hidden.
/// Text without markup comes out as it is, save line ends at its end.
pub fn plain(document: &Document) -> String {
    let mut out = String::new();
    let mut line_open = false;
    for block in &document.blocks {
        if matches!(block, Block::LineBreak) && line_open {
            // The end of the heading's or fence's own line.
            line_open = false;
            continue;
        }
        if !out.is_empty() || !std::ptr::eq(block, &document.blocks[0]) {
            out.push('\n');
        }
        line_open = matches!(
            block,
            Block::Heading { .. } | Block::Code { .. } | Block::Katex(_) | Block::SpoilerBlock(_)
        );
        plain_block(block, &mut out);
    }
    out
}

fn plain_block(block: &Block, out: &mut String) {
    let mut joined = |lines: &mut dyn Iterator<Item = (String, &[Inline])>| {
        for (index, (start, line)) in lines.enumerate() {
            if index > 0 {
                out.push('\n');
            }
            out.push_str(&start);
            plain_line(line, out);
        }
    };
    match block {
        Block::Paragraph(line) => plain_line(line, out),
        Block::Quote(lines) => joined(&mut lines.iter().map(|line| ("> ".to_owned(), line.as_slice()))),
        Block::UnorderedList(lines) => {
            joined(&mut lines.iter().map(|line| ("- ".to_owned(), line.as_slice())))
        }
        Block::OrderedList(items) => {
            joined(&mut items.iter().map(|item| (format!("{}. ", item.number), item.content.as_slice())));
        }
        Block::Tasks(tasks) => joined(
            &mut tasks
                .iter()
                .map(|task| (if task.done { "[x] " } else { "[ ] " }.to_owned(), task.content.as_slice())),
        ),
        Block::SpoilerBlock(_) => out.push_str(HIDDEN),
        Block::Heading { text, .. } | Block::Katex(text) => out.push_str(text),
        Block::Code { lines, .. } => out.push_str(&lines.join("\n")),
        Block::BigEmoji(emoji) => {
            for (index, emoji) in emoji.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                plain_emoji(emoji, out);
            }
        }
        Block::LineBreak => {}
    }
}

fn plain_line(items: &[Inline], out: &mut String) {
    for item in items {
        match item {
            Inline::Plain(text) | Inline::Code(text) | Inline::Katex(text) => out.push_str(text),
            Inline::Bold(inner) | Inline::Italic(inner) | Inline::Strike(inner) => plain_line(inner, out),
            Inline::Link { label, .. } => plain_line(label, out),
            Inline::UserMention(name) => out.extend(["@", name]),
            Inline::ChannelMention(name) => out.extend(["#", name]),
            Inline::Emoji(emoji) => plain_emoji(emoji, out),
            Inline::Image { label, .. } => out.push_str(label),
            Inline::Color { r, g, b, .. } => out.push_str(&format!("#{r:02x}{g:02x}{b:02x}")),
            Inline::Timestamp { seconds, .. } => out.push_str(&moment(*seconds)),
            Inline::Spoiler(_) => out.push_str(HIDDEN),
        }
    }
}

fn plain_emoji(emoji: &Emoji, out: &mut String) {
    match emoji {
        Emoji::Unicode(text) => out.push_str(text),
        Emoji::Emoticon { text, .. } => out.push_str(text),
        Emoji::ShortCode(name) => match emojis::get_by_shortcode(name) {
            Some(emoji) => out.push_str(emoji.as_str()),
            None => out.extend([":", name, ":"]),
        },
    }
}

/// A moment in UTC, to the minute.
fn moment(seconds: i64) -> String {
    let (year, month, day) = time::date_of(seconds.div_euclid(86_400));
    let minutes = seconds.rem_euclid(86_400) / 60;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}
