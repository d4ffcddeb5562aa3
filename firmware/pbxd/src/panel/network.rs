//! The network by keys: a draft of addresses and tags, edited digit by digit, and the lines of the change that it is. A
//! draft that is left changes nothing; one that is taken goes back by itself unless it is confirmed.

use base::panel::Key;
use pbx::config::{Method, Network, Prefix};
use pbx::text::{Key as Words, panel as key};
use std::net::{IpAddr, Ipv4Addr};

use super::digits::Digits;
use super::form::Step;
use super::job::{CONFIRM_WITHIN_MIN, Change, Job, line};
use super::view::Scene;

/// Largest tag (IEEE 802.1Q).
const VLAN_MAX: u16 = 4_094;
/// Usual length of a network.
const LENGTH: u8 = 24;
/// Where nobody knows an address yet (RFC 1918).
const FIRST: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 10);

/// What the panel sets. An address of zeros is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Where the address comes from.
    pub method: Method,
    /// Of the box.
    pub address: Ipv4Addr,
    /// Of its network.
    pub length: u8,
    /// Out of the network.
    pub gateway: Ipv4Addr,
    /// The first name server.
    pub dns: Ipv4Addr,
    /// Tag; 0 is none.
    pub vlan: u16,
}

/// A row of the form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// DHCP or static.
    Method,
    /// The box's address.
    Address,
    /// Length of the network.
    Length,
    /// The way out.
    Gateway,
    /// Name server.
    Dns,
    /// Tag.
    Vlan,
    /// Ask gateway and name server now.
    Test,
    /// Take the draft.
    Apply,
}

/// The form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkForm {
    before: Network,
    began: Draft,
    draft: Draft,
    row: usize,
    /// The field at `row` as it is edited.
    edited: Option<Digits>,
    /// Part of the first set-up: the method is chosen already and there is nothing to test yet.
    first: bool,
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

impl Draft {
    /// What is written, and where nothing is, what the machine has now.
    fn of(network: &Network, now: Option<IpAddr>) -> Draft {
        let written = network.address.and_then(|prefix| Some((v4(prefix.address)?, prefix.length)));
        let (address, length) = written.unwrap_or((now.and_then(v4).unwrap_or(FIRST), LENGTH));
        let none = Ipv4Addr::UNSPECIFIED;
        let gateway = network.gateway.and_then(v4).unwrap_or(none);
        let dns = network.dns.first().copied().and_then(v4).unwrap_or(none);
        let vlan = network.vlan.map_or(0, |vlan| vlan.min(u32::from(VLAN_MAX)) as u16);
        Draft { method: network.method, address, length, gateway, dns, vlan }
    }

    /// The lines that make it of what is written. What was not touched since it `began` is left alone, also when it is
    /// nothing that the panel can show.
    fn lines(&self, before: &Network, began: &Draft) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let mut put = |name: &str, now: Option<String>, was: bool| match now {
            Some(now) => lines.push(line(&format!("set network {name} {now}"))),
            None if was => lines.push(line(&format!("delete network {name}"))),
            None => {}
        };
        let some = |address: Ipv4Addr| Some(address.to_string()).filter(|_| !address.is_unspecified());
        let written = (before.address.is_some(), before.gateway.is_some(), !before.dns.is_empty());
        let (fixed, was_fixed) = (self.method == Method::Static, before.method == Method::Static);
        if self.method != before.method {
            put("method", Some(self.method.word().to_string()), false);
        }
        if fixed && (!was_fixed || (self.address, self.length) != (began.address, began.length)) {
            let prefix = Prefix { address: self.address.into(), length: self.length };
            put("address", Some(prefix.to_string()), false);
        }
        if fixed && (!was_fixed || self.gateway != began.gateway) {
            put("gateway", some(self.gateway), written.1);
        }
        if fixed && (!was_fixed || self.dns != began.dns) {
            put("dns", some(self.dns).map(|dns| format!("[ {dns} ]")), written.2);
        }
        if was_fixed && !fixed {
            // They go with the fixed address.
            let gone = [("address", written.0), ("gateway", written.1), ("dns", written.2)];
            gone.into_iter().for_each(|(name, was)| put(name, None, was));
        }
        let vlan = if self.method == Method::Unmanaged { 0 } else { self.vlan };
        if vlan != began.vlan {
            put("vlan", Some(vlan).filter(|vlan| *vlan > 0).map(|vlan| vlan.to_string()), true);
        }
        lines
    }
}

/// Back to an address from a server, whatever is written.
pub fn reset() -> Change {
    let lines = ["set network method dhcp", "delete network address", "delete network gateway", "delete network dns"];
    let lines = lines.into_iter().chain(["delete network vlan"]).map(line).collect();
    Change { about: key::RESET_NETWORK, lines, password: None, confirm_within_min: None, recovers: true }
}

impl NetworkForm {
    /// Of what is written now.
    pub fn new(scene: &Scene) -> Option<NetworkForm> {
        let before = scene.view()?.network.clone();
        let began = Draft::of(&before, scene.facts.address);
        Some(NetworkForm { before, began, draft: began, row: 0, edited: None, first: false })
    }

    /// The part of the first set-up that asks for a fixed address.
    pub fn first(scene: &Scene) -> Option<NetworkForm> {
        let form = NetworkForm::new(scene)?;
        Some(NetworkForm { draft: Draft { method: Method::Static, ..form.draft }, first: true, ..form })
    }

    /// What is set.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The row at hand.
    pub fn row(&self) -> usize {
        self.row
    }

    /// The number at hand while its digits are turned.
    pub fn edited(&self) -> Option<&Digits> {
        self.edited.as_ref()
    }

    /// Lines of the change.
    pub fn lines(&self) -> Vec<Vec<String>> {
        self.draft.lines(&self.before, &self.began)
    }

    /// Lines of the change to an address from a server, whatever else was typed.
    pub fn served_lines(&self) -> Vec<Vec<String>> {
        Draft { method: Method::Dhcp, ..self.began }.lines(&self.before, &self.began)
    }

    /// The rows there are: those that the method leaves a choice in.
    pub fn fields(&self) -> &'static [Field] {
        use Field::{Address, Apply, Dns, Gateway, Length, Method as How, Test, Vlan};
        match self.draft.method {
            _ if self.first => &[Address, Length, Gateway, Dns, Apply],
            Method::Static => &[How, Address, Length, Gateway, Dns, Vlan, Apply, Test],
            Method::Dhcp => &[How, Vlan, Apply, Test],
            Method::Unmanaged => &[How, Apply, Test],
        }
    }

    fn field(&self) -> Field {
        self.fields().get(self.row).copied().unwrap_or(Field::Apply)
    }

    /// One key.
    pub fn press(&mut self, key: Key) -> Step {
        match (&mut self.edited, key) {
            (Some(_), Key::Back) => self.edited = None,
            (Some(_), Key::Ok) => self.take(),
            (Some(digits), Key::Up | Key::Down | Key::Left | Key::Right) => {
                digits.press(key);
            }
            (None, Key::Up) => self.row = self.row.saturating_sub(1),
            (None, Key::Down) => self.row = (self.row + 1).min(self.fields().len().saturating_sub(1)),
            (None, Key::Left | Key::Back) => return Step::Back,
            (None, Key::Right) => return self.enter(false),
            (None, Key::Ok) => return self.enter(true),
        }
        Step::Stay
    }

    /// Right goes deeper and never takes anything.
    fn enter(&mut self, takes: bool) -> Step {
        let Draft { address, length, gateway, dns, vlan, .. } = self.draft;
        self.edited = match self.field() {
            Field::Address => Some(Digits::address(address)),
            Field::Gateway | Field::Dns => {
                let known = if self.field() == Field::Gateway { gateway } else { dns };
                // Most of it is that of the box itself.
                let [a, b, c, _] = address.octets();
                let near = if known.is_unspecified() { Ipv4Addr::new(a, b, c, 1) } else { known };
                Some(Digits::address(near))
            }
            Field::Length => Some(Digits::number(u16::from(length), 32)),
            Field::Vlan => Some(Digits::number(vlan, VLAN_MAX)),
            Field::Method => {
                self.draft.method = match (self.draft.method, self.before.method) {
                    (Method::Dhcp, _) => Method::Static,
                    (Method::Static, Method::Unmanaged) => Method::Unmanaged,
                    (Method::Static | Method::Unmanaged, _) => Method::Dhcp,
                };
                None
            }
            Field::Test | Field::Apply if !takes => None,
            Field::Test => return Step::Do(Job::Probe),
            Field::Apply => return self.apply(),
        };
        Step::Stay
    }

    fn apply(&self) -> Step {
        let lines = self.lines();
        if lines.is_empty() {
            return Step::Back;
        }
        let confirm_within_min = Some(CONFIRM_WITHIN_MIN);
        Step::Do(Job::Change(Change {
            about: key::NETWORK,
            lines,
            password: None,
            confirm_within_min,
            recovers: false,
        }))
    }

    /// The digits are what is wanted.
    fn take(&mut self) {
        let Some(digits) = self.edited.take() else { return };
        match self.field() {
            Field::Address => self.draft.address = digits.as_address(),
            Field::Gateway => self.draft.gateway = digits.as_address(),
            Field::Dns => self.draft.dns = digits.as_address(),
            Field::Length => self.draft.length = digits.value().min(32) as u8,
            Field::Vlan => self.draft.vlan = digits.value(),
            Field::Method | Field::Test | Field::Apply => {}
        }
        // Onwards: a network is set in the order of its rows.
        self.row = (self.row + 1).min(self.fields().len().saturating_sub(1));
    }
}

impl Field {
    /// Its name.
    pub fn word(self, first: bool) -> Words {
        match self {
            Field::Method => key::NETWORK_METHOD,
            Field::Address => key::NETWORK_ADDRESS,
            Field::Length => key::NETWORK_MASK,
            Field::Gateway => key::NETWORK_GATEWAY,
            Field::Dns => key::NETWORK_DNS,
            Field::Vlan => key::NETWORK_VLAN,
            Field::Test => key::NETWORK_TEST,
            Field::Apply if first => key::NEXT,
            Field::Apply => key::NETWORK_APPLY,
        }
    }
}

impl NetworkForm {
    /// It is part of the first set-up.
    pub fn is_first(&self) -> bool {
        self.first
    }
}

/// `255.255.255.0` of 24.
pub fn mask(length: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Network {
        pbx::config::parse(&format!("sip {{ listen 127.0.0.1:5060; }} network {{ {text} }}")).unwrap().network
    }

    #[test]
    fn masks_are_those_of_their_lengths() {
        let shown = |length| mask(length).to_string();
        assert_eq!((shown(24), shown(0), shown(32)), ("255.255.255.0".into(), "0.0.0.0".into(), shown(33)));
    }

    #[test]
    fn lines_say_only_what_changes() {
        let before = written("method static; address 192.168.1.20/24; gateway 192.168.1.1; dns [ 10.0.0.1 10.0.0.2 ];");
        let draft = Draft::of(&before, None);
        assert!(draft.lines(&before, &draft).is_empty());
        let other = Draft { address: Ipv4Addr::new(192, 168, 1, 21), vlan: 7, ..draft };
        assert_eq!(
            other.lines(&before, &draft),
            ["set network address 192.168.1.21/24", "set network vlan 7"].map(line)
        );
        let served = Draft { method: Method::Dhcp, ..draft };
        let lines = ["set network method dhcp", "delete network address", "delete network gateway"];
        assert_eq!(
            served.lines(&before, &draft),
            lines.into_iter().chain(["delete network dns"]).map(line).collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_the_panel_cannot_show_is_left_alone() {
        let before = written("method static; address fd00::2/64; gateway fd00::1; dns [ fd00::1 10.0.0.1 ];");
        let draft = Draft::of(&before, None);
        assert!(draft.lines(&before, &draft).is_empty());
        let tagged = Draft { vlan: 9, ..draft };
        assert_eq!(tagged.lines(&before, &draft), [line("set network vlan 9")]);
        let unmanaged = Draft { method: Method::Unmanaged, ..draft };
        assert_eq!(unmanaged.lines(&before, &draft).len(), 4);
    }

    #[test]
    fn what_the_machine_has_is_where_a_draft_begins() {
        let nothing = pbx::config::parse("sip { listen 127.0.0.1:5060; }").unwrap().network;
        let draft = Draft::of(&nothing, Some([10, 1, 2, 3].into()));
        assert_eq!((draft.method, draft.address, draft.length), (Method::Unmanaged, Ipv4Addr::new(10, 1, 2, 3), 24));
        assert!(draft.lines(&nothing, &draft).is_empty());
        let fixed = Draft { method: Method::Static, ..draft };
        assert_eq!(
            fixed.lines(&nothing, &draft),
            ["set network method static", "set network address 10.1.2.3/24"].map(line)
        );
    }
}
