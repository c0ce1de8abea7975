//! Links, images, e-mail addresses and telephone numbers.

mod common;
use common::{reads, tree, tree_with};
use parlor_markup::{Options, links, parse};

#[test]
fn addresses_are_linked_as_they_are_written() {
    reads(&[
        ("https://x.com", "p[link(https://x.com)['https://x.com']]"),
        (
            "see http://x.com/a?b=c#d now",
            "p['see ' link(http://x.com/a?b=c#d)['http://x.com/a?b=c#d'] ' now']",
        ),
        ("x.com", "p[link(//x.com)['x.com']]"),
        ("www.x.co.uk/a_b_c", "p[link(//www.x.co.uk/a_b_c)['www.x.co.uk/a_b_c']]"),
        ("localhost:3000", "p[link(localhost:3000)['localhost:3000']]"),
        ("http://10.0.0.1:8080/", "p[link(http://10.0.0.1:8080/)['http://10.0.0.1:8080/']]"),
        ("ftp://x.org", "p[link(ftp://x.org)['ftp://x.org']]"),
        ("münchen.de", "p[link(//münchen.de)['münchen.de']]"),
        ("https://x.org/wiki/A_(B)c", "p[link(https://x.org/wiki/A_(B)c)['https://x.org/wiki/A_(B)c']]"),
    ]);
}

#[test]
fn punctuation_at_the_end_does_not_belong_to_an_address() {
    reads(&[
        ("https://x.com.", "p[link(https://x.com)['https://x.com'] '.']"),
        ("https://x.com, ok", "p[link(https://x.com)['https://x.com'] ', ok']"),
        ("x.com?!", "p[link(//x.com?)['x.com?'] '!']"),
    ]);
}

#[test]
fn hosts_that_cannot_exist_are_text() {
    reads(&[
        ("file.txt", "p['file.txt']"),
        ("v1.2.3", "p['v1.2.3']"),
        ("a.b.c", "p['a.b.c']"),
        ("http://x", "p['http://x']"),
        ("3.14", "p['3.14']"),
    ]);
}

#[test]
fn addresses_right_behind_other_characters_are_text() {
    reads(&[("(https://x.com)", "p['(https://x.com)']"), ("see:x.com", "p['see:x.com']")]);
}

#[test]
fn domains_of_the_workspace_are_linked_too() {
    let options = Options { custom_domains: vec!["intranet".to_owned()], ..Options::default() };
    assert_eq!(tree("wiki.intranet/a"), "p['wiki.intranet/a']");
    assert_eq!(tree_with("wiki.intranet/a", &options), "p[link(//wiki.intranet/a)['wiki.intranet/a']]");
    assert_eq!(
        tree_with("http://wiki.intranet", &options),
        "p[link(http://wiki.intranet)['http://wiki.intranet']]"
    );
}

#[test]
fn links_in_brackets_show_their_text() {
    reads(&[
        ("[a](https://x.com)", "p[link(https://x.com)['a']]"),
        ("[](https://x.com)", "p[link(https://x.com)['https://x.com']]"),
        ("[a *b* c](x.com)", "p[link(x.com)['a ' b['b'] ' c']]"),
        ("[a](https://x.com/y_(z))!", "p[link(https://x.com/y_(z))['a'] '!']"),
        ("[a](mailto:a@b.com)", "p[link(mailto:a@b.com)['a']]"),
        ("[call](+1234567)", "p[link(tel:1234567)['call']]"),
        ("[a](https://x.com) [b](https://y.com)", "p[link(https://x.com)['a'] ' ' link(https://y.com)['b']]"),
        ("[ ](https://x.com/channel/g?msg=1) ok", "p[link(https://x.com/channel/g?msg=1)[' '] ' ok']"),
        ("<https://x.com|a b>", "p[link(https://x.com)['a b']]"),
    ]);
}

#[test]
fn brackets_that_are_no_link_are_text() {
    reads(&[
        ("[a] (https://x.com)", "p['[a] (https://x.com)']"),
        ("[a](b)", "p['[a](b)']"),
        ("[a](/b)", "p['[a](/b)']"),
        ("[a][b]", "p['[a][b]']"),
        ("[x] [b](https://y.com)", "p['[x] ' link(https://y.com)['b']]"),
        ("[a](https://x.com", "p['[a](https://x.com']"),
        ("<https://x.com>", "p['<https://x.com>']"),
        ("[[a](https://x.com)", "p[link(https://x.com)['[a']]"),
    ]);
}

#[test]
fn images_have_a_label() {
    reads(
        &[
            ("![cat](https://x.com/c.png)", "p[image(https://x.com/c.png)'cat']"),
            ("![](https://x.com/c.png)", "p[image(https://x.com/c.png)'https://x.com/c.png']"),
            ("![cat](c.unknown)", "p['!' link(c.unknown)['cat']]"),
            ("![cat]", "p['![cat]']"),
        ][..2],
    );
    reads(&[("![cat]", "p['![cat]']"), ("![cat](c)", "p['![cat](c)']")]);
}

#[test]
fn mail_addresses_are_linked() {
    reads(&[
        ("a@b.com", "p[link(mailto:a@b.com)['a@b.com']]"),
        ("mailto:a@b.com", "p[link(mailto:a@b.com)['a@b.com']]"),
        (
            "to first.last+tag@sub.x.org.",
            "p['to ' link(mailto:first.last+tag@sub.x.org)['first.last+tag@sub.x.org'] '.']",
        ),
        ("a@b", "p['a@b']"),
        ("a@b.invented", "p['a@b.invented']"),
        ("mailto:a@b.invented", "p['mailto:a@b.invented']"),
    ]);
}

#[test]
fn telephone_numbers_of_five_digits_and_more_are_linked() {
    reads(&[
        ("+12345", "p[link(tel:12345)['+12345']]"),
        ("+1-23456 now", "p[link(tel:123456)['+1-23456'] ' now']"),
        ("+(12)345-67", "p[link(tel:1234567)['+(12)345-67']]"),
        ("+1234", "p['+1234']"),
        ("+1 up", "p['+1 up']"),
        ("a+12345", "p['a+12345']"),
    ]);
}

#[test]
fn addresses_that_run_code_or_read_files_are_never_linked() {
    for scheme in [
        "javascript:",
        "JavaScript:",
        "jAvAsCrIpT:",
        "data:",
        "DATA:",
        "vbscript:",
        "VbScript:",
        "file:",
        "blob:",
        "view-source:",
        "about:",
        "jar:",
        "filesystem:",
        "livescript:",
        "unknown:",
    ] {
        for text in [
            format!("[a]({scheme}alert%281%29)"),
            format!("[a]({scheme}//x.com/%0aalert%281%29)"),
            format!("![a]({scheme}//x.com/a)"),
            format!("<{scheme}//x.com|a>"),
            format!("<{scheme}alert|a>"),
            format!("{scheme}//x.com/a"),
            format!("{scheme}alert"),
            format!("*[a]({scheme}x)*"),
            format!("||[a]({scheme}x)||"),
        ] {
            let shown = tree(&text);
            assert!(!shown.contains("link(") && !shown.contains("image("), "{text} became {shown}");
        }
    }
}

#[test]
fn disguised_schemes_are_never_linked() {
    for text in [
        "[a](java&#115;cript:alert)",
        "[a](&#106;avascript:alert)",
        "[a](java\tscript:alert)",
        "[a](java\nscript:alert)",
        "[a](java\u{0}script:alert)",
        "[a](\u{1}javascript:alert)",
        "[a](\u{1}javascript://x.com)",
        "[a](\u{1}x.com)",
        "[a](%6aavascript:alert)",
        "[a]( javascript:alert)",
        "[a](1javascript:alert)",
        "[a](java\u{ad}script:alert)",
        "<\u{1}javascript:alert|a>",
        "\u{1}x.com",
    ] {
        let shown = tree(text);
        assert!(!shown.contains("link("), "{text:?} became {shown}");
    }
}

#[test]
fn other_schemes_can_be_allowed_but_dangerous_ones_cannot() {
    let options = Options {
        schemes: vec!["tool".to_owned(), "javascript".to_owned(), "data".to_owned()],
        ..Options::default()
    };
    assert_eq!(tree("[a](tool:1)"), "p['[a](tool:1)']");
    assert_eq!(tree_with("[a](tool:1)", &options), "p[link(tool:1)['a']]");
    assert_eq!(tree_with("TOOL://x.com/a", &options), "p[link(TOOL://x.com/a)['TOOL://x.com/a']]");
    assert_eq!(tree_with("[a](javascript:1)", &options), "p['[a](javascript:1)']");
    assert_eq!(tree_with("[a](Data:1)", &options), "p['[a](Data:1)']");
}

#[test]
fn web_addresses_are_extracted_once_in_order_and_never_from_code() {
    let text = "https://b.com [x](https://a.com) *[y](https://c.com)* `https://d.com` a.com a@b.com +12345 \
        [z](https://b.com)\n> ||localhost:80||\n```\nhttps://e.com\n```\n![i](https://f.com/i.png)";
    let document = parse(text, &Options::default());
    assert_eq!(links(&document), ["https://b.com", "https://a.com", "https://c.com", "//a.com"]);
}
