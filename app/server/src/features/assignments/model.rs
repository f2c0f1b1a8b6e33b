//! Who is in charge of whom; no I/O.

use base::secrecy::{Kana, Note, PersonName};
use jiff::civil::Date;
use store::{CentreId, FromSql, FromSqlError, FromSqlResult, ResidentId, Scope, StaffId, ValueRef};

use crate::features::staff::rights::Holder;

/// What part somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// 主担当: whoever answers for her. One on any day.
    Main,
    /// 副担当.
    Beside,
}

impl Part {
    pub(super) const ALL: [Self; 2] = [Self::Main, Self::Beside];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Beside => "beside",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Main => "主担当",
            Self::Beside => "副担当",
        }
    }
}

/// The schema allows nothing else; if it did, the row would be told as broken.
impl FromSql for Part {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_code(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// One row about a person.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) id: i64,
    pub(super) resident: ResidentId,
    pub(super) staff: StaffId,
    pub(super) staff_name: String,
    pub(super) part: Part,
    pub(super) starts_on: Date,
    pub(super) reason: Note,
    pub(super) by: String,
    pub(super) by_id: StaffId,
    pub(super) at: String,
    pub(super) ending: Option<Ending>,
}

/// The last day, once somebody gave one.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) ends_on: Date,
    pub(super) reason: Note,
    pub(super) by: String,
    pub(super) at: String,
}

impl Assignment {
    /// It counts on some day from `today` on.
    pub(super) fn lasts(&self, today: Date) -> bool {
        let end = self.ending.as_ref().map(|ending| ending.ends_on);
        end.is_none_or(|end| end >= today)
    }

    /// Nobody has given it a last day.
    pub(super) fn is_open(&self) -> bool {
        self.ending.is_none()
    }
}

/// A person as the page about her assignments shows her.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) centre: CentreId,
    pub(super) writable: bool,
}

/// Would somebody meet a person of this centre if she were in charge of her? A section meets only
/// whom others refer to it, and its staff are in charge of nobody.
pub(super) fn looks_after(member: &Holder, centre: CentreId) -> bool {
    match member.scope {
        Scope::City | Scope::Assigned(None) => true,
        Scope::Centre(own) | Scope::Assigned(Some(own)) => own == centre,
        Scope::Nothing => false,
    }
}

/// What is in the way of putting somebody in charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) since: Date,
    pub(super) part: Part,
    pub(super) name: String,
    /// It is she herself.
    pub(super) is_own: bool,
}

/// Fits a new row beside those that last: the open ones that end on the day before it. They are the
/// main one (if the new one is) and her own of the other part.
pub(super) fn fit(
    known: &[Assignment],
    (staff, part): (StaffId, Part),
    starts_on: Date,
) -> Result<Vec<&Assignment>, Conflict> {
    let touched = known
        .iter()
        .filter(|a| a.lasts(starts_on))
        .filter(|a| a.staff == staff || (part == Part::Main && a.part == Part::Main));
    let mut replaced = Vec::new();
    for row in touched {
        let is_own = row.staff == staff;
        let same = is_own && row.part == part;
        // One that begins no earlier would end before it began; one that has its end is settled.
        if same || row.starts_on >= starts_on || !row.is_open() {
            return Err(Conflict {
                since: row.starts_on,
                part: row.part,
                name: row.staff_name.clone(),
                is_own,
            });
        }
        replaced.push(row);
    }
    Ok(replaced)
}

/// One line of somebody's list.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) assignment: i64,
    pub(super) resident: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) born_on: Option<Date>,
    pub(super) centre: CentreId,
    pub(super) centre_name: String,
    pub(super) part: Part,
    pub(super) staff_name: String,
    pub(super) starts_on: Date,
    pub(super) ends_on: Option<Date>,
    pub(super) last_record: Option<Date>,
    pub(super) next_due_on: Option<Date>,
    pub(super) is_living: bool,
}

/// A member of staff with how many people she is in charge of.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) staff: StaffId,
    pub(super) name: String,
    pub(super) count: i64,
    /// Works here today.
    pub(super) is_here: bool,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn row(staff: i64, part: Part, from: Date, to: Option<Date>) -> Assignment {
        Assignment {
            id: staff,
            resident: ResidentId(1),
            staff: StaffId(staff),
            staff_name: format!("職員{staff}"),
            part,
            starts_on: from,
            reason: "".into(),
            by: String::new(),
            by_id: StaffId(9),
            at: String::new(),
            ending: to.map(|ends_on| Ending {
                ends_on,
                reason: "".into(),
                by: String::new(),
                at: String::new(),
            }),
        }
    }

    fn fitted(
        known: &[Assignment],
        staff: i64,
        part: Part,
        on: Date,
    ) -> Result<Vec<i64>, Conflict> {
        let fitted = fit(known, (StaffId(staff), part), on)?;
        Ok(fitted.iter().map(|a| a.id).collect())
    }

    #[test]
    fn a_new_main_replaces_the_open_one_that_began_before() {
        let known = [
            row(1, Part::Main, date(2026, 4, 1), None),
            row(3, Part::Beside, date(2026, 4, 1), None),
        ];
        let day = date(2026, 11, 25);
        assert_eq!(fitted(&known, 2, Part::Main, day), Ok(vec![1]));
        assert_eq!(fitted(&known, 2, Part::Beside, day), Ok(vec![]));
        assert_eq!(fitted(&known, 3, Part::Main, day), Ok(vec![1, 3]));
    }

    #[test]
    fn a_planned_or_same_day_main_is_in_the_way() {
        for from in [date(2026, 11, 25), date(2027, 4, 1)] {
            let known = [row(1, Part::Main, from, None)];
            let refused = fitted(&known, 2, Part::Main, date(2026, 11, 25)).unwrap_err();
            assert_eq!((refused.since, refused.is_own), (from, false));
        }
    }

    #[test]
    fn a_main_who_ends_later_is_in_the_way_and_one_who_ended_is_not() {
        let known = [row(
            1,
            Part::Main,
            date(2026, 4, 1),
            Some(date(2026, 12, 31)),
        )];
        assert!(fitted(&known, 2, Part::Main, date(2026, 11, 25)).is_err());
        assert_eq!(fitted(&known, 2, Part::Main, date(2027, 1, 1)), Ok(vec![]));
    }

    #[test]
    fn nobody_is_put_in_charge_twice_but_may_change_the_part() {
        let known = [row(1, Part::Beside, date(2026, 4, 1), None)];
        let day = date(2026, 11, 25);
        assert!(fitted(&known, 1, Part::Beside, day).unwrap_err().is_own);
        assert_eq!(fitted(&known, 1, Part::Main, day), Ok(vec![1]));
    }
}
