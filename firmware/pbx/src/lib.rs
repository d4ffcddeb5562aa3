//! Decides what every call, agent and queue does next. One ordinary value, [`Pbx`]: inputs with a time stamp go in,
//! outputs come out. It owns no socket, clock, thread, file or random source.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod config;
pub mod door;
pub mod event;
pub mod text;

use alloc::vec::Vec;
use base::time::{Instant, Now};
use serde::{Deserialize, Serialize};

/// The whole control plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pbx {}

impl Pbx {
    /// An empty box; the first inputs are `Configured`, then `Boot`.
    pub fn new() -> Pbx {
        Pbx {}
    }

    /// Takes one input, appends what follows from it.
    pub fn handle(&mut self, _now: Now, _input: door::Input, _out: &mut Vec<door::Output>) {}

    /// When `Input::Timer` is due; none when nothing waits.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }
}

impl Default for Pbx {
    fn default() -> Self {
        Pbx::new()
    }
}
