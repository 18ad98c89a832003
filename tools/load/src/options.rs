use anyhow::{Context, Result, bail};

use crate::cores::Cores;

pub(crate) const USAGE: &str = "\
tools/load/run [options]

  --rounds N     how often each row is measured, 5 unless told otherwise; medians are shown
  --seconds N    how long each time, 2 unless told otherwise
  --rows TEXT    only rows whose name contains TEXT, and those they are compared with; `waiters`
                 for how soon those who wait are answered
  --cores A,B    the core of the server under test, and that of wrk and Redis: 0,1
  --quick        one round of a second each: does it all work?
  --chart        measures nothing, and draws the chart anew from the table

Prints the tables, with what is aimed at in brackets. Writes them without that to tools/load/results.md,
and tools/load/chart.svg, unless only some rows were asked for or it had to be quick.";

/// What was asked for on the command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
    pub(crate) rows: String,
    pub(crate) cores: Cores,
    pub(crate) quick: bool,
}

impl Options {
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            rounds: 5,
            seconds: 2,
            rows: String::new(),
            cores: Cores::FIRST_TWO,
            quick: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next();
                value.with_context(|| format!("{word} needs a value\n\n{USAGE}"))
            };
            match word.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--rows" => options.rows.clone_from(value()?),
                "--cores" => options.cores = value()?.parse()?,
                "--quick" => {
                    options.quick = true;
                    options.rounds = 1;
                    options.seconds = 1;
                }
                _ => bail!("{word} is not an option\n\n{USAGE}"),
            }
        }
        if options.rounds == 0 || options.seconds == 0 {
            bail!("nothing is measured in no time\n\n{USAGE}");
        }
        Ok(options)
    }

    /// Whether the outcome is worth keeping.
    pub(crate) fn is_complete(&self) -> bool {
        !self.quick && self.rows.is_empty()
    }
}
