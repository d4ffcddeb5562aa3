//! FXO port: Si3050 (system side) with Si3019 (line side). One [`Si3050`] per chip, several of them on one daisy chain.
//!
//! It is a state machine without waits: [`Si3050::step`] does what is due and [`Si3050::next_step`] says when to come
//! back. After a restart of the program a chip that runs with our settings is **taken over**: no reset, the hook is not
//! touched, the call on it goes on. A release that came and went while no program ran is found in the chip's latched
//! dropout source, and told as `Attached` without battery, then `BatteryBack`.
//!
//! Where the facts come from:
//! - Datasheet text: register 29 (LVS, 1 V per bit, bit 7 is the polarity, forced to 0 below 3 V unless LVFD),
//!   register 31 (FULL, FOH, FILT, LVFD), register 19, up to 16 chips on a chain, daisy-chain control byte.
//! - Public facts of the DAHDI drivers: 3-byte frames (0x20 write, 0x60 read), SPI mode 3, reset value 0x03 of
//!   register 2, order of initialisation, start counts before PCME, 0x08/0x09 in register 5, the 0x9B check, ring
//!   polling each 16 ms, country values, 3 V battery threshold.
//!
//! Unchecked against the datasheet, look there before building a board:
//! - bit order of the chain position in the control byte (here: bit 0 is its lowest bit);
//! - that chip select may stay low over the three bytes of a frame (DAHDI raises it after each byte; a board that must
//!   do so has its `SpiDevice` do it, in one transaction of the kernel, so that a killed program leaves no half frame);
//! - that a control byte without bit 5 is ignored, on which the resynchronisation after a half frame relies;
//! - PCMF = 11 for 16-bit linear samples, start counts of 16 bits per timeslot then;
//! - that DODI in register 4 latches a dropout while off-hook, and that going off-hook does not set it by itself;
//! - identities of the line side (1 = Si3018, 3 = Si3019, 4 = Si3011), FDT as bit 6 of register 12;
//! - the settle times after hook and ring changes below, chosen from the chip's off-hook counter and ring period.

pub mod country;
pub mod feed;
pub mod registers;
pub mod ring;

use base::line::{LineCommand, LineEvent, LineFault};
use base::time::Instant;
use core::time::Duration;
use embedded_hal::spi::SpiDevice;

pub use country::Country;
use feed::{Feed, FeedChange};
use registers as reg;
use ring::{Halves, Ring, RingChange};

/// Between two polls of a running chip.
pub const POLL: Duration = Duration::from_millis(16);
/// After the soft reset.
const RESET_WAIT: Duration = Duration::from_millis(100);
/// Between two looks at the isolation link while it starts.
const LINK_POLL: Duration = Duration::from_millis(100);
/// The link must be up by then.
const LINK_WAIT_MAX: Duration = Duration::from_secs(2);
/// Between two looks at the registers that only a reset changes.
const CHECK_EVERY: Duration = Duration::from_millis(256);
/// Line voltage means nothing so long after the hook moved: off-hook counter (128 ms) and settling.
const HOOK_SETTLE: Duration = Duration::from_millis(300);
/// Line voltage means nothing so long after ring voltage was last seen.
const RING_SETTLE: Duration = Duration::from_millis(200);
/// A chip in trouble is tried again after this.
const RETRY: Duration = Duration::from_secs(1);
/// So many odd readings in a row are a fault, one may be a glitch on the bus.
const ODD_POLLS_MAX: u8 = 2;

/// What one call of [`Si3050::step`] or [`Si3050::command`] has to tell.
pub type Events = heapless::Vec<LineEvent, 4>;

/// Samples on the PCM highway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PcmFormat {
    /// G.711 A-law, 8 bits per timeslot.
    ALaw,
    /// G.711 µ-law, 8 bits per timeslot.
    MuLaw,
    /// 16-bit linear, 16 bits per timeslot.
    Linear16,
}

impl PcmFormat {
    const fn mode(self) -> u8 {
        match self {
            PcmFormat::ALaw => 0x00,
            PcmFormat::MuLaw => 0x08,
            PcmFormat::Linear16 => 0x18,
        }
    }

    const fn bits(self) -> u16 {
        match self {
            PcmFormat::ALaw | PcmFormat::MuLaw => 8,
            PcmFormat::Linear16 => 16,
        }
    }
}

/// How a chip is wired and set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Position on the daisy chain, 0 is next to the controller; 0 for a chip alone.
    pub chain_position: u8,
    /// Timeslot on the PCM highway, from 0.
    pub timeslot: u8,
    /// Format of the highway.
    pub pcm: PcmFormat,
    /// The network's norm.
    pub country: &'static Country,
}

/// What the chip says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// LSID: 3 is an Si3019.
    pub line_side: u8,
    /// REVA.
    pub revision: u8,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    ring: Ring,
    feed: Feed,
    off_hook: bool,
    announced: bool,
    /// Taken over off-hook, and the line had dropped out since the last look.
    dropped_out: bool,
    odd_polls: u8,
    next_poll: Instant,
    next_check: Instant,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// To find out whether the chip runs already.
    Attach { at: Instant },
    /// Soft reset given.
    Reset { until: Instant },
    /// Settings written, isolation link starting.
    Link { next: Instant, deadline: Instant },
    /// In service.
    Running(Running),
    /// Out of service, to be tried again.
    Faulted { retry_at: Instant },
}

/// One FXO port.
#[derive(Debug)]
pub struct Si3050<SPI> {
    spi: SPI,
    config: Config,
    state: State,
    why: &'static str,
    reported: Option<LineFault>,
    identity: Option<Identity>,
}

impl<SPI: SpiDevice> Si3050<SPI> {
    /// A port whose chip is looked at by the first [`Self::step`].
    pub fn new(spi: SPI, config: Config, now: Instant) -> Self {
        let state = State::Attach { at: now };
        Si3050 { spi, config, state, why: "power on", reported: None, identity: None }
    }

    /// When [`Self::step`] has something to do.
    pub fn next_step(&self) -> Instant {
        match &self.state {
            State::Attach { at } => *at,
            State::Reset { until } => *until,
            State::Link { next, .. } => *next,
            State::Running(running) => running.next_poll,
            State::Faulted { retry_at } => *retry_at,
        }
    }

    /// The chip's identity, once its link has been up.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Whether the port is in service and its `Attached` was told.
    pub fn is_attached(&self) -> bool {
        matches!(&self.state, State::Running(running) if running.announced)
    }

    /// Name of the state and the reason for the last transition, for people.
    pub fn explain(&self) -> (&'static str, &'static str) {
        let name = match &self.state {
            State::Attach { .. } => "attach",
            State::Reset { .. } => "reset",
            State::Link { .. } => "link",
            State::Running(_) => "running",
            State::Faulted { .. } => "faulted",
        };
        (name, self.why)
    }

    /// Does what is due at `now`; does nothing before [`Self::next_step`].
    pub fn step(&mut self, now: Instant) -> Events {
        let mut events = Events::new();
        if now < self.next_step() {
            return events;
        }
        let done = match self.state {
            State::Attach { .. } => self.attach(now),
            State::Reset { .. } => self.configure(now, &mut events),
            State::Link { deadline, .. } => self.await_link(now, deadline, &mut events),
            State::Running(running) => self.poll(now, running, &mut events),
            State::Faulted { .. } => {
                self.enter(State::Attach { at: now }, "time to try again");
                self.attach(now)
            }
        };
        if done.is_err() {
            self.fail(now, LineFault::Bus, "bus error", &mut events);
        }
        events
    }

    /// Moves the hook switch at once. A line without battery is not seized: the answer is `BatteryLost` again. On a port
    /// out of service nothing happens; its next `Attached` says how the hook stands.
    pub fn command(&mut self, now: Instant, command: LineCommand) -> Events {
        let mut events = Events::new();
        let State::Running(mut running) = self.state else { return events };
        let off_hook = command == LineCommand::OffHook;
        if off_hook && running.feed.battery() == Some(false) {
            tell(&mut events, LineEvent::BatteryLost);
            return events;
        }
        if off_hook == running.off_hook {
            return events;
        }
        if self.write(reg::DAA_CONTROL_1, hook_value(off_hook)).is_err() {
            self.fail(now, LineFault::Bus, "bus error at a hook command", &mut events);
            return events;
        }
        running.off_hook = off_hook;
        running.ring.clear();
        running.feed.settle_until(now + HOOK_SETTLE);
        self.enter(State::Running(running), if off_hook { "line seized" } else { "line released" });
        events
    }

    /// The whole bus is gone: the port is out of service until [`Self::step`] finds its chip again, and is then taken
    /// over if it still runs.
    pub fn bus_lost(&mut self, now: Instant) -> Events {
        let mut events = Events::new();
        self.fail(now, LineFault::Bus, "bus lost", &mut events);
        self.enter(State::Attach { at: now }, "bus lost");
        events
    }

    /// The only writer of the state.
    fn enter(&mut self, next: State, why: &'static str) {
        self.state = next;
        self.why = why;
    }

    fn fail(&mut self, now: Instant, fault: LineFault, why: &'static str, events: &mut Events) {
        if self.reported != Some(fault) {
            self.reported = Some(fault);
            tell(events, LineEvent::Fault(fault));
        }
        let wait = if fault == LineFault::ChipReset { Duration::ZERO } else { RETRY };
        self.enter(State::Faulted { retry_at: now + wait }, why);
    }

    /// Takes a running chip over, or resets one that is not ours.
    fn attach(&mut self, now: Instant) -> Result<(), SPI::Error> {
        let hook = self.read(reg::DAA_CONTROL_1)?;
        let hook_is_ours = matches!(hook & reg::HOOK_STATIC, reg::ON_HOOK | reg::OFF_HOOK);
        if hook_is_ours && self.runs_with_our_settings()? {
            self.settle_country()?;
            self.identify()?;
            let off_hook = hook & reg::OH != 0;
            let dropped_out = off_hook && self.read(reg::INTERRUPT_SOURCE)? & reg::DODI != 0;
            self.run(now, off_hook, dropped_out, "taken over as it runs");
            return Ok(());
        }
        self.resynchronise()?;
        self.write(reg::CONTROL_1, reg::SOFT_RESET)?;
        self.enter(State::Reset { until: now + RESET_WAIT }, "not running with our settings: soft reset");
        Ok(())
    }

    /// The fingerprint of a chip that we initialised: powered, on our timeslots, link up.
    fn runs_with_our_settings(&mut self) -> Result<bool, SPI::Error> {
        if self.read(reg::PCM_MODE)? != self.pcm_mode() || self.read(reg::DAA_CONTROL_2)? != reg::POWER_UP {
            return Ok(false);
        }
        for (register, value) in self.start_counts() {
            if self.read(register)? != value {
                return Ok(false);
            }
        }
        self.link_is_up()
    }

    fn link_is_up(&mut self) -> Result<bool, SPI::Error> {
        Ok(self.read(reg::REVISION)? & reg::LSID != 0 && self.read(reg::LINE_STATUS)? & reg::FDT != 0)
    }

    /// A half frame left on the bus shifts all that follow: three lone bytes that are no frame bring the chip back to
    /// expecting a control byte, wherever it stood.
    fn resynchronise(&mut self) -> Result<(), SPI::Error> {
        for _ in 0..3 {
            self.spi.write(&[0])?;
        }
        Ok(())
    }

    fn configure(&mut self, now: Instant, events: &mut Events) -> Result<(), SPI::Error> {
        if self.read(reg::CONTROL_2)? != reg::CONTROL_2_RESET {
            self.fail(now, LineFault::NoChip, "register 2 is not 0x03 after a reset", events);
            return Ok(());
        }
        self.write(reg::PCM_MODE, self.config.pcm.mode())?;
        for (register, value) in self.start_counts() {
            self.write(register, value)?;
        }
        self.write(reg::PCM_MODE, self.pcm_mode())?;
        self.write(reg::INTERNATIONAL_3, reg::RFWE)?;
        for (register, value) in self.country_settings() {
            self.write(register, value)?;
        }
        self.write(reg::DAA_CONTROL_2, reg::POWER_UP)?;
        let link = State::Link { next: now + LINK_POLL, deadline: now + LINK_WAIT_MAX };
        self.enter(link, "settings written, line side powered");
        Ok(())
    }

    fn await_link(&mut self, now: Instant, deadline: Instant, events: &mut Events) -> Result<(), SPI::Error> {
        if self.link_is_up()? {
            self.identify()?;
            self.write(reg::DAA_CONTROL_1, reg::ON_HOOK)?;
            self.run(now, false, false, "link up");
        } else if now >= deadline {
            self.fail(now, LineFault::LinkDown, "line side does not answer over the isolation link", events);
        } else {
            self.enter(State::Link { next: now + LINK_POLL, deadline }, "link still down");
        }
        Ok(())
    }

    fn run(&mut self, now: Instant, off_hook: bool, dropped_out: bool, why: &'static str) {
        let running = Running {
            ring: Ring::default(),
            feed: Feed::default(),
            off_hook,
            announced: false,
            dropped_out,
            odd_polls: 0,
            next_poll: now,
            next_check: now + CHECK_EVERY,
        };
        self.enter(State::Running(running), why);
    }

    fn poll(&mut self, now: Instant, mut running: Running, events: &mut Events) -> Result<(), SPI::Error> {
        running.next_poll = now + POLL;
        let hook = self.read(reg::DAA_CONTROL_1)?;
        let odd = (hook ^ hook_value(running.off_hook)) & reg::HOOK_STATIC;
        if odd & !reg::OH != 0 {
            running.odd_polls += 1;
            self.enter(State::Running(running), self.why);
            if running.odd_polls >= ODD_POLLS_MAX {
                let fault = if hook == 0xFF { LineFault::NoChip } else { LineFault::ChipReset };
                self.fail(now, fault, "register 5 lost its value", events);
            }
            return Ok(());
        }
        running.odd_polls = 0;
        if odd == reg::OH {
            self.write(reg::DAA_CONTROL_1, hook_value(running.off_hook))?;
            running.feed.settle_until(now + HOOK_SETTLE);
        }
        let volts = self.read(reg::LINE_VOLTAGE)? as i8;
        let halves = Halves { positive: hook & reg::RDTP != 0, negative: hook & reg::RDTN != 0 };
        judge(now, &mut running, halves, volts, events);
        if running.announced {
            self.reported = None;
        }
        let check_is_due = now >= running.next_check;
        if check_is_due {
            running.next_check = now + CHECK_EVERY;
        }
        self.enter(State::Running(running), self.why);
        if check_is_due { self.check(now, running, events) } else { Ok(()) }
    }

    /// Looks at what only a reset or a broken link changes. Forgets a dropout that is over and told.
    fn check(&mut self, now: Instant, running: Running, events: &mut Events) -> Result<(), SPI::Error> {
        let steady = running.off_hook && running.announced && running.feed.is_steady();
        if steady && self.read(reg::INTERRUPT_SOURCE)? & reg::DODI != 0 {
            self.write(reg::INTERRUPT_SOURCE, !reg::DODI)?;
        }
        if self.read(reg::PCM_MODE)? != self.pcm_mode() {
            self.fail(now, LineFault::ChipReset, "PCM mode lost its value", events);
        } else if !self.link_is_up()? {
            self.fail(now, LineFault::LinkDown, "isolation link lost", events);
        }
        Ok(())
    }

    fn identify(&mut self) -> Result<(), SPI::Error> {
        let revision = self.read(reg::REVISION)?;
        self.identity = Some(Identity { line_side: revision >> 4, revision: revision & 0x0F });
        Ok(())
    }

    /// After a take-over: a changed country is written without a reset, an unchanged one is not written.
    fn settle_country(&mut self) -> Result<(), SPI::Error> {
        for (register, value) in self.country_settings() {
            if self.read(register)? != value {
                self.write(register, value)?;
            }
        }
        Ok(())
    }

    fn country_settings(&self) -> [(u8, u8); 4] {
        let country = self.config.country;
        [
            (reg::INTERNATIONAL_1, country.international_1()),
            (reg::DC_TERMINATION, country.dc_termination()),
            (reg::AC_TERMINATION, country.ac_termination()),
            (reg::DAA_CONTROL_5, country.daa_control_5()),
        ]
    }

    fn start_counts(&self) -> [(u8, u8); 4] {
        let [low, high] = (u16::from(self.config.timeslot) * self.config.pcm.bits()).to_le_bytes();
        let first = reg::PCM_TX_START_LOW;
        [(first, low), (first + 1, high), (first + 2, low), (first + 3, high)]
    }

    fn pcm_mode(&self) -> u8 {
        reg::PCME | self.config.pcm.mode()
    }

    fn control_byte(&self, operation: u8) -> u8 {
        operation | (self.config.chain_position % reg::CHAIN_MAX)
    }

    fn read(&mut self, register: u8) -> Result<u8, SPI::Error> {
        let mut frame = [self.control_byte(reg::FRAME_READ), register, 0];
        self.spi.transfer_in_place(&mut frame)?;
        Ok(frame[2])
    }

    fn write(&mut self, register: u8, value: u8) -> Result<(), SPI::Error> {
        self.spi.write(&[self.control_byte(reg::FRAME_WRITE), register, value])
    }
}

const fn hook_value(off_hook: bool) -> u8 {
    if off_hook { reg::OFF_HOOK } else { reg::ON_HOOK }
}

/// More than fit are not possible: at most one change of feed, one of ring, the first `Attached` and a fault.
fn tell(events: &mut Events, event: LineEvent) {
    let full = events.push(event).is_err();
    debug_assert!(!full);
}

/// What one reading of a running port means. Ring voltage makes line voltage unreadable; the first judgement of the
/// feed, or a ring before it, makes the port known to the core.
fn judge(now: Instant, running: &mut Running, halves: Halves, volts: i8, events: &mut Events) {
    if halves.any() && !running.off_hook {
        running.feed.settle_until(now + RING_SETTLE);
    }
    if let Some(change) = running.feed.step(now, volts) {
        match change {
            FeedChange::Known(battery) if !running.announced => {
                announce(running, battery && !running.dropped_out, events);
                if battery && running.dropped_out {
                    tell(events, LineEvent::BatteryBack);
                }
            }
            FeedChange::Known(false) | FeedChange::Lost => tell(events, LineEvent::BatteryLost),
            FeedChange::Known(true) => {}
            FeedChange::Back => tell(events, LineEvent::BatteryBack),
            FeedChange::Reversed => tell(events, LineEvent::PolarityReversed),
        }
    }
    if running.off_hook {
        return;
    }
    let battery = running.feed.battery().unwrap_or(true);
    match running.ring.step(now, halves, battery) {
        Some(RingChange::Began) => {
            if !running.announced {
                announce(running, true, events);
            }
            tell(events, LineEvent::RingBegan);
        }
        Some(RingChange::Ended) => tell(events, LineEvent::RingEnded),
        None => {}
    }
}

fn announce(running: &mut Running, battery: bool, events: &mut Events) {
    running.announced = true;
    tell(events, LineEvent::Attached { off_hook: running.off_hook, battery });
}
