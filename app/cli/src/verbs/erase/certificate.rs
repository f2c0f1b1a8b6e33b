//! `erase certificate`: one paper for each item that is proven, and none for any other.

use std::process::ExitCode;

use ::erase::{
    Cache, Done, EraseError, Item, Measured, Outcome, Plan, Record, Reported, Sealed, latest,
    read_all,
};
use base::report::{Kind, Report};
use forms::{CertificateSection, DisposalCertificate, disposal_certificate};
use jiff::Timestamp;
use serde::Serialize;

use super::{Desk, day_of, drawn, fonts, groups, numbered, size, write};
use crate::arguments::EraseCertificateArguments;
use crate::verbs::backup::moment;

#[derive(Serialize)]
struct Issued {
    certificates: Vec<Certificate>,
    unproven: Vec<u16>,
}

#[derive(Serialize)]
struct Certificate {
    item: u16,
    measured: bool,
    file: String,
}

pub(crate) fn certificate(
    asked: &EraseCertificateArguments,
    desk: &Desk<'_>,
) -> Result<ExitCode, Report> {
    let fonts = fonts()?;
    let sealed = Sealed::read(&asked.plan).map_err(EraseError::report)?;
    let wanted: Vec<&Item> = match asked.item {
        Some(number) => vec![sealed.item(number).map_err(EraseError::report)?],
        None => sealed.plan.items.iter().collect(),
    };
    let records = read_all(&asked.records, &sealed).map_err(EraseError::report)?;
    let now = desk.now();
    let mut issued = Issued {
        certificates: Vec::new(),
        unproven: Vec::new(),
    };
    for item in wanted {
        let newest = latest(&records, item.number);
        let Some((record, _, sha256)) = newest.filter(|(record, ..)| record.is_proof()) else {
            desk.voice.say(&unproven(item, newest.map(|one| &one.0)));
            issued.unproven.push(item.number);
            continue;
        };
        let paper = paper(&sealed, item, (record, sha256), now);
        let pdf = drawn(disposal_certificate(&fonts, &paper))?;
        let name = format!("{}-証明書.pdf", numbered(&sealed.plan, item.number));
        let file = write(&asked.to, &name, &pdf)?;
        desk.voice.say(&format!(
            "番号 {}（{}）の証明書を {} に書きました。",
            item.number,
            item.medium,
            file.display()
        ));
        issued.certificates.push(Certificate {
            item: item.number,
            measured: matches!(record.done, Done::Measured(_)),
            file: file.display().to_string(),
        });
    }
    if !issued.certificates.is_empty() {
        desk.note(&format!(
            "certificate／計画＝{}／証明書＝{}件",
            sealed.plan.id,
            issued.certificates.len()
        ))?;
    }
    desk.voice.result(&issued)?;
    if issued.unproven.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    desk.voice.say(&format!(
        "証明できないものが {} 件あります。手順書: runbooks/end-of-contract.md",
        issued.unproven.len()
    ));
    Err(Report::bare(Kind::CheckFailed))
}

fn unproven(item: &Item, newest: Option<&Record>) -> String {
    let why = match newest {
        None => "記録がありません",
        Some(_) => {
            "消去できなかったという記録です。物理的に破壊し、erase record で記録してください"
        }
    };
    format!(
        "番号 {}（{}）の証明書は作りません: {why}。",
        item.number, item.medium
    )
}

fn paper(
    sealed: &Sealed,
    item: &Item,
    (record, sha256): (&Record, &str),
    now: Timestamp,
) -> DisposalCertificate {
    let plan = &sealed.plan;
    let (title, statement, sections, notes) = match &record.done {
        Done::Measured(measured) => (
            "データ消去証明書",
            "次の媒体に記録されていた情報を、下記のとおり消去し、全体を読み戻して、元の情報が残っていないことを\
             確かめたことを証明します。",
            measured_facts(measured, record),
            measured_notes(measured),
        ),
        Done::Reported(reported) => (
            "消去・廃棄証明書（報告に基づく）",
            "次の媒体について、下記のとおり消去又は廃棄を行ったとの報告を受け、これを確認したことを証明します。",
            vec![reported_facts(reported, record)],
            vec![
                "この証明書は、行った者の報告と証明書類に基づきます。本システムが消去の結果を測定したものでは\
                 ありません。証明書類の写しを添付してください。"
                    .to_owned(),
            ],
        ),
    };
    let mut all = vec![medium_facts(plan, item)];
    all.extend(sections);
    all.push(CertificateSection {
        heading: "承諾された計画と記録".to_owned(),
        facts: facts(&[
            ("計画", format!("{}　番号 {}", plan.id, item.number)),
            ("計画のSHA-256", groups(&sealed.sha256).join(" ")),
            ("記録のSHA-256", groups(sha256).join(" ")),
        ]),
    });
    let mut signatures = vec![format!("担当者 {}", record.person), "作業責任者".to_owned()];
    signatures.extend(
        record
            .attendants
            .iter()
            .map(|name| format!("立会人 {name}")),
    );
    let unattended = record
        .attendants
        .is_empty()
        .then(|| record.unattended.clone().unwrap_or_default());
    DisposalCertificate {
        record_id: numbered(plan, item.number),
        title: title.to_owned(),
        number: format!("証明書番号 {}", numbered(plan, item.number)),
        issued_on: day_of(now),
        addressee: plan.addressee.clone(),
        contractor: plan.contractor.clone(),
        statement: statement.to_owned(),
        sections: all,
        notes,
        signatures,
        unattended,
        printed_at: now,
    }
}

fn facts(all: &[(&str, String)]) -> Vec<(String, String)> {
    let fact = |(label, value): &(&str, String)| ((*label).to_owned(), value.clone());
    all.iter().map(fact).collect()
}

fn medium_facts(plan: &Plan, item: &Item) -> CertificateSection {
    let mut all = vec![
        ("媒体名", item.medium.clone()),
        ("製造番号", item.numbers().join("、")),
    ];
    if let Some(device) = &item.device {
        all.push(("型番", device.model.clone()));
        all.push(("大きさ", size(device.size_bytes)));
    }
    all.push(("項目（記録された内容）", item.contents.clone()));
    all.push(("数量", item.amount.clone()));
    all.push(("申請した方法", item.method.words().to_owned()));
    all.push(("申請した日", day_of(plan.made_at)));
    CertificateSection {
        heading: "媒体".to_owned(),
        facts: facts(&all),
    }
}

fn measured_facts(measured: &Measured, record: &Record) -> Vec<CertificateSection> {
    let keys = match (measured.keys_destroyed, measured.keys_left) {
        (0, 0) => "単独で破棄する鍵はなし".to_owned(),
        (done, 0) => format!("LUKSの鍵をすべて破棄（{done}か所）、そのあと全体を上書き"),
        (done, left) => format!("LUKSの鍵を破棄（{done}か所）、{left}か所は上書きだけ"),
    };
    let cache = match measured.cache {
        Some(Cache::Direct) => "キャッシュを通さない読み戻し（O_DIRECT）",
        Some(Cache::Flushed) => "キャッシュを空にしてから読み戻し（BLKFLSBUF）",
        Some(Cache::Advised) => "キャッシュを手放すよう求めてから読み戻し",
        None => "読み戻していない",
    };
    let tools: Vec<&str> = measured.tools.values().map(String::as_str).collect();
    let linux = measured.tools.get("linux");
    let tools: Vec<String> = tools
        .into_iter()
        .map(|told| match linux {
            Some(linux) if linux == told => format!("Linux {told}"),
            Some(_) | None => told.to_owned(),
        })
        .collect();
    vec![
        CertificateSection {
            heading: "行ったこと".to_owned(),
            facts: facts(&[
                ("開始", moment(record.began_at)),
                ("終了", moment(record.ended_at)),
                ("担当者", record.person.clone()),
                ("暗号化の鍵", keys),
                (
                    "上書き",
                    format!(
                        "0で{}回、{}（{}回に分けて実行）",
                        measured.passes,
                        size(measured.written_bytes),
                        measured.sittings
                    ),
                ),
                ("使った道具", tools.join("、")),
            ]),
        },
        CertificateSection {
            heading: "確かめたこと".to_owned(),
            facts: facts(&[
                ("結果", verdict(measured).to_owned()),
                (
                    "読み戻し",
                    format!("{}（全体）", size(measured.verified_bytes)),
                ),
                ("読み方", cache.to_owned()),
            ]),
        },
    ]
}

fn verdict(measured: &Measured) -> &'static str {
    match measured.outcome {
        Outcome::Erased => "すべてのバイトが0。消去を確認",
        Outcome::NotErased { .. } => "消去できていない",
    }
}

fn measured_notes(measured: &Measured) -> Vec<String> {
    let mut notes = vec![
        "対象は、この機械から読み書きできる領域の全体です。NIST SP 800-88 の Clear に当たります。".to_owned(),
        "ディスクが自分で切り離した領域やSSD等の予備領域は、外からは読み書きできません。暗号化されていた領域では、\
         鍵の破棄により、そこに残るものも読めません。"
            .to_owned(),
    ];
    if measured.image {
        notes.push(
            "対象はディスクイメージのファイルです。それが載っているディスクの消去は、別に行います。".to_owned(),
        );
    }
    notes
}

fn reported_facts(reported: &Reported, record: &Record) -> CertificateSection {
    CertificateSection {
        heading: "報告されたこと".to_owned(),
        facts: facts(&[
            ("行った日時", moment(record.ended_at)),
            ("行った者", reported.by_whom.clone()),
            ("内容", reported.how.clone()),
            ("証明書類", reported.proof.clone()),
            ("記録した担当者", record.person.clone()),
            (
                "結果",
                "報告による（本システムは測定していない）".to_owned(),
            ),
        ]),
    }
}
