//! What a site says about the box itself: who administers it, its network, its chassis and its alarms, as typed values.
//! Only the values: keywords, bounds and defaults stand in [`super::leaves`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

use super::acd::words;
use super::{Config, Language};

words! {
    /// What a person who administers the box may do; each may what those before it may.
    Role ROLE_WORDS {
        /// Looks.
        Viewer = "viewer",
        /// Acts on calls, queues, alarms and the mode of the day.
        Operator = "operator",
        /// Everything.
        Admin = "admin",
    }
}

words! {
    /// How a user sees the numbers of people.
    NumbersSeen NUMBERS_SEEN_WORDS {
        /// Without the middle four digits.
        Masked = "masked",
        /// Whole.
        Shown = "shown",
    }
}

words! {
    /// How the box comes to its address.
    NetworkMethod NETWORK_METHOD_WORDS {
        /// The box leaves the network as it finds it.
        Unmanaged = "unmanaged",
        /// From a DHCP server.
        Dhcp = "dhcp",
        /// As written.
        Static = "static",
    }
}

words! {
    /// Weight of an alarm.
    AlarmSeverity ALARM_SEVERITY_WORDS {
        /// To be looked at; callers notice nothing.
        Warning = "warning",
        /// Part of the service is worse or gone.
        Major = "major",
        /// Service is lost, or will be.
        Critical = "critical",
    }
}

words! {
    /// Every alarm that there is.
    AlarmName ALARM_NAME_WORDS {
        /// An analog line has no battery.
        LineBattery = "line-battery",
        /// The interface of an analog line fails.
        LineFault = "line-fault",
        /// A card does not answer.
        CardFault = "card-fault",
        /// The database cannot be written.
        StoreWrite = "store-write",
        /// Recorded audio is lost.
        RecorderOverrun = "recorder-overrun",
        /// More messages arrive than can be taken.
        InboxFull = "inbox-full",
        /// The address of `sip listen` cannot be used.
        SipSocket = "sip-socket",
        /// The highway of the cards carries no audio.
        Highway = "highway",
        /// The bus of the cards does not answer.
        HardwareBus = "hardware-bus",
        /// Somebody tries a phone's password.
        SipAuth = "sip-auth",
        /// An input was set aside.
        Bug = "bug",
        /// The same input led to another result.
        Diverged = "diverged",
        /// A prompt is not there.
        PromptMissing = "prompt-missing",
        /// No RTP port can be had.
        RtpPorts = "rtp-ports",
        /// Somebody tries a PIN.
        WrongPin = "wrong-pin",
    }
}

impl AlarmName {
    /// Its weight when the site gives it none.
    pub const fn severity(self) -> AlarmSeverity {
        match self {
            AlarmName::SipAuth | AlarmName::WrongPin => AlarmSeverity::Warning,
            AlarmName::LineBattery
            | AlarmName::LineFault
            | AlarmName::RecorderOverrun
            | AlarmName::InboxFull
            | AlarmName::Bug
            | AlarmName::PromptMissing
            | AlarmName::RtpPorts => AlarmSeverity::Major,
            AlarmName::CardFault
            | AlarmName::StoreWrite
            | AlarmName::SipSocket
            | AlarmName::Highway
            | AlarmName::HardwareBus
            | AlarmName::Diverged => AlarmSeverity::Critical,
        }
    }
}

/// `user alice { … }`: a person who administers the box. Nobody is built in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// `role`: what the person may do.
    pub role: Role,
    /// `password`: the argon2id hash of it in PHC form; the clear password is never held.
    pub password: String,
    /// `numbers masked|shown`, default masked.
    pub numbers: NumbersSeen,
    /// `language`: default `system language`.
    pub language: Option<Language>,
}

/// `network { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Network {
    /// `interface`: default `eth0`.
    pub interface: String,
    /// `method`: default unmanaged.
    pub method: NetworkMethod,
    /// `address 192.168.1.10/24`: needed for `static`.
    pub address: Option<Cidr>,
    /// `gateway 192.168.1.1`: default none.
    pub gateway: Option<IpAddr>,
    /// `dns [ 192.168.1.1 ]`: name servers; default none, with `dhcp` those of the server.
    pub dns: Vec<IpAddr>,
    /// `vlan`, 1-4094: default untagged.
    pub vlan: Option<u16>,
}

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cidr {
    /// Of the box.
    pub ip: IpAddr,
    /// Bits that all addresses of the network share; at least 1.
    pub prefix: u8,
}

impl Cidr {
    /// `192.168.1.10/24`.
    pub fn of_word(word: &str) -> Option<Cidr> {
        let (ip, bits) = word.split_once('/')?;
        let ip: IpAddr = ip.parse().ok()?;
        let plain = bits.bytes().all(|b| b.is_ascii_digit()) && !bits.starts_with('0');
        let prefix = bits.parse().ok().filter(|prefix| plain && *prefix <= bits_of(ip))?;
        Some(Cidr { ip, prefix })
    }

    /// Whether another address is of the same network.
    pub fn contains(self, other: IpAddr) -> bool {
        bits_of(self.ip) == bits_of(other) && self.network(self.ip) == self.network(other)
    }

    /// Whether a box can have it: not the network itself, nor all of its hosts, nor one that means something else.
    pub fn is_host(self) -> bool {
        let special = self.ip.is_unspecified() || self.ip.is_loopback() || self.ip.is_multicast();
        let host_bits = u32::from(bits_of(self.ip) - self.prefix.min(bits_of(self.ip)));
        let mask = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |bit| bit - 1);
        let host = number(self.ip) & mask;
        // Networks of two addresses and of one have neither.
        let ends = host_bits > 1 && (host == 0 || (host == mask && self.ip.is_ipv4()));
        !special && !ends
    }

    fn network(self, ip: IpAddr) -> u128 {
        let host_bits = u32::from(bits_of(self.ip) - self.prefix.min(bits_of(self.ip)));
        number(ip).checked_shr(host_bits).unwrap_or(0)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

const fn bits_of(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// `chassis { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chassis {
    /// `country CN`: norm of the analog lines. Default CN.
    pub country: String,
    /// `panel-lock yes|no`, default no: the panel shows, and changes nothing.
    pub panel_lock: bool,
    /// `console-device`: the serial line of the console. Default `/dev/ttyS0`.
    pub console_device: String,
    /// `console-speed`: default 115200.
    pub console_speed: Baud,
}

/// Speed of a serial line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Baud(pub u32);

/// Speeds that serial lines have.
pub(super) const SPEED_WORDS: &[&str] = &["9600", "19200", "38400", "57600", "115200", "230400", "460800", "921600"];

/// Countries and norms for which the drivers of analog lines have settings; a test of the daemon compares both lists.
pub const COUNTRY_CODES: &[&str] = &[
    "CN", "FCC", "US", "CA", "TBR21", "GB", "DE", "AT", "FR", "IT", "ES", "NL", "BE", "SE", "NO", "CH", "FI", "DK",
    "IE", "PT", "GR", "CZ", "HR", "IL", "LV", "NG", "AU", "NZ", "JP", "BR", "RU", "TW", "TH", "PH", "MY", "EG", "IN",
    "ZA", "PL",
];

/// `alarm line-battery { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlarmRule {
    /// `buzzer yes|no`, default yes.
    pub buzzer: bool,
    /// `severity`: default that of the alarm.
    pub severity: AlarmSeverity,
}

impl Config {
    /// The rule of an alarm, written or not. An alarm of this name that is none of ours has the lightest weight.
    pub fn alarm_rule(&self, name: &str) -> AlarmRule {
        self.alarms.get(name).cloned().unwrap_or_else(|| AlarmRule::preset(name))
    }

    /// Whether somebody is there who may change everything; until then console and panel ask nobody who he is.
    pub fn has_admin(&self) -> bool {
        self.users.values().any(|user| user.role == Role::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_address_knows_its_network() {
        let cidr = |word: &str| Cidr::of_word(word).unwrap();
        for word in ["192.168.1.10/24", "10.0.0.1/8", "fd00::10/64", "1.2.3.4/32", "1.2.3.4/1"] {
            assert_eq!(cidr(word).to_string(), word);
        }
        for word in
            ["192.168.1.10", "192.168.1.10/0", "192.168.1.10/33", "192.168.1.10/+8", "x/8", "1.2.3.4/024", "::/129"]
        {
            assert_eq!(Cidr::of_word(word), None, "{word}");
        }
        let inside = |word: &str, other: &str| cidr(word).contains(other.parse().unwrap());
        assert!(inside("192.168.1.10/24", "192.168.1.1") && !inside("192.168.1.10/24", "192.168.2.1"));
        assert!(inside("192.168.1.10/25", "192.168.1.127") && !inside("192.168.1.10/25", "192.168.1.128"));
        assert!(inside("fd00::10/64", "fd00::1") && !inside("fd00::10/64", "fd00:0:0:1::1"));
        assert!(!inside("10.0.0.1/8", "fd00::1") && inside("1.2.3.4/32", "1.2.3.4"));
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
            ("0.0.0.0/8", false),
            ("127.0.0.1/8", false),
            ("224.0.0.1/24", false),
            ("fd00::/64", false),
            ("fd00::ffff:ffff:ffff:ffff/64", true),
            ("::1/128", false),
        ] {
            assert_eq!(Cidr::of_word(word).unwrap().is_host(), host, "{word}");
        }
    }
}
