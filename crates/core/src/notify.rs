//! Whose attention a message wants. Worked out behind the commit, by a driver of its own, from what is in memory: an
//! ordinary message costs nothing per member beyond those who are online in a room of at most
//! `Notifications_Max_Room_Members` (100).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    backlog::Backlog,
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    event::{Change, Event},
    id::UserId,
    keen::MOST,
    membership::Membership,
    message::{Mention, Message, MessageKind},
    notify_plan::plan,
    room::{Room, RoomKind},
    setting::Settings,
    store::{MemberFilter, Page},
    user::User,
};

/// Messages that wait to be looked at; beyond it the oldest is let go, and counted.
const WAITING: usize = 10_000;

/// Why somebody's attention is wanted, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It addresses him by name.
    Mention,
    /// It is a direct room.
    Direct,
    /// It answers in a thread that he follows.
    Thread,
    /// It addresses everybody.
    Everybody,
    /// He wants to know of all that is written there.
    Room,
}

impl Reason {
    /// As devices are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Direct => "direct",
            Self::Thread => "thread",
            Self::Everybody => "everybody",
            Self::Room => "room",
        }
    }
}

/// Who is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those who are online now.
    Online,
    /// Those who are not, too: for mail and push.
    Members,
}

/// Somebody whose attention is wanted.
#[derive(Clone, Debug)]
pub struct Addressee {
    /// Who.
    pub user: Arc<User>,
    /// His place in the room.
    pub membership: Arc<Membership>,
    /// Why.
    pub reason: Reason,
    /// It is one of the hours in which he wants to be left alone.
    pub quiet: bool,
}

/// By which way somebody is told; each has its own preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// On the screen, while online.
    Desktop,
    /// By push.
    Mobile,
    /// By mail.
    Email,
}

/// Messages on their way from the commit to the driver.
pub(crate) struct Waiting(Backlog<Arc<Message>>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Backlog::new(WAITING))
    }
}

impl Waiting {
    /// Takes in what was committed; quick, for the committing thread.
    pub(crate) fn committed(&self, event: &Event) {
        let Event::Message { message, change: Change::Made, .. } = event else { return };
        if message.kind == MessageKind::Text {
            self.0.push(message.clone());
        }
    }
}

impl Addressee {
    /// Whether he wants to be told by this way: what he said for the room, else in general, else the workspace's
    /// default. In quiet hours nothing is shown or pushed; mail makes no noise and comes.
    pub fn wants(&self, way: Way, settings: &Settings) -> bool {
        if self.quiet && way != Way::Email {
            return false;
        }
        let notify = &self.membership.notify;
        let (own, general, default) = match way {
            Way::Desktop => (
                &notify.desktop,
                "desktopNotifications",
                "Accounts_Default_User_Preferences_desktopNotifications",
            ),
            Way::Mobile => {
                (&notify.mobile, "pushNotifications", "Accounts_Default_User_Preferences_pushNotifications")
            }
            Way::Email => (
                &notify.email,
                "emailNotificationMode",
                "Accounts_Default_User_Preferences_emailNotificationMode",
            ),
        };
        let level = match own.as_deref() {
            Some(level) if level != "default" => level.to_owned(),
            _ => preference(&self.user, general).unwrap_or_else(|| settings.text(default).to_owned()),
        };
        match level.as_str() {
            "nothing" => false,
            "mentions" => self.reason < Reason::Room,
            // Mail is for what concerns somebody; nobody wants all of a room by mail unless he said so there.
            _ => way != Way::Email || own.is_some() || self.reason < Reason::Room,
        }
    }
}

/// A preference of the user's own; `default` counts as none.
fn preference(user: &User, key: &str) -> Option<String> {
    chosen(user, key)?.get(key)?.as_str().filter(|level| *level != "default").map(str::to_owned)
}

/// The user's preferences where this one is among them. Only those who set one pay for reading it.
fn chosen(user: &User, key: &str) -> Option<serde_json::Value> {
    if !user.preferences.as_str().contains(key) {
        return None;
    }
    serde_json::from_str(user.preferences.as_str()).ok()
}

/// Whether a text holds one of the user's keywords (`highlights`, at most 50 of them) as words of their own.
pub(crate) fn holds_keyword(user: &User, text: &str) -> bool {
    let Some(all) = chosen(user, "highlights") else { return false };
    let Some(words) = all.get("highlights").and_then(serde_json::Value::as_array) else { return false };
    let text = text.to_lowercase();
    let words = words.iter().take(50).filter_map(serde_json::Value::as_str);
    words.map(|word| word.trim().to_lowercase()).any(|word| !word.is_empty() && has_word(&text, &word))
}

fn has_word(text: &str, word: &str) -> bool {
    let stands_alone = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric())
    };
    text.match_indices(word).any(|(at, _)| stands_alone(at))
}

fn addresses_all(message: &Message) -> bool {
    message.mentions.iter().any(|mention| matches!(mention, Mention::All))
}

/// The words of a text in lower case, each once, at most 100: keywords are found by their first.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        if all.len() < 100 && !all.contains(&word) {
            all.push(word);
        }
    }
    all
}

/// Whether it is between `quietFrom` and `quietUntil` (`HH:MM`) where the user is (`quietOffset`, minutes east of UTC).
fn is_quiet(user: &User, now: Time) -> bool {
    let Some(all) = chosen(user, "quietFrom") else { return false };
    let minute = |key: &str| {
        let (hours, minutes) = all.get(key)?.as_str()?.split_once(':')?;
        Some(i64::from(hours.parse::<u8>().ok()?) * 60 + i64::from(minutes.parse::<u8>().ok()?))
    };
    let (Some(from), Some(until)) = (minute("quietFrom"), minute("quietUntil")) else { return false };
    let offset = all.get("quietOffset").and_then(serde_json::Value::as_i64).unwrap_or_default();
    let here = (now.millis().div_euclid(60_000) + offset.clamp(-840, 840)).rem_euclid(24 * 60);
    if from <= until { (from..until).contains(&here) } else { here >= from || here < until }
}

impl Chat {
    /// Tells those who are online of the messages that want their attention, for ever; `server` drives it.
    pub async fn notify_forever(&self) {
        loop {
            let message = self.waiting.0.next().await;
            if let Err(refusal) = self.notify(&message).await {
                tracing::warn!(%refusal, "somebody could not be notified of a message");
            }
            // A burst must not keep others from this thread.
            tokio::task::yield_now().await;
        }
    }

    /// Messages that were let go because too many waited, since the start.
    pub fn unnotified(&self) -> u64 {
        self.waiting.0.dropped()
    }

    async fn notify(&self, message: &Arc<Message>) -> Result<()> {
        let room = match self.room(&message.room).await {
            Err(Refusal::NotFound(_)) => return Ok(()),
            found => found?,
        };
        let settings = self.settings();
        for to in self.addressees(&room, message, Reach::Online).await? {
            let (status, attention) = (self.status_of(&to.user.id), self.attention_of(&to.user.id));
            if plan(&to, attention, status, self.now(), &settings).desktop {
                let user = to.user.id.clone();
                self.pass(Event::Notify { user, message: message.clone(), room: room.clone() });
            }
        }
        Ok(())
    }

    /// Whose attention a message wants, before their preferences for the way it comes by. At most 1,000 besides those
    /// who are online; members alone, never the author.
    pub async fn addressees(
        &self,
        room: &Arc<Room>,
        message: &Message,
        reach: Reach,
    ) -> Result<Vec<Addressee>> {
        let mut wanted = FxHashMap::default();
        let mut want = |user: UserId, reason: Reason| {
            let known = wanted.entry(user).or_insert(reason);
            *known = reason.min(*known);
        };
        self.named(message).await?.into_iter().for_each(|user| want(user, Reason::Mention));
        if room.is_direct() {
            room.direct.iter().for_each(|user| want(user.clone(), Reason::Direct));
        }
        if room.kind == RoomKind::Case && message.in_room() {
            // Whoever takes part in a case is spoken to.
            self.some_members(room).await?.into_iter().for_each(|user| want(user, Reason::Direct));
        }
        if let Some(root) = &message.thread {
            let root = root.clone();
            let root = self.store().reading(move |rows| rows.message(&root)).await?;
            let followers = root.and_then(|root| root.thread_info).unwrap_or_default().followers;
            followers.into_iter().for_each(|user| want(user, Reason::Thread));
        }
        let everybody = message.addresses_everybody();
        let small = room.members <= self.settings().number("Notifications_Max_Room_Members") as i64;
        let reason = if everybody { Reason::Everybody } else { Reason::Room };
        if everybody || message.in_room() {
            let crowd = match reach {
                Reach::Online if everybody || small => self.listening.hub.followers(&room.id),
                // `@here` is for those who are here.
                Reach::Members if small && (!everybody || addresses_all(message)) => {
                    self.some_members(room).await?
                }
                // In a large room only those who asked for it are looked at.
                Reach::Online => self.keen_followers(room, &message.text).await?,
                Reach::Members => self.keen_members(room, &message.text).await?,
            };
            crowd.into_iter().for_each(|user| want(user, reason));
        }
        wanted.remove(&message.author);
        let mut found = Vec::with_capacity(wanted.len());
        for (user, reason) in wanted {
            found.extend(self.addressee(room, message, user, reason).await?);
        }
        Ok(found)
    }

    /// Who is addressed by name, members of teams among them.
    async fn named(&self, message: &Message) -> Result<Vec<UserId>> {
        let mut named = Vec::new();
        for mention in &message.mentions {
            match mention {
                Mention::User { id, .. } => named.push(id.clone()),
                Mention::Team { id, .. } => {
                    let id = id.clone();
                    let page = Page { offset: 0, count: MOST };
                    let members = self.store().reading(move |rows| match rows.team(&id)? {
                        Some(team) => Ok(rows.members(&team.room, &MemberFilter::default(), page)?.items),
                        None => Ok(Vec::new()),
                    });
                    named.extend(members.await?.into_iter().map(|member| member.user));
                }
                Mention::All | Mention::Here => {}
            }
        }
        Ok(named)
    }

    async fn some_members(&self, room: &Room) -> Result<Vec<UserId>> {
        let (id, page) = (room.id.clone(), Page { offset: 0, count: MOST });
        let members =
            self.store().reading(move |rows| rows.members(&id, &MemberFilter::default(), page)).await?;
        Ok(members.items.into_iter().map(|member| member.user).collect())
    }

    /// Somebody, unless he is no member, wants nothing of this room, or ignores the author.
    async fn addressee(
        &self,
        room: &Room,
        message: &Message,
        user: UserId,
        reason: Reason,
    ) -> Result<Option<Addressee>> {
        let Some(membership) = self.membership(&room.id, &user).await? else { return Ok(None) };
        let deaf = membership.notify.disabled
            || membership.ignored.contains(&message.author)
            || (reason == Reason::Everybody && membership.notify.mute_group_mentions);
        let Some(user) = self.user(&user).await?.filter(|user| user.active && !deaf) else { return Ok(None) };
        let keyword = reason == Reason::Room && holds_keyword(&user, &message.text);
        let reason = if keyword { Reason::Mention } else { reason };
        let quiet = is_quiet(&user, self.now());
        Ok(Some(Addressee { user, membership, reason, quiet }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json::Json, samples};

    fn addressee(reason: Reason) -> Addressee {
        let membership = Arc::new(samples::membership("r", "u"));
        Addressee { user: Arc::new(samples::user("u")), membership, reason, quiet: false }
    }

    #[test]
    fn what_was_said_for_the_room_beats_the_general_and_that_the_workspaces() {
        let settings = Settings::snapshot(Vec::new());
        let mut to = addressee(Reason::Room);
        assert!(to.wants(Way::Desktop, &settings));
        Arc::make_mut(&mut to.user).preferences = Json::new(r#"{"desktopNotifications":"mentions"}"#);
        assert!(!to.wants(Way::Desktop, &settings));
        to.reason = Reason::Everybody;
        assert!(to.wants(Way::Desktop, &settings));
        Arc::make_mut(&mut to.membership).notify.desktop = Some("nothing".into());
        assert!(!to.wants(Way::Desktop, &settings));
    }

    fn with(preferences: &str) -> User {
        User { preferences: Json::new(preferences), ..samples::user("u") }
    }

    #[test]
    fn a_keyword_counts_as_a_mention_when_it_stands_alone_in_any_case() {
        let user = with(r#"{"highlights":["Tram","été", " "]}"#);
        assert!(holds_keyword(&user, "the TRAM, again"));
        assert!(holds_keyword(&user, "cet Été?"));
        assert!(!holds_keyword(&user, "trampoline"));
        assert!(!holds_keyword(&with("{}"), "tram"));
        assert!(!holds_keyword(&with(r#"{"highlights":"tram"}"#), "tram"));
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_by_the_users_own_clock() {
        let at = |hours: i64, minutes: i64| Time((hours * 60 + minutes) * 60_000);
        let user = with(r#"{"quietFrom":"22:00","quietUntil":"07:00","quietOffset":60}"#);
        assert!(is_quiet(&user, at(21, 0)));
        assert!(is_quiet(&user, at(5, 59)));
        assert!(!is_quiet(&user, at(6, 0)));
        assert!(!is_quiet(&user, at(20, 59)));
        assert!(!is_quiet(&with(r#"{"quietFrom":"x","quietUntil":null}"#), at(23, 0)));
        let mut to = addressee(Reason::Mention);
        to.quiet = true;
        let settings = Settings::snapshot(Vec::new());
        assert!(!to.wants(Way::Desktop, &settings) && !to.wants(Way::Mobile, &settings));
        assert!(to.wants(Way::Email, &settings));
    }

    #[test]
    fn nobody_gets_all_of_a_room_by_mail_unless_he_asked_for_it() {
        let settings = Settings::snapshot(Vec::new());
        let mut to = addressee(Reason::Room);
        assert!(!to.wants(Way::Email, &settings));
        Arc::make_mut(&mut to.membership).notify.email = Some("all".into());
        assert!(to.wants(Way::Email, &settings));
        assert!(addressee(Reason::Mention).wants(Way::Email, &settings));
    }
}
