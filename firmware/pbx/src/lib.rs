//! Decides what every call, agent and queue does next. One ordinary value, [`Pbx`]: inputs with a time stamp go in,
//! outputs come out. It owns no socket, clock, thread, file or random source.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acquaintance;
pub mod agent;
pub mod alarm;
mod announcement;
mod ask;
pub mod calendar;
mod call;
pub mod code;
pub mod commit;
pub mod config;
pub mod dialplan;
pub mod door;
pub mod effect;
pub mod equipment;
pub mod event;
mod inward;
mod lamp;
mod leg;
mod line;
mod matching;
mod menu;
mod offer;
mod outside;
mod overflow;
mod own;
mod pbx;
mod port;
pub mod precedence;
mod queue;
mod random;
mod restart;
pub mod roster;
pub mod select;
pub mod standing;
mod supervise;
pub mod switch;
pub mod text;
mod timers;
pub mod trial;
mod wish;

pub use pbx::Pbx;
pub(crate) use pbx::Turn;
