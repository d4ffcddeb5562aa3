//! The endpoint from outside: dialogues of messages at given times, hostile messages, replay.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests say what they expect by failing")]

mod calls;
#[path = "../../../../tests/fuzz/src/checks.rs"]
mod checks;
mod dialogs;
mod lamps;
mod network;
mod phone;
mod replay;
mod torture;
