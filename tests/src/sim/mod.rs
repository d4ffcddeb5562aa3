//! The deterministic simulation of the control plane.

pub mod dialog;
pub mod dice;
pub mod digest;
pub mod message;
pub mod network;
pub mod phone;
pub mod transaction;
