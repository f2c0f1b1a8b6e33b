//! Makes typed text ready to be drawn: every character has a glyph, or becomes 〓 and is reported.
//!
//! Shape: a string of the form's JSON stays a string, or becomes an array of lines, each an array
//! of runs `[text, is_variant]`. A base with an ideographic variation selector (IVS) that the body
//! face lacks is a run of its own for IPAmj明朝: the body face would ignore the selector and print
//! another shape of the name without a word.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use typst::text::FontInstance;

use crate::fonts::{Fonts, Glyph};

/// What stands where a glyph is missing; also the mark of old Japanese word processors.
pub(crate) const GETA: char = '〓';

/// Half-width characters without a break opportunity before one is inserted: the narrowest cell
/// of a form holds this many.
const UNBROKEN_MAX: usize = 20;

const ZERO_WIDTH_SPACE: char = '\u{200B}';

/// Prepares the strings of one form and collects what could not be drawn.
pub(crate) struct Preparation<'a> {
    fonts: &'a Fonts,
    known: HashMap<char, Glyph>,
    body: Option<Option<FontInstance>>,
    variants: Option<Option<FontInstance>>,
    missing: BTreeSet<char>,
}

impl<'a> Preparation<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Self {
        Self {
            fonts,
            known: HashMap::new(),
            body: None,
            variants: None,
            missing: BTreeSet::new(),
        }
    }

    /// Characters that could not be drawn, each once, in code order.
    pub(crate) fn missing(self) -> Vec<char> {
        self.missing.into_iter().collect()
    }

    /// Replaces every string below `value`; keys are ours and stay.
    pub(crate) fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text),
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.value(item)).collect())
            }
            Value::Object(fields) => Value::Object(
                fields
                    .into_iter()
                    .map(|(key, field)| (key, self.value(field)))
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn text(&mut self, text: &str) -> Value {
        let text = text.replace("\r\n", "\n");
        let mut lines: Vec<_> = text
            .split(is_line_end)
            .map(|line| self.line(line))
            .collect();
        if let [line] = lines.as_mut_slice()
            && line.len() < 2
            && line.iter().all(|run| !run.variant)
        {
            return Value::String(line.pop().map(|run| run.text).unwrap_or_default());
        }
        let lines = lines.into_iter().map(|line| {
            line.into_iter()
                .map(|run| json!([run.text, run.variant]))
                .collect::<Vec<_>>()
        });
        json!({ "lines": lines.collect::<Vec<_>>() })
    }

    fn line(&mut self, line: &str) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut unbroken = 0;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            let selector = characters.next_if(|next| is_ideographic_selector(*next));
            if let Some(selector) = selector {
                unbroken = 0;
                self.variant(&mut runs, character, selector);
                continue;
            }
            let Some(shown) = self.shown(character) else {
                continue;
            };
            unbroken = if shown.is_ascii_graphic() {
                unbroken + 1
            } else {
                0
            };
            plain(&mut runs).push(shown);
            if unbroken == UNBROKEN_MAX {
                plain(&mut runs).push(ZERO_WIDTH_SPACE);
                unbroken = 0;
            }
        }
        runs
    }

    /// The variant itself, or its base with the selector reported: the name stays readable.
    fn variant(&mut self, runs: &mut Vec<Run>, base: char, selector: char) {
        let fonts = self.fonts;
        let body = self.body.get_or_insert_with(|| fonts.body());
        if draws(body.as_ref(), base, selector) {
            plain(runs).extend([base, selector]);
            return;
        }
        let variants = self.variants.get_or_insert_with(|| fonts.variants());
        if draws(variants.as_ref(), base, selector) {
            runs.push(Run {
                text: String::from_iter([base, selector]),
                variant: true,
            });
            return;
        }
        self.missing.insert(selector);
        if let Some(shown) = self.shown(base) {
            plain(runs).push(shown);
        }
    }

    fn shown(&mut self, character: char) -> Option<char> {
        if is_invisible(character) {
            return None;
        }
        if character == '\t' {
            return Some(' ');
        }
        let fonts = self.fonts;
        let glyph = *self.known.entry(character).or_insert_with(|| {
            // A private character has the shape its own city gave it: a glyph that a font happens
            // to keep there would be a wrong name.
            if is_private(character) {
                Glyph::Missing
            } else {
                fonts.glyph(character)
            }
        });
        match glyph {
            Glyph::Found => Some(character),
            Glyph::Missing if character.is_whitespace() => Some(' '),
            Glyph::Missing => {
                self.missing.insert(character);
                Some(GETA)
            }
        }
    }
}

fn draws(font: Option<&FontInstance>, base: char, selector: char) -> bool {
    font.is_some_and(|font| font.ttf().glyph_variation_index(base, selector).is_some())
}

struct Run {
    text: String,
    variant: bool,
}

fn plain(runs: &mut Vec<Run>) -> &mut String {
    if runs.last().is_none_or(|run| run.variant) {
        runs.push(Run {
            text: String::new(),
            variant: false,
        });
    }
    let last = runs.len() - 1;
    #[expect(
        clippy::indexing_slicing,
        reason = "the line above leaves at least one run"
    )]
    &mut runs[last].text
}

fn is_line_end(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn is_ideographic_selector(character: char) -> bool {
    ('\u{E0100}'..='\u{E01EF}').contains(&character)
}

fn is_private(character: char) -> bool {
    matches!(character,
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

/// Joiners, direction marks and standard selectors: without a shape of their own. Direction marks
/// must go, for they could reorder what a reader sees.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

/// `U+E000`, as the foot of a form and an operator's list write it.
pub(crate) fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}
