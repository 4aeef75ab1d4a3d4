/* Prints the version of the library that it runs with. Then prints one line for each reference
 * among its arguments: whether it exists. */
#include <ocireg.h>
#include <stdio.h>

static const char *word(ocireg_presence presence) {
    switch (presence) {
    case OCIREG_PRESENCE_EXISTS:
        return "exists";
    case OCIREG_PRESENCE_ABSENT:
        return "absent";
    case OCIREG_PRESENCE_DENIED:
        return "denied";
    default:
        return "unknown";
    }
}

int main(int count, char **arguments) {
    ocireg_client *client = NULL;
    ocireg_error *error = NULL;
    int failed = 0;
    printf("%s %u\n", ocireg_version(), (unsigned)ocireg_abi_version());
    failed = ocireg_client_new(NULL, &client, &error) != OCIREG_OK;
    for (int i = 1; i < count && !failed; i++) {
        ocireg_presence presence = OCIREG_PRESENCE_UNKNOWN;
        failed = ocireg_client_exists(client, arguments[i], NULL, &presence, &error) != OCIREG_OK;
        printf("%s\n", word(presence));
    }
    if (failed)
        fprintf(stderr, "%s\n", ocireg_error_message(error));
    ocireg_error_free(error);
    ocireg_client_free(client);
    return failed;
}
