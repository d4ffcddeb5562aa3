//! What must hold for any bytes, as functions that panic when it does not. Used by the fuzz targets and, with seeded
//! mutations, by the ordinary tests of `signaling`.

use base::time::{Instant, Now};
use core::time::Duration;
use signaling::sip::Endpoint;
use signaling::sip::door::{ConnId, Event, Hop, Input, Invite, Output, Peer, Settings, Target};
use signaling::sip::message::{Start, parse};
use signaling::sip::stream::{Piece, Streams};
use std::sync::OnceLock;

/// Reading never panics, and what was read and written reads back the same.
pub fn sip_message(bytes: &[u8]) {
    let Ok(first) = parse(bytes) else { return };
    // A defect is a fault of the bytes, which writing repairs.
    if first.defect.is_some() || first.other_version {
        return;
    }
    let again = parse(&first.to_bytes()).expect("what was written can be read");
    let plain = |m: &signaling::sip::message::Message| {
        let fields = m.fields.iter().filter(|f| f.name != signaling::sip::message::Name::ContentLength);
        (m.start.clone(), fields.cloned().collect::<Vec<_>>(), m.body.clone())
    };
    assert_eq!(plain(&first), plain(&again));
}

/// A stream gives the same pieces in one cut as byte by byte, except for pings that a cut hides.
pub fn sip_stream(bytes: &[u8]) {
    let whole = pieces(bytes, bytes.len().max(1));
    for cut in [1, 7] {
        assert_eq!(pieces(bytes, cut), whole, "cut every {cut}");
    }
}

fn pieces(bytes: &[u8], cut: usize) -> Vec<Piece> {
    let mut streams = Streams::default();
    let addr = ([127, 0, 0, 1], 5060).into();
    assert!(streams.opened(ConnId(2), addr, addr));
    let mut found = Vec::new();
    for part in bytes.chunks(cut) {
        streams.push(ConnId(2), part);
        while let Some(piece) = streams.next_piece(ConnId(2)) {
            let lost = matches!(piece, Piece::Lost(..));
            if !matches!(piece, Piece::Ping | Piece::Blank) {
                found.push(piece);
            }
            if lost {
                return found;
            }
        }
    }
    found
}

/// A session description that was read and written reads back the same.
pub fn sdp(bytes: &[u8]) {
    let Ok((audio, others)) = signaling::sdp::parse_offer(bytes) else { return };
    if audio.formats.is_empty() && audio.dtmf.is_none() {
        return;
    }
    let written = signaling::sdp::write_answer(&audio, &others);
    assert_eq!(signaling::sdp::parse(&written), Ok(audio));
}

/// Any datagram, and then the same bytes on a stream, into an endpoint with a dialog up: it goes on, its answers are
/// readable, and its timers move.
pub fn sip_endpoint(bytes: &[u8]) {
    static TALKING: OnceLock<(Endpoint, Now)> = OnceLock::new();
    let (endpoint, mut now) = TALKING.get_or_init(talking).clone();
    let mut endpoint = endpoint;
    let mut out = Vec::new();
    let trunk = ([127, 0, 0, 50], 5080).into();
    let local = ([127, 0, 0, 1], 5060).into();
    let datagram = Input::Datagram { local, remote: trunk, bytes: bytes.to_vec(), shed: false };
    endpoint.handle(now, datagram, &mut out);
    endpoint.handle(now, Input::Opened { conn: ConnId(2), local, remote: trunk }, &mut out);
    endpoint.handle(now, Input::Bytes { conn: ConnId(2), bytes: bytes.to_vec(), shed: false }, &mut out);
    let _ = endpoint.dialog_of(bytes);
    for key in dialogs(&out) {
        endpoint.accept(now, key, None, &mut out);
        endpoint.hangup(now, key, None, &mut out);
    }
    for _ in 0..4 {
        let Some(at) = endpoint.deadline() else { break };
        now.at = now.at.max(at);
        endpoint.handle(now, Input::Timer, &mut out);
        assert!(endpoint.deadline().is_none_or(|next| next > now.at), "a timer that stands still");
    }
    for output in &out {
        if let Output::Datagram { bytes, .. } | Output::Bytes { bytes, .. } = output {
            assert!(bytes == b"\r\n" || parse(bytes).is_ok(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}

fn dialogs(out: &[Output]) -> Vec<signaling::sip::door::DialogKey> {
    out.iter()
        .filter_map(|o| match o {
            Output::Event(Event::Incoming(incoming)) => Some(incoming.dialog),
            Output::Event(Event::Reoffered { dialog, .. }) => Some(*dialog),
            _ => None,
        })
        .collect()
}

/// The call that fuzzed messages may hit: its Call-ID and tags are those of `IN_DIALOG`.
fn talking() -> (Endpoint, Now) {
    let now = Now { at: Instant::BOOT + Duration::from_secs(10), ..Now::default() };
    let local = ([127, 0, 0, 1], 5060).into();
    let remote = ([127, 0, 0, 50], 5080).into();
    let mut endpoint = Endpoint::new();
    endpoint.configure(Settings {
        local,
        realm: "site".into(),
        product: "Cordboard".into(),
        accounts: Default::default(),
        peers: vec![Peer { name: "trunk".into(), ip: remote_ip(), port: None }],
        expires_min_s: 60,
        expires_max_s: 3600,
    });
    endpoint.seed([1; 32]);
    let mut out = Vec::new();
    let target = Target { uri: "sip:5@127.0.0.50:5080".into(), hop: Hop::Udp { local, remote } };
    const SDP: &[u8] =
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.50\r\ns=-\r\nc=IN IP4 127.0.0.50\r\nt=0 0\r\nm=audio 4 RTP/AVP 8\r\n";
    let offer = signaling::sdp::parse(SDP).ok();
    let invite = Invite { target, from: "1".into(), from_name: String::new(), offer, headers: Vec::new() };
    endpoint.invite(now, invite, &mut out);
    let request = out.iter().find_map(|o| match o {
        Output::Datagram { bytes, .. } => parse(bytes).ok(),
        _ => None,
    });
    let mut ok = request.expect("our INVITE");
    ok.start = Start::Response { code: 200, reason: "OK".into() };
    ok.body = SDP.to_vec();
    for field in &mut ok.fields {
        if field.name == signaling::sip::message::Name::To {
            field.value.extend(b";tag=peer");
        }
    }
    endpoint.handle(now, Input::Datagram { local, remote, bytes: ok.to_bytes(), shed: false }, &mut out);
    assert!(!endpoint.is_empty());
    (endpoint, now)
}

fn remote_ip() -> core::net::IpAddr {
    [127, 0, 0, 50].into()
}

/// Messages inside the call that `sip_endpoint` has up, as seeds.
pub fn in_dialog(method: &str, body: &str) -> Vec<u8> {
    let (endpoint, _) = talking();
    let line = endpoint.lines().into_iter().find(|l| l.starts_with("DialogKey")).expect("the call");
    let call_id = line.rsplit('[').next().unwrap_or_default().trim_end_matches(']').to_owned();
    let tag = endpoint.lines().iter().find_map(|l| l.split("our tag ").nth(1).map(|t| t[..20].to_owned()));
    format!(
        "{method} sip:1@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.50:5080;branch=z9hG4bKin{method}\r\nMax-Forwards: 70\r\nFrom: <sip:5@127.0.0.50:5080>;tag=peer\r\nTo: <sip:1@site>;tag={}\r\nCall-ID: {call_id}\r\nCSeq: 7 {method}\r\nContact: <sip:5@127.0.0.50:5080>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        tag.unwrap_or_default(),
        body.len()
    )
    .into_bytes()
}
