//! Reads delivered files and says what they would change. The database is only read.

use std::path::{Path, PathBuf};

use base::charset::Encoding;
use store::{Db, ReadTx, SystemReason};

use super::assemble::assemble;
use super::compare::{Known, Verdict};
use super::convert::{Finding, convert};
use super::detectors as d;
use super::error::{FileProblem, ImportError};
use super::mapping::{Layout, Mappings};
use super::model::{
    ChangeKind, Counts, Example, Feed, FilePlan, FileSummary, ImportOptions, Plan, Progress,
    RowPlan,
};
use super::reader::{Record, Records};
use super::rejects::List;
use super::world::World;

/// Changed rows that a plan names by id.
const EXAMPLES_MAX: usize = 20;
/// Rows between two signs of life.
const ROWS_PER_SIGN: u64 = 2_000;

/// Compares delivered files with what is stored.
///
/// Shape: `files` are files, or one directory whose `*.csv` are taken; they are recognised by
/// their headers and read in the order of [`Feed`]. Refused and doubtful rows are listed in
/// `options.reject_dir`; nothing else is written.
/// # Errors
/// [`ImportError`]; one unusable file stops the whole plan.
pub fn plan(
    db: &Db,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, ImportError> {
    let mappings = Mappings::load(options.mapping.as_deref())?;
    let mut sources = Vec::new();
    for path in expand(files)? {
        sources.push(Source::open(path, &mappings, options)?);
    }
    sources.sort_by_key(|source| source.feed());
    for (one, next) in sources.iter().zip(sources.iter().skip(1)) {
        if one.feed() == next.feed() {
            let problem = FileProblem::SecondOfFeed(next.feed().code());
            return Err(ImportError::File {
                path: next.path.clone(),
                problem,
            });
        }
    }
    db.system_read(SystemReason::Import, |tx| {
        let stamp = super::store::stamp(tx)?;
        let mut world = World::load(tx, options.today)?;
        let mut plans = Vec::new();
        for source in sources {
            plans.push(source.read(tx, &mut world, options, progress)?);
        }
        Ok(Plan {
            files: plans,
            stamp,
        })
    })
}

fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, ImportError> {
    let nothing = |path: PathBuf| ImportError::File {
        path,
        problem: FileProblem::Nothing,
    };
    let [dir] = files else {
        return if files.is_empty() {
            Err(nothing(PathBuf::from(".")))
        } else {
            Ok(files.to_vec())
        };
    };
    if !dir.is_dir() {
        return Ok(vec![dir.clone()]);
    }
    let failed = |source| ImportError::Read {
        path: dir.clone(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let ours = name.ends_with(".rejects.csv") || name.ends_with(".warnings.csv");
        if name.ends_with(".csv") && !name.starts_with('.') && !ours {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        Err(nothing(dir.clone()))
    } else {
        Ok(found)
    }
}

struct Source {
    path: PathBuf,
    records: Records,
    layout: Layout,
}

/// What reading a file adds up to.
struct Reading {
    known: Known,
    counts: Counts,
    findings: std::collections::BTreeMap<&'static str, u64>,
    rows: Vec<RowPlan>,
    examples: Vec<Example>,
    rejects: List,
    warnings: List,
}

impl Source {
    fn open(
        path: PathBuf,
        mappings: &Mappings,
        options: &ImportOptions,
    ) -> Result<Self, ImportError> {
        let refused = |problem| ImportError::File {
            path: path.clone(),
            problem,
        };
        let mut records = Records::open(&path, options.encoding)?;
        let header = records.next()?.ok_or_else(|| refused(FileProblem::Empty))?;
        let layout = mappings.recognise(&header.cells).map_err(refused)?;
        Ok(Self {
            records,
            layout,
            path,
        })
    }

    fn feed(&self) -> Feed {
        self.layout.mapping.feed
    }

    fn read(
        mut self,
        tx: &ReadTx<'_>,
        world: &mut World,
        options: &ImportOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FilePlan, ImportError> {
        let name = file_name(&self.path);
        let mut reading = Reading {
            known: Known::load(tx, self.feed(), &self.layout)?,
            counts: Counts::default(),
            findings: std::collections::BTreeMap::new(),
            rows: Vec::new(),
            examples: Vec::new(),
            rejects: List::default(),
            warnings: List::default(),
        };
        let step = format!("{name} を読んでいます");
        while let Some(record) = self.records.next()? {
            if reading.counts.read.is_multiple_of(ROWS_PER_SIGN) {
                progress(Progress {
                    step: step.clone(),
                    done: self.records.done,
                    total: self.records.size,
                });
            }
            reading.counts.read += 1;
            match row(&self.layout, &record, world) {
                Ok((values, _)) if world.forgets(self.feed(), &values) => reading.pass_over(values),
                Ok((values, warnings)) => reading.take(self.feed(), record.line, values, warnings),
                Err(findings) => reading.reject(findings),
            }
        }
        progress(Progress {
            step,
            done: self.records.size,
            total: self.records.size,
        });
        reading.counts.absent = reading.known.absent();
        let summary = FileSummary {
            encoding: match self.records.encoding {
                Encoding::Cp932 => "cp932",
                Encoding::Utf8 => "utf-8",
            },
            feed: self.feed(),
            counts: reading.counts,
            findings: reading.findings,
            examples: reading.examples,
            rejects_file: reading
                .rejects
                .write(&options.reject_dir, &name, "rejects")?,
            warnings_file: reading
                .warnings
                .write(&options.reject_dir, &name, "warnings")?,
            file: name,
        };
        let (sha256, bytes) = (self.records.sha256(), self.records.done);
        Ok(FilePlan {
            summary,
            sha256,
            bytes,
            rows: reading.rows,
        })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

type Values = (Vec<Option<String>>, Vec<Finding>);

/// One record as a row with its warnings, or why it is refused.
fn row(layout: &Layout, record: &Record, world: &mut World) -> Result<Values, Vec<Finding>> {
    let whole = |found| Finding {
        line: record.line,
        column: String::new(),
        found,
    };
    if record.open_quote {
        return Err(vec![whole(d::OPEN_QUOTE)]);
    }
    if record.cells.iter().any(|cell| cell.contains('\0')) {
        return Err(vec![whole(d::NUL)]);
    }
    if record.cells.len() != layout.width {
        return Err(vec![whole(d::COLUMN_COUNT)]);
    }
    let mut cells = convert(layout, record.line, &record.cells)?;
    if record.mixed {
        cells.warnings.push(whole(d::MIXED));
    }
    let values = assemble(layout.mapping.feed, &mut cells, world)?;
    Ok((values, cells.warnings))
}

impl Reading {
    fn take(
        &mut self,
        feed: Feed,
        line: u64,
        values: Vec<Option<String>>,
        mut warnings: Vec<Finding>,
    ) {
        let again = |found| {
            vec![Finding {
                line,
                column: String::new(),
                found,
            }]
        };
        match self.known.judge(values) {
            Verdict::SameAgain => return self.reject(again(d::DUPLICATE_SAME)),
            Verdict::OtherAgain => return self.reject(again(d::DUPLICATE_OTHER)),
            Verdict::Unchanged => self.counts.unchanged += 1,
            // What was written down once is corrected by staff, not by an older system.
            Verdict::Differs { id: Some(_), .. } if feed == Feed::Consultations => {
                self.counts.unchanged += 1;
                warnings.extend(again(d::KEPT_OLD));
            }
            Verdict::Differs {
                id,
                kind,
                fields,
                row,
            } => {
                self.counts.add(kind);
                self.example(id, kind, line, &fields);
                self.rows.push(RowPlan {
                    id,
                    kind,
                    fields: fields.join(",").into(),
                    row,
                });
            }
        }
        self.counts.loaded += 1;
        if !warnings.is_empty() {
            self.counts.warned += 1;
            self.count(&warnings);
            self.warnings.extend(warnings);
        }
    }

    /// A row about somebody who was disposed of: read, and nothing of it is kept.
    fn pass_over(&mut self, values: Vec<Option<String>>) {
        self.known.saw(values);
        self.counts.unchanged += 1;
        self.counts.loaded += 1;
    }

    fn example(&mut self, id: Option<i64>, kind: ChangeKind, line: u64, fields: &[&str]) {
        let alike = self
            .examples
            .iter()
            .filter(|example| example.kind == kind)
            .count();
        if alike < EXAMPLES_MAX {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            self.examples.push(Example {
                kind,
                record_id: id,
                line,
                fields,
            });
        }
    }

    fn reject(&mut self, findings: Vec<Finding>) {
        self.counts.rejected += 1;
        self.count(&findings);
        self.rejects.extend(findings);
    }

    fn count(&mut self, findings: &[Finding]) {
        for finding in findings {
            *self.findings.entry(finding.found.id).or_default() += 1;
        }
    }
}
