//! The engine's view of a place elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

use super::{Client, OffsiteError};

/// Files by type and id.
#[derive(Debug)]
pub(crate) struct Backend(pub(crate) Arc<Client>);

fn failed(error: OffsiteError) -> Box<RusticError> {
    RusticError::with_source(ErrorKind::Backend, "The place off-site failed.", error)
}

fn path(tpe: FileType, id: &Id) -> String {
    match tpe {
        FileType::Config => "config".to_owned(),
        FileType::Index | FileType::Key | FileType::Snapshot | FileType::Pack => {
            format!("{}/{}", tpe.dirname(), id.to_hex().as_str())
        }
    }
}

impl ReadBackend for Backend {
    fn location(&self) -> String {
        self.0.shown()
    }

    fn list_with_size(&self, tpe: FileType) -> RusticResult<Vec<(Id, u32)>> {
        if tpe == FileType::Config {
            let there = self.0.size("config").map_err(failed)?;
            return Ok(there.map(|_| (Id::default(), 0)).into_iter().collect());
        }
        let listed = self.0.list(tpe.dirname()).map_err(failed)?;
        let mut files: Vec<(Id, u32)> = listed
            .into_iter()
            .filter_map(|one| {
                let size = u32::try_from(one.size).unwrap_or(u32::MAX);
                Some((Id::parse_some(&one.name, tpe)?, size))
            })
            .collect();
        files.sort_unstable();
        Ok(files)
    }

    fn read_full(&self, tpe: FileType, id: &Id) -> RusticResult<Bytes> {
        let bytes = self.0.read(&path(tpe, id)).map_err(failed)?;
        Ok(bytes.into())
    }

    fn read_partial(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let part = (u64::from(offset), u64::from(length));
        let bytes = self.0.read_part(&path(tpe, id), part).map_err(failed)?;
        Ok(bytes.into())
    }

    fn warmup_path(&self, tpe: FileType, id: &Id) -> String {
        path(tpe, id)
    }
}

impl WriteBackend for Backend {
    fn create(&self) -> RusticResult<()> {
        self.0.create().map_err(failed)
    }

    fn write_bytes(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        let bytes = content.slice().concat();
        self.0.write(&path(tpe, id), &bytes).map_err(failed)
    }

    fn remove(&self, tpe: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        self.0.remove(&path(tpe, id)).map_err(failed)
    }
}
