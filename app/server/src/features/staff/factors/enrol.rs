//! Enrolling a telephone or a key: at the first sign-in that asks for one, or later by oneself.

use askama::Template;
use axum::http::StatusCode;
use base::settings::Factor;
use store::{Event, Operation, ReadTx, RecordKind};

use super::ask::{admit, is_free, offered, question, refuse, seconds};
use super::model::{self, Held, Kind, NAME_CHARS_MAX};
use super::{keys, sealing, store as sql};
use crate::features::staff::accounts::view::moment;
use crate::features::staff::confirm::confirms;
use crate::features::staff::model::Login;
use crate::features::staff::resume::Carried;
use crate::features::staff::store as staff_sql;
use crate::web::{Answer, Halt, Problem, Shell, SignedIn, Visit, redirect, session};

#[derive(Template)]
#[template(path = "features/staff/factors/lead.html")]
struct LeadPage {
    shell: Shell,
    name: String,
    code: bool,
    key: bool,
    no_key_file: bool,
    carried: Carried,
}

fn accepts(visit: &Visit, staff: &SignedIn, kind: Kind) -> bool {
    let accepted = visit.app.settings().sign_in.factors(staff.role);
    accepted.contains(&kind.factor())
}

/// Without a key nothing that is shared with a telephone may be kept.
fn can_seal(visit: &Visit) -> bool {
    !visit.app.settings().factor_keys.is_empty()
}

/// For somebody who has nothing to show yet.
pub(super) fn lead(visit: &Visit, staff: &SignedIn, shell: Shell, carried: Carried) -> Answer {
    let (code, sealing) = (accepts(visit, staff, Kind::Totp), can_seal(visit));
    visit.page(&LeadPage {
        shell,
        name: staff.name.clone(),
        code: code && sealing,
        key: accepts(visit, staff, Kind::Webauthn),
        no_key_file: code && !sealing,
        carried,
    })
}

/// Who may enrol: somebody who is in, or somebody at the door who holds nothing yet. Whoever holds
/// something has to show it first, or a stolen password would be enough to enrol another telephone.
fn enroller(visit: &Visit, kind: Kind) -> Result<&SignedIn, Problem> {
    let staff = match &visit.staff {
        Some(staff) => staff,
        None => {
            let staff = visit.halted_for(Halt::Factor)?;
            if !offered(visit, staff)?.is_empty() {
                return Err(Problem::Page(Box::new(to_the_question(visit, staff)?)));
            }
            staff
        }
    };
    if accepts(visit, staff, kind) {
        Ok(staff)
    } else {
        Err(Problem::NotFound)
    }
}

/// Another page of the same person was faster; what was typed goes along.
fn to_the_question(visit: &Visit, staff: &SignedIn) -> Answer {
    let carried = Carried::of(visit);
    if carried.body.is_empty() {
        return Ok(redirect("/second-factor"));
    }
    question(visit, staff, (carried, visit.csrf()), StatusCode::OK)
}

#[derive(Template)]
#[template(path = "features/staff/factors/list.html")]
struct ListPage {
    shell: Shell,
    held: Vec<(&'static str, String, String)>,
    code: bool,
    key: bool,
    terminal: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let read = |tx: &ReadTx<'_>| sql::held(tx, staff.staff_id);
    let held = visit.app.db().read(&visit.actor, read)?;
    let words = |held: Held| (held.kind.label(), held.name, moment(&held.at));
    let accepted = visit.app.settings().sign_in.factors(staff.role);
    visit.page(&ListPage {
        shell: Shell::new(visit, "本人確認の方法").under(&[]),
        held: held.into_iter().map(words).collect(),
        code: accepts(visit, staff, Kind::Totp) && can_seal(visit),
        key: accepts(visit, staff, Kind::Webauthn),
        terminal: accepted.contains(&Factor::Terminal),
    })
}

struct FieldProblem {
    field: &'static str,
    text: &'static str,
}

fn of<'p>(problems: &'p [FieldProblem], field: &str) -> &'p str {
    let found = problems.iter().find(|p| p.field == field);
    found.map_or("", |problem| problem.text)
}

#[derive(Template)]
#[template(path = "features/staff/factors/code.html")]
struct CodePage {
    shell: Shell,
    half: bool,
    secret: String,
    side: usize,
    path: String,
    name: String,
    carried: Carried,
    problems: Vec<FieldProblem>,
}

impl CodePage {
    fn of(&self, field: &str) -> &str {
        of(&self.problems, field)
    }
}

fn login(visit: &Visit, staff: &SignedIn) -> Result<Login, Problem> {
    let read = |tx: &ReadTx<'_>| staff_sql::login_of(tx, staff.staff_id);
    let login = visit.app.db().read(&visit.actor, read)?;
    Ok(Login::new(&login.unwrap_or_default()))
}

fn shell(visit: &Visit, title: &str) -> Shell {
    if visit.staff.is_none() {
        // Somebody at the door has nowhere else to go.
        return Shell::new(visit, title);
    }
    Shell::new(visit, title).under(&[("本人確認の方法", "/second-factors")])
}

fn code_page(
    visit: &Visit,
    staff: &SignedIn,
    secret: &str,
    problems: Vec<FieldProblem>,
) -> Result<CodePage, Problem> {
    let login = login(visit, staff)?;
    let (side, path) = model::picture(&model::address(secret, login.as_str())?)?;
    let groups: Vec<String> = secret
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    let typed = visit.form.trimmed("name");
    Ok(CodePage {
        shell: shell(visit, "確認コードの登録"),
        half: visit.staff.is_none(),
        secret: groups.join(" "),
        side,
        path,
        name: if typed.is_empty() {
            "スマートフォン"
        } else {
            typed
        }
        .to_owned(),
        carried: Carried::of(visit),
        problems,
    })
}

/// A new secret with every opening: what was on a screen that somebody walked away from is void.
pub(super) fn code_form(visit: &Visit) -> Answer {
    let staff = enroller(visit, Kind::Totp)?;
    visit.page(&fresh_code(visit, staff, Vec::new())?)
}

fn fresh_code(
    visit: &Visit,
    staff: &SignedIn,
    problems: Vec<FieldProblem>,
) -> Result<CodePage, Problem> {
    let secret = model::fresh_secret()?;
    let sealed = sealing::remember(visit, staff.session, &secret)?;
    remember(visit, staff, &format!("totp {sealed}"))?;
    code_page(visit, staff, &secret, problems)
}

fn remember(visit: &Visit, staff: &SignedIn, challenge: &str) -> Result<(), Problem> {
    let done = visit.app.db().housekeep(&visit.actor, |tx| {
        session::set_challenge(tx, staff.session, Some(challenge))
    });
    Ok(done?)
}

/// What [`remember`] kept of this kind.
fn remembered(visit: &Visit, staff: &SignedIn, kind: &str) -> Result<Option<String>, Problem> {
    let read = |tx: &ReadTx<'_>| session::challenge(tx, staff.session);
    let kept = visit.app.db().read(&visit.actor, read)?.unwrap_or_default();
    Ok(kept.strip_prefix(kind).map(str::to_owned))
}

fn name(visit: &Visit, problems: &mut Vec<FieldProblem>) -> String {
    let plain = |c: &char| !c.is_control();
    let name: String = visit.form.trimmed("name").chars().filter(plain).collect();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        problems.push(FieldProblem {
            field: "name",
            text: "名前を30文字までで入力してください。",
        });
    }
    name
}

/// Whoever is in shows the password once more: a screen left open must not be enough.
fn is_owner(visit: &Visit, problems: &mut Vec<FieldProblem>) -> Result<(), Problem> {
    if visit.staff.is_none() {
        return Ok(());
    }
    if !confirms(visit, Operation::SecondFactorAdd)? {
        problems.push(FieldProblem {
            field: "password",
            text: "今のパスワードが違います。",
        });
    }
    Ok(())
}

/// The secret that was shown is void: another page was opened since, or the key has changed.
const AGAIN: FieldProblem = FieldProblem {
    field: "code",
    text: "図が新しくなりました。もう一度アプリで読み取り、いま表示されている6桁を入力してください。",
};

pub(super) fn code(visit: &Visit) -> Answer {
    let staff = enroller(visit, Kind::Totp)?;
    let kept = remembered(visit, staff, "totp ")?;
    let secret = kept.and_then(|kept| sealing::recall(visit, staff.session, &kept));
    let Some(secret) = secret else {
        let page = fresh_code(visit, staff, vec![AGAIN])?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let mut problems = Vec::new();
    let name = name(visit, &mut problems);
    is_owner(visit, &mut problems)?;
    let now = visit.app.clock().now();
    let free = is_free(visit, staff.staff_id)?;
    let period = model::period_of(&secret, visit.form.get("code"), seconds(now))?;
    let Some(period) = period.filter(|_| free) else {
        refuse(visit, staff.staff_id, Kind::Totp)?;
        problems.push(FieldProblem {
            field: "code",
            text: "確認コードが違います。いま表示されている6桁を入力してください。",
        });
        let page = code_page(visit, staff, &secret, problems)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    if !problems.is_empty() {
        let page = code_page(visit, staff, &secret, problems)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let id = save(visit, staff, &name, &Made::Secret(secret))?;
    visit
        .app
        .db()
        .housekeep(&visit.actor, |tx| sql::use_once(tx, id, period, now))?;
    enrolled(visit, staff, Kind::Totp)
}

/// What an enrolment made.
enum Made {
    /// Shared with a telephone.
    Secret(String),
    /// Of a security key.
    PublicKey(String),
}

fn save(
    visit: &Visit,
    staff: &SignedIn,
    name: &str,
    made: &Made,
) -> Result<model::FactorId, Problem> {
    let (now, person) = (visit.app.clock().now(), staff.staff_id);
    let keys = &visit.app.settings().factor_keys;
    visit.app.db().write(&visit.actor, |tx| {
        let before = words(&sql::held(tx, person)?);
        let id = match made {
            Made::Secret(secret) => {
                let id = sql::insert(tx, person, (Kind::Totp, name, None), now)?;
                let sealed = sealing::seal(keys, (id, person), secret)?;
                sql::put_secret(tx, id, &sealed, now)?;
                id
            }
            Made::PublicKey(key) => {
                sql::insert(tx, person, (Kind::Webauthn, name, Some(key)), now)?
            }
        };
        let after = words(&sql::held(tx, person)?);
        session::set_challenge(tx, staff.session, None)?;
        let event = Event::done(Operation::SecondFactorAdd)
            .on(RecordKind::Staff, person.0)
            .detail(format!("前＝{before}／後＝{after}"));
        Ok::<_, Problem>(tx.audited(event, id))
    })
}

/// What somebody holds, for the access log.
pub(in crate::features::staff) fn words(held: &[Held]) -> String {
    if held.is_empty() {
        return "なし".to_owned();
    }
    let each = held
        .iter()
        .map(|h| format!("{}「{}」", h.kind.label(), h.name));
    each.collect::<Vec<_>>().join("・")
}

/// Whoever was at the door is in now.
fn enrolled(visit: &Visit, staff: &SignedIn, kind: Kind) -> Answer {
    if visit.staff.is_some() {
        return Ok(redirect("/second-factors?done=factor"));
    }
    admit(
        visit,
        staff,
        Event::done(Operation::SecondFactor).detail(kind.label()),
    )
}

#[derive(Template)]
#[template(path = "features/staff/factors/key.html")]
struct KeyPage {
    shell: Shell,
    half: bool,
    options: String,
    name: String,
    carried: Carried,
    problems: Vec<FieldProblem>,
}

impl KeyPage {
    fn of(&self, field: &str) -> &str {
        of(&self.problems, field)
    }
}

pub(super) fn key_form(visit: &Visit) -> Answer {
    let staff = enroller(visit, Kind::Webauthn)?;
    let page = key_page(visit, staff, Vec::new())?;
    visit.page(&page)
}

fn key_page(
    visit: &Visit,
    staff: &SignedIn,
    problems: Vec<FieldProblem>,
) -> Result<KeyPage, Problem> {
    let login = login(visit, staff)?;
    let read = |tx: &ReadTx<'_>| sql::held(tx, staff.staff_id);
    let held = visit.app.db().read(&visit.actor, read)?;
    let owner = (login.as_str(), staff.name.as_str());
    let asked = keys::ask_new(visit, staff.staff_id, owner, &held)?;
    remember(visit, staff, &format!("key {}", asked.state))?;
    let typed = visit.form.trimmed("name");
    Ok(KeyPage {
        shell: shell(visit, "セキュリティキーの登録"),
        half: visit.staff.is_none(),
        options: asked.options,
        name: if typed.is_empty() {
            "セキュリティキー"
        } else {
            typed
        }
        .to_owned(),
        carried: Carried::of(visit),
        problems,
    })
}

pub(super) fn key(visit: &Visit) -> Answer {
    let staff = enroller(visit, Kind::Webauthn)?;
    // Nothing remembered is no state that an answer fits to.
    let state = remembered(visit, staff, "key ")?.unwrap_or_default();
    let mut problems = Vec::new();
    let name = name(visit, &mut problems);
    is_owner(visit, &mut problems)?;
    let made = keys::read_new(visit, &state, visit.form.get("credential"))?;
    let Some(made) = made.filter(|_| problems.is_empty()) else {
        if problems.is_empty() {
            problems.push(FieldProblem {
                field: "name",
                text: "セキュリティキーを確かめられませんでした。もう一度押してください。",
            });
        }
        let page = key_page(visit, staff, problems)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    save(visit, staff, &name, &Made::PublicKey(made))?;
    enrolled(visit, staff, Kind::Webauthn)
}
