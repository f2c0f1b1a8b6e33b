//! `runbook`: the pages for whoever repairs the machine, from the binary itself. They open nothing and name nobody.

use std::process::ExitCode;

use base::report::{Kind, Report};
use base::runbooks::{self, Page};
use serde::Serialize;

use crate::output::Voice;

/// Lines that a screen of the console shows at once, with the question below them.
const SCREEN_LINES: usize = 24;

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    title: &'a str,
    text: &'a str,
}

pub(crate) fn run(name: Option<&str>, voice: &Voice) -> Result<ExitCode, Report> {
    match name {
        None => list(voice)?,
        Some(name) => {
            let Some(page) = runbooks::page(name) else {
                voice.say(&format!(
                    "手順書「{name}」はありません。一覧は hokatsu runbook で見られます。"
                ));
                return Err(Report::bare(Kind::Usage));
            };
            voice.say(&page.text);
            voice.result(&Shown {
                name: &page.stem,
                title: &page.title,
                text: &page.text,
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(voice: &Voice) -> Result<(), Report> {
    let all = runbooks::all();
    for page in &all {
        voice.say(&format!("{:<24} {}", page.stem, page.title));
    }
    let listed: Vec<Listed<'_>> = all
        .iter()
        .map(|page| Listed {
            name: &page.stem,
            title: &page.title,
        })
        .collect();
    voice.result(&listed)
}

/// At the console: one is chosen by its number and read by the screenful.
pub(crate) fn read(voice: &Voice) -> Result<(), Report> {
    let all = runbooks::all();
    for (page, number) in all.iter().zip(1..) {
        voice.say(&format!("{number:>3}  {}（{}）", page.title, page.stem));
    }
    let chosen = voice.pick("どれを読みますか", all.len())?;
    let Some(page) = chosen.checked_sub(1).and_then(|at| all.get(at)) else {
        return Ok(());
    };
    let screens = screens(page);
    for (screen, at) in screens.iter().zip(1..) {
        voice.clear();
        voice.say(screen);
        if at < screens.len() {
            let answer = voice.ask(&format!(
                "{at}/{}　Enter で続き、q と Enter で終わり: ",
                screens.len()
            ))?;
            if answer == "q" {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn screens(page: &Page) -> Vec<String> {
    let lines: Vec<&str> = page.text.lines().collect();
    let screens = lines.chunks(SCREEN_LINES);
    screens.map(|screen| screen.join("\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_into_screens_and_nothing_is_left_out() {
        let page = runbooks::page("raid-disk").unwrap();
        let screens = screens(&page);
        assert!(screens.len() > 1);
        assert!(
            screens
                .iter()
                .all(|screen| screen.lines().count() <= SCREEN_LINES)
        );
        assert_eq!(screens.join("\n"), page.text.trim_end_matches('\n'));
    }
}
