//! Looking for people.

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    session::Actor,
    store::{Page, Paged, UserFilter},
    user::User,
    users_rules::{check_reserved, check_username},
};

/// How a person is named in a request.
#[derive(Clone, Copy, Debug)]
pub enum Whom<'a> {
    /// By id.
    Id(&'a str),
    /// By user name.
    Username(&'a str),
    /// By address.
    Email(&'a str),
}

impl Chat {
    /// A user, however named. Anybody who is logged in may ask by id or name; by address only who may see addresses.
    pub async fn find_user(&self, actor: &Actor, whom: Whom<'_>) -> Result<std::sync::Arc<User>> {
        self.active_user(actor).await?;
        let none = || Refusal::NotFound(crate::error::What::User);
        match whom {
            Whom::Id(id) => self.known_user(&crate::id::UserId::parse(id).ok_or_else(none)?).await,
            Whom::Username(name) => self.user_named(name).await,
            Whom::Email(address) => {
                self.require(actor, "view-full-other-user-info", None).await.map_err(|_| none())?;
                let address = address.to_owned();
                let found = self.store().reading(move |rows| rows.user_by_email(&address)).await?;
                found.map(std::sync::Arc::new).ok_or_else(none)
            }
        }
    }

    /// A page of users. Searching in addresses is for those who may see them.
    pub async fn list_users(&self, actor: &Actor, mut filter: UserFilter, page: Page) -> Result<Paged<User>> {
        filter.search_email &= self.may(actor, "view-full-other-user-info", None).await?;
        self.store().reading(move |rows| rows.users(&filter, page)).await
    }

    /// Whether a user name could be taken by the actor; one's own present name counts as free.
    pub async fn is_username_free(&self, actor: &Actor, name: &str) -> Result<bool> {
        let me = self.active_user(actor).await?;
        let settings = self.settings();
        if check_username(name, &settings).is_err() || check_reserved(name, &settings).is_err() {
            return Ok(false);
        }
        let wanted = name.to_owned();
        let found = self.store().reading(move |rows| rows.user_by_username(&wanted)).await?;
        Ok(found.is_none_or(|user| user.id == me.id))
    }

    /// A free user name for the actor: made from the name or the address, with a number when it is taken.
    pub async fn suggest_username(&self, actor: &Actor) -> Result<String> {
        let me = self.active_user(actor).await?;
        let local = me.emails.first().and_then(|e| e.address.split('@').next()).unwrap_or_default();
        let slug = |text: &str| -> String {
            let folded = text.trim().to_lowercase().replace(' ', ".");
            folded.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(60).collect()
        };
        for base in [slug(&me.name), slug(local), "user".to_owned()] {
            if base.is_empty() {
                continue;
            }
            for number in 0..20 {
                let name = if number == 0 { base.clone() } else { format!("{base}-{number}") };
                if name != me.username && self.is_username_free(actor, &name).await? {
                    return Ok(name);
                }
            }
        }
        Ok(me.username.clone())
    }
}
