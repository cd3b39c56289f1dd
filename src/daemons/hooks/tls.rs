//! Connections to servers that are known by a certificate.

use std::{path::Path, sync::Arc};

use actix_tls::connect::rustls_0_23::webpki_roots_cert_store;
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// What is wrong with a connection, where the words of the library say little.
pub(super) fn in_words(error: &str) -> String {
    if error.contains("CaUsedAsEndEntity") {
        return "the server shows the certificate of an authority (CA:TRUE) as its own, which none \
                may; make it with CA:FALSE"
            .to_owned();
    }
    error.to_owned()
}

/// How connections to `url` are protected: not at all, or for `https://` by a certificate of a
/// public authority or of one in `ca_file`.
///
/// # Errors
/// A sentence: the file is of no use.
pub(super) fn protection(
    url: &str,
    ca_file: Option<&Path>,
) -> Result<Option<Arc<ClientConfig>>, String> {
    if !url.starts_with("https://") {
        return Ok(None);
    }
    let mut roots = webpki_roots_cert_store();
    if let Some(path) = ca_file {
        let failed = |why: String| format!("certificates in {}: {why}", path.display());
        let found = CertificateDer::pem_file_iter(path).map_err(|why| failed(why.to_string()))?;
        for certificate in found {
            let certificate = certificate.map_err(|why| failed(why.to_string()))?;
            roots.add(certificate).map_err(|why| failed(why.to_string()))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(Arc::new(config)))
}
