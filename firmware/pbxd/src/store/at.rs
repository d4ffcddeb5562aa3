//! What the journal holds for one moment of the past: which rows to fold for the state at that moment, found through
//! indices and not by reading everything before it. Only finds rows; what they mean is [`crate::story::state`]'s.

use base::id::Uid;
use base::time::Wall;
use pbx::event::LegEvent;
use rusqlite::OptionalExtension;

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
const BEGAN: &str = "SELECT b.call_id FROM leg_event b WHERE b.kind = 'CallBegan' AND b.seq <= ?1 AND NOT EXISTS
  (SELECT 1 FROM leg_event e WHERE e.kind = 'CallEnded' AND e.call_id = b.call_id AND e.seq <= ?1)
  ORDER BY b.seq DESC LIMIT
   (SELECT count(*) FROM leg_event WHERE kind = 'CallBegan' AND seq <= ?1)
   - (SELECT count(*) FROM leg_event WHERE kind = 'CallEnded' AND seq <= ?1)";

/// The last `AgentState` of each agent up to row `?1`: from name to name in the index, then to the last row of each.
const AGENTS: &str = "WITH RECURSIVE agent(id) AS (
    SELECT min(json_extract(detail_json, '$.agent')) FROM leg_event WHERE kind = 'AgentState'
    UNION ALL
    SELECT (SELECT min(json_extract(detail_json, '$.agent')) FROM leg_event
      WHERE kind = 'AgentState' AND json_extract(detail_json, '$.agent') > agent.id) FROM agent WHERE id IS NOT NULL)
  SELECT (SELECT max(seq) FROM leg_event
    WHERE kind = 'AgentState' AND json_extract(detail_json, '$.agent') = agent.id AND seq <= ?1)
  FROM agent WHERE id IS NOT NULL";

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
        let first = "SELECT min(seq), max(seq) FROM leg_event";
        let (first, last): (Option<i64>, Option<i64>) =
            self.connection().query_row(first, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
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
        let mut statement = self.connection().prepare(
            "SELECT number, wall_ms, author, comment, hash, text FROM config_commit
             WHERE wall_ms <= ?2 AND number >= coalesce(
               (SELECT max(number) FROM config_commit WHERE wall_ms <= ?1), 0) ORDER BY number",
        )?;
        let commits = statement.query_map([from.as_millis(), to.as_millis()], |row| {
            Ok(ConfigCommit {
                number: row.get::<_, i64>(0)? as u64,
                wall_ms: row.get(1)?,
                author: row.get(2)?,
                comment: row.get(3)?,
                hash: row.get(4)?,
                text: row.get(5)?,
            })
        })?;
        Ok(commits.collect::<Result<_, _>>()?)
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
