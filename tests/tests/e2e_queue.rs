//! The queue with real phones: an offer that nobody takes goes to the next agent, an agent logs out and in by code, the
//! next caller reaches the agent at once, and the echo test echoes.

use std::time::Duration;
use tests::ensure;
use tests::peer::audio::{demand, find};
use tests::peer::baresip::{Answer, Baresip, Transport};
use tests::peer::capture::Packet;
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::peer::softphone::turn_until;
use tests::peer::{At, Outcome, Trouble};
use tests::sim::phone::News;

/// Until a phone rings, an offer of 3 s to somebody else included.
const OFFERS: Duration = Duration::from_secs(10);

#[test]
fn an_offer_that_nobody_takes_goes_to_the_next_agent() -> Outcome {
    let mut site = Site::new(13).agent("1001", "2002").agent("1002", "2003");
    site.offer_timeout_s = 3;
    let floor = Floor::open("queue-rona", site)?;
    let phone = |extension: &str| floor.phone(extension, Transport::Udp, Answer::Manual);
    let (mut caller, mut first, mut second) = (phone("2001")?, phone("2002")?, phone("2003")?);
    caller.dial("8000")?;
    // Both are equally idle; whoever rings first lets it ring.
    let first_is_2002 = first.ringing(Duration::from_secs(2)).is_ok();
    let (silent, taker, name) =
        if first_is_2002 { (&mut first, &mut second, "2003") } else { (&mut second, &mut first, "2002") };
    taker.ringing(OFFERS)?;
    silent.closed(SOON)?;
    taker.accept()?;
    taker.established()?;
    taker.hears(2500, SOON)?;
    taker.hangup()?;
    caller.closed(SOON)?;
    demand("the agent hears the caller", &floor.site.voice("2001"), &taker.heard()?, 1500, 60)?;
    demand("the caller hears the agent", &floor.site.voice(name), &caller.heard()?, 1500, 60)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.offers == 2 && cdr.disposition == "ANSWERED" && cdr.queue == "support", "{cdr:?}");
    let facts = floor.close(vec![caller, first, second], 1)?;
    let lost = facts.iter().find(|fact| fact.kind == "OfferEnded" && fact.detail["cause"] == "no-answer");
    ensure!(lost.is_some(), "no offer ended by `no-answer`: {facts:#?}");
    Ok(())
}

/// Dials a feature code and hears its confirmation to the end.
fn code(phone: &mut Baresip, code: &str) -> Outcome {
    phone.dial(code)?;
    phone.established()?;
    phone.closed(Duration::from_secs(20)).map(|_| ())
}

#[test]
fn an_agent_logs_out_and_in_by_code() -> Outcome {
    let floor = Floor::open("queue-codes", Site::new(14).agent("1001", "2002"))?;
    let phone = |extension: &str| floor.phone(extension, Transport::Udp, Answer::Manual);
    let (mut caller, mut agent) = (phone("2001")?, phone("2002")?);
    code(&mut agent, "*45")?;
    agent.from_now();
    caller.dial("8000")?;
    caller.established()?;
    caller.hears(2000, SOON)?;
    ensure!(agent.pending().iter().all(|event| event.kind != "CALL_INCOMING"), "a logged-out agent was offered a call");
    code(&mut agent, "*45")?;
    agent.ringing(SOON)?;
    agent.accept()?;
    agent.established()?;
    agent.hears(2000, SOON)?;
    caller.hangup()?;
    agent.closed(SOON)?;
    demand("the agent hears the caller", &floor.site.voice("2001"), &agent.heard()?, 1000, 60)?;
    let facts = floor.close(vec![caller, agent], 3)?;
    let states: Vec<&str> =
        facts.iter().filter(|fact| fact.kind == "AgentState").filter_map(|fact| fact.detail["to"].as_str()).collect();
    ensure!(states.contains(&"logged-out"), "the agent was never logged out: {states:?}");
    Ok(())
}

/// The time from the agent's BYE to the next INVITE on the wire, with no wrap-up; and what one call costs the processor.
#[test]
fn the_next_caller_reaches_the_agent_at_once() -> Outcome {
    let rounds = 40_u32;
    let mut floor = Floor::open("queue-next", Site::new(17).agent("1001", "2003"))?;
    let mut agent = floor.softphone("2003", 33)?;
    let (mut one, mut two) = (floor.softphone("2001", 31)?, floor.softphone("2002", 32)?);
    let (mut left, mut right) = (one.dial("8000"), two.dial("8000"));
    for round in 0..rounds {
        turn_until(&mut [&mut one, &mut two, &mut agent], SOON, "an offer", |phones| phones[2].offered().is_some())?;
        let offer = agent.offered().at("offer")?;
        agent.answer(offer);
        turn_until(&mut [&mut one, &mut two, &mut agent], SOON, "the agent's call", |phones| {
            phones[2].news.contains(&News::Confirmed(offer))
        })?;
        agent.news.clear();
        agent.hang_up(offer);
        let over = |news: &News| matches!(news, News::Ended(_));
        turn_until(&mut [&mut one, &mut two, &mut agent], SOON, "the caller's end", |phones| {
            phones[..2].iter().any(|phone| phone.news.iter().any(over))
        })?;
        // Whoever was served calls again, as long as there are rounds.
        for (phone, call) in [(&mut one, &mut left), (&mut two, &mut right)] {
            if phone.news.iter().any(over) && round + 2 < rounds {
                phone.news.clear();
                *call = phone.dial("8000");
            }
        }
    }
    let packets = floor.capture.so_far()?;
    let (agent_ip, own_ip) = (floor.site.address(33), floor.site.box_address());
    let mut gaps_us: Vec<i64> = Vec::new();
    let mut bye: Option<&Packet> = None;
    for packet in &packets {
        let first = packet.sip().unwrap_or_default();
        if *packet.from.ip() == agent_ip && first.starts_with("BYE") {
            bye = Some(packet);
        } else if *packet.from.ip() == own_ip && *packet.to.ip() == agent_ip && first.starts_with("INVITE") {
            gaps_us.extend(bye.take().map(|bye| packet.at_us - bye.at_us));
        }
    }
    gaps_us.sort_unstable();
    let median = gaps_us.get(gaps_us.len() / 2).copied().ok_or_else(|| Trouble::new("no INVITE followed a BYE"))?;
    println!(
        "agent's BYE to the next INVITE: median {median} µs, longest {:?} µs of {}",
        gaps_us.last(),
        gaps_us.len()
    );
    ensure!(gaps_us.len() + 5 > rounds as usize && median < 50_000, "gaps of {gaps_us:?} µs");
    let facts = floor.appliance.all_ended(rounds as usize)?;
    ensure!(!facts.iter().any(|fact| fact.kind == "Abandoned"), "somebody was lost: {facts:#?}");
    floor.close(Vec::new(), rounds as usize).map(|_| ())
}

#[test]
fn the_echo_test_echoes() -> Outcome {
    let floor = Floor::open("echo", Site::new(19))?;
    let mut phone = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    phone.dial("*43")?;
    phone.established()?;
    phone.hears(9000, Duration::from_secs(15))?;
    phone.hangup()?;
    phone.closed(SOON)?;
    let heard = phone.heard()?;
    // The words of the introduction come first.
    let own = find(&heard.part(heard.length_ms() - 1500, 1000), &floor.site.voice("2001"));
    ensure!(own.is_some_and(|found| found.correlation > 0.8), "2001 does not hear itself: {own:?}");
    floor.close(vec![phone], 1).map(|_| ())
}
