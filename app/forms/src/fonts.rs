//! The faces every form is set in: found where fontconfig looks, read only when first drawn with.
//!
//! Shape: three BIZ UD faces for what almost every page needs, and IPAmj Mincho (46 MB) for names
//! in characters or ideographic variants that BIZ UD lacks. Only these faces are offered to Typst,
//! so another font on the machine can neither change a page nor hide a missing character.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use fontdb::{Database, Source, Style, Weight};
use typst::{
    Library, LibraryExt,
    foundations::Bytes,
    layout::Abs,
    text::{Font, FontBook, FontInfo, FontInstance, FontVariations},
    utils::LazyHash,
};

/// A Debian package that brings faces the forms are set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FontPackage {
    /// BIZ UDゴシック, for titles and labels.
    BizUdGothic,
    /// BIZ UD明朝, for everything staff wrote.
    BizUdMincho,
    /// IPAmj明朝, for names with 外字 and variants.
    IpamjMincho,
}

impl FontPackage {
    /// The name to give to `apt-get install`.
    #[must_use]
    pub fn debian_name(self) -> &'static str {
        match self {
            Self::BizUdGothic => "fonts-morisawa-bizud-gothic",
            Self::BizUdMincho => "fonts-morisawa-bizud-mincho",
            Self::IpamjMincho => "fonts-ipamj-mincho",
        }
    }

    fn japanese_name(self) -> &'static str {
        match self {
            Self::BizUdGothic => "BIZ UDゴシック",
            Self::BizUdMincho => "BIZ UD明朝",
            Self::IpamjMincho => "IPAmj明朝",
        }
    }
}

/// Fonts the forms need are not installed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct FontsMissing {
    /// What to install, in a fixed order, each once.
    pub packages: Vec<FontPackage>,
}

impl fmt::Display for FontsMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.packages.iter().map(|p| p.japanese_name()).collect();
        let debian: Vec<_> = self.packages.iter().map(|p| p.debian_name()).collect();
        write!(
            f,
            "帳票の書体({})がありません。次を実行してください: sudo apt-get install {}",
            names.join("、"),
            debian.join(" ")
        )
    }
}

/// Where one character can be drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyph {
    /// The body face has it, or Typst finds it in the fallback by itself.
    Found,
    Missing,
}

struct Wanted {
    package: FontPackage,
    family: &'static str,
    weight: Weight,
}

/// In the order of the font book; the index of IPAmj is [`VARIANTS`].
const WANTED: [Wanted; 4] = [
    Wanted {
        package: FontPackage::BizUdMincho,
        family: "BIZ UDMincho",
        weight: Weight::NORMAL,
    },
    Wanted {
        package: FontPackage::BizUdGothic,
        family: "BIZ UDGothic",
        weight: Weight::NORMAL,
    },
    Wanted {
        package: FontPackage::BizUdGothic,
        family: "BIZ UDGothic",
        weight: Weight::BOLD,
    },
    Wanted {
        package: FontPackage::IpamjMincho,
        family: "IPAmjMincho",
        weight: Weight::NORMAL,
    },
];

const BODY: usize = 0;
const GOTHIC: usize = 1;
const VARIANTS: usize = 3;

struct Face {
    path: PathBuf,
    index: u32,
    info: FontInfo,
    loaded: OnceLock<Option<Font>>,
}

/// The faces and Typst's library: made once, shared by all threads, kept for the process.
pub struct Fonts {
    faces: Vec<Face>,
    book: LazyHash<FontBook>,
    library: LazyHash<Library>,
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fonts")
            .field("faces", &self.faces.len())
            .finish_non_exhaustive()
    }
}

impl Fonts {
    /// Finds the faces in the directories fontconfig names.
    ///
    /// # Errors
    /// [`FontsMissing`] names every Debian package that is not there.
    pub fn discover() -> Result<Self, FontsMissing> {
        let mut database = Database::new();
        database.load_system_fonts();
        Self::from_database(&database)
    }

    /// Finds the faces below one directory only.
    ///
    /// # Errors
    /// [`FontsMissing`] as for [`Fonts::discover`].
    pub fn discover_in(directory: &Path) -> Result<Self, FontsMissing> {
        let mut database = Database::new();
        database.load_fonts_dir(directory);
        Self::from_database(&database)
    }

    fn from_database(database: &Database) -> Result<Self, FontsMissing> {
        let mut faces = Vec::new();
        let mut packages = Vec::new();
        for wanted in &WANTED {
            match find(database, wanted) {
                Some(face) => faces.push(face),
                None if packages.contains(&wanted.package) => {}
                None => packages.push(wanted.package),
            }
        }
        if !packages.is_empty() {
            return Err(FontsMissing { packages });
        }
        let book = FontBook::from_infos(faces.iter().map(|face| face.info.clone()));
        Ok(Self {
            faces,
            book: LazyHash::new(book),
            library: LazyHash::new(Library::default()),
        })
    }

    /// BIZ UDゴシック as a file for screens whose machine does not have it: about 5 MB.
    #[must_use]
    pub fn screen_face(&self) -> Option<Vec<u8>> {
        Some(self.font(GOTHIC)?.data().to_vec())
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    pub(crate) fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    /// Reads the file on first use; a file that vanished since is like a face without glyphs.
    pub(crate) fn font(&self, index: usize) -> Option<Font> {
        let face = self.faces.get(index)?;
        face.loaded
            .get_or_init(|| {
                let data = fs::read(&face.path).ok()?;
                Font::new(Bytes::new(data), face.index)
            })
            .clone()
    }

    /// Whether the chain BIZ UD明朝 → IPAmj明朝 draws this character.
    pub(crate) fn glyph(&self, character: char) -> Glyph {
        let code = u32::from(character);
        let covers = |index| {
            self.faces
                .get(index)
                .is_some_and(|face: &Face| face.info.coverage.contains(code))
        };
        if covers(BODY) || covers(VARIANTS) {
            Glyph::Found
        } else {
            Glyph::Missing
        }
    }

    /// Opens IPAmj明朝 for questions about variation sequences: 46 MB, kept for the process.
    pub(crate) fn variants(&self) -> Option<FontInstance> {
        self.instance(VARIANTS)
    }

    /// Opens the body face for the same questions.
    pub(crate) fn body(&self) -> Option<FontInstance> {
        self.instance(BODY)
    }

    fn instance(&self, index: usize) -> Option<FontInstance> {
        let font = self.font(index)?;
        let variant = font.info().variant;
        Some(font.instantiate(variant, Abs::pt(10.0), &FontVariations::default()))
    }
}

/// The first path in order wins, so that two copies of a face do not make two kinds of pages.
fn find(database: &Database, wanted: &Wanted) -> Option<Face> {
    let mut found: Vec<_> = database
        .faces()
        .filter(|face| face.families.iter().any(|(name, _)| name == wanted.family))
        .filter(|face| face.weight == wanted.weight && face.style == Style::Normal)
        .filter_map(|face| match &face.source {
            Source::File(path) | Source::SharedFile(path, _) => Some((path.clone(), face)),
            Source::Binary(_) => None,
        })
        .collect();
    found.sort_by(|a, b| (&a.0, a.1.index).cmp(&(&b.0, b.1.index)));
    found.into_iter().find_map(|(path, face)| {
        let info = database.with_face_data(face.id, FontInfo::new)??;
        Some(Face {
            path,
            index: face.index,
            info,
            loaded: OnceLock::new(),
        })
    })
}
