//! A store that only keeps what it must compare: rows are durable after a while, in groups; the same row may come
//! again after a restart, but it must be the same row.

use pbx::event::LegEvent;
use std::collections::BTreeMap;

/// Rows are made durable in groups, this long after the first.
pub const COMMIT_US: u64 = 50_000;

/// The store.
#[derive(Debug, Default)]
pub struct FakeStore {
    recent: BTreeMap<u64, LegEvent>,
    last: Option<u64>,
    commit_planned: bool,
}

/// What became of a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Kept {
    /// The next one; true when a commit is to be planned.
    New(bool),
    /// Known already, and the same.
    Again,
    /// It should not be here.
    Wrong(String),
}

impl FakeStore {
    /// Takes a row.
    pub fn keep(&mut self, row: &LegEvent) -> Kept {
        if let Some(known) = self.recent.get(&row.seq) {
            let same = known == row;
            return if same { Kept::Again } else { Kept::Wrong(format!("row {} came twice, changed", row.seq)) };
        }
        if let Some(last) = self.last.filter(|last| row.seq != last + 1) {
            return Kept::Wrong(format!("row {} after row {last}", row.seq));
        }
        self.last = Some(row.seq);
        self.recent.insert(row.seq, row.clone());
        if self.recent.len() > 1_000 {
            self.recent.pop_first();
        }
        Kept::New(!std::mem::replace(&mut self.commit_planned, true))
    }

    /// Makes everything durable and says up to which row.
    pub fn commit(&mut self) -> Option<u64> {
        self.commit_planned = false;
        self.last
    }

    /// Rows so far.
    pub fn last(&self) -> Option<u64> {
        self.last
    }
}
