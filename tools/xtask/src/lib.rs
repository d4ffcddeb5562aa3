//! Runs, shows and checks the appliance on a developer's machine. Never shipped.

pub mod banner;
pub mod bench;
pub mod cli;
pub mod console;
pub mod demo;
pub mod load;
pub mod panel;
pub mod programs;
pub mod replay;
pub mod run;
pub mod simulate;
pub mod supervise;
pub mod tidy;
pub mod world;
