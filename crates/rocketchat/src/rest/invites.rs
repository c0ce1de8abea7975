//! Invite links: `findOrCreateInvite`, `listInvites`, `removeInvite`, `useInviteToken`, `validateInviteToken`.

use parlor_core::{
    error::{Refusal, State, What},
    id::RoomId,
    store::Invite,
};
use serde_json::{Value, json};

use super::rooms_call::{Body, refuse};
use crate::{
    call::{Call, bare, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, delete, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let may = Who::MayInRoom(&["create-invite-links"]);
    let sample = r#"{"rid":"$private","days":1,"maxUses":5}"#;
    vec![
        post("findOrCreateInvite", may, sample, find_or_create),
        get("listInvites", Who::May(&["create-invite-links"]), " ", list),
        delete("removeInvite/{id}", Who::Holder(&["create-invite-links"]), "/$invite", remove),
        post("useInviteToken", Who::User, r#"{"token":"$invite"}"#, use_token),
        post("validateInviteToken", Who::Anyone, r#"{"token":"x"}"#, validate),
    ]
}

fn number(body: &Body, key: &'static str, otherwise: i64) -> Result<i64, Refused> {
    match body.get(key) {
        None => Ok(otherwise),
        Some(value) => value.as_i64().ok_or_else(|| Refused::invalid_params("must be integer")),
    }
}

async fn find_or_create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let rid = body.need("rid")?;
    let (days, uses) = (number(&body, "days", 1)?, number(&body, "maxUses", 0)?);
    let unknown = || Refused::meteor("error-invalid-room", "The rid is invalid");
    let room = RoomId::parse(rid).ok_or_else(unknown)?;
    let made = call.chat().find_or_create_invite(call.actor()?, &room, days, uses).await;
    let invite = made.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Room) => unknown(),
        Refusal::Invalid { field, problem } => Refused::meteor(&format!("invalid-{field}"), &problem),
        Refusal::State(State::DirectRoom) => {
            Refused::meteor("error-room-type-not-allowed", "Cannot create invite links for this room type")
        }
        other => refuse(other),
    })?;
    success(written(&call, &invite))
}

fn written(call: &Call, invite: &Invite) -> Value {
    let root = call.door.config.root_url.trim_end_matches('/');
    json!({
        "_id": invite.id, "inviteToken": invite.id, "rid": invite.room.as_str(),
        "userId": invite.creator.as_str(), "days": invite.days, "maxUses": invite.max_uses, "uses": invite.uses,
        "createdAt": Dates::Iso.value(invite.created_at), "_updatedAt": Dates::Iso.value(invite.created_at),
        "expires": invite.expires_at.map_or(Value::Null, |end| Dates::Iso.value(end)),
        "url": format!("{root}/invite/{}", invite.id),
    })
}

async fn list(call: Call) -> Outcome {
    let invites = call.chat().list_invites(call.actor()?).await?;
    bare(&invites.iter().map(|invite| written(&call, invite)).collect())
}

async fn remove(call: Call) -> Outcome {
    let done = call.chat().remove_invite(call.actor()?, call.path("id")).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(_) | Refusal::NotMember => {
            Refused::meteor("invalid-invitation-id", "Invalid Invitation _id")
        }
        other => refuse(other),
    })?;
    bare(&true.into())
}

async fn use_token(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let token = body.need("token")?;
    let used = call.chat().use_invite(call.actor()?, token).await;
    let room = used.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-token", "The invite token is invalid."),
        Refusal::NotAllowed("banned") => {
            Refused::meteor("error-user-is-banned", "User is banned from this room")
        }
        Refusal::State(State::InviteOver) => {
            Refused::meteor("error-invite-expired", "The invite token has expired.")
        }
        other => refuse(other),
    })?;
    let mut value = json!({
        "rid": room.id.as_str(), "name": room.name, "fname": room.shown_name(),
        "t": shape::room::letter(room.kind),
    });
    if let Some(parent) = &room.parent {
        value["prid"] = parent.as_str().into();
    }
    success(json!({ "room": value }))
}

async fn validate(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    success(json!({ "valid": call.chat().invite_works(body.need("token")?).await? }))
}
