//! Door D3, the analog part: what a line card reports and what it is told. Plain values; the hardware thread carries
//! them between `drivers` and the core.

use serde::{Deserialize, Serialize};

/// A port of a line card, as printed on the front: card 1, port 1 is the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PortId {
    /// Slot in the chassis, from 1.
    pub card: u8,
    /// Jack on the card, from 1; its timeslot on the highway is `port - 1`.
    pub port: u8,
}

/// What happened on a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LineEvent {
    /// The driver has initialised the chip, or after a restart of the program found it initialised and took it over
    /// without touching the line. Answers every attach.
    Attached {
        /// The line is seized by us.
        off_hook: bool,
        /// The exchange feeds it.
        battery: bool,
    },
    /// A validated ring burst began the ringing phase.
    RingBegan,
    /// No burst for longer than the longest pause of a cadence.
    RingEnded,
    /// Line voltage fell below the threshold for the debounce time: line cut or released by the exchange.
    BatteryLost,
    /// Line voltage is back.
    BatteryBack,
    /// TIP and RING changed places (answer or release supervision on some lines).
    PolarityReversed,
    /// The chip does not answer as it should; the driver re-initialises it.
    Fault(LineFault),
}

/// Why a port is out of service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LineFault {
    /// No chip, or not the expected one, answers on the bus.
    NoChip,
    /// The isolation link to the line side does not come up.
    LinkDown,
    /// Registers lost their values; the chip was reset behind our back.
    ChipReset,
    /// The bus itself fails.
    Bus,
}

/// What the core wants of a port. Repeating a command is harmless.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LineCommand {
    /// Seize the line: answer or dial.
    OffHook,
    /// Release it.
    OnHook,
}
