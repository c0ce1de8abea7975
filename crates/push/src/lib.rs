//! What a push looks like on its way: encryption for browsers (RFC 8291), the server's proof of itself (RFC 8292), and
//! tokens for those who deliver to phones. Pure: nothing is sent from here.

mod google;
mod seal;
mod vapid;

pub use google::{BadAccount, ServiceAccount};
pub use seal::{BadSubscription, Browser, seal};
pub use vapid::Key;
