//! Which column of a file becomes which of ours: data, one TOML per feed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::error::{FileProblem, ImportError};
use super::model::Feed;

const SHIPPED: &[&str] = &[
    include_str!("../../../data/import/residents.toml"),
    include_str!("../../../data/import/households.toml"),
    include_str!("../../../data/import/insured.toml"),
    include_str!("../../../data/import/certifications.toml"),
    include_str!("../../../data/import/consultations.toml"),
];
/// Headers that must be known before a file is taken for a feed's.
const HEADERS_KNOWN_MIN: usize = 3;

/// How the text of a cell is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    Name,
    Kana,
    Date,
    Code,
    Number,
    Insured,
    Integer,
    Postal,
    Time,
    /// Several codes in one cell.
    Packed,
}

/// What an empty date, zeros or nines mean in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Null {
    Unknown,
    Absent,
    OpenEnd,
    Forbidden,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) field: String,
    pub(super) headers: Vec<String>,
    pub(super) kind: Kind,
    /// The column must be there and hold something.
    #[serde(default)]
    pub(super) required: bool,
    pub(super) null: Option<Null>,
    /// A date of which parts may be unknown.
    #[serde(default)]
    pub(super) partial: bool,
    pub(super) digits: Option<usize>,
    #[serde(default)]
    pub(super) values: Vec<String>,
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, String>,
}

impl Column {
    /// The name under which findings speak of it.
    pub(super) fn label(&self) -> &str {
        self.headers
            .first()
            .map_or(self.field.as_str(), String::as_str)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    pub(super) feed: Feed,
    #[serde(default)]
    ignored: Vec<String>,
    pub(super) columns: Vec<Column>,
}

/// A mapping laid over the header of one file.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) mapping: Mapping,
    /// Where each column of the mapping stands in the file.
    pub(super) places: Vec<Option<usize>>,
    /// Columns of the file.
    pub(super) width: usize,
}

impl Layout {
    /// Does the file have this field? What a mapping does not know is derived and always there.
    pub(super) fn gives(&self, field: &str) -> bool {
        let at = self
            .mapping
            .columns
            .iter()
            .position(|column| column.field == field);
        at.is_none_or(|at| self.places.get(at).is_some_and(Option::is_some))
    }
}

/// The mappings of all feeds, one of them perhaps replaced.
#[derive(Debug)]
pub(super) struct Mappings(Vec<Mapping>);

impl Mappings {
    pub(super) fn load(replacement: Option<&Path>) -> Result<Self, ImportError> {
        let shipped: Result<Vec<_>, _> = SHIPPED.iter().map(|text| parse(text, None)).collect();
        let mut all = shipped?;
        if let Some(path) = replacement {
            let text = std::fs::read_to_string(path).map_err(|source| ImportError::Read {
                path: path.to_owned(),
                source,
            })?;
            let own = parse(&text, Some(path))?;
            for known in all.iter_mut().filter(|known| known.feed == own.feed) {
                check(&own, known, path)?;
                *known = own.clone();
            }
        }
        Ok(Self(all))
    }

    /// The feed whose columns the header names best.
    pub(super) fn recognise(&self, header: &[String]) -> Result<Layout, FileProblem> {
        let known = |mapping: &Mapping| {
            header
                .iter()
                .filter(|h| place(mapping, h).is_some())
                .count()
        };
        let best = self.0.iter().rev().max_by_key(|mapping| known(mapping));
        match best {
            Some(mapping) if known(mapping) >= HEADERS_KNOWN_MIN => lay(mapping, header),
            Some(_) | None => Err(FileProblem::UnknownFeed),
        }
    }
}

fn parse(text: &str, path: Option<&Path>) -> Result<Mapping, ImportError> {
    toml::from_str(text).map_err(|error: toml::de::Error| ImportError::Mapping {
        path: path.map(Path::to_owned),
        what: error.message().to_owned(),
    })
}

/// A mapping from outside may rename and ignore, not invent or forget.
fn check(own: &Mapping, shipped: &Mapping, path: &Path) -> Result<(), ImportError> {
    let wrong = |what: String| ImportError::Mapping {
        path: Some(path.to_owned()),
        what,
    };
    let has = |mapping: &Mapping, field: &str| mapping.columns.iter().any(|c| c.field == field);
    if let Some(column) = own
        .columns
        .iter()
        .find(|column| !has(shipped, &column.field))
    {
        return Err(wrong(format!("項目 {} はありません", column.field)));
    }
    match shipped
        .columns
        .iter()
        .find(|column| column.required && !has(own, &column.field))
    {
        Some(column) => Err(wrong(format!("必要な項目 {} がありません", column.field))),
        None => Ok(()),
    }
}

fn plain(header: &str) -> &str {
    header.trim()
}

fn place(mapping: &Mapping, header: &str) -> Option<usize> {
    let is = |column: &Column| column.headers.iter().any(|known| known == plain(header));
    mapping.columns.iter().position(is)
}

fn lay(mapping: &Mapping, header: &[String]) -> Result<Layout, FileProblem> {
    let mut places = vec![None; mapping.columns.len()];
    let mut unknown = None;
    for (at, name) in header.iter().enumerate() {
        let again = header
            .iter()
            .take(at)
            .any(|before| plain(before) == plain(name));
        if again {
            return Err(FileProblem::DuplicateColumn(plain(name).to_owned()));
        }
        match place(mapping, name).and_then(|column| places.get_mut(column)) {
            Some(free @ None) => *free = Some(at),
            Some(Some(_)) => return Err(FileProblem::DuplicateColumn(plain(name).to_owned())),
            None if mapping.ignored.iter().any(|known| known == plain(name)) => {}
            None => unknown = unknown.or(Some(plain(name).to_owned())),
        }
    }
    // A misspelt column is missing and unknown at once; what is missing says more.
    let missing = mapping
        .columns
        .iter()
        .zip(&places)
        .find(|(c, at)| c.required && at.is_none());
    if let Some((column, _)) = missing {
        return Err(FileProblem::MissingColumn(column.label().to_owned()));
    }
    match unknown {
        Some(name) => Err(FileProblem::UnknownColumn(name)),
        None => Ok(Layout {
            mapping: mapping.clone(),
            places,
            width: header.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    fn recognise(text: &str) -> Result<Layout, FileProblem> {
        Mappings::load(None).unwrap().recognise(&header(text))
    }

    const GOOD: &str = "宛名番号,氏名,生年月日,性別,住民状態,世帯番号";

    #[test]
    fn a_feed_is_known_by_its_header() {
        assert_eq!(recognise(GOOD).unwrap().mapping.feed, Feed::Residents);
        let homes = recognise("世帯番号,宛名番号,続柄コード,世帯主フラグ").unwrap();
        assert_eq!(homes.mapping.feed, Feed::Households);
        assert_eq!(recognise("a,b,c").unwrap_err(), FileProblem::UnknownFeed);
    }

    #[test]
    fn missing_unknown_and_doubled_columns_are_named() {
        let missing = recognise("宛名番号,氏名,生年月曰,性別,住民状態,世帯番号").unwrap_err();
        assert_eq!(missing, FileProblem::MissingColumn("生年月日".into()));
        let unknown = recognise(&format!("{GOOD},星座")).unwrap_err();
        assert_eq!(unknown, FileProblem::UnknownColumn("星座".into()));
        let twice = recognise(&format!("{GOOD},氏名")).unwrap_err();
        assert_eq!(twice, FileProblem::DuplicateColumn("氏名".into()));
    }

    #[test]
    fn a_field_is_given_when_its_column_is_there_or_it_is_derived() {
        let layout = recognise(GOOD).unwrap();
        assert!(layout.gives("name") && layout.gives("centre_id"));
        assert!(!layout.gives("phone"));
    }
}
