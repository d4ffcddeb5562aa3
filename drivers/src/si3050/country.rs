//! What each country's network wants of the line side: DC mask, impedance, hook speed. Values as the public DAHDI
//! table has them; the codes are ISO 3166 plus `FCC` and `TBR21`.

/// Line-side settings of one country or norm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Country {
    /// ISO 3166 alpha-2, or the name of a norm.
    pub code: &'static str,
    /// On-hook speed, register 16 bit 6.
    pub ohs: bool,
    /// On-hook speed 2, register 31 bit 3.
    pub ohs2: bool,
    /// Ringer impedance, register 16 bit 1.
    pub rz: bool,
    /// Ring threshold, register 16 bit 0.
    pub rt: bool,
    /// Current limit 60 mA, register 26 bit 1.
    pub ilim: bool,
    /// TIP/RING voltage adjust, register 26 bits 7:6.
    pub dcv: u8,
    /// Minimum operating current, register 26 bits 5:4.
    pub mini: u8,
    /// AC impedance, register 30 bits 3:0.
    pub acim: u8,
}

impl Country {
    const PLAIN: Country =
        Country { code: "", ohs: false, ohs2: false, rz: false, rt: false, ilim: false, dcv: 3, mini: 0, acim: 0 };

    /// The country's row, by code in any case.
    pub fn find(code: &str) -> Option<&'static Country> {
        COUNTRIES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
    }

    /// Value of register 16.
    pub const fn international_1(&self) -> u8 {
        (self.ohs as u8) << 6 | (self.rz as u8) << 1 | self.rt as u8
    }

    /// Value of register 26.
    pub const fn dc_termination(&self) -> u8 {
        (self.dcv & 3) << 6 | (self.mini & 3) << 4 | (self.ilim as u8) << 1
    }

    /// Value of register 30.
    pub const fn ac_termination(&self) -> u8 {
        self.acim & 0x0F
    }

    /// Value of register 31.
    pub const fn daa_control_5(&self) -> u8 {
        super::registers::DAA_CONTROL_5_BASE | (self.ohs2 as u8) << 3
    }
}

const fn plain(code: &'static str) -> Country {
    Country { code, ..Country::PLAIN }
}

/// Low-voltage networks: 12-16 mA minimum current instead of a raised voltage.
const fn low_voltage(code: &'static str) -> Country {
    Country { code, mini: 3, dcv: 0, ..Country::PLAIN }
}

/// TBR21 without the slow hook.
const fn limited(code: &'static str) -> Country {
    Country { code, ilim: true, acim: 2, ..Country::PLAIN }
}

/// TBR21 as most of Western Europe applies it.
const fn european(code: &'static str, acim: u8) -> Country {
    Country { code, ohs2: true, ilim: true, acim, ..Country::PLAIN }
}

/// Every country we know settings for; China first.
pub const COUNTRIES: &[Country] = &[
    Country { acim: 0x0F, ..low_voltage("CN") },
    Country { rt: true, ..plain("FCC") },
    plain("US"),
    plain("CA"),
    limited("TBR21"),
    european("GB", 5),
    european("DE", 3),
    european("AT", 3),
    european("FR", 2),
    european("IT", 2),
    european("ES", 2),
    european("NL", 2),
    european("BE", 2),
    european("SE", 2),
    european("NO", 2),
    european("CH", 2),
    european("FI", 2),
    european("DK", 2),
    european("IE", 2),
    european("PT", 2),
    european("GR", 2),
    limited("CZ"),
    limited("HR"),
    limited("IL"),
    limited("LV"),
    limited("NG"),
    Country { ohs: true, acim: 3, ..low_voltage("AU") },
    Country { acim: 4, ..plain("NZ") },
    low_voltage("JP"),
    low_voltage("BR"),
    low_voltage("RU"),
    low_voltage("TW"),
    low_voltage("TH"),
    low_voltage("PH"),
    low_voltage("MY"),
    low_voltage("EG"),
    Country { acim: 4, ..plain("IN") },
    Country { ohs: true, rz: true, acim: 3, ..plain("ZA") },
    Country { rz: true, rt: true, ..plain("PL") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn china_is_first_and_codes_are_unique() {
        assert_eq!(COUNTRIES[0].code, "CN");
        for (i, a) in COUNTRIES.iter().enumerate() {
            assert!(COUNTRIES[i + 1..].iter().all(|b| b.code != a.code), "{} twice", a.code);
        }
    }

    #[test]
    fn register_values() {
        let cn = Country::find("cn").unwrap();
        assert_eq!(
            (cn.international_1(), cn.dc_termination(), cn.ac_termination(), cn.daa_control_5()),
            (0x00, 0x30, 0x0F, 0xA3)
        );
        let de = Country::find("DE").unwrap();
        assert_eq!((de.dc_termination(), de.ac_termination(), de.daa_control_5()), (0xC2, 3, 0xAB));
        let za = Country::find("ZA").unwrap();
        assert_eq!(za.international_1(), 0x42);
        assert!(Country::find("Atlantis").is_none());
    }
}
