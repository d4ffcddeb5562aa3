//! The site of a test: one net of loopback addresses for the box and everybody who talks to it, so that tests can run
//! side by side, and the configuration text that goes with it.

use super::audio::Pcm;
use super::baresip::{Answer, Phone, Transport};
use super::speech::voice;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};

/// SIP port of the box in tests.
pub const BOX_PORT: u16 = 15_260;

/// One site.
#[derive(Clone, Debug)]
pub struct Site {
    net: u8,
    extensions: Vec<(String, String)>,
    agents: Vec<(String, String)>,
    /// Language of the box, of its prompts, too.
    pub language: &'static str,
    /// Whether calls between extensions are recorded.
    pub record: bool,
    /// Whether line 1/1 of a simulated card is there.
    pub line: bool,
    /// Ring time-out of extensions, in s.
    pub ring_timeout_s: u32,
    /// How long an offer rings at an agent, in s.
    pub offer_timeout_s: u32,
    /// Wrap-up of the queue, in s.
    pub wrap_up_s: u32,
    /// After how long without audio a call is ended, in s.
    pub silence_timeout_s: u32,
    /// How long a phone has something to say, in s. baresip hangs up when its source ends.
    pub voice_s: u32,
    /// More configuration text.
    pub extra: String,
    /// Nobody has set the box up: it begins with factory settings that name its address.
    pub unset: bool,
}

impl Site {
    /// A site in 127.20.`net`.0/24; tests that may run at the same time take numbers that differ modulo 25. Extensions 2001 to 2004; nobody logged in.
    pub fn new(net: u8) -> Site {
        let extensions = (2001..=2004).map(|n| (n.to_string(), format!("secret-{n}"))).collect();
        Site {
            net,
            extensions,
            agents: Vec::new(),
            language: "zh-CN",
            record: true,
            line: false,
            ring_timeout_s: 30,
            offer_timeout_s: 15,
            wrap_up_s: 0,
            silence_timeout_s: 5,
            voice_s: 20,
            extra: String::new(),
            unset: false,
        }
    }

    /// An agent at an extension, logged in from the start.
    pub fn agent(mut self, agent: &str, extension: &str) -> Site {
        self.agents.push((agent.to_owned(), extension.to_owned()));
        self
    }

    /// These extensions alone, with these secrets: what somebody else writes into the configuration.
    pub fn secrets(&mut self, extensions: &[(&str, &str)]) {
        self.extensions = extensions.iter().map(|(name, secret)| ((*name).into(), (*secret).into())).collect();
    }

    /// With line 1/1.
    pub fn with_line(mut self) -> Site {
        self.line = true;
        self
    }

    /// `127.20.N.0/24`.
    pub fn net(&self) -> String {
        format!("127.20.{}.0/24", self.net)
    }

    /// An address of this site.
    pub fn address(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, 20, self.net, host)
    }

    /// The box.
    pub fn box_address(&self) -> Ipv4Addr {
        self.address(1)
    }

    /// Where the box listens for SIP.
    pub fn sip(&self) -> SocketAddr {
        SocketAddr::from((self.box_address(), BOX_PORT))
    }

    /// The carrier's address.
    pub fn trunk(&self) -> Ipv4Addr {
        self.address(50)
    }

    /// SIP port of an extension's phone at 127.0.0.1.
    pub fn phone_port(&self, extension: &str) -> u16 {
        15_200 + u16::from(self.net % 25) * 8 + u16::from(seat(extension)) * 2
    }

    /// The first of the four RTP ports of an extension's phone at 127.0.0.1.
    pub fn phone_rtp(&self, extension: &str) -> u16 {
        26_000 + u16::from(self.net % 25) * 16 + u16::from(seat(extension)) * 4
    }

    /// Digest password of an extension.
    pub fn secret(&self, extension: &str) -> String {
        self.extensions.iter().find(|(name, _)| name == extension).map(|(_, secret)| secret.clone()).unwrap_or_default()
    }

    /// What the phone of an extension says, and no other phone.
    pub fn voice(&self, extension: &str) -> Pcm {
        voice(extension.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)), self.voice_s)
    }

    /// A phone for an extension.
    pub fn phone(&self, extension: &str, transport: Transport, answer: Answer) -> Phone {
        Phone {
            extension: extension.to_owned(),
            secret: self.secret(extension),
            sip_port: self.phone_port(extension),
            rtp_port: self.phone_rtp(extension),
            control: self.address(10 + seat(extension)),
            registrar: self.sip(),
            transport,
            answer,
            voice: self.voice(extension),
            register_s: 60,
        }
    }

    /// Factory settings of a box at this site's address.
    pub fn factory(&self) -> String {
        format!("sip {{\n    listen {};\n}}\n", self.sip())
    }

    /// The configuration of the box, complete.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let (address, sip) = (self.box_address(), self.sip());
        let record = if self.record { "yes" } else { "no" };
        let (language, silence) = (self.language, self.silence_timeout_s);
        let _ = write!(
            text,
            "system {{\n    name test;\n    language {language};\n}}\nsip {{\n    listen {sip};\n    realm cordboard;\n\
             \x20   expires-min-s 10;\n    expires-max-s 3600;\n}}\nmedia {{\n    address {address};\n\
             \x20   rtp-ports 26400-26899;\n    jitter-ms 40;\n    silence-timeout-s {silence};\n}}\n"
        );
        if self.line {
            text.push_str("card 1 {\n    port 1 {\n        label \"line one\";\n        did 4001234;\n    }\n}\n");
        }
        for (extension, secret) in &self.extensions {
            let ring = self.ring_timeout_s;
            let _ = write!(
                text,
                "extension {extension} {{\n    name \"Phone {extension}\";\n    secret {secret};\n\
                 \x20   ring-timeout-s {ring};\n    record {record};\n}}\n"
            );
        }
        for (agent, extension) in &self.agents {
            let _ = write!(
                text,
                "agent {agent} {{\n    name \"Agent {agent}\";\n    extension {extension};\n    logged-in yes;\n}}\n"
            );
        }
        if !self.agents.is_empty() {
            let names: Vec<&str> = self.agents.iter().map(|(agent, _)| agent.as_str()).collect();
            let (names, offer, wrap_up) = (names.join(" "), self.offer_timeout_s, self.wrap_up_s);
            let _ = write!(
                text,
                "queue support {{\n    title Support;\n    agents [ {names} ];\n    priority 5;\n    ring-timeout-s {offer};\n\
                 \x20   wrap-up-s {wrap_up};\n    max-wait-s 60;\n    record yes;\n}}\n\
                 menu main {{\n    languages [ zh-CN en-US ];\n    prompt menu-main;\n    timeout-s 5;\n    retries 2;\n\
                 \x20   key 2 {{\n        to queue support;\n    }}\n    otherwise {{\n        to hangup;\n    }}\n}}\n\
                 number 8000 {{\n    to queue support;\n}}\nnumber 8001 {{\n    to menu main;\n}}\n\
                 did 4001234 {{\n    to menu main;\n}}\n"
            );
        }
        let trunk = self.trunk();
        let _ = write!(text, "trunk carrier {{\n    address {trunk};\n    record no;\n}}\n");
        text + &self.extra
    }
}

/// 2001 to 2004 as 0 to 3.
fn seat(extension: &str) -> u8 {
    extension.bytes().last().map_or(0, |last| last.wrapping_sub(b'1') % 4)
}
