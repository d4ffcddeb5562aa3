//! What the tests of the whole box are made of: the simulated world in virtual time.

pub mod peer;
pub mod power_vfs;
pub mod rfc4475_table;
pub mod sim;
