//! `tags` and `catalog`.

use serde_json::json;

use crate::support::{NOBODY, Odd, answer, ocireg, private, registry};

#[test]
fn tags_and_catalog_of_a_real_registry() {
    let Some(registry) = registry() else { return };
    let at = &registry.at;
    let mut tags: Vec<String> = ocireg(&format!("tags {at}/team/app"))
        .out
        .lines()
        .map(str::to_owned)
        .collect();
    // The registry chooses the order.
    tags.sort();
    assert_eq!(tags, ["1.0", "1.0.3", "latest"]);
    ocireg(&format!("catalog {at}")).assert(0, "a\nb\nc\nkinds\nteam/app\n", &[]);
    // Every name is on a page of its own.
    ocireg(&format!("catalog --page-size 1 {at}")).assert(0, "a\nb\nc\nkinds\nteam/app\n", &[]);
    ocireg(&format!("catalog --limit 2 {at}")).assert(0, "a\nb\n", &[]);
    ocireg(&format!("catalog --limit 99 {at}")).assert(0, "a\nb\nc\nkinds\nteam/app\n", &[]);
    let ran = ocireg(&format!("tags --limit=1 {at}/team/app"));
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 1));

    let ran = ocireg(&format!("tags --json {at}/a"));
    assert_eq!(
        ran.objects(),
        [json!({"repository": format!("{at}/a"), "tag": "latest", "error": null})]
    );
    let ran = ocireg(&format!("catalog --json --limit 1 {at}"));
    assert_eq!(
        ran.objects(),
        [json!({"registry": at, "repository": "a", "error": null})]
    );
}

#[test]
fn lists_that_are_not_there() {
    let Some(registry) = registry() else { return };
    let (at, private) = (&registry.at, private());
    let other = Odd::serve(|request| match request.contains("_catalog") {
        true => answer(404, "", ""),
        false => answer(200, "", "{}"),
    });
    let cases: [(String, i32, &[&str]); 8] = [
        (
            format!("tags {at}/nothing"),
            1,
            &["not found", "NAME_UNKNOWN"],
        ),
        (
            format!("tags {}/app", private.at),
            3,
            &["HTTP 401", "Basic realm"],
        ),
        (
            format!("catalog {}", private.at),
            3,
            &["HTTP 401", "Basic realm"],
        ),
        (format!("tags --retries=0 {NOBODY}/app"), 2, &["refused"]),
        (format!("catalog {}", other.at), 2, &["no catalog"]),
        (
            format!("tags {at}/team/app:1.0"),
            2,
            &["invalid repository", "a tag at byte"],
        ),
        (
            "tags App".to_owned(),
            2,
            &["invalid repository \"App\": upper-case letter 'A'"],
        ),
        (format!("catalog {at}/team"), 2, &["invalid registry"]),
    ];
    for (arguments, code, reasons) in cases {
        ocireg(&arguments).assert(code, "", reasons);
        let ran = ocireg(&format!("--json {arguments}"));
        let objects = ran.objects();
        assert_eq!((ran.code, objects.len()), (Some(code), 1), "{ran:?}");
        let message = objects[0]["error"]["message"].as_str().unwrap();
        assert!(
            reasons.iter().all(|reason| message.contains(reason)),
            "{message}"
        );
        let (name, ..) = arguments.split_once(' ').unwrap();
        let entry = if name == "tags" { "tag" } else { "repository" };
        assert_eq!(objects[0].as_object().unwrap().len(), 3);
        assert!(objects[0][entry].is_null());
    }
}

type End = fn() -> String;

/// A list of three pages. `last` is the answer to the third request.
fn paged(last: End) -> Odd {
    Odd::serve(move |request| {
        let link = |last: &str| {
            format!("Link: </v2/app/tags/list?last={last}&token=hidden>; rel=\"next\"\r\n")
        };
        match request {
            r if r.contains("last=two") => last(),
            r if r.contains("last=one") => answer(
                200,
                &link("two"),
                r#"{"tags":["b","c","d",null,"-bad-","sha256:x"]}"#,
            ),
            _ => answer(200, &link("one"), r#"{"tags":["a","b","b"]}"#),
        }
    })
}

#[test]
fn an_incomplete_list_prints_what_came() {
    let ends: [(End, &str); 4] = [
        (|| answer(500, "", ""), "HTTP 500"),
        (|| answer(401, "", ""), "HTTP 401"),
        (|| answer(404, "", ""), "HTTP 404"),
        (|| answer(200, "", "<html>"), "no list of tags"),
    ];
    for (end, reason) in ends {
        let odd = paged(end);
        let ran = ocireg(&format!("tags --retries=0 {}/app", odd.at));
        // Invalid tags are skipped and counted. A tag that a page repeats from the page before is
        // printed once.
        ran.assert(
            2,
            "a\nb\nc\nd\n",
            &[reason, "left out 3 entries that are not valid tags"],
        );
        let ran = ocireg(&format!("tags --json --retries=0 {}/app", odd.at));
        let objects = ran.objects();
        assert_eq!((ran.code, objects.len()), (Some(2), 5), "{ran:?}");
        assert!(objects[4]["tag"].is_null());
        assert!(
            objects[4]["error"]["message"]
                .as_str()
                .unwrap()
                .contains(reason)
        );
    }
}

#[test]
fn a_whole_list_with_bad_entries_is_a_yes() {
    let odd = paged(|| answer(200, "", r#"{"tags":["e"]}"#));
    let left_out = ["ocireg: left out 3 entries that are not valid tags\n"];
    ocireg(&format!("tags {}/app", odd.at)).assert(0, "a\nb\nc\nd\ne\n", &left_out);
    assert_eq!(odd.requests().len(), 3);
    let empty = Odd::serve(|_| answer(200, "", r#"{"name":"app","tags":null}"#));
    ocireg(&format!("tags {}/app", empty.at)).assert(0, "", &[]);
}

#[test]
fn a_limit_saves_requests() {
    for (limit, requests) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
        let odd = paged(|| answer(200, "", r#"{"tags":["e","f"]}"#));
        let ran = ocireg(&format!("tags --limit {limit} {}/app", odd.at));
        assert_eq!(ran.code, Some(0));
        assert_eq!(ran.out.lines().count(), limit, "{ran:?}");
        assert_eq!(odd.requests().len(), requests, "{limit}");
    }
    let odd = paged(|| answer(200, "", "{}"));
    ocireg(&format!("tags --limit 1 --page-size 7 {}/app", odd.at)).assert(0, "a\n", &[]);
    assert_eq!(odd.requests(), ["GET /v2/app/tags/list?n=7 HTTP/1.1"]);
}
