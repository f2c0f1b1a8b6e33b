//! Consultations that belong to a case: seen by those alone who know of it.

use store::Operation;

use super::{form, pages, show, store as sql};
use crate::web::{Answer, FieldProblem, Problem, Visit, redirect};

pub(super) fn take(visit: &Visit) -> Answer {
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let id = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        pages::writable(visit, &case)?;
        let (number, reason) = match form::taking(&visit.form) {
            Ok(checked) => checked,
            Err(problems) => return Err(show::not_yet(visit, tx, &case, problems)),
        };
        let number = base::text::kanji_key(&number);
        let refuse = |text: &str| {
            let problem = FieldProblem {
                field: "consultation_no",
                text: text.to_owned(),
            };
            show::not_yet(visit, tx, &case, vec![problem])
        };
        let Some(consultation) = sql::consultation_of(tx, &number)? else {
            return Err(refuse(
                "この番号の相談は見つかりません。R8-000123 のように入力してください。",
            ));
        };
        if !sql::take(tx, case.id, consultation, &reason, (by, &now))? {
            return Err(refuse("この相談は、すでに関係者だけの相談です。"));
        }
        let words = format!("consultation={consultation} old=センター new=関係者");
        let event = pages::event_with(Operation::AbuseTake, &case, &words);
        Ok(tx.audited(event, case.id))
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}?done=saved")))
}

/// The city gives it back to the centre that wrote it.
pub(super) fn give_back(visit: &Visit) -> Answer {
    let consultation: i64 = visit.param("consultation")?;
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let id = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        let takings = sql::takings(tx, case.id)?;
        if !takings
            .iter()
            .any(|taking| taking.consultation == consultation)
        {
            return Err(Problem::NotFound);
        }
        let reason = match form::reason(&visit.form, "back_reason", "戻す理由") {
            Ok(reason) => reason,
            Err(problems) => return Err(show::not_yet(visit, tx, &case, problems)),
        };
        if !sql::end_taking(tx, (case.id, consultation), &reason, (by, &now))? {
            let again = redirect(&format!("/abuse-cases/{}?done=again", case.id));
            return Err(Problem::Page(Box::new(again)));
        }
        let words = format!("consultation={consultation} old=関係者 new=センター");
        let event = pages::event_with(Operation::AbuseTake, &case, &words);
        Ok(tx.audited(event, case.id))
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}?done=saved")))
}
