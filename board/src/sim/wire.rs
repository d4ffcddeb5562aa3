//! Messages on the world's sockets. `spi.sock`, `panel.sock` and `tdm.sock` are `SOCK_SEQPACKET`: one message, one record.
//! Numbers are little-endian.
//!
//! SPI: request `[card, chip select, MOSI …]`, answer `[0, MISO …]` of the same length, or `[1]` for a request that
//! makes no sense. A chip select without a chip reads as an undriven bus, all ones.
//!
//! Panel: `[PANEL_SPI, MOSI …]` to the display, `[PANEL_I2C, address, bytes to read, written …]` to the expander,
//! `[PANEL_PIN, pin, level]` for a pin of the box; answer `[0, MISO or bytes read …]`, `[2]` when nobody acknowledged, or
//! `[1]`. The display drives no MISO: its bytes read as ones.
//!
//! TDM: the client says hello with direction and card, the world welcomes or refuses it with a text; then see
//! [`ToWorld`] and [`ToClient`].

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

/// SPI transactions.
pub const SPI_SOCKET: &str = "spi.sock";
/// Transactions with the front panel.
pub const PANEL_SOCKET: &str = "panel.sock";
/// TDM periods.
pub const TDM_SOCKET: &str = "tdm.sock";
/// Text commands, a stream of lines.
pub const CONTROL_SOCKET: &str = "control.sock";
/// Most MOSI bytes of one transaction.
pub const SPI_BYTES_MAX: usize = 64;
/// First byte of a good SPI answer.
pub const SPI_OK: u8 = 0;
/// The whole SPI answer to nonsense.
pub const SPI_MALFORMED: u8 = 1;
/// The whole I2C answer when nobody acknowledged.
pub const I2C_NO_ACKNOWLEDGE: u8 = 2;
/// First byte of a panel request: SPI transaction with the display.
pub const PANEL_SPI: u8 = b'S';
/// First byte of a panel request: I2C transfer.
pub const PANEL_I2C: u8 = b'I';
/// First byte of a panel request: level of a pin.
pub const PANEL_PIN: u8 = b'P';
/// Longest panel request: a quarter of a picture and its head.
pub const PANEL_BYTES_MAX: usize = 2_048 + 8;
/// Most bytes read in one I2C transfer.
pub const I2C_READ_MAX: u8 = 32;

/// Channels of a highway.
pub const CHANNELS: usize = 8;
/// Frames of a period: 20 ms at 8 kHz.
pub const PERIOD_FRAMES: usize = 160;
/// Samples of a period, interleaved.
pub const PERIOD_SAMPLES: usize = CHANNELS * PERIOD_FRAMES;
/// Bytes of a period.
pub const PERIOD_BYTES: usize = 2 * PERIOD_SAMPLES;
/// Longest message on the TDM socket.
pub const TDM_BYTES_MAX: usize = 16 + PERIOD_BYTES;

/// One period of a highway, interleaved S16.
pub type Period = [i16; PERIOD_SAMPLES];

/// Nothing but silence.
pub const SILENCE: Period = [0; PERIOD_SAMPLES];

/// Which way the samples go, seen from the box.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Lines to box.
    Capture,
    /// Box to lines.
    Playback,
}

/// From the sound system's plugin.
#[derive(Clone, PartialEq, Debug)]
pub enum ToWorld {
    /// First message of a connection.
    Hello {
        /// Its one direction.
        direction: Direction,
        /// Slot of the card.
        card: u8,
    },
    /// Let the pointer run from the next period on; answers name `run`.
    Start {
        /// Tells this run's answers from those of an earlier one.
        run: u32,
    },
    /// Hold the pointer and forget what was queued.
    Stop,
    /// One period to play after those already queued.
    Play(Box<Period>),
}

/// From the world.
#[derive(Clone, PartialEq, Debug)]
pub enum ToClient {
    /// Taken; `period` is the number of the current period.
    Welcome {
        /// Number of the current period.
        period: u64,
    },
    /// Not taken, with the reason; the connection ends.
    Refused(String),
    /// The pointer moves on by one period.
    Tick {
        /// From the `Start`.
        run: u32,
        /// Number of the period that has just passed.
        period: u64,
        /// What the lines said in it; only for capture.
        samples: Option<Box<Period>>,
    },
}

const MAGIC: &[u8; 8] = b"cordtdm1";
const KIND_START: u8 = 1;
const KIND_STOP: u8 = 2;
const KIND_PLAY: u8 = 3;
const KIND_WELCOME: u8 = 4;
const KIND_REFUSED: u8 = 5;
const KIND_TICK: u8 = 6;

impl ToWorld {
    /// As one message.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            ToWorld::Hello { direction, card } => {
                let mut out = MAGIC.to_vec();
                out.extend([u8::from(*direction == Direction::Playback), *card]);
                out
            }
            ToWorld::Start { run } => [&[KIND_START][..], &run.to_le_bytes()].concat(),
            ToWorld::Stop => vec![KIND_STOP],
            ToWorld::Play(period) => {
                let mut out = vec![KIND_PLAY];
                put_period(&mut out, period);
                out
            }
        }
    }

    /// From one message; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<ToWorld> {
        if let Some(rest) = bytes.strip_prefix(MAGIC) {
            return match rest {
                [0, card] => Some(ToWorld::Hello { direction: Direction::Capture, card: *card }),
                [1, card] => Some(ToWorld::Hello { direction: Direction::Playback, card: *card }),
                _ => None,
            };
        }
        match bytes {
            [KIND_START, run @ ..] => Some(ToWorld::Start { run: u32::from_le_bytes(run.try_into().ok()?) }),
            [KIND_STOP] => Some(ToWorld::Stop),
            [KIND_PLAY, samples @ ..] => Some(ToWorld::Play(get_period(samples)?)),
            _ => None,
        }
    }
}

impl ToClient {
    /// As one message.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            ToClient::Welcome { period } => [&[KIND_WELCOME][..], &period.to_le_bytes()].concat(),
            ToClient::Refused(text) => [&[KIND_REFUSED][..], text.as_bytes()].concat(),
            ToClient::Tick { run, period, samples } => {
                let mut out = [&[KIND_TICK][..], &run.to_le_bytes(), &period.to_le_bytes()].concat();
                if let Some(samples) = samples {
                    put_period(&mut out, samples);
                }
                out
            }
        }
    }

    /// From one message; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<ToClient> {
        match bytes {
            [KIND_WELCOME, period @ ..] => {
                Some(ToClient::Welcome { period: u64::from_le_bytes(period.try_into().ok()?) })
            }
            [KIND_REFUSED, text @ ..] => Some(ToClient::Refused(String::from_utf8_lossy(text).into_owned())),
            [KIND_TICK, rest @ ..] => {
                let (run, rest) = rest.split_first_chunk()?;
                let (period, rest) = rest.split_first_chunk()?;
                let samples = if rest.is_empty() { None } else { Some(get_period(rest)?) };
                Some(ToClient::Tick { run: u32::from_le_bytes(*run), period: u64::from_le_bytes(*period), samples })
            }
            _ => None,
        }
    }
}

fn put_period(out: &mut Vec<u8>, period: &Period) {
    out.extend(period.iter().flat_map(|sample| sample.to_le_bytes()));
}

fn get_period(bytes: &[u8]) -> Option<Box<Period>> {
    if bytes.len() != PERIOD_BYTES {
        return None;
    }
    let mut period = Box::new(SILENCE);
    for (sample, pair) in period.iter_mut().zip(bytes.chunks_exact(2)) {
        *sample = i16::from_le_bytes([pair[0], pair[1]]);
    }
    Some(period)
}

/// Connects to a `SOCK_SEQPACKET` socket. Connecting, reading and writing give up after `patience`. The stream type of
/// the standard library carries it: each read and write is one message.
pub fn connect_seqpacket(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let fd = socket::socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None)?;
    let limit = TimeVal::microseconds(patience.as_micros() as i64);
    socket::setsockopt(&fd, sockopt::SendTimeout, &limit)?;
    socket::setsockopt(&fd, sockopt::ReceiveTimeout, &limit)?;
    socket::connect(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(UnixStream::from(fd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_went() {
        let mut period = Box::new(SILENCE);
        period.iter_mut().enumerate().for_each(|(i, s)| *s = i as i16 - 640);
        for message in [
            ToWorld::Hello { direction: Direction::Playback, card: 3 },
            ToWorld::Start { run: 77 },
            ToWorld::Stop,
            ToWorld::Play(period.clone()),
        ] {
            assert_eq!(ToWorld::from_bytes(&message.to_bytes()), Some(message));
        }
        for message in [
            ToClient::Welcome { period: 1 << 40 },
            ToClient::Refused("busy".into()),
            ToClient::Tick { run: 1, period: 2, samples: None },
            ToClient::Tick { run: 1, period: 2, samples: Some(period) },
        ] {
            let bytes = message.to_bytes();
            assert!(bytes.len() <= TDM_BYTES_MAX);
            assert_eq!(ToClient::from_bytes(&bytes), Some(message));
        }
    }

    #[test]
    fn nonsense_is_no_message() {
        for bytes in [&b""[..], b"\0", b"cordtdm1", b"cordtdm1\x02\x01", b"\x01abc", b"\x03short", b"\xFF\xFF"] {
            assert_eq!(ToWorld::from_bytes(bytes), None);
            assert_eq!(ToClient::from_bytes(bytes), None);
        }
    }
}
