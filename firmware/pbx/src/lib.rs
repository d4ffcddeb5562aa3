//! Decides what every call, agent and queue does next. One ordinary value, [`Pbx`]: inputs with a time stamp go in,
//! outputs come out. It owns no socket, clock, thread, file or random source.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod door;
