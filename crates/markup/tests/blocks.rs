//! Lines and what they form.

mod common;
use common::{reads, tree, tree_with};
use parlor_markup::Options;

#[test]
fn each_line_is_a_paragraph_and_empty_ones_are_breaks() {
    reads(&[
        ("", ""),
        ("a", "p['a']"),
        ("a\nb", "p['a'] / p['b']"),
        ("a\r\nb\rc", "p['a'] / p['b'] / p['c']"),
        ("a\n\n \nb", "p['a'] / br / br / p['b']"),
        ("\n", "br"),
        ("  a ", "p['  a ']"),
        ("   ", "p['   ']"),
    ]);
}

#[test]
fn headings_have_four_levels_and_plain_text() {
    reads(&[
        ("# a", "h1'a'"),
        ("#### a *b* @c", "h4'a *b* @c'"),
        ("## a\nb", "h2'a' / br / p['b']"),
        ("##### a", "p['##### a']"),
        ("#a", "p[#a]"),
        ("# ", "p['# ']"),
        ("a # b", "p['a # b']"),
    ]);
}

#[test]
fn fences_keep_their_lines_and_language() {
    reads(&[
        ("```\na\n```", "fence()['a']"),
        ("```rust\nlet a = *b*;\n\n  c\n```", "fence(rust)['let a = *b*;' '' '  c']"),
        ("```\na\n```\nb", "fence()['a'] / br / p['b']"),
        ("a\n```js\n@b\n```", "p['a'] / fence(js)['@b']"),
        ("```\n*a*", "p['```'] / p[b['a']]"),
        ("```a```", "p['``' code'a' '``']"),
        ("```\n```", "p['```'] / p['```']"),
    ]);
}

#[test]
fn quoted_lines_form_one_quote() {
    reads(&[
        ("> a", "quote[['a']]"),
        ("> a\n>*b*\n> \nc", "quote[['a'] [b['b']] ['']] / p['c']"),
        ("a > b", "p['a > b']"),
        (">", "p['>']"),
        ("> > a", "quote[['> a']]"),
    ]);
}

#[test]
fn lists_hold_lines_of_one_kind() {
    reads(&[
        ("- a\n- *b*", "ul[['a'] [b['b']]]"),
        ("* a\n* b", "ul[['a'] ['b']]"),
        ("- a\n* b", "ul[['a']] / ul[['b']]"),
        ("1. a\n2. b\n7. @c", "ol[1['a'] 2['b'] 7[@c]]"),
        ("0. a", "ol[0['a']]"),
        ("99999999999999999999. a", "ol[9007199254740991['a']]"),
        ("- [ ] a\n- [x] b", "tasks[open['a'] done['b']]"),
        ("- [y] a", "ul[['[y] a']]"),
    ]);
}

#[test]
fn lines_that_only_resemble_lists_are_paragraphs() {
    reads(&[
        ("-a", "p['-a']"),
        ("- ", "p['- ']"),
        ("1.a", "p['1.a']"),
        ("1) a", "p['1) a']"),
        ("* a *b", "p[b[' a '] 'b']"),
        ("a - b", "p['a - b']"),
    ]);
}

#[test]
fn asterisks_in_an_asterisk_list_must_mark_something() {
    reads(&[("* a *b* c", "ul[['a ' b['b'] ' c']]"), ("* 2*3", "p[b[' 2'] '3']")]);
}

#[test]
fn spoiler_blocks_hide_lines() {
    reads(&[
        ("||\na\n*b*\n||", "hidden[['a'] [b['b']]]"),
        ("||\na\n||\nb", "hidden[['a']] / br / p['b']"),
        ("||\na", "p['||'] / p['a']"),
        ("||\n||", "p['||'] / p['||']"),
    ]);
}

#[test]
fn formulas_are_read_only_when_asked_for() {
    let dollar = Options { katex_dollar: true, ..Options::default() };
    let parenthesis = Options { katex_parenthesis: true, ..Options::default() };
    assert_eq!(tree("$a$ \\(b\\)"), "p['$a$ \\(b\\)']");
    assert_eq!(tree_with("a $x_1$ \\(y\\)", &dollar), "p['a ' katex'x_1' ' \\(y\\)']");
    assert_eq!(tree_with("a $x$ \\(y\\)", &parenthesis), "p['a $x$ ' katex'y']");
    assert_eq!(tree_with("$$a\nb$$", &dollar), "katex'a\nb'");
    assert_eq!(tree_with("\\[a\\] b", &parenthesis), "katex'a' / p[' b']");
    assert_eq!(tree_with("cost $5", &dollar), "p['cost $5']");
}

#[test]
fn colors_are_read_only_when_asked_for() {
    let options = Options { colors: true, ..Options::default() };
    assert_eq!(tree("color:#ff0000"), "p['color:#ff0000']");
    for (text, expected) in [
        ("color:#ff0000", "p[color(255,0,0,255)]"),
        ("color:#FF000080", "p[color(255,0,0,128)]"),
        ("color:#f80", "p[color(255,136,0,255)]"),
        ("color:#f808", "p[color(255,136,0,136)]"),
        ("color:#ff", "p['color:#ff']"),
        ("color:#ff000", "p['color:#ff000']"),
    ] {
        assert_eq!(tree_with(text, &options), expected, "{text}");
    }
}

#[test]
fn moments_are_seconds_whatever_they_were_written_as() {
    reads(&[
        ("<t:1630360800>", "p[time(1630360800,t)]"),
        ("at <t:1630360800:R>!", "p['at ' time(1630360800,R) '!']"),
        ("<t:2025-07-22T10:00:00.000:f>", "p[time(1753178400,f)]"),
        ("<t:2025-07-22T10:00:00+02:00>", "p[time(1753171200,t)]"),
        ("<t:2040-01-01T00:00:00+00:00>", "p[time(2208988800,t)]"),
        ("~<t:1630360800>~", "p[s[time(1630360800,t)]]"),
    ]);
}

#[test]
fn impossible_moments_are_text() {
    for text in [
        "<t:163036080>",
        "<t:1630360800:x>",
        "<t:1630360800",
        "<t:2025-13-01T10:00:00+00:00>",
        "<t:2025-07-32T10:00:00+00:00>",
        "<t:2025-07-22T10:61:00+00:00>",
        "<t:2025-07-22T25:00:00+00:00>",
        "<t:2025-07-22T10:00:00+25:00>",
        "<t:2025-07-22>",
        "<t:10:00>",
    ] {
        assert_eq!(tree(text), format!("p['{text}']"));
    }
}

#[test]
fn times_of_day_mean_the_day_of_the_message() {
    let options = Options { now: Some(1_795_226_400), ..Options::default() };
    assert_eq!(tree_with("<t:10:00>", &options), "p[time(1795255200,t)]");
    assert_eq!(tree_with("<t:10:00:30:T>", &options), "p[time(1795255230,T)]");
    assert_eq!(tree_with("<t:10:00+02:00:R>", &options), "p[time(1795248000,R)]");
}
