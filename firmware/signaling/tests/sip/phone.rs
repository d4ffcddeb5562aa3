//! A site with its endpoint, and the messages of phones that talk to it.

use base::media::Codec;
use base::time::{Instant, Now};
use core::time::Duration;
use md5::{Digest, Md5};
use signaling::sdp::{Audio, Direction, Format};
use signaling::sip::door::{
    Account, ConnId, DialogKey, Event, Hop, Incoming, Input, Invite, Output, Peer, Settings, Target,
};
use signaling::sip::message::{Message, Name, Start, parse};
use signaling::sip::{Endpoint, ha1};

pub const BOX: &str = "127.0.0.1:5060";
/// Extension 2001's phone.
pub const PHONE: &str = "127.0.0.2:5070";
/// A trunk that is not challenged.
pub const TRUNK: &str = "127.0.0.50:5080";
pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub struct Site {
    pub endpoint: Endpoint,
    pub now: Now,
}

pub fn settings() -> Settings {
    let accounts = ["2001", "2002", "2003"]
        .into_iter()
        .map(|user| (user.to_owned(), Account { ha1_md5: ha1(user, "site", "pw") }))
        .collect();
    Settings {
        local: BOX.parse().unwrap(),
        realm: "site".into(),
        product: "Cordboard".into(),
        accounts,
        peers: vec![Peer { name: "trunk".into(), ip: "127.0.0.50".parse().unwrap(), port: None }],
        expires_min_s: 60,
        expires_max_s: 3600,
    }
}

pub fn audio(port: u16) -> Audio {
    Audio {
        session: (9, 9),
        addr: format!("127.0.0.1:{port}").parse().unwrap(),
        formats: vec![Format { payload_type: 8, codec: Codec::Pcma }],
        dtmf: Some(101),
        direction: Direction::SendRecv,
    }
}

impl Site {
    pub fn new() -> Site {
        let mut endpoint = Endpoint::new();
        endpoint.configure(settings());
        endpoint.seed([42; 32]);
        Site { endpoint, now: Now { at: Instant::from_micros(1_000_000), ..Now::default() } }
    }

    pub fn input(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.handle(self.now, input, &mut out);
        out
    }

    pub fn datagram(&mut self, from: &str, bytes: &[u8]) -> Vec<Output> {
        let (local, remote) = (BOX.parse().unwrap(), from.parse().unwrap());
        self.input(Input::Datagram { local, remote, bytes: bytes.to_vec(), shed: false })
    }

    pub fn udp(&mut self, from: &str, text: &str) -> Vec<Output> {
        self.datagram(from, text.as_bytes())
    }

    pub fn tcp(&mut self, conn: u64, text: &str) -> Vec<Output> {
        self.input(Input::Bytes { conn: ConnId(conn), bytes: text.as_bytes().to_vec(), shed: false })
    }

    /// Lets time pass, firing every timer at its moment; outputs with their milliseconds since the start of it.
    pub fn pass(&mut self, for_ms: u64) -> Vec<(u64, Output)> {
        let start = self.now.at;
        let end = start + Duration::from_millis(for_ms);
        let mut all = Vec::new();
        while let Some(at) = self.endpoint.deadline().filter(|at| *at <= end) {
            self.now.at = at.max(self.now.at);
            let ms = self.now.at.since(start).as_millis() as u64;
            all.extend(self.input(Input::Timer).into_iter().map(|o| (ms, o)));
            assert!(self.endpoint.deadline().is_none_or(|next| next > self.now.at), "a timer that stands still");
        }
        self.now.at = end;
        all
    }

    /// As `pass`, in brief.
    pub fn story(&mut self, for_ms: u64) -> Vec<(u64, String)> {
        self.pass(for_ms).into_iter().filter_map(|(ms, o)| Some((ms, word(&o)?))).collect()
    }

    pub fn invite(&mut self, offer: Option<Audio>) -> (DialogKey, Vec<Output>) {
        self.invite_to("sip:2001@127.0.0.2:5070", PHONE, offer)
    }

    pub fn invite_to(&mut self, uri: &str, remote: &str, offer: Option<Audio>) -> (DialogKey, Vec<Output>) {
        let hop = Hop::Udp { local: BOX.parse().unwrap(), remote: remote.parse().unwrap() };
        let invite = Invite {
            target: Target { uri: uri.into(), hop },
            from: "2002".into(),
            from_name: "Zwei \"2\"".into(),
            offer,
            headers: vec![("Alert-Info".into(), "<urn:alert:service:normal>".into())],
        };
        let mut out = Vec::new();
        let dialog = self.endpoint.invite(self.now, invite, &mut out);
        (dialog, out)
    }

    pub fn hangup(&mut self, dialog: DialogKey) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.hangup(self.now, dialog, Some("Q.850;cause=16"), &mut out);
        out
    }

    pub fn accept(&mut self, dialog: DialogKey, answer: Option<Audio>) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.accept(self.now, dialog, answer, &mut out);
        out
    }

    pub fn refuse(&mut self, dialog: DialogKey, code: u16) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.refuse(self.now, dialog, code, &mut out);
        out
    }

    pub fn progress(&mut self, dialog: DialogKey, code: u16) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.progress(self.now, dialog, code, None, &mut out);
        out
    }

    pub fn reoffer(&mut self, dialog: DialogKey, offer: Option<Audio>) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.reoffer(self.now, dialog, offer, &mut out);
        out
    }

    /// Time enough for every transaction to end; then nothing may be left.
    pub fn assert_empties(&mut self) {
        self.pass(200_000);
        assert!(self.endpoint.is_empty(), "{:#?}", self.endpoint.lines());
    }
}

/// One output in brief: `INVITE`, `200 INVITE`, `Answered`, `connect`; traces are left out.
pub fn word(output: &Output) -> Option<String> {
    Some(match output {
        Output::Datagram { bytes, .. } | Output::Bytes { bytes, .. } => match parse(bytes) {
            Ok(message) => brief(&message),
            Err(_) => format!("{:?}", String::from_utf8_lossy(bytes)),
        },
        Output::Connect { .. } => "connect".into(),
        Output::Close { .. } => "close".into(),
        Output::Event(Event::Trace { .. }) => return None,
        Output::Event(Event::Progress { code, .. }) => format!("Progress {code}"),
        Output::Event(Event::Refused { code, .. }) => format!("Refused {code}"),
        Output::Event(Event::Ended { cause, .. }) => format!("Ended {cause:?}"),
        Output::Event(event) => {
            let text = format!("{event:?}");
            text.split([' ', '(']).next().unwrap_or_default().to_owned()
        }
    })
}

fn brief(message: &Message) -> String {
    match &message.start {
        Start::Request { method, .. } => method.as_str().to_owned(),
        Start::Response { code, .. } => {
            let cseq = message.value(&Name::CSeq).unwrap_or_default().into_owned();
            format!("{code} {}", cseq.split(' ').nth(1).unwrap_or_default())
        }
    }
}

pub fn words(out: &[Output]) -> Vec<String> {
    out.iter().filter_map(word).collect()
}

/// The messages among outputs.
pub fn messages(out: &[Output]) -> Vec<Message> {
    out.iter()
        .filter_map(|o| match o {
            Output::Datagram { bytes, .. } | Output::Bytes { bytes, .. } => parse(bytes).ok(),
            _ => None,
        })
        .collect()
}

pub fn incoming(out: &[Output]) -> Incoming {
    out.iter()
        .find_map(|o| match o {
            Output::Event(Event::Incoming(incoming)) => Some(incoming.clone()),
            _ => None,
        })
        .expect("an Incoming event")
}

pub fn value(message: &Message, name: Name) -> String {
    message.value(&name).unwrap_or_default().into_owned()
}

/// A request of a phone, built up piece by piece.
#[derive(Clone)]
pub struct Ask {
    pub method: String,
    pub uri: String,
    pub via: String,
    pub branch: String,
    pub from: String,
    pub to: String,
    pub call_id: String,
    pub cseq: u32,
    pub contact: Option<String>,
    pub extra: String,
    pub body: String,
}

pub fn ask(method: &str, uri: &str) -> Ask {
    Ask {
        method: method.into(),
        uri: uri.into(),
        via: "SIP/2.0/UDP 127.0.0.2:5070".into(),
        branch: format!("z9hG4bK{}1", method.to_lowercase()),
        from: "<sip:2001@site>;tag=ph".into(),
        to: "<sip:2002@site>".into(),
        call_id: "call-1@phone".into(),
        cseq: 1,
        contact: Some("<sip:2001@127.0.0.2:5070>".into()),
        extra: String::new(),
        body: String::new(),
    }
}

impl Ask {
    pub fn text(&self) -> String {
        let contact = self.contact.as_ref().map(|c| format!("Contact: {c}\r\n")).unwrap_or_default();
        let kind = if self.body.is_empty() || self.extra.contains("Content-Type") {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        format!(
            "{} {} SIP/2.0\r\nVia: {};branch={};rport\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n{contact}{}{kind}Content-Length: {}\r\n\r\n{}",
            self.method,
            self.uri,
            self.via,
            self.branch,
            self.from,
            self.to,
            self.call_id,
            self.cseq,
            self.method,
            self.extra,
            self.body.len(),
            self.body
        )
    }

    pub fn body(mut self, body: &str) -> Ask {
        self.body = body.into();
        self
    }

    pub fn extra(mut self, line: &str) -> Ask {
        self.extra += &format!("{line}\r\n");
        self
    }

    pub fn cseq(mut self, cseq: u32) -> Ask {
        self.cseq = cseq;
        self.branch = format!("{}{cseq}", self.branch);
        self
    }

    /// The same request again with the credentials that a challenge asks for.
    pub fn signed(self, challenge: &Message, user: &str, password: &str) -> Ask {
        let mut signed = self.credentials(challenge, user, password, 1);
        signed.cseq += 1;
        signed.branch += "a";
        signed
    }

    /// This request with credentials from an earlier challenge, used for the `nc`th time.
    pub fn counted(self, challenge: &Message, user: &str, nc: u32) -> Ask {
        self.credentials(challenge, user, "pw", nc)
    }

    fn credentials(mut self, challenge: &Message, user: &str, password: &str, nc: u32) -> Ask {
        let (name, line) = match challenge.value(&Name::WwwAuthenticate) {
            Some(value) => ("Authorization", value.into_owned()),
            None => ("Proxy-Authorization", value(challenge, Name::ProxyAuthenticate)),
        };
        let nonce = line.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let ha2 = hex(&format!("{}:{}", self.method, self.uri));
        let response = hex(&format!("{}:{nonce}:{nc:08x}:c:auth:{ha2}", ha1(user, "site", password)));
        self.extra += &format!(
            "{name}: Digest username=\"{user}\", realm=\"site\", nonce=\"{nonce}\", uri=\"{}\", response=\"{response}\", algorithm=MD5, cnonce=\"c\", qop=auth, nc={nc:08x}\r\n",
            self.uri
        );
        self
    }
}

fn hex(text: &str) -> String {
    let mut hash = Md5::new();
    hash.update(text.as_bytes());
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// A response to a request that the box sent.
pub fn answer(request: &Message, code: u16, tag: &str, body: &str) -> String {
    let mut text = format!("SIP/2.0 {code} Whatever\r\n");
    for field in &request.fields {
        let line = String::from_utf8(field.value.clone()).unwrap();
        match field.name {
            Name::Via => text += &format!("Via: {line}\r\n"),
            Name::From => text += &format!("From: {line}\r\n"),
            Name::To if line.contains("tag=") || tag.is_empty() => text += &format!("To: {line}\r\n"),
            Name::To => text += &format!("To: {line};tag={tag}\r\n"),
            Name::CallId => text += &format!("Call-ID: {line}\r\n"),
            Name::CSeq => text += &format!("CSeq: {line}\r\n"),
            _ => {}
        }
    }
    text += "Contact: <sip:2001@127.0.0.2:5070>\r\n";
    if !body.is_empty() {
        text += "Content-Type: application/sdp\r\n";
    }
    text + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

/// An incoming call of extension 2001 up to `Incoming`: the dialog and the INVITE as accepted.
pub fn ringing(site: &mut Site) -> (DialogKey, Ask) {
    let invite = ask("INVITE", "sip:2002@127.0.0.1").body(SDP);
    let challenge = site.udp(PHONE, &invite.text());
    let invite = invite.signed(&messages(&challenge)[0], "2001", "pw");
    let out = site.udp(PHONE, &invite.text());
    (incoming(&out).dialog, invite)
}

/// The next request of the phone in the dialog of `invite`, to whom the box answered with `ok`.
pub fn within(invite: &Ask, ok: &Message, method: &str, cseq: u32) -> Ask {
    let mut next = ask(method, "sip:2002@127.0.0.1:5060").cseq(cseq);
    next.to = value(ok, Name::To);
    next.call_id.clone_from(&invite.call_id);
    next
}

/// An incoming call that talks.
pub fn talking(site: &mut Site) -> (DialogKey, Ask, Message) {
    let (dialog, invite) = ringing(site);
    let out = site.accept(dialog, Some(audio(30000)));
    let ok = messages(&out).remove(0);
    let ack = within(&invite, &ok, "ACK", invite.cseq);
    assert_eq!(words(&site.udp(PHONE, &ack.text())), ["Confirmed"]);
    (dialog, invite, ok)
}

/// A call of ours that talks: the dialog, our INVITE and our ACK.
pub fn called(site: &mut Site) -> (DialogKey, Message, Message) {
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    let out = site.udp(PHONE, &answer(&invite, 200, "b", SDP));
    assert_eq!(words(&out), ["ACK", "Answered"]);
    (dialog, invite, messages(&out).remove(0))
}
