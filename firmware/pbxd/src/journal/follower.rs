//! A second core value on a thread of its own, fed with the same inputs one step behind. It makes the snapshots, so
//! that the control task never stops for one, and it proves determinism all day: its outputs must hash to the same
//! numbers as the control task's.
//!
//! Whoever wants to see the state asks here, too ([`super::lookout`]).
//!
//! A snapshot takes the place of the inputs before it, so it is handed over only when every leg event that they led to
//! is stored: otherwise a crash would lose the events that the store had not committed yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::time::Now;
use pbx::Pbx;
use pbx::door::{Input, Output};

use super::SnapshotSink;
use super::lookout::{Look, Lookout};

/// Inputs that wait for the follower; when it is so far behind it is dropped and a new one has to be started.
const STEPS_WAITING_MAX: usize = 65_536;
/// How far behind the follower may be when it has rested.
const REST: Duration = Duration::from_millis(20);

/// When a snapshot is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// After so many inputs.
    pub inputs: u64,
    /// After so long, if there was any input.
    pub every: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { inputs: 20_000, every: Duration::from_secs(30) }
    }
}

/// What the follower has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FollowerReport {
    /// The same input led to other outputs: the core is not deterministic, or memory is bad. The follower has ended;
    /// start a new one from the control task's value.
    Diverged {
        /// At which input.
        seq: u64,
        /// For the alarm.
        detail: String,
    },
    /// It cannot go on. Start a new one.
    Ended {
        /// Why, with the remedy.
        detail: String,
    },
}

/// What the thread is sent.
pub(crate) enum Message {
    /// To be handled.
    Step(Step),
    /// Somebody wants to see the state.
    Look(Look),
}

pub(crate) struct Step {
    seq: u64,
    now: Now,
    payload: Vec<u8>,
    outputs: u32,
}

/// Hashes outputs the same way on both sides; keeps its buffer.
#[derive(Default, Debug)]
pub struct OutputHash {
    buffer: Vec<u8>,
}

impl OutputHash {
    /// CRC-32 over the postcard form of all outputs of one input.
    pub fn of(&mut self, outputs: &[Output]) -> u32 {
        let buffer = std::mem::take(&mut self.buffer);
        // An output that does not encode hashes as what stood before it, on both sides alike.
        self.buffer =
            outputs.iter().try_fold(buffer, |buffer, output| postcard::to_extend(output, buffer)).unwrap_or_default();
        let crc = crc32fast::hash(&self.buffer);
        self.buffer.clear();
        crc
    }
}

/// The handle of the control task.
pub struct Follower {
    steps: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    done_seq: Arc<AtomicU64>,
    shown: Option<Lookout>,
}

/// The follower is too far behind or has ended; it gets nothing more. Start a new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost;

impl Follower {
    /// Starts with the state after input `seq`.
    pub fn start(
        pbx: Pbx,
        seq: u64,
        pace: Pace,
        sink: SnapshotSink,
        notify: impl FnMut(FollowerReport) + Send + 'static,
    ) -> std::io::Result<Follower> {
        let (steps, inbox) = sync_channel(STEPS_WAITING_MAX);
        let done_seq = Arc::new(AtomicU64::new(seq));
        let done = done_seq.clone();
        let thread = std::thread::Builder::new()
            .name("follower".into())
            .spawn(move || Follow { pbx, seq, pace, sink, done, waiting: None }.run(&inbox, notify))?;
        Ok(Follower { steps: Some(steps), thread: Some(thread), done_seq, shown: None })
    }

    /// Lets `lookout` look at this follower until it is hidden or ends.
    pub fn show(&mut self, lookout: &Lookout) {
        lookout.through(self.steps.clone());
        self.shown = Some(lookout.clone());
    }

    /// Nobody looks at it any more; the lookout is free for another.
    pub fn hide(&mut self) {
        if let Some(lookout) = self.shown.take() {
            lookout.through(None);
        }
    }

    /// Gives it an input that was journaled and handled; `outputs` is the hash of what followed. Never waits.
    pub fn step(&mut self, seq: u64, now: Now, payload: Vec<u8>, outputs: u32) -> Result<(), Lost> {
        let steps = self.steps.as_ref().ok_or(Lost)?;
        if steps.try_send(Message::Step(Step { seq, now, payload, outputs })).is_err() {
            self.steps = None;
            return Err(Lost);
        }
        Ok(())
    }

    /// The input that it handled last.
    pub fn done_seq(&self) -> u64 {
        self.done_seq.load(Ordering::Acquire)
    }

    /// Lets it handle what waits, take a last snapshot and end.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Whoever may ask keeps the thread alive.
        self.hide();
        self.steps = None;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.end();
    }
}

/// The next message; none when no more can come. Nobody waits for the follower: after the last step that was there it rests,
/// so that the control task need not wake it for every input.
fn next(inbox: &Receiver<Message>) -> Option<Message> {
    match inbox.try_recv() {
        Ok(message) => Some(message),
        Err(TryRecvError::Disconnected) => None,
        Err(TryRecvError::Empty) => {
            std::thread::park_timeout(REST);
            inbox.recv().ok()
        }
    }
}

struct Follow {
    pbx: Pbx,
    seq: u64,
    pace: Pace,
    sink: SnapshotSink,
    done: Arc<AtomicU64>,
    waiting: Option<Waiting>,
}

/// A snapshot that must not be used yet.
struct Waiting {
    /// The state after this input.
    seq: u64,
    /// The last leg event that led there.
    event: u64,
    bytes: Vec<u8>,
}

impl Follow {
    fn run(mut self, inbox: &Receiver<Message>, mut notify: impl FnMut(FollowerReport)) {
        let mut hash = OutputHash::default();
        let mut outputs = Vec::new();
        let mut snapshot_seq = self.seq;
        let mut snapshot_at = Instant::now();
        while let Some(message) = next(inbox) {
            let step = match message {
                Message::Step(step) => step,
                Message::Look(look) => {
                    look(&self.pbx);
                    continue;
                }
            };
            if let Err(report) = self.follow(&step, &mut hash, &mut outputs) {
                notify(report);
                return;
            }
            self.hand_over();
            let due = self.seq - snapshot_seq >= self.pace.inputs || snapshot_at.elapsed() >= self.pace.every;
            if due && self.waiting.is_none() {
                self.snapshot(&mut notify);
                (snapshot_seq, snapshot_at) = (self.seq, Instant::now());
            }
        }
        if self.seq > snapshot_seq {
            self.snapshot(&mut notify);
        }
    }

    fn follow(&mut self, step: &Step, hash: &mut OutputHash, outputs: &mut Vec<Output>) -> Result<(), FollowerReport> {
        if step.seq != self.seq + 1 {
            let detail = format!("input {} came after {}; a follower must be given every input", step.seq, self.seq);
            return Err(FollowerReport::Ended { detail });
        }
        let input: Input = postcard::from_bytes(&step.payload).map_err(|error| FollowerReport::Ended {
            detail: format!("input {} does not decode: {error}", step.seq),
        })?;
        outputs.clear();
        self.pbx.handle(step.now, input, outputs);
        let found = hash.of(outputs);
        if found != step.outputs {
            let detail = format!(
                "input {}: outputs hash to {:08x}, in the follower to {found:08x}; keep the journal and report it",
                step.seq, step.outputs
            );
            return Err(FollowerReport::Diverged { seq: step.seq, detail });
        }
        self.seq = step.seq;
        self.done.store(step.seq, Ordering::Release);
        Ok(())
    }

    fn snapshot(&mut self, notify: &mut impl FnMut(FollowerReport)) {
        match postcard::to_allocvec(&self.pbx) {
            Ok(bytes) => self.waiting = Some(Waiting { seq: self.seq, event: self.pbx.last_event(), bytes }),
            Err(error) => notify(FollowerReport::Ended { detail: format!("the state does not encode: {error}") }),
        }
        self.hand_over();
    }

    /// Hands the waiting snapshot over when the store has confirmed its events. When the disk is busy with earlier ones
    /// it is dropped; the next will do.
    fn hand_over(&mut self) {
        let stored = self.pbx.stored();
        if let Some(ready) = self.waiting.take_if(|waiting| waiting.event <= stored) {
            self.sink.put(ready.seq, ready.bytes);
        }
    }
}
