//! Counts and masters in words.

use base::wareki::Wareki;
use jiff::civil::Date;

use super::store::{Counts, Listed};

/// One line of numbers, ready to print.
pub(super) struct NumbersRow {
    pub(super) name: String,
    pub(super) residents: String,
    pub(super) elders: String,
    pub(super) certified: String,
    pub(super) households: String,
    pub(super) consultations: String,
}

/// The city's numbers and those of its centres.
pub(super) struct Numbers {
    pub(super) day: String,
    pub(super) city: NumbersRow,
    pub(super) rows: Vec<NumbersRow>,
}

/// One master.
pub(super) struct Section {
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) rows: Vec<MasterRow>,
}

/// One entry of a master.
pub(super) struct MasterRow {
    pub(super) code: String,
    pub(super) label: String,
    pub(super) note: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) source: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) row_css: &'static str,
}

/// All masters.
pub(super) struct MasterList {
    pub(super) unconfirmed: String,
    pub(super) all: String,
    pub(super) only_unconfirmed: bool,
    pub(super) sections: Vec<Section>,
}

pub(super) fn numbers(city: &Counts, centres: &[Counts], today: Date) -> Numbers {
    Numbers {
        day: Wareki::from_date(today).map_or_else(|_| today.to_string(), Wareki::long),
        city: row(city),
        rows: centres.iter().map(row).collect(),
    }
}

fn row(counts: &Counts) -> NumbersRow {
    NumbersRow {
        name: counts.name.clone(),
        residents: grouped(counts.residents),
        elders: grouped(counts.elders),
        certified: grouped(counts.certified),
        households: grouped(counts.households),
        consultations: grouped(counts.consultations),
    }
}

/// 84677 reads 84,677.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (left, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        text.push(digit);
        if left > 0 && left % 3 == 0 {
            text.push(',');
        }
    }
    text
}

pub(super) fn masters(listed: &[Listed], only_unconfirmed: bool, today: Date) -> MasterList {
    let count = |rows: &[&Listed]| rows.iter().filter(|row| row.unconfirmed).count();
    let everything: Vec<&Listed> = listed.iter().collect();
    let mut sections = Vec::new();
    for (number, group) in (1..).zip(listed.chunk_by(|a, b| a.list == b.list)) {
        let rows: Vec<&Listed> = group.iter().collect();
        let (all, open) = (rows.len(), count(&rows));
        let shown: Vec<MasterRow> = group
            .iter()
            .filter(|row| row.unconfirmed || !only_unconfirmed)
            .map(|row| master_row(row, today))
            .collect();
        if shown.is_empty() {
            continue;
        }
        sections.push(Section {
            anchor: format!("master-{number}"),
            name: group
                .first()
                .map_or_else(String::new, |row| row.list.clone()),
            summary: format!("{all}件、うち未確認 {open}件"),
            rows: shown,
        });
    }
    MasterList {
        unconfirmed: grouped(i64::try_from(count(&everything)).unwrap_or(i64::MAX)),
        all: grouped(i64::try_from(listed.len()).unwrap_or(i64::MAX)),
        only_unconfirmed,
        sections,
    }
}

fn master_row(row: &Listed, today: Date) -> MasterRow {
    let ended = row
        .valid_to
        .as_ref()
        .is_some_and(|to| *to < today.to_string());
    MasterRow {
        code: row.code.clone(),
        label: row.label.clone(),
        note: row.note.clone(),
        from: day(&row.valid_from),
        to: row.valid_to.as_deref().map_or_else(|| "―".to_owned(), day),
        source: row.source.clone(),
        css: if row.unconfirmed { "warn" } else { "ok" },
        state: if row.unconfirmed {
            "未確認"
        } else {
            "確認済み"
        },
        row_css: if ended { "off" } else { "" },
    }
}

fn day(iso: &str) -> String {
    let parsed: Option<Date> = iso.parse().ok();
    let wareki = parsed.and_then(|day| Wareki::from_date(day).ok());
    wareki.map_or_else(|| iso.to_owned(), Wareki::short)
}
