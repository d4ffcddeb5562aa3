//! The front panel: what its display shows and what its keys do. [`machine`] is a pure state machine over [`view`], one
//! look at the core; [`draw`] makes pixels of it; [`task`] is the one thread that holds the hardware. The panel decides
//! nothing about calls and keeps nothing that the core knows.

pub mod canvas;
pub mod content;
pub mod draw;
pub mod glyph;
pub mod machine;
pub mod menu;
pub mod task;
pub mod view;

#[cfg(test)]
mod tests;
