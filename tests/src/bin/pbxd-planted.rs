//! `pbxd` with a bug planted in it: a SIP datagram with the header `X-Plant: panic` kills the program when the core is
//! about to handle it, each time. For the test that sees such an input set aside; never shipped.

use pbx::door::Input;
use signaling::sip::door as sip;
use std::process::ExitCode;

fn main() -> ExitCode {
    pbxd::cli::main(die_of_the_plant)
}

fn die_of_the_plant(input: &Input) {
    if let Input::Sip(sip::Input::Datagram { bytes, .. }) = input {
        let planted = bytes.windows(14).any(|window| window == b"X-Plant: panic");
        assert!(!planted, "the planted bug");
    }
}
