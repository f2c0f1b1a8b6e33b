//! A correction in words.

use base::secrecy::{Note, PersonName};
use base::text::digits;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::model::{Correction, Field, FieldState, Typed};
use crate::features::residents::person::{moment, phone_grouped};
use crate::web::Fields;

/// What names the state of a field: the newest correction, whether it holds, and the register's
/// value. A form carries it, so that saving notices what somebody else or an import did since.
pub(super) fn state_key(state: &FieldState) -> String {
    let newest = state.all.first();
    let text = format!(
        "{} {} {}",
        newest.map_or(0, |known| known.id),
        newest.is_some_and(|known| known.ending.is_none()),
        state.register.reveal()
    );
    let mut key = HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref());
    key.truncate(16);
    key
}

/// The same to a reader, whatever its spelling: telephone numbers by their digits.
pub(super) fn says_the_same(field: Field, one: &Note, other: &Note) -> bool {
    match field {
        Field::Phone => digits(one.reveal()) == digits(other.reveal()),
        Field::Kana | Field::Address => one == other,
    }
}

/// A value as the database has it.
pub(super) fn stored(value: &Note) -> &str {
    value.reveal()
}

/// A telephone number in groups.
pub(super) fn phone(value: &Note) -> Note {
    Note::from(phone_grouped(value.reveal()))
}

/// Whose record it is.
pub(super) fn name(name: &PersonName) -> Note {
    Note::from(name.reveal())
}

/// As the form would have sent it.
pub(super) fn typed(value: &Note, reason: &str) -> Fields {
    let pairs = [("value", value.reveal()), ("reason", reason)];
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

/// What the database takes.
pub(super) fn plain(typed: &Typed) -> (&str, &str) {
    (typed.value.reveal(), typed.reason.reveal())
}

fn shown(field: Field, value: &Note) -> String {
    match (field, value.reveal()) {
        (_, "") => "（空欄）".to_owned(),
        (Field::Phone, value) => phone_grouped(value),
        (Field::Kana | Field::Address, value) => value.to_owned(),
    }
}

/// One correction as it is read.
pub(super) struct CorrectionWords {
    pub(super) id: i64,
    pub(super) value: String,
    pub(super) register: String,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: String,
    /// 「R8.11.20 9:00 佐藤 花子：理由」, or nothing while it holds.
    pub(super) ending: String,
}

fn correction(field: Field, known: &Correction) -> CorrectionWords {
    CorrectionWords {
        id: known.id,
        value: shown(field, &known.value),
        register: shown(field, &known.register),
        reason: known.reason.reveal().to_owned(),
        by: known.by.clone(),
        at: moment(&known.at),
        ending: known.ending.as_ref().map_or_else(String::new, |ending| {
            let at = moment(&ending.at);
            format!("{at} {}：{}", ending.by, ending.reason.reveal())
        }),
    }
}

/// A field as the page shows it.
pub(super) struct StateWords {
    pub(super) name: String,
    pub(super) register: String,
    pub(super) holding: Option<CorrectionWords>,
    pub(super) former: Vec<CorrectionWords>,
}

pub(super) fn state(field: Field, state: &FieldState) -> StateWords {
    StateWords {
        name: state.name.reveal().to_owned(),
        register: shown(field, &state.register),
        holding: state.holding().map(|known| correction(field, known)),
        former: state
            .all
            .iter()
            .filter(|known| known.ending.is_some())
            .map(|known| correction(field, known))
            .collect(),
    }
}

/// Somebody was faster: what holds now, beside what was typed.
pub(super) struct ConflictWords {
    pub(super) sentence: String,
    pub(super) now: String,
    pub(super) typed: String,
}

pub(super) fn conflict(field: Field, state: &FieldState, typed: &str) -> ConflictWords {
    let newest = state.all.first();
    let sentence = match newest.map(|known| (known, known.ending.as_ref())) {
        Some((_, Some(ending))) => {
            let at = moment(&ending.at);
            format!("{}さんが {at} に訂正を終えました。", ending.by)
        }
        Some((known, None)) => {
            let at = moment(&known.at);
            format!("{}さんが {at} に訂正しました。", known.by)
        }
        None => "この画面を開いたあとで、住民記録が変わりました。".to_owned(),
    };
    ConflictWords {
        sentence,
        now: shown(field, state.shown()),
        typed: typed.to_owned(),
    }
}

/// How to type it.
pub(super) fn hint(field: Field) -> &'static str {
    match field {
        Field::Kana => "氏と名の間を空けます。例：ヤマダ　ハナコ",
        Field::Phone => "市外局番から入力します。例：048-461-0000",
        Field::Address => "建物の名前と部屋番号も続けて書きます。",
    }
}
