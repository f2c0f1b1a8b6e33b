//! What an entry says.

use crate::ids::ResidentId;

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or shown.
    Done,
    /// Refused: not allowed, not visible, wrong password.
    Refused,
}

impl Outcome {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $code:literal, $label:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the label beside each variant says what it is")]
        pub enum $name { $($variant),* }

        impl $name {
            /// All of them, in the order of the menus.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As stored; never changes.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// As staff read it.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// The variant of a stored code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }
        }
    };
}

coded! {
    /// What was done (操作内容).
    Operation {
        SignIn = "sign_in", "サインイン";
        SignOut = "sign_out", "サインアウト";
        SignOutEverywhere = "sign_out_everywhere", "すべての端末からサインアウト";
        SessionLock = "session_lock", "画面のロック";
        SessionUnlock = "session_unlock", "ロックの解除";
        SessionElsewhere = "session_elsewhere", "ほかの端末でのセッションの使用";
        SecondFactor = "second_factor", "本人の再確認";
        SecondFactorAdd = "second_factor_add", "本人確認の方法の登録";
        SecondFactorReset = "second_factor_reset", "本人確認の方法の取消し";
        FactorKeyRotate = "factor_key_rotate", "確認コードの鍵の交換";
        PasswordChange = "password_change", "パスワード変更";
        StaffAdd = "staff_add", "職員の登録";
        StaffPostAdd = "staff_post_add", "職員の異動";
        StaffPostEnd = "staff_post_end", "在職期間の変更";
        PasswordReset = "password_reset", "パスワードの再発行";
        StaffUnlock = "staff_unlock", "サインインの待ち時間の解除";
        SessionsEnd = "sessions_end", "ほかの人のサインアウト";
        StaffReport = "staff_report", "アクセス権限の報告";
        RoleRightChange = "role_right_change", "役割の権限の変更";
        RoleRightWithdraw = "role_right_withdraw", "役割の権限の予定の取消し";
        StaffRightAdd = "staff_right_add", "個人の権限の例外";
        StaffRightEnd = "staff_right_end", "個人の権限の例外の終了";
        RightPlanEdit = "right_plan_edit", "年度切替の下書き";
        RightPlanConfirm = "right_plan_confirm", "年度切替の確定";
        RightPlanWithdraw = "right_plan_withdraw", "年度切替の取りやめ";
        ApprovalRequest = "approval_request", "承認の依頼";
        ApprovalDecide = "approval_decide", "承認の判断";
        TerminalAdd = "terminal_add", "端末の登録";
        TerminalChange = "terminal_change", "端末の変更";
        TerminalIssue = "terminal_issue", "端末の証明書の発行";
        TerminalRevoke = "terminal_revoke", "端末の使用停止";
        CertificateRenew = "certificate_renew", "サーバ・認証局の証明書の更新";
        Refusal = "refusal", "権限のない操作";
        SetUp = "set_up", "初期設定";
        MasterLoad = "master_load", "マスタの読込み";
        ResidentFind = "resident_find", "住民の検索";
        ResidentView = "resident_view", "対象者の閲覧";
        ResidentInquiry = "resident_inquiry", "照会";
        ResidentCorrect = "resident_correct", "対象者情報の訂正";
        ResidentCorrectionEnd = "resident_correction_end", "訂正の取消し";
        ChangeConfirm = "change_confirm", "異動の確認";
        ConflictDecide = "conflict_decide", "食い違いの判断";
        ConsultationCreate = "consultation_create", "相談の記録";
        ConsultationView = "consultation_view", "相談の閲覧";
        ConsultationCorrect = "consultation_correct", "相談の訂正";
        ConsultationWithdraw = "consultation_withdraw", "相談の取下げ";
        ConsultationIdentify = "consultation_identify", "相談の対象者特定";
        ConsultationFollowUp = "consultation_follow_up", "次回予定の完了";
        ConsultationPrint = "consultation_print", "相談記録票の印刷";
        AttachmentAdd = "attachment_add", "ファイルの添付";
        AttachmentView = "attachment_view", "添付ファイルの閲覧";
        AttachmentCorrect = "attachment_correct", "添付ファイルの表題の訂正";
        AttachmentWithdraw = "attachment_withdraw", "添付の取消し";
        AttachmentScan = "attachment_scan", "添付ファイルのウイルス検査";
        AttachmentExport = "attachment_export", "添付ファイルの持出し";
        FormerStateView = "former_state_view", "以前の状態の閲覧";
        FormerStateOpen = "former_state_open", "以前の時点を開く・閉じる";
        FormerStatePutBack = "former_state_put_back", "以前の状態に戻す";
        FormerStatePrint = "former_state_print", "以前の状態の印刷";
        TransferView = "transfer_view", "引継ぎの閲覧";
        TransferNote = "transfer_note", "引継ぎ内容の記入";
        TransferReceive = "transfer_receive", "引継ぎの受領";
        TransferPrint = "transfer_print", "引継ぎ書の印刷";
        AreaChangePlan = "area_change_plan", "受持ち区域の変更の予定";
        AreaChangeWithdraw = "area_change_withdraw", "受持ち区域の変更の取りやめ";
        AreaChangeApply = "area_change_apply", "受持ち区域の変更";
        AssignmentList = "assignment_list", "担当の一覧";
        Assign = "assign", "担当を決める";
        AssignEnd = "assign_end", "担当の終わり";
        CaseGrant = "case_grant", "紹介・個別の指定";
        CaseGrantEnd = "case_grant_end", "紹介・個別の指定の終了";
        AccessLogView = "access_log_view", "アクセスログの閲覧";
        AccessLogExport = "access_log_export", "アクセスログの出力";
        ProtectionView = "protection_view", "閲覧制限の閲覧";
        SealedListView = "sealed_list_view", "封緘名簿の閲覧";
        ViewersExplain = "viewers_explain", "見える職員の確認";
        ShieldSet = "shield_set", "支援措置（市）の設定";
        ShieldLift = "shield_lift", "支援措置の解除の確認";
        ShieldGrantAsk = "shield_grant_ask", "閲覧許可の申請";
        ShieldGrantEnd = "shield_grant_end", "閲覧許可の終了";
        ExclusionSet = "exclusion_set", "職員の除外";
        ExclusionEnd = "exclusion_end", "職員の除外の終了";
        AccessLogPrint = "access_log_print", "アクセスログの印刷";
        AccessLogDisclose = "access_log_disclose", "開示請求の報告";
        AccessLogArchive = "access_log_archive", "アクセスログの年ごとの保管";
        CheckpointSign = "checkpoint_sign", "署名つき記録の作成";
        CheckpointPrint = "checkpoint_print", "署名つき記録の印刷";
        UnusualUseView = "unusual_use_view", "いつもと違う利用の確認";
        UnusualUseReview = "unusual_use_review", "いつもと違う利用の確認済み";
        Import = "import", "取込み";
        ImportUndo = "import_undo", "取込みの取消し";
        Backup = "backup", "バックアップ";
        ConsoleUse = "console_use", "コマンドの操作";
        Restore = "restore", "バックアップから戻す";
        RestoreAcknowledge = "restore_acknowledge", "復元の確認";
        BreakGlassPrepare = "break_glass_prepare", "非常用の封筒の用意";
        BreakGlassOpen = "break_glass_open", "非常用の封筒の開封";
        BreakGlassAcknowledge = "break_glass_acknowledge", "封筒の開封の確認";
        MaintenanceGrant = "maintenance_grant", "保守作業の許可";
        MaintenanceEnd = "maintenance_end", "保守作業の終了";
        MaintenanceRequest = "maintenance_request", "保守作業";
        MaintenanceView = "maintenance_view", "保守作業の記録の閲覧";
        MaintenanceExport = "maintenance_export", "保守作業の記録の出力";
        MachineView = "machine_view", "装置の状態の閲覧";
        MachinePrint = "machine_print", "装置の状態の印刷";
        CarryOut = "carry_out", "持出しの登録";
        CarryOutCorrect = "carry_out_correct", "持出しの訂正";
        CarryOutEnd = "carry_out_end", "持出しの返却・廃棄";
        CarryOutWithdraw = "carry_out_withdraw", "持出しの取下げ";
        CarriedOutPrint = "carried_out_print", "持出し台帳の印刷";
        DataHoldingWrite = "data_holding_write", "個人情報管理台帳の記載";
        InspectionWrite = "inspection_write", "定期点検の記録";
        Disposal = "disposal", "保存期間の過ぎた記録の廃棄";
        DataRegisterPrint = "data_register_print", "個人情報管理台帳・点検表の印刷";
        IncidentReport = "incident_report", "事故の報告";
        IncidentView = "incident_view", "事故の閲覧";
        IncidentCorrect = "incident_correct", "事故の内容の訂正";
        IncidentStep = "incident_step", "事故への対応";
        IncidentText = "incident_text", "事故の文書の保存";
        IncidentPrint = "incident_print", "事故の文書の印刷";
        IncidentTouched = "incident_touched", "触れられた記録の一覧";
        IncidentEvidence = "incident_evidence", "証拠の保全";
        AbuseReceive = "abuse_receive", "虐待の通報の受理";
        AbuseView = "abuse_view", "虐待対応の閲覧";
        AbuseCorrect = "abuse_correct", "虐待対応の訂正";
        AbuseWithdraw = "abuse_withdraw", "虐待対応の取下げ";
        AbuseStep = "abuse_step", "虐待対応の経過の記録";
        AbuseMember = "abuse_member", "虐待対応の関係者の変更";
        AbuseBar = "abuse_bar", "虐待対応からの除外";
        AbuseReporterView = "abuse_reporter_view", "通報者の閲覧";
        AbuseReporterCorrect = "abuse_reporter_correct", "通報者の訂正";
        AbuseTake = "abuse_take", "相談を関係者だけにする・戻す";
        AbusePrint = "abuse_print", "虐待対応の記録の印刷";
        AbuseFormerView = "abuse_former_view", "虐待対応の以前の状態の閲覧";
        AbuseFormerPutBack = "abuse_former_put_back", "虐待対応を以前の状態に戻す";
        AbuseFormerPrint = "abuse_former_print", "虐待対応の以前の状態の印刷";
    }
}

coded! {
    /// What kind of record an entry is about.
    RecordKind {
        Staff = "staff", "職員";
        Role = "role", "役割";
        RightPlan = "right_plan", "年度切替";
        Approval = "approval", "承認";
        Terminal = "terminal", "端末";
        Resident = "resident", "対象者";
        Consultation = "consultation", "相談";
        Attachment = "attachment", "添付ファイル";
        Correction = "correction", "訂正";
        Transfer = "transfer", "引継ぎ";
        AreaChange = "area_change", "受持ち区域の変更";
        Assignment = "assignment", "担当";
        CaseGrant = "case_grant", "紹介・個別の指定";
        Change = "change", "異動";
        Conflict = "conflict", "食い違い";
        Protection = "protection", "閲覧制限";
        Import = "import", "取込み";
        AccessLog = "access_log", "アクセスログ";
        Master = "master", "マスタ";
        Backup = "backup", "バックアップ";
        Maintenance = "maintenance", "保守作業";
        BreakGlass = "break_glass", "非常用の封筒";
        CarriedOut = "carried_out", "持出し";
        DataHolding = "data_holding", "個人情報管理台帳";
        Inspection = "inspection", "定期点検";
        Incident = "incident", "事故";
        Disposal = "disposal", "廃棄の申請";
    }
}

/// One act, to be written down.
#[derive(Debug, Clone)]
pub struct Event {
    pub(crate) operation: Operation,
    pub(crate) outcome: Outcome,
    pub(crate) resident: Option<ResidentId>,
    pub(crate) record: Option<(RecordKind, i64)>,
    pub(crate) detail: String,
}

impl Event {
    /// An act that was done.
    pub fn done(operation: Operation) -> Self {
        Self {
            operation,
            outcome: Outcome::Done,
            resident: None,
            record: None,
            detail: String::new(),
        }
    }

    /// An act that was refused.
    pub fn refused(operation: Operation) -> Self {
        Self {
            outcome: Outcome::Refused,
            ..Self::done(operation)
        }
    }

    /// About this person.
    #[must_use]
    pub fn about(mut self, resident: impl Into<Option<ResidentId>>) -> Self {
        self.resident = resident.into();
        self
    }

    /// On this record.
    #[must_use]
    pub fn on(mut self, kind: RecordKind, id: i64) -> Self {
        self.record = Some((kind, id));
        self
    }

    /// Names of fields, counts, a reason that was asked for. Never what a field of a resident's
    /// record holds; a member of staff's role, centre and days are told, old and new.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// A transaction's result together with what will be written down about it.
///
/// Only `WriteTx::audited` makes one, so a write without an entry does not compile:
///
/// ```compile_fail
/// fn silent(db: &store::Db, actor: &store::Actor) -> Result<(), store::StoreError> {
///     db.write(actor, |tx| { tx.execute("delete from codes", [])?; Ok(()) })
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Audited<T> {
    pub(crate) events: Vec<Event>,
    pub(crate) value: T,
}
