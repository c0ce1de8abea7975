//! What waits to go out: calls of integrations, mail, pushes. Each way has its own line in the store, so that none waits
//! for another, and whoever carries it is woken when something is put there.

use std::sync::atomic::AtomicI64;

use tokio::sync::Notify;

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    store::{Delivery, DeliveryState, Lane, Tx, Way},
};

/// Waiting ones of one source (an integration, a user's mail, a device); beyond it new ones fail at once.
pub const MOST_WAITING: u64 = 10_000;

/// Wakes whoever carries something out.
#[derive(Default)]
pub(crate) struct Wakers {
    calls: Notify,
    mail: Notify,
    pushes: Notify,
    notices: Notify,
    /// When the notices were last passed over, in milliseconds.
    pub(crate) skipped: AtomicI64,
}

impl Wakers {
    fn of(&self, way: Way) -> &Notify {
        match way {
            Way::Call => &self.calls,
            Way::Mail => &self.mail,
            Way::Push => &self.pushes,
        }
    }
}

impl Chat {
    /// Due ones of a way, and when the next one's time comes.
    pub async fn due_deliveries(&self, way: Way, limit: u64) -> Result<(Vec<Delivery>, Option<Time>)> {
        let now = self.now();
        self.store()
            .reading(move |rows| Ok((rows.due_deliveries(way, now, limit)?, rows.next_delivery(way)?)))
            .await
    }

    /// Waits until something was put in a way's line, or (for calls) the journal grew.
    pub async fn something_to_deliver(&self, way: Way) {
        self.wakers.of(way).notified().await;
    }

    /// Waits until the journal grew.
    pub async fn something_happened(&self) {
        self.wakers.notices.notified().await;
    }

    /// Something was put in a way's line.
    pub(crate) fn wake(&self, way: Way) {
        self.wakers.of(way).notify_one();
    }

    /// Something was committed: whoever works out what goes out looks again.
    pub(crate) fn journal_grew(&self) {
        self.wakers.calls.notify_one();
        self.wakers.notices.notify_one();
    }

    /// Keeps how an attempt ended. Of what has ended as many stay for the log as its way keeps; mail and pushes stay
    /// without what they said.
    pub async fn delivery_tried(&self, delivery: Delivery) -> Result<()> {
        self.store()
            .writing(Lane::Bulk, move |tx| {
                // Its integration or device may have been removed meanwhile, with its log.
                if tx.delivery(&delivery.id)?.is_none() {
                    return Ok(());
                }
                let mut delivery = delivery.clone();
                if delivery.way == Way::Mail {
                    crate::notices::settle(tx, &mut delivery)?;
                }
                let shown = delivery.way == Way::Push && delivery.event == "message";
                if let (true, DeliveryState::Done, Some(room)) = (shown, delivery.state, &delivery.room) {
                    tx.put_push_shown(&delivery.integration, room)?;
                }
                if delivery.way != Way::Call && delivery.state != DeliveryState::Waiting {
                    delivery.body = crate::json::Json::object();
                }
                tx.put_delivery(&delivery)?;
                tx.prune_deliveries(&delivery.integration, delivery.way.kept())
            })
            .await
    }

    /// What waits of one source goes out no earlier than this.
    pub async fn put_off(&self, source: &str, until: Time) -> Result<()> {
        let source = source.to_owned();
        self.store().writing(Lane::Bulk, move |tx| tx.put_off_deliveries(&source, until)).await
    }

    /// How something that was to go out stands.
    pub async fn delivery_now(&self, id: &str) -> Result<Option<Delivery>> {
        let id = id.to_owned();
        self.store().reading(move |rows| rows.delivery(&id)).await
    }
}

/// Puts something in its line, unless too much waits there already: then it fails at once.
pub(crate) fn put(tx: &mut dyn Tx, delivery: &Delivery) -> Result<()> {
    let mut delivery = delivery.clone();
    if tx.waiting_deliveries(&delivery.integration)? >= MOST_WAITING {
        delivery.state = DeliveryState::Failed;
        delivery.problem = "too many are waiting".to_owned();
    }
    tx.put_delivery(&delivery)
}
