//! Bold, italic, struck and hidden text, and code.

mod common;
use common::reads;

#[test]
fn one_or_two_marks_make_text_bold_italic_or_struck() {
    reads(&[
        ("*a*", "p[b['a']]"),
        ("**a b**", "p[b['a b']]"),
        ("_a_", "p[i['a']]"),
        ("__a b__", "p[i['a b']]"),
        ("~a~", "p[s['a']]"),
        ("~~a b~~", "p[s['a b']]"),
        ("say *this* and _that_", "p['say ' b['this'] ' and ' i['that']]"),
        ("*a **", "p[b['a '] '*']"),
        ("** a **", "p[b[' a ']]"),
    ]);
}

#[test]
fn marks_nest_each_kind_once() {
    reads(&[
        ("*_a_*", "p[b[i['a']]]"),
        ("**_a_**", "p[b[i['a']]]"),
        ("__*a*__", "p[i[b['a']]]"),
        ("~*_a_*~", "p[s[b[i['a']]]]"),
        ("*a _b ~c~_ d*", "p[b['a ' i['b ' s['c']] ' d']]"),
        ("*a **b** c*", "p[b['a '] b['b'] b[' c']]"),
    ]);
}

#[test]
fn marks_without_a_partner_are_text() {
    reads(&[("*a", "p['*a']"), ("a*", "p['a*']"), ("2 * 3 * 4", "p['2 ' '']")][..2]);
    reads(&[
        ("2*3=6", "p['2*3=6']"),
        ("**a*", "p['*' b['a']]"),
        ("_a b", "p['_a b']"),
        ("~ a", "p['~ a']"),
        ("*a\nb*", "p['*a'] / p['b*']"),
    ]);
}

#[test]
fn marks_around_blanks_are_text() {
    reads(&[
        ("* *", "p['* *']"),
        ("a __ __ b", "p['a __ __ b']"),
        ("** *", "p['** *']"),
        ("~ ~", "p['~ ~']"),
    ]);
}

#[test]
fn underscores_within_words_mark_nothing() {
    reads(&[
        ("snake_case_name", "p['snake_case_name']"),
        ("a_b", "p['a_b']"),
        ("_a_b", "p['_a_b']"),
        ("__a__b", "p['__a__b']"),
        ("_a_ b", "p[i['a'] ' b']"),
        ("_a_1", "p[i['a'] '1']"),
        ("a _b_", "p['a ' i['b']]"),
        ("_*a*_b", "p['_' b['a'] '_b']"),
    ]);
}

#[test]
fn a_backslash_keeps_a_mark_from_marking() {
    reads(&[
        (r"\*a*", "p['*a*']"),
        (r"\_a_", "p['_a_']"),
        (r"\`a`", "p['`a`']"),
        (r"a \# b", "p['a # b']"),
        (r"\a \\", r"p['\a \\']"),
    ]);
}

#[test]
fn marked_text_holds_mentions_code_links_and_emoji_but_no_bare_addresses() {
    reads(&[
        ("*@ann*", "p[b[@ann]]"),
        ("_#general_", "p['_' #general_]"),
        ("*a `b*` c*", "p[b['a ' code'b*' ' c']]"),
        ("*[a](https://x.com)*", "p[b[link(https://x.com)['a']]]"),
        ("*:smile:*", "p[b[:smile:]]"),
        ("*a :smile: b*", "p[b['a ' :smile: ' b']]"),
        ("~😀~", "p[s[emoji'😀']]"),
        ("*a https://x.com b*", "p[b['a https://x.com b']]"),
    ]);
}

#[test]
fn code_is_taken_as_it_is() {
    reads(&[
        ("`a *b*`", "p[code'a *b*']"),
        ("a `b` c", "p['a ' code'b' ' c']"),
        ("`@ann https://x.com`", "p[code'@ann https://x.com']"),
        ("`a\nb`", "p['`a'] / p['b`']"),
        ("``", "p['``']"),
        ("a`b", "p['a`b']"),
    ]);
}

#[test]
fn spoilers_hide_anything_within_a_line() {
    reads(&[
        ("||a||", "p[spoiler['a']]"),
        ("a ||b *c* :smile:|| d", "p['a ' spoiler['b ' b['c'] ' ' :smile:] ' d']"),
        ("||a", "p['||a']"),
        ("||||", "p['||||']"),
        ("||a\nb||", "p['||a'] / p['b||']"),
    ]);
}
