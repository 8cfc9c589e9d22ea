//! Tasks that shutdown waits for.
//!
//! Everything that runs beside a caller is spawned here: client connections, upstream connections, drains. A
//! shutdown first tells them, waits a bounded time and then drops what still runs, which ends its exchanges.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Spawns tasks and waits for them.
#[derive(Clone, Debug)]
pub(crate) struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    running: Mutex<JoinSet<()>>,
    stop: watch::Sender<Stop>,
}

/// How far the shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Running,
    Told,
    Dropped,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            running: Mutex::new(JoinSet::new()),
            stop: watch::Sender::new(Stop::Running),
        }))
    }

    /// Runs the future beside the caller. Once the shutdown's time is over it is dropped.
    pub(crate) fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = self.0.running.lock();
        // What has ended is taken out here, so that the set stays as small as what runs.
        while running.try_join_next().is_some() {}
        if *self.0.stop.borrow() != Stop::Dropped {
            running.spawn(future);
        }
    }

    /// Returns when the tasks are told to end. Tasks that end by themselves need not ask.
    pub(crate) async fn told(&self) {
        let mut stop = self.0.stop.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        drop(stop.wait_for(|stop| *stop != Stop::Running).await);
    }

    /// Returns whether what still ran has been dropped.
    pub(crate) fn is_dropped(&self) -> bool {
        *self.0.stop.borrow() == Stop::Dropped
    }

    /// Tells the tasks to end without waiting for them.
    pub(crate) fn tell(&self) {
        self.0.stop.send_if_modified(|stop| {
            let first = *stop == Stop::Running;
            if first {
                *stop = Stop::Told;
            }
            first
        });
    }

    /// Tells the tasks to end, waits at most `grace`, and drops what still runs.
    pub(crate) async fn shut_down(&self, grace: Duration) {
        self.tell();
        let mut running = std::mem::take(&mut *self.0.running.lock());
        let all = async { while running.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(grace, all).await.is_ok();
        self.0.stop.send_replace(Stop::Dropped);
        if !in_time {
            tracing::warn!(
                tasks = running.len(),
                "connections were still open and have been dropped"
            );
        }
        running.shutdown().await;
        let mut late = std::mem::take(&mut *self.0.running.lock());
        late.shutdown().await;
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.spawn(future);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_waits_for_what_ends_and_drops_what_does_not() {
        let tasks = Tasks::new();
        let (done, was_done) = oneshot::channel();
        let (kept, was_dropped) = oneshot::channel::<()>();
        let told = tasks.clone();
        tasks.spawn(async move {
            told.told().await;
            done.send(()).unwrap();
        });
        tasks.spawn(async move {
            let _kept = kept;
            std::future::pending::<()>().await;
        });
        tasks.shut_down(Duration::from_secs(5)).await;
        assert!(was_done.await.is_ok());
        assert!(was_dropped.await.is_err());
        assert!(tasks.is_dropped());
    }

    #[tokio::test]
    async fn nothing_runs_after_the_shutdown() {
        let tasks = Tasks::new();
        tasks.shut_down(Duration::from_secs(5)).await;
        let (ran, was_run) = oneshot::channel();
        tasks.spawn(async move { ran.send(()).unwrap() });
        assert!(was_run.await.is_err());
    }
}
