//! Households out of drawn people: couples, families, three generations, one facility.

use jiff::ToSpan;
use jiff::civil::Date;

use super::model::{Drawn, Gone, Home, HomeKind, Person, Relation, Sex, Town};
use super::names::Namer;
use super::{Totals, draw, words};
use crate::dice::{Dice, Stream};
use crate::tables::{AgeGroup, Tables};

const AGE_MAX: u32 = 110;
/// 宛名番号 and 世帯番号 start here, so that both have eight digits as in the register.
const NUMBER_FIRST: u32 = 10_000_001;
const HOME_FIRST: u32 = 50_000_001;
/// Per mille of the homes that came from abroad; few of the very old did.
const ABROAD: u32 = 40;
const ABROAD_OLD: u32 = 4;

/// Settles everybody who lives in the town, and those who moved out or died.
pub(crate) fn settle(tables: &Tables, totals: Totals, seed: u64, today: Date) -> Town {
    let mut dice = Dice::new(seed, Stream::People);
    let younger = totals.residents - totals.elders;
    let mut drawn = draw::group(
        &tables.ages,
        AgeGroup::Elder,
        totals.elders,
        &mut dice,
        today,
    );
    drawn.extend(draw::group(
        &tables.ages,
        AgeGroup::Under65,
        younger,
        &mut dice,
        today,
    ));
    let mut pool = Pool::of(&drawn);
    let mut groups = Vec::new();
    while let Some(group) = next_group(&mut pool, &mut dice, totals.elders) {
        groups.push(group);
    }
    dice.shuffle(&mut groups);
    let mut builder = Builder::new(tables, seed, today);
    for group in groups {
        builder.add(group);
    }
    builder.add_gone(totals, &mut dice);
    builder.town
}

type Group = Vec<(Drawn, Relation)>;

/// Everybody not yet settled, by sex and age.
struct Pool {
    men: Vec<Vec<Drawn>>,
    women: Vec<Vec<Drawn>>,
    facility_done: bool,
}

impl Pool {
    fn of(drawn: &[Drawn]) -> Self {
        let empty = || (0..=AGE_MAX).map(|_| Vec::new()).collect();
        let mut pool = Self {
            men: empty(),
            women: empty(),
            facility_done: false,
        };
        for person in drawn {
            if let Some(bucket) = pool.bucket(person.sex, person.age) {
                bucket.push(*person);
            }
        }
        pool
    }

    fn bucket(&mut self, sex: Sex, age: u32) -> Option<&mut Vec<Drawn>> {
        let side = match sex {
            Sex::Male => &mut self.men,
            Sex::Female => &mut self.women,
        };
        usize::try_from(age)
            .ok()
            .and_then(move |at| side.get_mut(at))
    }

    /// The one nearest in age to `wanted`, at most `reach` years away and within `from..=to`.
    fn near(&mut self, sex: Sex, wanted: u32, reach: u32, range: (u32, u32)) -> Option<Drawn> {
        for off in 0..=reach {
            for age in [wanted + off, wanted.saturating_sub(off)] {
                if age < range.0 || age > range.1 {
                    continue;
                }
                if let Some(found) = self.bucket(sex, age).and_then(Vec::pop) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn oldest(&mut self, range: (u32, u32), first: Sex) -> Option<Drawn> {
        (range.0..=range.1).rev().find_map(|age| {
            let found = self.bucket(first, age).and_then(Vec::pop);
            found.or_else(|| self.bucket(first.other(), age).and_then(Vec::pop))
        })
    }
}

fn next_group(pool: &mut Pool, dice: &mut Dice, elders: u32) -> Option<Group> {
    if !pool.facility_done {
        pool.facility_done = true;
        return Some(facility(pool, elders));
    }
    if let Some(child) = pool.oldest((0, 17), Sex::Female) {
        return Some(family(pool, dice, child));
    }
    let first = if dice.per_mille(500) {
        Sex::Male
    } else {
        Sex::Female
    };
    if let Some(young) = pool.oldest((18, 24), first) {
        let at_home = dice.per_mille(550);
        return Some(if at_home {
            family(pool, dice, young)
        } else {
            alone(young)
        });
    }
    if let Some(man) = pool.oldest((65, AGE_MAX), Sex::Male) {
        return Some(elder_home(pool, dice, man));
    }
    pool.oldest((25, 64), Sex::Male)
        .map(|adult| adult_home(pool, dice, adult))
}

fn alone(person: Drawn) -> Group {
    vec![(person, Relation::Head)]
}

/// One in 250 of the elders lives in the one facility.
fn facility(pool: &mut Pool, elders: u32) -> Group {
    let beds = (elders / 250).max(6);
    let mut group = Group::new();
    for bed in 0..beds {
        let sex = if bed % 4 == 0 { Sex::Male } else { Sex::Female };
        let relation = if bed == 0 {
            Relation::Head
        } else {
            Relation::Lodger
        };
        let found = pool.near(sex, 88, 20, (70, AGE_MAX));
        group.extend(found.map(|person| (person, relation)));
    }
    group
}

/// A child with sisters and brothers, its parents, and sometimes theirs.
fn family(pool: &mut Pool, dice: &mut Dice, eldest: Drawn) -> Group {
    let mut children = vec![eldest];
    let siblings = dice.weighted(&[45, 43, 12]);
    for _ in 0..siblings {
        let youngest = children.last().map_or(0, |child| child.age);
        let sex = if dice.per_mille(512) {
            Sex::Male
        } else {
            Sex::Female
        };
        let wanted = youngest.saturating_sub(dice.between(2, 4));
        children.extend(pool.near(sex, wanted, 1, (0, 24)));
    }
    let mother_age = eldest.age + dice.between(24, 36);
    let mother = pool.near(Sex::Female, mother_age, 12, (20, 64));
    let father_age = mother.map_or(mother_age, |mother| mother.age) + dice.between(0, 4);
    let with_father = mother.is_none() || dice.per_mille(920);
    let father = if with_father {
        pool.near(Sex::Male, father_age, 12, (20, 64))
    } else {
        None
    };
    let mut group = Group::new();
    let generations = dice.per_mille(60);
    let grandmother = if generations {
        pool.near(Sex::Female, father_age + 28, 6, (65, AGE_MAX))
    } else {
        None
    };
    let head = father.or(mother).or(grandmother);
    group.extend(head.map(|person| (person, Relation::Head)));
    if father.is_some() {
        group.extend(mother.map(|person| (person, Relation::Spouse)));
    }
    if head.is_some() && (father.is_some() || mother.is_some()) {
        group.extend(grandmother.map(|person| (person, Relation::Parent)));
    }
    for child in children {
        let relation = if group.is_empty() {
            Relation::Head
        } else {
            Relation::Child
        };
        group.push((child, relation));
    }
    group
}

fn elder_home(pool: &mut Pool, dice: &mut Dice, elder: Drawn) -> Group {
    let mut group = alone(elder);
    let (spouse, child) = match elder.sex {
        Sex::Male => (700, 200),
        Sex::Female => (0, 340),
    };
    if dice.per_mille(spouse) {
        let wanted = elder.age.saturating_sub(dice.between(0, 5));
        let wife = pool.near(Sex::Female, wanted, 8, (58, AGE_MAX));
        group.extend(wife.map(|person| (person, Relation::Spouse)));
    }
    if dice.per_mille(child) {
        let sex = if dice.per_mille(600) {
            Sex::Male
        } else {
            Sex::Female
        };
        let found = pool.near(sex, elder.age.saturating_sub(29), 6, (25, 64));
        group.extend(found.map(|person| (person, Relation::Child)));
    } else if elder.sex == Sex::Female && dice.per_mille(60) {
        let sister = pool.near(Sex::Female, elder.age.saturating_sub(3), 4, (65, AGE_MAX));
        group.extend(sister.map(|person| (person, Relation::Sibling)));
    }
    group
}

fn adult_home(pool: &mut Pool, dice: &mut Dice, adult: Drawn) -> Group {
    let mut group = alone(adult);
    if adult.sex == Sex::Male && dice.per_mille(450) {
        let wanted = adult.age.saturating_sub(dice.between(0, 4));
        let wife = pool.near(Sex::Female, wanted, 6, (22, 64));
        group.extend(wife.map(|person| (person, Relation::Spouse)));
    }
    group
}

struct Builder<'a> {
    town: Town,
    tables: &'a Tables,
    namer: Namer<'a>,
    dice: Dice,
    area_weights: Vec<u32>,
    number: u32,
    today: Date,
}

impl<'a> Builder<'a> {
    fn new(tables: &'a Tables, seed: u64, today: Date) -> Self {
        Self {
            town: Town::default(),
            tables,
            namer: Namer::new(tables, seed, today),
            dice: Dice::new(seed, Stream::Homes),
            area_weights: tables.areas.iter().map(|area| area.weight).collect(),
            number: NUMBER_FIRST,
            today,
        }
    }

    fn add(&mut self, group: Group) -> usize {
        let lodgers = group
            .iter()
            .any(|(_, relation)| *relation == Relation::Lodger);
        let kind = if lodgers {
            HomeKind::Facility
        } else {
            HomeKind::Private
        };
        let at = self.home(kind);
        let youngest = group
            .iter()
            .map(|(person, _)| person.age)
            .min()
            .unwrap_or(0);
        let since = self.since(youngest);
        let old = group.iter().any(|(person, _)| person.age > 74);
        let from_abroad = if old { ABROAD_OLD } else { ABROAD };
        self.namer.new_family(from_abroad);
        for (person, relation) in group {
            if relation == Relation::Lodger {
                self.namer.new_family(from_abroad);
            }
            self.person(at, person, relation, since);
        }
        at
    }

    /// The day of moving in: for a third of the homes long ago, else in the last years.
    fn since(&mut self, youngest: u32) -> Date {
        let days = match self.dice.weighted(&[35, 45, 20]) {
            0 => self.dice.days(3_650, 14_600),
            1 => self.dice.days(800, 5_000),
            _ => self.dice.days(3, 800),
        };
        let longest = i32::try_from(youngest * 365).unwrap_or(0);
        let lived = if youngest < 20 {
            days.min(longest.max(3))
        } else {
            days
        };
        self.today.saturating_sub(i64::from(lived).days())
    }

    fn home(&mut self, kind: HomeKind) -> usize {
        let area = self.dice.weighted(&self.area_weights);
        let at = self.town.homes.len();
        let name = self.tables.areas.get(area).map_or("", |area| area.name);
        let building = if kind == HomeKind::Facility {
            words::FACILITY.to_owned()
        } else if self.dice.per_mille(560) {
            words::building(&mut self.dice)
        } else {
            String::new()
        };
        let phone = match self.dice.weighted(&[55, 25, 20]) {
            0 => words::landline(&mut self.dice),
            1 => words::mobile(&mut self.dice),
            _ => String::new(),
        };
        let shielded = self.dice.per_mille(2).then(|| {
            let ends = self
                .today
                .saturating_add(i64::from(self.dice.between(5, 360)).days());
            self.dice.per_mille(800).then_some(ends)
        });
        self.town.homes.push(Home {
            number: HOME_FIRST + u32::try_from(at).unwrap_or(0),
            area,
            street: words::street(name, &mut self.dice),
            building,
            phone,
            head: self.number,
            kind,
            shielded,
            lived_in: true,
        });
        at
    }

    fn person(&mut self, home: usize, drawn: Drawn, relation: Relation, since: Date) {
        let named = self.namer.name(drawn.sex, drawn.age);
        let order = 1 + self
            .town
            .people
            .iter()
            .rev()
            .take_while(|p| p.home == home)
            .count();
        self.town.people.push(Person {
            number: self.number,
            home,
            order,
            relation,
            age: drawn.age,
            birth: drawn.birth,
            sex: drawn.sex,
            name: named.kanji,
            kana: named.kana,
            gaiji: named.gaiji,
            foreign: named.foreign,
            since: since.max(drawn.birth),
            gone: None,
        });
        self.number += 1;
    }

    /// One in 27 rows of the register is of somebody who moved out or died in the last years.
    fn add_gone(&mut self, totals: Totals, dice: &mut Dice) {
        for _ in 0..totals.residents / 27 {
            let died = dice.per_mille(330);
            let group = if died {
                AgeGroup::Elder
            } else {
                AgeGroup::Under65
            };
            for person in draw::group(&self.tables.ages, group, 1, dice, self.today) {
                if person.age < 18 {
                    continue;
                }
                let home = self.add(alone(person));
                let on = self
                    .today
                    .saturating_sub(i64::from(dice.between(1, 900)).days());
                self.depart(home, Gone { on, died }, dice);
            }
        }
    }

    fn depart(&mut self, home: usize, gone: Gone, dice: &mut Dice) {
        if let Some(home) = self.town.homes.get_mut(home) {
            home.lived_in = false;
        }
        if let Some(person) = self.town.people.last_mut() {
            let moved_in = gone
                .on
                .saturating_sub(i64::from(dice.between(400, 6_000)).days());
            person.since = person.since.min(moved_in).max(person.birth);
            person.gone = Some(gone);
        }
    }
}
