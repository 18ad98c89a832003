use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Processor time that a process has used.
pub(crate) fn cpu_of(process: u32) -> Result<Duration> {
    Ok(ticks(times(&process.to_string(), [11, 12])?))
}

/// Processor time that ended children of this process have used.
pub(crate) fn cpu_of_children() -> Result<Duration> {
    Ok(ticks(times("self", [13, 14])?))
}

/// The sum of two fields of `/proc/PID/stat`, counted from the one behind the program's name.
fn times(process: &str, fields: [usize; 2]) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("a stat without a name")?;
    let all: Vec<&str> = rest.split_whitespace().collect();
    let mut sum = 0;
    for field in fields {
        sum += all.get(field).context("a short stat")?.parse::<u64>()?;
    }
    Ok(sum)
}

/// The kernel counts in hundredths of a second, whatever its own clock does.
pub(crate) fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}
