//! From the entries of a day to what stands out. Pure: no database, no clock.

use std::collections::BTreeMap;

use base::clock::japan;
use base::text::kanji_key;
use jiff::SignedDuration;
use store::{Operation, ResidentId};

use super::model::{Finding, Kind, Person, Thresholds, Use, User};
use super::view;

/// Everything that stands out, by kind and then by user.
pub(super) fn findings(
    uses: &[Use],
    users: &[User],
    persons: &[Person],
    limits: &Thresholds,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for of_one in uses.chunk_by(|a, b| a.staff == b.staff) {
        found.extend(counted(Kind::Shielded, of_one, 1, is_shielded));
        found.extend(many_persons(of_one, limits));
        found.extend(same_surname(of_one, users, persons));
        let outside = |entry: &Use| is_look(entry) && is_outside(entry, limits);
        found.extend(counted(Kind::OutsideHours, of_one, 1, outside));
        found.extend(counted(
            Kind::OtherCentres,
            of_one,
            limits.inquiries,
            |entry| entry.operation == Operation::ResidentInquiry.code(),
        ));
        found.extend(counted(Kind::MassOutput, of_one, limits.outputs, is_output));
        found.extend(counted(Kind::Refusals, of_one, limits.refusals, |entry| {
            entry.refused
        }));
    }
    found.sort_by_key(|finding| (finding.kind, finding.staff));
    found
}

fn counted(
    kind: Kind,
    of_one: &[Use],
    from: usize,
    fits: impl Fn(&Use) -> bool,
) -> Option<Finding> {
    let entries: Vec<&Use> = of_one.iter().filter(|entry| fits(entry)).collect();
    (entries.len() >= from.max(1)).then(|| finding(kind, &entries))?
}

fn finding(kind: Kind, entries: &[&Use]) -> Option<Finding> {
    Some(Finding {
        kind,
        staff: entries.first()?.staff,
        persons: persons(entries),
        entries: entries.iter().map(|entry| entry.id).collect(),
    })
}

fn persons(entries: &[&Use]) -> usize {
    let mut ids: Vec<ResidentId> = entries.iter().filter_map(|e| e.resident).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

fn is_view(entry: &Use) -> bool {
    !entry.refused && entry.operation == Operation::ResidentView.code()
}

/// What shows or takes out somebody's data.
fn is_look(entry: &Use) -> bool {
    !entry.refused && (entry.operation.ends_with("_view") || is_output(entry))
}

fn is_output(entry: &Use) -> bool {
    let takes_out = ["_print", "_export", "_report", "_disclose"];
    !entry.refused && takes_out.iter().any(|end| entry.operation.ends_with(end))
}

/// Whatever shows or takes out something of a shielded person writes by which way it was reached: the
/// reason that was chosen at the door, or a record.
fn is_shielded(entry: &Use) -> bool {
    let mut words = entry.detail.split(' ');
    !entry.refused && words.any(|word| word.starts_with("shield="))
}

fn is_outside(entry: &Use, limits: &Thresholds) -> bool {
    let time = japan().to_datetime(entry.at).time();
    time < limits.opens_at || time >= limits.closes_at
}

/// All views of the day, when at some moment the last minutes held too many different persons.
fn many_persons(of_one: &[Use], limits: &Thresholds) -> Option<Finding> {
    let views: Vec<&Use> = of_one.iter().filter(|entry| is_view(entry)).collect();
    let span = SignedDuration::from_mins(limits.minutes);
    let mut within: BTreeMap<ResidentId, usize> = BTreeMap::new();
    let mut oldest = views.iter().peekable();
    let mut most = 0;
    for view in &views {
        if let Some(person) = view.resident {
            *within.entry(person).or_default() += 1;
        }
        while let Some(gone) = oldest.next_if(|old| view.at.duration_since(old.at) > span) {
            if let Some(person) = gone.resident
                && let Some(count) = within.get_mut(&person)
            {
                *count -= 1;
                if *count == 0 {
                    within.remove(&person);
                }
            }
        }
        most = within.len().max(most);
    }
    let mut found = finding(Kind::ManyPersons, &views).filter(|_| most >= limits.persons)?;
    found.persons = most;
    Some(found)
}

fn same_surname(of_one: &[Use], users: &[User], persons: &[Person]) -> Option<Finding> {
    let staff = of_one.first()?.staff;
    let user = users.iter().find(|user| user.id == staff)?;
    let own = surname(&user.name)?;
    let entries: Vec<&Use> = of_one
        .iter()
        .filter(|entry| {
            let named = persons.iter().find(|p| Some(p.id) == entry.resident);
            is_view(entry) && named.is_some_and(|p| surname(&view::name_of(p)) == Some(own.clone()))
        })
        .collect();
    finding(Kind::SameSurname, &entries)
}

/// What stands before the space; a name in one piece tells none.
fn surname(name: &str) -> Option<String> {
    let (family, given) = name.trim().split_once([' ', '　'])?;
    let key = kanji_key(family);
    (!key.is_empty() && !given.trim().is_empty()).then_some(key)
}
