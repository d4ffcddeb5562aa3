//! What a value of each kind looks like, in words: for messages and help. How it is read is in [`super::value`].

use super::form;
use super::value::{Kind, LABEL_CHARS_MAX, NAME_CHARS_MAX, SECRET_CHARS, Unit};
use crate::text::{Key, Text, problem};

impl Kind {
    /// What a value of this kind looks like, for messages and help.
    pub fn expected(self) -> Text {
        match self {
            Kind::Number { min, max, step, unit } => {
                let key = match unit {
                    Unit::None => problem::EXPECT_NUMBER,
                    _ if step > 1 => problem::EXPECT_NUMBER_STEP,
                    _ => problem::EXPECT_NUMBER_UNIT,
                };
                let text = Text::new(key).with("min", u64::from(min)).with("max", u64::from(max));
                match unit {
                    Unit::None => text,
                    Unit::Seconds => text.with("step", u64::from(step)).with("unit", problem::SECONDS),
                    Unit::Milliseconds => text.with("step", u64::from(step)).with("unit", problem::MILLISECONDS),
                    Unit::Minutes => text.with("step", u64::from(step)).with("unit", problem::MINUTES),
                }
            }
            Kind::Flag => problem::EXPECT_FLAG.into(),
            Kind::Label => Text::new(problem::EXPECT_LABEL).with("max", LABEL_CHARS_MAX as u64),
            Kind::Secret => bounded(problem::EXPECT_SECRET, SECRET_CHARS.0, SECRET_CHARS.1),
            Kind::Name => Text::new(problem::EXPECT_NAME).with("max", NAME_CHARS_MAX as u64),
            Kind::Digits { min, max, plus: false } => bounded(problem::EXPECT_DIGITS, min, max),
            Kind::Digits { min, max, plus: true } => bounded(problem::EXPECT_DIGITS_PLUS, min, max),
            Kind::Numbers { min, max } => bounded(problem::EXPECT_NUMBERS, min, max),
            Kind::Reference(table) => Text::new(problem::EXPECT_REFERENCE).with("table", table.word()),
            Kind::References(table) => Text::new(problem::EXPECT_REFERENCES).with("table", table.word()),
            Kind::Language => problem::EXPECT_LANGUAGE.into(),
            Kind::Languages => problem::EXPECT_LANGUAGES.into(),
            Kind::Address => problem::EXPECT_ADDRESS.into(),
            Kind::Socket => problem::EXPECT_SOCKET.into(),
            Kind::Ports => problem::EXPECT_PORTS.into(),
            Kind::Port => problem::EXPECT_PORT.into(),
            Kind::Code => problem::EXPECT_CODE.into(),
            Kind::Key => problem::EXPECT_KEY.into(),
            Kind::Destination => problem::EXPECT_DESTINATION.into(),
            Kind::Word(vocabulary) => Text::new(problem::EXPECT_WORD).with("words", vocabulary.own.join(", ")),
            Kind::Words(vocabulary) => Text::new(problem::EXPECT_WORDS).with("words", vocabulary.own.join(", ")),
            Kind::Pin { min, max } => bounded(problem::EXPECT_PIN, min, max),
            Kind::Skills => problem::EXPECT_SKILLS.into(),
            Kind::UtcOffset => problem::EXPECT_UTC_OFFSET.into(),
            Kind::Hours => problem::EXPECT_HOURS.into(),
            Kind::DaysOff => problem::EXPECT_DAYS_OFF.into(),
            Kind::ExtraHours => problem::EXPECT_EXTRA_HOURS.into(),
            Kind::PasswordHash => problem::EXPECT_PASSWORD_HASH.into(),
            Kind::Login => Text::new(problem::EXPECT_LOGIN).with("max", form::LOGIN_CHARS_MAX as u64),
            Kind::Interface => Text::new(problem::EXPECT_INTERFACE).with("max", form::INTERFACE_CHARS_MAX as u64),
            Kind::Cidr => problem::EXPECT_CIDR.into(),
            Kind::Addresses => problem::EXPECT_ADDRESSES.into(),
            Kind::Device => problem::EXPECT_DEVICE.into(),
        }
    }
}

fn bounded(key: Key, min: usize, max: usize) -> Text {
    Text::new(key).with("min", min as u64).with("max", max as u64)
}
