//! The network of the configuration as systemd-networkd reads it (systemd.network(5)): files in `network/` of the data
//! directory, written when they change. On the appliance networkd finds them there and takes them over; on any other
//! machine they are only files. With `method unmanaged` there are none, and the machine keeps what it has.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use pbx::config::{Method, Network};

/// The interface.
const INTERFACE: &str = "10-cordboard.network";
/// Its VLAN: the device, and the network on it.
const VLAN_DEVICE: &str = "11-cordboard-vlan.netdev";
const VLAN: &str = "12-cordboard-vlan.network";
/// Name of the VLAN's device.
const VLAN_NAME: &str = "cordboard-vlan";

/// Files by name with what is in them.
fn files(network: &Network) -> Vec<(&'static str, String)> {
    if network.method == Method::Unmanaged {
        return Vec::new();
    }
    let mut addressing = String::new();
    match (network.method, network.address) {
        (Method::Static, Some(address)) => {
            // Writing to a String cannot fail.
            let _ = writeln!(addressing, "Address={address}");
            if let Some(gateway) = network.gateway {
                let _ = writeln!(addressing, "Gateway={gateway}");
            }
        }
        _ => addressing.push_str("DHCP=yes\n"),
    }
    for server in &network.dns {
        let _ = writeln!(addressing, "DNS={server}");
    }
    let on = |name: &str, rest: &str| format!("[Match]\nName={name}\n\n[Network]\n{rest}");
    match network.vlan {
        None => vec![(INTERFACE, on(&network.interface, &addressing))],
        Some(id) => vec![
            (INTERFACE, on(&network.interface, &format!("VLAN={VLAN_NAME}\nLinkLocalAddressing=no\n"))),
            (VLAN_DEVICE, format!("[NetDev]\nName={VLAN_NAME}\nKind=vlan\n\n[VLAN]\nId={id}\n")),
            (VLAN, on(VLAN_NAME, &addressing)),
        ],
    }
}

/// Writes what differs and removes what is not wanted. True when anything changed.
///
/// # Errors
/// Which file could not be written or removed.
pub fn follow(data: &Path, network: &Network) -> io::Result<bool> {
    let dir = data.join("network");
    let wanted = files(network);
    let mut changed = false;
    for name in [INTERFACE, VLAN_DEVICE, VLAN] {
        let path = dir.join(name);
        let there = fs::read_to_string(&path).ok();
        let want = wanted.iter().find(|(file, _)| *file == name).map(|(_, text)| text);
        if there.as_ref() == want {
            continue;
        }
        changed = true;
        match want {
            None => fs::remove_file(&path)?,
            Some(text) => {
                fs::create_dir_all(&dir)?;
                let fresh = path.with_extension("new");
                fs::write(&fresh, text)?;
                fs::rename(&fresh, &path)?;
            }
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::config::Prefix;

    #[test]
    fn files_follow_the_configuration_and_go_with_it() {
        let data = std::env::temp_dir().join(format!("pbxd-network-{}", std::process::id()));
        let read = |name: &str| fs::read_to_string(data.join("network").join(name)).ok();
        let unmanaged = Network::preset("");
        assert!(!follow(&data, &unmanaged).unwrap());
        let fixed = Network {
            method: Method::Static,
            address: Prefix::of_word("192.168.1.10/24"),
            gateway: Some([192, 168, 1, 1].into()),
            dns: vec![[192, 168, 1, 1].into()],
            ..unmanaged.clone()
        };
        assert!(follow(&data, &fixed).unwrap() && !follow(&data, &fixed).unwrap());
        let text = "[Match]\nName=eth0\n\n[Network]\nAddress=192.168.1.10/24\nGateway=192.168.1.1\nDNS=192.168.1.1\n";
        assert_eq!(read(INTERFACE).as_deref(), Some(text));
        assert!(follow(&data, &Network { vlan: Some(100), method: Method::Dhcp, ..fixed }).unwrap());
        assert!(read(VLAN_DEVICE).unwrap().contains("Id=100") && read(VLAN).unwrap().contains("DHCP=yes"));
        assert!(!read(INTERFACE).unwrap().contains("\nAddress="));
        assert!(follow(&data, &unmanaged).unwrap() && read(INTERFACE).is_none() && read(VLAN).is_none());
        fs::remove_dir_all(&data).unwrap();
    }
}
