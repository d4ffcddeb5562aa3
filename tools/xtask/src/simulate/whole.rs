//! Calls in whole numbers whose parts add up: what a reader sums on paper must come to the total above it.

/// Rounds `parts` to whole numbers that add up to `total`, each less than 1 away from its share of it (largest
/// remainders; of equal ones the first). No part, no calls: all zero.
pub fn whole(total: u64, parts: &[f64]) -> Vec<u64> {
    let sum: f64 = parts.iter().sum();
    if sum <= 0.0 {
        return vec![0; parts.len()];
    }
    let shares: Vec<f64> = parts.iter().map(|part| part * total as f64 / sum).collect();
    let mut whole: Vec<u64> = shares.iter().map(|share| share.floor() as u64).collect();
    let mut by_rest: Vec<usize> = (0..parts.len()).collect();
    by_rest.sort_by(|a, b| shares[*b].fract().total_cmp(&shares[*a].fract()));
    let missing = total.saturating_sub(whole.iter().sum());
    for at in by_rest.into_iter().take(missing as usize) {
        whole[at] += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_total_and_stay_near_their_values() {
        // 788.8 in parts of 700.5, 60.6 and 27.7 is 789, not 701 + 61 + 28 = 790.
        assert_eq!(whole(789, &[700.5, 60.6, 27.7]), [701, 60, 28]);
        assert_eq!(whole(10, &[2.5, 2.5, 5.0]), [3, 2, 5]);
        assert_eq!(whole(7, &[7.0, 0.0]), [7, 0]);
        assert_eq!(whole(0, &[0.2, 0.2]), [0, 0]);
        assert_eq!(whole(3, &[0.0, 0.0]), [0, 0]);
        for total in 0..200u64 {
            let parts = [total as f64 * 0.613, total as f64 * 0.287, total as f64 * 0.1];
            let found = whole(total, &parts);
            assert_eq!(found.iter().sum::<u64>(), total);
            assert!(found.iter().zip(parts).all(|(n, part)| (*n as f64 - part).abs() < 1.0), "{found:?} {parts:?}");
        }
    }
}
