//! How numbers are written, once for the log's lines and the dashboard.

/// `3:07`, `1:02:33`, `2d 03h`: where it ticks, or stands in a column. In a sentence, [`time_taken`].
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    let s = seconds.round() as u64;
    match s {
        0..3600 => format!("{}:{:02}", s / 60, s % 60),
        3600..86_400 => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
        _ => format!("{}d {:02}h", s / 86_400, s / 3600 % 24),
    }
}

/// `2.0 s`, `1 min 13 s`, `2 h 03 min`: in a sentence.
pub fn time_taken(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// `504,001`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `896`, `18.5k`, `14.7M`: at most five characters.
pub fn short_count(n: u64) -> String {
    let (value, unit) = match n {
        0..1000 => return n.to_string(),
        1000..1_000_000 => (n as f64 / 1e3, 'k'),
        1_000_000..1_000_000_000 => (n as f64 / 1e6, 'M'),
        _ => (n as f64 / 1e9, 'G'),
    };
    if value >= 99.95 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
}

/// `0.001`, `2.5e-5`: at most four significant digits, without the noise of binary fractions.
pub fn rate(value: f64) -> String {
    if value == 0.0 || (1e-3..1e4).contains(&value) {
        return trim(&format!("{value:.6}")).to_owned();
    }
    let short = format!("{value:.3e}");
    match short.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trim(mantissa)),
        None => short,
    }
}

fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Three significant digits in at most seven characters: `0.312`, `12.5`, `1.2e-5`. NaN and infinities by name.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value.is_nan() => "NaN".into(),
        _ if value.is_infinite() => if value > 0.0 { "inf" } else { "-inf" }.into(),
        0.0 => "0".into(),
        ..1e-3 | 1e5.. => format!("{value:.1e}"),
        ..1.0 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// `0.2134`: a loss, four decimals as Keras prints it.
pub fn loss(value: f64) -> String {
    if value.is_finite() && value.abs() < 100.0 { format!("{value:.4}") } else { figure(value) }
}

/// `87.3 %`; a whole number of per cent loses its decimal only at exactly 100.
pub fn percent(share: f64) -> String {
    if share.is_nan() {
        return "NaN".into();
    }
    if share >= 1.0 { "100 %".into() } else { format!("{:.1} %", share * 100.0) }
}

/// `87 %`.
pub fn whole_percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_in_steps() {
        let written = [0.4, 67.0, 3753.0, 183_600.0, f64::NAN].map(duration);
        assert_eq!(written, ["0:00", "1:07", "1:02:33", "2d 03h", "–"]);
    }

    #[test]
    fn a_sentence_says_the_units() {
        let written = [2.0, 73.4, 7384.0].map(time_taken);
        assert_eq!(written, ["2.0 s", "1 min 13 s", "2 h 03 min"]);
    }

    #[test]
    fn counts_are_grouped_or_short() {
        assert_eq!([0, 999, 1000, 504_001].map(count), ["0", "999", "1,000", "504,001"]);
        assert_eq!([896, 18_496, 262_656, 14_714_688].map(short_count), ["896", "18.5k", "263k", "14.7M"]);
    }

    #[test]
    fn rates_are_as_a_person_writes_them() {
        let written = [0.001, 5e-4, 1.25e-4, 1e-5, 0.1, 1.0, 0.1 * 0.2, 3e-7, 1.0 / 3000.0].map(rate);
        assert_eq!(written, ["0.001", "5e-4", "1.25e-4", "1e-5", "0.1", "1", "0.02", "3e-7", "3.333e-4"]);
    }

    #[test]
    fn figures_have_three_digits() {
        let written = [0.0, 0.3124, 4.567, 12.345, 123.4, 1.234e-5, 2.5e7, f64::NAN].map(figure);
        assert_eq!(written, ["0", "0.312", "4.57", "12.3", "123", "1.2e-5", "2.5e7", "NaN"]);
        assert_eq!([0.21341, 120.0].map(loss), ["0.2134", "120"]);
        assert_eq!([0.8731, 1.0, 0.9999].map(percent), ["87.3 %", "100 %", "100.0 %"]);
    }
}
