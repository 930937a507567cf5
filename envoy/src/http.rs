//! Plain HTTP, for whoever asks servers and administration pages by hand.

/// A client.
///
/// Of several libraries that could do its TLS none is compiled in by itself, as the other programs of this workspace choose
/// theirs; without one not even plain HTTP is served.
#[must_use]
pub fn http() -> reqwest::Client {
    // Whoever came first has chosen for the process.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::new()
}
