//! What the product erases, class by class: which records are ripe, what goes, what stays.
//!
//! Shape: one [`Kind`] a class of `data/retention.toml`. `ripe` asks for `id`, `number`, `day` and
//! `resident_id` of every record on which nothing waits any more, through the scoped views; the day
//! is judged by whoever asks. The system asks the same question again before it erases.
//! Invariant: what must be kept longer keeps what it hangs on: a person is not ripe while a consultation
//! about her is there, a year of the log not while an earlier one is. The newest record of a table is
//! never ripe, so that its number is not given again.

use store::RecordKind;

use crate::features::abuse_cases::CaseId;

/// Records of one class.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) class: &'static str,
    /// What an entry about an erased record names.
    pub(super) record: Option<RecordKind>,
    /// Address of a record's own page, before its number.
    pub(super) href: Option<&'static str>,
    /// See the head of the file.
    pub(super) ripe: &'static str,
    /// What is gone afterwards, and what is not: said before it is done.
    pub(super) goes: &'static str,
    /// Condition on an attachment, with the record as `?1`: its file goes with the record.
    pub(super) attached: &'static str,
    /// Other records that go before it, with the record as `?1`, and what they are.
    pub(super) along: Option<(&'static str, &'static Kind)>,
    pub(super) erasing: Erasing,
}

const NOTHING_ATTACHED: &str = "?1 is null";

/// How records of a class go.
#[derive(Debug)]
pub(super) enum Erasing {
    /// Statements in this order, each with the record as `?1`.
    Rows(&'static [&'static str]),
    /// The file of an archived year of the access log.
    ArchivedYear,
}

impl Erasing {
    /// As it is written down with the disposal.
    pub(super) const fn method(&self) -> &'static str {
        match self {
            Self::Rows(_) => {
                "データベースから消去（消去した領域は上書き）、添付ファイルはディスクから削除"
            }
            Self::ArchivedYear => "年ごとのファイルを消去",
        }
    }
}

impl Kind {
    /// A record's number as staff know it.
    pub(super) fn number(&self, id: i64, stored: String) -> String {
        if self.class == ABUSE_CASES.class {
            CaseId(id).number()
        } else {
            stored
        }
    }
}

/// The kind of a class, when the product erases it.
pub(super) fn kind(class: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.class == class)
}

pub(super) const KINDS: &[Kind] = &[
    CONSULTATIONS,
    ABUSE_CASES,
    RESIDENTS,
    TRANSFERS,
    ASSIGNMENTS,
    DRAFTS,
    IMPORTS,
    CARRIED_OUT,
    INSPECTIONS,
    ACCESS_LOG,
];

/// Everything that a consultation said and whom it was about. Its head stays: number, centre, who
/// wrote it and when, so that the number is never given to another.
const CONSULTATIONS: Kind = Kind {
    class: "consultations",
    record: Some(RecordKind::Consultation),
    href: Some("/consultations/"),
    ripe:
        "select c.id as id, c.number as number, c.received_on as day, c.resident_id as resident_id
      from visible_current_consultations c
      where (c.withdrawn = 1 or c.outcome in (select k.code from codes k
          where k.list = 'consultation_outcome' and k.label like '終結%'))
        and (c.withdrawn = 1 or c.followed_up = 1
             or (c.next_action = '' and c.next_due_on is null))
        and c.taken = 0",
    goes: "だれの相談だったか、何を話したか、添付ファイルは読めなくなります。番号は残ります。",
    attached: "consultation_id = ?1",
    along: None,
    erasing: Erasing::Rows(&[
        "delete from consultation_categories where version_id in
           (select id from consultation_versions where consultation_id = ?1)",
        "delete from consultation_responses where version_id in
           (select id from consultation_versions where consultation_id = ?1)",
        "delete from consultation_follow_ups where consultation_id = ?1",
        "delete from consultation_withdrawal_endings where withdrawal_id in
           (select id from consultation_withdrawals where consultation_id = ?1)",
        "delete from consultation_withdrawals where consultation_id = ?1",
        "delete from consultation_clients where consultation_id = ?1",
        "delete from consultation_versions where consultation_id = ?1",
        "delete from drafts where form = '/consultations/' || ?1 || '/edit'",
    ]),
};

/// A case with everything that hangs on it, and the words of the consultations that belonged to it:
/// without the case they would be there for their centre again. No entry names whom it was about.
const ABUSE_CASES: Kind = Kind {
    class: "abuse_cases",
    record: None,
    href: Some("/abuse-cases/"),
    ripe: "select id, number, day, resident_id from disposal_abuse_cases",
    goes: "だれの、どのような虐待だったか、通報者、関係者、会議と対応の記録は読めなくなります。\
           関係者だけの相談の内容と添付ファイルも、一緒に読めなくなります。",
    attached: NOTHING_ATTACHED,
    along: Some((
        "select t.consultation_id from abuse_takings t
         where t.case_id = ?1 and t.id not in (select taking_id from abuse_taking_endings)",
        &CONSULTATIONS,
    )),
    erasing: Erasing::Rows(&[
        "delete from abuse_taking_endings where taking_id in
           (select id from abuse_takings where case_id = ?1)",
        "delete from abuse_takings where case_id = ?1",
        "delete from abuse_reporter_looks where case_id = ?1",
        "delete from abuse_reporters where case_id = ?1",
        "delete from abuse_bar_endings where bar_id in (select id from abuse_bars where case_id = ?1)",
        "delete from abuse_bars where case_id = ?1",
        "delete from abuse_member_endings where member_id in
           (select id from abuse_members where case_id = ?1)",
        "delete from abuse_members where case_id = ?1",
        "delete from abuse_step_withdrawals where case_id = ?1",
        "delete from abuse_steps where case_id = ?1",
        "delete from abuse_case_withdrawals where case_id = ?1",
        "delete from abuse_case_versions where case_id = ?1",
        "delete from abuse_cases where id = ?1",
    ]),
};

/// Somebody who died or moved away, with everything that is about her alone. Her 宛名番号 stays, as
/// state 0: the city's register goes on delivering her, and an import must not bring her back.
const RESIDENTS: Kind = Kind {
    class: "residents",
    record: Some(RecordKind::Resident),
    href: Some("/residents/"),
    ripe: "select id, number, day, resident_id from disposal_residents",
    goes: "その方の氏名・住所・世帯・被保険者・認定・異動・訂正・担当・引継ぎ・紹介・閲覧制限・\
           添付ファイルが読めなくなります。\
           宛名番号だけが残り、住民記録にまた届いても取り込みません（住民に戻った方は取り込みます）。",
    attached: "resident_id = ?1",
    along: None,
    erasing: Erasing::Rows(&[
        "delete from resident_change_confirmations where change_id in
           (select id from resident_changes where resident_id = ?1)",
        "delete from resident_changes where resident_id = ?1",
        "delete from import_conflict_decisions where conflict_id in
           (select id from import_conflicts where resident_id = ?1)",
        "delete from import_conflicts where resident_id = ?1",
        "delete from resident_correction_endings where correction_id in
           (select id from resident_corrections where resident_id = ?1)",
        "delete from resident_corrections where resident_id = ?1",
        "delete from transfer_receipts where transfer_id in
           (select id from centre_transfers where resident_id = ?1)",
        "delete from transfer_notes where transfer_id in
           (select id from centre_transfers where resident_id = ?1)",
        "delete from transfer_endings where transfer_id in
           (select id from centre_transfers where resident_id = ?1)",
        "delete from drafts where form in (select '/transfers/' || id
           from centre_transfers where resident_id = ?1)",
        "delete from drafts where form = '/consultations/new?resident=' || ?1",
        "delete from centre_transfers where resident_id = ?1",
        "delete from assignment_endings where assignment_id in
           (select id from assignments where resident_id = ?1)",
        "delete from assignments where resident_id = ?1",
        "delete from case_grant_endings where grant_id in
           (select id from case_grants where resident_id = ?1)",
        "delete from case_grants where resident_id = ?1",
        "delete from shield_grant_endings where grant_id in
           (select id from shield_grants where resident_id = ?1)",
        "delete from shield_grants where resident_id = ?1",
        "delete from shield_endings where shield_id in
           (select id from shields where resident_id = ?1)",
        "delete from shields where resident_id = ?1",
        "delete from exclusion_endings where exclusion_id in
           (select id from exclusions where resident_id = ?1)",
        "delete from exclusions where resident_id = ?1",
        "delete from certifications where insured_person_id in
           (select id from insured_persons where resident_id = ?1)",
        "delete from insured_persons where resident_id = ?1",
        "delete from household_members where resident_id = ?1",
        "delete from resident_names where resident_id = ?1",
        "delete from resident_places where resident_id = ?1",
        "update residents set resident_state = '0', household_no = '', relationship = '', name = '',
           kana = '', alias_name = '', alias_kana = '', latin_name = '', former_surname = '',
           born_on = '', born_text = '', sex = '9', resident_kind = '', postal_code = '',
           area_code = '', address = '', building = '', phone = '', resident_since = null,
           event_on = null, event_code = '', moved_from = '', moved_to = '', died_on = null,
           nationality = '', shielded = 0, shielded_until = null, has_gaiji = 0 where id = ?1",
    ]),
};

const TRANSFERS: Kind = Kind {
    class: "transfers",
    record: Some(RecordKind::Transfer),
    href: None,
    ripe: "select id, number, day, resident_id from disposal_transfers",
    goes: "だれを、どのセンターからどのセンターへ引き継いだか、引継ぎの内容は読めなくなります。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::Rows(&[
        "delete from transfer_receipts where transfer_id = ?1",
        "delete from transfer_notes where transfer_id = ?1",
        "delete from transfer_endings where transfer_id = ?1",
        "delete from drafts where form = '/transfers/' || ?1",
        "delete from centre_transfers where id = ?1",
    ]),
};

const ASSIGNMENTS: Kind = Kind {
    class: "assignments",
    record: Some(RecordKind::Assignment),
    href: None,
    ripe: "select id, number, day, resident_id from disposal_assignments",
    goes: "だれがだれの担当だったかは読めなくなります。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::Rows(&[
        "delete from assignment_endings where assignment_id = ?1",
        "delete from assignments where id = ?1",
    ]),
};

/// Words that nobody saved as a record.
const DRAFTS: Kind = Kind {
    class: "drafts",
    record: None,
    href: None,
    ripe: "select id, number, day, resident_id from disposal_drafts",
    goes: "書きかけの内容は読めなくなります。保存した記録には触れません。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::Rows(&["delete from drafts where id = ?1"]),
};

/// What an import replaced, row by row. What it counted stays.
const IMPORTS: Kind = Kind {
    class: "imports",
    record: Some(RecordKind::Import),
    href: Some("/imports/"),
    ripe: "select id, number, day, resident_id from disposal_imports",
    goes: "取込みで何がどう変わったか（前の値と確認の記録）は読めなくなります。\
           件数と日時は残り、いまの住民の情報は変わりません。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::Rows(&[
        "delete from resident_change_confirmations where change_id in
           (select id from resident_changes where import_id = ?1)",
        "delete from resident_changes where import_id = ?1",
        "delete from import_conflict_decisions where conflict_id in
           (select id from import_conflicts where import_id = ?1)",
        "delete from import_conflicts where import_id = ?1",
    ]),
};

const CARRIED_OUT: Kind = Kind {
    class: "carried_out",
    record: Some(RecordKind::CarriedOut),
    href: Some("/carried-out/"),
    ripe: "select c.id as id, cast(c.id as text) as number,
        max(coalesce(c.ended_on, ''), c.taken_on) as day, null as resident_id
      from carried_out_states c
      where c.withdrawn = 1 or c.due_on is null or c.ending in ('returned', 'disposed')",
    goes: "何を、どこへ、だれが持ち出したかは読めなくなります。番号は残ります。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::Rows(&[
        "delete from carried_out_withdrawals where carried_out_id = ?1",
        "delete from carried_out_endings where carried_out_id = ?1",
        "delete from carried_out_files where carried_out_id = ?1",
        "delete from carried_out_versions where carried_out_id = ?1",
    ]),
};

const INSPECTIONS: Kind = Kind {
    class: "inspections",
    record: Some(RecordKind::Inspection),
    href: Some("/inspections/"),
    // The newest of an office says when the next is due; what is bad and not mended is not over.
    ripe:
        "select i.id as id, cast(i.id as text) as number, i.checked_on as day, null as resident_id
      from inspections i
      where exists (select 1 from inspections l
                    where l.centre_id is i.centre_id and l.id > i.id)
        and (exists (select 1 from inspection_withdrawals w where w.inspection_id = i.id)
             or not exists (select 1 from inspection_results r
                  where r.inspection_id = i.id and r.result = 'bad' and not exists
                    (select 1 from inspection_fixes f
                     where f.inspection_id = i.id and f.item = r.item)))",
    goes: "点検の結果と改善の記録は読めなくなります。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::Rows(&[
        "delete from inspection_fixes where inspection_id = ?1",
        "delete from inspection_results where inspection_id = ?1",
        "delete from inspection_withdrawals where inspection_id = ?1",
        "delete from inspections where id = ?1",
    ]),
};

/// A year that was archived; the cut that vouches for it stays. Live years are archived first.
const ACCESS_LOG: Kind = Kind {
    class: "access_log",
    record: Some(RecordKind::AccessLog),
    href: None,
    ripe: "select c.year as id, c.year || '年' as number, c.year || '-12-31' as day,
        null as resident_id
      from audit_cuts c
      where not exists (select 1 from audit_entries e where e.record_kind = 'access_log'
              and e.operation = 'disposal' and e.record_id >= c.year)
        and not exists (select 1 from disposal_requests q join disposals d on d.request_id = q.id
              join disposal_request_records x on x.request_id = q.id
              where q.class = 'access_log' and d.kept = 0 and x.record_id >= c.year)",
    goes: "その年にだれが何を見たかは、検索も開示もできなくなります。\
           件数と、前後の年とのつながりを示す署名は残ります。",
    attached: NOTHING_ATTACHED,
    along: None,
    erasing: Erasing::ArchivedYear,
};

#[cfg(test)]
mod tests {
    use super::super::model::rules_on;
    use super::KINDS;

    #[test]
    fn every_rule_has_its_kind_and_every_kind_its_rule() {
        let day = jiff::civil::date(2026, 11, 24);
        let rules: Vec<&str> = rules_on(day).iter().map(|rule| &*rule.class).collect();
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.class).collect();
        let mut sorted = rules.clone();
        sorted.sort_unstable();
        kinds.sort_unstable();
        assert_eq!(sorted, kinds);
        for kind in KINDS {
            assert!(kind.goes.ends_with('。') && !kind.erasing.method().is_empty());
        }
    }
}
