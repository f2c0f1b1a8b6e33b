//! What people type into the find box: words of every kind, taken from the invented city.
//!
//! The list is fixed: the same city gives the same words, spread evenly over its residents.

use base::wareki::Wareki;
use jiff::civil::Date;
use server::app::App;
use store::{Actor, Scope, StoreError};

/// Words of one kind.
const WORDS: usize = 25;

const PEOPLE: &str = "
    select r.id, r.name, r.kana, r.born_on, r.address, r.phone, coalesce(i.insured_no, '')
    from visible_residents r left join visible_insured_persons i on i.resident_id = r.id
    where r.resident_state = '1' and r.shielded = 0 order by r.id";

/// One person as far as somebody at the telephone might know her; invented.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) id: i64,
    name: String,
    kana: String,
    born_on: String,
    address: String,
    phone: String,
    insured_no: String,
}

/// One word, and whom it must bring up.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// The link to her page; a few letters bring up somebody, but not always her.
    pub(crate) finds: String,
}

/// What is typed; each is measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first letters of the reading.
    Kana(usize),
    KanaFull,
    Kanji,
    InsuredNo,
    Birth,
    Phone,
    Address,
    NameAndBirth,
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::Kana(1),
        Self::Kana(2),
        Self::Kana(3),
        Self::Kana(4),
        Self::KanaFull,
        Self::Kanji,
        Self::InsuredNo,
        Self::Birth,
        Self::Phone,
        Self::Address,
        Self::NameAndBirth,
    ];

    pub(crate) fn label(self) -> String {
        match self {
            Self::Kana(letters) => format!("kana, first {letters}"),
            Self::KanaFull => "kana, full".to_owned(),
            Self::Kanji => "kanji".to_owned(),
            Self::InsuredNo => "insured number".to_owned(),
            Self::Birth => "birth date".to_owned(),
            Self::Phone => "telephone".to_owned(),
            Self::Address => "address".to_owned(),
            Self::NameAndBirth => "name and birth".to_owned(),
        }
    }

    /// Her word of this kind; nothing when she has none.
    fn of(self, caller: &Caller) -> Option<Word> {
        let text = match self {
            Self::Kana(letters) => {
                let mut kana = caller.kana.chars().filter(|c| !c.is_whitespace());
                kana.by_ref().take(letters).collect()
            }
            Self::KanaFull => caller.kana.clone(),
            Self::Kanji => caller.name.trim().to_owned(),
            Self::InsuredNo => caller.insured_no.clone(),
            Self::Birth => era(&caller.born_on)?,
            Self::Phone => caller.phone.clone(),
            Self::Address => caller.address.clone(),
            Self::NameAndBirth => format!("{} {}", caller.name.trim(), era(&caller.born_on)?),
        };
        let finds = match self {
            Self::InsuredNo | Self::NameAndBirth => format!("/residents/{}", caller.id),
            // More people fit than a page shows.
            Self::Kana(_)
            | Self::KanaFull
            | Self::Kanji
            | Self::Birth
            | Self::Phone
            | Self::Address => "/residents/".to_owned(),
        };
        (!text.is_empty()).then_some(Word { text, finds })
    }
}

/// As staff write it: S12.3.4.
fn era(born_on: &str) -> Option<String> {
    let day: Date = born_on.parse().ok()?;
    Some(Wareki::from_date(day).ok()?.short())
}

/// Everybody whom this scope shows, except shielded people, in a fixed order.
pub(crate) fn callers(app: &App, scope: Scope) -> Result<Vec<Caller>, StoreError> {
    let actor = Actor {
        scope,
        ..Actor::system("bench")
    };
    app.db().read(&actor, |tx| {
        tx.all(PEOPLE, [], |row| {
            Ok(Caller {
                id: row.get(0)?,
                name: row.get(1)?,
                kana: row.get(2)?,
                born_on: row.get(3)?,
                address: row.get(4)?,
                phone: row.get(5)?,
                insured_no: row.get(6)?,
            })
        })
    })
}

/// The words of a kind that these people would be looked for with.
pub(crate) fn words(kind: Kind, callers: &[Caller]) -> Vec<Word> {
    let all: Vec<Word> = callers
        .iter()
        .filter_map(|caller| kind.of(caller))
        .collect();
    spread(&all, WORDS)
}

/// `count` of them, evenly spread; all when there are fewer.
pub(crate) fn spread<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let step = all.len().div_ceil(count.max(1)).max(1);
    all.iter().step_by(step).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller {
            id: 7,
            name: "架空　花子".to_owned(),
            kana: "カクウ　ハナコ".to_owned(),
            born_on: "1937-03-04".to_owned(),
            address: "本町1番2号".to_owned(),
            phone: String::new(),
            insured_no: "0000000001".to_owned(),
        }
    }

    #[test]
    fn a_few_letters_skip_the_space_and_find_somebody() {
        let word = Kind::Kana(4).of(&caller()).unwrap();
        assert_eq!(word.text, "カクウハ");
        assert_eq!(word.finds, "/residents/");
    }

    #[test]
    fn a_name_with_the_birth_date_finds_her() {
        let word = Kind::NameAndBirth.of(&caller()).unwrap();
        assert_eq!(word.text, "架空　花子 S12.3.4");
        assert_eq!(word.finds, "/residents/7");
    }

    #[test]
    fn who_has_no_telephone_is_not_looked_for_by_it() {
        assert!(Kind::Phone.of(&caller()).is_none());
    }

    #[test]
    fn words_are_spread_over_everybody_and_the_same_each_time() {
        let all: Vec<u32> = (0..100).collect();
        assert_eq!(spread(&all, 4), [0, 25, 50, 75]);
        assert_eq!(spread(&all, 4), spread(&all, 4));
        assert_eq!(spread(&[1, 2], 4), [1, 2]);
    }
}
