//! Ages and sexes: exactly so many of each group, spread over the bands of the table.

use jiff::ToSpan;
use jiff::civil::Date;

use super::model::{Drawn, Sex};
use crate::dice::Dice;
use crate::tables::{AgeBand, AgeGroup};

/// Draws `count` persons of one group.
pub(crate) fn group(
    bands: &[AgeBand],
    group: AgeGroup,
    count: u32,
    dice: &mut Dice,
    today: Date,
) -> Vec<Drawn> {
    let bands: Vec<_> = bands.iter().filter(|band| band.group == group).collect();
    let weights: Vec<u32> = bands.iter().map(|band| band.share).collect();
    let mut people = Vec::new();
    for _ in 0..count {
        let Some(band) = bands.get(dice.weighted(&weights)) else {
            continue;
        };
        people.push(one(band, dice, today));
    }
    people
}

fn one(band: &AgeBand, dice: &mut Dice, today: Date) -> Drawn {
    let age = dice.between(band.from, band.to);
    let sex = if dice.per_mille(band.female_per_mille) {
        Sex::Female
    } else {
        Sex::Male
    };
    Drawn {
        age,
        birth: birth(age, dice, today),
        sex,
    }
}

/// A day of birth that makes the person exactly `age` years old on `today`.
pub(crate) fn birth(age: u32, dice: &mut Dice, today: Date) -> Date {
    let birthday = today.saturating_sub(i64::from(age).years());
    // At most 364 days before the last birthday: one more could be the birthday before, and
    // near 29 February the display rule would then see another age.
    let earlier = birthday.saturating_sub(i64::from(dice.between(0, 363)).days());
    let shown = base::wareki::age_on(earlier, today).map(u32::from);
    if shown == Some(age) {
        earlier
    } else {
        earlier.saturating_sub(2.days())
    }
}
