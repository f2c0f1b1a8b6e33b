//! Cases in words.

use base::wareki::age_on;
use jiff::Timestamp;
use jiff::civil::Date;

use super::model::{
    Bar, Case, Judgement, Known, Look, LookReason, Member, Note, Person, Reporter, Severity, Stage,
    Step, StepWords, Taking, Version,
};
use super::rules::Clock;
use super::store::{Listed, Sealed};
use crate::features::staff::rights::Holder;
pub(super) use crate::web::Choice;
use crate::web::Fields;
pub(super) use crate::web::days::{day_short, moment};

/// All choices; `empty` is the label of the first, empty one, or nothing.
pub(super) fn choices(
    known: impl Iterator<Item = (&'static str, &'static str)>,
    field: &str,
    typed: &Fields,
    empty: &str,
) -> Vec<Choice> {
    let first = (!empty.is_empty()).then(|| Choice {
        value: String::new(),
        label: empty.to_owned(),
        selected: false,
    });
    let rest = known.map(|(value, label)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: typed.all(field).any(|code| code == value),
    });
    first.into_iter().chain(rest).collect()
}

/// A coloured word.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) css: &'static str,
    pub(super) label: String,
}

fn tag(css: &'static str, label: impl Into<String>) -> Tag {
    Tag {
        css,
        label: label.into(),
    }
}

pub(super) fn stage(case: &Case) -> Tag {
    match case.stage() {
        Stage::Withdrawn => tag("", "取下げ"),
        Stage::Closed => tag("ok", "終結"),
        Stage::Judged(judged) => tag(judgement_css(judged), judged.label()),
        Stage::Responding(judged) => tag(
            judgement_css(judged),
            format!("対応中（{}）", judged.label()),
        ),
        Stage::Fact => tag("warn", "事実確認中"),
        Stage::Met => tag("warn", "受付会議済み"),
        Stage::Received => tag("warn", "通報受理"),
    }
}

const fn judgement_css(judged: Judgement) -> &'static str {
    match judged {
        Judgement::Urgent => "error solid",
        Judgement::Abuse => "error",
        Judgement::Suspected => "warn",
        Judgement::Nothing => "info",
    }
}

/// One clock of the page.
pub(super) struct ClockWords {
    pub(super) label: String,
    pub(super) due: String,
    pub(super) tag: Tag,
    pub(super) source: String,
    pub(super) unconfirmed: bool,
}

pub(super) fn clock(clock: &Clock, now: Timestamp) -> ClockWords {
    ClockWords {
        label: clock.label.clone(),
        due: moment(&clock.due_at.to_string()),
        tag: clock_tag(clock, now),
        source: clock.source.clone(),
        unconfirmed: clock.unconfirmed,
    }
}

fn clock_tag(clock: &Clock, now: Timestamp) -> Tag {
    if let Some(done) = clock.done_at {
        let late = done > clock.due_at;
        let words = format!(
            "済み（{}{}）",
            moment(&done.to_string()),
            if late { "、目安より後" } else { "" }
        );
        return tag("ok", words);
    }
    let hours = clock.due_at.duration_since(now).as_hours();
    if now >= clock.due_at {
        return tag("error solid", format!("{}時間超過", -hours));
    }
    let css = if now >= clock.warn_at {
        "error"
    } else {
        "warn"
    };
    tag(css, format!("あと{hours}時間"))
}

/// How the day of the next review stands to today.
pub(super) fn review(case: &Case, today: Date) -> Option<(String, Tag)> {
    let on = case.next_review_on()?;
    let days = today.until(on).map_or(0, |span| span.get_days());
    let tag = match days {
        ..0 => tag("error solid", format!("{}日超過", -days)),
        0 => tag("warn", "今日"),
        1..=7 => tag("warn", format!("あと{days}日")),
        _ => tag("", format!("あと{days}日")),
    };
    Some((day_short(on), tag))
}

/// Somebody of the register.
pub(super) struct PersonWords {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) about: String,
    pub(super) address: String,
    pub(super) shielded: bool,
    pub(super) reachable: bool,
}

pub(super) fn person(person: &Person, today: Date) -> PersonWords {
    PersonWords {
        id: person.id.0,
        name: person.name.reveal().to_owned(),
        kana: person.kana.reveal().to_owned(),
        about: about(person, today),
        address: if person.shielded {
            "支援措置の方です（住所は個人画面で）".to_owned()
        } else {
            person.address.reveal().to_owned()
        },
        shielded: person.shielded,
        reachable: person.reachable,
    }
}

fn about(person: &Person, today: Date) -> String {
    let age = person.born_on.and_then(|born| age_on(born, today));
    let age = age.map_or_else(|| "年齢不明".to_owned(), |age| format!("{age}歳"));
    format!("{age}・{}", sex(&person.sex))
}

fn sex(code: &str) -> &'static str {
    match code {
        "1" => "男性",
        "2" => "女性",
        _ => "性別不明",
    }
}

/// Whom a case is about, in one line.
pub(super) fn victim(case: &Case) -> String {
    match (&case.victim, case.known.victim_name.as_str()) {
        (Some(person), _) => person.name.reveal().to_owned(),
        (None, "") => "名前の分からない方".to_owned(),
        (None, told) => format!("{told}（未特定）"),
    }
}

/// Who did it, in one line.
pub(super) fn carer(case: &Case, today: Date) -> String {
    let known = &case.known;
    let name = match (&case.carer, known.carer_name.as_str()) {
        (Some(person), _) => format!("{}（{}）", person.name.reveal(), about(person, today)),
        (None, told) => told.to_owned(),
    };
    [known.carer_relation.label(), name.as_str()]
        .join("　")
        .trim()
        .to_owned()
}

fn kinds(known: &Known) -> String {
    let labels: Vec<&str> = known.kinds.iter().map(|kind| kind.label()).collect();
    if labels.is_empty() {
        known.case_type.label().to_owned()
    } else {
        labels.join("、")
    }
}

/// One line of the list.
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) number: String,
    pub(super) victim: String,
    pub(super) kinds: String,
    pub(super) reported: String,
    pub(super) centre: String,
    pub(super) stage: Tag,
    pub(super) safety: Option<Tag>,
    pub(super) review: Option<(String, Tag)>,
    pub(super) unmanned: bool,
}

pub(super) fn line(listed: &Listed, clocks: &[Clock], (today, now): (Date, Timestamp)) -> Line {
    let case = &listed.case;
    let open = case.is_open();
    let waiting = clocks.iter().find(|clock| clock.done_at.is_none() && open);
    Line {
        id: case.id.0,
        number: case.id.number(),
        victim: victim(case),
        kinds: kinds(&case.known),
        reported: reported(&case.known),
        centre: centre(case),
        stage: stage(case),
        safety: waiting.map(|clock| {
            let words = clock_tag(clock, now);
            tag(words.css, format!("{} {}", clock.label, words.label))
        }),
        review: review(case, today),
        unmanned: open && listed.members == 0,
    }
}

/// A case whose person the viewer may not open.
pub(super) struct SealedWords {
    pub(super) number: String,
    pub(super) reported: String,
    pub(super) resident: i64,
}

pub(super) fn sealed(sealed: &Sealed) -> SealedWords {
    SealedWords {
        number: sealed.id.number(),
        reported: day_short(sealed.reported_on),
        resident: sealed.resident.0,
    }
}

pub(super) fn centre(case: &Case) -> String {
    case.centre.clone().unwrap_or_else(|| "市".to_owned())
}

pub(super) fn reported(known: &Known) -> String {
    let time = known.reported_at.strftime("%H:%M");
    format!("{} {time}", day_short(known.reported_on))
}

/// Label and text of what is known; the long texts last.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) text: String,
}

fn fact(label: &'static str, text: impl Into<String>) -> Fact {
    Fact {
        label,
        text: text.into(),
    }
}

/// Everything of a version but people of the register, so that two can be compared.
pub(super) fn facts(known: &Known) -> Vec<Fact> {
    let told = [
        known.victim_name.as_str(),
        match known.victim_sex.as_str() {
            "1" => "男性",
            "2" => "女性",
            _ => "",
        },
        known.victim_age.as_str(),
    ];
    let told: Vec<&str> = told.into_iter().filter(|text| !text.is_empty()).collect();
    vec![
        fact("区分", known.case_type.label()),
        fact("通報を受けた日時", reported(known)),
        fact("受け付けた機関", known.received_at.label()),
        fact("通報者の区分", known.reporter_kind.label()),
        fact("緊急度", known.urgency.label()),
        fact("虐待の種類", kinds(known)),
        fact("聞き取った名前など", told.join("・")),
        fact("本人の手がかり", known.victim_note.clone()),
        fact("養護者の続柄", known.carer_relation.label()),
        fact("養護者の名前（聞き取り）", known.carer_name.clone()),
        fact("養護者について", known.carer_note.clone()),
        fact("情報源", known.source.clone()),
        fact("いまの居所", known.place_now.clone()),
        fact("通報の内容", known.content.clone()),
    ]
}

/// A field with what it was and what it is.
pub(super) type Difference = (&'static str, String, String);

/// One version in the history.
pub(super) struct VersionWords {
    pub(super) version: i64,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) differences: Vec<Difference>,
}

/// Newest first, each with what it changed.
pub(super) fn versions(all: &[Version]) -> Vec<VersionWords> {
    let before = all.iter().skip(1).map(Some).chain([None]);
    all.iter()
        .zip(before)
        .map(|(version, before)| VersionWords {
            version: version.version,
            by: format!("{}（{}）", version.by, moment(&version.at)),
            reason: version.reason.clone(),
            differences: before.map_or_else(Vec::new, |b| differences(&b.known, &version.known)),
        })
        .collect()
}

/// What differs between two versions, told apart by field.
pub(super) fn differences(before: &Known, after: &Known) -> Vec<Difference> {
    let dash = |text: String| {
        if text.is_empty() {
            "（空欄）".to_owned()
        } else {
            text
        }
    };
    let (old, new) = (facts(before), facts(after));
    let pairs = old.into_iter().zip(new).filter(|(old, new)| old != new);
    let mut found: Vec<_> = pairs
        .map(|(old, new)| (new.label, dash(old.text), dash(new.text)))
        .collect();
    let registered = |known: bool| {
        if known {
            "登録あり"
        } else {
            "登録なし"
        }
    };
    if before.resident != after.resident {
        let words = (
            registered(before.resident.is_some()),
            registered(after.resident.is_some()),
        );
        found.push((
            "本人（住民記録）",
            words.0.to_owned(),
            format!("{}（直した）", words.1),
        ));
    }
    if before.carer_resident != after.carer_resident {
        let words = (
            registered(before.carer_resident.is_some()),
            registered(after.carer_resident.is_some()),
        );
        found.push((
            "養護者（住民記録）",
            words.0.to_owned(),
            format!("{}（直した）", words.1),
        ));
    }
    found
}

/// A saved version as the form would have typed it.
pub(super) fn typed(known: &Known) -> Fields {
    let time = known.reported_at.strftime("%H:%M").to_string();
    let day = day_short(known.reported_on);
    let resident = known.resident.map(|id| id.to_string()).unwrap_or_default();
    let carer = known.carer_resident.map(|id| id.to_string());
    let carer = carer.unwrap_or_default();
    let mut pairs = vec![
        ("case_type", known.case_type.code()),
        ("reported_on", day.as_str()),
        ("reported_at", time.as_str()),
        ("received_at", known.received_at.code()),
        ("reporter_kind", known.reporter_kind.code()),
        ("urgency", known.urgency.code()),
        ("resident", resident.as_str()),
        ("victim_name", known.victim_name.as_str()),
        ("victim_sex", known.victim_sex.as_str()),
        ("victim_age", known.victim_age.as_str()),
        ("victim_note", known.victim_note.as_str()),
        ("carer_resident", carer.as_str()),
        ("carer_name", known.carer_name.as_str()),
        ("carer_relation", known.carer_relation.code()),
        ("carer_note", known.carer_note.as_str()),
        ("content", known.content.as_str()),
        ("source", known.source.as_str()),
        ("place_now", known.place_now.as_str()),
    ];
    pairs.extend(known.kinds.iter().map(|kind| ("kinds", kind.code())));
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

/// One step of the course.
pub(super) struct StepLine {
    pub(super) no: i64,
    pub(super) kind: &'static str,
    pub(super) held: String,
    pub(super) facts: Vec<Fact>,
    pub(super) by: String,
    /// Why it stands in the place of another, or why it counts no more.
    pub(super) remark: String,
    pub(super) counts: bool,
    pub(super) may_change: bool,
}

pub(super) fn step(step: &Step, may_change: bool) -> StepLine {
    let remark = match (&step.withdrawal, step.corrected_by) {
        (Some(note), _) => format!(
            "取下げ：{}（{}、{}）",
            note.reason,
            note.by,
            moment(&note.at)
        ),
        (None, Some(_)) => "訂正前の記録".to_owned(),
        (None, None) if step.corrects.is_some() => {
            format!("訂正の理由：{}", step.correction_reason)
        }
        (None, None) => String::new(),
    };
    StepLine {
        no: step.no,
        kind: step.words.kind.label(),
        held: held(&step.words),
        facts: step_facts(&step.words),
        by: format!("{}（{}）", step.by, moment(&step.at)),
        remark,
        counts: step.counts(),
        may_change: may_change && step.counts(),
    }
}

fn held(words: &StepWords) -> String {
    format!("{} {}", day_short(words.held_on), words.held_at)
        .trim()
        .to_owned()
}

/// What a step says, empty fields left out.
pub(super) fn step_facts(words: &StepWords) -> Vec<Fact> {
    let label = |text: Option<&'static str>| text.unwrap_or_default().to_owned();
    let next = words.next_review_on.map(day_short).unwrap_or_default();
    let all = [
        fact("権限", label(words.power.map(|p| p.label()))),
        fact("確認の方法", label(words.method.map(|m| m.label()))),
        fact("安全確認", label(words.safety.map(|s| s.label()))),
        fact("市の管理職", words.manager.clone()),
        fact("出席者・相手", words.persons.clone()),
        fact("虐待の有無", label(words.judgement.map(|j| j.label()))),
        fact("緊急性", label(words.urgent.map(|u| u.label()))),
        fact("深刻度", label(words.severity.map(Severity::label))),
        fact("対応方針", words.policy.clone()),
        fact("役割分担", words.roles.clone()),
        fact("次回の評価日", next),
        fact("終結の理由", label(words.closing_reason.map(|r| r.label()))),
        fact("内容", words.note.clone()),
    ];
    let full = all.into_iter().filter(|fact| !fact.text.is_empty());
    full.collect()
}

/// A saved step as its form would have typed it.
pub(super) fn typed_step(words: &StepWords) -> Fields {
    let day = day_short(words.held_on);
    let next = words.next_review_on.map(day_short).unwrap_or_default();
    let pairs = [
        ("held_on", day.as_str()),
        ("held_at", words.held_at.as_str()),
        ("persons", words.persons.as_str()),
        ("method", words.method.map_or("", |m| m.code())),
        ("safety", words.safety.map_or("", |s| s.code())),
        ("manager", words.manager.as_str()),
        ("judgement", words.judgement.map_or("", |j| j.code())),
        ("urgent", words.urgent.map_or("", |u| u.code())),
        ("severity", words.severity.map_or("", Severity::code)),
        ("policy", words.policy.as_str()),
        ("roles", words.roles.as_str()),
        ("next_review_on", next.as_str()),
        ("power", words.power.map_or("", |p| p.code())),
        (
            "closing_reason",
            words.closing_reason.map_or("", |r| r.code()),
        ),
        ("note", words.note.as_str()),
    ];
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

/// That somebody is written down as the reporter.
pub(super) fn reporter_state(case: &Case) -> String {
    let state = case.reporter;
    let kind = case.known.reporter_kind.label();
    let who = if state.anonymous {
        "匿名で受けています。"
    } else if state.is_known {
        "氏名などは、この記録とは別に保管しています。"
    } else {
        "氏名は聞いていません。"
    };
    let city = if state.city_only {
        "通報者の希望により、市だけが見られます。"
    } else {
        ""
    };
    format!("{kind}。{who}{city}")
}

/// Who reported it: shown after a reason.
pub(super) struct ReporterWords {
    pub(super) name: String,
    pub(super) relation: String,
    pub(super) contact: String,
}

pub(super) fn reporter(reporter: &Reporter) -> ReporterWords {
    let or = |text: &str| {
        if text.is_empty() {
            "（聞いていません）".to_owned()
        } else {
            text.to_owned()
        }
    };
    ReporterWords {
        name: if reporter.anonymous {
            "匿名".to_owned()
        } else {
            or(&reporter.name)
        },
        relation: or(&reporter.relation),
        contact: or(&reporter.contact),
    }
}

pub(super) fn typed_reporter(reporter: &Reporter) -> Fields {
    let mark = |on: bool| if on { "1" } else { "" };
    let pairs = [
        ("reporter_name", reporter.name.as_str()),
        ("reporter_relation", reporter.relation.as_str()),
        ("reporter_contact", reporter.contact.as_str()),
        ("reporter_anonymous", mark(reporter.anonymous)),
        ("reporter_city_only", mark(reporter.city_only)),
    ];
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

/// Somebody looked at the reporter.
pub(super) struct LookWords {
    pub(super) case: i64,
    pub(super) number: String,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) reason: String,
}

pub(super) fn look(look: &Look) -> LookWords {
    let reason = LookReason::from_code(&look.reason).map_or("", LookReason::label);
    LookWords {
        case: look.case.0,
        number: look.case.number(),
        at: moment(&look.look.at),
        by: look.look.by.clone(),
        reason: [reason, look.look.reason.as_str()]
            .join("　")
            .trim()
            .to_owned(),
    }
}

/// One row of the team.
pub(super) struct MemberWords {
    pub(super) no: i64,
    pub(super) name: String,
    pub(super) office: String,
    pub(super) access: &'static str,
    pub(super) reporter: &'static str,
    pub(super) period: String,
    pub(super) added: String,
    pub(super) state: Tag,
    pub(super) ending: String,
    pub(super) lasts: bool,
}

pub(super) fn member(member: &Member, today: Date) -> MemberWords {
    let lasts = member.lasts(today);
    let state = match (lasts, member.works) {
        (false, _) => tag("", "終わり"),
        (true, true) => tag("ok", "いま"),
        (true, false) => tag("warn", "いまの役割では見られません"),
    };
    let to = member.ends_on.map(day_short).unwrap_or_default();
    MemberWords {
        no: member.no,
        name: member.name.clone(),
        office: member.office.clone(),
        access: if member.may_write {
            "記録もできる"
        } else {
            "閲覧のみ"
        },
        reporter: if member.reads_reporter {
            "できる"
        } else {
            "―"
        },
        period: format!("{}～{to}", day_short(member.starts_on)),
        added: noted(&member.added),
        state,
        ending: member.ending.as_ref().map(noted).unwrap_or_default(),
        lasts,
    }
}

/// Reason, who and when.
pub(super) fn noted(note: &Note) -> String {
    format!("{}（{}、{}）", note.reason, note.by, moment(&note.at))
}

/// Somebody kept from the case.
pub(super) struct BarWords {
    pub(super) no: i64,
    pub(super) name: String,
    pub(super) set: String,
    pub(super) ending: String,
    pub(super) lasts: bool,
}

pub(super) fn bar(bar: &Bar) -> BarWords {
    BarWords {
        no: bar.no,
        name: bar.name.clone(),
        set: noted(&bar.set),
        ending: bar.ending.as_ref().map(noted).unwrap_or_default(),
        lasts: bar.ending.is_none(),
    }
}

pub(super) fn colleagues<'c>(all: impl Iterator<Item = &'c Holder>, chosen: &str) -> Vec<Choice> {
    let first = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    let rest = all.map(|one| {
        let role = crate::web::Role::from_code(&one.role).map_or("", crate::web::Role::label);
        let office = one.centre.as_ref().map_or("市", |centre| &centre.name);
        Choice {
            value: one.staff.to_string(),
            label: format!("{office}　{}（{role}）", one.name),
            selected: one.staff.to_string() == chosen,
        }
    });
    std::iter::once(first).chain(rest).collect()
}

/// A consultation that belongs to the case.
pub(super) struct TakingWords {
    pub(super) id: i64,
    pub(super) number: String,
    pub(super) visible: bool,
    pub(super) taken: String,
    pub(super) ending: String,
    pub(super) lasts: bool,
}

pub(super) fn taking(taking: &Taking) -> TakingWords {
    TakingWords {
        id: taking.consultation,
        number: taking
            .number
            .clone()
            .unwrap_or_else(|| "（担当の範囲外の相談）".to_owned()),
        visible: taking.number.is_some(),
        taken: noted(&taking.taken),
        ending: taking.ending.as_ref().map(noted).unwrap_or_default(),
        lasts: taking.ending.is_none(),
    }
}

/// The case as the sheet prints it. The reporter stands in it by their sort alone.
pub(super) fn sheet(
    case: &Case,
    clocks: &[Clock],
    team: &[Member],
    (printed_at, printed_by): (Timestamp, &str),
    today: Date,
) -> forms::TableReport {
    let column = |heading: &str, share: u16| forms::Column::new(heading, share);
    let mut rows = vec![vec!["本人".to_owned(), sheet_person(case, today)]];
    rows.push(vec!["養護者".to_owned(), carer(case, today)]);
    let known = facts(&case.known);
    let full = known.into_iter().filter(|fact| !fact.text.is_empty());
    rows.extend(full.map(|fact| vec![fact.label.to_owned(), fact.text]));
    let steps = case.effective().into_iter().map(|step| {
        let words = step_facts(&step.words);
        let words: Vec<String> = words
            .iter()
            .map(|fact| format!("{}：{}", fact.label, fact.text))
            .collect();
        vec![
            held(&step.words),
            step.words.kind.label().to_owned(),
            words.join("\n"),
            step.by.clone(),
        ]
    });
    let named = team.iter().filter(|member| member.lasts(today));
    let named = named.map(|one| {
        vec![
            one.name.clone(),
            one.office.clone(),
            one.added.reason.clone(),
        ]
    });
    let due = clocks.iter().map(|one| {
        let words = clock(one, printed_at);
        vec![words.label, words.due, words.tag.label]
    });
    forms::TableReport {
        title: "虐待対応記録（内部資料）".to_owned(),
        record_id: format!("虐待対応 {} 第{}版", case.id.number(), case.version),
        about: format!(
            "番号 {}　状態 {}　関係者以外に見せないこと",
            case.id.number(),
            stage(case).label
        ),
        printed_at,
        printed_on: moment(&printed_at.to_string()),
        printed_by: printed_by.to_owned(),
        sections: vec![
            section("受理", vec![column("項目", 2), column("内容", 8)], rows),
            section(
                "目安の時間",
                vec![column("すること", 4), column("目安", 3), column("状態", 3)],
                due.collect(),
            ),
            section(
                "経過",
                vec![
                    column("日時", 18),
                    column("種類", 18),
                    column("内容", 54),
                    column("記録者", 14),
                ],
                steps.collect(),
            ),
            section(
                "関係者",
                vec![
                    column("氏名", 3),
                    column("所属", 3),
                    column("加えた理由", 4),
                ],
                named.collect(),
            ),
        ],
    }
}

fn section(heading: &str, columns: Vec<forms::Column>, rows: Vec<Vec<String>>) -> forms::Section {
    forms::Section {
        heading: heading.to_owned(),
        columns,
        rows,
    }
}

fn sheet_person(case: &Case, today: Date) -> String {
    case.victim.as_ref().map_or_else(
        || victim(case),
        |person| format!("{}（{}）", person.name.reveal(), about(person, today)),
    )
}
