//! Workbooks for Excel: texts only, so that nothing is ever calculated.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, XlsxError};

use crate::web::problem::{Problem, fault};

/// Widest column, characters; longer texts wrap.
const WIDTH_MAX: usize = 60;
/// Most rows of a sheet: what Excel can open.
const ROWS_MAX: usize = 1_048_575;

/// One sheet with a header that stays in view.
#[derive(Debug)]
pub struct Sheet {
    /// Its tab, at most 31 characters.
    pub name: &'static str,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows of the header's length.
    pub rows: Vec<Vec<String>>,
}

/// A workbook of sheets.
///
/// # Errors
/// [`Problem::TooLarge`] over what Excel can open; otherwise a fault of ours.
pub fn workbook(sheets: &[Sheet]) -> Result<Vec<u8>, Problem> {
    if sheets.iter().any(|sheet| sheet.rows.len() > ROWS_MAX) {
        return Err(Problem::TooLarge);
    }
    write(sheets).map_err(|error| fault("a workbook cannot be written", &error))
}

fn write(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let text = Format::new()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Top)
        .set_text_wrap();
    let head = text
        .clone()
        .set_bold()
        .set_background_color(Color::RGB(0x00E6_E6E6));
    let mut book = Workbook::new();
    for sheet in sheets {
        let page = book.add_worksheet();
        page.set_name(sheet.name)?;
        page.set_landscape().set_print_fit_to_pages(1, 0);
        page.set_repeat_rows(0, 0)?.set_freeze_panes(1, 0)?;
        for (column, name) in (0_u16..).zip(&sheet.header) {
            page.write_string_with_format(0, column, name, &head)?;
            page.set_column_width(column, width(sheet, usize::from(column)))?;
        }
        for (number, row) in (1_u32..).zip(&sheet.rows) {
            for (column, cell) in (0_u16..).zip(row) {
                page.write_string_with_format(number, column, cell, &text)?;
            }
        }
    }
    book.save_to_buffer()
}

/// What the longest text of a column takes; full-width characters take two.
fn width(sheet: &Sheet, column: usize) -> u16 {
    let cells = sheet.rows.iter().filter_map(|row| row.get(column));
    let widths = cells.chain(sheet.header.get(column)).map(|text| {
        let of = |c: char| if c.is_ascii() { 1 } else { 2 };
        text.chars().map(of).sum::<usize>() + 2
    });
    let widest = widths.max().unwrap_or(8).min(WIDTH_MAX);
    u16::try_from(widest).unwrap_or(8)
}
