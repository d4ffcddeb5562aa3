//! The audio part of SDP offers and answers (RFC 4566, RFC 3264): what we understand of a body, and what we write.
//! Everything else in a body is read over.

use base::media::{Codec, RtpRemote};
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};

/// RFC 3264 §5.1, from the writer's point of view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The writer only sends (hold).
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Nothing flows.
    Inactive,
}

/// One payload type for one codec.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Format {
    /// 0-127.
    pub payload_type: u8,
    /// What it carries.
    pub codec: Codec,
}

/// The first audio stream of a session description.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Audio {
    /// o= session id and version, kept so that an unchanged re-offer is recognised.
    pub session: (u64, u64),
    /// Where its writer wants RTP. Port 0: the stream is refused.
    pub addr: SocketAddr,
    /// Codecs in order of preference; only those we speak.
    pub formats: Vec<Format>,
    /// Payload type of telephone-event/8000.
    pub dtmf: Option<u8>,
    /// Who sends.
    pub direction: Direction,
}

/// Why a body is no session description that we can use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SdpError {
    /// No `v=0`, or a line that is no `x=value`.
    Malformed,
    /// No audio stream.
    NoAudio,
    /// The audio stream has no usable address.
    NoAddress,
}

/// Our side of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ours {
    /// Where we want RTP.
    pub addr: SocketAddr,
    /// o= session id and version of what we write.
    pub session: (u64, u64),
    /// Codecs in our order of preference.
    pub codecs: Vec<Codec>,
    /// Whether we take telephone-event.
    pub dtmf: bool,
}

/// Reads the first audio stream of a body.
pub fn parse(_body: &[u8]) -> Result<Audio, SdpError> {
    Err(SdpError::NoAudio)
}

/// Writes a session description with this one stream.
pub fn write(_audio: &Audio) -> Vec<u8> {
    Vec::new()
}

/// Our answer to an offer and what was agreed; none when no codec is common to both.
pub fn negotiate(_offer: &Audio, _ours: &Ours) -> Option<(Audio, RtpRemote)> {
    None
}

/// What the peer's answer to our offer means.
pub fn remote_of(_answer: &Audio, _our_offer: &Audio) -> Option<RtpRemote> {
    None
}
