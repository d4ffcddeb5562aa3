//! Checks of the box itself: that its network can work as written, and that somebody can still change everything.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::Finding;
use crate::config::{Cidr, Config, NetworkMethod};
use crate::text::{Text, problem};

/// As many name servers are asked; a resolver passes over the rest.
const DNS_MAX: usize = 3;

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    users(config, found);
    method(config, found);
    if let Some(address) = config.network.address {
        addresses(config, address, found);
    }
    if config.network.dns.len() > DNS_MAX {
        let reason = Text::new(problem::DNS_MANY).with("max", DNS_MAX as u64);
        found.push(Finding::warning("network dns", reason, problem::DNS_MANY_REMEDY));
    }
}

/// Users, but none who may change everything. Without users everybody at the box may.
fn users(config: &Config, found: &mut Vec<Finding>) {
    let Some(first) = config.users.keys().next().filter(|_| !config.has_admin()) else { return };
    let path = format!("user {first} role");
    let mut finding = Finding::error(path, problem::ADMIN_NONE, problem::ADMIN_NONE_REMEDY);
    for name in config.users.keys() {
        finding = finding.resting_on(format!("user {name} role"));
    }
    found.push(finding);
}

/// What is written beside the method it does not go with.
fn method(config: &Config, found: &mut Vec<Finding>) {
    let network = &config.network;
    let written = [
        ("address", network.address.is_some()),
        ("gateway", network.gateway.is_some()),
        ("dns", !network.dns.is_empty()),
        ("vlan", network.vlan.is_some()),
    ];
    let written = written.into_iter().filter(|(_, is)| *is).map(|(leaf, _)| leaf);
    match network.method {
        NetworkMethod::Static if network.address.is_none() => {
            let finding = Finding::error("network method", problem::STATIC_BARE, problem::STATIC_BARE_REMEDY);
            found.push(finding.resting_on("network address"));
        }
        NetworkMethod::Static => {}
        // Name servers of one's own beside those of the server are usual.
        NetworkMethod::Dhcp => {
            for leaf in written.filter(|leaf| ["address", "gateway"].contains(leaf)) {
                let reason = Text::new(problem::DHCP_AND).with("leaf", leaf);
                let remedy = Text::new(problem::DHCP_AND_REMEDY).with("leaf", leaf);
                found.push(Finding::error(format!("network {leaf}"), reason, remedy).resting_on("network method"));
            }
        }
        NetworkMethod::Unmanaged => {
            for leaf in written {
                let remedy = Text::new(problem::UNMANAGED_AND_REMEDY).with("leaf", leaf);
                let finding = Finding::warning(format!("network {leaf}"), problem::UNMANAGED_AND, remedy);
                found.push(finding.resting_on("network method"));
            }
        }
    }
}

fn addresses(config: &Config, address: Cidr, found: &mut Vec<Finding>) {
    if !address.is_host() {
        let reason = Text::new(problem::ADDRESS_NO_HOST).with("address", address.to_string());
        found.push(Finding::error("network address", reason, problem::ADDRESS_NO_HOST_REMEDY));
        return;
    }
    let Some(gateway) = config.network.gateway else { return };
    let reason = match () {
        () if gateway == address.ip => Text::new(problem::GATEWAY_IS_US),
        () if !address.contains(gateway) => Text::new(problem::GATEWAY_FAR),
        () => return,
    };
    let reason = reason.with("gateway", gateway.to_string()).with("address", address.to_string());
    let finding = Finding::error("network gateway", reason, problem::GATEWAY_REMEDY);
    found.push(finding.resting_on("network address"));
}

#[cfg(test)]
mod tests {
    use crate::config::{Language, examine};
    use alloc::string::String;
    use alloc::vec::Vec;

    const HASH: &str =
        "\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b/dWRWJTmaaJObGs5Wy0QGqmpM\"";

    fn problems(more: &str) -> Vec<String> {
        let text = alloc::format!("sip {{ listen 127.0.0.1:5060; }}\n{more}");
        examine(&text).problems.iter().map(|p| p.render(Language::En)).collect()
    }

    #[track_caller]
    fn finds(more: &str, wanted: &[&str]) {
        let found = problems(more);
        let alike = found.len() == wanted.len() && found.iter().zip(wanted).all(|(is, want)| is.starts_with(want));
        assert!(alike, "{more}: {found:#?}");
    }

    #[test]
    fn a_network_that_cannot_work_is_refused() {
        finds("network { method static; address 192.168.1.10/24; gateway 192.168.1.1; dns [ 1.1.1.1 ]; vlan 7; }", &[]);
        finds("network { method dhcp; dns 1.1.1.1; }", &[]);
        finds("network { method static; address 192.168.1.10/24; }", &[]);
        finds("network { method static; }", &["line 2: network method: a static network needs an address. Remedy"]);
        let outside =
            "line 2: network gateway: the gateway 192.168.2.1 is not in the network of 192.168.1.10/24. Remedy";
        finds("network { method static; address 192.168.1.10/24; gateway 192.168.2.1; }", &[outside]);
        let ours = "line 2: network gateway: the gateway 192.168.1.10 is the box itself";
        finds("network { method static; address 192.168.1.10/24; gateway 192.168.1.10; }", &[ours]);
        let none = "line 2: network address: no machine can have the address 192.168.1.0/24";
        finds("network { method static; address 192.168.1.0/24; gateway 192.168.9.1; }", &[none]);
        finds("network { vlan 4095; }", &["line 2: network vlan: 4095 is out of range. Remedy"]);
        let mixed =
            ["line 2: network address: `address` cannot be given with `dhcp`", "line 2: network gateway: `gateway`"];
        finds("network { method dhcp; address 192.168.1.10/24; gateway 192.168.1.1; }", &mixed);
        let idle = "warning: line 2: network address: it has no effect";
        finds("network { address 192.168.1.10/24; }", &[idle]);
        let many = "warning: line 2: network dns: only the first 3 are asked";
        finds("network { method dhcp; dns [ 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 ]; }", &[many]);
        finds("network { method statik; }", &["line 2: network method: `statik` does not fit. Remedy: write `static`"]);
        finds("network { method dhcp; dns 0.0.0.0; }", &["line 2: network dns: `0.0.0.0` does not fit. Remedy"]);
    }

    #[test]
    fn somebody_can_always_change_everything() {
        let user = |name: &str, role: &str| alloc::format!("user {name} {{ role {role}; password {HASH}; }}\n");
        finds(&user("alice", "admin"), &[]);
        finds(&[user("alice", "admin"), user("bob", "viewer")].concat(), &[]);
        let nobody = "line 2: user bob role: no user has the role admin: nobody could change anything any more. Remedy";
        finds(&[user("bob", "viewer"), user("carol", "operator")].concat(), &[nobody]);
        // A role that is wrong in itself is one problem, not two.
        finds(&user("bob", "admim"), &["line 2: user bob role: `admim` does not fit. Remedy: write `admin`"]);
        finds(&user("Bob", "admin"), &["line 2: user Bob: `Bob` does not fit. Remedy: give a login name"]);
    }

    #[test]
    fn a_password_in_clear_is_refused_and_not_repeated() {
        let clear = "user bob { role admin; password correct-horse; }";
        let told = problems(clear);
        assert!(matches!(told.as_slice(), [one] if one.starts_with("line 2: user bob password: ")), "{told:#?}");
        assert!(!told.concat().contains("correct-horse"));
    }

    #[test]
    fn an_alarm_is_one_that_there_is() {
        finds("alarm line-battery { buzzer no; severity warning; }", &[]);
        finds(
            "alarm line-batery { buzzer no; }",
            &["line 2: alarm line-batery: `line-batery` does not fit. Remedy: write `line-battery`"],
        );
        finds("alarm smoke { }", &["line 2: alarm smoke: `smoke` does not fit. Remedy: give one of: line-battery, "]);
        finds("chassis { country XX; }", &["line 2: chassis country: `XX` does not fit. Remedy: give one of: CN, "]);
        finds(
            "chassis { console-device /etc/passwd; }",
            &["line 2: chassis console-device: `/etc/passwd` does not fit"],
        );
        finds("chassis { console-speed 115201; }", &["line 2: chassis console-speed: `115201` does not fit"]);
    }
}
