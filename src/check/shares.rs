//! Who a span of time belongs to: at every moment to the innermost of the work that was going on.

/// Some work in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span<L> {
    /// When it began, in microseconds.
    pub(super) from: i64,
    /// When it ended.
    pub(super) to: i64,
    /// How deep it is inside other work.
    pub(super) depth: usize,
    /// Whose it is.
    pub(super) owner: L,
}

/// Shares the time from `from` to `to` between the owners of spans, each once, in the order of their first moments; what is in
/// no span is `rest`'s. The shares are never negative, and their sum is the whole.
pub(super) fn share<L: Copy + PartialEq>(spans: &[Span<L>], from: i64, to: i64, rest: L) -> Vec<(L, i64)> {
    let mut shares: Vec<(L, i64)> = Vec::new();
    let within = |moment: &i64| (from..=to).contains(moment);
    let mut moments: Vec<i64> = spans.iter().flat_map(|span| [span.from, span.to]).filter(within).collect();
    moments.extend([from, to]);
    moments.sort_unstable();
    moments.dedup();
    // Of two at the same depth, the later one: the other is waiting, or its end is not known.
    let mut inner_first: Vec<&Span<L>> = spans.iter().filter(|span| span.from < span.to).collect();
    inner_first.sort_by_key(|span| std::cmp::Reverse((span.depth, span.from)));
    for (start, end) in moments.iter().zip(moments.iter().skip(1)) {
        let innermost = inner_first.iter().find(|span| span.from <= *start && *end <= span.to);
        let owner = innermost.map_or(rest, |span| span.owner);
        let length = end.saturating_sub(*start);
        match shares.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, sum)) => *sum += length,
            None => shares.push((owner, length)),
        }
    }
    shares
}

/// Whole numbers of `unit` for parts, so that their sum is that of the whole: what is left over goes to those that lost most.
pub(super) fn whole_units(parts: &[i64], unit: i64) -> Vec<i64> {
    let sum: i64 = parts.iter().sum();
    let mut units: Vec<i64> = parts.iter().map(|part| part.div_euclid(unit)).collect();
    let mut missing = sum.div_euclid(unit) - units.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(parts[*index].rem_euclid(unit)), *index));
    for index in order {
        if missing > 0 {
            units[index] += 1;
            missing -= 1;
        }
    }
    units
}

/// How far a span has to be moved to lie within another; what is longer begins with it.
pub(super) fn shift_into((from, to): (i64, i64), (least, most): (i64, i64)) -> i64 {
    if from < least || to.saturating_sub(from) > most.saturating_sub(least) {
        least.saturating_sub(from)
    } else if to > most {
        most.saturating_sub(to)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(from: i64, to: i64, depth: usize, owner: char) -> Span<char> {
        Span { from, to, depth, owner }
    }

    #[test]
    fn the_innermost_work_has_the_time() {
        let spans = [span(0, 100, 0, 'a'), span(10, 60, 1, 'b'), span(20, 30, 2, 'c'), span(70, 80, 1, 'b')];
        assert_eq!(share(&spans, 0, 120, '-'), [('a', 40), ('b', 50), ('c', 10), ('-', 20)]);
        assert_eq!(share(&spans, 25, 25, '-'), []);
    }

    #[test]
    fn work_is_moved_into_what_waits_for_it() {
        assert_eq!(shift_into((5, 8), (0, 10)), 0);
        assert_eq!(shift_into((-5, 2), (0, 10)), 5);
        assert_eq!(shift_into((8, 12), (0, 10)), -2);
        assert_eq!(shift_into((3, 20), (0, 10)), -3);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(
            spans in proptest::collection::vec((-50_i64..150, -50_i64..150, 0_usize..4, 0_u8..5), 0..12),
            from in -20_i64..60,
            length in 0_i64..120,
        ) {
            let spans: Vec<Span<u8>> =
                spans.into_iter().map(|(from, to, depth, owner)| Span { from, to, depth, owner }).collect();
            let shares = share(&spans, from, from + length, 9);
            prop_assert_eq!(shares.iter().map(|(_, part)| part).sum::<i64>(), length);
            prop_assert!(shares.iter().all(|(_, part)| *part >= 0));
        }

        #[test]
        fn whole_units_lose_nothing(parts in proptest::collection::vec(0_i64..10_000, 0..9)) {
            let units = whole_units(&parts, 1_000);
            prop_assert_eq!(units.iter().sum::<i64>(), parts.iter().sum::<i64>() / 1_000);
            for (unit, part) in units.iter().zip(&parts) {
                prop_assert!((unit * 1_000 - part).abs() < 1_000);
            }
        }
    }
}
