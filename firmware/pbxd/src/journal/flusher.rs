//! The journal's helper thread: syncs what was written, makes snapshots durable and deletes what is older than the
//! ring. It never touches what recovery needs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use super::segment::SegmentName;
use super::{JournalError, Options, SYNC_EVERY, segment, sync_dir};

/// Snapshots that wait to be written; a further one is not taken, the next will do.
const SNAPSHOTS_WAITING_MAX: usize = 2;

/// What the journal and its helper both see.
pub(super) struct Shared {
    /// Something was written since the last sync.
    pub dirty: AtomicBool,
    /// Newest durable snapshot, 0 for none.
    pub snapshot_seq: AtomicU64,
    files: Mutex<Files>,
    config: Mutex<[u8; 32]>,
    trouble: Mutex<Option<JournalError>>,
}

struct Files {
    current: (Arc<File>, PathBuf),
    /// Ended segments whose last writes are not synced yet.
    ended: Vec<(Arc<File>, PathBuf)>,
    /// There is a new name in the directory.
    new_name: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(file: Arc<File>, path: PathBuf, snapshot_seq: u64) -> Shared {
        Shared {
            dirty: AtomicBool::new(true),
            snapshot_seq: AtomicU64::new(snapshot_seq),
            files: Mutex::new(Files { current: (file, path), ended: Vec::new(), new_name: true }),
            config: Mutex::new([0; 32]),
            trouble: Mutex::new(None),
        }
    }

    pub fn replace_file(&self, file: Arc<File>, path: PathBuf) {
        let mut files = lock(&self.files);
        let ended = std::mem::replace(&mut files.current, (file, path));
        files.ended.push(ended);
        files.new_name = true;
        self.dirty.store(true, Ordering::Release);
    }

    pub fn set_config(&self, config: [u8; 32]) {
        *lock(&self.config) = config;
    }

    pub fn take_trouble(&self) -> Option<JournalError> {
        lock(&self.trouble).take()
    }

    fn report(&self, path: &Path, error: std::io::Error) {
        *lock(&self.trouble) = Some(JournalError::File { path: path.into(), error });
    }

    /// Syncs what is dirty; on failure all of it counts as dirty again.
    fn sync(&self, dir: &Path) {
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return;
        }
        let (files, new_name) = {
            let mut files = lock(&self.files);
            let mut all = std::mem::take(&mut files.ended);
            all.push(files.current.clone());
            (all, std::mem::take(&mut files.new_name))
        };
        let synced = files.iter().try_for_each(|(file, path)| file.sync_data().map_err(|error| (path.clone(), error)));
        let named = if new_name { sync_dir(dir).map_err(|error| (dir.to_path_buf(), error)) } else { Ok(()) };
        if let Err((path, error)) = synced.and(named) {
            self.report(&path, error);
            let mut state = lock(&self.files);
            let current = state.current.0.clone();
            state.ended.extend(files.into_iter().filter(|(file, _)| !Arc::ptr_eq(file, &current)));
            state.new_name |= new_name;
            self.dirty.store(true, Ordering::Release);
        }
    }
}

enum Request {
    Snapshot { seq: u64, bytes: Vec<u8> },
    Stop,
}

/// Takes finished snapshots from any thread.
#[derive(Clone)]
pub struct SnapshotSink(SyncSender<Request>);

impl SnapshotSink {
    /// The state after input `seq`. Returns false when earlier snapshots still wait for the disk; this one is dropped.
    pub fn put(&self, seq: u64, bytes: Vec<u8>) -> bool {
        !matches!(self.0.try_send(Request::Snapshot { seq, bytes }), Err(TrySendError::Full(_)))
    }
}

pub(super) struct Flusher {
    requests: SyncSender<Request>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub fn start(options: &Options, shared: Arc<Shared>) -> Result<Flusher, JournalError> {
        let (requests, inbox) = sync_channel(SNAPSHOTS_WAITING_MAX);
        shared.set_config(options.config);
        let options = options.clone();
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || run(&options, &shared, &inbox))
            .map_err(JournalError::Thread)?;
        Ok(Flusher { requests, thread: Some(thread) })
    }

    pub fn sink(&self) -> SnapshotSink {
        SnapshotSink(self.requests.clone())
    }

    /// Ends the thread after what it has begun.
    pub fn stop(&mut self) {
        let _ = self.requests.send(Request::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(options: &Options, shared: &Shared, inbox: &Receiver<Request>) {
    let mut next_sync = Instant::now() + SYNC_EVERY;
    loop {
        match inbox.recv_timeout(next_sync.saturating_duration_since(Instant::now())) {
            Ok(Request::Snapshot { seq, bytes }) => {
                if let Err(error) = write_snapshot(options, shared, seq, bytes) {
                    *lock(&shared.trouble) = Some(error);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => {
                shared.sync(&options.dir);
                return;
            }
        }
        if Instant::now() >= next_sync {
            shared.sync(&options.dir);
            next_sync = Instant::now() + SYNC_EVERY;
        }
    }
}

/// Under another name first: a snapshot is there as a whole or not at all.
fn write_snapshot(options: &Options, shared: &Shared, seq: u64, bytes: Vec<u8>) -> Result<(), JournalError> {
    if seq <= shared.snapshot_seq.load(Ordering::Acquire) {
        return Ok(());
    }
    // The inputs that led to this state must not be younger on the disk than the state.
    shared.sync(&options.dir);
    let config = *lock(&shared.config);
    let file_bytes = segment::snapshot_file(&options.master, &options.build, config, seq, bytes)?;
    let path = options.dir.join(segment::snapshot_name(seq));
    let temporary = options.dir.join("snapshot.new");
    let failed = |error| JournalError::File { path: path.clone(), error };
    let mut file = File::create(&temporary).map_err(failed)?;
    file.write_all(&file_bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&temporary, &path).and_then(|()| sync_dir(&options.dir)).map_err(failed)?;
    shared.snapshot_seq.store(seq, Ordering::Release);
    prune(options, seq)
}

/// Deletes segments that recovery from `snapshot_seq` does not need and the ring does not want, oldest first. Of the
/// snapshots stay the newest two and, for a replay from any kept segment on, the first one taken in each.
fn prune(options: &Options, snapshot_seq: u64) -> Result<(), JournalError> {
    let (segments, snapshots) = segment::list(&options.dir)?;
    let needed_from = segments.iter().rposition(|name| name.first_seq <= snapshot_seq + 1).unwrap_or(0);
    let size = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
    let mut total: u64 = segments.iter().map(|name| size(&options.dir.join(name.file_name()))).sum::<u64>()
        + snapshots.iter().map(|seq| size(&options.dir.join(segment::snapshot_name(*seq)))).sum::<u64>();
    let mut kept_from = 0;
    for name in &segments[..needed_from] {
        let path = options.dir.join(name.file_name());
        if total <= options.ring.bytes_max && age(&path) <= options.ring.age_max {
            break;
        }
        total -= size(&path).min(total);
        fs::remove_file(&path).map_err(|error| JournalError::File { path: path.clone(), error })?;
        kept_from += 1;
    }
    for path in segment::set_aside(&options.dir)? {
        if age(&path) > options.ring.age_max {
            fs::remove_file(&path).map_err(|error| JournalError::File { path: path.clone(), error })?;
        }
    }
    let first_in = |name: &SegmentName| snapshots.iter().find(|seq| **seq + 1 >= name.first_seq);
    let firsts: BTreeSet<u64> = segments[kept_from..].iter().filter_map(first_in).copied().collect();
    let newest_two = snapshots.len().saturating_sub(2);
    for seq in &snapshots[..newest_two] {
        if !firsts.contains(seq) {
            let path = options.dir.join(segment::snapshot_name(*seq));
            fs::remove_file(&path).map_err(|error| JournalError::File { path: path.clone(), error })?;
        }
    }
    Ok(())
}

fn age(path: &Path) -> std::time::Duration {
    let modified = fs::metadata(path).and_then(|meta| meta.modified()).unwrap_or_else(|_| SystemTime::now());
    SystemTime::now().duration_since(modified).unwrap_or_default()
}
