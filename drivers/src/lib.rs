//! One module per chip, generic over `embedded-hal` 1.0. A driver decides in pure functions of (time, readings) and
//! touches the bus in few places; it never waits: datasheet pauses are deadlines that the caller's loop comes back for.
#![no_std]
#![forbid(unsafe_code)]

pub mod keypad;
pub mod pca9555;
pub mod si3050;
pub mod ssd1322;
