/*
 * Which tags have the same digest as this image? Which version is "latest"?
 *
 *     ./find localhost:5000/team/app:latest
 *
 * Prints `TAG is REFERENCE` for each tag, including the tag of the reference itself. Ends at the
 * first reference that has no answer, with exit code 1 if it is absent, 3 if it is denied, and 2
 * otherwise. The exit code is also 1 if no tag has the digest of a reference.
 */
#include <ocireg.h>
#include <stdio.h>

/* An absent or denied image is an error here, since there is no list. */
static int exit_code(ocireg_status status) {
    switch (status) {
    case OCIREG_OK: return 0;
    case OCIREG_E_NOT_FOUND: return 1;
    case OCIREG_E_DENIED: return 3;
    default: return 2;
    }
}

int main(int argc, char **argv) {
    ocireg_client *client = NULL;
    ocireg_error *error = NULL;
    int missed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: find REFERENCE...\n");
        return 2;
    }
    ocireg_call *call = ocireg_call_new();
    ocireg_call_set_concurrency(call, 16); /* Each tag costs one request. */
    ocireg_status status = ocireg_client_new(NULL, &client, &error);
    for (int i = 1; i < argc && status == OCIREG_OK; i++) {
        ocireg_strings *tags;
        status = ocireg_client_tags_sharing(client, argv[i], call, &tags, &error);
        if (status == OCIREG_OK && ocireg_strings_len(tags) == 0) {
            fprintf(stderr, "find: no tag is %s\n", argv[i]);
            missed = 1;
        }
        for (size_t t = 0; t < ocireg_strings_len(tags); t++) /* 0 for NULL */
            printf("%s is %s\n", ocireg_strings_get(tags, t), argv[i]);
        ocireg_strings_free(tags);
    }
    if (status != OCIREG_OK) fprintf(stderr, "find: %s\n", ocireg_error_message(error));
    ocireg_error_free(error);
    ocireg_call_free(call);
    ocireg_client_free(client);
    return status == OCIREG_OK ? missed : exit_code(status);
}
