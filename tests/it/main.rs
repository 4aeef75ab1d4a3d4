//! Integration tests: one binary, a module per subject, each test named after the row or rule it proves.

mod contract;
mod counting;
mod faults_cancel;
mod faults_connections;
mod faults_framing;
mod faults_stages;
mod faults_support;
mod quirks_contract;
mod quirks_denied;
mod quirks_head;
mod quirks_lists;
mod quirks_redirects;
mod quirks_support;
mod quirks_words;
mod real_lists;
mod real_proxies;
mod real_refusals;
mod real_registries;
mod real_requests;
mod real_servers;
mod real_tls;
mod reference_parts;
mod references;
mod references_property;
mod rooms;
mod tls_records;
