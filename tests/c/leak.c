/* Does not free an error. The test checks that this leak is found. */
#include "check.h"

static void forget(void) {
    ocireg_client *client;
    ocireg_error *error;
    ocireg_options *options = ocireg_options_new();
    CHECK(ocireg_options_set_user_agent(options, NULL) == OCIREG_E_INVALID_ARGUMENT);
    CHECK(ocireg_client_new(options, &client, &error) == OCIREG_E_INVALID_ARGUMENT);
    ocireg_options_free(options);
    error = NULL;
}

int main(void) {
    forget();
    return finish();
}
