//! Who may administer staff, on which days: posts, rows of roles and exceptions together.

use std::collections::BTreeSet;

use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StaffId, StoreError, day, optional_day, params};

use crate::features::staff::accounts::model::{State, Term};
use crate::web::Permission;

const PERMISSION: Permission = Permission::StaffAdminister;

/// Everything that decides who administers, as it stands in the database.
#[derive(Debug, Clone, Default)]
pub(in crate::features::staff) struct Administration {
    /// Who has which role from when to when.
    posts: Vec<(StaffId, String, Term)>,
    /// Role, first day, given or taken away; in the order in which they overrule each other.
    rows: Vec<(String, Date, bool)>,
    /// Whose, from when to when, given or taken away; the newest last.
    exceptions: Vec<(StaffId, Term, bool)>,
}

impl Administration {
    /// As it is written down now.
    pub(in crate::features::staff) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let posts = "select staff_id, role, starts_on, ends_on from staff_terms";
        let rows = "select role, starts_on, granted from role_right_terms where permission = ?1
            order by starts_on, id";
        let exceptions = "select staff_id, starts_on, ends_on, granted from staff_right_terms
            where permission = ?1 order by id";
        let code = PERMISSION.code();
        Ok(Self {
            posts: tx.all(posts, [], |row| {
                Ok((row.get(0)?, row.get(1)?, term(row, 2)?))
            })?,
            rows: tx.all(rows, params![code], |row| {
                Ok((row.get(0)?, day(row, 1)?, row.get(2)?))
            })?,
            exceptions: tx.all(exceptions, params![code], |row| {
                Ok((row.get(0)?, term(row, 1)?, row.get(3)?))
            })?,
        })
    }

    /// Does somebody administer on that day?
    fn is_held(&self, on: Date) -> bool {
        let in_force = |term: &Term| term.state(on) == State::Current;
        let mut posts = self.posts.iter().filter(|(.., term)| in_force(term));
        posts.any(|(staff, role, _)| {
            let of_role = self
                .rows
                .iter()
                .rfind(|(known, from, _)| known == role && *from <= on);
            let mut own = self.exceptions.iter().rev();
            let own = own.find(|(whose, term, _)| whose == staff && in_force(term));
            own.map_or_else(|| of_role.is_some_and(|row| row.2), |exception| exception.2)
        })
    }

    /// Days on which something changes, from today on.
    fn turns(&self, today: Date) -> BTreeSet<Date> {
        let terms = self.posts.iter().map(|(.., term)| term);
        let terms = terms.chain(self.exceptions.iter().map(|(_, term, _)| term));
        let around = terms.flat_map(|term| {
            let after = term.ends_on.and_then(|end| end.tomorrow().ok());
            [Some(term.starts_on), after].into_iter().flatten()
        });
        let turns = around.chain(self.rows.iter().map(|(_, from, _)| *from));
        turns.filter(|day| *day > today).chain([today]).collect()
    }

    /// A day from today on that nobody administers although somebody did before.
    pub(in crate::features::staff) fn lost_since(
        &self,
        before: &Self,
        today: Date,
    ) -> Option<Date> {
        let turns = self.turns(today).into_iter().chain(before.turns(today));
        turns
            .filter(|day| before.is_held(*day))
            .find(|day| !self.is_held(*day))
    }
}

/// First and last day, from this column on.
fn term(row: &Row<'_>, first: usize) -> RowResult<Term> {
    Ok(Term {
        starts_on: day(row, first)?,
        ends_on: optional_day(row, first + 1)?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 20);

    fn until(starts_on: Date, ends_on: Option<Date>) -> Term {
        Term { starts_on, ends_on }
    }

    fn admins(terms: &[Term]) -> Administration {
        let posts = (1..)
            .zip(terms)
            .map(|(id, term)| (StaffId(id), "a".to_owned(), *term));
        Administration {
            posts: posts.collect(),
            rows: vec![("a".to_owned(), date(2006, 4, 1), true)],
            exceptions: Vec::new(),
        }
    }

    #[test]
    fn a_day_without_administrator_is_found_wherever_it_lies() {
        let (march, april) = (date(2027, 3, 31), date(2027, 4, 1));
        let open = admins(&[until(date(2020, 4, 1), None)]);
        let left = |terms: &[Term]| admins(terms).lost_since(&open, TODAY);
        let ending = until(date(2020, 4, 1), Some(march));
        assert_eq!(left(&[]), Some(TODAY));
        assert_eq!(left(&[ending]), Some(april));
        assert_eq!(left(&[ending, until(april, None)]), None);
        assert_eq!(left(&[ending, until(date(2027, 4, 2), None)]), Some(april));
        // Somebody who leaves earlier does not shorten what another covers.
        let short = until(date(2021, 4, 1), Some(date(2026, 12, 31)));
        assert_eq!(left(&[ending, short, until(april, None)]), None);
        let cancelled = until(date(2026, 12, 1), Some(date(2026, 11, 30)));
        assert_eq!(left(&[ending, cancelled]), Some(april));
        // A day that was without before may stay so: else nothing could be mended.
        assert_eq!(open.lost_since(&admins(&[]), TODAY), None);
        assert_eq!(admins(&[]).lost_since(&admins(&[]), TODAY), None);
    }

    #[test]
    fn rows_of_the_role_and_exceptions_count_too() {
        let before = admins(&[until(date(2020, 4, 1), None)]);
        let spring = date(2027, 4, 1);
        let mut taken = before.clone();
        taken.rows.push(("a".to_owned(), spring, false));
        assert_eq!(taken.lost_since(&before, TODAY), Some(spring));
        let mut excepted = before.clone();
        let week = until(date(2026, 12, 1), Some(date(2026, 12, 7)));
        excepted.exceptions.push((StaffId(1), week, false));
        assert_eq!(excepted.lost_since(&before, TODAY), Some(date(2026, 12, 1)));
        excepted
            .posts
            .push((StaffId(2), "b".to_owned(), until(date(2020, 4, 1), None)));
        excepted.exceptions.push((StaffId(2), week, true));
        assert_eq!(excepted.lost_since(&before, TODAY), None);
    }
}
