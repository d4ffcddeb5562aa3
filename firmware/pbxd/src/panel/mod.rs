//! The front panel: what its display shows and what its keys do. [`machine`] is a pure state machine over [`view`], one
//! look at the core, and over the forms ([`setup`], [`network`], [`switches`], [`reset`]); [`draw`] makes pixels of it;
//! [`task`] is the one thread that holds the hardware, [`work`] does beside it what takes time. The panel decides nothing
//! about calls, keeps nothing that the core knows, and changes the configuration as everybody else does: by a commit.

pub mod canvas;
pub mod content;
pub mod digits;
pub mod draw;
pub mod form;
pub mod glyph;
pub mod job;
pub mod lights;
pub mod machine;
pub mod menu;
pub mod network;
pub mod reset;
pub mod setup;
pub mod switches;
pub mod task;
pub mod view;
pub mod work;

#[cfg(test)]
mod tests;
