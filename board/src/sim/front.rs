//! The front of the simulated appliance as its chips and a finger see it: display, expander, six keys that bounce, three
//! lamps, a buzzer, and the wires between them. A value; the world steps and asks it.

use base::panel::{HEIGHT, Key, Signals, WIDTH};
use base::time::Instant;
use core::time::Duration;
use serde_json::{Value, json};

use super::{BUZZER, EXPANDER, LAMP_AMBER, LAMP_GREEN, LAMP_RED, PIN_DATA, PIN_RESET};
use super::{pca9555, ssd1322};

/// Contacts bounce for so long after they close and after they open.
const BOUNCE: Duration = Duration::from_millis(6);
/// One bounce.
const BOUNCE_STEP_US: u64 = 1_500;

/// A contact and when it is closed.
#[derive(Clone, Copy, Debug, Default)]
struct Contact {
    closed: Option<(Instant, Instant)>,
}

impl Contact {
    fn is_closed(&self, now: Instant) -> bool {
        let Some((from, until)) = self.closed else { return false };
        let edge = if now >= until { until } else { from };
        let steady = now >= from && now < until;
        let since = now.since(edge);
        if since < BOUNCE && (since.as_micros() as u64 / BOUNCE_STEP_US) % 2 == 1 {
            !steady && now >= from
        } else {
            steady
        }
    }
}

/// The front.
pub struct Front {
    display: ssd1322::Chip,
    data: bool,
    expander: pca9555::Chip,
    keys: [Contact; Key::ALL.len()],
}

impl Front {
    /// Fresh from power-on.
    pub fn new(now: Instant) -> Front {
        let expander = pca9555::Chip::new(EXPANDER);
        Front { display: ssd1322::Chip::new(now), data: false, expander, keys: Default::default() }
    }

    /// One SPI transaction with the display; it answers nothing.
    pub fn spi(&mut self, now: Instant, mosi: &[u8]) {
        for byte in mosi {
            self.display.clock_byte(now, self.data, *byte);
        }
    }

    /// The box sets one of its pins; false when there is no such pin.
    pub fn pin(&mut self, now: Instant, pin: u8, high: bool) -> bool {
        match pin {
            PIN_DATA => self.data = high,
            PIN_RESET => self.display.set_reset(now, high),
            _ => return false,
        }
        true
    }

    /// One I2C transfer; none when nobody acknowledges.
    pub fn i2c(&mut self, now: Instant, address: u8, written: &[u8], read: usize) -> Option<Vec<u8>> {
        let open = |index: usize| !self.keys.get(index).is_some_and(|key| key.is_closed(now));
        let levels = (0..16).fold(0, |levels, bit| levels | u16::from(open(bit)) << bit);
        self.expander.drive(levels);
        self.expander.transfer(address, written, read)
    }

    /// A finger presses a key for so long; a press of the same key that is not over is over now.
    pub fn press(&mut self, now: Instant, key: Key, duration: Duration) {
        self.keys[key as usize].closed = Some((now, now + duration));
    }

    /// A glitch of the supply: both chips forget their settings.
    pub fn glitch(&mut self) {
        self.display.reset();
        self.expander.reset();
    }

    /// What shines and sounds: lamps sink current, the buzzer is driven.
    pub fn signals(&self) -> Signals {
        let pins = self.expander.pins();
        let driven = self.expander.outputs();
        let on = |bit: u8, level: u16| driven >> bit & 1 == 1 && pins >> bit & 1 == level;
        Signals { green: on(LAMP_GREEN, 0), amber: on(LAMP_AMBER, 0), red: on(LAMP_RED, 0), buzzer: on(BUZZER, 1) }
    }

    /// Everything a person sees: `pixels` is one hexadecimal digit per pixel, row by row.
    pub fn seen(&self) -> Value {
        let digit = |grey: u8| char::from_digit(u32::from(grey), 16).unwrap_or('0');
        let pixel = |at: usize| digit(self.display.pixel(at % WIDTH, at / WIDTH));
        let pixels: String = (0..WIDTH * HEIGHT).map(pixel).collect();
        let mut seen = self.signals_seen();
        seen["pixels"] = Value::String(pixels);
        seen
    }

    /// The same without the picture.
    pub fn signals_seen(&self) -> Value {
        let Signals { green, amber, red, buzzer } = self.signals();
        json!({
            "brightness_pct": self.display.brightness_pct(),
            "green": green, "amber": amber, "red": red, "buzzer": buzzer,
            "picture_bytes": self.display.picture_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_bounces_and_settles() {
        let at = |us: u64| Instant::from_micros(us);
        let contact = Contact { closed: Some((at(10_000), at(60_000))) };
        let states: Vec<bool> = (8..20).map(|ms| contact.is_closed(at(ms * 1_000))).collect();
        assert!(!states[0] && states[2] && states[11], "{states:?}");
        assert!(states.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 3, "{states:?}");
        assert!(contact.is_closed(at(59_999)) && contact.is_closed(at(62_000)) && !contact.is_closed(at(70_000)));
    }

    #[test]
    fn nothing_shines_before_the_expander_is_set() {
        assert_eq!(Front::new(Instant::BOOT).signals(), Signals::default());
    }
}
