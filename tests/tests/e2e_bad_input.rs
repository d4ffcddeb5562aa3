//! Bad input: it is counted, or answered with a sentence that names the place and the remedy, and a call that talks
//! meanwhile is not harmed.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tests::ensure;
use tests::peer::appliance::{Appliance, built};
use tests::peer::audio::demand;
use tests::peer::baresip::{Answer, Transport};
use tests::peer::capture::Content;
use tests::peer::floor::{Floor, SOON};
use tests::peer::process::Process;
use tests::peer::record::Workplace;
use tests::peer::sipp::Scenario;
use tests::peer::site::Site;
use tests::peer::softphone::Softphone;
use tests::peer::speech::voice;
use tests::peer::{At, Outcome};
use tests::sim::dice::Dice;

/// Datagrams that are no SIP, or nearly.
fn garbage(dice: &mut Dice) -> Vec<u8> {
    let noise: Vec<u8> = (0..dice.below(1400)).map(|_| dice.bits() as u8).collect();
    let via = "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n";
    match dice.below(7) {
        0 => noise,
        1 => Vec::new(),
        2 => b"\r\n\r\n".to_vec(),
        3 => [b"INVITE sip:2001@x SIP/2.0\r\n".to_vec(), noise].concat(),
        4 => format!("INVITE sip:2001@x SIP/2.0\r\n{via}Content-Length: 18446744073709551615\r\n\r\n").into_bytes(),
        5 => format!("SIP/2.0 200 OK\r\n{via}CSeq: 99999999999 BYE\r\nCall-ID: nobody\r\n\r\n").into_bytes(),
        _ => format!("REGISTER sip:x SIP/2.0\r\n{via}{}\r\n\r\n", "X: y\r\n".repeat(300)).into_bytes(),
    }
}

fn throw_garbage(site: &Site) -> Outcome {
    let socket = UdpSocket::bind((site.address(66), 0)).at("socket of the vandal")?;
    let mut dice = Dice::new(66, 1);
    for _ in 0..2000 {
        // A full buffer drops, as a network does.
        let _ = socket.send_to(&garbage(&mut dice), site.sip());
    }
    Ok(())
}

/// Connections that say half a message, or too much, and stay open or go away. Those that stay are given back.
fn half_messages(site: &Site) -> Outcome<Vec<TcpStream>> {
    let halves: [&[u8]; 4] = [
        b"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;bra",
        b"INVITE sip:2001@x SIP/2.0\r\nContent-Length: 100\r\n\r\nhalf a body",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
        b"INVITE sip:2001@x SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ];
    let mut open = Vec::new();
    for (number, half) in halves.iter().cycle().take(40).enumerate() {
        let mut stream = TcpStream::connect(site.sip()).at("connection of the vandal")?;
        // The box may close at once; then the rest of the half does not arrive.
        let _ = stream.write_all(half);
        if number % 2 == 0 {
            open.push(stream);
        }
    }
    Ok(open)
}

/// RTP from an address that nobody announced, into every port the box uses now, with another voice.
fn whisper(floor: &mut Floor) -> Outcome {
    let packets = floor.capture.so_far()?;
    let own = floor.site.box_address();
    let rtp = packets.iter().filter(|p| *p.from.ip() == own && matches!(p.content, Content::Rtp { .. }));
    let ports: std::collections::BTreeSet<u16> = rtp.map(|packet| packet.from.port()).collect();
    ensure!(ports.len() >= 2, "the talking call should use two ports: {ports:?}");
    let socket = UdpSocket::bind((floor.site.address(66), 0)).at("socket of the stranger")?;
    let loud = voice(6666, 1);
    for number in 0..200_u16 {
        let mut packet = vec![0x80, 8, (number >> 8) as u8, number as u8, 0, 0, 0, 0, 6, 6, 6, 6];
        packet.extend(loud.samples.iter().take(160).map(|sample| *sample as u8));
        for port in &ports {
            socket.send_to(&packet, (own, *port)).at("RTP of the stranger")?;
        }
    }
    Ok(())
}

#[test]
fn a_talking_call_is_not_harmed_by_anything_that_others_send() -> Outcome {
    let mut floor = Floor::open("bad-input", Site::new(20))?;
    let site = floor.site.clone();
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Tcp, Answer::Manual)?;
    let mut third = floor.phone("2003", Transport::Udp, Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    caller.hears(1000, SOON)?;

    throw_garbage(&site)?;
    let open = half_messages(&site)?;
    whisper(&mut floor)?;
    let wrong = Scenario::new("register_wrong", site.address(67), site.sip(), "2004");
    wrong.with_credentials("2004", "not-the-secret").run(floor.place.path(), Duration::from_secs(20))?;
    third.dial("7777")?;
    let closed = third.closed(SOON)?;
    ensure!(closed.param().starts_with("404"), "the unknown number closed with {closed:?}");
    caller.hears(4000, Duration::from_secs(15))?;
    callee.hears(4000, SOON)?;
    drop(open);

    caller.hangup()?;
    callee.closed(SOON)?;
    floor.heard_each_other(("2001", &caller), ("2002", &callee), 3500)?;
    floor.close(vec![caller, callee, third], 2).map(|_| ())
}

#[test]
fn a_phone_that_vanishes_ends_its_own_call_and_no_other() -> Outcome {
    let floor = Floor::open("vanish", Site::new(21))?;
    let phone = |extension: &str| floor.phone(extension, Transport::Udp, Answer::Manual);
    let (mut a, mut b, mut c, mut d) = (phone("2001")?, phone("2002")?, phone("2003")?, phone("2004")?);
    floor.connect(&mut a, &mut b, "2002")?;
    floor.connect(&mut c, &mut d, "2004")?;
    c.hears(1000, SOON)?;
    d.vanish()?;
    // The box waits for audio for `silence-timeout-s`, 5 s here.
    c.closed(Duration::from_secs(15))?;
    ensure!(a.pending().iter().all(|event| event.kind != "CALL_CLOSED"), "the other call went, too");
    a.hears(7000, Duration::from_secs(10))?;
    b.hangup()?;
    a.closed(SOON)?;
    floor.heard_each_other(("2001", &a), ("2002", &b), 6000)?;
    let facts = floor.appliance.all_ended(2)?;
    let cause = facts.iter().find(|fact| fact.kind == "LegEnded" && fact.detail["cause"] == "media-timeout");
    ensure!(cause.is_some(), "no leg ended by `media-timeout`: {facts:#?}");
    floor.close(vec![a, b, c], 2).map(|_| ())
}

/// Starts `pbxd` and demands that it refuses, at once, with all of `words` in what it says.
fn refuses(dir: &Path, args: &[&str], env: &[(&str, String)], words: &[&str]) -> Outcome {
    let mut process = Process::start("pbxd", &built("pbxd")?, args, dir, env)?;
    let status = process.wait_end(Duration::from_secs(10))?;
    let said = process.output();
    ensure!(!status.success(), "pbxd {args:?} should refuse and ended well:\n{said}");
    ensure!(!said.contains("panicked"), "pbxd {args:?} panicked:\n{said}");
    for word in words {
        ensure!(said.contains(word), "pbxd {args:?} does not say `{word}`:\n{said}");
    }
    Ok(())
}

#[test]
fn a_configuration_with_ten_errors_is_told_all_ten() -> Outcome {
    let place = Workplace::new("ten-errors")?;
    let text = "system {\n    nmae x;\n    language fr-FR;\n}\nsip {\n    listen 127.20.22.1:99999;\n    expires-min-s 1;\n}\n\
                media {\n    rtp-ports 26401-26300;\n    jitter-ms 41;\n}\n\
                extension 2001 {\n    secret short;\n}\nagent 1001 {\n    extension 2999;\n}\n\
                queue support {\n    agents [ 1009 ];\n    ring-timeout-s 1;\n}\n";
    let config = place.join("bad.conf");
    std::fs::write(&config, text).at(config.display())?;
    let config = config.display().to_string();
    let data = place.join("data").display().to_string();
    let words = [
        "errors: 10",
        "line 2:",
        "line 3:",
        "line 6:",
        "line 7:",
        "line 10:",
        "line 11:",
        "line 14:",
        "line 17:",
        "line 20:",
        "line 21:",
        "known here: name",
        "Remedy:",
    ];
    refuses(place.path(), &["--config", &config, "--data", &data], &[("LANG", "C".into())], &words)?;
    refuses(place.path(), &["check", "--config", &config], &[("LANG", "C".into())], &words)?;
    place.passed();
    Ok(())
}

#[test]
fn a_second_instance_on_the_same_data_is_refused_and_the_first_goes_on() -> Outcome {
    let floor = Floor::open("second", Site::new(23))?;
    let mut caller = floor.phone("2001", Transport::Udp, Answer::Manual)?;
    let mut callee = floor.phone("2002", Transport::Udp, Answer::Manual)?;
    floor.connect(&mut caller, &mut callee, "2002")?;
    let (config, data) = (floor.place.join("site.conf").display().to_string(), floor.appliance.data());
    let (data, pid) = (data.display().to_string(), floor.appliance.pid().to_string());
    refuses(floor.place.path(), &["--config", &config, "--data", &data], &[], &[&data, &pid])?;
    let other = floor.place.join("other-data").display().to_string();
    std::fs::create_dir_all(&other).at(&other)?;
    let address = floor.site.sip().to_string();
    refuses(floor.place.path(), &["--config", &config, "--data", &other], &[], &[&address])?;
    caller.hears(2500, SOON)?;
    caller.hangup()?;
    callee.closed(SOON)?;
    demand("2001 hears 2002", &floor.site.voice("2002"), &caller.heard()?, 2000, 60)?;
    floor.close(vec![caller, callee], 1).map(|_| ())
}

#[test]
fn a_missing_configuration_file_is_told_with_its_place() -> Outcome {
    let place = Workplace::new("missing-file")?;
    let (nowhere, data) = (place.join("nowhere").display().to_string(), place.join("data").display().to_string());
    refuses(place.path(), &["--config", &nowhere, "--data", &data], &[], &[&nowhere])?;
    place.passed();
    Ok(())
}

/// Without line cards and sound device the box is still a box for SIP, and says what is missing and what to do.
#[test]
fn a_missing_world_and_sound_device_are_told_and_sip_works() -> Outcome {
    let place = Workplace::new("missing-world")?;
    let site = Site::new(24).with_line().agent("1001", "2001");
    let nowhere = place.join("nowhere");
    let appliance = Appliance::start(&site, place.path(), Some(&nowhere))?;
    let address = (site.address(31), 15_200).into();
    Softphone::new("2001", &site.secret("2001"), address, site.sip(), 24)?.register()?;
    appliance.says("ALSA_CONFIG_PATH", SOON)?;
    appliance.says(&nowhere.display().to_string(), SOON)?;
    appliance.stop()?;
    place.passed();
    Ok(())
}
