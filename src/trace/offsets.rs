//! What is known of the differences between clocks: for every two of them, how far one can be ahead of the other at most.

use crate::base::time::SECOND;

/// Zones differ by multiples of this, in microseconds.
const ZONE_STEP: i64 = 900 * SECOND;

/// Stands for a bound that is not known.
const OPEN: i64 = i64::MAX / 4;

/// The bounds of all differences, each as tight as the others make it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    count: usize,
    /// By clock and clock: how far the second is ahead of the first at most.
    most: Vec<i64>,
}

impl Bounds {
    /// Clocks of which nothing is known.
    pub(super) fn new(count: usize) -> Self {
        let mut most = vec![OPEN; count * count];
        for clock in 0..count {
            most[clock * count + clock] = 0;
        }
        Self { count, most }
    }

    /// How far `second` is ahead of `first` at most.
    pub(super) fn most(&self, first: usize, second: usize) -> Option<i64> {
        if first >= self.count || second >= self.count {
            return (first == second).then_some(0);
        }
        Some(self.most[first * self.count + second]).filter(|most| *most < OPEN)
    }

    /// Learns that `second` is ahead of `first` by `least` to `most`; `false` when that contradicts what is known.
    pub(super) fn learn(&mut self, (first, second): (usize, usize), least: Option<i64>, most: Option<i64>) -> bool {
        if first >= self.count || second >= self.count {
            return false;
        }
        let forth = most.unwrap_or(OPEN);
        let back = least.map_or(OPEN, i64::saturating_neg);
        let known = |from: usize, to: usize| self.most[from * self.count + to];
        if forth.saturating_add(back) < 0
            || forth.saturating_add(known(second, first)) < 0
            || back.saturating_add(known(first, second)) < 0
        {
            return false;
        }
        self.tighten(first, second, forth);
        self.tighten(second, first, back);
        true
    }

    fn tighten(&mut self, from: usize, to: usize, most: i64) {
        if most >= self.most[from * self.count + to] {
            return;
        }
        for start in 0..self.count {
            let way = self.most[start * self.count + from];
            if way >= OPEN {
                continue;
            }
            for end in 0..self.count {
                let rest = self.most[to * self.count + end];
                let whole = way.saturating_add(most).saturating_add(rest);
                let known = &mut self.most[start * self.count + end];
                if rest < OPEN && whole < *known {
                    *known = whole;
                }
            }
        }
    }

    /// What the offsets of some clocks leave for that of another.
    fn range(&self, settled: &[(usize, i64)], clock: usize) -> (Option<i64>, Option<i64>) {
        let most = settled.iter().filter_map(|(other, offset)| Some(offset.saturating_add(self.most(*other, clock)?)));
        let least = settled.iter().filter_map(|(other, offset)| Some(offset.saturating_sub(self.most(clock, *other)?)));
        (least.max(), most.min())
    }
}

/// One offset for each of some clocks, the first of which has none: none or a difference of zones where the bounds allow it,
/// else the middle of what is `near`.
pub(super) fn settle(bounds: &Bounds, near: &Bounds, clocks: &[usize]) -> Vec<(usize, i64)> {
    let mut settled: Vec<(usize, i64)> = Vec::with_capacity(clocks.len());
    for clock in clocks {
        let offset = round(bounds.range(&settled, *clock)).unwrap_or_else(|| middle(near.range(&settled, *clock)));
        settled.push((*clock, offset));
    }
    settled
}

/// No offset, or the smallest difference of zones, within bounds.
fn round((least, most): (Option<i64>, Option<i64>)) -> Option<i64> {
    let fits = |offset: &i64| least.is_none_or(|least| least <= *offset) && most.is_none_or(|most| *offset <= most);
    let zone = match (least, most) {
        (Some(least), Some(_)) if least > 0 => least.saturating_add(ZONE_STEP - 1) / ZONE_STEP * ZONE_STEP,
        (Some(_), Some(most)) => most.saturating_sub(ZONE_STEP - 1) / ZONE_STEP * ZONE_STEP,
        _ => 0,
    };
    [0, zone].into_iter().find(fits)
}

/// The middle of some bounds, or the only one.
fn middle((least, most): (Option<i64>, Option<i64>)) -> i64 {
    match (least, most) {
        (Some(least), Some(most)) => least.saturating_add(most.saturating_sub(least) / 2),
        (Some(bound), None) | (None, Some(bound)) => bound,
        (None, None) => 0,
    }
}

/// The bounds that most of some observations agree on, and how many contradict them. `least` and `most` are what each
/// observation tells of the difference.
pub(super) fn agree(mut least: Vec<i64>, mut most: Vec<i64>) -> (Option<i64>, Option<i64>, usize) {
    least.sort_unstable();
    most.sort_unstable();
    match (least.last().copied(), most.first().copied()) {
        (Some(low), Some(high)) if low > high => {}
        (low, high) => return (low, high, 0),
    }
    // As many as possible: those at least as low, and those at most as high.
    let kept = |offset: i64| {
        let low = least.partition_point(|bound| *bound <= offset);
        (low, most.partition_point(|bound| *bound < offset))
    };
    let agreeing = |offset: &i64| {
        let (low, high) = kept(*offset);
        (low + most.len() - high, std::cmp::Reverse(offset.abs()))
    };
    let best = least.iter().chain(&most).copied().max_by_key(agreeing).unwrap_or(0);
    let (low, high) = kept(best);
    let contradicting = least.len() - low + high;
    (low.checked_sub(1).map(|last| least[last]), most.get(high).copied(), contradicting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_go_on_from_clock_to_clock() {
        let mut bounds = Bounds::new(3);
        assert!(bounds.learn((0, 1), Some(10), Some(12)));
        assert!(bounds.learn((1, 2), Some(-3), Some(-1)));
        assert_eq!((bounds.most(0, 2), bounds.most(2, 0)), (Some(11), Some(-7)));
        assert!(!bounds.learn((0, 2), Some(20), None), "20 is more than 11");
        assert!(bounds.learn((0, 2), Some(9), Some(9)));
        assert_eq!((bounds.most(0, 1), bounds.most(1, 0)), (Some(12), Some(-10)));
        assert_eq!(settle(&bounds, &bounds, &[0, 1, 2]), [(0, 0), (1, 11), (2, 9)]);
    }

    #[test]
    fn no_offset_is_the_likeliest_then_a_zone_then_the_middle() {
        assert_eq!(round((Some(-5), Some(3))), Some(0));
        assert_eq!(round((Some(3_599 * SECOND), Some(3_601 * SECOND))), Some(3_600 * SECOND));
        assert_eq!(round((Some(-7_201 * SECOND), Some(-7_199 * SECOND))), Some(-7_200 * SECOND));
        assert_eq!(round((Some(4 * SECOND), Some(6 * SECOND))), None);
        assert_eq!(round((None, Some(-4))), None);
        assert_eq!(middle((Some(4), Some(6))), 5);
        assert_eq!(middle((None, Some(-4))), -4);
    }

    #[test]
    fn few_contradictions_are_outvoted() {
        assert_eq!(agree(vec![1, 2], vec![5, 4]), (Some(2), Some(4), 0));
        assert_eq!(agree(vec![1, 2, 90], vec![5, 4, 6]), (Some(2), Some(4), 1));
        assert_eq!(agree(vec![1], Vec::new()), (Some(1), None, 0));
    }
}
