//! Mail on its way: letters are written when they leave, in the reader's language, by the settings in force then.

use std::{sync::Arc, time::Duration};

use parlor_core::{
    chat::Chat,
    clock::Time,
    error::Result,
    letters::{About, CODE_GOOD, Letter, RESET_GOOD, VERIFY_GOOD},
    letters_said,
    notices_open::{Notice, NoticeItem},
    store::{Delivery, DeliveryState, Way},
};
use parlor_mail::{Fault, Item, Language, Post, Server, Topic};

use crate::queue;

/// Conversations with the mail server at a time.
const AT_ONCE: usize = 4;
/// Attempts for one letter: after 15 seconds, a minute, four, sixteen and sixty-four.
const ATTEMPTS: u32 = 6;
/// How long after the first attempt that failed.
const FIRST_WAIT: Duration = Duration::from_secs(15);

/// The worker. One a server.
pub struct Mail {
    chat: Arc<Chat>,
}

impl Mail {
    /// A worker that is not running yet.
    pub fn new(chat: Arc<Chat>) -> Self {
        Self { chat }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        queue::run(&self.chat, Way::Mail, || self.step()).await;
    }

    async fn step(&self) -> Result<Duration> {
        queue::drain(&self.chat, Way::Mail, AT_ONCE, |delivery| self.attempt(delivery)).await
    }

    async fn attempt(&self, mut delivery: Delivery) -> Result<()> {
        delivery.attempts += 1;
        delivery.updated_at = self.chat.now();
        let post = match self.post(&delivery).await? {
            Ok(post) => post,
            Err(why) => {
                delivery.state = DeliveryState::Failed;
                delivery.problem = why.to_owned();
                return self.chat.delivery_tried(delivery).await;
            }
        };
        let sent = match server(&self.chat)? {
            Some(server) => post.send(&server).await,
            None => Err(Fault { for_good: true, text: "no mail server is set up".to_owned() }),
        };
        match sent {
            Ok(()) => {
                delivery.problem.clear();
                delivery.state = DeliveryState::Done;
            }
            Err(fault) => {
                // Whoever tries mail out waits for the answer.
                let for_good = fault.for_good || delivery.event == "test";
                tracing::warn!(problem = fault.text, event = delivery.event, "a letter did not go out");
                let problem = fault.text;
                queue::failed(&self.chat, &mut delivery, problem, for_good, FIRST_WAIT, ATTEMPTS);
            }
        }
        self.chat.delivery_tried(delivery).await
    }

    /// The letter as it is sent, or why nobody wants it any more.
    async fn post(&self, delivery: &Delivery) -> Result<std::result::Result<Post, &'static str>> {
        if delivery.event == "unread" {
            let notice = self.chat.unread_letter(delivery).await?;
            return Ok(notice.map(|notice| self.unread(delivery, notice)).ok_or("it was read meanwhile"));
        }
        match self.chat.letter(delivery)? {
            Some(letter) if letter.until <= self.chat.now() => Ok(Err("it was too late")),
            Some(letter) => Ok(Ok(self.written(delivery, &letter))),
            None => Ok(Err("it can't be read")),
        }
    }

    fn written(&self, delivery: &Delivery, letter: &Letter) -> Post {
        let topic = match &letter.about {
            About::Reset(url) => Topic::Reset { url: url.clone(), minutes: RESET_GOOD.as_secs() / 60 },
            About::Verify(url) => Topic::Verify { url: url.clone(), days: VERIFY_GOOD.as_secs() / 86_400 },
            About::Invite(by, url) => Topic::Invite { by: by.clone(), url: url.clone() },
            About::Welcome(username, url) => Topic::Welcome { username: username.clone(), url: url.clone() },
            About::Code(code) => Topic::Code { code: code.clone(), minutes: CODE_GOOD.as_secs() / 60 },
            About::Said(subject, text) => said(subject, text),
            About::Test => Topic::Test,
        };
        self.envelope(delivery, &topic, (&letter.to, &letter.name), &letter.language, None)
    }

    fn unread(&self, delivery: &Delivery, notice: Notice) -> Post {
        let user = &notice.user;
        let item = |item: &NoticeItem| Item {
            sender: item.sender.clone(),
            room: item.room.clone(),
            text: item.text.clone(),
            at: local(item.at, user.utc_offset),
            url: item.url.clone(),
        };
        let topic = Topic::Unread {
            items: notice.items.iter().map(item).collect(),
            more: notice.more,
            url: notice.url,
            leave: notice.leave.clone(),
            digest: notice.digest,
        };
        let name = if user.name.is_empty() { &user.username } else { &user.name };
        self.envelope(delivery, &topic, (&notice.to, name), &user.language, Some(notice.leave))
    }

    fn envelope(
        &self,
        delivery: &Delivery,
        topic: &Topic,
        (to, name): (&str, &str),
        language: &str,
        leave: Option<String>,
    ) -> Post {
        let settings = self.chat.settings();
        let language = if language.is_empty() { settings.text("Language") } else { language };
        let workspace = settings.text("Site_Name");
        let letter = parlor_mail::write(topic, name, workspace, Language::of(language));
        Post {
            from: sender(&self.chat),
            to: to.to_owned(),
            name: name.to_owned(),
            id: delivery.id.clone(),
            leave,
            written: letter.written(),
        }
    }
}

/// A time as the reader's clock shows it.
fn local(at: Time, hours_east: f64) -> String {
    let offset = jiff::tz::Offset::from_seconds((hours_east.clamp(-14.0, 14.0) * 3600.0) as i32);
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    let here = at.to_zoned(jiff::tz::TimeZone::fixed(offset.unwrap_or(jiff::tz::Offset::UTC)));
    here.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Who writes: `From_Email`, or nobody in particular at the workspace's own host.
fn sender(chat: &Chat) -> String {
    let settings = chat.settings();
    match settings.text("From_Email").trim() {
        "" => {
            let url = settings.text("Site_Url").to_owned();
            let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
            let host = host.filter(|host| !host.is_empty()).unwrap_or("localhost");
            // An address or a bare name is no domain that mail can come from.
            let domain = host.contains('.') && host.parse::<std::net::IpAddr>().is_err();
            format!("no-reply@{}", if domain { host } else { "localhost.localdomain" })
        }
        chosen => chosen.to_owned(),
    }
}

/// The mail server of the settings; `None` while there is none.
pub fn server(chat: &Chat) -> Result<Option<Server>> {
    let settings = chat.settings();
    let login = (settings.text("SMTP_Username").to_owned(), chat.secret_setting("SMTP_Password")?);
    Ok(Server::read(
        settings.text("SMTP_Protocol"),
        settings.text("SMTP_Host"),
        settings.text("SMTP_Port"),
        Some(login),
        settings.is_on("SMTP_IgnoreTLS"),
    ))
}
/// Messages that somebody sends by mail.
fn said(subject: &str, text: &str) -> Topic {
    let (by, said) = letters_said::read(text);
    let item = |said: letters_said::Said| Item {
        sender: said.sender,
        room: String::new(),
        text: said.text,
        at: local(Time(said.at), 0.0),
        url: String::new(),
    };
    Topic::Said { by, subject: subject.to_owned(), items: said.into_iter().map(item).collect() }
}
