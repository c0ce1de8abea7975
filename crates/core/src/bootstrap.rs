//! What every workspace has from its first start: `rocket.cat` and the first administrator. Done again at each
//! start; what is there already stays as it is.

use crate::{
    chat::Chat,
    credentials::Password,
    error::Result,
    event::{Change, Event},
    id::{RoleId, SessionId, UserId},
    session::{Session, SessionKind},
    store::{Lane, Page, Secrets, UserFilter},
    user::{Email, Status, User, UserKind},
};

/// The workspace's own bot: author of what the server itself says.
pub const ROCKET_CAT: &str = "rocket.cat";

/// The first administrator as the operator wants it.
#[derive(Clone)]
pub struct FirstAdmin {
    /// User name; reserved names are allowed here.
    pub username: String,
    /// Without one, only the token or a reset leads in.
    pub password: Option<String>,
    /// Display name.
    pub name: String,
    /// Address.
    pub email: Option<String>,
    /// Whether the address counts as proved.
    pub email_verified: bool,
    /// The account's id, when it must be a certain one.
    pub id: Option<UserId>,
    /// A personal access token that it holds from the beginning.
    pub token: Option<String>,
}

impl Chat {
    /// Makes `rocket.cat`, unless it is there.
    pub async fn ensure_bot(&self) -> Result<()> {
        let bot = User {
            roles: vec![RoleId::new("bot")],
            kind: UserKind::Bot,
            name: "Rocket.Cat".into(),
            avatar: Some(ROCKET_CAT.into()),
            ..self.blank_user(UserId::new(ROCKET_CAT), ROCKET_CAT)
        };
        let id = bot.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if tx.user(&bot.id)?.is_some() {
                    return Ok(());
                }
                tx.insert_user(&bot)?;
                tx.record(None, made(bot.clone()))
            })
            .await?;
        self.listening.presence.declare(&id, Status::Online);
        Ok(())
    }

    /// Makes the first administrator while there is none; `None` when there is one already. One `beside` others is made
    /// unless that very account is there.
    pub async fn ensure_admin(&self, wanted: FirstAdmin, beside: bool) -> Result<Option<UserId>> {
        let password = match &wanted.password {
            Some(password) => Some(self.ports.credentials.hash(&Password::Plain(password.clone())).await?),
            None => None,
        };
        let id = wanted.id.clone().unwrap_or_else(|| UserId::new(self.new_id()));
        let user = User {
            name: wanted.name.clone(),
            roles: vec![RoleId::new("admin")],
            emails: wanted
                .email
                .iter()
                .map(|a| Email { address: a.clone(), verified: wanted.email_verified })
                .collect(),
            has_password: password.is_some(),
            ..self.blank_user(id, &wanted.username)
        };
        let token =
            wanted.token.as_deref().map(|token| (self.ports.credentials.token_hash(token), last_six(token)));
        let session = SessionId::new(self.new_id());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let admins = UserFilter { roles: vec!["admin".into()], ..Default::default() };
                let there = match beside {
                    true => tx.user(&user.id)?.is_some() || tx.user_by_username(&user.username)?.is_some(),
                    false => !tx.users(&admins, Page { offset: 0, count: 1 })?.items.is_empty(),
                };
                if there {
                    return Ok(None);
                }
                tx.insert_user(&user)?;
                tx.put_secrets(&user.id, &Secrets { password: password.clone(), ..Default::default() })?;
                if let Some((token_hash, last_six)) = token.clone() {
                    tx.insert_session(&Session {
                        id: session.clone(),
                        user: user.id.clone(),
                        token_hash,
                        kind: SessionKind::PersonalToken { name: "first".into(), last_six, bypass: true },
                        created_at: user.created_at,
                        used_at: user.created_at,
                        expires_at: None,
                        user_agent: String::new(),
                        address: String::new(),
                    })?;
                }
                tx.record(None, made(user.clone()))?;
                // Who makes the administrator from outside has set up the workspace.
                set_up(tx, "completed")?;
                Ok(Some(user.id.clone()))
            })
            .await
    }

    /// A new active account with nothing chosen yet.
    pub(crate) fn blank_user(&self, id: UserId, username: &str) -> User {
        let now = self.now();
        User {
            active: true,
            roles: vec![RoleId::new("user")],
            status_default: Status::Online,
            created_at: now,
            updated_at: now,
            access: 1,
            ..User::blank(id, username)
        }
    }
}

/// The event of a new account.
pub(crate) fn made(user: User) -> Event {
    Event::User { user: std::sync::Arc::new(user), change: Change::Made, before: None }
}

/// The last characters of a token, by which people recognise it.
pub(crate) fn last_six(token: &str) -> String {
    let skip = token.chars().count().saturating_sub(6);
    token.chars().skip(skip).collect()
}

/// Notes how far the set-up is, within the transaction that made the first administrator: from then on nobody else can
/// begin it, whatever client made the account.
pub(crate) fn set_up(tx: &mut dyn crate::store::Tx, state: &str) -> Result<()> {
    let value = crate::setting::Value::Text(state.to_owned());
    crate::settings_admin::store(tx, "Show_Setup_Wizard", &value)
}
