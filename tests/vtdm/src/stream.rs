//! One open direction of the highway: the connection to the world, the samples on their way, the pointers. No ALSA in
//! here; the glue is in the crate root.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::wire::{
    CHANNELS, Direction, PERIOD_FRAMES, PERIOD_SAMPLES, Period, SILENCE, TDM_BYTES_MAX, ToClient, ToWorld,
    connect_seqpacket,
};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{MsgFlags, send};

/// A world that does not welcome us within this time is not there.
const WELCOME_WAIT: Duration = Duration::from_millis(500);

/// Why a stream cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// No world listens, or it does not speak our language.
    NoWorld,
    /// The world refuses: this direction is open elsewhere, or there is no such card.
    Refused(String),
}

/// What the application must know before it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// All is well.
    Good,
    /// The application came too late (overrun or underrun); `prepare` begins anew.
    Xrun,
    /// The world has gone; only opening again helps.
    Gone,
}

/// One direction of one card's highway.
pub struct Stream {
    socket: UnixStream,
    /// Readable while the application has something to do: no need to wait for the next period then.
    ready: EventFd,
    ready_is_set: bool,
    poll: Epoll,
    direction: Direction,
    /// In frames, from the hardware and software parameters.
    buffer: u64,
    avail_min: u64,
    stop_threshold: u64,
    boundary: u64,
    run: u32,
    running: bool,
    health: Health,
    last_period: Option<u64>,
    /// Frames by which the hardware pointer moved since `prepare`.
    moved: u64,
    /// Frames handed over to or by the application since `prepare`.
    handed: u64,
    samples: VecDeque<i16>,
}

impl Stream {
    /// Connects to the world.
    pub fn open(socket: &Path, card: u8, direction: Direction) -> Result<Stream, OpenError> {
        let mut socket = connect_seqpacket(socket, WELCOME_WAIT).map_err(|_| OpenError::NoWorld)?;
        let hello = ToWorld::Hello { direction, card }.to_bytes();
        let mut answer = [0u8; TDM_BYTES_MAX];
        let length = transmit(&socket, &hello).and_then(|()| socket.read(&mut answer));
        match length.ok().and_then(|length| ToClient::from_bytes(&answer[..length])) {
            Some(ToClient::Welcome { .. }) => {}
            Some(ToClient::Refused(text)) => return Err(OpenError::Refused(text)),
            Some(ToClient::Tick { .. }) | None => return Err(OpenError::NoWorld),
        }
        Stream::with(socket, direction).map_err(|_| OpenError::NoWorld)
    }

    fn with(socket: UnixStream, direction: Direction) -> io::Result<Stream> {
        socket.set_nonblocking(true)?;
        let ready = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let poll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        poll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        poll.add(&ready, EpollEvent::new(EpollFlags::EPOLLIN, 1))?;
        Ok(Stream {
            socket,
            ready,
            ready_is_set: false,
            poll,
            direction,
            buffer: PERIOD_FRAMES as u64,
            avail_min: PERIOD_FRAMES as u64,
            stop_threshold: PERIOD_FRAMES as u64,
            boundary: u64::MAX,
            run: 0,
            running: false,
            health: Health::Good,
            last_period: None,
            moved: 0,
            handed: 0,
            samples: VecDeque::new(),
        })
    }

    /// Readable when the application should look.
    pub fn poll_fd(&self) -> BorrowedFd<'_> {
        self.poll.0.as_fd()
    }

    /// Which way the samples go.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Takes the parameters over, all in frames.
    pub fn set_parameters(&mut self, buffer: u64, avail_min: u64, stop_threshold: u64, boundary: u64) {
        (self.buffer, self.avail_min, self.stop_threshold) = (buffer, avail_min.max(1), stop_threshold);
        self.boundary = boundary.max(1);
    }

    /// Empty and still, pointers at zero. False when the world has gone.
    pub fn prepare(&mut self) -> bool {
        self.halt();
        if self.health == Health::Gone {
            return false;
        }
        self.health = Health::Good;
        (self.moved, self.handed, self.last_period) = (0, 0, None);
        self.samples.clear();
        self.settle();
        true
    }

    /// Lets the pointer run from the next period on. False when the world has gone.
    pub fn start(&mut self) -> bool {
        self.run = self.run.wrapping_add(1);
        self.running = true;
        self.tell(&ToWorld::Start { run: self.run });
        self.settle();
        self.health != Health::Gone
    }

    /// Holds the pointer; what was queued is forgotten.
    pub fn halt(&mut self) {
        self.running = false;
        self.tell(&ToWorld::Stop);
        self.settle();
    }

    /// Takes what the world has sent.
    pub fn update(&mut self) -> Health {
        let mut buffer = [0u8; TDM_BYTES_MAX];
        while self.health != Health::Gone {
            match self.socket.read(&mut buffer) {
                Ok(length) if length > 0 => match ToClient::from_bytes(&buffer[..length]) {
                    Some(ToClient::Tick { run, period, samples }) => self.tick(run, period, samples.as_deref()),
                    Some(ToClient::Welcome { .. } | ToClient::Refused(_)) | None => self.health = Health::Gone,
                },
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => break,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.health = Health::Gone,
            }
        }
        if self.running && self.health == Health::Good && self.avail() >= self.stop_threshold {
            self.health = Health::Xrun;
        }
        self.settle();
        self.health
    }

    fn tick(&mut self, run: u32, period: u64, samples: Option<&Period>) {
        if !self.running || run != self.run {
            return;
        }
        if self.last_period.is_some_and(|last| last + 1 != period) {
            self.health = Health::Xrun;
        }
        self.last_period = Some(period);
        self.moved += PERIOD_FRAMES as u64;
        if self.direction == Direction::Capture {
            self.samples.extend(samples.unwrap_or(&SILENCE));
        }
    }

    /// The hardware pointer.
    pub fn pointer(&self) -> u64 {
        self.moved % self.boundary
    }

    /// Frames that the application can read or write at once.
    fn avail(&self) -> u64 {
        match self.direction {
            Direction::Capture => self.moved.saturating_sub(self.handed),
            Direction::Playback => (self.buffer + self.moved).saturating_sub(self.handed),
        }
    }

    /// Whether poll should wake the application.
    pub fn is_ready(&self) -> bool {
        self.health != Health::Good || self.avail() >= self.avail_min
    }

    /// One frame for the application.
    pub fn take_frame(&mut self) -> [i16; CHANNELS] {
        self.handed += 1;
        std::array::from_fn(|_| self.samples.pop_front().unwrap_or(0))
    }

    /// One frame of the application. Whole periods go to the world at once.
    pub fn put_frame(&mut self, frame: [i16; CHANNELS]) {
        self.handed += 1;
        self.samples.extend(frame);
        if self.samples.len() >= PERIOD_SAMPLES {
            let mut period = Box::new(SILENCE);
            period.iter_mut().zip(self.samples.drain(..PERIOD_SAMPLES)).for_each(|(to, from)| *to = from);
            self.tell(&ToWorld::Play(period));
        }
    }

    /// Brings the readiness that poll shows in line with the pointers.
    pub fn settle(&mut self) {
        let ready = self.is_ready();
        if ready == self.ready_is_set {
            return;
        }
        let done = if ready { self.ready.write(1).map(drop) } else { self.ready.read().map(drop) };
        if done.is_ok() {
            self.ready_is_set = ready;
        }
    }

    fn tell(&mut self, message: &ToWorld) {
        if self.health != Health::Gone && transmit(&self.socket, &message.to_bytes()).is_err() {
            self.health = Health::Gone;
        }
    }
}

/// Without SIGPIPE: we are a guest in somebody else's process.
fn transmit(socket: &UnixStream, message: &[u8]) -> io::Result<()> {
    send(socket.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL)?;
    Ok(())
}
