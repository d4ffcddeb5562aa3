//! Which address a leg's packets may come from and where ours go.

use std::net::SocketAddr;

/// The peer by its SDP, and the port it really uses. A phone behind an odd port is followed by its first packet, when
/// that comes from the IP address of the SDP; a packet from the very address of the SDP is always believed.
#[derive(Clone, Copy, Default, Debug)]
pub struct Address {
    agreed: Option<SocketAddr>,
    follows: Option<SocketAddr>,
    /// First source before anything was agreed.
    early: Option<SocketAddr>,
}

impl Address {
    /// Whether an RTP packet from there is the peer's.
    pub fn accepts_rtp(&mut self, from: SocketAddr) -> bool {
        let Some(agreed) = self.agreed else { return *self.early.get_or_insert(from) == from };
        if from == agreed {
            self.follows = Some(agreed);
            return true;
        }
        if from.ip() != agreed.ip() {
            return false;
        }
        *self.follows.get_or_insert(from) == from
    }

    /// Whether an RTCP packet from there is the peer's: its port need not be the next one.
    pub fn accepts_rtcp(&self, from: SocketAddr) -> bool {
        self.agreed.is_some_and(|agreed| agreed.ip() == from.ip())
    }

    /// Takes the agreed address; false when packets that came before it were not from there.
    pub fn agree(&mut self, address: SocketAddr) -> bool {
        if self.agreed != Some(address) {
            self.agreed = Some(address);
            self.follows = None;
        }
        self.early.take().is_none_or(|early| self.accepts_rtp(early))
    }

    /// Where our RTP goes; `None` before an agreement and when the peer has no address (port 0, 0.0.0.0).
    pub fn rtp_to(&self) -> Option<SocketAddr> {
        self.follows.or(self.agreed).filter(|to| to.port() != 0 && !to.ip().is_unspecified())
    }

    /// Where our RTCP goes: the next port.
    pub fn rtcp_to(&self) -> Option<SocketAddr> {
        let mut to = self.rtp_to()?;
        to.set_port(to.port().checked_add(1)?);
        Some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn follows_one_odd_port_of_the_agreed_host() {
        let mut address = Address::default();
        assert!(address.agree(addr("10.0.0.1:4000")));
        assert!(!address.accepts_rtp(addr("10.0.0.2:4000")));
        assert!(address.accepts_rtp(addr("10.0.0.1:5000")));
        assert_eq!(address.rtp_to(), Some(addr("10.0.0.1:5000")));
        assert!(!address.accepts_rtp(addr("10.0.0.1:5002")));
        // The very address of the SDP is believed, and from then on nothing else.
        assert!(address.accepts_rtp(addr("10.0.0.1:4000")));
        assert!(!address.accepts_rtp(addr("10.0.0.1:5000")));
        assert_eq!(address.rtcp_to(), Some(addr("10.0.0.1:4001")));
    }

    #[test]
    fn what_came_early_is_checked_later() {
        let mut address = Address::default();
        assert!(address.accepts_rtp(addr("10.0.0.9:4000")));
        assert!(!address.accepts_rtp(addr("10.0.0.1:4000")), "one source at a time");
        assert!(!address.agree(addr("10.0.0.1:4000")));
        assert!(address.accepts_rtp(addr("10.0.0.1:4000")));
    }

    #[test]
    fn a_peer_on_hold_by_zero_address_gets_nothing() {
        let mut address = Address::default();
        address.agree(addr("0.0.0.0:4000"));
        assert_eq!(address.rtp_to(), None);
    }
}
