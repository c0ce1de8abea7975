//! Setting up integrations and looking at what they did.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    integration::{Backoff, COLLECTION, Calls, Direction, Integration, Trigger},
    integrations_out::CURSOR,
    rooms::RoomRef,
    session::Actor,
    store::{Delivery, Lane, Page, Paged},
    users_find::Whom,
};

/// Integrations of a workspace.
const MOST: u64 = 1_000;
/// Channels of one integration.
const MOST_CHANNELS: usize = 50;
/// What outgoing integrations may name instead of a room.
const EVERYWHERE: [&str; 3] = ["all_public_channels", "all_private_groups", "all_direct_messages"];

/// An integration as somebody wants it. For a change, `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct WantedIntegration {
    pub name: Option<String>,
    pub enabled: Option<bool>,
    pub username: Option<String>,
    pub alias: Option<String>,
    pub avatar: Option<String>,
    pub emoji: Option<String>,
    pub channels: Option<Vec<String>>,
    pub free_channel: Option<bool>,
    pub script: Option<String>,
    pub script_enabled: Option<bool>,
    /// Only of outgoing ones: what is sent along as `token`, and signs the calls.
    pub token: Option<String>,
    pub trigger: Option<Trigger>,
    pub urls: Option<Vec<String>>,
    pub words: Option<Vec<String>>,
    pub anywhere: Option<bool>,
    pub on_edits: Option<bool>,
    pub retry: Option<bool>,
    pub retries: Option<u32>,
    pub backoff: Option<Backoff>,
}

/// How far somebody's right to manage goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    All,
    Own,
}

/// What lets somebody manage all integrations of a direction, and what only his own.
pub(crate) fn permissions(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Incoming => ("manage-incoming-integrations", "manage-own-incoming-integrations"),
        Direction::Outgoing => ("manage-outgoing-integrations", "manage-own-outgoing-integrations"),
    }
}

impl Chat {
    async fn management(&self, actor: &Actor, direction: Direction) -> Result<Reach> {
        let (all, own) = permissions(direction);
        if self.may(actor, all, None).await? {
            return Ok(Reach::All);
        }
        self.require(actor, own, None).await?;
        Ok(Reach::Own)
    }

    /// Sets one up; an incoming one's token is given back in clear, this once.
    ///
    /// # Errors
    /// `NotAllowed`, `Invalid` of field `user`, `room`, `channel-start-with-chars`, `event-type` or `urls`, `TooLarge`.
    pub async fn create_integration(
        &self,
        actor: &Actor,
        direction: Direction,
        wanted: WantedIntegration,
    ) -> Result<(Integration, String)> {
        let reach = self.management(actor, direction).await?;
        let me = self.active_user(actor).await?;
        let token = match direction {
            Direction::Incoming => self.random_text::<48>(),
            Direction::Outgoing => wanted.token.clone().unwrap_or_default(),
        };
        let calls = match direction {
            Direction::Incoming => None,
            Direction::Outgoing => Some(Calls {
                trigger: wanted
                    .trigger
                    .ok_or_else(|| Refusal::invalid("event-type", "Invalid event type"))?,
                urls: Vec::new(),
                words: Vec::new(),
                anywhere: false,
                on_edits: true,
                retry: true,
                retries: 6,
                backoff: Backoff::PowersOfTen,
                since: self.store().reading(|rows| rows.journal_end()).await?,
            }),
        };
        let now = self.now();
        let empty = Integration {
            id: self.random_text::<32>(),
            direction,
            name: String::new(),
            enabled: true,
            user: me.id.clone(),
            username: me.username.clone(),
            alias: String::new(),
            avatar: String::new(),
            emoji: String::new(),
            channels: Vec::new(),
            free_channel: false,
            script: String::new(),
            script_enabled: false,
            token: self.kept_token(direction, &token)?,
            calls,
            created_by: (me.id.clone(), me.username.clone()),
            created_at: now,
            updated_at: now,
        };
        let made = self.shaped(actor, reach, empty, WantedIntegration { token: None, ..wanted }).await?;
        let kept = made.document();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if tx.documents(COLLECTION, None, Page { offset: 0, count: 1 })?.total >= MOST {
                    return Err(Refusal::TooLarge { what: "integrations", limit: MOST });
                }
                // The first one: nobody wanted what came before.
                let outgoing = Some(Direction::Outgoing.as_str());
                if tx.documents(COLLECTION, outgoing, Page { offset: 0, count: 1 })?.total == 0 {
                    let end = tx.journal_end()?;
                    tx.move_cursor(CURSOR, end)?;
                }
                tx.put_document(COLLECTION, &kept)
            })
            .await?;
        Ok((made, token))
    }

    /// Changes one.
    pub async fn update_integration(
        &self,
        actor: &Actor,
        direction: Direction,
        id: &str,
        wanted: WantedIntegration,
    ) -> Result<Integration> {
        let reach = self.management(actor, direction).await?;
        let found = self.managed(actor, id).await?;
        if found.direction != direction {
            return Err(Refusal::NotFound(What::Integration));
        }
        let was_on = found.enabled;
        let mut changed = self.shaped(actor, reach, found, wanted).await?;
        changed.updated_at = self.now();
        if let Some(calls) = changed.calls.as_mut().filter(|_| !was_on) {
            calls.since = self.store().reading(|rows| rows.journal_end()).await?;
        }
        let kept = changed.document();
        self.store()
            .writing(Lane::Verbs, move |tx| match tx.document(COLLECTION, &kept.id)? {
                Some(_) => tx.put_document(COLLECTION, &kept),
                None => Err(Refusal::NotFound(What::Integration)),
            })
            .await?;
        Ok(changed)
    }

    /// Removes one, with its log.
    pub async fn remove_integration(&self, actor: &Actor, id: &str) -> Result<Integration> {
        let found = self.managed(actor, id).await?;
        let id = id.to_owned();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.remove_deliveries(&id, true)?;
                tx.remove_document(COLLECTION, &id)
            })
            .await?;
        Ok(found)
    }

    /// One that the actor may manage.
    pub async fn managed(&self, actor: &Actor, id: &str) -> Result<Integration> {
        let found = self.integration(id).await?.ok_or(Refusal::NotFound(What::Integration));
        let directions = [Direction::Incoming, Direction::Outgoing];
        let mut any = false;
        for direction in directions {
            match self.management(actor, direction).await {
                Ok(reach) => {
                    any = true;
                    if let Ok(found) = &found
                        && found.direction == direction
                        && (reach == Reach::All || found.created_by.0 == actor.user)
                    {
                        return Ok(found.clone());
                    }
                }
                Err(Refusal::NotAllowed(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Err(if any {
            Refusal::NotFound(What::Integration)
        } else {
            Refusal::NotAllowed("manage-incoming-integrations")
        })
    }

    /// Those that the actor may manage, by id.
    pub async fn list_integrations(
        &self,
        actor: &Actor,
        only: Option<Direction>,
    ) -> Result<Vec<Integration>> {
        let (incoming, outgoing) = (
            self.management(actor, Direction::Incoming).await,
            self.management(actor, Direction::Outgoing).await,
        );
        if let (Err(refusal), Err(_)) = (&incoming, &outgoing) {
            return Err(refusal.clone());
        }
        let mut all = self.integrations(only).await?;
        all.retain(|one| {
            let reach = if one.direction == Direction::Incoming { &incoming } else { &outgoing };
            matches!(reach, Ok(Reach::All)) || reach.is_ok() && one.created_by.0 == actor.user
        });
        Ok(all)
    }

    /// What an outgoing integration sent, newest first.
    pub async fn integration_log(&self, actor: &Actor, id: &str, page: Page) -> Result<Paged<Delivery>> {
        let found = self.managed(actor, id).await?;
        if found.direction == Direction::Incoming {
            self.management(actor, Direction::Outgoing).await?;
            return Ok(Paged { items: Vec::new(), total: 0 });
        }
        self.store().reading(move |rows| rows.deliveries(&found.id, page)).await
    }

    /// Forgets what it sent.
    pub async fn clear_integration_log(&self, actor: &Actor, id: &str) -> Result<()> {
        let found = self.managed(actor, id).await?;
        self.store().writing(Lane::Verbs, move |tx| tx.remove_deliveries(&found.id, false)).await
    }

    /// Sends something again: a new entry of the log with the same content.
    pub async fn replay_delivery(&self, actor: &Actor, id: &str, delivery: &str) -> Result<Delivery> {
        let found = self.managed(actor, id).await?;
        let delivery = delivery.to_owned();
        let old = self.store().reading(move |rows| rows.delivery(&delivery)).await?;
        let old = old.filter(|old| old.integration == found.id).ok_or(Refusal::NotFound(What::Other))?;
        let again = self.waiting_delivery(&found, &old.event, old.room, &old.url, old.body);
        self.keep_delivery(again.clone()).await?;
        Ok(again)
    }

    /// Keeps a call that somebody asked for, and sees to it that it is made, unless too many wait.
    pub(crate) async fn keep_delivery(&self, delivery: Delivery) -> Result<()> {
        self.store().writing(Lane::Verbs, move |tx| crate::outgoing::put(tx, &delivery)).await?;
        self.wake(crate::store::Way::Call);
        Ok(())
    }

    /// One, whoever asks. For the server's own use.
    pub(crate) async fn integration(&self, id: &str) -> Result<Option<Integration>> {
        let id = id.to_owned();
        let found = self.store().reading(move |rows| rows.document(COLLECTION, &id)).await?;
        Ok(found.as_ref().and_then(Integration::read))
    }

    /// All of them, whoever asks. For the server's own use.
    pub(crate) async fn integrations(&self, only: Option<Direction>) -> Result<Vec<Integration>> {
        let key = only.map(Direction::as_str);
        let page = Page { offset: 0, count: MOST };
        let found = self.store().reading(move |rows| rows.documents(COLLECTION, key, page)).await?;
        Ok(found.items.iter().filter_map(Integration::read).collect())
    }

    /// An outgoing integration's token in clear.
    pub fn outgoing_token(&self, integration: &Integration) -> Result<String> {
        match integration.token.as_str() {
            "" => Ok(String::new()),
            sealed => self.ports.credentials.open(sealed),
        }
    }

    pub(crate) fn kept_token(&self, direction: Direction, token: &str) -> Result<String> {
        match direction {
            Direction::Incoming => Ok(self.digest(token)),
            Direction::Outgoing if token.is_empty() => Ok(String::new()),
            Direction::Outgoing => self.ports.credentials.seal(token),
        }
    }

    /// Random letters and digits.
    fn random_text<const N: usize>(&self) -> String {
        const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut text = String::with_capacity(N);
        while text.len() < N {
            let mut bytes = [0_u8; N];
            self.ports.random.fill(&mut bytes);
            // Bytes beyond the last whole round would make some letters likelier.
            let fair = bytes.iter().filter(|byte| usize::from(**byte) < 4 * LETTERS.len());
            text.extend(
                fair.map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).take(N - text.len()),
            );
        }
        text
    }

    /// The integration with what is wanted, checked.
    async fn shaped(
        &self,
        actor: &Actor,
        reach: Reach,
        mut it: Integration,
        wanted: WantedIntegration,
    ) -> Result<Integration> {
        if let Some(username) = wanted.username.filter(|name| !name.is_empty()) {
            let invalid = |_| Refusal::invalid("user", "Invalid user");
            let user = self.find_user(actor, Whom::Username(&username)).await.map_err(invalid)?;
            // Whoever may manage only his own must not speak as somebody else, unless it is a bot, made to be spoken by.
            if reach == Reach::Own && user.id != actor.user {
                let bot = Actor::user(user.id.clone(), None);
                let stands_in = self.may(&bot, "message-impersonate", None).await?;
                if !stands_in && !self.may(actor, "message-impersonate", None).await? {
                    return Err(Refusal::invalid("user", "Invalid user"));
                }
            }
            (it.user, it.username) = (user.id.clone(), user.username.clone());
        }
        if let Some(channels) = wanted.channels {
            it.channels = self.checked_channels(actor, reach, it.direction, channels).await?;
        }
        let texts = [
            (&mut it.name, wanted.name),
            (&mut it.alias, wanted.alias),
            (&mut it.avatar, wanted.avatar),
            (&mut it.emoji, wanted.emoji),
            (&mut it.script, wanted.script),
        ];
        for (place, text) in texts {
            place.clone_from(&text.unwrap_or_else(|| place.clone()));
        }
        it.enabled = wanted.enabled.unwrap_or(it.enabled);
        it.free_channel = wanted.free_channel.unwrap_or(it.free_channel);
        it.script_enabled = wanted.script_enabled.unwrap_or(it.script_enabled);
        if let (Direction::Outgoing, Some(token)) = (it.direction, &wanted.token) {
            it.token = self.kept_token(it.direction, token)?;
        }
        if let Some(calls) = &mut it.calls {
            calls.trigger = wanted.trigger.unwrap_or(calls.trigger);
            calls.urls = wanted.urls.unwrap_or_else(|| std::mem::take(&mut calls.urls));
            calls.words = wanted.words.unwrap_or_else(|| std::mem::take(&mut calls.words));
            calls.anywhere = wanted.anywhere.unwrap_or(calls.anywhere);
            calls.on_edits = wanted.on_edits.unwrap_or(calls.on_edits);
            calls.retry = wanted.retry.unwrap_or(calls.retry);
            calls.retries = wanted.retries.unwrap_or(calls.retries).min(20);
            calls.backoff = wanted.backoff.unwrap_or(calls.backoff);
        }
        it.check()?;
        Ok(it)
    }

    /// Rooms must exist and be open to whoever sets the integration up; administrators of integrations may name any.
    async fn checked_channels(
        &self,
        actor: &Actor,
        reach: Reach,
        direction: Direction,
        channels: Vec<String>,
    ) -> Result<Vec<String>> {
        if channels.len() > MOST_CHANNELS {
            return Err(Refusal::TooLarge { what: "channels", limit: MOST_CHANNELS as u64 });
        }
        let channels: Vec<String> =
            channels.iter().map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect();
        if channels.is_empty() && direction == Direction::Incoming {
            return Err(Refusal::invalid("channel", "Invalid Channel"));
        }
        for channel in &channels {
            if direction == Direction::Outgoing && EVERYWHERE.contains(&channel.as_str()) {
                if reach == Reach::Own && channel != EVERYWHERE[0] {
                    return Err(Refusal::invalid("channel", "Invalid Channel"));
                }
                continue;
            }
            let room = |_| Refusal::invalid("room", "Invalid room");
            match (channel.strip_prefix('#'), channel.strip_prefix('@')) {
                (Some(name), _) => {
                    let found = self.look_up(RoomRef::Any(name)).await.map_err(room)?;
                    if reach == Reach::Own && !self.can_read(actor, &found).await? {
                        return Err(Refusal::invalid("room", "Invalid room"));
                    }
                }
                (_, Some(name)) => {
                    let user = self.find_user(actor, Whom::Username(name)).await.map_err(room)?;
                    // An outgoing one is told of all direct rooms that this person is in.
                    let overhears = direction == Direction::Outgoing && reach == Reach::Own;
                    if overhears && user.id != actor.user {
                        return Err(Refusal::invalid("room", "Invalid room"));
                    }
                }
                _ => {
                    return Err(Refusal::invalid(
                        "channel-start-with-chars",
                        "Invalid channel. Start with @ or #",
                    ));
                }
            }
        }
        Ok(channels)
    }
}
