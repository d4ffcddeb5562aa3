//! SIP, sans-IO: one file per noun of RFC 3261. [`door`] holds the values that go in and out, [`Endpoint`] is the
//! user agent core.

pub mod door;
mod endpoint;

pub use endpoint::Endpoint;
