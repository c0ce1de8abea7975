//! Names and links in a text, outside code marks.

/// The names after `mark`, where a name may begin: at the start, after a blank or an opening bracket.
pub(crate) fn names(text: &str, mark: char) -> Vec<String> {
    let mut all = Vec::new();
    for part in outside_code(text) {
        let mut before = ' ';
        for (at, c) in part.char_indices() {
            let may_begin = before.is_whitespace() || "([{>*_~\"'".contains(before);
            before = c;
            if c != mark || !may_begin {
                continue;
            }
            let rest = &part[at + c.len_utf8()..];
            let in_name = |c: char| c.is_alphanumeric() || "_.-:@".contains(c);
            let end = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
            let name = rest[..end].trim_end_matches(['.', ':', '@', '-', '_']);
            if !name.is_empty() {
                all.push(name.to_owned());
            }
        }
    }
    all
}

/// Links with a scheme `http` or `https`.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for part in outside_code(text) {
        let mut rest = part;
        while let Some(at) = rest.find("http") {
            let found = &rest[at..];
            if !found.starts_with("http://") && !found.starts_with("https://") {
                rest = &found[4..];
                continue;
            }
            let ends = |c: char| c.is_whitespace() || "<>\"`)]}|".contains(c);
            let end = found.find(ends).unwrap_or(found.len());
            let link = found[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~', '\'']);
            if link.len() > "https://".len() {
                all.push(link.to_owned());
            }
            rest = &found[end..];
        }
    }
    all
}

/// The pieces of a text that stand outside backticks.
fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let marks = text.matches('`').count();
    let closed = marks - marks % 2;
    text.split('`').enumerate().filter(move |(n, _)| n % 2 == 0 || *n > closed).map(|(_, part)| part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_links_are_found_outside_code_alone() {
        assert_eq!(names("@ann, (@bo.b) x@y `@code` @all", '@'), ["ann", "bo.b", "all"]);
        assert_eq!(names("see #general.", '#'), ["general"]);
        assert_eq!(
            links("a https://x.example/p?q=1, [t](http://y.example) `https://code`"),
            ["https://x.example/p?q=1", "http://y.example"]
        );
        assert!(links("http:// https://").is_empty());
    }
}
