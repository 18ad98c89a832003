use std::collections::HashMap;

use anyhow::Result;

use crate::{bench::Bench, outcome::Outcome, row::Row};

/// What came of all rows, in the order of the plan, each once.
#[derive(Debug)]
pub(crate) struct Comparison(pub(crate) Vec<Outcome>);

impl Comparison {
    /// Measures all rows in turn, and that several times.
    pub(crate) fn run(bench: &Bench, plan: &[Row], rounds: usize, seconds: u32) -> Result<Self> {
        let mut comparison = Self(Vec::new());
        for round in 1..=rounds {
            let mut latest = HashMap::new();
            for row in plan {
                eprint!("round {round} of {rounds}: {}: ", row.name);
                let outcome = comparison.outcome(row);
                if let Some(why) = row.program.missing() {
                    eprintln!("{why}");
                    outcome.missing = Some(why.to_owned());
                    continue;
                }
                match bench.measure(row, seconds) {
                    Ok(mut sample) => {
                        eprintln!("{:.0}/s", sample.tally.rate());
                        // First of all for the bare handler, which is compared with itself.
                        latest.insert(row.name.clone(), sample.clone());
                        let floor = row.floor.as_ref().and_then(|floor| latest.get(floor));
                        sample.compare(latest.get(row.bare), floor);
                        outcome.samples.push(sample.clone());
                        latest.insert(row.name.clone(), sample);
                    }
                    Err(err) => {
                        bench.interrupt.check()?;
                        eprintln!("{err:#}");
                        outcome.failures.push(format!("{err:#}"));
                    }
                }
            }
        }
        Ok(comparison)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Outcome> {
        self.0.iter().find(|outcome| outcome.row.name == name)
    }

    /// The rows that went wrong, and how.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|outcome| {
            let first = outcome.failures.first()?;
            Some((outcome.row.name.as_str(), first.as_str()))
        })
    }

    fn outcome(&mut self, row: &Row) -> &mut Outcome {
        let known = self.0.iter().position(|known| known.row.name == row.name);
        let at = known.unwrap_or_else(|| {
            self.0.push(Outcome::new(row.clone()));
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}
