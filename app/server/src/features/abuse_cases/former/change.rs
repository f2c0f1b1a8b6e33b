//! What is put back: today's version with the chosen fields of then, as the form of a correction would have
//! sent it, through that form's own checks.

use store::{ReadTx, ResidentId};

use super::{CaseState, FormerCase, Whom, view};
use crate::features::abuse_cases::form::{self, Looked, Sought};
use crate::features::abuse_cases::model::Known;
use crate::features::abuse_cases::{pages, store as sql};
use crate::features::former_states::Wanted;
use crate::web::{FieldProblem, Fields, Problem, Visit};

pub(super) struct Change {
    pub(super) known: Known,
}

type Wrong = Vec<FieldProblem>;

impl Change {
    /// What will be written, or why it cannot be.
    pub(super) fn of(
        visit: &Visit,
        tx: &ReadTx<'_>,
        (record, then): (&FormerCase, &CaseState),
        wanted: Wanted<'_>,
    ) -> Result<Result<Self, Wrong>, Problem> {
        let today = &record.case.known;
        let mut problems = Vec::new();
        let mut whom = |field: &'static str, now: Option<ResidentId>, then: &Whom| {
            let chosen = if wanted.has(field) {
                sought(tx, now, then)?
            } else {
                Some(now.map_or(Sought::Nobody, Sought::Found))
            };
            problems.extend(chosen.is_none().then(|| out_of_reach(field)));
            Ok::<_, Problem>(chosen.unwrap_or_default())
        };
        let looked = Looked {
            victim: whom("resident", today.resident, &then.victim)?,
            carer: whom("carer_resident", today.carer_resident, &then.carer)?,
        };
        if !problems.is_empty() {
            return Ok(Err(problems));
        }
        let reporter = pages::readable_reporter(visit, tx, &record.case)?;
        let now = visit.app.clock().now();
        let check = |kept: &str| {
            let typed = merged(today, then, wanted, kept);
            form::correction(&typed, looked, now, reporter.as_ref())
        };
        let checked = check("").or_else(|found| {
            // What stands there today was meant to stand there; only what comes back is asked about.
            let telling = |one: &FieldProblem| !form::is_telling(one) || wanted.has(one.field);
            let rest: Wrong = found.into_iter().filter(telling).collect();
            if rest.is_empty() {
                check("1")
            } else {
                Err(rest)
            }
        });
        Ok(match checked {
            Ok((known, _)) => Ok(Self { known }),
            Err(found) => Err(found.into_iter().map(view::of_the_form).collect()),
        })
    }
}

/// Whom the form would have found; nothing when the viewer does not meet them.
fn sought(
    tx: &ReadTx<'_>,
    now: Option<ResidentId>,
    then: &Whom,
) -> Result<Option<Sought>, Problem> {
    Ok(match then {
        Whom::Nobody => Some(Sought::Nobody),
        Whom::Unmet => None,
        // Whoever stands in it today may have moved out of the scope since.
        Whom::Met(id, _) if now == Some(*id) => Some(Sought::Found(*id)),
        Whom::Met(id, _) => sql::resident(tx, *id)?.map(|person| Sought::Found(person.id)),
    })
}

fn out_of_reach(field: &'static str) -> FieldProblem {
    FieldProblem {
        field,
        text: format!(
            "「{}」のその時点の方は、いまのあなたの担当の範囲の外の方か、もういない方です。この項目は戻せません。",
            view::label(field)
        ),
    }
}

fn merged(now: &Known, then: &CaseState, wanted: Wanted<'_>, name_kept: &str) -> Fields {
    use crate::features::abuse_cases::view::typed;
    let (now, then) = (typed(now), typed(&then.known));
    let mut pairs = vec![
        ("correction_reason", wanted.reason),
        ("name_kept", name_kept),
    ];
    for (field, _) in view::FIELDS {
        let from = if wanted.has(field) { &then } else { &now };
        pairs.extend(from.all(field).map(|value| (*field, value)));
    }
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}
