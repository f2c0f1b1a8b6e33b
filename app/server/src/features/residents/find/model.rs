//! What can be asked beside the words, and what is found; no I/O.

use base::secrecy::{Address, Kana, Note, PersonName};
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::ResidentId;

/// From this age on a person is insured as 第1号 and in the care of a centre.
const ELDER_YEARS: i64 = 65;

/// Whose contacts narrow the list (一覧の範囲).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Contacts {
    /// Nobody is left out.
    #[default]
    Everyone,
    /// People with a consultation in the last year.
    Any,
    /// The same, written by whoever asks.
    Own,
}

/// How soon a certification ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Too late for a calm renewal.
    Soon,
    /// A renewal may be applied for from this day on (要介護認定等の実施: 満了日の60日前から).
    Renewable,
}

impl Ending {
    pub(super) fn days(self) -> i64 {
        match self {
            Self::Soon => 30,
            Self::Renewable => 60,
        }
    }

    pub(super) fn of(typed: &str) -> Option<Self> {
        [Self::Soon, Self::Renewable]
            .into_iter()
            .find(|known| known.days().to_string() == typed)
    }
}

/// Boxes and lists beside the words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) certified: bool,
    /// The certification ends within so many days and none follows it.
    pub(super) ending: Option<Ending>,
    pub(super) elders: bool,
    pub(super) area: Option<String>,
    pub(super) contacts: Contacts,
}

impl Filter {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Born on this day or before: 65 by law, which is on the eve of the birthday.
    pub(super) fn elder_born_until(&self, today: Date) -> Date {
        let tomorrow = today.tomorrow().unwrap_or(today);
        tomorrow
            .checked_sub(ELDER_YEARS.years())
            .unwrap_or(Date::MIN)
    }

    /// A contact counts from this day on.
    pub(super) fn contacts_since(&self, today: Date) -> Date {
        today.checked_sub(1.year()).unwrap_or(Date::MIN)
    }
}

/// Why somebody is in the list, as far as the list says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// What was typed stands there.
    Plain,
    /// Only the loose reading fits (オオノ for オノ).
    SoundsAlike,
}

impl Rank {
    /// As the statements of the store number them.
    pub(super) fn of(number: i64) -> Self {
        if number == 5 {
            Self::SoundsAlike
        } else {
            Self::Plain
        }
    }
}

/// Somebody found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) id: ResidentId,
    pub(super) rank: Rank,
}

/// A row of the list.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) alias_name: PersonName,
    pub(super) former_surname: PersonName,
    pub(super) born_on: Option<Date>,
    pub(super) born_text: Note,
    pub(super) sex: String,
    pub(super) state: String,
    /// 支援措置, met by whoever may open her: the list shows neither address nor centre.
    pub(super) shielded: bool,
    pub(super) address: Address,
    pub(super) building: Address,
    pub(super) area: String,
    pub(super) centre: String,
    pub(super) level: String,
    pub(super) certified_until: Option<Date>,
    pub(super) last_contact_on: Option<Date>,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Filter;

    #[test]
    fn sixty_five_is_reached_on_the_eve_of_the_birthday() {
        let until = |day| Filter::default().elder_born_until(day);
        assert_eq!(until(date(2026, 11, 20)), date(1961, 11, 21));
        assert_eq!(until(date(2025, 2, 28)), date(1960, 3, 1));
        assert_eq!(until(date(2026, 12, 31)), date(1962, 1, 1));
    }
}
