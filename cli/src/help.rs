//! The long help texts. Lines have at most 80 columns.

pub(crate) const ABOUT: &str =
    "Asks container registries: does this image exist, and what is its digest?";

pub(crate) const LONG_ABOUT: &str = "\
Asks container registries whether images exist, what their digests are, and
which tags there are.

It needs no Docker daemon and pulls no images. Most questions cost one
request. A REF is written as for `docker pull`: alpine:3.20,
localhost:5000/team/app:1.2, registry.example.com/app@sha256:...
Without a registry it is on Docker Hub. Without a tag it means `latest`.";

pub(crate) const AFTER_HELP: &str = "\
Examples:
  ocireg exists localhost:5000/team/app:1.2 alpine:3.20
  ocireg digest alpine:3.20
  ocireg tags localhost:5000/team/app
  ocireg find localhost:5000/team/app:latest
  ocireg exists - < images.txt && ./deploy.sh
  ocireg exists --username me --password-stdin \\
    registry.example.com/app:1 < password.txt

Exit codes:
  0    yes
  1    absent: the registry says that it does not exist
  3    denied: private, hidden or missing; the registry does not say which
  2    anything else: no answer, an invalid reference, wrong usage, or an
       answer that can't be written
  141  the reader of the output closed it early
  Reasons are printed on standard error. Of several answers, 2 outranks 3, and
  3 outranks 1.

Without a login, ocireg asks anonymously. A login is shown only to its own
registry and to the token service of that registry. No option takes a password
or a token as an argument, because other users could see it in `ps`.

Registries are asked over https. Those on this machine (localhost, 127.0.0.0/8,
[::1]) are asked over http.

`ocireg help COMMAND` explains one command.";

macro_rules! exit_codes {
    () => {
        "

Exit codes:
  0  yes
  1  absent
  3  denied: private, hidden or missing; the registry does not say which
  2  anything else: no answer, an invalid reference, wrong usage
  Reasons are printed on standard error."
    };
}

macro_rules! exit_codes_of_several {
    () => {
        concat!(
            exit_codes!(),
            " Of several answers, 2 outranks 3, and\n  3 outranks 1."
        )
    };
}

macro_rules! lookup_json {
    () => {
        "

--json prints one object per REF. All fields are always there. A value that is
not known is null.
  {\"reference\", \"presence\": \"exists\"|\"absent\"|\"denied\"|null,
   \"digest\", \"media_type\", \"size\",
   \"digest_source\": \"header\"|\"computed\"|\"requested\"|null,
   \"error\": null|{\"kind\", \"http_status\", \"code\", \"message\",
                  \"retry_after_ms\"}}
  `error` gives the reason if the image was not found. A `presence` of null
  means that there is no answer. `digest_source` tells where the digest comes
  from: the registry's header, the bytes of the manifest, or the REF."
    };
}

macro_rules! standard_input {
    () => {
        "

With `-`, standard input has one REF per line. Blank lines and lines that start
with # are skipped. A line that is not a reference is an error, but the lines
after it are still asked about. An input without any REF is an error too.

REFs are asked at the same time, in batches of up to 512, and answered in their
order. In a batch, a REF that is given twice is asked once, and one token serves
many repositories. If a token service refuses the login, or a registry answers
HTTP 429 or does not answer at all, it gets no more requests for the rest of the
batch."
    };
}

pub(crate) const EXISTS: &str = concat!(
    "\
Prints one line per REF: exists|absent|denied|error REF DIGEST
A digest that is not known is printed as `-`.

Examples:
  ocireg exists localhost:5000/team/app:1.2
  ocireg exists - < images.txt && ./deploy.sh
  ocireg exists --wait 10m localhost:5000/team/app:1.3 && ./deploy.sh

  $ ocireg exists localhost:5000/team/app:1.2 localhost:5000/team/app:9
  exists localhost:5000/team/app:1.2 sha256:6c3c...
  absent localhost:5000/team/app:9 -

For NAME:TAG@DIGEST only the digest is asked about, as docker does.

--wait asks again about images that are absent, and about those that failed for
a passing reason (no connection, a timeout, HTTP 429, 5xx). It pauses for 1 s,
then 2 s, and so on up to 10 s. All answers are printed at the end. Standard
input is read to its end first.",
    standard_input!(),
    lookup_json!(),
    exit_codes_of_several!()
);

pub(crate) const DIGEST: &str = concat!(
    "\
Prints DIGEST for one REF, or nothing if the image was not found. For several
REFs, or from standard input, it prints one line per REF: DIGEST REF
There, a digest that is not known is printed as `-`.

For a multi-platform image it is the digest of the index. `docker pull` prints
the same digest.

Examples:
  docker run app@$(ocireg digest localhost:5000/team/app:1.2)
  ocireg digest alpine:3.19 alpine:3.20",
    standard_input!(),
    lookup_json!(),
    exit_codes_of_several!()
);

pub(crate) const HEAD: &str = concat!(
    "\
Prints one line per REF: DIGEST MEDIA-TYPE SIZE REF
A value that is not known is printed as `-`. An image that was not found is
printed as `- - - REF`.

Examples:
  $ ocireg head alpine:3.20
  sha256:6c3c... application/vnd.oci.image.index.v1+json 856 alpine:3.20",
    standard_input!(),
    lookup_json!(),
    exit_codes_of_several!()
);

pub(crate) const FIND: &str = concat!(
    "\
Prints one line per tag: TAG DIGEST

It asks for the digest of REF, for the tags, and for the digest of each tag. Of
a multi-platform image it compares the index, not the images in it. The tags
have the registry's order. If one tag can't be asked about, there is no answer,
because a list with gaps would look complete.

Examples:
  $ ocireg find localhost:5000/team/app:latest
  1.2.0 sha256:6c3c...
  latest sha256:6c3c...
  ocireg find localhost:5000/team/app@sha256:6c3c...

A digest that no tag has is absent.

--json prints one object per tag: {\"reference\", \"tag\", \"digest\", \"error\"}
If there is none, it prints one object with a `tag` of null and an `error` (see
`ocireg help exists`).",
    exit_codes!()
);

pub(crate) const TAGS: &str = concat!(
    "\
Prints one line per tag: TAG

Tags are printed as the registry sends them, page by page and in its order. If
the list breaks off, the tags so far are printed and the exit code is 2.

Examples:
  ocireg tags localhost:5000/team/app
  ocireg tags --limit 10 alpine

--json prints one object per tag: {\"repository\", \"tag\", \"error\"}
If the list breaks off, it prints one more object, with a `tag` of null and an
`error` (see `ocireg help exists`).",
    exit_codes!()
);

pub(crate) const CATALOG: &str = concat!(
    "\
Prints one line per repository: REPOSITORY

Many registries have no catalog, or show only a part of it. Names are printed as
the registry sends them, page by page. If the list breaks off, the names so far
are printed and the exit code is 2.

Examples:
  ocireg catalog localhost:5000

--json prints one object per repository: {\"registry\", \"repository\", \"error\"}
If the list breaks off, it prints one more object, with a `repository` of null
and an `error` (see `ocireg help exists`).",
    exit_codes!()
);

pub(crate) const PING: &str = concat!(
    "\
Prints one line per registry: REGISTRY SCHEME
SCHEME is anonymous, bearer, basic or the name of another scheme. It is `-` if
no registry answered.

ping asks without a login. See `ocireg help check-login`.

Examples:
  $ ocireg ping localhost:5000
  localhost:5000 anonymous

--json prints one object per registry: {\"registry\", \"auth\", \"error\"}
For `error` see `ocireg help exists`.",
    exit_codes_of_several!()
);

pub(crate) const CHECK_LOGIN: &str = "\
Prints one line: REGISTRY ok|refused
It prints `-` in place of ok or refused if there is no answer.

Give the login with --username and --password-stdin, with --token-stdin or with
--identity-token-stdin. An accepted login says nothing about the repositories
that it may read. If the login was not sent, because the registry asks for none
or its token service is not trusted, the error says so.

Examples:
  $ ocireg check-login --username me --password-stdin \\
      localhost:5000 < password.txt
  localhost:5000 ok

--json prints {\"registry\", \"login\": \"ok\"|\"refused\"|null, \"error\"}
For `error` see `ocireg help exists`.

Exit codes:
  0  accepted
  3  refused, or the registry asks for a login and none was given
  2  anything else: no answer, not a registry, wrong usage
  The reason is printed on standard error.";
