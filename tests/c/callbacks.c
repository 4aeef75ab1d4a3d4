/* Callbacks that stop a call the first time, the last time, or in between. Checks the status and
 * the value, and that no callback runs afterwards.
 *
 *     callbacks AUTHORITY
 *
 * AUTHORITY has team/app with 12 tags, 3 on a page.
 */
#include "check.h"
#include <pthread.h>

struct watch {
    unsigned calls, stop_at;
    int32_t code;
    uint64_t done, total; /* As the last call reported. */
    pthread_t thread;
    const ocireg_client *client; /* The callback asks it, unless NULL. */
    const char *image;
    unsigned seen[16]; /* How often each item was reported. */
};

/* The common part of all callbacks. */
static int32_t called(struct watch *watch) {
    watch->calls++;
    CHECK(pthread_equal(watch->thread, pthread_self()));
    CHECK(!watch->stop_at || watch->calls <= watch->stop_at);
    if (watch->client) {
        ocireg_presence presence;
        CHECK(ocireg_client_exists(watch->client, watch->image, NULL, &presence, NULL) ==
              OCIREG_OK);
        CHECK(presence == OCIREG_PRESENCE_EXISTS);
    }
    return watch->calls == watch->stop_at ? watch->code : 0;
}

static int32_t on_progress(void *userdata, uint64_t done, uint64_t total) {
    struct watch *watch = userdata;
    CHECK(done >= watch->done);
    CHECK(total == OCIREG_SIZE_UNKNOWN || done <= total);
    CHECK(!watch->stop_at || watch->calls < watch->stop_at);
    /* A call without progress. Their number depends on the machine. */
    if (done == watch->done)
        return 0;
    watch->done = done;
    watch->total = total;
    return called(watch);
}

static int32_t on_item(void *userdata, size_t index, ocireg_presence presence,
                       const ocireg_descriptor *descriptor, const ocireg_error *error) {
    struct watch *watch = userdata;
    CHECK(index < 9);
    watch->seen[index % 16]++;
    CHECK((presence == OCIREG_PRESENCE_EXISTS) == (descriptor != NULL));
    CHECK((presence == OCIREG_PRESENCE_UNKNOWN) == (error != NULL));
    CHECK((index == 0 || index == 8) == (error != NULL));
    return called(watch);
}

static const char *authority;
static ocireg_client *client;

/* Makes one call. Returns its status and whether its output is set. */
typedef ocireg_status question(const ocireg_call *call, int *has_out, ocireg_error **error);

static ocireg_status ask_tags(const ocireg_call *call, int *has_out, ocireg_error **error) {
    ocireg_strings *list;
    ocireg_status status =
        ocireg_client_tags(client, at(authority, "/team/app"), call, &list, error);
    *has_out = list != NULL;
    ocireg_strings_free(list);
    return status;
}

static ocireg_status ask_sharing(const ocireg_call *call, int *has_out, ocireg_error **error) {
    ocireg_strings *list;
    ocireg_status status =
        ocireg_client_tags_sharing(client, at(authority, "/team/app:t000003"), call, &list, error);
    *has_out = list != NULL;
    ocireg_strings_free(list);
    return status;
}

static ocireg_status ask_batch(const ocireg_call *call, int *has_out, ocireg_error **error) {
    /* The first and the last one are unusable. */
    const char *images[9] = {NULL};
    for (int i = 1; i < 8; i++) {
        char path[64];
        snprintf(path, sizeof path, "/team/app:t00000%d", i);
        images[i] = at(authority, path);
    }
    images[8] = "not a reference";
    ocireg_batch *batch;
    ocireg_status status = ocireg_client_lookup_all(client, images, 9, call, &batch, error);
    *has_out = batch != NULL;
    ocireg_batch_free(batch);
    return status;
}

static unsigned run(question *ask, int by_item, unsigned stop_at, int32_t code, int nested) {
    struct watch watch = {0,    stop_at, code, 0, 0, pthread_self(), nested ? client : NULL,
                          NULL, {0}};
    char image[256];
    snprintf(image, sizeof image, "%s/team/app:t000001", authority);
    watch.image = image;
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_concurrency(call, nested ? 1 : 4) == OCIREG_OK);
    CHECK((by_item ? ocireg_call_set_item_callback(call, on_item, &watch)
                   : ocireg_call_set_progress(call, on_progress, &watch)) == OCIREG_OK);
    int has_out;
    ocireg_error *error;
    ocireg_status status = ask(call, &has_out, &error);
    CHECK(ocireg_error_callback_code(error) == (stop_at ? code : 0));
    STATUS(status, stop_at ? OCIREG_E_CALLBACK : OCIREG_OK, error);
    CHECK(has_out == !stop_at);
    CHECK(!stop_at || watch.calls == stop_at);
    if (by_item && !stop_at)
        for (int i = 0; i < 9; i++)
            CHECK(watch.seen[i] == 1);
    if (!by_item && !stop_at && ask == ask_batch)
        CHECK(watch.done == 9 && watch.total == 9);
    if (!by_item && !stop_at && ask == ask_sharing)
        CHECK(watch.done == 24 &&
              watch.total == 24); /* 12 entries of the list and 12 tags that are looked up. */
    if (!by_item && !stop_at && ask == ask_tags)
        CHECK(watch.done == 12);
    /* A removed callback does not run. */
    CHECK(ocireg_call_set_item_callback(call, NULL, NULL) == OCIREG_OK);
    CHECK(ocireg_call_set_progress(call, NULL, NULL) == OCIREG_OK);
    unsigned calls = watch.calls;
    STATUS(ask(call, &has_out, &error), OCIREG_OK, error);
    CHECK(watch.calls == calls);
    ocireg_call_free(call);
    return calls;
}

static void each_question(void) {
    struct {
        const char *name;
        question *ask;
        int by_item;
    } cases[] = {{"tags", ask_tags, 0},
                 {"sharing", ask_sharing, 0},
                 {"batch", ask_batch, 0},
                 {"items", ask_batch, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int before = failures;
        unsigned calls = run(cases[i].ask, cases[i].by_item, 0, 0, 0);
        CHECK(calls >= 3);
        run(cases[i].ask, cases[i].by_item, 1, 7, 0);
        run(cases[i].ask, cases[i].by_item, 2, -1, 0);
        run(cases[i].ask, cases[i].by_item, (calls + 1) / 2, INT32_MIN, 0);
        run(cases[i].ask, cases[i].by_item, calls, INT32_MAX, 0);
        run(cases[i].ask, cases[i].by_item, 0, 0, 1);
        if (failures != before)
            printf("that was %s, %u calls\n", cases[i].name, calls);
    }
}

/* A pager whose callback has stopped it is at its end. */
static void pages_stop(void) {
    struct watch watch = {0, 2, 5, 0, 0, pthread_self(), NULL, NULL, {0}};
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_progress(call, on_progress, &watch) == OCIREG_OK);
    ocireg_pages *pages;
    ocireg_strings *page;
    ocireg_error *error;
    STATUS(ocireg_client_tag_pages(client, at(authority, "/team/app"), call, &pages, &error),
           OCIREG_OK, error);
    ocireg_call_free(call);
    ocireg_status status;
    unsigned read = 0;
    while ((status = ocireg_pages_next(pages, &page, &error)) == OCIREG_OK && page) {
        ocireg_strings_free(page);
        read++;
        watch.done = 0; /* Each page is a call of its own. */
    }
    CHECK(page == NULL);
    CHECK(read <= 2);
    CHECK(ocireg_error_callback_code(error) == 5);
    STATUS(status, OCIREG_E_CALLBACK, error);
    for (int i = 0; i < 3; i++) {
        STATUS(ocireg_pages_next(pages, &page, &error), OCIREG_OK, error);
        CHECK(page == NULL);
    }
    CHECK(watch.calls == 2);
    ocireg_pages_free(pages);
}

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    authority = arguments[1];
    client = plain_client();
    each_question();
    pages_stop();
    ocireg_client_free(client);
    return finish();
}
