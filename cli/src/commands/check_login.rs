//! `check-login`: tells whether a registry accepts a login.

use ocireg::{CallOptions, ErrorKind, Registry};
use serde::Serialize;

use crate::args::CheckLoginArgs;
use crate::clients::Clients;
use crate::options::Options;
use crate::output::{Output, Stop};
use crate::private::Named;
use crate::reason::Reason;
use crate::status::Status;
use crate::text::as_column;

/// The fields are part of the interface.
#[derive(Serialize)]
struct Object<'a> {
    registry: &'a str,
    login: Option<&'static str>,
    error: Option<&'a Reason>,
}

pub(crate) fn run(args: &CheckLoginArgs, options: &Options) -> Result<Status, Stop> {
    let registry = args.registry.parse::<Registry>();
    let named = Named::new(registry.as_ref().ok().cloned());
    let mut clients = Clients::new(options, CallOptions::new(), &named)?;
    let mut output = Output::new(options);
    let ask = || {
        let registry = registry?;
        let client = clients.of(&registry)?;
        let answer = client.check_login(&registry);
        output.warnings(&client, &registry);
        answer
    };
    let (status, reason) = match ask() {
        Ok(()) => (Status::Yes, None),
        Err(error) => (status_of(error.kind()), Some(Reason::from(error))),
    };
    let login = match status {
        Status::Yes => Some("ok"),
        Status::Denied => Some("refused"),
        _ => None,
    };
    let typed = as_column(&args.registry);
    let object = Object {
        registry: &typed,
        login,
        error: reason.as_ref(),
    };
    output.answer(Some(&format!("{typed} {}", login.unwrap_or("-"))), &object)?;
    match &reason {
        Some(reason) => output.reason(reason)?,
        None => output.flush()?,
    }
    Ok(status)
}

/// A refused login is an answer here. "Not found" is a failure: it is no registry to log in to.
fn status_of(kind: ErrorKind) -> Status {
    match kind {
        ErrorKind::Unauthorized | ErrorKind::Denied => Status::Denied,
        _ => Status::Failed,
    }
}
