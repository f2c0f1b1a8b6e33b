//! Cells of a feed made into a row of its table, with the checks that need more than one cell.

use super::convert::{Cells, Finding};
use super::detectors as d;
use super::model::Feed;
use super::tables::{self, Sort};
use super::world::{Person, World};

/// The values of a row in the order of its table.
pub(super) type Row = Vec<Option<String>>;

/// Checks a row and completes it.
pub(super) fn assemble(
    feed: Feed,
    cells: &mut Cells<'_>,
    world: &mut World,
) -> Result<Row, Vec<Finding>> {
    let refused = |field: &str, found| vec![cells.finding(field, found)];
    match feed {
        Feed::Residents => return resident(cells, world),
        Feed::Households => {
            if !knows(cells, world) {
                return Err(refused("addressee_no", d::NO_RESIDENT));
            }
            household(cells, world);
        }
        Feed::Insured => {
            if !knows(cells, world) {
                return Err(refused("addressee_no", d::NO_RESIDENT));
            }
            if let Some(found) =
                d::ends_before_start(cells.get("acquired_on"), cells.get("lost_on"))
            {
                return Err(refused("lost_on", found));
            }
            world
                .insured
                .insert(cells.get("insured_no").unwrap_or("").into());
        }
        Feed::Certifications => {
            if !world
                .insured
                .contains(cells.get("insured_no").unwrap_or(""))
            {
                return Err(refused("insured_no", d::NO_INSURED));
            }
            if let Some(found) =
                d::ends_before_start(cells.get("valid_from"), cells.get("valid_to"))
            {
                return Err(refused("valid_to", found));
            }
            certification(cells, world);
        }
        Feed::Consultations => return Ok(consultation(cells, world)),
    }
    Ok(plain(feed, cells))
}

fn plain(feed: Feed, cells: &Cells<'_>) -> Row {
    let columns = tables::columns(feed).iter();
    columns
        .map(|(name, sort)| default(*sort, cells.get(tables::field(name, *sort))))
        .collect()
}

/// What a column holds when nothing was delivered.
fn default(sort: Sort, value: Option<&str>) -> Option<String> {
    match sort {
        Sort::Text | Sort::Resident | Sort::Insured => Some(value.unwrap_or("").to_owned()),
        Sort::Int => Some(value.filter(|v| !v.is_empty()).unwrap_or("0").to_owned()),
        Sort::MaybeText | Sort::MaybeInt => value.filter(|v| !v.is_empty()).map(str::to_owned),
    }
}

fn knows(cells: &Cells<'_>, world: &World) -> bool {
    world
        .people
        .contains_key(cells.get("addressee_no").unwrap_or(""))
}

fn resident(cells: &mut Cells<'_>, world: &mut World) -> Result<Row, Vec<Finding>> {
    let born = cells.get("born_on");
    if let Some(found) = d::future(born, &world.today) {
        return Err(vec![cells.finding("born_on", found)]);
    }
    let died = cells.get("died_on");
    if let Some(found) = d::dead_before_birth(born, died) {
        return Err(vec![cells.finding("died_on", found)]);
    }
    let person = Person {
        died: died.map(Into::into),
    };
    let (code, address) = (
        cells.get("area_code").unwrap_or(""),
        cells.get("address").unwrap_or(""),
    );
    let (centre, odd) = world
        .centre(code, address)
        .map_err(|found| vec![cells.finding("area_code", found)])?;
    let told = cells.get("has_gaiji") == Some("1");
    let gaiji = told
        || ["name", "alias_name", "address", "building"]
            .iter()
            .any(|f| d::has_gaiji(cells.get(f).unwrap_or("")));
    if let Some(found) = odd {
        cells.warn("area_code", found);
    }
    world
        .people
        .insert(cells.get("addressee_no").unwrap_or("").into(), person);
    let mut row = plain(Feed::Residents, cells);
    for ((name, _), value) in tables::columns(Feed::Residents).iter().zip(&mut row) {
        match *name {
            "centre_id" => *value = Some(centre.to_string()),
            "born_text" => *value = Some(cells.partial.clone()),
            "has_gaiji" => *value = Some(u8::from(gaiji).to_string()),
            _ => {}
        }
    }
    Ok(row)
}

fn household(cells: &mut Cells<'_>, world: &mut World) {
    let current = cells.get("is_head") == Some("1") && cells.get("removed_on").is_none();
    if current {
        let first = world
            .heads
            .insert(cells.get("household_no").unwrap_or("").into());
        if !first {
            cells.warn("is_head", d::TWO_HEADS);
        }
    }
}

fn certification(cells: &mut Cells<'_>, world: &mut World) {
    let whose = cells.get("insured_no").unwrap_or("").to_owned();
    let former = (world.certified.0 == whose)
        .then(|| world.certified.1.take())
        .flatten();
    if let Some(found) = d::overlaps(former.as_deref(), cells.get("valid_from")) {
        cells.warn("valid_from", found);
    }
    world.certified = (whose, cells.get("valid_to").map(str::to_owned));
}

fn consultation(cells: &mut Cells<'_>, world: &World) -> Row {
    let number = cells.get("addressee_no").unwrap_or("").to_owned();
    let person = world.people.get(number.as_str());
    let dead = d::after_death(
        person.and_then(|p| p.died.as_deref()),
        cells.get("received_on"),
    );
    if let Some(found) = dead {
        cells.warn("received_on", found);
    }
    if !number.is_empty() && person.is_none() {
        cells.warn("addressee_no", d::NO_RESIDENT_KEPT);
    }
    let known_centre = world
        .centres
        .contains_key(cells.get("centre_code").unwrap_or(""));
    if !known_centre {
        cells.warn("centre_code", d::NO_CENTRE_KEPT);
    }
    let mut row = plain(Feed::Consultations, cells);
    for ((name, _), value) in tables::CONSULTATION.iter().zip(&mut row) {
        match *name {
            "addressee_no" if person.is_none() => *value = None,
            "centre_code" if !known_centre => *value = Some(String::new()),
            "recorded_by" => {
                let known = value
                    .as_deref()
                    .is_some_and(|login| world.staff.contains_key(login));
                *value = Some(value.take().filter(|_| known).unwrap_or_default());
            }
            "categories" if cells.get("abuse") == Some("1") => {
                *value = Some(with_abuse(value.take()))
            }
            _ => {}
        }
    }
    row
}

/// The old system marks suspected abuse in a column of its own; here it is a category.
fn with_abuse(categories: Option<String>) -> String {
    let categories = categories.unwrap_or_default();
    let mut all: Vec<&str> = categories.split(',').filter(|c| !c.is_empty()).collect();
    all.push("14");
    all.sort_unstable();
    all.dedup();
    all.join(",")
}
