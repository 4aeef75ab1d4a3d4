//! JSON web tokens as docker-registry reads them (RFC 7519; RS256 with the certificate in `x5c`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// An RSA key and its certificate.
#[derive(Debug)]
pub(crate) struct Signer {
    key: RsaKeyPair,
    /// The certificate, DER in base64.
    certificate: String,
}

impl Signer {
    pub(crate) fn new(certificate_pem: &str, key_pem: &str) -> Self {
        let key = STANDARD.decode(inside(key_pem)).expect("PEM is base64");
        Self {
            key: RsaKeyPair::from_pkcs8(&key).expect("the key is RSA in PKCS#8"),
            certificate: inside(certificate_pem),
        }
    }
}

/// The text between the first BEGIN and END of a PEM file.
fn inside(pem: &str) -> String {
    pem.lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect()
}

pub(crate) fn claims(
    issuer: &str,
    audience: &str,
    subject: &str,
    lifetime: Duration,
    access: &Value,
) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let end = now + lifetime;
    let rounded_up = !lifetime.is_zero() && end.subsec_nanos() > 0;
    let exp = end.as_secs() + u64::from(rounded_up);
    json!({
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now.as_secs(),
        // A registry's clock may be a little behind.
        "nbf": now.as_secs().saturating_sub(1),
        "exp": exp,
        "jti": format!("{}", now.as_nanos()),
        "access": access,
    })
}

pub(crate) fn token(signer: Option<&Signer>, claims: &Value) -> String {
    let certificates: Vec<&str> = signer.iter().map(|it| it.certificate.as_str()).collect();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5c": certificates});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let signature = match signer {
        Some(Signer { key, .. }) => {
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .expect("the buffer is as long as the modulus");
            signature
        }
        None => b"signed by nobody".to_vec(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
