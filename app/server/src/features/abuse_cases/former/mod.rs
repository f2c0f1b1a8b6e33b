//! Abuse cases as they were: for the time machine (`features/former_states`).
//!
//! Shape: what is known has versions, so a state is the newest until a moment; the course and the team are
//! rows with their instants and stand beside it ([`view`]). Putting back adds a version, by the checks of the
//! form of a correction.
//! Invariant: a case is loaded through the views that show it to whom it names, before anything of its past
//! is read, in a copy too; entries wear the veil (menu and operations of abuse cases). Who reported it is
//! nowhere here: that takes its own page and its reason.
//! Limits: a withdrawal holds for good (`abuse_case_withdrawals` knows no ending), so it is shown and not put
//! back; nor are steps, which are corrected one by one on the page of the case.

mod change;
mod view;

use std::collections::BTreeMap;

use base::secrecy::PersonName;
use jiff::Timestamp;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, StoreError, params};

use self::change::Change;
use super::model::{Case, Known, Version};
use super::{pages, store as sql};
use crate::features::former_states::{
    Lens, Outcome, Part, Place, Point, Record, Said, Wanted, written,
};
use crate::web::{Permission, Problem, Visit};

/// A case with everything that was ever known.
#[derive(Debug)]
pub struct FormerCase {
    case: Case,
    /// Oldest first.
    versions: Vec<Version>,
    /// People of the register in any version, as the viewer meets them today; whoever is not met is not here.
    met: BTreeMap<ResidentId, PersonName>,
}

/// What was known at a moment.
#[derive(Debug)]
pub struct CaseState {
    known: Known,
    withdrawn: bool,
    victim: Whom,
    carer: Whom,
}

/// Somebody of the register in a version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Nobody,
    Met(ResidentId, PersonName),
    /// Outside what the viewer meets, or no more.
    Unmet,
}

/// Nothing came after it, as far as clocks can be read.
fn until(at: Option<Timestamp>) -> impl Fn(&str) -> bool + Copy {
    move |stored| at.is_none_or(|at| stored.parse::<Timestamp>().is_ok_and(|own| own <= at))
}

/// A case of today with its versions.
fn read(tx: &ReadTx<'_>, case: Case) -> Result<FormerCase, StoreError> {
    let mut versions = sql::versions(tx, case.id)?;
    versions.reverse();
    let mut met = BTreeMap::new();
    for person in case.victim.iter().chain(&case.carer) {
        met.insert(person.id, person.name.clone());
    }
    for id in people(&versions) {
        if let Some(person) = sql::resident(tx, id)? {
            met.insert(id, person.name);
        }
    }
    Ok(FormerCase {
        case,
        versions,
        met,
    })
}

fn people(versions: &[Version]) -> impl Iterator<Item = ResidentId> {
    let all = versions.iter();
    all.flat_map(|one| [one.known.resident, one.known.carer_resident])
        .flatten()
}

impl FormerCase {
    fn whom(&self, id: Option<ResidentId>) -> Whom {
        match id {
            None => Whom::Nobody,
            Some(id) => match self.met.get(&id) {
                Some(name) => Whom::Met(id, name.clone()),
                None => Whom::Unmet,
            },
        }
    }

    /// People of the copy by who they are today: whoever has their number now. Somebody of today's case
    /// whom the viewer's scope does not reach (she moved) is told by her id, which is the same.
    fn told_today(
        &mut self,
        live: &ReadTx<'_>,
        past: &ReadTx<'_>,
        today: &Self,
    ) -> Result<(), StoreError> {
        let mut same = BTreeMap::new();
        let (number, by_number) = (
            "select addressee_no from visible_residents where id = ?1",
            "select id from visible_residents where addressee_no = ?1",
        );
        for then in people(&self.versions) {
            let number: Option<String> = past.one(number, params![then], |row| row.get(0))?;
            let now: Option<ResidentId> = match number {
                Some(number) => live.one(by_number, params![number], |row| row.get(0))?,
                None => None,
            };
            let known = people(&today.versions).any(|id| id == then);
            same.insert(then, now.or(Some(then).filter(|_| known)));
        }
        // Whoever is not met keeps a number that nobody has: unmet, and not nobody.
        const NOT_MET: ResidentId = ResidentId(0);
        let told = |id: Option<ResidentId>| {
            let now = |id| same.get(&id).copied().flatten().unwrap_or(NOT_MET);
            id.map(now)
        };
        for version in &mut self.versions {
            version.known.resident = told(version.known.resident);
            version.known.carer_resident = told(version.known.carer_resident);
        }
        self.met = BTreeMap::new();
        for id in people(&self.versions) {
            let name = match sql::resident(live, id)? {
                Some(person) => Some(person.name),
                None => today.met.get(&id).cloned(),
            };
            self.met.extend(name.map(|name| (id, name)));
        }
        Ok(())
    }
}

/// Does a version of the copy name somebody from whom the viewer is excluded? Then the case of then is
/// none of theirs, as today's would not be.
fn is_barred(live: &ReadTx<'_>, versions: &[Version]) -> Result<bool, StoreError> {
    for id in people(versions) {
        if live.count("select is_excluded(?1)", params![id])? != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Record for FormerCase {
    type State = CaseState;
    // As every entry about a case: on the person, should she be known.
    const KIND: RecordKind = RecordKind::Resident;
    const READS: Permission = Permission::AbuseView;
    const WRITES: Permission = Permission::AbuseWrite;
    const LOOKS: (Operation, Operation) = (Operation::AbuseFormerView, Operation::AbuseFormerPrint);
    const THEIRS: &'static str = "ここからは戻せません";

    fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        let case = pages::load(visit, tx)?;
        Ok(read(tx, case)?)
    }

    fn same_in(&self, live: &ReadTx<'_>, past: &ReadTx<'_>) -> Result<Option<Self>, Problem> {
        let Some(case) = sql::find(past, self.case.id)? else {
            return Ok(None);
        };
        // Another case may have drawn the same number since.
        if case.recorded_at != self.case.recorded_at {
            return Ok(None);
        }
        let mut found = read(past, case)?;
        if is_barred(live, &found.versions)? {
            return Ok(None);
        }
        found.told_today(live, past, self)?;
        Ok(Some(found))
    }

    fn id(&self) -> i64 {
        self.case.id.0
    }

    fn person(&self) -> Option<ResidentId> {
        self.case.known.resident
    }

    fn shielded(&self) -> bool {
        self.case.victim.as_ref().is_some_and(|her| her.shielded)
    }

    fn writable(&self) -> bool {
        self.case.writable && self.case.is_open()
    }

    fn read_only(&self) -> &'static str {
        view::read_only(&self.case)
    }

    fn entry(&self, event: Event, words: &str) -> Event {
        pages::about(event, &self.case, words)
    }

    fn key(&self) -> String {
        let withdrawn = u8::from(self.case.withdrawal.is_some());
        format!("{}-{withdrawn}", self.case.version)
    }

    fn place(&self) -> Place {
        Place {
            href: format!("/abuse-cases/{}", self.case.id),
            label: format!("虐待対応 {}", self.case.id.number()),
            above: ("虐待対応", "/abuse-cases"),
            who: view::victim(&self.case),
        }
    }

    fn points(&self) -> Vec<Point> {
        let versions = self.versions.iter().map(view::version_point);
        let withdrawal = self.case.withdrawal.iter().map(view::withdrawal_point);
        let steps = self.case.steps.iter().flat_map(view::step_points);
        let mut all: Vec<Point> = versions.chain(withdrawal).chain(steps).collect();
        all.sort_by_key(|point| point.at.parse::<Timestamp>().ok());
        all
    }

    fn state_at(&self, at: Option<Timestamp>) -> Option<CaseState> {
        let then = until(at);
        let version = self.versions.iter().rfind(|one| then(&one.at))?;
        let withdrawal = self.case.withdrawal.as_ref();
        Some(CaseState {
            victim: self.whom(version.known.resident),
            carer: self.whom(version.known.carer_resident),
            known: version.known.clone(),
            withdrawn: withdrawal.is_some_and(|note| then(&note.at)),
        })
    }

    fn said(&self, _visit: &Visit, state: &CaseState) -> Vec<Said> {
        let today = &self.case.known;
        view::said(state, (today.resident, today.carer_resident))
    }

    fn parts(&self, visit: &Visit, lens: Lens<'_>) -> Result<Vec<Part>, Problem> {
        let tx = lens.rows();
        let then = until(lens.at);
        let steps = match lens.past {
            Some(past) => sql::find(past, self.case.id)?.map(|case| case.steps),
            None => None,
        };
        let steps = steps.as_ref().unwrap_or(&self.case.steps);
        let team = sql::members(tx, self.case.id, visit.today())?;
        Ok(vec![view::course(steps, then), view::team(&team, then)])
    }

    fn put_back(visit: &Visit, then: &CaseState, wanted: Wanted<'_>) -> Result<Outcome, Problem> {
        let by = visit.signed_in()?.staff_id;
        let now = pages::now(visit);
        written(
            visit,
            wanted,
            |tx, record| Change::of(visit, tx, (record, then), wanted),
            |tx, record: &Self, Change { known }| {
                let (id, version) = (record.case.id, record.case.version);
                let (next, reason) = (
                    version.saturating_add(1),
                    format!("以前の状態に戻した：{}", wanted.reason),
                );
                sql::insert_version(tx, (id, next), known, &reason, (by, &now))?;
                let words = format!(
                    "version={version}→{next} fields={} from={}",
                    wanted.fields.join("+"),
                    wanted.source
                );
                let event = record.entry(Event::done(Operation::AbuseFormerPutBack), &words);
                // Who stands in it from now on is whom the entry is about.
                Ok(event.about(known.resident.or(record.person())))
            },
        )
    }
}
