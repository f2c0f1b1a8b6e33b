//! A former state of a case in words.

use base::secrecy::Note as Text;
use store::ResidentId;

use super::{CaseState, Whom};
use crate::features::abuse_cases::model::{AbuseKind, Case, Member, Note, Step, Version};
use crate::features::abuse_cases::{form, view};
use crate::features::former_states::{Part, PartRow, Point, Said};
use crate::web::FieldProblem;
use crate::web::days::day_short;

/// Fields of the form, as it names them, in the order of the page.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("case_type", "区分"),
    ("reported_on", "通報を受けた日"),
    ("reported_at", "通報を受けた時刻"),
    ("received_at", "受け付けた機関"),
    ("reporter_kind", "通報者の区分"),
    ("urgency", "緊急度"),
    ("kinds", "虐待の種類"),
    ("resident", "本人（住民記録）"),
    ("victim_name", "本人の名前（聞き取り）"),
    ("victim_sex", "本人の性別（聞き取り）"),
    ("victim_age", "本人の年齢（聞き取り）"),
    ("victim_note", "本人の手がかり"),
    ("carer_resident", "養護者（住民記録）"),
    ("carer_name", "養護者の名前（聞き取り）"),
    ("carer_relation", "養護者の続柄"),
    ("carer_note", "養護者について"),
    ("source", "情報源"),
    ("place_now", "いまの居所"),
    ("content", "通報の内容"),
];

pub(super) fn label(field: &str) -> &'static str {
    let found = FIELDS.iter().find(|(code, _)| *code == field);
    found.map_or("", |(_, label)| label)
}

/// Whom the case is about, in one line.
pub(super) fn victim(case: &Case) -> Text {
    Text::from(view::victim(case))
}

/// Every field of a state. `today`: who stands in the case now.
pub(super) fn said(
    state: &CaseState,
    (victim, carer): (Option<ResidentId>, Option<ResidentId>),
) -> Vec<Said> {
    let standing = if state.withdrawn {
        "取下げ"
    } else {
        "有効"
    };
    let first = Said {
        code: "state",
        label: "状態",
        text: standing.into(),
        // Nothing ends a withdrawal of a case.
        ours: false,
    };
    let fields = FIELDS.iter().map(|(code, label)| Said {
        code,
        label,
        text: match *code {
            "resident" => whom(&state.victim, state.known.resident == victim),
            "carer_resident" => whom(&state.carer, state.known.carer_resident == carer),
            code => text(state, code).into(),
        },
        ours: true,
    });
    std::iter::once(first).chain(fields).collect()
}

fn whom(whom: &Whom, is_todays: bool) -> Text {
    match (whom, is_todays) {
        (Whom::Nobody, _) => Text::default(),
        (Whom::Met(_, name), _) => Text::from(name.reveal()),
        (Whom::Unmet, true) => "住民記録の方（いまのあなたには表示できません）".into(),
        (Whom::Unmet, false) => {
            "住民記録の方（いまとは別の方。いまのあなたには表示できません）".into()
        }
    }
}

fn text(state: &CaseState, code: &str) -> String {
    let known = &state.known;
    match code {
        "case_type" => known.case_type.label().to_owned(),
        "reported_on" => day_short(known.reported_on),
        "reported_at" => known.reported_at.strftime("%H:%M").to_string(),
        "received_at" => known.received_at.label().to_owned(),
        "reporter_kind" => known.reporter_kind.label().to_owned(),
        "urgency" => known.urgency.label().to_owned(),
        "kinds" => kinds(&known.kinds),
        "victim_name" => known.victim_name.clone(),
        "victim_sex" => match known.victim_sex.as_str() {
            "1" => "男性".to_owned(),
            "2" => "女性".to_owned(),
            _ => String::new(),
        },
        "victim_age" => known.victim_age.clone(),
        "victim_note" => known.victim_note.clone(),
        "carer_name" => known.carer_name.clone(),
        "carer_relation" => known.carer_relation.label().to_owned(),
        "carer_note" => known.carer_note.clone(),
        "source" => known.source.clone(),
        "place_now" => known.place_now.clone(),
        "content" => known.content.clone(),
        _ => String::new(),
    }
}

fn kinds(kinds: &[AbuseKind]) -> String {
    let labels: Vec<&str> = kinds.iter().map(|kind| kind.label()).collect();
    labels.join("、")
}

/// Why nothing is put back into this case now.
pub(super) fn read_only(case: &Case) -> &'static str {
    if case.withdrawal.is_some() {
        "この受理は取り下げられています。見ることだけができます。受理の取下げは、ここからは戻せません。"
    } else if case.is_closed() {
        "この対応は終結しています。戻すときは、先に市の担当者が再開してください。"
    } else {
        "この対応は、見ることだけができます。戻すのは、記録もできる関係者が行います。"
    }
}

/// What the form says, with the field's name and without its own marks: here it stands in another page.
pub(super) fn of_the_form(problem: FieldProblem) -> FieldProblem {
    let label = label(problem.field);
    let text = if form::is_telling(&problem) {
        "通報者の氏名が書かれています。ここからは戻せません。「受理の内容を訂正する」から書き直してください。"
    } else {
        &problem.text
    };
    FieldProblem {
        text: format!("{label}：{text}"),
        field: problem.field,
    }
}

pub(super) fn version_point(version: &Version) -> Point {
    Point {
        at: version.at.clone(),
        by: version.by.clone(),
        what: format!("受理の第{}版", version.version),
        reason: version.reason.as_str().into(),
    }
}

fn point(note: &Note, what: String) -> Point {
    Point {
        at: note.at.clone(),
        by: note.by.clone(),
        what,
        reason: note.reason.as_str().into(),
    }
}

pub(super) fn withdrawal_point(note: &Note) -> Point {
    point(note, "受理の取下げ".to_owned())
}

pub(super) fn step_points(step: &Step) -> Vec<Point> {
    let kind = step.words.kind.label();
    let what = match step.corrects {
        Some(no) => format!("経過の訂正（{kind}、番号{no}）"),
        None => format!("経過（{kind}、番号{}）", step.no),
    };
    let added = Point {
        at: step.at.clone(),
        by: step.by.clone(),
        what,
        reason: step.correction_reason.as_str().into(),
    };
    let withdrawn = step.withdrawal.as_ref().map(|note| {
        let what = format!("経過の取下げ（{kind}、番号{}）", step.no);
        point(note, what)
    });
    std::iter::once(added).chain(withdrawn).collect()
}

/// Steps that counted: written by then, and neither withdrawn nor corrected by then.
pub(super) fn course(all: &[Step], then: impl Fn(&str) -> bool + Copy) -> Part {
    let written = |step: &&Step| then(&step.at);
    let counted = |step: &&Step| {
        let withdrawn = step.withdrawal.as_ref().is_some_and(|note| then(&note.at));
        let mut later = all.iter().filter(written);
        !withdrawn && !later.any(|one| one.corrects == Some(step.no))
    };
    let mut steps: Vec<&Step> = all.iter().filter(written).filter(counted).collect();
    steps.sort_by_key(|step| (step.words.held(), step.no));
    Part {
        code: "course",
        title: "経過",
        note: "経過はここからは戻しません。対応の画面で、一つずつ訂正・取下げをしてください。",
        rows: Ok(steps.into_iter().map(|step| row(all, step)).collect()),
    }
}

fn row(all: &[Step], step: &Step) -> PartRow {
    let no = first_of(all, step);
    let held = format!("{} {}", day_short(step.words.held_on), step.words.held_at);
    let facts = view::step_facts(&step.words).into_iter();
    let facts = facts.map(|fact| (fact.label, Text::from(fact.text)));
    PartRow {
        key: no.to_string(),
        label: format!("{}（番号{no}）", step.words.kind.label()).into(),
        facts: std::iter::once(("日時", held.trim().into()))
            .chain(facts)
            .collect(),
    }
}

/// The number under which it was first written down: corrections stand in its place.
fn first_of(all: &[Step], step: &Step) -> i64 {
    let (mut no, mut corrects) = (step.no, step.corrects);
    // A correction comes after what it corrects, so the numbers fall.
    while let Some(earlier) = corrects.filter(|earlier| *earlier < no) {
        no = earlier;
        let found = all.iter().find(|one| one.no == no);
        corrects = found.and_then(|one| one.corrects);
    }
    no
}

/// Who was named by then.
pub(super) fn team(all: &[Member], then: impl Fn(&str) -> bool) -> Part {
    let named = all.iter().filter(|one| {
        let ended = one.ending.as_ref().is_some_and(|note| then(&note.at));
        then(&one.added.at) && !ended
    });
    let rows = named.map(|one| PartRow {
        key: one.no.to_string(),
        label: format!("{}（{}）", one.name, one.office).into(),
        facts: vec![
            ("できること", writes(one.may_write).into()),
            ("通報者を見る", may(one.reads_reporter).into()),
            ("最初の日", day_short(one.starts_on).into()),
            (
                "最後の日",
                one.ends_on.map(day_short).unwrap_or_default().into(),
            ),
        ],
    });
    Part {
        code: "team",
        title: "関係者",
        note: "関係者はここからは戻しません。「関係者を見る・変える」で加え直してください。",
        rows: Ok(rows.collect()),
    }
}

fn writes(may_write: bool) -> &'static str {
    if may_write {
        "記録もできる"
    } else {
        "閲覧のみ"
    }
}

fn may(is: bool) -> &'static str {
    if is { "できる" } else { "できない" }
}
