//! Emoji, mentions of users and channels, and what is extracted of them.

mod common;
use common::{reads, tree_with};
use parlor_markup::{Options, channels, mentions, parse, plain};

#[test]
fn one_to_three_emoji_alone_are_big() {
    reads(&[
        (":smile:", "big[:smile:]"),
        (" 😀 \n:+1: ", "big[emoji'😀' :+1:]"),
        ("😀😀😀", "big[emoji'😀' emoji'😀' emoji'😀']"),
        (":)", "big[:slight_smile:=':)']"),
        ("😀😀😀😀", "p[emoji'😀' emoji'😀' emoji'😀' emoji'😀']"),
        ("😀 a", "p[emoji'😀' ' a']"),
    ]);
}

#[test]
fn emoji_names_stand_between_blanks() {
    reads(&[
        ("hi :smile: you", "p['hi ' :smile: ' you']"),
        ("hi :a: :b:", "p['hi ' :a: ' ' :b:]"),
        ("hi :smile:!", "p['hi :smile:!']"),
        ("hi:smile:", "p['hi:smile:']"),
        ("a :b::c:", "p['a :b::c:']"),
        ("a :q c:", "p['a :q c:']"),
        ("a ::", "p['a ::']"),
    ]);
}

#[test]
fn emoji_characters_keep_their_modifiers() {
    reads(&[
        ("a 👍🏽", "p['a ' emoji'👍🏽']"),
        ("a ❤️ b", "p['a ' emoji'❤️' ' b']"),
        ("a 🇩🇪", "p['a ' emoji'🇩🇪']"),
        ("a 👨‍👩‍👧", "p['a ' emoji'👨‍👩‍👧']"),
        ("a ⏰ ☀️ ✅", "p['a ' emoji'⏰' ' ' emoji'☀️' ' ' emoji'✅']"),
        ("a😀", "p['a😀']"),
        ("😀a", "p[emoji'😀' 'a']"),
    ]);
}

#[test]
fn emoticons_are_emoji_when_they_stand_alone() {
    reads(&[
        ("ok :)", "p['ok ' :slight_smile:=':)']"),
        ("ok :-P then", "p['ok ' :stuck_out_tongue:=':-P' ' then']"),
        ("<3 you", "p[:heart:='<3' ' you']"),
        ("ok:)", "p['ok:)']"),
        ("a 8)b", "p['a 8)b']"),
        ("*ok :)*", "p[b['ok ' :slight_smile:=':)']]"),
    ]);
    let without = Options { emoticons: false, ..Options::default() };
    assert_eq!(tree_with("ok :) :smile:", &without), "p['ok :) ' :smile:]");
}

#[test]
fn users_and_channels_are_mentioned_by_name() {
    reads(&[
        ("@ann", "p[@ann]"),
        ("hi @ann.b-c_d, @all!", "p['hi ' @ann.b-c_d ', ' @all '!']"),
        ("ask @ann.b.", "p['ask ' @ann.b '.']"),
        ("@ann... #general. @ann:server.org.", "p[@ann '... ' #general '. ' @ann:server.org '.']"),
        ("@... #.", "p['@... #.']"),
        ("(@ann)", "p['(' @ann ')']"),
        ("@ann:server.org @bob@other", "p[@ann:server.org ' ' @bob@other]"),
        ("#general and #a-b", "p[#general ' and ' #a-b]"),
        ("@josé @иван #日本", "p[@josé ' ' @иван ' ' #日本]"),
    ]);
}

#[test]
fn signs_within_words_mention_nobody() {
    reads(&[
        ("a@ann", "p['a@ann']"),
        ("a#b", "p['a#b']"),
        ("@ ann", "p['@ ann']"),
        ("# 1", "h1'1'"),
        ("a # 1", "p['a # 1']"),
        ("@@ann", "p['@@ann']"),
        ("@@@ann a@@b", "p['@@@ann a@@b']"),
        ("🫠@ann", "p['🫠@ann']"),
        ("😀@ann", "p[emoji'😀' @ann]"),
    ]);
}

#[test]
fn mentions_are_extracted_once_in_order_and_never_from_code() {
    let text = "@bob *@ann* ||@all|| `@code` @bob\n> @here\n- @li #x\n1. @ol\n- [ ] @task #y #x\n[@link](x.com)\n\
        ```\n@fence #z\n```";
    let document = parse(text, &Options::default());
    assert_eq!(mentions(&document), ["bob", "ann", "all", "here", "li", "ol", "task"]);
    assert_eq!(channels(&document), ["x", "y"]);
}

#[test]
fn plain_text_says_what_the_message_says() {
    for (text, expected) in [
        ("*hi* @ann, see [this](https://x.com) and #b", "hi @ann, see this and #b"),
        (":smile: :unknown_one: :)", "😄 :unknown_one: :)"),
        ("# T\na\n\nb", "T\na\n\nb"),
        ("- a\n- b\n\n1. c\n\n- [x] d", "- a\n- b\n\n1. c\n\n[x] d"),
        ("> a\n> b", "> a\n> b"),
        ("```rust\nx\ny\n```\nz", "x\ny\nz"),
        ("the end: ||he dies||", "the end: ▮▮▮"),
        ("||\nhe dies\n||", "▮▮▮"),
        ("<t:1630360800:R>", "2021-08-30 22:00 UTC"),
        ("![cat](https://x.com/c.png)", "cat"),
        ("", ""),
    ] {
        assert_eq!(plain(&parse(text, &Options::default())), expected, "{text:?}");
    }
}
