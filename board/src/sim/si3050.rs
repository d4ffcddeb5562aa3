//! Model of an Si3050 with an Si3019 behind its isolation link, at register level: 64 registers with their reset
//! values, the SPI frame machine on a daisy chain, the link that takes its time, ring detection, line voltage, loop
//! current, off-hook counter, interrupt sources. Written from the register map, not from the driver.
//!
//! Not modelled: gains, hybrid, calibration, companding (only 16-bit linear timeslots carry audio), ring validation
//! filter (registers 22-24 are plain storage). Where the datasheet is not at hand the model chooses the nastier
//! reading: writes are ignored for 50 ms after a soft reset, line voltage is garbage while ring voltage is on the line
//! and zero for 100 ms after the hook moved.

use base::time::Instant;
use core::time::Duration;

/// What the chip's line side finds between TIP and RING.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sense {
    /// Direct voltage, signed by polarity.
    pub millivolts: i32,
    /// Direct current through the closed loop.
    pub milliamps: u32,
    /// Ring voltage: its present half-wave is positive.
    pub ring: Option<bool>,
}

const CONTROL_1: usize = 1;
const CONTROL_2: usize = 2;
const INTERRUPT_MASK: usize = 3;
const INTERRUPT_SOURCE: usize = 4;
const DAA_CONTROL_1: usize = 5;
const DAA_CONTROL_2: usize = 6;
const REVISION: usize = 11;
const LINE_STATUS: usize = 12;
const LINE_REVISION: usize = 13;
const MUTE: usize = 15;
const INTERNATIONAL_4: usize = 19;
const LOOP_CURRENT: usize = 28;
const LINE_VOLTAGE: usize = 29;
const DAA_CONTROL_5: usize = 31;
const PCM_MODE: usize = 33;
const PCM_TX_START: usize = 34;
const PCM_RX_START: usize = 36;
const REGISTERS: usize = 64;

const RESETS: [(usize, u8); 4] = [(CONTROL_2, 0x03), (DAA_CONTROL_2, 0x10), (24, 0x19), (DAA_CONTROL_5, 0x20)];
/// Register 2: interrupt pin enabled.
const INTE: u8 = 0x80;
const RDTI: u8 = 0x80;
const FDTI: u8 = 0x20;
const DODI: u8 = 0x08;
const POLI: u8 = 0x01;
const RING_BITS: u8 = 0x64;
const RDTN: u8 = 0x40;
const RDTP: u8 = 0x20;
const RDT: u8 = 0x04;
const ONHM: u8 = 0x08;
const OH: u8 = 0x01;
const PDL: u8 = 0x10;
const PDN: u8 = 0x08;
const TXM: u8 = 0x80;
const RXM: u8 = 0x08;
const DOD: u8 = 0x02;
const OPD: u8 = 0x01;
const LVFD: u8 = 0x01;
const PCME: u8 = 0x20;
const PCMF: u8 = 0x18;
/// Identity of an Si3019, and some revision of the system side.
const LSID_SI3019: u8 = 0x30;
const REVA: u8 = 0x05;
const REVB: u8 = 0x04 << 2;
const FDT: u8 = 0x40;

const WRITES_IGNORED_AFTER_RESET: Duration = Duration::from_millis(50);
const LINK_UP_BASE_MS: u64 = 120;
const LINK_UP_STEP_MS: u64 = 45;
const RING_LATCH: Duration = Duration::from_secs(5);
const HOOK_SETTLE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Frame {
    Control,
    Address { read: bool, for_us: bool },
    Data { read: bool, for_us: bool, address: u8 },
}

/// One chip pair.
#[derive(Clone, Debug)]
pub struct Chip {
    chain_position: u8,
    registers: [u8; REGISTERS],
    frame: Frame,
    writes_from: Instant,
    link_up_at: Option<Instant>,
    link_broken: bool,
    hook_moved_at: Option<Instant>,
    last_ring: Option<Instant>,
    negative: bool,
}

impl Chip {
    /// Fresh from power-on, at a position of the daisy chain (0 is next to the controller).
    pub fn new(chain_position: u8, now: Instant) -> Chip {
        let mut chip = Chip {
            chain_position,
            registers: [0; REGISTERS],
            frame: Frame::Control,
            writes_from: now,
            link_up_at: None,
            link_broken: false,
            hook_moved_at: None,
            last_ring: None,
            negative: false,
        };
        chip.reset();
        chip
    }

    /// All registers at their reset values, link down, hook open: power-on, a glitch of the supply, or soft reset.
    pub fn reset(&mut self) {
        self.registers = [0; REGISTERS];
        for (register, value) in RESETS {
            self.registers[register] = value;
        }
        self.registers[REVISION] = REVA;
        self.link_up_at = None;
        self.hook_moved_at = None;
        self.last_ring = None;
    }

    /// Breaks the isolation link (true) or mends it.
    pub fn break_link(&mut self, broken: bool) {
        self.link_broken = broken;
    }

    /// Brings the live registers up to `now`.
    pub fn step(&mut self, now: Instant, sense: Sense) {
        let up = self.link_is_up(now);
        let was_up = self.registers[LINE_STATUS] & FDT != 0;
        if was_up && !up {
            self.registers[INTERRUPT_SOURCE] |= FDTI;
        }
        self.registers[REVISION] = if up { LSID_SI3019 | REVA } else { REVA };
        self.registers[LINE_REVISION] = if up { REVB } else { 0 };
        let closed = up && self.registers[DAA_CONTROL_1] & OH != 0;
        let milliamps = if closed { sense.milliamps } else { 0 };
        self.registers[LINE_STATUS] = if up { FDT | (milliamps * 10 / 33).min(31) as u8 } else { 0 };
        self.registers[LOOP_CURRENT] = (milliamps * 10 / 11).min(255) as u8;
        self.step_dropout(closed && sense.millivolts == 0, milliamps);
        self.step_ring(now, if up && !closed { sense.ring } else { None }, closed);
        self.step_voltage(now, up, sense);
    }

    fn step_dropout(&mut self, dropout: bool, milliamps: u32) {
        let was = self.registers[INTERNATIONAL_4];
        let overload = milliamps >= 127;
        self.registers[INTERNATIONAL_4] =
            (was & !(DOD | OPD)) | if dropout { DOD } else { 0 } | if overload { OPD } else { 0 };
        if dropout && was & DOD == 0 {
            self.registers[INTERRUPT_SOURCE] |= DODI;
        }
    }

    fn step_ring(&mut self, now: Instant, ring: Option<bool>, closed: bool) {
        let halves = match ring {
            Some(true) => RDTP,
            Some(false) => RDTN,
            None => 0,
        };
        if ring.is_some() {
            self.last_ring = Some(now);
        }
        if closed || self.last_ring.is_some_and(|at| now.since(at) >= RING_LATCH) {
            self.last_ring = None;
        }
        let latch = if self.last_ring.is_some() { RDT } else { 0 };
        let was = self.registers[DAA_CONTROL_1];
        self.registers[DAA_CONTROL_1] = (was & !RING_BITS) | halves | latch;
        if latch != 0 && was & RDT == 0 {
            self.registers[INTERRUPT_SOURCE] |= RDTI;
        }
    }

    fn step_voltage(&mut self, now: Instant, up: bool, sense: Sense) {
        let settling = self.hook_moved_at.is_some_and(|at| now.since(at) < HOOK_SETTLE);
        let swing = match sense.ring {
            Some(true) => 60,
            Some(false) => -60,
            None => 0,
        };
        let volts = (sense.millivolts / 1_000 + swing).clamp(-127, 127);
        let hidden = volts.abs() <= 3 && self.registers[DAA_CONTROL_5] & LVFD == 0;
        let volts = if !up || settling || hidden { 0 } else { volts as i8 };
        self.registers[LINE_VOLTAGE] = volts as u8;
        if volts != 0 && (volts < 0) != self.negative {
            self.negative = volts < 0;
            self.registers[INTERRUPT_SOURCE] |= POLI;
        }
    }

    /// The interrupt pin is active.
    pub fn interrupt(&self) -> bool {
        self.registers[CONTROL_2] & INTE != 0 && self.registers[INTERRUPT_MASK] & self.registers[INTERRUPT_SOURCE] != 0
    }

    /// The chip draws loop current, if there is any.
    pub fn closes_loop(&self, now: Instant) -> bool {
        self.registers[DAA_CONTROL_1] & OH != 0 && self.link_is_up(now)
    }

    /// Timeslot into which the chip puts what it hears on the line, while it does.
    pub fn transmit_slot(&self, now: Instant) -> Option<usize> {
        if self.registers[MUTE] & TXM != 0 { None } else { self.slot(now, PCM_TX_START) }
    }

    /// Timeslot from which the chip takes what it says on the line, while it does.
    pub fn receive_slot(&self, now: Instant) -> Option<usize> {
        let off_hook = self.registers[DAA_CONTROL_1] & OH != 0;
        if self.registers[MUTE] & RXM != 0 || !off_hook { None } else { self.slot(now, PCM_RX_START) }
    }

    fn slot(&self, now: Instant, start: usize) -> Option<usize> {
        let linear = self.registers[PCM_MODE] & (PCME | PCMF) == PCME | PCMF;
        let start = usize::from(u16::from_le_bytes([self.registers[start], self.registers[start + 1] & 0x03]));
        (linear && start.is_multiple_of(16) && self.hears_line(now)).then_some(start / 16)
    }

    /// Audio passes after the off-hook counter, or on-hook through the monitor.
    fn hears_line(&self, now: Instant) -> bool {
        let hook = self.registers[DAA_CONTROL_1];
        let counter_ms = [512, 128, 64, 8][usize::from(self.registers[DAA_CONTROL_5] >> 5 & 3)];
        let counted = self.hook_moved_at.is_none_or(|at| now.since(at) >= Duration::from_millis(counter_ms));
        self.link_is_up(now) && if hook & OH != 0 { counted } else { hook & ONHM != 0 }
    }

    fn link_is_up(&self, now: Instant) -> bool {
        !self.link_broken && self.link_up_at.is_some_and(|at| now >= at)
    }

    /// One byte on the bus while chip select is low; `Some` when the chip drives MISO in it.
    pub fn clock_byte(&mut self, now: Instant, mosi: u8) -> Option<u8> {
        match self.frame {
            Frame::Control => {
                let broadcast = mosi & 0x80 != 0;
                let for_us = broadcast || mosi & 0x0F == self.chain_position;
                let is_control = mosi & 0x30 == 0x20;
                if is_control {
                    self.frame = Frame::Address { read: mosi & 0x40 != 0, for_us };
                }
                None
            }
            Frame::Address { read, for_us } => {
                self.frame = Frame::Data { read, for_us, address: mosi & 0x7F };
                None
            }
            Frame::Data { read, for_us, address } => {
                self.frame = Frame::Control;
                if !for_us {
                    return None;
                }
                if read {
                    return Some(self.registers.get(usize::from(address)).copied().unwrap_or(0));
                }
                self.write(now, usize::from(address), mosi);
                None
            }
        }
    }

    /// Chip select rose in the middle of a byte: the frame is forgotten. Between bytes it is not.
    pub fn drop_select_mid_byte(&mut self) {
        self.frame = Frame::Control;
    }

    fn write(&mut self, now: Instant, register: usize, value: u8) {
        if now < self.writes_from {
            return;
        }
        match register {
            CONTROL_1 if value & 0x80 != 0 => {
                self.reset();
                self.writes_from = now + WRITES_IGNORED_AFTER_RESET;
            }
            INTERRUPT_SOURCE => self.registers[INTERRUPT_SOURCE] &= value,
            DAA_CONTROL_1 => {
                let was = self.registers[DAA_CONTROL_1];
                self.registers[DAA_CONTROL_1] = (was & RING_BITS) | (value & !RING_BITS);
                if (was ^ value) & OH != 0 {
                    self.hook_moved_at = Some(now);
                }
            }
            DAA_CONTROL_2 => {
                let was_down = self.registers[DAA_CONTROL_2] & (PDL | PDN) != 0;
                let down = value & (PDL | PDN) != 0;
                self.registers[DAA_CONTROL_2] = value;
                if down {
                    self.link_up_at = None;
                } else if was_down {
                    let wait_ms = LINK_UP_BASE_MS + LINK_UP_STEP_MS * u64::from(self.chain_position % 4);
                    self.link_up_at = Some(now + Duration::from_millis(wait_ms));
                }
            }
            REVISION | LINE_STATUS | LINE_REVISION | INTERNATIONAL_4 | LOOP_CURRENT | LINE_VOLTAGE => {}
            _ => {
                if let Some(cell) = self.registers.get_mut(register) {
                    *cell = value;
                }
            }
        }
    }

    /// A register as a read would give it, for the world's own status.
    pub fn register(&self, register: usize) -> u8 {
        self.registers.get(register).copied().unwrap_or(0)
    }
}

/// One transaction on a daisy chain: every chip sees every byte; undriven bits read as ones.
pub fn chain_transfer<'a>(chips: impl Iterator<Item = &'a mut Chip>, now: Instant, mosi: &[u8]) -> Vec<u8> {
    let mut miso = vec![0xFF; mosi.len()];
    for chip in chips {
        for (out, byte) in miso.iter_mut().zip(mosi) {
            if let Some(driven) = chip.clock_byte(now, *byte) {
                *out = driven;
            }
        }
    }
    miso
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATTERY: Sense = Sense { millivolts: 48_000, milliamps: 20, ring: None };

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1_000)
    }

    fn read(chip: &mut Chip, ms: u64, register: u8) -> u8 {
        chain_transfer([chip].into_iter(), at(ms), &[0x60, register, 0])[2]
    }

    fn write(chip: &mut Chip, ms: u64, register: u8, value: u8) {
        chain_transfer([chip].into_iter(), at(ms), &[0x20, register, value]);
    }

    fn powered() -> Chip {
        let mut chip = Chip::new(0, at(0));
        write(&mut chip, 0, 31, 0xA3);
        write(&mut chip, 0, 6, 0);
        chip
    }

    #[test]
    fn reset_values_and_slow_link() {
        let mut chip = Chip::new(0, at(0));
        assert_eq!((read(&mut chip, 0, 2), read(&mut chip, 0, 6), read(&mut chip, 0, 31)), (0x03, 0x10, 0x20));
        write(&mut chip, 0, 6, 0);
        chip.step(at(100), BATTERY);
        assert_eq!((read(&mut chip, 100, 11) & 0xF0, read(&mut chip, 100, 12) & 0x40), (0, 0));
        chip.step(at(320), BATTERY);
        assert_eq!((read(&mut chip, 320, 11) & 0xF0, read(&mut chip, 320, 12) & 0x40), (0x30, 0x40));
        assert_eq!(read(&mut chip, 320, 29) as i8, 48);
    }

    #[test]
    fn writes_after_a_soft_reset_are_lost_for_a_while() {
        let mut chip = powered();
        write(&mut chip, 10, 1, 0x80);
        write(&mut chip, 20, 26, 0x30);
        assert_eq!(read(&mut chip, 30, 26), 0);
        write(&mut chip, 110, 26, 0x30);
        assert_eq!(read(&mut chip, 110, 26), 0x30);
    }

    #[test]
    fn ring_sets_halves_latch_and_source() {
        let mut chip = powered();
        chip.step(at(400), Sense { ring: Some(true), ..BATTERY });
        assert_eq!(read(&mut chip, 400, 5) & 0x64, 0x24);
        chip.step(at(420), Sense { ring: Some(false), ..BATTERY });
        assert_eq!(read(&mut chip, 420, 5) & 0x64, 0x44);
        assert!(!chip.interrupt());
        write(&mut chip, 420, 3, 0x80);
        write(&mut chip, 420, 2, 0x83);
        assert!(chip.interrupt());
        write(&mut chip, 421, 4, 0x7F);
        assert!(!chip.interrupt());
        chip.step(at(5_300), BATTERY);
        assert_eq!(read(&mut chip, 5_300, 5) & 0x64, 0x04, "latched");
        chip.step(at(5_430), BATTERY);
        assert_eq!(read(&mut chip, 5_430, 5) & 0x64, 0);
    }

    #[test]
    fn small_voltage_needs_lvfd_and_a_flip_sets_poli() {
        let mut chip = powered();
        chip.step(at(400), Sense { millivolts: 2_000, ..BATTERY });
        assert_eq!(read(&mut chip, 400, 29), 2);
        write(&mut chip, 400, 31, 0xA2);
        chip.step(at(401), Sense { millivolts: 2_000, ..BATTERY });
        assert_eq!(read(&mut chip, 401, 29), 0);
        write(&mut chip, 401, 4, 0);
        chip.step(at(402), Sense { millivolts: -48_000, ..BATTERY });
        assert_eq!((read(&mut chip, 402, 29) as i8, read(&mut chip, 402, 4) & 1), (-48, 1));
    }

    #[test]
    fn audio_waits_for_the_off_hook_counter() {
        let mut chip = powered();
        write(&mut chip, 10, 34, 48);
        write(&mut chip, 10, 36, 48);
        write(&mut chip, 10, 33, 0x38);
        chip.step(at(400), BATTERY);
        assert_eq!((chip.transmit_slot(at(400)), chip.receive_slot(at(400))), (None, None));
        write(&mut chip, 400, 5, 0x08);
        assert_eq!((chip.transmit_slot(at(400)), chip.receive_slot(at(400))), (Some(3), None), "on-hook monitor");
        write(&mut chip, 400, 5, 0x09);
        assert!(chip.closes_loop(at(400)));
        assert_eq!(chip.transmit_slot(at(500)), None);
        assert_eq!((chip.transmit_slot(at(528)), chip.receive_slot(at(528))), (Some(3), Some(3)));
        write(&mut chip, 600, 33, 0x20);
        assert_eq!(chip.transmit_slot(at(600)), None, "companded samples do not fit a 16-bit highway");
    }

    #[test]
    fn dropout_and_overload() {
        let mut chip = powered();
        write(&mut chip, 300, 5, 0x09);
        chip.step(at(500), Sense { millivolts: 0, milliamps: 0, ring: None });
        assert_eq!((read(&mut chip, 500, 19), read(&mut chip, 500, 4) & 0x08), (0x02, 0x08));
        chip.step(at(501), Sense { millivolts: 8_000, milliamps: 150, ring: None });
        assert_eq!((read(&mut chip, 501, 19), read(&mut chip, 501, 28)), (0x01, 136));
    }

    #[test]
    fn chain_positions_broadcast_and_half_frames() {
        let mut chips: Vec<Chip> = (0..3).map(|p| Chip::new(p, at(0))).collect();
        chain_transfer(chips.iter_mut(), at(0), &[0x21, 26, 0x55]);
        chain_transfer(chips.iter_mut(), at(0), &[0xA0, 30, 0x0F]);
        let seen: Vec<(u8, u8)> = chips.iter().map(|c| (c.register(26), c.register(30))).collect();
        assert_eq!(seen, [(0, 15), (0x55, 15), (0, 15)]);
        assert_eq!(chain_transfer(chips.iter_mut(), at(0), &[0x61, 26, 0]), [0xFF, 0xFF, 0x55]);
        assert_eq!(chain_transfer(chips.iter_mut(), at(0), &[0x69, 26, 0]), [0xFF; 3], "nobody at 9");
        chain_transfer(chips.iter_mut(), at(0), &[0x61, 26]);
        assert_ne!(chain_transfer(chips.iter_mut(), at(0), &[0x61, 26, 0])[2], 0x55, "out of step");
        chips.iter_mut().for_each(Chip::drop_select_mid_byte);
        assert_eq!(chain_transfer(chips.iter_mut(), at(0), &[0x61, 26, 0])[2], 0x55);
    }
}
