//! Which part sits where: one module per product. Generics of the drivers stop here; above, a chassis is [`Cards`] and a
//! [`Panel`].
//!
//! [`sim`] is a product like any other: its chips are models in a process of their own, the world, and are reached by
//! the same register transactions.
#![forbid(unsafe_code)]

mod front;
mod ports;
pub mod sim;

use base::line::{LineCommand, LineEvent, PortId};
use base::panel::{KeyEvent, Signals};
use base::time::Instant;
use drivers::si3050::Country;
use drivers::si3050::country::COUNTRIES;
use drivers::ssd1322::{Frame, Light};
use std::fmt;
use std::path::PathBuf;

/// Which product this is and what it must know of its site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// The product.
    pub product: Product,
    /// Network norm of the analog lines: ISO 3166 alpha-2, `FCC` or `TBR21`.
    pub country: String,
}

/// The products.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Product {
    /// The simulated appliance; its world listens in this directory.
    Sim {
        /// Directory of the world's sockets.
        world_dir: PathBuf,
    },
}

/// A TDM highway as the sound system names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Highway {
    /// Slot of the card whose ports it carries; timeslot `n` is port `n + 1`.
    pub card: u8,
    /// ALSA PCM for capture and playback: 8 channels, S16_LE, 8000 Hz, periods of 160.
    pub pcm: &'static str,
}

impl Product {
    /// The highways of the product.
    pub fn highways(&self) -> &'static [Highway] {
        match self {
            Product::Sim { .. } => &[Highway { card: sim::CARD, pcm: sim::PCM }],
        }
    }
}

/// The setup names something that does not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetupError {
    /// No such country in the table.
    Country(String),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SetupError::Country(code) = self;
        write!(f, "country `{code}` of the analog lines is not known; use one of")?;
        COUNTRIES.iter().try_for_each(|c| write!(f, " {}", c.code))
    }
}

impl std::error::Error for SetupError {}

/// A bus of the chassis does not work at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BusTrouble {
    /// For people: the place and the remedy.
    pub detail: String,
}

impl fmt::Display for BusTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for BusTrouble {}

/// No port of that number in this chassis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchPort(pub PortId);

impl fmt::Display for NoSuchPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this chassis has no card {} port {}", self.0.card, self.0.port)
    }
}

impl std::error::Error for NoSuchPort {}

/// The front panel of a chassis. Not `Send`: made, polled and dropped by one thread.
pub trait Panel {
    /// What shows and sounds from the next [`Self::poll`] on.
    fn set(&mut self, frame: &Frame, light: Light, signals: Signals);

    /// Shows what is new, reads the keys and appends what a finger did. After an error polling goes on and brings
    /// everything back when the bus is.
    fn poll(&mut self, now: Instant, events: &mut Vec<KeyEvent>) -> Result<(), BusTrouble>;

    /// When [`Self::poll`] has something to do.
    fn next_poll(&self) -> Instant;
}

impl Product {
    /// The product's front panel; no bus is touched before its first poll.
    pub fn panel(&self, now: Instant) -> Box<dyn Panel> {
        match self {
            Product::Sim { world_dir } => Box::new(sim::panel::SimPanel::new(world_dir, now)),
        }
    }
}

/// All line cards of the chassis (door D3). Not `Send`: made, polled and dropped by the one hardware thread.
pub struct Cards {
    product: Fitted,
}

enum Fitted {
    Sim(sim::product::Chassis),
}

impl Cards {
    /// Describes the chassis; no bus is touched before the first [`Self::poll`].
    pub fn new(setup: &Setup, now: Instant) -> Result<Cards, SetupError> {
        let country = Country::find(&setup.country).ok_or_else(|| SetupError::Country(setup.country.clone()))?;
        let product = match &setup.product {
            Product::Sim { world_dir } => Fitted::Sim(sim::product::Chassis::new(world_dir, country, now)),
        };
        Ok(Cards { product })
    }

    /// Polls what is due and appends what happened. After an error the ports are out of service (each has told
    /// `Fault(Bus)` once); polling goes on and takes running chips over when the bus is back.
    pub fn poll(&mut self, now: Instant, events: &mut Vec<(PortId, LineEvent)>) -> Result<(), BusTrouble> {
        match &mut self.product {
            Fitted::Sim(chassis) => chassis.poll(now, events),
        }
    }

    /// When [`Self::poll`] has something to do.
    pub fn next_poll(&self) -> Instant {
        match &self.product {
            Fitted::Sim(chassis) => chassis.next_poll(),
        }
    }

    /// Carries a command out at once and appends what follows from it.
    pub fn command(
        &mut self,
        now: Instant,
        port: PortId,
        command: LineCommand,
        events: &mut Vec<(PortId, LineEvent)>,
    ) -> Result<(), NoSuchPort> {
        match &mut self.product {
            Fitted::Sim(chassis) => chassis.command(now, port, command, events),
        }
    }

    /// All analog ports, in order.
    pub fn ports(&self) -> Vec<PortId> {
        match &self.product {
            Fitted::Sim(chassis) => chassis.ports(),
        }
    }
}
