//! The schema of the main database as numbered steps, and the views that are derived from the leg-event journal. A
//! database is brought to the newest version when it is opened; a newer one is refused.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// What this build writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Step `n` (from 0) leads from version `n` to `n + 1`. A released step is never changed.
const MIGRATIONS: [&str; 5] = [TABLES, RECORDING_HEADS, STATE_AT, CANDIDATE_TABLES, COMMIT_ORIGINS];

const TABLES: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE leg_event(
  seq INTEGER PRIMARY KEY,      -- gap-free
  ts_us INTEGER NOT NULL,       -- since boot of the machine
  wall_ms INTEGER NOT NULL,     -- UTC
  call_id TEXT, leg_id INTEGER,
  kind TEXT NOT NULL, actor TEXT NOT NULL, detail_json TEXT NOT NULL);
CREATE INDEX leg_event_by_call ON leg_event(call_id, seq) WHERE call_id IS NOT NULL;
CREATE INDEX leg_event_by_kind ON leg_event(kind, seq);
CREATE TABLE recording(
  id TEXT PRIMARY KEY, call_id TEXT, began_ms INTEGER NOT NULL,
  samples INTEGER NOT NULL DEFAULT 0, closed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX recording_by_call ON recording(call_id);
CREATE TABLE recording_key(
  recording TEXT NOT NULL, segment INTEGER NOT NULL, sealed_key BLOB NOT NULL,
  PRIMARY KEY(recording, segment)) WITHOUT ROWID;
CREATE TABLE config_commit(
  number INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL, author TEXT NOT NULL, comment TEXT NOT NULL,
  hash TEXT NOT NULL, text TEXT NOT NULL);
";

/// Where the chain over a recording's chunks ended: a recording that was cut short afterwards does not verify.
const RECORDING_HEADS: &str = "
ALTER TABLE recording ADD COLUMN chunks INTEGER;
ALTER TABLE recording ADD COLUMN chain_head BLOB;
";

/// What the state at a moment of the past is found by: the states of each agent, the ends of calls. Rows of earlier
/// versions get the fields that decisions and states have since.
const STATE_AT: &str = "
CREATE INDEX leg_event_by_agent ON leg_event(json_extract(detail_json, '$.agent'), seq) WHERE kind = 'AgentState';
CREATE INDEX leg_event_began ON leg_event(seq, call_id, kind) WHERE kind = 'CallBegan';
CREATE INDEX leg_event_ended ON leg_event(call_id, seq) WHERE kind = 'CallEnded';
UPDATE leg_event SET detail_json = json_set(detail_json, '$.phone', '')
  WHERE kind = 'AgentState' AND json_type(detail_json, '$.phone') IS NULL;
UPDATE leg_event SET detail_json = json_set(detail_json, '$.priority', 0, '$.wait_ms', 0, '$.strategy', 'longest-idle',
  '$.ring', 0, '$.starved', json('false'), '$.candidates', json((
    SELECT json_group_array(json_object(
      'agent', json_extract(c.value, '$.agent'),
      'terms', json(CASE WHEN json_extract(c.value, '$.excluded') <> '' THEN json('[]') ELSE json_array(
        json_object('name', 'idle-ms', 'value', json_extract(c.value, '$.idle_ms')),
        json_object('name', 'position', 'value', c.key)) END),
      'excluded', json(CASE json_extract(c.value, '$.excluded') WHEN '' THEN json('null')
        WHEN 'phone not registered' THEN json_object('rule', 'phone-not-registered', 'detail', '', 'config', '')
        ELSE json_object('rule', 'not-ready', 'detail', json_extract(c.value, '$.excluded'), 'config', '') END)))
    FROM json_each(leg_event.detail_json, '$.candidates') c)))
  WHERE kind = 'Offered' AND json_type(detail_json, '$.strategy') IS NULL;
";

/// From here on rows hold the agents of a decision as a table. Rows of earlier versions stay as they are, because both
/// forms are read; earlier builds, which read only theirs, are kept out by the number of the version.
const CANDIDATE_TABLES: &str = "";

/// Where a commit came from, and until when it must be confirmed before the one numbered `back_to` comes back. Earlier
/// commits were all made from files. The newest switching of hours and surge is found by an index.
const COMMIT_ORIGINS: &str = "
ALTER TABLE config_commit ADD COLUMN origin TEXT NOT NULL DEFAULT 'file';
ALTER TABLE config_commit ADD COLUMN until_ms INTEGER;
ALTER TABLE config_commit ADD COLUMN back_to INTEGER;
CREATE INDEX leg_event_mode ON leg_event(seq) WHERE kind = 'Mode';
CREATE INDEX leg_event_surge ON leg_event(seq) WHERE kind = 'Surge';
";

/// Views hold no data, so they are made anew by every build that finds others.
const VIEWS: [(&str, &str); 4] =
    [("call_span", CALL_SPAN), ("cdr_asterisk", CDR_ASTERISK), ("queue_log", QUEUE_LOG), ("agent_state", AGENT_STATE)];

/// The rows of a call that the others need, once per ended call. Durations are monotonic unless the machine was
/// started anew during the call, which sets its clock back to zero.
const CALL_SPAN: &str = "
SELECT b.call_id AS call_id, b.seq AS first_seq, e.seq AS last_seq,
  b.ts_us AS began_us, a.ts_us AS answered_us, e.ts_us AS ended_us,
  b.wall_ms AS began_ms, a.wall_ms AS answered_ms, e.wall_ms AS ended_ms,
  CASE WHEN e.ts_us >= b.ts_us THEN (e.ts_us - b.ts_us) / 1000 ELSE max(0, e.wall_ms - b.wall_ms) END AS duration_ms,
  CASE WHEN a.seq IS NULL THEN 0
       WHEN e.ts_us >= a.ts_us THEN (e.ts_us - a.ts_us) / 1000 ELSE max(0, e.wall_ms - a.wall_ms) END AS bill_ms,
  b.detail_json AS began_json, e.detail_json AS ended_json, c.detail_json AS connected_json, c.seq AS connected_seq
FROM leg_event e
JOIN leg_event b ON b.seq = (SELECT min(x.seq) FROM leg_event x WHERE x.call_id = e.call_id AND x.kind = 'CallBegan')
LEFT JOIN leg_event a ON a.seq = (SELECT min(x.seq) FROM leg_event x WHERE x.call_id = e.call_id AND x.kind = 'Answered')
LEFT JOIN leg_event c ON c.seq = (SELECT min(x.seq) FROM leg_event x WHERE x.call_id = e.call_id AND x.kind = 'Connected')
WHERE e.kind = 'CallEnded'
";

/// Column names and order of Asterisk's CDR, then ours.
const CDR_ASTERISK: &str = "
SELECT '' AS accountcode,
  json_extract(s.began_json, '$.caller') AS src,
  json_extract(s.began_json, '$.called') AS dst,
  CASE WHEN substr(json_extract(s.began_json, '$.origin'), 1, 9) <> 'extension' THEN 'inbound'
       WHEN json_extract(r.detail_json, '$.to') LIKE 'trunk %' THEN 'outbound' ELSE 'internal' END AS dcontext,
  json_extract(s.began_json, '$.caller') AS clid,
  json_extract(s.began_json, '$.origin') AS channel,
  coalesce(json_extract(s.connected_json, '$.with'), '') AS dstchannel,
  CASE WHEN json_extract(r.detail_json, '$.to') LIKE 'queue %' THEN 'Queue'
       WHEN json_extract(r.detail_json, '$.to') LIKE 'menu %' THEN 'BackGround'
       WHEN json_extract(r.detail_json, '$.to') LIKE 'extension %' THEN 'Dial'
       WHEN json_extract(r.detail_json, '$.to') LIKE 'trunk %' THEN 'Dial'
       WHEN json_extract(r.detail_json, '$.to') = 'echo' THEN 'Echo'
       WHEN r.seq IS NULL THEN '' ELSE 'Hangup' END AS lastapp,
  CASE WHEN instr(json_extract(r.detail_json, '$.to'), ' ') > 0
       THEN substr(json_extract(r.detail_json, '$.to'), instr(json_extract(r.detail_json, '$.to'), ' ') + 1)
       ELSE '' END AS lastdata,
  strftime('%Y-%m-%d %H:%M:%S', s.began_ms / 1000, 'unixepoch') AS start,
  strftime('%Y-%m-%d %H:%M:%S', s.answered_ms / 1000, 'unixepoch') AS answer,
  strftime('%Y-%m-%d %H:%M:%S', s.ended_ms / 1000, 'unixepoch') AS \"end\",
  s.duration_ms / 1000 AS duration,
  s.bill_ms / 1000 AS billsec,
  json_extract(s.ended_json, '$.disposition') AS disposition,
  'DOCUMENTATION' AS amaflags,
  s.call_id AS uniqueid,
  '' AS userfield,
  '' AS peeraccount,
  s.call_id AS linkedid,
  s.first_seq AS sequence,
  nullif(json_extract(s.connected_json, '$.queue'), '') AS queue,
  (SELECT sum(json_extract(w.detail_json, '$.wait_ms')) / 1000 FROM leg_event w
    WHERE w.call_id = s.call_id AND w.kind IN ('Connected', 'Overflowed', 'Abandoned')) AS wait_s,
  (SELECT count(*) FROM leg_event o WHERE o.call_id = s.call_id AND o.kind = 'Offered') AS offers,
  json_extract(s.ended_json, '$.by') AS ended_by,
  (SELECT group_concat(json_extract(g.detail_json, '$.recording'), ' ') FROM leg_event g
    WHERE g.call_id = s.call_id AND g.kind = 'RecordingBegan') AS recording_id
FROM call_span s
LEFT JOIN leg_event r
  ON r.seq = (SELECT max(x.seq) FROM leg_event x WHERE x.call_id = s.call_id AND x.kind = 'Routed')
";

/// Asterisk's queue_log: one row per fact, five data fields.
const QUEUE_LOG: &str = "
SELECT q.seq AS seq, q.wall_ms / 1000 AS time, coalesce(q.call_id, 'NONE') AS callid, q.queuename, q.agent, q.event,
  q.data1, q.data2, q.data3, q.data4, q.data5
FROM (
  SELECT e.seq, e.wall_ms, e.call_id, json_extract(e.detail_json, '$.queue') AS queuename, 'NONE' AS agent,
    'ENTERQUEUE' AS event, '' AS data1,
    (SELECT json_extract(b.detail_json, '$.caller') FROM leg_event b
      WHERE b.call_id = e.call_id AND b.kind = 'CallBegan' ORDER BY b.seq LIMIT 1) AS data2,
    json_extract(e.detail_json, '$.position') AS data3, '' AS data4, '' AS data5
  FROM leg_event e WHERE e.kind = 'Queued'
  UNION ALL
  SELECT e.seq, e.wall_ms, e.call_id, json_extract(e.detail_json, '$.queue'), json_extract(e.detail_json, '$.with'),
    'CONNECT', json_extract(e.detail_json, '$.wait_ms') / 1000, e.call_id,
    (SELECT max(0, e.ts_us - o.ts_us) / 1000000 FROM leg_event o
      WHERE o.call_id = e.call_id AND o.kind = 'Offered' AND o.seq < e.seq
        AND json_extract(o.detail_json, '$.agent') = json_extract(e.detail_json, '$.with')
      ORDER BY o.seq DESC LIMIT 1), '', ''
  FROM leg_event e WHERE e.kind = 'Connected' AND json_extract(e.detail_json, '$.queue') <> ''
    AND NOT EXISTS (SELECT 1 FROM leg_event f WHERE f.call_id = e.call_id AND f.kind = 'Connected' AND f.seq < e.seq
      AND json_extract(f.detail_json, '$.queue') = json_extract(e.detail_json, '$.queue')
      AND json_extract(e.detail_json, '$.with') LIKE 'supervisor %' AND json_extract(e.detail_json, '$.wait_ms') = 0)
  UNION ALL
  SELECT e.seq, e.wall_ms, e.call_id, json_extract(e.detail_json, '$.queue'), 'NONE',
    CASE json_extract(e.detail_json, '$.rule') WHEN 'empty' THEN 'EXITEMPTY' WHEN 'wait' THEN 'EXITWITHTIMEOUT'
      ELSE CASE WHEN json_extract(e.detail_json, '$.rule') LIKE 'exit %' THEN 'EXITWITHKEY' ELSE 'WITHDRAW' END END,
    CASE WHEN json_extract(e.detail_json, '$.rule') LIKE 'exit %' THEN substr(json_extract(e.detail_json, '$.rule'), 6)
      ELSE '' END, '', json_extract(e.detail_json, '$.wait_ms') / 1000, '', ''
  FROM leg_event e WHERE e.kind = 'Overflowed' AND EXISTS (SELECT 1 FROM leg_event q WHERE q.call_id = e.call_id
    AND q.kind = 'Queued' AND q.seq < e.seq AND json_extract(q.detail_json, '$.queue') = json_extract(e.detail_json, '$.queue'))
  UNION ALL
  SELECT e.seq, e.wall_ms, e.call_id, json_extract(e.detail_json, '$.queue'), 'NONE',
    CASE json_extract(e.detail_json, '$.by') WHEN 'max-wait' THEN 'EXITWITHTIMEOUT' WHEN 'box' THEN 'WITHDRAW'
      ELSE 'ABANDON' END,
    p.position, p.position, json_extract(e.detail_json, '$.wait_ms') / 1000, '', ''
  FROM leg_event e LEFT JOIN (
    SELECT x.call_id AS id, json_extract(x.detail_json, '$.queue') AS queue,
      json_extract(x.detail_json, '$.position') AS position, max(x.seq) FROM leg_event x WHERE x.kind = 'Queued'
      GROUP BY 1, 2) p
    ON p.id = e.call_id AND p.queue = json_extract(e.detail_json, '$.queue')
  WHERE e.kind = 'Abandoned'
  UNION ALL
  SELECT e.seq, e.wall_ms, e.call_id,
    coalesce((SELECT json_extract(o.detail_json, '$.queue') FROM leg_event o
      WHERE o.call_id = e.call_id AND o.kind = 'Offered' AND o.seq < e.seq
        AND json_extract(o.detail_json, '$.agent') = json_extract(e.detail_json, '$.agent')
      ORDER BY o.seq DESC LIMIT 1), 'NONE'),
    json_extract(e.detail_json, '$.agent'),
    CASE WHEN json_extract(e.detail_json, '$.cause')
      IN ('no-answer', 'not-confirmed', 'busy', 'rejected', 'unreachable') THEN 'RINGNOANSWER' ELSE 'RINGCANCELED' END,
    json_extract(e.detail_json, '$.ring_ms'), json_extract(e.detail_json, '$.cause'), '', '', ''
  FROM leg_event e WHERE e.kind = 'OfferEnded' AND EXISTS (SELECT 1 FROM leg_event o WHERE o.call_id = e.call_id AND o.kind = 'Offered' AND o.seq < e.seq
      AND json_extract(o.detail_json, '$.agent') = json_extract(e.detail_json, '$.agent'))
  UNION ALL
  SELECT e.seq, e.wall_ms, e.call_id, json_extract(c.detail_json, '$.queue'), json_extract(c.detail_json, '$.with'),
    CASE WHEN json_extract(e.detail_json, '$.by') LIKE 'extension %' AND json_extract(e.detail_json, '$.by') <>
      (SELECT json_extract(b.detail_json, '$.origin') FROM leg_event b
        WHERE b.call_id = e.call_id AND b.kind = 'CallBegan' ORDER BY b.seq LIMIT 1)
      THEN 'COMPLETEAGENT' ELSE 'COMPLETECALLER' END,
    json_extract(c.detail_json, '$.wait_ms') / 1000,
    CASE WHEN e.ts_us >= c.ts_us THEN (e.ts_us - c.ts_us) / 1000000 ELSE max(0, e.wall_ms - c.wall_ms) / 1000 END,
    '', '', ''
  FROM leg_event e JOIN leg_event c
    ON c.seq = (SELECT max(x.seq) FROM leg_event x WHERE x.call_id = e.call_id AND x.kind = 'Connected'
      AND NOT (json_extract(x.detail_json, '$.with') LIKE 'supervisor %' AND json_extract(x.detail_json, '$.wait_ms') = 0
        AND EXISTS (SELECT 1 FROM leg_event f WHERE f.call_id = x.call_id AND f.kind = 'Connected' AND f.seq < x.seq)))
  WHERE e.kind = 'CallEnded' AND json_extract(c.detail_json, '$.queue') <> ''
  UNION ALL
  SELECT e.seq, e.wall_ms, e.call_id, 'NONE', json_extract(e.detail_json, '$.agent'),
    CASE WHEN json_extract(e.detail_json, '$.from') LIKE 'logged%out%' THEN 'AGENTLOGIN'
         WHEN json_extract(e.detail_json, '$.to') LIKE 'logged%out%' THEN 'AGENTLOGOFF'
         WHEN json_extract(e.detail_json, '$.to') LIKE 'not%ready%' THEN 'PAUSEALL' ELSE 'UNPAUSEALL' END,
    CASE WHEN json_extract(e.detail_json, '$.to') LIKE 'not%ready%' THEN substr(json_extract(e.detail_json, '$.to'), 11)
         WHEN e.was LIKE 'not%ready%' THEN substr(e.was, 11) ELSE json_extract(e.detail_json, '$.phone') END,
    json_extract(e.detail_json, '$.why'), '', '', ''
  FROM (SELECT a.*,
      -- Of a call to the outside that he made while not ready: the state before it.
      CASE WHEN json_extract(a.detail_json, '$.from') = 'outbound' THEN coalesce((
        SELECT json_extract(o.detail_json, '$.from') FROM leg_event o WHERE o.kind = 'AgentState' AND o.seq < a.seq
          AND json_extract(o.detail_json, '$.agent') = json_extract(a.detail_json, '$.agent')
        ORDER BY o.seq DESC LIMIT 1), 'outbound') ELSE json_extract(a.detail_json, '$.from') END AS was
    FROM leg_event a WHERE a.kind = 'AgentState') e
  WHERE json_extract(e.detail_json, '$.to') <> 'outbound' AND json_extract(e.detail_json, '$.to') <> e.was
    AND (json_extract(e.detail_json, '$.to') LIKE 'not%ready%' OR e.was LIKE 'not%ready%'
      OR json_extract(e.detail_json, '$.to') LIKE 'logged%out%' OR json_extract(e.detail_json, '$.from') LIKE 'logged%out%')
) q
";

/// Each state of each agent with its length; the present state has none.
const AGENT_STATE: &str = "
SELECT seq, wall_ms, json_extract(detail_json, '$.agent') AS agent, json_extract(detail_json, '$.from') AS from_state,
  json_extract(detail_json, '$.to') AS state, json_extract(detail_json, '$.why') AS why, actor, call_id,
  CASE WHEN lead(ts_us) OVER following >= ts_us THEN (lead(ts_us) OVER following - ts_us) / 1000
       ELSE max(0, lead(wall_ms) OVER following - wall_ms) END AS lasted_ms
FROM leg_event WHERE kind = 'AgentState'
WINDOW following AS (PARTITION BY json_extract(detail_json, '$.agent') ORDER BY seq)
";

/// Version that the file has.
pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the database to [`VERSION`], all steps in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > VERSION {
        return Err(StoreError::NewerSchema { found, known: VERSION });
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(found.max(0) as usize) {
        transaction.execute_batch(step)?;
    }
    if found < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    for (name, query) in VIEWS {
        let text = format!("CREATE VIEW {name} AS{query}");
        let present: Option<String> = transaction.query_row(
            "SELECT max(sql) FROM sqlite_schema WHERE type = 'view' AND name = ?1",
            [name],
            |row| row.get(0),
        )?;
        if present.as_deref() != Some(text.trim_end()) {
            transaction.execute_batch(&format!("DROP VIEW IF EXISTS {name}; {text}"))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::event::{Detail, Rule};

    fn columns(connection: &Connection, table: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn version_1_is_brought_to_now_with_its_rows() {
        let mut old = Connection::open_in_memory().unwrap();
        old.execute_batch(TABLES).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute_batch(
            "INSERT INTO recording(id, call_id, began_ms, samples, closed) VALUES ('R', 'C', 5, 160, 1);
             INSERT INTO leg_event VALUES (1, 2, 3, 'C', 0, 'Answered', 'sip', '{}');",
        )
        .unwrap();
        migrate(&mut old).unwrap();

        let mut new = Connection::open_in_memory().unwrap();
        migrate(&mut new).unwrap();
        assert_eq!(version(&old).unwrap(), VERSION);
        for table in ["meta", "leg_event", "recording", "recording_key", "config_commit", "cdr_asterisk"] {
            assert_eq!(columns(&old, table), columns(&new, table), "{table}");
        }
        let samples: i64 = old.query_row("SELECT samples FROM recording WHERE id = 'R'", [], |row| row.get(0)).unwrap();
        assert_eq!(samples, 160);
        migrate(&mut old).unwrap();
    }

    #[test]
    fn rows_of_version_2_are_read_as_those_of_now() {
        let mut old = Connection::open_in_memory().unwrap();
        old.execute_batch(&format!("{TABLES}{RECORDING_HEADS}")).unwrap();
        old.pragma_update(None, "user_version", 2).unwrap();
        let offered = r#"{"queue":"q","agent":"1","candidates":[
            {"agent":"2","idle_ms":0,"excluded":"wrap-up"},{"agent":"1","idle_ms":61,"excluded":""},
            {"agent":"3","idle_ms":9,"excluded":"phone not registered"}],"why":"w"}"#;
        let state = r#"{"agent":"1","from":"ready","to":"reserved","why":"chosen"}"#;
        for (seq, kind, detail) in [(1, "Offered", offered), (2, "AgentState", state)] {
            old.execute("INSERT INTO leg_event VALUES (?1, 1, 1, NULL, NULL, ?2, 'router', ?3)", (seq, kind, detail))
                .unwrap();
        }
        migrate(&mut old).unwrap();
        let query = format!("SELECT {} FROM leg_event ORDER BY seq", crate::store::rows::COLUMNS);
        let mut statement = old.prepare(&query).unwrap();
        let mut rows = statement.query([]).unwrap();
        let event = crate::store::rows::event(rows.next().unwrap().unwrap()).unwrap();
        let Detail::Offered { candidates, strategy, .. } = event.detail else { panic!("{event:?}") };
        assert_eq!(strategy, pbx::config::Strategy::LongestIdle);
        assert_eq!(pbx::select::decide(&candidates), [1]);
        let rules: Vec<_> = candidates.iter().map(|c| c.excluded.as_ref().map(|e| e.rule)).collect();
        assert_eq!(rules, [Some(Rule::NotReady), None, Some(Rule::PhoneNotRegistered)]);
        let event = crate::store::rows::event(rows.next().unwrap().unwrap()).unwrap();
        assert!(matches!(event.detail, Detail::AgentState { .. }), "{event:?}");
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { .. }), "{error}");
        assert_eq!(version(&connection).unwrap(), VERSION + 1);
    }

    #[test]
    fn every_view_can_be_read() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        for (name, _) in VIEWS {
            let rows: i64 =
                connection.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 0, "{name}");
        }
        let standard = "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration \
                        billsec disposition amaflags uniqueid userfield peeraccount linkedid sequence";
        let found = columns(&connection, "cdr_asterisk");
        assert_eq!(found[..21].join(" "), standard);
    }
}
