//! ITU-T G.711: A-law and µ-law, exact against the sweep files of ITU-T G.191.
//!
//! Decoding is a table of 256 entries. Encoding looks at the upper 12 bits (A-law, table of 4 KiB) or 14 bits (µ-law,
//! 16 KiB) of a 16-bit sample, because G.711 does not see the lower ones. Negative samples are folded by one's
//! complement, as the G.191 reference does.

use crate::{Law, Pcm};
use base::media::Codec;

/// A-law code of a sample of zero.
pub const SILENCE_A: u8 = 0xd5;
/// µ-law code of a sample of zero.
pub const SILENCE_MU: u8 = 0xff;

static DECODE_A: [i16; 256] = decode_table_a();
static DECODE_MU: [i16; 256] = decode_table_mu();
static ENCODE_A: [u8; 1 << 12] = encode_table_a();
static ENCODE_MU: [u8; 1 << 14] = encode_table_mu();
static MU_TO_A: [u8; 256] = convert_table(&DECODE_MU, true);
static A_TO_MU: [u8; 256] = convert_table(&DECODE_A, false);

/// One sample from its code.
pub fn decode(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::Pcma => DECODE_A[code as usize],
        Codec::Pcmu => DECODE_MU[code as usize],
    }
}

/// The code of one sample.
pub fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcma => encode_a(sample),
        Codec::Pcmu => encode_mu(sample),
    }
}

/// The code of silence.
pub fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => SILENCE_A,
        Codec::Pcmu => SILENCE_MU,
    }
}

/// A frame of codes to samples.
pub fn decode_frame(codec: Codec, law: &Law, pcm: &mut Pcm) {
    let table = match codec {
        Codec::Pcma => &DECODE_A,
        Codec::Pcmu => &DECODE_MU,
    };
    for (sample, code) in pcm.iter_mut().zip(law) {
        *sample = table[*code as usize];
    }
}

/// A frame of samples to codes.
pub fn encode_frame(codec: Codec, pcm: &Pcm, law: &mut [u8]) {
    match codec {
        Codec::Pcma => law.iter_mut().zip(pcm).for_each(|(code, sample)| *code = encode_a(*sample)),
        Codec::Pcmu => law.iter_mut().zip(pcm).for_each(|(code, sample)| *code = encode_mu(*sample)),
    }
}

/// Codes of one law to the other in place; nothing when the laws are the same.
pub fn convert(from: Codec, to: Codec, codes: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => &MU_TO_A,
        (Codec::Pcma, Codec::Pcmu) => &A_TO_MU,
        (Codec::Pcma, Codec::Pcma) | (Codec::Pcmu, Codec::Pcmu) => return,
    };
    for code in codes {
        *code = table[*code as usize];
    }
}

fn encode_a(sample: i16) -> u8 {
    ENCODE_A[(sample as u16 >> 4) as usize]
}

fn encode_mu(sample: i16) -> u8 {
    ENCODE_MU[(sample as u16 >> 2) as usize]
}

/// G.711 table 1: 13 segments of sign and magnitude, even bits inverted.
const fn decode_table_a() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = (code as i32) ^ 0x55;
        let segment = (bits >> 4) & 7;
        let mantissa = (bits & 15) << 4;
        let magnitude = match segment {
            0 => mantissa + 8,
            _ => (mantissa + 0x108) << (segment - 1),
        };
        table[code] = if bits & 0x80 != 0 { magnitude as i16 } else { -(magnitude as i16) };
        code += 1;
    }
    table
}

/// G.711 table 2: 15 segments of sign and magnitude, all bits inverted, bias 33 at 14 bits.
const fn decode_table_mu() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = !(code as i32) & 0xff;
        let segment = (bits >> 4) & 7;
        let magnitude = ((((bits & 15) << 3) + 0x84) << segment) - 0x84;
        table[code] = if bits & 0x80 == 0 { magnitude as i16 } else { -(magnitude as i16) };
        code += 1;
    }
    table
}

const fn encode_table_a() -> [u8; 1 << 12] {
    let mut table = [0; 1 << 12];
    let mut i = 0;
    while i < table.len() {
        // 12-bit two's complement.
        let x = if i < 2048 { i as i32 } else { i as i32 - 4096 };
        let magnitude = if x < 0 { !x } else { x };
        let mut code = magnitude;
        if magnitude > 15 {
            let mut exponent = 1;
            while (magnitude >> (exponent - 1)) > 31 {
                exponent += 1;
            }
            code = ((magnitude >> (exponent - 1)) - 16) + (exponent << 4);
        }
        if x >= 0 {
            code |= 0x80;
        }
        table[i] = (code ^ 0x55) as u8;
        i += 1;
    }
    table
}

const fn encode_table_mu() -> [u8; 1 << 14] {
    let mut table = [0; 1 << 14];
    let mut i = 0;
    while i < table.len() {
        // 14-bit two's complement.
        let x = if i < 8192 { i as i32 } else { i as i32 - 16384 };
        let mut magnitude = (if x < 0 { !x } else { x }) + 33;
        if magnitude > 0x1fff {
            magnitude = 0x1fff;
        }
        let mut segment = 0;
        while (magnitude >> (segment + 6)) != 0 {
            segment += 1;
        }
        let mantissa = (magnitude >> (segment + 1)) & 15;
        let code = (segment << 4) | mantissa;
        table[i] = (!code & 0x7f) as u8 | if x >= 0 { 0x80 } else { 0 };
        i += 1;
    }
    table
}

const fn convert_table(from: &[i16; 256], to_a: bool) -> [u8; 256] {
    let a = encode_table_a();
    let mu = encode_table_mu();
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let sample = from[code] as u16;
        table[code] = if to_a { a[(sample >> 4) as usize] } else { mu[(sample >> 2) as usize] };
        code += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn itu(name: &str) -> Option<Vec<u16>> {
        let dir =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/media/itu-stl/src/g711/test_data");
        let Ok(bytes) = std::fs::read(dir.join(name)) else {
            eprintln!("skipped: no {name} of ITU-T G.191 beside the clone");
            return None;
        };
        Some(bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect())
    }

    #[test]
    fn all_inputs_as_in_the_itu_sweep() {
        let (Some(source), Some(a), Some(mu)) = (itu("sweep.src"), itu("sweep-r.a"), itu("sweep-r.u")) else { return };
        assert_eq!(source.len(), 65_536);
        for ((sample, a), mu) in source.iter().zip(&a).zip(&mu) {
            let sample = *sample as i16;
            assert_eq!(u16::from(encode(Codec::Pcma, sample)), *a, "A-law of {sample}");
            assert_eq!(u16::from(encode(Codec::Pcmu, sample)), *mu, "µ-law of {sample}");
        }
    }

    #[test]
    fn all_codes_back_as_in_the_itu_sweep() {
        for (codes, samples, codec) in
            [("sweep-r.a", "sweep-r.a-a", Codec::Pcma), ("sweep-r.u", "sweep-r.u-u", Codec::Pcmu)]
        {
            let (Some(codes), Some(samples)) = (itu(codes), itu(samples)) else { return };
            for (code, sample) in codes.iter().zip(&samples) {
                assert_eq!(decode(codec, *code as u8), *sample as i16, "{codec:?} {code:#x}");
            }
        }
    }

    #[test]
    fn known_codes() {
        // G.711 tables 1a and 2a: the largest values and zero.
        assert_eq!(encode(Codec::Pcma, 0), SILENCE_A);
        assert_eq!(encode(Codec::Pcmu, 0), SILENCE_MU);
        assert_eq!(encode(Codec::Pcma, i16::MAX), 0xaa);
        assert_eq!(encode(Codec::Pcmu, i16::MAX), 0x80);
        assert_eq!(decode(Codec::Pcma, 0xaa), 32_256);
        assert_eq!(decode(Codec::Pcmu, 0x80), 32_124);
        for code in 0..=255 {
            assert_eq!(encode(Codec::Pcma, decode(Codec::Pcma, code)), code);
        }
    }

    #[test]
    fn laws_convert_through_linear() {
        for code in 0..=255u8 {
            let mut one = [code];
            convert(Codec::Pcmu, Codec::Pcma, &mut one);
            assert_eq!(one[0], encode(Codec::Pcma, decode(Codec::Pcmu, code)));
        }
    }
}
