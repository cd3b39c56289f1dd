//! Who asks, and what they may do.

use std::{fmt, net::SocketAddr};

use actix_web::http::header::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::Actor;

/// What somebody may do; each role includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing but what is open to all.
    Nobody,
    /// Look.
    Readonly,
    /// Submit jobs, operate machines and daemons.
    Operator,
    /// Everything: programs, configuration, the station itself.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "nobody",
            Self::Readonly => "readonly",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

/// The other end of a connection, as the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process on this host, over the Unix socket.
    Local {
        /// Its effective user.
        uid: u32,
    },
    /// Anyone, over TCP.
    Tcp {
        /// Where it comes from.
        remote: SocketAddr,
        /// The address of ours it came to.
        local: Option<SocketAddr>,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { .. } => f.write_str("socket"),
            Self::Tcp { remote, .. } => write!(f, "{}", remote.ip()),
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What they may do.
    pub role: Role,
    /// Who they are in the audit trail.
    pub actor: Actor,
}

/// A token that cannot be read back.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// Keeps only the hash of `secret`.
    pub fn new(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// True if `secret` is the one; takes the same time whichever byte differs.
    pub fn is(&self, secret: &str) -> bool {
        Self::new(secret).0.ct_eq(&self.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// What is asked of people before they may do anything.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The admin token; none if authentication is off.
    pub token: Option<Token>,
    /// True if the peer of the Unix socket is believed.
    pub trust_local_socket: bool,
    /// True if a group may use the Unix socket.
    pub group_socket: bool,
    /// True if anyone who can reach the port is an operator.
    pub allow_unauthenticated: bool,
    /// The user the station runs as.
    pub station_uid: u32,
}

/// A token was shown and is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongToken;

impl Policy {
    /// Who asks, told by the connection and the token shown, if any.
    pub fn identify(&self, peer: Peer, secret: Option<&str>) -> Result<Identity, WrongToken> {
        let source = peer.to_string();
        let identity = |role, name: String| {
            Ok(Identity { role, actor: Actor { name, source: source.clone() } })
        };
        if let (Some(token), Some(secret)) = (&self.token, secret) {
            return if token.is(secret) {
                identity(Role::Admin, "api_key".to_owned())
            } else {
                Err(WrongToken)
            };
        }
        match peer {
            Peer::Local { uid } if self.trust_local_socket => {
                let role = if uid == 0 || uid == self.station_uid {
                    Role::Admin
                } else if self.group_socket {
                    Role::Operator // the socket's mode let nobody else in
                } else {
                    Role::Nobody
                };
                identity(role, format!("uid:{uid}"))
            }
            _ if self.token.is_some() => identity(Role::Nobody, "anonymous".to_owned()),
            Peer::Local { uid } => identity(Role::Operator, format!("uid:{uid}")),
            Peer::Tcp { remote, .. } if remote.ip().to_canonical().is_loopback() => {
                identity(Role::Operator, "loopback".to_owned())
            }
            Peer::Tcp { .. } if self.allow_unauthenticated => {
                identity(Role::Operator, "anonymous".to_owned())
            }
            Peer::Tcp { .. } => identity(Role::Nobody, "anonymous".to_owned()),
        }
    }
}

/// The token in the `Authorization` header: a bearer token, or the password of a basic one.
pub(super) fn secret_of(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let (scheme, value) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(base64(value.trim())?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// The token in a query string, for browsers' web sockets, which cannot set a header.
pub(super) fn secret_in_query(query: &str) -> Option<String> {
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(query).ok()?;
    pairs.into_inner().into_iter().find(|(key, _)| key == "api_key").map(|(_, value)| value)
}

/// Decodes base64 (RFC 4648, section 4), padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const LOOPBACK: &str = "127.0.0.1:5000";
    const REMOTE: &str = "192.0.2.7:5000";

    fn policy(token: Option<&str>) -> Policy {
        Policy {
            token: token.map(Token::new),
            trust_local_socket: true,
            group_socket: false,
            allow_unauthenticated: false,
            station_uid: 500,
        }
    }

    fn tcp(remote: &str) -> Peer {
        Peer::Tcp { remote: remote.parse().unwrap(), local: None }
    }

    fn role(policy: &Policy, peer: Peer, secret: Option<&str>) -> Option<Role> {
        policy.identify(peer, secret).ok().map(|identity| identity.role)
    }

    #[test]
    fn without_authentication_loopback_operates_and_the_socket_administers() {
        let open = policy(None);
        assert_eq!(role(&open, tcp(LOOPBACK), None), Some(Role::Operator));
        assert_eq!(role(&open, tcp(LOOPBACK), Some("anything")), Some(Role::Operator));
        assert_eq!(role(&open, tcp("[::1]:1"), None), Some(Role::Operator));
        assert_eq!(role(&open, tcp(REMOTE), None), Some(Role::Nobody));
        assert_eq!(role(&open, Peer::Local { uid: 0 }, None), Some(Role::Admin));
        assert_eq!(role(&open, Peer::Local { uid: 500 }, None), Some(Role::Admin));
        assert_eq!(role(&open, Peer::Local { uid: 501 }, None), Some(Role::Nobody));
        let group = Policy { group_socket: true, ..open };
        assert_eq!(role(&group, Peer::Local { uid: 501 }, None), Some(Role::Operator));
    }

    #[test]
    fn with_authentication_the_token_decides() {
        let closed = policy(Some("s3cret"));
        for peer in [tcp(LOOPBACK), tcp(REMOTE)] {
            assert_eq!(role(&closed, peer, None), Some(Role::Nobody));
            assert_eq!(role(&closed, peer, Some("s3cret")), Some(Role::Admin));
            assert_eq!(role(&closed, peer, Some("s3cres")), None);
            assert_eq!(role(&closed, peer, Some("")), None);
        }
        assert_eq!(role(&closed, Peer::Local { uid: 500 }, None), Some(Role::Admin));
        let strict = Policy { trust_local_socket: false, ..closed };
        assert_eq!(role(&strict, Peer::Local { uid: 500 }, None), Some(Role::Nobody));
    }

    #[test]
    fn tokens_are_read_from_every_place_a_client_may_put_them() {
        for (value, secret) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("Basic dXNlcjpwYTpzcw==", Some("pa:ss")),
            ("basic OnM", Some("s")),
            ("Basic ***", None),
            ("Digest abc", None),
            ("abc", None),
        ] {
            let mut headers = HeaderMap::new();
            let name = "authorization".parse().unwrap();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(secret_of(&headers).as_deref(), secret, "{value}");
        }
        assert_eq!(secret_in_query("a=1&api_key=x%2Fy").as_deref(), Some("x/y"));
        assert_eq!(secret_in_query("a=1"), None);
    }

    #[test]
    fn a_token_is_not_shown() {
        assert_eq!(format!("{:?}", Token::new("s3cret")), "Token(***)");
    }
}
