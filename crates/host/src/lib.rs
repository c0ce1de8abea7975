//! What the doors for host applications share: who calls, what may be sent and how it is refused, pages, times, and
//! the shapes that more than one of them writes. Translates; the core decides.

pub mod attached;
pub mod call;
pub mod caller;
pub mod described;
pub mod fields;
pub mod files;
pub mod history;
pub mod host;
pub mod origins;
pub mod page;
pub mod problem;
pub mod rest;
pub mod rooms_draft;
pub mod search;
pub mod serving;
pub mod shape;
pub mod tickets_draft;
pub mod time;
pub mod uploads;

/// Bodies of requests, and forms of any size.
pub use parlor_live::body;

pub use self::{
    call::{Answer, Call, QueryTokens, answer},
    caller::Caller,
    fields::{Fields, Text},
    host::{Host, Options},
    origins::Origins,
    page::{Cursor, PageAsked, Seek},
    problem::{Fault, Problem},
    time::iso,
};
