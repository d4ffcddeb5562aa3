//! Extension calls extension with real phones: audio both ways, recording, record of the call and tear-down on both
//! sides, over UDP and TCP; and the calls that come to nothing.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tests::ensure;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::capture::{Content, Packet, ladder, stream_to};
use tests::peer::floor::{Floor, SOON};
use tests::peer::site::Site;
use tests::peer::softphone::turn_until;
use tests::peer::{Outcome, Trouble};
use tests::sim::phone::News;

/// A call that talks, ended by the caller or the callee.
fn talk(name: &str, net: u8, transports: [Transport; 2], caller_ends: bool) -> Outcome {
    let floor = Floor::open(name, Site::new(net))?;
    let mut caller = floor.phone("2001", transports[0], Answer::Manual)?;
    let mut callee = floor.phone("2002", transports[1], Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(3000, Duration::from_secs(15))?;
    callee.hears(3000, SOON)?;
    let (ends, other) = if caller_ends { (&mut caller, &mut callee) } else { (&mut callee, &mut caller) };
    ends.hangup()?;
    other.closed(SOON)?;
    floor.heard_each_other(("2001", &caller), ("2002", &callee), 2500)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "ANSWERED" && cdr.talk_s >= 2, "{cdr:?}");
    ensure!(cdr.source == "2001" && cdr.destination == "2002", "{cdr:?}");
    ensure!(!cdr.recording.is_empty(), "the extension has `record yes` and no recording: {cdr:?}");
    floor.recording_holds(&cdr.recording, &floor.site.voice("2001"), &floor.site.voice("2002"), 2500, 60)?;
    let story = floor.appliance.story(&cdr.call)?;
    ensure!(story.contains("2001") && story.contains("2002"), "the story names nobody:\n{story}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn over_udp_the_caller_hangs_up() -> Outcome {
    talk("extension-udp", 1, [Transport::Udp, Transport::Udp], true)
}

#[test]
fn over_tcp_the_callee_hangs_up() -> Outcome {
    talk("extension-tcp", 2, [Transport::Tcp, Transport::Tcp], false)
}

#[test]
fn from_tcp_to_udp_the_caller_hangs_up() -> Outcome {
    talk("extension-mixed", 3, [Transport::Tcp, Transport::Udp], true)
}

/// What baresip hears after a hold is in no file of its own, so the wire tells.
#[test]
fn a_held_call_comes_back_with_both_voices() -> Outcome {
    let mut floor = Floor::open("extension-hold", Site::new(9))?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Tcp, Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(1500, SOON)?;
    let sip = |line: &'static str| move |p: &Packet| p.sip().is_some_and(|first| first.starts_with(line));
    let mut from = floor.capture.mark(SOON)?;
    for step in ["hold", "resume"] {
        if step == "hold" {
            caller.hold()?
        } else {
            caller.resume()?
        }
        let packets = &floor.capture.packets;
        let (at, _) = packets.wait(from, SOON, &format!("the INVITE of {step}"), sip("INVITE"))?;
        let (at, _) = packets.wait(at, SOON, &format!("the answer to {step}"), sip("SIP/2.0 200"))?;
        (from, _) = packets.wait(at, SOON, &format!("the ACK of {step}"), sip("ACK"))?;
    }
    let resumed = floor.capture.mark(SOON)?;
    let loud = |port: u16| move |p: &Packet| p.to.port() == port && matches!(p.content, Content::Rtp { .. });
    for extension in ["2001", "2002"] {
        let mut place = resumed;
        for _ in 0..100 {
            let port = floor.site.phone_rtp(extension);
            let what = format!("RTP to {extension} after the hold");
            let voice = move |p: &Packet| loud(port)(p) || loud(port + 2)(p);
            place = floor.capture.packets.wait(place, SOON, &what, voice)?.0 + 1;
        }
    }
    let packets = floor.capture.so_far()?.split_off(resumed);
    for (hearer, speaker) in [("2001", "2002"), ("2002", "2001")] {
        let heard = stream_to(&packets, Ipv4Addr::LOCALHOST, floor.site.phone_rtp(hearer)).audio();
        demand(&format!("{hearer} hears {speaker} after the hold"), &floor.site.voice(speaker), &heard, 1500, 60)?;
    }
    caller.hangup()?;
    callee.closed(SOON)?;
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn a_busy_phone_refuses_and_the_caller_hears_why() -> Outcome {
    let floor = Floor::open("extension-busy", Site::new(4))?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    caller.dial("2002")?;
    callee.ringing(SOON)?;
    callee.hangup()?;
    let closed = caller.closed(SOON)?;
    ensure!(closed.param().starts_with("486"), "closed with {closed:?}");
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "BUSY", "{cdr:?}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn nobody_answers_and_the_ringing_ends_by_itself() -> Outcome {
    let mut site = Site::new(5);
    site.ring_timeout_s = 5;
    let mut floor = Floor::open("extension-no-answer", site)?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    caller.dial("2002")?;
    callee.ringing(SOON)?;
    let closed = caller.closed(Duration::from_secs(10))?;
    ensure!(closed.param().starts_with("480") || closed.param().starts_with("408"), "closed with {closed:?}");
    callee.closed(SOON)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "NO ANSWER" && cdr.talk_s == 0, "{cdr:?}");
    let messages = ladder(&floor.capture.so_far()?);
    ensure!(messages.iter().any(|m| m.contains("CANCEL sip:")), "the callee was not cancelled: {messages:#?}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn the_caller_gives_up_while_it_rings() -> Outcome {
    let floor = Floor::open("extension-cancel", Site::new(6))?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Tcp, Answer::Manual)?;
    caller.dial("2002")?;
    callee.ringing(SOON)?;
    caller.event("CALL_RINGING", SOON)?;
    caller.hangup()?;
    callee.closed(SOON)?;
    let cdr = floor.only_cdr()?;
    ensure!(cdr.disposition == "NO ANSWER", "{cdr:?}");
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn a_phone_that_is_not_there_is_told_at_once() -> Outcome {
    let floor = Floor::open("extension-absent", Site::new(7))?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    caller.dial("2003")?;
    let closed = caller.closed(SOON)?;
    ensure!(closed.param().starts_with("480"), "closed with {closed:?}");
    caller.dial("7777")?;
    let closed = caller.closed(SOON)?;
    ensure!(closed.param().starts_with("404"), "closed with {closed:?}");
    floor.close(vec![caller], 2).map(|_| ())
}

/// CANCEL and 200 cross on the wire, sixty times, in both orders and with up to a millisecond between them: each side must
/// reach an end, whichever came first (RFC 3261 §9.1, §15), and the box sends nothing that a phone must protest against.
#[test]
fn a_cancel_and_an_answer_that_cross_leave_nothing_behind() -> Outcome {
    let floor = Floor::open("extension-race", Site::new(8))?;
    let (mut caller, mut callee) = (floor.softphone("2001", 31)?, floor.softphone("2002", 32)?);
    for round in 0..60_u32 {
        caller.news.clear();
        callee.news.clear();
        let call = caller.dial("2002");
        turn_until(&mut [&mut caller, &mut callee], SOON, "ringing on both sides", |phones| {
            phones[1].offered().is_some() && phones[0].news.contains(&News::Progress(call, 180))
        })?;
        let offered = callee.offered().ok_or_else(|| Trouble::new("no offer"))?;
        let between = Duration::from_micros(u64::from(round / 2 * 37));
        if round % 2 == 0 {
            callee.answer(offered);
            spin(between);
            caller.hang_up(call);
        } else {
            caller.hang_up(call);
            spin(between);
            callee.answer(offered);
        }
        let what = format!("the end of round {round} on both sides");
        turn_until(&mut [&mut caller, &mut callee], SOON, &what, |phones| phones.iter().all(|phone| phone.is_idle()))?;
        let protests = [caller.protests(), callee.protests()].concat();
        ensure!(protests.is_empty(), "round {round}: {protests:?}");
    }
    let facts = floor.close(Vec::new(), 60)?;
    let answered = facts.iter().filter(|fact| fact.kind == "CallEnded" && fact.detail["disposition"] == "ANSWERED");
    println!("of 60 races the answer won {}", answered.count());
    Ok(())
}

/// Lets microseconds pass without giving the processor away: this is the distance between two messages, not a wait.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}
