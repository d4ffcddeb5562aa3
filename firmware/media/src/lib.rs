//! The media engine: packets and PCM to bridged PCM and packets, one 20 ms tick at a time.
//!
//! It is a value like the other state machines of the house: it owns no socket, thread, clock or file. The shell gives
//! it commands (door D2), packets and ticks with their time; it fills an [`Effects`] with ports to open and close,
//! packets to send, reports for the core and recorded frames. In steady state [`Engine::packet`] and [`Engine::tick`]
//! allocate nothing.
//!
//! What it does now: G.711, two-party bridges between RTP and TDM legs, supervisors who listen to a bridge or speak into
//! it, prompts, music, call-progress tones, DTMF in and out (RFC 4733 and in-band), RTCP, echo, record taps. It has no
//! conferences beside that, does not encrypt, or adapt its jitter buffer.
#![forbid(unsafe_code)]

mod address;
pub mod dtmf;
mod effects;
mod engine;
pub mod event;
pub mod g711;
mod highway;
pub mod jitter;
mod leg;
mod library;
mod play;
mod relay;
pub mod rtcp;
pub mod rtp;
mod tap;
pub mod tone;

pub use effects::{Channel, Effects, Packet, PortAction, RecordFrame};
pub use engine::{Engine, Settings};
pub use highway::{CardFrame, HighwayFrame};
pub use library::Library;

use base::limits::FRAME_SAMPLES;

/// 20 ms of 8 kHz linear audio.
pub type Pcm = [i16; FRAME_SAMPLES];

/// 20 ms of G.711.
pub type Law = [u8; FRAME_SAMPLES];

/// A frame of linear silence.
pub const SILENCE: Pcm = [0; FRAME_SAMPLES];
