/* fork() in the host program. In the child, every function that asks a registry fails with
 * OCIREG_E_STATE. The child can free everything and make a client of its own. The connection of the
 * parent stays usable.
 *
 *     fork AUTHORITY CA_FILE|plain FORKS
 *
 * AUTHORITY has team/app with 12 tags.
 */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *authority, *ca;

static ocireg_client *new_client(void) {
    ocireg_options *options = ocireg_options_new();
    if (strcmp(ca, "plain") != 0)
        CHECK(ocireg_options_add_ca_file(options, authority, ca) == OCIREG_OK);
    return client_of(options);
}

static void ask(const ocireg_client *client) {
    ocireg_presence presence;
    ocireg_error *error;
    STATUS(
        ocireg_client_exists(client, at(authority, "/team/app:t000001"), NULL, &presence, &error),
        OCIREG_OK, error);
    CHECK(presence == OCIREG_PRESENCE_EXISTS);
}

/* Calls every function that asks a registry, with a client or a pager of the parent. */
static void all_refuse(const ocireg_client *client, ocireg_pages *pages) {
    const char *image = at(authority, "/team/app:t000001"), *app = at(authority, "/team/app");
    ocireg_presence presence;
    ocireg_auth_scheme scheme;
    ocireg_descriptor *descriptor;
    char *digest;
    ocireg_strings *list;
    ocireg_batch *batch;
    ocireg_error *error;
    STATUS(ocireg_client_exists(client, image, NULL, &presence, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_head(client, image, NULL, &descriptor, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_digest(client, image, NULL, &digest, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_ping(client, authority, NULL, &scheme, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_check_login(client, authority, NULL, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_tags(client, app, NULL, &list, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_catalog(client, authority, NULL, &list, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_tags_sharing(client, image, NULL, &list, &error), OCIREG_E_STATE, error);
    char none[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    STATUS(ocireg_client_tags_of_digest(client, app, none, NULL, &list, &error), OCIREG_E_STATE,
           error);
    STATUS(ocireg_pages_next(pages, &list, &error), OCIREG_E_STATE, error);
    STATUS(ocireg_client_lookup_all(client, &image, 1, NULL, &batch, &error), OCIREG_OK, error);
    CHECK(ocireg_error_code(ocireg_batch_error(batch, 0)) == OCIREG_E_STATE);
    ocireg_batch_free(batch);
}

/* Ends the child with the result of its checks. */
static void end_child(void) {
    fflush(stdout);
    _exit(failures != 0);
}

static void join_child(pid_t child) {
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Each case runs in a child of its own, with the client of the parent. */
enum manner { FREES, LEAVES, SHUTS_DOWN, CLOSES_IDLE, MANNERS };

static void with_an_idle_connection(enum manner manner) {
    ocireg_client *client = new_client();
    ocireg_pages *pages;
    ocireg_strings *page;
    ocireg_call *call = ocireg_call_new();
    CHECK(ocireg_call_set_page_size(call, 3) == OCIREG_OK);
    ask(client);
    CHECK(ocireg_client_tag_pages(client, at(authority, "/team/app"), call, &pages, NULL) ==
          OCIREG_OK);
    CHECK(ocireg_pages_next(pages, &page, NULL) == OCIREG_OK && page != NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        all_refuse(client, pages);
        if (manner == SHUTS_DOWN)
            ocireg_client_shutdown(client);
        if (manner == CLOSES_IDLE)
            ocireg_client_close_idle(client);
        if (manner != LEAVES) {
            ocireg_client_free(ocireg_client_clone(client));
            ocireg_client_free(client);
            ocireg_pages_free(pages);
            ocireg_strings_free(page);
            ocireg_call_free(call);
        }
        ocireg_client *own = new_client();
        ask(own);
        ocireg_client_free(own);
        end_child();
    }
    join_child(child);
    /* On the same connection as before: the test counts connections. */
    ask(client);
    ask(client);
    ocireg_strings_free(page);
    CHECK(ocireg_pages_next(pages, &page, NULL) == OCIREG_OK && page != NULL);
    ocireg_strings_free(page);
    ocireg_pages_free(pages);
    ocireg_call_free(call);
    ocireg_client_free(client);
}

static int stop;

static void *busy(void *client) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        ask(client);
    return NULL;
}

/* In the child, nobody releases the locks that other threads held at the time of the fork. */
static void while_threads_call(int forks) {
    enum { THREADS = 8 };
    ocireg_client *client = new_client();
    ocireg_pages *pages;
    CHECK(ocireg_client_tag_pages(client, at(authority, "/team/app"), NULL, &pages, NULL) ==
          OCIREG_OK);
    ask(client);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, busy, client) == 0);
    for (int i = 0; i < forks && !failures; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20); /* A deadlock ends with SIGALRM. */
            all_refuse(client, pages);
            ask_what_is_known(client, authority);
            ocireg_client_close_idle(client);
            ocireg_client_shutdown(client);
            ocireg_pages_free(pages);
            ocireg_client_free(client);
            ocireg_client *own = new_client();
            ask(own);
            ocireg_client_free(own);
            end_child();
        }
        join_child(child);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    ask(client);
    ocireg_pages_free(pages);
    ocireg_client_free(client);
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    authority = arguments[1];
    ca = arguments[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int manner = 0; manner < MANNERS; manner++)
        with_an_idle_connection((enum manner)manner);
    if (atoi(arguments[3]) > 0)
        while_threads_call(atoi(arguments[3]));
    return finish();
}
