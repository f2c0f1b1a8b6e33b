//! Fields of a holding, the shipped ones, and the lists of inspections; no I/O.

use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use store::CentreId;

use crate::web::{Permission, Visit};

const HOLDINGS: &str = include_str!("../../../data/data_holdings.toml");
const LISTS: &str = include_str!("../../../data/inspections.toml");

/// Longest text of a field, characters.
pub(super) const FIELD_CHARS_MAX: usize = 1_000;

/// One field of a holding: its column, its label, a hint; must it be filled in?
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) must: bool,
}

const fn field(name: &'static str, label: &'static str, hint: &'static str, need: Need) -> Field {
    let must = matches!(need, Need::Must);
    Field {
        name,
        label,
        hint,
        must,
    }
}

enum Need {
    Must,
    May,
}

/// The fields in the order of the form, the columns and the print.
pub(super) const FIELDS: [Field; 11] = [
    field("name", "名称", "例：訪問予定の一覧（紙）", Need::Must),
    field("purpose", "利用目的", "", Need::Must),
    field("items", "記録項目", "例：氏名、住所、電話番号", Need::Must),
    field(
        "source",
        "収集先",
        "例：本人、市の住民記録システム",
        Need::Must,
    ),
    field(
        "place",
        "保管場所",
        "例：事務室の施錠できる書庫",
        Need::Must,
    ),
    field("users", "利用者", "", Need::Must),
    field("responsible", "管理責任者", "", Need::Must),
    field("started", "保有の開始", "例：R8.4.1", Need::Must),
    field("retention", "保存期間", "例：5年", Need::Must),
    field(
        "outsourcing",
        "委託",
        "委託先と内容。ないときは「なし」",
        Need::May,
    ),
    field("note", "備考", "", Need::May),
];

/// What a holding says, in the order of [`FIELDS`].
pub(super) type Words = [String; 11];

/// A holding of the product itself.
#[derive(Debug, Clone)]
pub(super) struct Shipped {
    pub(super) key: String,
    pub(super) words: Words,
    pub(super) based_on: String,
    pub(super) unconfirmed: bool,
}

#[derive(Deserialize)]
struct HoldingsFile {
    holdings: Vec<toml::Table>,
}

/// Every shipped holding; the test reads the file, so that it is whole.
pub(super) fn shipped() -> &'static [Shipped] {
    static ALL: LazyLock<Vec<Shipped>> = LazyLock::new(|| {
        let file: Result<HoldingsFile, _> = toml::from_str(HOLDINGS);
        let rows = file.map(|file| file.holdings).unwrap_or_default();
        rows.iter().map(shipped_row).collect()
    });
    &ALL
}

fn shipped_row(row: &toml::Table) -> Shipped {
    let text = |name: &str| {
        let value = row.get(name).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Shipped {
        key: text("key"),
        words: FIELDS.map(|field| text(field.name)),
        based_on: text("based_on"),
        unconfirmed: row
            .get("unconfirmed")
            .and_then(toml::Value::as_bool)
            .unwrap_or(false),
    }
}

/// Which holding an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HoldingKey {
    Stored(i64),
    Shipped(String),
}

impl std::str::FromStr for HoldingKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Stored(id));
        }
        let known = shipped().iter().any(|shipped| shipped.key == text);
        if known {
            Ok(Self::Shipped(text.to_owned()))
        } else {
            Err(())
        }
    }
}

/// One item of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) code: String,
    pub(super) text: String,
    pub(super) clause: String,
    #[serde(default)]
    pub(super) unconfirmed: bool,
}

/// The list that holds from a day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckList {
    valid_from: toml::value::Datetime,
    pub(super) source: String,
    interval_months: i64,
    #[serde(default)]
    pub(super) unconfirmed: bool,
    pub(super) items: Vec<Item>,
}

#[derive(Deserialize)]
struct ListsFile {
    lists: Vec<CheckList>,
}

impl CheckList {
    /// As records name it.
    pub(super) fn key(&self) -> String {
        self.valid_from.to_string()
    }

    /// When the next check is due.
    pub(super) fn next(&self, checked_on: Date) -> Date {
        checked_on.saturating_add(self.interval_months.months())
    }

    pub(super) fn interval_words(&self) -> String {
        format!("{}か月ごと", self.interval_months)
    }
}

pub(super) fn lists() -> &'static [CheckList] {
    static ALL: LazyLock<Vec<CheckList>> = LazyLock::new(|| {
        let file: Result<ListsFile, _> = toml::from_str(LISTS);
        file.map(|file| file.lists).unwrap_or_default()
    });
    &ALL
}

/// The list that holds on a day; before the first one, the first.
pub(super) fn list_on(day: Date) -> Option<&'static CheckList> {
    let iso = day.to_string();
    let held = lists().iter().filter(|list| list.key() <= iso);
    held.max_by_key(|list| list.key())
        .or_else(|| lists().first())
}

/// The list that a record names.
pub(super) fn list_of(key: &str) -> Option<&'static CheckList> {
    lists().iter().find(|list| list.key() == key)
}

/// Whose registers somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    Centre(CentreId),
}

impl Reach {
    pub(super) fn of(visit: &Visit) -> Self {
        visit.actor.centre_id.map_or(Self::All, Self::Centre)
    }

    /// For SQL: nothing means everything.
    pub(super) fn centre(self) -> Option<CentreId> {
        match self {
            Self::All => None,
            Self::Centre(centre) => Some(centre),
        }
    }
}

/// May whoever asks change what belongs to this centre (nothing: the city)?
pub(super) fn may_change(visit: &Visit, centre: Option<CentreId>) -> bool {
    let own = visit.actor.centre_id;
    visit.may(Permission::DataRegisterWrite) && (own.is_none() || centre == own)
}
