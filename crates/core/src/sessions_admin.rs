//! Devices of everybody, for administrators.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::SessionId,
    session::{Actor, Session},
    store::{Page, Paged},
};

impl Chat {
    /// The devices that people are logged in with, the newest first. Needs `view-device-management`.
    pub async fn all_sessions(&self, actor: &Actor, page: Page) -> Result<Paged<Session>> {
        self.require(actor, "view-device-management", None).await?;
        self.store().reading(move |rows| rows.log_ins(page)).await
    }

    /// One of them. Needs `view-device-management`.
    ///
    /// # Errors
    /// `NotFound(Session)`.
    pub async fn session_by_id(&self, actor: &Actor, id: &SessionId) -> Result<Session> {
        self.require(actor, "view-device-management", None).await?;
        let id = id.clone();
        let found = self.store().reading(move |rows| rows.log_in(&id)).await?;
        found.ok_or(Refusal::NotFound(What::Session))
    }

    /// Logs somebody's device out. Needs `logout-device-management`.
    ///
    /// # Errors
    /// `NotFound(Session)`.
    pub async fn end_session_of(&self, actor: &Actor, id: &SessionId) -> Result<()> {
        self.require(actor, "logout-device-management", None).await?;
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.log_in(&wanted)).await?;
        let session = found.ok_or(Refusal::NotFound(What::Session))?;
        let entry = self.audit_entry(actor, "session.ended", session.user.as_str()).await?;
        self.store().writing(crate::store::Lane::Verbs, move |tx| crate::audit::keep(tx, &entry)).await?;
        self.end_session(&session.user, session.id).await
    }
}
