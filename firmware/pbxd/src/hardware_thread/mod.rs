//! The one thread that talks to the line cards: polls [`board::Cards`] at the cards' pace, carries commands out at once
//! and reports what happened as inputs of the core. It decides nothing.
//!
//! Stopping it, or the whole program, leaves the lines as they are: a chip keeps its hook, the next start takes it over.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;

use base::line::{LineCommand, LineEvent, PortId};
use board::{Cards, Setup, SetupError};
use pbx::door::{Input, Trouble, TroubleKind};

use crate::clock::instant;

/// The running thread; it ends when the sender of its commands is dropped.
pub struct HardwareThread {
    thread: JoinHandle<()>,
}

/// Why there is no hardware thread.
#[derive(Debug)]
pub enum StartError {
    /// The configuration names something that does not exist.
    Setup(SetupError),
    /// The operating system gives no thread.
    Thread(io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Setup(why) => write!(f, "line cards: {why}"),
            StartError::Thread(why) => write!(f, "line cards: no thread for them: {why}"),
        }
    }
}

impl std::error::Error for StartError {}

impl HardwareThread {
    /// Waits for its end; drop the sender of the commands before.
    pub fn join(self) {
        // A thread that panicked has said so on stderr; there is nothing left to end.
        let _ = self.thread.join();
    }
}

/// Starts the thread. `report` gets [`Input::Line`] and [`Input::Trouble`] (`HardwareBus`) in the order in which they
/// happened; it runs on the hardware thread and must not wait long.
pub fn spawn(
    setup: Setup,
    commands: Receiver<(PortId, LineCommand)>,
    report: impl FnMut(Input) + Send + 'static,
) -> Result<HardwareThread, StartError> {
    // Made twice: `Cards` stays on its thread, and a bad setup is the caller's to hear.
    Cards::new(&setup, instant()).map_err(StartError::Setup)?;
    let run = move || {
        if let Ok(cards) = Cards::new(&setup, instant()) {
            Poller { cards, report, events: Vec::new(), bus_in_trouble: false }.run(&commands);
        }
    };
    let thread = std::thread::Builder::new().name("hardware".into()).spawn(run).map_err(StartError::Thread)?;
    Ok(HardwareThread { thread })
}

struct Poller<R> {
    cards: Cards,
    report: R,
    events: Vec<(PortId, LineEvent)>,
    bus_in_trouble: bool,
}

impl<R: FnMut(Input)> Poller<R> {
    fn run(&mut self, commands: &Receiver<(PortId, LineCommand)>) {
        loop {
            self.poll();
            match commands.recv_timeout(self.cards.next_poll().since(instant())) {
                Ok((port, command)) => self.command(port, command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn poll(&mut self) {
        let result = self.cards.poll(instant(), &mut self.events);
        match (&result, self.bus_in_trouble) {
            (Err(trouble), false) => self.trouble(true, trouble.detail.clone()),
            (Ok(()), true) => self.trouble(false, "the SPI bus of the line cards answers again".into()),
            (Err(_), true) | (Ok(()), false) => {}
        }
        self.tell();
    }

    fn command(&mut self, port: PortId, command: LineCommand) {
        if let Err(why) = self.cards.command(instant(), port, command, &mut self.events) {
            tracing::warn!("{command:?} for a port that is not there: {why}; correct the port in the configuration");
        }
        self.tell();
    }

    fn trouble(&mut self, raised: bool, detail: String) {
        self.bus_in_trouble = raised;
        (self.report)(Input::Trouble(Trouble { kind: TroubleKind::HardwareBus, raised, detail }));
    }

    fn tell(&mut self) {
        for (port, event) in self.events.drain(..) {
            (self.report)(Input::Line(port, event));
        }
    }
}

#[cfg(test)]
mod tests;
