//! What ends an example: Ctrl-C, or the `SIGTERM` that Docker and systemd send.

use actix_web::rt::signal;

pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    if let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
        tokio::select! { _ = signal::ctrl_c() => {}, _ = terminate.recv() => {} }
        return;
    }
    let _ = signal::ctrl_c().await;
}
