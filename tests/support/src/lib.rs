//! Real registries and proxies, started on free loopback ports.
