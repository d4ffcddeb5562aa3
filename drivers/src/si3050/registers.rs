//! Register map of the Si3050, as far as the driver uses it. Bit meanings and their sources are in [`super`].

/// Control 1. Bit 7 resets the chip.
pub const CONTROL_1: u8 = 1;
/// Control 2. Its reset value is how the chip is recognised.
pub const CONTROL_2: u8 = 2;
/// Interrupt sources; set by the chip, cleared by writing 0.
pub const INTERRUPT_SOURCE: u8 = 4;
/// DAA control 1: hook switch and ring bits.
pub const DAA_CONTROL_1: u8 = 5;
/// DAA control 2: power of both sides.
pub const DAA_CONTROL_2: u8 = 6;
/// Identity of the line side (7:4) and revision of the system side (3:0).
pub const REVISION: u8 = 11;
/// Line side status: isolation link up.
pub const LINE_STATUS: u8 = 12;
/// International control 1.
pub const INTERNATIONAL_1: u8 = 16;
/// International control 3.
pub const INTERNATIONAL_3: u8 = 18;
/// DC termination.
pub const DC_TERMINATION: u8 = 26;
/// Line voltage, signed, 1 V.
pub const LINE_VOLTAGE: u8 = 29;
/// AC termination.
pub const AC_TERMINATION: u8 = 30;
/// DAA control 5.
pub const DAA_CONTROL_5: u8 = 31;
/// PCM mode.
pub const PCM_MODE: u8 = 33;
/// First of the four start-count registers: TX low, TX high, RX low, RX high.
pub const PCM_TX_START_LOW: u8 = 34;

/// `CONTROL_1`: soft reset.
pub const SOFT_RESET: u8 = 0x80;
/// `CONTROL_2` after a reset.
pub const CONTROL_2_RESET: u8 = 0x03;

/// `INTERRUPT_SOURCE`: the line dropped out while off-hook.
pub const DODI: u8 = 0x08;

/// `DAA_CONTROL_1`: a negative ring half-wave is present.
pub const RDTN: u8 = 0x40;
/// `DAA_CONTROL_1`: a positive ring half-wave is present.
pub const RDTP: u8 = 0x20;
/// `DAA_CONTROL_1`: on-hook line monitor; set in both of our hook states.
pub const ONHM: u8 = 0x08;
/// `DAA_CONTROL_1`: off-hook.
pub const OH: u8 = 0x01;
/// `DAA_CONTROL_1`: the bits that only we change (everything but RDTN, RDTP and RDT).
pub const HOOK_STATIC: u8 = 0x9B;
/// `DAA_CONTROL_1` while on-hook.
pub const ON_HOOK: u8 = ONHM;
/// `DAA_CONTROL_1` while off-hook.
pub const OFF_HOOK: u8 = ONHM | OH;

/// `DAA_CONTROL_2`: both sides powered, isolation link running.
pub const POWER_UP: u8 = 0x00;
/// `REVISION`: line side identity; zero until the link is up.
pub const LSID: u8 = 0xF0;
/// `LINE_STATUS`: frames are detected on the isolation link.
pub const FDT: u8 = 0x40;
/// `INTERNATIONAL_3`: full-wave ring detection.
pub const RFWE: u8 = 0x02;
/// `DAA_CONTROL_5`: full scale, 128 ms off-hook counter, filter, true voltage below 3 V.
pub const DAA_CONTROL_5_BASE: u8 = 0xA3;
/// `PCM_MODE`: the highway is driven.
pub const PCME: u8 = 0x20;

/// First byte of a frame: write.
pub const FRAME_WRITE: u8 = 0x20;
/// First byte of a frame: read.
pub const FRAME_READ: u8 = 0x60;
/// Chips on one daisy chain.
pub const CHAIN_MAX: u8 = 16;
