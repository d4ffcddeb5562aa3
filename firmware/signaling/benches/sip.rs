//! CPU per message and per call: a leg set up and torn down as UAS and as UAC, one message read, a timer queue with
//! thousands of transactions.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench says what it expects by failing")]

use base::time::{Instant, Now};
use core::time::Duration;
use criterion::{Criterion, criterion_group, criterion_main};
use signaling::sip::Endpoint;
use signaling::sip::door::{DialogKey, Event, Hop, Input, Invite, Output, Peer, Settings, Target};
use signaling::sip::message::{Message, Name, Start, parse};
use std::hint::black_box;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";
const REMOTE: ([u8; 4], u16) = ([127, 0, 0, 2], 5070);
const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 5060);

struct Site {
    endpoint: Endpoint,
    now: Now,
    calls: u64,
    out: Vec<Output>,
}

impl Site {
    fn new() -> Site {
        let mut endpoint = Endpoint::new();
        endpoint.configure(Settings {
            local: LOCAL.into(),
            realm: "site".into(),
            product: "Cordboard".into(),
            accounts: Default::default(),
            peers: vec![Peer { name: "trunk".into(), ip: REMOTE.0.into(), port: None }],
            expires_min_s: 60,
            expires_max_s: 3600,
        });
        endpoint.seed([9; 32]);
        Site {
            endpoint,
            now: Now { at: Instant::BOOT + Duration::from_secs(9), ..Now::default() },
            calls: 0,
            out: Vec::new(),
        }
    }

    fn feed(&mut self, text: String) {
        self.out.clear();
        let input =
            Input::Datagram { local: LOCAL.into(), remote: REMOTE.into(), bytes: text.into_bytes(), shed: false };
        self.endpoint.handle(self.now, input, &mut self.out);
    }

    fn request(&self, method: &str, to_tag: &str, cseq: u32, body: &str) -> String {
        let n = self.calls;
        format!(
            "{method} sip:support@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5070;branch=z9hG4bK{method}{n};rport\r\nMax-Forwards: 70\r\nFrom: \"Caller\" <sip:2001@site>;tag=f{n}\r\nTo: <sip:support@site>{to_tag}\r\nCall-ID: {n}@127.0.0.2\r\nCSeq: {cseq} {method}\r\nContact: <sip:2001@127.0.0.2:5070>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: timer, replaces\r\nUser-Agent: a phone 1.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn incoming(&self) -> DialogKey {
        self.out
            .iter()
            .find_map(|o| match o {
                Output::Event(Event::Incoming(i)) => Some(i.dialog),
                _ => None,
            })
            .unwrap()
    }

    /// The last message sent.
    fn sent(&self) -> Message {
        self.out
            .iter()
            .rev()
            .find_map(|o| match o {
                Output::Datagram { bytes, .. } => parse(bytes).ok(),
                _ => None,
            })
            .unwrap()
    }

    /// Lets the transactions of earlier calls end, as they do in life.
    fn settle(&mut self) {
        self.calls += 1;
        self.now.at += Duration::from_millis(100);
        while self.endpoint.deadline().is_some_and(|at| at <= self.now.at) {
            self.out.clear();
            self.endpoint.handle(self.now, Input::Timer, &mut self.out);
        }
    }

    /// INVITE, 100, 180, 200, ACK, BYE, 200: three messages in, four out.
    fn uas_leg(&mut self) {
        self.feed(self.request("INVITE", "", 1, SDP));
        let dialog = self.incoming();
        let offer = signaling::sdp::parse(SDP.as_bytes()).ok();
        self.out.clear();
        self.endpoint.progress(self.now, dialog, 180, None, &mut self.out);
        self.out.clear();
        self.endpoint.accept(self.now, dialog, offer, &mut self.out);
        let to = String::from_utf8(self.sent_to()).unwrap();
        let tag = &to[to.find(";tag=").unwrap()..];
        self.feed(self.request("ACK", tag, 1, ""));
        self.feed(self.request("BYE", tag, 2, ""));
        self.settle();
    }

    fn sent_to(&self) -> Vec<u8> {
        let Some(Output::Datagram { bytes, .. }) = self.out.first() else { return Vec::new() };
        let text = bytes.windows(4).position(|w| w == b"To: ").map(|at| &bytes[at..]).unwrap();
        text.split(|b| *b == b'\r').next().unwrap().to_vec()
    }

    /// INVITE, 180, 200, ACK, BYE, 200: three messages in, three out. The peer's part of the work (reading our
    /// requests, writing its answers) is in the figure.
    fn uac_leg(&mut self) {
        self.out.clear();
        let invite = Invite {
            target: Target {
                uri: "sip:2001@127.0.0.2:5070".into(),
                hop: Hop::Udp { local: LOCAL.into(), remote: REMOTE.into() },
            },
            from: "5551234".into(),
            from_name: "Caller".into(),
            offer: signaling::sdp::parse(SDP.as_bytes()).ok(),
            headers: Vec::new(),
        };
        let dialog = self.endpoint.invite(self.now, invite, &mut self.out);
        let request = self.sent();
        self.feed(answer(&request, 180, ""));
        self.feed(answer(&request, 200, SDP));
        self.out.clear();
        self.endpoint.hangup(self.now, dialog, None, &mut self.out);
        let bye = self.sent();
        self.feed(answer(&bye, 200, ""));
        self.settle();
    }
}

fn answer(request: &Message, code: u16, body: &str) -> String {
    let mut ok = request.clone();
    ok.start = Start::Response { code, reason: "OK".into() };
    ok.body = body.as_bytes().to_vec();
    for field in &mut ok.fields {
        if field.name == Name::To && !field.value.windows(4).any(|w| w == b"tag=") {
            field.value.extend(b";tag=peer");
        }
    }
    String::from_utf8(ok.to_bytes()).unwrap()
}

fn legs(c: &mut Criterion) {
    let mut site = Site::new();
    let invite = site.request("INVITE", "", 1, SDP);
    c.bench_function("read one INVITE", |b| b.iter(|| parse(black_box(invite.as_bytes())).unwrap()));
    let unknown = site.request("BYE", ";tag=none", 7, "");
    c.bench_function("refuse one BYE (read, check, answer 481)", |b| b.iter(|| site.feed(unknown.clone())));
    let mut site = Site::new();
    c.bench_function("UAS leg, set up and torn down", |b| b.iter(|| site.uas_leg()));
    let mut site = Site::new();
    c.bench_function("UAC leg, set up and torn down", |b| b.iter(|| site.uac_leg()));
    let mut site = Site::new();
    for _ in 0..5_000 {
        site.feed(site.request("INVITE", "", 1, SDP));
        let dialog = site.incoming();
        site.endpoint.refuse(site.now, dialog, 486, &mut site.out);
        site.calls += 1;
    }
    c.bench_function("deadline with 5,000 transactions", |b| b.iter(|| black_box(&site.endpoint).deadline()));
    c.bench_function("refuse one BYE with 5,000 transactions", |b| b.iter(|| site.feed(unknown.clone())));
}

criterion_group!(benches, legs);
criterion_main!(benches);
