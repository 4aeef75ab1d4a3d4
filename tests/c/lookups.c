/* Every function that asks a registry, with its correct answer. The registry has team/app with the
 * tags v1, v2 and latest, and the repository other. Latest has the digest of v2. The fake registry
 * also has a hidden repository, a rate limit and a warning.
 *
 *     lookups AUTHORITY plain|file|memory CA_FILE DIGEST_V1 DIGEST_V2 SIZE_V2 MEDIA_TYPE real|fake
 */
#include "check.h"

static const char *authority, *v1, *v2, *media_type;
static uint64_t size;
static int is_fake;

static void trust(ocireg_options *options, const char *how, const char *file) {
    if (strcmp(how, "file") == 0) {
        CHECK(ocireg_options_add_ca_file(options, authority, file) == OCIREG_OK);
    } else if (strcmp(how, "memory") == 0) {
        static uint8_t pem[1 << 16];
        FILE *stream = fopen(file, "rb");
        size_t length = stream ? fread(pem, 1, sizeof pem, stream) : 0;
        CHECK(length > 0);
        if (stream)
            fclose(stream);
        CHECK(ocireg_options_add_ca_pem(options, authority, pem, length) == OCIREG_OK);
        memset(pem, 0, sizeof pem); /* The library has copied it. */
    }
}

static void single(const ocireg_client *client) {
    struct {
        const char *path;
        ocireg_presence presence;
    } cases[] = {
        {"/team/app:v1", OCIREG_PRESENCE_EXISTS},
        {"/team/app", OCIREG_PRESENCE_EXISTS},
        {"/team/app:v3", OCIREG_PRESENCE_ABSENT},
        {"/none", OCIREG_PRESENCE_ABSENT},
        {"/hidden:1", is_fake ? OCIREG_PRESENCE_DENIED : OCIREG_PRESENCE_ABSENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ocireg_presence presence = (ocireg_presence)77;
        ocireg_error *error;
        STATUS(ocireg_client_exists(client, at(authority, cases[i].path), NULL, &presence, &error),
               OCIREG_OK, error);
        CHECK(presence == cases[i].presence);
    }

    ocireg_descriptor *descriptor;
    ocireg_error *error;
    STATUS(ocireg_client_head(client, at(authority, "/team/app:v2"), NULL, &descriptor, &error),
           OCIREG_OK, error);
    CHECK(strcmp(ocireg_descriptor_digest(descriptor), v2) == 0);
    CHECK(strcmp(ocireg_descriptor_media_type(descriptor), media_type) == 0);
    CHECK(ocireg_descriptor_size(descriptor) == size);
    CHECK(ocireg_descriptor_digest_source(descriptor) == OCIREG_DIGEST_SOURCE_HEADER);
    ocireg_descriptor_free(descriptor);
    STATUS(ocireg_client_head(client, at(authority, "/team/app:v3"), NULL, &descriptor, &error),
           OCIREG_E_NOT_FOUND, error);
    CHECK(descriptor == NULL);

    char *digest;
    STATUS(ocireg_client_digest(client, at(authority, "/team/app:v1"), NULL, &digest, &error),
           OCIREG_OK, error);
    CHECK(strcmp(digest, v1) == 0);
    ocireg_string_free(digest);
    /* A reference with a digest works too. */
    char pinned[256];
    snprintf(pinned, sizeof pinned, "%s/team/app@%s", authority, v1);
    STATUS(ocireg_client_digest(client, pinned, NULL, &digest, &error), OCIREG_OK, error);
    CHECK(strcmp(digest, v1) == 0);
    ocireg_string_free(digest);
}

/* Checks that a list has the names in `wanted`, which are separated by spaces, and frees it. */
static void holds(ocireg_strings *list, const char *wanted) {
    char text[256] = "";
    const char *const *all = ocireg_strings_data(list);
    for (size_t i = 0; i < ocireg_strings_len(list); i++) {
        CHECK(all[i] == ocireg_strings_get(list, i));
        strcat(strcat(text, i ? " " : ""), all[i]);
    }
    CHECK(all && all[ocireg_strings_len(list)] == NULL);
    CHECK(ocireg_strings_get(list, ocireg_strings_len(list)) == NULL);
    CHECK(ocireg_strings_skipped(list) == 0);
    if (strcmp(text, wanted) != 0)
        printf("\"%s\" and not \"%s\"\n", text, wanted);
    CHECK(strcmp(text, wanted) == 0);
    ocireg_strings_free(list);
}

static void lists(const ocireg_client *client) {
    ocireg_strings *list;
    ocireg_error *error;
    const char *app = at(authority, "/team/app");
    STATUS(ocireg_client_tags(client, app, NULL, &list, &error), OCIREG_OK, error);
    holds(list, "latest v1 v2");
    STATUS(ocireg_client_tags(client, at(authority, "/none"), NULL, &list, &error),
           OCIREG_E_NOT_FOUND, error);
    CHECK(list == NULL);
    STATUS(ocireg_client_catalog(client, authority, NULL, &list, &error), OCIREG_OK, error);
    holds(list, is_fake ? "hidden other team/app" : "other team/app");
    STATUS(ocireg_client_tags_sharing(client, at(authority, "/team/app:v2"), NULL, &list, &error),
           OCIREG_OK, error);
    holds(list, "latest v2");
    STATUS(ocireg_client_tags_of_digest(client, app, v1, NULL, &list, &error), OCIREG_OK, error);
    holds(list, "v1");
    char none[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    STATUS(ocireg_client_tags_of_digest(client, app, none, NULL, &list, &error), OCIREG_OK, error);
    holds(list, "");
}

/* Reads to the end, and then once more. */
static void read_pages(ocireg_pages *pages, size_t wanted_pages, size_t wanted_entries) {
    size_t count = 0, entries = 0;
    for (;;) {
        ocireg_strings *page;
        ocireg_error *error;
        STATUS(ocireg_pages_next(pages, &page, &error), OCIREG_OK, error);
        if (!page)
            break;
        count++;
        entries += ocireg_strings_len(page);
        ocireg_strings_free(page);
    }
    CHECK(count == wanted_pages);
    CHECK(entries == wanted_entries);
    ocireg_strings *page;
    CHECK(ocireg_pages_next(pages, &page, NULL) == OCIREG_OK && page == NULL);
    ocireg_pages_free(pages);
}

static void pages(ocireg_client *owned) {
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_page_size(call, 1) == OCIREG_OK);
    ocireg_pages *tags, *catalog;
    ocireg_error *error;
    STATUS(ocireg_client_tag_pages(owned, at(authority, "/team/app"), call, &tags, &error),
           OCIREG_OK, error);
    STATUS(ocireg_client_catalog_pages(owned, authority, call, &catalog, &error), OCIREG_OK, error);
    /* The pagers keep what they need. */
    ocireg_call_free(call);
    ocireg_client_free(owned);
    /* docker-registry 2.8 ignores the page size for tags. */
    read_pages(tags, is_fake ? 3 : 1, 3);
    read_pages(catalog, is_fake ? 3 : 2, is_fake ? 3 : 2);
}

static void batches(const ocireg_client *client) {
    const char *images[] = {
        at(authority, "/team/app:v1"), NULL, at(authority, "/none:1"), "UPPER", "\xff",
        at(authority, "/team/app:v1")};
    ocireg_batch *batch;
    ocireg_error *error;
    STATUS(ocireg_client_lookup_all(client, images, 6, NULL, &batch, &error), OCIREG_OK, error);
    CHECK(ocireg_batch_len(batch) == 6);
    ocireg_presence presences[] = {OCIREG_PRESENCE_EXISTS,  OCIREG_PRESENCE_UNKNOWN,
                                   OCIREG_PRESENCE_ABSENT,  OCIREG_PRESENCE_UNKNOWN,
                                   OCIREG_PRESENCE_UNKNOWN, OCIREG_PRESENCE_EXISTS,
                                   OCIREG_PRESENCE_UNKNOWN};
    ocireg_status errors[] = {OCIREG_OK,
                              OCIREG_E_INVALID_ARGUMENT,
                              OCIREG_OK,
                              OCIREG_E_INVALID_REFERENCE,
                              OCIREG_E_INVALID_ARGUMENT,
                              OCIREG_OK,
                              OCIREG_OK};
    for (size_t i = 0; i < 7; i++) {
        const ocireg_descriptor *descriptor = ocireg_batch_descriptor(batch, i);
        CHECK(ocireg_batch_presence(batch, i) == presences[i]);
        CHECK(ocireg_error_code(ocireg_batch_error(batch, i)) == errors[i]);
        CHECK((descriptor != NULL) == (presences[i] == OCIREG_PRESENCE_EXISTS));
        CHECK(!descriptor || strcmp(ocireg_descriptor_digest(descriptor), v1) == 0);
    }
    ocireg_batch_free(batch);
    STATUS(ocireg_client_lookup_all(client, NULL, 0, NULL, &batch, &error), OCIREG_OK, error);
    CHECK(batch && ocireg_batch_len(batch) == 0 && ocireg_batch_error(batch, 0) == NULL);
    ocireg_batch_free(batch);
}

static void of_the_registry(const ocireg_client *client) {
    ocireg_auth_scheme scheme = (ocireg_auth_scheme)77;
    ocireg_error *error;
    STATUS(ocireg_client_ping(client, authority, NULL, &scheme, &error), OCIREG_OK, error);
    CHECK(scheme == OCIREG_AUTH_SCHEME_ANONYMOUS);
    STATUS(ocireg_client_check_login(client, authority, NULL, &error), OCIREG_OK, error);

    ocireg_rate_limit *limit;
    STATUS(ocireg_client_rate_limit(client, authority, &limit, &error), OCIREG_OK, error);
    CHECK((limit != NULL) == is_fake);
    if (limit) {
        CHECK(ocireg_rate_limit_remaining(limit) == 76);
        CHECK(ocireg_rate_limit_limit(limit) == 100);
        CHECK(ocireg_rate_limit_window_ms(limit) == 21600000);
        CHECK(ocireg_rate_limit_source(limit) == NULL);
    }
    ocireg_rate_limit_free(limit);
    STATUS(ocireg_client_rate_limit(client, "elsewhere.example", &limit, &error), OCIREG_OK, error);
    CHECK(limit == NULL);

    ocireg_strings *warnings;
    STATUS(ocireg_client_warnings(client, authority, &warnings, &error), OCIREG_OK, error);
    CHECK(ocireg_strings_len(warnings) == (size_t)is_fake);
    CHECK(!is_fake || strstr(ocireg_strings_get(warnings, 0), "old and tired"));
    ocireg_strings_free(warnings);
}

int main(int count, char **arguments) {
    if (count != 9)
        return 2;
    authority = arguments[1];
    v1 = arguments[4];
    v2 = arguments[5];
    size = strtoull(arguments[6], NULL, 10);
    media_type = arguments[7];
    is_fake = strcmp(arguments[8], "fake") == 0;
    ocireg_options *options = ocireg_options_new();
    trust(options, arguments[2], arguments[3]);
    ocireg_client *client = client_of(options);
    single(client);
    lists(client);
    batches(client);
    of_the_registry(client);
    ocireg_client_close_idle(client);
    pages(client);
    return finish();
}
