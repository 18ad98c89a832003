use std::collections::BTreeMap;

/// What is read on `/metrics`.
pub(crate) struct Scrape(String);

impl Scrape {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The series, such as `name{label="value"}`, and their values.
    pub(crate) fn series(&self) -> BTreeMap<&str, f64> {
        let lines = self.0.lines();
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series, value.parse().unwrap())
        });
        read.collect()
    }

    /// The series of a guard that are not zero, without their prefix and without the label of the
    /// guard, each with its value; of histograms the count. But for that of a second store: tests that run at
    /// the same time have stores with one prefix.
    pub(crate) fn counted(&self, guard: &str) -> Vec<(String, f64)> {
        let label = format!(r#"guard="{guard}""#);
        let is_counted = |series: &str, value: f64| {
            let is_left_out = ["_bucket{", "_sum{", "second_store"];
            value != 0.0 && !is_left_out.iter().any(|part| series.contains(part))
        };
        let of_guard = self.series().into_iter().filter(|(series, value)| {
            series.contains(&format!("{{{label}")) && is_counted(series, *value)
        });
        let short = of_guard.map(|(series, value)| {
            let series = series.trim_start_matches("idempotency_");
            let series = series.replace(&format!("{label},"), "");
            (series.replace(&format!("{{{label}}}"), ""), value)
        });
        short.collect()
    }

    /// The names that stand in lines of this kind, `HELP` or `TYPE`.
    pub(crate) fn said(&self, kind: &str) -> Vec<&str> {
        let start = format!("# {kind} ");
        let lines = self.0.lines().filter_map(|line| line.strip_prefix(&start));
        lines.map(|line| line.split(' ').next().unwrap()).collect()
    }
}
