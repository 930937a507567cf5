//! Counting where a fleet counts: what a rate-limit service is asked, and what its answer means.
//!
//! The service speaks `envoy.service.ratelimit.v3`, as [envoyproxy/ratelimit] and [Limitador] do. The way of a charge:
//! [`ask`] says whether anybody needs to be asked, and makes a [`Question`]; the caller sends its bytes, one question
//! after the other; [`Question::read`] reads the answer.
//!
//! # One descriptor a request
//! The two services agree only on that. Limitador ignores the `hits_addend` of a descriptor and writes its conditions for
//! `descriptors[0]`; envoyproxy/ratelimit takes the `hits_addend` of the request where the descriptor has none. So each
//! charge is a request of its own with one descriptor, and adds what the request says. The descriptor has six entries:
//!
//! | key | value |
//! | --- | --- |
//! | `policy`, `counter` | their names, as in the configuration |
//! | `scope` | `grant`, `session`, `client_ip`, `global`, `claim:NAME` or `header:NAME` |
//! | `window` | `second`, `minute`, `hour`, `day` or `month` |
//! | `unit` | what one hit stands for: `call`, or for amounts a power of ten from `0.000001` to `1` |
//! | `value` | whose count it is, as a keyed digest ([`DigestKey`]) |
//!
//! envoyproxy/ratelimit puts the entries together into its key, but neither the window nor `max`: hence `window`, so that
//! a counter whose window is changed in the policy begins anew, and no `max`, so that a changed one judges the same count.
//! `max` and the window travel as a limit override, which that service follows. Limitador does not, and is given
//! [`limitador_limits`].
//!
//! # Proof
//! Both services admit whatever they know no limit for: envoyproxy/ratelimit without a file for the domain, Limitador
//! without a limit for the descriptor. So an answer admits only if it says that the very limit was applied which was asked
//! for. That a call is over a limit needs no proof.
//!
//! # Amounts
//! A service counts in `u32`. An amount is counted in the finest power of ten in which its `max` is a whole number that
//! fits, and an amount that is finer than that is rounded up, so that never less is counted than was spent. The unit is
//! part of the descriptor: where another `max` brings another unit, the counter begins anew.
//!
//! [envoyproxy/ratelimit]: https://github.com/envoyproxy/ratelimit
//! [Limitador]: https://github.com/Kuadrant/limitador

mod answer;
mod ask;
mod digest;
mod hits;
mod limitador;
mod period;
mod wire;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Misanswer};
pub use ask::{Ask, Question, ask, grpc_service};
pub use digest::DigestKey;
pub use limitador::limitador_limits;

pub(crate) use digest::network;
pub(crate) use hits::Hits;

/// The gRPC service that is asked.
pub const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
/// Its method.
pub const METHOD: &str = "ShouldRateLimit";
