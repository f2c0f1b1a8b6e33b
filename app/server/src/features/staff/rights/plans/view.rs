//! Lists in words.

use store::{ReadTx, StoreError};

use super::model::{Line, State};
use crate::features::staff::accounts::store as accounts;
use crate::features::staff::accounts::view::{CITY, day};
use crate::features::staff::rights::view::{name_of, step};

/// One line in words.
pub(super) fn line(tx: &ReadTx<'_>, line: &Line) -> Result<String, StoreError> {
    let name = match line.staff() {
        Some(id) => name_of(tx, id)?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(match line {
        Line::Post {
            role, centre, job, ..
        } => {
            let centre = match centre {
                None => CITY.to_owned(),
                Some(code) => accounts::centres(tx, jiff::civil::Date::MIN)?
                    .into_iter()
                    .find(|known| known.code == *code)
                    .map_or_else(|| code.clone(), |known| known.name),
            };
            format!("異動：{name} → {centre} {}（{job}）", role.label())
        }
        Line::Leave { .. } => format!("退職：{name}"),
        Line::Role { role, step: change } => format!("役割：{} {}", role.label(), step(*change)),
        Line::Exception {
            step: change,
            ends_on,
            ..
        } => {
            let until = ends_on
                .map(|end| format!("（{}まで）", day(end)))
                .unwrap_or_default();
            format!("例外：{name} {}{until}", step(*change))
        }
    })
}

/// Label and colour of a state.
pub(super) const fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Draft => ("下書き", "info"),
        State::Confirmed => ("確定（適用待ち）", "ok"),
        State::InForce => ("適用済み", ""),
        State::Withdrawn => ("取りやめ", ""),
        State::Missed => ("期限切れ（未確定）", "warn"),
    }
}
