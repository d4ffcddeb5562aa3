//! Decides what every call, agent and queue does next. One ordinary value, [`Pbx`]: inputs with a time stamp go in,
//! outputs come out. It owns no socket, clock, thread, file or random source.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod agent;
mod alarm;
pub mod calendar;
mod call;
mod code;
pub mod config;
pub mod dialplan;
pub mod door;
pub mod event;
mod inward;
mod leg;
mod line;
mod menu;
mod offer;
mod pbx;
mod queue;
mod random;
mod restart;
pub mod select;
pub mod text;
mod timers;

pub use pbx::Pbx;
pub(crate) use pbx::Turn;
