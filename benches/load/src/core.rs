use std::{fs, process::Command, str::FromStr, time::Duration};

use anyhow::{Context, Error, Result};

/// A core of the machine, and what runs on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core(u32);

/// The cores that a comparison uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// The server under test has it for itself.
    pub(crate) server: Core,
    /// wrk and Redis share it.
    pub(crate) load: Core,
}

impl Cores {
    pub(crate) const FIRST_TWO: Self = Self {
        server: Core(0),
        load: Core(1),
    };
}

impl FromStr for Cores {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (server, load) = text.split_once(',').context("two cores, such as 0,1")?;
        Ok(Self {
            server: Core(server.parse()?),
            load: Core(load.parse()?),
        })
    }
}

impl Core {
    /// A program that will run here. `taskset` becomes the program, so its process is the program's.
    pub(crate) fn command(self, program: &str) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &self.0.to_string(), program]);
        command
    }

    /// For how long this core has not been idle, whoever used it.
    pub(crate) fn busy(self) -> Result<Duration> {
        let stat = fs::read_to_string("/proc/stat")?;
        let name = format!("cpu{} ", self.0);
        let times = stat.lines().find_map(|line| line.strip_prefix(&name));
        let times = times.with_context(|| format!("there is no core {}", self.0))?;
        let times: Vec<u64> = times
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is in user and nice.
        let of = |places: &[usize]| -> u64 { places.iter().filter_map(|n| times.get(*n)).sum() };
        Ok(ticks(of(&[0, 1, 2, 5, 6, 7])))
    }
}

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
fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}
