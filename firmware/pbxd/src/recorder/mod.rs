//! Recorded audio: its own thread, one database file per UTC day, committed for all calls together every 0.5 s.
//! Sealed per call, chained over the ciphertext. The index, the keys and what a recording belongs to are the store's.
//!
//! Nothing here ever makes a talking call wait: a full queue drops audio, counts it and raises an alarm.

pub mod chunk;
pub mod export;
pub mod index;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::id::Uid;
use base::limits::RECORDER_FRAMES_MAX;
use pbx::door::{Trouble, TroubleKind};

use crate::seal::{MasterKey, SealError};
use crate::store::{Options, Request, StoreClient, StoreError};

pub use export::{ExportReport, export_wav};
pub use media::RecordFrame;
pub use writer::Writer;

/// How often audio is committed.
pub const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// The longest wait for the store to keep the key of a new recording.
const KEY_WAIT_MAX: Duration = Duration::from_secs(1);
/// Commits without a further loss after which the alarm is cleared.
const QUIET_COMMITS: u32 = 20;

/// Why audio cannot be written or read.
#[derive(Debug)]
pub enum RecorderError {
    /// A database file.
    Sqlite(PathBuf, rusqlite::Error),
    /// The main database.
    Store(StoreError),
    /// A directory, a WAV file or the thread.
    System(PathBuf, std::io::Error),
    /// No key could be made.
    Seal(SealError),
    /// There is no such recording.
    Unknown(Uid),
    /// Its keys were destroyed: it cannot be played any more.
    Erased(Uid),
    /// Longer than 24 hours: it cannot be exported as one file.
    TooLong(Uid),
}

impl fmt::Display for RecorderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecorderError::Sqlite(path, error) => {
                write!(f, "{}: {error}; {}", path.display(), crate::store::remedy(error))
            }
            RecorderError::Store(error) => write!(f, "{error}"),
            RecorderError::System(path, error) => write!(f, "{}: {error}", path.display()),
            RecorderError::Seal(error) => write!(f, "{error}"),
            RecorderError::Unknown(recording) => {
                write!(f, "no recording {recording}; its day may have been deleted after the retention period")
            }
            RecorderError::Erased(recording) => write!(f, "recording {recording} was erased: its keys are destroyed"),
            RecorderError::TooLong(recording) => write!(f, "recording {recording} is longer than 24 hours"),
        }
    }
}

impl std::error::Error for RecorderError {}

impl From<StoreError> for RecorderError {
    fn from(error: StoreError) -> RecorderError {
        RecorderError::Store(error)
    }
}

impl From<SealError> for RecorderError {
    fn from(error: SealError) -> RecorderError {
        RecorderError::Seal(error)
    }
}

enum Message {
    Frame(RecordFrame),
    Close(Uid),
    Flush(SyncSender<()>),
    /// Look at the flag that asks to end.
    Wake,
}

/// Where media workers put what they tap. Cheap to clone, never waits.
#[derive(Clone)]
pub struct RecordTap {
    messages: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl RecordTap {
    /// Takes a frame, or drops and counts it when the recorder is behind. Returns whether it was taken.
    pub fn push(&self, frame: RecordFrame) -> bool {
        let taken = self.messages.try_send(Message::Frame(frame)).is_ok();
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// The recording is complete as far as the core is concerned; frames still on their way are taken.
    pub fn close(&self, recording: Uid) {
        // A lost one costs nothing but memory for some minutes: an idle recording is closed anyway.
        let _ = self.messages.try_send(Message::Close(recording));
    }

    /// Waits until all frames pushed before are committed, or `timeout`. For tests and a clean stop.
    pub fn flush(&self, timeout: Duration) -> bool {
        let (answer, answered) = sync_channel(1);
        self.messages.try_send(Message::Flush(answer)).is_ok() && answered.recv_timeout(timeout).is_ok()
    }
}

/// The running recorder.
pub struct Recorder {
    tap: RecordTap,
    thread: Option<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
}

impl Recorder {
    /// Starts the thread; the index of what the last run left is mended on it first. `run` is the store's
    /// [`crate::store::Store::run`]. `notify` is called on the thread and must not wait.
    pub fn start(
        options: &Options,
        master: &MasterKey,
        run: u64,
        store: StoreClient,
        notify: impl FnMut(Trouble) + Send + 'static,
    ) -> Result<Recorder, RecorderError> {
        let dir = chunk::dir(options);
        std::fs::create_dir_all(&dir).map_err(|e| RecorderError::System(dir.clone(), e))?;
        let (messages, inbox) = sync_channel(RECORDER_FRAMES_MAX);
        let tap = RecordTap { messages, dropped: Arc::default() };
        let stopping: Arc<AtomicBool> = Arc::default();
        let work = Work {
            stopping: stopping.clone(),
            writer: Writer::new(options, master, run),
            options: options.clone(),
            store,
            notify,
            dropped: tap.dropped.clone(),
            dropped_told: 0,
            quiet: QUIET_COMMITS,
            flushing: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || work.run(&inbox))
            .map_err(|e| RecorderError::System(dir, e))?;
        Ok(Recorder { tap, thread: Some(thread), stopping })
    }

    /// For the media workers.
    pub fn tap(&self) -> RecordTap {
        self.tap.clone()
    }

    /// Commits what was pushed before and ends the thread; later frames are dropped.
    pub fn finish(mut self) {
        self.stopping.store(true, Ordering::Release);
        // With a full queue the thread is awake.
        let _ = self.tap.messages.try_send(Message::Wake);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work<N> {
    stopping: Arc<AtomicBool>,
    writer: Writer,
    options: Options,
    store: StoreClient,
    notify: N,
    dropped: Arc<AtomicU64>,
    dropped_told: u64,
    /// Commits since something went wrong, up to [`QUIET_COMMITS`].
    quiet: u32,
    flushing: Vec<SyncSender<()>>,
}

impl<N: FnMut(Trouble)> Work<N> {
    fn run(mut self, inbox: &Receiver<Message>) {
        if let Err(error) = self.mend_index() {
            self.trouble(format!("index of recordings: {error}"));
        }
        let mut due = Instant::now() + COMMIT_EVERY;
        loop {
            match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(message) => self.take(message, &mut due),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.stopping.store(true, Ordering::Release),
            }
            if self.stopping.load(Ordering::Acquire) {
                inbox.try_iter().for_each(|message| self.take(message, &mut due));
                self.writer.hold_nothing_back();
                self.commit();
                return;
            }
            if Instant::now() >= due {
                self.commit();
                due = (due + COMMIT_EVERY).max(Instant::now());
            }
        }
    }

    fn take(&mut self, message: Message, due: &mut Instant) {
        match message {
            Message::Frame(frame) => {
                if !self.writer.push(frame) {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Message::Close(recording) => self.writer.close(recording),
            Message::Flush(answer) => {
                self.flushing.push(answer);
                self.writer.hold_nothing_back();
                *due = Instant::now();
            }
            Message::Wake => {}
        }
    }

    fn mend_index(&mut self) -> Result<(), RecorderError> {
        for request in index::mend(&self.options)? {
            // A refused one is found again at the next start.
            let _ = self.store.request(request);
        }
        Ok(())
    }

    fn commit(&mut self) {
        match self.write() {
            Ok(()) => self.all_well(),
            Err(error) => self.trouble(error.to_string()),
        }
        for answer in self.flushing.drain(..) {
            let _ = answer.try_send(());
        }
    }

    fn write(&mut self) -> Result<(), RecorderError> {
        let sealed = self.writer.seal();
        let keys = self.writer.keys();
        if !keys.is_empty() {
            // A chunk without its key is noise: the key is on the disk first.
            let queued = keys.iter().all(|key| self.store.request(Request::Key(key.clone())).is_ok());
            if queued && self.store.flush(KEY_WAIT_MAX) {
                self.writer.keys_stored();
            }
        }
        let heads = self.writer.commit()?;
        for head in heads {
            let _ = self.store.request(Request::Head(head));
        }
        sealed
    }

    fn all_well(&mut self) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.dropped_told {
            self.dropped_told = dropped;
            self.trouble(format!("{dropped} frames of 20 ms dropped so far: the disk or processor is too slow"));
        } else if self.quiet < QUIET_COMMITS {
            self.quiet += 1;
            if self.quiet == QUIET_COMMITS {
                self.tell(false, "recording works again".into());
            }
        }
    }

    fn trouble(&mut self, detail: String) {
        let new = self.quiet >= QUIET_COMMITS;
        self.quiet = 0;
        if new {
            self.tell(true, format!("{}: {detail}", chunk::dir(&self.options).display()));
        }
    }

    fn tell(&mut self, raised: bool, detail: String) {
        (self.notify)(Trouble { kind: TroubleKind::RecorderOverrun, raised, detail });
    }
}

#[cfg(test)]
mod tests;
