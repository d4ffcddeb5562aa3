//! Another make of phone: linphone calls and is called, with audio both ways.

use std::net::Ipv4Addr;
use std::time::Duration;
use tests::ensure;
use tests::peer::Outcome;
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::capture::stream_to;
use tests::peer::floor::{Floor, SOON};
use tests::peer::linphone::{Linphone, RTP_PORT};
use tests::peer::site::Site;

/// What linphone's own jitter buffer may leave out while it finds its depth on a busy machine; what the box sent is held
/// to the usual bound on the wire.
const OWN_HOLES_MS: i64 = 300;

#[test]
fn linphone_calls_and_is_called() -> Outcome {
    let mut floor = Floor::open("linphone", Site::new(18))?;
    let mut desk = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let (site, dir) = (&floor.site, floor.place.path());
    let mut soft = Linphone::start("2004", &site.secret("2004"), site.sip(), &site.voice("2004"), dir)?;

    soft.call(&format!("sip:2001@{}", site.sip()))?;
    desk.ringing(SOON)?;
    desk.accept()?;
    desk.established()?;
    desk.hears(3500, Duration::from_secs(15))?;
    soft.talking()?;
    soft.terminate()?;
    desk.closed(SOON)?;
    soft.ended()?;
    demand("the desk phone hears linphone", &site.voice("2004"), &desk.heard()?, 2500, 60)?;
    let wire = stream_to(&floor.capture.so_far()?, Ipv4Addr::LOCALHOST, RTP_PORT).audio();
    demand("linphone is sent what the desk phone says", &site.voice("2001"), &wire, 2500, 60)?;
    demand("linphone hears the desk phone", &site.voice("2001"), &soft.heard()?, 2500, OWN_HOLES_MS)?;

    desk.dial("2004")?;
    soft.ringing()?;
    soft.answer()?;
    desk.established()?;
    desk.hears(2500, Duration::from_secs(15))?;
    desk.hangup()?;
    soft.ended()?;
    demand("the desk phone hears linphone again", &site.voice("2004"), &desk.heard()?, 1500, 60)?;
    let facts = floor.appliance.all_ended(2)?;
    ensure!(facts.iter().filter(|fact| fact.kind == "Connected").count() == 2, "{facts:#?}");
    soft.stop()?;
    floor.close(vec![desk], 2).map(|_| ())
}
