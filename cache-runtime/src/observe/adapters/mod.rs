//! Adapters for metrics libraries. Each shows what [`Cache::observe`](crate::Cache::observe) does.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "opentelemetry-0_33")]
mod opentelemetry;
#[cfg(feature = "prometheus-client")]
mod prometheus_client;

#[cfg(feature = "prometheus-client")]
pub use prometheus_client::PrometheusCollector;
