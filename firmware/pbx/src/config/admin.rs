//! What a site says about the box itself, its network and the people who may change it, as typed values. Only the values:
//! their keywords, bounds and defaults stand in [`super::leaves`].

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

use super::Language;

/// `chassis { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chassis {
    /// `country CN`: network norm of the analog lines. Default `CN`.
    pub country: String,
    /// `panel-lock yes|no`, default no: the front panel only shows.
    pub panel_lock: bool,
    /// `console-device /dev/ttyS0`: serial line of the console; default none.
    pub console_device: Option<String>,
    /// `console-speed 115200`: its speed in bit/s.
    pub console_speed: u32,
}

/// Norms of analog lines: ISO 3166 alpha-2, `FCC`, `TBR21`; those that the drivers know.
pub const COUNTRIES: &[&str] = &[
    "CN", "FCC", "US", "CA", "TBR21", "GB", "DE", "AT", "FR", "IT", "ES", "NL", "BE", "SE", "NO", "CH", "FI", "DK",
    "IE", "PT", "GR", "CZ", "HR", "IL", "LV", "NG", "AU", "NZ", "JP", "BR", "RU", "TW", "TH", "PH", "MY", "EG", "IN",
    "ZA", "PL",
];

/// `network { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Network {
    /// `interface eth0`: which one. Default `eth0`.
    pub interface: String,
    /// `method unmanaged|dhcp|static`, default `unmanaged`: the box leaves the network as the machine has it.
    pub method: Method,
    /// `address 192.168.1.10/24`, with `static`.
    pub address: Option<Prefix>,
    /// `gateway 192.168.1.1`, with `static`.
    pub gateway: Option<IpAddr>,
    /// `dns [ 192.168.1.1 ]`.
    pub dns: Vec<IpAddr>,
    /// `vlan 100`, 1-4094: tag of the box's traffic; default none.
    pub vlan: Option<u32>,
}

words! {
    /// Where the box's address comes from.
    Method METHOD_WORDS {
        /// Somebody else sees to it.
        Unmanaged = "unmanaged",
        /// From a server (RFC 2131).
        Dhcp = "dhcp",
        /// It is written.
        Static = "static",
    }
}

/// An address with the length of its network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Prefix {
    /// Of the box.
    pub address: IpAddr,
    /// Bits that the network has in common.
    pub length: u8,
}

impl Prefix {
    /// Reads `192.168.1.10/24`.
    pub fn of_word(word: &str) -> Option<Prefix> {
        let (address, length) = word.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let plain = !length.starts_with(['+', '0']) || length == "0";
        let length: u8 = length.parse().ok().filter(|length| plain && *length <= most)?;
        Some(Prefix { address, length })
    }

    /// Whether another address is in the same network.
    pub fn holds(&self, other: IpAddr) -> bool {
        let common = |a: u128, b: u128, bits: u32| {
            let away = bits.saturating_sub(u32::from(self.length));
            a.checked_shr(away).unwrap_or(0) == b.checked_shr(away).unwrap_or(0)
        };
        match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => common(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => common(a.into(), b.into(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl core::fmt::Display for Prefix {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// `user alice { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// `role viewer|operator|admin`, default `viewer`.
    pub role: Role,
    /// `password "$argon2id$…"`: never in clear; console and panel make it of what is typed.
    pub password: String,
    /// `numbers masked|shown`, default `masked`: whether this user sees whole numbers of callers.
    pub numbers: NumbersSeen,
    /// `language`: of the console; default that of the system.
    pub language: Option<Language>,
}

words! {
    /// What a user may do; each may what those before may.
    Role ROLE_WORDS {
        /// Looks.
        Viewer = "viewer",
        /// Acts on calls, queues, agents and alarms.
        Operator = "operator",
        /// Changes the configuration.
        Admin = "admin",
    }
}

words! {
    /// How callers' numbers are shown.
    NumbersSeen NUMBERS_SEEN_WORDS {
        /// Without their middle four digits.
        Masked = "masked",
        /// Whole.
        Shown = "shown",
    }
}

/// `alarm line-battery { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlarmRule {
    /// `buzzer yes|no`, default yes: whether the front panel sounds.
    pub buzzer: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses() {
        let prefix = Prefix::of_word("192.168.1.10/24").unwrap();
        assert!(prefix.holds([192, 168, 1, 254].into()) && !prefix.holds([192, 168, 2, 1].into()));
        assert!(Prefix::of_word("0.0.0.0/0").unwrap().holds([8, 8, 8, 8].into()));
        let six = Prefix::of_word("fd00::1/64").unwrap();
        assert!(six.holds("fd00::2".parse().unwrap()) && !six.holds("fd00:0:0:1::2".parse().unwrap()));
        for bad in ["192.168.1.10", "192.168.1.10/33", "192.168.1.10/+4", "192.168.1.10/04", "x/8", ""] {
            assert_eq!(Prefix::of_word(bad), None, "{bad}");
        }
        assert_eq!(prefix.to_string(), "192.168.1.10/24");
    }

    use alloc::string::ToString;
}
