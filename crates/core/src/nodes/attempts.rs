//! Proofs of who somebody is that failed or were given, counted by all nodes together: where there are several, they are
//! rows of the database, so that whoever guesses at several nodes gains nothing by it, with Redis or without.

use std::time::Duration;

use crate::{
    chat::Chat,
    clock::Time,
    credentials::{Attempt, Counted, Factor, Failures},
    error::Result,
    id::SessionId,
    json::Json,
    setting::Settings,
    store::{Document, Lane, Page, Read, Tx},
};

/// Failed attempts: an id that sorts by time, and whose attempt it was.
const FAILURES: &str = "failures";
/// Sessions that gave a second factor: an id that sorts by its end, and which session.
const CONFIRMED: &str = "confirmed";
/// Failures of one name that are looked at. More are not kept: a name that is blocked gets none.
const MOST: Page = Page { offset: 0, count: 4_000 };
/// Rows whose time is over that each new one takes along.
const SWEPT: Page = Page { offset: 0, count: 4 };

/// Failures as they are kept.
#[derive(Default)]
struct Kept {
    failures: Failures,
    /// The rows that a success of this user takes out.
    own: Vec<String>,
}

fn kept(rows: &mut dyn Read, counted: &Counted) -> Result<Kept> {
    let mut kept = Kept::default();
    if let Some(user) = &counted.user {
        for row in rows.documents(FAILURES, Some(user), MOST)?.items {
            kept.failures.of_user.push(row.updated_at);
            kept.own.push(row.id);
        }
    }
    if let Some(address) = &counted.address {
        let whose = whose(counted);
        for row in rows.documents(FAILURES, Some(address), MOST)?.items {
            kept.failures.of_address.push(row.updated_at);
            if row.body == whose {
                kept.own.push(row.id);
            }
        }
    }
    Ok(kept)
}

/// What a failure at an address says of its user.
fn whose(counted: &Counted) -> Json {
    Json::new(serde_json::json!({ "user": counted.user }).to_string())
}

/// An id that sorts by a time.
fn dated(at: Time, rest: &str) -> String {
    format!("{:015}-{rest}", at.millis().max(0))
}

fn earlier(at: Time, by: Duration) -> Time {
    Time(at.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

/// Takes out a few rows whose time is over, oldest first.
fn sweep(tx: &mut dyn Tx, collection: &'static str, before: Time) -> Result<()> {
    let end = dated(before, "");
    for row in tx.documents(collection, None, SWEPT)?.items {
        if row.id < end {
            tx.remove_document(collection, &row.id)?;
        }
    }
    Ok(())
}

impl Chat {
    /// Whether other nodes may have the database open.
    fn is_one_of_several(&self) -> bool {
        self.listening.relay.get().is_some()
    }

    /// Under which names the failures of such an attempt are rows; `None` where this node counts by itself.
    fn counted(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Option<Counted> {
        self.is_one_of_several().then(|| self.ports.credentials.counted(factor, attempt, settings))
    }

    /// Refuses the attempt when there were too many failures, on whichever node. Ask before the work of checking.
    ///
    /// # Errors
    /// `LockedOut`; the store's.
    pub(crate) async fn admit_attempt(
        &self,
        factor: Factor,
        attempt: Attempt<'_>,
        settings: &Settings,
    ) -> Result<()> {
        let credentials = &self.ports.credentials;
        let Some(counted) = self.counted(factor, attempt, settings) else {
            return credentials.admit(factor, attempt, settings);
        };
        let kept = self.store().reading(move |rows| kept(rows, &counted)).await?;
        credentials.judge(factor, &kept.failures, settings)
    }

    /// The proof was wrong.
    ///
    /// # Errors
    /// The store's: what can't be counted is not answered either.
    pub(crate) async fn attempt_failed(
        &self,
        factor: Factor,
        attempt: Attempt<'_>,
        settings: &Settings,
    ) -> Result<()> {
        let credentials = &self.ports.credentials;
        let Some(counted) = self.counted(factor, attempt, settings) else {
            credentials.failed(factor, attempt, settings);
            return Ok(());
        };
        let id = self.new_id();
        let store = move |tx: &mut dyn Tx| {
            let now = tx.now();
            sweep(tx, FAILURES, earlier(now, counted.span))?;
            for (mark, key) in [("u", &counted.user), ("a", &counted.address)] {
                let Some(key) = key else { continue };
                let id = dated(now, &format!("{id}{mark}"));
                let row = Document { id, key: key.clone(), body: whose(&counted), updated_at: now };
                tx.put_document(FAILURES, &row)?;
            }
            kept(tx, &counted)
        };
        let kept = self.store().writing(Lane::Verbs, store).await?;
        if credentials.judge(factor, &kept.failures, settings).is_err() {
            tracing::warn!(?factor, address = ?attempt.address, "locked out, on all nodes");
        }
        Ok(())
    }

    /// The proof was right: forgets the user's failures.
    ///
    /// # Errors
    /// `LockedOut` when other attempts, sent side by side, have been too many meanwhile; the store's.
    pub(crate) async fn attempt_succeeded(
        &self,
        factor: Factor,
        attempt: Attempt<'_>,
        settings: &Settings,
    ) -> Result<()> {
        let credentials = &self.ports.credentials;
        let Some(counted) = self.counted(factor, attempt, settings) else {
            return credentials.succeeded(factor, attempt, settings);
        };
        let Kept { failures, own } = self.store().reading(move |rows| kept(rows, &counted)).await?;
        credentials.judge(factor, &failures, settings)?;
        if own.is_empty() {
            return Ok(());
        }
        let forget =
            move |tx: &mut dyn Tx| own.iter().try_for_each(|id| tx.remove_document(FAILURES, id).map(drop));
        self.store().writing(Lane::Verbs, forget).await
    }

    /// Whether this session gave a second factor lately, on another node.
    pub(crate) async fn confirmed_elsewhere(&self, session: &SessionId, now: Time) -> Result<bool> {
        if !self.is_one_of_several() {
            return Ok(false);
        }
        let id = session.clone();
        let rows =
            self.store().reading(move |rows| rows.documents(CONFIRMED, Some(id.as_str()), MOST)).await?;
        let end = dated(now, "~");
        Ok(rows.items.iter().any(|row| row.id > end))
    }

    /// Tells all nodes that this session gave a second factor, which counts for so long.
    pub(crate) async fn confirm_everywhere(
        &self,
        session: &SessionId,
        now: Time,
        span: Duration,
    ) -> Result<()> {
        if span.is_zero() || !self.is_one_of_several() {
            return Ok(());
        }
        let (session, id) = (session.clone(), dated(now.after(span), &self.new_id()));
        let store = move |tx: &mut dyn Tx| {
            sweep(tx, CONFIRMED, now)?;
            for row in tx.documents(CONFIRMED, Some(session.as_str()), SWEPT)?.items {
                tx.remove_document(CONFIRMED, &row.id)?;
            }
            let row =
                Document { id: id.clone(), key: session.to_string(), body: Json::object(), updated_at: now };
            tx.put_document(CONFIRMED, &row)
        };
        self.store().writing(Lane::Verbs, store).await
    }
}
