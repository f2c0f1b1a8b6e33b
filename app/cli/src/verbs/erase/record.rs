//! `erase record`: what was done where no program sees it, as somebody reports it.

use std::process::ExitCode;

use ::erase::{Done, EraseError, Method, Record, Reported};
use base::report::{Kind, Report};
use serde::Serialize;

use super::{Desk, plan, records_dir};
use crate::arguments::EraseRecordArguments;
use crate::verbs::moment;

#[derive(Serialize)]
struct Noted<'a> {
    item: u16,
    record_file: String,
    record: &'a Record,
}

pub(crate) fn record(asked: &EraseRecordArguments, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let sealed = desk.agreed(&asked.plan, asked.sha256.as_deref())?;
    let item = sealed.item(asked.item).map_err(EraseError::report)?;
    for (text, option) in [
        (&asked.how, "--how"),
        (&asked.by, "--by"),
        (&asked.proof, "--proof"),
    ] {
        desk.line(text, option)?;
    }
    let on = moment(&asked.on, desk.voice)?;
    let now = desk.now();
    if on > now || on < sealed.plan.made_at {
        desk.voice
            .say("--on は、計画を作ったときから今までの日時を書いてください。");
        return Err(Report::bare(Kind::Usage));
    }
    desk.voice.say(&plan::line(item));
    if item.method == Method::Overwrite {
        desk.voice.say(
            "この番号は、上書き消去として承諾されています。別の方法で行うことの承諾を得てから記録してください。",
        );
    }
    desk.voice.say(&format!(
        "{}に、{}が行ったと記録します: {}（{}）",
        crate::verbs::backup::moment(on),
        asked.by,
        asked.how,
        asked.proof
    ));
    let done = Done::Reported(Reported {
        how: asked.how.trim().to_owned(),
        by_whom: asked.by.trim().to_owned(),
        proof: asked.proof.trim().to_owned(),
    });
    // It ended when it was done; that it was written down later shows in the file's own times.
    let of = (&sealed, item.number);
    let mut record = Record::new(of, &desk.operator.name, (on, on), done);
    desk.witnessed(item, &asked.witness, &mut record)?;
    desk.voice.confirm("記録しますか。", asked.yes)?;
    let dir = records_dir(asked.records.as_ref(), &asked.plan);
    let file = record.write(&dir).map_err(EraseError::report)?;
    desk.note(&format!(
        "record／計画＝{}／番号＝{}",
        sealed.plan.id, item.number
    ))?;
    desk.voice.say(&format!("記録しました。{}", file.display()));
    desk.voice.result(&Noted {
        item: item.number,
        record_file: file.display().to_string(),
        record: &record,
    })?;
    Ok(ExitCode::SUCCESS)
}
