/* Generated from src/ffi by build.rs; do not edit. */

#ifndef OCIREG_H
#define OCIREG_H

#include <stddef.h>
#include <stdint.h>

/*
 * ocireg 0.1.0 asks container registries: Does this image exist? What is its digest? Which tags
 * share it?
 *
 * This header needs C99 or newer, or C++11 or newer. Link with `pkg-config --cflags --libs ocireg`.
 *
 *     #include <ocireg.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         const char *image = "localhost:5000/team/app:1.2";
 *         ocireg_presence presence = OCIREG_PRESENCE_UNKNOWN;
 *         ocireg_client *client;
 *         ocireg_error *error;
 *         if (ocireg_client_new(NULL, &client, &error) == OCIREG_OK &&
 *             ocireg_client_exists(client, image, NULL, &presence, &error) == OCIREG_OK)
 *             printf("%s\n", presence == OCIREG_PRESENCE_EXISTS ? "there" : "not there");
 *         else
 *             fprintf(stderr, "%s\n", ocireg_error_message(error));
 *         ocireg_error_free(error);
 *         ocireg_client_free(client);
 *         if (presence == OCIREG_PRESENCE_UNKNOWN)
 *             return 2;
 *         return presence == OCIREG_PRESENCE_EXISTS ? 0 : 1;
 *     }
 *
 * The following rules hold for every function.
 *
 * STATUS
 *   0 (OCIREG_OK) means success. Every other value means failure. New codes may be added, but
 *   existing codes never change. Treat an unknown code as a failure.
 *
 * ERRORS
 *   The last argument, `ocireg_error **error`, may be NULL. Otherwise the function sets it to NULL
 *   on success, and to an error on failure. It does not look at the old value: free an error before
 *   you use its variable again.
 *
 *   A function that asks a registry can fail with OCIREG_E_INVALID_ARGUMENT,
 *   OCIREG_E_INVALID_REFERENCE, OCIREG_E_STATE, OCIREG_E_CANCELLED or OCIREG_E_CALLBACK. It can
 *   also fail on the way to the registry (OCIREG_E_RESOLVE to OCIREG_E_TRANSPORT) and because of
 *   the answer (OCIREG_E_UNAUTHORIZED to OCIREG_E_TOO_LARGE). The comment of a function names the
 *   codes that have a special meaning there.
 *
 * OUTPUTS
 *   A function sets `out` to NULL or 0 before it does anything else. It fills `out` only if it
 *   returns OCIREG_OK. So you can free all outputs in one place, whatever the calls returned.
 *
 * OWNERSHIP
 *   You own what a function gives you through an `out` or `error` that is a pointer to a pointer.
 *   You also own what a function returns whose name ends with _new or _clone. Free each object with
 *   the _free function of its type, never with free(). Every _free function accepts NULL.
 *
 *   Any other pointer that a function returns is borrowed from the first argument of the function.
 *   It is valid as long as that argument.
 *
 *   The library copies what you pass to it, or uses it only during the call.
 *
 * ARGUMENTS
 *   Strings are UTF-8 and end with NUL. A call fails with OCIREG_E_INVALID_ARGUMENT if a pointer is
 *   NULL that must not be NULL, if a string is not UTF-8, or if a number is out of range. The error
 *   names the argument. NULL is allowed for `error`, `call`, `userdata`, callbacks, and `options`
 *   of ocireg_client_new(). A function that returns a property of an object returns NULL or 0 if
 *   the object is NULL. It returns -1 if -1 means "not reported" there.
 *
 * UNITS
 *   Times are in milliseconds. Sizes are in bytes.
 *
 * THREADS
 *   Any number of threads may use an object at the same time with functions that take it as a
 *   pointer to const. A function that takes an object as a pointer without const needs the object
 *   alone: no other call may use it at that time. This includes the _free functions. Any thread may
 *   use and free what another thread has made. There is no thread-local state.
 *
 * CALLBACKS
 *   A callback runs on the thread that made the call. Only one callback of a call runs at a time,
 *   and the library holds no lock meanwhile. A callback may call the library. It must not free or
 *   change what the call uses, and it must not read on with the pager that called it. It returns 0
 *   to continue. Any other value stops the call with OCIREG_E_CALLBACK, and
 *   ocireg_error_callback_code() returns that value. A callback has to return: it must not leave
 *   with longjmp(), pthread_exit() or a C++ exception. The log callback is different: it runs on
 *   any thread, and ocireg_log_cb says what it may do.
 *
 * WAITING
 *   Every call ends at its time limit, which is 5 minutes by default, or within half a second after
 *   ocireg_cancel_trigger() or ocireg_client_shutdown(). While a call waits, its progress callback
 *   runs at least every 200 ms.
 *
 * PROCESS
 *   The library needs no initialisation. It installs no signal handler, raises no SIGPIPE, and
 *   continues after EINTR. It writes nothing to standard output or standard error, except the panic
 *   message of a bug in the library.
 *
 *   The library uses two environment variables, SSL_CERT_FILE and SSL_CERT_DIR, which say where the
 *   root certificates of the platform are. Any call may read the environment. So do not call
 *   setenv() on another thread during a call.
 *
 *   A helper thread has the signal mask of the thread that made the call. A helper thread that
 *   resolves a name or connects may run on after its call has ended, until the timeout of the
 *   resolver or the connect timeout. So the shared library is never unloaded. A plugin that links
 *   the static library must never be unloaded either.
 *
 * FORK
 *   After fork() the child process needs clients of its own. A client of the parent process fails
 *   with OCIREG_E_STATE in the child. The child may free such a client. This does nothing to the
 *   connections of the client: the child keeps them until it ends or calls exec.
 *
 * MEMORY
 *   The process ends if memory runs out.
 *
 * SECRETS
 *   A password or token is sent only to the registry that you gave it for, and to the token service
 *   of that registry. No error, log record or warning contains it.
 */

#define OCIREG_VERSION_MAJOR 0
#define OCIREG_VERSION_MINOR 1
#define OCIREG_VERSION_PATCH 0
/* Major, minor and patch version, 8 bits each. */
#define OCIREG_VERSION_NUMBER 0x000100u
#define OCIREG_VERSION "0.1.0"

/* The compiler warns if a program ignores the status of such a function. */
#if defined(__GNUC__) || defined(__clang__)
#define OCIREG_MUST_USE __attribute__((warn_unused_result))
#else
#define OCIREG_MUST_USE
#endif


/**
 * This number rises only when a program that was built against an older header could break.
 */
#define OCIREG_ABI_VERSION 1

/**
 * A size or a total that is not known.
 */
#define OCIREG_SIZE_UNKNOWN UINT64_MAX

/**
 * The result of a call. The numbers never change. New numbers may be added: treat a number that
 * you do not know as a failure.
 */
enum ocireg_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call succeeded. The outputs are filled.
   */
  OCIREG_OK = 0,
  /**
   * An argument other than a reference is unusable: NULL, not UTF-8, or out of range.
   */
  OCIREG_E_INVALID_ARGUMENT = 1,
  /**
   * A reference, registry, repository, tag or digest does not follow its grammar.
   */
  OCIREG_E_INVALID_REFERENCE = 2,
  /**
   * A setting is unusable, such as a file that can't be read or a certificate that can't be
   * parsed.
   */
  OCIREG_E_CONFIG = 3,
  /**
   * The client can't be used any more: it was shut down, or it was made before fork().
   */
  OCIREG_E_STATE = 4,
  /**
   * The registry or this library does not support the request.
   */
  OCIREG_E_UNSUPPORTED = 5,
  /**
   * The host name could not be resolved.
   */
  OCIREG_E_RESOLVE = 10,
  /**
   * The connection could not be made.
   */
  OCIREG_E_CONNECT = 11,
  /**
   * TLS failed: unknown authority, wrong name, expired certificate, or a server that does not
   * speak TLS.
   */
  OCIREG_E_TLS = 12,
  /**
   * A time limit ended.
   */
  OCIREG_E_TIMEOUT = 13,
  /**
   * The connection broke.
   */
  OCIREG_E_TRANSPORT = 14,
  /**
   * The registry refused the credentials themselves. It gives no correct answer with them.
   */
  OCIREG_E_UNAUTHORIZED = 20,
  /**
   * The registry refused access to this repository (HTTP 401 or 403). The repository is
   * private, hidden or missing.
   */
  OCIREG_E_DENIED = 21,
  /**
   * The registry says that the requested object does not exist (HTTP 404).
   */
  OCIREG_E_NOT_FOUND = 22,
  /**
   * The client has sent too many requests (HTTP 429).
   */
  OCIREG_E_RATE_LIMITED = 23,
  /**
   * The registry failed (HTTP 5xx).
   */
  OCIREG_E_SERVER = 24,
  /**
   * The registry rejected the request (another HTTP 4xx).
   */
  OCIREG_E_REJECTED = 25,
  /**
   * The answer is not one that a registry gives.
   */
  OCIREG_E_PROTOCOL = 26,
  /**
   * The content does not have the expected digest.
   */
  OCIREG_E_DIGEST_MISMATCH = 30,
  /**
   * An answer is larger than the limit for its kind.
   */
  OCIREG_E_TOO_LARGE = 31,
  /**
   * Reading or writing on this machine failed.
   */
  OCIREG_E_IO = 32,
  /**
   * A cancel token or ocireg_client_shutdown() stopped the call.
   */
  OCIREG_E_CANCELLED = 40,
  /**
   * One of your callbacks stopped the call.
   */
  OCIREG_E_CALLBACK = 41,
  /**
   * A bug in this library caused a panic, and the library caught it. Please report it.
   */
  OCIREG_E_PANIC = 99,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ocireg_status ocireg_status;
#else
typedef int32_t ocireg_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Whether an image exists. An error is never a presence: it means that there is no answer.
 */
enum ocireg_presence
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * There is no answer: the call has failed. A call that returned OCIREG_OK never gives this
   * value.
   */
  OCIREG_PRESENCE_UNKNOWN = 0,
  /**
   * The registry has the image.
   */
  OCIREG_PRESENCE_EXISTS = 1,
  /**
   * The registry says that the image does not exist: an HTTP 404 with the registry's own words
   * or mark. Some registries also answer 404 for a private repository, to hide it. The client
   * can't tell the difference. Of a pull-through cache, this is the cache's word: a cache may
   * also answer so when it can't reach the registry behind it, or while it remembers an earlier
   * answer.
   */
  OCIREG_PRESENCE_ABSENT = 2,
  /**
   * The registry refuses access to this repository (HTTP 401 or 403). The repository is
   * private, hidden or missing: Docker Hub gives the same answer for repositories that do not
   * exist.
   */
  OCIREG_PRESENCE_DENIED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ocireg_presence ocireg_presence;
#else
typedef int32_t ocireg_presence;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a registry authenticates its users.
 */
enum ocireg_auth_scheme
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * There is no answer: the call has failed.
   */
  OCIREG_AUTH_SCHEME_UNKNOWN = 0,
  /**
   * The registry asks for no login.
   */
  OCIREG_AUTH_SCHEME_ANONYMOUS = 1,
  /**
   * The registry asks for user and password (RFC 7617).
   */
  OCIREG_AUTH_SCHEME_BASIC = 2,
  /**
   * The registry asks for a token of its token service (RFC 6750).
   */
  OCIREG_AUTH_SCHEME_BEARER = 3,
  /**
   * The registry uses a scheme that this library does not know.
   */
  OCIREG_AUTH_SCHEME_OTHER = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ocireg_auth_scheme ocireg_auth_scheme;
#else
typedef int32_t ocireg_auth_scheme;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a digest comes from. This tells how far you can trust it.
 */
enum ocireg_digest_source
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * This library does not know the source. Also the source for NULL.
   */
  OCIREG_DIGEST_SOURCE_UNKNOWN = 0,
  /**
   * The registry sent the digest in the header field Docker-Content-Digest. The client did not
   * read the document.
   */
  OCIREG_DIGEST_SOURCE_HEADER = 1,
  /**
   * The client computed the digest from the document.
   */
  OCIREG_DIGEST_SOURCE_COMPUTED = 2,
  /**
   * You asked for this digest and the registry has it. The client did not read the document.
   */
  OCIREG_DIGEST_SOURCE_REQUESTED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ocireg_digest_source ocireg_digest_source;
#else
typedef int32_t ocireg_digest_source;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A batch holds the results of ocireg_client_lookup_all(), in the order of the references. You
 * own it: free it with ocireg_batch_free(). Any thread may read it.
 */
typedef struct ocireg_batch ocireg_batch;

/**
 * Settings of a call. You own them: free them with ocireg_call_free(). Every function that asks a
 * registry takes such settings, or NULL for the settings of the client. You may use the same
 * settings for any number of calls. Any number of threads may use them at the same time, as long
 * as no setter runs.
 *
 * You need not check the status of a setter. If a setting is unusable, every call with these
 * settings fails, and the error says which setting it is.
 */
typedef struct ocireg_call ocireg_call;

/**
 * A cancel token stops calls from another thread or from a signal handler. You own it: free it
 * with ocireg_cancel_free().
 */
typedef struct ocireg_cancel ocireg_cancel;

/**
 * A client asks registries. You own it: free it with ocireg_client_free().
 *
 * Make one client and keep it. It keeps connections open, and remembers tokens and what it has
 * learned about each registry. Any number of threads may use it at the same time.
 *
 * After fork() the child process has to make a client of its own. In the child, a function that
 * would ask a registry with the old client fails with OCIREG_E_STATE. Functions that only return
 * what is known return nothing. The child may free the old client.
 */
typedef struct ocireg_client ocireg_client;

/**
 * A descriptor says what a registry has under a reference: media type, digest and size. You own a
 * descriptor that a function gave you through `out`: free it with ocireg_descriptor_free(). Any
 * thread may read it.
 */
typedef struct ocireg_descriptor ocireg_descriptor;

/**
 * An error says why a call failed. You own it: free it with ocireg_error_free(). Any thread may
 * read it.
 */
typedef struct ocireg_error ocireg_error;

/**
 * Settings for ocireg_client_new(). You own them: free them with ocireg_options_free(). You may
 * do so right after ocireg_client_new().
 *
 * A setting for a registry (`"registry.example.com:5000"`) applies to that registry alone. This
 * matters most for passwords.
 *
 * A setter copies the strings that you pass. It returns OCIREG_E_INVALID_ARGUMENT for NULL and
 * for text that is not UTF-8. You need not check this status: ocireg_client_new() fails with the
 * first unusable setting, whatever is wrong with it. Its error names the setter and the argument,
 * or the registry and the problem.
 */
typedef struct ocireg_options ocireg_options;

/**
 * A pager reads a list page by page. You own it: free it with ocireg_pages_free(). Only one
 * thread may use it at a time. It keeps what it needs of the client, so you may free the client
 * first. It uses the callbacks of the call that made it until you free it.
 */
typedef struct ocireg_pages ocireg_pages;

/**
 * The rate limit that a registry last reported, such as Docker Hub's
 * `RateLimit-Remaining: 76;w=21600`.
 */
typedef struct ocireg_rate_limit ocireg_rate_limit;

/**
 * A list of strings: tags, repositories or warnings. You own it: free it with
 * ocireg_strings_free(). Any thread may read it.
 */
typedef struct ocireg_strings ocireg_strings;

/**
 * Reports the progress of a call: `done` of `total` entries or items. `total` is
 * OCIREG_SIZE_UNKNOWN if it is not known. With a pager, `done` starts at 0 again for each page.
 * The callback runs on the thread that made the call. While the call waits, the callback runs at
 * least every 200 ms, even without progress. Return 0 to continue. Any other value stops the call
 * with OCIREG_E_CALLBACK.
 */
typedef int32_t (*ocireg_progress_cb)(void *userdata, uint64_t done, uint64_t total);

/**
 * Receives each result of ocireg_client_lookup_all() as soon as it is known, on the thread that
 * made the call. `index` is the position of the reference. The other arguments are what the
 * accessors of the batch return for this position. `descriptor` and `error` are valid until the
 * callback returns. Return 0 to continue. Any other value stops the call with OCIREG_E_CALLBACK.
 */
typedef int32_t (*ocireg_item_cb)(void *userdata,
                                  size_t index,
                                  ocireg_presence presence,
                                  const ocireg_descriptor *descriptor,
                                  const ocireg_error *error);

/**
 * Receives a log record. `level` is 1 (error), 2 (warning), 3 (info), 4 (debug) or 5 (trace).
 * `target` is the source of the record (`"ocireg::…"`). `message` is one line of text without
 * secrets. Both strings are valid until the callback returns.
 *
 * The callback runs on any thread that uses the library, perhaps on several threads at the same
 * time. Records that its thread logs while the callback runs are dropped. The callback may call
 * functions that send no request, such as ocireg_client_warnings(). It should not ask a registry.
 * It must not make a call that uses several threads, such as ocireg_client_lookup_all(), because
 * these threads log too.
 */
typedef void (*ocireg_log_cb)(void *userdata,
                              int32_t level,
                              const char *target,
                              const char *message);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the running library, such as `"0.1.0"`. It is for people and bug
 * reports. The string is static.
 */
const char *ocireg_version(void);

/**
 * Returns the version of the running library as a number that you can compare. Major, minor and
 * patch version have 8 bits each: `0x000100` is 0.1.0.
 */
uint32_t ocireg_version_number(void);

/**
 * Returns OCIREG_ABI_VERSION of the running library. Compare both numbers if your program loads
 * the library at run time. If they differ, this header does not describe that library.
 *
 * ```c
 * if (ocireg_abi_version() != OCIREG_ABI_VERSION)
 *     fprintf(stderr, "libocireg %s does not fit this program\n", ocireg_version());
 * ```
 */
uint32_t ocireg_abi_version(void);

/**
 * Returns the name of a status, such as `"OCIREG_E_TIMEOUT"`, or `"unknown status"`. The string
 * is static and never NULL.
 */
const char *ocireg_status_name(int32_t status);

/**
 * Returns the status of the call that failed, or of the item of a batch that failed. Returns
 * OCIREG_OK for NULL.
 */
ocireg_status ocireg_error_code(const ocireg_error *error);

/**
 * Returns a message for people, in one line of UTF-8. It says what happened, names the registry
 * and the reference, says what the user can do, and never shows a secret. Its wording may change.
 * The string is borrowed. Returns NULL for NULL.
 */
const char *ocireg_error_message(const ocireg_error *error);

/**
 * Returns the HTTP status that caused the error, such as 401. Returns 0 if there was no answer.
 */
uint16_t ocireg_error_http_status(const ocireg_error *error);

/**
 * Returns the first error code that the registry sent, such as `"MANIFEST_UNKNOWN"` (distribution
 * specification, "Error Codes"). Returns NULL if it sent none. The string is borrowed.
 */
const char *ocireg_error_registry_code(const ocireg_error *error);

/**
 * Returns the errno value of the cause, such as ECONNREFUSED. Returns 0 if none is known.
 */
int32_t ocireg_error_os_code(const ocireg_error *error);

/**
 * Returns the value with which your callback stopped the call (OCIREG_E_CALLBACK). Returns 0 for
 * every other error.
 */
int32_t ocireg_error_callback_code(const ocireg_error *error);

/**
 * Returns 1 if the same call may succeed later without a change, else 0. Network failures,
 * timeouts, HTTP 429 and HTTP 5xx are transient.
 */
int32_t ocireg_error_is_transient(const ocireg_error *error);

/**
 * Returns how long the registry asks the client to wait (Retry-After), in milliseconds. Returns 0
 * if the registry did not ask.
 */
uint64_t ocireg_error_retry_after_ms(const ocireg_error *error);

/**
 * Returns the rate limit that the failed answer reported, or NULL if it reported none. The object
 * is borrowed.
 */
const ocireg_rate_limit *ocireg_error_rate_limit(const ocireg_error *error);

/**
 * Frees an error. NULL is allowed.
 */
void ocireg_error_free(ocireg_error *error);

/**
 * Frees a string that a function gave you through a `char **`. NULL is allowed. Do not use
 * free().
 */
void ocireg_string_free(char *string);

/**
 * Returns the number of strings in the list. Returns 0 for NULL.
 */
size_t ocireg_strings_len(const ocireg_strings *strings);

/**
 * Returns the string at `index`, counted from 0. Returns NULL past the end. The string is
 * borrowed.
 */
const char *ocireg_strings_get(const ocireg_strings *strings, size_t index);

/**
 * Returns all strings as an array that ends with NULL, so that one call reads a list of any
 * length. The array is borrowed. Returns NULL for NULL.
 */
const char *const *ocireg_strings_data(const ocireg_strings *strings);

/**
 * Returns how many entries of a page were left out because they are not valid names. Some
 * registries list nulls or digests among their tags. Returns 0 for every list that is not a page.
 */
size_t ocireg_strings_skipped(const ocireg_strings *strings);

/**
 * Frees a list and its strings. NULL is allowed.
 */
void ocireg_strings_free(ocireg_strings *strings);

/**
 * Makes settings with default values. Never returns NULL.
 */
ocireg_options *ocireg_options_new(void);

/**
 * Frees settings. NULL is allowed.
 */
void ocireg_options_free(ocireg_options *options);

/**
 * Sets the User-Agent header field, which tells the registry who asks. Only printable ASCII is
 * allowed. Defaults to `ocireg/VERSION`.
 */
ocireg_status ocireg_options_set_user_agent(ocireg_options *options, const char *user_agent);

/**
 * Limits the time to get a connection, in milliseconds. It covers name resolution, connecting and
 * the TLS handshake together. 0 means no limit. Defaults to 10,000.
 */
ocireg_status ocireg_options_set_connect_timeout_ms(ocireg_options *options,
                                                    uint64_t milliseconds);

/**
 * Limits the wait for the next byte in either direction, in milliseconds. 0 means no limit.
 * Defaults to 30,000.
 */
ocireg_status ocireg_options_set_idle_timeout_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * Limits the total time of a call, in milliseconds. Retries and waits count too. 0 means no
 * limit. Defaults to 300,000 (5 minutes).
 */
ocireg_status ocireg_options_set_call_timeout_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * Sets how often the client retries a failed request. It retries only where that may help: after
 * a connection failure, HTTP 408, 429, 499, 500, 502, 503, 504 and 522. Defaults to 3.
 */
ocireg_status ocireg_options_set_retries(ocireg_options *options, uint32_t retries);

/**
 * Sets the wait before the first retry, in milliseconds. The wait doubles with each retry, up to
 * 8 s, and varies at random. If the registry sends a Retry-After of up to 60 s, the client waits
 * that long. A longer Retry-After ends the call at once. Defaults to 250.
 */
ocireg_status ocireg_options_set_retry_delay_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * Limits the size of a manifest, in bytes. A larger manifest fails with OCIREG_E_TOO_LARGE.
 * Defaults to 8 MiB.
 */
ocireg_status ocireg_options_set_max_manifest_bytes(ocireg_options *options, uint64_t bytes);

/**
 * Sets the user and password for `registry`. The client sends them when the registry asks for a
 * login, to the registry and its token service, and to nobody else.
 */
ocireg_status ocireg_options_add_basic_auth(ocireg_options *options,
                                            const char *registry,
                                            const char *user,
                                            const char *password);

/**
 * Sets the registry token for `registry`. The client sends it with every request to that
 * registry. The client does not renew it.
 */
ocireg_status ocireg_options_add_bearer_token(ocireg_options *options,
                                              const char *registry,
                                              const char *token);

/**
 * Sets the OAuth2 refresh token for `registry`, which docker calls `identitytoken`. The client
 * exchanges it for registry tokens at the token service of that registry.
 */
ocireg_status ocireg_options_add_identity_token(ocireg_options *options,
                                                const char *registry,
                                                const char *token);

/**
 * Allows the client to send the credentials of `registry` to the token service at `host`. By
 * default a token service gets them only if its host is the registry's own host, a parent domain
 * of it, a known one such as Docker Hub's, or a host beside or below the registry with a usual
 * first label, such as "auth". Under a domain whose names have many owners, such as github.io,
 * only the registry's own host gets them.
 */
ocireg_status ocireg_options_add_trusted_realm(ocireg_options *options,
                                               const char *registry,
                                               const char *host);

/**
 * Adds a header field to every request to `registry`. The client sends it to nobody else.
 */
ocireg_status ocireg_options_add_header(ocireg_options *options,
                                        const char *registry,
                                        const char *name,
                                        const char *value);

/**
 * Makes the client use http with `registry`, without encryption. Use it only for a registry in a
 * network that you trust. It has priority over ocireg_options_add_https(). Defaults to https,
 * except for loopback registries (localhost, 127.0.0.0/8, [::1]).
 */
ocireg_status ocireg_options_add_plain_http(ocireg_options *options, const char *registry);

/**
 * Makes the client use https with `registry`. Only a loopback registry needs this setting.
 */
ocireg_status ocireg_options_add_https(ocireg_options *options, const char *registry);

/**
 * Trusts the certificates in a PEM file for `registry`, in addition to those of the platform. If
 * the file holds the certificate of the server itself, that certificate is trusted too, provided
 * that the name matches. With this setting, the client also uses https with a loopback registry.
 * The certificates also count for the token services that get the registry's password. `registry`
 * may be another host that requests lead to, such as a storage server that a registry redirects
 * to. The function reads the file at once. `path` need not be UTF-8.
 */
ocireg_status ocireg_options_add_ca_file(ocireg_options *options,
                                         const char *registry,
                                         const char *path);

/**
 * Does the same as ocireg_options_add_ca_file() with `length` bytes of PEM text in memory.
 */
ocireg_status ocireg_options_add_ca_pem(ocireg_options *options,
                                        const char *registry,
                                        const uint8_t *pem,
                                        size_t length);

/**
 * Makes ocireg_client_new() ping `registry`, so that it fails at once if the address is wrong.
 * This costs one request.
 */
ocireg_status ocireg_options_add_verify(ocireg_options *options, const char *registry);

/**
 * Makes a client with `options`. NULL means default settings: no credentials, and the root
 * certificates of the platform. The client reads no settings from the environment or from
 * docker's files. The function asks no server, unless ocireg_options_add_verify() demands it.
 *
 * Fails with OCIREG_E_CONFIG, OCIREG_E_INVALID_REFERENCE or OCIREG_E_INVALID_ARGUMENT for the
 * first unusable setting. The error says which setting it is.
 *
 * ```c
 * ocireg_client *client;
 * ocireg_error *error;
 * if (ocireg_client_new(NULL, &client, &error) != OCIREG_OK) {
 *     fprintf(stderr, "%s\n", ocireg_error_message(error));
 *     ocireg_error_free(error);
 * }
 * ocireg_client_free(client);
 * ```
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_new(const ocireg_options *options,
                                ocireg_client **out,
                                ocireg_error **error);

/**
 * Makes a second handle to the same client, for a second owner. Both handles share connections,
 * tokens and everything that the client has learned. Free each handle. Returns NULL for NULL.
 */
ocireg_client *ocireg_client_clone(const ocireg_client *client);

/**
 * Shuts down the client and all its clones. Any thread may call this function. Running calls end
 * within half a second with OCIREG_E_CANCELLED. Later calls fail with OCIREG_E_STATE. Idle
 * connections are closed. You still have to free the client.
 */
void ocireg_client_shutdown(const ocireg_client *client);

/**
 * Closes the connections that are not in use, for example before a long pause. The client keeps
 * its tokens and everything that it has learned. The next call makes a new connection.
 */
void ocireg_client_close_idle(const ocireg_client *client);

/**
 * Frees a client. No call may use this handle at the time. Clones stay usable. NULL is allowed.
 */
void ocireg_client_free(ocireg_client *client);

/**
 * Makes a token that is not triggered. Never returns NULL. Pass the token to calls with
 * ocireg_call_set_cancel().
 */
ocireg_cancel *ocireg_cancel_new(void);

/**
 * Stops every call that has the token, now and later. Each call ends within half a second with
 * OCIREG_E_CANCELLED, whatever it waits for. Any thread and any signal handler may call this
 * function: it is async-signal-safe, since it is one atomic store. A token stays triggered: make
 * a new token for new calls. NULL is allowed.
 */
void ocireg_cancel_trigger(const ocireg_cancel *cancel);

/**
 * Returns 1 if the token was triggered, else 0. This function is async-signal-safe.
 */
int32_t ocireg_cancel_is_triggered(const ocireg_cancel *cancel);

/**
 * Frees a token. Calls that were given the token keep what they need of it. NULL is allowed.
 */
void ocireg_cancel_free(ocireg_cancel *cancel);

/**
 * Makes settings that change nothing: the settings of the client apply. Never returns NULL.
 */
ocireg_call *ocireg_call_new(void);

/**
 * Frees the settings of a call. NULL is allowed.
 */
void ocireg_call_free(ocireg_call *call);

/**
 * Limits the total time of the call, in milliseconds. Retries and waits count too. 0 means no
 * limit. Defaults to the limit of the client.
 */
ocireg_status ocireg_call_set_timeout_ms(ocireg_call *call, uint64_t milliseconds);

/**
 * Allows `cancel` to stop the call. You may free the token before you make the call, but then
 * nobody can trigger it.
 */
ocireg_status ocireg_call_set_cancel(ocireg_call *call, const ocireg_cancel *cancel);

/**
 * Makes the library report the progress of the call to `callback`, with `userdata` as its first
 * argument. NULL removes the callback.
 */
ocireg_status ocireg_call_set_progress(ocireg_call *call,
                                       ocireg_progress_cb callback,
                                       void *userdata);

/**
 * Makes the library pass each result of ocireg_client_lookup_all() to `callback` as soon as it is
 * known, with `userdata` as its first argument. NULL removes the callback.
 */
ocireg_status ocireg_call_set_item_callback(ocireg_call *call,
                                            ocireg_item_cb callback,
                                            void *userdata);

/**
 * Sets how many requests a call may send at the same time to each registry, from 1 to 64. A
 * larger number counts as 64. It applies to the calls that make many requests:
 * ocireg_client_lookup_all(), ocireg_client_tags_sharing() and ocireg_client_tags_of_digest().
 * Fails with OCIREG_E_INVALID_ARGUMENT for 0. Defaults to 8.
 */
ocireg_status ocireg_call_set_concurrency(ocireg_call *call, uint32_t requests);

/**
 * Asks the registry for pages of this many entries. The registry may choose another size. Fails
 * with OCIREG_E_INVALID_ARGUMENT for 0. By default the registry chooses the size. Some registries
 * cut a list off at the requested size without saying so. After a page of exactly this size that
 * names no next page, one request more asks for what follows. If the registry refuses it or sends
 * the same entries again, the list ends with OCIREG_E_PROTOCOL.
 */
ocireg_status ocireg_call_set_page_size(ocireg_call *call, uint32_t entries);

/**
 * Accepts manifests of one more media type. The six media types of images and image indexes are
 * always accepted.
 */
ocireg_status ocireg_call_add_accept(ocireg_call *call, const char *media_type);

/**
 * Checks that there is a registry at this address (`"localhost:5000"`), and gives the
 * authentication scheme of the registry. Costs one request, GET /v2/ (distribution specification,
 * "Determining Support"). No other function needs a ping first.
 *
 * Fails with OCIREG_E_PROTOCOL if a server answers that is not a registry.
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_ping(const ocireg_client *client,
                                 const char *registry,
                                 const ocireg_call *call,
                                 ocireg_auth_scheme *out,
                                 ocireg_error **error);

/**
 * Checks that the registry accepts the credentials that the client has for it. Costs one to four
 * requests. Credentials that the registry has just refused are sent again.
 *
 * Fails with OCIREG_E_UNAUTHORIZED if the registry refuses the credentials, or if it asks for
 * credentials and the client has none. Fails with OCIREG_E_CONFIG if the credentials were not sent
 * and another setting lets them be sent, such as a trusted realm. Fails with OCIREG_E_UNSUPPORTED
 * if nothing tells: the registry asks for no login, so the credentials were not sent, or its token
 * service does not look at them. If the client has no credentials, a registry that asks for none
 * is a success.
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_check_login(const ocireg_client *client,
                                        const char *registry,
                                        const ocireg_call *call,
                                        ocireg_error **error);

/**
 * Checks whether an image exists. A reference is text such as `"alpine:3.20"` or
 * `"localhost:5000/team/app@sha256:…"`. Costs one request if the registry is open or the client
 * already has a token.
 *
 * "Absent" and "denied" are answers, so the function returns OCIREG_OK for them. Any other status
 * than OCIREG_OK means that there is no answer. The client asks with HEAD (distribution
 * specification, "Checking if content exists in the registry"). It asks with GET only where HEAD
 * can't answer.
 *
 * ```c
 * ocireg_presence presence;
 * ocireg_error *error;
 * const char *image = "localhost:5000/team/app:1.2";
 * if (ocireg_client_exists(client, image, NULL, &presence, &error) == OCIREG_OK)
 *     printf("%s\n", presence == OCIREG_PRESENCE_EXISTS ? "there" : "not there");
 * else
 *     fprintf(stderr, "%s\n", ocireg_error_message(error));
 * ocireg_error_free(error);
 * ```
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_exists(const ocireg_client *client,
                                   const char *reference,
                                   const ocireg_call *call,
                                   ocireg_presence *out,
                                   ocireg_error **error);

/**
 * Gives the media type, digest and size of an image. Costs as many requests as
 * ocireg_client_exists(). But an image that is absent or denied is an error here:
 * OCIREG_E_NOT_FOUND or OCIREG_E_DENIED. Free the descriptor with ocireg_descriptor_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_head(const ocireg_client *client,
                                 const char *reference,
                                 const ocireg_call *call,
                                 ocireg_descriptor **out,
                                 ocireg_error **error);

/**
 * Gives the digest of an image as text: `"sha256:…"`. Costs and errors are those of
 * ocireg_client_head(). Free the string with ocireg_string_free().
 *
 * ```c
 * char *digest;
 * if (ocireg_client_digest(client, "alpine:3.20", NULL, &digest, NULL) == OCIREG_OK)
 *     printf("%s\n", digest);
 * ocireg_string_free(digest);
 * ```
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_digest(const ocireg_client *client,
                                   const char *reference,
                                   const ocireg_call *call,
                                   char **out,
                                   ocireg_error **error);

/**
 * Lists all tags of a repository (`"localhost:5000/team/app"`), in the order of the registry
 * (distribution specification, "Listing tags"). Costs one request for each page. Fails with
 * OCIREG_E_NOT_FOUND if the repository does not exist. The function also fails if the list breaks
 * off in the middle. Use ocireg_client_tag_pages() to keep the pages before the failure. Free the
 * list with ocireg_strings_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_tags(const ocireg_client *client,
                                 const char *repository,
                                 const ocireg_call *call,
                                 ocireg_strings **out,
                                 ocireg_error **error);

/**
 * Lists all repositories of a registry (`"localhost:5000"`), in the order of the registry (Docker
 * Registry HTTP API V2, "Listing Repositories"). The names do not contain the name of the
 * registry. Many registries have no catalog (OCIREG_E_UNSUPPORTED), or list only a part of it.
 * Costs one request for each page. Free the list with ocireg_strings_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_catalog(const ocireg_client *client,
                                    const char *registry,
                                    const ocireg_call *call,
                                    ocireg_strings **out,
                                    ocireg_error **error);

/**
 * Lists all tags of the same repository that have the same digest as this image, its own tag
 * included. It answers, for example, which version "latest" is. The list is empty if the
 * reference has a digest and no tag has that digest. Fails with OCIREG_E_NOT_FOUND if the
 * reference has a tag that does not exist.
 *
 * Costs one request for each page of the tag list and one request for each tag.
 * ocireg_call_set_concurrency() says how many of them are sent at the same time. The function
 * compares the digests to which the tags themselves resolve: for a multi-platform image, that of
 * its index. It leaves out a tag that is deleted meanwhile. Any other failure ends the call,
 * since an incomplete list would look complete. Free the list with ocireg_strings_free().
 *
 * ```c
 * ocireg_strings *tags;
 * const char *image = "localhost:5000/team/app:latest";
 * if (ocireg_client_tags_sharing(client, image, NULL, &tags, NULL) == OCIREG_OK) {
 *     for (size_t i = 0; i < ocireg_strings_len(tags); i++)
 *         puts(ocireg_strings_get(tags, i));
 * }
 * ocireg_strings_free(tags);
 * ```
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_tags_sharing(const ocireg_client *client,
                                         const char *reference,
                                         const ocireg_call *call,
                                         ocireg_strings **out,
                                         ocireg_error **error);

/**
 * Lists all tags of a repository that have this digest. An empty list is an answer too. If the
 * tags have digests of another algorithm, the registry is asked for the manifest with this digest,
 * and its content is compared. Fails with OCIREG_E_UNSUPPORTED if the registry does not serve it.
 * Otherwise the function works like ocireg_client_tags_sharing().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_tags_of_digest(const ocireg_client *client,
                                           const char *repository,
                                           const char *digest,
                                           const ocireg_call *call,
                                           ocireg_strings **out,
                                           ocireg_error **error);

/**
 * Makes a pager for the tags of a repository. This function sends no request. ocireg_pages_next()
 * sends the requests, with the settings of `call`. The timeout of `call` applies to each page.
 * You may free the client, the call settings and the cancel token before the pager. Free the
 * pager with ocireg_pages_free().
 *
 * ```c
 * ocireg_pages *pages;
 * ocireg_strings *page;
 * const char *repository = "localhost:5000/team/app";
 * if (ocireg_client_tag_pages(client, repository, NULL, &pages, NULL) == OCIREG_OK) {
 *     while (ocireg_pages_next(pages, &page, NULL) == OCIREG_OK && page != NULL) {
 *         printf("%zu more tags\n", ocireg_strings_len(page));
 *         ocireg_strings_free(page);
 *     }
 * }
 * ocireg_pages_free(pages);
 * ```
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_tag_pages(const ocireg_client *client,
                                      const char *repository,
                                      const ocireg_call *call,
                                      ocireg_pages **out,
                                      ocireg_error **error);

/**
 * Makes a pager for the repositories of a registry. Otherwise the function works like
 * ocireg_client_tag_pages().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_catalog_pages(const ocireg_client *client,
                                          const char *registry,
                                          const ocireg_call *call,
                                          ocireg_pages **out,
                                          ocireg_error **error);

/**
 * Reads the next page. At the end of the list the function returns OCIREG_OK and sets `out` to
 * NULL. After a failure the pager is at its end, and the pages before the failure stay valid.
 * Free the page with ocireg_strings_free(). ocireg_strings_skipped() says how many entries the
 * page leaves out.
 */
OCIREG_MUST_USE
ocireg_status ocireg_pages_next(ocireg_pages *pages,
                                ocireg_strings **out,
                                ocireg_error **error);

/**
 * Frees a pager. NULL is allowed.
 */
void ocireg_pages_free(ocireg_pages *pages);

/**
 * Looks up `count` references, in any number of registries. It sends several requests at the same
 * time: ocireg_call_set_concurrency() says how many. One token serves up to 32 repositories. A
 * reference that occurs twice is looked up once.
 *
 * The function fails only if an argument is unusable or if a callback stops it. Each reference
 * has a result of its own, in the given order. A reference that is unusable (such as NULL) or
 * that has no answer has an error. If the client can't be used any more, each reference has the
 * error OCIREG_E_STATE. A timeout applies to all references together. When the timeout ends, the
 * call is cancelled or the client is shut down, finished results stay. The other references then
 * have the error OCIREG_E_TIMEOUT or OCIREG_E_CANCELLED.
 *
 * `count` may be 0, and then `references` may be NULL. Free the batch with ocireg_batch_free().
 *
 * ```c
 * const char *images[] = {"localhost:5000/app:1", "localhost:5000/db:7"};
 * ocireg_batch *batch;
 * if (ocireg_client_lookup_all(client, images, 2, NULL, &batch, NULL) == OCIREG_OK) {
 *     for (size_t i = 0; i < ocireg_batch_len(batch); i++)
 *         printf("%s: %d\n", images[i], (int)ocireg_batch_presence(batch, i));
 * }
 * ocireg_batch_free(batch);
 * ```
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_lookup_all(const ocireg_client *client,
                                       const char *const *references,
                                       size_t count,
                                       const ocireg_call *call,
                                       ocireg_batch **out,
                                       ocireg_error **error);

/**
 * Returns the number of results, which is the number of references. Returns 0 for NULL.
 */
size_t ocireg_batch_len(const ocireg_batch *batch);

/**
 * Returns whether the image at `index` exists. Returns OCIREG_PRESENCE_UNKNOWN if there is no
 * answer for it, and past the end.
 */
ocireg_presence ocireg_batch_presence(const ocireg_batch *batch, size_t index);

/**
 * Returns what the registry has under the reference at `index`, or NULL unless the image exists.
 * The descriptor is borrowed.
 */
const ocireg_descriptor *ocireg_batch_descriptor(const ocireg_batch *batch, size_t index);

/**
 * Returns why there is no answer for the reference at `index`, or NULL if there is an answer. The
 * error is borrowed.
 */
const ocireg_error *ocireg_batch_error(const ocireg_batch *batch, size_t index);

/**
 * Frees a batch and everything that was borrowed from it. NULL is allowed.
 */
void ocireg_batch_free(ocireg_batch *batch);

/**
 * Returns the media type of the manifest, such as `"application/vnd.oci.image.index.v1+json"`.
 * The string is borrowed. Returns NULL for NULL.
 */
const char *ocireg_descriptor_media_type(const ocireg_descriptor *descriptor);

/**
 * Returns the digest of the manifest in the registry, such as `"sha256:…"`. The string is
 * borrowed. Returns NULL for NULL.
 */
const char *ocireg_descriptor_digest(const ocireg_descriptor *descriptor);

/**
 * Returns the size of the document in bytes, or OCIREG_SIZE_UNKNOWN if the registry did not
 * report it. Returns 0 for NULL.
 */
uint64_t ocireg_descriptor_size(const ocireg_descriptor *descriptor);

/**
 * Returns where the digest comes from.
 */
ocireg_digest_source ocireg_descriptor_digest_source(const ocireg_descriptor *descriptor);

/**
 * Frees a descriptor that you own. NULL is allowed.
 */
void ocireg_descriptor_free(ocireg_descriptor *descriptor);

/**
 * Lists the warnings that the registry has sent to this client or has caused, such as a
 * deprecated API or a digest header that does not match the document. Each warning is listed
 * once. The list has at most 32 warnings. This function sends no request. Free the list with
 * ocireg_strings_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_warnings(const ocireg_client *client,
                                     const char *registry,
                                     ocireg_strings **out,
                                     ocireg_error **error);

/**
 * Gives the rate limit that the registry last reported to this client. Sets `out` to NULL if the
 * registry never reported one. This function sends no request. Free the object with
 * ocireg_rate_limit_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_rate_limit(const ocireg_client *client,
                                       const char *registry,
                                       ocireg_rate_limit **out,
                                       ocireg_error **error);

/**
 * Returns how many requests a window allows, or -1 if the registry did not report it.
 */
int64_t ocireg_rate_limit_limit(const ocireg_rate_limit *limit);

/**
 * Returns how many requests are left in the current window, or -1 if the registry did not report
 * it.
 */
int64_t ocireg_rate_limit_remaining(const ocireg_rate_limit *limit);

/**
 * Returns the length of a window in milliseconds, or -1 if the registry did not report it.
 */
int64_t ocireg_rate_limit_window_ms(const ocireg_rate_limit *limit);

/**
 * Returns whose requests the registry counts: an address or an account, in the words of the
 * registry. Returns NULL if the registry did not report it. The string is borrowed.
 */
const char *ocireg_rate_limit_source(const ocireg_rate_limit *limit);

/**
 * Frees a rate limit that ocireg_client_rate_limit() gave you. NULL is allowed.
 */
void ocireg_rate_limit_free(ocireg_rate_limit *limit);

/**
 * Makes the library pass its log records up to `max_level` to `callback`, with `userdata` as its
 * first argument. `max_level` is 0 (none), 1 (error), 2 (warning), 3 (info), 4 (debug) or 5
 * (trace). NULL or level 0 removes the callback. The setting applies to the whole process. The
 * library logs requests at level 4, without secrets. Without a callback it logs nothing.
 *
 * When this function returns, the previous callback no longer runs on any thread.
 *
 * Fails with OCIREG_E_STATE inside a log callback, and in a Rust program that has a logger of its
 * own.
 */
ocireg_status ocireg_set_log_callback(int32_t max_level, ocireg_log_cb callback, void *userdata);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OCIREG_H */
