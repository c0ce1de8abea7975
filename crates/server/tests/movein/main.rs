//! Moving in from other chats, by the commands, and what people find afterwards.

mod bridge;
mod dump;
mod harbour;
mod live;
mod rocketchat;
mod run;
mod slack;
