//! Slack's way of writing in ours. Emphasis, code and quotes are written alike; links, names and escapes are not.

use std::collections::HashMap;

/// Who and what can be named in a text.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// User names by Slack's ids.
    pub(super) users: HashMap<String, String>,
    /// Rooms' names by Slack's ids.
    pub(super) rooms: HashMap<String, String>,
}

/// A text, and whom it addresses.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Written {
    pub(super) text: String,
    /// Slack's ids of users; `all` and `here`.
    pub(super) named: Vec<String>,
    /// Slack's ids of rooms.
    pub(super) rooms: Vec<String>,
}

/// Rewrites a text.
pub(super) fn read(text: &str, names: &Names) -> Written {
    let mut written = Written::default();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        unescape(&rest[..open], &mut written.text);
        let behind = &rest[open + 1..];
        match behind.find(['>', '\n']) {
            Some(close) if behind.as_bytes()[close] == b'>' && close > 0 => {
                special(&behind[..close], names, &mut written);
                rest = &behind[close + 1..];
            }
            _ => {
                written.text.push('<');
                rest = behind;
            }
        }
    }
    unescape(rest, &mut written.text);
    written
}

fn unescape(text: &str, to: &mut String) {
    // The ampersand last: `&amp;lt;` is the text `&lt;`.
    to.push_str(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
}

/// What stands between angle brackets: `@U1`, `#C1|name`, `!here`, `https://…|label`.
fn special(inner: &str, names: &Names, written: &mut Written) {
    let (what, label) = match inner.split_once('|') {
        Some((what, label)) => (what, Some(label).filter(|label| !label.is_empty())),
        None => (inner, None),
    };
    let mut say = |text: &str| written.text.push_str(text);
    match what.as_bytes()[0] {
        b'@' => {
            let id = &what[1..];
            let name = names.users.get(id).map(String::as_str).or(label).unwrap_or(id);
            say("@");
            say(name);
            written.named.push(id.to_owned());
        }
        b'#' => {
            let id = &what[1..];
            let name = names.rooms.get(id).map(String::as_str).or(label).unwrap_or(id);
            say("#");
            say(name);
            written.rooms.push(id.to_owned());
        }
        b'!' => match &what[1..] {
            "here" => {
                say("@here");
                written.named.push("here".into());
            }
            "channel" | "everyone" | "group" => {
                say("@all");
                written.named.push("all".into());
            }
            other => unescape(label.unwrap_or(other), &mut written.text),
        },
        _ => link(what, label, &mut written.text),
    }
}

fn link(url: &str, label: Option<&str>, to: &mut String) {
    let mut address = String::new();
    unescape(url, &mut address);
    let shown = address.strip_prefix("mailto:").or(address.strip_prefix("tel:")).unwrap_or(&address);
    match label {
        Some(label) if label != url && label != shown && !label.contains([']', '\n']) => {
            to.push('[');
            unescape(label, to);
            to.push_str("](");
            to.push_str(&address);
            to.push(')');
        }
        _ => to.push_str(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            users: HashMap::from([("U1".to_owned(), "ann".to_owned())]),
            rooms: HashMap::from([("C1".to_owned(), "deck".to_owned())]),
        }
    }

    #[test]
    fn a_text_says_the_same_in_our_way_of_writing() {
        for (theirs, ours) in [
            ("plain *bold* _it_ ~gone~ `code`", "plain *bold* _it_ ~gone~ `code`"),
            ("<https://a.example/x?a=1&amp;b=2>", "https://a.example/x?a=1&b=2"),
            ("<https://a.example|the page>", "[the page](https://a.example)"),
            ("<http://a.example|a.example>", "[a.example](http://a.example)"),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            ("hi <@U1>, see <#C1|old-name>", "hi @ann, see #deck"),
            ("<@U9|guest> <@U8>", "@guest @U8"),
            ("<!here> <!channel> <!subteam^S1|@crew>", "@here @all @crew"),
            ("a &lt; b &amp;&amp; c &gt; d, &amp;lt;", "a < b && c > d, &lt;"),
            ("a < b", "a < b"),
            ("<>", "<>"),
            ("< over\nlines>", "< over\nlines>"),
            ("é<", "é<"),
        ] {
            assert_eq!(read(theirs, &names()).text, ours, "{theirs}");
        }
    }

    #[test]
    fn whom_a_text_addresses_is_known() {
        let written = read("<@U1> <!channel> <#C1>", &names());
        assert_eq!(written.named, ["U1", "all"]);
        assert_eq!(written.rooms, ["C1"]);
    }
}
