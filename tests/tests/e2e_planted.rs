//! An input that kills the program each time it is handled: after the second crash it is set aside, its call is ended
//! and said so, and every other call goes on.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use tests::ensure;
use tests::peer::appliance::Appliance;
use tests::peer::record::Workplace;
use tests::peer::site::Site;
use tests::peer::{At, Outcome};

const SOON: Duration = Duration::from_secs(15);

/// A call of the carrier, written by hand.
struct Call {
    socket: UdpSocket,
    to: SocketAddr,
    name: &'static str,
    /// To header of the box's 200.
    peer: String,
    cseq: u32,
}

impl Call {
    /// Calls the number and acknowledges the answer.
    fn place(site: &Site, name: &'static str, port: u16) -> Outcome<Call> {
        let local = SocketAddr::from((site.trunk(), port));
        let socket = UdpSocket::bind(local).at(local)?;
        socket.set_read_timeout(Some(SOON)).at(local)?;
        let mut call = Call { socket, to: site.sip(), name, peer: format!("<sip:4001234@{}>", site.sip()), cseq: 1 };
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n",
            ip = site.trunk()
        );
        call.send("INVITE", &format!("Contact: <sip:carrier@{local}>\r\nContent-Type: application/sdp\r\n"), &sdp)?;
        let answer = call.wait("SIP/2.0 200")?;
        let to = answer.lines().find_map(|line| line.strip_prefix("To: ")).at("To header of the 200")?;
        to.trim().clone_into(&mut call.peer);
        call.send("ACK", "", "")?;
        Ok(call)
    }

    fn send(&mut self, method: &str, headers: &str, body: &str) -> Outcome {
        if method != "ACK" && method != "INVITE" {
            self.cseq += 1;
        }
        let (local, cseq) = (self.socket.local_addr().at("socket")?, self.cseq);
        let message = format!(
            "{method} sip:4001234@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{name}{cseq}{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:13800138000@{local}>;tag={name}\r\nTo: {peer}\r\nCall-ID: {name}@test\r\n\
             CSeq: {cseq} {method}\r\n{headers}Content-Length: {length}\r\n\r\n{body}",
            to = self.to,
            name = self.name,
            peer = self.peer,
            length = body.len()
        );
        self.socket.send_to(message.as_bytes(), self.to).at(self.to).map(|_| ())
    }

    /// The next message that begins with `start`; others are passed over.
    fn wait(&self, start: &str) -> Outcome<String> {
        let mut bytes = [0; 4096];
        loop {
            let length = self.socket.recv(&mut bytes).at(format!("{} waits for {start}", self.name))?;
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if text.starts_with(start) {
                return Ok(text);
            }
        }
    }
}

#[test]
fn an_input_that_kills_the_box_twice_is_set_aside_and_other_calls_go_on() -> Outcome {
    let place = Workplace::new("planted")?;
    let mut site = Site::new(24).agent("1001", "2001");
    site.silence_timeout_s = 300;
    let mut appliance = Appliance::start_program("pbxd-planted", &site, place.path(), None)?;
    let mut bystander = Call::place(&site, "bystander", 15_380)?;
    let mut poisoned = Call::place(&site, "poisoned", 15_384)?;

    poisoned.send("INFO", "X-Plant: panic\r\n", "")?;
    appliance.ended(SOON)?;
    // The first start replays the input and dies of it again; the second one sets it aside.
    ensure!(appliance.restart().is_err(), "the planted input did not kill the recovery");
    appliance.restart()?;

    poisoned.wait("BYE ")?;
    let told = appliance.wait_facts(SOON, "the input to be set aside", |facts| {
        facts.iter().find(|fact| fact.kind == "SetAside").cloned()
    })?;
    let ended = appliance.wait_facts(SOON, "the poisoned call to end", |facts| {
        let of_call = |fact: &&tests::peer::appliance::Fact| fact.kind == "CallEnded" && fact.call == told.call;
        facts.iter().find(of_call).cloned()
    })?;
    ensure!(ended.detail["by"] == "recovery" && ended.detail["disposition"] == "ANSWERED", "{ended:?}");
    ensure!(appliance.log().contains("set aside"), "no alarm in\n{}", appliance.log());

    bystander.send("BYE", "", "")?;
    bystander.wait("SIP/2.0 200")?;
    appliance.all_ended(2)?;
    appliance.stop()
}
