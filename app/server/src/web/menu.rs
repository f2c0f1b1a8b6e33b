//! The menu: pages in groups, each page for those who may open it.
//!
//! Shape: [`GROUPS`] in the order of the screen; a group is a `<details>`, so that it works by keyboard
//! and without a script. The group of the page shown is open; whoever has few pages sees all of them
//! ([`OPEN_MAX`]). A page without an item of its own stands under another one ([`BELOW`]).
//! Invariant: nothing is offered that would answer 403.

use crate::web::permission::Permission;
use crate::web::visit::Visit;

/// Up to so many pages all groups stand open: more do not fit beside a page of the office PC.
const OPEN_MAX: usize = 17;

/// One entry of the menu.
#[derive(Debug, Clone)]
pub struct MenuItem {
    /// What it is called.
    pub label: &'static str,
    /// Where it leads.
    pub href: &'static str,
    /// True on this page and those below it.
    pub current: bool,
    /// So much waits there for this person.
    pub waiting: i64,
}

/// Pages that belong together.
#[derive(Debug, Clone)]
pub struct MenuGroup {
    /// What they are called; empty: they stand above the groups.
    pub label: &'static str,
    /// At least one.
    pub items: Vec<MenuItem>,
    /// Its pages can be seen at once.
    pub open: bool,
}

impl MenuGroup {
    /// What waits behind it while it is closed.
    pub fn waiting(&self) -> i64 {
        if self.open {
            0
        } else {
            self.items.iter().map(|item| item.waiting).sum()
        }
    }
}

type Entry = (&'static str, &'static str, Permission);

const GROUPS: &[(&str, &[Entry])] = &[
    ("", &[("/", "今日の予定", Permission::SignedIn)]),
    (
        "日々の仕事",
        &[
            ("/residents", "住民をさがす", Permission::ResidentFind),
            ("/consultations", "相談記録", Permission::ConsultationView),
            ("/abuse-cases", "虐待対応", Permission::AbuseView),
            ("/inquiries", "照会", Permission::ResidentInquire),
            ("/assignments", "担当", Permission::ResidentView),
            ("/transfers", "引継ぎ", Permission::TransferHandle),
            ("/changes", "異動と食い違い", Permission::ResidentCorrect),
            ("/former-states", "以前の状態", Permission::FormerStateUse),
        ],
    ),
    (
        "承認と持出し",
        &[
            ("/approvals", "承認", Permission::SignedIn),
            ("/protections", "閲覧制限", Permission::ProtectionAdminister),
            ("/carried-out", "持出し台帳", Permission::CarriedOutRecord),
            ("/retention", "保存期間と廃棄", Permission::RetentionView),
        ],
    ),
    (
        "監査と点検",
        &[
            ("/access-log", "アクセスログ", Permission::AccessLogView),
            (
                "/unusual-uses",
                "いつもと違う利用",
                Permission::UnusualUseView,
            ),
            ("/incidents", "事故対応", Permission::IncidentView),
            (
                "/data-holdings",
                "個人情報管理台帳",
                Permission::DataRegisterView,
            ),
            ("/inspections", "定期点検", Permission::DataRegisterView),
        ],
    ),
    (
        "職員とシステム",
        &[
            ("/staff", "職員", Permission::StaffView),
            ("/rights", "権限", Permission::StaffView),
            ("/terminals", "端末", Permission::TerminalView),
            ("/backup-disks", "バックアップ", Permission::BackupDiskView),
            ("/conditions", "装置の状態", Permission::MachineView),
            ("/imports", "取込み", Permission::ImportView),
            ("/overview", "件数とマスタ", Permission::MasterView),
            ("/maintenance", "保守作業", Permission::MaintenanceView),
            ("/maintenance/own", "保守作業", Permission::MaintenanceWork),
            ("/password", "パスワード変更", Permission::SignedIn),
        ],
    ),
];

/// Pages that are found from another one, and which.
const BELOW: &[(&str, &str)] = &[
    ("/area-changes", "/overview"),
    ("/break-glass", "/maintenance"),
    ("/case-grants", "/assignments"),
    ("/disposals", "/retention"),
    ("/restores", "/staff"),
    ("/second-factors", "/password"),
    ("/viruses", "/conditions"),
];

/// What this person may open.
pub(crate) fn of(visit: &Visit) -> Vec<MenuGroup> {
    let waiting = visit.app.waiting(visit);
    let path = visit.path.as_str();
    let item = |(href, label, _): &Entry| MenuItem {
        label,
        href,
        current: is_under(path, href),
        waiting: waiting
            .iter()
            .filter(|(place, _)| place == href)
            .map(|(_, count)| count)
            .sum(),
    };
    let offered = |(_, _, permission): &&Entry| visit.may(*permission);
    let groups = GROUPS.iter().map(|(label, entries)| MenuGroup {
        label,
        items: entries
            .iter()
            .filter(offered)
            .filter(|(href, ..)| visit.app.has_page(href))
            .map(item)
            .collect(),
        open: false,
    });
    opened(groups.filter(|group| !group.items.is_empty()).collect())
}

fn is_under(path: &str, href: &str) -> bool {
    let within = |place: &str| path == place || path.starts_with(&format!("{place}/"));
    let below = BELOW.iter().filter(|(_, above)| *above == href);
    path == href || (href != "/" && (within(href) || below.map(|b| b.0).any(within)))
}

fn opened(mut groups: Vec<MenuGroup>) -> Vec<MenuGroup> {
    let pages: usize = groups.iter().map(|group| group.items.len()).sum();
    // Whoever stands outside every group, as on the first page, has the day's work before her.
    let somewhere = groups
        .iter()
        .any(|group| !group.label.is_empty() && group.items.iter().any(|item| item.current));
    let mut first = !somewhere;
    for group in &mut groups {
        let current = group.items.iter().any(|item| item.current);
        group.open = group.label.is_empty() || pages <= OPEN_MAX || current || first;
        first = first && group.label.is_empty();
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::{BELOW, GROUPS, MenuGroup, MenuItem, OPEN_MAX, is_under, opened};

    fn groups(sizes: &[usize], current: Option<(usize, usize)>) -> Vec<bool> {
        let groups = sizes.iter().enumerate().map(|(group, size)| MenuGroup {
            label: if group == 0 { "" } else { "x" },
            items: (0..*size)
                .map(|item| MenuItem {
                    label: "x",
                    href: "/x",
                    current: current == Some((group, item)),
                    waiting: 1,
                })
                .collect(),
            open: false,
        });
        let opened = opened(groups.collect());
        opened.iter().map(|group| group.open).collect()
    }

    #[test]
    fn few_pages_are_all_seen_and_of_many_the_group_of_the_page_shown() {
        let (few, many) = ([1, 7, OPEN_MAX - 8], [1, 8, OPEN_MAX - 8]);
        assert_eq!(groups(&few, None), [true, true, true]);
        assert_eq!(groups(&many, Some((2, 3))), [true, false, true]);
        assert_eq!(groups(&many, Some((0, 0))), [true, true, false]);
        assert_eq!(groups(&many, None), [true, true, false]);
    }

    #[test]
    fn a_page_below_another_stands_under_its_item_and_a_similar_address_does_not() {
        assert!(is_under("/staff/3/rights", "/staff") && is_under("/", "/"));
        assert!(is_under("/disposals/4", "/retention") && !is_under("/disposals/4", "/"));
        assert!(!is_under("/staffing", "/staff") && !is_under("/residents", "/"));
    }

    #[test]
    fn each_address_stands_once_and_what_is_below_names_an_item() {
        let items: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, entries)| entries.iter().map(|entry| entry.0))
            .collect();
        let once: std::collections::BTreeSet<_> = items.iter().collect();
        assert_eq!(once.len(), items.len());
        for (_, above) in BELOW {
            assert!(items.contains(above), "{above}");
        }
    }
}
