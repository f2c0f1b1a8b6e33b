//! A record's cells brought into canonical form, each by its column's kind.

use base::number::my_number_like;
use base::wareki::{NullMeaning, PartialDate};

use super::detectors::{self, Found};
use super::mapping::{Column, Kind, Layout, Null};

/// Something odd about a row. `column` is the header's name, empty for the whole row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) line: u64,
    pub(super) column: String,
    pub(super) found: Found,
}

/// The cells of one row by the names of our fields.
#[derive(Debug)]
pub(super) struct Cells<'l> {
    layout: &'l Layout,
    values: Vec<Option<String>>,
    /// A date of which not all is known, as it was delivered.
    pub(super) partial: String,
    pub(super) line: u64,
    pub(super) warnings: Vec<Finding>,
}

impl Cells<'_> {
    /// The value of a field; nothing when it is null or the file has no such column.
    pub(super) fn get(&self, field: &str) -> Option<&str> {
        let columns = &self.layout.mapping.columns;
        let at = columns.iter().position(|column| column.field == field)?;
        self.values.get(at)?.as_deref()
    }

    pub(super) fn finding(&self, field: &str, found: Found) -> Finding {
        let columns = &self.layout.mapping.columns;
        let label = columns
            .iter()
            .find(|column| column.field == field)
            .map_or("", Column::label);
        Finding {
            line: self.line,
            column: label.to_owned(),
            found,
        }
    }

    pub(super) fn warn(&mut self, field: &str, found: Found) {
        let finding = self.finding(field, found);
        self.warnings.push(finding);
    }
}

/// Reads all cells; every wrong one is told, not only the first.
pub(super) fn convert<'l>(
    layout: &'l Layout,
    line: u64,
    cells: &[String],
) -> Result<Cells<'l>, Vec<Finding>> {
    let columns = &layout.mapping.columns;
    let mut read = Cells {
        layout,
        values: Vec::with_capacity(columns.len()),
        partial: String::new(),
        line,
        warnings: Vec::new(),
    };
    let mut bad = Vec::new();
    for (column, place) in columns.iter().zip(&layout.places) {
        let Some(raw) = place.and_then(|at| cells.get(at)) else {
            read.values.push(None);
            continue;
        };
        let finding = |found| Finding {
            line,
            column: column.label().to_owned(),
            found,
        };
        match cell(column, raw, &mut read.partial) {
            Ok((value, _)) if column.required && value.as_deref().unwrap_or("").is_empty() => {
                bad.push(finding(detectors::REQUIRED));
            }
            Ok((value, odd)) => {
                read.warnings.extend(odd.into_iter().map(finding));
                read.values.push(value);
            }
            Err(found) => bad.push(finding(found)),
        }
    }
    if bad.is_empty() { Ok(read) } else { Err(bad) }
}

type Read = Result<(Option<String>, Vec<Found>), Found>;

fn cell(column: &Column, raw: &str, partial: &mut String) -> Read {
    let one = |(value, odd): (String, Option<Found>)| (Some(value), odd.into_iter().collect());
    match column.kind {
        Kind::Text => Ok(text(raw)),
        Kind::Name => {
            let (value, mut odd) = text(raw);
            odd.extend(detectors::padding(raw));
            Ok((value, odd))
        }
        Kind::Kana => {
            let (value, mut odd) = text(raw);
            let (value, lone) = detectors::kana(value.as_deref().unwrap_or(""));
            odd.extend(lone);
            Ok((Some(value), odd))
        }
        Kind::Date => date(column, raw, partial),
        Kind::Code => detectors::code(raw, &column.values, &column.aliases).map(one),
        Kind::Number => {
            let (value, odd) = detectors::number(raw, column.digits.unwrap_or(10))?;
            let check = (column.digits == Some(6))
                .then(|| detectors::check_digit(&value))
                .flatten();
            Ok((Some(value), odd.into_iter().chain(check).collect()))
        }
        Kind::Insured => detectors::insured(raw).map(one),
        Kind::Integer => {
            let (value, _) = detectors::integer(raw)?;
            Ok((value.map(|number| number.to_string()), Vec::new()))
        }
        Kind::Postal => Ok((
            Some(base::number::postal_code(raw).unwrap_or_default()),
            Vec::new(),
        )),
        Kind::Time => Ok((Some(time(raw)), Vec::new())),
        Kind::Packed => Ok((Some(codes(raw)), Vec::new())),
    }
}

fn text(raw: &str) -> (Option<String>, Vec<Found>) {
    let odd = detectors::controls(raw)
        .into_iter()
        .chain(detectors::lost_letters(raw))
        .chain(my_number_like(raw).then_some(detectors::MY_NUMBER))
        .collect();
    let kept: String = raw.chars().filter(|c| !detectors::is_control(*c)).collect();
    (Some(kept.trim().to_owned()), odd)
}

fn date(column: &Column, raw: &str, partial: &mut String) -> Read {
    let null = match column.null {
        Some(Null::Unknown) => NullMeaning::Unknown,
        Some(Null::OpenEnd) => NullMeaning::OpenEnd,
        Some(Null::Forbidden) => NullMeaning::Forbidden,
        Some(Null::Absent) | None => NullMeaning::Absent,
    };
    let (day, odd) = detectors::date(raw, null)?;
    if column.partial && day.is_some_and(|day| day.full().is_none()) {
        raw.trim().clone_into(partial);
    }
    Ok((
        day.map(PartialDate::sort_date).map(|day| day.to_string()),
        odd.into_iter().collect(),
    ))
}

/// `9:05` and `0905` as `09:05`; anything else is no time and left out.
fn time(raw: &str) -> String {
    let digits = base::text::digits(raw);
    let padded = format!("{digits:0>4}");
    match (padded.len(), padded.split_at_checked(2)) {
        (4, Some((hour, minute))) if !digits.is_empty() && hour < "24" && minute < "60" => {
            format!("{hour}:{minute}")
        }
        (_, Some(_) | None) => String::new(),
    }
}

/// Codes packed into one cell with any separator: sorted, each once, joined by commas.
fn codes(raw: &str) -> String {
    let mut all: Vec<&str> = raw
        .split([',', '、', '，', ';', '/', ' ', '　', '|'])
        .map(str::trim)
        .filter(|code| !code.is_empty())
        .collect();
    all.sort_unstable();
    all.dedup();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_packed_codes_have_one_form() {
        assert_eq!(time("9:05"), "09:05");
        assert_eq!(time("0912"), "09:12");
        assert_eq!(time("25:00"), "");
        assert_eq!(time(""), "");
        assert_eq!(codes("05、01,05"), "01,05");
    }
}
