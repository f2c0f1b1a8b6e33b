//! Invented abuse cases, one for each thing that the pages show: a fresh one, a judged one with its
//! review, a closed one, one about somebody unknown, one of a facility.

use base::report::Report;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use server::features::abuse_cases::{
    AbuseKind, CarerRelation, CaseId, CaseType, ClosingReason, Judgement, Known, Method, NewCase,
    ReceivedAt, Reporter, ReporterKind, Safety, Severity, StepKind, StepWords, Urgency, Urgent,
    insert_step, receive,
};
use server::web::Problem;
use store::{
    Actor, CentreId, Db, Event, Operation, ResidentId, StaffId, StoreError, SystemReason, WriteTx,
    params,
};

/// Writes them, in one transaction.
pub(super) fn write(db: &Db, actor: &Actor) -> Result<(), Report> {
    let now = db.clock().now();
    let written = db.system(actor, SystemReason::Demo, |tx| {
        let desk = Desk {
            tx,
            now,
            stamp: format!("{now:.6}"),
            worker: staff(tx, "social_worker", "0101")?,
            city: staff(tx, "city_longevity", "")?,
            centre: tx.count("select id from support_centres where code = '0101'", [])?,
        };
        desk.fresh()?;
        desk.judged()?;
        desk.closed()?;
        desk.unknown()?;
        desk.facility()?;
        Ok::<_, Problem>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    written.map_err(Problem::report)
}

const STAFF: &str = "
    select t.staff_id from staff_terms t left join support_centres c on c.id = t.centre_id
    where t.role = ?1 and coalesce(c.code, '') = ?2 order by t.staff_id limit 1";

fn staff(tx: &WriteTx<'_>, role: &str, centre: &str) -> Result<StaffId, StoreError> {
    tx.count(STAFF, params![role, centre]).map(StaffId)
}

// Somebody who does not live alone, and one of her household whom the word for the carer fits.
const PAIR: &str = "
    select r.id, min(m.id) from residents r
    join residents m on m.household_no = r.household_no and m.id <> r.id and m.resident_state = '1'
    where r.centre_id = ?1 and r.resident_state = '1' and r.shielded = 0 and m.shielded = 0
      and r.born_on < '1955-01-01' and (?2 = '' or m.sex = ?2) and (?3 = '' or r.sex = ?3)
      and (?4 = 0 or m.born_on > date(r.born_on, '+20 years'))
      and r.id not in (select v.resident_id from abuse_case_versions v
                       where v.resident_id is not null)
    group by r.id order by r.id limit 1";

/// Sex of the carer and of the person, and whether the carer is a generation younger.
const fn fits(relation: CarerRelation) -> (&'static str, &'static str, bool) {
    match relation {
        CarerRelation::Son => ("1", "", true),
        CarerRelation::Daughter => ("2", "", true),
        CarerRelation::InLaw => ("", "", true),
        CarerRelation::Husband => ("1", "2", false),
        CarerRelation::Wife
        | CarerRelation::Sibling
        | CarerRelation::Grandchild
        | CarerRelation::Relative
        | CarerRelation::Housemate
        | CarerRelation::StaffOf
        | CarerRelation::Other
        | CarerRelation::Unknown
        | CarerRelation::Nobody => ("", "", false),
    }
}

struct Desk<'d, 'c> {
    tx: &'d WriteTx<'c>,
    now: Timestamp,
    stamp: String,
    worker: StaffId,
    city: StaffId,
    centre: i64,
}

/// What was told, but for whom.
struct Told {
    case_type: CaseType,
    reporter_kind: ReporterKind,
    relation: CarerRelation,
    kinds: &'static [AbuseKind],
    content: &'static str,
    source: &'static str,
    urgency: Urgency,
}

impl Desk<'_, '_> {
    fn ago(&self, hours: i64) -> (Date, Time) {
        let at = self.now.checked_sub(SignedDuration::from_hours(hours));
        let local = base::clock::japan().to_datetime(at.unwrap_or(self.now));
        (local.date(), local.time())
    }

    fn known(&self, told: &Told, hours: i64, is_known: bool) -> Result<Known, StoreError> {
        let (reported_on, reported_at) = self.ago(hours);
        let (carer_sex, her_sex, younger) = fits(told.relation);
        let sought = params![self.centre, carer_sex, her_sex, younger];
        let pair: Option<(i64, i64)> = self
            .tx
            .one(PAIR, sought, |row| Ok((row.get(0)?, row.get(1)?)))?
            .filter(|_| is_known);
        Ok(Known {
            case_type: told.case_type,
            reported_on,
            reported_at,
            received_at: ReceivedAt::Centre,
            reporter_kind: told.reporter_kind,
            resident: pair.map(|(her, _)| ResidentId(her)),
            victim_name: String::new(),
            victim_sex: String::new(),
            victim_age: String::new(),
            victim_note: String::new(),
            carer_resident: pair.map(|(_, carer)| ResidentId(carer)),
            carer_name: String::new(),
            carer_relation: told.relation,
            carer_note: String::new(),
            kinds: told.kinds.to_vec(),
            content: told.content.to_owned(),
            source: told.source.to_owned(),
            urgency: told.urgency,
            place_now: String::new(),
        })
    }

    fn receive(&self, label: &str, known: &Known, reporter: &Reporter) -> Result<CaseId, Problem> {
        let centre = (known.received_at == ReceivedAt::Centre).then_some(CentreId(self.centre));
        let by = centre.map_or(self.city, |_| self.worker);
        let new = NewCase {
            centre,
            consultation: None,
            submission: label,
            known,
            reporter,
        };
        receive(self.tx, &new, known.reported_on, (by, &self.stamp))
    }

    /// Steps in their order, each so many hours ago.
    fn steps(&self, case: CaseId, steps: Vec<(i64, StepWords)>) -> Result<(), StoreError> {
        for (no, (hours, mut words)) in (1_i64..).zip(steps) {
            let (day, time) = self.ago(hours);
            words.held_on = day;
            words.held_at = time.strftime("%H:%M").to_string();
            let by = if words.kind.is_of_city() {
                self.city
            } else {
                self.worker
            };
            let token = format!("demo-{case}-{no}");
            insert_step(self.tx, (case, no), &words, None, &token, (by, &self.stamp))?;
        }
        Ok(())
    }

    /// Yesterday's report: nobody has seen her yet.
    fn fresh(&self) -> Result<(), Problem> {
        let told = Told {
            case_type: CaseType::Carer,
            reporter_kind: ReporterKind::CareManager,
            relation: CarerRelation::Son,
            kinds: &[AbuseKind::Physical, AbuseKind::Psychological],
            content: "デイサービスの入浴のとき、両腕に新しいあざがあった。家では大きな声でどなられていると話す。",
            source: "本人から聞いた、あざを見た",
            urgency: Urgency::Today,
        };
        let known = self.known(&told, 30, true)?;
        let reporter = Reporter {
            name: "架空 みどり".to_owned(),
            relation: "担当のケアマネジャー".to_owned(),
            contact: "048-000-0001".to_owned(),
            ..Reporter::default()
        };
        let case = self.receive("demo-abuse-1", &known, &reporter)?;
        let meeting = with(StepKind::Reception, |words| {
            words.persons = "センター長、社会福祉士、保健師".to_owned();
            words.note = "明日の午前に二人で訪問する。デイサービスから写真を受け取る。".to_owned();
        });
        Ok(self.steps(case, vec![(28, meeting)])?)
    }

    /// Judged two weeks ago; looked at again soon.
    fn judged(&self) -> Result<(), Problem> {
        let told = Told {
            case_type: CaseType::Carer,
            reporter_kind: ReporterKind::Commissioner,
            relation: CarerRelation::InLaw,
            kinds: &[AbuseKind::Neglect, AbuseKind::Economic],
            content: "食事が一日一回で、やせてきた。年金の通帳は家族が持ち、介護の費用が払われていない。",
            source: "訪問したときに見た",
            urgency: Urgency::Soon,
        };
        let known = self.known(&told, 24 * 16, true)?;
        let reporter = Reporter {
            city_only: true,
            name: "架空 達夫".to_owned(),
            relation: "民生委員".to_owned(),
            contact: "048-000-0002".to_owned(),
            ..Reporter::default()
        };
        let case = self.receive("demo-abuse-2", &known, &reporter)?;
        let (next, _) = self.ago(-24 * 5);
        let core = with(StepKind::Core, |words| {
            words.manager = "長寿あんしん課長（架空）".to_owned();
            words.persons = "市2人、センター2人".to_owned();
            words.judgement = Some(Judgement::Abuse);
            words.urgent = Some(Urgent::No);
            words.severity = Some(Severity::Medium);
            words.policy = "在宅を続け、配食と訪問介護を増やす。家族の負担を減らす。".to_owned();
            words.roles = "センター：週1回の訪問。市：年金の管理について家族と話す。".to_owned();
            words.next_review_on = Some(next);
            words.note = "低栄養が疑われる。分離の必要は、いまはないと判断した。".to_owned();
        });
        let steps = vec![
            (24 * 16 - 2, visit()),
            (24 * 15, core),
            (24 * 12, response()),
        ];
        Ok(self.steps(case, steps)?)
    }

    /// Closed after half a year.
    fn closed(&self) -> Result<(), Problem> {
        let told = Told {
            case_type: CaseType::Carer,
            reporter_kind: ReporterKind::Family,
            relation: CarerRelation::Husband,
            kinds: &[AbuseKind::Psychological],
            content: "夫が介護で眠れず、どなることが増えている。",
            source: "別居の長女から聞いた",
            urgency: Urgency::Soon,
        };
        let known = self.known(&told, 24 * 180, true)?;
        let case = self.receive("demo-abuse-3", &known, &Reporter::default())?;
        let core = with(StepKind::Core, |words| {
            words.manager = "長寿あんしん課長（架空）".to_owned();
            words.judgement = Some(Judgement::Suspected);
            words.urgent = Some(Urgent::No);
            words.policy = "短期入所を使い、夫が休めるようにする。".to_owned();
            words.roles = "センター：サービスの調整。".to_owned();
            words.note = "介護の疲れによる。1か月後に評価する。".to_owned();
        });
        let end = with(StepKind::Closing, |words| {
            words.closing_reason = Some(ClosingReason::Resolved);
            words.note = "短期入所が定着し、どなることはなくなった。".to_owned();
        });
        let steps = vec![
            (24 * 180 - 20, visit()),
            (24 * 178, core),
            (24 * 170, response()),
            (24 * 90, end),
        ];
        Ok(self.steps(case, steps)?)
    }

    /// The city was told about somebody whom nobody knows yet.
    fn unknown(&self) -> Result<(), Problem> {
        let told = Told {
            case_type: CaseType::SelfNeglect,
            reporter_kind: ReporterKind::Neighbour,
            relation: CarerRelation::Nobody,
            kinds: &[],
            content: "ごみがあふれ、何日も同じ服で歩いている。呼びかけても返事がない。",
            source: "近所で見た",
            urgency: Urgency::Today,
        };
        let known = Known {
            received_at: ReceivedAt::City,
            victim_name: "モリさん".to_owned(),
            victim_sex: "1".to_owned(),
            victim_age: "75歳くらい".to_owned(),
            victim_note: "白子のアパートの1階".to_owned(),
            ..self.known(&told, 60, false)?
        };
        let reporter = Reporter {
            anonymous: true,
            ..Reporter::default()
        };
        self.receive("demo-abuse-4", &known, &reporter).map(drop)
    }

    /// A facility's: the centre took it and handed it on.
    fn facility(&self) -> Result<(), Problem> {
        let told = Told {
            case_type: CaseType::Facility,
            reporter_kind: ReporterKind::CareOffice,
            relation: CarerRelation::StaffOf,
            kinds: &[AbuseKind::Physical],
            content: "夜勤の職員が、立ち上がらないように帯で固定していた。",
            source: "同じ施設の職員から聞いた",
            urgency: Urgency::Now,
        };
        let known = Known {
            carer_resident: None,
            ..self.known(&told, 20, true)?
        };
        let case = self.receive("demo-abuse-5", &known, &Reporter::default())?;
        let forward = with(StepKind::Forward, |words| {
            words.persons = "長寿あんしん課".to_owned();
            words.note = "電話で引き継ぎ、受理の内容を伝えた。".to_owned();
        });
        Ok(self.steps(case, vec![(19, forward)])?)
    }
}

fn with(kind: StepKind, fill: impl FnOnce(&mut StepWords)) -> StepWords {
    let mut words = StepWords::new(kind, Date::default());
    fill(&mut words);
    words
}

fn visit() -> StepWords {
    with(StepKind::Facts, |words| {
        words.method = Some(Method::Visit);
        words.safety = Some(Safety::Confirmed);
        words.persons = "社会福祉士、保健師".to_owned();
        words.note = "本人に会えた。受け答えはできる。けがは見当たらない。".to_owned();
    })
}

fn response() -> StepWords {
    with(StepKind::Response, |words| {
        words.persons = "担当のケアマネジャー".to_owned();
        words.note = "サービスを増やし、家族の話を聞いた。".to_owned();
    })
}
