//! What every room of the house shares: clocks, keys, identities, limits, and the two doors (D2 media, D3 lines)
//! whose both sides are forbidden to know each other. No behaviour beyond arithmetic lives here.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod id;
pub mod limits;
pub mod line;
pub mod media;
pub mod panel;
pub mod slab;
pub mod time;
