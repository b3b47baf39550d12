//! The server for tests without `async`: waits for the start, and is the asynchronous one in all else.

use std::ops::Deref;

use crate::builder::Builder;

/// A running server; everything but starting is the asynchronous twin's.
///
/// ```
/// use strongroom_testkit::blocking::Strongroom;
///
/// let s3 = Strongroom::builder().bucket("photos").start_blocking();
/// s3.assert_not_stored("burn this when you have read it");
/// ```
#[derive(Debug)]
pub struct Strongroom(crate::server::Strongroom);

impl Strongroom {
    /// Starts a server with the default settings.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// ```
    ///
    /// # Panics
    ///
    /// When it cannot start, and within an asynchronous runtime.
    pub fn start() -> Self {
        Self::builder().start_blocking()
    }

    /// Settings first; ends with [`Builder::start_blocking`].
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let aws = Strongroom::builder().kms_key("alias/app").start_blocking();
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    fn launch(builder: Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime can be made");
        Self(runtime.block_on(crate::server::Strongroom::launch(builder)))
    }
}

impl Deref for Strongroom {
    type Target = crate::server::Strongroom;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Builder {
    /// Starts the server and waits, for tests without `async`.
    ///
    /// ```
    /// # use strongroom_testkit::Strongroom;
    /// let s3 = Strongroom::builder().bucket("photos").start_blocking();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Builder::start`], and within an asynchronous runtime.
    pub fn start_blocking(self) -> Strongroom {
        Strongroom::launch(self)
    }
}
