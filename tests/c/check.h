/* The common part of the test programs: checks that report what failed, and common objects. */
#ifndef CHECK_H
#define CHECK_H

#include <ocireg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failures;

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
/* Checks a status, checks that the error fits it, and frees the error. Takes the address of the
 * error, since C does not say which argument is read first. */
#define STATUS(got, wanted, error) check_status((got), (wanted), &(error), __FILE__, __LINE__)

static inline void check_that(int holds, const char *text, const char *file, int line) {
    if (!holds) {
        printf("%s:%d: %s\n", file, line, text);
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
    }
}

static inline void check_status(ocireg_status got, ocireg_status wanted, ocireg_error **error_at,
                                const char *file, int line) {
    ocireg_error *error = *error_at;
    if (got != wanted || (got == OCIREG_OK) != (error == NULL) || ocireg_error_code(error) != got) {
        const char *message = ocireg_error_message(error);
        printf("%s:%d: %s and not %s: %s\n", file, line, ocireg_status_name(got),
               ocireg_status_name(wanted), message ? message : "no error");
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
    }
    ocireg_error_free(error);
    *error_at = NULL;
}

/* Returns the value for main(). Waits a moment: a thread of the library that looked up a name may
 * still be ending, and valgrind would report the memory that it has not freed yet. */
static inline int finish(void) {
    struct timespec pause = {0, 100000000};
    nanosleep(&pause, NULL);
    if (failures)
        printf("%d checks failed\n", failures);
    return failures != 0;
}

/* Returns a path below an authority, in one of eight buffers that take turns. */
static inline const char *at(const char *authority, const char *path) {
    static __thread char text[8][512];
    static __thread unsigned turn;
    char *buffer = text[turn++ % 8];
    snprintf(buffer, sizeof text[0], "%s%s", authority, path);
    return buffer;
}

/* A client with these options that retries without a delay. */
static inline ocireg_client *client_of(ocireg_options *options) {
    ocireg_client *client;
    ocireg_error *error;
    CHECK(ocireg_options_set_retry_delay_ms(options, 1) == OCIREG_OK);
    STATUS(ocireg_client_new(options, &client, &error), OCIREG_OK, error);
    ocireg_options_free(options);
    if (!client)
        exit(finish());
    return client;
}

/* Asks what the client knows about a registry. This sends no request. */
static inline void ask_what_is_known(const ocireg_client *client, const char *authority) {
    ocireg_rate_limit *limit;
    ocireg_strings *warnings;
    CHECK(ocireg_client_rate_limit(client, authority, &limit, NULL) == OCIREG_OK);
    CHECK(ocireg_client_warnings(client, authority, &warnings, NULL) == OCIREG_OK);
    ocireg_rate_limit_free(limit);
    ocireg_strings_free(warnings);
}

static inline ocireg_client *plain_client(void) { return client_of(ocireg_options_new()); }

static inline int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static inline void sleep_ms(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) {
        struct timespec left = {0, 1000000};
        nanosleep(&left, NULL);
    }
}

#endif
