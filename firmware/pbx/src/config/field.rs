//! Between the typed fields of [`super::Config`] and the generic [`Value`]s of the schema.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::value::Value;
use super::{Destination, Language};

/// A type that a leaf can fill.
pub(super) trait Field: Sized {
    /// Before anything is read.
    fn blank() -> Self;
    /// None when the value is of another kind: the schema's mistake, found by its tests.
    fn from_value(value: Value) -> Option<Self>;
    /// As a value.
    fn to_value(&self) -> Value;
}

macro_rules! field {
    ($type:ty, $blank:expr, $variant:ident) => {
        impl Field for $type {
            fn blank() -> Self {
                $blank
            }
            fn from_value(value: Value) -> Option<Self> {
                if let Value::$variant(v) = value { Some(v) } else { None }
            }
            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }
        }
    };
}

field!(u32, 0, Number);
field!(bool, false, Flag);
field!(String, String::new(), Text);
field!(Vec<String>, Vec::new(), Texts);
field!(Language, Language::Zh, Language);
field!(Vec<Language>, Vec::new(), Languages);
field!(IpAddr, IpAddr::V4(Ipv4Addr::UNSPECIFIED), Address);
field!(SocketAddr, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), Socket);
field!(Destination, Destination::Hangup, Destination);

impl Field for u8 {
    fn blank() -> Self {
        0
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Number(n) = value { u8::try_from(n).ok() } else { None }
    }
    fn to_value(&self) -> Value {
        Value::Number((*self).into())
    }
}

impl Field for (u16, u16) {
    fn blank() -> Self {
        (0, 0)
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Ports(first, last) = value { Some((first, last)) } else { None }
    }
    fn to_value(&self) -> Value {
        Value::Ports(self.0, self.1)
    }
}

impl Field for Option<u16> {
    fn blank() -> Self {
        None
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Absent => Some(None),
            Value::Number(n) => u16::try_from(n).ok().map(Some),
            _ => None,
        }
    }
    fn to_value(&self) -> Value {
        self.map_or(Value::Absent, |port| Value::Number(port.into()))
    }
}
