//! Checks of the box itself: that somebody can change it, and that its network holds together.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Finding;
use crate::config::{Config, Method, Role};
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    let admins = config.users.values().filter(|user| user.role == Role::Admin).count();
    if !config.users.is_empty() && admins == 0 {
        found.push(Finding::error("user", problem::NO_ADMIN, problem::NO_ADMIN_REMEDY));
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
        found.push(Finding::error("network method", problem::STATIC_BARE, problem::STATIC_BARE_REMEDY));
        return;
    };
    if let Some(gateway) = network.gateway.filter(|gateway| !address.holds(*gateway)) {
        let reason = Text::new(problem::GATEWAY_OUTSIDE).with("gateway", gateway.to_string());
        let reason = reason.with("address", address.to_string());
        let finding = Finding::error("network gateway", reason, problem::GATEWAY_OUTSIDE_REMEDY);
        found.push(finding.resting_on("network address"));
    }
}
