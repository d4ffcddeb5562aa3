//! Lamps on the keys of phones: subscribing, being told, refreshing, leaving; what is lost, doubled, refused or broken
//! on the way; and seeded mutations of a SUBSCRIBE that would be taken.

use super::phone::*;
use base::limits::{SIP_SUBSCRIPTIONS_MAX, SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use signaling::sip::Endpoint;
use signaling::sip::door::{Account, ConnId, Event, Input, Lamp, Output};
use signaling::sip::ha1;
use signaling::sip::message::{Message, Name, Start, parse};

/// A SUBSCRIBE of extension 2001 to 2002.
fn wish() -> Ask {
    let mut wish = ask("SUBSCRIBE", "sip:2002@127.0.0.1:5060").extra("Event: dialog").extra("Expires: 600");
    wish.call_id = "lamp-1@phone".into();
    wish
}

impl Site {
    /// The lamp changes; what leaves at once and with the first batch after it.
    fn light(&mut self, target: &str, lamp: Lamp) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.light(self.now, target, lamp, &mut out);
        out.extend(self.pass(0).into_iter().map(|(_, o)| o));
        out
    }

    fn unscrew(&mut self, target: &str) -> Vec<Output> {
        let mut out = Vec::new();
        self.endpoint.unscrew(self.now, target, &mut out);
        out.extend(self.pass(0).into_iter().map(|(_, o)| o));
        out
    }

    /// The request with the credentials that the box asks for, and what follows.
    fn proven(&mut self, request: Ask) -> (Ask, Vec<Output>) {
        let challenge = self.udp(PHONE, &request.text());
        assert_eq!(words(&challenge), ["407 SUBSCRIBE"]);
        let signed = request.signed(&messages(&challenge)[0], "2001", "pw");
        let out = self.udp(PHONE, &signed.text());
        (signed, out)
    }

    /// Subscribed and told: the request, its 200 and the first NOTIFY, which is not answered yet.
    fn watching(&mut self) -> (Ask, Message, Message) {
        let (asked, mut out) = self.proven(wish());
        assert_eq!(words(&out), ["200 SUBSCRIBE", "Subscribed"]);
        out.extend(self.light("2002", Lamp::Idle));
        let sent = messages(&out);
        assert_eq!(sent.len(), 2);
        (asked, sent[0].clone(), sent[1].clone())
    }

    fn take(&mut self, notify: &Message) -> Vec<Output> {
        self.udp(PHONE, &answer(notify, 200, "", ""))
    }
}

/// The phone asks again in the dialog of `asked`.
fn again(asked: &Ask, ok: &Message, cseq: u32, expires: u32) -> Ask {
    let mut next = ask("SUBSCRIBE", "sip:2002@127.0.0.1:5060").cseq(cseq);
    next.to = value(ok, Name::To);
    next.call_id.clone_from(&asked.call_id);
    next.extra("Event: dialog").extra(&format!("Expires: {expires}"))
}

fn shows(notify: &Message) -> (String, String, &'static str) {
    let body = String::from_utf8(notify.body.clone()).unwrap();
    let version = body.split("info\" version=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let lamp = match body.split("<state>").nth(1).unwrap().split('<').next().unwrap() {
        "terminated" => "idle",
        "early" => "ringing",
        "confirmed" => "busy",
        other => panic!("{other}"),
    };
    (value(notify, Name::SubscriptionState), version, lamp)
}

fn only(out: &[Output]) -> Message {
    let mut all = messages(out);
    assert_eq!(all.len(), 1, "{:?}", words(out));
    all.remove(0)
}

#[test]
fn golden_answer_and_first_notify() {
    let mut site = Site::new();
    let (_, ok, notify) = site.watching();
    assert_eq!(value(&ok, Name::Expires), "600");
    assert_eq!(value(&ok, Name::Contact), "<sip:2002@127.0.0.1:5060>");
    let tag = value(&ok, Name::To).split("tag=").nth(1).unwrap().to_owned();
    let branch = value(&notify, Name::Via).split("branch=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
                version=\"0\" state=\"full\" entity=\"sip:2002@127.0.0.1:5060\">\r\n<dialog \
                id=\"2002\"><state>terminated</state></dialog>\r\n</dialog-info>\r\n";
    let wanted = format!(
        "NOTIFY sip:2001@127.0.0.2:5070 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch={branch};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:2002@site>;tag={tag}\r\nTo: <sip:2001@site>;tag=ph\r\n\
         Call-ID: lamp-1@phone\r\nCSeq: 1 NOTIFY\r\nUser-Agent: Cordboard\r\nContact: <sip:2002@127.0.0.1:5060>\r\n\
         Event: dialog\r\nSubscription-State: active;expires=600\r\nContent-Type: application/dialog-info+xml\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(String::from_utf8(notify.to_bytes()).unwrap(), reordered(&wanted));
}

/// `to_bytes` writes Content-Length last, as we do.
fn reordered(text: &str) -> String {
    String::from_utf8(parse(text.as_bytes()).unwrap().to_bytes()).unwrap()
}

#[test]
fn a_lamp_is_told_when_it_changes_and_only_the_newest_state() {
    let mut site = Site::new();
    let (_, _, first) = site.watching();
    assert_eq!(shows(&first), ("active;expires=600".into(), "0".into(), "idle"));
    // While the first is on its way nothing follows; then only what is true at the end.
    assert_eq!(words(&site.light("2002", Lamp::Ringing)), [""; 0]);
    assert_eq!(words(&site.light("2002", Lamp::Idle)), [""; 0]);
    assert_eq!(words(&site.light("2002", Lamp::Busy)), [""; 0]);
    let second = only(&site.take(&first));
    assert_eq!(shows(&second), ("active;expires=600".into(), "1".into(), "busy"));
    assert_eq!(value(&second, Name::CSeq), "2 NOTIFY");
    assert_eq!(words(&site.take(&second)), [""; 0]);
    assert_eq!(words(&site.light("2002", Lamp::Busy)), [""; 0], "what is known is not told again");
    assert_eq!(words(&site.light("2003", Lamp::Busy)), [""; 0], "nobody watches that one");
    let third = only(&site.light("2002", Lamp::Ringing));
    assert_eq!(shows(&third).2, "ringing");
}

#[test]
fn a_change_that_is_taken_back_within_the_input_is_not_told() {
    let mut site = Site::new();
    let (_, _, notify) = site.watching();
    site.take(&notify);
    let mut out = Vec::new();
    for lamp in [Lamp::Busy, Lamp::Ringing, Lamp::Idle] {
        site.endpoint.light(site.now, "2002", lamp, &mut out);
    }
    out.extend(site.pass(1_000).into_iter().map(|(_, o)| o));
    assert_eq!(words(&out), [""; 0]);
    for lamp in [Lamp::Busy, Lamp::Ringing] {
        site.endpoint.light(site.now, "2002", lamp, &mut out);
    }
    out.extend(site.pass(0).into_iter().map(|(_, o)| o));
    assert_eq!(shows(&only(&out)).2, "ringing");
}

#[test]
fn lost_and_doubled_messages_change_nothing() {
    let mut site = Site::new();
    let (asked, ok, notify) = site.watching();
    // The SUBSCRIBE again: the same 200, no second subscription and no second question.
    let out = site.udp(PHONE, &asked.text());
    assert_eq!(only(&out), ok);
    assert_eq!(site.endpoint.subscriptions(), 1);
    // The NOTIFY is repeated until it is answered; a second answer to it is read over.
    assert_eq!(site.story(1_600), [(500, "NOTIFY".to_owned()), (1_500, "NOTIFY".to_owned())]);
    site.light("2002", Lamp::Busy);
    let next = only(&site.take(&notify));
    assert_eq!(words(&site.take(&notify)), [""; 0]);
    assert_eq!(words(&site.take(&next)), [""; 0]);
    assert_eq!(site.endpoint.subscriptions(), 1);
}

#[test]
fn a_phone_that_is_gone_is_forgotten() {
    for code in [481, 408, 404, 0] {
        let mut site = Site::new();
        let (_, _, notify) = site.watching();
        site.light("2002", Lamp::Busy);
        if code == 0 {
            site.pass(32_000);
        } else {
            assert_eq!(words(&site.udp(PHONE, &answer(&notify, code, "", ""))), [""; 0], "{code}");
        }
        assert_eq!(site.endpoint.subscriptions(), 0, "{code}");
        assert_eq!(words(&site.light("2002", Lamp::Idle)), [""; 0]);
        site.assert_empties();
        assert_eq!(site.endpoint.deadline(), None);
    }
}

#[test]
fn a_phone_with_a_bad_moment_is_told_with_the_next_change_or_refresh() {
    let mut site = Site::new();
    let (asked, ok, notify) = site.watching();
    assert_eq!(words(&site.udp(PHONE, &answer(&notify, 500, "", ""))), [""; 0], "no loop");
    assert_eq!(site.endpoint.subscriptions(), 1);
    let second = only(&site.light("2002", Lamp::Idle));
    assert_eq!(shows(&second).1, "1", "the same state, because it was not taken");
    site.udp(PHONE, &answer(&second, 503, "", ""));
    let (_, out) = site.proven(again(&asked, &ok, 10, 600));
    assert_eq!(words(&out), ["200 SUBSCRIBE", "Subscribed"]);
    assert_eq!(shows(&only(&site.light("2002", Lamp::Idle))).1, "2");
}

#[test]
fn refresh_unsubscribe_and_expiry() {
    let mut site = Site::new();
    let (asked, ok, notify) = site.watching();
    site.take(&notify);
    site.pass(500_000);
    let (_, out) = site.proven(again(&asked, &ok, 5, 3600));
    assert_eq!(words(&out), ["200 SUBSCRIBE", "Subscribed"]);
    let notify = only(&site.light("2002", Lamp::Idle));
    assert_eq!(shows(&notify), ("active;expires=3600".into(), "1".into(), "idle"), "told though nothing changed");
    site.take(&notify);
    site.pass(3_000_000);
    assert_eq!(site.endpoint.subscriptions(), 1);
    // The end by the phone.
    let (ended, out) = site.proven(again(&asked, &ok, 20, 0));
    assert_eq!(words(&out), ["200 SUBSCRIBE", "NOTIFY"]);
    assert_eq!(value(&messages(&out)[0], Name::Expires), "0");
    assert_eq!(shows(&messages(&out)[1]).0, "terminated;reason=timeout");
    site.take(&messages(&out)[1]);
    assert_eq!(words(&site.light("2002", Lamp::Busy)), [""; 0]);
    assert_eq!(words(&site.udp(PHONE, &again(&asked, &ok, ended.cseq + 1, 60).text())), ["481 SUBSCRIBE"]);
    site.assert_empties();
    // The end by the clock.
    let (_, _, notify) = site.watching();
    site.take(&notify);
    let out: Vec<Output> = site.pass(600_000).into_iter().map(|(_, o)| o).collect();
    let last = only(&out);
    assert_eq!(shows(&last).0, "terminated;reason=timeout");
    site.take(&last);
    site.assert_empties();
    assert_eq!((site.endpoint.subscriptions(), site.endpoint.deadline()), (0, None));
}

#[test]
fn an_end_waits_for_the_notify_on_its_way() {
    let mut site = Site::new();
    let (asked, ok, notify) = site.watching();
    let (_, out) = site.proven(again(&asked, &ok, 5, 0));
    assert_eq!(words(&out), ["200 SUBSCRIBE"]);
    let last = only(&site.take(&notify));
    assert_eq!(shows(&last), ("terminated;reason=timeout".into(), "1".into(), "idle"));
    site.assert_empties();
}

#[test]
fn a_question_for_the_state_is_answered_once() {
    let mut site = Site::new();
    let mut fetch = wish();
    fetch.extra = "Event: dialog\r\nExpires: 0\r\n".into();
    let (_, out) = site.proven(fetch.clone());
    assert_eq!(words(&out), ["200 SUBSCRIBE", "Subscribed"]);
    let only_one = only(&site.light("2002", Lamp::Busy));
    assert_eq!(shows(&only_one), ("terminated;reason=timeout".into(), "0".into(), "busy"));
    assert_eq!(site.endpoint.subscriptions(), 0);
    site.assert_empties();
}

#[test]
fn a_lamp_that_does_not_exist_ends_its_subscriptions() {
    let mut site = Site::new();
    let (_, out) = site.proven(wish());
    assert_eq!(words(&out), ["200 SUBSCRIBE", "Subscribed"]);
    assert_eq!(site.endpoint.lamps_watched().collect::<Vec<_>>(), ["2002"]);
    assert!(site.endpoint.is_watched("2002") && !site.endpoint.is_watched("2003"));
    let last = only(&site.unscrew("2002"));
    assert_eq!(shows(&last).0, "terminated;reason=noresource");
    assert_eq!(site.endpoint.subscriptions(), 0);
    site.assert_empties();
}

#[test]
fn what_is_odd_is_refused_and_leaves_nothing() {
    let mut site = Site::new();
    let change = |from: &str, to: &str| {
        let text = wish().text();
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for (name, text, code) in [
        ("a stranger", wish().text(), 407),
        ("presence", change("Event: dialog", "Event: presence"), 489),
        ("a package whose name begins alike", change("Event: dialog", "Event: dialog.winfo"), 489),
        ("no Event", change("Event: dialog\r\n", ""), 489),
        ("compact", change("Event: dialog", "o: dialog ; id = 7"), 407),
        ("no Contact", change("Contact: <sip:2001@127.0.0.2:5070>\r\n", ""), 400),
        ("Contact *", change("Contact: <sip:2001@127.0.0.2:5070>", "Contact: *"), 400),
        ("Contact of another scheme", change("Contact: <sip:2001@127.0.0.2:5070>", "Contact: <gopher:x>"), 400),
        ("wants PIDF", change("Event:", "Accept: application/pidf+xml\r\nEvent:"), 406),
        ("takes anything", change("Event:", "Accept: */*\r\nEvent:"), 407),
        ("nobody", change("sip:2002@127.0.0.1:5060", "sip:127.0.0.1:5060"), 404),
        ("inside nothing", change("To: <sip:2002@site>", "To: <sip:2002@site>;tag=x"), 481),
        ("a NOTIFY for us", wish().text().replace("SUBSCRIBE", "NOTIFY"), 405),
    ] {
        let out = site.udp(PHONE, &text);
        let Start::Response { code: got, .. } = only(&out).start else { panic!("{name}") };
        assert_eq!((got, out.len()), (code, 1), "{name}");
        assert!(site.endpoint.is_empty() && site.endpoint.subscriptions() == 0, "{name}");
    }
    let refused = only(&site.udp(PHONE, &change("Event: dialog", "Event: presence")));
    assert_eq!(value(&refused, Name::AllowEvents), "dialog");
}

#[test]
fn times_are_bounded() {
    let mut site = Site::new();
    let asked = [
        ("Expires: 60\r\n", Ok("60")),
        ("Expires: 3600\r\n", Ok("3600")),
        ("Expires: 4294967296000\r\n", Ok("3600")),
        ("Expires: tomorrow\r\n", Ok("3600")),
        ("", Ok("3600")),
        ("Expires: 59\r\n", Err("60")),
    ];
    for (n, (expires, granted)) in asked.into_iter().enumerate() {
        let mut request = wish();
        request.extra = format!("Event: dialog\r\n{expires}");
        request.branch = format!("z9hG4bK{n}");
        request.call_id = format!("{n}@phone");
        let (_, out) = site.proven(request);
        let answer = &messages(&out)[0];
        match granted {
            Ok(s) => assert_eq!(value(answer, Name::Expires), s, "{expires}"),
            Err(s) => {
                assert_eq!((words(&out), value(answer, Name::MinExpires)), (vec!["423 SUBSCRIBE".into()], s.into()))
            }
        }
    }
}

#[test]
fn only_its_owner_refreshes_it_and_in_order() {
    let mut site = Site::new();
    let (asked, ok, notify) = site.watching();
    site.take(&notify);
    let mut theft = again(&asked, &ok, 30, 0);
    theft.from = "<sip:2003@site>;tag=ph".into();
    let challenge = only(&site.udp(PHONE, &theft.text()));
    let theft = theft.signed(&challenge, "2003", "pw");
    assert_eq!(words(&site.udp(PHONE, &theft.text())), ["403 SUBSCRIBE"]);
    let (_, out) = site.proven(again(&asked, &ok, 1, 0));
    assert_eq!(words(&out), ["500 SUBSCRIBE"], "older than the first");
    let mut other = again(&asked, &ok, 40, 0);
    other.extra = "Event: dialog;id=9\r\nExpires: 0\r\n".into();
    let (_, out) = site.proven(other);
    assert_eq!(words(&out), ["481 SUBSCRIBE"]);
    assert_eq!(site.endpoint.subscriptions(), 1);
}

#[test]
fn the_event_id_and_record_route_come_back() {
    let mut site = Site::new();
    let mut request = wish();
    request.extra = "Event: dialog;id=77\r\nExpires: 600\r\nRecord-Route: <sip:10.0.0.9;lr>\r\n".into();
    let (_, out) = site.proven(request);
    assert_eq!(value(&messages(&out)[0], Name::RecordRoute), "<sip:10.0.0.9;lr>");
    let notify = only(&site.light("2002", Lamp::Idle));
    assert_eq!(value(&notify, Name::Event), "dialog;id=77");
    assert_eq!(value(&notify, Name::Route), "<sip:10.0.0.9;lr>");
}

#[test]
fn over_a_stream_and_after_it_is_gone() {
    let mut site = Site::new();
    let (local, remote) = (BOX.parse().unwrap(), "127.0.0.2:41000".parse().unwrap());
    site.input(Input::Opened { conn: ConnId(2), local, remote });
    let mut request = wish();
    request.via = "SIP/2.0/TCP 127.0.0.2:5070".into();
    request.contact = Some("<sip:2001@127.0.0.2:5070;transport=tcp>".into());
    let challenge = only(&site.tcp(2, &request.text()));
    let out = site.tcp(2, &request.signed(&challenge, "2001", "pw").text());
    assert_eq!(words(&out), ["200 SUBSCRIBE", "Subscribed"]);
    let out = site.light("2002", Lamp::Idle);
    assert!(matches!(&out[..], [Output::Bytes { conn: ConnId(2), .. }]), "{out:?}");
    site.tcp(2, &answer(&only(&out), 200, "", ""));
    // The connection is gone: a NOTIFY asks for another one; nobody is there, so it is owed until the next change.
    site.input(Input::Closed { conn: ConnId(2) });
    let out = site.light("2002", Lamp::Busy);
    let Some(Output::Connect { conn, remote }) = out.first() else { panic!("{out:?}") };
    assert_eq!(*remote, PHONE.parse().unwrap());
    assert_eq!(words(&site.input(Input::Closed { conn: *conn })), [""; 0]);
    assert_eq!(site.endpoint.subscriptions(), 1);
    let out = site.light("2002", Lamp::Busy);
    assert_eq!(words(&out), ["connect", "NOTIFY"]);
    // A restart of the program: what waits for an answer leaves again.
    let mut out = Vec::new();
    site.endpoint.restarted(site.now, &mut out);
    assert_eq!(words(&out), ["connect", "NOTIFY"]);
}

#[test]
fn the_table_is_bounded_by_extension_and_in_all() {
    let mut site = Site::new();
    let mut settings = settings();
    let extensions = SIP_SUBSCRIPTIONS_MAX / SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX;
    for n in 0..=extensions {
        let user = format!("{}", 5_000 + n);
        settings.accounts.insert(user.clone(), Account { ha1_md5: ha1(&user, "site", "pw") });
    }
    site.endpoint.configure(settings);
    let nonce_of = only(&site.udp(PHONE, &wish().text()));
    let mut nc = 0;
    let mut subscribe = |site: &mut Site, user: &str, n: usize| {
        nc += 1;
        let mut request = wish();
        request.from = format!("<sip:{user}@site>;tag=ph");
        request.call_id = format!("{user}-{n}@phone");
        request.branch = format!("z9hG4bK{user}{n}");
        let text = request.counted(&nonce_of, user, nc).text();
        words(&site.udp(PHONE, &text)).remove(0)
    };
    for e in 0..extensions {
        for n in 0..SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX {
            assert_eq!(subscribe(&mut site, &format!("{}", 5_000 + e), n), "200 SUBSCRIBE");
        }
        if e == 0 {
            assert_eq!(subscribe(&mut site, "5000", 9_999), "503 SUBSCRIBE", "its own share is used up");
        }
    }
    assert_eq!(site.endpoint.subscriptions(), SIP_SUBSCRIPTIONS_MAX);
    assert_eq!(subscribe(&mut site, &format!("{}", 5_000 + extensions), 0), "503 SUBSCRIBE", "all are used up");
    // The first state of all of them, as if it had been told when they came; all take it.
    for notify in messages(&site.light("2002", Lamp::Idle)) {
        site.take(&notify);
    }
    // A change leaves in batches: no turn is long, and what else is to be sent comes in between.
    let began = std::time::Instant::now();
    let mut out = Vec::new();
    site.endpoint.light(site.now, "2002", Lamp::Busy, &mut out);
    assert_eq!(words(&out), [""; 0], "a call's own messages leave first");
    let marked = began.elapsed();
    let mut by_ms = std::collections::BTreeMap::<u64, usize>::new();
    for (ms, _) in site.pass(300) {
        *by_ms.entry(ms).or_default() += 1;
    }
    println!("{SIP_SUBSCRIPTIONS_MAX} NOTIFYs: marked in {marked:?}, written in {:?}", began.elapsed());
    assert_eq!(by_ms.values().sum::<usize>(), SIP_SUBSCRIPTIONS_MAX);
    assert!(by_ms.values().all(|n| *n <= 32), "{by_ms:?}");
    // Nobody answers: the table is free again without a leak.
    site.pass(40_000);
    assert_eq!((site.endpoint.subscriptions(), site.endpoint.deadline()), (0, None));
    site.assert_empties();
}

#[test]
fn a_phone_cannot_fill_the_memory_with_long_words() {
    let mut site = Site::new();
    let mut request = wish();
    request.contact = Some(format!("<sip:2001@127.0.0.2:5070;x={}>", "y".repeat(5_000)));
    let (_, out) = site.proven(request);
    assert_eq!(words(&out), ["513 SUBSCRIBE"]);
    let (asked, ok, notify) = site.watching();
    site.take(&notify);
    let mut longer = again(&asked, &ok, 50, 600);
    longer.contact = Some(format!("<sip:2001@127.0.0.2:5070;x={}>", "y".repeat(5_000)));
    let (_, out) = site.proven(longer);
    assert_eq!(words(&out), ["513 SUBSCRIBE"]);
    let notify = only(&site.light("2002", Lamp::Busy));
    assert_eq!(notify.start, Start::Request { method: parse_method("NOTIFY"), uri: "sip:2001@127.0.0.2:5070".into() });
}

fn parse_method(text: &str) -> signaling::sip::message::Method {
    signaling::sip::message::Method::from_text(text)
}

#[test]
fn a_snapshot_in_the_middle_changes_nothing() {
    let play = |restore: bool| {
        let mut site = Site::new();
        let (_, _, notify) = site.watching();
        site.light("2002", Lamp::Busy);
        if restore {
            let bytes = postcard::to_allocvec(&site.endpoint).unwrap();
            site.endpoint = postcard::from_bytes::<Endpoint>(&bytes).unwrap();
            assert_eq!(postcard::to_allocvec(&site.endpoint).unwrap(), bytes);
            let mut out = Vec::new();
            site.endpoint.restarted(site.now, &mut out);
            assert_eq!(words(&out), [""; 0]);
        }
        let mut all = site.take(&notify);
        all.extend(site.light("2002", Lamp::Idle));
        all.extend(site.pass(700_000).into_iter().map(|(_, o)| o));
        all
    };
    assert_eq!(play(false), play(true));
}

/// A network that loses and doubles, a lamp that changes all the time: when it is quiet, the phone shows the truth.
#[test]
fn over_a_lossy_network_the_newest_state_arrives() {
    for seed in 0..200u8 {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let mut site = Site::new();
        let (_, _, first) = site.watching();
        let (mut shown, mut version) = ("?", -1);
        let mut wire = vec![first];
        let mut truth = Lamp::Idle;
        for step in 0..400 {
            let mut out = Vec::new();
            if step < 300 && rng.next_u64() % 3 == 0 {
                truth = [Lamp::Idle, Lamp::Ringing, Lamp::Busy][(rng.next_u64() % 3) as usize];
                out.extend(site.light("2002", truth));
            }
            for notify in std::mem::take(&mut wire) {
                let lossy = step < 300;
                if lossy && rng.next_u64() % 4 == 0 {
                    continue;
                }
                let (_, v, lamp) = shows(&notify);
                let v: i64 = v.parse().unwrap();
                if v > version {
                    (version, shown) = (v, lamp);
                }
                for _ in 0..1 + u64::from(lossy) * (rng.next_u64() % 2) {
                    if !(lossy && rng.next_u64() % 4 == 0) {
                        out.extend(site.take(&notify));
                    }
                }
            }
            out.extend(site.pass(100).into_iter().map(|(_, o)| o));
            let sent = messages(&out);
            let fresh: std::collections::BTreeSet<String> = sent.iter().map(|m| value(m, Name::CSeq)).collect();
            assert!(fresh.len() <= 2, "one at a time: {fresh:?}");
            wire.extend(sent);
        }
        let wanted = match truth {
            Lamp::Idle => "idle",
            Lamp::Ringing => "ringing",
            Lamp::Busy => "busy",
        };
        assert_eq!(shown, wanted, "seed {seed}");
        assert_eq!(site.endpoint.subscriptions(), 1, "seed {seed}");
    }
}

/// SUBSCRIBEs with right credentials, mutated; SMOKE_SUBSCRIBES sets another number than 20,000.
#[test]
fn mutated_subscribes_harm_nothing() {
    let count: usize = std::env::var("SMOKE_SUBSCRIBES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let mut fresh = Site::new();
    let challenge = only(&fresh.udp(PHONE, &wish().text()));
    let first = wish().counted(&challenge, "2001", 1);
    let mut standing = fresh.endpoint.clone();
    let mut told = Vec::new();
    let datagram = |text: &[u8]| Input::Datagram {
        local: BOX.parse().unwrap(),
        remote: PHONE.parse().unwrap(),
        bytes: text.to_vec(),
        shed: false,
    };
    standing.handle(fresh.now, datagram(first.text().as_bytes()), &mut told);
    let next = again(&first, &messages(&told)[0], 9, 0).counted(&challenge, "2001", 2);
    let seeds = [first.text().into_bytes(), next.text().into_bytes()];
    let mut bytes = Vec::new();
    let endpoints = [fresh.endpoint.clone(), standing];
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let mut taken = 0;
    for n in 0..count {
        super::torture::mutate(&mut rng, &seeds[n % 2..=n % 2], &mut bytes);
        let mut endpoint = endpoints[n % 2].clone();
        let mut now = fresh.now;
        let mut out = Vec::new();
        endpoint.handle(now, datagram(&bytes), &mut out);
        let asked = out.iter().find_map(|o| match o {
            Output::Event(Event::Subscribed { target, .. }) => Some(target.clone()),
            _ => None,
        });
        if let Some(target) = asked {
            endpoint.light(now, &target, Lamp::Busy, &mut out);
        }
        for _ in 0..6 {
            let Some(at) = endpoint.deadline() else { break };
            now.at = now.at.max(at);
            endpoint.handle(now, Input::Timer, &mut out);
            assert!(endpoint.deadline().is_none_or(|next| next > now.at), "a timer that stands still");
        }
        taken += usize::from(words(&out).iter().any(|w| w == "200 SUBSCRIBE"));
        for output in &out {
            if let Output::Datagram { bytes, .. } | Output::Bytes { bytes, .. } = output {
                let sent = parse(bytes).expect("what we send can be read");
                if let Start::Request { .. } = sent.start {
                    let body = String::from_utf8(sent.body).expect("XML in UTF-8");
                    assert_eq!(body.matches('<').count(), 7, "{body}");
                }
            }
        }
    }
    println!("{taken} of {count} were taken");
    assert!(taken > count / 20, "{taken} of {count}");
}
