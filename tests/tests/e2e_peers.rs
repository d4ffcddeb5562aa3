//! The measuring instruments measured: two phones call each other without any box between them, so that a failure here
//! is the harness's or the machine's, never the product's.

use std::net::Ipv4Addr;
use std::time::Duration;
use tests::ensure;
use tests::peer::baresip::{Answer, Baresip, Transport};
use tests::peer::capture::{Capture, ladder, stream_to};
use tests::peer::record::Workplace;
use tests::peer::site::Site;
use tests::peer::{Outcome, audio};

#[test]
fn two_phones_alone_hear_each_other_and_the_capture_saw_it() -> Outcome {
    let place = Workplace::new("peers")?;
    let site = Site::new(250);
    let (sip, rtp) = (site.phone_port("2001"), site.phone_rtp("2001"));
    let filter = format!("udp portrange {rtp}-{} or udp port {sip}", rtp + 7);
    let mut capture = Capture::start(&filter, site.address(254), site.phone_port("2001"), place.path())?;
    let phone = |extension: &str| {
        let mut phone = site.phone(extension, Transport::Udp, Answer::Manual);
        phone.register_s = 0;
        Baresip::start(&phone, place.path())
    };
    let (mut caller, mut callee) = (phone("2001")?, phone("2002")?);
    caller.dial(&format!("sip:2002@127.0.0.1:{}", site.phone_port("2002")))?;
    callee.ringing(Duration::from_secs(5))?;
    callee.accept()?;
    caller.established()?;
    callee.established()?;
    caller.hears(2000, Duration::from_secs(10))?;
    caller.digit('5')?;
    let digit = callee.event("CALL_DTMF_START", Duration::from_secs(5))?;
    ensure!(digit.param() == "5", "the digit heard is {digit:?}");
    callee.hears(3500, Duration::from_secs(10))?;
    callee.hangup()?;
    caller.closed(Duration::from_secs(5))?;
    callee.closed(Duration::from_secs(5))?;

    let runs = audio::follow(&site.voice("2001"), &callee.heard()?, 100, 0.8);
    ensure!(runs.iter().map(|run| run.length_ms).sum::<i64>() > 2000, "2002 heard {runs:?}");
    let strange = audio::follow(&site.voice("2002"), &callee.heard()?, 100, 0.8);
    ensure!(strange.is_empty(), "2002 heard itself: {strange:?}");

    let packets = capture.so_far()?;
    let stream = stream_to(&packets, Ipv4Addr::LOCALHOST, site.phone_rtp("2001"));
    ensure!(stream.ssrcs.len() == 1, "one source, not {:?}", stream.ssrcs);
    ensure!(stream.longest_gap_ms().0 < 200, "a hole of {:?}", stream.longest_gap_ms());
    let wire = audio::follow(&site.voice("2002"), &stream.audio(), 100, 0.8);
    ensure!(wire.iter().map(|run| run.length_ms).sum::<i64>() > 2000, "on the wire {wire:?}");
    let messages = ladder(&packets);
    ensure!(messages.iter().any(|m| m.contains("BYE sip:")), "no BYE in {messages:#?}");
    capture.stop()?;
    caller.stop()?;
    callee.stop()?;
    place.passed();
    Ok(())
}
