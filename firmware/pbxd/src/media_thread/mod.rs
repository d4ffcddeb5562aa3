//! The media thread: one OS thread that owns the media engine, the RTP and RTCP sockets and the PCM of the TDM highway.
//!
//! Packets are taken as they come; a two-party call of one codec is relayed at once. Every 20 ms there is a tick, led by
//! the highway's periods when it runs, otherwise by a timer with absolute deadlines. The thread never waits for
//! anybody: reports that the core does not take are kept and offered again, recorded frames go to a sink that must not
//! block, PCMs are opened by a thread of their own.

mod highway;
pub mod library;
mod opener;
mod ports;
mod turn;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use base::limits::MEDIA_COMMANDS_MAX;
use base::media::{Command, Report};
use media::{Engine, Library, RecordFrame, Settings};
use nix::sys::eventfd::{EfdFlags, EventFd};
use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

/// Priority under `SCHED_FIFO`; above other programs, below the kernel's own threads.
const PRIORITY: u8 = 40;

/// A line card whose timeslots are reached by a PCM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HighwayCard {
    /// Slot in the chassis, from 1.
    pub card: u8,
    /// Name of the ALSA PCM, opened for capture and for playback.
    pub device: String,
}

/// What the thread is started with.
#[derive(Debug)]
pub struct MediaThreadConfig {
    /// Address to which RTP ports are bound.
    pub bind: IpAddr,
    /// Of the engine; its `cards` are replaced by those of `highway`.
    pub settings: Settings,
    /// Prompts and music.
    pub library: Library,
    /// PCMs; the first one that runs leads the tick.
    pub highway: Vec<HighwayCard>,
}

/// To the thread.
enum Message {
    Command(Command),
    Library(Box<Library>),
    Stop,
}

/// The way to the thread; cheap to clone.
#[derive(Clone)]
pub struct MediaCommands {
    queue: SyncSender<Message>,
    wake: Arc<EventFd>,
}

impl fmt::Debug for MediaCommands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaCommands")
    }
}

impl MediaCommands {
    /// Gives a command; waits while the queue is full. False when the thread has ended.
    pub fn send(&self, command: Command) -> bool {
        self.give(Message::Command(command))
    }

    /// Replaces prompts and music; what plays goes on with the old ones.
    pub fn set_library(&self, library: Library) -> bool {
        self.give(Message::Library(Box::new(library)))
    }

    fn give(&self, message: Message) -> bool {
        let sent = match self.queue.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(message)) => {
                self.wake();
                self.queue.send(message).is_ok()
            }
            Err(TrySendError::Disconnected(_)) => false,
        };
        self.wake();
        sent
    }

    fn wake(&self) {
        // Fails only when 2^64 - 2 wake-ups are pending: then the thread is awake anyway.
        let _ = self.wake.write(1);
    }
}

/// The running thread.
#[derive(Debug)]
pub struct MediaThread {
    commands: MediaCommands,
    thread: JoinHandle<()>,
}

impl MediaThread {
    /// The way to it.
    pub fn commands(&self) -> MediaCommands {
        self.commands.clone()
    }

    /// Ends the thread after the commands given so far; sockets and PCMs are closed.
    pub fn stop(self) {
        self.commands.give(Message::Stop);
        // A thread that panicked has said so on stderr; there is nothing left to end.
        let _ = self.thread.join();
    }
}

/// Starts the thread, under `SCHED_FIFO` where the system permits it.
///
/// `report` and `record` run on it and must not wait. A report that is not taken comes back and is offered again, in
/// order, at every turn of the thread.
pub fn spawn(
    config: MediaThreadConfig,
    report: impl FnMut(Report) -> Result<(), Report> + Send + 'static,
    record: impl FnMut(RecordFrame) + Send + 'static,
) -> io::Result<MediaThread> {
    let (queue, messages) = sync_channel(MEDIA_COMMANDS_MAX);
    let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
    let MediaThreadConfig { bind, settings, library, highway } = config;
    let settings = Settings { cards: highway.iter().map(|card| card.card).collect(), ..settings };
    let opener = opener::Opener::start(highway, Arc::clone(&wake))?;
    let engine = Engine::new(settings, library);
    let worker = turn::Worker::new(engine, bind, opener, Arc::clone(&wake))?;
    let thread = std::thread::Builder::new().name("media".into()).spawn(move || {
        become_realtime();
        serve(worker, &messages, report, record);
    })?;
    Ok(MediaThread { commands: MediaCommands { queue, wake }, thread })
}

/// Turns until told to stop.
fn serve(
    mut worker: turn::Worker,
    messages: &Receiver<Message>,
    mut report: impl FnMut(Report) -> Result<(), Report>,
    mut record: impl FnMut(RecordFrame),
) {
    loop {
        match worker.turn(messages, &mut report, &mut record) {
            Ok(turn::Next::GoOn) => {}
            Ok(turn::Next::Stop) => return,
            Err(why) => {
                // Waiting itself fails only for lack of kernel memory.
                tracing::error!("media: the kernel refuses to wait for packets: {why}; trying again");
                std::thread::yield_now();
            }
        }
    }
}

fn become_realtime() {
    let Ok(value) = ThreadPriorityValue::try_from(PRIORITY) else { return };
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    if let Err(why) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(value), fifo) {
        tracing::info!(
            "media: no real-time priority ({why:?}); voice may stutter when the machine is busy. \
             Start as root or grant CAP_SYS_NICE (systemd: LimitRTPRIO={PRIORITY})"
        );
    }
}

#[cfg(test)]
mod tests;
