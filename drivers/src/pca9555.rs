//! Port expander: PCA9555 or TCA9555, sixteen pins on I2C. Which pin is a key and which a lamp is the board's to say.
//!
//! After a restart of the program a chip that is set as ours is taken over: its outputs stay as they are until they
//! are told otherwise, so that no lamp blinks. A chip that lost its settings (a glitch of its supply) is noticed by
//! [`Pca9555::step`], which reads them with the pins, and set again.
//!
//! Where the facts come from: the register map common to the datasheets of NXP PCA9555 and TI TCA9555: command bytes 0/1
//! input, 2/3 output, 4/5 inversion, 6/7 configuration (1 is input), each pair of bytes low port first, outputs 0xFF
//! and all pins inputs after power-on.
//!
//! Unchecked against the datasheet: that the pointer goes back to the first of its pair after the second byte (each
//! access here is exactly one pair, so nothing relies on it).

use embedded_hal::i2c::I2c;

/// Address with all three address pins low.
pub const ADDRESS: u8 = 0x20;

const INPUT: u8 = 0;
const OUTPUT: u8 = 2;
const INVERSION: u8 = 4;
const CONFIGURATION: u8 = 6;

/// The chip did not answer, or the bus failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

/// One expander.
#[derive(Debug)]
pub struct Pca9555<I2C> {
    i2c: I2C,
    address: u8,
    /// Pins that are outputs.
    outputs: u16,
    wanted: u16,
    written: Option<u16>,
}

impl<I2C: I2c> Pca9555<I2C> {
    /// An expander whose pins in `outputs` are outputs (bit 0 is port 0 pin 0, bit 15 port 1 pin 7) and begin at
    /// `levels`.
    pub fn new(i2c: I2C, address: u8, outputs: u16, levels: u16) -> Self {
        Pca9555 { i2c, address, outputs, wanted: levels, written: None }
    }

    /// Levels that the outputs have from the next [`Self::step`] on; bits of inputs do not matter.
    pub fn set(&mut self, levels: u16) {
        self.wanted = levels;
    }

    /// Brings the chip to what is wanted and reads the levels of all pins.
    pub fn step(&mut self) -> Result<u16, Failed> {
        let done = self.try_step();
        if done.is_err() {
            self.written = None;
        }
        done
    }

    fn try_step(&mut self) -> Result<u16, Failed> {
        let ours = self.read(CONFIGURATION)? == !self.outputs;
        let wanted = self.wanted & self.outputs;
        if !ours || self.written != Some(wanted) {
            // Outputs before directions: a pin must not drive a level that nobody asked for.
            self.write(OUTPUT, wanted | !self.outputs)?;
            self.written = Some(wanted);
        }
        if !ours {
            self.write(INVERSION, 0)?;
            self.write(CONFIGURATION, !self.outputs)?;
        }
        self.read(INPUT)
    }

    fn read(&mut self, register: u8) -> Result<u16, Failed> {
        let mut pair = [0; 2];
        self.i2c.write_read(self.address, &[register], &mut pair).map_err(|_| Failed)?;
        Ok(u16::from_le_bytes(pair))
    }

    fn write(&mut self, register: u8, value: u16) -> Result<(), Failed> {
        let [low, high] = value.to_le_bytes();
        self.i2c.write(self.address, &[register, low, high]).map_err(|_| Failed)
    }
}
