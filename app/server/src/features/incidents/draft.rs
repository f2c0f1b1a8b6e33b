//! First wordings of reports and notices, filled from what is known. Staff word them to the end.
//!
//! The nine items of the reports are those of 施行規則 第8条第1項 (for companies); 第44条 asks public
//! bodies for the same, which we could not read in the official text: docs/decisions/0022-incidents.md.

use super::model::{Incident, Known, TextKind};
use super::view;

/// What stands where nothing is known yet.
const OPEN: &str = "（調査中）";

/// A first wording.
pub(super) fn text(incident: &Incident, kind: TextKind) -> String {
    match kind {
        TextKind::Preliminary | TextKind::Final => report(&incident.known, kind),
        TextKind::Notice => notice(&incident.known),
        TextKind::Publication => publication(&incident.known),
    }
}

fn told(text: &str) -> &str {
    if text.is_empty() { OPEN } else { text }
}

fn persons(known: &Known) -> String {
    let count = known.persons.map(|count| format!("{count}人"));
    count.unwrap_or_else(|| OPEN.to_owned())
}

fn report(known: &Known, kind: TextKind) -> String {
    let first = match kind {
        TextKind::Preliminary => {
            "個人情報の保護に関する法律第68条第1項に基づき、把握している事項を次のとおり報告します（速報）。"
        }
        TextKind::Final | TextKind::Notice | TextKind::Publication => {
            "個人情報の保護に関する法律第68条第1項に基づき、次のとおり報告します（確報）。"
        }
    };
    let ground = if known.criteria.is_empty() {
        "当たるものなし（任意の報告）".to_owned()
    } else {
        let labels: Vec<&str> = known.criteria.iter().map(|one| one.label()).collect();
        labels.join("、")
    };
    let items = [
        (
            "1 概要",
            format!(
                "{}（{}）\n発生：{}\n知った日：{}",
                known.summary,
                known.kind.label(),
                told(&known.happened),
                view::day(known.known_on)
            ),
        ),
        (
            "2 漏えい等が発生し、又は発生したおそれがある保有個人情報の項目",
            told(&known.items).to_owned(),
        ),
        ("3 本人の数", persons(known)),
        ("4 原因", told(&known.cause).to_owned()),
        (
            "5 二次被害又はそのおそれの有無及びその内容",
            told(&known.secondary).to_owned(),
        ),
        ("6 本人への対応の実施状況", told(&known.response).to_owned()),
        ("7 公表の実施状況", told(&known.publication).to_owned()),
        ("8 再発防止のための措置", told(&known.prevention).to_owned()),
        ("9 その他参考となる事項", told(&known.other).to_owned()),
    ];
    let mut lines = vec![
        first.to_owned(),
        String::new(),
        format!("報告の理由：{ground}"),
    ];
    for (label, value) in items {
        lines.extend([String::new(), label.to_owned(), value]);
    }
    lines.extend([
        String::new(),
        "担当：和光市 長寿あんしん課　（担当者名・電話番号を記入）".to_owned(),
    ]);
    lines.join("\n")
}

fn notice(known: &Known) -> String {
    format!(
        "（宛名）様\n\n\
         このたび、和光市が取り扱うあなたの個人情報について、次の事態が起きました。\
         ご迷惑とご心配をおかけし、深くおわびします。\n\n\
         起きたこと\n{}\n\n\
         対象となった情報\n{}\n\n\
         原因\n{}\n\n\
         考えられる影響と、お気をつけいただきたいこと\n{}\n\n\
         市が行ったこと、これから行うこと\n{}\n{}\n\n\
         不審な電話や郵便などがありましたら、すぐに次へお知らせください。\n\
         お問い合わせ：和光市 長寿あんしん課　（電話番号・受付時間を記入）",
        known.summary,
        told(&known.items),
        told(&known.cause),
        told(&known.secondary),
        told(&known.response),
        told(&known.prevention),
    )
}

fn publication(known: &Known) -> String {
    format!(
        "個人情報の{}について\n\n\
         和光市が取り扱う個人情報について、次の事態が起きました。\
         関係する皆さまにご迷惑をおかけし、深くおわびします。\n\n\
         1 概要\n{}\n\n\
         2 対象となった情報と人数\n{}　{}\n\n\
         3 経緯\n発生：{}\n知った日：{}\n\n\
         4 原因\n{}\n\n\
         5 対応\n{}\n\n\
         6 再発防止\n{}\n\n\
         お問い合わせ：和光市 長寿あんしん課　（電話番号を記入）\n\
         （公表する前に、本人が分かる記述が残っていないか確かめてください）",
        known.kind.label(),
        known.summary,
        told(&known.items),
        persons(known),
        told(&known.happened),
        view::day(known.known_on),
        told(&known.cause),
        told(&known.response),
        told(&known.prevention),
    )
}
