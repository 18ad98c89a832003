//! Compares what the middlewares cost: with nothing, with the same Redis commands by hand, and with
//! others. `tools/load/run` builds and starts it.

mod bench;
mod chart;
mod checks;
mod comparison;
mod cores;
mod cpu;
mod http;
mod interrupt;
mod keys;
mod measure;
mod options;
mod outcome;
mod plan;
mod postgres_server;
mod process;
mod program;
mod redis_server;
mod report;
mod request;
mod row;
mod sample;
mod serve;
mod store;
mod waiters;
mod wrk;

use std::{env, fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{
    bench::Bench,
    comparison::Comparison,
    interrupt::Interrupt,
    options::{Options, USAGE},
    waiters::{Crowd, WakeUps},
};

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.split_first() {
        Some((first, rest)) if first == "serve" => serve(rest),
        Some((first, _)) if first == "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        Some((first, [])) if first == "--chart" => draw_chart(),
        _ => compare(&Options::parse(&words)?),
    }
}

#[actix_web::main]
async fn serve(words: &[String]) -> Result<()> {
    let subject = words.first().context("which subject?")?;
    serve::serve(subject.parse()?, words.get(1).map(String::as_str)).await
}

fn compare(options: &Options) -> Result<()> {
    let bench = Bench::new(options.cores, Interrupt::listen()?)?;
    let rows = plan::with(&options.rows);
    let comparison = Comparison::run(&bench, &rows, options.rounds, options.seconds)?;
    let waiters = match "waiters".contains(&options.rows) {
        true => Some(waiters(&bench, if options.quick { 20 } else { 300 })?),
        false => None,
    };
    let report = report::report(
        &comparison,
        waiters.as_ref(),
        options,
        bench.redis.version(),
    );
    println!("{report}");
    if options.is_complete() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::write(folder.join("results.md"), report::without_aims(&report))?;
        draw_chart()?;
    }
    let failed = comparison.failures().count();
    ensure!(failed == 0, "{failed} rows have failed");
    Ok(())
}

/// Draws the chart from the table that was written last.
fn draw_chart() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let results = fs::read_to_string(folder.join("results.md"))?;
    fs::write(folder.join("chart.svg"), chart::chart(&results)?)?;
    Ok(())
}

fn waiters(bench: &Bench, count: usize) -> Result<(Vec<WakeUps>, Crowd)> {
    Ok((WakeUps::all(bench, count)?, Crowd::wait(bench)?))
}
