/*
 * A deployment gate: do all these images exist? The program looks them up in one call, with one
 * request for each image.
 *
 *     ./exists localhost:5000/team/app:1.2 alpine:3.20
 *
 * It prints one line for each image, `exists|absent|denied|error REFERENCE DIGEST`, in the given
 * order. Exit code: 0 if all images exist, 1 if one is absent, 3 if one is denied, 2 if one has no
 * answer. 2 has priority over 3, and 3 over 1.
 */
#include <ocireg.h>
#include <stdio.h>

/* Prints the answer for one image. Returns its weight: the largest one decides the exit code. */
static int report(const char *reference, const ocireg_batch *batch, size_t i) {
    const ocireg_descriptor *image = ocireg_batch_descriptor(batch, i);
    switch (ocireg_batch_presence(batch, i)) {
    case OCIREG_PRESENCE_EXISTS:
        printf("exists %s %s\n", reference, ocireg_descriptor_digest(image));
        return 0;
    case OCIREG_PRESENCE_ABSENT:
        printf("absent %s -\n", reference);
        return 1;
    case OCIREG_PRESENCE_DENIED:
        printf("denied %s -\n", reference);
        return 2;
    default: /* There is no answer, which does not mean "absent". */
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

    if (argc < 2) { /* The gate stays closed for an empty list. */
        fprintf(stderr, "usage: exists REFERENCE...\n");
        return 2;
    }
    /* C needs this cast to make the strings of a `char **` const. */
    const char *const *references = (const char *const *)(argv + 1);
    size_t count = (size_t)argc - 1;
    if (ocireg_client_new(NULL, &client, &error) == OCIREG_OK &&
        ocireg_client_lookup_all(client, references, count, NULL, &batch, &error) == OCIREG_OK) {
        worst = 0;
        for (size_t i = 0; i < ocireg_batch_len(batch); i++) {
            int weight = report(references[i], batch, i);
            if (weight > worst) worst = weight;
        }
    } else { /* No image was looked up. Errors of single images are in the batch. */
        fprintf(stderr, "exists: %s\n", ocireg_error_message(error));
    }
    /* An object is NULL if its call failed or was not made. NULL may be freed. */
    ocireg_error_free(error);
    ocireg_batch_free(batch);
    ocireg_client_free(client);
    return exit_codes[worst];
}
