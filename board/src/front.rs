//! The front of a chassis: display and expander behind their wires, whatever their buses are. What every product does
//! with them.

use base::panel::{Key, KeyEvent, Signals};
use base::time::Instant;
use core::time::Duration;
use drivers::keypad::{self, Keypad};
use drivers::pca9555::Pca9555;
use drivers::ssd1322::{Frame, Light, Ssd1322};
use embedded_hal::digital::OutputPin;
use embedded_hal::i2c::I2c;
use embedded_hal::spi::SpiDevice;

/// Between two attempts to reach an expander that does not answer.
const RETRY: Duration = Duration::from_secs(1);

/// Which pin of the expander is what. Keys are its pins 0 to 5 in the order of [`Key::ALL`], closed to ground.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wiring {
    /// I2C address.
    pub expander: u8,
    /// Lamps, on at 0.
    pub green: u8,
    /// Lamps, on at 0.
    pub amber: u8,
    /// Lamps, on at 0.
    pub red: u8,
    /// On at 1.
    pub buzzer: u8,
}

impl Wiring {
    fn outputs(&self) -> u16 {
        [self.green, self.amber, self.red, self.buzzer].iter().fold(0, |pins, pin| pins | 1 << pin)
    }

    fn levels(&self, signals: Signals) -> u16 {
        let lamps = [(self.green, signals.green), (self.amber, signals.amber), (self.red, signals.red)];
        let dark = lamps.iter().filter(|(_, on)| !on).fold(0, |pins, (pin, _)| pins | 1 << pin);
        dark | u16::from(signals.buzzer) << self.buzzer
    }
}

/// The part that failed; the reason is the bus' to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failed {
    Display,
    Expander,
}

/// Display, keys, lamps and buzzer.
pub(crate) struct Front<SPI, DC, RST, I2C> {
    display: Ssd1322<SPI, DC, RST>,
    expander: Pca9555<I2C>,
    wiring: Wiring,
    keypad: Keypad,
    poll_at: Instant,
}

impl<SPI: SpiDevice, DC: OutputPin, RST: OutputPin, I2C: I2c> Front<SPI, DC, RST, I2C> {
    pub(crate) fn new(display: Ssd1322<SPI, DC, RST>, i2c: I2C, wiring: Wiring, now: Instant) -> Self {
        let expander = Pca9555::new(i2c, wiring.expander, wiring.outputs(), wiring.levels(Signals::default()));
        Front { display, expander, wiring, keypad: Keypad::new(now), poll_at: now }
    }

    /// See [`crate::Panel::set`].
    pub(crate) fn set(&mut self, frame: &Frame, light: Light, signals: Signals) {
        self.display.set(frame, light);
        self.expander.set(self.wiring.levels(signals));
    }

    /// Does what is due. Both parts have their turn even when one fails.
    pub(crate) fn poll(&mut self, now: Instant, events: &mut Vec<KeyEvent>) -> Result<(), Failed> {
        let shown = self.display.step(now).map_err(|_| Failed::Display);
        if now < self.poll_at {
            return shown;
        }
        match self.expander.step() {
            Ok(levels) => {
                self.poll_at = now + keypad::POLL;
                let keys = (1u16 << Key::ALL.len()) - 1;
                events.extend(self.keypad.step(now, (!levels & keys) as u8));
                shown
            }
            Err(_) => {
                // A key that cannot be read is not pressed.
                events.extend(self.keypad.step(now, 0));
                self.poll_at = now + RETRY;
                Err(Failed::Expander)
            }
        }
    }

    /// When [`Self::poll`] has something to do.
    pub(crate) fn next_poll(&self) -> Instant {
        self.poll_at.min(self.display.next_step())
    }

    /// The whole bus is gone; everything is set up again when it is back.
    pub(crate) fn bus_lost(&mut self, now: Instant) {
        self.display.bus_lost(now);
        self.poll_at = now;
    }
}
