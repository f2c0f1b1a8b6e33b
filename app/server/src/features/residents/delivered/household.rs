//! Who was in her household.
//!
//! Today's rules decide who is named (`person::store`, household of a person): whom the viewer does not meet
//! today, and whoever is under 支援措置 today, is in nobody else's household, not in the past either. The
//! register says who belongs to it; the household's own feed says how.

use base::secrecy::PersonName;
use jiff::Timestamp;
use store::{ReadTx, ResidentId, StoreError, params};

use super::history::{self, HOUSEHOLDS, REGISTER, Row, rows, text};
use crate::features::former_states::Lens;

/// People of one household that are compared; more live in a facility.
const MEMBERS_MAX: usize = 60;

/// Whose household.
pub(super) struct Her {
    /// Today, and in the database that the rows are read from.
    pub(super) id: ResidentId,
    pub(super) then: ResidentId,
}

/// Somebody of it.
pub(super) struct Member {
    /// 宛名番号: the same person in every database.
    pub(super) addressee_no: String,
    /// As the viewer meets her today.
    pub(super) name: PersonName,
    pub(super) relationship: String,
    pub(super) is_head: bool,
}

/// Why they are not known.
pub(super) enum Missing {
    Unknown,
    TooMany,
}

// Whoever was in it then and is not today was changed by an import since.
const CANDIDATES: &str = "
    select r.id from visible_residents r where r.household_no = ?1
    union
    select c.resident_id from imports i cross join visible_resident_changes c on c.import_id = i.id
    where i.feed = 'residents' and i.applied_at > ?2 and c.feed = 'residents' and c.kind <> 'new'
      and case when json_valid(c.before) then json_extract(c.before, '$.household_no') end = ?1
    limit ?3";

/// Later than any import.
const NEVER: &str = "~";

/// Her household, the head first.
pub(super) fn members(
    lens: Lens<'_>,
    her: &Her,
) -> Result<Result<Vec<Member>, Missing>, StoreError> {
    let (tx, at) = (lens.rows(), lens.at);
    let Ok(register) = rows(tx, &REGISTER, her.then, at)? else {
        return Ok(Err(Missing::Unknown));
    };
    let number = register
        .values()
        .next()
        .map(|row| text(row, "household_no"));
    let number = number.unwrap_or_default();
    if number.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let since = at.map_or_else(|| NEVER.to_owned(), |at| format!("{at:.6}"));
    let most = i64::try_from(MEMBERS_MAX).unwrap_or(i64::MAX);
    let values = params![number, since, most.saturating_add(1)];
    let ids: Vec<ResidentId> = tx.all(CANDIDATES, values, |row| row.get(0))?;
    if ids.len() > MEMBERS_MAX {
        return Ok(Err(Missing::TooMany));
    }
    let mut found = Vec::new();
    for id in ids {
        match member(lens, her, (id, &number))? {
            Ok(one) => found.extend(one),
            Err(history::Unknown) => return Ok(Err(Missing::Unknown)),
        }
    }
    found.sort_by(|one, other| {
        let rank = |member: &Member| (!member.is_head, member.addressee_no.clone());
        rank(one).cmp(&rank(other))
    });
    Ok(Ok(found))
}

/// One who may have been in it; nothing when she was not, or is not to be named.
fn member(
    lens: Lens<'_>,
    her: &Her,
    (id, number): (ResidentId, &str),
) -> Result<Result<Option<Member>, history::Unknown>, StoreError> {
    let (tx, at) = (lens.rows(), lens.at);
    let own = id == her.then;
    let addressee_no = match number_of(tx, id)? {
        Some(addressee_no) => addressee_no,
        None => return Ok(Ok(None)),
    };
    let Some(name) = met(lens.live, &addressee_no, her)? else {
        return Ok(Ok(None));
    };
    let (register, household) = match both(tx, id, at)? {
        Ok(both) => both,
        Err(unknown) => return Ok(Err(unknown)),
    };
    let Some(register) = register.filter(|row| text(row, "household_no") == number) else {
        return Ok(Ok(None));
    };
    let lives_here = matches!(text(&register, "resident_state").as_str(), "1" | "9");
    let removed = household
        .as_ref()
        .is_some_and(|row| !text(row, "removed_on").is_empty());
    if !own && (!lives_here || removed) {
        return Ok(Ok(None));
    }
    let relationship = household.as_ref().unwrap_or(&register);
    Ok(Ok(Some(Member {
        relationship: text(relationship, "relationship"),
        is_head: household.is_some_and(|row| text(&row, "is_head") == "1"),
        addressee_no,
        name,
    })))
}

type Both = (Option<Row>, Option<Row>);

/// What register and household said of somebody.
fn both(
    tx: &ReadTx<'_>,
    id: ResidentId,
    at: Option<Timestamp>,
) -> Result<Result<Both, history::Unknown>, StoreError> {
    let register = rows(tx, &REGISTER, id, at)?;
    let household = rows(tx, &HOUSEHOLDS, id, at)?;
    let first = |rows: std::collections::BTreeMap<i64, Row>| rows.into_values().next();
    Ok(match (register, household) {
        (Ok(register), Ok(household)) => Ok((first(register), first(household))),
        (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
    })
}

fn number_of(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<String>, StoreError> {
    let sql = "select addressee_no from visible_residents where id = ?1";
    tx.one(sql, params![id], |row| row.get(0))
}

/// Her name, when the viewer's page of this person would name her today.
fn met(live: &ReadTx<'_>, addressee_no: &str, her: &Her) -> Result<Option<PersonName>, StoreError> {
    let sql = "select name from visible_residents
        where addressee_no = ?1 and (id = ?2 or shielded = 0)";
    let name: Option<String> = live.one(sql, params![addressee_no, her.id], |row| row.get(0))?;
    Ok(name.map(PersonName::from))
}
