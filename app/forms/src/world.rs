//! The closed world one form is compiled in: two sources of ours, one JSON file, four faces.
//!
//! Nothing else can be read: no disk, no package, no clock. Fonts and Typst's library outlive the
//! world and are shared; the world itself is made for one form and dropped with its data.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use typst::{
    Library, World,
    diag::{FileError, FileResult, Warned},
    foundations::{Bytes, Datetime, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::{
    fonts::Fonts,
    text::{GETA, Preparation, code_point},
};

/// Characters in all texts of one form. A consultation holds 100,000 in each of its two texts.
const CHARACTERS_MAX: usize = 300_000;

/// Code points named at the foot of a form before "ほか".
const MISSING_LISTED_MAX: usize = 20;

/// A finished form.
pub struct Pdf {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Characters shown as 〓 and selectors of variants shown in their plain shape: each once.
    pub missing: Vec<char>,
}

impl fmt::Debug for Pdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pdf")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Why a form could not be drawn. Never holds a word of the form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More text than a form may hold.
    #[error("the form has {characters} characters, more than {CHARACTERS_MAX}")]
    TooLong {
        /// All texts together.
        characters: usize,
    },
    /// The input struct cannot be written as JSON.
    #[error("the form's input cannot be passed on as data")]
    Input,
    /// The time of printing is outside what a PDF can state.
    #[error("the time of printing is out of range")]
    PrintedAt,
    /// Our own layout is wrong; the place is a line of the layout.
    #[error("the layout of the form does not compile: {0}")]
    Layout(String),
    /// Typst could not write the file.
    #[error("the form cannot be written as PDF: {0}")]
    Export(String),
}

/// A layout of ours, by name and text.
pub(crate) struct Layout {
    pub(crate) source: &'static str,
    /// Shown by viewers as the title of the window: the kind of form, never a name.
    pub(crate) title: &'static str,
}

/// What one form is drawn from.
pub(crate) struct Job {
    pub(crate) layout: Layout,
    pub(crate) data: Value,
    /// Names the document for good; only its hash enters the file.
    pub(crate) identity: String,
    pub(crate) printed_at: Timestamp,
}

const PAPER: &str = include_str!("typst/paper.typ");

pub(crate) fn draw(fonts: &Fonts, job: Job) -> Result<Pdf, FormError> {
    let pdf = compile(fonts, job);
    // Typst remembers what it laid out, which is somebody's record: also after an error.
    typst::comemo::evict(0);
    pdf
}

fn compile(fonts: &Fonts, job: Job) -> Result<Pdf, FormError> {
    let timestamp = creation(job.printed_at)?;
    let identity = job.identity.clone();
    let (document, missing) = typeset(fonts, job)?;
    let options = PdfOptions {
        ident: Smart::Custom(identity),
        creator: Smart::Custom(Some("hokatsu".to_owned())),
        timestamp: Some(timestamp),
        ..PdfOptions::default()
    };
    let bytes = typst_pdf::pdf(&document, &options)
        .map_err(|errors| FormError::Export(first_message(&errors)))?;
    Ok(Pdf { bytes, missing })
}

/// Lays the pages out; apart from [`draw`] so that tests can look at every glyph.
pub(crate) fn typeset(fonts: &Fonts, job: Job) -> Result<(PagedDocument, Vec<char>), FormError> {
    let characters = characters(&job.data);
    if characters > CHARACTERS_MAX {
        return Err(FormError::TooLong { characters });
    }
    let mut preparation = Preparation::new(fonts);
    let form = preparation.value(job.data);
    let missing = preparation.missing();
    let input = Map::from_iter([
        ("form".to_owned(), form),
        ("title".to_owned(), Value::from(job.layout.title)),
        ("missing".to_owned(), foot_note(&missing)),
    ]);
    let world = FormWorld::new(fonts, job.layout.source, Value::Object(input))?;
    let Warned {
        output,
        warnings: _,
    } = typst::compile::<PagedDocument>(&world);
    let document = output.map_err(|errors| FormError::Layout(first_message(&errors)))?;
    Ok((document, missing))
}

fn characters(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(characters).sum(),
        Value::Object(fields) => fields.values().map(characters).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn foot_note(missing: &[char]) -> Value {
    if missing.is_empty() {
        return Value::Null;
    }
    let listed: Vec<_> = missing
        .iter()
        .take(MISSING_LISTED_MAX)
        .map(|character| code_point(*character))
        .collect();
    let more = match missing.len().saturating_sub(MISSING_LISTED_MAX) {
        0 => String::new(),
        more => format!(" ほか{more}字"),
    };
    let count = missing.len();
    let codes = listed.join(" ");
    Value::from(format!(
        "表示できない文字 {count} 字({codes}{more})。{GETA} または基本の字形で示しています。"
    ))
}

fn creation(printed_at: Timestamp) -> Result<typst_pdf::Timestamp, FormError> {
    let at = printed_at.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let part = |value: i8| u8::try_from(value).ok();
    let datetime = || {
        Datetime::from_ymd_hms(
            i32::from(at.year()),
            part(at.month())?,
            part(at.day())?,
            part(at.hour())?,
            part(at.minute())?,
            part(at.second())?,
        )
    };
    Ok(typst_pdf::Timestamp::new_utc(
        datetime().ok_or(FormError::PrintedAt)?,
    ))
}

/// Messages of Typst speak about the layout; values of the input are not quoted by the functions
/// the layouts use.
fn first_message(errors: &[typst::diag::SourceDiagnostic]) -> String {
    errors
        .first()
        .map(|error| error.message.to_string())
        .unwrap_or_default()
}

struct FormWorld<'a> {
    fonts: &'a Fonts,
    main: Source,
    paper: Source,
    input_id: FileId,
    input: Bytes,
}

impl<'a> FormWorld<'a> {
    fn new(fonts: &'a Fonts, main: &str, input: Value) -> Result<Self, FormError> {
        Ok(Self {
            fonts,
            main: Source::new(file_id("form.typ")?, main.to_owned()),
            paper: Source::new(file_id("paper.typ")?, PAPER.to_owned()),
            input_id: file_id("input.json")?,
            input: Bytes::from_string(input.to_string()),
        })
    }
}

fn file_id(name: &str) -> Result<FileId, FormError> {
    let path = VirtualPath::new(name).map_err(|error| FormError::Layout(error.to_string()))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for FormWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        self.fonts.library()
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [&self.main, &self.paper]
            .into_iter()
            .find(|source| source.id() == id)
            .cloned()
            .ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.input_id {
            Ok(self.input.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    /// A form states the time it is given; the layouts cannot ask for another.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
