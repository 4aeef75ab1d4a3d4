/* Reads a borrowed string after its owner was freed. The test checks that the sanitizer also
 * watches the library. */
#include "check.h"

int main(void) {
    ocireg_client *client;
    ocireg_error *error;
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_user_agent(options, NULL) == OCIREG_E_INVALID_ARGUMENT);
    CHECK(ocireg_client_new(options, &client, &error) == OCIREG_E_INVALID_ARGUMENT);
    ocireg_options_free(options);
    ocireg_error_free(error);
    /* The library accesses the freed memory. */
    return ocireg_error_code(error) == OCIREG_E_PANIC;
}
