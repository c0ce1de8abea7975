//! The core's row traits on a transaction, a file a noun.
