//! Moving in from other chats, by the commands, and what people find afterwards.

mod bridge;
mod dump;
mod harbour;
mod live;
mod million;
mod odd;
mod rocketchat;
mod rough;
mod run;
mod slack;
