//! The only way out: sentences to stderr, one JSON object to stdout.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this module is the way out"
)]

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use base::report::{Kind, Report};
use serde::Serialize;

/// How this run speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    json: bool,
    quiet: bool,
}

impl Voice {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// A sentence for people.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// The result for machines; written out at once, because a reader may be waiting on a pipe.
    pub(crate) fn result(&self, value: &impl Serialize) -> Result<(), Report> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string(value).map_err(|e| Report::new(Kind::Fault, e))?;
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        written.map_err(|e| Report::new(Kind::Fault, e))
    }

    /// Progress bars only where somebody looks.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Asks before something is changed. Without a terminal the answer is no.
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<(), Report> {
        if yes {
            return Ok(());
        }
        let input = std::io::stdin();
        if !input.is_terminal() {
            self.say("確認が要る操作です。内容を確かめ、--yes を付けてもう一度実行してください。");
            return Err(Report::bare(Kind::Usage));
        }
        eprint!("{question} [はい: y／いいえ: n] ");
        let mut answer = String::new();
        let read = input.lock().read_line(&mut answer);
        read.map_err(|e| Report::new(Kind::Interrupted, e))?;
        if matches!(answer.trim(), "はい" | "y" | "yes") {
            Ok(())
        } else {
            self.say("何も変えずに終わりました。");
            Err(Report::bare(Kind::Interrupted))
        }
    }

    /// Does somebody sit there who can be asked?
    pub(crate) fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    /// Asks which one of a numbered list is meant, from 1; nothing chosen ends it.
    pub(crate) fn pick(&self, question: &str, count: usize) -> Result<usize, Report> {
        loop {
            eprint!("{question} [1–{count}、やめるなら Enter] ");
            let mut answer = String::new();
            let read = std::io::stdin().lock().read_line(&mut answer);
            read.map_err(|e| Report::new(Kind::Interrupted, e))?;
            if answer.trim().is_empty() {
                self.say("何も変えずに終わりました。");
                return Err(Report::bare(Kind::Interrupted));
            }
            match answer.trim().parse::<usize>() {
                Ok(number) if (1..=count).contains(&number) => return Ok(number),
                Ok(_) | Err(_) => self.say("番号で答えてください。"),
            }
        }
    }

    /// Asks for a word. Without a terminal there is nobody to ask, which is wrong usage.
    pub(crate) fn ask(&self, question: &str) -> Result<String, Report> {
        let input = std::io::stdin();
        if !input.is_terminal() {
            self.say(
                "この操作には、操作する人と理由が要ります。--operator 氏名 --reason 理由 を付けてください。",
            );
            return Err(Report::bare(Kind::Usage));
        }
        eprint!("{question}");
        let mut answer = String::new();
        let read = input.lock().read_line(&mut answer);
        // Nothing at all, not even an empty line: the terminal has hung up.
        if read.map_err(|e| Report::new(Kind::Interrupted, e))? == 0 {
            return Err(Report::bare(Kind::Interrupted));
        }
        Ok(answer.trim().to_owned())
    }

    /// Shows what must not stay: after Enter it is neither on the screen nor above it.
    pub(crate) fn show_once(&self, text: &str) -> Result<(), Report> {
        eprint!("{text}\n書き終えたら Enter を押してください。画面から消えます。 ");
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        self.clear();
        read.map_err(|e| Report::new(Kind::Interrupted, e))?;
        Ok(())
    }

    /// Empties the screen and what scrolled out of it, and goes back to the first place.
    #[expect(clippy::unused_self, reason = "the only way out is a voice")]
    pub(crate) fn clear(&self) {
        eprint!("\u{1b}[2J\u{1b}[3J\u{1b}[H");
    }

    /// What failed, on which thing, what to type next, which runbook.
    pub(crate) fn report(&self, report: &Report) {
        if let Some(advice) = report.for_operator() {
            let target = advice
                .target
                .map(|target| format!("（{target}）"))
                .unwrap_or_default();
            eprintln!("{}{target}", advice.text);
            eprintln!("手順書: runbooks/{}.md", advice.runbook.stem());
        } else if let Some(cause) = report.cause() {
            eprintln!("{cause}");
        }
        log::debug!("{}", report.for_developer());
    }
}

/// Help and version are answers; anything else was typed wrong.
pub(crate) fn usage(asked: &clap::Error) -> ExitCode {
    if asked.use_stderr() {
        eprint!("{asked}");
        ExitCode::from(2)
    } else {
        print!("{asked}");
        ExitCode::SUCCESS
    }
}
