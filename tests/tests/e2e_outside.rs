//! An agent calls a customer outside from a real phone: route, trunk, audio both ways, recording, record and the agent's
//! states, over a kill in the middle of the call; and a caller who gives up.

use std::time::Duration;
use tests::ensure;
use tests::peer::Outcome;
use tests::peer::appliance::Fact;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::capture::stream_to;
use tests::peer::floor::{Floor, SOON};
use tests::peer::sipp::{MEDIA_PORT, Scenario};
use tests::peer::site::Site;
use tests::peer::speech::voice;

/// From the first word to the carrier's goodbye.
const CALL: Duration = Duration::from_secs(30);

fn site(net: u8) -> Site {
    let mut site = Site::new(net).agent("1001", "2001");
    // Recorded because the route says so.
    site.record = false;
    let way = "trunk carrier; caller-id 4001234; record yes;";
    site.extra = format!("route local {{ prefix 9; strip 1; length-min 5; {way} }}\n");
    site
}

/// The carrier at the port to which trunks are called that name none.
fn carrier(floor: &Floor, name: &str) -> Scenario {
    let mut carrier = Scenario::new(name, floor.site.trunk(), floor.site.sip(), "carrier");
    carrier.port = 5060;
    carrier
}

/// The states that the agent entered, each with its reason.
fn states(facts: &[Fact]) -> Vec<String> {
    let mine = facts.iter().filter(|fact| fact.kind == "AgentState");
    mine.map(|fact| fact.detail["to"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_agent_talks_to_a_customer_outside() -> Outcome {
    let mut floor = Floor::open("outside-call", site(13))?;
    let said = voice(1013, 40);
    let carrier = carrier(&floor, "trunk_answer").saying(said.clone(), &[]).start(floor.place.path())?;
    let mut agent = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    agent.dial("95551234")?;
    agent.established()?;
    agent.hears(5000, CALL)?;
    agent.closed(CALL)?;
    let messages = carrier.messages();
    carrier.finish(CALL)?;
    let called = messages.contains("INVITE sip:5551234@") && messages.contains("<sip:4001234@cordboard>");
    ensure!(called, "the carrier is called otherwise:\n{messages}");

    demand("the agent hears the customer", &said, &agent.heard()?, 5000, 60)?;
    let packets = floor.capture.so_far()?;
    let heard = stream_to(&packets, floor.site.trunk(), MEDIA_PORT);
    demand("the customer hears the agent", &floor.site.voice("2001"), &heard.audio(), 5000, 60)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.application == "Dial" && cdr.queue.is_empty(), "{cdr:?}");
    ensure!(cdr.source == "2001" && cdr.destination == "95551234", "{cdr:?}");
    ensure!(cdr.ended_by == "trunk carrier" && cdr.talk_s >= 7, "{cdr:?}");
    floor.recording_holds(&cdr.recording, &floor.site.voice("2001"), &said, 5000, 400)?;
    let story = floor.appliance.story(&cdr.call)?;
    ensure!(story.contains("trunk carrier 5551234") && story.contains("route local prefix 9"), "{story}");
    let facts = floor.close(vec![agent], 1)?;
    ensure!(states(&facts) == ["ready", "outbound", "ready"], "{:?}", states(&facts));
    Ok(())
}

#[test]
fn a_call_to_the_outside_goes_on_over_a_kill() -> Outcome {
    let mut floor = Floor::open("outside-kill", site(14))?;
    let said = voice(1014, 40);
    let carrier = carrier(&floor, "trunk_answer").saying(said.clone(), &[]).start(floor.place.path())?;
    let mut agent = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    agent.dial("95551234")?;
    agent.established()?;
    agent.hears(1500, SOON)?;
    floor.appliance.kill9()?;
    floor.appliance.restart()?;
    agent.closed(CALL)?;
    carrier.finish(CALL)?;
    demand("the agent hears the customer", &said, &agent.heard()?, 5000, 1500)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.ended_by == "trunk carrier", "{cdr:?}");
    let facts = floor.close(vec![agent], 1)?;
    ensure!(facts.iter().any(|fact| fact.kind == "Recovered"), "{facts:#?}");
    ensure!(states(&facts) == ["ready", "outbound", "ready"], "{:?}", states(&facts));
    Ok(())
}

#[test]
fn a_silent_trunk_a_barred_number_and_a_caller_who_gives_up() -> Outcome {
    // Nobody listens at the carrier's address.
    let floor = Floor::open("outside-none", site(15))?;
    let mut agent = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    agent.dial("9001234567")?;
    agent.closed(SOON)?;
    agent.dial("95551234")?;
    floor.appliance.wait_facts(SOON, "the trunk to be called", |facts| {
        facts.iter().any(|fact| fact.detail["message"].as_str().is_some_and(|m| m.contains("5551234@"))).then_some(())
    })?;
    agent.hangup()?;
    let facts = floor.appliance.all_ended(2)?;
    let ends: Vec<_> = facts.iter().filter(|fact| fact.kind == "CallEnded").map(|f| &f.detail["disposition"]).collect();
    ensure!(ends == ["FAILED", "NO ANSWER"], "{ends:?}");
    let facts = floor.close(vec![agent], 2)?;
    ensure!(states(&facts) == ["ready", "personal", "ready", "outbound", "ready"], "{:?}", states(&facts));
    Ok(())
}
