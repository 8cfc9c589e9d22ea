//! The relay's shared parts, and what of them can be changed while it runs.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use flow_capture::Capture;
use flow_redact::Fingerprints;
use rustls::pki_types::CertificateDer;

use crate::pool::{Connector, OwnListeners, Pool, ProxyEnvironment};
use crate::refusals::Admission;
use crate::routes::Routes;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::upstreams::{Upstream, UpstreamInfo};

/// Connections from clients that are open at one time, unless the options say otherwise.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;

/// What a relay is made of.
pub struct ProxyOptions {
    /// Where flows are reported.
    pub capture: Capture,
    /// Replaces credentials in what is reported.
    pub fingerprints: Arc<Fingerprints>,
    /// Upstreams of the user's own.
    pub upstreams: Vec<Upstream>,
    /// Settings at the start.
    pub settings: Settings,
    /// Host names under which the relay may be asked, beside `localhost` and addresses of its own.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may use it.
    pub allowed_origins: Vec<String>,
    /// The proxy on the way to upstreams.
    pub environment: ProxyEnvironment,
    /// Certificate authorities to trust beside those of the system and of Mozilla.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Connections from clients that are open at one time.
    pub connections_max: usize,
}

impl ProxyOptions {
    /// Returns options with nothing of the user's own.
    pub fn new(capture: Capture, fingerprints: Arc<Fingerprints>) -> Self {
        Self {
            capture,
            fingerprints,
            upstreams: Vec::new(),
            settings: Settings::default(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            environment: ProxyEnvironment::none(),
            extra_roots: Vec::new(),
            connections_max: CONNECTIONS_MAX,
        }
    }
}

/// The relay.
pub struct Proxy {
    pub(crate) capture: Capture,
    pub(crate) fingerprints: Arc<Fingerprints>,
    pub(crate) routes: Routes,
    pub(crate) admission: Admission,
    pub(crate) pool: Arc<Pool>,
    pub(crate) tasks: Tasks,
    pub(crate) settings: Arc<ArcSwap<Settings>>,
    pub(crate) connections_max: usize,
    own_listeners: OwnListeners,
}

impl Proxy {
    /// Returns a relay. It does nothing before [`serve`](crate::serve) gives it a listener.
    pub fn new(options: ProxyOptions) -> Arc<Self> {
        let tasks = Tasks::new();
        let own_listeners = OwnListeners::default();
        let settings = Arc::new(ArcSwap::from_pointee(options.settings));
        let connector = Connector::new(
            options.environment,
            options.extra_roots,
            own_listeners.clone(),
        );
        Arc::new(Self {
            capture: options.capture,
            fingerprints: options.fingerprints,
            routes: Routes::new(options.upstreams),
            admission: Admission {
                hosts: options.allowed_hosts,
                origins: options.allowed_origins,
            },
            pool: Pool::new(connector, tasks.clone()),
            tasks,
            settings,
            connections_max: options.connections_max,
            own_listeners,
        })
    }

    /// Returns the settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Puts other settings in force for requests that begin from now on.
    pub fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Returns the upstreams, built-in ones first.
    pub fn upstreams(&self) -> Vec<UpstreamInfo> {
        self.routes.list()
    }

    /// Refuses from now on to connect to this listener of the monitor's own.
    pub fn guard_listener(&self, address: SocketAddr) {
        self.own_listeners.add(address);
    }
}
