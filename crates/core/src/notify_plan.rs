//! The one decision of who is told how: on the screen, by push, by mail, now or later.

use std::time::Duration;

use serde_json::Value;

use crate::{
    clock::Time,
    notify::{Addressee, Way},
    presence::Attention,
    setting::Settings,
    user::{Status, User, UserKind},
};

/// How somebody is told of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// On the screens that are open.
    pub desktop: bool,
    /// By push, not before this: whoever has read it by then gets none.
    pub push: Option<Time>,
    /// By mail, not before this, likewise.
    pub mail: Option<Time>,
}

/// Decides. Whoever sits at a screen is told there, and by push only when he has not read it after
/// `Notifications_Schedule_Delay_online` seconds; mail is for those who are not there. `Busy` is left alone but for
/// mail when he is gone.
pub fn plan(to: &Addressee, at: Attention, status: Status, now: Time, settings: &Settings) -> Plan {
    if to.user.kind != UserKind::Person {
        return Plan { desktop: to.wants(Way::Desktop, settings), ..Plan::default() };
    }
    let seconds = |id: &str| Duration::from_secs_f64(settings.number(id).clamp(0.0, 86_400.0));
    let delay = seconds(match at {
        Attention::Active => "Notifications_Schedule_Delay_online",
        Attention::Idle => "Notifications_Schedule_Delay_away",
        Attention::Gone => "Notifications_Schedule_Delay_offline",
    });
    let busy = status == Status::Busy || to.user.status_default == Status::Busy;
    let due = now.after(delay);
    let mail = at != Attention::Active && !(busy && at != Attention::Gone) && writable(&to.user);
    Plan {
        desktop: !busy && to.wants(Way::Desktop, settings),
        push: (!busy && to.wants(Way::Mobile, settings)).then_some(due),
        mail: (mail && to.wants(Way::Email, settings)).then(|| due.max(digest(&to.user, now))),
    }
}

/// Whether letters can and may be sent to somebody: a proved address, and not unsubscribed.
fn writable(user: &User) -> bool {
    user.emails.iter().any(|e| e.verified)
        && !user.preferences.as_str().contains("\"emailUnsubscribed\":true")
}

/// When the next gathered letter is due: at the full hour, or at eight in the morning where the user is; at once for
/// those who want each by itself.
fn digest(user: &User, now: Time) -> Time {
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    match digest_of(user).as_deref() {
        Some("hourly") => Time((now.millis().div_euclid(HOUR) + 1) * HOUR),
        Some("daily") => {
            let east = (user.utc_offset.clamp(-14.0, 14.0) * HOUR as f64) as i64;
            let since_eight = (now.millis() + east - 8 * HOUR).rem_euclid(DAY);
            Time(now.millis() + DAY - since_eight)
        }
        _ => now,
    }
}

/// What the preference `emailDigest` may say; nothing, or an empty text, is a letter for each message.
pub(crate) const DIGESTS: [&str; 2] = ["hourly", "daily"];

/// How letters are gathered.
pub(crate) fn digest_of(user: &User) -> Option<String> {
    if !user.preferences.as_str().contains("emailDigest") {
        return None;
    }
    let all: Value = serde_json::from_str(user.preferences.as_str()).ok()?;
    all["emailDigest"].as_str().filter(|digest| DIGESTS.contains(digest)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{json::Json, notify::Reason, samples, user::Email};

    const NOW: Time = Time(1_795_253_400_000);

    fn somebody(preferences: &str, reason: Reason) -> Addressee {
        let mut user = samples::user("u");
        user.emails = vec![Email { address: "u@example.org".into(), verified: true }];
        user.preferences = Json::new(preferences);
        let membership = Arc::new(samples::membership("r", "u"));
        Addressee { user: Arc::new(user), membership, reason, quiet: false }
    }

    /// Screen, push and mail, as seconds from now; `-` for not at all.
    fn told(to: &Addressee, at: Attention, status: Status) -> String {
        let settings = Settings::snapshot(Vec::new());
        let plan = plan(to, at, status, NOW, &settings);
        let after = |due: Option<Time>| {
            due.map_or("-".to_owned(), |due| ((due.millis() - NOW.millis()) / 1000).to_string())
        };
        format!("{} {} {}", if plan.desktop { "screen" } else { "-" }, after(plan.push), after(plan.mail))
    }

    #[test]
    fn one_table_says_who_is_told_how() {
        use Attention::{Active, Gone, Idle};
        use Reason::{Direct, Everybody, Mention, Room};
        use Status::{Away, Busy, Offline, Online};
        let table = [
            // preferences, reason, attention, status, screen, push and mail
            ("{}", Mention, Active, Online, "screen 120 -"),
            ("{}", Mention, Idle, Away, "screen 0 0"),
            ("{}", Mention, Gone, Offline, "screen 0 0"),
            ("{}", Direct, Gone, Offline, "screen 0 0"),
            ("{}", Everybody, Gone, Offline, "screen 0 0"),
            // All of a room reaches the screen and the phone by default, never the letter box.
            ("{}", Room, Gone, Offline, "screen 0 -"),
            ("{}", Mention, Active, Busy, "- - -"),
            ("{}", Mention, Idle, Busy, "- - -"),
            // Invisible is not absent.
            ("{}", Mention, Active, Offline, "screen 120 -"),
            (r#"{"pushNotifications":"nothing"}"#, Mention, Gone, Offline, "screen - 0"),
            (r#"{"pushNotifications":"mentions"}"#, Room, Gone, Offline, "screen - -"),
            (r#"{"emailNotificationMode":"nothing"}"#, Mention, Gone, Offline, "screen 0 -"),
            (r#"{"emailUnsubscribed":true}"#, Mention, Gone, Offline, "screen 0 -"),
            (r#"{"desktopNotifications":"nothing"}"#, Mention, Idle, Away, "- 0 0"),
            (r#"{"emailDigest":"hourly"}"#, Mention, Gone, Offline, "screen 0 1800"),
            (r#"{"emailDigest":"daily"}"#, Mention, Gone, Offline, "screen 0 81000"),
        ];
        for (preferences, reason, at, status, wanted) in table {
            let to = somebody(preferences, reason);
            assert_eq!(told(&to, at, status), wanted, "{preferences} {reason:?} {at:?} {status:?}");
        }
    }

    #[test]
    fn quiet_hours_keep_the_phone_silent_and_unproved_addresses_get_no_letters() {
        let mut to = somebody("{}", Reason::Mention);
        to.quiet = true;
        assert_eq!(told(&to, Attention::Gone, Status::Offline), "- - 0");
        let mut to = somebody("{}", Reason::Mention);
        Arc::make_mut(&mut to.user).emails[0].verified = false;
        assert_eq!(told(&to, Attention::Gone, Status::Offline), "screen 0 -");
        let mut to = somebody("{}", Reason::Mention);
        Arc::make_mut(&mut to.user).status_default = Status::Busy;
        assert_eq!(told(&to, Attention::Gone, Status::Offline), "- - 0");
    }
}
