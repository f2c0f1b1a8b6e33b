//! A forgotten password, a locked ID, a lost terminal.

use askama::Template;
use store::{Operation, ReadTx, StaffId};

use super::acts::{self, Undone};
use super::pages::{account, back, for_form, hand, late, own, shell_of, tell, unexpected};
use super::posts::{is_own, refused_own};
use super::store as sql;
use super::view;
use crate::web::{Answer, Shell, Visit};

#[derive(Template)]
#[template(path = "features/staff/accounts/reset.html")]
struct ResetPage {
    shell: Shell,
    id: i64,
    login: String,
    seen: i64,
}

pub(super) fn ask_reset(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return own(visit);
    }
    let read = |tx: &ReadTx<'_>| sql::password(tx, account.id);
    let password = visit.app.db().read(&visit.actor, read)?;
    visit.page(&ResetPage {
        shell: shell_of(visit, &account, "パスワードの再発行"),
        id: account.id.0,
        seen: password.map_or(0, |password| password.id),
        login: account.login,
    })
}

/// Sent twice by the same administrator, the newer password counts, which is the one her browser
/// shows; another administrator is told.
pub(super) fn reset(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return refused_own(visit, Operation::PasswordReset, account.id);
    }
    let seen = visit.form.trimmed("seen").parse().unwrap_or(0);
    match acts::reset(&hand(visit), account.id, Some(seen)) {
        Ok(given) => tell(visit, &given, "仮のパスワードを発行しました"),
        Err(Undone::Refused(acts::Refusal::Late(account))) => {
            let read = |tx: &ReadTx<'_>| sql::password(tx, account.id);
            let password = visit.app.db().read(&visit.actor, read)?;
            let newest = password.map_or_else(String::new, |p| {
                let by = p.by_name.unwrap_or_else(|| "コマンド".to_owned());
                format!(
                    "{} に {by} さんがパスワードを変えました。",
                    view::moment(&p.at)
                )
            });
            late(visit, &account, newest)
        }
        Err(undone) => Err(unexpected(&for_form(visit, undone)?)),
    }
}

pub(super) fn unlock(visit: &Visit) -> Answer {
    let id = StaffId(visit.param("id")?);
    match acts::unlock(&hand(visit), id) {
        Ok(()) => Ok(back(id, "unlocked")),
        Err(undone) => Err(unexpected(&for_form(visit, undone)?)),
    }
}

pub(super) fn end_sessions(visit: &Visit) -> Answer {
    let id = StaffId(visit.param("id")?);
    match acts::end_sessions(&hand(visit), id) {
        Ok(()) => Ok(back(id, "sessions-ended")),
        Err(undone) => Err(unexpected(&for_form(visit, undone)?)),
    }
}
