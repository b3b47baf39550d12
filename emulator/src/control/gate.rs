//! Lets requests in, but not while everything that they are about is being replaced.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

/// A gate: clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<RwLock<()>>);

impl Gate {
    /// Waits while the gate is closed. Whoever has passed is not waited for when it closes: a long upload must not hold
    /// up a reset.
    pub(crate) async fn pass(&self) {
        drop(self.0.read().await);
    }

    /// Closes it: as long as the guard is there, nobody passes.
    pub(super) async fn close(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.0).write_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn nobody_passes_while_it_is_closed() {
        let gate = Gate::default();
        gate.pass().await;
        let closed = gate.close().await;
        let mut waiting = pin!(gate.pass());
        let mut poll = || {
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        };
        assert!(poll().is_pending());

        drop(closed);

        assert!(poll().is_ready());
    }
}
