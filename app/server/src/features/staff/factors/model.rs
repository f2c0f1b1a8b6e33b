//! Which factor is wanted, and codes by RFC 6238; no I/O.

use base::settings::Factor;
use data_encoding::BASE32_NOPAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use store::StaffId;
use totp_rs::{Builder, Totp};

use crate::factor_keys::{Closed, FactorKeys, Sealed};
use crate::web::Problem;

store::id_type!(
    /// One factor of one person.
    FactorId
);

/// Bytes of a shared secret: RFC 4226 asks for 160 bits.
const SECRET_BYTES: usize = 20;
/// How the telephone names us.
const ISSUER: &str = "hokatsu";
/// Longest name of a factor, characters.
pub(super) const NAME_CHARS_MAX: usize = 30;

/// What somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::features::staff) enum Kind {
    /// A telephone that shows codes.
    Totp,
    /// A security key.
    Webauthn,
}

impl Kind {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Webauthn => "webauthn",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Totp, Self::Webauthn];
        all.into_iter().find(|kind| kind.code() == code)
    }

    /// As staff read it.
    pub(in crate::features::staff) const fn label(self) -> &'static str {
        match self {
            Self::Totp => "確認コード",
            Self::Webauthn => "セキュリティキー",
        }
    }

    pub(super) const fn factor(self) -> Factor {
        match self {
            Self::Totp => Factor::Totp,
            Self::Webauthn => Factor::Webauthn,
        }
    }
}

/// What a factor is checked with.
pub(in crate::features::staff) enum Proof {
    /// A shared secret, sealed; nothing: its row is gone.
    Code(Option<Sealed>),
    /// A public key with its counter, JSON.
    Key(String),
}

/// One factor that counts.
pub(in crate::features::staff) struct Held {
    pub(in crate::features::staff) id: FactorId,
    pub(super) staff_id: StaffId,
    pub(in crate::features::staff) kind: Kind,
    pub(in crate::features::staff) name: String,
    pub(super) proof: Proof,
    pub(in crate::features::staff) at: String,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({}, {:?}, …)", self.id, self.kind)
    }
}

impl Held {
    /// The shared secret of a telephone.
    pub(super) fn secret(&self, keys: &FactorKeys) -> Result<String, Closed> {
        match &self.proof {
            Proof::Code(Some(sealed)) => keys.open(&owner(self.id, self.staff_id), sealed),
            Proof::Code(None) | Proof::Key(_) => Err(Closed::NoKey),
        }
    }

    /// The public key of a security key.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.proof {
            Proof::Key(key) => Some(key),
            Proof::Code(_) => None,
        }
    }
}

/// What a secret is bound to: moved to another person's row it stays closed.
pub(super) fn owner(factor: FactorId, person: StaffId) -> String {
    format!("second factor {factor} of {person}")
}

/// What is still to be shown after the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::features::staff) enum Wanted {
    /// Nothing.
    Nothing,
    /// A registered terminal, and nothing else will do.
    Terminal,
    /// A code or a key.
    Second,
}

/// `registered`: the request comes from a terminal whose certificate counts.
pub(in crate::features::staff) fn wanted(accepted: &[Factor], registered: bool) -> Wanted {
    let by_terminal = accepted.contains(&Factor::Terminal);
    if accepted.is_empty() || (registered && by_terminal) {
        Wanted::Nothing
    } else if accepted == [Factor::Terminal] {
        Wanted::Terminal
    } else {
        Wanted::Second
    }
}

/// A new shared secret, base32.
pub(super) fn fresh_secret() -> Result<String, Problem> {
    let mut bytes = [0_u8; SECRET_BYTES];
    let made = SystemRandom::new().fill(&mut bytes);
    made.or(Err(Problem::Fault("no randomness for a secret")))?;
    Ok(BASE32_NOPAD.encode(&bytes))
}

/// Six digits, SHA-1, 30 s, one period of tolerance each way: what every authenticator speaks.
fn totp(secret: &str, account: &str) -> Result<Totp, Problem> {
    let unreadable = Problem::Fault("a stored secret is not base32");
    let bytes = BASE32_NOPAD.decode(secret.as_bytes()).or(Err(unreadable))?;
    Builder::new()
        .with_secret(bytes)
        .with_account_name(account)
        .with_issuer(Some(ISSUER))
        .build()
        .or(Err(Problem::Fault("a stored secret is too short")))
}

/// The period whose code this is, within one of `seconds` (since 1970).
pub(super) fn period_of(secret: &str, typed: &str, seconds: u64) -> Result<Option<u64>, Problem> {
    let code = digits(typed);
    Ok(totp(secret, ISSUER)?.check(&code, seconds))
}

/// Digits of any width, without the spaces that telephones show between them.
fn digits(typed: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32),
        c if c.is_whitespace() => None,
        c => Some(c),
    };
    typed.chars().filter_map(narrow).take(7).collect()
}

/// What the telephone reads out of the picture.
pub(super) fn address(secret: &str, account: &str) -> Result<String, Problem> {
    let address = totp(secret, account)?.to_url();
    address.or(Err(Problem::Fault("an account has no address")))
}

/// A picture for the telephone: side in modules, and the dark ones as an SVG path.
pub(super) fn picture(text: &str) -> Result<(usize, String), Problem> {
    let code = qrcode::QrCode::new(text).or(Err(Problem::Fault("too long for a picture")))?;
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        for (x, color) in row.iter().enumerate() {
            if *color == qrcode::Color::Dark {
                path.push_str(&format!("M{x} {y}h1v1h-1z"));
            }
        }
    }
    Ok((width, path))
}

#[cfg(test)]
mod tests {
    use base::settings::Factor;
    use data_encoding::BASE32_NOPAD;

    use super::{Wanted, digits, period_of, picture, wanted};

    /// RFC 6238, appendix B (SHA-1), last six of the eight digits.
    #[test]
    fn the_codes_of_the_standard_are_taken_in_their_period() {
        let secret = BASE32_NOPAD.encode(b"12345678901234567890");
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, code) in vectors {
            let period = period_of(&secret, code, seconds).unwrap();
            assert_eq!(period, Some(seconds / 30), "{seconds}");
            assert_eq!(period_of(&secret, code, seconds + 90).unwrap(), None);
        }
    }

    #[test]
    fn one_period_early_or_late_is_taken_two_are_not() {
        let secret = BASE32_NOPAD.encode(b"12345678901234567890");
        let at = |seconds| period_of(&secret, "005924", seconds).unwrap().is_some();
        let middle = 1_234_567_890;
        let taken = [middle - 60, middle - 30, middle, middle + 30, middle + 60].map(at);
        assert_eq!(taken, [false, true, true, true, false]);
    }

    #[test]
    fn wide_digits_and_spaces_are_read() {
        assert_eq!(digits(" ００５ 924 "), "005924");
        assert_eq!(digits("00592478"), "0059247");
    }

    #[test]
    fn the_terminal_is_enough_where_it_is_accepted() {
        let (terminal, code) = (Factor::Terminal, Factor::Totp);
        assert_eq!(wanted(&[], false), Wanted::Nothing);
        assert_eq!(wanted(&[terminal], true), Wanted::Nothing);
        assert_eq!(wanted(&[terminal], false), Wanted::Terminal);
        assert_eq!(wanted(&[terminal, code], true), Wanted::Nothing);
        assert_eq!(wanted(&[terminal, code], false), Wanted::Second);
        assert_eq!(wanted(&[code], true), Wanted::Second);
    }

    #[test]
    fn a_picture_has_a_corner_and_stays_inside_its_side() {
        let (width, path) = picture("otpauth://totp/hokatsu:nurse?secret=AAAA").unwrap();
        assert!(path.starts_with("M0 0h1v1h-1z") && width >= 21);
        assert!(!path.contains(&format!("M{width} ")));
    }
}
