//! The leg events that the box stored, beside those that a replay comes to: found by number, read in runs.

use pbx::event::LegEvent;
use pbxd::store::StoreError;
use pbxd::store::read::Reader;
use std::collections::BTreeMap;

/// Rows read at once.
const RUN: u64 = 4_096;

/// The stored rows.
pub struct Rows {
    reader: Reader,
    /// Rows of the run at hand.
    run: BTreeMap<u64, LegEvent>,
    /// First number that the run does not cover, and the one it begins with.
    covers: (u64, u64),
    /// The oldest that retention has left; none when there is nothing at all.
    oldest: Option<u64>,
}

/// What the store says of an event that a replay came to.
#[derive(Clone, PartialEq, Debug)]
pub enum Stored {
    /// The same, byte for byte.
    Same,
    /// Another one has its number.
    Other(Box<LegEvent>),
    /// There are later ones, but not this one.
    Missing,
    /// Older than what is kept.
    Forgotten,
    /// Newer than what is committed: the box runs, or it died before it stored it.
    NotYet,
}

impl Rows {
    /// Over an open store.
    ///
    /// # Errors
    /// SQLite's.
    pub fn new(reader: Reader) -> Result<Rows, StoreError> {
        let oldest: Option<i64> =
            reader.connection().query_row("SELECT min(seq) FROM leg_event", [], |row| row.get(0))?;
        Ok(Rows { reader, run: BTreeMap::new(), covers: (0, 0), oldest: oldest.map(|seq| seq as u64) })
    }

    /// Compares one event.
    ///
    /// # Errors
    /// SQLite's, or a row that this build cannot read.
    pub fn compare(&mut self, event: &LegEvent) -> Result<Stored, StoreError> {
        if self.oldest.is_some_and(|oldest| event.seq < oldest) {
            return Ok(Stored::Forgotten);
        }
        match self.row(event.seq)? {
            Some(row) if same(row, event) => return Ok(Stored::Same),
            Some(row) => return Ok(Stored::Other(Box::new(row.clone()))),
            None => {}
        }
        if event.seq > self.reader.last_seq()? {
            return Ok(Stored::NotYet);
        }
        // The box may have committed it between the two questions.
        Ok(match self.reader.events_between(event.seq, event.seq + 1)?.pop() {
            Some(row) if same(&row, event) => Stored::Same,
            Some(row) => Stored::Other(Box::new(row)),
            None => Stored::Missing,
        })
    }

    fn row(&mut self, seq: u64) -> Result<Option<&LegEvent>, StoreError> {
        let (from, to) = self.covers;
        if !(from..to).contains(&seq) {
            let rows = self.reader.events_between(seq, seq + RUN)?;
            // Beyond the last row more may come: only what was seen is covered.
            self.covers = (seq, rows.last().map_or(seq, |last| last.seq + 1));
            self.run = rows.into_iter().map(|row| (row.seq, row)).collect();
        }
        Ok(self.run.get(&seq))
    }

    /// Rows from `seq` on that the box wrote at the moment `at`, as many as there are up to `max`.
    ///
    /// # Errors
    /// As for [`Rows::compare`].
    pub fn at_moment(&self, seq: u64, at: base::time::Instant, max: u64) -> Result<Vec<LegEvent>, StoreError> {
        let rows = self.reader.events_between(seq, seq + max)?;
        Ok(rows.into_iter().take_while(|row| row.at == at).collect())
    }

    /// The store, for ladders.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

fn same(one: &LegEvent, other: &LegEvent) -> bool {
    match (postcard::to_allocvec(one), postcard::to_allocvec(other)) {
        (Ok(one), Ok(other)) => one == other,
        // What cannot be written down is the same as nothing.
        (Ok(_) | Err(_), _) => false,
    }
}
