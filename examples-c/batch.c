/*
 * Do all images of a deployment exist? Reads references from standard input, one on each line, and
 * prints each answer as soon as it is known.
 *
 *     ./batch < images.txt
 *
 * Output and exit code are those of exists.c. Ctrl-C ends the program within half a second. Images
 * without an answer are then printed as `error`, and the exit code is 2.
 */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include <inttypes.h>
#include <ocireg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A signal handler gets no argument of its program. */
static ocireg_cancel *cancel;

#define MOST 10000
static const char *references[MOST];

static void on_interrupt(int number) {
    ocireg_cancel_trigger(cancel); /* This is async-signal-safe. */
    signal(number, SIG_DFL);       /* A second Ctrl-C ends the program. */
}

/* Runs on the main thread, as soon as an answer is known. `userdata` is the argument that main()
 * gave to ocireg_call_set_item_callback(). */
static int32_t on_item(void *userdata, size_t index, ocireg_presence presence,
                       const ocireg_descriptor *descriptor, const ocireg_error *error) {
    static const char *const words[] = {"error", "exists", "absent", "denied"}; /* by presence */
    static const int weights[] = {3, 0, 1, 2};
    /* A newer library may know more values. */
    int answer = presence > 0 && presence <= 3 ? (int)presence : 0;
    const char *digest = descriptor != NULL ? ocireg_descriptor_digest(descriptor) : "-";
    int *worst = (int *)userdata;
    printf("%s %s %s\n", words[answer], references[index], digest);
    if (error != NULL && ocireg_error_code(error) != OCIREG_E_CANCELLED)
        fprintf(stderr, "batch: %s\n", ocireg_error_message(error));
    if (weights[answer] > *worst) *worst = weights[answer];
    return 0; /* Any other value would stop the call. */
}

/* Runs after each answer, and at least every 200 ms while the call waits. */
static int32_t on_progress(void *userdata, uint64_t done, uint64_t total) {
    (void)userdata;
    /* The next line overwrites this one. */
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 "\r", done, total);
    return 0;
}

/* Returns the number of references in standard input. Returns 0 if there are too many, or if the
 * input is not text or can't be read to its end. */
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

    if (count == 0) { /* An empty list is an error. */
        fprintf(stderr, "batch: 1 to %d references are expected on standard input\n", MOST);
        worst = 3;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* Print each line at once, also into a pipe. */
    cancel = ocireg_cancel_new();
    ocireg_call_set_cancel(call, cancel);
    ocireg_call_set_concurrency(call, 16); /* requests at once */
    ocireg_call_set_item_callback(call, on_item, &worst);
    /* Progress is for people, not for files or pipes. */
    if (isatty(2)) ocireg_call_set_progress(call, on_progress, NULL);
    signal(SIGINT, on_interrupt);
    if (ocireg_client_new(NULL, &client, &error) != OCIREG_OK ||
        ocireg_client_lookup_all(client, references, count, call, &batch, &error) != OCIREG_OK) {
        fprintf(stderr, "batch: %s\n", ocireg_error_message(error));
        worst = 3;
    }
    signal(SIGINT, SIG_DFL); /* The handler uses the token. */
    if (isatty(2)) fprintf(stderr, "\n");
    if (ocireg_cancel_is_triggered(cancel)) fprintf(stderr, "batch: cancelled\n");
    ocireg_error_free(error);
    ocireg_batch_free(batch); /* The batch has the same answers, in the order of the references. */
    ocireg_call_free(call);
    ocireg_cancel_free(cancel);
    ocireg_client_free(client);
    return exit_codes[worst];
}
