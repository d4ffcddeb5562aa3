//! The deterministic simulation of the control plane. A [`world::World`] owns virtual time, one seed, the box, virtual
//! phones, callers, analog lines, agents, a lossy network, fake media and a fake store, and drives the box through its
//! door only. Phase one injects faults, phase two heals and demands an end; the checkers in [`check`] know the rules,
//! not the code.

pub mod agent;
pub mod caller;
pub mod centre;
pub mod check;
pub mod dialog;
pub mod dice;
pub mod digest;
pub mod faults;
pub mod floor;
pub mod hearing;
pub mod ladder;
pub mod line;
pub mod media;
pub mod message;
pub mod network;
pub mod outcome;
pub mod phone;
pub mod plan;
pub mod run;
pub mod script;
pub mod store;
pub mod supervisor;
pub mod tally;
pub mod transaction;
pub mod wire;
pub mod world;
