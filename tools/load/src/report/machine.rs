use std::{fs, process::Command, thread::available_parallelism};

use crate::options::Options;

/// Where and how it was measured, and with what.
pub(super) fn description(options: &Options, redis: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let cpu = cpu.and_then(|line| line.split_once(": "));
    let cores = available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{} on {} ({} cores in this run's reach), Linux {}; {}, Redis {redis}, {}, Node {}. {} \
         rounds of {} seconds a row.",
        said("date", &["-u", "+%F"]),
        cpu.map_or("an unknown processor", |(_, name)| name),
        cores,
        kernel.trim(),
        said("rustc", &["--version"]),
        wrk(),
        said("node", &["--version"]),
        options.rounds,
        options.seconds,
    )
}

/// It prints its version and then ends as if something were wrong.
fn wrk() -> String {
    let said = said("wrk", &["-v"]);
    said.split(" [").next().unwrap_or_default().to_owned()
}

/// The first line that a program prints.
fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match text.unwrap_or_default().lines().next() {
        Some(line) => line.to_owned(),
        None => "missing".to_owned(),
    }
}
