//! SIP, sans-IO: one file per noun of RFC 3261. [`door`] holds the values that go in and out.

pub mod door;
