//! Identities: **Key** (index + generation, memory only, see [`crate::slab`]) and **Uid** (unique for ever; CDR,
//! recording, webhook). Database ids belong to the store.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Wall;

crate::typed_key!(
    /// A leg: one party of a call, on both sides of the media door.
    LegKey
);

/// Unique for ever: 48 bit of UTC milliseconds, 80 bit of chance; prints as 26 characters of Crockford's base 32 and
/// sorts by time, as ULIDs do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uid(pub u128);

/// As text where people read it (JSON has no integers of 128 bits), as a number in binary forms.
impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Uid, D::Error> {
        if !deserializer.is_human_readable() {
            return u128::deserialize(deserializer).map(Uid);
        }
        let text = alloc::string::String::deserialize(deserializer)?;
        text.parse().map_err(|NotAUid| serde::de::Error::custom("not a uid of 26 characters"))
    }
}

impl Uid {
    /// From the time of making and 80 random bits.
    pub fn new(wall: Wall, random: u128) -> Uid {
        let ms = (wall.as_millis().max(0) as u128) & ((1 << 48) - 1);
        Uid((ms << 80) | (random & ((1 << 80) - 1)))
    }
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for i in (0..26).rev() {
            let digit = (self.0 >> (5 * i)) & 31;
            fmt::Write::write_char(f, ALPHABET[digit as usize] as char)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not 26 characters of Crockford's base 32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAUid;

impl FromStr for Uid {
    type Err = NotAUid;
    fn from_str(s: &str) -> Result<Uid, NotAUid> {
        if s.len() != 26 {
            return Err(NotAUid);
        }
        let mut value: u128 = 0;
        for b in s.bytes() {
            let digit = ALPHABET.iter().position(|a| *a == b.to_ascii_uppercase()).ok_or(NotAUid)?;
            value = value.checked_mul(32).and_then(|v| v.checked_add(digit as u128)).ok_or(NotAUid)?;
        }
        Ok(Uid(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn prints_and_reads_back_in_time_order() {
        let a = Uid::new(Wall::from_millis(1_700_000_000_000), 7);
        let b = Uid::new(Wall::from_millis(1_700_000_000_001), 3);
        assert!(a < b && a.to_string() < b.to_string());
        assert_eq!(a.to_string().parse(), Ok(a));
        assert_eq!("not a uid".parse::<Uid>(), Err(NotAUid));
    }
}
