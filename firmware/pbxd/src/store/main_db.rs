//! The main database as one value without a thread: rows are queued and then committed together. [`super::Store`] runs
//! it; tests drive it step by step.

use std::str::FromStr;

use base::id::Uid;
use pbx::door::RecordingChange;
use rusqlite::{Connection, Transaction, params};

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

    /// Writes all queued rows in one transaction; synced when it returns. Returns the highest leg event among them.
    /// After an error all of them are still queued.
    pub fn commit(&mut self) -> Result<Option<u64>, StoreError> {
        if self.queue.is_empty() {
            return Ok(None);
        }
        let transaction = self.connection.transaction()?;
        let mut stored = None;
        for request in &self.queue {
            write(&transaction, request)?;
            if let Request::Leg(event) = request {
                stored = stored.max(Some(event.seq));
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
        Request::Config(commit) => {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO config_commit VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    commit.number as i64,
                    commit.wall_ms,
                    commit.author,
                    commit.comment,
                    commit.hash,
                    commit.text
                ])?;
        }
        Request::Erase(recording) => {
            transaction
                .prepare_cached("DELETE FROM recording_key WHERE recording = ?1")?
                .execute([recording.to_string()])?;
        }
    }
    Ok(())
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
