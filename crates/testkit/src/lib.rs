//! What tests share: servers of their own, and a cast of people.

pub mod postgres;
