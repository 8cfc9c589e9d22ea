//! Everything that is measured of a reading, in one place: estimates, cost, context use.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use flow_model::{Exchange, Reading};
use serde_json::{Map, Value};

use crate::estimate::{estimate, is_wanting};
use crate::meter::price;
use crate::overrides::OverrideError;
use crate::prices::Prices;

/// Measures readings. Copies share the prices.
#[derive(Clone)]
pub struct Meter {
    prices: Arc<Prices>,
    stamp: Arc<str>,
}

// === impl Meter ===

impl Meter {
    /// Returns a meter with the built-in prices and the user's own over them, as
    /// [`Prices::with_overrides`] reads them.
    ///
    /// # Errors
    /// A price of the user's makes no sense.
    pub fn new(own: &Map<String, Value>) -> Result<Self, OverrideError> {
        let prices = Prices::with_overrides(own)?;
        let mut hash = DefaultHasher::new();
        Value::Object(own.clone()).to_string().hash(&mut hash);
        let stamp = if own.is_empty() {
            prices.version().to_owned()
        } else {
            format!("{}, own {:x}", prices.version(), hash.finish())
        };
        Ok(Self {
            prices: Arc::new(prices),
            stamp: stamp.into(),
        })
    }

    /// Returns what names the prices in force: a row that was priced by others is stale.
    pub fn stamp(&self) -> &str {
        &self.stamp
    }

    /// Measures a full reading: counts what the wire did not, and prices the call.
    pub fn measure(&self, exchange: &Exchange, reading: &mut Reading) {
        if !is_fetched(exchange) {
            estimate(reading);
        }
        self.price(exchange, reading);
    }

    /// Prices what is counted. Enough for a reading whose request was only skimmed, unless it [`Meter::wants`]
    /// an estimate.
    pub fn price(&self, exchange: &Exchange, reading: &mut Reading) {
        // What is fetched again was paid by the call that made it.
        if is_fetched(exchange) {
            return;
        }
        let provider = exchange.route.provider.as_deref();
        price(
            reading,
            provider,
            exchange.path(),
            exchange.started_at,
            &self.prices,
        );
    }

    /// Returns whether an estimate would fill in what the wire did not tell.
    #[expect(
        clippy::unused_self,
        reason = "whether to measure is the meter's to say"
    )]
    pub fn wants(&self, exchange: &Exchange, reading: &Reading) -> bool {
        !is_fetched(exchange) && is_wanting(reading)
    }
}

impl Default for Meter {
    fn default() -> Self {
        let prices = Prices::default();
        Self {
            stamp: prices.version().into(),
            prices: Arc::new(prices),
        }
    }
}

fn is_fetched(exchange: &Exchange) -> bool {
    exchange.request.method.eq_ignore_ascii_case("GET")
}
