//! Who lives where: the town before it is written.

use jiff::civil::Date;

/// Sex as the register codes it: 1 男, 2 女.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sex {
    Male,
    Female,
}

impl Sex {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Male => "1",
            Self::Female => "2",
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Male => Self::Female,
            Self::Female => Self::Male,
        }
    }
}

/// Relation to the head of the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Head,
    Spouse,
    Child,
    Parent,
    Sibling,
    Lodger,
}

impl Relation {
    pub(crate) fn code(self, sex: Sex) -> &'static str {
        match (self, sex) {
            (Self::Head, _) => "02",
            (Self::Spouse, Sex::Male) => "11",
            (Self::Spouse, Sex::Female) => "12",
            (Self::Child, _) => "20",
            (Self::Parent, Sex::Male) => "31",
            (Self::Parent, Sex::Female) => "32",
            (Self::Sibling, _) => "60",
            (Self::Lodger, _) => "99",
        }
    }

    pub(crate) fn name(self, sex: Sex) -> &'static str {
        match (self, sex) {
            (Self::Head, _) => "世帯主",
            (Self::Spouse, Sex::Male) => "夫",
            (Self::Spouse, Sex::Female) => "妻",
            (Self::Child, _) => "子",
            (Self::Parent, Sex::Male) => "父",
            (Self::Parent, Sex::Female) => "母",
            (Self::Sibling, Sex::Male) => "弟",
            (Self::Sibling, Sex::Female) => "妹",
            (Self::Lodger, _) => "同居人",
        }
    }
}

/// Somebody drawn, before a home and a name: age on the day, day of birth, sex.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) age: u32,
    pub(crate) birth: Date,
    pub(crate) sex: Sex,
}

#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) nation: &'static str,
    pub(crate) english: String,
    /// 通称 and its kana, for the few who registered one.
    pub(crate) alias: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone {
    pub(crate) on: Date,
    pub(crate) died: bool,
}

#[derive(Debug)]
pub(crate) struct Person {
    /// 宛名番号.
    pub(crate) number: u32,
    pub(crate) home: usize,
    /// Place in the household, from 1.
    pub(crate) order: usize,
    pub(crate) relation: Relation,
    pub(crate) age: u32,
    pub(crate) birth: Date,
    pub(crate) sex: Sex,
    pub(crate) name: String,
    /// Full-width, family and given name with a full-width space between.
    pub(crate) kana: String,
    /// The name holds a letter of the user area.
    pub(crate) gaiji: bool,
    pub(crate) foreign: Option<Foreign>,
    pub(crate) since: Date,
    pub(crate) gone: Option<Gone>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HomeKind {
    Private,
    Facility,
}

#[derive(Debug)]
pub(crate) struct Home {
    /// 世帯番号.
    pub(crate) number: u32,
    /// Place of the 町丁 in the table of areas.
    pub(crate) area: usize,
    pub(crate) street: String,
    pub(crate) building: String,
    pub(crate) phone: String,
    /// 宛名番号 of the head.
    pub(crate) head: u32,
    pub(crate) kind: HomeKind,
    /// 支援措置, with the last day when one is set.
    pub(crate) shielded: Option<Option<Date>>,
    pub(crate) lived_in: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Town {
    pub(crate) people: Vec<Person>,
    pub(crate) homes: Vec<Home>,
}
