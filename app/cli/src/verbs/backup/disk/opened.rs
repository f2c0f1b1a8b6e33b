//! A disk that was opened: mounted one way after the other, and shut again whatever happens.

use std::path::Path;

use backup::disks::{DiskError, Mode, Opener, Place};

/// Closed on drop, if nobody closed it before.
pub(super) struct Opened<'o> {
    opener: &'o Opener,
    place: Place,
    is_mounted: bool,
    is_open: bool,
}

impl<'o> Opened<'o> {
    pub(super) fn open(
        opener: &'o Opener,
        device: &Path,
        place: &Place,
        key: &Path,
    ) -> Result<Self, DiskError> {
        // What a visit that was killed left behind.
        opener.unmount(place)?;
        opener.close(place)?;
        opener.open(device, place, key)?;
        Ok(Self {
            opener,
            place: place.clone(),
            is_mounted: false,
            is_open: true,
        })
    }

    /// Mounted anew: nothing that was read before is in memory any more.
    pub(super) fn mount(&mut self, mode: Mode) -> Result<(), DiskError> {
        self.unmount()?;
        self.opener.mount(&self.place, mode)?;
        self.is_mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<(), DiskError> {
        if self.is_mounted {
            self.opener.unmount(&self.place)?;
            self.is_mounted = false;
        }
        Ok(())
    }

    /// After this it may be unplugged.
    pub(super) fn close(mut self) -> Result<(), DiskError> {
        self.unmount()?;
        self.opener.close(&self.place)?;
        self.is_open = false;
        Ok(())
    }

    pub(super) fn top(&self) -> &Path {
        &self.place.at
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        // Whatever went wrong before is what is told; this is said beside it.
        let shut = self.unmount().and_then(|()| self.opener.close(&self.place));
        if let Err(error) = shut {
            log::error!("a disk stays open: {error}");
        }
    }
}
