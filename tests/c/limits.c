/* The smallest and the largest value of every number that a caller can set. 0 means no limit, and
 * no value causes a bug.
 *
 *     limits FLAKY BROKEN WAITS
 *
 * FLAKY has t/a:v1 and answers 503 to the first few requests. BROKEN always answers 503. WAITS
 * sends Retry-After: 18446744073709551615.
 */
#include "check.h"

static ocireg_options *all_at(uint64_t milliseconds) {
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_connect_timeout_ms(options, milliseconds) == OCIREG_OK);
    CHECK(ocireg_options_set_idle_timeout_ms(options, milliseconds) == OCIREG_OK);
    CHECK(ocireg_options_set_call_timeout_ms(options, milliseconds) == OCIREG_OK);
    return options;
}

/* Makes every call. The first one retries. */
static void asks(ocireg_options *options, const char *flaky, uint64_t for_the_call) {
    ocireg_client *client = client_of(options);
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_timeout_ms(call, for_the_call) == OCIREG_OK);
    CHECK(ocireg_call_set_concurrency(call, UINT32_MAX) == OCIREG_OK);
    CHECK(ocireg_call_set_page_size(call, UINT32_MAX) == OCIREG_OK);
    const char *image = at(flaky, "/t/a:v1");
    ocireg_presence presence;
    ocireg_strings *list;
    ocireg_batch *batch;
    ocireg_error *error;
    STATUS(ocireg_client_exists(client, image, call, &presence, &error), OCIREG_OK, error);
    CHECK(presence == OCIREG_PRESENCE_EXISTS);
    STATUS(ocireg_client_tags_sharing(client, image, call, &list, &error), OCIREG_OK, error);
    CHECK(ocireg_strings_len(list) == 1);
    ocireg_strings_free(list);
    STATUS(ocireg_client_lookup_all(client, &image, 1, call, &batch, &error), OCIREG_OK, error);
    CHECK(ocireg_batch_presence(batch, 0) == OCIREG_PRESENCE_EXISTS);
    ocireg_batch_free(batch);
    ocireg_call_free(call);
    ocireg_client_free(client);
}

/* A call with a short time limit ends with its status, even if the wait before a retry has no end.
 */
static void ends(const char *broken, const char *waits) {
    ocireg_presence presence;
    ocireg_error *error;
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_call_timeout_ms(options, 1) == OCIREG_OK);
    CHECK(ocireg_options_set_retries(options, UINT32_MAX) == OCIREG_OK);
    ocireg_client *client = client_of(options);
    ocireg_status status =
        ocireg_client_exists(client, "127.0.0.1:1/t/a:v1", NULL, &presence, &error);
    CHECK(status == OCIREG_E_TIMEOUT || status == OCIREG_E_CONNECT);
    ocireg_error_free(error);
    ocireg_client_free(client);

    options = all_at(0);
    CHECK(ocireg_options_set_retry_delay_ms(options, UINT64_MAX) == OCIREG_OK);
    CHECK(ocireg_options_set_max_manifest_bytes(options, 0) == OCIREG_OK);
    CHECK(ocireg_client_new(options, &client, NULL) == OCIREG_OK);
    ocireg_options_free(options);
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_timeout_ms(call, 300) == OCIREG_OK);
    status = ocireg_client_exists(client, at(broken, "/t/a:v1"), call, &presence, &error);
    CHECK(status == OCIREG_E_TIMEOUT || status == OCIREG_E_SERVER);
    ocireg_error_free(error);
    status = ocireg_client_exists(client, at(waits, "/t/a:v1"), NULL, &presence, &error);
    CHECK(ocireg_error_retry_after_ms(error) > 3600 * 1000);
    STATUS(status, OCIREG_E_RATE_LIMITED, error);
    ocireg_call_free(call);
    ocireg_client_free(client);
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    uint64_t values[] = {0, UINT64_MAX, INT64_MAX, UINT64_MAX / 1000, 60000};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        asks(all_at(values[i]), arguments[1], values[i]);
        asks(all_at(60000), arguments[1], values[i]);
        asks(all_at(values[i]), arguments[1], 60000);
    }
    ends(arguments[2], arguments[3]);
    return finish();
}
