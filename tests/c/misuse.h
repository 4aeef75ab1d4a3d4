/* The functions that the generated misuse program calls: they make valid arguments and check the
 * results. Their names follow those of the header, so that the program does not compile if a type
 * has no valid object here. */
#ifndef MISUSE_H
#define MISUSE_H

#include "check.h"

static ocireg_client *the_ocireg_client;
static ocireg_options *the_ocireg_options;
static ocireg_call *the_ocireg_call;
static ocireg_cancel *the_ocireg_cancel;
static ocireg_error *the_ocireg_error;
static ocireg_strings *the_ocireg_strings;
static ocireg_descriptor *the_ocireg_descriptor;
static ocireg_batch *the_ocireg_batch;
static ocireg_rate_limit *the_ocireg_rate_limit;
static char registry[128], repository[160], reference[192];
static const char *const the_array[] = {reference};
static const uint8_t the_bytes[] = "x";
static const char bad_utf8[] = "\xff\xfe", late_bad_utf8[] = "registry.example/\xc3";
static char *a_long_text;
static const char *current_function, *current_case;

static void now(const char *function, const char *what) {
    current_function = function;
    current_case = what;
}

static void must(int holds, const char *what) {
    if (!holds) {
        printf("%s, %s: %s\n", current_function, current_case, what);
        failures++;
    }
}

/* The library never reads or frees it. */
static void *garbage(void) {
    static char anything[16];
    return anything;
}

static const char *text(const char *name) {
    if (strcmp(name, "registry") == 0)
        return registry;
    if (strcmp(name, "repository") == 0)
        return repository;
    if (strcmp(name, "reference") == 0)
        return reference;
    if (strcmp(name, "digest") == 0)
        return "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    if (strcmp(name, "path") == 0)
        return "/dev/null";
    if (strcmp(name, "media_type") == 0)
        return "application/vnd.test.v1+json";
    return "text";
}

static int32_t a_ocireg_progress_cb(void *userdata, uint64_t done, uint64_t total) {
    (void)userdata, (void)done, (void)total;
    return 0;
}

static int32_t a_ocireg_item_cb(void *userdata, size_t index, ocireg_presence presence,
                                const ocireg_descriptor *descriptor, const ocireg_error *error) {
    (void)userdata, (void)index, (void)presence, (void)descriptor, (void)error;
    return 0;
}

static void a_ocireg_log_cb(void *userdata, int32_t level, const char *target,
                            const char *message) {
    (void)userdata, (void)level, (void)target, (void)message;
}

static ocireg_options *fresh_ocireg_options(void) { return ocireg_options_new(); }

static ocireg_call *fresh_ocireg_call(void) { return ocireg_call_new(); }

static ocireg_pages *fresh_ocireg_pages(void) {
    ocireg_pages *pages;
    CHECK(ocireg_client_tag_pages(the_ocireg_client, repository, NULL, &pages, NULL) == OCIREG_OK);
    return pages;
}

static void succeeds(ocireg_status status, const ocireg_error *error, int has_error) {
    must(status == OCIREG_OK, ocireg_status_name(status));
    if (has_error)
        must(error == NULL, "an error although it succeeded");
}

static void ends(ocireg_status status, const ocireg_error *error, int has_error) {
    must(strncmp(ocireg_status_name(status), "OCIREG_", 7) == 0, "an unknown status");
    must(status != OCIREG_E_PANIC, "a panic");
    if (has_error) {
        const char *message = ocireg_error_message(error);
        must(ocireg_error_code(error) == status && (error == NULL) == (status == OCIREG_OK),
             "another error");
        must(!message || strlen(message) < 4096, "a message without an end");
        for (; message && *message; message++)
            must((unsigned char)*message >= 32 && *message != 127, "a control character");
    }
}

static void refuses(ocireg_status status, const ocireg_error *error, int has_error,
                    const char *argument) {
    must(status == OCIREG_E_INVALID_ARGUMENT, ocireg_status_name(status));
    if (has_error) {
        ends(status, error, 1);
        must(error && strstr(ocireg_error_message(error), argument),
             "the error does not name the argument");
    }
}

/* An output is filled on success only. */
static void cleared(ocireg_status status, int is_set) {
    must(status == OCIREG_OK || !is_set, "an output although it failed");
}

static void makes_no_client(const ocireg_options *options, const char *argument) {
    ocireg_client *client = garbage();
    ocireg_error *error = garbage();
    ocireg_status status = ocireg_client_new(options, &client, &error);
    refuses(status, error, 1, argument);
    cleared(status, client != NULL);
    ocireg_error_free(error);
}

static void makes_no_call(const ocireg_call *call, const char *argument) {
    ocireg_presence presence = OCIREG_PRESENCE_EXISTS;
    ocireg_error *error = garbage();
    ocireg_status status =
        ocireg_client_exists(the_ocireg_client, reference, call, &presence, &error);
    refuses(status, error, 1, argument);
    cleared(status, presence != OCIREG_PRESENCE_UNKNOWN);
    ocireg_error_free(error);
}

static void begin(int count, char **arguments) {
    if (count != 3)
        exit(2);
    size_t long_text = strtoul(arguments[2], NULL, 10);
    snprintf(registry, sizeof registry, "%s", arguments[1]);
    snprintf(repository, sizeof repository, "%s/t/a", registry);
    snprintf(reference, sizeof reference, "%s/t/a:v1", registry);
    a_long_text = malloc(long_text + 1);
    memset(a_long_text, 'a', long_text);
    a_long_text[long_text] = 0;
    /* No name server is asked for this host. */
    memcpy(a_long_text, "127.0.0.1:1/", 12);
    the_ocireg_options = ocireg_options_new();
    CHECK(ocireg_options_set_retries(the_ocireg_options, 0) == OCIREG_OK);
    the_ocireg_call = ocireg_call_new();
    the_ocireg_cancel = ocireg_cancel_new();
    CHECK(ocireg_client_new(the_ocireg_options, &the_ocireg_client, NULL) == OCIREG_OK);
    CHECK(ocireg_client_tags(the_ocireg_client, repository, NULL, &the_ocireg_strings, NULL) ==
          OCIREG_OK);
    CHECK(ocireg_client_head(the_ocireg_client, reference, NULL, &the_ocireg_descriptor, NULL) ==
          OCIREG_OK);
    CHECK(ocireg_client_lookup_all(the_ocireg_client, the_array, 1, NULL, &the_ocireg_batch,
                                   NULL) == OCIREG_OK);
    CHECK(ocireg_client_rate_limit(the_ocireg_client, registry, &the_ocireg_rate_limit, NULL) ==
          OCIREG_OK);
    ocireg_descriptor *none;
    CHECK(ocireg_client_head(the_ocireg_client, "UPPER", NULL, &none, &the_ocireg_error) ==
          OCIREG_E_INVALID_REFERENCE);
    CHECK(the_ocireg_rate_limit != NULL);
    if (failures)
        exit(finish());
}

static void end(void) {
    ocireg_client_free(the_ocireg_client);
    ocireg_options_free(the_ocireg_options);
    ocireg_call_free(the_ocireg_call);
    ocireg_cancel_free(the_ocireg_cancel);
    ocireg_error_free(the_ocireg_error);
    ocireg_strings_free(the_ocireg_strings);
    ocireg_descriptor_free(the_ocireg_descriptor);
    ocireg_batch_free(the_ocireg_batch);
    ocireg_rate_limit_free(the_ocireg_rate_limit);
    free(a_long_text);
}

#endif
