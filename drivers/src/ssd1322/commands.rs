//! Commands of the SSD1322, as far as the driver uses them. A command byte goes out with D/C low, its parameters and the
//! picture with D/C high. Sources and doubts are in [`super`].

/// Window: first and last column address; one address is four pixels.
pub const COLUMNS: u8 = 0x15;
/// What follows with D/C high goes into the display RAM, row by row through the window.
pub const WRITE_RAM: u8 = 0x5C;
/// Window: first and last row.
pub const ROWS: u8 = 0x75;
/// Order of addresses, nibbles and lines; two parameters.
pub const REMAP: u8 = 0xA0;
/// RAM row of the first line.
pub const START_LINE: u8 = 0xA1;
/// Shift of the lines on the glass.
pub const OFFSET: u8 = 0xA2;
/// Shows the RAM as it is.
pub const NORMAL: u8 = 0xA6;
/// Ends partial display.
pub const WHOLE: u8 = 0xA9;
/// Source of the logic supply.
pub const FUNCTION: u8 = 0xAB;
/// Dark, low power; the RAM is kept.
pub const SLEEP: u8 = 0xAE;
/// Light.
pub const WAKE: u8 = 0xAF;
/// Lengths of reset and first precharge.
pub const PHASES: u8 = 0xB1;
/// Oscillator and divider.
pub const CLOCK: u8 = 0xB3;
/// Display enhancement A.
pub const ENHANCE_A: u8 = 0xB4;
/// Second precharge.
pub const PRECHARGE_2: u8 = 0xB6;
/// Sixteen equal steps of grey.
pub const LINEAR_GREY: u8 = 0xB9;
/// Precharge voltage.
pub const PRECHARGE_VOLTAGE: u8 = 0xBB;
/// High level of the deselected lines.
pub const VCOMH: u8 = 0xBE;
/// Segment current, 0 to 255.
pub const CONTRAST: u8 = 0xC1;
/// Scale of all currents, 0 to 15.
pub const MASTER: u8 = 0xC7;
/// Lines less one.
pub const MUX: u8 = 0xCA;
/// Display enhancement B.
pub const ENHANCE_B: u8 = 0xD1;
/// Command lock.
pub const LOCK: u8 = 0xFD;

/// `LOCK`: commands are taken.
pub const UNLOCKED: u8 = 0x12;
