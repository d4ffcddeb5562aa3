//! From an agent's BYE to the next INVITE at the same agent, on the wire, with callers always waiting and no wrap-up.

use super::report::{Report, Row};
use super::sipp::Load;
use super::stage::{CALLEES, Plan, SIP, Stage, Turns};
use ::tests::peer::capture::{Capture, Content, Packet};
use ::tests::peer::{Outcome, Trouble};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const AGENTS: u32 = 10;
const WAITING: u32 = 20;
const TALK_MS: u32 = 200;
/// Calls in all; all but the last few are followed by another.
const CALLS: u32 = 700;
/// Asterisk 22: from an agent being free to ringing, median and 99 of 100.
const PEER_MS: [f64; 2] = [438.0, 1_372.0];

/// Runs once.
pub fn measure(report: &mut Report) -> Outcome {
    let (stage, _) = Stage::open(Plan { name: "latency", phones: AGENTS, agents: AGENTS, record: true, queues: 0 })?;
    stage.register()?;
    let marks = CALLEES.0;
    let mut capture = Capture::start(&format!("udp port {}", SIP.port()), marks, SIP.port(), stage.place.path())?;
    let agents = stage.callees("bench_agent", TALK_MS)?;
    let load = Load { rate: 100, at_once: AGENTS + WAITING, calls: Some(CALLS), ..stage.waiting() };
    let mut callers = load.start(stage.place.path())?;
    let counts = callers.finish(Duration::from_secs(180))?;
    let packets = capture.so_far()?;
    let agents = agents.close()?;
    capture.stop()?;
    let turns = stage.close()?;

    let mut waits = waits_us(&packets, SocketAddr::from(CALLEES));
    waits.sort_unstable();
    let at = |part: usize| waits.get((waits.len() * part / 1000).min(waits.len().saturating_sub(1))).copied();
    let figures = [("p50", at(500), Some(PEER_MS[0])), ("p99", at(990), Some(PEER_MS[1])), ("worst", at(1000), None)];
    let case = format!("{AGENTS} agents, {WAITING} waiting");
    let mut row = |what: String, value: f64, unit: &'static str, peer: Option<f64>| {
        report.row(Row { bench: "latency", case: case.clone(), what, value, unit, peer });
    };
    for (what, value, peer) in figures {
        let value = value.ok_or_else(|| Trouble("no INVITE followed a BYE of an agent".into()))?;
        row(format!("BYE to next INVITE, {what}"), value as f64 / 1000.0, "ms", peer);
    }
    row("BYEs followed by an INVITE".into(), waits.len() as f64, "", None);
    row("calls failed".into(), (counts.failed + agents.failed) as f64, "", None);
    row("retransmissions".into(), (counts.retransmissions + agents.retransmissions) as f64, "", None);
    Turns::tell(turns, "latency", report);
    Ok(())
}

/// For each BYE of an agent at `phones`: µs until the next INVITE to the same agent.
fn waits_us(packets: &[Packet], phones: SocketAddr) -> Vec<i64> {
    let phone = |packet: &SocketAddr| *packet == phones;
    let (mut agent_of, mut free, mut waits) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for packet in packets {
        let Content::Sip { first_line, call_id, .. } = &packet.content else { continue };
        let end = |at: std::net::SocketAddrV4| SocketAddr::new(IpAddr::V4(*at.ip()), at.port());
        match first_line.split_once(' ') {
            Some(("INVITE", rest)) if phone(&end(packet.to)) => {
                let agent = rest.split('@').next().unwrap_or_default();
                let known = agent_of.insert(call_id.as_str(), agent).is_some();
                if let Some(since) = free.remove(agent).filter(|_| !known) {
                    waits.push(packet.at_us - since);
                }
            }
            Some(("BYE", _)) if phone(&end(packet.from)) => {
                // A repeated BYE finds its call gone.
                if let Some(agent) = agent_of.remove(call_id.as_str()) {
                    free.insert(agent, packet.at_us);
                }
            }
            _ => {}
        }
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddrV4;

    #[test]
    fn a_bye_is_followed_by_the_next_invite_to_the_same_agent() {
        let phones: SocketAddrV4 = "127.21.0.20:15620".parse().unwrap();
        let of = |at_us, line: &str, call: &str| {
            let (from, to) = if line.starts_with('B') {
                (phones, "127.0.0.1:9".parse().unwrap())
            } else {
                ("127.0.0.1:9".parse().unwrap(), phones)
            };
            let content = Content::Sip { first_line: line.into(), call_id: call.into(), cseq: String::new() };
            Packet { at_us, from, to, content }
        };
        let packets = [
            of(0, "INVITE sip:3001@a SIP/2.0", "1"),
            of(5, "INVITE sip:3002@a SIP/2.0", "2"),
            of(10, "BYE sip:x SIP/2.0", "1"),
            of(11, "BYE sip:x SIP/2.0", "2"),
            of(12, "BYE sip:x SIP/2.0", "1"),
            of(13, "INVITE sip:3002@a SIP/2.0", "3"),
            of(17, "INVITE sip:3001@a SIP/2.0", "4"),
        ];
        assert_eq!(waits_us(&packets, SocketAddr::V4(phones)), [2, 7]);
    }
}
