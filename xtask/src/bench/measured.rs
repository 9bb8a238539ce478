//! One figure of one system: how it is printed by a peer, kept in a file, and gathered over rounds.

use super::json::Json;

/// What kind of thing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Frostline,
    /// What a product does in float32. A variable that tunes its allocator is still stock.
    Stock,
    /// A product in less precise arithmetic: shown, and compared with nothing.
    LessPrecise,
    /// What somebody has to write by hand on top of a product.
    Hand,
    /// What the machine can do at best.
    Limit,
}

impl By {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Frostline, "frostline"),
        (Self::Stock, "stock"),
        (Self::LessPrecise, "bf16"),
        (Self::Hand, "hand"),
        (Self::Limit, "limit"),
    ];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(by, _)| *by == self).map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(by, _)| *by)
    }
}

/// What a job yields before it is known how quiet the machine was.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// `step`, `end-to-end`, `mnist-64`, …
    pub task: String,
    pub system: String,
    pub by: By,
    /// `img/s`, `GFLOP/s`, `GB/s`.
    pub unit: String,
    /// One a window.
    pub values: Vec<f64>,
    /// From the start of the process to the end of its first step.
    pub first_s: Option<f64>,
    pub version: String,
}

impl Figure {
    /// From a line `RESULT {…}` of a peer; `None` for any other line.
    pub fn of_line(line: &str) -> Option<Self> {
        Self::of_json(&Json::parse(line.strip_prefix("RESULT ")?)?)
    }

    fn of_json(json: &Json) -> Option<Self> {
        let text = |key| json.text(key).map(str::to_owned);
        let values = json.numbers("values");
        Some(Self {
            task: text("task")?,
            system: text("system")?,
            by: By::parse(json.text("by")?)?,
            unit: text("unit")?,
            first_s: json.number("first_s"),
            version: text("version").unwrap_or_default(),
            values: if values.is_empty() { return None } else { values },
        })
    }
}

/// A figure, and the circumstances under which it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub figure: Figure,
    pub job: String,
    pub round: u32,
    /// Largest memory of the job: of its largest process; of Frostline's, of front end and engine together.
    pub peak_mb: Option<f64>,
    /// Share of the processors' time that went to programs of others, 0–1.
    pub others: f64,
    /// Share that the host of a virtual machine took away.
    pub stolen: f64,
}

/// Above this share the machine was too busy for the figure to be worth something.
pub const NOISY: f64 = 0.05;

impl Measured {
    pub fn is_noisy(&self) -> bool {
        self.others > NOISY || self.stolen > NOISY
    }

    /// One line of the file of results.
    pub fn to_json(&self) -> Json {
        let Figure { task, system, by, unit, values, first_s, version } = &self.figure;
        let text = |text: &str| Json::Text(text.to_owned());
        let maybe = |number: Option<f64>| number.map_or(Json::Null, Json::Number);
        let pairs = [
            ("job", text(&self.job)),
            ("round", Json::Number(f64::from(self.round))),
            ("task", text(task)),
            ("system", text(system)),
            ("by", text(by.word())),
            ("unit", text(unit)),
            ("values", Json::List(values.iter().copied().map(Json::Number).collect())),
            ("first_s", maybe(*first_s)),
            ("peak_mb", maybe(self.peak_mb)),
            ("others", Json::Number(self.others)),
            ("stolen", Json::Number(self.stolen)),
            ("version", text(version)),
        ];
        Json::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    pub fn of_json(json: &Json) -> Option<Self> {
        Some(Self {
            figure: Figure::of_json(json)?,
            job: json.text("job")?.to_owned(),
            round: json.number("round")? as u32,
            peak_mb: json.number("peak_mb"),
            others: json.number("others")?,
            stolen: json.number("stolen")?,
        })
    }
}

/// Of an even number of values the mean of the middle two; `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn measured(task: &str, system: &str, by: By, values: &[f64]) -> Measured {
        let figure = Figure {
            task: task.to_owned(),
            system: system.to_owned(),
            by,
            unit: "img/s".to_owned(),
            values: values.to_vec(),
            first_s: None,
            version: "1".to_owned(),
        };
        Measured { figure, job: format!("{task}/{system}"), round: 0, peak_mb: None, others: 0.0, stolen: 0.0 }
    }

    #[test]
    fn a_peers_line_becomes_a_figure() {
        let line = r#"RESULT {"task": "step", "system": "PyTorch", "unit": "img/s", "values": [1.5, 2], "version": "torch 2.11.0", "by": "stock", "first_s": 2.5}"#;
        let figure = Figure::of_line(line).unwrap();
        assert_eq!(
            (figure.values.as_slice(), figure.first_s, figure.by),
            ([1.5, 2.0].as_slice(), Some(2.5), By::Stock)
        );
        assert_eq!(Figure::of_line("Epoch 1/10"), None);
        assert_eq!(Figure::of_line("RESULT {\"task\": \"st"), None);
        assert_eq!(Figure::of_line(&line.replace("[1.5, 2]", "[]")), None, "a figure without values is none");
    }

    #[test]
    fn a_kept_result_is_what_was_measured() {
        let mut one = measured("step", "Frostline", By::Frostline, &[150.25, 151.0]);
        (one.peak_mb, one.others, one.round) = (Some(612.0), 0.0125, 2);
        let line = one.to_json().to_string();
        assert_eq!(Measured::of_json(&Json::parse(&line).unwrap()), Some(one));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!([median(&[]), median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0])], [None, Some(2.0), Some(2.5)]);
    }
}
