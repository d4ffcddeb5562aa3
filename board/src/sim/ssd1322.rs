//! Model of an SSD1322 and the glass of a 256x64 module on it, at the level of its 4-wire SPI: pins D/C and RES#,
//! commands with their parameters, 480x128 pixels of RAM, and what of it is seen. Written from the command set, not from
//! the driver.
//!
//! Not modelled: analog values (phases, precharge, VCOMH, clock are taken and change nothing seen), grey tables other
//! than the linear one, partial display. Where the datasheet is not at hand the model chooses the nastier reading: the
//! RAM holds rubbish after a reset, RES# must be low for 100 µs to count, bytes within 300 µs after it are lost, a
//! command with too few parameters does nothing.

use base::panel::{HEIGHT, WIDTH};
use base::time::Instant;
use core::time::Duration;

/// Pixels of a RAM row.
const RAM_WIDTH: usize = 480;
/// RAM rows.
const RAM_HEIGHT: usize = 128;
/// Pixels behind one column address.
const COLUMN_PIXELS: usize = 4;
/// Highest column address.
const COLUMN_LAST: u8 = 0x77;
/// Highest row.
const ROW_LAST: u8 = 0x7F;
/// The glass is wired to the segments from this column address on.
const GLASS_COLUMN: usize = 0x1C;

const RESET_LOW_MIN: Duration = Duration::from_micros(100);
const DEAF_AFTER_RESET: Duration = Duration::from_micros(300);

/// What the controller drives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    AllOff,
    AllOn,
    Normal,
    Inverse,
}

/// One controller with its glass.
#[derive(Clone, Debug)]
pub struct Chip {
    /// Grey of each pixel.
    ram: Vec<u8>,
    command: u8,
    parameters: Vec<u8>,
    /// Window in addresses, and where the next byte goes; `half` counts the bytes within a column address.
    columns: (u8, u8),
    rows: (u8, u8),
    column: u8,
    row: u8,
    half: u8,
    remap: u8,
    dual_com: bool,
    start_line: u8,
    offset: u8,
    mode: Mode,
    awake: bool,
    contrast: u8,
    master: u8,
    lines: u8,
    locked: bool,
    reset_low_since: Option<Instant>,
    deaf_until: Instant,
    /// Picture bytes taken so far, for figures.
    picture_bytes: u64,
}

impl Chip {
    /// Fresh from power-on.
    pub fn new(now: Instant) -> Chip {
        let mut chip = Chip {
            ram: Vec::new(),
            command: 0,
            parameters: Vec::new(),
            columns: (0, COLUMN_LAST),
            rows: (0, ROW_LAST),
            column: 0,
            row: 0,
            half: 0,
            remap: 0,
            dual_com: false,
            start_line: 0,
            offset: 0,
            mode: Mode::Normal,
            awake: false,
            contrast: 0x7F,
            master: 0x0F,
            lines: ROW_LAST,
            locked: false,
            reset_low_since: None,
            deaf_until: now,
            picture_bytes: 0,
        };
        chip.reset();
        chip
    }

    /// Power-on values, dark, rubbish in the RAM: RES#, or a glitch of the supply.
    pub fn reset(&mut self) {
        self.ram = (0..RAM_WIDTH * RAM_HEIGHT).map(|at| (at * 7 % 16) as u8).collect();
        self.parameters.clear();
        (self.command, self.columns, self.rows) = (0, (0, COLUMN_LAST), (0, ROW_LAST));
        (self.column, self.row, self.half) = (0, 0, 0);
        (self.remap, self.dual_com, self.start_line, self.offset) = (0, false, 0, 0);
        (self.mode, self.awake, self.contrast, self.master) = (Mode::Normal, false, 0x7F, 0x0F);
        (self.lines, self.locked) = (ROW_LAST, false);
    }

    /// The level of RES#.
    pub fn set_reset(&mut self, now: Instant, high: bool) {
        match (self.reset_low_since, high) {
            (None, false) => self.reset_low_since = Some(now),
            (Some(since), true) => {
                self.reset_low_since = None;
                if now.since(since) >= RESET_LOW_MIN {
                    self.reset();
                    self.deaf_until = now + DEAF_AFTER_RESET;
                }
            }
            (None, true) | (Some(_), false) => {}
        }
    }

    /// One byte while chip select is low; `data` is the level of D/C. The chip drives nothing back over SPI.
    pub fn clock_byte(&mut self, now: Instant, data: bool, byte: u8) {
        if self.reset_low_since.is_some() || now < self.deaf_until {
            return;
        }
        if !data {
            self.command = byte;
            self.parameters.clear();
            self.obey(&[]);
        } else if self.command == 0x5C {
            self.take_picture(byte);
        } else if self.parameters.len() < 16 {
            self.parameters.push(byte);
            let parameters = std::mem::take(&mut self.parameters);
            self.obey(&parameters);
            self.parameters = parameters;
        }
    }

    /// Acts when the command has as many parameters as it needs.
    fn obey(&mut self, parameters: &[u8]) {
        if self.locked && self.command != 0xFD {
            return;
        }
        match (self.command, parameters) {
            (0x15, [first, last]) if first <= last && *last <= COLUMN_LAST => {
                self.columns = (*first, *last);
                self.home();
            }
            (0x75, [first, last]) if first <= last && *last <= ROW_LAST => {
                self.rows = (*first, *last);
                self.home();
            }
            (0xA0, [remap, dual]) => (self.remap, self.dual_com) = (*remap, dual & 0x10 != 0),
            (0xA1, [line]) => self.start_line = line & ROW_LAST,
            (0xA2, [offset]) => self.offset = offset & ROW_LAST,
            (0xA4, []) => self.mode = Mode::AllOff,
            (0xA5, []) => self.mode = Mode::AllOn,
            (0xA6, []) => self.mode = Mode::Normal,
            (0xA7, []) => self.mode = Mode::Inverse,
            (0xAE, []) => self.awake = false,
            (0xAF, []) => self.awake = true,
            (0xC1, [contrast]) => self.contrast = *contrast,
            (0xC7, [master]) => self.master = master & 0x0F,
            (0xCA, [lines]) => self.lines = lines & ROW_LAST,
            (0xFD, [0x12]) => self.locked = false,
            (0xFD, [0x16]) => self.locked = true,
            _ => {}
        }
    }

    fn home(&mut self) {
        (self.column, self.row, self.half) = (self.columns.0, self.rows.0, 0);
    }

    /// Two pixels go into the RAM; the pointer moves on through the window.
    fn take_picture(&mut self, byte: u8) {
        if self.locked {
            return;
        }
        self.picture_bytes += 1;
        let nibbles = [byte >> 4, byte & 0x0F];
        let mut column = usize::from(self.column);
        if self.remap & 0x02 != 0 {
            column = usize::from(COLUMN_LAST) - column;
        }
        for (index, grey) in nibbles.into_iter().enumerate() {
            let within = usize::from(self.half) * 2 + index;
            // Without nibble remap the four pixels of an address come right to left.
            let within = if self.remap & 0x04 != 0 { within } else { COLUMN_PIXELS - 1 - within };
            let at = usize::from(self.row) * RAM_WIDTH + column * COLUMN_PIXELS + within;
            if let Some(pixel) = self.ram.get_mut(at) {
                *pixel = grey;
            }
        }
        self.half ^= 1;
        if self.half == 0 {
            self.advance();
        }
    }

    fn advance(&mut self) {
        let vertical = self.remap & 0x01 != 0;
        let step = |at: u8, (first, last): (u8, u8)| if at >= last { (first, true) } else { (at + 1, false) };
        if vertical {
            let (row, over) = step(self.row, self.rows);
            self.row = row;
            if over {
                self.column = step(self.column, self.columns).0;
            }
        } else {
            let (column, over) = step(self.column, self.columns);
            self.column = column;
            if over {
                self.row = step(self.row, self.rows).0;
            }
        }
    }

    /// What the eye sees of a pixel: its grey, 0 to 15, whatever the brightness.
    pub fn pixel(&self, x: usize, y: usize) -> u8 {
        let lines = usize::from(self.lines) + 1;
        // A 64-line glass in dual-COM mode on a controller told otherwise shows nothing that can be read.
        if !self.is_light() || x >= WIDTH || y >= HEIGHT || !self.dual_com || lines != HEIGHT {
            return 0;
        }
        match self.mode {
            Mode::AllOff => return 0,
            Mode::AllOn => return 15,
            Mode::Normal | Mode::Inverse => {}
        }
        let scanned = if self.remap & 0x10 != 0 { y } else { lines - 1 - y };
        let row = (scanned + usize::from(self.start_line) + usize::from(self.offset)) % RAM_HEIGHT;
        let at = row * RAM_WIDTH + GLASS_COLUMN * COLUMN_PIXELS + x;
        let grey = self.ram.get(at).copied().unwrap_or(0);
        if self.mode == Mode::Inverse { 15 - grey } else { grey }
    }

    /// It is awake and not held in reset.
    pub fn is_light(&self) -> bool {
        self.awake && self.reset_low_since.is_none()
    }

    /// Brightness in percent: 0 while it sleeps.
    pub fn brightness_pct(&self) -> u32 {
        let full = u32::from(self.contrast) * (u32::from(self.master) + 1);
        if self.is_light() { full * 100 / (255 * 16) } else { 0 }
    }

    /// Picture bytes taken since power-on.
    pub fn picture_bytes(&self) -> u64 {
        self.picture_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Instant {
        Instant::from_micros(us)
    }

    fn say(chip: &mut Chip, command: u8, parameters: &[u8]) {
        chip.clock_byte(at(10_000), false, command);
        parameters.iter().for_each(|byte| chip.clock_byte(at(10_000), true, *byte));
    }

    fn ready() -> Chip {
        let mut chip = Chip::new(at(0));
        say(&mut chip, 0xA0, &[0x14, 0x11]);
        say(&mut chip, 0xCA, &[63]);
        say(&mut chip, 0xAF, &[]);
        chip
    }

    #[test]
    fn it_is_dark_until_woken_and_shows_rubbish_until_drawn() {
        let mut chip = Chip::new(at(0));
        assert_eq!((chip.pixel(1, 0), chip.brightness_pct()), (0, 0));
        say(&mut chip, 0xA0, &[0x14, 0x11]);
        say(&mut chip, 0xAF, &[]);
        assert_eq!(chip.pixel(1, 0), 0, "128 lines on a glass of 64");
        say(&mut chip, 0xCA, &[63]);
        assert!((0..256).any(|x| chip.pixel(x, 0) != 0));
    }

    #[test]
    fn a_window_is_filled_row_by_row() {
        let mut chip = ready();
        say(&mut chip, 0x15, &[0x1C, 0x1D]);
        say(&mut chip, 0x75, &[2, 3]);
        say(&mut chip, 0x5C, &[0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0x0F]);
        let row = |y| (0..8).map(|x| chip.pixel(x, y)).collect::<Vec<u8>>();
        assert_eq!(row(2), [0, 15, 3, 4, 5, 6, 7, 8], "the ninth byte began again at the first");
        assert_eq!(row(3), [9, 10, 11, 12, 13, 14, 15, 0]);
    }

    #[test]
    fn remap_turns_nibbles_and_lines() {
        let mut chip = ready();
        say(&mut chip, 0xA0, &[0x00, 0x11]);
        say(&mut chip, 0x15, &[0x1C, 0x1C]);
        say(&mut chip, 0x75, &[0, 0]);
        say(&mut chip, 0x5C, &[0x12, 0x34]);
        assert_eq!((0..4).map(|x| chip.pixel(x, 63)).collect::<Vec<u8>>(), [4, 3, 2, 1]);
    }

    #[test]
    fn reset_needs_its_time_and_is_followed_by_deafness() {
        let mut chip = ready();
        chip.set_reset(at(20_000), false);
        chip.set_reset(at(20_050), true);
        assert!(chip.is_light(), "50 µs are too short");
        chip.set_reset(at(30_000), false);
        assert!(!chip.is_light());
        chip.set_reset(at(31_000), true);
        chip.clock_byte(at(31_100), false, 0xAF);
        assert!(!chip.is_light(), "too early");
        chip.clock_byte(at(31_400), false, 0xAF);
        assert!(chip.is_light());
    }

    #[test]
    fn a_locked_chip_takes_nothing_but_the_key() {
        let mut chip = ready();
        say(&mut chip, 0xFD, &[0x16]);
        say(&mut chip, 0xAE, &[]);
        assert!(chip.is_light());
        say(&mut chip, 0xFD, &[0x12]);
        say(&mut chip, 0xAE, &[]);
        assert!(!chip.is_light());
    }

    #[test]
    fn contrast_is_brightness() {
        let mut chip = ready();
        say(&mut chip, 0xC1, &[255]);
        assert_eq!(chip.brightness_pct(), 100);
        say(&mut chip, 0xC7, &[7]);
        assert_eq!(chip.brightness_pct(), 50);
        say(&mut chip, 0xA5, &[]);
        assert_eq!(chip.pixel(100, 40), 15);
    }
}
