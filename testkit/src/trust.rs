//! The test CA as a file.

use std::io::{self, Write};
use std::path::Path;

use tempfile::TempPath;

/// A certificate in a file of its own, which is removed with this.
#[derive(Debug)]
pub(crate) struct CaFile(TempPath);

impl CaFile {
    /// Writes a certificate.
    ///
    /// # Errors
    ///
    /// What the system says of the folder for temporary files.
    pub(crate) fn write(pem: &str) -> io::Result<Self> {
        let mut file = tempfile::Builder::new()
            .prefix("strongroom-ca-")
            .suffix(".pem")
            .tempfile()?;
        file.write_all(pem.as_bytes())?;
        Ok(Self(file.into_temp_path()))
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}
