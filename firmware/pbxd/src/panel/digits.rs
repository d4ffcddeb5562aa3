//! Numbers set digit by digit: an address, a length, a tag, a code. Up and Down turn the digit at hand and never leave what
//! the number may be; Left and Right go to another digit.

use base::panel::Key;
use std::net::Ipv4Addr;

/// Values of which each has so many digits and a largest value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digits {
    values: Vec<u16>,
    largest: u16,
    width: usize,
    /// Stands between the values.
    between: &'static str,
    /// The digit at hand, counted over all values.
    at: usize,
}

impl Digits {
    /// An IPv4 address.
    pub fn address(address: Ipv4Addr) -> Digits {
        let values = address.octets().map(u16::from).to_vec();
        Digits { values, largest: 255, width: 3, between: ".", at: 0 }
    }

    /// One number.
    pub fn number(value: u16, largest: u16) -> Digits {
        let width = largest.to_string().len();
        Digits { values: vec![value.min(largest)], largest, width, between: "", at: 0 }
    }

    /// Four digits, each by itself, all 0.
    pub fn code() -> Digits {
        Digits { values: vec![0; 4], largest: 9, width: 1, between: " ", at: 0 }
    }

    /// The values.
    pub fn values(&self) -> &[u16] {
        &self.values
    }

    /// Its first value.
    pub fn value(&self) -> u16 {
        self.values.first().copied().unwrap_or(0)
    }

    /// As an address.
    pub fn as_address(&self) -> Ipv4Addr {
        let octet = |at: usize| self.values.get(at).map_or(0, |value| (*value).min(255) as u8);
        Ipv4Addr::new(octet(0), octet(1), octet(2), octet(3))
    }

    /// One of the arrows. False when there is no digit farther on.
    pub fn press(&mut self, key: Key) -> bool {
        match key {
            Key::Up => self.turn(true),
            Key::Down => self.turn(false),
            Key::Left if self.at > 0 => self.at -= 1,
            Key::Right if self.at + 1 < self.values.len() * self.width => self.at += 1,
            Key::Left | Key::Right | Key::Ok | Key::Back => return false,
        }
        true
    }

    /// The next digit that keeps the value within its bounds, around the end.
    fn turn(&mut self, up: bool) {
        let (width, largest) = (self.width, self.largest);
        let Some(value) = self.values.get_mut(self.at / width) else { return };
        let place = 10_u16.pow((width - 1 - self.at % width) as u32);
        let digit = *value / place % 10;
        let rest = *value - digit * place;
        let fits = |digit: &u16| rest + digit * place <= largest;
        let next = (1..=10).map(|step| if up { (digit + step) % 10 } else { (digit + 10 - step) % 10 }).find(fits);
        *value = rest + next.unwrap_or(digit) * place;
    }

    /// As text with every digit, and the place of the one at hand within it.
    pub fn shown(&self) -> (String, usize) {
        let width = self.width;
        let values: Vec<String> = self.values.iter().map(|value| format!("{value:0width$}")).collect();
        let before = self.at / width * self.between.len();
        (values.join(self.between), self.at + before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_turns_within_what_the_number_may_be() {
        let mut digits = Digits::address(Ipv4Addr::new(199, 168, 1, 10));
        digits.press(Key::Up);
        assert_eq!(digits.shown(), ("099.168.001.010".into(), 0), "299 is no octet");
        digits.press(Key::Down);
        assert_eq!(digits.as_address(), Ipv4Addr::new(199, 168, 1, 10));
        for _ in 0..3 {
            digits.press(Key::Right);
        }
        assert_eq!(digits.shown().1, 4, "over the dot");
        assert!((0..20).all(|_| digits.press(Key::Up)));
        let mut length = Digits::number(24, 32);
        length.press(Key::Up);
        assert_eq!(length.value(), 4, "34 is no length");
        assert!(!length.press(Key::Left) && length.press(Key::Right) && !length.press(Key::Right));
    }

    #[test]
    fn whatever_is_pressed_it_stays_a_number() {
        let keys = [Key::Up, Key::Up, Key::Right, Key::Down, Key::Up, Key::Down, Key::Down];
        for largest in [9, 32, 255, 4_094] {
            let mut digits = Digits::number(0, largest);
            for round in 0..500 {
                digits.press(keys[round * 31 % keys.len()]);
                if round % 11 == 0 {
                    while digits.press(Key::Left) {}
                }
                assert!(digits.value() <= largest);
            }
        }
    }
}
