//! What keeping pictures may cost: a share of the time that epochs take. What is not spent is saved up, what is overspent is owed, so
//! that over a run the share holds whatever a single picture costs.

/// What is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buy {
    /// An image's activations and heat.
    Image,
    /// Heat at one more layer.
    Block,
    /// How all layers fare.
    Probe,
    /// Of an image that was taken for something else.
    Thumbnail,
}

/// All times in seconds.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    share: f64,
    saved: f64,
    /// What the last one of each took; `None` before the first, whose price nobody knows.
    prices: [Option<f64>; 4],
}

impl Budget {
    pub fn new(share: f64) -> Self {
        Self { share, saved: 0.0, prices: [None; 4] }
    }

    /// An epoch is over that took so long.
    pub fn earn(&mut self, seconds: f64) {
        if seconds.is_finite() {
            self.saved += self.share * seconds.max(0.0);
        }
    }

    pub fn affords(&self, what: Buy) -> bool {
        self.saved > 0.0 && self.saved >= self.prices[what as usize].unwrap_or(0.0)
    }

    pub fn spend(&mut self, what: Buy, seconds: f64) {
        self.saved -= seconds;
        self.prices[what as usize] = Some(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images that are bought at the ends of epochs of 10 s, when each takes `price` and there are `pins` of them.
    fn bought(share: f64, price: f64, pins: usize, epochs: usize) -> Vec<usize> {
        let mut budget = Budget::new(share);
        let mut all = Vec::new();
        for _ in 0..epochs {
            budget.earn(10.0);
            let mut count = 0;
            while count < pins && budget.affords(Buy::Image) {
                budget.spend(Buy::Image, price);
                count += 1;
            }
            all.push(count);
        }
        all
    }

    #[test]
    fn cheap_pictures_are_all_made() {
        assert_eq!(bought(0.02, 0.05, 4, 3), [4, 4, 4]);
    }

    #[test]
    fn dear_ones_are_made_less_often_and_the_share_holds() {
        // 0.2 s an epoch; the first one is made before its price is known, and paid for afterwards.
        assert_eq!(bought(0.02, 0.5, 4, 8), [1, 0, 0, 0, 1, 0, 0, 1]);
        let many = bought(0.02, 0.5, 4, 1000);
        let spent = many.iter().sum::<usize>() as f64 * 0.5;
        assert!(spent <= 0.02 * 10_000.0 + 0.5, "{spent} s");
    }

    #[test]
    fn without_a_share_nothing_is_made() {
        assert_eq!(bought(0.0, 0.001, 4, 2), [0, 0]);
    }

    #[test]
    fn a_clock_that_runs_backwards_costs_nothing() {
        let mut budget = Budget::new(1.0);
        budget.earn(f64::NAN);
        budget.earn(-1.0);
        assert!(!budget.affords(Buy::Block));
    }
}
