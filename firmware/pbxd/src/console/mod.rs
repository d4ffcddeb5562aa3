//! The console: what an admin types and reads at a terminal. [`session`] is pure, made of small pieces that are each
//! tested alone; [`port`] is the one thread with the terminal line; [`sources`] is where answers come from. It looks at
//! the core through the lookout and at the records, keeps nothing of its own, and changes nothing but its draft.

pub mod draft;
pub mod grammar;
pub mod keys;
pub mod line;
pub mod pager;
pub mod pipe;
pub mod port;
pub mod screen;
pub mod serial;
pub mod session;
pub mod show;
pub mod sources;
