//! Work that blocks, kept off the runtime's threads and bounded in number.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{ApiError, ErrorCode};

/// Calls into the store that run at a time; more wait for their turn.
const CALLS_MAX: usize = 8;

/// The way to call what blocks.
#[derive(Clone, Debug)]
pub(crate) struct Blocking(Arc<Semaphore>);

impl Blocking {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(CALLS_MAX)))
    }

    /// Runs `work` on a thread that may block.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let stopped = |_| ApiError::new(ErrorCode::Internal, "the monitor is stopping");
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(stopped)?;
        let call = spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        call.await.map_err(|error| {
            tracing::error!(%error, "a call into the store broke off");
            ApiError::new(ErrorCode::Internal, "reading broke off")
        })
    }
}
