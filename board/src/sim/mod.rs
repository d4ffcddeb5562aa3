//! The simulated appliance. Two halves that meet only at register transactions and PCM frames:
//! - [`product`] is the box's side: a card of four FXO ports whose SPI bus is a socket, and [`panel`], the front;
//! - [`world`] is the other side: chips ([`si3050`]), exchange lines ([`line`]), people ([`person`]), the front's chips
//!   and keys ([`front`]) and the sample clock, in a process of its own ([`server`], [`control`]) so that they outlive a
//!   killed `pbxd`.
//!
//! [`wire`] is what goes over the sockets.

pub mod control;
pub mod front;
pub mod line;
pub mod panel;
pub mod pca9555;
pub mod person;
pub mod product;
pub mod server;
pub mod si3050;
pub mod ssd1322;
pub mod wire;
pub mod world;

/// The card's slot.
pub const CARD: u8 = 1;
/// Ports of the card.
pub const PORTS: u8 = 4;
/// Name of the card's highway in the sound system.
pub const PCM: &str = "cordboard0";
/// Chip select of the daisy chain on the card's SPI bus.
pub const CHIP_SELECT: u8 = 0;
/// The display's D/C, a pin of the main board.
pub const PIN_DATA: u8 = 0;
/// The display's RES#, a pin of the main board.
pub const PIN_RESET: u8 = 1;
/// I2C address of the front's expander; its pins 0 to 5 are the keys, closed to ground.
pub const EXPANDER: u8 = 0x20;
/// Pin of the expander: green lamp, on at 0.
pub const LAMP_GREEN: u8 = 8;
/// Pin of the expander: amber lamp, on at 0.
pub const LAMP_AMBER: u8 = 9;
/// Pin of the expander: red lamp, on at 0.
pub const LAMP_RED: u8 = 10;
/// Pin of the expander: buzzer, on at 1.
pub const BUZZER: u8 = 11;

/// Now on `CLOCK_BOOTTIME`, the clock of the whole house.
pub fn boot_now() -> base::time::Instant {
    let clock = nix::time::ClockId::CLOCK_BOOTTIME;
    let spec = clock.now().unwrap_or_else(|_| nix::sys::time::TimeSpec::new(0, 0));
    base::time::Instant::from_micros(spec.tv_sec() as u64 * 1_000_000 + spec.tv_nsec() as u64 / 1_000)
}
