//! The main database as one value without a thread: rows are queued and then committed together. [`super::Store`] runs
//! it; tests drive it step by step.

use std::str::FromStr;

use base::id::Uid;
use pbx::commit::{CommitRow, CommitText, Label};
use pbx::door::RecordingChange;
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};

use super::{ChainHead, KeyRow, Options, Request, StoreError, rows, schema};

/// Small rows: the system's page.
const PAGE_BYTES: u32 = 4096;

/// `main.db`, open for writing.
#[derive(Debug)]
pub struct MainDb {
    connection: Connection,
    queue: Vec<Request>,
    run: u64,
}

/// The highest numbers among the rows of one transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Of leg events.
    pub leg_event: Option<u64>,
    /// Of configuration commits.
    pub config: Option<u64>,
}

impl MainDb {
    /// Opens or makes the database, brings its schema to now and counts this run.
    pub fn open(options: &Options) -> Result<MainDb, StoreError> {
        std::fs::create_dir_all(&options.dir).map_err(|e| StoreError::System(options.dir.clone(), e))?;
        let mut connection = options.open(&options.main_path(), PAGE_BYTES)?;
        schema::migrate(&mut connection)?;
        let run: i64 = connection.query_row(
            "INSERT INTO meta(name, value) VALUES ('run', 1)
             ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value",
            [],
            |row| row.get(0),
        )?;
        Ok(MainDb { connection, queue: Vec::new(), run: run as u64 })
    }

    /// How often the database was opened for writing, this time included. Durable: no two runs have the same number.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// To be written with the next commit.
    pub fn queue(&mut self, request: Request) {
        self.queue.push(request);
    }

    /// Rows that wait for the next commit.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Writes all queued rows in one transaction; synced when it returns. After an error all of them are still queued.
    pub fn commit(&mut self) -> Result<Written, StoreError> {
        let mut stored = Written::default();
        if self.queue.is_empty() {
            return Ok(stored);
        }
        let transaction = self.connection.transaction()?;
        for request in &self.queue {
            write(&transaction, request)?;
            match request {
                Request::Leg(event) => stored.leg_event = stored.leg_event.max(Some(event.seq)),
                Request::Commit(row) => stored.config = stored.config.max(Some(row.number)),
                _ => {}
            }
        }
        transaction.commit()?;
        self.queue.clear();
        Ok(stored)
    }

    /// For reading on the same thread.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// A stored identity.
pub(super) fn parse_uid(text: &str) -> Result<Uid, StoreError> {
    Uid::from_str(text).map_err(|_| StoreError::Row(text.to_string()))
}

fn write(transaction: &Transaction<'_>, request: &Request) -> Result<(), StoreError> {
    match request {
        Request::Leg(event) => {
            let (kind, detail) = rows::split_detail(&event.detail)?;
            transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO leg_event(seq, ts_us, wall_ms, call_id, leg_id, kind, actor, detail_json)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    event.seq as i64,
                    event.at.as_micros() as i64,
                    event.wall.as_millis(),
                    event.call.map(|call| call.to_string()),
                    event.leg,
                    kind,
                    event.actor,
                    detail,
                ])?;
        }
        Request::Recording(change) => write_recording(transaction, change)?,
        Request::Key(KeyRow { recording, segment, key }) => {
            transaction.prepare_cached("INSERT OR IGNORE INTO recording_key VALUES (?1, ?2, ?3)")?.execute(params![
                recording.to_string(),
                *segment as i64,
                key.0
            ])?;
        }
        Request::Head(ChainHead { recording, chunks, head }) => {
            // A later head counts more chunks; a repeated earlier one must not take its place.
            transaction
                .prepare_cached(
                    "INSERT INTO recording(id, began_ms, chunks, chain_head) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT(id) DO UPDATE SET chunks = excluded.chunks, chain_head = excluded.chain_head
                     WHERE chunks IS NULL OR chunks <= excluded.chunks",
                )?
                .execute(params![recording.to_string(), uid_ms(*recording), *chunks as i64, head])?;
        }
        Request::Length { recording, samples } => {
            transaction
                .prepare_cached(
                    "INSERT INTO recording(id, began_ms, samples, closed) VALUES (?1, ?2, ?3, 1)
                     ON CONFLICT(id) DO UPDATE SET samples = max(samples, excluded.samples)",
                )?
                .execute(params![recording.to_string(), uid_ms(*recording), *samples as i64])?;
        }
        Request::Commit(row) => write_commit(transaction, row)?,
        Request::CommitConfirmed(_) | Request::ForgetCommits(_) | Request::Rescue(_) => {
            write_history(transaction, request)?;
        }
        Request::Erase(recording) => {
            transaction
                .prepare_cached("DELETE FROM recording_key WHERE recording = ?1")?
                .execute([recording.to_string()])?;
        }
    }
    Ok(())
}

fn write_commit(transaction: &Transaction<'_>, row: &CommitRow) -> Result<(), StoreError> {
    let text: String = match &row.text {
        CommitText::New(text) => text.to_string(),
        CommitText::Of(number) => {
            transaction
                .query_row("SELECT text FROM config_commit WHERE number = ?1", [*number as i64], |row| row.get(0))?
        }
    };
    let Label { author, origin, comment } = &row.label;
    let (until, back) = row.unconfirmed.map(|(until, back)| (until.as_millis(), back as i64)).unzip();
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO config_commit(number, wall_ms, author, origin, comment, hash, text, until_ms, back_to)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            row.number as i64,
            row.wall.as_millis(),
            author,
            origin,
            comment,
            text_hash(&text),
            text,
            until,
            back,
        ])?;
    Ok(())
}

/// What is about the history of commits rather than a commit.
fn write_history(transaction: &Transaction<'_>, request: &Request) -> Result<(), StoreError> {
    match request {
        Request::CommitConfirmed(number) => {
            transaction
                .prepare_cached("UPDATE config_commit SET until_ms = NULL, back_to = NULL WHERE number = ?1")?
                .execute([*number as i64])?;
        }
        Request::ForgetCommits(before) => {
            transaction.execute(
                "INSERT OR REPLACE INTO meta(name, value) SELECT 'file_hash', hash FROM config_commit
                 WHERE origin = 'file' ORDER BY number DESC LIMIT 1",
                [],
            )?;
            transaction.execute("DELETE FROM config_commit WHERE number < ?1", [*before as i64])?;
            transaction.execute("DELETE FROM meta WHERE name = 'rescue'", [])?;
        }
        Request::Rescue(number) => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO meta(name, value) VALUES ('rescue', ?1)")?
                .execute([number.map(|number| number as i64)])?;
        }
        _ => {}
    }
    Ok(())
}

/// SHA-256 of a configuration text, hexadecimal.
pub fn text_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_recording(transaction: &Transaction<'_>, change: &RecordingChange) -> Result<(), StoreError> {
    match change {
        RecordingChange::Open { recording, call, began } => {
            transaction
                .prepare_cached(
                    "INSERT INTO recording(id, call_id, began_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT(id) DO UPDATE SET call_id = excluded.call_id, began_ms = excluded.began_ms",
                )?
                .execute(params![recording.to_string(), call.to_string(), began.as_millis()])?;
        }
        RecordingChange::Close { recording, samples } => {
            transaction
                .prepare_cached(
                    "INSERT INTO recording(id, began_ms, samples, closed) VALUES (?1, ?2, ?3, 1)
                     ON CONFLICT(id) DO UPDATE SET samples = max(samples, excluded.samples), closed = 1",
                )?
                .execute(params![recording.to_string(), uid_ms(*recording), *samples as i64])?;
        }
        RecordingChange::Lost { recording } => {
            // Its length comes from the chunks, as `Request::Length`, before or after.
            transaction
                .prepare_cached(
                    "INSERT INTO recording(id, began_ms, closed) VALUES (?1, ?2, 1)
                     ON CONFLICT(id) DO UPDATE SET closed = 1",
                )?
                .execute(params![recording.to_string(), uid_ms(*recording)])?;
        }
    }
    Ok(())
}

/// The time that an identity was made at, in UTC milliseconds: stands in for a beginning that is not known.
pub(crate) fn uid_ms(uid: Uid) -> i64 {
    (uid.0 >> 80) as i64
}
