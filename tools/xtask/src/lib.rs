//! The parts of xtask that other programs of the workspace use, too.

pub mod tidy;
