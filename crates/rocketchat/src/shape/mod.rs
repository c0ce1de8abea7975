//! Nouns as Rocket.Chat writes them.
