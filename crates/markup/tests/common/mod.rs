//! Trees in few characters: `p[…]` a paragraph, `'…'` plain text, `b[…] i[…] s[…]` bold, italic and struck text,
//! `link(src)[…]`, `@name`, `#name`, `:name:` and so on, parted by blanks; blocks are parted by ` / `.

#![allow(dead_code, reason = "each test file uses some of it")]

use parlor_markup::{Block, Document, Emoji, Inline, Options, parse};

/// The tree of a text, read with the usual options.
pub fn tree(text: &str) -> String {
    tree_with(text, &Options::default())
}

/// The tree of a text.
pub fn tree_with(text: &str, options: &Options) -> String {
    show(&parse(text, options))
}

/// Fails unless each text is read as the tree beside it.
#[track_caller]
pub fn reads(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(tree(text), *expected, "{text:?}");
    }
}

/// A tree in few characters.
pub fn show(document: &Document) -> String {
    document.blocks.iter().map(block).collect::<Vec<_>>().join(" / ")
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(line) => format!("p[{}]", items(line)),
        Block::Heading { level, text } => format!("h{level}'{text}'"),
        Block::Code { language, lines } => {
            let lines: Vec<_> = lines.iter().map(|line| format!("'{line}'")).collect();
            format!("fence({})[{}]", language.as_deref().unwrap_or_default(), lines.join(" "))
        }
        Block::Quote(lines) => format!("quote{}", list(lines)),
        Block::UnorderedList(lines) => format!("ul{}", list(lines)),
        Block::OrderedList(lines) => {
            let lines: Vec<_> =
                lines.iter().map(|item| format!("{}[{}]", item.number, items(&item.content))).collect();
            format!("ol[{}]", lines.join(" "))
        }
        Block::Tasks(tasks) => {
            let tasks: Vec<_> = tasks
                .iter()
                .map(|task| format!("{}[{}]", if task.done { "done" } else { "open" }, items(&task.content)))
                .collect();
            format!("tasks[{}]", tasks.join(" "))
        }
        Block::BigEmoji(all) => format!("big[{}]", all.iter().map(emoji).collect::<Vec<_>>().join(" ")),
        Block::LineBreak => "br".to_owned(),
        Block::Katex(text) => format!("katex'{text}'"),
        Block::SpoilerBlock(lines) => format!("hidden{}", list(lines)),
    }
}

fn list(lines: &[Vec<Inline>]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("[{}]", items(line))).collect();
    format!("[{}]", lines.join(" "))
}

fn items(items: &[Inline]) -> String {
    items.iter().map(item).collect::<Vec<_>>().join(" ")
}

fn item(item: &Inline) -> String {
    match item {
        Inline::Plain(text) => format!("'{text}'"),
        Inline::Bold(inner) => format!("b[{}]", items(inner)),
        Inline::Italic(inner) => format!("i[{}]", items(inner)),
        Inline::Strike(inner) => format!("s[{}]", items(inner)),
        Inline::Code(text) => format!("code'{text}'"),
        Inline::Link { src, label } => format!("link({src})[{}]", items(label)),
        Inline::UserMention(name) => format!("@{name}"),
        Inline::ChannelMention(name) => format!("#{name}"),
        Inline::Emoji(one) => emoji(one),
        Inline::Image { src, label } => format!("image({src})'{label}'"),
        Inline::Color { r, g, b, a } => format!("color({r},{g},{b},{a})"),
        Inline::Timestamp { seconds, format } => format!("time({seconds},{format})"),
        Inline::Spoiler(inner) => format!("spoiler[{}]", items(inner)),
        Inline::Katex(text) => format!("katex'{text}'"),
    }
}

fn emoji(emoji: &Emoji) -> String {
    match emoji {
        Emoji::ShortCode(name) => format!(":{name}:"),
        Emoji::Emoticon { text, short_code } => format!(":{short_code}:='{text}'"),
        Emoji::Unicode(text) => format!("emoji'{text}'"),
    }
}
