//! A case, what is known of it, and where it stands; no I/O.

use std::fmt;

use base::secrecy::{Address, Kana, PersonName};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use store::{ResidentId, StaffId};

use crate::web::coded::coded;

store::id_type!(
    /// One case; drawn at random.
    CaseId
);

/// Digits and letters of a case's number: none that are taken for one another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bits of a case's number: eight letters, and exact in every browser and spreadsheet.
pub(super) const NUMBER_BITS: u32 = 40;

impl CaseId {
    /// As staff read it and say it on the telephone: `7K3F-9QXZ`.
    pub fn number(self) -> String {
        let letter = |place: u32| {
            let at = (self.0 >> (5 * place)) & 31;
            usize::try_from(at)
                .ok()
                .and_then(|at| LETTERS.get(at))
                .map_or('0', |byte| char::from(*byte))
        };
        let text: String = (0..8).rev().map(letter).collect();
        let (first, last) = text.split_at_checked(4).unwrap_or((&text, ""));
        format!("{first}-{last}")
    }
}

coded! {
    /// Whose act it is; the steps are the same.
    pub enum CaseType {
        Carer = "carer", "養護者による虐待";
        Facility = "facility", "養介護施設従事者等による虐待";
        SelfNeglect = "self_neglect", "セルフ・ネグレクト";
        Consumer = "consumer", "消費者被害";
    }
}

coded! {
    /// Who took the report.
    pub enum ReceivedAt {
        City = "city", "市";
        Centre = "centre", "地域包括支援センター";
    }
}

coded! {
    /// 通報者区分. Source: 厚生労働省 対応状況調査の区分 (wording unconfirmed).
    pub enum ReporterKind {
        CareManager = "care_manager", "ケアマネジャー";
        CareOffice = "care_office", "介護保険事業所の職員";
        Medical = "medical", "医療機関の従事者";
        Neighbour = "neighbour", "近隣住民・知人";
        Commissioner = "commissioner", "民生委員";
        Herself = "herself", "本人";
        Family = "family", "家族・親族";
        Carer = "carer", "養護者自身";
        City = "city", "市の職員";
        Police = "police", "警察";
        Other = "other", "その他";
        Unknown = "unknown", "不明（匿名を含む）";
    }
}

coded! {
    /// 養護者の続柄, seen from the person.
    pub enum CarerRelation {
        Husband = "husband", "夫";
        Wife = "wife", "妻";
        Son = "son", "息子";
        Daughter = "daughter", "娘";
        InLaw = "in_law", "嫁・婿";
        Sibling = "sibling", "兄弟姉妹";
        Grandchild = "grandchild", "孫";
        Relative = "relative", "その他の親族";
        Housemate = "housemate", "同居人・知人";
        StaffOf = "staff", "施設・事業所の職員";
        Other = "other", "その他";
        Unknown = "unknown", "不明";
        Nobody = "nobody", "いない（セルフ・ネグレクトなど）";
    }
}

coded! {
    /// 虐待の種類 (法 第2条第4項).
    pub enum AbuseKind {
        Physical = "physical", "身体的虐待";
        Neglect = "neglect", "介護・世話の放棄・放任";
        Psychological = "psychological", "心理的虐待";
        Sexual = "sexual", "性的虐待";
        Economic = "economic", "経済的虐待";
    }
}

coded! {
    /// How fast somebody must go.
    pub enum Urgency {
        Now = "now", "いますぐ";
        Today = "today", "今日中";
        Soon = "soon", "48時間以内";
        Watch = "watch", "様子を見る";
    }
}

coded! {
    /// What was done.
    pub enum StepKind {
        Reception = "reception", "受付会議";
        Facts = "facts", "事実確認";
        Core = "core", "コアメンバー会議";
        Response = "response", "対応";
        Review = "review", "評価会議";
        Forward = "forward", "市への引継ぎ";
        Power = "power", "市の権限の行使";
        Prefecture = "prefecture", "県への報告";
        Other = "other", "連絡・その他";
        Closing = "closing", "終結";
        Reopening = "reopening", "再開";
    }
}

impl StepKind {
    /// What the law leaves to the city: it judges, uses its powers, ends.
    pub const fn is_of_city(self) -> bool {
        matches!(
            self,
            Self::Core | Self::Power | Self::Prefecture | Self::Closing | Self::Reopening
        )
    }

    /// Does such a step belong to such a case? A facility's case is the city's: a centre hands it on.
    pub(super) const fn fits(self, case_type: CaseType, keeper: bool) -> bool {
        let facility = matches!(case_type, CaseType::Facility);
        match self {
            Self::Forward => facility,
            Self::Prefecture => facility && keeper,
            Self::Other => true,
            Self::Core | Self::Power | Self::Closing | Self::Reopening => keeper,
            Self::Reception | Self::Facts | Self::Response | Self::Review => keeper || !facility,
        }
    }

    /// Ends or reopens: the form names the last step that its writer saw.
    pub(super) const fn decides(self) -> bool {
        matches!(
            self,
            Self::Core | Self::Review | Self::Closing | Self::Reopening
        )
    }
}

coded! {
    /// 事実確認の方法.
    pub enum Method {
        Visit = "visit", "訪問して会った";
        NotMet = "not_met", "訪問したが会えなかった";
        Hearing = "hearing", "関係者からの聴き取り";
        Records = "records", "記録・資料の確認";
        Other = "other", "その他";
    }
}

coded! {
    /// 安全確認.
    pub enum Safety {
        Confirmed = "confirmed", "本人に会って、安全を確認した";
        Unseen = "unseen", "まだ確認できていない";
    }
}

coded! {
    /// 虐待の有無の判断.
    pub enum Judgement {
        Urgent = "urgent", "虐待あり（緊急）";
        Abuse = "abuse", "虐待あり";
        Suspected = "suspected", "疑い継続";
        Nothing = "none", "虐待なし";
    }
}

coded! {
    /// 緊急性.
    pub enum Urgent {
        Yes = "yes", "あり（分離・保護を検討する）";
        No = "no", "なし";
    }
}

coded! {
    /// 深刻度. Four steps; that the city uses four is unconfirmed.
    pub enum Severity {
        Light = "1", "1 軽度";
        Medium = "2", "2 中度";
        Heavy = "3", "3 重度";
        Gravest = "4", "4 最重度";
    }
}

coded! {
    /// What only the city may do.
    pub enum Power {
        Entry = "entry", "立入調査";
        Measure = "measure", "やむを得ない事由による措置";
        VisitLimit = "visit_limit", "面会の制限";
        Guardianship = "guardianship", "成年後見の市長申立て";
        Shelter = "shelter", "緊急一時保護";
    }
}

coded! {
    /// 終結の理由.
    pub enum ClosingReason {
        Resolved = "resolved", "虐待が解消し、生活が安定した";
        Facility = "facility", "施設入所などで安定した";
        Moved = "moved", "転出した（転出先へ情報を引き継いだ）";
        Died = "died", "亡くなった";
        NoAbuse = "no_abuse", "虐待ではないと判断した";
        Other = "other", "その他";
    }
}

coded! {
    /// Why the reporter is looked at.
    pub(super) enum LookReason {
        CallBack = "call_back", "通報者へ折り返し・追加の聴き取り";
        Protect = "protect", "通報者の保護のため";
        Meeting = "meeting", "コアメンバー会議・対応方針の検討";
        Court = "court", "警察・裁判所などへの対応";
        Other = "other", "その他（内容に書いてください）";
    }
}

/// What is known. The reporter's identity is not part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// Whose act.
    pub case_type: CaseType,
    /// Day of the report.
    pub reported_on: Date,
    /// And its time: the clocks run from here.
    pub reported_at: Time,
    /// Who took it.
    pub received_at: ReceivedAt,
    /// 通報者区分.
    pub reporter_kind: ReporterKind,
    /// Whom it is about, when the register knows her.
    pub resident: Option<ResidentId>,
    /// Her name as told.
    pub victim_name: String,
    /// As told: `1`, `2` or empty.
    pub victim_sex: String,
    /// As told.
    pub victim_age: String,
    /// Where she is found, what she looks like.
    pub victim_note: String,
    /// The carer, when the register knows them.
    pub carer_resident: Option<ResidentId>,
    /// As told.
    pub carer_name: String,
    /// Seen from her.
    pub carer_relation: CarerRelation,
    /// What is known of the carer.
    pub carer_note: String,
    /// Several at once.
    pub kinds: Vec<AbuseKind>,
    /// What was told.
    pub content: String,
    /// 情報源: seen, heard, from whom.
    pub source: String,
    /// How fast.
    pub urgency: Urgency,
    /// Where she lives now, when she had to leave.
    pub place_now: String,
}

/// What was said is about people: nothing of it shows.
impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known(…)")
    }
}

impl Known {
    /// The moment from which the clocks run.
    pub(super) fn reported(&self) -> Timestamp {
        instant(self.reported_on.to_datetime(self.reported_at))
    }
}

/// A moment in Japan.
pub(super) fn instant(local: DateTime) -> Timestamp {
    base::clock::japan()
        .to_timestamp(local)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Who reported it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Reporter {
    /// Did not say who they are.
    pub anonymous: bool,
    /// Asked that nobody but the city learns it.
    pub city_only: bool,
    /// Name.
    pub name: String,
    /// What they are to her.
    pub relation: String,
    /// Where they are reached.
    pub contact: String,
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter(…)")
    }
}

/// What a step says.
#[derive(Clone, PartialEq, Eq)]
pub struct StepWords {
    /// What sort.
    pub kind: StepKind,
    /// Day.
    pub held_on: Date,
    /// `HH:MM` or empty.
    pub held_at: String,
    /// Who was there, whom it was done with.
    pub persons: String,
    /// How facts were found.
    pub method: Option<Method>,
    /// Was she seen safe?
    pub safety: Option<Safety>,
    /// The city's manager at the core meeting.
    pub manager: String,
    /// What was judged.
    pub judgement: Option<Judgement>,
    /// 緊急性.
    pub urgent: Option<Urgent>,
    /// 深刻度.
    pub severity: Option<Severity>,
    /// 対応方針.
    pub policy: String,
    /// 役割分担.
    pub roles: String,
    /// 次回評価日.
    pub next_review_on: Option<Date>,
    /// A power of the city.
    pub power: Option<Power>,
    /// Why it ends.
    pub closing_reason: Option<ClosingReason>,
    /// What was done and said.
    pub note: String,
}

impl fmt::Debug for StepWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepWords({}, …)", self.kind.code())
    }
}

impl StepWords {
    /// Nothing but kind and day.
    pub fn new(kind: StepKind, held_on: Date) -> Self {
        Self {
            kind,
            held_on,
            held_at: String::new(),
            persons: String::new(),
            method: None,
            safety: None,
            manager: String::new(),
            judgement: None,
            urgent: None,
            severity: None,
            policy: String::new(),
            roles: String::new(),
            next_review_on: None,
            power: None,
            closing_reason: None,
            note: String::new(),
        }
    }

    /// When it was; without a time the end of the day, so that no clock stops too early.
    pub(super) fn held(&self) -> Timestamp {
        let time = self.held_at.parse().unwrap_or(Time::MAX);
        instant(self.held_on.to_datetime(time))
    }
}

/// A step as it was written down.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) no: i64,
    pub(super) words: StepWords,
    pub(super) by: String,
    pub(super) at: String,
    /// In the place of which step it stands, and why.
    pub(super) corrects: Option<i64>,
    pub(super) correction_reason: String,
    pub(super) corrected_by: Option<i64>,
    pub(super) withdrawal: Option<Note>,
}

impl Step {
    /// Neither withdrawn nor replaced by a later one.
    pub(super) fn counts(&self) -> bool {
        self.corrected_by.is_none() && self.withdrawal.is_none()
    }
}

/// Who did something, when, and why.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: String,
}

/// Somebody of the register.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) born_on: Option<Date>,
    pub(super) sex: String,
    pub(super) address: Address,
    pub(super) shielded: bool,
    /// Her own page opens for this viewer.
    pub(super) reachable: bool,
}

/// What is known of who reported it, without saying who.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReporterState {
    pub(super) version: i64,
    pub(super) anonymous: bool,
    pub(super) city_only: bool,
    pub(super) is_known: bool,
    pub(super) readable: bool,
}

/// One version of what is known.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) version: i64,
    pub(super) known: Known,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: String,
}

/// A case as somebody who knows of it meets it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: CaseId,
    pub(super) centre: Option<String>,
    pub(super) received_by: String,
    pub(super) recorded_at: String,
    pub(super) writable: bool,
    pub(super) version: i64,
    pub(super) known: Known,
    pub(super) victim: Option<Person>,
    pub(super) carer: Option<Person>,
    pub(super) withdrawal: Option<Note>,
    pub(super) steps: Vec<Step>,
    pub(super) reporter: ReporterState,
    /// Number and id of the consultation it came out of, when the viewer sees that one.
    pub(super) origin: Option<(i64, String)>,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Withdrawn,
    Closed,
    Judged(Judgement),
    Responding(Judgement),
    Fact,
    Met,
    Received,
}

impl Case {
    /// Steps that count, in the order of their days.
    pub(super) fn effective(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> = self.steps.iter().filter(|step| step.counts()).collect();
        steps.sort_by_key(|step| (step.words.held(), step.no));
        steps
    }

    /// The number of the newest step, for whoever decides after having read them all.
    pub(super) fn newest_step(&self) -> i64 {
        self.steps.iter().map(|step| step.no).max().unwrap_or(0)
    }

    pub(super) fn is_closed(&self) -> bool {
        let mut ends = self.steps.iter().filter(|step| step.counts());
        let newest =
            ends.rfind(|step| matches!(step.words.kind, StepKind::Closing | StepKind::Reopening));
        newest.is_some_and(|step| step.words.kind == StepKind::Closing)
    }

    /// May anything be added? A withdrawn case is read only; a closed one is reopened first.
    pub(super) fn is_open(&self) -> bool {
        self.withdrawal.is_none() && !self.is_closed()
    }

    pub(super) fn stage(&self) -> Stage {
        if self.withdrawal.is_some() {
            return Stage::Withdrawn;
        }
        if self.is_closed() {
            return Stage::Closed;
        }
        let steps = self.effective();
        let has = |kind: StepKind| steps.iter().any(|step| step.words.kind == kind);
        let judged = steps.iter().rev().find_map(|step| step.words.judgement);
        match judged {
            Some(judged) if has(StepKind::Response) => Stage::Responding(judged),
            Some(judged) => Stage::Judged(judged),
            None if has(StepKind::Facts) => Stage::Fact,
            None if has(StepKind::Reception) => Stage::Met,
            None => Stage::Received,
        }
    }

    /// When she was first seen safe.
    pub(super) fn safe_at(&self) -> Option<Timestamp> {
        let steps = self.effective();
        let mut safe = steps
            .iter()
            .filter(|step| step.words.safety == Some(Safety::Confirmed));
        safe.next().map(|step| step.words.held())
    }

    /// When such a step was first taken.
    pub(super) fn first(&self, kind: StepKind) -> Option<Timestamp> {
        let steps = self.effective();
        let mut such = steps.iter().filter(|step| step.words.kind == kind);
        such.next().map(|step| step.words.held())
    }

    /// The day by which it is looked at again: of the newest meeting that named one.
    pub(super) fn next_review_on(&self) -> Option<Date> {
        let steps = self.effective();
        let mut meetings = steps
            .iter()
            .rev()
            .filter(|step| matches!(step.words.kind, StepKind::Core | StepKind::Review));
        let newest = meetings.next()?;
        newest.words.next_review_on.filter(|_| self.is_open())
    }

    /// Which step the number of the address means.
    pub(super) fn step(&self, no: i64) -> Option<&Step> {
        self.steps.iter().find(|step| step.no == no)
    }
}

/// Somebody of the team.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) no: i64,
    pub(super) staff: StaffId,
    pub(super) name: String,
    pub(super) office: String,
    pub(super) may_write: bool,
    pub(super) reads_reporter: bool,
    pub(super) starts_on: Date,
    pub(super) ends_on: Option<Date>,
    pub(super) added: Note,
    pub(super) ending: Option<Note>,
    /// Works here today in a role that may meet cases.
    pub(super) works: bool,
}

impl Member {
    pub(super) fn lasts(&self, today: Date) -> bool {
        self.ending.is_none() && self.ends_on.is_none_or(|last| last >= today)
    }
}

/// Somebody who never knows of it.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) no: i64,
    pub(super) staff: StaffId,
    pub(super) name: String,
    pub(super) set: Note,
    pub(super) ending: Option<Note>,
}

/// A consultation that belongs to the case.
#[derive(Debug, Clone)]
pub(super) struct Taking {
    pub(super) consultation: i64,
    /// Nothing when the viewer does not see it.
    pub(super) number: Option<String>,
    pub(super) taken: Note,
    pub(super) ending: Option<Note>,
}

/// Somebody looked at who reported it.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) case: CaseId,
    pub(super) reason: String,
    pub(super) look: Note,
}

#[cfg(test)]
mod tests {
    use super::CaseId;

    #[test]
    fn a_number_has_eight_letters_and_each_case_its_own() {
        assert_eq!(CaseId(0).number(), "0000-0000");
        assert_eq!(CaseId((1 << 40) - 1).number(), "ZZZZ-ZZZZ");
        assert_eq!(CaseId(33).number(), "0000-0011");
    }
}
