//! The services that people may sign in by, read from the settings.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    event::Event,
    json::Json,
    oauth::{Button, Fields, Linking, Place, Service},
    oauth_settings::{self, MAX_SERVICES, PREFIX},
    session::Actor,
    setting::{Settings, Value},
    store::Lane,
    users_change::Secret,
};

/// Services that everybody knows: name, settings' prefix, scope, label.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("google", "Accounts_OAuth_Google", "openid profile email", "Google"),
    ("github", "Accounts_OAuth_Github", "read:user user:email", "GitHub"),
    ("github_enterprise", "Accounts_OAuth_GitHub_Enterprise", "read:user user:email", "GitHub Enterprise"),
    ("gitlab", "Accounts_OAuth_Gitlab", "openid profile email", "GitLab"),
    ("linkedin", "Accounts_OAuth_Linkedin", "openid profile email", "LinkedIn"),
];

/// Where such a service is.
fn place(name: &str, settings: &Settings) -> Option<Place> {
    let issuer = |issuer: &str| Some(Place::Issuer(issuer.trim_end_matches('/').to_owned()));
    let git_hub = |web: &str, api: &str| Place::Paths {
        base: web.to_owned(),
        authorize: "/login/oauth/authorize".into(),
        token: "/login/oauth/access_token".into(),
        identity: format!("{api}/user"),
        emails: Some(format!("{api}/user/emails")),
        parameter: None,
    };
    match name {
        "google" => issuer("https://accounts.google.com"),
        "github" => Some(git_hub("https://github.com", "https://api.github.com")),
        "github_enterprise" => match settings.text("API_GitHub_Enterprise_URL").trim_end_matches('/') {
            "" => None,
            url => Some(git_hub(url, &format!("{url}/api/v3"))),
        },
        "gitlab" => match settings.text("API_Gitlab_URL") {
            "" => issuer("https://gitlab.com"),
            url => issuer(url),
        },
        "linkedin" => issuer("https://www.linkedin.com/oauth"),
        _ => None,
    }
}

impl Chat {
    /// The services in force, those that everybody knows first.
    pub fn outside_services(&self) -> Vec<Service> {
        let settings = self.settings();
        let known = KNOWN.iter().filter_map(|row| self.known_service(row, &settings));
        let custom = oauth_settings::names(&settings).into_iter();
        known.chain(custom.filter_map(|name| self.custom_service(name, &settings))).collect()
    }

    /// Well-known services that are switched on but have no id yet, so that nobody can sign in by them.
    pub fn unfinished_services(&self) -> Vec<&'static str> {
        let settings = self.settings();
        let begun =
            |prefix: &str| settings.is_on(prefix) && settings.text(&format!("{prefix}_id")).is_empty();
        KNOWN.iter().filter(|(_, prefix, ..)| begun(prefix)).map(|(name, ..)| *name).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound` for a service that there is not, or that is switched off.
    pub fn outside_service(&self, name: &str) -> Result<Service> {
        let found = self.outside_services().into_iter().find(|service| service.name == name);
        found.ok_or(Refusal::NotFound(What::Other))
    }

    fn known_service(&self, row: &(&str, &str, &str, &str), settings: &Settings) -> Option<Service> {
        let (name, prefix, scope, label) = *row;
        let client_id = settings.text(&format!("{prefix}_id")).to_owned();
        if !settings.is_on(prefix) || client_id.is_empty() {
            return None;
        }
        Some(Service {
            name: name.to_owned(),
            title: label.to_owned(),
            custom: false,
            client_id,
            secret: self.kept_secret(&format!("{prefix}_secret"))?,
            place: place(name, settings)?,
            scope: scope.to_owned(),
            fields: Fields::default(),
            linking: Linking { merge: settings.is_on("Accounts_OAuth_Merge_Users"), ..Linking::default() },
            button: Button { label: label.to_owned(), shown: true, ..Button::default() },
            redirects: false,
        })
    }

    fn custom_service(&self, title: &str, settings: &Settings) -> Option<Service> {
        let id = |part: &str| format!("{PREFIX}{title}-{part}");
        let text = |part: &str| settings.text(&id(part)).trim().to_owned();
        let client_id = text("id");
        if !settings.is_on(&format!("{PREFIX}{title}")) || client_id.is_empty() {
            return None;
        }
        let issuer = text("issuer");
        let sent_via = match text("identity_token_sent_via").as_str() {
            "default" | "" => text("token_sent_via"),
            chosen => chosen.to_owned(),
        };
        let paths = || Place::Paths {
            base: text("url").trim_end_matches('/').to_owned(),
            authorize: text("authorize_path"),
            token: text("token_path"),
            identity: text("identity_path"),
            emails: None,
            parameter: (sent_via == "payload").then(|| text("access_token_param")),
        };
        let label = text("button_label_text");
        Some(Service {
            name: title.to_lowercase(),
            title: title.to_owned(),
            custom: true,
            client_id,
            secret: self.kept_secret(&id("secret"))?,
            place: if issuer.is_empty() { paths() } else { Place::Issuer(issuer) },
            scope: text("scope"),
            fields: Fields {
                username: text("username_field"),
                email: text("email_field"),
                name: text("name_field"),
                roles: text("roles_claim"),
            },
            linking: Linking {
                merge: settings.is_on(&id("merge_users")),
                trust_email: settings.is_on(&id("trust_email")),
                roles: settings.is_on(&id("merge_roles")),
                these_roles: words(&text("roles_to_sync")),
            },
            button: Button {
                label: if label.is_empty() { title.to_owned() } else { label },
                label_colour: text("button_label_color"),
                colour: text("button_color"),
                shown: settings.is_on(&id("show_button")),
            },
            redirects: text("login_style") == "redirect",
        })
    }

    /// One that can't be opened switches its service off; the log says so.
    fn kept_secret(&self, id: &str) -> Option<Secret> {
        self.secret_setting(id).ok().map(Secret)
    }

    /// Adds a custom service, switched off, with its settings. Needs `add-oauth-service`.
    ///
    /// # Errors
    /// `Invalid` of field `name`; `TooLarge` beyond [`MAX_SERVICES`]. One that is there stays as it is.
    pub async fn add_outside_service(&self, actor: &Actor, asked: &str) -> Result<String> {
        self.require(actor, "add-oauth-service", None).await?;
        let wrong = || Refusal::invalid("name", "The name must be letters, digits and underscores");
        let name = oauth_settings::proper(asked).ok_or_else(wrong)?;
        let switch = oauth_settings::family(&name).ok_or_else(wrong)?[0].id;
        let settings = self.settings();
        if settings.get(switch).is_some() {
            return Ok(name);
        }
        let known = oauth_settings::names(&settings);
        if known.len() >= MAX_SERVICES {
            return Err(Refusal::TooLarge { what: "services", limit: MAX_SERVICES as u64 });
        }
        if known.iter().any(|other| other.eq_ignore_ascii_case(&name))
            || KNOWN.iter().any(|(other, ..)| other.eq_ignore_ascii_case(&name))
        {
            return Err(Refusal::Taken { what: What::Other, value: name });
        }
        let entry = self.audit_entry(actor, "oauth-service.added", &name).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                crate::settings_admin::store(tx, switch, &Value::Bool(false))
            })
            .await?;
        Ok(name)
    }

    /// Removes a custom service with its settings; whoever was linked to it stays, and signs in otherwise. Needs
    /// `add-oauth-service`.
    ///
    /// # Errors
    /// `NotFound(Setting)`.
    pub async fn remove_outside_service(&self, actor: &Actor, asked: &str) -> Result<()> {
        self.require(actor, "add-oauth-service", None).await?;
        let unknown = Refusal::NotFound(What::Setting);
        let name = oauth_settings::proper(asked).ok_or(unknown.clone())?;
        let family = oauth_settings::family(&name).ok_or(unknown.clone())?;
        let switch = family[0].id;
        if self.settings().get(switch).is_none() {
            return Err(unknown);
        }
        let entry = self.audit_entry(actor, "oauth-service.removed", &name).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                let mut at = tx.now();
                for def in family {
                    at = tx.put_setting(def.id, None)?.max(at);
                }
                tx.record(None, Event::Setting { id: switch.into(), value: gone(), at })
            })
            .await
    }
}

/// What stands in an event for a switch that went with its family.
fn gone() -> Value {
    Value::Json(Json::new("null"))
}

/// A custom service's setting changed: brings its family into the snapshot, or takes it out.
pub(crate) fn take_in(settings: &mut Settings, id: &str, value: &Value) {
    let Some(family) = oauth_settings::service_of(id).and_then(oauth_settings::family) else { return };
    if id == family[0].id && *value == gone() {
        for def in family {
            settings.by_id.remove(def.id);
        }
        return;
    }
    if settings.get(family[0].id).is_none() {
        settings.add(family);
    }
}

/// Words of a list with commas.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
