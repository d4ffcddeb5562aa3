//! Messages in the journal: bytes as one piece. Serde would take a `Vec<u8>` for a list of numbers and walk through it;
//! the written form is the same.

use core::fmt;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

/// Writes the piece.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads it.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_byte_buf(Octets)
}

struct Octets;

impl<'de> Visitor<'de> for Octets {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    /// Formats that know no bytes, such as JSON.
    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use crate::sip::door::{ConnId, Output};

    #[test]
    fn the_written_form_is_that_of_a_list() {
        let bytes = vec![0, 1, 255, 13, 10];
        let output = Output::Bytes { conn: ConnId(7), bytes: bytes.clone() };
        let written = postcard::to_allocvec(&output).unwrap();
        assert_eq!(written, postcard::to_allocvec(&(1u8, 7u64, &bytes)).unwrap());
        assert_eq!(postcard::from_bytes::<Output>(&written).unwrap(), output);
        let json = serde_json::to_string(&output).unwrap();
        assert_eq!(serde_json::from_str::<Output>(&json).unwrap(), output);
    }
}
