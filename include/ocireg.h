/* Generated from src/ffi by build.rs; do not edit. */

#ifndef OCIREG_H
#define OCIREG_H

#include <stddef.h>
#include <stdint.h>

/*
 * ocireg 0.1.0: asks container registries. Does this image exist, what is its digest, which
 * tags share it?
 *
 * C99 or newer, C++11 or newer. Link with `pkg-config --cflags --libs ocireg`.
 *
 *     #include <ocireg.h>
 *     #include <stdio.h>
 *
 *     int main(void) { ocireg_client *client; ocireg_presence presence = OCIREG_PRESENCE_UNKNOWN;
 *     ocireg_error *error; if (ocireg_client_new(NULL, &client, &error) == OCIREG_OK &&
 *     ocireg_client_exists(client, "localhost:5000/team/app:1.2", NULL, &presence, &error) ==
 *     OCIREG_OK) printf("%s\n", presence == OCIREG_PRESENCE_EXISTS ? "there" : "not there"); else
 *     fprintf(stderr, "%s\n", ocireg_error_message(error)); ocireg_error_free(error);
 *     ocireg_client_free(client); return presence == OCIREG_PRESENCE_EXISTS ? 0 : presence ==
 *     OCIREG_PRESENCE_UNKNOWN ? 2 : 1; }
 *
 * What holds for every function:
 *
 * STATUS 0 (OCIREG_OK) is success, anything else a failure. Codes are added, never changed: take an
 * unknown one for a failure. ERRORS The last argument, `ocireg_error **error`, may be NULL. Else it
 * is set to NULL on success and to an error on failure, without looking at what was there: free an
 * error before its variable is used again. A function that asks a registry can fail with
 * OCIREG_E_INVALID_ARGUMENT, _INVALID_REFERENCE, _STATE, _CANCELLED, _CALLBACK, and with what may
 * happen on the way (_RESOLVE to _TRANSPORT) and in an answer (_UNAUTHORIZED to _TOO_LARGE). What
 * is special stands at the function. OUTPUTS `out` is set to NULL or 0 before anything else, and
 * filled on OCIREG_OK only. So all can be freed at one place, whatever came of the call. OWNERSHIP
 * What comes through an `out` or `error` that is a pointer to a pointer, or from a function that
 * ends in _new or _clone, is yours: free it with the _free of its type. Any other pointer that a
 * function returns is borrowed from its first argument and lives as long as that. Never use free().
 * What you pass in is copied or used during the call only. Every _free takes NULL. ARGUMENTS
 * Strings are NUL-terminated UTF-8. Where a pointer must not be NULL and is, or a string is not
 * UTF-8, or a number is out of range, the call fails with OCIREG_E_INVALID_ARGUMENT, and the error
 * names the argument. NULL is allowed for `error`, `call`, `options` of ocireg_client_new(),
 * `userdata` and callbacks. Functions that return a property of an object answer NULL for NULL, or
 * 0, or -1 where that stands for "not said". UNITS Times are in milliseconds, sizes in bytes.
 * THREADS Functions that take an object by pointer to const may run on any number of threads at
 * once with the same object; those that take it without const need it alone. No _free while another
 * call uses the object. Any thread may use and free what another has made. There is no thread-local
 * state. CALLBACKS run on the thread that made the call, one at a time, with no lock held; they may
 * call the library, but not free or change what the call uses, nor go on with the pager that is
 * calling. They return 0 to go on; anything else stops the call with OCIREG_E_CALLBACK, and
 * ocireg_error_callback_code() has the value. No longjmp or C++ exception may leave them. Only the
 * log callback runs on any thread. WAITING Every call ends: by its time limit (5 minutes unless
 * set), or within half a second of ocireg_cancel_trigger() or ocireg_client_shutdown(). A progress
 * callback is called every 200 ms at least while a call waits. PROCESS Nothing has to be
 * initialised. The library installs no signal handler, raises no SIGPIPE, goes on after EINTR, and
 * writes nothing to standard output or standard error (but for the panic message of a bug in it).
 * Of the environment SSL_CERT_FILE and SSL_CERT_DIR count, which say where the platform's root
 * certificates are. Any call may read the environment: no setenv() on another thread meanwhile. A
 * helper thread has the signal mask of the thread that made the call, and one that was left behind
 * while it resolved or connected may go on until the resolver's or the connect timeout: the shared
 * library is never unloaded, and a plugin that links the static one must not be. FORK After fork()
 * the child needs clients of its own: those of the parent answer OCIREG_E_STATE there, and freeing
 * them does nothing to their connections, which the child keeps until it ends or calls exec. MEMORY
 * that runs out ends the process. SECRETS A password or token reaches the registry that it was
 * given for, and its token service, and is in no error, log record or warning.
 */

#define OCIREG_VERSION_MAJOR 0
#define OCIREG_VERSION_MINOR 1
#define OCIREG_VERSION_PATCH 0
/* 8 bits each: major, minor, patch. */
#define OCIREG_VERSION_NUMBER 0x000100u
#define OCIREG_VERSION "0.1.0"

/* A status that nobody looks at is a mistake. */
#if defined(__GNUC__) || defined(__clang__)
#define OCIREG_MUST_USE __attribute__((warn_unused_result))
#else
#define OCIREG_MUST_USE
#endif


/**
 * Goes up when a program that was built against an older header could break, and only then.
 */
#define OCIREG_ABI_VERSION 1

/**
 * A size or a total that nobody has said.
 */
#define OCIREG_SIZE_UNKNOWN UINT64_MAX

/**
 * What a call came to. The numbers are fixed for ever; new ones may come, so take one that you do
 * not know for a failure.
 */
enum ocireg_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Done; the outputs are filled.
   */
  OCIREG_OK = 0,
  /**
   * An argument other than a reference is unusable: NULL, not UTF-8, out of range.
   */
  OCIREG_E_INVALID_ARGUMENT = 1,
  /**
   * A reference, registry, repository, tag or digest does not follow its grammar.
   */
  OCIREG_E_INVALID_REFERENCE = 2,
  /**
   * A setting is unusable: a file that can't be read, a certificate that does not parse.
   */
  OCIREG_E_CONFIG = 3,
  /**
   * The client can't be used any more: it was shut down, or made before fork().
   */
  OCIREG_E_STATE = 4,
  /**
   * The registry, or this library, does not do what was asked.
   */
  OCIREG_E_UNSUPPORTED = 5,
  /**
   * The host name could not be resolved.
   */
  OCIREG_E_RESOLVE = 10,
  /**
   * No connection could be made.
   */
  OCIREG_E_CONNECT = 11,
  /**
   * TLS failed: unknown authority, wrong name, expired, or the other side does not speak TLS.
   */
  OCIREG_E_TLS = 12,
  /**
   * A time limit ran out.
   */
  OCIREG_E_TIMEOUT = 13,
  /**
   * The connection broke.
   */
  OCIREG_E_TRANSPORT = 14,
  /**
   * The registry refused the credentials themselves: every answer would be wrong.
   */
  OCIREG_E_UNAUTHORIZED = 20,
  /**
   * The registry refused this repository (HTTP 401 or 403): private, hidden or missing.
   */
  OCIREG_E_DENIED = 21,
  /**
   * The registry says that it is not there (HTTP 404).
   */
  OCIREG_E_NOT_FOUND = 22,
  /**
   * Too many requests (HTTP 429).
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
   * The answer is not what a registry answers.
   */
  OCIREG_E_PROTOCOL = 26,
  /**
   * The content does not have the digest that it should have.
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
   * A callback of yours stopped the call.
   */
  OCIREG_E_CALLBACK = 41,
  /**
   * A bug in this library, caught. Please report it.
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
 * Whether something is there. Not an error: an error is no answer.
 */
enum ocireg_presence
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * There is no answer: the call has failed. Never the value of a call that returned OCIREG_OK.
   */
  OCIREG_PRESENCE_UNKNOWN = 0,
  /**
   * The registry has it.
   */
  OCIREG_PRESENCE_EXISTS = 1,
  /**
   * The registry says that it is not there (HTTP 404). A registry that hides private
   * repositories behind a 404 can't be told from this.
   */
  OCIREG_PRESENCE_ABSENT = 2,
  /**
   * The registry refuses this repository (HTTP 401 or 403): private, hidden or missing. Docker
   * Hub answers so for repositories that do not exist.
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
 * How a registry wants its users to identify themselves.
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
   * Not at all.
   */
  OCIREG_AUTH_SCHEME_ANONYMOUS = 1,
  /**
   * With user and password (RFC 7617).
   */
  OCIREG_AUTH_SCHEME_BASIC = 2,
  /**
   * With a token from its token service (RFC 6750).
   */
  OCIREG_AUTH_SCHEME_BEARER = 3,
  /**
   * In a way that this library does not know.
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
 * Where a digest comes from, which is how far it can be trusted.
 */
enum ocireg_digest_source
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not known to this library; of NULL.
   */
  OCIREG_DIGEST_SOURCE_UNKNOWN = 0,
  /**
   * The registry said so in the header Docker-Content-Digest; the document was not read.
   */
  OCIREG_DIGEST_SOURCE_HEADER = 1,
  /**
   * Computed from the document.
   */
  OCIREG_DIGEST_SOURCE_COMPUTED = 2,
  /**
   * You asked for this digest and the registry has it; the document was not read.
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
 * The results of ocireg_client_lookup_all(), in the order of the references. Yours; free it with
 * ocireg_batch_free(). Any thread may read it.
 */
typedef struct ocireg_batch ocireg_batch;

/**
 * How a call is to go. Yours; free it with ocireg_call_free(). Every function that asks a registry
 * takes one, or NULL for the client's settings. It can be used for any number of calls, on any
 * number of threads at once while no setter runs.
 *
 * A setter's status need not be looked at: a call with a setting that was unusable fails, and says
 * which.
 */
typedef struct ocireg_call ocireg_call;

/**
 * Stops calls from another thread or from a signal handler. Yours; free it with
 * ocireg_cancel_free().
 */
typedef struct ocireg_cancel ocireg_cancel;

/**
 * Asks registries. Yours; free it with ocireg_client_free().
 *
 * Make one and keep it: it holds connections, and remembers tokens and what it learned of each
 * registry. Any number of threads may use it at once. After fork() the child process has to make
 * its own: what would ask a registry with this one fails with OCIREG_E_STATE there, what only
 * tells what is known knows nothing, and freeing it is fine.
 */
typedef struct ocireg_client ocireg_client;

/**
 * What a registry holds under a reference: media type, digest, size. Yours where a function gave
 * it through `out`; then free it with ocireg_descriptor_free(). Any thread may read it.
 */
typedef struct ocireg_descriptor ocireg_descriptor;

/**
 * Why a call gave no answer. Yours; free it with ocireg_error_free(). Any thread may read it.
 */
typedef struct ocireg_error ocireg_error;

/**
 * Settings for ocireg_client_new(). Yours; free it with ocireg_options_free(), also right after
 * ocireg_client_new().
 *
 * A setting for a registry (`"registry.example.com:5000"`) counts for that registry alone, its
 * password above all.
 *
 * A setter only reads its arguments. It returns OCIREG_E_INVALID_ARGUMENT for NULL and what is not
 * UTF-8, which need not be looked at: ocireg_client_new() fails with the first setting that is
 * unusable, whatever is wrong with it, and says which: by the setter and its argument, or by the
 * registry and what is wrong. Strings are copied.
 */
typedef struct ocireg_options ocireg_options;

/**
 * A list that is read page by page. Yours; free it with ocireg_pages_free(). One thread at a time
 * may use it. It holds what it needs of the client, which may be freed before. The callbacks of
 * the call that it was made with are used until it is freed.
 */
typedef struct ocireg_pages ocireg_pages;

/**
 * What a registry last said of its rate limit, such as Docker Hub's
 * `RateLimit-Remaining: 76;w=21600`.
 */
typedef struct ocireg_rate_limit ocireg_rate_limit;

/**
 * A list of strings: tags, repositories, warnings. Yours; free it with ocireg_strings_free(). Any
 * thread may read it.
 */
typedef struct ocireg_strings ocireg_strings;

/**
 * Told how far a call has come: entries or items `done`, of `total` or OCIREG_SIZE_UNKNOWN. Of a
 * pager each page counts anew. Called on the thread that made the call, also without progress at
 * least every 200 ms while the call waits. Return 0 to go on; anything else stops the call with
 * OCIREG_E_CALLBACK.
 */
typedef int32_t (*ocireg_progress_cb)(void *userdata, uint64_t done, uint64_t total);

/**
 * Given each result of ocireg_client_lookup_all() as it comes, on the thread that made the call:
 * the position among the references, and what the accessors of the batch would say of it.
 * `descriptor` and `error` end with the callback. Return 0 to go on; anything else stops the call
 * with OCIREG_E_CALLBACK.
 */
typedef int32_t (*ocireg_item_cb)(void *userdata,
                                  size_t index,
                                  ocireg_presence presence,
                                  const ocireg_descriptor *descriptor,
                                  const ocireg_error *error);

/**
 * Given each log record: a level (1 error, 2 warning, 3 info, 4 debug, 5 trace), where it comes
 * from (`"ocireg::…"`) and one line of text. Both strings end with the callback. Called on any
 * thread that uses the library, several at once perhaps; nothing in it is secret. What its thread
 * logs while the callback runs is dropped. It may ask what is known, such as
 * ocireg_client_warnings(), but should not ask a registry, and must not make a call that uses
 * several threads, such as ocireg_client_lookup_all(): they log too.
 */
typedef void (*ocireg_log_cb)(void *userdata, int32_t level, const char *target, const char *message);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is running, such as `"0.1.0"`: for people and bug reports.
 * Static.
 */
const char *ocireg_version(void);

/**
 * The same as a number, for comparisons: 8 bits each for major, minor and patch (`0x000100` is
 * 0.1.0).
 */
uint32_t ocireg_version_number(void);

/**
 * OCIREG_ABI_VERSION of the library that is running. Compare the two where the library is loaded
 * at run time: another number is a library that this header does not describe.
 *
 * ```c
 * if (ocireg_abi_version() != OCIREG_ABI_VERSION)
 *     fprintf(stderr, "libocireg %s is not what this program was built for\n", ocireg_version());
 * ```
 */
uint32_t ocireg_abi_version(void);

/**
 * The name of a status, such as `"OCIREG_E_TIMEOUT"`, or `"unknown status"`. Static, never NULL.
 */
const char *ocireg_status_name(int32_t status);

/**
 * The status that the call returned, or that an item of a batch ended with. OCIREG_OK for NULL.
 */
ocireg_status ocireg_error_code(const ocireg_error *error);

/**
 * What happened, for people: one line of UTF-8 that names the registry and the reference, says
 * what can be done about it, and never shows a secret. Its words may change. Borrowed; NULL for
 * NULL.
 */
const char *ocireg_error_message(const ocireg_error *error);

/**
 * The HTTP status that decided, such as 401, or 0 if no answer came.
 */
uint16_t ocireg_error_http_status(const ocireg_error *error);

/**
 * The registry's own first error code, such as `"MANIFEST_UNKNOWN"` (distribution specification,
 * "Error Codes"), or NULL if it sent none. Borrowed.
 */
const char *ocireg_error_registry_code(const ocireg_error *error);

/**
 * The errno value that is behind it, such as ECONNREFUSED, or 0 if none is known.
 */
int32_t ocireg_error_os_code(const ocireg_error *error);

/**
 * What your callback returned to stop the call (OCIREG_E_CALLBACK), else 0.
 */
int32_t ocireg_error_callback_code(const ocireg_error *error);

/**
 * 1 if the same call may succeed later without a change (a network failure, a timeout, HTTP 429 or
 * 5xx), else 0.
 */
int32_t ocireg_error_is_transient(const ocireg_error *error);

/**
 * How long the registry asked to wait (Retry-After), in milliseconds, or 0 if it did not.
 */
uint64_t ocireg_error_retry_after_ms(const ocireg_error *error);

/**
 * The rate limit that the failing answer reported, or NULL. Borrowed.
 */
const ocireg_rate_limit *ocireg_error_rate_limit(const ocireg_error *error);

/**
 * Frees an error. NULL is fine.
 */
void ocireg_error_free(ocireg_error *error);

/**
 * Frees a string that a function gave through a `char **`. NULL is fine. Do not use free().
 */
void ocireg_string_free(char *string);

/**
 * How many strings are in the list. 0 for NULL.
 */
size_t ocireg_strings_len(const ocireg_strings *strings);

/**
 * The string at `index`, counted from 0, or NULL past the end. Borrowed.
 */
const char *ocireg_strings_get(const ocireg_strings *strings, size_t index);

/**
 * All strings as an array that ends with NULL: one call for a hundred thousand tags. Borrowed;
 * NULL for NULL.
 */
const char *const *ocireg_strings_data(const ocireg_strings *strings);

/**
 * How many entries of a page were left out because they are no valid names: some registries list
 * nulls or digests among their tags. 0 for every other list.
 */
size_t ocireg_strings_skipped(const ocireg_strings *strings);

/**
 * Frees a list and its strings. NULL is fine.
 */
void ocireg_strings_free(ocireg_strings *strings);

/**
 * Settings that are all at their defaults. Never NULL.
 */
ocireg_options *ocireg_options_new(void);

/**
 * Frees settings. NULL is fine.
 */
void ocireg_options_free(ocireg_options *options);

/**
 * Says who asks, in the User-Agent header: printable ASCII. Defaults to `ocireg/VERSION`.
 */
ocireg_status ocireg_options_set_user_agent(ocireg_options *options, const char *user_agent);

/**
 * The most time to get a connection, in milliseconds: resolving, connecting and negotiating TLS
 * together. 0 is no limit. Defaults to 10,000.
 */
ocireg_status ocireg_options_set_connect_timeout_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * The longest wait for the next byte in either direction, in milliseconds. 0 is no limit. Defaults
 * to 30,000.
 */
ocireg_status ocireg_options_set_idle_timeout_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * The most time that a call may take in all, in milliseconds, retries and waits included. 0 is no
 * limit. Defaults to 300,000 (5 minutes).
 */
ocireg_status ocireg_options_set_call_timeout_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * How often a failed request is repeated where that may help: connection failures, HTTP 408, 429
 * and 5xx. Defaults to 3.
 */
ocireg_status ocireg_options_set_retries(ocireg_options *options, uint32_t retries);

/**
 * The first wait before a repeat, in milliseconds; it doubles each time, up to 8 s, and is spread
 * at random. A Retry-After of up to 60 s is kept; a longer one ends the call at once. Defaults to
 * 250.
 */
ocireg_status ocireg_options_set_retry_delay_ms(ocireg_options *options, uint64_t milliseconds);

/**
 * The largest manifest that is read, in bytes; OCIREG_E_TOO_LARGE beyond. Defaults to 8 MiB.
 */
ocireg_status ocireg_options_set_max_manifest_bytes(ocireg_options *options, uint64_t bytes);

/**
 * Shows `user` and `password` to `registry` and its token service, once it asks for a login, and
 * to nobody else.
 */
ocireg_status ocireg_options_add_basic_auth(ocireg_options *options,
                                            const char *registry,
                                            const char *user,
                                            const char *password);

/**
 * Shows `token` to `registry` with every request, as the registry's own token. It is not renewed.
 */
ocireg_status ocireg_options_add_bearer_token(ocireg_options *options,
                                              const char *registry,
                                              const char *token);

/**
 * Trades `token` for the tokens of `registry` at its token service: an OAuth2 refresh token, what
 * docker calls `identitytoken`.
 */
ocireg_status ocireg_options_add_identity_token(ocireg_options *options,
                                                const char *registry,
                                                const char *token);

/**
 * Lets the token service at `host` have the credentials of `registry`. Without it they go to the
 * registry's own host, a parent domain of it, a sibling below the same parent, and from Docker Hub
 * to auth.docker.io.
 */
ocireg_status ocireg_options_add_trusted_realm(ocireg_options *options,
                                               const char *registry,
                                               const char *host);

/**
 * Sends a header field to `registry` with every request, and to nobody else.
 */
ocireg_status ocireg_options_add_header(ocireg_options *options,
                                        const char *registry,
                                        const char *name,
                                        const char *value);

/**
 * Speaks http with `registry`, without encryption: for a registry in a network that you trust.
 * Wins over ocireg_options_add_https(). Defaults to https, except for loopback registries
 * (localhost, 127.0.0.0/8, [::1]).
 */
ocireg_status ocireg_options_add_plain_http(ocireg_options *options, const char *registry);

/**
 * Speaks https with `registry`: only needed for a loopback registry.
 */
ocireg_status ocireg_options_add_https(ocireg_options *options, const char *registry);

/**
 * Trusts the certificates of a PEM file for `registry`, beside the platform's. A server
 * certificate that is itself in the file is trusted too, if the name matches. Speaks https with a
 * loopback registry. The file is read at once; `path` need not be UTF-8.
 */
ocireg_status ocireg_options_add_ca_file(ocireg_options *options,
                                         const char *registry,
                                         const char *path);

/**
 * As ocireg_options_add_ca_file(), from `length` bytes of memory.
 */
ocireg_status ocireg_options_add_ca_pem(ocireg_options *options,
                                        const char *registry,
                                        const uint8_t *pem,
                                        size_t length);

/**
 * Has ocireg_client_new() ping `registry`, so that a wrong address is found at once. Costs a
 * request.
 */
ocireg_status ocireg_options_add_verify(ocireg_options *options, const char *registry);

/**
 * Makes a client with `options`, or with the defaults where they are NULL: anonymous, the
 * platform's root certificates. Nothing is read from the environment or from docker's files. No
 * server is asked, unless ocireg_options_add_verify() says so.
 *
 * Fails with OCIREG_E_CONFIG, OCIREG_E_INVALID_REFERENCE or OCIREG_E_INVALID_ARGUMENT for the
 * first setting that is unusable, and says which.
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
 * A second handle on the same client, for a second owner: connections, tokens and all that was
 * learned are shared. Free each. NULL for NULL.
 */
ocireg_client *ocireg_client_clone(const ocireg_client *client);

/**
 * Ends the client, its clones included, from any thread: calls under way end within half a second
 * with OCIREG_E_CANCELLED, those made from now on fail with OCIREG_E_STATE. Idle connections are
 * closed. It still has to be freed.
 */
void ocireg_client_shutdown(const ocireg_client *client);

/**
 * Closes the connections that are not in use, as before a long pause. What was learned stays,
 * tokens too; the next call connects anew.
 */
void ocireg_client_close_idle(const ocireg_client *client);

/**
 * Frees a client. No call may be using this handle; clones stay usable. NULL is fine.
 */
void ocireg_client_free(ocireg_client *client);

/**
 * The warnings that the registry has sent to this client or caused, each once, at most 32: a
 * deprecated API, a digest in a header that does not fit the document. No request is made. Free
 * the list with ocireg_strings_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_warnings(const ocireg_client *client,
                                     const char *registry,
                                     ocireg_strings **out,
                                     ocireg_error **error);

/**
 * A token that is not triggered. Never NULL. Give it to calls with ocireg_call_set_cancel().
 */
ocireg_cancel *ocireg_cancel_new(void);

/**
 * Stops every call that has the token, now and later: each ends within half a second with
 * OCIREG_E_CANCELLED, whatever it is waiting for. From any thread, and from a signal handler (it
 * is async-signal-safe: one atomic store). It can't be taken back; make a new token for new calls.
 * NULL is fine.
 */
void ocireg_cancel_trigger(const ocireg_cancel *cancel);

/**
 * 1 if the token was triggered, else 0. Async-signal-safe.
 */
int32_t ocireg_cancel_is_triggered(const ocireg_cancel *cancel);

/**
 * Frees a token. Calls that were given it keep what they need of it. NULL is fine.
 */
void ocireg_cancel_free(ocireg_cancel *cancel);

/**
 * Settings of a call that are all the client's. Never NULL.
 */
ocireg_call *ocireg_call_new(void);

/**
 * Frees the settings of a call. NULL is fine.
 */
void ocireg_call_free(ocireg_call *call);

/**
 * The most time that the call may take in all, in milliseconds, retries and waits included. 0 is
 * no limit. Defaults to the client's.
 */
ocireg_status ocireg_call_set_timeout_ms(ocireg_call *call, uint64_t milliseconds);

/**
 * Lets `cancel` stop the call. The token may be freed before the call is made, but then nobody can
 * trigger it.
 */
ocireg_status ocireg_call_set_cancel(ocireg_call *call, const ocireg_cancel *cancel);

/**
 * Has `callback` told how far the call has come, with `userdata` as its first argument. NULL takes
 * it back.
 */
ocireg_status ocireg_call_set_progress(ocireg_call *call,
                                       ocireg_progress_cb callback,
                                       void *userdata);

/**
 * Gives `callback` each result of ocireg_client_lookup_all() as it comes, with `userdata` as its
 * first argument. NULL takes it back.
 */
ocireg_status ocireg_call_set_item_callback(ocireg_call *call,
                                            ocireg_item_cb callback,
                                            void *userdata);

/**
 * How many requests a call that makes many (ocireg_client_lookup_all(),
 * ocireg_client_tags_sharing(), ocireg_client_tags_of_digest()) may have under way at once for
 * each registry, from 1 to 64; more counts as 64. OCIREG_E_INVALID_ARGUMENT for 0. Defaults to 8.
 */
ocireg_status ocireg_call_set_concurrency(ocireg_call *call, uint32_t requests);

/**
 * Asks for lists in pages of this many entries; the registry may choose another size.
 * OCIREG_E_INVALID_ARGUMENT for 0. Defaults to the registry's choice, since some cut a list off at
 * the size asked for without saying so.
 */
ocireg_status ocireg_call_set_page_size(ocireg_call *call, uint32_t entries);

/**
 * Accepts manifests of one more media type. The six types of images and their lists are always
 * accepted.
 */
ocireg_status ocireg_call_add_accept(ocireg_call *call, const char *media_type);

/**
 * Whether there is a registry (`"localhost:5000"`), and how it wants to be asked. One request, GET
 * /v2/ (distribution specification, "Determining Support"). Nothing else needs a ping.
 *
 * OCIREG_E_PROTOCOL where something answers that is no registry.
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_ping(const ocireg_client *client,
                                 const char *registry,
                                 const ocireg_call *call,
                                 ocireg_auth_scheme *out,
                                 ocireg_error **error);

/**
 * Checks that the registry accepts the credentials given for it. One to three requests. A registry
 * that asks for no login accepts any.
 *
 * OCIREG_E_UNAUTHORIZED where they are refused, or none were given and the registry asks for some.
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_check_login(const ocireg_client *client,
                                        const char *registry,
                                        const ocireg_call *call,
                                        ocireg_error **error);

/**
 * Whether an image is there: `"alpine:3.20"`, `"localhost:5000/team/app@sha256:…"`. One request,
 * if the registry is open or its token is there.
 *
 * "Absent" and "denied" are answers: OCIREG_OK. A status other than OCIREG_OK is no answer. Asks
 * with HEAD (distribution specification, "Checking if content exists in the registry"), and with
 * GET only where HEAD can't answer.
 *
 * ```c
 * ocireg_presence presence;
 * ocireg_error *error;
 * if (ocireg_client_exists(client, "localhost:5000/team/app:1.2", NULL, &presence, &error) == OCIREG_OK)
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
 * The media type, digest and size of an image. Costs what ocireg_client_exists() does. An image
 * that is not there is an error here: OCIREG_E_NOT_FOUND, OCIREG_E_DENIED. Free the descriptor
 * with ocireg_descriptor_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_head(const ocireg_client *client,
                                 const char *reference,
                                 const ocireg_call *call,
                                 ocireg_descriptor **out,
                                 ocireg_error **error);

/**
 * The digest of an image, as text: `"sha256:…"`. As ocireg_client_head(). Free the string with
 * ocireg_string_free().
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
 * All tags of a repository (`"localhost:5000/team/app"`), in the registry's order (distribution
 * specification, "Listing tags"). One request a page. OCIREG_E_NOT_FOUND where there is no such
 * repository. A list that breaks off is an error too; ocireg_client_tag_pages() keeps what came.
 * Free the list with ocireg_strings_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_tags(const ocireg_client *client,
                                 const char *repository,
                                 const ocireg_call *call,
                                 ocireg_strings **out,
                                 ocireg_error **error);

/**
 * All repositories of a registry (`"localhost:5000"`), without its name, in its order (Docker
 * Registry HTTP API V2, "Listing repositories"). Many registries have no catalog
 * (OCIREG_E_UNSUPPORTED), or show only a part of it. One request a page. Free the list with
 * ocireg_strings_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_catalog(const ocireg_client *client,
                                    const char *registry,
                                    const ocireg_call *call,
                                    ocireg_strings **out,
                                    ocireg_error **error);

/**
 * All tags of the same repository that have this image's digest, its own tag among them: which
 * version is "latest"? None for a reference with a digest that no tag has; OCIREG_E_NOT_FOUND for
 * one with a tag that is absent. Costs a request for each page of the tag list and one for each
 * tag, up to ocireg_call_set_concurrency() at once. Compared is what a tag itself resolves to: for
 * a multi-platform image its index. A tag that has vanished meanwhile is left out; any other
 * failure ends the call, since a list with gaps would look complete. Free the list with
 * ocireg_strings_free().
 *
 * ```c
 * ocireg_strings *tags;
 * if (ocireg_client_tags_sharing(client, "localhost:5000/team/app:latest", NULL, &tags, NULL) == OCIREG_OK) {
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
 * All tags of a repository that have this digest; none is an answer too. As
 * ocireg_client_tags_sharing().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_tags_of_digest(const ocireg_client *client,
                                           const char *repository,
                                           const char *digest,
                                           const ocireg_call *call,
                                           ocireg_strings **out,
                                           ocireg_error **error);

/**
 * The tags of a repository, page by page as the registry sends them. No request is made yet:
 * ocireg_pages_next() makes them, with the settings of `call`, whose timeout counts for each page;
 * client, call and cancel token may be freed before. Free it with ocireg_pages_free().
 *
 * ```c
 * ocireg_pages *pages;
 * ocireg_strings *page;
 * if (ocireg_client_tag_pages(client, "localhost:5000/team/app", NULL, &pages, NULL) == OCIREG_OK) {
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
 * The repositories of a registry, page by page. As ocireg_client_tag_pages().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_catalog_pages(const ocireg_client *client,
                                          const char *registry,
                                          const ocireg_call *call,
                                          ocireg_pages **out,
                                          ocireg_error **error);

/**
 * Reads the next page; the end is OCIREG_OK with NULL in `out`. After a failure the list is at its
 * end: what came before is what there is. Free the page with ocireg_strings_free();
 * ocireg_strings_skipped() says what it leaves out.
 */
OCIREG_MUST_USE
ocireg_status ocireg_pages_next(ocireg_pages *pages,
                                ocireg_strings **out,
                                ocireg_error **error);

/**
 * Frees a list that is read page by page. NULL is fine.
 */
void ocireg_pages_free(ocireg_pages *pages);

/**
 * Looks up `count` references at once, in any number of registries. One token serves up to 32
 * repositories, and a reference that is there twice is asked once; ocireg_call_set_concurrency()
 * says how many requests go out at once.
 *
 * Fails only if an argument is unusable or a callback stops it; a client that can no longer be
 * used is OCIREG_E_STATE at each reference. Each reference has a result of its own, in the order
 * given: one that can't be used (NULL among them) or has no answer has an error. A timeout counts
 * for all together; when it ends, or the call is cancelled or the client shut down, what is
 * finished keeps its result, and the rest have OCIREG_E_TIMEOUT or OCIREG_E_CANCELLED.
 *
 * `count` may be 0, and `references` NULL with it. Free the batch with ocireg_batch_free().
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
 * How many results there are: as many as references. 0 for NULL.
 */
size_t ocireg_batch_len(const ocireg_batch *batch);

/**
 * Whether the reference at `index` is there. OCIREG_PRESENCE_UNKNOWN if it has no answer, and past
 * the end.
 */
ocireg_presence ocireg_batch_presence(const ocireg_batch *batch, size_t index);

/**
 * What the registry has under the reference at `index`. Borrowed; NULL unless it is there.
 */
const ocireg_descriptor *ocireg_batch_descriptor(const ocireg_batch *batch, size_t index);

/**
 * Why there is no answer for the reference at `index`. Borrowed; NULL if there is one.
 */
const ocireg_error *ocireg_batch_error(const ocireg_batch *batch, size_t index);

/**
 * Frees a batch and all that was borrowed from it. NULL is fine.
 */
void ocireg_batch_free(ocireg_batch *batch);

/**
 * What kind of manifest it is, such as `"application/vnd.oci.image.index.v1+json"`. Borrowed; NULL
 * for NULL.
 */
const char *ocireg_descriptor_media_type(const ocireg_descriptor *descriptor);

/**
 * The digest that the registry knows it by, such as `"sha256:…"`. Borrowed; NULL for NULL.
 */
const char *ocireg_descriptor_digest(const ocireg_descriptor *descriptor);

/**
 * The size of the document in bytes, or OCIREG_SIZE_UNKNOWN where the registry did not say it. 0
 * for NULL.
 */
uint64_t ocireg_descriptor_size(const ocireg_descriptor *descriptor);

/**
 * Where the digest comes from.
 */
ocireg_digest_source ocireg_descriptor_digest_source(const ocireg_descriptor *descriptor);

/**
 * Frees a descriptor that is yours. NULL is fine.
 */
void ocireg_descriptor_free(ocireg_descriptor *descriptor);

/**
 * The rate limit that the registry reported last to this client, or NULL in `out` if it never did.
 * No request is made. Free it with ocireg_rate_limit_free().
 */
OCIREG_MUST_USE
ocireg_status ocireg_client_rate_limit(const ocireg_client *client,
                                       const char *registry,
                                       ocireg_rate_limit **out,
                                       ocireg_error **error);

/**
 * How many requests a window allows, or -1 where the registry did not say.
 */
int64_t ocireg_rate_limit_limit(const ocireg_rate_limit *limit);

/**
 * How many requests are left in the present window, or -1 where the registry did not say.
 */
int64_t ocireg_rate_limit_remaining(const ocireg_rate_limit *limit);

/**
 * How long a window is, in milliseconds, or -1 where the registry did not say.
 */
int64_t ocireg_rate_limit_window_ms(const ocireg_rate_limit *limit);

/**
 * What the registry counts by, an address or an account in its own words, or NULL. Borrowed.
 */
const char *ocireg_rate_limit_source(const ocireg_rate_limit *limit);

/**
 * Frees a rate limit that ocireg_client_rate_limit() gave. NULL is fine.
 */
void ocireg_rate_limit_free(ocireg_rate_limit *limit);

/**
 * Has `callback` given the library's log records up to `max_level` (0 none, 1 error, 2 warning, 3
 * info, 4 debug, 5 trace), with `userdata` as its first argument. NULL, or level 0, takes it back.
 * This counts for the whole process. Requests are logged at level 4, without secrets. Without a
 * callback nothing is logged.
 *
 * When it returns, the callback that was set before is not running any more, on no thread.
 *
 * OCIREG_E_STATE from inside a log callback, and where a Rust program has a logger of its own.
 */
ocireg_status ocireg_set_log_callback(int32_t max_level, ocireg_log_cb callback, void *userdata);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OCIREG_H */
