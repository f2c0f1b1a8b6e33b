//! The masters as shipped, read strictly, and what to do where the database says something else.

use std::collections::BTreeSet;

use base::report::{Kind, Report, Runbook};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};
use store::StoreError;
use toml::Spanned;

const WAKO: &str = include_str!("../../../data/wako.toml");
const CODES: &str = include_str!("../../../data/codes.toml");
const WAKO_FILE: &str = "app/server/data/wako.toml";
const CODES_FILE: &str = "app/server/data/codes.toml";

/// What is wrong with an entry of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Not TOML, or not the fields we know.
    #[error("{0}")]
    Unreadable(String),
    /// A code or a label is empty.
    #[error("empty code or label")]
    Empty,
    /// It ends before it starts.
    #[error("valid_to lies before valid_from")]
    EndsBeforeStart,
    /// Two entries of one code hold on the same day.
    #[error("two entries of this code hold on the same day")]
    Overlap,
    /// No centre has this code.
    #[error("unknown centre")]
    UnknownCentre,
    /// The entry ended before today; what was recorded with it must go on reading as it did.
    #[error("an entry that has ended was changed")]
    Ended,
    /// The entry holds only since today and cannot be closed yesterday.
    #[error("changed twice on one day")]
    ChangedTwice,
}

impl Mistake {
    fn words(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "TOML として読めないか、知らない項目があります",
            Self::Empty => "コードまたは名称が空です",
            Self::EndsBeforeStart => "適用終了が適用開始より前です",
            Self::Overlap => "同じコードの適用期間が重なっています",
            Self::UnknownCentre => "担当センターのコードがありません",
            Self::Ended => "適用の終わった行は変えられません",
            Self::ChangedTwice => "同じ日に2回は変えられません。明日やり直してください",
        }
    }
}

/// Why masters were not loaded. Nothing of them is in the database then.
#[derive(Debug, thiserror::Error)]
pub enum MastersError {
    /// An entry is wrong.
    #[error("{file}:{line}: {mistake}")]
    Entry {
        /// Which file.
        file: &'static str,
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        mistake: Mistake,
    },
    /// The database did not take them.
    #[error("masters cannot be stored")]
    Store(#[from] StoreError),
}

impl MastersError {
    /// The same failure in the three readers' words.
    pub fn report(self) -> Report {
        match self {
            Self::Store(error) => error.report(),
            Self::Entry {
                file,
                line,
                ref mistake,
            } => {
                let text = format!(
                    "マスタを読み込めません。{}。何も変えていません",
                    mistake.words()
                );
                Report::new(Kind::InputFile, self)
                    .operator(text, Runbook::ImportRejected)
                    .at(format!("{file}:{line}"))
            }
        }
    }
}

/// What a load did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Entries that are new.
    pub added: usize,
    /// Entries that were given their last day.
    pub closed: usize,
    /// Centres whose name, telephone or period changed; their id stayed.
    pub updated: usize,
    /// Entries that were as shipped.
    pub unchanged: usize,
}

/// Where an entry stands in its file, for error messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    file: &'static str,
    line: usize,
}

impl Place {
    pub(super) fn error(self, mistake: Mistake) -> MastersError {
        MastersError::Entry {
            file: self.file,
            line: self.line,
            mistake,
        }
    }
}

/// From when until when an entry holds, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: Date,
    pub(super) to: Option<Date>,
}

/// One entry of `areas` or `codes`: what identifies it and what it says.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Columns that identify it besides `valid_from`.
    pub(super) key: Vec<String>,
    /// The other columns in their order, as text.
    pub(super) content: Vec<String>,
    pub(super) period: Period,
    pub(super) place: Place,
}

/// One centre.
#[derive(Debug, Clone)]
pub(super) struct Centre {
    pub(super) code: String,
    /// name, short_name, phone, valid_from, valid_to, source, unconfirmed.
    pub(super) content: Vec<String>,
}

/// Everything that is shipped.
#[derive(Debug, Clone)]
pub struct Masters {
    pub(super) centres: Vec<Centre>,
    pub(super) areas: Vec<Entry>,
    pub(super) codes: Vec<Entry>,
}

impl Masters {
    /// Reads the two files that are compiled in.
    ///
    /// # Errors
    /// [`MastersError::Entry`].
    pub fn shipped() -> Result<Self, MastersError> {
        Self::read(WAKO, CODES)
    }

    /// The same with telephone numbers that `phone` gives for the code of a centre: the city's own are
    /// not known yet, and a demonstration needs some.
    #[must_use]
    pub fn with_phones(mut self, phone: impl Fn(&str) -> String, source: &str) -> Self {
        for centre in &mut self.centres {
            if let [_, _, number, _, _, from, _] = centre.content.as_mut_slice() {
                *number = phone(&centre.code);
                source.clone_into(from);
            }
        }
        self
    }

    pub(super) fn read(wako: &str, codes: &str) -> Result<Self, MastersError> {
        let organisation: WakoFile = parse(wako, WAKO_FILE)?;
        let tables: CodesFile = parse(codes, CODES_FILE)?;
        let mut masters = Self {
            centres: organisation.centres.iter().map(CentreRow::centre).collect(),
            areas: organisation
                .areas
                .iter()
                .map(|row| row.entry(wako))
                .collect(),
            codes: organisation.codes(wako),
        };
        masters.codes.extend(tables.entries(codes));
        masters.check(&organisation, wako)?;
        Ok(masters)
    }

    fn check(&self, organisation: &WakoFile, text: &str) -> Result<(), MastersError> {
        let mut centres = BTreeSet::new();
        for row in &organisation.centres {
            if !centres.insert(row.code.get_ref().as_str()) {
                return Err(place(WAKO_FILE, text, &row.code).error(Mistake::Overlap));
            }
            check_period(row.valid_from, row.valid_to)
                .map_err(|mistake| place(WAKO_FILE, text, &row.code).error(mistake))?;
        }
        for row in &organisation.areas {
            if !centres.contains(row.centre_code.get_ref().as_str()) {
                return Err(place(WAKO_FILE, text, &row.centre_code).error(Mistake::UnknownCentre));
            }
        }
        check_entries(&self.areas)?;
        check_entries(&self.codes)
    }
}

fn check_period(from: Day, to: Option<Day>) -> Result<(), Mistake> {
    if to.is_some_and(|to| to.0 < from.0) {
        Err(Mistake::EndsBeforeStart)
    } else {
        Ok(())
    }
}

fn check_entries(entries: &[Entry]) -> Result<(), MastersError> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| (&a.key, a.period.from).cmp(&(&b.key, b.period.from)));
    let mut before: Option<&Entry> = None;
    for entry in sorted {
        let named = entry
            .content
            .first()
            .is_some_and(|label| !label.trim().is_empty());
        if !named || entry.key.iter().any(|part| part.trim().is_empty()) {
            return Err(entry.place.error(Mistake::Empty));
        }
        if entry.period.to.is_some_and(|to| to < entry.period.from) {
            return Err(entry.place.error(Mistake::EndsBeforeStart));
        }
        let clash = before
            .filter(|before| before.key == entry.key)
            .is_some_and(|before| before.period.to.is_none_or(|to| to >= entry.period.from));
        if clash {
            return Err(entry.place.error(Mistake::Overlap));
        }
        before = Some(entry);
    }
    Ok(())
}

/// An entry as the database has it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) content: Vec<String>,
    pub(super) period: Period,
}

/// One thing to do so that the database says what the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Give this row its last day.
    Close { id: i64, on: Date },
    /// Add the entry for this time.
    Add(Period),
}

/// What to do about one shipped entry. `kept` are the rows of its key, `next` the day on which the
/// file's next entry of the key starts. Run again afterwards, there is nothing to do.
pub(super) fn steps(
    entry: &Entry,
    kept: &[Kept],
    next: Option<Date>,
    today: Date,
) -> Result<Vec<Step>, MastersError> {
    let wanted = entry.period;
    // What this entry became: itself, or what followed it when its content was changed.
    let line = kept.iter().filter(|row| {
        row.period.from >= wanted.from && next.is_none_or(|next| row.period.from < next)
    });
    let Some(latest) = line.max_by_key(|row| row.period.from) else {
        return Ok(vec![Step::Add(wanted)]);
    };
    if latest.content == entry.content {
        let close = wanted.to.filter(|to| latest.period.to != Some(*to));
        return Ok(close
            .map(|on| Step::Close { id: latest.id, on })
            .into_iter()
            .collect());
    }
    if latest.period.to.is_some_and(|to| to < today) {
        return Err(entry.place.error(Mistake::Ended));
    }
    let yesterday = today
        .yesterday()
        .ok()
        .filter(|day| *day >= latest.period.from);
    let on = yesterday.ok_or_else(|| entry.place.error(Mistake::ChangedTwice))?;
    let add = Step::Add(Period {
        from: today,
        to: wanted.to,
    });
    Ok(vec![Step::Close { id: latest.id, on }, add])
}

fn parse<T: serde::de::DeserializeOwned>(
    text: &str,
    file: &'static str,
) -> Result<T, MastersError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let mistake = Mistake::Unreadable(error.message().to_owned());
        Place {
            file,
            line: line_of(text, start),
        }
        .error(mistake)
    })
}

fn line_of(text: &str, start: usize) -> usize {
    text.bytes()
        .take(start)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

fn place(file: &'static str, text: &str, code: &Spanned<String>) -> Place {
    Place {
        file,
        line: line_of(text, code.span().start),
    }
}

/// A day as TOML writes it: `2006-04-01`, without quotes.
#[derive(Debug, Clone, Copy)]
struct Day(Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = toml::value::Datetime::deserialize(from)?;
        let day = written
            .to_string()
            .parse()
            .ok()
            .filter(|_| written.time.is_none());
        day.map(Self)
            .ok_or_else(|| serde::de::Error::custom("a day such as 2006-04-01 is wanted"))
    }
}

fn period(from: Day, to: Option<Day>) -> Period {
    Period {
        from: from.0,
        to: to.map(|day| day.0),
    }
}

fn flag(unconfirmed: bool) -> String {
    i64::from(unconfirmed).to_string()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WakoFile {
    organisation: OrganisationRow,
    insurer: InsurerRow,
    divisions: Vec<DivisionRow>,
    centres: Vec<CentreRow>,
    areas: Vec<AreaRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationRow {
    name: String,
    #[expect(dead_code, reason = "part of the format; printed forms will want it")]
    kana: String,
    municipality_code: Spanned<String>,
    valid_from: Day,
    source: String,
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InsurerRow {
    insurer_no: Spanned<String>,
    name: String,
    valid_from: Day,
    source: String,
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DivisionRow {
    key: Spanned<String>,
    name: String,
    #[expect(dead_code, reason = "part of the format; narrow columns will want it")]
    short_name: String,
    valid_from: Day,
    valid_to: Option<Day>,
    source: String,
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CentreRow {
    code: Spanned<String>,
    name: String,
    short_name: String,
    phone: String,
    valid_from: Day,
    valid_to: Option<Day>,
    source: String,
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaRow {
    code: Spanned<String>,
    name: String,
    kana: String,
    postal_code: String,
    centre_code: Spanned<String>,
    valid_from: Day,
    valid_to: Option<Day>,
    source: String,
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesFile {
    lists: Vec<ListRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRow {
    list: Spanned<String>,
    name: String,
    source: String,
    codes: Vec<CodeRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRow {
    code: Spanned<String>,
    label: String,
    valid_from: Day,
    valid_to: Option<Day>,
    source: Option<String>,
    #[serde(default)]
    unconfirmed: bool,
}

impl CentreRow {
    fn centre(&self) -> Centre {
        let Period { from, to } = period(self.valid_from, self.valid_to);
        Centre {
            code: self.code.get_ref().clone(),
            content: vec![
                self.name.clone(),
                self.short_name.clone(),
                self.phone.clone(),
                from.to_string(),
                to.map_or_else(String::new, |to| to.to_string()),
                self.source.clone(),
                flag(self.unconfirmed),
            ],
        }
    }
}

impl AreaRow {
    fn entry(&self, text: &str) -> Entry {
        Entry {
            key: vec![self.code.get_ref().clone()],
            content: vec![
                self.name.clone(),
                self.kana.clone(),
                self.postal_code.clone(),
                self.centre_code.get_ref().clone(),
                self.source.clone(),
                flag(self.unconfirmed),
            ],
            period: period(self.valid_from, self.valid_to),
            place: place(WAKO_FILE, text, &self.code),
        }
    }
}

/// An entry of `codes`: label, position, source, unconfirmed.
fn code(
    [list, code, label]: [&str; 3],
    position: usize,
    source: &str,
    unconfirmed: bool,
    (period, place): (Period, Place),
) -> Entry {
    Entry {
        key: vec![list.to_owned(), code.to_owned()],
        content: vec![
            label.to_owned(),
            position.to_string(),
            source.to_owned(),
            flag(unconfirmed),
        ],
        period,
        place,
    }
}

impl WakoFile {
    /// City, insurer and sections are code tables of their own.
    fn codes(&self, text: &str) -> Vec<Entry> {
        let Self {
            organisation: city,
            insurer,
            divisions,
            ..
        } = self;
        let at = |code: &Spanned<String>| place(WAKO_FILE, text, code);
        let mut entries = vec![
            code(
                ["organisation", city.municipality_code.get_ref(), &city.name],
                1,
                &city.source,
                city.unconfirmed,
                (period(city.valid_from, None), at(&city.municipality_code)),
            ),
            code(
                ["insurer", insurer.insurer_no.get_ref(), &insurer.name],
                1,
                &insurer.source,
                insurer.unconfirmed,
                (period(insurer.valid_from, None), at(&insurer.insurer_no)),
            ),
        ];
        entries.extend((1..).zip(divisions).map(|(position, row)| {
            let held = (period(row.valid_from, row.valid_to), at(&row.key));
            let names = ["division", row.key.get_ref(), &row.name];
            code(names, position, &row.source, row.unconfirmed, held)
        }));
        entries
    }
}

/// The lists themselves are a list, so that their Japanese names are data too.
const LISTS: &str = "list";
const LISTS_SINCE: Date = jiff::civil::date(2000, 4, 1);

impl CodesFile {
    fn entries(&self, text: &str) -> Vec<Entry> {
        let of_wako = [
            ("organisation", "市"),
            ("insurer", "保険者"),
            ("division", "課"),
        ];
        let own = Place {
            file: CODES_FILE,
            line: 1,
        };
        let since = Period {
            from: LISTS_SINCE,
            to: None,
        };
        let mut entries: Vec<Entry> = (1..)
            .zip(of_wako)
            .map(|(position, (key, name))| {
                code(
                    [LISTS, key, name],
                    position,
                    "本システム",
                    false,
                    (since, own),
                )
            })
            .collect();
        for (number, list) in (11..).zip(&self.lists) {
            let at = place(CODES_FILE, text, &list.list);
            let names = [LISTS, list.list.get_ref(), &list.name];
            entries.push(code(names, number, "本システム", false, (since, at)));
            entries.extend((1..).zip(&list.codes).map(|(position, row)| {
                let held = (
                    period(row.valid_from, row.valid_to),
                    place(CODES_FILE, text, &row.code),
                );
                let names = [list.list.get_ref(), row.code.get_ref(), row.label.as_str()];
                let source = row.source.as_ref().unwrap_or(&list.source);
                code(names, position, source, row.unconfirmed, held)
            }));
        }
        entries
    }
}
