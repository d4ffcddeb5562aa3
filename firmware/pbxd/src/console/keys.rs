//! Bytes of a terminal to keys: UTF-8, escape sequences, and whatever else a cable brings. Sans-IO; keeps less than a
//! sequence between two bytes, so that no stream makes it grow. What means nothing is dropped without a word.

/// Bytes of the longest sequence that is looked at; a longer one is dropped up to its end.
const SEQUENCE_MAX: usize = 24;

/// One thing that a person, or the terminal itself, said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A character that can stand in a line.
    Char(char),
    /// Carriage return, line feed, or both.
    Enter,
    /// Tab.
    Tab,
    /// Removes the character before the cursor.
    Backspace,
    /// Removes the character under the cursor.
    Delete,
    /// One character to the left.
    Left,
    /// One character to the right.
    Right,
    /// The line before.
    Up,
    /// The line after.
    Down,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A page on.
    PageDown,
    /// With the letter `a` to `z`.
    Ctrl(char),
    /// The terminal's answer to the question where its cursor is; both count from 1.
    Position {
        /// Row.
        row: u16,
        /// Column.
        column: u16,
    },
}

/// The decoder.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    state: State,
    /// The last was a carriage return: a line feed now belongs to it.
    after_return: bool,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Plain,
    /// Of a character: what it is so far, bytes to come, the smallest that so many bytes may mean.
    Utf8 {
        code: u32,
        left: u8,
        least: u32,
    },
    Escape,
    /// `ESC O`
    Single,
    /// `ESC [`, its parameters so far.
    Sequence {
        bytes: [u8; SEQUENCE_MAX],
        length: usize,
    },
    /// A string for the terminal (title, clipboard): up to BEL or ESC.
    Text,
}

impl Keys {
    /// The key that this byte ends.
    pub fn take(&mut self, byte: u8) -> Option<Key> {
        let after_return = std::mem::take(&mut self.after_return);
        match std::mem::take(&mut self.state) {
            State::Plain => self.plain(byte, after_return),
            State::Utf8 { code, left, least } => self.utf8(byte, code, left, least),
            State::Escape => self.escape(byte),
            State::Single => single(byte),
            State::Sequence { bytes, length } => self.sequence(byte, bytes, length),
            State::Text => {
                match byte {
                    0x07 | 0x18 | 0x1a | b'\r' | b'\n' => {}
                    0x1b => self.state = State::Escape,
                    _ => self.state = State::Text,
                }
                None
            }
        }
    }

    fn plain(&mut self, byte: u8, after_return: bool) -> Option<Key> {
        match byte {
            b'\r' => {
                self.after_return = true;
                Some(Key::Enter)
            }
            b'\n' if after_return => None,
            b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Tab),
            0x08 | 0x7f => Some(Key::Backspace),
            0x1b => {
                self.state = State::Escape;
                None
            }
            0x01..=0x1a => Some(Key::Ctrl(char::from(byte + 0x60))),
            // NUL is what a break on the line looks like.
            0x00 | 0x1c..=0x1f => None,
            0x20..=0x7e => Some(Key::Char(char::from(byte))),
            0x80..=0xff => {
                let (code, left, least) = match byte {
                    0xc2..=0xdf => (byte & 0x1f, 1, 0x80),
                    0xe0..=0xef => (byte & 0x0f, 2, 0x800),
                    0xf0..=0xf4 => (byte & 0x07, 3, 0x1_0000),
                    _ => return None,
                };
                self.state = State::Utf8 { code: u32::from(code), left, least };
                None
            }
        }
    }

    fn utf8(&mut self, byte: u8, code: u32, left: u8, least: u32) -> Option<Key> {
        if byte & 0xc0 != 0x80 {
            // The character was cut; this byte begins something of its own.
            return self.plain(byte, false);
        }
        let code = code << 6 | u32::from(byte & 0x3f);
        if left > 1 {
            self.state = State::Utf8 { code, left: left - 1, least };
            return None;
        }
        let char = char::from_u32(code).filter(|_| code >= least)?;
        (!char.is_control() && !disguise(char)).then_some(Key::Char(char))
    }

    fn escape(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'[' => self.state = State::Sequence { bytes: [0; SEQUENCE_MAX], length: 0 },
            b'O' => self.state = State::Single,
            b']' | b'P' | b'X' | b'^' | b'_' => self.state = State::Text,
            0x1b => self.state = State::Escape,
            // Meta keys are not used; other control characters are meant as such.
            0x00..=0x1a => return self.plain(byte, false),
            _ => {}
        }
        None
    }

    /// ECMA-48 §5.4: parameters 0x20-0x3f, one final byte 0x40-0x7e.
    fn sequence(&mut self, byte: u8, mut bytes: [u8; SEQUENCE_MAX], length: usize) -> Option<Key> {
        match byte {
            0x20..=0x3f => {
                if let Some(place) = bytes.get_mut(length) {
                    *place = byte;
                }
                // One beyond the end marks a sequence that was too long.
                self.state = State::Sequence { bytes, length: (length + 1).min(SEQUENCE_MAX + 1) };
                None
            }
            0x40..=0x7e => finished(bytes.get(..length)?, byte),
            0x1b => {
                self.state = State::Escape;
                None
            }
            _ => self.plain(byte, false),
        }
    }
}

/// Characters that reverse the order of others, or have no width, could make a line look like another.
fn disguise(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn single(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        b'M' => Some(Key::Enter),
        _ => None,
    }
}

fn finished(parameters: &[u8], last: u8) -> Option<Key> {
    let mut numbers = parameters.split(|byte| *byte == b';').map(|word| std::str::from_utf8(word).ok()?.parse().ok());
    let mut number = || numbers.next().flatten();
    match last {
        b'A' | b'B' | b'C' | b'D' | b'H' | b'F' => single(last),
        b'R' => Some(Key::Position { row: number()?, column: number()? }),
        b'~' => match number()? {
            1u16 | 7 => Some(Key::Home),
            4 | 8 => Some(Key::End),
            3 => Some(Key::Delete),
            6 => Some(Key::PageDown),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes.iter().filter_map(|byte| keys.take(*byte)).collect()
    }

    #[test]
    fn characters_and_controls() {
        assert_eq!(keys("a客😀".as_bytes()), [Key::Char('a'), Key::Char('客'), Key::Char('😀')]);
        assert_eq!(keys(b"\r\n\n\r\r"), [Key::Enter; 4]);
        assert_eq!(
            keys(b"\x01\x0b\t\x7f\x08"),
            [Key::Ctrl('a'), Key::Ctrl('k'), Key::Tab, Key::Backspace, Key::Backspace]
        );
    }

    #[test]
    fn sequences_of_different_terminals_are_the_same_keys() {
        assert_eq!(
            keys(b"\x1b[A\x1bOA\x1b[1~\x1b[H\x1b[3~\x1b[6~"),
            [Key::Up, Key::Up, Key::Home, Key::Home, Key::Delete, Key::PageDown]
        );
        assert_eq!(keys(b"\x1b[24;80R"), [Key::Position { row: 24, column: 80 }]);
        assert_eq!(keys(b"\x1b[1;5C"), [Key::Right]);
    }

    #[test]
    fn garbage_leaves_the_next_key_whole() {
        for garbage in [
            &b"\x00\x00\xff\xfe"[..],
            b"\xe5\xae",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\x1b[200~",
            b"\x1b]0;title\x07",
            b"\x1bx",
            b"\xe2\x80\xae",
            b"\x1b[99999;1R",
        ] {
            assert_eq!(keys(&[garbage, b"z"].concat()), [Key::Char('z')], "{garbage:?}");
        }
        let long = [b"\x1b[".as_slice(), &[b'1'; 500], b"~z"].concat();
        assert_eq!(keys(&long), [Key::Char('z')]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_keys_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let count = keys(&bytes).len();
            prop_assert!(count <= bytes.len());
        }
    }
}
