/*
 * A deployment gate: are all these images there? They are asked for at once, with one request each.
 *
 *     ./exists localhost:5000/team/app:1.2 alpine:3.20
 *
 * Prints a line each, `exists|absent|denied|error REFERENCE DIGEST`, in the order given. Exits with
 * 0 if all are there, 1 if one is absent, 3 if one is denied, 2 if there is no answer about one (2
 * goes before 3, and 3 before 1).
 */
#include <ocireg.h>
#include <stdio.h>

/* Prints the answer about one image. Returns its weight: the worst of all decides. */
static int report(const char *reference, const ocireg_batch *batch, size_t i) {
    switch (ocireg_batch_presence(batch, i)) {
    case OCIREG_PRESENCE_EXISTS:
        printf("exists %s %s\n", reference, ocireg_descriptor_digest(ocireg_batch_descriptor(batch, i)));
        return 0;
    case OCIREG_PRESENCE_ABSENT:
        printf("absent %s -\n", reference);
        return 1;
    case OCIREG_PRESENCE_DENIED:
        printf("denied %s -\n", reference);
        return 2;
    default: /* No answer, which is not "absent". */
        printf("error %s -\n", reference);
        fprintf(stderr, "exists: %s\n", ocireg_error_message(ocireg_batch_error(batch, i)));
        return 3;
    }
}

int main(int argc, char **argv) {
    static const int exit_codes[] = {0, 1, 3, 2}; /* by weight */
    ocireg_client *client = NULL;
    ocireg_batch *batch = NULL;
    ocireg_error *error = NULL;
    int worst = 3;

    if (argc < 2) { /* An empty list opens no gate. */
        fprintf(stderr, "usage: exists REFERENCE...\n");
        return 2;
    }
    /* The cast is for C, which does not make a `char **` const by itself. */
    if (ocireg_client_new(NULL, &client, &error) == OCIREG_OK &&
        ocireg_client_lookup_all(client, (const char *const *)(argv + 1), (size_t)argc - 1, NULL, &batch, &error) == OCIREG_OK) {
        worst = 0;
        for (size_t i = 0; i < ocireg_batch_len(batch); i++) {
            int weight = report(argv[i + 1], batch, i);
            if (weight > worst) worst = weight;
        }
    } else { /* Nothing could be asked. What has a reason of its own is in the batch. */
        fprintf(stderr, "exists: %s\n", ocireg_error_message(error));
    }
    /* Each is NULL if its call failed, or was not made: no need to look. */
    ocireg_error_free(error);
    ocireg_batch_free(batch);
    ocireg_client_free(client);
    return exit_codes[worst];
}
