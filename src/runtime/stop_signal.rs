use std::future::pending;

use actix_web::rt::signal;

use super::log;

/// Waits until the process is asked to stop: by `SIGTERM` or `SIGINT`, or by Ctrl-C where there are no Unix
/// signals.
///
/// Waits for ever where signals cannot be listened to: the system then ends the process at the first one.
pub(crate) async fn stop_signal() {
    if let Err(err) = listen().await {
        log::error!(error:% = err; "cannot listen to stop signals: {err}");
        pending().await
    }
}

#[cfg(unix)]
async fn listen() -> std::io::Result<()> {
    use std::pin::pin;

    use futures_util::future::select;
    use signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (terminate, interrupt) = (pin!(terminate.recv()), pin!(interrupt.recv()));
    select(terminate, interrupt).await;
    Ok(())
}

#[cfg(not(unix))]
async fn listen() -> std::io::Result<()> {
    signal::ctrl_c().await
}
