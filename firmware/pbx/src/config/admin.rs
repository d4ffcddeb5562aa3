//! What a site says about the box itself, its network and the people who may change it, as typed values. Only the values:
//! their keywords, bounds and defaults stand in [`super::leaves`].

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

use super::{Config, Language};

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

    /// Whether a machine can have the address: it is not that of the network or of all in it, and means nothing else.
    pub fn is_host(&self) -> bool {
        let (bits, number) = match self.address {
            IpAddr::V4(address) => (32, u128::from(u32::from(address))),
            IpAddr::V6(address) => (128, u128::from(address)),
        };
        let special = self.address.is_unspecified() || self.address.is_loopback() || self.address.is_multicast();
        let host_bits = u32::saturating_sub(bits, u32::from(self.length));
        let all = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |bit| bit - 1);
        let host = number & all;
        // Networks of one address or two have neither of these.
        let ends = host_bits > 1 && (host == 0 || (host == all && self.address.is_ipv4()));
        !special && !ends
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
    /// `severity warning|major|critical`: default what the alarm has by itself.
    pub severity: AlarmSeverity,
}

words! {
    /// Weight of an alarm.
    AlarmSeverity ALARM_SEVERITY_WORDS {
        /// To be looked at; callers notice nothing.
        Warning = "warning",
        /// Part of the service is worse or gone.
        Major = "major",
        /// Service is lost, or what is needed to keep it.
        Critical = "critical",
    }
}

const WARNINGS: &[&str] = &["sip-auth", "wrong-pin"];
const CRITICALS: &[&str] = &["card-fault", "store-write", "sip-socket", "highway", "hardware-bus", "diverged"];

impl AlarmSeverity {
    /// What an alarm of this name has by itself.
    pub fn of_alarm(name: &str) -> AlarmSeverity {
        match name {
            name if WARNINGS.contains(&name) => AlarmSeverity::Warning,
            name if CRITICALS.contains(&name) => AlarmSeverity::Critical,
            _ => AlarmSeverity::Major,
        }
    }
}

impl Config {
    /// The weight of an alarm at this site.
    pub fn alarm_severity(&self, name: &str) -> AlarmSeverity {
        self.alarms.get(name).map_or_else(|| AlarmSeverity::of_alarm(name), |rule| rule.severity)
    }
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

    #[test]
    fn the_network_itself_and_all_of_it_are_no_hosts() {
        for (word, host) in [
            ("192.168.1.10/24", true),
            ("192.168.1.0/24", false),
            ("192.168.1.255/24", false),
            ("192.168.1.255/16", true),
            ("10.0.0.0/31", true),
            ("10.0.0.1/32", true),
            ("10.0.0.1/0", true),
            ("0.0.0.0/8", false),
            ("127.0.0.1/8", false),
            ("224.0.0.1/24", false),
            ("fd00::/64", false),
            ("fd00::ffff:ffff:ffff:ffff/64", true),
            ("fd00::1/0", true),
            ("::1/128", false),
        ] {
            assert_eq!(Prefix::of_word(word).unwrap().is_host(), host, "{word}");
        }
    }

    #[test]
    fn weights_are_those_of_alarms_that_there_are() {
        let listed = || WARNINGS.iter().chain(CRITICALS);
        assert!(listed().all(|name| crate::text::alarm::WORDS.contains(name)));
        assert!(WARNINGS.iter().all(|name| !CRITICALS.contains(name)));
        assert_eq!(AlarmSeverity::of_alarm("store-write"), AlarmSeverity::Critical);
        assert_eq!(AlarmSeverity::of_alarm("line-battery"), AlarmSeverity::Major);
    }

    use alloc::string::ToString;
}
