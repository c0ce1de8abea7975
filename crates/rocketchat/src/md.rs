//! The `md` tree of a message as Rocket.Chat's clients read it: the JSON that their own parser would make.

#![allow(dead_code, reason = "the renderers of messages that call it are written beside it")]

use parlor_markup::{Block, Document, Emoji, Inline};

/// Appends the tree as a JSON array of blocks.
pub(crate) fn write(document: &Document, out: &mut Vec<u8>) {
    list(&document.blocks, out, block);
}

/// `[…]`, each item written by `item`.
fn list<T>(items: &[T], out: &mut Vec<u8>, item: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, one) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        item(one, out);
    }
    out.push(b']');
}

/// `{"type":"…","value":[…]}`
fn node<T>(kind: &str, items: &[T], out: &mut Vec<u8>, item: impl Fn(&T, &mut Vec<u8>)) {
    open(kind, out);
    list(items, out, item);
    out.push(b'}');
}

/// `{"type":"…","value":`, to be closed by the caller.
fn open(kind: &str, out: &mut Vec<u8>) {
    raw(out, "{\"type\":\"");
    raw(out, kind);
    raw(out, "\",\"value\":");
}

fn raw(out: &mut Vec<u8>, json: &str) {
    out.extend_from_slice(json.as_bytes());
}

fn string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("text becomes JSON, and memory takes it");
}

/// A node whose value is a string.
fn text(kind: &str, value: &str, out: &mut Vec<u8>) {
    open(kind, out);
    string(value, out);
    out.push(b'}');
}

fn plain(value: &str, out: &mut Vec<u8>) {
    text("PLAIN_TEXT", value, out);
}

/// A node whose value is a text node.
fn around_plain(kind: &str, value: &str, out: &mut Vec<u8>) {
    open(kind, out);
    plain(value, out);
    out.push(b'}');
}

#[allow(clippy::ptr_arg, reason = "passed where lists of lines are written")]
fn paragraph(line: &Vec<Inline>, out: &mut Vec<u8>) {
    node("PARAGRAPH", line, out, inline);
}

fn block(block: &Block, out: &mut Vec<u8>) {
    match block {
        Block::Paragraph(line) => paragraph(line, out),
        Block::Heading { level, text } => {
            raw(out, &format!("{{\"type\":\"HEADING\",\"level\":{level},\"value\":["));
            plain(text, out);
            raw(out, "]}");
        }
        Block::Code { language, lines } => {
            raw(out, "{\"type\":\"CODE\",\"language\":");
            string(language.as_deref().unwrap_or("none"), out);
            raw(out, ",\"value\":");
            list(lines, out, |line, out| around_plain("CODE_LINE", line, out));
            out.push(b'}');
        }
        Block::Quote(lines) => node("QUOTE", lines, out, paragraph),
        Block::UnorderedList(items) => {
            node("UNORDERED_LIST", items, out, |item, out| node("LIST_ITEM", item, out, inline));
        }
        Block::OrderedList(items) => node("ORDERED_LIST", items, out, |item, out| {
            open("LIST_ITEM", out);
            list(&item.content, out, inline);
            raw(out, &format!(",\"number\":{}}}", item.number));
        }),
        Block::Tasks(tasks) => node("TASKS", tasks, out, |task, out| {
            raw(out, &format!("{{\"type\":\"TASK\",\"status\":{},\"value\":", task.done));
            list(&task.content, out, inline);
            out.push(b'}');
        }),
        Block::BigEmoji(items) => node("BIG_EMOJI", items, out, emoji),
        Block::LineBreak => raw(out, "{\"type\":\"LINE_BREAK\"}"),
        Block::Katex(formula) => text("KATEX", formula, out),
        Block::SpoilerBlock(lines) => node("SPOILER_BLOCK", lines, out, paragraph),
    }
}

fn inline(item: &Inline, out: &mut Vec<u8>) {
    match item {
        Inline::Plain(value) => plain(value, out),
        Inline::Bold(items) => node("BOLD", items, out, inline),
        Inline::Italic(items) => node("ITALIC", items, out, inline),
        Inline::Strike(items) => node("STRIKE", items, out, inline),
        Inline::Spoiler(items) => node("SPOILER", items, out, inline),
        Inline::Code(code) => around_plain("INLINE_CODE", code, out),
        Inline::UserMention(name) => around_plain("MENTION_USER", name, out),
        Inline::ChannelMention(name) => around_plain("MENTION_CHANNEL", name, out),
        Inline::Emoji(item) => emoji(item, out),
        Inline::Katex(formula) => text("INLINE_KATEX", formula, out),
        Inline::Link { src, label } => {
            open("LINK", out);
            raw(out, "{\"src\":");
            plain(src, out);
            raw(out, ",\"label\":");
            list(label, out, inline);
            raw(out, "}}");
        }
        Inline::Image { src, label } => {
            open("IMAGE", out);
            raw(out, "{\"src\":");
            plain(src, out);
            raw(out, ",\"label\":");
            plain(label, out);
            raw(out, "}}");
        }
        Inline::Color { r, g, b, a } => {
            raw(
                out,
                &format!("{{\"type\":\"COLOR\",\"value\":{{\"r\":{r},\"g\":{g},\"b\":{b},\"a\":{a}}}}}"),
            );
        }
        Inline::Timestamp { seconds, format } => {
            let value = format!("{{\"timestamp\":\"{seconds}\",\"format\":\"{format}\"}}");
            raw(out, &format!("{{\"type\":\"TIMESTAMP\",\"value\":{value},\"fallback\":"));
            plain(&format!("<t:{seconds}:{format}>"), out);
            out.push(b'}');
        }
    }
}

fn emoji(emoji: &Emoji, out: &mut Vec<u8>) {
    let (text, short_code) = match emoji {
        Emoji::ShortCode(name) => (name.as_str(), name.as_str()),
        Emoji::Emoticon { text, short_code } => (*text, *short_code),
        Emoji::Unicode(character) => {
            raw(out, "{\"type\":\"EMOJI\",\"unicode\":");
            string(character, out);
            out.push(b'}');
            return;
        }
    };
    open("EMOJI", out);
    plain(text, out);
    raw(out, ",\"shortCode\":");
    string(short_code, out);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use parlor_markup::{Options, parse};
    use serde_json::{Value, json};

    fn md(text: &str) -> Value {
        let options = Options {
            colors: true,
            katex_dollar: true,
            katex_parenthesis: true,
            now: Some(0),
            ..Options::default()
        };
        let mut out = Vec::new();
        super::write(&parse(text, &options), &mut out);
        serde_json::from_slice(&out).expect("it is JSON")
    }

    fn text(value: &str) -> Value {
        json!({"type": "PLAIN_TEXT", "value": value})
    }

    /// The nodes of a text that is one paragraph.
    fn line(text: &str) -> Value {
        md(text)[0]["value"].take()
    }

    #[test]
    fn an_empty_text_is_an_empty_tree() {
        assert_eq!(md(""), json!([]));
    }

    #[test]
    fn keys_come_in_the_order_of_the_clients_parser() {
        let mut out = Vec::new();
        super::write(&parse("1. *a* \"b\"", &Options::default()), &mut out);
        let expected = concat!(
            r#"[{"type":"ORDERED_LIST","value":[{"type":"LIST_ITEM","value":[{"type":"BOLD","value":"#,
            r#"[{"type":"PLAIN_TEXT","value":"a"}]},{"type":"PLAIN_TEXT","value":" \"b\""}],"number":1}]}]"#
        );
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn blocks_are_written_as_clients_expect_them() {
        for (source, expected) in [
            ("a", json!({"type": "PARAGRAPH", "value": [text("a")]})),
            ("## a", json!({"type": "HEADING", "level": 2, "value": [text("a")]})),
            (
                "```js\na\n```",
                json!({"type": "CODE", "language": "js", "value": [{"type": "CODE_LINE", "value": text("a")}]}),
            ),
            (
                "```\na\n```",
                json!({"type": "CODE", "language": "none", "value": [{"type": "CODE_LINE", "value": text("a")}]}),
            ),
            ("> a", json!({"type": "QUOTE", "value": [{"type": "PARAGRAPH", "value": [text("a")]}]})),
            (
                "- a",
                json!({"type": "UNORDERED_LIST", "value": [{"type": "LIST_ITEM", "value": [text("a")]}]}),
            ),
            (
                "7. a",
                json!({"type": "ORDERED_LIST", "value": [{"type": "LIST_ITEM", "value": [text("a")], "number": 7}]}),
            ),
            (
                "- [x] a",
                json!({"type": "TASKS", "value": [{"type": "TASK", "status": true, "value": [text("a")]}]}),
            ),
            ("\n", json!({"type": "LINE_BREAK"})),
            ("$$a$$", json!({"type": "KATEX", "value": "a"})),
            (
                "||\na\n||",
                json!({"type": "SPOILER_BLOCK", "value": [{"type": "PARAGRAPH", "value": [text("a")]}]}),
            ),
            (
                ":a:",
                json!({"type": "BIG_EMOJI", "value": [{"type": "EMOJI", "value": text("a"), "shortCode": "a"}]}),
            ),
        ] {
            assert_eq!(md(source), json!([expected]), "{source:?}");
        }
    }

    #[test]
    fn pieces_of_lines_are_written_as_clients_expect_them() {
        for (source, expected) in [
            ("*a*", json!({"type": "BOLD", "value": [text("a")]})),
            ("_a_", json!({"type": "ITALIC", "value": [text("a")]})),
            ("~a~", json!({"type": "STRIKE", "value": [text("a")]})),
            ("||a||", json!({"type": "SPOILER", "value": [text("a")]})),
            ("`a`", json!({"type": "INLINE_CODE", "value": text("a")})),
            ("@a", json!({"type": "MENTION_USER", "value": text("a")})),
            ("#a", json!({"type": "MENTION_CHANNEL", "value": text("a")})),
            ("$a$", json!({"type": "INLINE_KATEX", "value": "a"})),
            ("x.com", json!({"type": "LINK", "value": {"src": text("//x.com"), "label": [text("x.com")]}})),
            ("![a](x.com)", json!({"type": "IMAGE", "value": {"src": text("x.com"), "label": text("a")}})),
            ("color:#ff0080", json!({"type": "COLOR", "value": {"r": 255, "g": 0, "b": 128, "a": 255}})),
            (
                "<t:1630360800:R>",
                json!({
                    "type": "TIMESTAMP",
                    "value": {"timestamp": "1630360800", "format": "R"},
                    "fallback": text("<t:1630360800:R>"),
                }),
            ),
        ] {
            assert_eq!(line(source), json!([expected]), "{source:?}");
        }
    }

    #[test]
    fn emoji_say_how_they_were_written() {
        assert_eq!(line("😀 a")[0], json!({"type": "EMOJI", "unicode": "😀"}));
        assert_eq!(
            line(":) a")[0],
            json!({"type": "EMOJI", "value": text(":)"), "shortCode": "slight_smile"})
        );
        assert_eq!(line(":a: a")[0], json!({"type": "EMOJI", "value": text("a"), "shortCode": "a"}));
    }

    /// What is long stands in the fixture as `{"times": 3, "of": "a"}`, or with a list in place of the text, and as
    /// `{"all": [...]}` for texts one after another.
    fn written_out(value: &Value) -> Value {
        let one_after_another = |parts: Vec<Value>| match parts.first() {
            Some(Value::Array(_)) => {
                parts.iter().flat_map(|part| part.as_array().into_iter().flatten()).cloned().collect()
            }
            _ => parts.iter().filter_map(Value::as_str).collect::<String>().into(),
        };
        match value {
            Value::Array(items) => items.iter().map(written_out).collect(),
            Value::Object(map) => {
                if let (Some(times), Some(of)) = (value["times"].as_u64(), map.get("of")) {
                    let times = usize::try_from(times).expect("it is small");
                    return one_after_another(vec![written_out(of); times]);
                }
                match map.get("all") {
                    Some(Value::Array(parts)) => one_after_another(parts.iter().map(written_out).collect()),
                    _ => map.iter().map(|(key, inner)| (key.clone(), written_out(inner))).collect(),
                }
            }
            _ => value.clone(),
        }
    }

    /// The same file is held against the browser's parser and renderer (`web/src/markup/fixture.test.tsx`).
    #[test]
    fn the_fixture_that_the_web_app_shares_is_what_this_makes() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/markup/fixture.json")).expect("it is JSON");
        assert!(cases.len() >= 80);
        for case in cases.iter().map(written_out) {
            let text = case["text"].as_str().expect("a text");
            let settings = parlor_core::setting::Settings::snapshot(Vec::new());
            let look = crate::shape::message::Look::new(&settings, crate::date::Dates::Iso);
            let tree = look
                .tree(text, parlor_core::clock::Time(0))
                .map_or(json!([]), |tree| serde_json::from_str(tree.get()).expect("it is JSON"));
            let shown: String = text.chars().take(80).collect();
            assert!(tree == case["md"], "{shown:?}: {:.2000}", tree.to_string());
        }
    }
}
