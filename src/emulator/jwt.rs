//! The check of an App's JSON web token, with GitHub's own texts.
//!
//! Source: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::emulator::error::ApiError;
use crate::emulator::keys::PublicKey;

/// Longest accepted time between now and `exp`, in seconds.
const LONGEST: i64 = 600;

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// Whether `token` has the form of a JWT rather than of an opaque token.
pub fn looks_like_jwt(token: &str) -> bool {
    token.starts_with("ey") && token.bytes().filter(|b| *b == b'.').count() == 2
}

/// The App that `token` speaks for.
///
/// `now` is in Unix seconds; `find` gives the App's id and public keys for an `iss`, which is an App id or a client id.
///
/// # Errors
/// 401 with the reason, or 404 `Integration not found`.
pub fn verify(token: &str, now: i64, find: impl Fn(&str) -> Option<(i64, Vec<PublicKey>)>) -> Result<i64, ApiError> {
    let undecodable = ApiError::undecodable_jwt;
    let (signed, signature) = token.rsplit_once('.').ok_or_else(undecodable)?;
    let (header, claims) = signed.split_once('.').ok_or_else(undecodable)?;
    let header: Header = part(header).ok_or_else(undecodable)?;
    let claims: Value = part(claims).ok_or_else(undecodable)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| undecodable())?;
    if header.alg != "RS256" || !claims.is_object() {
        return Err(undecodable());
    }
    let issuer = match &claims["iss"] {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null => return Err(refused("Missing 'issuer' claim ('iss') in assertion")),
        _ => return Err(refused("'Issuer' claim ('iss') must be an Integer")),
    };
    let (app, keys) = find(&issuer).ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "Integration not found"))?;
    if keys.is_empty() {
        return Err(refused("Integration must generate a public key"));
    }
    if !keys.iter().any(|key| key.verifies(signed.as_bytes(), &signature)) {
        return Err(undecodable());
    }
    times(&claims, now)?;
    Ok(app)
}

fn times(claims: &Value, now: i64) -> Result<(), ApiError> {
    let Some(expiry) = whole(&claims["exp"]) else {
        return Err(refused(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ));
    };
    if expiry <= now {
        return Err(refused(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ));
    }
    if expiry > now + LONGEST {
        return Err(refused("'Expiration time' claim ('exp') is too far in the future"));
    }
    match whole(&claims["iat"]) {
        Some(issued) if issued <= now => Ok(()),
        _ => Err(refused(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        )),
    }
}

/// A number of seconds; some libraries write it with a fraction.
fn whole(value: &Value) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "a time of this age fits, others are refused by their size")]
    value.as_i64().or_else(|| value.as_f64().filter(|f| f.abs() < 1e15).map(|f| f.floor() as i64))
}

fn refused(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, message)
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;
    use serde_json::json;

    use super::*;
    use crate::emulator::keys::AppKey;

    const NOW: i64 = 1_800_000_000;

    fn pair_of(key: &AppKey) -> KeyPair {
        let text: String = key.pem.expose().lines().filter(|l| !l.starts_with('-')).collect();
        KeyPair::from_der(&base64::engine::general_purpose::STANDARD.decode(text).expect("base64")).expect("key")
    }

    fn token(pair: &KeyPair, header: &Value, claims: &Value) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("sign");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn every_claim_is_judged_in_githubs_words() {
        let key = AppKey::generate().expect("key");
        let pair = pair_of(&key);
        let rs256 = json!({"alg": "RS256", "typ": "JWT"});
        let find = |issuer: &str| match issuer {
            "7" | "Iv1.abc" => Some((7, vec![key.public.clone()])),
            "9" => Some((9, Vec::new())),
            _ => None,
        };
        let far = "'Expiration time' claim ('exp') is too far in the future";
        let past = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
        let issued = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
        let cases = [
            (json!({"iss": "7", "iat": NOW - 60, "exp": NOW + 540}), Ok(7)),
            (json!({"iss": 7, "iat": NOW, "exp": NOW + 600}), Ok(7)),
            (json!({"iss": "Iv1.abc", "iat": NOW, "exp": NOW + 1}), Ok(7)),
            (json!({"iss": "7", "iat": NOW, "exp": NOW + 601}), Err((401, far))),
            (json!({"iss": "7", "iat": NOW, "exp": NOW}), Err((401, past))),
            (json!({"iss": "7", "iat": NOW, "exp": "soon"}), Err((401, past))),
            (json!({"iss": "7", "iat": NOW}), Err((401, past))),
            (json!({"iss": "7", "iat": NOW + 1, "exp": NOW + 60}), Err((401, issued))),
            (json!({"iss": "7", "exp": NOW + 60}), Err((401, issued))),
            (json!({"iat": NOW, "exp": NOW + 60}), Err((401, "Missing 'issuer' claim ('iss') in assertion"))),
            (json!({"iss": "9", "iat": NOW, "exp": NOW + 60}), Err((401, "Integration must generate a public key"))),
            (json!({"iss": "8", "iat": NOW, "exp": NOW + 60}), Err((404, "Integration not found"))),
        ];
        for (claims, expected) in cases {
            let found = verify(&token(&pair, &rs256, &claims), NOW, find);
            let found = found.as_ref().map_err(|e| (e.status.as_u16(), e.message.as_str())).copied();
            assert_eq!(found, expected, "{claims}");
        }
    }

    #[test]
    fn other_algorithms_keys_and_forms_are_undecodable() {
        let key = AppKey::generate().expect("key");
        let other = KeyPair::generate(KeySize::Rsa2048).expect("key");
        let claims = json!({"iss": "7", "iat": NOW, "exp": NOW + 60});
        let find = |_: &str| Some((7, vec![key.public.clone()]));
        let good = token(&pair_of(&key), &json!({"alg": "RS256"}), &claims);
        assert_eq!(verify(&good, NOW, find), Ok(7));
        let hs256 = token(&pair_of(&key), &json!({"alg": "HS256"}), &claims);
        let stranger = token(&other, &json!({"alg": "RS256"}), &claims);
        let unsigned = good.rsplit_once('.').map(|(head, _)| format!("{head}.")).expect("parts");
        let array = token(&pair_of(&key), &json!({"alg": "RS256"}), &json!([1]));
        for bad in [hs256, stranger, unsigned, array, "a.b.c".into(), "nonsense".into(), String::new()] {
            assert_eq!(verify(&bad, NOW, find), Err(ApiError::undecodable_jwt()), "{bad}");
        }
    }
}
