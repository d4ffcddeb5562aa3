//! A carrier calls in over a SIP trunk: number, menu, key by RFC 4733, queue, agent at a real phone, recording in two
//! channels, and the end from either side.

use std::time::Duration;
use tests::ensure;
use tests::peer::Outcome;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::capture::stream_to;
use tests::peer::floor::{Floor, SOON};
use tests::peer::sipp::{MEDIA_PORT, Scenario};
use tests::peer::site::Site;
use tests::peer::speech::voice;

/// From the key to the ringing phone, and a menu prompt before that.
const MENU: Duration = Duration::from_secs(15);

#[test]
fn a_carrier_reaches_an_agent_through_menu_and_queue() -> Outcome {
    let mut floor = Floor::open("trunk-agent", Site::new(10).agent("1001", "2001"))?;
    let mut agent = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let said = voice(1010, 40);
    let carrier = Scenario::new("trunk_call", floor.site.trunk(), floor.site.sip(), "4001234");
    let carrier = carrier.saying(said.clone(), &[(2500, '2')]).start(floor.place.path())?;
    agent.ringing(MENU)?;
    agent.accept()?;
    agent.established()?;
    agent.hears(4000, MENU)?;
    agent.hangup()?;
    carrier.finish(MENU)?;

    demand("the agent hears the carrier", &said, &agent.heard()?, 3000, 60)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.queue == "support" && cdr.offers == 1, "{cdr:?}");
    ensure!(cdr.destination == "4001234" && cdr.source.contains("13800138000"), "{cdr:?}");
    // The caller's channel begins when the box answers, the key among it; the agent's begins with the agent's 200.
    floor.recording_holds(&cdr.recording, &said, &floor.site.voice("2001"), 3000, 400)?;
    let packets = floor.capture.so_far()?;
    let heard = stream_to(&packets, floor.site.trunk(), MEDIA_PORT);
    ensure!(heard.longest_gap_ms().0 < 200, "the carrier's stream has a hole of {:?}", heard.longest_gap_ms());
    demand("the carrier hears the agent", &floor.site.voice("2001"), &heard.audio(), 3000, 60)?;
    let facts = floor.close(vec![agent], 1)?;
    let digit = facts.iter().find(|fact| fact.kind == "Digit");
    ensure!(digit.is_some_and(|fact| fact.detail["digit"] == "2"), "no key in {facts:#?}");
    Ok(())
}

#[test]
fn a_carrier_that_hangs_up_while_waiting_is_an_abandoned_call() -> Outcome {
    // No phone is registered: nobody can be offered the call, the caller waits with music.
    let mut floor = Floor::open("trunk-abandon", Site::new(11).agent("1001", "2001"))?;
    let said = voice(1011, 10);
    let carrier = Scenario::new("trunk_abandon", floor.site.trunk(), floor.site.sip(), "4001234");
    carrier.saying(said, &[(1500, '2')]).run(floor.place.path(), MENU)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.queue.is_empty() && cdr.application == "Queue", "{cdr:?}");
    let packets = floor.capture.so_far()?;
    let heard = stream_to(&packets, floor.site.trunk(), MEDIA_PORT).audio();
    ensure!(heard.part(heard.length_ms() - 1500, 1000).level() > 100.0, "no music while waiting");
    let facts = floor.close(Vec::new(), 1)?;
    ensure!(facts.iter().any(|fact| fact.kind == "Abandoned"), "not abandoned: {facts:#?}");
    Ok(())
}

#[test]
fn a_number_that_nobody_has_is_refused_and_a_stranger_is_no_carrier() -> Outcome {
    let floor = Floor::open("trunk-unknown", Site::new(12).agent("1001", "2001"))?;
    let dir = floor.place.path();
    let unknown = Scenario::new("invite_refused", floor.site.trunk(), floor.site.sip(), "4009999");
    unknown.run(dir, SOON)?;
    // From another address the same call is nobody's: it is asked for credentials.
    let stranger = Scenario::new("invite_challenged", floor.site.address(66), floor.site.sip(), "4001234");
    stranger.run(dir, SOON)?;
    floor.appliance.alive()?;
    floor.appliance.stop()?;
    floor.capture.stop()?;
    floor.place.passed();
    Ok(())
}
