/*
 * What is the digest of these images, and where does it come from?
 *
 *     ./digest localhost:5000/team/app:1.2
 *
 * Prints `DIGEST MEDIA-TYPE SOURCE REFERENCE` for each image. Ends at the first image that has no
 * digest, with exit code 1 if it is absent, 3 if it is denied, and 2 if there was no answer.
 */
#include <ocireg.h>
#include <stdio.h>

static const char *source_name(const ocireg_descriptor *image) {
    switch (ocireg_descriptor_digest_source(image)) {
    case OCIREG_DIGEST_SOURCE_HEADER: return "Header";
    case OCIREG_DIGEST_SOURCE_COMPUTED: return "Computed";
    case OCIREG_DIGEST_SOURCE_REQUESTED: return "Requested";
    default: return "Unknown"; /* A newer library may know more sources. */
    }
}

/* ocireg_client_head() reports an absent or denied image by its status. ocireg_client_exists()
 * returns OCIREG_OK for these. */
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

    if (argc < 2) {
        fprintf(stderr, "usage: digest REFERENCE...\n");
        return 2;
    }
    ocireg_status status = ocireg_client_new(NULL, &client, &error);
    for (int i = 1; i < argc && status == OCIREG_OK; i++) {
        ocireg_descriptor *image;
        status = ocireg_client_head(client, argv[i], NULL, &image, &error);
        if (status == OCIREG_OK)
            printf("%s %s %s %s\n", ocireg_descriptor_digest(image),
                   ocireg_descriptor_media_type(image), source_name(image), argv[i]);
        ocireg_descriptor_free(image);
    }
    if (status != OCIREG_OK) fprintf(stderr, "digest: %s\n", ocireg_error_message(error));
    ocireg_error_free(error);
    ocireg_client_free(client);
    return exit_code(status);
}
