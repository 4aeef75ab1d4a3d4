/*
 * Are all images of a deployment there? Reads references from standard input, one a line, and
 * prints answers as they come.
 *
 *     ./batch < images.txt
 *
 * Lines and exit code are those of exists.c. Ctrl-C ends it within half a second: what has an
 * answer by then is kept, all else is an `error`, and so is the exit code.
 */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include <inttypes.h>
#include <ocireg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A signal handler gets no argument of ours. */
static ocireg_cancel *cancel;

#define MOST 10000
static const char *references[MOST];

static void on_interrupt(int number) {
    ocireg_cancel_trigger(cancel); /* One of the few things that a handler may do. */
    signal(number, SIG_DFL);       /* The second Ctrl-C does not ask. */
}

/* Called as each answer comes, on this thread, with what was given to ocireg_call_set_item_callback(). */
static int32_t on_item(void *userdata, size_t index, ocireg_presence presence, const ocireg_descriptor *descriptor,
                       const ocireg_error *error) {
    static const char *const words[] = {"error", "exists", "absent", "denied"}; /* by presence */
    static const int weights[] = {3, 0, 1, 2};
    int answer = presence > 0 && presence <= 3 ? (int)presence : 0; /* A newer library may know more. */
    int *worst = (int *)userdata;
    printf("%s %s %s\n", words[answer], references[index], descriptor != NULL ? ocireg_descriptor_digest(descriptor) : "-");
    if (error != NULL && ocireg_error_code(error) != OCIREG_E_CANCELLED)
        fprintf(stderr, "batch: %s\n", ocireg_error_message(error));
    if (weights[answer] > *worst) *worst = weights[answer];
    return 0; /* Anything else would stop the call. */
}

/* Called after each answer, and every 200 ms while there is none. */
static int32_t on_progress(void *userdata, uint64_t done, uint64_t total) {
    (void)userdata;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 "\r", done, total); /* The next line goes over it. */
    return 0;
}

/* How many references are in standard input; 0 also if there are too many, it is no text or can't be read to its end. */
static size_t read_references(void) {
    static char text[1 << 20];
    size_t size = fread(text, 1, sizeof text - 1, stdin), count = 0;
    if (ferror(stdin) || size == sizeof text - 1 || strlen(text) != size) return 0;
    for (char *word = strtok(text, " \t\r\n"); word != NULL; word = strtok(NULL, " \t\r\n")) {
        if (count == MOST) return 0;
        references[count++] = word;
    }
    return count;
}

int main(void) {
    static const int exit_codes[] = {0, 1, 3, 2}; /* by weight */
    size_t count = read_references();
    int worst = 0;
    ocireg_client *client = NULL;
    ocireg_batch *batch = NULL;
    ocireg_error *error = NULL;
    ocireg_call *call = ocireg_call_new();

    if (count == 0) { /* An empty list opens no gate. */
        fprintf(stderr, "batch: 1 to %d references are expected on standard input\n", MOST);
        worst = 3;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* Lines as they come, also into a pipe. */
    cancel = ocireg_cancel_new();
    ocireg_call_set_cancel(call, cancel);
    ocireg_call_set_concurrency(call, 16); /* requests at once */
    ocireg_call_set_item_callback(call, on_item, &worst);
    if (isatty(2)) ocireg_call_set_progress(call, on_progress, NULL); /* Into a file or a pipe it would be noise. */
    signal(SIGINT, on_interrupt);
    if (ocireg_client_new(NULL, &client, &error) != OCIREG_OK ||
        ocireg_client_lookup_all(client, references, count, call, &batch, &error) != OCIREG_OK) {
        fprintf(stderr, "batch: %s\n", ocireg_error_message(error));
        worst = 3;
    }
    signal(SIGINT, SIG_DFL); /* Before the token goes. */
    if (isatty(2)) fprintf(stderr, "\n");
    if (ocireg_cancel_is_triggered(cancel)) fprintf(stderr, "batch: cancelled\n");
    ocireg_error_free(error);
    ocireg_batch_free(batch); /* It has the same answers, in the order of the references. */
    ocireg_call_free(call);
    ocireg_cancel_free(cancel);
    ocireg_client_free(client);
    return exit_codes[worst];
}
