/* Signals belong to the program: the library continues after EINTR, raises no SIGPIPE, and changes
 * no handler and no mask.
 *
 *     signals SLOW RESETS SILENT
 *
 * SLOW has team/app:1 and answers after 300 ms. RESETS resets each connection. SILENT never
 * answers.
 */
#include "check.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t alarms;
static ocireg_cancel *cancel;

static void on_alarm(int signal) {
    (void)signal;
    alarms++;
}

static void on_interrupt(int signal) {
    (void)signal;
    ocireg_cancel_trigger(cancel);
}

static void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void every(int first_us, int then_us) {
    struct itimerval timer = {{0, then_us}, {0, first_us}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* An alarm every 5 ms during slow calls. */
static void interrupted(const char *slow, int flags, uint64_t timeout_ms) {
    handle(SIGALRM, on_alarm, flags);
    alarms = 0;
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_retries(options, 0) == OCIREG_OK);
    CHECK(ocireg_options_set_connect_timeout_ms(options, timeout_ms) == OCIREG_OK);
    CHECK(ocireg_options_set_idle_timeout_ms(options, timeout_ms) == OCIREG_OK);
    CHECK(ocireg_options_set_call_timeout_ms(options, timeout_ms) == OCIREG_OK);
    ocireg_client *client = client_of(options);
    every(5000, 5000);
    for (int i = 0; i < 3; i++) {
        ocireg_presence presence;
        ocireg_strings *list;
        ocireg_error *error;
        /* With a host name, helper threads may receive the signal. */
        const char *host = strchr(slow, ':');
        STATUS(ocireg_client_exists(client, at("localhost", at(host, "/team/app:1")), NULL,
                                    &presence, &error),
               OCIREG_OK, error);
        STATUS(ocireg_client_tags(client, at(slow, "/team/app"), NULL, &list, &error), OCIREG_OK,
               error);
        CHECK(ocireg_strings_len(list) == 1);
        ocireg_strings_free(list);
    }
    every(0, 0);
    CHECK(alarms > 50);
    ocireg_client_free(client);
    handle(SIGALRM, SIG_DFL, 0);
}

/* The server closes the connection while the request is written. SIGPIPE would end the process. */
static void broken_pipe(const char *resets) {
    ocireg_options *options = ocireg_options_new();
    size_t length = 4 << 20;
    char *agent = malloc(length + 1);
    memset(agent, 'x', length);
    agent[length] = 0;
    CHECK(ocireg_options_set_user_agent(options, agent) == OCIREG_OK);
    CHECK(ocireg_options_set_retries(options, 2) == OCIREG_OK);
    free(agent);
    ocireg_client *client = client_of(options);
    ocireg_presence presence;
    ocireg_error *error;
    ocireg_status status =
        ocireg_client_exists(client, at(resets, "/team/app:1"), NULL, &presence, &error);
    int32_t code = ocireg_error_os_code(error);
    CHECK(code == EPIPE || code == ECONNRESET || code == 0);
    STATUS(status, OCIREG_E_TRANSPORT, error);
    ocireg_client_free(client);
}

static void *interrupt(void *argument) {
    sleep_ms(300);
    CHECK(kill(getpid(), SIGINT) == 0);
    return argument;
}

/* Ctrl-C, as a C program handles it. */
static void from_a_handler(const char *silent) {
    handle(SIGINT, on_interrupt, 0);
    cancel = ocireg_cancel_new();
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_cancel(call, cancel) == OCIREG_OK);
    ocireg_client *client = plain_client();
    int64_t began = now_ms();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, interrupt, NULL) == 0);
    ocireg_presence presence;
    ocireg_error *error;
    ocireg_status status =
        ocireg_client_exists(client, at(silent, "/team/app:1"), call, &presence, &error);
    int64_t took = now_ms() - began;
    CHECK(took >= 290 && took < 300 + 2000); /* stop.c measures this more exactly. */
    STATUS(status, OCIREG_E_CANCELLED, error);
    CHECK(ocireg_cancel_is_triggered(cancel) == 1);
    CHECK(pthread_join(thread, NULL) == 0);
    ocireg_client_free(client);
    ocireg_call_free(call);
    ocireg_cancel_free(cancel);
    handle(SIGINT, SIG_DFL, 0);
}

enum { SIGNALS = 65 };

/* Reads all handlers and the mask of this thread. */
static void remember(struct sigaction *actions, sigset_t *mask) {
    memset(actions, 0, SIGNALS * sizeof *actions);
    for (int i = 1; i < SIGNALS; i++)
        sigaction(i, NULL, &actions[i]);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, mask) == 0);
}

static int same_mask(const sigset_t *one, const sigset_t *other) {
    int same = 1;
    for (int i = 1; i < SIGNALS; i++)
        same = same && sigismember(one, i) == sigismember(other, i);
    return same;
}

static void *nothing(void *argument) { return argument; }

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    /* A shell makes its background processes ignore SIGINT. */
    handle(SIGINT, SIG_DFL, 0);
    /* The C library sets its own handler with the first thread. */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
    static struct sigaction before[SIGNALS], after[SIGNALS];
    sigset_t mask_before, mask_after;
    remember(before, &mask_before);
    CHECK(before[SIGPIPE].sa_handler == SIG_DFL);

    interrupted(arguments[1], 0, 30000);
    interrupted(arguments[1], SA_RESTART, 30000);
    interrupted(arguments[1], 0, 0);
    broken_pipe(arguments[2]);
    from_a_handler(arguments[3]);

    remember(after, &mask_after);
    for (int i = 1; i < SIGNALS; i++) {
        if (before[i].sa_handler != after[i].sa_handler)
            printf("signal %d has another handler\n", i);
        CHECK(before[i].sa_handler == after[i].sa_handler);
    }
    CHECK(same_mask(&mask_before, &mask_after));
    return finish();
}
