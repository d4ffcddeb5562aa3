//! What the journal holds for one moment of the past: which rows to fold for the state at that moment, found through
//! indices and not by reading everything before it. Only finds rows; what they mean is [`crate::story::state`]'s.

use base::id::Uid;
use base::time::Wall;
use pbx::commit::Label;
use pbx::event::LegEvent;
use rusqlite::{OptionalExtension, Row};

use super::read::Reader;
use super::{ConfigCommit, StoreError};

/// The rows from which the state at one moment follows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Moment {
    /// The last row at or before the moment; none when nothing had been written yet.
    pub last: Option<LegEvent>,
    /// The last state of each agent.
    pub agents: Vec<LegEvent>,
    /// All rows, up to the moment, of all calls that lived at it.
    pub calls: Vec<LegEvent>,
}

impl Moment {
    /// All rows in the order in which they were written.
    pub fn rows(&self) -> Vec<&LegEvent> {
        let mut rows: Vec<&LegEvent> = self.agents.iter().chain(&self.calls).collect();
        rows.sort_by_key(|row| row.seq);
        rows
    }
}

/// Live calls at row `?1`, newest first: as many as have begun and not ended. Calls begin in the order of rows and are
/// short, so walking back from the moment meets all of them soon.
const BEGAN: &str = "SELECT b.call_id FROM leg_event b INDEXED BY leg_event_began WHERE b.kind = 'CallBegan' AND b.seq <= ?1 AND NOT EXISTS
  (SELECT 1 FROM leg_event e WHERE e.kind = 'CallEnded' AND e.call_id = b.call_id AND e.seq <= ?1)
  ORDER BY b.seq DESC LIMIT
   (SELECT count(*) FROM leg_event WHERE kind = 'CallBegan' AND seq <= ?1)
   - (SELECT count(*) FROM leg_event WHERE kind = 'CallEnded' AND seq <= ?1)";

/// The row with which each agent entered the state that it had at row `?1`: from name to name in the index, then back
/// to the last row of each that is not the extension of a wrap-up.
const AGENTS: &str = "WITH RECURSIVE agent(id) AS (
    SELECT min(json_extract(detail_json, '$.agent')) FROM leg_event INDEXED BY leg_event_by_agent
      WHERE kind = 'AgentState'
    UNION ALL
    SELECT (SELECT min(json_extract(detail_json, '$.agent')) FROM leg_event INDEXED BY leg_event_by_agent
      WHERE kind = 'AgentState' AND json_extract(detail_json, '$.agent') > agent.id) FROM agent WHERE id IS NOT NULL)
  SELECT (SELECT seq FROM leg_event INDEXED BY leg_event_by_agent
    WHERE kind = 'AgentState' AND json_extract(detail_json, '$.agent') = agent.id AND seq <= ?1
      AND json_extract(detail_json, '$.from') <> json_extract(detail_json, '$.to') ORDER BY seq DESC LIMIT 1)
  FROM agent WHERE id IS NOT NULL";

/// Columns of [`commit_of`] but the text.
const COMMIT_HEAD: &str = "number, wall_ms, author, origin, comment, hash, until_ms, back_to";
/// Columns of [`commit_of`].
const COMMIT: &str = "number, wall_ms, author, origin, comment, hash, until_ms, back_to, text";

fn commit_of(row: &Row<'_>) -> rusqlite::Result<ConfigCommit> {
    let (until, back): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(ConfigCommit {
        number: row.get::<_, i64>(0)? as u64,
        wall_ms: row.get(1)?,
        label: Label { author: row.get(2)?, origin: row.get(3)?, comment: row.get(4)? },
        hash: row.get(5)?,
        unconfirmed: until.zip(back).map(|(until, back)| (until, back as u64)),
        text: row.get(8)?,
    })
}

impl Reader {
    /// Everything that the state at `wall` follows from.
    pub fn moment(&self, wall: Wall) -> Result<Moment, StoreError> {
        let Some(last) = self.seq_at(wall)? else { return Ok(Moment::default()) };
        let mut moment = Moment { last: self.events_between(last, last + 1)?.pop(), ..Moment::default() };
        let mut agents = self.connection().prepare(AGENTS)?;
        let agents: Vec<Option<i64>> = agents.query_map([last as i64], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for seq in agents.into_iter().flatten() {
            moment.agents.extend(self.events_between(seq as u64, seq as u64 + 1)?);
        }
        for call in self.live_calls(last)? {
            moment.calls.extend(self.call_events_until(call, last)?);
        }
        Ok(moment)
    }

    /// The last row at or before `wall`. Rows stand in the order of the monotonic clock; where the wall clock was set
    /// back in between, one of the moments that show that time is found.
    fn seq_at(&self, wall: Wall) -> Result<Option<u64>, StoreError> {
        // Two queries: both ends in one make SQLite read the whole table.
        let ends = "SELECT (SELECT min(seq) FROM leg_event), (SELECT max(seq) FROM leg_event)";
        let (first, last): (Option<i64>, Option<i64>) =
            self.connection().query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(mut low), Some(mut high)) = (first, last) else { return Ok(None) };
        let mut of_row = self
            .connection()
            .prepare("SELECT seq, wall_ms FROM leg_event WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1")?;
        let mut found = None;
        while low <= high {
            let middle = low + (high - low) / 2;
            let (seq, wall_ms): (i64, i64) = of_row.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if wall_ms <= wall.as_millis() {
                found = Some(seq as u64);
                low = middle + 1;
            } else {
                high = seq - 1;
            }
        }
        Ok(found)
    }

    /// Calls that had begun and not ended, oldest first.
    fn live_calls(&self, seq: u64) -> Result<Vec<Uid>, StoreError> {
        let mut statement = self.connection().prepare(BEGAN)?;
        let ids: Vec<String> = statement.query_map([seq as i64], |row| row.get(0))?.collect::<Result<_, _>>()?;
        ids.iter().rev().map(|id| super::main_db::parse_uid(id)).collect()
    }

    /// The configuration commits that were in force between two moments, oldest first.
    pub fn commits_between(&self, from: Wall, to: Wall) -> Result<Vec<ConfigCommit>, StoreError> {
        let mut statement = self.connection().prepare(&format!(
            "SELECT {COMMIT} FROM config_commit
             WHERE wall_ms <= ?2 AND number >= coalesce(
               (SELECT max(number) FROM config_commit WHERE wall_ms <= ?1), 0) ORDER BY number"
        ))?;
        let commits = statement.query_map([from.as_millis(), to.as_millis()], commit_of)?;
        Ok(commits.collect::<Result<_, _>>()?)
    }

    /// One commit; none when there is no such number.
    pub fn commit(&self, number: u64) -> Result<Option<ConfigCommit>, StoreError> {
        let query = format!("SELECT {COMMIT} FROM config_commit WHERE number = ?1");
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        Ok(self.connection().query_row(&query, [number], commit_of).optional()?)
    }

    /// The newest commits, newest first, without their texts.
    pub fn commits(&self, limit: u32) -> Result<Vec<ConfigCommit>, StoreError> {
        let query = format!("SELECT {COMMIT_HEAD}, '' FROM config_commit ORDER BY number DESC LIMIT ?1");
        let mut statement = self.connection().prepare(&query)?;
        let commits = statement.query_map([limit], commit_of)?;
        Ok(commits.collect::<Result<_, _>>()?)
    }

    /// The newest commit.
    pub fn last_commit(&self) -> Result<Option<ConfigCommit>, StoreError> {
        let query = format!("SELECT {COMMIT} FROM config_commit ORDER BY number DESC LIMIT 1");
        Ok(self.connection().query_row(&query, [], commit_of).optional()?)
    }

    /// Hash of the newest commit that a file brought.
    pub fn last_file_hash(&self) -> Result<Option<String>, StoreError> {
        let query =
            "SELECT coalesce((SELECT hash FROM config_commit WHERE origin = 'file' ORDER BY number DESC LIMIT 1),
            (SELECT value FROM meta WHERE name = 'file_hash'))";
        Ok(self.connection().query_row(query, [], |row| row.get(0))?)
    }

    /// Number of the commit that was kept for when nothing else helps.
    pub fn rescue(&self) -> Result<Option<u64>, StoreError> {
        let query = "SELECT value FROM meta WHERE name = 'rescue'";
        let number: Option<Option<i64>> = self.connection().query_row(query, [], |row| row.get(0)).optional()?;
        Ok(number.flatten().map(|number| number as u64))
    }

    /// The newest call for which an agent was chosen; none when there is no such call.
    pub fn last_call_offered(&self) -> Result<Option<Uid>, StoreError> {
        let id: Option<String> = self
            .connection()
            .query_row(
                "SELECT b.call_id FROM leg_event b WHERE b.kind = 'CallBegan' AND EXISTS
               (SELECT 1 FROM leg_event o WHERE o.call_id = b.call_id AND o.kind = 'Offered')
             ORDER BY b.seq DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()?;
        id.map(|id| super::main_db::parse_uid(&id)).transpose()
    }

    /// Up to two calls whose identity begins with `prefix` (upper case): enough to see whether it means one.
    pub fn calls_with_prefix(&self, prefix: &str) -> Result<Vec<Uid>, StoreError> {
        let mut next = self.connection().prepare(
            "SELECT call_id FROM leg_event WHERE call_id IS NOT NULL AND call_id > ?1 ORDER BY call_id, seq LIMIT 1",
        )?;
        // Every identity that begins with the prefix sorts behind what is one shorter.
        let mut after = prefix.to_string();
        let mut found = Vec::new();
        if let Ok(whole) = prefix.parse() {
            let known = !self.call_events(whole)?.is_empty();
            return Ok(known.then_some(whole).into_iter().collect());
        }
        while found.len() < 2 {
            let id: Option<String> = next.query_row([&after], |row| row.get(0)).optional()?;
            let Some(id) = id.filter(|id| id.starts_with(prefix)) else { break };
            found.push(super::main_db::parse_uid(&id)?);
            after = id;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MainDb, Options, Request};
    use base::time::Instant;
    use pbx::commit::{CommitRow, CommitText};
    use pbx::event::Detail;
    use std::path::PathBuf;

    struct Bench {
        dir: PathBuf,
        db: MainDb,
    }

    impl Drop for Bench {
        fn drop(&mut self) {
            // A directory that stays behind does no harm.
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }

    fn bench(name: &str) -> Bench {
        let dir = std::env::temp_dir().join(format!("cordboard-at-{name}-{}", std::process::id()));
        let db = MainDb::open(&Options::new(&dir)).unwrap();
        Bench { dir, db }
    }

    impl Bench {
        fn row(&mut self, seq: u64, wall_ms: i64, call: Option<u128>, detail: Detail) {
            let (at, wall) = (Instant::from_micros(seq), Wall::from_millis(wall_ms));
            let call = call.map(Uid);
            self.db.queue(Request::Leg(LegEvent { seq, at, wall, call, leg: None, actor: String::new(), detail }));
        }

        fn reader(&mut self) -> Reader {
            self.db.commit().unwrap();
            Reader::open(&Options::new(&self.dir)).unwrap()
        }
    }

    fn began() -> Detail {
        Detail::CallBegan { caller: "1".into(), called: "2".into(), origin: "line 1/1".into() }
    }

    fn ended() -> Detail {
        Detail::CallEnded { by: "caller".into(), disposition: "ANSWERED".into() }
    }

    fn state(agent: &str, to: &str) -> Detail {
        let (agent, from, to) = (agent.into(), "logged-out".into(), to.into());
        Detail::AgentState { agent, from, to, why: String::new(), phone: String::new() }
    }

    #[test]
    fn a_moment_has_the_live_calls_and_the_last_state_of_each_agent() {
        let mut bench = bench("moment");
        bench.row(1, 100, None, state("1001", "ready"));
        bench.row(2, 110, Some(1), began());
        bench.row(3, 120, Some(2), began());
        bench.row(4, 130, None, state("1002", "ready"));
        bench.row(5, 140, Some(1), ended());
        bench.row(6, 150, None, state("1001", "talking"));
        bench.row(7, 160, Some(2), ended());
        let reader = bench.reader();
        let numbers = |wall_ms| {
            let moment = reader.moment(Wall::from_millis(wall_ms)).unwrap();
            moment.rows().iter().map(|row| row.seq).collect::<Vec<_>>()
        };
        assert_eq!(reader.moment(Wall::from_millis(99)).unwrap(), Moment::default());
        assert_eq!(numbers(100), [1]);
        assert_eq!(numbers(139), [1, 2, 3, 4]);
        assert_eq!(numbers(145), [1, 3, 4]);
        assert_eq!(numbers(1_000_000), [4, 6]);
    }

    #[test]
    fn a_wall_clock_that_was_set_back_shows_one_of_the_moments_of_that_time() {
        let mut bench = bench("clock");
        let walls = [10, 20, 30, 15, 16, 25, 40];
        for (seq, wall_ms) in (1..).zip(walls) {
            bench.row(seq, wall_ms, None, Detail::Answered);
        }
        let reader = bench.reader();
        for wall_ms in 10..45 {
            let seq = reader.seq_at(Wall::from_millis(wall_ms)).unwrap().unwrap() as usize;
            assert!(walls[seq - 1] <= wall_ms, "{wall_ms}: row {seq}");
            assert!(walls.get(seq).is_none_or(|next| *next > wall_ms), "{wall_ms}: row {seq}");
        }
    }

    #[test]
    fn a_call_is_found_by_how_it_begins() {
        let mut bench = bench("prefix");
        let of = |ms: i64, chance: u128| Uid::new(Wall::from_millis(ms), chance);
        let calls = [of(1 << 40, 1), of(1 << 40, u128::MAX), of(1 << 41, 5)];
        for (seq, call) in (1..).zip(calls) {
            bench.row(seq * 2, 1, Some(call.0), began());
            bench.row(seq * 2 + 1, 1, Some(call.0), ended());
        }
        let reader = bench.reader();
        let found = |prefix: &str| reader.calls_with_prefix(prefix).unwrap();
        let text = calls.map(|call| call.to_string());
        assert_eq!(found(&text[2][..4]), [calls[2]]);
        assert_eq!(found(&text[0][..10]), [calls[0], calls[1]]);
        assert_eq!(found(&text[1]), [calls[1]]);
        assert!(found(&of(1, 1).to_string()).is_empty());
        assert!(found("ZZ").is_empty());
    }

    #[test]
    fn the_commits_in_force_are_found() {
        let mut bench = bench("commits");
        for (number, wall_ms) in [(1, 100), (2, 200), (3, 300)] {
            let (wall, label, text) = (Wall::from_millis(wall_ms), Label::default(), CommitText::New("".into()));
            bench.db.queue(Request::Commit(CommitRow { number, wall, label, text, unconfirmed: None }));
        }
        let reader = bench.reader();
        let found = |from, to| {
            let commits = reader.commits_between(Wall::from_millis(from), Wall::from_millis(to)).unwrap();
            commits.into_iter().map(|commit| commit.number).collect::<Vec<_>>()
        };
        assert!(found(50, 60).is_empty());
        assert_eq!(found(50, 100), [1]);
        assert_eq!(found(150, 250), [1, 2]);
        assert_eq!(found(300, 900), [3]);
    }

    #[test]
    fn indices_lead_to_the_rows() {
        let reader = bench("indices").reader();
        let plan = |query: &str| {
            let mut statement = reader.connection().prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let lines = statement.query_map([5], |row| row.get::<_, String>(3)).unwrap();
            lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
        };
        let (calls, agents) = (plan(BEGAN), plan(AGENTS));
        assert!(calls.contains("leg_event_ended") && calls.contains("COVERING INDEX leg_event_began"), "{calls}");
        assert!(agents.matches("leg_event_by_agent").count() >= 3, "{agents}");
        assert!(!agents.contains("SCAN leg_event "), "{agents}");
    }
}
