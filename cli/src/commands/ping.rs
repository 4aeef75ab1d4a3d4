//! `ping`: tells whether a registry answers, and which authentication scheme it wants.

use std::borrow::Cow;

use ocireg::{AuthScheme, CallOptions, Ping, Registry};
use serde::Serialize;

use crate::args::PingArgs;
use crate::clients::Clients;
use crate::input::{Item, Items};
use crate::options::Options;
use crate::output::{Output, Stop};
use crate::reason::{Reason, snake_case};
use crate::status::Status;
use crate::text::as_column;

/// The fields are part of the interface.
#[derive(Serialize)]
struct Object<'a> {
    registry: &'a str,
    auth: Option<&'a str>,
    error: Option<&'a Reason>,
}

pub(crate) fn run(args: PingArgs, options: &Options) -> Result<Status, Stop> {
    let items = Items::new(args.registries)?;
    if options.have_login() {
        let why = "ping does not use a login; use check-login to test one";
        return Err(Stop::Failed(why.to_owned()));
    }
    let named = items.named(|registry: &Registry| registry);
    let mut clients = Clients::new(options, CallOptions::new(), &named)?;
    let mut output = Output::new(options);
    let mut worst = Status::Yes;
    for item in items {
        let item = item?;
        let typed = as_column(&item.typed);
        let answer = ask(&mut clients, &mut output, &item);
        let (auth, reason) = match &answer {
            Ok(ping) => (Some(scheme(&ping.auth)), None),
            Err(reason) => (None, Some(reason)),
        };
        let auth = auth.as_deref();
        let object = Object {
            registry: &typed,
            auth,
            error: reason,
        };
        output.answer(Some(&format!("{typed} {}", auth.unwrap_or("-"))), &object)?;
        match reason {
            Some(reason) => {
                output.reason(reason)?;
                worst = worst.max(reason.status);
            }
            None => output.flush()?,
        }
    }
    Ok(worst)
}

fn ask(clients: &mut Clients<'_>, output: &mut Output, item: &Item) -> Result<Ping, Reason> {
    let registry: Registry = item.parse()?;
    let client = clients.of(&registry)?;
    let answer = client.ping(&registry);
    output.warnings(&client, &registry);
    Ok(answer?)
}

fn scheme(auth: &AuthScheme) -> Cow<'static, str> {
    match auth {
        AuthScheme::Anonymous => "anonymous".into(),
        AuthScheme::Basic => "basic".into(),
        AuthScheme::Bearer => "bearer".into(),
        // The case of a scheme's name does not matter (RFC 9110 section 11.1).
        AuthScheme::Other(name) => as_column(&name.to_ascii_lowercase()).into(),
        // A newer library may know schemes that this command does not.
        other => snake_case(other).into(),
    }
}
