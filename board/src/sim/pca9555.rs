//! Model of a PCA9555 port expander at the level of its I2C transfers: eight registers with their power-on values, the
//! command byte, the pointer that alternates within a pair, the interrupt pin. Written from the register map, not from
//! the driver. Nastier reading where the datasheet is not at hand: a command byte above 7 is not acknowledged.

const INPUT: usize = 0;
const OUTPUT: usize = 2;
const INVERSION: usize = 4;
const CONFIGURATION: usize = 6;
const REGISTERS: usize = 8;

/// One expander.
#[derive(Clone, Debug)]
pub struct Chip {
    address: u8,
    registers: [u8; REGISTERS],
    pointer: usize,
    /// What the outside drives; a pin that nobody drives is pulled up.
    outside: u16,
    /// Levels when the inputs were last read.
    seen: u16,
}

impl Chip {
    /// Fresh from power-on, at this address.
    pub fn new(address: u8) -> Chip {
        let mut chip = Chip { address, registers: [0; REGISTERS], pointer: 0, outside: 0xFFFF, seen: 0xFFFF };
        chip.reset();
        chip
    }

    /// Power-on values: all pins inputs. A glitch of the supply.
    pub fn reset(&mut self) {
        self.registers = [0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF];
        self.pointer = 0;
    }

    /// Levels that the outside drives: a contact to ground is a 0, an open one a 1 by the pull-up.
    pub fn drive(&mut self, levels: u16) {
        self.outside = levels;
    }

    /// Levels of all pins: outputs as latched, inputs as driven.
    pub fn pins(&self) -> u16 {
        let inputs = self.pair(CONFIGURATION);
        (self.pair(OUTPUT) & !inputs) | (self.outside & inputs)
    }

    /// Pins that the chip drives.
    pub fn outputs(&self) -> u16 {
        !self.pair(CONFIGURATION)
    }

    /// The interrupt pin is active: an input is not as it was when it was read.
    pub fn interrupt(&self) -> bool {
        (self.pins() ^ self.seen) & self.pair(CONFIGURATION) != 0
    }

    /// A transfer to this address: bytes written, then (after a repeated start) bytes read. None without an acknowledge.
    pub fn transfer(&mut self, address: u8, written: &[u8], read: usize) -> Option<Vec<u8>> {
        if address != self.address {
            return None;
        }
        if let [command, values @ ..] = written {
            let pointer = usize::from(*command);
            if pointer >= REGISTERS {
                return None;
            }
            self.pointer = pointer;
            for value in values {
                self.write(*value);
            }
        }
        Some((0..read).map(|_| self.read()).collect())
    }

    fn pair(&self, register: usize) -> u16 {
        u16::from_le_bytes([self.registers[register], self.registers[register + 1]])
    }

    fn write(&mut self, value: u8) {
        if self.pointer >= OUTPUT {
            self.registers[self.pointer] = value;
        }
        self.pointer ^= 1;
    }

    fn read(&mut self) -> u8 {
        let value = if self.pointer < OUTPUT {
            let levels = self.pins();
            self.seen = levels;
            let [low, high] = (levels ^ self.pair(INVERSION)).to_le_bytes();
            if self.pointer == INPUT { low } else { high }
        } else {
            self.registers[self.pointer]
        };
        self.pointer ^= 1;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_on_values_and_the_pair() {
        let mut chip = Chip::new(0x20);
        assert_eq!(chip.transfer(0x21, &[0], 1), None);
        assert_eq!(chip.transfer(0x20, &[9], 1), None);
        for (command, pair) in [(0, [0xFF, 0xFF]), (2, [0xFF, 0xFF]), (4, [0, 0]), (6, [0xFF, 0xFF])] {
            assert_eq!(chip.transfer(0x20, &[command], 2), Some(pair.to_vec()));
        }
        assert_eq!(chip.transfer(0x20, &[6, 0x0F, 0xF0], 0), Some(Vec::new()));
        assert_eq!(chip.transfer(0x20, &[7], 3), Some(vec![0xF0, 0x0F, 0xF0]), "the pointer alternates");
    }

    #[test]
    fn pins_are_latched_or_driven_and_may_be_inverted() {
        let mut chip = Chip::new(0x20);
        chip.transfer(0x20, &[6, 0xFF, 0x00], 0);
        chip.transfer(0x20, &[2, 0x00, 0xA5], 0);
        chip.drive(0xFFFE);
        assert_eq!(chip.pins(), 0xA5FE);
        assert_eq!(chip.transfer(0x20, &[0], 2), Some(vec![0xFE, 0xA5]));
        chip.transfer(0x20, &[4, 0xFF, 0], 0);
        assert_eq!(chip.transfer(0x20, &[0], 2), Some(vec![0x01, 0xA5]));
    }

    #[test]
    fn a_changed_input_interrupts_until_it_is_read() {
        let mut chip = Chip::new(0x20);
        assert!(!chip.interrupt());
        chip.drive(0xFFFB);
        assert!(chip.interrupt());
        chip.transfer(0x20, &[0], 2);
        assert!(!chip.interrupt());
    }
}
