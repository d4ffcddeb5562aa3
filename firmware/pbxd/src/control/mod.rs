//! The control task: one thread with one tokio runtime that owns the core, the SIP sockets and the order of things.

pub mod datagrams;
pub mod inbox;
pub mod lock;
pub mod notify;
pub mod streams;

use crate::cli::Run;
use pbx::config::Language;

/// Runs the box until it is told to stop. The error is for people, in `language`.
pub fn run(_options: &Run, _language: Language) -> Result<(), String> {
    Err("not linked yet".into())
}
