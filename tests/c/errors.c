/* What an error object says about a failure.
 *
 *     errors LOST LOGIN LIMITED BROKEN CLOSED
 *
 * LOST is a registry without images, and LOGIN is one that asks for a login. LIMITED answers 429,
 * and BROKEN answers 503. CLOSED is a port where nobody listens.
 */
#include "check.h"
#include <errno.h>

/* Not in the header: only the test build of the library has it. */
ocireg_status ocireg_panic_for_test(ocireg_error **error);

struct wanted {
    ocireg_status status;
    uint16_t http;
    const char *registry_code;
    int32_t os_code, transient;
    uint64_t retry_after;
};

static void check(ocireg_status status, ocireg_error *error, struct wanted wanted) {
    const char *code = ocireg_error_registry_code(error);
    CHECK(ocireg_error_http_status(error) == wanted.http);
    if ((code == NULL) != (wanted.registry_code == NULL) ||
        (code && strcmp(code, wanted.registry_code) != 0))
        printf("registry code %s\n", code ? code : "NULL");
    CHECK((code == NULL) == (wanted.registry_code == NULL));
    CHECK(!code || !wanted.registry_code || strcmp(code, wanted.registry_code) == 0);
    CHECK(ocireg_error_os_code(error) == wanted.os_code);
    CHECK(ocireg_error_callback_code(error) == 0);
    CHECK(ocireg_error_is_transient(error) == wanted.transient);
    CHECK(ocireg_error_retry_after_ms(error) == wanted.retry_after);
    int before = failures;
    STATUS(status, wanted.status, error);
    if (failures != before)
        printf("that was for %s\n", ocireg_status_name(wanted.status));
}

static ocireg_error *error;

static ocireg_status tags(const ocireg_client *client, const char *authority) {
    ocireg_strings *list = (ocireg_strings *)&error;
    ocireg_status status =
        ocireg_client_tags(client, at(authority, "/team/app"), NULL, &list, &error);
    CHECK(list == NULL);
    return status;
}

/* A panic becomes a status, and the next call works. Each panic writes its message to standard
 * error. */
static void panic(const ocireg_client *client, const char *lost) {
    for (int i = 0; i < 2; i++) {
        STATUS(ocireg_panic_for_test(&error), OCIREG_E_PANIC, error);
        CHECK(ocireg_panic_for_test(NULL) == OCIREG_E_PANIC);
    }
    ocireg_presence presence;
    STATUS(ocireg_client_exists(client, at(lost, "/team/app:1"), NULL, &presence, &error),
           OCIREG_OK, error);
    CHECK(presence == OCIREG_PRESENCE_ABSENT);
}

/* What the servers answer. */
static void answers(const ocireg_client *client, char **authorities) {
    const char *lost = authorities[0], *login = authorities[1], *limited = authorities[2];
    const char *broken = authorities[3], *closed = authorities[4];
    ocireg_status status = tags(client, lost);
    check(status, error, (struct wanted){OCIREG_E_NOT_FOUND, 404, "NAME_UNKNOWN", 0, 0, 0});
    status = ocireg_client_check_login(client, login, NULL, &error);
    check(status, error, (struct wanted){OCIREG_E_UNAUTHORIZED, 401, "UNAUTHORIZED", 0, 0, 0});
    status = tags(client, limited);
    const ocireg_rate_limit *limit = ocireg_error_rate_limit(error);
    CHECK(limit && ocireg_rate_limit_remaining(limit) == 0 &&
          ocireg_rate_limit_limit(limit) == 100);
    check(status, error,
          (struct wanted){OCIREG_E_RATE_LIMITED, 429, "TOOMANYREQUESTS", 0, 1, 120000});
    status = tags(client, broken);
    check(status, error, (struct wanted){OCIREG_E_SERVER, 503, "UNKNOWN", 0, 1, 0});
    status = tags(client, closed);
    CHECK(strstr(ocireg_error_message(error), closed) != NULL);
    check(status, error, (struct wanted){OCIREG_E_CONNECT, 0, NULL, ECONNREFUSED, 1, 0});
}

/* ocireg_client_new() reports a wrong setting, even if all other settings are right. */
static void settings(ocireg_client *client, const char *lost) {
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_add_ca_file(options, lost, "/nonexistent/ca.pem") == OCIREG_OK);
    CHECK(ocireg_options_add_plain_http(options, "UPPER/case") == OCIREG_OK);
    ocireg_client *none = client;
    ocireg_status status = ocireg_client_new(options, &none, &error);
    CHECK(none == NULL);
    CHECK(error && strstr(ocireg_error_message(error), "/nonexistent/ca.pem") != NULL);
    check(status, error, (struct wanted){OCIREG_E_CONFIG, 0, NULL, ENOENT, 0, 0});
    /* The first wrong setting is reported, even if a later one is wrong in another way. */
    CHECK(ocireg_options_add_basic_auth(options, lost, "user", NULL) == OCIREG_E_INVALID_ARGUMENT);
    status = ocireg_client_new(options, &none, &error);
    check(status, error, (struct wanted){OCIREG_E_CONFIG, 0, NULL, ENOENT, 0, 0});
    ocireg_options_free(options);
    options = ocireg_options_new();
    CHECK(ocireg_options_add_basic_auth(options, lost, "user", NULL) == OCIREG_E_INVALID_ARGUMENT);
    CHECK(ocireg_options_add_ca_file(options, lost, "/nonexistent/ca.pem") == OCIREG_OK);
    status = ocireg_client_new(options, &none, &error);
    CHECK(error && strstr(ocireg_error_message(error),
                          "ocireg_options_add_basic_auth(): the argument password is NULL"));
    check(status, error, (struct wanted){OCIREG_E_INVALID_ARGUMENT, 0, NULL, 0, 0, 0});
    ocireg_options_free(options);
}

/* The error says which of several references is wrong. */
static void references(const ocireg_client *client) {
    const char *images[] = {"localhost/a", NULL, "\xff"};
    ocireg_batch *batch;
    STATUS(ocireg_client_lookup_all(client, images, 3, NULL, &batch, &error), OCIREG_OK, error);
    CHECK(strstr(ocireg_error_message(ocireg_batch_error(batch, 1)), "references[1] is NULL"));
    CHECK(strstr(ocireg_error_message(ocireg_batch_error(batch, 2)), "references[2] is not UTF-8"));
    ocireg_batch_free(batch);
}

int main(int count, char **arguments) {
    if (count != 6)
        return 2;
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_retries(options, 0) == OCIREG_OK);
    ocireg_client *client = client_of(options);
    answers(client, arguments + 1);
    settings(client, arguments[1]);
    references(client);
    panic(client, arguments[1]);
    ocireg_client_free(client);
    return finish();
}
