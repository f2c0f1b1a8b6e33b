//! What shuts something out, kind by kind: how it is read from the former state, and how it is written
//! into the one that came back.
//!
//! Shape: a [`Rule`] reads rows of values that say what is meant by words (宛名番号, 職員ID, number of
//! a consultation, fingerprint, the form that made it) and writes each with one statement that adds
//! nothing when it holds already, or when what it is about did not come back. `?1`… are the values,
//! `:now` the instant, `:today` the day, `:mark` what is put behind a reason.
//! Invariant: a statement inserts; it asks for whatever it needs by itself.

use store::Operation;

/// One sort of thing that protects somebody.
#[derive(Debug)]
pub struct Kind {
    /// As stored.
    pub code: &'static str,
    /// As people read it.
    pub label: &'static str,
    /// What to look at when it could not be applied.
    pub look_at: &'static str,
    /// Where that is.
    pub href: &'static str,
    pub(super) rules: &'static [Rule],
}

/// Out of the former state, into the one that came back.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) operation: Operation,
    pub(super) read: &'static str,
    /// Returns the new row's id, and the resident it is about or null.
    pub(super) write: &'static str,
}

impl Kind {
    /// The kind of a stored code.
    pub(super) fn of(code: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.code == code)
    }
}

/// Sessions are not compared: all of them end.
pub(super) const SESSIONS: &str = "sessions";
pub(super) const POSTS: &str = "posts";
pub(super) const ENVELOPES: &str = "envelopes";
pub(super) const DISPOSALS: &str = "disposals";

/// All kinds, in the order in which they are told.
pub const KINDS: &[Kind] = &[
    Kind {
        code: SESSIONS,
        label: "サインインの無効化",
        look_at: "全員がサインインし直します",
        href: "/staff",
        rules: &[],
    },
    Kind {
        code: "shields",
        label: "支援措置",
        look_at: "支援措置の対象者がそろっているか、申出書と突き合わせてください",
        href: "/protections",
        rules: &[Rule {
            operation: Operation::ShieldSet,
            read: "select r.addressee_no, s.kind, s.planned_until, s.reason, b.login from shields s
                join residents r on r.id = s.resident_id left join staff b on b.id = s.recorded_by
                where not exists (select 1 from shield_endings e where e.shield_id = s.id)
                union all
                select addressee_no, 'register', shielded_until, '住民記録で対象でした', null
                from residents where shielded = 1",
            write: "insert into shields
                  (resident_id, kind, planned_until, reason, recorded_by, recorded_at)
                select r.id, ?2, ?3, ?4 || :mark, (select id from staff where login = ?5), :now
                from residents r where r.addressee_no = ?1 and r.resident_state <> '0'
                  and (?2 = 'city' or r.shielded = 0)
                  and not exists (select 1 from shields s
                    where s.resident_id = r.id and s.kind = ?2
                      and not exists (select 1 from shield_endings e where e.shield_id = s.id))
                returning id, resident_id",
        }],
    },
    Kind {
        code: "exclusions",
        label: "職員の除外",
        look_at: "親族などの職員の除外を登録し直してください",
        href: "/protections",
        rules: &[Rule {
            operation: Operation::ExclusionSet,
            read: "select r.addressee_no, s.login, x.relation, x.reason, b.login from exclusions x
                join residents r on r.id = x.resident_id join staff s on s.id = x.staff_id
                join staff b on b.id = x.recorded_by
                where not exists (select 1 from exclusion_endings e where e.exclusion_id = x.id)",
            write: "insert into exclusions
                  (resident_id, staff_id, relation, reason, recorded_by, recorded_at)
                select r.id, s.id, ?3, ?4 || :mark,
                  coalesce((select id from staff where login = ?5), (select min(id) from staff)), :now
                from residents r join staff s on s.login = ?2
                where r.addressee_no = ?1 and r.resident_state <> '0' and not exists
                  (select 1 from exclusions x where x.resident_id = r.id and x.staff_id = s.id
                   and not exists (select 1 from exclusion_endings e where e.exclusion_id = x.id))
                returning id, resident_id",
        }],
    },
    Kind {
        code: "shield_grants",
        label: "閲覧許可の終了",
        look_at: "閲覧許可のうち終わらせたものを、もう一度終わらせてください",
        href: "/protections",
        rules: &[Rule {
            operation: Operation::ShieldGrantEnd,
            read: "select r.addressee_no, s.login, g.starts_on, g.recorded_at,
                  coalesce(e.reason, '承認されませんでした'), b.login
                from shield_grants g join residents r on r.id = g.resident_id
                join staff s on s.id = g.staff_id
                left join shield_grant_endings e on e.grant_id = g.id
                left join approval_decisions d on d.approval_id = g.approval_id
                left join staff b on b.id = coalesce(e.recorded_by, d.decided_by)
                where e.id is not null or d.decision <> 'approved'",
            write: "insert into shield_grant_endings (grant_id, reason, recorded_by, recorded_at)
                select g.id, ?5 || :mark,
                  coalesce((select id from staff where login = ?6), (select min(id) from staff)), :now
                from shield_grants g join residents r on r.id = g.resident_id
                join staff s on s.id = g.staff_id
                where r.addressee_no = ?1 and s.login = ?2 and g.starts_on = ?3
                  and g.recorded_at = ?4 and not exists
                    (select 1 from shield_grant_endings e where e.grant_id = g.id)
                  and not exists (select 1 from approval_decisions d
                    where d.approval_id = g.approval_id and d.decision <> 'approved')
                returning id, (select resident_id from shield_grants where id = grant_id)",
        }],
    },
    Kind {
        code: "case_grants",
        label: "紹介・個別の指定の終了",
        look_at: "終わらせた紹介・個別の指定を、もう一度終わらせてください",
        href: "/case-grants",
        rules: &[Rule {
            operation: Operation::CaseGrantEnd,
            read: "select r.addressee_no, coalesce(g.role, ''), coalesce(s.login, ''), g.recorded_at,
                  e.reason, b.login
                from case_grant_endings e join case_grants g on g.id = e.grant_id
                join residents r on r.id = g.resident_id left join staff s on s.id = g.staff_id
                join staff b on b.id = e.recorded_by",
            write: "insert into case_grant_endings (grant_id, reason, recorded_by, recorded_at)
                select g.id, ?5 || :mark,
                  coalesce((select id from staff where login = ?6), (select min(id) from staff)), :now
                from case_grants g join residents r on r.id = g.resident_id
                left join staff s on s.id = g.staff_id
                where r.addressee_no = ?1 and coalesce(g.role, '') = ?2
                  and coalesce(s.login, '') = ?3 and g.recorded_at = ?4
                  and not exists (select 1 from case_grant_endings e where e.grant_id = g.id)
                returning id, (select resident_id from case_grants where id = grant_id)",
        }],
    },
    Kind {
        code: "assignments",
        label: "担当の終わり",
        look_at: "担当を外した職員がいれば、もう一度外してください",
        href: "/assignments",
        rules: &[Rule {
            operation: Operation::AssignEnd,
            read: "select r.addressee_no, s.login, a.part, a.recorded_at, e.ends_on, e.reason, b.login
                from assignment_endings e join assignments a on a.id = e.assignment_id
                join residents r on r.id = a.resident_id join staff s on s.id = a.staff_id
                join staff b on b.id = e.recorded_by",
            write: "insert into assignment_endings
                  (assignment_id, ends_on, reason, recorded_by, recorded_at)
                select a.id, ?5, ?6 || :mark,
                  coalesce((select id from staff where login = ?7), (select min(id) from staff)), :now
                from assignments a join residents r on r.id = a.resident_id
                join staff s on s.id = a.staff_id
                where r.addressee_no = ?1 and s.login = ?2 and a.part = ?3 and a.recorded_at = ?4
                  and not exists (select 1 from assignment_endings e where e.assignment_id = a.id)
                returning id, (select resident_id from assignments where id = assignment_id)",
        }],
    },
    Kind {
        code: POSTS,
        label: "職員の在職の終わり",
        look_at: "退職・異動した職員の最後の日と、今の所属がない職員を確かめてください",
        href: "/staff",
        rules: &[Rule {
            operation: Operation::StaffPostEnd,
            read: "select s.login, p.role, p.starts_on, p.recorded_at, t.ends_on
                from staff_terms t join staff_posts p on p.id = t.id
                join staff s on s.id = t.staff_id where t.ends_on is not null",
            write: "insert into staff_post_endings
                  (post_id, ends_on, reason, recorded_by, recorded_at)
                select p.id, ?5, '戻す前の記録による' || :mark, null, :now
                from staff_posts p join staff s on s.id = p.staff_id
                join staff_terms t on t.id = p.id
                where s.login = ?1 and p.role = ?2 and p.starts_on = ?3 and p.recorded_at = ?4
                  and (t.ends_on is null or t.ends_on > ?5)
                returning id, null",
        }],
    },
    Kind {
        code: "terminals",
        label: "端末の使用停止",
        look_at: "失くした端末・使わない端末を、もう一度使用停止にしてください",
        href: "/terminals",
        rules: &[Rule {
            operation: Operation::TerminalRevoke,
            read: "select c.fingerprint, v.reason, b.login from terminal_revocations v
                join terminal_certificates c on c.id = v.certificate_id
                join staff b on b.id = v.recorded_by",
            write: "insert into terminal_revocations
                  (certificate_id, reason, recorded_by, recorded_at)
                select c.id, ?2,
                  coalesce((select id from staff where login = ?3), (select min(id) from staff)), :now
                from terminal_certificates c where c.fingerprint = ?1 and not exists
                  (select 1 from terminal_revocations v where v.certificate_id = c.id)
                returning id, null",
        }],
    },
    Kind {
        code: "staff_rights",
        label: "個人の権限の取上げ",
        look_at: "個人の権限の例外を、権限の報告と突き合わせてください",
        href: "/rights",
        rules: &[
            Rule {
                operation: Operation::StaffRightAdd,
                read: "select s.login, t.permission, t.starts_on, t.ends_on, t.reason
                    from staff_right_terms t join staff s on s.id = t.staff_id
                    where t.granted = 0 and (t.ends_on is null or t.ends_on >= :today)",
                write: "insert into staff_rights (staff_id, permission, granted, starts_on, ends_on,
                      reason, recorded_by, recorded_at)
                    select s.id, ?2, 0, ?3, ?4, ?5 || :mark, null, :now from staff s
                    where s.login = ?1 and not exists (select 1 from staff_right_terms t
                      where t.staff_id = s.id and t.permission = ?2 and t.granted = 0
                        and t.starts_on <= ?3 and (t.ends_on is null or t.ends_on >= ?4))
                    returning id, null",
            },
            Rule {
                operation: Operation::StaffRightEnd,
                read: "select s.login, r.permission, r.starts_on, r.recorded_at, t.ends_on
                    from staff_right_terms t join staff_rights r on r.id = t.id
                    join staff s on s.id = t.staff_id where t.granted = 1",
                write: "insert into staff_right_endings
                      (staff_right_id, ends_on, reason, recorded_by, recorded_at)
                    select r.id, ?5, '戻す前の記録による' || :mark, null, :now
                    from staff_rights r join staff s on s.id = r.staff_id
                    join staff_right_terms t on t.id = r.id
                    where s.login = ?1 and r.permission = ?2 and r.granted = 1
                      and r.starts_on = ?3 and r.recorded_at = ?4 and t.ends_on > ?5
                    returning id, null",
            },
        ],
    },
    Kind {
        code: "role_rights",
        label: "役割の権限の取上げ",
        look_at: "役割の権限の表を確かめてください",
        href: "/rights",
        rules: &[
            Rule {
                operation: Operation::RoleRightChange,
                read: "select distinct r.role, r.permission from role_right_terms r
                    where (select t.granted from role_right_terms t where t.role = r.role
                      and t.permission = r.permission and t.starts_on <= :today
                      order by t.starts_on desc, t.id desc limit 1) = 0",
                write: "insert into role_rights
                      (role, permission, granted, starts_on, reason, recorded_by, recorded_at)
                    select ?1, ?2, 0, :today, '戻す前の記録による' || :mark, null, :now
                    where (select t.granted from role_right_terms t where t.role = ?1
                      and t.permission = ?2 and t.starts_on <= :today
                      order by t.starts_on desc, t.id desc limit 1) = 1
                    returning id, null",
            },
            Rule {
                operation: Operation::RoleRightChange,
                read: "select role, permission, starts_on, reason from role_right_terms
                    where granted = 0 and starts_on > :today",
                write: "insert into role_rights
                      (role, permission, granted, starts_on, reason, recorded_by, recorded_at)
                    select ?1, ?2, 0, ?3, ?4 || :mark, null, :now
                    where not exists (select 1 from role_right_terms t where t.role = ?1
                      and t.permission = ?2 and t.starts_on = ?3 and t.granted = 0)
                    returning id, null",
            },
        ],
    },
    Kind {
        code: "passwords",
        label: "パスワードの変更・再発行",
        look_at: "もれたおそれで再発行したパスワードがあれば、もう一度再発行してください",
        href: "/staff",
        rules: &[Rule {
            operation: Operation::PasswordReset,
            // What came out of an envelope held for hours; it must not come back without its end.
            read: "select s.login, p.hash, p.must_change, b.login from staff s
                join staff_passwords p on p.id = (select max(n.id) from staff_passwords n
                  where n.staff_id = s.id and not exists
                    (select 1 from break_glass_openings o where o.password_id = n.id))
                left join staff b on b.id = p.recorded_by",
            write: "insert into staff_passwords
                  (staff_id, hash, must_change, recorded_by, recorded_at)
                select s.id, ?2, ?3, (select id from staff where login = ?4), :now from staff s
                where s.login = ?1 and not exists (select 1 from staff_passwords p
                  where p.hash = ?2 and p.id = (select max(n.id) from staff_passwords n
                    where n.staff_id = s.id))
                returning id, null",
        }],
    },
    Kind {
        code: "factors",
        label: "本人確認の方法の取消し",
        look_at: "失くした電話・鍵の登録を、もう一度取り消してください",
        href: "/staff",
        rules: &[Rule {
            operation: Operation::SecondFactorReset,
            read: "select s.login, f.recorded_at, r.reason, b.login from second_factor_resets r
                join second_factors f on f.id = r.last_factor_id
                join staff s on s.id = r.staff_id left join staff b on b.id = r.recorded_by",
            write: "insert into second_factor_resets
                  (staff_id, last_factor_id, reason, recorded_by, recorded_at)
                select s.id, max(f.id), ?3 || :mark, (select id from staff where login = ?4), :now
                from staff s join second_factors f on f.staff_id = s.id and f.recorded_at <= ?2
                where s.login = ?1 group by s.id
                having max(f.id) > (select coalesce(max(r.last_factor_id), 0)
                  from second_factor_resets r where r.staff_id = s.id)
                returning id, null",
        }],
    },
    Kind {
        code: ENVELOPES,
        label: "非常用の封筒",
        look_at: "開けた封筒がまた使えます。hokatsu users break-glass prepare で作り直してください",
        href: "/break-glass",
        rules: &[],
    },
    Kind {
        code: "maintenance",
        label: "保守作業の終了",
        look_at: "終わらせた保守作業の許可を、もう一度終わらせてください",
        href: "/maintenance",
        rules: &[Rule {
            operation: Operation::MaintenanceEnd,
            read: "select g.submission, e.reason, b.login from maintenance_endings e
                join maintenance_grants g on g.id = e.grant_id join staff b on b.id = e.ended_by",
            write: "insert into maintenance_endings (grant_id, reason, ended_by, recorded_at)
                select g.id, ?2 || :mark,
                  coalesce((select id from staff where login = ?3), (select min(id) from staff)), :now
                from maintenance_grants g where g.submission = ?1 and not exists
                  (select 1 from maintenance_endings e where e.grant_id = g.id)
                returning id, null",
        }],
    },
    Kind {
        code: "abuse_bars",
        label: "虐待対応からの除外",
        look_at: "虐待対応から除外した職員を、ケースごとに確かめてください",
        href: "/abuse-cases",
        rules: &[Rule {
            operation: Operation::AbuseBar,
            read: "select c.submission, s.login, x.reason, b.login from abuse_bars x
                join abuse_cases c on c.id = x.case_id join staff s on s.id = x.staff_id
                join staff b on b.id = x.recorded_by
                where not exists (select 1 from abuse_bar_endings e where e.bar_id = x.id)",
            write: "insert into abuse_bars (case_id, no, staff_id, reason, recorded_by, recorded_at)
                select c.id, (select coalesce(max(n.no), 0) + 1 from abuse_bars n
                    where n.case_id = c.id), s.id, ?3 || :mark,
                  coalesce((select id from staff where login = ?4), (select min(id) from staff)), :now
                from abuse_cases c join staff s on s.login = ?2
                where c.submission = ?1 and not exists
                  (select 1 from abuse_bars x where x.case_id = c.id and x.staff_id = s.id
                   and not exists (select 1 from abuse_bar_endings e where e.bar_id = x.id))
                returning id, null",
        }],
    },
    Kind {
        code: "abuse_members",
        label: "虐待対応の関係者から外した職員",
        look_at: "虐待対応の関係者から外した職員を、ケースごとに確かめてください",
        href: "/abuse-cases",
        rules: &[Rule {
            operation: Operation::AbuseMember,
            read: "select c.submission, m.no, s.login, e.reason, b.login from abuse_member_endings e
                join abuse_members m on m.id = e.member_id join abuse_cases c on c.id = m.case_id
                join staff s on s.id = m.staff_id join staff b on b.id = e.recorded_by",
            write: "insert into abuse_member_endings (member_id, reason, recorded_by, recorded_at)
                select m.id, ?4 || :mark,
                  coalesce((select id from staff where login = ?5), (select min(id) from staff)), :now
                from abuse_members m join abuse_cases c on c.id = m.case_id
                join staff s on s.id = m.staff_id
                where c.submission = ?1 and m.no = ?2 and s.login = ?3 and not exists
                  (select 1 from abuse_member_endings e where e.member_id = m.id)
                returning id, null",
        }],
    },
    Kind {
        code: "abuse_takings",
        label: "関係者だけにした相談",
        look_at: "虐待対応に移した相談が、ほかの職員に見えていないか確かめてください",
        href: "/abuse-cases",
        rules: &[Rule {
            operation: Operation::AbuseTake,
            read: "select c.submission, k.submission, t.reason, b.login from abuse_takings t
                join abuse_cases c on c.id = t.case_id
                join consultations k on k.id = t.consultation_id
                join staff b on b.id = t.recorded_by
                where not exists (select 1 from abuse_taking_endings e where e.taking_id = t.id)",
            write: "insert into abuse_takings
                  (case_id, consultation_id, reason, recorded_by, recorded_at)
                select c.id, k.id, ?3 || :mark,
                  coalesce((select id from staff where login = ?4), (select min(id) from staff)), :now
                from abuse_cases c join consultations k on k.submission = ?2
                where c.submission = ?1 and not exists
                  (select 1 from abuse_takings t where t.consultation_id = k.id
                   and not exists (select 1 from abuse_taking_endings e where e.taking_id = t.id))
                returning id, null",
        }],
    },
    Kind {
        code: DISPOSALS,
        label: "廃棄した記録",
        look_at: "廃棄したはずの記録が戻っています。保存期間と廃棄の画面でもう一度廃棄してください",
        href: "/retention",
        rules: &[],
    },
];
