/* Stops a call that hangs, and prints how many milliseconds it took to end.
 *
 *     stop cancel|shutdown|progress ASK AUTHORITY SETTING AFTER
 *
 * ASK is exists or tags. SETTING is none, large (a header field that fills all buffers), https,
 * gate (the registry has told another call to wait) or token (another thread waits for a token).
 * After AFTER milliseconds another thread triggers the cancel token or shuts the client down. With
 * progress, the tenth call of the progress callback stops the call, and the program prints the
 * longest time between two calls of the callback.
 */
#include "check.h"
#include <pthread.h>

static const char *ask, *authority;
static ocireg_client *client;

static ocireg_status run(const ocireg_call *call, ocireg_error **error) {
    if (strcmp(ask, "exists") == 0) {
        ocireg_presence presence;
        return ocireg_client_exists(client, at(authority, "/t/a:v1"), call, &presence, error);
    }
    ocireg_strings *list;
    ocireg_status status = ocireg_client_tags(client, at(authority, "/t/a"), call, &list, error);
    ocireg_strings_free(list);
    return status;
}

struct stopper {
    ocireg_cancel *cancel; /* NULL means a shutdown. */
    int64_t after, stopped;
};

static void *stop(void *argument) {
    struct stopper *stopper = argument;
    sleep_ms(stopper->after);
    stopper->stopped = now_ms();
    if (stopper->cancel)
        ocireg_cancel_trigger(stopper->cancel);
    else
        ocireg_client_shutdown(client);
    return NULL;
}

static int64_t stopped_from_outside(int by_token, int64_t after) {
    struct stopper stopper = {by_token ? ocireg_cancel_new() : NULL, after, 0};
    ocireg_call *call = ocireg_call_new();
    if (by_token)
        CHECK(ocireg_call_set_cancel(call, stopper.cancel) == OCIREG_OK);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stop, &stopper) == 0);
    ocireg_error *error;
    ocireg_status status = run(call, &error);
    int64_t ended = now_ms();
    CHECK(pthread_join(thread, NULL) == 0);
    STATUS(status, OCIREG_E_CANCELLED, error);
    ocireg_call_free(call);
    ocireg_cancel_free(stopper.cancel);
    return ended - stopper.stopped;
}

struct watch {
    pthread_t thread;
    int64_t last, longest;
    int calls;
};

static int32_t on_progress(void *userdata, uint64_t done, uint64_t total) {
    struct watch *watch = userdata;
    (void)done, (void)total;
    int64_t now = now_ms();
    CHECK(pthread_equal(watch->thread, pthread_self()));
    /* The first wait may begin late, since work comes before it. */
    if (watch->calls > 0 && now - watch->last > watch->longest)
        watch->longest = now - watch->last;
    watch->last = now;
    return ++watch->calls == 10 ? 1234 : 0;
}

static int64_t stopped_by_callback(void) {
    struct watch watch = {pthread_self(), 0, 0, 0};
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_progress(call, on_progress, &watch) == OCIREG_OK);
    CHECK(ocireg_call_set_timeout_ms(call, 0) == OCIREG_OK);
    ocireg_error *error;
    ocireg_status status = run(call, &error);
    CHECK(ocireg_error_callback_code(error) == 1234);
    STATUS(status, OCIREG_E_CALLBACK, error);
    CHECK(watch.calls == 10);
    ocireg_call_free(call);
    return watch.longest;
}

static void *wait_for_token(void *argument) {
    ocireg_error *error;
    ocireg_status status = run(argument, &error);
    CHECK(status == OCIREG_E_CANCELLED);
    ocireg_error_free(error);
    return NULL;
}

static void prepare(const char *setting, ocireg_options *options) {
    if (strcmp(setting, "large") == 0) {
        size_t length = 5 << 20;
        char *agent = malloc(length + 1);
        memset(agent, 'x', length);
        agent[length] = 0;
        CHECK(ocireg_options_set_user_agent(options, agent) == OCIREG_OK);
        free(agent);
    }
    if (strcmp(setting, "https") == 0)
        CHECK(ocireg_options_add_https(options, authority) == OCIREG_OK);
    client = client_of(options);
    if (strcmp(setting, "gate") == 0) {
        ocireg_call *call = ocireg_call_new();
        CHECK(ocireg_call_set_timeout_ms(call, 5000) == OCIREG_OK);
        ocireg_error *error;
        ocireg_status status = run(call, &error);
        STATUS(status, OCIREG_E_RATE_LIMITED, error);
        ocireg_call_free(call);
    }
}

int main(int count, char **arguments) {
    if (count != 6)
        return 2;
    ask = arguments[2];
    authority = arguments[3];
    prepare(arguments[4], ocireg_options_new());
    pthread_t leader;
    ocireg_cancel *leaders = ocireg_cancel_new();
    ocireg_call *leading = ocireg_call_new();
    int waits_for_leader = strcmp(arguments[4], "token") == 0;
    if (waits_for_leader) {
        CHECK(ocireg_call_set_cancel(leading, leaders) == OCIREG_OK);
        CHECK(pthread_create(&leader, NULL, wait_for_token, leading) == 0);
        sleep_ms(300);
    }
    int64_t took;
    if (strcmp(arguments[1], "progress") == 0)
        took = stopped_by_callback();
    else
        took = stopped_from_outside(strcmp(arguments[1], "cancel") == 0, atoi(arguments[5]));
    ocireg_cancel_trigger(leaders);
    if (waits_for_leader)
        CHECK(pthread_join(leader, NULL) == 0);
    ocireg_cancel_free(leaders);
    ocireg_call_free(leading);
    ocireg_client_free(client);
    if (!failures)
        printf("%lld\n", (long long)took);
    return finish();
}
