//! Texts that are made to be slow or deep.

use std::time::{Duration, Instant};

use parlor_markup::{Block, Document, Inline, MAX_DEPTH, Options, links, parse, plain};

/// Far above what they take, for machines that are busy and builds that are not optimised.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
const LENGTH: usize = if cfg!(debug_assertions) { 10_000 } else { 50_000 };

fn options() -> Options {
    Options { colors: true, katex_dollar: true, katex_parenthesis: true, now: Some(0), ..Options::default() }
}

fn read(text: &str) -> Document {
    let start = Instant::now();
    let document = parse(text, &options());
    let taken = start.elapsed();
    let shown: String = text.chars().take(40).collect();
    assert!(taken < PATIENCE, "{shown:?} took {taken:?}");
    assert!(depth_of(&document) <= MAX_DEPTH, "{shown:?} is {} deep", depth_of(&document));
    document
}

fn depth_of(document: &Document) -> usize {
    let line = |line: &Vec<Inline>| 1 + line.iter().map(depth).max().unwrap_or(0);
    let block = |block: &Block| match block {
        Block::Paragraph(items) => line(items),
        Block::Quote(lines) | Block::UnorderedList(lines) | Block::SpoilerBlock(lines) => {
            1 + lines.iter().map(line).max().unwrap_or(0)
        }
        Block::OrderedList(items) => 1 + items.iter().map(|item| line(&item.content)).max().unwrap_or(0),
        Block::Tasks(items) => 1 + items.iter().map(|item| line(&item.content)).max().unwrap_or(0),
        _ => 2,
    };
    document.blocks.iter().map(block).max().unwrap_or(0)
}

fn depth(item: &Inline) -> usize {
    match item {
        Inline::Bold(inner) | Inline::Italic(inner) | Inline::Strike(inner) | Inline::Spoiler(inner) => {
            1 + inner.iter().map(depth).max().unwrap_or(0)
        }
        Inline::Link { label, .. } => 1 + label.iter().map(depth).max().unwrap_or(0),
        _ => 1,
    }
}

#[test]
fn one_sign_over_and_over_is_read_quickly() {
    for sign in [
        "*", "_", "~", "`", "```", "[", "]", "(", ")", "<", ">", "|", "||", "!", "![", "](", "@", "#", ":",
        ".", "-", "+", "\\", "$", "=", "&", "/", " ", "\t", "\n", "\r", "a", "1", "é", "😀", "\u{200d}",
        "\u{feff}", "\u{0}",
    ] {
        read(&sign.repeat(LENGTH / sign.len()));
    }
}

#[test]
fn signs_in_turn_are_read_quickly() {
    for part in [
        "*_",
        "*a_b~",
        "_~*",
        "*[",
        "[*",
        "[a](",
        "[a](x.com",
        "![a](x.com(",
        "](x.com)",
        "[(",
        "<a:",
        "<t:",
        "||a",
        "||x.com",
        "> ",
        "\n> ",
        "\n- ",
        "\n* *",
        "\n1. ",
        "\n||\n",
        "\n```\n",
        "```a\n",
        "\n# ",
        "- [ ] ",
        "a@",
        "a.b@",
        "@a",
        "a-b.",
        "--",
        "-_-",
        ":)",
        ":*",
        "-_-~~O_O",
        ":a:",
        "👩\u{200d}",
        "http://",
        "x.com/(",
        "x.com.",
        "+1",
        "+(1",
        "$a",
        "\\(a",
        "`*",
        "*`",
        "_`_",
        "mailto:",
        "/@![](mailto:",
        "] [",
        "[] [](",
        "*:*",
        "!||a.b",
        "color:#",
    ] {
        read(&part.repeat(LENGTH / part.len()));
        read(&format!("{}{}", "*_~[".repeat(LENGTH / 8), part.repeat(LENGTH / 2 / part.len())));
    }
}

#[test]
fn thousands_of_emoji_are_read_quickly() {
    for emoji in ["😀", ":smile:", ":smile: ", ":) ", ":):)", "👨‍👩‍👧", "❤️ "] {
        read(&emoji.repeat(5_000));
    }
}

#[test]
fn nesting_is_bounded() {
    for part in ["*_~", "||*", "[*", "> ", "||:)", "*[_~", "- "] {
        let reversed: String = part.chars().rev().collect();
        read(&format!("{}x{}", part.repeat(5_000), reversed.repeat(5_000)));
    }
    let deepest = read("> ||[*_~x~_*](y.com)||");
    assert_eq!(depth_of(&deepest), MAX_DEPTH);
}

#[test]
fn what_follows_a_costly_text_is_kept_as_text() {
    let text = format!("{}the end", "-_-~~O_O".repeat(LENGTH / 8));
    assert!(plain(&read(&text)).ends_with("the end"));
}

#[test]
fn a_long_address_is_one_link() {
    let text = format!("https://x.com/{}", "a".repeat(LENGTH));
    assert_eq!(links(&read(&text)), [text.as_str()]);
}
