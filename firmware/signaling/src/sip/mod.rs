//! SIP, sans-IO: one file per noun of RFC 3261. [`door`] holds the values that go in and out, [`Endpoint`] is the
//! user agent core. A message goes `stream` → `message` → `receive` (with `header` and `digest`) → `transaction` →
//! `uas`, `uac`, `in_dialog`, `subscription` and back by [`Endpoint`].

mod dialog;
mod dialog_info;
mod digest;
pub mod door;
mod endpoint;
mod header;
mod in_dialog;
pub mod message;
mod octets;
mod random;
mod receive;
mod registrar;
pub mod stream;
mod subscription;
mod timers;
mod transaction;
mod uac;
mod uas;

pub use digest::{Login, ha1};
pub use endpoint::Endpoint;
