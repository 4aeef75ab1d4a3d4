/* The log callback: what it receives, when it runs, and that no record contains a secret.
 *
 *     log AUTHORITY
 *
 * AUTHORITY has mine:1, and gives tokens to user:hunter2-secret.
 */
#include "check.h"
#include <pthread.h>

static unsigned records[6];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char text[1 << 20];
static int inside_status = -1;
static const char *authority;

static void collect(void *userdata, int32_t level, const char *target, const char *message) {
    unsigned *counts = userdata;
    CHECK(level >= 1 && level <= 5);
    CHECK(strncmp(target, "ocireg", 6) == 0 && (target[6] == 0 || target[6] == ':'));
    CHECK(strchr(message, '\n') == NULL);
    pthread_mutex_lock(&lock);
    counts[level % 6]++;
    if (strlen(text) + strlen(message) + 2 < sizeof text)
        strcat(strcat(text, message), "\n");
    if (inside_status < 0)
        inside_status = ocireg_set_log_callback(5, collect, userdata);
    pthread_mutex_unlock(&lock);
}

/* A second callback, which calls the library. */
static unsigned others;

static void count_other(void *userdata, int32_t level, const char *target, const char *message) {
    (void)level, (void)target, (void)message;
    __atomic_fetch_add(&others, 1, __ATOMIC_RELAXED);
    if (userdata) {
        ocireg_presence presence;
        CHECK(ocireg_client_exists(userdata, at(authority, "/mine:1"), NULL, &presence, NULL) ==
              OCIREG_OK);
        /* Asks about the registry whose answer is being logged. */
        ask_what_is_known(userdata, authority);
    }
}

static void ask(const ocireg_client *client) {
    ocireg_presence presence;
    ocireg_error *error;
    STATUS(ocireg_client_exists(client, at(authority, "/mine:1"), NULL, &presence, &error),
           OCIREG_OK, error);
    CHECK(presence == OCIREG_PRESENCE_EXISTS);
}

static ocireg_client *with_login(void) {
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_add_basic_auth(options, authority, "user", "hunter2-secret") == OCIREG_OK);
    CHECK(ocireg_options_add_header(options, authority, "X-Private", "swordfish-secret") ==
          OCIREG_OK);
    return client_of(options);
}

static void *asks_often(void *client) {
    for (int i = 0; i < 50; i++)
        ask(client);
    return NULL;
}

/* Replaces the callback all the time while eight threads log. */
static void threads(ocireg_client *client) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, asks_often, client) == 0);
    for (int i = 0; i < 100; i++) {
        unsigned *counts = calloc(6, sizeof *counts);
        CHECK(ocireg_set_log_callback(5, collect, counts) == OCIREG_OK);
        CHECK(ocireg_set_log_callback(5, count_other, NULL) == OCIREG_OK);
        /* The replaced callback runs on no thread any more. */
        free(counts);
        sleep_ms(1);
    }
    for (int i = 0; i < 8; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    authority = arguments[1];
    ocireg_client *client = with_login();
    CHECK(ocireg_set_log_callback(6, collect, records) == OCIREG_E_INVALID_ARGUMENT);
    CHECK(ocireg_set_log_callback(-1, collect, records) == OCIREG_E_INVALID_ARGUMENT);
    CHECK(ocireg_set_log_callback(5, collect, records) == OCIREG_OK);
    ask(client);
    CHECK(records[4] + records[5] > 0);
    CHECK(inside_status == OCIREG_E_STATE);
    const char *secrets[] = {"hunter2",        "swordfish", "dXNlcjpodW50ZXIyLXNlY3JldA",
                             "Authorization:", "Bearer ey", NULL};
    for (size_t i = 0; secrets[i]; i++)
        CHECK(strstr(text, secrets[i]) == NULL);
    CHECK(strstr(text, authority) != NULL);

    /* Sets a level, replaces the callback, and removes it in both ways. */
    memset(records, 0, sizeof records);
    CHECK(ocireg_set_log_callback(3, collect, records) == OCIREG_OK);
    ask(client);
    CHECK(records[4] + records[5] == 0);
    CHECK(ocireg_set_log_callback(5, count_other, client) == OCIREG_OK);
    ask(client);
    CHECK(others > 0 && records[4] + records[5] == 0);
    unsigned before = others;
    CHECK(ocireg_set_log_callback(5, NULL, NULL) == OCIREG_OK);
    ask(client);
    CHECK(ocireg_set_log_callback(5, count_other, NULL) == OCIREG_OK);
    CHECK(ocireg_set_log_callback(0, count_other, NULL) == OCIREG_OK);
    ask(client);
    CHECK(others == before);
    threads(client);
    CHECK(ocireg_set_log_callback(0, NULL, NULL) == OCIREG_OK);
    ocireg_client_free(client);
    return finish();
}
