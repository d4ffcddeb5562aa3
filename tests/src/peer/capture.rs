//! What was on the wire: tshark on loopback, limited to one test's addresses, read packet by packet while it runs.
//! SIP comes dissected (also out of TCP); RTP is read here from the UDP payload, because tshark needs to be told ports.

use super::audio::Pcm;
use super::process::{Process, program};
use super::site::{BOX_PORT, Site};
use super::watch::Watch;
use super::{At, Outcome, Trouble};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::time::Duration;

/// The port of datagrams that mark a moment in the capture; the capture sends them to itself.
const MARK_PORT: u16 = 15_399;

/// One packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Kernel time stamp, in µs since 1970.
    pub at_us: i64,
    /// Sender.
    pub from: SocketAddrV4,
    /// Receiver.
    pub to: SocketAddrV4,
    /// What it is.
    pub content: Content,
}

/// What a packet carries.
#[derive(Clone, Debug)]
pub enum Content {
    /// A SIP message.
    Sip {
        /// Request or status line.
        first_line: String,
        /// Call-ID.
        call_id: String,
        /// CSeq, number and method.
        cseq: String,
    },
    /// An RTP packet (RFC 3550 §5.1).
    Rtp {
        /// Payload type.
        payload_type: u8,
        /// Marker bit.
        marker: bool,
        /// Sequence number.
        sequence: u16,
        /// Time stamp, in samples.
        timestamp: u32,
        /// Synchronisation source.
        ssrc: u32,
        /// What is inside.
        payload: Vec<u8>,
    },
    /// Anything else over UDP.
    Datagram(Vec<u8>),
    /// A TCP segment without a SIP message's end.
    Segment,
}

/// A running capture.
pub struct Capture {
    process: Process,
    marker: UdpSocket,
    own: SocketAddrV4,
    marks: u32,
    /// Everything seen so far.
    pub packets: Watch<Packet>,
}

/// The packets of one direction of one voice stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Time of each packet in µs, in order.
    pub at_us: Vec<i64>,
    /// Distinct SSRCs in the order they came.
    pub ssrcs: Vec<u32>,
    /// Audio of the packets in order of arrival, A-law.
    pub alaw: Vec<u8>,
    /// Telephone-event packets.
    pub events: usize,
}

impl Capture {
    /// Captures what comes from or goes to the net of `site`.
    pub fn of(site: &Site, dir: &Path) -> Outcome<Capture> {
        Capture::start(&format!("net {}", site.net()), site.address(254), BOX_PORT, dir)
    }

    /// Starts capturing what `filter` (pcap-filter) takes. Returns once packets really are seen. `marks` is an address
    /// of the caller's own for marks; `sip_port` is decoded as SIP over UDP and TCP.
    pub fn start(filter: &str, marks: Ipv4Addr, sip_port: u16, dir: &Path) -> Outcome<Capture> {
        let program = program("tshark", "tshark")?;
        let filter = format!(
            "(({filter}) and not port 15300 and not icmp) or (udp port {MARK_PORT} and src host {marks} and not icmp)"
        );
        let mut args: Vec<String> = ["-l", "-n", "-i", "lo", "-f"].map(str::to_owned).to_vec();
        args.push(filter);
        args.extend([format!("-dudp.port=={sip_port},sip"), format!("-dtcp.port=={sip_port},sip")]);
        args.extend(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"].map(str::to_owned));
        let fields = [
            "frame.time_epoch",
            "ip.src",
            "udp.srcport",
            "tcp.srcport",
            "ip.dst",
            "udp.dstport",
            "tcp.dstport",
            "sip.Request-Line",
            "sip.Status-Line",
            "sip.Call-ID",
            "sip.CSeq",
            "udp.payload",
        ];
        args.extend(fields.iter().flat_map(|field| ["-e".to_owned(), (*field).to_owned()]));
        let process = Process::start("tshark", &program, args, dir, &[("TMPDIR", dir.display().to_string())])?;
        let own = SocketAddrV4::new(marks, MARK_PORT);
        let marker = UdpSocket::bind(own).at("socket of the capture's marks")?;
        marker.connect(own).at("socket of the capture's marks")?;
        let packets: Watch<Packet> = Watch::default();
        let (lines, sink) = (process.lines.clone(), packets.clone());
        std::thread::spawn(move || {
            let mut next = 0;
            // A quiet capture is no trouble: the wait is bounded only by the end of tshark.
            while let Ok((place, line)) = lines.wait(next, Duration::from_secs(3600), "a packet", |_| true) {
                next = place + 1;
                packet(&line).into_iter().for_each(|packet| sink.push(packet));
            }
            sink.close();
        });
        let mut capture = Capture { process, marker, own, marks: 0, packets };
        if !(0..100).any(|_| capture.sees_marks()) {
            let said = capture.process.output();
            return Err(Trouble(format!("tshark sees no packets on lo: {said}; remedy: run as root or allow capture")));
        }
        Ok(capture)
    }

    /// Sends a mark and waits until the capture has shown it: everything sent before is in [`packets`](Self::packets)
    /// then. Gives the place of the mark.
    pub fn mark(&mut self, limit: Duration) -> Outcome<usize> {
        self.marks += 1;
        let (wanted, own) = (self.marks.to_be_bytes(), self.own);
        self.marker.send(&wanted).at("mark for the capture")?;
        let is_mark = |packet: &Packet| {
            packet.to == own && matches!(&packet.content, Content::Datagram(bytes) if bytes[..] == wanted)
        };
        self.packets.wait(0, limit, "the capture's mark", is_mark).map(|(place, _)| place)
    }

    /// Sends one mark and tells whether any was seen a moment later: tshark says that it captures before it does.
    fn sees_marks(&mut self) -> bool {
        self.marks += 1;
        let own = self.own;
        let sent = self.marker.send(&self.marks.to_be_bytes()).is_ok();
        let wait = Duration::from_millis(200);
        sent && self.packets.wait(0, wait, "any mark", |packet| packet.to == own).is_ok()
    }

    /// Everything up to now.
    pub fn so_far(&mut self) -> Outcome<Vec<Packet>> {
        self.mark(Duration::from_secs(20))?;
        Ok(self.packets.since(0))
    }

    /// Ends the capture and gives everything.
    pub fn stop(mut self) -> Outcome<Vec<Packet>> {
        let packets = self.so_far()?;
        self.process.stop(Duration::from_secs(10))?;
        Ok(packets)
    }
}

/// tshark has a child that captures; it would stay, and keep what it inherited, after a test that failed.
impl Drop for Capture {
    fn drop(&mut self) {
        self.process.end_with_children();
    }
}

impl Packet {
    /// The first line, when it is SIP.
    pub fn sip(&self) -> Option<&str> {
        match &self.content {
            Content::Sip { first_line, .. } => Some(first_line),
            _ => None,
        }
    }
}

/// The RTP that went to a phone with `port` as the first of its four RTP ports.
pub fn stream_to(packets: &[Packet], to: Ipv4Addr, port: u16) -> Stream {
    let mut stream = Stream::default();
    let here = packets.iter().filter(|p| *p.to.ip() == to && (port..port + 4).contains(&p.to.port()));
    for packet in here {
        let Content::Rtp { payload_type, ssrc, payload, .. } = &packet.content else { continue };
        if !stream.ssrcs.contains(ssrc) {
            stream.ssrcs.push(*ssrc);
        }
        if *payload_type == 8 {
            stream.at_us.push(packet.at_us);
            stream.alaw.extend_from_slice(payload);
        } else if *payload_type >= 96 {
            stream.events += 1;
        }
    }
    stream
}

impl Stream {
    /// Longest time without a packet between two packets, in ms, and when it began (µs since 1970).
    pub fn longest_gap_ms(&self) -> (i64, i64) {
        let gaps = self.at_us.windows(2).map(|pair| ((pair[1] - pair[0]) / 1000, pair[0]));
        gaps.max().unwrap_or((0, 0))
    }

    /// What was in the packets, one after the other; silence is not put where packets are missing.
    pub fn audio(&self) -> Pcm {
        Pcm::from_alaw(&self.alaw)
    }
}

/// Every SIP message as `SENDER -> RECEIVER FIRST LINE`, in order; retransmissions too.
pub fn ladder(packets: &[Packet]) -> Vec<String> {
    packets.iter().filter_map(|p| p.sip().map(|line| format!("{} -> {} {line}", p.from, p.to))).collect()
}

/// One line of tshark's fields; nothing when it is one of its remarks.
fn packet(line: &str) -> Option<Packet> {
    let fields: Vec<&str> = line.split('\t').collect();
    let (time, rest) = fields.split_first()?;
    let [from_ip, from_udp, from_tcp, to_ip, to_udp, to_tcp, request, status, call_id, cseq] = rest.get(..10)? else {
        return None;
    };
    let (seconds, fraction) = time.split_once('.')?;
    let fraction: i64 = fraction.get(..6)?.parse().ok()?;
    let end = |ip: &str, udp: &str, tcp: &str| -> Option<SocketAddrV4> {
        let port = if udp.is_empty() { tcp } else { udp };
        Some(SocketAddrV4::new(ip.parse().ok()?, port.parse().ok()?))
    };
    let bytes = rest.get(10).map(|hex| bytes_of(hex)).unwrap_or_default();
    let content = match (request.is_empty(), status.is_empty(), bytes.is_empty()) {
        (true, true, true) => Content::Segment,
        (true, true, false) => rtp(&bytes).unwrap_or(Content::Datagram(bytes)),
        (false, _, _) => sip(request, call_id, cseq),
        (true, false, _) => sip(status, call_id, cseq),
    };
    Some(Packet {
        at_us: seconds.parse::<i64>().ok()? * 1_000_000 + fraction,
        from: end(from_ip, from_udp, from_tcp)?,
        to: end(to_ip, to_udp, to_tcp)?,
        content,
    })
}

fn sip(first_line: &str, call_id: &str, cseq: &str) -> Content {
    Content::Sip { first_line: first_line.into(), call_id: call_id.into(), cseq: cseq.into() }
}

/// Version 2 and a payload type that is not one of RTCP's (RFC 5761 §4).
fn rtp(bytes: &[u8]) -> Option<Content> {
    let header: [u8; 12] = bytes.get(..12)?.try_into().ok()?;
    let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = header;
    if first >> 6 != 2 || (64..96).contains(&(second & 0x7f)) {
        return None;
    }
    Some(Content::Rtp {
        payload_type: second & 0x7f,
        marker: second & 0x80 != 0,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        payload: bytes.get(12 + usize::from(first & 0x0f) * 4..)?.to_vec(),
    })
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    hex.as_bytes().chunks_exact(2).filter_map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_fields_becomes_rtp() {
        let line = "1795295979.562040129\t127.0.0.1\t26000\t\t127.0.0.2\t26002\t\t\t\t\t\t80880001000000a0deadbeefd5d5";
        let read = packet(line).unwrap();
        assert_eq!((read.at_us, read.from.port(), read.to.port()), (1_795_295_979_562_040, 26000, 26002));
        let Content::Rtp { payload_type: 8, marker: true, sequence: 1, timestamp: 160, ssrc, payload } = read.content
        else {
            panic!("{read:?}")
        };
        assert_eq!((ssrc, payload), (0xdead_beef, vec![0xd5, 0xd5]));
    }

    #[test]
    fn a_line_of_fields_becomes_sip_and_remarks_are_no_packets() {
        let line = "1.000001000\t127.0.0.1\t\t5060\t127.0.0.2\t\t15200\t\tSIP/2.0 200 OK\tabc\t1 INVITE\t";
        assert_eq!(packet(line).unwrap().sip(), Some("SIP/2.0 200 OK"));
        assert!(packet("Capturing on 'Loopback: lo'").is_none());
    }
}
