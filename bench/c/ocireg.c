/* Asks many times on one connection whether the same image exists, with ocireg's C interface.
 *
 * Usage: ocireg REFERENCE WARM-UPS REQUESTS
 * Prints the CPU time of REQUESTS requests in nanoseconds.
 *
 * Usage: ocireg refused CALLS
 * Prints the CPU time of CALLS calls that send nothing, because the client is shut down.
 */
#define _POSIX_C_SOURCE 200809L
#include <ocireg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long cpu_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "ocireg: %s\n", what);
    exit(1);
}

static void look_up(const ocireg_client *client, const char *reference) {
    ocireg_presence presence;
    ocireg_error *error;
    if (ocireg_client_exists(client, reference, NULL, &presence, &error) != OCIREG_OK)
        fail(ocireg_error_message(error));
    if (presence != OCIREG_PRESENCE_EXISTS) fail("unexpected answer");
}

static void be_refused(const ocireg_client *client, const char *reference) {
    ocireg_presence presence;
    ocireg_error *error;
    if (ocireg_client_exists(client, reference, NULL, &presence, &error) != OCIREG_E_STATE)
        fail("not refused");
    ocireg_error_free(error);
}

int main(int argc, char **argv) {
    ocireg_client *client;
    ocireg_error *error;
    int refused = argc == 3 && strcmp(argv[1], "refused") == 0;
    if (!refused && argc != 4)
        fail("usage: ocireg REFERENCE WARM-UPS REQUESTS | ocireg refused CALLS");
    if (ocireg_client_new(NULL, &client, &error) != OCIREG_OK) fail(ocireg_error_message(error));
    if (refused) {
        ocireg_client_shutdown(client);
        long long before = cpu_time();
        for (long i = atol(argv[2]); i > 0; i--) be_refused(client, "127.0.0.1:5000/team/app:1.2");
        printf("%lld\n", cpu_time() - before);
    } else {
        for (long i = atol(argv[2]); i > 0; i--) look_up(client, argv[1]);
        long long before = cpu_time();
        for (long i = atol(argv[3]); i > 0; i--) look_up(client, argv[1]);
        printf("%lld\n", cpu_time() - before);
    }
    ocireg_client_free(client);
    return 0;
}
