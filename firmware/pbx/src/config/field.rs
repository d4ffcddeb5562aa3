//! Between the typed fields of [`super::Config`] and the generic [`Value`]s of the schema.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::acd::{Consent, EmptyFactor, Strategy};
use super::test::{Expectation, TestCall};
use super::value::Value;
use super::{AlarmSeverity, Destination, Language, Method, NumbersSeen, Prefix, Role};
use crate::calendar::{DaysOff, Extra, Hours};

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
field!(i32, 0, UtcOffset);
field!(BTreeMap<String, u8>, BTreeMap::new(), Skills);
field!(Vec<Hours>, Vec::new(), Hours);
field!(Vec<DaysOff>, Vec::new(), DaysOff);
field!(Vec<Extra>, Vec::new(), ExtraHours);

macro_rules! word_field {
    ($type:ident, $blank:ident) => {
        impl Field for $type {
            fn blank() -> Self {
                $type::$blank
            }
            fn from_value(value: Value) -> Option<Self> {
                if let Value::Text(word) = value { $type::of_word(&word) } else { None }
            }
            fn to_value(&self) -> Value {
                Value::Text(self.word().to_owned())
            }
        }
    };
}

word_field!(Strategy, LongestIdle);
word_field!(Consent, None);
word_field!(Method, Unmanaged);
word_field!(Role, Viewer);
word_field!(NumbersSeen, Masked);
word_field!(AlarmSeverity, Major);

impl Field for Prefix {
    fn blank() -> Self {
        Prefix { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), length: 0 }
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Text(word) = value { Prefix::of_word(&word) } else { None }
    }
    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }
}

impl Field for Vec<IpAddr> {
    fn blank() -> Self {
        Vec::new()
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Texts(words) = value { words.iter().map(|word| word.parse().ok()).collect() } else { None }
    }
    fn to_value(&self) -> Value {
        Value::Texts(self.iter().map(ToString::to_string).collect())
    }
}

impl Field for BTreeSet<EmptyFactor> {
    fn blank() -> Self {
        BTreeSet::new()
    }
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Texts(words) = value { words.iter().map(|w| EmptyFactor::of_word(w)).collect() } else { None }
    }
    fn to_value(&self) -> Value {
        Value::Texts(self.iter().map(|factor| factor.word().to_owned()).collect())
    }
}

impl Field for Option<char> {
    fn blank() -> Self {
        None
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Absent => Some(None),
            Value::Text(key) => key.chars().next().map(Some),
            _ => None,
        }
    }
    fn to_value(&self) -> Value {
        self.map_or(Value::Absent, |key| Value::Text(key.to_string()))
    }
}

macro_rules! small {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn blank() -> Self {
                0
            }
            fn from_value(value: Value) -> Option<Self> {
                if let Value::Number(n) = value { <$type>::try_from(n).ok() } else { None }
            }
            fn to_value(&self) -> Value {
                Value::Number((*self).into())
            }
        }
    )*};
}

small!(u8, u16);

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

/// A leaf that need not be given, on top of one that must.
macro_rules! optional {
    ($($type:ty),*) => {$(
        impl Field for Option<$type> {
            fn blank() -> Self {
                None
            }
            fn from_value(value: Value) -> Option<Self> {
                if value == Value::Absent { Some(None) } else { Field::from_value(value).map(Some) }
            }
            fn to_value(&self) -> Value {
                self.as_ref().map_or(Value::Absent, Field::to_value)
            }
        }
    )*};
}

field!(TestCall, TestCall::default(), TestCall);
field!(Vec<Expectation>, Vec::new(), Expectations);
optional!(Vec<String>, u8, u16, u32, String, Prefix, IpAddr, Language);
