//! How a letter looks: the same parts as plain text and as simple HTML, with everything escaped.

use std::fmt::Write as _;

/// Something to press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// A message that is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Who wrote.
    pub sender: String,
    /// The room's name; empty in direct rooms.
    pub room: String,
    /// What was written; empty where messages are not shown.
    pub text: String,
    /// When, as people read it.
    pub at: String,
    /// Where it stands; may be empty.
    pub url: String,
}

/// The parts of a letter, in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// Its language: `en` or `fr`.
    pub language: &'static str,
    /// One line.
    pub subject: String,
    /// How it begins; may be empty.
    pub greeting: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// A code to be typed in, shown large; may be empty.
    pub code: String,
    /// Messages.
    pub items: Vec<Item>,
    /// What to press.
    pub button: Option<Button>,
    /// Said below it, small.
    pub small: Vec<String>,
    /// Where one unsubscribes, and how that is called.
    pub leave: Option<Button>,
}

/// A letter as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// One line.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// For the others.
    pub html: String,
}

impl Letter {
    /// Both forms.
    pub fn written(&self) -> Written {
        Written { subject: one_line(&self.subject), text: self.plain(), html: self.html() }
    }

    fn plain(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut put = |part: &str| {
            if !part.is_empty() {
                parts.push(part.to_owned());
            }
        };
        put(&self.greeting);
        self.paragraphs.iter().for_each(|paragraph| put(paragraph));
        put(&self.code);
        for item in &self.items {
            let place = if item.room.is_empty() { String::new() } else { format!(" (#{})", item.room) };
            let text = item.text.lines().map(|line| format!("> {line}\n")).collect::<String>();
            put(&format!("{}{place}, {}:\n{text}{}", item.sender, item.at, item.url));
        }
        if let Some(button) = &self.button {
            put(&format!("{}:\n{}", button.label, button.url));
        }
        self.small.iter().for_each(|line| put(line));
        if let Some(leave) = &self.leave {
            put(&format!("--\n{}: {}", leave.label, leave.url));
        }
        parts.join("\n\n") + "\n"
    }

    fn html(&self) -> String {
        let mut body = String::new();
        let mut paragraph = |style: &str, text: &str| {
            if !text.is_empty() {
                let _ = write!(body, "<p style=\"{style}\">{}</p>", escaped(text));
            }
        };
        paragraph("margin:0 0 16px", &self.greeting);
        self.paragraphs.iter().for_each(|text| paragraph("margin:0 0 16px", text));
        paragraph("margin:0 0 16px;font:600 28px monospace;letter-spacing:4px", &self.code);
        for item in &self.items {
            let place = if item.room.is_empty() { String::new() } else { format!(" · #{}", item.room) };
            let mut who = format!("<b>{}</b>{}", escaped(&item.sender), escaped(&place));
            if !item.url.is_empty() {
                who = format!("<a href=\"{}\" style=\"color:#1d4ed8\">{who}</a>", escaped(&item.url));
            }
            let _ = write!(
                body,
                "<div style=\"margin:0 0 16px;padding:8px 12px;border-left:3px solid #9aa4b2\">{who} \
                 <span style=\"color:#5b6472\">{}</span><br>{}</div>",
                escaped(&item.at),
                escaped(&item.text)
            );
        }
        if let Some(button) = &self.button {
            let url = escaped(&button.url);
            let _ = write!(
                body,
                "<p style=\"margin:0 0 16px\"><a href=\"{url}\" style=\"display:inline-block;padding:10px 18px;\
                 border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none\">{}</a></p>\
                 <p style=\"margin:0 0 16px;color:#5b6472;font-size:13px;word-break:break-all\">{url}</p>",
                escaped(&button.label)
            );
        }
        for text in &self.small {
            let _ = write!(
                body,
                "<p style=\"margin:0 0 8px;color:#5b6472;font-size:13px\">{}</p>",
                escaped(text)
            );
        }
        if let Some(leave) = &self.leave {
            let _ = write!(
                body,
                "<p style=\"margin:16px 0 0;font-size:13px\"><a href=\"{}\" style=\"color:#5b6472\">{}</a></p>",
                escaped(&leave.url),
                escaped(&leave.label)
            );
        }
        format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head><body \
             style=\"margin:0;padding:24px;font:16px/1.5 sans-serif;color:#1a202c;background:#ffffff\"><div \
             style=\"max-width:560px;margin:0 auto\">{body}</div></body></html>",
            self.language,
            escaped(&self.subject)
        )
    }
}

/// Text within HTML and within its attributes, line breaks kept.
fn escaped(text: &str) -> String {
    let plain: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    html_escape::encode_quoted_attribute(&plain).replace('\n', "<br>")
}

/// What may stand in a header: one line, at most 200 characters.
pub(crate) fn one_line(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    flat.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text_in_both_forms() {
        let evil = "<script>alert(1)</script> & \"more\"";
        let letter = Letter {
            language: "en",
            subject: format!("{evil}\r\nBcc: everybody@example.org"),
            greeting: evil.to_owned(),
            paragraphs: vec![evil.to_owned()],
            items: vec![Item {
                sender: evil.to_owned(),
                room: evil.to_owned(),
                text: format!("{evil}\nsecond"),
                at: "today".to_owned(),
                url: "https://chat.example.org/?a=\"><img src=x>".to_owned(),
            }],
            leave: Some(Button { label: evil.to_owned(), url: "https://chat.example.org/".to_owned() }),
            ..Letter::default()
        };
        let written = letter.written();
        assert!(!written.html.contains("<script") && !written.html.contains("<img"));
        assert!(written.html.contains("&lt;script&gt;") && written.html.contains("<br>second"));
        assert!(!written.subject.contains(['\r', '\n']));
        assert!(written.text.contains("> second\n") && written.text.contains(evil));
    }
}
