//! The simulated appliance. Two halves that meet only at register transactions and PCM frames:
//! - [`product`] is the box's side: a card of four FXO ports whose SPI bus is a socket;
//! - [`world`] is the other side: chips ([`si3050`]), exchange lines ([`line`]), people ([`person`]) and the sample
//!   clock, in a process of its own ([`server`], [`control`]) so that they outlive a killed `pbxd`.
//!
//! [`wire`] is what goes over the sockets.

pub mod control;
pub mod line;
pub mod person;
pub mod product;
pub mod server;
pub mod si3050;
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

/// Now on `CLOCK_BOOTTIME`, the clock of the whole house.
pub fn boot_now() -> base::time::Instant {
    let clock = nix::time::ClockId::CLOCK_BOOTTIME;
    let spec = clock.now().unwrap_or_else(|_| nix::sys::time::TimeSpec::new(0, 0));
    base::time::Instant::from_micros(spec.tv_sec() as u64 * 1_000_000 + spec.tv_nsec() as u64 / 1_000)
}
