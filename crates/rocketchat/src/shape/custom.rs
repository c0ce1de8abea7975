//! Custom emoji, sounds and user statuses as Rocket.Chat writes them.

use parlor_core::{event::CustomKind, store::Custom};
use serde_json::{Value, json};

use crate::date::Dates;

/// As lists have it.
pub(crate) fn custom(custom: &Custom, dates: Dates) -> Value {
    let mut all =
        json!({ "_id": custom.id, "name": custom.name, "_updatedAt": dates.value(custom.updated_at) });
    match custom.kind {
        CustomKind::Emoji => {
            all["aliases"] = custom.aliases.clone().into();
            all["extension"] = custom.extension.as_str().into();
            all["etag"] = custom.tag.as_str().into();
        }
        CustomKind::Sound => all["extension"] = custom.extension.as_str().into(),
        CustomKind::Status => all["statusType"] = custom.extension.as_str().into(),
    }
    all
}

/// As something that is gone.
pub(crate) fn gone(custom: &Custom, dates: Dates) -> Value {
    json!({ "_id": custom.id, "name": custom.name, "_deletedAt": dates.value(custom.updated_at) })
}
