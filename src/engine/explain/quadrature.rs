//! Gauss and Legendre's rule for integrals from 0 to 1: the nodes and weights, by Newton's method on the Legendre polynomial. Pure.

/// `count` pairs of node and weight, from left to right; the weights sum up to 1. Exact for polynomials of degree `2 count - 1`.
pub fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let rule = |index: usize| {
        // Tricomi's estimate of the roots, from the right.
        let angle = std::f64::consts::PI * (index as f64 + 0.75) / (count as f64 + 0.5);
        let mut node = angle.cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (value, derivative) = legendre(count, node);
            slope = derivative;
            let step = value / derivative;
            node -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        let weight = 2.0 / ((1.0 - node * node) * slope * slope);
        (f64::midpoint(node, 1.0), weight / 2.0)
    };
    (0..count).rev().map(rule).collect()
}

/// The polynomial of `degree` at `x`, and its derivative.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=degree {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.polynomial.legendre.leggauss(5)`, brought to 0–1.
    #[test]
    fn five_points_are_those_of_numpy() {
        let numpy = [
            (0.046_910_077_030_668_02, 0.118_463_442_528_094_54),
            (0.230_765_344_947_158_45, 0.239_314_335_249_683_24),
            (0.5, 0.284_444_444_444_444_44),
            (0.769_234_655_052_841_5, 0.239_314_335_249_683_24),
            (0.953_089_922_969_332, 0.118_463_442_528_094_54),
        ];
        for ((node, weight), (want_node, want_weight)) in gauss_legendre(5).into_iter().zip(numpy) {
            assert!((node - want_node).abs() < 1e-14 && (weight - want_weight).abs() < 1e-14, "{node} {weight}");
        }
    }

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in [1, 2, 3, 10, 50, 200] {
            let rule = gauss_legendre(count);
            assert_eq!(rule.len(), count);
            for power in [0, 1, (2 * count - 1).min(40)] {
                let sum: f64 = rule.iter().map(|(node, weight)| weight * node.powi(power as i32)).sum();
                assert!((sum - 1.0 / (power as f64 + 1.0)).abs() < 1e-13, "{count} points, power {power}: {sum}");
            }
        }
    }
}
