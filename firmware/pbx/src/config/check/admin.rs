//! Checks of the box itself: that somebody can change it, and that its network holds together.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Finding;
use crate::config::{Config, Method, Role};
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    let none = !config.users.values().any(|user| user.role == Role::Admin);
    if let Some(first) = config.users.keys().next().filter(|_| none) {
        let mut finding = Finding::error(["user", first].join(" "), problem::NO_ADMIN, problem::NO_ADMIN_REMEDY);
        for name in config.users.keys() {
            finding = finding.resting_on(["user", name, "role"].join(" "));
        }
        found.push(finding);
    }
    network(config, found);
}

fn network(config: &Config, found: &mut Vec<Finding>) {
    let network = &config.network;
    if network.method != Method::Static {
        let written = [("address", network.address.is_some()), ("gateway", network.gateway.is_some())];
        for (leaf, _) in written.into_iter().filter(|(_, written)| *written) {
            let reason = Text::new(problem::NETWORK_UNUSED).with("method", network.method.word()).with("leaf", leaf);
            found.push(Finding::warning(["network", leaf].join(" "), reason, problem::NETWORK_UNUSED_REMEDY));
        }
        return;
    }
    let Some(address) = network.address else {
        let finding = Finding::error("network method", problem::STATIC_BARE, problem::STATIC_BARE_REMEDY);
        found.push(finding.resting_on("network address"));
        return;
    };
    if !address.is_host() {
        let reason = Text::new(problem::ADDRESS_NO_HOST).with("address", address.to_string());
        found.push(Finding::error("network address", reason, problem::ADDRESS_NO_HOST_REMEDY));
        return;
    }
    let wrong = |gateway: &IpAddr| !address.holds(*gateway) || *gateway == address.address;
    if let Some(gateway) = network.gateway.filter(wrong) {
        let ours = gateway == address.address;
        let reason = Text::new(if ours { problem::GATEWAY_OURS } else { problem::GATEWAY_OUTSIDE })
            .with("gateway", gateway.to_string());
        let reason = reason.with("address", address.to_string());
        let finding = Finding::error("network gateway", reason, problem::GATEWAY_OUTSIDE_REMEDY);
        found.push(finding.resting_on("network address"));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Language, examine};
    use alloc::string::String;
    use alloc::vec::Vec;

    const HASH: &str = "\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA\"";

    #[track_caller]
    fn finds(more: &str, wanted: &[&str]) {
        let text = alloc::format!("sip {{ listen 127.0.0.1:5060; }}\n{more}");
        let found: Vec<String> = examine(&text).problems.iter().map(|p| p.render(Language::En)).collect();
        let alike = found.len() == wanted.len() && found.iter().zip(wanted).all(|(is, want)| is.starts_with(want));
        assert!(alike, "{more}: {found:#?}");
    }

    #[test]
    fn a_network_that_cannot_work_is_refused() {
        let network = |method: &str, rest: &str| alloc::format!("network {{ method {method}; {rest} }}");
        finds(&network("static", "address 192.168.1.10/24; gateway 192.168.1.1; dns [ 1.1.1.1 ]; vlan 7;"), &[]);
        finds(&network("dhcp", "dns 1.1.1.1;"), &[]);
        finds(&network("static", ""), &["line 2: network method: method static has no address"]);
        // An address that is wrong in itself is one problem, not two.
        finds(&network("static", "address 192.168.1.10;"), &["line 2: network address: `192.168.1.10` does not fit"]);
        let outside = "line 2: network gateway: the gateway 192.168.2.1 is not in the network of 192.168.1.10/24";
        finds(&network("static", "address 192.168.1.10/24; gateway 192.168.2.1;"), &[outside]);
        let ours = "line 2: network gateway: the gateway 192.168.1.10 is the box itself";
        finds(&network("static", "address 192.168.1.10/24; gateway 192.168.1.10;"), &[ours]);
        let none = "line 2: network address: no machine can have the address 192.168.1.0/24";
        finds(&network("static", "address 192.168.1.0/24; gateway 192.168.9.1;"), &[none]);
        finds(&network("dhcp", "address 192.168.1.10/24;"), &["warning: line 2: network address: "]);
        finds("network { vlan 4095; }", &["line 2: network vlan: 4095 is out of range"]);
    }

    #[test]
    fn somebody_can_always_change_everything() {
        let user = |name: &str, role: &str| alloc::format!("user {name} {{ role {role}; password {HASH}; }}\n");
        finds(&[user("alice", "admin"), user("bob", "viewer")].concat(), &[]);
        let nobody = "line 2: user bob: no user has role admin";
        finds(&[user("bob", "viewer"), user("carol", "operator")].concat(), &[nobody]);
        finds(&user("bob", "admim"), &["line 2: user bob role: `admim` does not fit"]);
    }

    #[test]
    fn only_hashes_that_the_box_can_check_are_taken() {
        let with = |hash: &str| alloc::format!("user bob {{ role admin; password \"{hash}\"; }}");
        let made =
            |costs: &str| with(&alloc::format!("$argon2id$v=19${costs}$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA"));
        for good in ["m=19456,t=2,p=1", "m=8,t=1,p=1", "m=262144,t=16,p=16"] {
            finds(&made(good), &[]);
        }
        for bad in [
            "m=262145,t=2,p=1",
            "m=4294967295,t=2,p=1",
            "m=4294967297,t=2,p=1",
            "m=19456,t=17,p=1",
            "m=19456,t=2,p=17",
            "m=8,t=2,p=2",
            "m=19456,t=2",
            "m=19456,t=2,p=1,x=1",
            "t=2,m=19456,p=1",
            "m=0,t=2,p=1",
            "m=+9,t=2,p=1",
            "",
        ] {
            finds(&made(bad), &["line 2: user bob password: the password is not an Argon2id hash"]);
        }
        let told = examine(&alloc::format!("sip {{ listen 127.0.0.1:5060; }} {}", with("correct-horse"))).problems;
        assert!(told.iter().all(|problem| !problem.render(Language::En).contains("correct-horse")));
        assert_eq!(told.len(), 1);
    }
}
