//! What was typed about a case → checked values, or every problem at once.

use base::text::kanji_key;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use store::ResidentId;

use super::model::{
    AbuseKind, CarerRelation, CaseType, ClosingReason, Judgement, Known, LookReason, Method, Power,
    ReceivedAt, Reporter, ReporterKind, Safety, Severity, StepKind, StepWords, Urgency, Urgent,
    instant,
};
use crate::web::{Checked, FieldProblem, Fields};

/// A text, characters.
pub(super) const TEXT_CHARS_MAX: usize = 20_000;
const LINE_CHARS_MAX: usize = 200;
const SHORT_CHARS_MAX: usize = 60;

/// People of the register whom the numbers of the form mean; looked up before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Looked {
    pub(super) victim: Sought,
    pub(super) carer: Sought,
}

/// What became of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sought {
    /// None was typed.
    #[default]
    Nobody,
    Found(ResidentId),
    /// Nobody within the scope has it.
    Missing,
}

impl Sought {
    fn id(self) -> Option<ResidentId> {
        match self {
            Self::Found(id) => Some(id),
            Self::Nobody | Self::Missing => None,
        }
    }
}

const MISSING: &str = "この番号の方は見つかりません。番号を確かめるか、空にして名前を書いてください。\
    担当の範囲外の方は、名前で登録できます。";

fn chosen<T>(
    form: &mut Checked<'_>,
    fields: &Fields,
    (field, label): (&'static str, &str),
    read: fn(&str) -> Option<T>,
) -> Option<T> {
    let found = read(fields.trimmed(field));
    if found.is_none() {
        form.bad(field, format!("{label}を選んでください。"));
    }
    found
}

/// A day and a time that are not still to come.
fn past(
    form: &mut Checked<'_>,
    (day_field, day_label): (&'static str, &str),
    (time_field, time_label): (&'static str, &str),
    now: Timestamp,
) -> (Option<Date>, Option<Time>) {
    let (day, time) = (
        form.day(day_field, day_label),
        form.time(time_field, time_label),
    );
    if let (Some(day), Some(time)) = (day, time)
        && instant(day.to_datetime(time)) > now
    {
        form.bad(time_field, format!("{time_label}が、いまより後です。"));
    }
    (day, time)
}

/// What is known.
fn known(form: &mut Checked<'_>, fields: &Fields, looked: Looked, now: Timestamp) -> Option<Known> {
    let case_type = chosen(form, fields, ("case_type", "区分"), CaseType::from_code);
    let when = past(
        form,
        ("reported_on", "通報を受けた日"),
        ("reported_at", "通報を受けた時刻"),
        now,
    );
    let received_at = chosen(
        form,
        fields,
        ("received_at", "受け付けた機関"),
        ReceivedAt::from_code,
    );
    let reporter_kind = chosen(
        form,
        fields,
        ("reporter_kind", "通報者の区分"),
        ReporterKind::from_code,
    );
    let urgency = chosen(form, fields, ("urgency", "緊急度"), Urgency::from_code);
    if looked.victim == Sought::Missing {
        form.bad("victim_no", MISSING);
    }
    let victim_name = form.optional_text("victim_name", "本人の名前", LINE_CHARS_MAX);
    let victim_age = form.optional_text("victim_age", "年齢", SHORT_CHARS_MAX);
    let victim_note = form.optional_text("victim_note", "本人の手がかり", TEXT_CHARS_MAX);
    let told = !victim_name.is_empty() || !victim_note.is_empty();
    if looked.victim == Sought::Nobody && !told {
        let text = "だれのことかを入力してください。番号か名前、どちらも分からないときは手がかりを書いてください。";
        form.bad("victim_name", text);
    }
    if looked.carer == Sought::Missing {
        form.bad("carer_no", MISSING);
    }
    let carer_name = form.optional_text("carer_name", "養護者の名前", LINE_CHARS_MAX);
    let carer_relation = chosen(
        form,
        fields,
        ("carer_relation", "養護者の続柄"),
        CarerRelation::from_code,
    );
    let carer_note = form.optional_text("carer_note", "養護者について", TEXT_CHARS_MAX);
    let kinds = kinds(form, fields, case_type);
    let content = form.text("content", "通報の内容", TEXT_CHARS_MAX);
    let source = form.optional_text("source", "情報源", LINE_CHARS_MAX);
    let place_now = form.optional_text("place_now", "いまの居所", LINE_CHARS_MAX);
    if looked.victim.id().is_some() && looked.victim == looked.carer {
        form.bad("carer_no", "本人と同じ番号です。");
    }
    let sex = fields.trimmed("victim_sex");
    Some(Known {
        case_type: case_type?,
        reported_on: when.0?,
        reported_at: when.1?,
        received_at: received_at?,
        reporter_kind: reporter_kind?,
        resident: looked.victim.id(),
        victim_name,
        victim_sex: if matches!(sex, "1" | "2") { sex } else { "" }.to_owned(),
        victim_age,
        victim_note,
        carer_resident: looked.carer.id(),
        carer_name,
        carer_relation: carer_relation?,
        carer_note,
        kinds,
        content,
        source,
        urgency: urgency?,
        place_now,
    })
}

fn kinds(form: &mut Checked<'_>, fields: &Fields, case_type: Option<CaseType>) -> Vec<AbuseKind> {
    let kinds: Vec<AbuseKind> = fields
        .all("kinds")
        .filter_map(AbuseKind::from_code)
        .collect();
    let needed = matches!(case_type, Some(CaseType::Carer | CaseType::Facility));
    if needed && kinds.is_empty() {
        form.bad(
            "kinds",
            "虐待の種類を一つ以上選んでください。疑いでかまいません。",
        );
    }
    kinds
}

fn reporter(form: &mut Checked<'_>, fields: &Fields) -> Reporter {
    let name = form.optional_text("reporter_name", "通報者の氏名", LINE_CHARS_MAX);
    let relation = form.optional_text("reporter_relation", "本人との関係", LINE_CHARS_MAX);
    let contact = form.optional_text("reporter_contact", "通報者の連絡先", LINE_CHARS_MAX);
    let anonymous = fields.get("reporter_anonymous") == "1";
    if anonymous && !name.is_empty() {
        form.bad(
            "reporter_name",
            "「匿名」の印があります。氏名を消すか、印を外してください。",
        );
    }
    Reporter {
        anonymous,
        city_only: fields.get("reporter_city_only") == "1",
        name,
        relation,
        contact,
    }
}

/// Parts of the reporter's name that give them away: the whole, and what stands apart in it, unless the
/// person or the carer are called so too.
fn telling(name: &str, others: &[&str]) -> Vec<String> {
    let whole = kanji_key(name);
    let others: Vec<String> = others.iter().map(|other| kanji_key(other)).collect();
    let parts = name.split_whitespace().map(kanji_key);
    let apart = parts.filter(|part| !others.iter().any(|other| other.contains(part.as_str())));
    std::iter::once(whole.clone())
        .chain(apart)
        .filter(|part| part.chars().count() >= 2)
        .collect()
}

const NAMED: &str = "通報者の氏名が書かれています。ほかの関係者にも見える欄です。氏名を消すか、\
    別の人のことなら下の「氏名があっても保存する」に印を付けてください。";

/// Does it say that a text names the reporter?
pub(super) fn is_telling(problem: &FieldProblem) -> bool {
    problem.text == NAMED
}

/// Warns where a text holds the reporter's name; a mark says that it is meant.
fn no_name_in_text(
    form: &mut Checked<'_>,
    fields: &Fields,
    (name, others): (&str, &[&str]),
    texts: &[(&'static str, &str)],
) {
    if fields.get("name_kept") == "1" {
        return;
    }
    let telling = telling(name, others);
    for (field, text) in texts {
        let text = kanji_key(text);
        if telling.iter().any(|part| text.contains(part.as_str())) {
            form.bad(field, NAMED);
        }
    }
}

fn texts(known: &Known) -> [(&'static str, &str); 6] {
    [
        ("victim_note", &known.victim_note),
        ("carer_note", &known.carer_note),
        ("content", &known.content),
        ("source", &known.source),
        ("victim_age", &known.victim_age),
        ("place_now", &known.place_now),
    ]
}

/// A report as it is received.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn intake(
    fields: &Fields,
    looked: Looked,
    now: Timestamp,
) -> Result<(Known, Reporter), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let known = known(&mut form, fields, looked, now);
    let reporter = reporter(&mut form, fields);
    if let Some(known) = &known {
        let others = [known.victim_name.as_str(), known.carer_name.as_str()];
        no_name_in_text(&mut form, fields, (&reporter.name, &others), &texts(known));
    }
    form.ended(known.map(|known| (known, reporter)))
}

/// A correction with its reason. `reporter`: who reported it, where the viewer may know.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn correction(
    fields: &Fields,
    looked: Looked,
    now: Timestamp,
    reporter: Option<&Reporter>,
) -> Result<(Known, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let known = known(&mut form, fields, looked, now);
    let reason = form.reason("correction_reason", "訂正の理由");
    if let (Some(known), Some(reporter)) = (&known, reporter) {
        let others = [known.victim_name.as_str(), known.carer_name.as_str()];
        no_name_in_text(&mut form, fields, (&reporter.name, &others), &texts(known));
    }
    form.ended(known.map(|known| (known, reason)))
}

/// Who reported it, corrected.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn reporter_only(fields: &Fields) -> Result<Reporter, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let reporter = reporter(&mut form, fields);
    form.ended(Some(reporter))
}

/// Why the reporter is looked at.
///
/// # Errors
/// Every problem.
pub(super) fn look(fields: &Fields) -> Result<(LookReason, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let reason = chosen(
        &mut form,
        fields,
        ("look_reason", "見る理由"),
        LookReason::from_code,
    );
    let note = form.optional_text("look_note", "内容", LINE_CHARS_MAX);
    if reason == Some(LookReason::Other) && note.is_empty() {
        form.bad("look_note", "「その他」のときは、内容を書いてください。");
    }
    form.ended(reason.map(|reason| (reason, note)))
}

/// One reason alone, in a field of this name.
///
/// # Errors
/// The problem.
pub(super) fn reason(
    fields: &Fields,
    field: &'static str,
    label: &str,
) -> Result<String, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let reason = form.reason(field, label);
    form.ended(Some(reason))
}

/// A step of this sort. `correcting`: with the reason of a correction.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn step(
    fields: &Fields,
    kind: StepKind,
    correcting: bool,
    now: Timestamp,
    reporter: Option<&Reporter>,
) -> Result<(StepWords, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let words = step_words(&mut form, fields, kind, now);
    let reason = if correcting {
        form.reason("correction_reason", "訂正の理由")
    } else {
        String::new()
    };
    if let (Some(words), Some(reporter)) = (&words, reporter) {
        let texts = [
            ("persons", words.persons.as_str()),
            ("policy", &words.policy),
            ("roles", &words.roles),
            ("note", &words.note),
        ];
        no_name_in_text(&mut form, fields, (&reporter.name, &[]), &texts);
    }
    form.ended(words.map(|words| (words, reason)))
}

fn step_words(
    form: &mut Checked<'_>,
    fields: &Fields,
    kind: StepKind,
    now: Timestamp,
) -> Option<StepWords> {
    let held_on = form.day("held_on", "行った日");
    let exact = kind == StepKind::Facts;
    let given = exact || !fields.trimmed("held_at").is_empty();
    let time = given.then(|| form.time("held_at", "時刻")).flatten();
    if let Some(day) = held_on {
        let at = instant(day.to_datetime(time.unwrap_or(Time::midnight())));
        if at > now {
            form.bad("held_on", "行った日時が、いまより後です。");
        }
    }
    let mut words = StepWords::new(kind, held_on.unwrap_or_default());
    words.held_at = time.map_or_else(String::new, |at| at.strftime("%H:%M").to_string());
    words.persons = form.optional_text("persons", "出席者・相手", LINE_CHARS_MAX);
    match kind {
        StepKind::Facts => facts(form, fields, &mut words),
        StepKind::Core => core(form, fields, &mut words, held_on),
        StepKind::Review => review(form, &mut words, held_on),
        StepKind::Power => {
            words.power = chosen(form, fields, ("power", "権限"), Power::from_code);
        }
        StepKind::Closing => {
            words.closing_reason = chosen(
                form,
                fields,
                ("closing_reason", "終結の理由"),
                ClosingReason::from_code,
            );
        }
        StepKind::Reception
        | StepKind::Response
        | StepKind::Forward
        | StepKind::Prefecture
        | StepKind::Other
        | StepKind::Reopening => {}
    }
    words.note = form.text("note", "内容", TEXT_CHARS_MAX);
    held_on.map(|_| words)
}

fn facts(form: &mut Checked<'_>, fields: &Fields, words: &mut StepWords) {
    words.method = chosen(form, fields, ("method", "確認の方法"), Method::from_code);
    words.safety = chosen(form, fields, ("safety", "安全確認"), Safety::from_code);
    let met = words.method == Some(Method::Visit);
    if words.safety == Some(Safety::Confirmed) && words.method.is_some() && !met {
        let text = "安全確認は、訪問などで本人に会ったときに「確認した」にします。確認の方法を見直してください。";
        form.bad("safety", text);
    }
}

fn core(form: &mut Checked<'_>, fields: &Fields, words: &mut StepWords, held_on: Option<Date>) {
    words.manager = form.line("manager", "出席した市の管理職", LINE_CHARS_MAX);
    words.judgement = chosen(
        form,
        fields,
        ("judgement", "虐待の有無"),
        Judgement::from_code,
    );
    words.urgent = chosen(form, fields, ("urgent", "緊急性"), Urgent::from_code);
    words.severity = Severity::from_code(fields.trimmed("severity"));
    let abuse = matches!(words.judgement, Some(Judgement::Urgent | Judgement::Abuse));
    if abuse && words.severity.is_none() {
        form.bad("severity", "虐待ありのときは、深刻度を選んでください。");
    }
    if words.judgement == Some(Judgement::Urgent) && words.urgent == Some(Urgent::No) {
        form.bad(
            "urgent",
            "「虐待あり（緊急）」なのに、緊急性が「なし」です。どちらかを直してください。",
        );
    }
    words.policy = form.text("policy", "対応方針", TEXT_CHARS_MAX);
    words.roles = form.text("roles", "役割分担", TEXT_CHARS_MAX);
    review(form, words, held_on);
    let goes_on = words.judgement.is_some_and(|j| j != Judgement::Nothing);
    if goes_on && fields.trimmed("next_review_on").is_empty() {
        form.bad("next_review_on", "次回の評価日を入力してください。");
    }
}

fn review(form: &mut Checked<'_>, words: &mut StepWords, held_on: Option<Date>) {
    words.next_review_on = form.optional_day("next_review_on", "次回の評価日");
    if let (Some(next), Some(held)) = (words.next_review_on, held_on)
        && next <= held
    {
        form.bad(
            "next_review_on",
            "次回の評価日が、会議の日より後ではありません。",
        );
    }
}

/// A row of the team: who, what they may do, until when, why.
pub(super) struct TypedMember {
    pub(super) staff: i64,
    pub(super) may_write: bool,
    pub(super) reads_reporter: bool,
    pub(super) ends_on: Option<Date>,
    pub(super) reason: String,
}

/// # Errors
/// Every problem, in the order of the form.
pub(super) fn member(fields: &Fields, today: Date) -> Result<TypedMember, Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let staff: Option<i64> = fields.trimmed("staff").parse().ok();
    if staff.is_none() {
        form.bad("staff", "職員を選んでください。");
    }
    let access = match fields.trimmed("access") {
        "read" => Some(false),
        "write" => Some(true),
        _ => {
            form.bad("access", "閲覧のみか、記録もできるかを選んでください。");
            None
        }
    };
    let ends_on = form.optional_day("ends_on", "最後の日");
    if ends_on.is_some_and(|day| day < today) {
        form.bad("ends_on", "最後の日が今日より前です。");
    }
    let reason = form.reason("member_reason", "加える理由");
    form.ended(staff.zip(access).map(|(staff, may_write)| TypedMember {
        staff,
        may_write,
        reads_reporter: fields.get("reads_reporter") == "1",
        ends_on,
        reason,
    }))
}

/// Somebody who must never know, and why.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn bar(fields: &Fields) -> Result<(i64, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let staff: Option<i64> = fields.trimmed("bar_staff").parse().ok();
    if staff.is_none() {
        form.bad("bar_staff", "職員を選んでください。");
    }
    let reason = form.reason("bar_reason", "除外する理由");
    form.ended(staff.map(|staff| (staff, reason)))
}

/// Which consultation is taken, and why.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn taking(fields: &Fields) -> Result<(String, String), Vec<FieldProblem>> {
    let mut form = Checked::new(fields);
    let number = form.line("consultation_no", "相談番号", SHORT_CHARS_MAX);
    let reason = form.reason("taking_reason", "理由");
    form.ended(Some((number, reason)))
}

#[cfg(test)]
mod tests {
    use super::telling;

    #[test]
    fn a_name_tells_as_a_whole_and_in_its_parts_but_not_by_what_the_family_shares() {
        assert_eq!(telling("田所 由美", &[]), ["田所由美", "田所", "由美"]);
        assert_eq!(telling("田所　由美", &["田所 ハル"]), ["田所由美", "由美"]);
        assert_eq!(telling("森", &[]), [""; 0]);
        assert_eq!(telling("", &[]), [""; 0]);
    }
}
