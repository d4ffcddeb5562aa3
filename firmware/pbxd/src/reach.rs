//! Whether something on the network answers: an echo by ICMP, a question to a name server. For people who set a network up;
//! nothing else waits for it.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

use crate::seal;

/// ICMP (RFC 792).
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;
/// Header of an IPv4 packet without options.
const IP_HEADER: usize = 20;
/// Port of name servers (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// Sends an echo and waits for its answer; how long it took. The kernel hands only our own answers to such a socket.
///
/// # Errors
/// `TimedOut` when nothing answers, otherwise why it cannot be sent.
pub fn ping(address: Ipv4Addr, patience: Duration) -> io::Result<Duration> {
    let (socket, header) = match icmp(SockType::Datagram) {
        Ok(socket) => (socket, 0),
        // Without leave by net.ipv4.ping_group_range the box may still be root's.
        Err(_) => (icmp(SockType::Raw)?, IP_HEADER),
    };
    let began = Instant::now();
    let number = number()?;
    socket.send_to(&echo(number), SocketAddr::from((address, 0)))?;
    let mut bytes = [0; 256];
    loop {
        let left = patience.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let (length, from) = socket.recv_from(&mut bytes).map_err(late)?;
        let answer = bytes.get(header..length).unwrap_or_default();
        let is_ours = answer.first() == Some(&ECHO_REPLY) && answer.get(6..8) == Some(&number.to_be_bytes());
        if is_ours && from.ip() == IpAddr::V4(address) {
            return Ok(began.elapsed());
        }
    }
}

fn icmp(kind: SockType) -> io::Result<UdpSocket> {
    let socket = socket(AddressFamily::Inet, kind, SockFlag::SOCK_CLOEXEC, SockProtocol::Icmp)?;
    // Sending, receiving and a time to wait are the same for every socket of datagrams.
    Ok(UdpSocket::from(socket))
}

/// An echo request; a raw socket keeps our identifier, the other kind writes its own.
fn echo(number: u16) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = ECHO_REQUEST;
    bytes[6..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(b"cordboar");
    let words = bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let check = !((folded & 0xffff) + (folded >> 16)) as u16;
    bytes[2..4].copy_from_slice(&check.to_be_bytes());
    bytes
}

/// Asks a name server for the root's name servers, which every one can answer; how long it took.
///
/// # Errors
/// `TimedOut` when nothing answers, otherwise why it cannot be asked.
pub fn name_server(server: IpAddr, patience: Duration) -> io::Result<Duration> {
    answers(SocketAddr::new(server, DNS_PORT), patience)
}

fn answers(server: SocketAddr, patience: Duration) -> io::Result<Duration> {
    // Recursion desired, one question: the root, NS, IN (RFC 1035 §4.1).
    let began = Instant::now();
    let number = number()?;
    let mut question = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];
    question[..2].copy_from_slice(&number.to_be_bytes());
    let any: SocketAddr = if server.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.send(&question)?;
    let mut bytes = [0; 1_500];
    loop {
        let left = patience.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut bytes).map_err(late)?;
        let answer = bytes.get(..length).unwrap_or_default();
        let is_response = answer.get(2).is_some_and(|flags| flags & 0x80 != 0);
        if is_response && answer.get(..2) == Some(&number.to_be_bytes()) {
            return Ok(began.elapsed());
        }
    }
}

/// Nobody else can know it.
fn number() -> io::Result<u16> {
    seal::random_u64().map(|number| number as u16).map_err(|why| io::Error::other(why.to_string()))
}

/// A read that took too long is told in two ways.
fn late(why: io::Error) -> io::Error {
    if why.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { why }
}

/// Where the machine sends what is not for its own networks.
pub fn gateway() -> Option<Ipv4Addr> {
    gateway_in(&std::fs::read_to_string("/proc/net/route").ok()?)
}

fn gateway_in(table: &str) -> Option<Ipv4Addr> {
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let default = rows.into_iter().find(|row| row.get(1) == Some(&"00000000") && row.get(7) == Some(&"00000000"))?;
    let address = u32::from_str_radix(default.get(2)?, 16).ok().filter(|address| *address != 0)?;
    Some(Ipv4Addr::from(address.to_le_bytes()))
}

/// The first name server that the machine asks.
pub fn first_name_server() -> Option<IpAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    text.lines().find_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_route_has_a_gateway() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                     eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n";
        assert_eq!(gateway_in(table), Some(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(gateway_in("Iface\n"), None);
    }

    #[test]
    fn an_echo_adds_up() {
        let bytes = echo(0xABCD);
        let sum: u32 = bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }

    #[test]
    fn a_server_that_answers_is_told_from_one_that_does_not() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let mut bytes = [0; 512];
            let (length, from) = server.recv_from(&mut bytes).unwrap();
            // First something that is no answer to this question.
            server.send_to(&[0; 12], from).unwrap();
            bytes[2] |= 0x80;
            server.send_to(&bytes[..length], from).unwrap();
            server
        });
        assert!(answers(address, Duration::from_secs(5)).is_ok());
        let _silent = answering.join().unwrap();
        let why = answers(address, Duration::from_millis(30)).unwrap_err();
        assert_eq!(why.kind(), ErrorKind::TimedOut);
    }
}
