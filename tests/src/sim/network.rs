//! The network of the world: what becomes of each datagram, and how long everything takes. Virtual time only.

use super::dice::Dice;

/// How bad the network is. All times in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weather {
    /// Of 1,000 datagrams so many vanish.
    pub loss_permille: u64,
    /// Of 1,000 datagrams so many come twice.
    pub duplicate_permille: u64,
    /// Of 1,000 datagrams so many are overtaken by later ones.
    pub reorder_permille: u64,
    /// Shortest way.
    pub delay_us_min: u64,
    /// Longest way of a datagram that is not held up.
    pub delay_us_max: u64,
    /// A datagram that is overtaken takes up to so long.
    pub late_us_max: u64,
}

impl Weather {
    /// A local network at rest.
    pub const FAIR: Weather = Weather {
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
        delay_us_min: 200,
        delay_us_max: 200,
        late_us_max: 0,
    };
}

/// Decides the fate of datagrams.
#[derive(Debug)]
pub struct Network {
    /// How bad it is now.
    pub weather: Weather,
    dice: Dice,
    /// Datagrams that vanished.
    pub lost: u64,
    /// Datagrams that came twice.
    pub doubled: u64,
}

impl Network {
    /// A network with its own dice.
    pub fn new(weather: Weather, dice: Dice) -> Network {
        Network { weather, dice, lost: 0, doubled: 0 }
    }

    /// After how many microseconds each copy of a datagram arrives: none, one or two.
    pub fn fate(&mut self) -> (Option<u64>, Option<u64>) {
        let weather = self.weather;
        if weather.loss_permille > 0 && self.dice.permille(weather.loss_permille) {
            self.lost += 1;
            return (None, None);
        }
        let first = self.delay();
        if weather.duplicate_permille > 0 && self.dice.permille(weather.duplicate_permille) {
            self.doubled += 1;
            return (Some(first), Some(self.delay()));
        }
        (Some(first), None)
    }

    fn delay(&mut self) -> u64 {
        let weather = self.weather;
        if weather.reorder_permille > 0 && self.dice.permille(weather.reorder_permille) {
            return self.dice.between(weather.delay_us_max, weather.late_us_max.max(weather.delay_us_max));
        }
        self.dice.between(weather.delay_us_min, weather.delay_us_max)
    }

    /// How long bytes of a stream take; they never overtake each other.
    pub fn stream_delay_us(&self) -> u64 {
        self.weather.delay_us_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loses_about_as_many_as_told() {
        let weather = Weather { loss_permille: 100, duplicate_permille: 50, ..Weather::FAIR };
        let mut network = Network::new(weather, Dice::new(1, 2));
        let arrived = (0..10_000).filter(|_| network.fate().0.is_some()).count();
        assert!((8_800..9_200).contains(&arrived), "{arrived}");
        assert!(network.doubled > 300);
    }
}
