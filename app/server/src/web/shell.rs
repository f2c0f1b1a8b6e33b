//! What stands around every page: header, menu by permission, crumbs, flash, footer.

use crate::web::banner::{self, Banner};
use crate::web::menu::{self, MenuGroup};
use crate::web::permission::Permission;
use crate::web::visit::Visit;

/// One step of the way to a page.
#[derive(Debug, Clone)]
pub struct Crumb {
    /// What it is called.
    pub label: String,
    /// Where it leads; `None` for the page itself.
    pub href: Option<String>,
}

/// One sentence about what was just done.
#[derive(Debug, Clone)]
pub struct Flash {
    /// `done`, `warn` or `bad`.
    pub css: &'static str,
    /// The sentence.
    pub text: &'static str,
}

/// Who is signed in, for the header.
#[derive(Debug, Clone)]
pub struct StaffBadge {
    /// Name.
    pub name: String,
    /// Role in words.
    pub role: &'static str,
    /// Centre or section.
    pub centre: String,
}

/// Everything that `web/shell.html` and `web/bare.html` show.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Title and heading.
    pub title: String,
    /// The way here; empty on the start page.
    pub crumbs: Vec<Crumb>,
    /// What this person may open.
    pub menu: Vec<MenuGroup>,
    /// What was just done.
    pub flash: Option<Flash>,
    /// Who is signed in.
    pub staff: Option<StaffBadge>,
    /// Token for forms of this page.
    pub csrf: String,
    /// Version of the program.
    pub version: &'static str,
    /// Report number of this request.
    pub report: Option<String>,
    /// True when the find box is in the header.
    pub find: bool,
    /// What the find box holds.
    pub query: String,
    /// A line for everybody (demonstration, battery).
    pub notice: Option<String>,
    /// What administrators must not overlook.
    pub banners: Vec<Banner>,
}

/// What a page may say after a redirect: the address carries the key, never a text.
const FLASHES: &[(&str, Flash)] = &[
    (
        "carried-out-ended",
        Flash {
            css: "done",
            text: "返却・廃棄を保存しました。",
        },
    ),
    (
        "disposed",
        Flash {
            css: "done",
            text: "廃棄しました。廃棄の記録を残しています。",
        },
    ),
    (
        "carried-out-reopened",
        Flash {
            css: "done",
            text: "返却・廃棄を取り消しました。前の記録も残っています。",
        },
    ),
    (
        "saved",
        Flash {
            css: "done",
            text: "保存しました。",
        },
    ),
    (
        "attached",
        Flash {
            css: "done",
            text: "添付しました。",
        },
    ),
    (
        "attached-unscanned",
        Flash {
            css: "warn",
            text: "添付しました。ウイルス検査が動いていないため、「未検査」の印が付いています。動きしだい検査します。",
        },
    ),
    (
        "attachment-withdrawn",
        Flash {
            css: "done",
            text: "添付を取り消しました。中身はもう開けません。",
        },
    ),
    (
        "corrected",
        Flash {
            css: "done",
            text: "訂正を保存しました。前の内容も残っています。",
        },
    ),
    (
        "withdrawn",
        Flash {
            css: "done",
            text: "取り下げました。記録は残っています。",
        },
    ),
    (
        "put-back",
        Flash {
            css: "done",
            text: "以前の状態に戻しました。前の内容も残っています。取り消すときも「以前の状態」から戻せます。",
        },
    ),
    (
        "bytes-back",
        Flash {
            css: "done",
            text: "ファイルの中身をバックアップから戻しました。",
        },
    ),
    (
        "opening-closed",
        Flash {
            css: "done",
            text: "控えを閉じ、写しを消しました。",
        },
    ),
    (
        "identified",
        Flash {
            css: "done",
            text: "対象者を登録しました。",
        },
    ),
    (
        "followed-up",
        Flash {
            css: "done",
            text: "次回予定を完了にしました。",
        },
    ),
    (
        "noted",
        Flash {
            css: "done",
            text: "引継ぎ内容を保存しました。前の内容も残っています。",
        },
    ),
    (
        "received",
        Flash {
            css: "done",
            text: "受領を記録しました。",
        },
    ),
    (
        "planned",
        Flash {
            css: "done",
            text: "予定に入れました。その日の0時に切り替わります。",
        },
    ),
    (
        "plan-withdrawn",
        Flash {
            css: "done",
            text: "予定を取りやめました。担当は変わりません。",
        },
    ),
    (
        "shared",
        Flash {
            css: "done",
            text: "登録しました。相手の画面に表示されます。",
        },
    ),
    (
        "share-ended",
        Flash {
            css: "done",
            text: "終わらせました。相手の画面には、もう表示されません。",
        },
    ),
    (
        "confirmed",
        Flash {
            css: "done",
            text: "確認しました。",
        },
    ),
    (
        "decided",
        Flash {
            css: "done",
            text: "判断を保存しました。",
        },
    ),
    (
        "password",
        Flash {
            css: "done",
            text: "パスワードを変えました。ほかの端末からはサインアウトしました。",
        },
    ),
    (
        "signed",
        Flash {
            css: "done",
            text: "署名つき記録を作りました。印刷して、機械の外に保管してください。",
        },
    ),
    (
        "reviewed",
        Flash {
            css: "done",
            text: "確認済みにしました。",
        },
    ),
    (
        "signed-out",
        Flash {
            css: "done",
            text: "サインアウトしました。",
        },
    ),
    (
        "again",
        Flash {
            css: "done",
            text: "同じ内容はすでに保存されています。",
        },
    ),
    (
        "posted",
        Flash {
            css: "done",
            text: "異動を保存しました。前の所属の期間も残っています。",
        },
    ),
    (
        "post-ended",
        Flash {
            css: "done",
            text: "在職期間を保存しました。",
        },
    ),
    (
        "unlocked",
        Flash {
            css: "done",
            text: "待ち時間を解除しました。すぐにサインインできます。",
        },
    ),
    (
        "factor",
        Flash {
            css: "done",
            text: "本人確認の方法を登録しました。",
        },
    ),
    (
        "factor-reset",
        Flash {
            css: "done",
            text: "本人確認の方法を取り消しました。次のサインインで登録し直します。",
        },
    ),
    (
        "sessions-ended",
        Flash {
            css: "done",
            text: "すべての端末からサインアウトさせました。",
        },
    ),
    (
        "terminal-lost",
        Flash {
            css: "done",
            text: "紛失として使えなくしました。この端末のセッションも終わりました。",
        },
    ),
    (
        "terminal-retired",
        Flash {
            css: "done",
            text: "使用を終えました。この端末のセッションも終わりました。",
        },
    ),
    (
        "registered",
        Flash {
            css: "warn",
            text: "この職員はすでに登録されています。仮のパスワードを見ていないときは、再発行してください。",
        },
    ),
    (
        "grant-asked",
        Flash {
            css: "done",
            text: "申請しました。別の担当者が承認すると、開けるようになります。",
        },
    ),
    (
        "grant-urgent",
        Flash {
            css: "warn",
            text: "緊急の許可で開けるようにしました。明日で終わります。別の担当者が確かめます。",
        },
    ),
    (
        "ended-protection",
        Flash {
            css: "done",
            text: "終了を保存しました。記録は残っています。",
        },
    ),
    (
        "rights-changed",
        Flash {
            css: "done",
            text: "役割の権限の変更を保存しました。適用の日の0時に効きます。",
        },
    ),
    (
        "right-withdrawn",
        Flash {
            css: "done",
            text: "予定されていた変更を取りやめました。",
        },
    ),
    (
        "exception-added",
        Flash {
            css: "done",
            text: "権限の例外を保存しました。",
        },
    ),
    (
        "exception-ended",
        Flash {
            css: "done",
            text: "権限の例外の最後の日を保存しました。",
        },
    ),
    (
        "line-added",
        Flash {
            css: "done",
            text: "1件加えました。",
        },
    ),
    (
        "line-removed",
        Flash {
            css: "done",
            text: "1件外しました。",
        },
    ),
    (
        "plan-confirmed",
        Flash {
            css: "done",
            text: "一覧を確定しました。適用の日の0時に効きます。",
        },
    ),
    (
        "rights-plan-withdrawn",
        Flash {
            css: "done",
            text: "一覧をまとめて取りやめました。",
        },
    ),
    (
        "approval-asked",
        Flash {
            css: "warn",
            text: "承認を依頼しました。別の人が承認するまで、何も変わりません。",
        },
    ),
    (
        "approved",
        Flash {
            css: "done",
            text: "承認しました。",
        },
    ),
    (
        "approval-refused",
        Flash {
            css: "done",
            text: "却下しました。何も変わっていません。",
        },
    ),
    (
        "approval-withdrawn",
        Flash {
            css: "done",
            text: "依頼を取り下げました。",
        },
    ),
    (
        "approval-stopped",
        Flash {
            css: "warn",
            text: "不適切として止めました。もう使えません。",
        },
    ),
    (
        "preserved",
        Flash {
            css: "done",
            text: "証拠を保全しました。フォルダを、この機械の外の媒体にも写してください。",
        },
    ),
    (
        "granted",
        Flash {
            css: "done",
            text: "保守作業を許可しました。作業者は、許可した時間の間だけサインインできます。",
        },
    ),
    (
        "window-ended",
        Flash {
            css: "done",
            text: "保守作業を終わらせました。作業者はサインアウトしました。",
        },
    ),
    (
        "ended",
        Flash {
            css: "done",
            text: "訂正を取り消し、住民記録の値に戻しました。",
        },
    ),
];

impl Shell {
    /// The surroundings of a page of this visit.
    pub fn new(visit: &Visit, title: impl Into<String>) -> Self {
        let title = title.into();
        Self {
            crumbs: Vec::new(),
            menu: menu::of(visit),
            flash: flash(visit.query.get("done")),
            staff: badge(visit),
            csrf: visit.csrf(),
            version: env!("CARGO_PKG_VERSION"),
            report: Some(visit.number.clone()),
            find: visit.may(Permission::ResidentFind) && visit.app.has_page("/residents"),
            query: String::new(),
            notice: visit.app.settings().notice.clone(),
            banners: banner::of(visit),
            title,
        }
    }

    /// Adds the way here: pages above this one, nearest last; the page itself is added.
    #[must_use]
    pub fn under(mut self, above: &[(&str, &str)]) -> Self {
        let start = ("今日の予定", "/");
        self.crumbs = std::iter::once(&start)
            .chain(above)
            .map(|(label, href)| Crumb {
                label: (*label).to_owned(),
                href: Some((*href).to_owned()),
            })
            .chain([Crumb {
                label: self.title.clone(),
                href: None,
            }])
            .collect();
        self
    }

    /// Leaves what was looked for in the find box.
    #[must_use]
    pub fn looking_for(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }
}

fn flash(key: &str) -> Option<Flash> {
    FLASHES
        .iter()
        .find(|(known, _)| *known == key)
        .map(|(_, flash)| flash.clone())
}

fn badge(visit: &Visit) -> Option<StaffBadge> {
    visit.staff.as_ref().map(|staff| StaffBadge {
        name: staff.name.clone(),
        role: staff.role.label(),
        centre: staff.centre_name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::FLASHES;

    #[test]
    fn each_key_says_one_sentence() {
        let keys: std::collections::BTreeSet<_> = FLASHES.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), FLASHES.len());
    }
}
