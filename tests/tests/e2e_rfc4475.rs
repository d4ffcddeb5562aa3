//! The torture messages of RFC 4475 over real sockets against the running box: each gets the answers that the table
//! names, and the box goes on. Skipped, and counted as skipped, when the third-party corpus is not beside the repository.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;
use tests::ensure;
use tests::peer::floor::Floor;
use tests::peer::site::Site;
use tests::peer::{At, Outcome, Trouble, skip};
use tests::rfc4475_table::{Case, RFC4475};
use tests::sim::message::split_stream;

/// After this long without the answer to the probe, the probe was taken for a part of the message before it.
const SILENCE: Duration = Duration::from_secs(2);

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/sip/rfc4475");
    path.is_dir().then_some(path)
}

/// The port of the topmost Via: answers to datagrams go there (RFC 3261 §18.2.2), to the address they came from.
fn via_port(message: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(message);
    let is_via = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        name == "via" || name == "v"
    };
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(is_via) else { return 5060 };
    // The value may be folded over several lines.
    let rest = lines[at + 1..].iter().take_while(|line| line.starts_with([' ', '\t']));
    let value = lines[at..=at].iter().chain(rest).copied().collect::<Vec<_>>().join(" ");
    let first = value.split([';', ',']).next().unwrap_or_default();
    let port = first.rsplit(':').next().unwrap_or_default().trim();
    port.parse().ok().filter(|_| first.matches(':').count() > 1).unwrap_or(5060)
}

/// A request whose answer says that everything before it was taken.
fn probe(from: SocketAddr, transport: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bKprobe;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@{from}>;tag=p\r\nTo: <sip:box>\r\nCall-ID: the-probe\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Status code of an answer, and whether it is the probe's.
fn answer(bytes: &[u8]) -> Option<(u16, bool)> {
    let text = String::from_utf8_lossy(bytes);
    let code = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    Some((code, text.contains("the-probe")))
}

/// Sends one message as a datagram from an address of its own; the answers until the probe's.
fn by_datagram(message: &[u8], from: Ipv4Addr, to: SocketAddr) -> Outcome<Vec<u16>> {
    let from = SocketAddr::from((from, via_port(message)));
    let socket = UdpSocket::bind(from).at(from)?;
    socket.set_read_timeout(Some(SILENCE)).at(from)?;
    socket.send_to(message, to).at(to)?;
    socket.send_to(&probe(from, "UDP"), to).at(to)?;
    let mut codes = Vec::new();
    let mut bytes = [0; 65_535];
    loop {
        let size = socket.recv(&mut bytes).at("the box does not answer a probe by datagram")?;
        match answer(&bytes[..size]) {
            Some((_, true)) => return Ok(codes),
            Some((code, false)) => codes.push(code),
            None => return Err(Trouble::new("the box sent a request")),
        }
    }
}

/// Sends one message on a connection of its own; the answers until the probe's, the end, or silence.
fn on_a_stream(message: &[u8], to: SocketAddr) -> Outcome<Vec<u16>> {
    let mut stream = TcpStream::connect(to).at(to)?;
    stream.set_read_timeout(Some(SILENCE)).at(to)?;
    let from = stream.local_addr().at(to)?;
    let sent = stream.write_all(message).and_then(|()| stream.write_all(&probe(from, "TCP")));
    let (mut codes, mut all, mut bytes) = (Vec::new(), Vec::new(), [0; 65_535]);
    while let Ok(size @ 1..) = stream.read(&mut bytes) {
        all.extend_from_slice(&bytes[..size]);
        if all.windows(9).any(|window| window == b"the-probe") && all.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    // A connection that is closed while we still speak is an answer, too.
    drop(sent);
    codes.extend(split_stream(&all).into_iter().filter_map(answer).filter(|(_, probe)| !probe).map(|(code, _)| code));
    Ok(codes)
}

fn check(way: &str, net: u8, expected: fn(&Case) -> &'static [u16], stream: bool) -> Outcome {
    let Some(corpus) = corpus() else {
        return skip(&format!(
            "RFC 4475 {way}: the messages are not beside the repository (shared/corpus/sip/rfc4475)"
        ));
    };
    let floor = Floor::open(&format!("rfc4475-{net}"), Site::new(net))?;
    let (site, to) = (&floor.site, floor.site.sip());
    let mut wrong = Vec::new();
    for (host, case) in (100..).zip(&RFC4475) {
        let file = corpus.join(case.file).with_extension("dat");
        let message = std::fs::read(&file).at(file.display())?;
        let from = site.address(host);
        let got = if stream { on_a_stream(&message, to)? } else { by_datagram(&message, from, to)? };
        if got != expected(case) {
            let Case { section, file, verdict, .. } = case;
            wrong.push(format!("{section} {file} ({verdict}): {got:?}, not {:?}", expected(case)));
        }
    }
    ensure!(wrong.is_empty(), "{way}:\n{}", wrong.join("\n"));
    floor.softphone("2001", 31)?;
    floor.close(Vec::new(), 0).map(|_| ())
}

#[test]
fn a_stranger_sends_them_as_datagrams() -> Outcome {
    check("as datagrams", 7, |case| case.stranger, false)
}

#[test]
fn a_stranger_sends_them_on_streams() -> Outcome {
    check("on streams", 8, |case| case.stream, true)
}
