//! A disk in memory that forgets what was not synced: a file layer for SQLite on which power is cut at a chosen
//! operation. Of everything written since the last sync of a file, each sector is then kept, dropped or torn by
//! chance. A killed process proves nothing about this, because the kernel keeps what it wrote.

#![allow(unsafe_code, reason = "SQLite's file layer is a C interface")]
#![allow(clippy::expect_used, reason = "a test that cannot make its scratch files fails")]

mod disk;
mod ffi;

pub use disk::{Disk, Random, Wear};
pub use ffi::PowerVfs;
