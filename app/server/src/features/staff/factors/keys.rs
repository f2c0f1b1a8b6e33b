//! Security keys: the ceremony of WebAuthn, with its state on our side.

use store::StaffId;
use webauthn_rs::prelude::{
    AuthenticationResult, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
};

use super::model::Held;
use crate::web::{Problem, Visit};

/// "hokatsu" in front of the number of a person: what a key remembers of its owner.
const OWNER: u128 = 0x686f_6b61_7473_7500_0000_0000_0000_0000;

/// Options for the browser, and the state that the answer is checked with; both JSON.
pub(super) struct Asked {
    pub(super) options: String,
    pub(super) state: String,
}

fn webauthn(visit: &Visit) -> Result<Webauthn, Problem> {
    let host = visit.app.settings().sign_in.webauthn_host.as_deref();
    let host = host.ok_or(Problem::NotFound)?;
    let wrong = "webauthn_host is no host name";
    let origin = Url::parse(&format!("https://{host}")).or(Err(Problem::Fault(wrong)))?;
    // The port is not part of what a key is bound to; a test machine has another one.
    let builder = WebauthnBuilder::new(host, &origin).or(Err(Problem::Fault(wrong)))?;
    let built = builder.allow_any_port(true).rp_name("ほかつ").build();
    built.or(Err(Problem::Fault(wrong)))
}

fn json(value: &impl serde::Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).or(Err(Problem::Fault("a key's options are no JSON")))
}

fn passkeys(held: &[Held]) -> Vec<Passkey> {
    let keys = held.iter().filter_map(Held::key);
    keys.filter_map(|key| serde_json::from_str(key).ok())
        .collect()
}

/// Asks for a new key.
pub(super) fn ask_new(
    visit: &Visit,
    id: StaffId,
    (login, name): (&str, &str),
    held: &[Held],
) -> Result<Asked, Problem> {
    let owner = Uuid::from_u128(OWNER | u128::try_from(id.0).unwrap_or(0));
    let known = passkeys(held);
    let known = known.iter().map(|key| key.cred_id().clone()).collect();
    let started = webauthn(visit)?.start_passkey_registration(owner, login, name, Some(known));
    let (options, state) = started.or(Err(Problem::Fault("a key cannot be asked for")))?;
    Ok(Asked {
        options: json(&options)?,
        state: json(&state)?,
    })
}

/// The new key as it is stored, if the answer holds.
pub(super) fn read_new(
    visit: &Visit,
    state: &str,
    answer: &str,
) -> Result<Option<String>, Problem> {
    let state: Option<PasskeyRegistration> = serde_json::from_str(state).ok();
    let answer: Option<RegisterPublicKeyCredential> = serde_json::from_str(answer).ok();
    let (Some(state), Some(answer)) = (state, answer) else {
        return Ok(None);
    };
    let checked = webauthn(visit)?.finish_passkey_registration(&answer, &state);
    checked.ok().map(|key| json(&key)).transpose()
}

/// Asks for a key that is known; nothing when there is none.
pub(super) fn ask_known(visit: &Visit, held: &[Held]) -> Result<Option<Asked>, Problem> {
    let keys = passkeys(held);
    if keys.is_empty() {
        return Ok(None);
    }
    let started = webauthn(visit)?.start_passkey_authentication(&keys);
    let (options, state) = started.or(Err(Problem::Fault("a key cannot be asked for")))?;
    Ok(Some(Asked {
        options: json(&options)?,
        state: json(&state)?,
    }))
}

/// Which of the keys answered, and its counter.
pub(super) fn read_known<'h>(
    visit: &Visit,
    state: &str,
    answer: &str,
    held: &'h [Held],
) -> Result<Option<(&'h Held, u64)>, Problem> {
    let state: Option<PasskeyAuthentication> = serde_json::from_str(state).ok();
    let answer: Option<PublicKeyCredential> = serde_json::from_str(answer).ok();
    let (Some(state), Some(answer)) = (state, answer) else {
        return Ok(None);
    };
    let checked = webauthn(visit)?.finish_passkey_authentication(&answer, &state);
    let Some(result) = checked.ok().filter(AuthenticationResult::user_verified) else {
        return Ok(None);
    };
    let is_it = |held: &&Held| {
        let key = held.key().and_then(|key| serde_json::from_str(key).ok());
        key.is_some_and(|key: Passkey| key.cred_id() == result.cred_id())
    };
    let found = held.iter().find(is_it);
    Ok(found.map(|held| (held, u64::from(result.counter()))))
}
