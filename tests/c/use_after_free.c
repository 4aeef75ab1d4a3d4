/* Reads a borrowed string after its owner is gone: for the test that the sanitizer sees into the library. */
#include "check.h"

int main(void) {
    ocireg_client *client;
    ocireg_error *error;
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_user_agent(options, NULL) == OCIREG_E_INVALID_ARGUMENT);
    CHECK(ocireg_client_new(options, &client, &error) == OCIREG_E_INVALID_ARGUMENT);
    ocireg_options_free(options);
    ocireg_error_free(error);
    /* The access is made by the library. */
    return ocireg_error_code(error) == OCIREG_E_PANIC;
}
