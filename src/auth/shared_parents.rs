//! Domains under which names belong to different owners: a name next to a registry there may be a
//! stranger's.
//!
//! This is a short list of our own. The whole public suffix list would add 0.7 MB to the library.

/// Whether the names directly below `domain` may belong to different owners, as far as the lists
/// tell. `domain` is in lower case.
pub(super) fn is_shared(domain: &str) -> bool {
    is_second_level(domain) || is_hosting(domain) || is_below_an_address(domain)
}

/// Whether it is a country's domain for a purpose, such as `co.uk`.
fn is_second_level(domain: &str) -> bool {
    domain.split_once('.').is_some_and(|(label, country)| {
        country.len() == 2 && words(SECOND_LEVELS).any(|known| known == label)
    })
}

fn is_hosting(domain: &str) -> bool {
    let above = domain.split_once('.').map(|(_, above)| above);
    words(HOSTING).any(|entry| match entry.strip_prefix("*.") {
        Some(base) => domain == base || above == Some(base),
        None => domain == entry,
    })
}

/// Whether it is one of the domains in which whoever has an IP address has all names with it, or
/// such a name.
fn is_below_an_address(domain: &str) -> bool {
    words(OF_ADDRESSES).any(|base| {
        domain
            .strip_suffix(base)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn words(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split_ascii_whitespace()
}

/// What domains of two-letter countries are divided into.
const SECOND_LEVELS: &str = "\
    ac ad asn asso av bel biz co com desa ed edu firm gen go gob gouv gov govt gr gub gv id idv in \
    ind inf info iwi k12 law lg ltd maori mil muni my name ne net nhs nic nom or org pe plc police \
    prd press priv re res sch web";

/// Domains of hosting services, dynamic DNS and sellers of names. With `*.`, each label below is
/// such a domain too, for example a region.
const HOSTING: &str = "\
    github.io gitlab.io codeberg.page githubpreview.dev hf.space pages.dev workers.dev r2.dev \
    trycloudflare.com cloudflare.net cloudfront.net *.elb.amazonaws.com *.compute.amazonaws.com \
    *.compute-1.amazonaws.com s3.amazonaws.com elasticbeanstalk.com *.awsapprunner.com \
    amplifyapp.com azurewebsites.net azurestaticapps.net *.azurecontainer.io azure-api.net \
    azurefd.net azureedge.net cloudapp.net trafficmanager.net servicebus.windows.net \
    blob.core.windows.net *.run.app appspot.com web.app firebaseapp.com cloudfunctions.net \
    *.gateway.dev cloud.goog herokuapp.com fly.dev vercel.app vercel.dev now.sh netlify.app \
    onrender.com up.railway.app *.northflank.app deno.dev val.run zeabur.app ondigitalocean.app \
    *.digitaloceanspaces.com cleverapps.io *.platformsh.site *.upsun.app rhcloud.com stackit.run \
    *.on-rio.io *.oraclecloudapps.com *.oraclegovcloudapps.com *.linodeobjects.com \
    members.linode.com *.nodebalancer.linode.com ip.linodeusercontent.com *.vultrobjects.com \
    *.hosting.ovh.net k8s.scw.cloud functions.fnc.fr-par.scw.cloud repl.co replit.app replit.dev \
    lovable.app supabase.co hasura.app streamlit.app ngrok.io ngrok.app ngrok.dev ngrok-free.app \
    ngrok-free.dev localtonet.com tunnelmole.net telebit.io ts.net duckdns.org dyndns.org \
    dynalias.com dyndns.info dynu.net dynv6.net ddns.net ddnsgeek.com dedyn.io nsupdate.info \
    no-ip.org noip.me hopto.org zapto.org sytes.net freeddns.org cloudns.cc cloudns.org \
    myfritz.net spdns.org goip.de feste-ip.net selfip.com homelinux.org serveftp.com ownip.net \
    synology.me diskstation.me dscloud.me myds.me i234.me myqnapcloud.com eu.org us.org uk.com \
    us.com eu.com de.com br.com cn.com ru.com sa.com za.com gr.com co.com it.com jp.net uk.net \
    gb.net ae.org com.de js.org is-a.dev \
    xip.io traefik.me lvh.me loca.lt lhr.life serveo.net pinggy.link gitpod.io github.dev \
    cloudapp.azure.com on.aws cr.aliyuncs.com aliyuncs.com myhuaweicloud.com vultrcr.com surge.sh \
    glitch.me mooo.com koyeb.app pagekite.me";

/// Here a name holds an IP address at any depth.
const OF_ADDRESSES: &str = "nip.io sslip.io";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_domains_are_told_from_those_of_one_owner() {
        let shared = [
            "co.uk",
            "com.au",
            "gov.br",
            "web.za",
            "github.io",
            "duckdns.org",
            "elb.amazonaws.com",
            "us-east-1.elb.amazonaws.com",
            "eu.run.app",
            "aliyuncs.com",
            "nip.io",
            "10.0.0.1.nip.io",
            "team.10-0-0-1.sslip.io",
        ];
        for domain in shared {
            assert!(is_shared(domain), "{domain}");
        }
        let owned = [
            "example.com",
            "example.co.uk",
            "example.uk",
            "me.duckdns.org",
            "a.us-east-1.elb.amazonaws.com",
            "notgithub.io",
            "snip.io",
            "company.amazonaws.com",
        ];
        for domain in owned {
            assert!(!is_shared(domain), "{domain}");
        }
    }

    #[test]
    fn each_list_holds_each_domain_once_and_all_are_small() {
        let mut all: Vec<&str> = Vec::new();
        for (list, entries) in [(SECOND_LEVELS, 55), (HOSTING, 134 + 20), (OF_ADDRESSES, 2)] {
            assert_eq!(words(list).count(), entries);
            all.extend(words(list));
        }
        let bytes: usize = all.iter().map(|entry| entry.len() + 1).sum();
        assert!(bytes < 2300, "{bytes}");
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|entry| *entry == entry.to_lowercase()));
    }
}
