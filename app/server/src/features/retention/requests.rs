//! One person asks; what became of it.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, StoreError, WriteTx};

use super::asking::{self, Listed};
use super::kinds::kind;
use super::model::{RECORDS_MAX, State};
use super::pages::{RequestWords, day_asked, due_page, moment, request_words, rule_of, stored_day};
use super::store::{self as sql, NewRequest, Request};
use crate::web::{Answer, Permission, Problem, Shell, Visit, printing, redirect};

/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 500;

/// A reason as typed, or what is wrong with it.
pub(super) fn reason(visit: &Visit, label: &str) -> Result<String, String> {
    let typed = visit.form.trimmed("reason");
    let plain: String = typed.chars().filter(|c| !c.is_control()).collect();
    if plain.is_empty() {
        Err(format!("{label}を入力してください。"))
    } else if plain.chars().count() > REASON_CHARS_MAX {
        Err(format!("{label}は{REASON_CHARS_MAX}文字までです。"))
    } else {
        Ok(plain)
    }
}

pub(super) fn event(id: i64) -> Event {
    Event::done(Operation::Disposal).on(RecordKind::Disposal, id)
}

fn refused(visit: &Visit, problem: &str) -> Answer {
    let page = due_page(visit, problem)?;
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let (on, unread) = day_asked(visit);
    let (rule, kind) = rule_of(visit, on)?;
    if on > visit.today() {
        return refused(
            visit,
            "廃棄を申請できるのは、今日までに期間が過ぎたものだけです。",
        );
    }
    if let Some(unread) = unread {
        return refused(visit, unread);
    }
    let reason = match reason(visit, "申請の理由") {
        Ok(reason) => reason,
        Err(problem) => return refused(visit, &problem),
    };
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let submission = visit.submission();
    let words = rule.words();
    let new = NewRequest {
        class: &rule.class,
        due_on: on,
        rule: &words,
        submission: &submission,
    };
    let made = visit.app.db().write(&visit.actor, |tx| {
        if let Some(id) = sql::by_submission(tx, &submission)? {
            let again = redirect(&format!("/disposals/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let records = sql::due(tx, (kind, rule.limit(on)), (RECORDS_MAX, 0))?;
        if records.is_empty() {
            let problem = "期間の過ぎた記録がありません。申請するものがありません。";
            return Err(Problem::Page(Box::new(refused(visit, problem)?)));
        }
        let list = Listed {
            rule,
            records: records.len(),
            on,
        };
        let (approval, asked) = asking::ask(visit, tx, (&list, &reason), staff)?;
        let id = sql::insert_request(tx, &new, &records, (approval, &now))?;
        let detail = format!(
            "申請：{}／件数＝{}／基準日＝{on}／理由＝{reason}",
            rule.label,
            records.len()
        );
        Ok(tx.audited_all(event(id).detail(detail), vec![asked], id))
    })?;
    Ok(redirect(&format!("/disposals/{made}?done=approval-asked")))
}

#[derive(Template)]
#[template(path = "features/retention/request.html")]
struct RequestPage {
    shell: Shell,
    line: RequestWords,
    rule: String,
    due_on: String,
    reason: String,
    numbers: Vec<String>,
    decision: Option<String>,
    disposal: Facts,
    /// Where the second person decides, while nobody has.
    approval: Option<String>,
    may_dispose: bool,
    goes: &'static str,
    problem: String,
}

fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Request, Problem> {
    let id: i64 = visit.param("id")?;
    sql::find(tx, id)?.ok_or(Problem::NotFound)
}

fn decided(request: &Request) -> Option<String> {
    request.decision.as_ref().map(|(decision, reason, by, at)| {
        let word = decision.words().0;
        format!("{word}：{by}（{}）{reason}", moment(at))
    })
}

type Facts = Option<Vec<(&'static str, String)>>;

/// What a disposal record tells: 特記事項 第12条第5項.
fn done(tx: &ReadTx<'_>, request: &Request) -> Result<Facts, StoreError> {
    let Some(done) = request.disposal.as_ref() else {
        return Ok(None);
    };
    let evidence = sql::evidence_before(tx, &done.at)?;
    let forgets = done.backups_forget_on.as_deref().map_or_else(
        || "未設定（設定ファイルに控えの保存日数がありません）".to_owned(),
        stored_day,
    );
    let mut facts = vec![
        ("廃棄した件数", format!("{}件", done.disposed)),
        (
            "残した件数",
            format!("{}件（申請のあとで期間が変わったもの）", done.kept),
        ),
        ("方法", done.method.clone()),
        ("廃棄した人", done.by.clone()),
        ("廃棄した日時", moment(&done.at)),
        ("控えからも消える日", forgets),
    ];
    if evidence > 0 {
        let text = format!(
            "廃棄より前に保全した事故の証拠{evidence}件の中には残ります（控えの中の証拠も同じ）。\
             証拠がいらなくなったら、フォルダと持ち出した写しを消してください"
        );
        facts.push(("まだ残る写し", text));
    }
    Ok(Some(facts))
}

fn page(visit: &Visit, problem: &str) -> Result<RequestPage, Problem> {
    let (request, numbers, disposal) = visit.app.db().read(&visit.actor, |tx| {
        let request = load(visit, tx)?;
        let numbers = sql::numbers(tx, request.id)?;
        let disposal = done(tx, &request)?;
        Ok::<_, Problem>((request, numbers, disposal))
    })?;
    let may = visit.may(Permission::RetentionDecide);
    let state = request.state();
    Ok(RequestPage {
        shell: Shell::new(visit, format!("廃棄の申請 {}", request.id))
            .under(&[("保存期間と廃棄", "/retention")]),
        line: request_words(&request),
        rule: request.rule.clone(),
        due_on: stored_day(&request.due_on),
        reason: request.reason.clone(),
        numbers,
        decision: decided(&request),
        disposal,
        approval: (may && state == State::Requested)
            .then(|| format!("/approvals/{}", request.approval)),
        may_dispose: may && state == State::Approved,
        goes: kind(&request.class).map_or("", |kind| kind.goes),
        problem: problem.to_owned(),
    })
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&page(visit, "")?)
}

/// The page with what is wrong, as an answer of this status.
pub(super) fn page_as(visit: &Visit, status: StatusCode, problem: &str) -> Answer {
    visit.page_as(status, &page(visit, problem)?)
}

/// The same as a refusal inside a transaction.
pub(super) fn late(visit: &Visit) -> Problem {
    let text = "ほかの人が先に進めました。いまの状態を確かめてください。何も変わっていません。";
    match page_as(visit, StatusCode::CONFLICT, text) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

pub(super) fn print(visit: &Visit) -> Answer {
    let page = page(visit, "")?;
    let id = page.line.id;
    let mut rows = vec![
        vec!["種類".to_owned(), page.line.label],
        vec![
            "申請".to_owned(),
            format!("{} {}", page.line.at, page.line.by),
        ],
        vec![
            "申請した件数".to_owned(),
            format!("{}件", page.line.records),
        ],
        vec!["基準日".to_owned(), page.due_on],
        vec!["保存期間".to_owned(), page.rule],
        vec!["理由".to_owned(), page.reason],
        vec!["承認".to_owned(), page.decision.unwrap_or_default()],
    ];
    let done = page.disposal.unwrap_or_default().into_iter();
    rows.extend(done.map(|(label, value)| vec![label.to_owned(), value]));
    rows.push(vec!["記録番号".to_owned(), page.numbers.join("、")]);
    let sheet = printing::Sheet {
        title: "廃棄の記録",
        subtitle: format!("番号 {id}／{}", page.line.state),
        identity: format!("disposal/{id}"),
        columns: vec![("項目", 3), ("内容", 17)],
        rows,
        notes: vec![
            "個人情報取扱特記事項 第12条にもとづく記録です。記録の内容は含みません。".to_owned(),
        ],
    };
    let pdf = printing::draw(visit, sheet)?;
    let event = event(id).detail("印刷");
    let write = |tx: &WriteTx<'_>| Ok::<_, Problem>(tx.audited(event, ()));
    visit.app.db().view(&visit.actor, write)?;
    Ok(printing::shown("disposal.pdf", pdf))
}
