//! What the box wrote about a load, read after it has ended: leg events, call records, recordings, and the input
//! journal, whose replay tells whether its tables came out empty.

use ::tests::peer::load_pattern::Heard;
use ::tests::peer::{At, Outcome, Trouble};
use base::id::Uid;
use base::time::Now;
use pbx::Pbx;
use pbx::door::Input;
use pbxd::recorder::export;
use pbxd::seal::MasterKey;
use pbxd::store::Options;
use pbxd::store::read::open_readonly;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Longer than any timer of RFC 3261 runs: 64 × T1.
const TIMERS: Duration = Duration::from_secs(64);
/// More timers than this are no tear-down.
const TIMERS_MAX: usize = 1_000_000;

/// One call as the box wrote it down. Times in µs of its clock.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// It began.
    pub began_us: i64,
    /// Each `Connected`: when, the wait in ms, and with whom.
    pub connected: Vec<(i64, u64, String)>,
    /// `Abandoned`: the wait in ms.
    pub abandoned_ms: Option<u64>,
    /// `CallEnded`: when, by whom, disposition.
    pub ended: Vec<(i64, String, String)>,
    /// Offers.
    pub offers: u32,
    /// Recordings.
    pub recordings: Vec<String>,
    /// Rows of the call record.
    pub records: Vec<String>,
}

/// All calls by the number of the caller (`9N`), and those of nobody we know.
#[derive(Debug, Default)]
pub struct Books {
    /// By N.
    pub calls: BTreeMap<u32, Vec<Written>>,
    /// Calls of somebody else.
    pub strangers: u32,
}

impl Books {
    /// Reads `main.db` in a data directory.
    pub fn read(data: &Path) -> Outcome<Books> {
        let reader = open_readonly(data).map_err(|why| Trouble(why.to_string()))?;
        let mut written = events(reader.connection())?;
        let mut books = Books::default();
        let sql = "SELECT uniqueid, disposition FROM cdr_asterisk";
        let mut rows = reader.connection().prepare(sql).at("cdr_asterisk")?;
        let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        for row in rows.at("cdr_asterisk")? {
            let (call, disposition) = row.at("cdr_asterisk")?;
            match written.get_mut(&call) {
                Some((_, call)) => call.records.push(disposition),
                None => books.strangers += 1,
            }
        }
        for (caller, call) in written.into_values() {
            match caller.strip_prefix('9').and_then(|number| number.parse().ok()) {
                Some(number) => books.calls.entry(number).or_default().push(call),
                None => books.strangers += 1,
            }
        }
        Ok(books)
    }
}

/// Calls by their Uid, with the caller's number.
fn events(database: &Connection) -> Outcome<BTreeMap<String, (String, Written)>> {
    let mut calls: BTreeMap<String, (String, Written)> = BTreeMap::new();
    let sql = "SELECT call_id, kind, ts_us, detail_json FROM leg_event WHERE call_id IS NOT NULL AND kind IN \
               ('CallBegan', 'Connected', 'Abandoned', 'CallEnded', 'RecordingBegan', 'Offered') ORDER BY seq";
    let mut rows = database.prepare(sql).at("leg_event")?;
    let mut rows = rows.query([]).at("leg_event")?;
    while let Some(row) = rows.next().at("leg_event")? {
        let kind: String = row.get(1).at("leg_event")?;
        let (at_us, detail): (i64, String) = (row.get(2).at("leg_event")?, row.get(3).at("leg_event")?);
        let (caller, call) = calls.entry(row.get(0).at("leg_event")?).or_default();
        let detail: Value =
            if kind == "Offered" { Value::Null } else { serde_json::from_str(&detail).at("leg_event")? };
        let text = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| detail[name].as_u64().unwrap_or_default();
        match kind.as_str() {
            "CallBegan" => {
                call.began_us = at_us;
                *caller = text("caller");
            }
            "Connected" => call.connected.push((at_us, number("wait_ms"), text("with"))),
            "Abandoned" => call.abandoned_ms = Some(number("wait_ms")),
            "CallEnded" => call.ended.push((at_us, text("by"), text("disposition"))),
            "RecordingBegan" => call.recordings.push(text("recording")),
            _ => call.offers += 1,
        }
    }
    Ok(calls)
}

/// Recordings of a data directory.
pub struct Recordings {
    options: Options,
    master: MasterKey,
}

impl Recordings {
    /// With the chassis' own key.
    pub fn open(data: &Path) -> Outcome<Recordings> {
        let master = MasterKey::open_or_create(&data.join("chassis.key")).map_err(|why| Trouble(why.to_string()))?;
        Ok(Recordings { options: Options::new(data), master })
    }

    /// Who is heard on the caller's and on the agent's channel; an error when the seals or the chain do not hold.
    pub fn heard(&self, recording: &str) -> Outcome<[Heard; 2]> {
        let uid: Uid = recording.parse().map_err(|_| Trouble(format!("`{recording}` is no recording")))?;
        let audio = export::load(&self.options, &self.master, uid).map_err(|why| Trouble(why.to_string()))?;
        if audio.chain != export::Chain::Whole {
            return Err(Trouble(format!("recording {recording}: {:?}", audio.chain)));
        }
        Ok([Heard::of(&audio.alaw[0]), Heard::of(&audio.alaw[1])])
    }
}

/// Gives the journaled inputs to a fresh core, lets its timers run out in virtual time, and tells whether all tables of
/// calls are empty then. The number of inputs.
pub fn tables_come_out_empty(data: &Path) -> Outcome<usize> {
    let master = MasterKey::open_or_create(&data.join("chassis.key")).map_err(|why| Trouble(why.to_string()))?;
    let history = pbxd::journal::history(&data.join("journal"), &master).map_err(|why| Trouble(why.to_string()))?;
    let mut pbx: Pbx = match &history.snapshot {
        Some(snapshot) => postcard::from_bytes(&snapshot.bytes).at("snapshot")?,
        None => Pbx::new(),
    };
    let (mut out, mut inputs, mut last) = (Vec::new(), 0, None);
    for record in history.records {
        let input: Input = postcard::from_bytes(&record.payload).at(format!("input {}", record.seq))?;
        pbx.handle(record.now, input, &mut out);
        out.clear();
        inputs += 1;
        last = Some(record.now);
    }
    let Some(Now { at: end, wall }) = last else { return Err(Trouble("the journal is empty".into())) };
    for _ in 0..TIMERS_MAX {
        let Some(at) = pbx.deadline().filter(|at| *at <= end + TIMERS) else {
            break;
        };
        pbx.handle(Now { at: at.max(end), wall }, Input::Timer, &mut out);
        out.clear();
    }
    if pbx.is_empty() {
        return Ok(inputs);
    }
    Err(Trouble(format!("{} calls are up and something of a call is left in the tables", pbx.calls_live())))
}
