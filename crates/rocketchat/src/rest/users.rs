//! Looking at people: `users.info`, `users.list`, `users.listByStatus`, `users.autocomplete` and names.

use parlor_core::{
    store::{Page, Paged, UserFilter, UserSort},
    user::{User, UserKind},
    users_find::Whom,
};
use serde_json::{Value, json};

use super::rooms_call;
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("users.info", Who::User, "username=$username", info),
        get("users.list", Who::May(&["view-d-room"]), "", list),
        get("users.listByStatus", Who::User, "status=active", list_by_status),
        get("users.autocomplete", Who::User, "selector=%7B%22term%22%3A%22a%22%7D", autocomplete),
        get("users.checkUsernameAvailability", Who::User, "username=$name", is_free),
        get("users.getUsernameSuggestion", Who::User, "", suggestion),
    ]
}

impl Call {
    /// The user that `userId` or `username` (or `user`) names.
    pub(crate) async fn named_user(&self) -> Result<std::sync::Arc<User>, Refused> {
        rooms_call::user(self, self.param("userId"), self.param("username").or(self.param("user"))).await
    }

    /// Whether the caller sees everything of other users.
    pub(crate) async fn sees_all(&self) -> Result<bool, Refused> {
        Ok(self.chat().may(self.actor()?, "view-full-other-user-info", None).await?)
    }

    /// A user as the caller may see it.
    pub(crate) fn seen_user(&self, user: &User, all: bool) -> Value {
        let now = self.chat().status_of(&user.id);
        let own = self.actor_if_any().is_some_and(|actor| actor.user == user.id);
        if all || own { shape::user::full(user, now, Dates::Iso) } else { shape::user::public(user, now) }
    }
}

async fn info(call: Call) -> Outcome {
    let whom = if let Some(id) = call.param("userId") {
        Whom::Id(id)
    } else if let Some(name) = call.param("username") {
        Whom::Username(name)
    } else if let Some(address) = call.param("email") {
        Whom::Email(address)
    } else if call.param("importId").or(call.param("freeSwitchExtension")).is_some() {
        return Err(Refused::new("User not found."));
    } else {
        return Err(Refused::invalid_params("must match exactly one schema in oneOf"));
    };
    let (chat, actor) = (call.chat(), call.actor()?);
    let found = chat.find_user(actor, whom).await.map_err(|_| Refused::new("User not found."))?;
    let mut user = call.seen_user(&found, call.sees_all().await?);
    let own = found.id == actor.user;
    if own {
        // Sessions have their own list; their tokens are told to nobody.
        user["services"] = json!({ "resume": { "loginTokens": [] } });
        if found.has_password {
            user["services"]["password"] = json!({ "exists": true });
        }
    }
    let asked = call.flag("includeUserRooms").unwrap_or_default()
        || call
            .json_param("fields")?
            .is_some_and(|f| f.get("userRooms").is_some_and(|v| v != 0 && v != false));
    if asked && (own || chat.may(actor, "view-other-user-channels", None).await?) {
        user["rooms"] = rooms_of(&call, &found).await?;
    }
    success(json!({ "user": user }))
}

async fn rooms_of(call: &Call, user: &User) -> Result<Value, Refused> {
    let theirs = parlor_core::session::Actor::user(user.id.clone(), None);
    if !user.active {
        return Ok(json!([]));
    }
    let all = call.chat().my_rooms(&theirs, None, parlor_core::rooms::Bring::Unread).await?;
    let shown = all.items.iter().map(|mine| {
        let room = &mine.view.room;
        let roles: Vec<&str> = mine.membership.roles.iter().map(|r| r.as_str()).collect();
        json!({
            "_id": mine.membership.id.as_str(), "rid": room.id.as_str(), "name": room.name,
            "t": shape::room::letter(room.kind), "roles": roles, "unread": mine.news.unread.messages,
        })
    });
    Ok(shown.collect::<Vec<_>>().into())
}

/// At most so many people are looked through for those who are online.
const ONLINE: usize = 1_000;

async fn list(call: Call) -> Outcome {
    let (chat, actor) = (call.chat(), call.actor()?);
    let applies = chat.settings().is_on("API_Apply_permission_view-outside-room_on_users-list");
    if applies && !chat.may(actor, "view-outside-room", None).await? {
        return Err(Refused::unauthorized());
    }
    let page = call.page()?;
    let mut filter = UserFilter::default();
    if let Some(mut query) = call.json_param("query")? {
        // Who is online is not in the store, so it is asked for by ids.
        if query
            .as_object_mut()
            .and_then(|query| query.remove("status"))
            .is_some_and(|s| s["$ne"] == "offline")
        {
            filter.ids = Some(chat.online_users(ONLINE).into_iter().map(|(id, _)| id).collect());
        }
        read_query(&query, &mut filter)?;
    }
    for key in ["name", "username", "text"] {
        if let Some(text) = call.param(key) {
            filter.text = literal(text);
        }
    }
    sort(&call, &mut filter)?;
    let found = chat.list_users(actor, filter, page).await?;
    answer(&call, found, page).await
}

async fn answer(call: &Call, found: Paged<User>, page: Page) -> Outcome {
    let all = call.sees_all().await?;
    let users: Vec<Value> = found.items.iter().map(|user| call.seen_user(user, all)).collect();
    success(json!({ "users": users, "count": users.len(), "offset": page.offset, "total": found.total }))
}

/// `sort={"name": 1}`; keys that we can't sort by are passed over.
fn sort(call: &Call, filter: &mut UserFilter) -> Result<(), Refused> {
    let Some(Value::Object(wanted)) = call.json_param("sort")? else { return Ok(()) };
    for (key, way) in &wanted {
        filter.sort = match key.as_str() {
            "username" => UserSort::Username,
            "name" | "nameInsensitive" => UserSort::Name,
            "createdAt" | "active" => UserSort::CreatedAt,
            "lastLogin" => UserSort::LastLogin,
            _ => continue,
        };
        filter.descending = way.as_i64() == Some(-1);
        break;
    }
    Ok(())
}

/// The few shapes of `query` that clients send: fields with texts or `$regex`, within `$or` and `$and`.
fn read_query(query: &Value, filter: &mut UserFilter) -> Result<(), Refused> {
    let bad = |what: &str| {
        Refused::meteor("error-invalid-query", &format!("Invalid query parameter provided: {what}"))
    };
    for (key, value) in query.as_object().ok_or_else(|| bad("it must be an object"))? {
        match (key.as_str(), value) {
            ("$or" | "$and", Value::Array(parts)) => {
                for part in parts.iter().take(20) {
                    read_query(part, filter)?;
                }
            }
            (key, _) if key.starts_with('$') => return Err(bad(key)),
            ("active", Value::Bool(active)) => filter.active = Some(*active),
            ("type", Value::String(kind)) => filter.kind = Some(read_kind(kind)),
            ("roles", Value::String(role)) => filter.roles = vec![role.clone()],
            ("_id", Value::String(id)) => filter.ids = Some(vec![id.as_str().into()]),
            ("name" | "username" | "emails.address", value) => {
                filter.search_email |= key == "emails.address";
                filter.text = match value {
                    Value::String(text) => text.clone(),
                    Value::Object(inner) => {
                        match (inner.len(), inner.get("$regex").and_then(Value::as_str)) {
                            (1, Some(pattern)) => literal(pattern),
                            _ => return Err(bad(key)),
                        }
                    }
                    _ => return Err(bad(key)),
                };
            }
            (_, Value::Object(inner)) if inner.keys().any(|k| k.starts_with('$') && k != "$regex") => {
                return Err(bad(key));
            }
            // Fields that we don't have match anything.
            _ => {}
        }
    }
    Ok(())
}

/// What is left of a pattern when its operators are taken out: lists look for a part of the name anyway.
fn literal(pattern: &str) -> String {
    pattern.chars().filter(|c| !"^$\\*+?()[]{}|".contains(*c)).collect()
}

fn read_kind(kind: &str) -> UserKind {
    match kind {
        "bot" => UserKind::Bot,
        "app" => UserKind::App,
        _ => UserKind::Person,
    }
}

async fn list_by_status(call: Call) -> Outcome {
    for permission in ["view-d-room", "view-outside-room"] {
        if !call.chat().may(call.actor()?, permission, None).await? {
            return Err(Refused::no_permission());
        }
    }
    let page = call.page()?;
    let active = match call.param("status") {
        None => None,
        Some("active") => Some(true),
        Some("deactivated") => Some(false),
        Some(_) => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    };
    let mut filter = UserFilter {
        text: call.param("searchTerm").unwrap_or_default().to_owned(),
        search_email: true,
        active,
        has_logged_in: call.flag("hasLoggedIn"),
        roles: call.list("roles"),
        kind: call.param("type").map(read_kind),
        ..UserFilter::default()
    };
    sort(&call, &mut filter)?;
    let found = call.chat().list_users(call.actor()?, filter, page).await?;
    answer(&call, found, page).await
}

async fn autocomplete(call: Call) -> Outcome {
    let selector = call.json_param("selector")?.ok_or_else(|| Refused::missing("selector"))?;
    let selector =
        selector.as_object().ok_or_else(|| Refused::new("The 'selector' param must be an object"))?;
    let mut filter = UserFilter { active: Some(true), ..UserFilter::default() };
    if let Some(conditions) = selector.get("conditions") {
        read_query(conditions, &mut filter)?;
    }
    if let Some(term) = selector.get("term") {
        term.as_str().ok_or_else(|| Refused::invalid_params("must be string"))?.clone_into(&mut filter.text);
    }
    let exceptions = selector.get("exceptions").and_then(Value::as_array).into_iter().flatten();
    filter.except = exceptions.filter_map(|name| name.as_str().map(str::to_owned)).take(1_000).collect();
    let (chat, actor) = (call.chat(), call.actor()?);
    if !chat.may(actor, "view-outside-room", None).await? {
        filter.meets = Some(actor.user.clone());
        filter.except.push(chat.find_user(actor, Whom::Id(&actor.user)).await?.username.clone());
    }
    // Whoever is switched off is completed for nobody, whatever the conditions say.
    if filter.active == Some(false) {
        return success(json!({ "items": [] }));
    }
    let found = chat.list_users(actor, filter, Page { offset: 0, count: 10 }).await?.items;
    let items: Vec<Value> =
        found.iter().map(|user| shape::user::member(user, chat.status_of(&user.id))).collect();
    success(json!({ "items": items }))
}

async fn is_free(call: Call) -> Outcome {
    let name = call.need("username")?;
    let free = call.chat().is_username_free(call.actor()?, name).await?;
    success(json!({ "result": free }))
}

async fn suggestion(call: Call) -> Outcome {
    success(json!({ "result": call.chat().suggest_username(call.actor()?).await? }))
}
