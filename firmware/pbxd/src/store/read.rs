//! Reading the main database beside the writer: events of a call, calls, call records. Never writes and never waits
//! for the writer.

use std::path::Path;

use base::id::Uid;
use pbx::door::{AgentWas, Rebuilt};
use pbx::event::{Detail, LegEvent};
use pbx::switch::Switches;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, ToSql};

use super::{Options, StoreError, rows, schema};

/// `main.db`, open for reading.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// One recording in the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordingRow {
    /// Its identity.
    pub recording: Uid,
    /// Its call, when known.
    pub call: Option<Uid>,
    /// UTC ms of sample 0.
    pub began_ms: i64,
    /// Length at 8 kHz; of an open one as far as known.
    pub samples: u64,
    /// Whether it is complete.
    pub closed: bool,
    /// Chunks and last link of the chain, once complete.
    pub head: Option<(u64, [u8; 32])>,
}

/// Opens the database in a data directory for reading.
pub fn open_readonly(dir: &Path) -> Result<Reader, StoreError> {
    Reader::open(&Options::new(dir))
}

/// The same without leaving a trace: beside a database that is at rest SQLite would put empty files of its own.
pub fn open_untouched(dir: &Path) -> Result<Reader, StoreError> {
    let options = Options::new(dir);
    let path = options.main_path();
    let mut wal = path.clone().into_os_string();
    wal.push("-wal");
    // With a log beside it the box runs, or was killed: then the files are there and the log must be read.
    if Path::new(&wal).exists() {
        return Reader::open(&options);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Reader::over(Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?)
}

impl Reader {
    /// Opens the database for reading; a schema of another version is refused.
    pub fn open(options: &Options) -> Result<Reader, StoreError> {
        Reader::over(options.open_to_read(&options.main_path())?)
    }

    fn over(connection: Connection) -> Result<Reader, StoreError> {
        let found = schema::version(&connection)?;
        if found > schema::VERSION {
            return Err(StoreError::NewerSchema { found, known: schema::VERSION });
        }
        // Its rows have other fields; 0 is a file without tables.
        if (1..schema::VERSION).contains(&found) {
            return Err(StoreError::OlderSchema { found, known: schema::VERSION });
        }
        Ok(Reader { connection })
    }

    /// For queries of one's own, e.g. over the views `cdr_asterisk`, `queue_log`, `agent_state`.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn events(&self, condition: &str, parameters: impl Params) -> Result<Vec<LegEvent>, StoreError> {
        let query = format!("SELECT {} FROM leg_event WHERE {condition} ORDER BY seq", rows::COLUMNS);
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut found = statement.query(parameters)?;
        let mut events = Vec::new();
        while let Some(row) = found.next()? {
            events.push(rows::event(row)?);
        }
        Ok(events)
    }

    /// All events of a call, in order.
    pub fn call_events(&self, call: Uid) -> Result<Vec<LegEvent>, StoreError> {
        self.events("call_id = ?1", [call.to_string()])
    }

    /// Events of a call up to row `seq`, in order.
    pub fn call_events_until(&self, call: Uid, seq: u64) -> Result<Vec<LegEvent>, StoreError> {
        self.events("call_id = ?1 AND seq <= ?2", rusqlite::params![call.to_string(), seq as i64])
    }

    /// Events with `from <= seq < to`, in order.
    pub fn events_between(&self, from: u64, to: u64) -> Result<Vec<LegEvent>, StoreError> {
        self.events("seq >= ?1 AND seq < ?2", [from as i64, i64::try_from(to).unwrap_or(i64::MAX)])
    }

    /// State changes of agents between two numbers, in order.
    pub fn agent_events(&self, from: u64, to: u64) -> Result<Vec<LegEvent>, StoreError> {
        let to = i64::try_from(to).unwrap_or(i64::MAX);
        self.events("kind = 'AgentState' AND seq >= ?1 AND seq < ?2", [from as i64, to])
    }

    /// Number of the last event, 0 for none.
    pub fn last_seq(&self) -> Result<u64, StoreError> {
        let seq: i64 =
            self.connection.query_row("SELECT coalesce(max(seq), 0) FROM leg_event", [], |row| row.get(0))?;
        Ok(seq as u64)
    }

    /// What is known of a state that was lost, for `Input::Rebuilt`.
    pub fn rebuilt(&self) -> Result<Rebuilt, StoreError> {
        let calls_open = self.uids(
            "SELECT b.call_id FROM leg_event b WHERE b.kind = 'CallBegan' AND NOT EXISTS
               (SELECT 1 FROM leg_event e WHERE e.call_id = b.call_id AND e.kind = 'CallEnded') ORDER BY b.seq",
        )?;
        let recordings_open = self.open_recordings()?;
        let mut statement = self.connection.prepare(
            "SELECT json_extract(detail_json, '$.agent'), json_extract(detail_json, '$.to'),
                    json_extract(detail_json, '$.phone'), max(seq)
             FROM leg_event WHERE kind = 'AgentState' GROUP BY 1",
        )?;
        let agents = statement
            .query_map([], |row| Ok(AgentWas { id: row.get(0)?, state: row.get(1)?, phone: row.get(2)? }))?
            .collect::<Result<_, _>>()?;
        Ok(Rebuilt { calls_open, recordings_open, agents, switches: self.switches()? })
    }

    /// How the switches stood at last.
    fn switches(&self) -> Result<Switches, StoreError> {
        let mut switches = Switches::default();
        let newest = |kind: &str| format!("seq = (SELECT max(seq) FROM leg_event WHERE kind = '{kind}')");
        for event in [self.events(&newest("Mode"), [])?, self.events(&newest("Surge"), [])?].concat() {
            match event.detail {
                Detail::Mode { mode, until } => (switches.mode, switches.mode_until) = (mode, until),
                Detail::Surge { on, until } => (switches.surge, switches.surge_until) = (on, until),
                _ => {}
            }
        }
        Ok(switches)
    }

    /// Recordings that were never closed.
    pub fn open_recordings(&self) -> Result<Vec<Uid>, StoreError> {
        self.uids("SELECT id FROM recording WHERE closed = 0 ORDER BY id")
    }

    fn uids(&self, query: &str) -> Result<Vec<Uid>, StoreError> {
        let mut statement = self.connection.prepare(query)?;
        let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
        ids.map(|id| id.map_err(StoreError::from).and_then(|id| super::main_db::parse_uid(&id))).collect()
    }

    /// The newest `limit` calls, newest first, ended or not.
    pub fn calls(&self, limit: u32) -> Result<Vec<Uid>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT call_id FROM leg_event WHERE kind = 'CallBegan' AND call_id IS NOT NULL ORDER BY seq DESC LIMIT ?1",
        )?;
        let ids = statement.query_map([limit], |row| row.get::<_, String>(0))?;
        ids.map(|id| id.map_err(StoreError::from).and_then(|id| super::main_db::parse_uid(&id))).collect()
    }

    /// The call record in Asterisk's columns as name and text; none while the call lives.
    pub fn cdr(&self, call: Uid) -> Result<Option<Vec<(String, String)>>, StoreError> {
        let mut statement = self.connection.prepare("SELECT * FROM cdr_asterisk WHERE uniqueid = ?1")?;
        let names: Vec<String> = statement.column_names().map(str::to_string).collect();
        let row = statement
            .query_row([call.to_string()], |row| {
                (0..names.len()).map(|i| text_of(row, i)).collect::<Result<Vec<_>, _>>()
            })
            .optional()?;
        Ok(row.map(|values| names.into_iter().zip(values).collect()))
    }

    /// Recordings of a call, oldest first.
    pub fn recordings(&self, call: Uid) -> Result<Vec<RecordingRow>, StoreError> {
        self.recordings_where("call_id = ?1 ORDER BY id", &call.to_string())
    }

    /// The newest `limit` recordings, newest first.
    pub fn newest_recordings(&self, limit: u32) -> Result<Vec<RecordingRow>, StoreError> {
        self.recordings_where("1 ORDER BY id DESC LIMIT ?1", &limit)
    }

    /// One recording.
    pub fn recording(&self, recording: Uid) -> Result<Option<RecordingRow>, StoreError> {
        Ok(self.recordings_where("id = ?1", &recording.to_string())?.pop())
    }

    fn recordings_where(&self, condition: &str, value: &dyn ToSql) -> Result<Vec<RecordingRow>, StoreError> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT id, call_id, began_ms, samples, closed, chunks, chain_head FROM recording WHERE {condition}"
        ))?;
        let mut found = statement.query([value])?;
        let mut recordings = Vec::new();
        while let Some(row) = found.next()? {
            let (id, call): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            let (chunks, head): (Option<i64>, Option<[u8; 32]>) = (row.get(5)?, row.get(6)?);
            recordings.push(RecordingRow {
                recording: super::main_db::parse_uid(&id)?,
                call: call.as_deref().map(super::main_db::parse_uid).transpose()?,
                began_ms: row.get(2)?,
                samples: row.get::<_, i64>(3)? as u64,
                closed: row.get(4)?,
                head: chunks.zip(head).map(|(chunks, head)| (chunks as u64, head)),
            });
        }
        Ok(recordings)
    }

    /// The wrapped keys of a recording by segment; empty when they were destroyed.
    pub fn recording_keys(&self, recording: Uid) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT segment, sealed_key FROM recording_key WHERE recording = ?1")?;
        let keys = statement
            .query_map([recording.to_string()], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(keys)
    }
}

fn text_of(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(index)? {
        ValueRef::Null | ValueRef::Blob(_) => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
    })
}
