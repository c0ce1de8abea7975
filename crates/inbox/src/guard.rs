//! An administrator who listens as somebody else: his right to is looked after for as long as the stream is open, as a
//! stream of one's own ends with one's account and session.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parlor_core::{
    admission::Admitted,
    event::Event,
    hub::{Listener, Subscription},
    id::UserId,
    published::Published,
};
use parlor_host::{Host, problem::Problem};
use tokio::sync::Notify;

/// Hears when the right is gone.
struct Ear {
    me: UserId,
    /// The account or the session has ended, or the role.
    over: AtomicBool,
    something: Notify,
}

impl Ear {
    fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.something.notify_one();
    }
}

impl Listener for Ear {
    fn hear(&self, published: &Arc<Published>) {
        if let Event::User { user, .. } = &published.fact.event
            && user.id == self.me
            && !user.is("ADMIN")
        {
            self.end();
        }
    }

    fn revoked(&self) {
        self.end();
    }
}

/// Looks after the right; dropping it ends that.
pub(crate) struct Guard {
    host: Host,
    ear: Arc<Ear>,
    subscriptions: Vec<Subscription>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.subscriptions.iter().for_each(|subscription| self.host.chat().end(*subscription));
    }
}

impl Guard {
    /// Begins; whoever has lost the right already hears so at once.
    pub(crate) async fn begin(host: &Host, by: &Admitted) -> Result<Self, Problem> {
        let ear =
            Arc::new(Ear { me: by.user.id.clone(), over: AtomicBool::new(false), something: Notify::new() });
        let mut guard = Self { host: host.clone(), ear: ear.clone(), subscriptions: Vec::new() };
        let own = host.chat().listen_user(&by.actor, ear.clone()).await.map_err(Problem::of_token)?;
        guard.subscriptions.push(own);
        let all = host.chat().listen_workspace(&by.actor, ear).await.map_err(Problem::of_token)?;
        guard.subscriptions.push(all);
        let now = host.chat().user(&by.user.id).await?;
        if now.is_none_or(|user| !user.is("ADMIN")) {
            guard.ear.end();
        }
        Ok(guard)
    }

    /// Waits until the right is gone; why.
    pub(crate) async fn over(&self) -> Problem {
        while !self.ear.over.load(Ordering::Acquire) {
            self.ear.something.notified().await;
        }
        match self.host.chat().user(&self.ear.me).await {
            Ok(Some(user)) if !user.active => Problem::user_inactive(),
            Ok(Some(user)) if !user.is("ADMIN") => Problem::forbidden("You can act for yourself only"),
            _ => Problem::invalid_token(),
        }
    }
}
