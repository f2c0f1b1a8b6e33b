//! What is cut away or recognised before a date is read: times of day, and tokens for no date.

use super::parse::DateProblem;

/// Tokens that mean no date, compared without separators.
pub(super) fn is_null_token(chars: &[char]) -> bool {
    const TOKENS: &[&str] = &[
        "0", "0000000", "00000000", "9999999", "99999999", "5999999", "5991231", "99991231",
    ];
    if !chars
        .iter()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '/' | '-'))
    {
        return false;
    }
    let digits: String = chars.iter().filter(|c| c.is_ascii_digit()).collect();
    TOKENS.contains(&digits.as_str())
}

/// Cuts a time of day off the end; a time in another zone could mean another day and is refused.
pub(super) fn without_time(chars: &[char]) -> Result<&[char], DateProblem> {
    let Some(mark) = chars.iter().position(|c| matches!(c, ':' | '時')) else {
        return Ok(chars);
    };
    let (head, _) = chars.split_at(mark);
    let hour = head.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let (date, time) = chars.split_at(mark - hour);
    let (date, kept) = match date {
        [date @ .., '午', '前' | '後'] => (date, true),
        date => (date, false),
    };
    let date = match date {
        [date @ .., 'T'] if !kept => date,
        [.., ' ' | '日'] => date,
        _ => return Err(DateProblem::Unreadable),
    };
    if !is_time(time) {
        return Err(DateProblem::Unreadable);
    }
    let end = date
        .iter()
        .rposition(|c| *c != ' ')
        .map_or(0, |last| last + 1);
    Ok(date.get(..end).unwrap_or_default())
}

/// `9:05`, `09:05:00.000`, `10時30分`, optionally with Japan's own offset.
fn is_time(chars: &[char]) -> bool {
    let text: String = chars.iter().collect();
    let local = text.strip_suffix("+09:00").unwrap_or(&text);
    let local = local
        .split_once('.')
        .map_or(local, |(whole, _fraction)| whole);
    let parts: Vec<&str> = local
        .split([':', '時', '分', '秒'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let limits = [24_u8, 59, 59];
    let within = |(part, limit): (&&str, &u8)| {
        part.len() <= 2 && part.parse().is_ok_and(|n: u8| n <= *limit)
    };
    !parts.is_empty() && parts.len() <= 3 && parts.iter().zip(&limits).all(within)
}
