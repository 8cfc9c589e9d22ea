//! One call as it is stored: the exchange, both bodies, the times of their parts, and what its row says.

use bytes::Bytes;
use flow_meter::{PriceQuery, Prices, cost, estimate, price};
use flow_model::{Chunk, Exchange, Reading, Row, Units};

/// One call that was made up.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The exchange as it ended.
    pub(crate) exchange: Exchange,
    /// The request's body, content-decoded.
    pub(crate) request: Bytes,
    /// The response's body, content-decoded.
    pub(crate) response: Bytes,
    /// When each part of the request's body arrived.
    pub(crate) sent: Vec<Chunk>,
    /// When each part of the response's body arrived.
    pub(crate) chunks: Vec<Chunk>,
    /// As much of the reading as a row takes from it; none where only the codec can tell.
    pub(crate) known: Option<Box<Reading>>,
}

// === impl Call ===

impl Call {
    /// Returns the bytes of both bodies.
    pub(crate) fn bytes(&self) -> u64 {
        (self.request.len() + self.response.len()) as u64
    }

    /// Returns the exchange as it was when the request had been sent.
    pub(crate) fn begun(&self) -> Exchange {
        let whole = &self.exchange;
        Exchange {
            response: None,
            response_body: flow_model::BodyFacts::default(),
            timings: flow_model::Timings {
                head_us: None,
                ttfb_us: None,
                duration_us: None,
                ..whole.timings
            },
            end: None,
            failure: None,
            ..whole.clone()
        }
    }

    /// Returns the row: what a reading of the bodies gives, without reading them where the answer is known.
    pub(crate) fn row(&self, prices: &Prices) -> Row {
        let Some(known) = &self.known else {
            return Row::new(&self.exchange, &self.reading(prices));
        };
        let mut row = Row::new(&self.exchange, known);
        let model = known.response.model.as_deref();
        let query = PriceQuery {
            provider: self.exchange.route.provider.as_deref(),
            model: model.or(known.request.model.as_deref()).unwrap_or_default(),
            at: self.exchange.started_at,
            tokens: known.tokens,
            units: &Units::default(),
            tier: known.response.service_tier.as_deref(),
            speed: None,
            is_batch: false,
        };
        row.cost = cost(prices, &query).map(|cost| cost.total.to_string());
        row
    }

    /// Reads the bodies, and measures what they say as the recorder does.
    pub(crate) fn reading(&self, prices: &Prices) -> Reading {
        let exchange = &self.exchange;
        let mut reading = flow_codec::read(exchange, &self.request, &self.response, &self.chunks);
        estimate(&mut reading);
        let provider = exchange.route.provider.as_deref();
        price(
            &mut reading,
            provider,
            exchange.path(),
            exchange.started_at,
            prices,
        );
        reading
    }
}
