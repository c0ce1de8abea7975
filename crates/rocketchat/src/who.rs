//! Who may use a route, method or stream: declared as data, and walked by a test as every kind of caller.

/// Who gets past the door. The core judges again, with the object in hand; this is what the outside may expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody, also before login.
    Anyone,
    /// Whoever is logged in and active.
    User,
    /// Holders of one of these permissions (workspace-wide).
    May(&'static [&'static str]),
    /// Whoever may read the room that the sample names (members; for public channels every user).
    Reader,
    /// Members of the room.
    Member,
    /// Whoever sees the room and holds one of these permissions, workspace-wide or in the room.
    MayInRoom(&'static [&'static str]),
    /// Whoever holds one of these permissions, in the room (if there is one) or workspace-wide: those administer rooms,
    /// and need not be in them. Others are refused in the words of the verb.
    Holder(&'static [&'static str]),
    /// The author of the message, or holders of one of these permissions.
    Author(&'static [&'static str]),
}
