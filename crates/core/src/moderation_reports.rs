//! The moderators' desk: what was reported, looked through and dealt with.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UserId},
    messages_change::remove,
    moderation::MAX_REASON,
    room::Room,
    session::Actor,
    store::{Lane, Page, Paged, Report, ReportFilter, ReportGroup},
};

/// Reported messages removed in one step.
const STEP: u64 = 100;

impl Chat {
    /// Reports a user to the moderators.
    pub async fn report_user(&self, actor: &Actor, user: &UserId, reason: &str) -> Result<()> {
        self.active_user(actor).await?;
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Refusal::invalid("description", "Invalid description."));
        }
        if reason.chars().count() > MAX_REASON {
            return Err(Refusal::TooLarge { what: "description", limit: MAX_REASON as u64 });
        }
        let reported = self.known_user(user).await?;
        let report = Report {
            id: self.new_id(),
            message: None,
            room: None,
            reported: reported.id.clone(),
            reporter: actor.user.clone(),
            text: String::new(),
            reason,
            at: self.now(),
            hidden: false,
        };
        self.store().writing(Lane::Verbs, move |tx| tx.insert_report(&report)).await
    }

    /// One report. Needs `view-moderation-console`.
    pub async fn report(&self, actor: &Actor, id: &str) -> Result<Report> {
        self.require(actor, "view-moderation-console", None).await?;
        let id = id.to_owned();
        let found = self.store().reading(move |rows| rows.report(&id)).await?;
        found.ok_or(Refusal::NotFound(What::Message))
    }

    /// Reports, the newest first. Needs `view-moderation-console`.
    pub async fn reports(&self, actor: &Actor, filter: ReportFilter, page: Page) -> Result<Paged<Report>> {
        self.require(actor, "view-moderation-console", None).await?;
        self.store().reading(move |rows| rows.reports(&filter, page)).await
    }

    /// Reports by who is reported, the latest first. Needs `view-moderation-console`.
    pub async fn report_groups(
        &self,
        actor: &Actor,
        filter: ReportFilter,
        page: Page,
    ) -> Result<Paged<ReportGroup>> {
        self.require(actor, "view-moderation-console", None).await?;
        self.store().reading(move |rows| rows.report_groups(&filter, page)).await
    }

    /// The room that something was reported in, which the moderator need not be in; `None` when it is gone. Needs
    /// `view-moderation-console`.
    pub async fn reported_room(&self, actor: &Actor, id: &RoomId) -> Result<Option<Arc<Room>>> {
        self.require(actor, "view-moderation-console", None).await?;
        match self.room(id).await {
            Ok(room) => Ok(Some(room)),
            Err(Refusal::NotFound(_)) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Puts reports away; how many. Needs `manage-moderation-actions`.
    pub async fn dismiss_reports(&self, actor: &Actor, filter: ReportFilter) -> Result<u64> {
        self.require(actor, "manage-moderation-actions", None).await?;
        let what = format!(
            "{} {}",
            filter.message.as_deref().unwrap_or_default(),
            filter.reported.as_deref().unwrap_or_default()
        );
        let entry = self.audit_entry(actor, "reports.dismissed", &what).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                tx.dismiss_reports(&filter)
            })
            .await
    }

    /// Removes all messages of a user that were reported, and puts their reports away; how many messages. Needs
    /// `manage-moderation-actions`.
    pub async fn remove_reported(&self, actor: &Actor, user: &UserId) -> Result<u64> {
        self.require(actor, "manage-moderation-actions", None).await?;
        let filter =
            ReportFilter { reported: Some(user.clone()), of_messages: true, ..ReportFilter::default() };
        let entry = self.audit_entry(actor, "messages.removed-as-reported", user).await?;
        let mut removed = 0;
        loop {
            let (filter, entry) = (filter.clone(), entry.clone());
            let (some, left) = self
                .store()
                .writing(Lane::Bulk, move |tx| {
                    let found = tx.reports(&filter, Page { offset: 0, count: STEP })?;
                    let mut some = 0;
                    for report in &found.items {
                        let Some(id) = &report.message else { continue };
                        some += u64::from(take_down(tx, id, &entry.actor)?);
                        let done = ReportFilter { message: Some(id.clone()), ..filter.clone() };
                        tx.dismiss_reports(&done)?;
                    }
                    crate::audit::keep(tx, &entry)?;
                    Ok((some, found.total.saturating_sub(found.items.len() as u64)))
                })
                .await?;
            removed += some;
            if left == 0 {
                return Ok(removed);
            }
        }
    }
}

fn take_down(tx: &mut dyn crate::store::Tx, id: &MessageId, by: &UserId) -> Result<bool> {
    let Some(message) = tx.message(id)?.filter(|m| !m.deleted) else { return Ok(false) };
    remove(tx, &message, by)?;
    Ok(true)
}
