//! The server's own key for web pushes.

use parlor_core::{chat::Chat, error::Result, push_tokens::Vapid};
use parlor_push::Key;

/// The key that signs web pushes; made and kept when there is none yet.
pub async fn push_key(chat: &Chat) -> Result<Vapid> {
    if let Some(kept) = chat.vapid().await? {
        return Ok(kept);
    }
    let made = Key::generate();
    chat.keep_vapid(Vapid { public: made.public(), private: made.private() }).await
}
