//! The dashboard's files, embedded in the program.

use std::{borrow::Cow, collections::HashMap, io::Write, sync::LazyLock};

use actix_web::{HttpRequest, HttpResponse, http::header, web::Bytes};
use rust_embed::RustEmbed;

use super::error::Problem;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

struct Asset {
    content_type: String,
    etag: String,
    plain: Bytes,
    /// Smaller, if compression helps.
    gzip: Option<Bytes>,
}

/// Every file, ready to be sent; compressed on first use.
static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    Files::iter().filter_map(|path| Some((path.to_string(), load(&path)?))).collect()
});

fn load(path: &str) -> Option<Asset> {
    let file = Files::get(path)?;
    let mime = file.metadata.mimetype();
    let text = mime.starts_with("text/") || mime.ends_with("javascript") || mime.ends_with("json");
    let content_type = if text { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    let hash = file.metadata.sha256_hash();
    let etag = hash.iter().take(12).fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
    let plain = match file.data {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => read.into(),
    };
    let gzip = (text || mime.ends_with("xml")).then(|| compress(&plain)).flatten();
    Some(Asset { content_type, etag, plain, gzip })
}

fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < plain.len()).then(|| packed.into())
}

/// Sends a file of the dashboard; `/` is `index.html`. Browsers keep it, but ask each time whether
/// it is still the same, so that an upgraded station is never shown by an old page.
pub(super) async fn serve(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let path = request.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let asset = ASSETS
        .get(path)
        .ok_or_else(|| Problem::NotFound(format!("there is nothing at {}", request.path())))?;
    let accepts = |name: header::HeaderName, part: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains(part))
    };
    let packed = asset.gzip.as_ref().filter(|_| accepts(header::ACCEPT_ENCODING, "gzip"));
    // A strong tag names exactly these bytes: the two encodings differ.
    let etag = format!("\"{}{}\"", asset.etag, if packed.is_some() { "-gz" } else { "" });
    let same = accepts(header::IF_NONE_MATCH, &etag);
    let mut response = if same { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ETAG, etag))
        .insert_header((header::VARY, "Accept-Encoding"));
    if same {
        return Ok(response.finish());
    }
    response.insert_header((header::CONTENT_TYPE, asset.content_type.clone()));
    Ok(match packed {
        Some(packed) => {
            response.insert_header((header::CONTENT_ENCODING, "gzip")).body(packed.clone())
        }
        None => response.body(asset.plain.clone()),
    })
}
