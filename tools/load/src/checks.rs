//! Whether a load was answered as it should have been, by what was counted.

use anyhow::{Result, ensure};

use crate::{http::Answer, keys::Keys, row::Row, wrk::Tally};

/// All answers have one length, but for cookies, and where some are replays and some are not. Those
/// that were under way at the end may have been read in part.
pub(crate) fn check_sizes(row: &Row, tally: &Tally, usual: &Answer) -> Result<()> {
    if matches!(row.keys, Keys::Shared(_)) || usual.header("set-cookie").is_some() {
        return Ok(());
    }
    let least = tally.requests * usual.size();
    let most = least + u64::from(row.connections) * usual.size();
    let bytes = tally.bytes;
    ensure!(
        (least..=most).contains(&bytes),
        "{} answers like {usual:?} are not {bytes} bytes",
        tally.requests
    );
    Ok(())
}

/// The handler has run once for each key, and not for replays. Requests that were under way at the
/// end have run as well.
pub(crate) fn check_runs(row: &Row, tally: &Tally, runs: u64) -> Result<()> {
    let requests = tally.requests..=tally.requests + u64::from(row.connections);
    let expected = match row.keys.share() {
        0 => 0..=0,
        share => {
            let share = u64::from(share);
            requests.start() / share..=requests.end().div_ceil(share)
        }
    };
    ensure!(
        expected.contains(&runs),
        "the handler ran {runs} times for {} answers, not {expected:?}",
        tally.requests
    );
    Ok(())
}
