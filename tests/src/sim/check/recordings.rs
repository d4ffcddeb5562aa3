//! Recordings: each is opened once and closed once, only open ones are written, and their length is the time between.

use super::Findings;
use base::id::Uid;
use base::media::Command;
use pbx::door::RecordingChange;
use std::collections::BTreeMap;

/// All recordings: when opened, and whether closed.
#[derive(Debug, Default)]
pub struct Recordings {
    books: BTreeMap<Uid, (u64, bool)>,
}

impl Recordings {
    /// A recording opens or closes.
    pub fn change(&mut self, now_us: u64, change: &RecordingChange, found: &mut Findings) {
        match change {
            RecordingChange::Open { recording, .. } => {
                if self.books.insert(*recording, (now_us, false)).is_some() {
                    found.push(format!("recording {recording} opened twice"));
                }
            }
            RecordingChange::Close { recording, samples } => match self.books.get_mut(recording) {
                Some((opened_us, closed)) if !*closed => {
                    *closed = true;
                    let lasted_us = now_us - *opened_us;
                    if lasted_us.abs_diff(samples * 125) > 1_000 {
                        found.push(format!("recording {recording} has {samples} samples, lasted {lasted_us} us"));
                    }
                }
                Some(_) => found.push(format!("recording {recording} closed twice")),
                None => found.push(format!("recording {recording} closed, but never opened")),
            },
            // Only a state that was lost leaves recordings without their end, and this world loses none.
            RecordingChange::Lost { recording } => found.push(format!("recording {recording} is given up as lost")),
        }
    }

    /// A tap into a recording needs an open one.
    pub fn command(&mut self, command: &Command, found: &mut Findings) {
        if let Command::RecordStart { recording, leg, .. } = command
            && !matches!(self.books.get(recording), Some((_, false)))
        {
            found.push(format!("{leg:?} speaks into recording {recording}, which is not open"));
        }
    }

    /// The end: all are closed.
    pub fn finish(&self, found: &mut Findings) {
        for (uid, (opened_us, closed)) in &self.books {
            if !closed {
                found.push(format!("recording {uid}, opened at {opened_us} us, was never closed"));
            }
        }
    }
}
