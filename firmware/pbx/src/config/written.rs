//! A configuration as its author wrote it, with its values: what a commit carries. It is journaled as its text alone, so
//! that handing it over costs the control thread a copy of bytes and no printing.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Config, Problem, as_text, parse};

/// Text and values that say the same.
#[derive(Clone, Debug)]
pub struct Written {
    /// With remarks, secrets and all.
    pub text: Arc<str>,
    /// What it means.
    pub config: Arc<Config>,
}

impl Written {
    /// Reads a text.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn of(text: &str) -> Result<Written, Vec<Problem>> {
        Ok(Written { text: text.into(), config: Arc::new(parse(text)?) })
    }
}

impl PartialEq for Written {
    fn eq(&self, other: &Written) -> bool {
        self.text == other.text
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written, D::Error> {
        let text = String::deserialize(deserializer)?;
        let config = as_text::values(&text).map_err(D::Error::custom)?;
        Ok(Written { text: text.into(), config })
    }
}
