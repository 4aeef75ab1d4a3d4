
/*
 * ocireg @VERSION@ asks container registries: Does this image exist? What is its digest? Which tags
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

#define OCIREG_VERSION_MAJOR @MAJOR@
#define OCIREG_VERSION_MINOR @MINOR@
#define OCIREG_VERSION_PATCH @PATCH@
/* Major, minor and patch version, 8 bits each. */
#define OCIREG_VERSION_NUMBER @NUMBER@
#define OCIREG_VERSION "@VERSION@"

/* The compiler warns if a program ignores the status of such a function. */
#if defined(__GNUC__) || defined(__clang__)
#define OCIREG_MUST_USE __attribute__((warn_unused_result))
#else
#define OCIREG_MUST_USE
#endif
