//! Words to systemd over `NOTIFY_SOCKET` (sd_notify(3)): ready, stopping, and the watchdog's sign of life, sent by the
//! control task itself so that a stuck turn is noticed. Does nothing without that variable.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Where the words go.
#[derive(Debug, Default)]
pub struct Notify {
    to: Option<(UnixDatagram, SocketAddr)>,
}

impl Notify {
    /// From the environment.
    pub fn from_environment() -> Notify {
        let to = std::env::var("NOTIFY_SOCKET").ok().and_then(|name| Some((socket()?, address(&name)?)));
        Notify { to }
    }

    /// `READY=1`, `STOPPING=1`, `WATCHDOG=1`. A word that does not arrive is systemd's to miss.
    pub fn say(&self, words: &str) {
        if let Some((socket, to)) = &self.to {
            let _ = socket.send_to_addr(words.as_bytes(), to);
        }
    }
}

fn socket() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

fn address(name: &str) -> Option<SocketAddr> {
    match name.strip_prefix('@') {
        Some(hidden) => SocketAddr::from_abstract_name(hidden).ok(),
        None => SocketAddr::from_pathname(name).ok(),
    }
}

/// How often systemd wants a sign of life: half of `WATCHDOG_USEC`, when that is meant for us.
pub fn watchdog_period() -> Option<Duration> {
    let mine = std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
    let us: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    (mine && us > 0).then(|| Duration::from_micros(us / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_at_an_abstract_socket() {
        let name = format!("pbxd-notify-{}", std::process::id());
        let heard = UnixDatagram::bind_addr(&address(&format!("@{name}")).expect("name")).expect("bind");
        let notify = Notify { to: socket().zip(address(&format!("@{name}"))) };
        notify.say("READY=1");
        let mut buffer = [0; 64];
        let n = heard.recv(&mut buffer).expect("word");
        assert_eq!(&buffer[..n], b"READY=1");
        Notify::default().say("nobody");
    }
}
