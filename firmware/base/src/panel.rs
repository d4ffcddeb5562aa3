//! Door D3, the front panel: its keys, its signals, the size of its picture. Plain values between `drivers` and the
//! shell; what is shown and what a key means is decided above.

/// Width of the picture in pixels.
pub const WIDTH: usize = 256;
/// Height of the picture in pixels.
pub const HEIGHT: usize = 64;

/// The six keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Take, enter, acknowledge.
    Ok,
    /// One step back; held, back to the idle screen.
    Back,
}

impl Key {
    /// All, in the order in which they are wired.
    pub const ALL: [Key; 6] = [Key::Up, Key::Down, Key::Left, Key::Right, Key::Ok, Key::Back];

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Key::Up => "up",
            Key::Down => "down",
            Key::Left => "left",
            Key::Right => "right",
            Key::Ok => "ok",
            Key::Back => "back",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.name() == name)
    }
}

/// What a finger did, after debouncing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyEvent {
    /// The key went down.
    Pressed(Key),
    /// It is still down and repeats; arrows only.
    Repeated(Key),
    /// It has been down for the time that dangerous acts ask for; once per press.
    Held(Key),
    /// The key went up.
    Released(Key),
}

/// What shows and sounds beside the display.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Signals {
    /// In service.
    pub green: bool,
    /// Something is degraded.
    pub amber: bool,
    /// Service is lost, and only then.
    pub red: bool,
    /// The buzzer sounds.
    pub buzzer: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_name_of_its_own() {
        for key in Key::ALL {
            assert_eq!(Key::named(key.name()), Some(key));
        }
        assert_eq!(Key::named("enter"), None);
    }
}
