//! The front of the simulated appliance from the box's side: display on SPI with two pins of the main board, expander on
//! I2C. Buses and pins are the world's socket.

use base::panel::KeyEvent;
use base::panel::Signals;
use base::time::Instant;
use drivers::ssd1322::{Frame, Light, Ssd1322};
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use embedded_hal::{digital, i2c};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::product::{Bus, Failed, transact};
use super::wire::{I2C_NO_ACKNOWLEDGE, PANEL_BYTES_MAX, PANEL_I2C, PANEL_PIN, PANEL_SOCKET, PANEL_SPI};
use crate::front::{self, Front, Wiring};
use crate::{BusTrouble, Panel};

/// Between two attempts to reach the world.
const RETRY: Duration = Duration::from_secs(1);

/// How the front is wired.
const WIRING: Wiring = Wiring {
    expander: super::EXPANDER,
    green: super::LAMP_GREEN,
    amber: super::LAMP_AMBER,
    red: super::LAMP_RED,
    buzzer: super::BUZZER,
};

/// The simulated front.
pub struct SimPanel {
    bus: Rc<RefCell<Bus>>,
    front: Front<Spi, Pin, Pin, Expander>,
    retry_at: Option<Instant>,
}

impl SimPanel {
    /// A front whose world listens in `world_dir`.
    pub fn new(world_dir: &Path, now: Instant) -> SimPanel {
        let bus = Rc::new(RefCell::new(Bus::new(world_dir.join(PANEL_SOCKET), "front panel")));
        let pin = |number| Pin { bus: Rc::clone(&bus), number };
        let display = Ssd1322::new(Spi { bus: Rc::clone(&bus) }, pin(super::PIN_DATA), pin(super::PIN_RESET), now);
        let front = Front::new(display, Expander { bus: Rc::clone(&bus) }, WIRING, now);
        SimPanel { bus, front, retry_at: None }
    }
}

impl Panel for SimPanel {
    fn set(&mut self, frame: &Frame, light: Light, signals: Signals) {
        self.front.set(frame, light, signals);
    }

    fn poll(&mut self, now: Instant, events: &mut Vec<KeyEvent>) -> Result<(), BusTrouble> {
        let joined = self.bus.borrow_mut().join();
        let worked = if joined.is_ok() { self.front.poll(now, events) } else { Ok(()) };
        let lost = self.bus.borrow_mut().lost.take();
        if let (Err(why), _) | (Ok(()), Some(why)) = (joined, lost) {
            self.retry_at = Some(now + RETRY);
            self.front.bus_lost(now);
            return Err(self.bus.borrow().trouble(&why));
        }
        self.retry_at = None;
        worked.map_err(|part| {
            let part = match part {
                front::Failed::Display => "the display refuses its pins",
                front::Failed::Expander => "the expander of the keys does not acknowledge",
            };
            BusTrouble { detail: format!("front panel: {part}; look at its cable") }
        })
    }

    fn next_poll(&self) -> Instant {
        self.retry_at.unwrap_or_else(|| self.front.next_poll())
    }
}

/// The display's chip select.
struct Spi {
    bus: Rc<RefCell<Bus>>,
}

impl ErrorType for Spi {
    type Error = Failed;
}

impl SpiDevice for Spi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        transact(&self.bus, &[PANEL_SPI], PANEL_BYTES_MAX - 1, operations)
    }
}

/// A pin of the main board.
struct Pin {
    bus: Rc<RefCell<Bus>>,
    number: u8,
}

impl Pin {
    fn set(&mut self, high: bool) -> Result<(), Failed> {
        let request = [PANEL_PIN, self.number, u8::from(high)];
        self.bus.borrow_mut().transfer(&request, &mut [0], None).map(drop)
    }
}

impl digital::Error for Failed {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl digital::ErrorType for Pin {
    type Error = Failed;
}

impl digital::OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Failed> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), Failed> {
        self.set(true)
    }
}

/// The I2C bus of the front.
struct Expander {
    bus: Rc<RefCell<Bus>>,
}

impl i2c::Error for Failed {
    fn kind(&self) -> i2c::ErrorKind {
        i2c::ErrorKind::Other
    }
}

impl i2c::ErrorType for Expander {
    type Error = Failed;
}

impl i2c::I2c for Expander {
    /// Writes, then at most one read after a repeated start: what every chip here needs.
    fn transaction(&mut self, address: u8, operations: &mut [i2c::Operation<'_>]) -> Result<(), Failed> {
        let (mut written, mut read) = (Vec::new(), 0);
        for operation in operations.iter() {
            match operation {
                i2c::Operation::Write(bytes) if read == 0 => written.extend_from_slice(bytes),
                i2c::Operation::Read(buffer) if read == 0 => read = buffer.len(),
                i2c::Operation::Write(_) | i2c::Operation::Read(_) => return Err(Failed),
            }
        }
        let count = u8::try_from(read).map_err(|_| Failed)?;
        let request = [&[PANEL_I2C, address, count], &written[..]].concat();
        let mut answer = vec![0; read + 1];
        if !self.bus.borrow_mut().transfer(&request, &mut answer, Some(I2C_NO_ACKNOWLEDGE))? {
            return Err(Failed);
        }
        for operation in operations.iter_mut() {
            if let i2c::Operation::Read(buffer) = operation {
                buffer.copy_from_slice(&answer[1..]);
            }
        }
        Ok(())
    }
}
