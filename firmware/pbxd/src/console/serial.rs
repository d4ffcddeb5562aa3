//! The one thread that holds the console's serial line: 8N1 at the speed of the configuration, a session of its own. A
//! cable that is pulled, a device that goes or is not there harm nobody: whoever was logged in is out, it is said once in
//! the log, and the line is tried again. What is framed wrong, a break among it, comes as bytes that mean no key.

use super::session::Session;
use super::sources::Sources;
use serialport::{DataBits, FlowControl, Parity, SerialPort, StopBits};
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a read waits, and so how late the end of the thread is seen.
const READ_WAIT: Duration = Duration::from_millis(200);
/// Between two looks at the configuration, and two tries to open the device.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a reader may take to make room before what is sent is lost.
const WRITE_WAIT: Duration = Duration::from_secs(1);

/// What the configuration says of the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The core does not answer: what was wanted still is.
    Unknown,
    /// No line.
    Nothing,
    /// This one.
    Line {
        /// `/dev/ttyS0`.
        device: String,
        /// In baud.
        speed: u32,
    },
}

/// The running thread.
pub struct SerialThread {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl SerialThread {
    /// Ends it.
    pub fn stop(self) {
        drop(self.stop);
        // A thread that panicked has said so on stderr; there is nothing left to end.
        let _ = self.thread.join();
    }
}

/// Starts the thread. `wanted` is asked once a second.
///
/// # Errors
/// When the machine has no thread.
pub fn spawn<S: Sources + Send + 'static>(
    wanted: impl FnMut() -> Wanted + Send + 'static,
    sources: S,
) -> std::io::Result<SerialThread> {
    let (stop, stopped) = channel();
    let run = move || Attendant { wanted, stopped, trouble: None }.run(sources);
    let thread = std::thread::Builder::new().name("serial console".into()).spawn(run)?;
    Ok(SerialThread { stop, thread })
}

struct Attendant<W> {
    wanted: W,
    stopped: Receiver<()>,
    /// What the log was told last.
    trouble: Option<String>,
}

/// Why a line was left.
enum Left {
    /// The program ends.
    Stopped,
    /// The configuration wants another.
    Unwanted,
    /// The session is over.
    Over,
    /// It is gone.
    Gone(String),
}

impl<W: FnMut() -> Wanted> Attendant<W> {
    fn run(mut self, mut sources: impl Sources) {
        loop {
            match self.stopped.recv_timeout(LOOK_EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let (device, speed) = match (self.wanted)() {
                Wanted::Line { device, speed } => (device, speed),
                Wanted::Nothing => {
                    self.trouble = None;
                    continue;
                }
                Wanted::Unknown => continue,
            };
            let mut port = match open(&device, speed) {
                Ok(port) => port,
                Err(why) => {
                    self.tell(format!("serial console {device}: {why}; it is tried again"));
                    continue;
                }
            };
            loop {
                let mut session = Session::new(sources);
                let left = self.attend(port.as_mut(), (&device, speed), &mut session);
                session.hang_up();
                sources = session.into_sources();
                match left {
                    Left::Over => {}
                    Left::Stopped => return,
                    Left::Unwanted => break,
                    Left::Gone(why) => {
                        self.tell(format!("serial console {device}: {why}; it is tried again"));
                        break;
                    }
                }
            }
        }
    }

    fn tell(&mut self, why: String) {
        if self.trouble.as_ref() != Some(&why) {
            tracing::warn!("{why}");
            self.trouble = Some(why);
        }
    }

    fn attend<S: Sources>(&mut self, port: &mut dyn SerialPort, now: (&str, u32), session: &mut Session<S>) -> Left {
        let mut look_at = Instant::now() + LOOK_EVERY;
        while !session.is_over() {
            let mut bytes = [0; 256];
            let answer = match port.read(&mut bytes) {
                Ok(0) => return Left::Gone("it was hung up".into()),
                Ok(count) => {
                    // A device that opens and is gone at once would fill the log; one that speaks is there.
                    if self.trouble.take().is_some() {
                        tracing::info!("serial console {}: it is there again", now.0);
                    }
                    session.take(bytes.get(..count).unwrap_or_default())
                }
                Err(why) if matches!(why.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => String::new(),
                Err(why) => return Left::Gone(why.to_string()),
            };
            if let Err(why) = send(port, answer.as_bytes()) {
                return Left::Gone(why);
            }
            if !matches!(self.stopped.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
                return Left::Stopped;
            }
            if Instant::now() >= look_at {
                look_at = Instant::now() + LOOK_EVERY;
                let told = session.tick();
                if let Err(why) = send(port, told.as_bytes()) {
                    return Left::Gone(why);
                }
                match (self.wanted)() {
                    Wanted::Unknown => {}
                    Wanted::Line { device, speed } if (device.as_str(), speed) == now => {}
                    Wanted::Line { .. } | Wanted::Nothing => return Left::Unwanted,
                }
            }
        }
        Left::Over
    }
}

fn open(device: &str, speed: u32) -> Result<Box<dyn SerialPort>, String> {
    let port = serialport::new(device, speed)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .timeout(READ_WAIT);
    port.open().map_err(|why| why.to_string())
}

/// Sends, as far as somebody reads.
fn send(port: &mut dyn SerialPort, mut bytes: &[u8]) -> Result<(), String> {
    let until = Instant::now() + WRITE_WAIT;
    while !bytes.is_empty() {
        match port.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(why) if matches!(why.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock) => {
                if Instant::now() >= until {
                    // Nobody reads.
                    return Ok(());
                }
            }
            Err(why) => return Err(why.to_string()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
