//! Hand-overs in words, for the pages and for the sheet.

use base::wareki::age_on;
use jiff::Timestamp;
use jiff::civil::Date;

use super::model::{Contact, Direction, HandOver, Opened, Rules, Stage, Transfer};
pub(super) use crate::web::days::moment;
use crate::web::days::{day_long, day_short};

pub(super) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Open => "受領前",
        Stage::Received => "受領済み",
        Stage::Without => "記録のない方",
    }
}

pub(super) fn empty(direction: Direction, stage: Stage, whole_city: bool) -> &'static str {
    match (stage, direction, whole_city) {
        (Stage::Open, _, true) => "受領を待っている引継ぎはありません。",
        (Stage::Open, Direction::In, _) => "受領していない引継ぎはありません。",
        (Stage::Open, Direction::Out, _) => "相手のセンターの受領を待っている引継ぎはありません。",
        (Stage::Received, ..) => "受領した引継ぎはまだありません。",
        (Stage::Without, ..) => "相談の記録がないまま担当が変わった方はいません。",
    }
}

fn born_and_sex(transfer: &Transfer, today: Date) -> String {
    let age = transfer.born_on.and_then(|born| age_on(born, today));
    let age = age.map_or_else(|| "年齢不明".to_owned(), |age| format!("{age}歳"));
    let sex = match transfer.sex.as_str() {
        "1" => "男性",
        "2" => "女性",
        _ => "性別不明",
    };
    format!("{age}・{sex}")
}

fn cause(code: &str) -> &'static str {
    match code {
        "area" => "受持ち区域の変更",
        _ => "転居など（住民記録）",
    }
}

/// Where a hand-over stands.
struct State {
    css: &'static str,
    label: String,
}

fn state(transfer: &Transfer, rules: Rules, today: Date) -> State {
    let word = |css, label: &str| State {
        css,
        label: label.to_owned(),
    };
    if transfer.taken_back {
        return word("", "取消し");
    }
    if transfer.received.is_some() {
        return word("ok", "受領済み");
    }
    if transfer.last_record.is_none() {
        return word("", "引継ぎ不要");
    }
    if transfer.is_overdue(rules, today) {
        let since = transfer.effective_on;
        let days = since.until(today).map(|span| span.get_days());
        return State {
            css: "error solid",
            label: format!("受領待ち {}日", days.unwrap_or_default()),
        };
    }
    word("warn", "受領待ち")
}

/// One row of the list.
pub(super) struct LineWords {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) about: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) on: String,
    pub(super) last_record: String,
    pub(super) note: &'static str,
    pub(super) css: &'static str,
    pub(super) state: String,
    pub(super) received: String,
}

pub(super) fn line(transfer: &Transfer, rules: Rules, today: Date) -> LineWords {
    let State { css, label } = state(transfer, rules, today);
    LineWords {
        id: transfer.id,
        name: transfer.name.reveal().to_owned(),
        kana: transfer.kana.reveal().to_owned(),
        about: born_and_sex(transfer, today),
        from: transfer.from_name.clone(),
        to: transfer.to_name.clone(),
        on: day_short(transfer.effective_on),
        last_record: transfer.last_record.map(day_short).unwrap_or_default(),
        note: if transfer.has_note {
            "あり"
        } else {
            "なし"
        },
        css,
        state: label,
        received: received(transfer),
    }
}

fn received(transfer: &Transfer) -> String {
    let told = transfer.received.as_ref();
    told.map_or_else(String::new, |(by, at)| format!("{} {by}", moment(at)))
}

/// What stands on top of a hand-over.
pub(super) struct HeadWords {
    pub(super) person: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) about: String,
    pub(super) insured_no: String,
    pub(super) address: String,
    pub(super) phone: String,
    pub(super) level: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) on: String,
    pub(super) cause: &'static str,
    pub(super) until: String,
    pub(super) css: &'static str,
    pub(super) state: String,
    pub(super) received: String,
    pub(super) is_over: bool,
}

pub(super) fn head(opened: &Opened, rules: Rules, today: Date) -> HeadWords {
    let transfer = &opened.transfer;
    let State { css, label } = state(transfer, rules, today);
    HeadWords {
        person: transfer.resident.0,
        name: transfer.name.reveal().to_owned(),
        kana: transfer.kana.reveal().to_owned(),
        about: born_and_sex(transfer, today),
        insured_no: opened.insured_no.clone(),
        address: opened.address.reveal().trim().to_owned(),
        phone: opened.phone.reveal().to_owned(),
        level: level(opened),
        from: transfer.from_name.clone(),
        to: transfer.to_name.clone(),
        on: day_short(transfer.effective_on),
        cause: cause(&transfer.cause),
        until: day_short(transfer.readable_until),
        css,
        state: label,
        received: received(transfer),
        is_over: !transfer.holds,
    }
}

fn level(opened: &Opened) -> String {
    match &opened.level {
        Some((level, Some(until))) => format!("{level}（{}まで）", day_short(*until)),
        Some((level, None)) => level.clone(),
        None => String::new(),
    }
}

/// One version of what is handed over.
pub(super) struct NoteWords {
    pub(super) text: String,
    pub(super) by: String,
    pub(super) at: String,
}

pub(super) fn note(note: &HandOver) -> NoteWords {
    NoteWords {
        text: note.text.reveal().to_owned(),
        by: note.by.clone(),
        at: moment(&note.at),
    }
}

/// One record about the person.
pub(super) struct ContactWords {
    pub(super) id: i64,
    pub(super) on: String,
    pub(super) channel: String,
    pub(super) by: String,
    pub(super) content: String,
    pub(super) next: String,
    pub(super) due: String,
    pub(super) due_css: &'static str,
}

pub(super) fn contact(contact: &Contact, today: Date) -> ContactWords {
    let late = contact.next_due_on.is_some_and(|due| due < today);
    let next = contact.next_action.reveal();
    ContactWords {
        id: contact.id,
        on: contact.on.map(day_short).unwrap_or_default(),
        channel: contact.channel.clone(),
        by: contact.by.clone(),
        content: contact.content.reveal().to_owned(),
        next: match (contact.waits, next) {
            (false, _) => String::new(),
            (true, "") => "（すること未記入）".to_owned(),
            (true, next) => next.to_owned(),
        },
        due: contact.next_due_on.map(day_short).unwrap_or_default(),
        due_css: if late { "error" } else { "" },
    }
}

/// What the form starts with: what was typed or kept, the newest note, else the headings.
pub(super) fn start(opened: &Opened, typed: Option<&str>, template: &str) -> String {
    let newest = opened.notes.first().map(|note| note.text.reveal());
    typed.or(newest).unwrap_or(template).to_owned()
}

/// Is this what the newest note says already?
pub(super) fn says(opened: &Opened, text: &str) -> bool {
    let newest = opened.notes.first();
    newest.is_some_and(|note| note.text.reveal() == text)
}

/// Everything as the sheet prints it.
pub(super) fn sheet(
    opened: &Opened,
    (printed_at, printed_by): (Timestamp, &str),
    today: Date,
) -> forms::HandOverSheet {
    let transfer = &opened.transfer;
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let newest = opened.notes.first();
    let born = transfer.born_on.map(day_long);
    forms::HandOverSheet {
        sheet_id: format!("引継ぎ {}", transfer.id),
        printed_at,
        printed_on: moment(&printed_at.to_string()),
        printed_by: printed_by.to_owned(),
        from: transfer.from_name.clone(),
        to: transfer.to_name.clone(),
        effective_on: day_long(transfer.effective_on),
        cause: cause(&transfer.cause).to_owned(),
        name: transfer.name.reveal().to_owned(),
        kana: some(transfer.kana.reveal()),
        born: born.map(|born| format!("{born}（{}）", born_and_sex(transfer, today))),
        address: some(opened.address.reveal()),
        phone: some(opened.phone.reveal()),
        insured_no: some(&opened.insured_no),
        level: some(&level(opened)),
        note: newest.map(|note| note.text.reveal().to_owned()),
        noted: newest.map(|note| format!("{} {}", moment(&note.at), note.by)),
        waiting: opened
            .contacts
            .iter()
            .map(|row| contact(row, today))
            .filter(|row| !row.next.is_empty())
            .map(|row| (row.due, row.next))
            .collect(),
        contacts: opened
            .contacts
            .iter()
            .map(|row| contact(row, today))
            .map(|row| [row.on, row.channel, row.by, row.content])
            .collect(),
        received: some(&received(transfer)),
    }
}
