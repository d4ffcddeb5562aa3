//! Door D2: commands from the core to the media engine and reports back. The engine knows legs, not calls.
//!
//! Everything that must continue after a restart of the program (sequence numbers, position in music, position in a
//! recording) is a function of an anchor [`Instant`] named in the command, so the same commands given again join at
//! the right place.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};

use crate::id::{LegKey, Uid};
use crate::line::PortId;
use crate::time::Instant;

/// Audio codecs that the engine speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.711 µ-law, static payload type 0.
    Pcmu,
}

/// A DTMF key: 0-9, `*`, `#`, A-D.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Digit(u8);

impl Digit {
    /// RFC 4733 §3.2 order.
    pub const ALL: [u8; 16] = *b"0123456789*#ABCD";

    /// From its character; lower case a-d allowed.
    pub fn from_char(c: char) -> Option<Digit> {
        let c = c.to_ascii_uppercase();
        if Self::ALL.iter().any(|a| *a as char == c) { Some(Digit(c as u8)) } else { None }
    }

    /// From an RFC 4733 event code 0-15.
    pub fn from_event(code: u8) -> Option<Digit> {
        Self::ALL.get(code as usize).map(|c| Digit(*c))
    }

    /// Its character.
    pub fn as_char(self) -> char {
        self.0 as char
    }

    /// Its RFC 4733 event code, 0-15.
    pub fn event(self) -> u8 {
        Self::ALL.iter().position(|a| *a == self.0).unwrap_or(0) as u8
    }
}

/// How a digit came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DigitSource {
    /// RFC 4733 telephone-event.
    Rfc4733,
    /// Two tones in the audio (ITU-T Q.23, Q.24).
    Inband,
}

/// How our RTP stream of a leg counts. Sequence number and timestamp of the packet sent at tick `n` after `epoch`
/// are `first_seq + n` and `first_timestamp + 160 n`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RtpSend {
    /// RFC 3550 §5.1.
    pub ssrc: u32,
    /// Sequence number at the epoch.
    pub first_seq: u16,
    /// Timestamp at the epoch.
    pub first_timestamp: u32,
    /// When the leg was made.
    pub epoch: Instant,
}

/// What was agreed with the peer by offer and answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RtpRemote {
    /// Where the peer wants RTP; RTCP goes to the next port.
    pub addr: SocketAddr,
    /// The one codec of the leg, both ways.
    pub codec: Codec,
    /// Payload type of `codec` as the peer numbers it.
    pub payload_type: u8,
    /// Payload type of telephone-event, when the peer has it.
    pub dtmf_payload_type: Option<u8>,
    /// We may send (the peer is not `sendonly` or `inactive`).
    pub send: bool,
    /// The peer may send (it is not `recvonly` or `inactive`).
    pub receive: bool,
}

/// Which of a recording's two channels a leg speaks on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Side {
    /// Left: the caller.
    Caller,
    /// Right: the agent or called party.
    Agent,
}

/// A call-progress tone; frequencies and cadences are the engine's table per country.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Tone {
    /// Dial tone (CN: 450 Hz continuous).
    Dial,
    /// Ring-back (CN: 450 Hz, 1 s on, 4 s off).
    Ringback,
    /// Busy (CN: 450 Hz, 350 ms on, 350 ms off).
    Busy,
    /// Congestion (CN: 450 Hz, 700 ms on, 700 ms off).
    Congestion,
    /// Number unobtainable (CN: 450 Hz, 3 × 100 ms on / 100 ms off, then 400 on / 400 off).
    Unobtainable,
    /// Confirmation of a feature code: two short beeps.
    Confirm,
    /// Somebody listens or records: one beep of 1400 Hz, the frequency of the "recorder warning tone" of US Federal
    /// Standard 1037C. Ours lasts 200 ms (there 500 ms), so that it covers less of what is said.
    Monitor,
}

/// Who hears a supervisor that monitors a leg. The supervisor hears both sides of its bridge in each mode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum MonitorMode {
    /// Nobody.
    Listen,
    /// The monitored leg alone.
    Whisper,
    /// Both sides, everybody else who monitors them, and the recording.
    Barge,
}

/// One piece of a playlist.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Item {
    /// A prompt by name and language (`menu-main`, `zh-CN`); a missing one is skipped and reported.
    Prompt {
        /// File name without ending.
        name: String,
        /// BCP 47 tag, `zh-CN` or `en-US`.
        language: String,
    },
    /// A call-progress tone, endless.
    Tone(Tone),
    /// Music on hold, endless.
    Music,
    /// A pause in milliseconds.
    Pause(u32),
}

/// Distinguishes the playlists of one leg, so that a late `PlayDone` is told from the present one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct PlayId(pub u32);

/// To the media engine. Commands for a leg that is gone do nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Opens `local_port` (RTP) and the next one (RTCP). Packets that arrive before `SetRemote` wait in the jitter
    /// buffer.
    CreateRtp {
        /// New leg.
        leg: LegKey,
        /// Even port of the configured range.
        local_port: u16,
        /// Numbering of what we send.
        send: RtpSend,
    },
    /// Joins a timeslot of the TDM highway.
    CreateTdm {
        /// New leg.
        leg: LegKey,
        /// The port whose timeslot it is.
        port: PortId,
    },
    /// What the peer accepts; again after each offer and answer.
    SetRemote {
        /// An RTP leg.
        leg: LegKey,
        /// The agreement.
        remote: RtpRemote,
    },
    /// Ends a leg: parts it, closes ports, ends its tap, answers with `Report::Counters`.
    Destroy {
        /// The leg.
        leg: LegKey,
    },
    /// Plays to the leg, replacing what plays. While joined, the peer is not heard by it.
    Play {
        /// Who hears it.
        leg: LegKey,
        /// Named in the `PlayDone`.
        play: PlayId,
        /// In this order.
        items: Vec<Item>,
        /// Start over after the last item.
        repeat: bool,
        /// When the first item began; later than now means wait, earlier means join in the middle.
        since: Instant,
    },
    /// Silence instead of what plays; no `PlayDone` follows.
    StopPlay {
        /// Who heard it.
        leg: LegKey,
    },
    /// Two legs hear each other. A leg is in at most one bridge; joining parts it from another first.
    Join {
        /// One.
        a: LegKey,
        /// The other.
        b: LegKey,
    },
    /// Ends the bridge that the leg is in.
    Part {
        /// Either of the two.
        leg: LegKey,
    },
    /// `leg` hears what `of` and the other side of its bridge say; `mode` says who hears `leg`. Given again it changes
    /// the mode, or whom. It follows `of` through its bridges; while `of` is in none, `leg` hears `of` alone. `leg` is
    /// parted from its own bridge first; a `Join` or `Echo` of `leg` ends the monitoring. Keys of `leg` are reported
    /// and not passed on. In `Barge` what `leg` says is mixed into the `Side::Agent` channel of the recording. More than
    /// [`crate::limits::MONITORS_PER_BRIDGE_MAX`] are answered with `Report::Failed` (`Exhausted`).
    Monitor {
        /// The supervisor.
        leg: LegKey,
        /// Whom, usually the agent.
        of: LegKey,
        /// Who hears the supervisor.
        mode: MonitorMode,
    },
    /// `leg` monitors nobody any more and hears silence.
    StopMonitor {
        /// The supervisor.
        leg: LegKey,
    },
    /// Mixes the first 200 ms of a tone over whatever the leg hears, from the next tick on. Nothing is reported, and a
    /// restart does not repeat it.
    Beep {
        /// Who hears it.
        leg: LegKey,
        /// Usually `Tone::Monitor`.
        tone: Tone,
    },
    /// The leg hears itself.
    Echo {
        /// Who hears itself.
        leg: LegKey,
    },
    /// Sends a key to the leg's peer: RFC 4733 when agreed, otherwise in-band.
    SendDigit {
        /// To whom.
        leg: LegKey,
        /// Which key.
        digit: Digit,
    },
    /// Taps what the leg says into a recording, from the oldest audio still in its jitter buffer.
    RecordStart {
        /// Who is recorded.
        leg: LegKey,
        /// The recording; both sides name the same.
        recording: Uid,
        /// Channel.
        side: Side,
        /// Sample 0 of the recording; the position of every frame counts from here.
        since: Instant,
    },
    /// Ends the leg's tap.
    RecordStop {
        /// Who was recorded.
        leg: LegKey,
    },
    /// What holds for legs that are created from now on.
    Configure {
        /// Where their sockets are bound.
        bind: IpAddr,
        /// Depth of the jitter buffer.
        jitter_ms: u32,
        /// RTP silence after which `Report::Silent` is told; holds for all legs at once.
        silence_timeout_ms: u32,
    },
}

/// Why a leg could not be made or is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LegFailure {
    /// The port is taken by another program.
    PortTaken,
    /// No descriptor or buffer left.
    Exhausted,
    /// No PCM for that card.
    NoCard,
}

/// Counts of one leg over its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets taken from the peer.
    pub received: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
    /// Came after their turn.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// From an address that is not the peer's, or malformed: dropped.
    pub strangers: u64,
    /// RFC 3550 §6.4.1 interarrival jitter in timestamp units, at the end.
    pub jitter: u32,
    /// Round trip by RTCP in microseconds, 0 when never measured.
    pub rtt_us: u32,
}

/// From the media engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Report {
    /// A key was pressed (reported once per press, at its end or when certain).
    Digit {
        /// By whom.
        leg: LegKey,
        /// Which.
        digit: Digit,
        /// How.
        source: DigitSource,
    },
    /// A playlist without `repeat` came to its end.
    PlayDone {
        /// Who heard it.
        leg: LegKey,
        /// Which.
        play: PlayId,
    },
    /// Nothing came from the peer for `for_ms` (told once, again after media resumed).
    Silent {
        /// The leg.
        leg: LegKey,
        /// How long.
        for_ms: u32,
    },
    /// The leg does not work.
    Failed {
        /// The leg.
        leg: LegKey,
        /// Why.
        why: LegFailure,
    },
    /// A prompt is missing or unreadable.
    PromptMissing {
        /// Who should have heard it.
        leg: LegKey,
        /// Its name and language.
        name: String,
    },
    /// Final counts of a destroyed leg.
    Counters {
        /// The leg.
        leg: LegKey,
        /// Its life in numbers.
        counters: Counters,
    },
    /// The TDM highway of the box runs (true) or stopped (false); without it the tick goes on by timer.
    Highway {
        /// Whether its clock leads the tick.
        running: bool,
    },
}

impl Report {
    /// The leg it is about, if it is about one.
    pub fn leg(&self) -> Option<LegKey> {
        match self {
            Report::Digit { leg, .. }
            | Report::PlayDone { leg, .. }
            | Report::Silent { leg, .. }
            | Report::Failed { leg, .. }
            | Report::PromptMissing { leg, .. }
            | Report::Counters { leg, .. } => Some(*leg),
            Report::Highway { .. } => None,
        }
    }
}
