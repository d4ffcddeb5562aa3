//! Hostile and odd messages of our own, what we answer to them, and seeded mutations of all of them.

use super::checks;
use super::phone::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// From a stranger: an answer's code, or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Want {
    Code(u16),
    Silence,
}
use Want::{Code, Silence};

fn invite() -> String {
    ask("INVITE", "sip:2002@127.0.0.1").body(SDP).text()
}

fn options() -> String {
    ask("OPTIONS", "sip:2002@127.0.0.1").text()
}

fn changed(text: &str, from: &str, to: &str) -> Vec<u8> {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u8).collect()
}

/// Name, bytes and what a stranger gets.
fn torture() -> Vec<(&'static str, Vec<u8>, Want)> {
    let (i, o) = (invite(), options());
    let lines = |n: usize| (0..n).map(|k| format!("X-{k}: y\r\n")).collect::<String>();
    vec![
        (
            "content-length 2^64-1",
            changed(&i, "Content-Length: ", "Content-Length: 18446744073709551615\r\nX: "),
            Code(400),
        ),
        ("content-length 2^64", changed(&o, "Content-Length: 0", "Content-Length: 18446744073709551616"), Code(400)),
        ("content-length -999", changed(&o, "Content-Length: 0", "Content-Length: -999"), Code(400)),
        ("content-length with plus", changed(&o, "Content-Length: 0", "Content-Length: +0"), Code(400)),
        ("content-length longer than the body", changed(&i, "Content-Length: ", "Content-Length: 9"), Code(400)),
        ("two content-lengths that differ", changed(&o, "Content-Length: 0", "Content-Length: 0\r\nl: 5"), Code(400)),
        ("two content-lengths that agree", changed(&o, "Content-Length: 0", "Content-Length: 0\r\nl: 0"), Code(200)),
        ("no content-length", changed(&o, "Content-Length: 0\r\n", ""), Code(200)),
        ("latin-1 display name", latin1(&i.replacen("<sip:2001@site>", "\"J\u{f6}rg\" <sip:2001@site>", 1)), Code(407)),
        ("utf-8 display name", changed(&i, "<sip:2001@site>", "\"客服\" <sip:2001@site>"), Code(407)),
        ("10,000 header fields", changed(&o, "Content-Length", &(lines(10_000) + "Content-Length")), Silence),
        ("200 header fields", changed(&o, "Content-Length", &(lines(200) + "Content-Length")), Code(200)),
        ("NUL in a quoted string", changed(&o, "<sip:2001@site>", "\"a\\\0b\" <sip:2001@site>"), Code(200)),
        ("NUL in Call-ID", changed(&o, "call-1", "call\x001"), Code(200)),
        ("nothing but NUL", vec![0; 300], Silence),
        ("nothing but line ends", b"\r\n\r\n\r\n".to_vec(), Silence),
        ("empty", Vec::new(), Silence),
        ("cut in the request line", o.as_bytes()[..20].to_vec(), Silence),
        ("cut in the header", o.as_bytes()[..o.len() / 2].to_vec(), Code(400)),
        ("cut in the body", i.as_bytes()[..i.len() - 10].to_vec(), Code(400)),
        ("CSeq 2^31", changed(&o, "CSeq: 1", "CSeq: 2147483648"), Code(400)),
        ("CSeq of 40 digits", changed(&o, "CSeq: 1", &format!("CSeq: {}", "9".repeat(40))), Code(400)),
        ("negative CSeq", changed(&o, "CSeq: 1", "CSeq: -1"), Code(400)),
        ("CSeq without method", changed(&o, "CSeq: 1 OPTIONS", "CSeq: 1"), Code(400)),
        ("CSeq of another method", changed(&o, "CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), Code(400)),
        ("two From", changed(&o, "To:", "From: <sip:x@y>;tag=2\r\nTo:"), Code(400)),
        ("no Via", changed(&o, "Via:", "X-Via:"), Code(400)),
        ("Via of nonsense", changed(&o, "SIP/2.0/UDP 127.0.0.2:5070", "]]]"), Code(400)),
        ("no To", changed(&o, "To:", "X-To:"), Code(400)),
        ("unclosed quote in To", changed(&o, "To: ", "To: \"x "), Code(400)),
        ("unclosed bracket in From", changed(&o, "<sip:2001@site>", "<sip:2001@site"), Code(400)),
        ("Contact that is a quote", changed(&i, "Contact: <sip:2001@127.0.0.2:5070>", "Contact: \""), Code(400)),
        ("Contact * in INVITE", changed(&i, "Contact: <sip:2001@127.0.0.2:5070>", "Contact: *"), Code(400)),
        ("SIP/7.0", changed(&o, "127.0.0.1 SIP/2.0", "127.0.0.1 SIP/7.0"), Code(505)),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Silence),
        ("RTP", vec![0x80, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xd5, 0xd5], Silence),
        ("Request-URI in brackets", changed(&o, "sip:2002@127.0.0.1 ", "<sip:2002@127.0.0.1> "), Code(400)),
        ("Request-URI of an unknown scheme", changed(&o, "sip:2002@127.0.0.1 ", "gopher:x "), Code(416)),
        ("Max-Forwards 0", changed(&i, "Max-Forwards: 70", "Max-Forwards: 0"), Code(483)),
        ("Max-Forwards of letters", changed(&i, "Max-Forwards: 70", "Max-Forwards: many"), Code(400)),
        ("Require of the unknown", changed(&o, "Max-Forwards", "Require: magic, 100rel\r\nMax-Forwards"), Code(420)),
        ("unknown method", o.replace("OPTIONS", "DANCE").into_bytes(), Code(501)),
        ("method that we do not serve", o.replace("OPTIONS", "PUBLISH").into_bytes(), Code(405)),
        ("ACK out of nowhere", o.replace("OPTIONS", "ACK").into_bytes(), Silence),
        ("broken ACK", changed(&o.replace("OPTIONS", "ACK"), "To:", "X:"), Silence),
        ("BYE out of nowhere", o.replace("OPTIONS", "BYE").into_bytes(), Code(481)),
        ("response out of nowhere", changed(&o, "OPTIONS sip:2002@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK"), Silence),
        ("status code 999999", changed(&o, "OPTIONS sip:2002@127.0.0.1 SIP/2.0", "SIP/2.0 999999 OK"), Silence),
        ("compact and folded", compact(), Code(407)),
        ("bare line feeds", o.replace("\r\n", "\n").into_bytes(), Code(200)),
        ("body that is XML", changed(&i, "application/sdp", "text/xml"), Code(415)),
        ("body that is no SDP", changed(&i, "v=0", "v=9"), Code(400)),
        ("SDP without a codec of ours", changed(&i, "RTP/AVP 8 0 101", "RTP/AVP 9 18 99"), Code(488)),
        ("Accept without SDP", changed(&i, "Max-Forwards", "Accept: text/plain\r\nMax-Forwards"), Code(406)),
        ("line without a colon", changed(&o, "Max-Forwards", "nonsense\r\nMax-Forwards"), Code(200)),
        (
            "a field of 60,000 bytes",
            changed(&o, "Max-Forwards", &format!("X: {}\r\nMax-Forwards", "y".repeat(60_000))),
            Code(200),
        ),
        ("more than one message may hold", [o.as_bytes(), &vec![b'x'; 65_536]].concat(), Silence),
    ]
}

fn compact() -> Vec<u8> {
    format!(
        "INVITE sip:2002@127.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.2:5070;branch=z9hG4bKc;\r\n rport\r\nf:\r\n <sip:2001@site>\r\n\t;tag=1\r\nT: <sip:2002@site>\r\nI: c@d\r\ncseq: 0001\r\n INVITE\r\nM: <sip:2001@127.0.0.2:5070>\r\nc: application/sdp\r\nl: {}\r\n\r\n{SDP}",
        SDP.len()
    )
    .into_bytes()
}

#[test]
fn each_torture_message_gets_its_answer_and_leaves_nothing() {
    let all = torture();
    assert!(all.len() >= 25);
    let mut site = Site::new();
    for (name, bytes, want) in all {
        let out = site.datagram(PHONE, &bytes);
        let got = match messages(&out).first().map(|m| m.start.clone()) {
            None => Silence,
            Some(signaling::sip::message::Start::Response { code, .. }) => Code(code),
            Some(other) => panic!("{name}: {other:?}"),
        };
        assert_eq!(got, want, "{name}");
        assert!(out.len() <= 1, "{name}: {:?}", words(&out));
        assert!(site.endpoint.is_empty(), "{name} left {:#?}", site.endpoint.lines());
        // It still works.
        assert_eq!(words(&site.udp(PHONE, &options())), ["200 OPTIONS"], "after {name}");
    }
    let dropped = site.endpoint.dropped();
    assert_eq!((dropped.oversized, dropped.stray_response, dropped.keepalive), (2, 1, 3), "{dropped:?}");
}

#[test]
fn a_latin_1_name_is_echoed_unchanged_and_hides_nothing() {
    let mut site = Site::new();
    let text = latin1(&options().replacen("<sip:2001@site>", "\"J\u{f6}rg\" <sip:2001@site>", 1));
    let out = site.datagram(PHONE, &text);
    let answer = &messages(&out)[0];
    let from = answer.field(&signaling::sip::message::Name::From).unwrap();
    assert_eq!(from.value, latin1("\"J\u{f6}rg\" <sip:2001@site>;tag=ph"));
}

/// One of the seeds with one to four faults.
pub fn mutate(rng: &mut ChaCha20Rng, seeds: &[Vec<u8>], into: &mut Vec<u8>) {
    let pick = |rng: &mut ChaCha20Rng, n: usize| (rng.next_u64() % n.max(1) as u64) as usize;
    into.clear();
    into.extend(&seeds[pick(rng, seeds.len())]);
    const SPICE: [&[u8]; 12] =
        [b"\r\n", b";", b",", b"\"", b"<", b"%", b"\0", b"18446744073709551615", b": ", b"z9hG4bK", b"\xff\xfe", b"="];
    for _ in 0..1 + pick(rng, 4) {
        let at = pick(rng, into.len());
        match rng.next_u64() % 6 {
            0 if !into.is_empty() => into[at] = rng.next_u64() as u8,
            1 => into.truncate(at),
            2 => {
                let end = (at + pick(rng, 20)).min(into.len());
                into.drain(at..end);
            }
            3 => {
                let spice = SPICE[pick(rng, SPICE.len())];
                into.splice(at..at, spice.iter().copied());
            }
            4 => {
                let other = &seeds[pick(rng, seeds.len())];
                let from = pick(rng, other.len());
                let end = (from + pick(rng, 60)).min(other.len());
                into.splice(at..at, other[from..end].iter().copied());
            }
            _ if !into.is_empty() => into[at] ^= 1 << (rng.next_u64() % 8),
            _ => {}
        }
    }
}

/// The checks of the fuzz targets on seeded mutations; SMOKE_MUTATIONS sets another number than 200,000.
#[test]
fn two_hundred_thousand_mutations_harm_nothing() {
    let count: usize = std::env::var("SMOKE_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let mut seeds: Vec<Vec<u8>> =
        torture().into_iter().map(|(_, bytes, _)| bytes).filter(|b| b.len() < 4_000).collect();
    let offer = SDP.to_owned() + "m=video 6 RTP/AVP 31\r\n";
    for method in ["INVITE", "BYE", "UPDATE", "INFO", "ACK", "OPTIONS", "CANCEL"] {
        seeds.push(checks::in_dialog(method, &offer));
    }
    seeds.push(offer.clone().into_bytes());
    seeds.push(offer.into_bytes());
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut bytes = Vec::new();
    for n in 0..count {
        mutate(&mut rng, &seeds, &mut bytes);
        let run = std::panic::catch_unwind(|| {
            checks::sip_message(&bytes);
            checks::sdp(&bytes);
            // The dear ones on a part of them.
            if n % 4 == 0 {
                checks::sip_endpoint(&bytes);
            }
            if n % 16 == 0 {
                checks::sip_stream(&bytes);
            }
        });
        assert!(run.is_ok(), "mutation {n}: {:?}", String::from_utf8_lossy(&bytes));
    }
}
