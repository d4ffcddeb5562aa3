//! Which input killed the program? A file of a few bytes that outlives the program (not a power cut, which proves
//! nothing against an input) says where recovery stood. From it and the end of the journal follows whom to suspect.
//!
//! A death in normal work makes the last control turn of the journal the suspect. If recovery dies at a suspect, it has killed
//! twice and is set aside; if the program dies there even so, the state is not to be saved. Somebody's `kill -9` at two different places
//! accuses two different inputs once each, which is no proof.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::JournalError;

/// Recovery runs, but no input was entered yet.
const LOADING: u64 = u64::MAX;
/// No recovery runs.
const IDLE: u64 = 0;
const FILE_BYTES: usize = 36;
/// Deaths of recovery in a row, at whatever inputs, after which the state counts as unusable.
const RECOVERY_DEATHS_MAX: u32 = 8;

/// What the file says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Cursor {
    /// [`IDLE`], [`LOADING`] or the number of the input that recovery entered last.
    pub entering: u64,
    /// The suspects: numbers of the first and last input. (0, 0) for none.
    pub suspects: (u64, u64),
    /// How often the program died at them.
    pub deaths: u32,
    /// Deaths since the program last worked normally.
    pub in_a_row: u32,
}

/// What recovery is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Judgement {
    /// Replay everything.
    Replay,
    /// Replay, but set this input aside.
    SetAside(u64),
    /// Begin anew.
    Rebuild,
}

impl Cursor {
    /// What follows from the way the program ended. `last_turn` are the first and last input of the journal's last
    /// turn. Returns what to write down for the recovery that begins now.
    pub fn judge(self, clean_stop: bool, last_turn: Option<(u64, u64)>) -> (Cursor, Judgement) {
        let next = |suspects, deaths| Cursor { entering: LOADING, suspects, deaths, in_a_row: self.in_a_row + 1 };
        let last_seq = last_turn.map_or(0, |(_, last)| last);
        let cursor = match self.entering {
            IDLE if clean_stop => return (Cursor { entering: LOADING, ..Cursor::default() }, Judgement::Replay),
            IDLE => Cursor { in_a_row: 1, ..next(last_turn.unwrap_or_default(), 1) },
            LOADING => next(self.suspects, self.deaths),
            at if at > last_seq => next(last_turn.unwrap_or_default(), 1),
            at if (self.suspects.0..=self.suspects.1).contains(&at) => next((at, at), self.deaths + 1),
            at => next((at, at), 1),
        };
        let judgement = match cursor.deaths {
            _ if cursor.in_a_row >= RECOVERY_DEATHS_MAX => Judgement::Rebuild,
            0 | 1 => Judgement::Replay,
            2 => Judgement::SetAside(cursor.suspects.0),
            _ => Judgement::Rebuild,
        };
        (cursor, judgement)
    }

    fn to_bytes(self) -> [u8; FILE_BYTES] {
        let mut bytes = [0; FILE_BYTES];
        bytes[..8].copy_from_slice(&self.entering.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.suspects.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.suspects.1.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.deaths.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.in_a_row.to_le_bytes());
        let crc = crc32fast::hash(&bytes[8..32]);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// A damaged file accuses nobody.
    fn from_bytes(bytes: &[u8; FILE_BYTES]) -> Cursor {
        let u64_at = |at: usize| bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        let u32_at = |at: usize| bytes[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        if crc32fast::hash(&bytes[8..32]) != u32_at(32) {
            return Cursor::default();
        }
        Cursor { entering: u64_at(0), suspects: (u64_at(8), u64_at(16)), deaths: u32_at(24), in_a_row: u32_at(28) }
    }
}

/// The file of a [`Cursor`].
#[derive(Debug)]
pub(super) struct CursorFile {
    file: File,
}

impl CursorFile {
    /// Opens the file and reads what the last run left.
    pub fn open(path: &Path) -> Result<(CursorFile, Cursor), JournalError> {
        let failed = |error| JournalError::File { path: path.into(), error };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let mut bytes = [0; FILE_BYTES];
        let cursor = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Cursor::from_bytes(&bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Cursor::default(),
            Err(error) => return Err(failed(error)),
        };
        Ok((CursorFile { file }, cursor))
    }

    pub fn write(&self, cursor: Cursor) -> std::io::Result<()> {
        self.file.write_all_at(&cursor.to_bytes(), 0)
    }

    fn write_entering(&self, entering: u64) -> std::io::Result<()> {
        self.file.write_all_at(&entering.to_le_bytes(), 0)
    }
}

/// Notes where recovery stands, so that its death accuses the right input.
#[derive(Debug)]
pub struct Progress {
    pub(super) cursor: CursorFile,
}

impl Progress {
    /// To be called before each replayed input is handled: one write of 8 bytes, never synced.
    pub fn entering(&self, seq: u64) {
        // A failed write costs an accusation, not the recovery.
        let _ = self.cursor.write_entering(seq);
    }

    /// Recovery is over and the program works: nobody is suspected any more.
    pub fn finished(self) {
        let _ = self.cursor.write(Cursor::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of the program: each either dies in normal work, or in recovery at an input.
    fn live_death(last: u64) -> (Cursor, Judgement) {
        Cursor::default().judge(false, Some((last, last)))
    }
    fn dies_in_recovery(cursor: Cursor, at: u64, last: u64) -> (Cursor, Judgement) {
        Cursor { entering: at, ..cursor }.judge(false, Some((last, last)))
    }

    #[test]
    fn an_input_that_kills_twice_is_set_aside_and_a_third_death_gives_up() {
        let (cursor, judgement) = live_death(100);
        assert_eq!(judgement, Judgement::Replay);
        let (cursor, judgement) = dies_in_recovery(cursor, 100, 100);
        assert_eq!(judgement, Judgement::SetAside(100));
        let (_, judgement) = dies_in_recovery(cursor, 100, 100);
        assert_eq!(judgement, Judgement::Rebuild);
    }

    #[test]
    fn any_input_of_the_last_turn_is_suspect() {
        let (cursor, _) = Cursor::default().judge(false, Some((98, 100)));
        let (_, judgement) = dies_in_recovery(cursor, 98, 100);
        assert_eq!(judgement, Judgement::SetAside(98));
    }

    #[test]
    fn kills_at_different_places_prove_nothing() {
        let (cursor, _) = live_death(100);
        let (cursor, judgement) = dies_in_recovery(cursor, 40, 100);
        assert_eq!(judgement, Judgement::Replay);
        let (cursor, judgement) = dies_in_recovery(cursor, 70, 100);
        assert_eq!(judgement, Judgement::Replay);
        // It finished; a later kill in normal work starts from nothing.
        let (_, judgement) = Cursor { entering: IDLE, ..cursor }.judge(false, Some((70, 70)));
        assert_eq!(judgement, Judgement::Replay);
    }

    #[test]
    fn a_clean_stop_accuses_nobody_but_a_death_in_the_recovery_after_it_does() {
        let (cursor, judgement) = Cursor::default().judge(true, Some((5, 5)));
        assert_eq!((cursor.deaths, judgement), (0, Judgement::Replay));
        let (cursor, judgement) = Cursor { entering: 3, ..cursor }.judge(true, Some((5, 5)));
        assert_eq!(judgement, Judgement::Replay);
        let (_, judgement) = Cursor { entering: 3, ..cursor }.judge(true, Some((5, 5)));
        assert_eq!(judgement, Judgement::SetAside(3));
    }

    #[test]
    fn a_recovery_that_never_comes_through_gives_up() {
        let (mut cursor, mut judgement) = live_death(100);
        for at in 10..30 {
            if judgement == Judgement::Rebuild {
                assert!(cursor.in_a_row >= RECOVERY_DEATHS_MAX);
                return;
            }
            (cursor, judgement) = dies_in_recovery(cursor, at, 100);
        }
        panic!("still trying");
    }

    #[test]
    fn a_snapshot_that_kills_gives_up() {
        let (mut cursor, mut judgement) = live_death(100);
        for _ in 0..RECOVERY_DEATHS_MAX {
            (cursor, judgement) = Cursor { entering: LOADING, ..cursor }.judge(false, Some((100, 100)));
        }
        assert_eq!(judgement, Judgement::Rebuild);
    }

    #[test]
    fn a_damaged_cursor_accuses_nobody() {
        let cursor = Cursor { entering: 7, suspects: (7, 7), deaths: 1, in_a_row: 1 };
        let mut bytes = cursor.to_bytes();
        assert_eq!(Cursor::from_bytes(&bytes), cursor);
        bytes[9] ^= 1;
        assert_eq!(Cursor::from_bytes(&bytes), Cursor::default());
    }
}
