//! Files that come with a form: taken in piece by piece, onto the disk and not into memory.
//!
//! Shape: [`receive`] reads a `multipart/form-data` body; text goes into the visit's form, each file
//! into a [`Upload`] whose bytes lie beside the shelf without a place yet. What is not placed by the page
//! function is gone when the visit is.
//! Invariant: not one byte is kept for whoever is not let in, nor before the form's token was seen; a
//! browser sends fields in their order, and the token is the first. The rest is read to its end and
//! dropped, so that the answer is a page and not a broken connection.
//! What holds a virus is not kept either. A scanner that does not answer stops nobody's work: the file is taken in, and
//! looked through later (docs/decisions/0052-viruses.md).
//! Limits: [`UPLOAD_FILES_MAX`], [`UPLOAD_TIME_MAX`], the site's size of a file, [`BODY_BYTES_MAX`] of
//! text, [`UPLOAD_SPARE_BYTES`] of the disk.
//! Source: RFC 7578; WHATWG HTML, "multipart/form-data"; docs/decisions/0026-attachments.md.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use base::antivirus::{Scan, Scanner, ScannerError};
use multer::{Constraints, Field, Multipart, SizeLimit};
use store::{Part, Whole};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::web::csrf::is_valid;
use crate::web::fields::Fields;
use crate::web::limits::{
    BODY_BYTES_MAX, FIELDS_MAX, UPLOAD_FILES_MAX, UPLOAD_SPARE_BYTES, UPLOAD_TIME_MAX,
};
use crate::web::problem::Problem;
use crate::web::visit::Visit;
use crate::web::work::aside;

/// Written to the disk at once, bytes.
const WRITE_BYTES: usize = 256 * 1024;

/// What became of the bytes of a file.
#[derive(Debug)]
pub enum Content {
    /// They are all there.
    Whole {
        /// They.
        whole: Whole,
        /// By the signatures of this number they hold no virus; nothing: nobody looked.
        clean_by: Option<u32>,
    },
    /// They hold a virus; none was kept.
    Infected {
        /// As the signatures call it.
        finding: String,
    },
    /// There are more than a file may have; none was kept.
    TooLarge {
        /// How many there were.
        bytes: u64,
    },
    /// More files than a form may bring, or sent without the right to: none was kept.
    Dropped,
}

/// One file of a form.
#[derive(Debug)]
pub struct Upload {
    /// Name of the input.
    pub field: String,
    /// What the file is called on the machine it came from; anything at all may stand here.
    pub name: String,
    /// Its bytes.
    pub content: Content,
}

/// The boundary of a multipart body, when it is one.
pub(crate) fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

/// Reads the body into the visit; what was read before something went wrong is there as well. The
/// permit is to be held as long as the files are.
pub(crate) async fn receive(
    visit: &mut Visit,
    admitted: bool,
    boundary: String,
    body: Body,
) -> (Result<(), Problem>, Option<OwnedSemaphorePermit>) {
    let turn = match visit.app.desk().upload_turn().await {
        Ok(turn) => turn,
        Err(busy) => return (Err(busy), None),
    };
    let mut taking = Taking::new(visit, admitted);
    let read = match timeout(UPLOAD_TIME_MAX, taking.all(boundary, body)).await {
        Ok(read) => read,
        Err(_late) => Err(Problem::TooSlow),
    };
    let Taking { pairs, files, .. } = taking;
    let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
    visit.form = Fields::from_pairs(pairs).unwrap_or_default();
    visit.files = files;
    (read, Some(turn))
}

/// One body on its way in.
struct Taking {
    shelf: store::Shelf,
    /// Nothing: there is none, or it did not answer about this form.
    scanner: Option<Scanner>,
    bytes_max: u64,
    secret: String,
    admitted: bool,
    /// The form's token was seen and holds.
    trusted: bool,
    text_bytes: usize,
    pairs: Vec<(String, String)>,
    files: Vec<Upload>,
}

impl Taking {
    fn new(visit: &Visit, admitted: bool) -> Self {
        Self {
            shelf: visit.app.db().shelf(),
            scanner: visit.app.scanner().cloned(),
            bytes_max: visit.app.settings().upload_bytes_max,
            secret: visit.csrf_secret.clone(),
            admitted,
            trusted: false,
            text_bytes: 0,
            pairs: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The most that one body may be: beyond it nobody waits for the end.
    fn stream_bytes_max(&self) -> u64 {
        let files = u64::try_from(UPLOAD_FILES_MAX).unwrap_or(u64::MAX);
        let text = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX);
        self.bytes_max.saturating_mul(files).saturating_add(text)
    }

    async fn all(&mut self, boundary: String, body: Body) -> Result<(), Problem> {
        let limit = SizeLimit::new().whole_stream(self.stream_bytes_max());
        let limits = Constraints::new().size_limit(limit);
        let mut parts = Multipart::with_constraints(body.into_data_stream(), boundary, limits);
        while let Some(field) = parts.next_field().await.map_err(|e| unread(&e))? {
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                Some(file) => self.file(name, file, field).await?,
                None => self.text(name, field).await?,
            }
        }
        Ok(())
    }

    async fn text(&mut self, name: String, mut field: Field<'_>) -> Result<(), Problem> {
        let mut value = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(|e| unread(&e))? {
            self.text_bytes = self.text_bytes.saturating_add(piece.len());
            if self.text_bytes > BODY_BYTES_MAX {
                return Err(Problem::TooLarge);
            }
            value.extend_from_slice(&piece);
        }
        if self.pairs.len() >= FIELDS_MAX {
            return Err(Problem::TooLarge);
        }
        let value = String::from_utf8_lossy(&value).into_owned();
        if name == "csrf" && is_valid(&self.secret, &value) {
            self.trusted = true;
        }
        self.pairs.push((name, value));
        Ok(())
    }

    async fn file(&mut self, field: String, name: String, bytes: Field<'_>) -> Result<(), Problem> {
        let keep = self.admitted && self.trusted && self.files.len() < UPLOAD_FILES_MAX;
        let content = if keep {
            self.kept(bytes).await?
        } else {
            drained(bytes).await?;
            Content::Dropped
        };
        // An input without a file chosen sends an empty name and nothing else.
        let chosen = match &content {
            Content::Whole { whole, .. } => whole.bytes() > 0 || !name.is_empty(),
            Content::Infected { .. } | Content::TooLarge { .. } => true,
            Content::Dropped => !name.is_empty(),
        };
        if chosen && self.files.len() < FIELDS_MAX {
            self.files.push(Upload {
                field,
                name,
                content,
            });
        }
        Ok(())
    }

    /// Takes a file onto the disk, or counts it once it is too large.
    async fn kept(&mut self, mut field: Field<'_>) -> Result<Content, Problem> {
        let shelf = self.shelf.clone();
        let mut part = aside(move || Ok(shelf.part(UPLOAD_SPARE_BYTES)?)).await?;
        let mut waiting = Vec::with_capacity(WRITE_BYTES);
        while let Some(piece) = field.chunk().await.map_err(|e| unread(&e))? {
            waiting.extend_from_slice(&piece);
            let total = part.bytes().saturating_add(length(waiting.len()));
            if total > self.bytes_max {
                drop(part);
                let bytes = total.saturating_add(drained(field).await?);
                return Ok(Content::TooLarge { bytes });
            }
            if waiting.len() >= WRITE_BYTES {
                part = written(part, std::mem::take(&mut waiting)).await?;
            }
        }
        part = written(part, waiting).await?;
        let (part, scan) = self.scanned(part).await?;
        let clean_by = match scan {
            Scan::Clean { signatures } => Some(signatures),
            Scan::Unscanned => None,
            Scan::Found { finding, .. } => return Ok(Content::Infected { finding }),
        };
        let whole = aside(move || Ok(part.finish()?)).await?;
        Ok(Content::Whole { whole, clean_by })
    }

    /// Before anything of it reaches another disk. A scanner that is silent is asked about no further file of this
    /// form: all of them have to arrive in time.
    async fn scanned(&mut self, part: Part) -> Result<(Part, Scan), Problem> {
        let Some(scanner) = self.scanner.clone().filter(|_| part.bytes() > 0) else {
            return Ok((part, Scan::Unscanned));
        };
        let (part, scan) = aside(move || {
            let scan = scanner.scan_file(part.path());
            Ok((part, scan))
        })
        .await?;
        let scan = scan.unwrap_or_else(|error| {
            log::warn!("a file is taken in that nobody looked through: {error}");
            if matches!(error, ScannerError::Silent(_)) {
                self.scanner = None;
            }
            Scan::Unscanned
        });
        if let Scan::Found { finding, .. } = &scan {
            log::warn!("a file that was sent holds {finding} and was refused");
        }
        Ok((part, scan))
    }
}

async fn written(mut part: Part, bytes: Vec<u8>) -> Result<Part, Problem> {
    aside(move || {
        part.write(&bytes)?;
        Ok(part)
    })
    .await
}

/// Reads to the end of a file without keeping it; how many bytes there were.
async fn drained(mut field: Field<'_>) -> Result<u64, Problem> {
    let mut bytes = 0_u64;
    while let Some(piece) = field.chunk().await.map_err(|e| unread(&e))? {
        bytes = bytes.saturating_add(length(piece.len()));
    }
    Ok(bytes)
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may learn further ways of not being able to read"
)]
fn unread(error: &multer::Error) -> Problem {
    match error {
        multer::Error::StreamSizeExceeded { .. } => Problem::TooLarge,
        _ => Problem::Unreadable,
    }
}
