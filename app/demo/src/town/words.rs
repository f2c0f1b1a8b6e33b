//! Streets, buildings and telephone numbers that exist nowhere.

use crate::dice::Dice;

/// The one facility; the brackets say that it is invented.
pub(crate) const FACILITY: &str = "特別養護老人ホームまぼろしの里（架空）";

const BUILDING_HEADS: [&str; 10] = [
    "コーポ",
    "メゾン",
    "ハイツ",
    "サンハイム",
    "グリーン",
    "パレス",
    "第二",
    "ヴィラ",
    "シャトー",
    "コーポラス",
];
const BUILDING_TAILS: [&str; 10] = [
    "青空",
    "若葉",
    "さくら",
    "みずき",
    "こもれび",
    "白樺",
    "つばき",
    "ひなた",
    "けやき",
    "すみれ",
];

/// 「埼玉県和光市本町３番１２号」, or with hyphens and half-width digits, as registers mix them.
pub(crate) fn street(area: &str, dice: &mut Dice) -> String {
    let (block, house) = (dice.between(1, 38), dice.between(1, 45));
    if dice.per_mille(850) {
        let (block, house) = (wide(block), wide(house));
        format!("埼玉県和光市{area}{block}番{house}号")
    } else {
        format!("埼玉県和光市{area}{block}-{house}")
    }
}

pub(crate) fn building(dice: &mut Dice) -> String {
    let head = dice.word(&BUILDING_HEADS);
    let tail = dice.word(&BUILDING_TAILS);
    let room = wide(dice.between(1, 9) * 100 + dice.between(1, 12));
    format!("{head}{tail}{room}号室")
}

/// No exchange begins with 000: these numbers ring nowhere.
pub(crate) fn landline(dice: &mut Dice) -> String {
    format!("048-000-{:04}", dice.below(10_000))
}

pub(crate) fn mobile(dice: &mut Dice) -> String {
    format!("090-0000-{:04}", dice.below(10_000))
}

pub(crate) fn wide(number: u32) -> String {
    let digit = |digit: char| match digit {
        '0'..='9' => char::from_u32(u32::from(digit) + 0xfee0).unwrap_or(digit),
        other => other,
    };
    number.to_string().chars().map(digit).collect()
}
