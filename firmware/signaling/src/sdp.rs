//! The audio part of SDP offers and answers (RFC 4566, RFC 3264): what we understand of a body, and what we write.
//! Everything else in a body is read over, bytes of any character set included, because a session name in another
//! character set must not cost a call; that is why the lines are read here and not by a general SDP parser.

use base::media::{Codec, RtpRemote};
use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};

/// RFC 3264 §5.1, from the writer's point of view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The writer only sends (hold).
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Nothing flows.
    Inactive,
}

/// One payload type for one codec.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Format {
    /// 0-127.
    pub payload_type: u8,
    /// What it carries.
    pub codec: Codec,
}

/// The first audio stream of a session description.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Audio {
    /// o= session id and version, kept so that an unchanged re-offer is recognised.
    pub session: (u64, u64),
    /// Where its writer wants RTP. Port 0: the stream is refused.
    pub addr: SocketAddr,
    /// Codecs in order of preference; only those we speak.
    pub formats: Vec<Format>,
    /// Payload type of telephone-event/8000.
    pub dtmf: Option<u8>,
    /// Who sends.
    pub direction: Direction,
}

/// Why a body is no session description that we can use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SdpError {
    /// It does not begin with `v=0`, or a line is no `x=value`, or a number in it is none.
    Malformed,
    /// No audio stream over plain RTP (`RTP/AVP`, `RTP/AVPF`).
    NoAudio,
    /// The audio stream has no IP address; host names are not looked up.
    NoAddress,
}

/// Our side of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ours {
    /// Where we want RTP.
    pub addr: SocketAddr,
    /// o= session id and version of what we write.
    pub session: (u64, u64),
    /// Codecs in our order of preference.
    pub codecs: Vec<Codec>,
    /// Whether we take telephone-event.
    pub dtmf: bool,
}

/// Streams of an offer that an answer must refuse one by one (RFC 3264 §6), as `m=` lines with port 0.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Others {
    before: Vec<String>,
    after: Vec<String>,
}

/// Streams of one body that we look at; an offer with more is odd.
const STREAMS_MAX: usize = 32;

/// Reads the first audio stream of a body.
pub fn parse(body: &[u8]) -> Result<Audio, SdpError> {
    parse_offer(body).map(|(audio, _)| audio)
}

/// Reads the first audio stream of an offer, and the streams beside it.
pub fn parse_offer(body: &[u8]) -> Result<(Audio, Others), SdpError> {
    let mut lines = body.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).filter(|l| !l.is_empty());
    if lines.next().map(<[u8]>::trim_ascii_end) != Some(b"v=0") {
        return Err(SdpError::Malformed);
    }
    let mut session = (0, 0);
    let mut common = Section::default();
    let mut ours: Option<Stream> = None;
    let mut others = Others::default();
    let mut streams = 0;
    let mut here = Here::Session;
    for line in lines {
        let (key, value) = match line {
            [key, b'=', value @ ..] => (*key, text(value)),
            _ => return Err(SdpError::Malformed),
        };
        match (key, here) {
            (b'o', Here::Session) => session = origin(value).ok_or(SdpError::Malformed)?,
            (b'm', _) => {
                streams += 1;
                if streams > STREAMS_MAX {
                    return Err(SdpError::Malformed);
                }
                let media = Media::parse(value).ok_or(SdpError::Malformed)?;
                here = if ours.is_none() && media.is_usable() {
                    ours = Some(Stream { port: media.port, formats: media.formats(), section: Section::default() });
                    Here::Ours
                } else {
                    let list = if ours.is_none() { &mut others.before } else { &mut others.after };
                    list.push(media.refused());
                    Here::Other
                };
            }
            (_, Here::Session) => common.line(key, value),
            (_, Here::Ours) => {
                if let Some(stream) = &mut ours {
                    stream.section.line(key, value);
                }
            }
            (_, Here::Other) => {}
        }
    }
    let audio = ours.ok_or(SdpError::NoAudio)?.audio(session, &common)?;
    Ok((audio, others))
}

#[derive(Clone, Copy)]
enum Here {
    Session,
    Ours,
    Other,
}

/// ASCII of a value; what a value says in other letters does not matter to us.
fn text(value: &[u8]) -> &str {
    core::str::from_utf8(value).unwrap_or_else(|e| core::str::from_utf8(&value[..e.valid_up_to()]).unwrap_or(""))
}

fn origin(value: &str) -> Option<(u64, u64)> {
    let mut words = value.split_ascii_whitespace().skip(1);
    Some((number(words.next()?)?, number(words.next()?)?))
}

/// A number of any length, reduced to 64 bits: it is only compared.
fn number(word: &str) -> Option<u64> {
    word.bytes().try_fold(0u64, |n, b| {
        let digit = char::from(b).to_digit(10)?;
        Some(n.wrapping_mul(10).wrapping_add(u64::from(digit)))
    })
}

/// One `m=` line.
struct Media<'a> {
    kind: &'a str,
    port: u16,
    proto: &'a str,
    list: Vec<&'a str>,
}

impl<'a> Media<'a> {
    fn parse(value: &'a str) -> Option<Media<'a>> {
        let mut words = value.split_ascii_whitespace();
        let (kind, port, proto) = (words.next()?, words.next()?, words.next()?);
        let port = port.split('/').next()?.parse().ok()?;
        Some(Media { kind, port, proto, list: words.collect() })
    }

    fn is_usable(&self) -> bool {
        let rtp = self.proto.eq_ignore_ascii_case("RTP/AVP") || self.proto.eq_ignore_ascii_case("RTP/AVPF");
        self.kind.eq_ignore_ascii_case("audio") && rtp
    }

    fn formats(&self) -> Vec<u8> {
        let mut formats: Vec<u8> = Vec::new();
        for pt in self.list.iter().filter_map(|f| f.parse::<u8>().ok()).filter(|pt| *pt < 128) {
            if !formats.contains(&pt) {
                formats.push(pt);
            }
        }
        formats
    }

    fn refused(&self) -> String {
        let first = self.list.first().copied().unwrap_or("0");
        format!("m={} 0 {} {first}\r\n", self.kind, self.proto)
    }
}

/// What `c=` and `a=` lines of one section say.
#[derive(Default)]
struct Section {
    ip: Option<IpAddr>,
    direction: Option<Direction>,
    maps: Vec<(u8, Kind)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Voice(Codec),
    Dtmf,
    Other,
}

impl Section {
    fn line(&mut self, key: u8, value: &str) {
        match key {
            b'c' => {
                let address = value.split_ascii_whitespace().nth(2).and_then(|a| a.split('/').next());
                self.ip = address.and_then(|a| a.parse().ok());
            }
            b'a' => match value.split_once(':') {
                None => self.flag(value.trim()),
                Some(("rtpmap", map)) => {
                    if self.maps.len() < 128 {
                        self.maps.extend(rtpmap(map));
                    }
                }
                Some(_) => {}
            },
            _ => {}
        }
    }

    fn flag(&mut self, name: &str) {
        self.direction = match name {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => self.direction,
        };
    }
}

fn rtpmap(map: &str) -> Option<(u8, Kind)> {
    let (pt, encoding) = map.trim().split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let (name, rate) = (parts.next()?, parts.next()?);
    let kind = match name.to_ascii_uppercase().as_str() {
        _ if rate != "8000" => Kind::Other,
        "PCMA" => Kind::Voice(Codec::Pcma),
        "PCMU" => Kind::Voice(Codec::Pcmu),
        "TELEPHONE-EVENT" => Kind::Dtmf,
        _ => Kind::Other,
    };
    Some((pt.parse().ok().filter(|pt| *pt < 128)?, kind))
}

/// The audio stream that we take.
struct Stream {
    port: u16,
    formats: Vec<u8>,
    section: Section,
}

impl Stream {
    fn kind(&self, pt: u8) -> Kind {
        let mapped = self.section.maps.iter().find(|(p, _)| *p == pt).map(|(_, kind)| *kind);
        // RFC 3551 §6: static payload types need no rtpmap.
        mapped.unwrap_or(match pt {
            0 => Kind::Voice(Codec::Pcmu),
            8 => Kind::Voice(Codec::Pcma),
            _ => Kind::Other,
        })
    }

    fn audio(self, session: (u64, u64), common: &Section) -> Result<Audio, SdpError> {
        let ip = self.section.ip.or(common.ip).ok_or(SdpError::NoAddress)?;
        let mut formats = Vec::new();
        let mut dtmf = None;
        for pt in &self.formats {
            match self.kind(*pt) {
                Kind::Voice(codec) => formats.push(Format { payload_type: *pt, codec }),
                Kind::Dtmf => dtmf = dtmf.or(Some(*pt)),
                Kind::Other => {}
            }
        }
        let direction = self.section.direction.or(common.direction).unwrap_or_default();
        // RFC 2543 hold: nothing may be sent to 0.0.0.0.
        let direction = match direction {
            Direction::SendRecv if ip.is_unspecified() => Direction::SendOnly,
            Direction::RecvOnly if ip.is_unspecified() => Direction::Inactive,
            other => other,
        };
        Ok(Audio { session, addr: SocketAddr::new(ip, self.port), formats, dtmf, direction })
    }
}

/// Writes a session description with this one stream.
pub fn write(audio: &Audio) -> Vec<u8> {
    write_answer(audio, &Others::default())
}

/// Writes an answer: this stream, and the others of the offer refused in their places.
pub fn write_answer(audio: &Audio, others: &Others) -> Vec<u8> {
    let ip = audio.addr.ip();
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let mut text = String::with_capacity(320);
    let (id, version) = audio.session;
    let _ = write!(text, "v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n");
    others.before.iter().for_each(|line| text.push_str(line));
    let _ = write!(text, "m=audio {} RTP/AVP", audio.addr.port());
    let listed = audio.formats.iter().map(|f| f.payload_type).chain(audio.dtmf);
    if audio.formats.is_empty() && audio.dtmf.is_none() {
        // A refused stream still names a format (RFC 3264 §6).
        text.push_str(" 8");
    }
    for pt in listed {
        let _ = write!(text, " {pt}");
    }
    text.push_str("\r\n");
    for format in &audio.formats {
        let name = match format.codec {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
        };
        let _ = write!(text, "a=rtpmap:{} {name}/8000\r\n", format.payload_type);
    }
    if let Some(pt) = audio.dtmf {
        let _ = write!(text, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
    }
    let direction = match audio.direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    };
    let _ = write!(text, "a=ptime:20\r\na={direction}\r\n");
    others.after.iter().for_each(|line| text.push_str(line));
    text.into_bytes()
}

/// Our answer to an offer (one codec, the first of ours that is offered, and telephone-event when both have it) and
/// what was agreed; none when no codec is common to both or the stream is refused.
pub fn negotiate(offer: &Audio, ours: &Ours) -> Option<(Audio, RtpRemote)> {
    if offer.addr.port() == 0 {
        return None;
    }
    let format = ours.codecs.iter().find_map(|codec| offer.formats.iter().find(|f| f.codec == *codec))?;
    let dtmf = offer.dtmf.filter(|_| ours.dtmf);
    let direction = match offer.direction {
        Direction::SendRecv => Direction::SendRecv,
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        Direction::Inactive => Direction::Inactive,
    };
    let answer = Audio { session: ours.session, addr: ours.addr, formats: vec![*format], dtmf, direction };
    Some((answer, remote(offer, *format, dtmf)))
}

/// What the peer's answer to our offer means; none when it refuses the stream or names no codec that we offered.
pub fn remote_of(answer: &Audio, our_offer: &Audio) -> Option<RtpRemote> {
    if answer.addr.port() == 0 {
        return None;
    }
    let format = answer.formats.iter().find(|f| our_offer.formats.iter().any(|o| o.codec == f.codec))?;
    Some(remote(answer, *format, answer.dtmf.filter(|_| our_offer.dtmf.is_some())))
}

fn remote(theirs: &Audio, format: Format, dtmf: Option<u8>) -> RtpRemote {
    RtpRemote {
        addr: theirs.addr,
        codec: format.codec,
        payload_type: format.payload_type,
        dtmf_payload_type: dtmf,
        send: matches!(theirs.direction, Direction::SendRecv | Direction::RecvOnly)
            && !theirs.addr.ip().is_unspecified(),
        receive: matches!(theirs.direction, Direction::SendRecv | Direction::SendOnly),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "v=0\r\no=- 7 8 IN IP4 10.0.0.1\r\ns=caf\u{e9}\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 9 0 8 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";

    fn ours() -> Ours {
        Ours {
            addr: "10.0.0.9:30000".parse().unwrap(),
            session: (1, 1),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            dtmf: true,
        }
    }

    #[test]
    fn an_offer_is_read_and_answered_with_one_codec() {
        let offer = parse(OFFER.as_bytes()).unwrap();
        assert_eq!(offer.session, (7, 8));
        assert_eq!(offer.addr, "10.0.0.1:4000".parse().unwrap());
        assert_eq!(offer.formats.iter().map(|f| f.payload_type).collect::<Vec<_>>(), [0, 8]);
        let (answer, remote) = negotiate(&offer, &ours()).unwrap();
        assert_eq!(answer.formats, [Format { payload_type: 8, codec: Codec::Pcma }]);
        assert_eq!((answer.dtmf, answer.direction), (Some(101), Direction::SendRecv));
        assert_eq!(
            (remote.payload_type, remote.dtmf_payload_type, remote.send, remote.receive),
            (8, Some(101), true, true)
        );
        assert_eq!(remote_of(&answer, &offer).unwrap().addr, ours().addr);
        let unmapped = OFFER.replace("a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n", "");
        assert_eq!(parse(unmapped.as_bytes()), Ok(offer));
    }

    #[test]
    fn hold_in_all_its_dialects() {
        let with = |a: &str| parse(OFFER.replace("a=sendrecv", a).as_bytes()).unwrap();
        let (answer, remote) = negotiate(&with("a=sendonly"), &ours()).unwrap();
        assert_eq!((answer.direction, remote.send, remote.receive), (Direction::RecvOnly, false, true));
        let (answer, remote) = negotiate(&with("a=recvonly"), &ours()).unwrap();
        assert_eq!((answer.direction, remote.send, remote.receive), (Direction::SendOnly, true, false));
        let (answer, remote) = negotiate(&with("a=inactive"), &ours()).unwrap();
        assert_eq!((answer.direction, remote.send, remote.receive), (Direction::Inactive, false, false));
        let old = parse(OFFER.replace("c=IN IP4 10.0.0.1", "c=IN IP4 0.0.0.0").as_bytes()).unwrap();
        let (answer, remote) = negotiate(&old, &ours()).unwrap();
        assert_eq!((answer.direction, remote.send, remote.receive), (Direction::RecvOnly, false, true));
    }

    #[test]
    fn refused_and_unusable_streams() {
        let refused = parse(OFFER.replace("m=audio 4000", "m=audio 0").as_bytes()).unwrap();
        assert_eq!(negotiate(&refused, &ours()), None);
        assert_eq!(remote_of(&refused, &refused), None);
        assert_eq!(parse(b"v=0\r\nm=video 5 RTP/AVP 31\r\n"), Err(SdpError::NoAudio));
        assert_eq!(parse(b"v=0\r\nm=audio 5 RTP/AVP 8\r\n"), Err(SdpError::NoAddress));
        assert_eq!(parse(b"v=0\r\nc=IN IP4 phone.example\r\nm=audio 5 RTP/AVP 8\r\n"), Err(SdpError::NoAddress));
        for bad in ["", "v=1\r\n", "hello", "v=0\r\nm=audio 70000 RTP/AVP 8\r\n", "v=0\r\nx\r\n", "v=0\r\nm=\r\n"] {
            assert_eq!(parse(bad.as_bytes()), Err(SdpError::Malformed), "{bad:?}");
        }
        let none = parse(b"v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 5 RTP/AVP 9\r\n").unwrap();
        assert_eq!(negotiate(&none, &ours()), None);
    }

    #[test]
    fn every_stream_of_an_offer_gets_its_line_in_the_answer() {
        let body =
            OFFER.replace("m=audio", "m=audio 9 RTP/SAVP 8\r\nm=audio") + "m=video 6 RTP/AVP 31 34\r\na=sendonly\r\n";
        let (offer, others) = parse_offer(body.as_bytes()).unwrap();
        assert_eq!(offer.direction, Direction::SendRecv);
        let (answer, _) = negotiate(&offer, &ours()).unwrap();
        let text = String::from_utf8(write_answer(&answer, &others)).unwrap();
        let streams: Vec<&str> = text.lines().filter(|l| l.starts_with("m=")).collect();
        assert_eq!(streams, ["m=audio 0 RTP/SAVP 8", "m=audio 30000 RTP/AVP 8 101", "m=video 0 RTP/AVP 31"]);
        assert_eq!(parse(text.as_bytes()), Ok(answer));
    }

    proptest! {
        #[test]
        fn nothing_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&body);
        }

        #[test]
        fn reading_what_was_written_changes_nothing(
            cuts in proptest::collection::vec((0usize..400, any::<u8>()), 0..6),
        ) {
            let mut body = OFFER.as_bytes().to_vec();
            for (at, byte) in cuts {
                let at = at % body.len();
                body[at] = byte;
            }
            if let Ok(first) = parse(&body) && !first.formats.is_empty() {
                prop_assert_eq!(parse(&write(&first)), Ok(first));
            }
        }
    }
}
