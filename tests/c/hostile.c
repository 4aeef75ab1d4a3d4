/* One call to a hostile server. It must return an expected status and a message that a terminal can
 * show safely.
 *
 *     hostile ASK AUTHORITY STATUS...
 *
 * ASK is tags, pages, digest, exists or sharing. The other arguments are the names of the expected
 * statuses.
 */
#include "check.h"

static void harmless(const char *message) {
    CHECK(message && strlen(message) < 4096);
    for (; message && *message; message++)
        CHECK((unsigned char)*message >= 32 && *message != 127);
}

/* The limit is for an endless list, which the caller has to end. */
static ocireg_status read_pages(const ocireg_client *client, const char *repository,
                                ocireg_error **error) {
    ocireg_pages *pages;
    ocireg_strings *page = NULL;
    ocireg_status status = ocireg_client_tag_pages(client, repository, NULL, &pages, error);
    CHECK(status == OCIREG_OK);
    for (int i = 0;
         i < 5000 && (status = ocireg_pages_next(pages, &page, error)) == OCIREG_OK && page; i++) {
        for (size_t j = 0; j < ocireg_strings_len(page); j++)
            harmless(ocireg_strings_get(page, j));
        ocireg_strings_free(page);
    }
    ocireg_pages_free(pages);
    return status;
}

int main(int count, char **arguments) {
    if (count < 4)
        return 2;
    const char *ask = arguments[1], *image = at(arguments[2], "/t/a:v1"),
               *repository = at(arguments[2], "/t/a");
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_retries(options, 0) == OCIREG_OK);
    CHECK(ocireg_options_set_call_timeout_ms(options, 20000) == OCIREG_OK);
    ocireg_client *client = client_of(options);
    ocireg_error *error = NULL;
    ocireg_status status = OCIREG_OK;
    if (strcmp(ask, "tags") == 0 || strcmp(ask, "sharing") == 0) {
        ocireg_strings *list;
        status = strcmp(ask, "tags") == 0
                     ? ocireg_client_tags(client, repository, NULL, &list, &error)
                     : ocireg_client_tags_sharing(client, image, NULL, &list, &error);
        for (size_t i = 0; i < ocireg_strings_len(list); i++)
            harmless(ocireg_strings_get(list, i));
        ocireg_strings_free(list);
    } else if (strcmp(ask, "pages") == 0) {
        status = read_pages(client, repository, &error);
    } else if (strcmp(ask, "digest") == 0) {
        char *digest;
        status = ocireg_client_digest(client, image, NULL, &digest, &error);
        CHECK((digest != NULL) == (status == OCIREG_OK));
        if (digest)
            harmless(digest);
        ocireg_string_free(digest);
    } else {
        ocireg_presence presence;
        status = ocireg_client_exists(client, image, NULL, &presence, &error);
        CHECK((presence != OCIREG_PRESENCE_UNKNOWN) == (status == OCIREG_OK));
    }
    int expected = 0;
    for (int i = 3; i < count; i++)
        expected = expected || strcmp(arguments[i], ocireg_status_name(status)) == 0;
    printf("%s: %s\n", ocireg_status_name(status), error ? ocireg_error_message(error) : "");
    CHECK(expected);
    if (status != OCIREG_OK)
        harmless(ocireg_error_message(error));
    if (ocireg_error_registry_code(error))
        harmless(ocireg_error_registry_code(error));
    ocireg_strings *warnings;
    CHECK(ocireg_client_warnings(client, arguments[2], &warnings, NULL) == OCIREG_OK);
    for (size_t i = 0; i < ocireg_strings_len(warnings); i++)
        harmless(ocireg_strings_get(warnings, i));
    ocireg_strings_free(warnings);
    ocireg_error_free(error);
    ocireg_client_free(client);
    return finish();
}
