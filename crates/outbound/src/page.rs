//! What a page says of itself: its title and its `meta` elements, in the names by which Rocket.Chat's clients know
//! them (`pageTitle`, `ogTitle`, `twitterImage` …).

use html5gum::{StartTag, Token, Tokenizer};
use serde_json::{Map, Value};
use url::Url;

/// Longest text that is kept of one element, in characters.
const LONGEST: usize = 1_000;
/// Elements kept of a page.
const MOST: usize = 40;
/// Kinds of `meta` that are read, as prefixes of their names.
const FAMILIES: [&str; 3] = ["og:", "twitter:", "oembed:"];
/// Values that are addresses, perhaps relative ones.
const ADDRESSES: [&str; 5] = ["ogImage", "ogUrl", "twitterImage", "twitterImageSrc", "ogVideo"];

/// The `meta` of a page that came from this address.
pub(crate) fn meta(page: &str, from: &Url) -> Map<String, Value> {
    let (mut found, mut title) = (Map::new(), None::<String>);
    let mut inside = false;
    for token in Tokenizer::new(page) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => match &**tag.name {
                b"title" => inside = title.is_none() && !tag.self_closing,
                b"meta" => take(&tag, from, &mut found),
                // Nothing about the page stands behind its head.
                b"body" => break,
                _ => {}
            },
            Token::EndTag(tag) => {
                inside &= &**tag.name != b"title";
                if &**tag.name == b"head" {
                    break;
                }
            }
            Token::String(text) if inside => {
                title.get_or_insert_default().push_str(&String::from_utf8_lossy(&text));
            }
            _ => {}
        }
    }
    if let Some(title) = title.as_deref().map(clean).filter(|title| !title.is_empty()) {
        found.insert("pageTitle".to_owned(), title.into());
    }
    found
}

fn take(tag: &StartTag<()>, from: &Url, found: &mut Map<String, Value>) {
    let read = |name: &str| {
        let value = tag.attributes.get(name.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let Some(name) = read("property").or_else(|| read("name")) else { return };
    let name = name.trim().to_ascii_lowercase();
    if name != "description" && !FAMILIES.iter().any(|family| name.starts_with(family)) {
        return;
    }
    let (key, Some(content)) = (camel(&name), read("content")) else { return };
    let mut content = clean(&content);
    if ADDRESSES.contains(&&*key) {
        let Some(whole) = from.join(&content).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
        else {
            return;
        };
        content = whole.into();
    }
    // The first one counts, as everywhere.
    if !content.is_empty() && found.len() < MOST {
        found.entry(key).or_insert(content.into());
    }
}

/// `og:site_name` is `ogSiteName`.
fn camel(name: &str) -> String {
    let mut words = name.split([':', '_', '-', '.']).filter(|word| !word.is_empty());
    let mut key = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        key.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        key.push_str(letters.as_str());
    }
    key
}

fn clean(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(page: &str) -> Value {
        meta(page, &"https://example.org/a/b.html".parse().expect("an address")).into()
    }

    #[test]
    fn a_page_says_what_it_is() {
        let page = r#"<!doctype html><html><head><title>
            A &amp; B </title><META NAME="Description" content="  what it
            is "><meta property="og:site_name" content="Site"><meta property="og:image" content="../c.png">
            <meta property="og:image" content="second.png"><meta name=viewport content=x></head>
            <body><title>not this</title><meta name=description content=late></body>"#;
        let wanted = json!({"pageTitle": "A & B", "description": "what it is", "ogSiteName": "Site",
            "ogImage": "https://example.org/c.png"});
        assert_eq!(read(page), wanted);
    }

    #[test]
    fn what_is_no_address_or_too_long_is_left_out_or_cut() {
        let page = format!(
            "<meta property=og:image content='javascript:alert(1)'><title>{}</title>",
            "ü".repeat(5000)
        );
        let found = read(&page);
        assert_eq!(found.get("ogImage"), None);
        assert_eq!(found["pageTitle"].as_str().map(|title| title.chars().count()), Some(LONGEST));
        assert_eq!(read("<title>"), json!({}));
        assert_eq!(read("<title><meta"), json!({}));
    }
}
