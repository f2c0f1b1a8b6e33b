//! Numbers that look like chance and are the same for the same seed.

use std::time::Duration;

/// Such numbers; equal for an equal seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Numbers of this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        // Neighbouring seeds are to give different rounds; zero would stay zero.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// One of `most` numbers, from 0.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The low bits of such numbers are the worse ones.
        (self.0 >> 11) % most.max(1)
    }

    /// As [`Dice::below`], for places in memory.
    pub fn index(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        usize::try_from(self.below(most)).unwrap_or(0)
    }

    /// True in so many of a hundred.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Waits a moment that is shorter than this.
    pub fn moment(&mut self, most: Duration) {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        std::thread::park_timeout(Duration::from_micros(self.below(micros)));
    }
}
