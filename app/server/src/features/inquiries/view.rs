//! Replies → words.

use jiff::Timestamp;

use super::model::{Centre, INQUIRIES_MAX};
use crate::features::masters::Code;
pub(super) use crate::web::Choice;

pub(super) fn reasons(reasons: &[Code], chosen: &str) -> Vec<Choice> {
    let none = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    let known = reasons.iter().map(|known| Choice {
        value: known.code.clone(),
        label: known.label.clone(),
        selected: known.code == chosen,
    });
    std::iter::once(none).chain(known).collect()
}

/// A centre, and what to tell the caller.
pub(super) struct CentreWords {
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) tell: String,
}

pub(super) fn centre(centre: &Centre) -> CentreWords {
    let Centre { name, phone } = centre;
    if phone.is_empty() {
        return CentreWords {
            name: name.clone(),
            phone: "電話番号は登録されていません。".to_owned(),
            tell: "電話番号は、市（長寿あんしん課）にお問い合わせください。".to_owned(),
        };
    }
    CentreWords {
        name: name.clone(),
        phone: format!("電話 {phone}"),
        tell: format!(
            "相談してきた方には「ご担当は{name}です。電話番号は{phone}です」とお伝えください。\
             急ぐときは、あなたからそのセンターに電話でつないでください。"
        ),
    }
}

/// How many more inquiries this hour allows.
pub(super) fn left(used: usize) -> String {
    let left = INQUIRIES_MAX.saturating_sub(used);
    format!("1時間に{INQUIRIES_MAX}回まで照会できます。今はあと{left}回です。")
}

/// When it is possible again, to the minute, rounded up.
pub(super) fn again_at(at: Timestamp) -> String {
    let whole = at
        .checked_add(jiff::SignedDuration::from_secs(59))
        .unwrap_or(at);
    let local = base::clock::japan().to_datetime(whole);
    format!(
        "照会は1時間に{INQUIRIES_MAX}回までです。{}時{:02}分から、また照会できます。",
        local.hour(),
        local.minute()
    )
}
