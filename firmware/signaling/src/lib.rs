//! Bytes and line events to transactions, dialogs and calls, and back. Knows no queue, no agent, no socket and no
//! clock: every entry point takes the time and appends to a list of outputs.
#![forbid(unsafe_code)]

pub mod sdp;
pub mod sip;
