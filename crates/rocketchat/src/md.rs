//! The `md` tree of a message as Rocket.Chat's clients read it.
