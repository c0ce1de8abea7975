//! How often somebody may call, by Rocket.Chat's settings. Counted for each user (before login: for each address);
//! holders of `api-bypass-rate-limit` are exempt, and so is everybody in `TEST_MODE`.
//!
//! | what | settings | default |
//! |---|---|---|
//! | calls below `/api/v1` | `API_Enable_Rate_Limiter`, `…_Limit_Calls_Default`, `…_Limit_Time_Default` | 600 a minute |
//! | DDP methods but `sendMessage` | `DDP_Rate_Limit_User_Enabled`, `…_Requests_Allowed`, `…_Interval_Time` | 1,200 a minute |
//! | sends, all doors together | `send_burst`, `send_rate` of the configuration | 60, then 10 a second |

use std::{sync::OnceLock, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use parking_lot::Mutex;
use parlor_core::{
    chat::Chat,
    error::{Refusal, Result},
    session::Actor,
    setting::Settings,
};
use parlor_live::{Limit, Limits, Standing};

/// A limit and the settings that it follows.
struct Followed {
    name: &'static str,
    on: &'static str,
    calls: &'static str,
    time: &'static str,
    /// As it is at work.
    now: Mutex<(u32, u64)>,
}

impl Followed {
    const fn new(name: &'static str, on: &'static str, calls: &'static str, time: &'static str) -> Self {
        Self { name, on, calls, time, now: Mutex::new((0, 0)) }
    }

    /// Brings the limit up to date; whether it is on.
    fn follow(&self, limits: &Limits, settings: &Settings) -> bool {
        if !settings.is_on(self.on) {
            return false;
        }
        let wanted = (settings.number(self.calls) as u32, settings.number(self.time) as u64);
        let mut now = self.now.lock();
        if *now != wanted {
            *now = wanted;
            limits.set(Limit::new(self.name, wanted.0, Duration::from_millis(wanted.1.max(1))));
        }
        true
    }
}

/// The door's limits.
pub(crate) struct Rates {
    limits: Limits,
    rest: Followed,
    methods: Followed,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            limits: Limits::new(&[]),
            rest: Followed::new(
                "rest",
                "API_Enable_Rate_Limiter",
                "API_Enable_Rate_Limiter_Limit_Calls_Default",
                "API_Enable_Rate_Limiter_Limit_Time_Default",
            ),
            methods: Followed::new(
                "methods",
                "DDP_Rate_Limit_User_Enabled",
                "DDP_Rate_Limit_User_Requests_Allowed",
                "DDP_Rate_Limit_User_Interval_Time",
            ),
        }
    }
}

/// What the caller of a REST route is told about his limit, once it is known.
pub(crate) type Told = OnceLock<Standing>;

impl Rates {
    /// Counts a REST call by this key; refused when there were too many.
    pub(crate) async fn rest(
        &self,
        chat: &Chat,
        actor: Option<&Actor>,
        key: &str,
        told: &Told,
    ) -> Result<()> {
        self.count(&self.rest, chat, actor, key, told).await
    }

    /// Counts a DDP method of this user.
    pub(crate) async fn method(&self, chat: &Chat, actor: &Actor) -> Result<()> {
        self.count(&self.methods, chat, Some(actor), actor.user.as_str(), &Told::new()).await
    }

    async fn count(
        &self,
        limit: &Followed,
        chat: &Chat,
        actor: Option<&Actor>,
        key: &str,
        told: &Told,
    ) -> Result<()> {
        if !limit.follow(&self.limits, &chat.settings()) {
            return Ok(());
        }
        let early = match self.limits.count(limit.name, key) {
            Ok(standing) => {
                standing.map(|standing| told.set(standing));
                return Ok(());
            }
            Err(early) => early,
        };
        // Asked only now: nearly nobody gets here.
        if let Some(actor) = actor
            && chat.may(actor, "api-bypass-rate-limit", None).await?
        {
            return Ok(());
        }
        let all = limit.now.lock().0;
        let _ = told.set(Standing { limit: all, remaining: 0, full_in: early.retry_after });
        Err(Refusal::RateLimited { retry_after: early.seconds() * 1000 })
    }
}

/// Tells the caller of a REST route where he stands, in Rocket.Chat's headers; the reset is a time in milliseconds.
pub(crate) fn tell(headers: &mut HeaderMap, standing: &Standing, now: i64) {
    let wait = i64::try_from(standing.full_in.as_millis()).unwrap_or(i64::MAX);
    let all = [
        ("x-ratelimit-limit", i64::from(standing.limit)),
        ("x-ratelimit-remaining", i64::from(standing.remaining)),
        ("x-ratelimit-reset", now.saturating_add(wait)),
    ];
    for (name, number) in all {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    }
    if standing.remaining == 0 && standing.limit > 0 {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(standing.full_in.as_secs().max(1)));
    }
}
