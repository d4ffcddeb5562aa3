//! The shell around the core: threads, sockets, SQLite, the command line. The only room with effects.
#![deny(unsafe_code)]

// The checks of the fuzz targets name this crate from outside.
#[cfg(test)]
extern crate self as pbxd;

pub mod admin;
pub mod build_id;
pub mod cli;
pub mod clock;
pub mod console;
pub mod control;
pub mod hardware_thread;
pub mod journal;
pub mod log;
pub mod media_thread;
pub mod network;
pub mod panel;
pub mod password;
pub mod reach;
pub mod recorder;
pub mod seal;
pub mod store;
pub mod story;
pub mod tell;
