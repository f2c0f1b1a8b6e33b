//! Numbers in kanji, by place (一九三七) or with units (十二, 廿三), also 大字 (壱, 弐).

enum Numeral {
    Digit(u16),
    Unit(u16),
    Tens(u16),
}

fn numeral(c: char) -> Option<Numeral> {
    Some(match c {
        '〇' | '零' | '○' | '◯' => Numeral::Digit(0),
        '一' | '壱' | '壹' => Numeral::Digit(1),
        '二' | '弐' | '貳' => Numeral::Digit(2),
        '三' | '参' | '參' => Numeral::Digit(3),
        '四' => Numeral::Digit(4),
        '五' | '伍' => Numeral::Digit(5),
        '六' => Numeral::Digit(6),
        '七' => Numeral::Digit(7),
        '八' => Numeral::Digit(8),
        '九' => Numeral::Digit(9),
        '十' | '拾' => Numeral::Unit(10),
        '百' => Numeral::Unit(100),
        '千' => Numeral::Unit(1000),
        '廿' => Numeral::Tens(20),
        '卅' => Numeral::Tens(30),
        _ => return None,
    })
}

/// The value of a run of kanji numerals below 10000; nothing when it is empty or no number.
pub(crate) fn kanji_number(run: &[char]) -> Option<u16> {
    let numerals: Vec<Numeral> = run.iter().map(|c| numeral(*c)).collect::<Option<_>>()?;
    if numerals.is_empty() {
        return None;
    }
    let by_place = numerals.iter().all(|n| matches!(n, Numeral::Digit(_)));
    let value = if by_place {
        placed(&numerals)?
    } else {
        added(&numerals)?
    };
    (value < 10_000).then_some(value)
}

fn placed(numerals: &[Numeral]) -> Option<u16> {
    numerals.iter().try_fold(0_u16, |value, n| match n {
        Numeral::Digit(digit) => value.checked_mul(10)?.checked_add(*digit),
        Numeral::Unit(_) | Numeral::Tens(_) => None,
    })
}

/// Units must fall: 百二十三, never 十百; at most one digit stands before and behind each.
fn added(numerals: &[Numeral]) -> Option<u16> {
    let (mut total, mut waiting, mut ceiling) = (0_u16, None, u16::MAX);
    for n in numerals {
        match n {
            Numeral::Digit(digit) if waiting.is_none() => waiting = Some(*digit),
            Numeral::Unit(unit) if *unit < ceiling => {
                total = total.checked_add(waiting.take().unwrap_or(1).checked_mul(*unit)?)?;
                ceiling = *unit;
            }
            Numeral::Tens(tens) if waiting.is_none() && ceiling > 10 => {
                total = total.checked_add(*tens)?;
                ceiling = 10;
            }
            Numeral::Digit(_) | Numeral::Unit(_) | Numeral::Tens(_) => return None,
        }
    }
    total.checked_add(waiting.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::kanji_number;

    #[test]
    fn kanji_numbers_are_read_by_place_and_by_unit() {
        for (text, value) in [
            ("〇", Some(0)),
            ("十", Some(10)),
            ("十二", Some(12)),
            ("二十三", Some(23)),
            ("廿三", Some(23)),
            ("卅一", Some(31)),
            ("百", Some(100)),
            ("千九百三十七", Some(1937)),
            ("一九三七", Some(1937)),
            ("弐拾", Some(20)),
            ("", None),
            ("十百", None),
            ("二三十", None),
            ("十二三", None),
            ("廿十", None),
            ("九九九九九九", None),
            ("木", None),
        ] {
            assert_eq!(
                kanji_number(&text.chars().collect::<Vec<_>>()),
                value,
                "{text}"
            );
        }
    }
}
