//! Which addresses may be linked: hosts that can exist, schemes that do no harm.

use crate::Options;

/// Schemes that links may have. Whatever runs code, reads files or starts system tools is not here, and never will be.
const SCHEMES: &[&str] = &[
    "http",
    "https",
    "mailto",
    "tel",
    "sms",
    "sip",
    "sips",
    "xmpp",
    "matrix",
    "irc",
    "ircs",
    "geo",
    "ftp",
    "ftps",
    "sftp",
    "ssh",
    "git",
    "news",
    "nntp",
    "webcal",
    "magnet",
    "callto",
    "skype",
    "slack",
    "msteams",
    "zoommtg",
    "zoomus",
    "rocketchat",
    "vscode",
    "obsidian",
    "notion",
    "spotify",
];

/// Schemes that no option can allow.
const NEVER: &[&str] = &[
    "javascript",
    "data",
    "vbscript",
    "livescript",
    "mocha",
    "file",
    "blob",
    "filesystem",
    "about",
    "view-source",
    "jar",
];

/// The scheme of an address, as browsers see it.
fn scheme(src: &str) -> Option<&str> {
    let (scheme, _) = src.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then_some(scheme)
}

/// Whether a link may lead there. An address without a scheme, `host:port` included, may always be linked.
pub(crate) fn is_safe(src: &str, options: &Options) -> bool {
    // Browsers drop control characters before they look for a scheme.
    if src.chars().any(char::is_control) {
        return false;
    }
    let Some((before, after)) = src.split_once(':') else { return true };
    if before.contains(['/', '?', '#']) {
        return true;
    }
    let Some(scheme) = scheme(src) else {
        // Schemes begin with a letter; what else stands before a colon must be a host.
        return before.contains('.');
    };
    let named = |list: &[&str]| list.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if named(NEVER) {
        return false;
    }
    let is_host = scheme.contains('.') || scheme.eq_ignore_ascii_case("localhost");
    named(SCHEMES)
        || options.schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known))
        || is_host && !after.starts_with("//")
}

/// What to link for an address that was written out.
pub(crate) fn link_target(src: &str) -> String {
    if src.starts_with("//") || scheme(src).is_some() { src.to_owned() } else { format!("//{src}") }
}

/// The host of an address, in lower case. Neither a parser of URLs nor meant to be one: it must find what the clients'
/// parser finds.
fn host(src: &str) -> Option<String> {
    let mut rest = src;
    if let Some(path) = src.strip_prefix("//") {
        rest = path;
    } else if let Some((scheme, path)) = src.split_once(":/") {
        if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
            return None;
        }
        rest = path.trim_start_matches('/');
    }
    let mut authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((user, host)) = authority.rsplit_once('@')
        && !user.is_empty()
    {
        authority = host;
    }
    if let Some((host, _)) = authority.rsplit_once(':')
        && !host.is_empty()
    {
        authority = host;
    }
    Some(authority.trim_end_matches('.').to_ascii_lowercase())
}

/// Four groups of digits with dots between them.
fn is_ip(host: &str) -> bool {
    (7..=15).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && host.bytes().filter(|&byte| byte == b'.').count() == 3
        && !host.starts_with('.')
}

/// At most 255 characters, labels of at most 63, made of letters, digits, dashes and underscores.
fn is_hostname(host: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte >= 128;
    let starts = host.bytes().next().is_some_and(|first| letter(first) || matches!(first, b'.' | b'_'));
    let labels = || host.split('.');
    starts
        && host.chars().count() <= 255
        && host.bytes().all(|byte| letter(byte) || matches!(byte, b'.' | b'-' | b'_'))
        && labels().all(|label| label.chars().count() <= 63 && !label.ends_with('-'))
        && labels().rev().skip(1).all(|label| !label.ends_with('_'))
        && labels().skip(1).all(|label| !label.is_empty())
}

/// Whether the address has a host that can exist: one under a public suffix, `localhost`, one of the workspace's own
/// domains or, unless for mail, an IP address.
pub(crate) fn is_known(src: &str, options: &Options, mail: bool) -> bool {
    let Some(host) = host(src) else { return false };
    if !mail && is_ip(&host) {
        return true;
    }
    if !is_hostname(&host) {
        return false;
    }
    let ends_with = |domain: &str| {
        host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let own =
        !mail && (ends_with("localhost") || options.custom_domains.iter().any(|domain| ends_with(domain)));
    own || psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_addresses() {
        for (src, found) in [
            ("x.com", "x.com"),
            ("X.com:80/a?b#c", "x.com"),
            ("https://user:word@Host.org/", "host.org"),
            ("mailto:a@b.de", "b.de"),
            ("//x.com.", "x.com"),
        ] {
            assert_eq!(host(src).as_deref(), Some(found), "{src}");
        }
        assert_eq!(host("x.com/https://y.com"), None);
    }

    #[test]
    fn hosts_under_public_suffixes_are_known_and_invented_ones_are_not() {
        let options = Options { custom_domains: vec!["intranet".to_owned()], ..Options::default() };
        for src in ["x.com", "a.co.uk", "münchen.de", "x.рф", "10.0.0.1:80", "localhost", "tool.intranet"]
        {
            assert!(is_known(src, &options, false), "{src}");
        }
        for src in ["file.txt", "a.b", "x-.com", "-x.com", "a..com", "tool.intranets", "1.2"] {
            assert!(!is_known(src, &options, false), "{src}");
        }
        assert!(
            is_known("mailto:a@x.org", &options, true) && !is_known("mailto:a@localhost", &options, true)
        );
    }

    #[test]
    fn only_harmless_schemes_are_safe() {
        let options =
            Options { schemes: vec!["tool".to_owned(), "javascript".to_owned()], ..Options::default() };
        for src in [
            "https://x.com",
            "HTTP://x",
            "tel:1",
            "x.com:80/a",
            "localhost:3000",
            "//x.com",
            "tool:1",
            "x.com/a:b",
        ] {
            assert!(is_safe(src, &options), "{src}");
        }
        for src in [
            "javascript:alert(1)",
            "JaVaScRiPt://x.com",
            "java\tscript:1",
            "\u{1}javascript:1",
            "data:text/html,x",
            "VBScript:x",
            "file:///etc/passwd",
            "unknown:1",
            "x.com://y",
            "1script:x",
        ] {
            assert!(!is_safe(src, &options), "{src}");
        }
    }
}
