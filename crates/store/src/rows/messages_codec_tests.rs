use super::*;

fn plain() -> Message {
    let json = Json::object();
    Message {
        id: "m".into(),
        room: "r".into(),
        seq: 0,
        rev: 0,
        counted: 0,
        author: "u".into(),
        author_username: "u".into(),
        author_name: "U".into(),
        at: Time(0),
        updated_at: Time(0),
        kind: MessageKind::Text,
        text: "hi".into(),
        thread: None,
        shown_in_room: false,
        thread_info: None,
        discussion: None,
        edited: None,
        pinned: None,
        mentions: vec![],
        channels: vec![],
        links: vec![],
        attachments: vec![],
        reactions: vec![],
        guise: Guise::default(),
        custom_fields: json.clone(),
        encrypted: None,
        extras: json,
        reply_to: None,
        forwarded_from: None,
        client_id: None,
        metadata: None,
        deleted: false,
        ungrouped: false,
    }
}

#[test]
fn a_plain_message_has_no_extra_column() {
    assert_eq!(encode(&plain()), (flag::COUNTS, None));
}

#[test]
fn everything_rare_reads_back_as_it_was_written() {
    let quote = Quote {
        link: "https://chat.example/channel/x?msg=m0".into(),
        message: "m0".into(),
        author: "bo".into(),
        author_name: "Bo".into(),
        display_name: "Bo Berg".into(),
        text: "as I said".into(),
        at: Time(5),
        attachments: vec![Attachment::Card(Json::new(r#"{"title":"t"}"#))],
    };
    let file = FileCard {
        upload: "f".into(),
        name: "a.png".into(),
        media_type: "image/png".into(),
        size: 9,
        description: "d".into(),
        dimensions: Some((3, 4)),
        preview: Some("p".into()),
        thumbnail: Some("th".into()),
        said: Some(Said::File),
    };
    let mark = Mark { by: "u".into(), username: "u".into(), at: Time(7) };
    let message = Message {
        kind: MessageKind::Notice("message_pinned".into()),
        shown_in_room: true,
        ungrouped: true,
        discussion: Some(DiscussionInfo { room: "d".into(), messages: 2, last_at: Some(Time(3)) }),
        edited: Some(mark.clone()),
        pinned: Some(mark),
        mentions: vec![
            Mention::User { id: "b".into(), username: "bo".into(), name: "Bo".into() },
            Mention::Team { id: "t".into(), name: "crew".into() },
            Mention::All,
            Mention::Here,
        ],
        channels: vec![RoomMention { id: "r2".into(), name: "two".into(), title: Some("Two".into()) }],
        links: vec![Link {
            url: "https://a.example".into(),
            no_preview: true,
            preview: Some(Json::new(r#"{"meta":{}}"#)),
        }],
        attachments: vec![Attachment::File(file), Attachment::Quote(Box::new(quote))],
        reactions: vec![Reaction { emoji: ":+1:".into(), users: vec![("b".into(), "bo".into())] }],
        guise: Guise {
            alias: Some("A".into()),
            avatar: Some("/a".into()),
            emoji: Some(":x:".into()),
            bot: Some("i".into()),
        },
        custom_fields: Json::new(r#"{"p":"low"}"#),
        encrypted: Some(Json::new(r#"{"e2e":"pending"}"#)),
        extras: Json::new(r#"{"role":"owner"}"#),
        ..plain()
    };
    let (flags, extra) = encode(&message);
    let mut back = Message { text: message.text.clone(), ..plain() };
    decode(&mut back, flags, extra.as_deref());
    assert_eq!(back, message);
    let wanted = flag::PINNED | flag::DISCUSSION | flag::IMAGE | flag::FILE | flag::LINKS | flag::EVERYBODY;
    assert_eq!(flags & wanted, wanted);
}

#[test]
fn an_unreadable_extra_column_leaves_the_text() {
    let mut back = plain();
    decode(&mut back, flag::COUNTS, Some("{not json"));
    assert_eq!(back, plain());
}
