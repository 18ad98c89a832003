use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::{
    bench::{Bench, Server},
    checks::{check_runs, check_sizes},
    cpu::cpu_of,
    http::{Answer, Connection},
    keys::Keys,
    program::Program,
    request::Request,
    row::Row,
    sample::Sample,
    wrk::Wrk,
};

/// The first numbers of the requests of one load. No two loads on a server have one in common.
const PRIMED: u64 = 1_000_000_000;
const WARM_UP: u64 = 2_000_000_000;
const COUNTED: u64 = 3_000_000_000;
const PROBES: u64 = 4_000_000_000;

/// Of a first run, whose number nobody knows.
const ANY_RECEIPT: &str = r#"^{"run":"%d%d%d%d%d%d%d%d","received":200}$"#;

impl Bench {
    /// Measures a row once, on a server of its own.
    pub(crate) fn measure(&self, row: &Row, seconds: u32) -> Result<Sample> {
        self.clear()?;
        let server = self.serve(row.program, row.store)?;
        let sample = self.load(row, seconds, &server);
        match server.process.complaints() {
            complaints if complaints.is_empty() => sample,
            complaints => sample.context(complaints),
        }
    }

    fn load(&self, row: &Row, seconds: u32, server: &Server) -> Result<Sample> {
        let mut client = Connection::to(&server.url)?;
        let fresh = row.request();
        let (request, usual) = self.prime(row, &mut client)?;
        let template = request.template();
        let is_same = row.keys == Keys::Same;
        let expected = if is_same {
            format!("^{}$", usual.body)
        } else {
            ANY_RECEIPT.to_owned()
        };
        let mut wrk = Wrk {
            url: &server.url,
            request: &template,
            start: if is_same { PRIMED } else { WARM_UP },
            share: row.keys.share(),
            connections: row.connections,
            seconds: warm_up(row.program),
            expected: Some(&expected),
        };
        wrk.run(self.cores.load, &self.interrupt)?;

        wrk.start = if is_same { PRIMED } else { COUNTED };
        wrk.seconds = seconds;
        wrk.expected = None;
        let runs = run_of(&ask(&mut client, &fresh, PROBES)?)?;
        let sample = self.count(&wrk, server)?;
        let runs = run_of(&ask(&mut client, &fresh, PROBES + 1)?)? - runs - 1;
        check_sizes(row, &sample.tally, &usual)?;
        check_runs(row, &sample.tally, runs)?;
        Ok(sample)
    }

    /// Asks for the first time, and where all requests are one also for the second: what comes
    /// back, and what has to be sent to get it.
    fn prime(&self, row: &Row, client: &mut Connection) -> Result<(Request, Answer)> {
        let mut request = row.request();
        let first = ask(client, &request, PRIMED)?;
        if row.keys != Keys::Same {
            return Ok((request, first));
        }
        let session = first.header("set-cookie");
        let session = session.and_then(|cookie| cookie.split(';').next());
        request.cookie = session.map(str::to_owned);
        // Some record an answer only after it has been sent.
        let again = || {
            client.send(&request.numbered(PRIMED))?;
            let answer = client.answer()?;
            let is_replay = answer.status == 201 && answer.body == first.body;
            Ok(is_replay.then_some(answer))
        };
        let replay = (self.interrupt).poll("a replay", Duration::from_secs(5), again)?;
        Ok((request, replay))
    }

    fn count(&self, wrk: &Wrk<'_>, server: &Server) -> Result<Sample> {
        let used = || -> Result<_> {
            Ok([
                cpu_of(server.process.id())?,
                cpu_of(self.redis.id())? + self.postgres.cpu()? + self.on_disk.cpu()?,
                self.cores.server.busy()?,
                self.cores.load.busy()?,
            ])
        };
        let work_before = self.redis.work()?;
        let (began, before) = (Instant::now(), used()?);
        let tally = wrk.run(self.cores.load, &self.interrupt)?;
        let (took, after) = (began.elapsed(), used()?);
        let mut since = [Duration::ZERO; 4];
        for (n, since) in since.iter_mut().enumerate() {
            *since = after[n].saturating_sub(before[n]);
        }
        let [cpu, store_cpu, server_core, load_core] = since;
        let others = (server_core + load_core).saturating_sub(cpu + store_cpu + tally.cpu);
        let of_time = |used: Duration| used.as_secs_f64() / took.as_secs_f64();
        Ok(Sample {
            work: self.redis.work()?.since(&work_before),
            tally,
            cpu,
            store_cpu,
            server_core: of_time(server_core),
            load_core: of_time(load_core),
            others: of_time(others) / 2.0,
            of_bare: None,
            bare_of_cpu: None,
            of_floor: None,
            cpu_of_floor: None,
            added: None,
            added_of_floor: None,
        })
    }
}

/// A compiler that works while it runs needs longer.
fn warm_up(program: Program) -> u32 {
    match program {
        Program::Express(_) => 4,
        Program::Own(_) | Program::ActixIdempotent => 1,
    }
}

/// Sends one request of which the handler has to run.
fn ask(client: &mut Connection, request: &Request, number: u64) -> Result<Answer> {
    client.send(&request.numbered(number))?;
    let answer = client.answer()?;
    ensure!(answer.status == 201, "{answer:?}");
    Ok(answer)
}

/// The number of the run that an answer is the receipt of.
fn run_of(answer: &Answer) -> Result<u64> {
    let number = answer.body.strip_prefix(r#"{"run":""#);
    let number = number.and_then(|rest| Some(rest.split_once('"')?.0.parse()));
    Ok(number.with_context(|| format!("{answer:?}"))??)
}
