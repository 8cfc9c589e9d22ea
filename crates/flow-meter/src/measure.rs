//! Everything that is measured of a reading, in one place: estimates, cost, context use.

use std::sync::Arc;

use flow_model::{Exchange, Reading};

use crate::estimate::{estimate, is_wanting};
use crate::meter::price;
use crate::prices::Prices;

/// Measures readings. Copies share the prices.
#[derive(Clone)]
pub struct Meter(Arc<Prices>);

// === impl Meter ===

impl Meter {
    /// Returns a meter with these prices.
    pub fn new(prices: Prices) -> Self {
        Self(Arc::new(prices))
    }

    /// Returns what names the prices in force: a row that was priced by others is stale.
    pub fn version(&self) -> &str {
        self.0.version()
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
            &self.0,
        );
    }

    /// Returns whether an estimate would fill in what the wire did not tell.
    pub fn wants(&self, exchange: &Exchange, reading: &Reading) -> bool {
        !is_fetched(exchange) && is_wanting(reading)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(Prices::default())
    }
}

fn is_fetched(exchange: &Exchange) -> bool {
    exchange.request.method.eq_ignore_ascii_case("GET")
}
