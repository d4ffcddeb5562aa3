//! What the SIPps of a load tell while they work, step by step, and the calls that come of it: who called when, was
//! answered, rang, talked, and who hung up. `tests/scenarios/load_caller.xml` and `load_phone.xml` write the lines.

use super::load_pattern::Heard;
use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// Who hung up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The one who tells.
    Himself,
    /// The box.
    Box,
}

/// One line of a SIPp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A caller dials; its audio is at this port.
    Begun(u32, u16),
    /// The box answered a caller; its audio is at this port.
    Met(u32, u16),
    /// The box refused a caller with this status code.
    Refused(u32, u16),
    /// A phone rings.
    Rings {
        /// Call of the phones' SIPp.
        ring: u32,
        /// `NNN` of the contact 3NNN.
        seat: u16,
        /// Port of the box.
        port: u16,
        /// Number of the caller.
        caller: u32,
        /// Call-ID of the leg.
        call_id: String,
    },
    /// A phone answered.
    Answered(u32),
    /// The box took the answer.
    Confirmed(u32),
    /// The box took the offer back while it rang.
    Withdrawn(u32),
    /// The box took it back, but the phone had answered already.
    TooLate(u32),
    /// A call is over.
    Over(u32, By),
}

impl Step {
    /// Of a line; none when it is none of ours.
    pub fn read(line: &str) -> Option<Step> {
        let mut words = line.split_whitespace();
        let (kind, number) = (words.next()?, words.next()?.parse().ok()?);
        let mut word = || words.next();
        Some(match kind {
            "B" => Step::Begun(number, word()?.parse().ok()?),
            "A" => Step::Met(number, word()?.parse().ok()?),
            "R" => Step::Refused(number, word()?.parse().ok()?),
            "I" => Step::Rings {
                ring: number,
                seat: word()?.parse().ok()?,
                port: word()?.parse().ok()?,
                caller: word()?.parse().ok()?,
                call_id: word()?.to_owned(),
            },
            "S" => Step::Answered(number),
            "U" => Step::Confirmed(number),
            "C" => Step::Withdrawn(number),
            "L" => Step::TooLate(number),
            "E" => Step::Over(number, if word()? == "self" { By::Himself } else { By::Box }),
            _ => return None,
        })
    }
}

/// The lines of a file that grows.
pub struct Tail {
    path: PathBuf,
    file: Option<File>,
    rest: Vec<u8>,
}

impl Tail {
    /// From the beginning; the file need not be there yet.
    pub fn new(path: PathBuf) -> Tail {
        Tail { path, file: None, rest: Vec::new() }
    }

    /// The whole lines that are new.
    pub fn lines(&mut self) -> Vec<String> {
        if self.file.is_none() {
            // Reading must not write the time of access: that may wait for whoever else writes to the disk.
            let noted = OFlag::O_NOATIME.bits();
            self.file = OpenOptions::new().read(true).custom_flags(noted).open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return Vec::new() };
        // What cannot be read now is read the next time.
        let _ = file.read_to_end(&mut self.rest);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

/// The audio of one leg as its phone had it.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    /// Frames sent to the box.
    pub sent: u32,
    /// Packets taken from the box.
    pub received: u32,
    /// Sequence numbers of the box that never came (RFC 3550 §A.3).
    pub lost: u32,
    /// Whom it heard.
    pub heard: Heard,
    expected: Option<u16>,
}

impl Ear {
    /// A packet of the box with this sequence number.
    pub fn took(&mut self, sequence: u16) {
        self.received += 1;
        let ahead = self.expected.map_or(0, |expected| sequence.wrapping_sub(expected));
        if ahead < 0x8000 {
            self.lost += u32::from(ahead);
            self.expected = Some(sequence.wrapping_add(1));
        } else {
            // One of those that were missed came late.
            self.lost = self.lost.saturating_sub(1);
        }
    }
}

/// One caller. Times count from the beginning of the load.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// It dialled.
    pub begun: Option<Duration>,
    /// Where its audio is.
    pub port: u16,
    /// The box answered.
    pub met: Option<Duration>,
    /// The box refused with this status code.
    pub refused: Option<u16>,
    /// A phone took the call; only then its person waits with more patience.
    pub served: Option<Duration>,
    /// It is over.
    pub over: Option<(Duration, By)>,
    /// Its audio.
    pub ear: Ear,
}

/// One offer at a phone. Times count from the beginning of the load.
#[derive(Clone, Debug)]
pub struct Ring {
    /// `NNN` of the contact 3NNN.
    pub seat: u16,
    /// Number of the caller.
    pub caller: u32,
    /// Call-ID of the leg.
    pub call_id: String,
    /// It began to ring.
    pub rang: Duration,
    /// The phone answered.
    pub answered: Option<Duration>,
    /// The box took the answer.
    pub confirmed: Option<Duration>,
    /// The box took the offer back while it rang.
    pub withdrawn: bool,
    /// It took it back after the answer.
    pub too_late: bool,
    /// It is over.
    pub over: Option<(Duration, By)>,
    /// Its audio.
    pub ear: Ear,
}

/// What a caller says in its frames.
pub fn voice_of_caller(number: u32) -> u32 {
    2 * number
}

/// What the phone of a ring says in its frames.
pub fn voice_of_ring(ring: u32) -> u32 {
    2 * ring + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_scenarios_are_read() {
        let ring = Step::Rings { ring: 3, seat: 1, port: 28010, caller: 7, call_id: "a@b".into() };
        assert_eq!(Step::read("I 3 001 28010 7 a@b"), Some(ring));
        assert_eq!(Step::read("E 3 box"), Some(Step::Over(3, By::Box)));
        assert_eq!(Step::read("R 3 503"), Some(Step::Refused(3, 503)));
        assert_eq!(Step::read("B 3"), None);
        assert_eq!(Step::read("The following events occurred:"), None);
    }

    #[test]
    fn a_line_that_is_half_written_waits_for_its_end() {
        let path = std::env::temp_dir().join(format!("cordboard-tail-{}", std::process::id()));
        let mut tail = Tail::new(path.clone());
        assert!(tail.lines().is_empty());
        std::fs::write(&path, "B 1 24000\nA 1 ").unwrap();
        assert_eq!(tail.lines(), ["B 1 24000"]);
        std::fs::write(&path, "B 1 24000\nA 1 28000\n").unwrap();
        assert_eq!(tail.lines(), ["A 1 28000"]);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn gaps_in_the_numbers_are_losses_until_they_come_late() {
        let mut ear = Ear::default();
        [65_534, 65_535, 2, 1, 3].into_iter().for_each(|sequence| ear.took(sequence));
        assert_eq!((ear.received, ear.lost), (5, 1));
    }
}
