//! Front display: SSD1322 with a 256x64 OLED of sixteen greys on 4-wire SPI (chip select, D/C, RES#).
//!
//! It is a state machine without waits: [`Ssd1322::step`] does what is due and [`Ssd1322::next_step`] says when to come
//! back. The picture is sent by its smallest changed rectangle. The chip cannot be read over SPI, so a display that lost
//! its settings (a glitch of its supply) cannot be seen: all settings and the whole picture are written again every
//! [`REFRESH`], without a reset and without a flicker.
//!
//! Where the facts come from: the command set of the SSD1322 datasheet (Solomon Systech, 480x128 dot matrix driver) as it
//! is known from public drivers of 256x64 modules: numbers of the commands, parameters with D/C high, columns of four
//! pixels, order of initialisation.
//!
//! Unchecked against the datasheet and a module's own, look there before building a board:
//! - the glass is wired to the columns 0x1C to 0x5B and to 64 lines in dual-COM mode, left pixel in the high nibble
//!   with nibble remap on, first line on top with COM remap on;
//! - the analog values (clock 0x91, phases 0xE2, precharge 0x1F and 0x08, VCOMH 0x07, enhancement A 0xA0 0xFD and
//!   B 0x82 0x20): those that makers of such modules give; another glass wants others;
//! - RES# low for 1 ms and 1 ms of rest after it (longer than the 100 µs that drivers use);
//! - that the RAM pointer stays where it is when chip select rises between two pieces of picture.

pub mod commands;
mod frame;

use base::time::Instant;
use commands as c;
use core::time::Duration;
use embedded_hal::digital::OutputPin;
use embedded_hal::spi::SpiDevice;

pub use frame::{Frame, Window};

/// All settings and the whole picture are sent again so often.
pub const REFRESH: Duration = Duration::from_secs(10);
/// RES# is low for so long, and then high for as long.
const RESET_WAIT: Duration = Duration::from_millis(1);
/// A bus that failed is tried again after this.
const RETRY: Duration = Duration::from_secs(1);
/// Most bytes of picture in one transaction: half of what Linux' spidev takes.
const PIECE_BYTES_MAX: usize = 2_048;
/// Column address of the glass' first four pixels.
const FIRST_COLUMN: u8 = 0x1C;
/// Segment current of normal light.
const CONTRAST_NORMAL: u8 = 0x9F;
/// Segment current of dimmed light.
const CONTRAST_DIM: u8 = 0x18;

/// Everything that is set once: command and parameters, in order. Contrast and light follow.
const SETTINGS: [(u8, &[u8]); 17] = [
    (c::LOCK, &[c::UNLOCKED]),
    (c::CLOCK, &[0x91]),
    (c::MUX, &[63]),
    (c::OFFSET, &[0]),
    (c::START_LINE, &[0]),
    (c::REMAP, &[0x14, 0x11]),
    (c::FUNCTION, &[0x01]),
    (c::ENHANCE_A, &[0xA0, 0xFD]),
    (c::MASTER, &[0x0F]),
    (c::LINEAR_GREY, &[]),
    (c::PHASES, &[0xE2]),
    (c::ENHANCE_B, &[0x82, 0x20]),
    (c::PRECHARGE_VOLTAGE, &[0x1F]),
    (c::PRECHARGE_2, &[0x08]),
    (c::VCOMH, &[0x07]),
    (c::NORMAL, &[]),
    (c::WHOLE, &[]),
];

/// How light the display is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Light {
    /// Someone reads it.
    #[default]
    Normal,
    /// Nobody touched it for a while.
    Dim,
    /// Dark; the chip sleeps.
    Off,
}

/// The bus or one of the two pins failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// To be reset.
    Off { at: Instant },
    /// RES# is low.
    Reset { until: Instant },
    /// RES# is high, the chip gets itself ready.
    Rest { until: Instant },
    /// Shows what it is given.
    Running { refresh_at: Instant },
}

/// One display.
#[derive(Debug)]
pub struct Ssd1322<SPI, DC, RST> {
    spi: SPI,
    data: DC,
    reset: RST,
    state: State,
    wanted: Frame,
    shown: Frame,
    light_wanted: Light,
    light: Light,
}

impl<SPI: SpiDevice, DC: OutputPin, RST: OutputPin> Ssd1322<SPI, DC, RST> {
    /// A display that the first [`Self::step`] resets. `data` is the pin D/C, `reset` the pin RES#.
    pub fn new(spi: SPI, data: DC, reset: RST, now: Instant) -> Self {
        let (wanted, shown) = (Frame::default(), Frame::default());
        let light = Light::default();
        Ssd1322 { spi, data, reset, state: State::Off { at: now }, wanted, shown, light_wanted: light, light }
    }

    /// What it has to show from the next [`Self::step`] on.
    pub fn set(&mut self, frame: &Frame, light: Light) {
        self.wanted.clone_from(frame);
        self.light_wanted = light;
    }

    /// When [`Self::step`] has something to do.
    pub fn next_step(&self) -> Instant {
        match self.state {
            State::Off { at } => at,
            State::Reset { until } | State::Rest { until } => until,
            State::Running { refresh_at } if self.wanted == self.shown && self.light == self.light_wanted => refresh_at,
            State::Running { .. } => Instant::BOOT,
        }
    }

    /// Does what is due at `now`; does nothing before [`Self::next_step`].
    pub fn step(&mut self, now: Instant) -> Result<(), Failed> {
        if now < self.next_step() {
            return Ok(());
        }
        let done = match self.state {
            State::Off { .. } => self.begin_reset(now),
            State::Reset { .. } => self.end_reset(now),
            State::Rest { .. } => self.everything(now),
            State::Running { refresh_at } if now >= refresh_at => self.everything(now),
            State::Running { .. } => self.changes(),
        };
        if done.is_err() {
            self.state = State::Off { at: now + RETRY };
        }
        done
    }

    /// The whole bus is gone: the display is reset when [`Self::step`] is next called.
    pub fn bus_lost(&mut self, now: Instant) {
        self.state = State::Off { at: now };
    }

    fn begin_reset(&mut self, now: Instant) -> Result<(), Failed> {
        self.reset.set_low().map_err(|_| Failed)?;
        self.state = State::Reset { until: now + RESET_WAIT };
        Ok(())
    }

    fn end_reset(&mut self, now: Instant) -> Result<(), Failed> {
        self.reset.set_high().map_err(|_| Failed)?;
        self.state = State::Rest { until: now + RESET_WAIT };
        Ok(())
    }

    /// Settings and the whole picture; light only then, so that no old RAM is ever seen.
    fn everything(&mut self, now: Instant) -> Result<(), Failed> {
        for (command, parameters) in SETTINGS {
            self.command(command, parameters)?;
        }
        self.draw(Window::ALL)?;
        self.shine()?;
        self.state = State::Running { refresh_at: now + REFRESH };
        Ok(())
    }

    fn changes(&mut self) -> Result<(), Failed> {
        if let Some(window) = self.wanted.difference(&self.shown) {
            self.draw(window)?;
        }
        if self.light != self.light_wanted { self.shine() } else { Ok(()) }
    }

    fn draw(&mut self, window: Window) -> Result<(), Failed> {
        let (first, last) = window.columns;
        self.command(c::COLUMNS, &[FIRST_COLUMN + first, FIRST_COLUMN + last])?;
        self.command(c::ROWS, &[window.rows.0, window.rows.1])?;
        self.command(c::WRITE_RAM, &[])?;
        self.data.set_high().map_err(|_| Failed)?;
        if window.columns == Window::ALL.columns {
            let row_bytes = self.wanted.row(0, window.columns).len();
            let (from, to) = (usize::from(window.rows.0), usize::from(window.rows.1) + 1);
            let rows = self.wanted.bytes().get(from * row_bytes..to * row_bytes).unwrap_or_default();
            for piece in rows.chunks(PIECE_BYTES_MAX) {
                self.spi.write(piece).map_err(|_| Failed)?;
            }
        } else {
            for row in window.rows.0..=window.rows.1 {
                self.spi.write(self.wanted.row(row, window.columns)).map_err(|_| Failed)?;
            }
        }
        self.shown.clone_from(&self.wanted);
        Ok(())
    }

    fn shine(&mut self) -> Result<(), Failed> {
        match self.light_wanted {
            Light::Off => self.command(c::SLEEP, &[])?,
            Light::Normal | Light::Dim => {
                let dim = self.light_wanted == Light::Dim;
                self.command(c::CONTRAST, &[if dim { CONTRAST_DIM } else { CONTRAST_NORMAL }])?;
                self.command(c::WAKE, &[])?;
            }
        }
        self.light = self.light_wanted;
        Ok(())
    }

    fn command(&mut self, command: u8, parameters: &[u8]) -> Result<(), Failed> {
        self.data.set_low().map_err(|_| Failed)?;
        self.spi.write(&[command]).map_err(|_| Failed)?;
        if parameters.is_empty() {
            return Ok(());
        }
        self.data.set_high().map_err(|_| Failed)?;
        self.spi.write(parameters).map_err(|_| Failed)
    }
}
