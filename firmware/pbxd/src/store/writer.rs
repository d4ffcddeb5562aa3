//! The thread that writes the main database: takes requests from a bounded queue and commits what came every
//! [`COMMIT_EVERY`], or at once when somebody waits for it. A disk that fails loses nothing until the queue is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::limits::STORE_REQUESTS_MAX;
use pbx::door::{Trouble, TroubleKind};

use super::{MainDb, Options, Report, Request, StoreError, remedy};

/// The longest that a request waits for its commit.
pub const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// Rest of the writer when nothing more has come.
const REST: Duration = Duration::from_millis(20);
/// The queue is half in the channel and half in the thread, where rows wait for a disk that fails.
const HALF_MAX: usize = STORE_REQUESTS_MAX / 2;

enum Message {
    Request(Box<Request>),
    /// Commit now; the answer says whether all that came before is on the disk.
    Flush(SyncSender<bool>),
    /// Look at the flag that asks to end.
    Wake,
}

/// The running store.
#[derive(Debug)]
pub struct Store {
    client: StoreClient,
    thread: Option<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
    run: u64,
}

/// Gives requests to the store, from any thread.
#[derive(Clone, Debug)]
pub struct StoreClient {
    messages: SyncSender<Message>,
    refused: Arc<AtomicU64>,
}

/// The queue is full (a disk that has failed for long) or the store has ended: the row is not kept. The trouble that
/// the store reports counts these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

impl StoreClient {
    /// Queues a request, never waits.
    pub fn request(&self, request: Request) -> Result<(), Refused> {
        self.messages.try_send(Message::Request(Box::new(request))).map_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            Refused
        })
    }

    /// Waits until all that was queued before is on the disk; false when the disk fails or it takes longer than
    /// `timeout`. Never to be called from the control task's turn.
    pub fn flush(&self, timeout: Duration) -> bool {
        let (answer, answered) = sync_channel(1);
        self.messages.try_send(Message::Flush(answer)).is_ok() && answered.recv_timeout(timeout).unwrap_or(false)
    }
}

impl Store {
    /// Opens the database and starts the thread. `notify` is called on that thread and must not wait.
    pub fn start(options: &Options, notify: impl FnMut(Report) + Send + 'static) -> Result<Store, StoreError> {
        Store::start_with(MainDb::open(options)?, options, notify)
    }

    /// Starts the thread over an open database.
    pub fn start_with(
        database: MainDb,
        options: &Options,
        notify: impl FnMut(Report) + Send + 'static,
    ) -> Result<Store, StoreError> {
        let (messages, inbox) = sync_channel(HALF_MAX);
        let client = StoreClient { messages, refused: Arc::default() };
        let run = database.run();
        let place = options.main_path().display().to_string();
        let refused = client.refused.clone();
        let stopping: Arc<AtomicBool> = Arc::default();
        let writer = Writer {
            database,
            notify,
            place,
            refused,
            stopping: stopping.clone(),
            waiting: Vec::new(),
            trouble: None,
            refused_told: 0,
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&inbox))
            .map_err(|e| StoreError::System(options.main_path(), e))?;
        Ok(Store { client, thread: Some(thread), stopping, run })
    }

    /// For other threads.
    pub fn client(&self) -> StoreClient {
        self.client.clone()
    }

    /// Number of this run, for [`crate::recorder`].
    pub fn run(&self) -> u64 {
        self.run
    }

    /// Queues a request, never waits.
    pub fn request(&self, request: Request) -> Result<(), Refused> {
        self.client.request(request)
    }

    /// See [`StoreClient::flush`].
    pub fn flush(&self, timeout: Duration) -> bool {
        self.client.flush(timeout)
    }

    /// Commits what was queued before and ends the thread; later requests are refused.
    pub fn finish(mut self) {
        self.stopping.store(true, Ordering::Release);
        // With a full queue the thread is awake.
        let _ = self.client.messages.try_send(Message::Wake);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer<N> {
    database: MainDb,
    notify: N,
    place: String,
    refused: Arc<AtomicU64>,
    stopping: Arc<AtomicBool>,
    /// Who waits for the next commit.
    waiting: Vec<SyncSender<bool>>,
    /// What was last told about a failing disk.
    trouble: Option<String>,
    refused_told: u64,
}

impl<N: FnMut(Report)> Writer<N> {
    fn run(mut self, inbox: &Receiver<Message>) {
        let mut due = Instant::now() + COMMIT_EVERY;
        loop {
            let idle = self.database.queued() == 0;
            // A full half stops listening, so that the other half fills and senders are told.
            let full = self.database.queued() >= HALF_MAX;
            let wait = due.saturating_duration_since(Instant::now());
            let message = match (full, idle) {
                (true, _) => {
                    std::thread::park_timeout(wait);
                    Err(RecvTimeoutError::Timeout)
                }
                (false, true) => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                // Rows wait for their commit in any case: the thread need not be woken for each of them.
                (false, false) => inbox.try_recv().map_err(|why| match why {
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                    TryRecvError::Empty => {
                        std::thread::park_timeout(wait.min(REST));
                        RecvTimeoutError::Timeout
                    }
                }),
            };
            match message {
                Ok(message) => self.take(message, &mut due),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
            }
            if self.stopping.load(Ordering::Acquire) {
                inbox.try_iter().for_each(|message| self.take(message, &mut due));
                self.commit();
                return;
            }
            if Instant::now() >= due {
                self.commit();
                due = Instant::now() + COMMIT_EVERY;
            }
        }
    }

    fn take(&mut self, message: Message, due: &mut Instant) {
        match message {
            Message::Request(request) => {
                if matches!(*request, Request::Commit(_)) {
                    // A person waits for it.
                    *due = Instant::now();
                } else if self.database.queued() == 0 {
                    *due = Instant::now() + COMMIT_EVERY;
                }
                self.database.queue(*request);
            }
            Message::Flush(answer) => {
                self.waiting.push(answer);
                *due = Instant::now();
            }
            Message::Wake => {}
        }
    }

    fn commit(&mut self) {
        let result = self.database.commit();
        let written = result.is_ok();
        match result {
            Ok(stored) => {
                if let Some(seq) = stored.leg_event {
                    (self.notify)(Report::Stored(seq));
                }
                if let Some(number) = stored.config {
                    (self.notify)(Report::CommitStored(number));
                }
                if self.trouble.take().is_some() {
                    self.tell(false, format!("{}: written again", self.place));
                }
            }
            Err(error) => self.tell_trouble(&error),
        }
        for waiting in self.waiting.drain(..) {
            let _ = waiting.try_send(written);
        }
    }

    /// Told when it begins, and again when rows had to be refused.
    fn tell_trouble(&mut self, error: &StoreError) {
        let refused = self.refused.load(Ordering::Relaxed);
        if self.trouble.is_some() && refused == self.refused_told {
            return;
        }
        self.refused_told = refused;
        let advice = match error {
            StoreError::Sqlite(error) => remedy(error),
            _ => "report it with the log",
        };
        let lost = match refused {
            0 => String::new(),
            count => format!("; the queue is full, {count} rows refused so far"),
        };
        let detail = format!("{}: cannot write: {error}{lost}; {advice}", self.place);
        self.trouble = Some(detail.clone());
        self.tell(true, detail);
    }

    fn tell(&mut self, raised: bool, detail: String) {
        (self.notify)(Report::Trouble(Trouble { kind: TroubleKind::StoreWrite, raised, detail }));
    }
}
