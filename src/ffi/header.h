
/*
 * ocireg @VERSION@: asks container registries. Does this image exist, what is its digest, which
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

#define OCIREG_VERSION_MAJOR @MAJOR@
#define OCIREG_VERSION_MINOR @MINOR@
#define OCIREG_VERSION_PATCH @PATCH@
/* 8 bits each: major, minor, patch. */
#define OCIREG_VERSION_NUMBER @NUMBER@
#define OCIREG_VERSION "@VERSION@"

/* A status that nobody looks at is a mistake. */
#if defined(__GNUC__) || defined(__clang__)
#define OCIREG_MUST_USE __attribute__((warn_unused_result))
#else
#define OCIREG_MUST_USE
#endif
