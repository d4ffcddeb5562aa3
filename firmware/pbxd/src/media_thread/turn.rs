//! One turn of the media thread: wait, then commands, packets, highway periods and the timer, in this order.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use alsa::poll::{Flags, pollfd};
use base::limits::{RTP_PACKET_BYTES_MAX, TICK_US};
use base::media::{Command, Report};
use base::time::Instant;
use media::{Effects, Engine, PortAction, RecordFrame};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::EventFd;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::clock_gettime;

use super::Message;
use super::highway::Highway;
use super::opener::Opener;
use super::ports::{FIRST_EVENT, Ports};
use crate::clock;

const WAKE: u64 = 0;
const TIMER: u64 = 1;
const TICK: Duration = Duration::from_micros(TICK_US);
/// Events taken from the kernel at once.
const EVENTS: usize = 256;
/// Commands carried out in one turn, so that many of them do not delay the tick.
const COMMANDS_PER_TURN: usize = 64;
/// Without a period of the highway for this long the timer takes over.
const HIGHWAY_PATIENCE: Duration = Duration::from_millis(60);
/// How long the highway may take at the start before it is reported as stopped.
const START_PATIENCE: Duration = Duration::from_secs(1);
/// Ticks made good after a stall; what is older is left out.
const TICKS_MADE_GOOD: u32 = 5;
/// Legs for which there is room from the start.
const LEGS: usize = 512;

/// Who leads the tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lead {
    /// The timer, because no highway is configured.
    TimerAlone,
    /// The timer, until the highway runs; when it is to be reported as stopped, unless it was.
    TimerInstead { tell_at: Option<Instant> },
    /// The highway.
    Highway,
}

/// Whether there is a next turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Yes.
    GoOn,
    /// No.
    Stop,
}

/// The thread's state.
pub struct Worker {
    engine: Engine,
    effects: Effects,
    ports: Ports,
    highway: Highway,
    lead: Lead,
    epoll: Epoll,
    timer: TimerFd,
    wake: Arc<EventFd>,
    /// Own epoll first, then the descriptors of the PCMs.
    descriptors: Vec<pollfd>,
    events: Vec<EpollEvent>,
    buffer: Box<[u8; RTP_PACKET_BYTES_MAX + 1]>,
    /// When the last tick was due.
    ticked: Instant,
    /// Reports that nobody has taken yet.
    pending: VecDeque<Report>,
}

impl Worker {
    /// Prepares everything that can fail.
    pub fn new(engine: Engine, bind: IpAddr, opener: Opener, wake: Arc<EventFd>) -> io::Result<Worker> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        epoll.add(&*wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        let highway = Highway::new(opener);
        let lead = if highway.has_cards() {
            Lead::TimerInstead { tell_at: Some(clock::instant() + START_PATIENCE) }
        } else {
            Lead::TimerAlone
        };
        let mut worker = Worker {
            engine,
            effects: Effects::with_room_for(LEGS),
            ports: Ports::new(bind),
            highway,
            lead,
            epoll,
            timer,
            wake,
            descriptors: Vec::with_capacity(17),
            events: vec![EpollEvent::empty(); EVENTS],
            buffer: Box::new([0; RTP_PACKET_BYTES_MAX + 1]),
            ticked: clock::instant(),
            pending: VecDeque::with_capacity(64),
        };
        worker.collect_descriptors();
        worker.arm_timer()?;
        Ok(worker)
    }

    /// Waits and does what there is to do. An error is one of waiting.
    pub fn turn(
        &mut self,
        messages: &Receiver<Message>,
        report: &mut impl FnMut(Report) -> Result<(), Report>,
        record: &mut impl FnMut(RecordFrame),
    ) -> io::Result<Next> {
        let count = self.wait()?;
        let mut next = Next::GoOn;
        let mut timer_due = false;
        for i in 0..count {
            match self.events[i].data() {
                WAKE => next = self.commands(messages, record),
                TIMER => timer_due = true,
                event => self.packet(event, record),
            }
        }
        if self.descriptors.len() > 1 {
            self.highway_periods(record)?;
        }
        if timer_due {
            // Only to clear it; the clock says how late we are.
            let _ = self.timer.wait();
            self.timer_ticks(record)?;
        }
        self.tell(report);
        Ok(next)
    }

    /// Waits for anything; returns how many events of our own there are.
    fn wait(&mut self) -> io::Result<usize> {
        let timeout = if self.descriptors.len() > 1 {
            // Descriptors of a sound system are plain numbers, so they are waited for by poll around our epoll.
            match alsa::poll::poll(&mut self.descriptors, -1) {
                Ok(_) => {}
                Err(why) if why.errno() == Errno::EINTR as i32 => return Ok(0),
                Err(why) => return Err(io::Error::from_raw_os_error(why.errno())),
            }
            if self.descriptors[0].revents == 0 {
                return Ok(0);
            }
            EpollTimeout::ZERO
        } else {
            EpollTimeout::NONE
        };
        match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => Ok(count),
            Err(Errno::EINTR) => Ok(0),
            Err(why) => Err(why.into()),
        }
    }

    fn commands(&mut self, messages: &Receiver<Message>, record: &mut impl FnMut(RecordFrame)) -> Next {
        let _ = self.wake.read();
        if self.highway.take_opened(clock::instant()) {
            self.collect_descriptors();
        }
        for _ in 0..COMMANDS_PER_TURN {
            match messages.try_recv() {
                Ok(Message::Command(command)) => {
                    if let Command::Configure { bind, .. } = command {
                        self.ports.bind_to(bind);
                    }
                    self.engine.command(clock::instant(), command, &mut self.effects);
                    self.perform(record);
                }
                Ok(Message::Library(library)) => self.engine.set_library(*library),
                Ok(Message::Stop) | Err(TryRecvError::Disconnected) => return Next::Stop,
                Err(TryRecvError::Empty) => return Next::GoOn,
            }
        }
        let _ = self.wake.write(1);
        Next::GoOn
    }

    fn packet(&mut self, event: u64, record: &mut impl FnMut(RecordFrame)) {
        if event < FIRST_EVENT {
            return;
        }
        let Some((leg, channel, from, length)) = self.ports.receive(event, &mut self.buffer[..]) else { return };
        if length > RTP_PACKET_BYTES_MAX {
            return;
        }
        self.engine.packet(clock::instant(), leg, channel, from, &self.buffer[..length], &mut self.effects);
        self.perform(record);
    }

    /// Ticks for every period that the highway has.
    fn highway_periods(&mut self, record: &mut impl FnMut(RecordFrame)) -> io::Result<()> {
        loop {
            let now = clock::instant();
            let beat = self.highway.read(now);
            if beat.changed {
                self.collect_descriptors();
            }
            if !beat.period {
                return Ok(());
            }
            if self.lead != Lead::Highway {
                self.lead = Lead::Highway;
                self.pending.push_back(Report::Highway { running: true });
            }
            let (input, output) = self.highway.frames();
            self.engine.tick(now, Some(input), Some(output), &mut self.effects);
            if self.highway.write(now) {
                self.collect_descriptors();
            }
            self.perform(record);
            self.ticked = now;
            self.arm_timer()?;
        }
    }

    /// Ticks by the clock: one for each 20 ms since the last, as far as they are made good.
    fn timer_ticks(&mut self, record: &mut impl FnMut(RecordFrame)) -> io::Result<()> {
        let now = clock::instant();
        if self.lead == Lead::Highway {
            if now.since(self.ticked) < HIGHWAY_PATIENCE {
                return self.arm_timer();
            }
            self.lead = Lead::TimerInstead { tell_at: Some(now) };
        }
        if let Lead::TimerInstead { tell_at: Some(at) } = self.lead
            && now >= at
        {
            self.lead = Lead::TimerInstead { tell_at: None };
            self.pending.push_back(Report::Highway { running: false });
        }
        let due = (now.since(self.ticked).as_micros() as u64 / TICK_US) as u32;
        for _ in 0..due.min(TICKS_MADE_GOOD) {
            self.engine.tick(now, None, None, &mut self.effects);
            self.perform(record);
        }
        self.ticked += TICK * due;
        self.arm_timer()
    }

    /// Carries out what the engine wants.
    fn perform(&mut self, record: &mut impl FnMut(RecordFrame)) {
        for i in 0..self.effects.ports.len() {
            if let PortAction::Open { leg, local_port } = self.effects.ports[i]
                && let Err(why) = self.ports.open(&self.epoll, leg, local_port)
            {
                self.engine.port_failed(leg, why, &mut self.effects);
            }
        }
        for packet in &self.effects.packets {
            self.ports.send(packet);
        }
        for action in &self.effects.ports {
            if let PortAction::Close { leg } = action {
                self.ports.close(*leg);
            }
        }
        self.effects.frames.drain(..).for_each(record);
        self.pending.extend(self.effects.reports.drain(..));
        self.effects.clear();
    }

    /// Offers the reports, oldest first, until one is not taken.
    fn tell(&mut self, report: &mut impl FnMut(Report) -> Result<(), Report>) {
        while let Some(first) = self.pending.pop_front() {
            if let Err(first) = report(first) {
                self.pending.push_front(first);
                return;
            }
        }
    }

    fn collect_descriptors(&mut self) {
        self.descriptors.clear();
        self.descriptors.push(pollfd { fd: self.epoll.0.as_raw_fd(), events: Flags::IN.bits(), revents: 0 });
        self.highway.descriptors(&mut self.descriptors);
    }

    /// Sets the timer to the next tick, or to the end of our patience with the highway.
    fn arm_timer(&self) -> io::Result<()> {
        let ahead = match self.lead {
            Lead::Highway => HIGHWAY_PATIENCE,
            Lead::TimerAlone | Lead::TimerInstead { .. } => TICK,
        };
        // The kernel's timer runs on CLOCK_MONOTONIC, ours on CLOCK_BOOTTIME: the deadline is moved over by its
        // distance from now, measured on both within microseconds.
        let distance = (self.ticked + ahead).since(clock::instant());
        let monotonic: Duration = clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?.into();
        let at = TimeSpec::from_duration(monotonic + distance.max(Duration::from_micros(1)));
        Ok(self.timer.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?)
    }
}
