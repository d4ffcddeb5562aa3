//! The torture messages of RFC 4475, as datagrams and on a stream, against the endpoint in this process. Skipped with a
//! word when the third-party corpus is not beside the repository.
#![cfg(test)]

use base::time::{Instant, Now};
use core::net::SocketAddr;
use core::time::Duration;
use signaling::sip::Endpoint;
use signaling::sip::door::{ConnId, Input, Output, Peer, Settings};
use signaling::sip::message::{Start, parse};
use std::path::PathBuf;
use tests::rfc4475_table::RFC4475;

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/sip/rfc4475");
    if path.is_dir() {
        Some(path)
    } else {
        let why = format!("RFC 4475 in process: its messages are not at {}", path.display());
        tests::peer::skip(&why).expect("the list of skipped tests can be written");
        None
    }
}

fn local() -> SocketAddr {
    ([127, 0, 0, 1], 5060).into()
}

fn stranger() -> SocketAddr {
    ([127, 0, 0, 66], 5060).into()
}

fn trunk() -> SocketAddr {
    ([127, 0, 0, 50], 5060).into()
}

fn endpoint() -> Endpoint {
    let mut endpoint = Endpoint::new();
    endpoint.configure(Settings {
        local: local(),
        realm: "site".into(),
        product: "Cordboard".into(),
        accounts: Default::default(),
        peers: vec![Peer { name: "trunk".into(), ip: trunk().ip(), port: None }],
        expires_min_s: 60,
        expires_max_s: 3600,
    });
    endpoint.seed([4; 32]);
    endpoint
}

/// Status codes among the outputs; a request of ours would be an answer that nobody asked for.
fn codes(out: &[Output]) -> Vec<u16> {
    out.iter()
        .filter_map(|output| match output {
            Output::Datagram { bytes, .. } | Output::Bytes { bytes, .. } => Some(bytes),
            Output::Connect { .. } | Output::Close { .. } | Output::Event(_) => None,
        })
        .filter(|bytes| bytes.as_slice() != b"\r\n")
        .map(|bytes| match parse(bytes).expect("what we send can be read").start {
            Start::Response { code, .. } => code,
            Start::Request { method, .. } => panic!("we sent {}", method.as_str()),
        })
        .collect()
}

fn run(inputs: Vec<Input>) -> (Vec<u16>, Endpoint) {
    let mut endpoint = endpoint();
    let now = Now { at: Instant::BOOT + Duration::from_secs(100), ..Now::default() };
    let mut out = Vec::new();
    for input in inputs {
        endpoint.handle(now, input, &mut out);
    }
    (codes(&out), endpoint)
}

fn check(way: &str, expected: fn(&tests::rfc4475_table::Case) -> &'static [u16], inputs: fn(Vec<u8>) -> Vec<Input>) {
    let Some(corpus) = corpus() else { return };
    let mut wrong = Vec::new();
    for case in &RFC4475 {
        let bytes = std::fs::read(corpus.join(case.file).with_extension("dat")).expect("the message");
        let (got, endpoint) = run(inputs(bytes));
        if got != expected(case) {
            wrong.push(format!(
                "{} {} ({}): {:?}, not {:?}",
                case.section,
                case.file,
                case.verdict,
                got,
                expected(case)
            ));
        }
        if got != [100] && !endpoint.is_empty() {
            wrong.push(format!("{} {} left {:?}", case.section, case.file, endpoint.lines()));
        }
    }
    assert!(wrong.is_empty(), "{way}:\n{}", wrong.join("\n"));
}

#[test]
fn a_stranger_sends_them_as_datagrams() {
    check(
        "datagram",
        |case| case.stranger,
        |bytes| vec![Input::Datagram { local: local(), remote: stranger(), bytes, shed: false }],
    );
}

#[test]
fn a_trunk_sends_them_as_datagrams() {
    check(
        "datagram of a trunk",
        |case| case.trunk,
        |bytes| vec![Input::Datagram { local: local(), remote: trunk(), bytes, shed: false }],
    );
}

#[test]
fn a_stranger_sends_them_on_a_stream_in_small_cuts() {
    check(
        "stream",
        |case| case.stream,
        |bytes| {
            let conn = ConnId(2);
            let mut inputs = vec![Input::Opened { conn, local: local(), remote: stranger() }];
            inputs.extend(bytes.chunks(11).map(|cut| Input::Bytes { conn, bytes: cut.to_vec(), shed: false }));
            inputs
        },
    );
}

#[test]
fn the_table_names_each_message_once() {
    let Some(corpus) = corpus() else { return };
    let mut named: Vec<String> = RFC4475.iter().map(|case| format!("{}.dat", case.file)).collect();
    let mut there: Vec<String> = std::fs::read_dir(corpus)
        .expect("the corpus")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".dat"))
        .collect();
    named.sort();
    there.sort();
    assert_eq!(named, there);
}
