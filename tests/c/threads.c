/* Eight threads use one client. They make different calls, and read and free the results and errors
 * of other threads. They free clones at any time. Cancel tokens and a shutdown race with calls.
 *
 *     threads AUTHORITY ROUNDS
 *
 * AUTHORITY has team/app with 12 tags.
 */
#include "check.h"
#include <pthread.h>

enum { THREADS = 8 };

static const char *authority;
static int rounds;

/* Objects that one thread passes to the next one. */
struct parcel {
    ocireg_strings *list;
    ocireg_descriptor *descriptor;
    ocireg_batch *batch;
    ocireg_error *error;
    ocireg_client *clone;
};

struct task {
    const ocireg_client *client;
    struct parcel parcel;
    ocireg_cancel *cancel;
};

static void ask_all(struct task *task) {
    const ocireg_client *client = task->client;
    struct parcel *parcel = &task->parcel;
    const char *image = at(authority, "/team/app:t000004"), *app = at(authority, "/team/app");
    ocireg_presence presence;
    ocireg_error *error;
    STATUS(ocireg_client_exists(client, image, NULL, &presence, &error), OCIREG_OK, error);
    CHECK(presence == OCIREG_PRESENCE_EXISTS);
    STATUS(ocireg_client_head(client, image, NULL, &parcel->descriptor, &error), OCIREG_OK, error);
    STATUS(ocireg_client_tags(client, app, NULL, &parcel->list, &error), OCIREG_OK, error);
    const char *images[] = {image, "not a reference", at(authority, "/team/app:none")};
    STATUS(ocireg_client_lookup_all(client, images, 3, NULL, &parcel->batch, &error), OCIREG_OK,
           error);
    ocireg_strings *list;
    CHECK(ocireg_client_tags(client, at(authority, "/none"), NULL, &list, &parcel->error) ==
          OCIREG_E_NOT_FOUND);
    STATUS(ocireg_client_warnings(client, authority, &list, &error), OCIREG_OK, error);
    ocireg_strings_free(list);
    parcel->clone = ocireg_client_clone(client);
    ocireg_client_close_idle(parcel->clone);
}

static void open_parcel(struct parcel *parcel) {
    ocireg_presence presence;
    CHECK(ocireg_strings_len(parcel->list) == 12);
    CHECK(strncmp(ocireg_descriptor_digest(parcel->descriptor), "sha256:", 7) == 0);
    CHECK(ocireg_batch_presence(parcel->batch, 0) == OCIREG_PRESENCE_EXISTS);
    CHECK(ocireg_error_code(ocireg_batch_error(parcel->batch, 1)) == OCIREG_E_INVALID_REFERENCE);
    CHECK(ocireg_batch_presence(parcel->batch, 2) == OCIREG_PRESENCE_ABSENT);
    CHECK(ocireg_error_code(parcel->error) == OCIREG_E_NOT_FOUND &&
          ocireg_error_http_status(parcel->error) == 404);
    CHECK(ocireg_client_exists(parcel->clone, at(authority, "/team/app:t000001"), NULL, &presence,
                               NULL) == OCIREG_OK);
    ocireg_strings_free(parcel->list);
    ocireg_descriptor_free(parcel->descriptor);
    ocireg_batch_free(parcel->batch);
    ocireg_error_free(parcel->error);
    ocireg_client_free(parcel->clone);
}

static void *fill(void *argument) {
    ask_all(argument);
    return NULL;
}

static void *empty(void *argument) {
    open_parcel(&((struct task *)argument)->parcel);
    return NULL;
}

static void start(pthread_t *threads, void *(*work)(void *), struct task *tasks) {
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, &tasks[i]) == 0);
}

static void join(const pthread_t *threads) {
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void parcels(void) {
    ocireg_client *client = plain_client();
    struct task tasks[THREADS];
    pthread_t threads[THREADS];
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < THREADS; i++)
            tasks[i].client = client;
        start(threads, fill, tasks);
        join(threads);
        /* A clone outlives the client from which it was made. */
        if (round == rounds - 1)
            ocireg_client_free(client);
        start(threads, empty, tasks);
        join(threads);
    }
}

/* Makes calls until something stops it. Only the expected statuses may stop it. */
static void *until_stopped(void *argument) {
    struct task *task = argument;
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_cancel(call, task->cancel) == OCIREG_OK);
    ocireg_status status;
    ocireg_error *error;
    do {
        ocireg_presence presence;
        status = ocireg_client_exists(task->client, at(authority, "/team/app:t000001"), call,
                                      &presence, &error);
        CHECK((presence == OCIREG_PRESENCE_EXISTS) == (status == OCIREG_OK));
        if (status != OCIREG_OK && status != OCIREG_E_CANCELLED && status != OCIREG_E_STATE) {
            printf("%s\n", ocireg_error_message(error));
            CHECK(0);
        }
        ocireg_error_free(error);
    } while (status == OCIREG_OK);
    CHECK(status == OCIREG_E_CANCELLED || !ocireg_cancel_is_triggered(task->cancel));
    ocireg_call_free(call);
    return NULL;
}

/* A cancel token or a shutdown stops running calls. */
static void races(int shutdown) {
    ocireg_client *client = plain_client();
    ocireg_cancel *cancel = ocireg_cancel_new();
    struct task tasks[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        tasks[i].client = client;
        tasks[i].cancel = cancel;
    }
    start(threads, until_stopped, tasks);
    sleep_ms(30);
    if (shutdown)
        ocireg_client_shutdown(client);
    else
        ocireg_cancel_trigger(cancel);
    join(threads);
    ocireg_presence presence;
    ocireg_error *error;
    ocireg_status status =
        ocireg_client_exists(client, at(authority, "/team/app:t000001"), NULL, &presence, &error);
    STATUS(status, shutdown ? OCIREG_E_STATE : OCIREG_OK, error);
    ocireg_cancel_free(cancel);
    ocireg_client_free(client);
}

int main(int count, char **arguments) {
    if (count != 3)
        return 2;
    authority = arguments[1];
    rounds = atoi(arguments[2]);
    parcels();
    for (int round = 0; round < rounds; round++) {
        races(0);
        races(1);
    }
    return finish();
}
