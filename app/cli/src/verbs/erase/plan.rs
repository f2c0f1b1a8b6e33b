//! `erase plan`: what holds data, on paper for the city and as a file for the run.

use std::process::ExitCode;

use ::erase::{EraseError, Item, Plan, Sealed, disks, image, list};
use base::clock::japanese_day;
use base::report::Report;
use forms::{
    Column, DisposalApplication, DisposalRow, Section, TableReport, disposal_application,
    table_report,
};
use serde::Serialize;

use super::{Desk, day, day_of, drawn, fonts, groups, size, write};
use crate::arguments::ErasePlanArguments;
use crate::verbs::backup::moment;

#[derive(Serialize)]
struct Planned<'a> {
    id: &'a str,
    sha256: &'a str,
    plan: String,
    application: String,
    schedule: String,
    items: &'a [Item],
}

pub(crate) fn plan(asked: &ErasePlanArguments, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let fonts = fonts()?;
    let now = desk.now();
    let listed = list(&asked.list, japanese_day(now)).map_err(EraseError::report)?;
    let mut found = disks().map_err(EraseError::report)?;
    for path in &asked.image {
        found.push(image(path).map_err(EraseError::report)?);
    }
    let plan = Plan::made(listed, found, &desk.operator.name, now);
    let plan = plan.map_err(EraseError::report)?;
    let (sealed, bytes) = Sealed::new(plan).map_err(EraseError::report)?;
    let plan = &sealed.plan;
    let application = drawn(disposal_application(&fonts, &application(&sealed)))?;
    let schedule = drawn(table_report(&fonts, &schedule(&sealed)))?;
    let id = &plan.id;
    let file = asked.to.join(format!("{id}.json"));
    if file.exists() {
        let words = "同じ番号の計画があります。もう一度実行してください。".to_owned();
        return Err(EraseError::Refused(words).report().at(file));
    }
    // The papers first: a plan that lies there has its papers.
    let application = write(&asked.to, &format!("{id}-申請書.pdf"), &application)?;
    let schedule = write(&asked.to, &format!("{id}-撤去作業予定表.pdf"), &schedule)?;
    let file = write(&asked.to, &format!("{id}.json"), &bytes)?;
    for item in &plan.items {
        desk.voice.say(&line(item));
    }
    for one in &plan.left_out {
        desk.voice.say(&format!(
            "対象外 {} {}（{}）",
            one.device.path.display(),
            one.device.serial,
            one.reason
        ));
    }
    desk.voice.say(&format!(
        "計画 {id} を {} に書きました。申請書を印刷し、市の承諾を得てから、hokatsu erase run を実行してください。\n\
         SHA-256 {}",
        file.display(),
        groups(&sealed.sha256).join(" ")
    ));
    desk.note(&format!("plan／計画＝{id}／品目＝{}件", plan.items.len()))?;
    desk.voice.result(&Planned {
        id,
        sha256: &sealed.sha256,
        plan: file.display().to_string(),
        application: application.display().to_string(),
        schedule: schedule.display().to_string(),
        items: &plan.items,
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn line(item: &Item) -> String {
    let numbers = item.numbers().join("、");
    let numbers = if numbers.is_empty() {
        "製造番号なし".to_owned()
    } else {
        numbers
    };
    format!(
        "{:>3} {} {} {} {} {}",
        item.number,
        item.medium,
        numbers,
        item.amount,
        item.method.words(),
        day(item.planned_on)
    )
}

fn application(sealed: &Sealed) -> DisposalApplication {
    let plan = &sealed.plan;
    let row = |item: &Item| {
        let mut serials = item.numbers();
        if let Some(device) = &item.device {
            serials.push(size(device.size_bytes));
        }
        DisposalRow {
            number: item.number.to_string(),
            medium: item.medium.clone(),
            serials,
            contents: item.contents.clone(),
            amount: item.amount.clone(),
            method: item.method.words().to_owned(),
            planned_on: day(item.planned_on),
            attendants: item.attendants.join("、"),
            note: item.note.clone(),
        }
    };
    let left_out = plan.left_out.iter().map(|one| {
        let device = &one.device;
        let name = format!(
            "{} {} {}",
            device.model,
            device.serial,
            size(device.size_bytes)
        );
        (name.trim().to_owned(), one.reason.clone())
    });
    DisposalApplication {
        record_id: plan.id.clone(),
        applied_on: day_of(plan.made_at),
        addressee: plan.addressee.clone(),
        contractor: plan.contractor.clone(),
        person: plan.made_by.clone(),
        rows: plan.items.iter().map(row).collect(),
        left_out: left_out.collect(),
        plan_id: plan.id.clone(),
        sha256: groups(&sealed.sha256),
        printed_at: plan.made_at,
    }
}

/// Day by day, with room for the time that is agreed with the city and for who was there.
fn schedule(sealed: &Sealed) -> TableReport {
    let plan = &sealed.plan;
    let mut days: Vec<jiff::civil::Date> = plan.items.iter().map(|item| item.planned_on).collect();
    days.sort();
    days.dedup();
    let columns = [
        ("番号", 2),
        ("媒体名・製造番号", 8),
        ("数量", 3),
        ("作業", 4),
        ("立会人", 5),
        ("時刻", 3),
        ("実施・確認印", 4),
    ];
    let sections = days.into_iter().map(|on| Section {
        heading: day(on),
        columns: columns
            .iter()
            .map(|(label, share)| Column::new(label, *share))
            .collect(),
        rows: plan
            .items
            .iter()
            .filter(|item| item.planned_on == on)
            .map(|item| {
                vec![
                    item.number.to_string(),
                    [vec![item.medium.clone()], item.numbers()]
                        .concat()
                        .join("\n"),
                    item.amount.clone(),
                    item.method.words().to_owned(),
                    item.attendants.join("、"),
                    "　".to_owned(),
                    "　".to_owned(),
                ]
            })
            .collect(),
    });
    TableReport {
        title: "撤去作業予定表".to_owned(),
        record_id: format!("{}-schedule", plan.id),
        about: format!("計画 {}　{}", plan.id, plan.contractor),
        printed_at: plan.made_at,
        printed_on: moment(plan.made_at),
        printed_by: plan.made_by.clone(),
        sections: sections.collect(),
    }
}
