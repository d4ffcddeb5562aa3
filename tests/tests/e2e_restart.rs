//! kill -9 in the middle of calls. A supervisor starts the program again at once; the call goes on, at most a second is
//! missing in what the phone receives and in the recording, and the record of the call is whole. `CORDBOARD_KILLS` says
//! how many random moments are tried (10 when it says nothing).

use std::net::Ipv4Addr;
use std::time::Duration;
use tests::ensure;
use tests::peer::Outcome;
use tests::peer::appliance::ladder;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Baresip, Transport};
use tests::peer::capture::stream_to;
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::sim::dice::Dice;

/// What may be missing after one kill, in ms.
const GAP_MS_MAX: i64 = 1000;
/// What a phone may take to repeat a message that fell into the gap (RFC 3261 timers A, E and G: at most 4 s apart).
const REPEAT: Duration = Duration::from_secs(10);

fn phones(floor: &Floor) -> Outcome<(Baresip, Baresip)> {
    let phone = |extension: &str| floor.phone(extension, Transport::Udp, Answer::Manual);
    Ok((phone("2001")?, phone("2002")?))
}

/// Demands that neither phone's stream had a hole longer than a second, and tells the longest.
fn no_long_hole(floor: &mut Floor) -> Outcome<i64> {
    let packets = floor.capture.so_far()?;
    let mut longest = 0;
    for extension in ["2001", "2002"] {
        let stream = stream_to(&packets, Ipv4Addr::LOCALHOST, floor.site.phone_rtp(extension));
        let (gap, at) = stream.longest_gap_ms();
        ensure!(gap <= GAP_MS_MAX, "{extension} heard nothing for {gap} ms from {at} µs on");
        longest = longest.max(gap);
    }
    Ok(longest)
}

#[test]
fn a_call_talks_on_over_a_kill() -> Outcome {
    let mut floor = Floor::open("restart-talk", Site::new(1))?;
    let (mut caller, mut callee) = phones(&floor)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(2000, SOON)?;
    floor.appliance.kill9()?;
    let away = floor.appliance.restart()?;
    ensure!(away < Duration::from_secs(1), "the restart took {away:?}");
    caller.hears(5500, REPEAT)?;
    callee.hears(5500, SOON)?;
    caller.hangup()?;
    callee.closed(SOON)?;
    let gap = no_long_hole(&mut floor)?;
    println!("restart in {} ms, longest hole in the RTP of a phone {gap} ms", away.as_millis());
    let (one, two) = (floor.site.voice("2001"), floor.site.voice("2002"));
    demand("2001 hears 2002", &two, &caller.heard()?, 3500, GAP_MS_MAX)?;
    demand("2002 hears 2001", &one, &callee.heard()?, 3500, GAP_MS_MAX)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.talk_s >= 4, "{cdr:?}");
    floor.recording_holds(&cdr.recording, &one, &two, 3500, GAP_MS_MAX)?;
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn a_bye_that_falls_into_the_gap_ends_the_call() -> Outcome {
    let mut floor = Floor::open("restart-bye", Site::new(2))?;
    let (mut caller, mut callee) = phones(&floor)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(1500, SOON)?;
    floor.appliance.kill9()?;
    caller.hangup()?;
    floor.appliance.restart()?;
    callee.closed(REPEAT)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED", "{cdr:?}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn an_answer_that_falls_into_the_gap_connects_the_call() -> Outcome {
    let mut floor = Floor::open("restart-answer", Site::new(3))?;
    let (mut caller, mut callee) = phones(&floor)?;
    caller.dial("2002")?;
    callee.ringing(SOON)?;
    caller.event("CALL_RINGING", SOON)?;
    floor.appliance.kill9()?;
    callee.accept()?;
    floor.appliance.restart()?;
    caller.event("CALL_ESTABLISHED", REPEAT)?;
    callee.event("CALL_ESTABLISHED", REPEAT)?;
    caller.hears(2500, REPEAT)?;
    callee.hears(2500, SOON)?;
    callee.hangup()?;
    caller.closed(SOON)?;
    floor.heard_each_other(("2001", &caller), ("2002", &callee), 1500)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED", "{cdr:?}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn a_key_pressed_into_the_gap_leaves_the_menu_as_it_was() -> Outcome {
    let mut floor = Floor::open("restart-key", Site::new(4).agent("1001", "2002"))?;
    let (mut caller, mut callee) = phones(&floor)?;
    caller.dial("8001")?;
    caller.established()?;
    caller.hears(1500, SOON)?;
    floor.appliance.kill9()?;
    caller.digit('2')?;
    floor.appliance.restart()?;
    // The key may be lost with the program that should have heard it; the caller presses again, as people do.
    if callee.ringing(Duration::from_secs(2)).is_err() {
        caller.digit('2')?;
        callee.ringing(REPEAT)?;
    }
    callee.accept()?;
    callee.established()?;
    callee.hears(2500, SOON)?;
    callee.hangup()?;
    caller.closed(SOON)?;
    demand("the agent hears the caller", &floor.site.voice("2001"), &callee.heard()?, 1500, 60)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.queue == "support" && cdr.disposition == "ANSWERED", "{cdr:?}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

fn kills() -> usize {
    std::env::var("CORDBOARD_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// One long call, killed again and again while it talks: each hole is measured on the wire.
#[test]
fn one_call_outlives_many_kills_while_it_talks() -> Outcome {
    let kills = kills();
    let mut site = Site::new(5);
    site.voice_s = 20 + 2 * u32::try_from(kills).unwrap_or(100);
    let mut floor = Floor::open("restart-many", site)?;
    let (mut caller, mut callee) = phones(&floor)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    let mut dice = Dice::new(5, kills as u64);
    let (mut heard_ms, mut slowest) = (1000, Duration::ZERO);
    for kill in 0..kills {
        // Time passes by what a phone hears; a dead box would be noticed here.
        caller.hears(heard_ms, REPEAT)?;
        heard_ms += 300 + i64::try_from(dice.below(1200)).unwrap_or(0);
        floor.appliance.kill9()?;
        let away = floor.appliance.restart()?;
        ensure!(away < Duration::from_secs(1), "restart {kill} took {away:?}");
        slowest = slowest.max(away);
    }
    caller.hears(heard_ms + 1000, REPEAT)?;
    caller.hangup()?;
    callee.closed(SOON)?;
    let longest = no_long_hole(&mut floor)?;
    println!("{kills} kills: slowest restart {} ms, longest hole {longest} ms", slowest.as_millis());
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED", "{cdr:?}");
    let missing = GAP_MS_MAX * i64::try_from(kills).unwrap_or(1);
    floor.recording_holds(&cdr.recording, &floor.site.voice("2001"), &floor.site.voice("2002"), 1000, missing)?;
    let facts = floor.close(vec![caller, callee], 1)?;
    let recovered = facts.iter().filter(|fact| fact.kind == "Recovered").count();
    ensure!(recovered == kills, "{recovered} of {kills} recoveries are in the journal:\n{}", ladder(&facts));
    Ok(())
}

/// Call after call, each killed at a random message of its life: it must come up or come to an end, on both sides.
#[test]
fn calls_killed_at_random_moments_reach_an_end_on_both_sides() -> Outcome {
    let mut floor = Floor::open("restart-random", Site::new(6))?;
    let (mut caller, mut callee) = phones(&floor)?;
    let rounds = kills();
    let mut dice = Dice::new(6, rounds as u64);
    for round in 0..rounds {
        let from = floor.capture.packets.len();
        let count = 1 + dice.below(12) as usize;
        callee.from_now();
        caller.dial("2002")?;
        let mut answered = false;
        let mut place = from;
        for _ in 0..count {
            // Every SIP message on the wire is a step; when none comes any more, the moment is now.
            match floor.capture.packets.wait(place, Duration::from_millis(300), "a message", |p| p.sip().is_some()) {
                Ok((found, _)) => place = found + 1,
                Err(_) => break,
            }
            if !answered && callee.pending().iter().any(|event| event.kind == "CALL_INCOMING") {
                callee.accept()?;
                answered = true;
            }
        }
        floor.appliance.kill9()?;
        let away = floor.appliance.restart()?;
        ensure!(away < Duration::from_secs(1), "restart {round} took {away:?}");
        if !answered {
            callee.ringing(REPEAT)?;
            callee.accept()?;
        }
        caller.event("CALL_ESTABLISHED", REPEAT)?;
        callee.event("CALL_ESTABLISHED", REPEAT)?;
        caller.hangup()?;
        callee.closed(REPEAT)?;
        ensure!(!caller.has_call()? && !callee.has_call()?, "round {round} left a call");
    }
    floor.appliance.all_ended(rounds)?;
    let answered = floor.appliance.cdrs()?.iter().filter(|cdr| cdr.disposition == "ANSWERED").count();
    ensure!(answered == rounds, "{answered} of {rounds} calls are answered in their records");
    floor.close(vec![caller, callee], rounds).map(|_| ())
}
