/* Loads the library at run time, uses it and closes it, many times. The program is not linked with
 * the library.
 *
 *     load LIBRARY AUTHORITY TIMES
 *
 * AUTHORITY has team/app with one tag.
 */
#include "check.h"
#include <dlfcn.h>

/* ISO C can't convert a pointer to an object into a pointer to a function. */
#define FIND(function)                                                                             \
    do {                                                                                           \
        void *found = dlsym(library, #function);                                                   \
        CHECK(found != NULL);                                                                      \
        memcpy(&call_##function, &found, sizeof found);                                            \
    } while (0)

static ocireg_status (*call_ocireg_client_new)(const ocireg_options *, ocireg_client **,
                                               ocireg_error **);
static ocireg_status (*call_ocireg_client_exists)(const ocireg_client *, const char *,
                                                  const ocireg_call *, ocireg_presence *,
                                                  ocireg_error **);
static void (*call_ocireg_client_free)(ocireg_client *);
static ocireg_call *(*call_ocireg_call_new)(void);
static void (*call_ocireg_call_free)(ocireg_call *);
static ocireg_status (*call_ocireg_call_set_timeout_ms)(ocireg_call *, uint64_t);
static uint32_t (*call_ocireg_abi_version)(void);

static void once(const char *file, const char *authority) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        printf("%s\n", dlerror());
        exit(1);
    }
    FIND(ocireg_client_new);
    FIND(ocireg_client_exists);
    FIND(ocireg_client_free);
    FIND(ocireg_call_new);
    FIND(ocireg_call_free);
    FIND(ocireg_call_set_timeout_ms);
    FIND(ocireg_abi_version);
    CHECK(call_ocireg_abi_version() == OCIREG_ABI_VERSION);
    ocireg_client *client;
    ocireg_presence presence;
    CHECK(call_ocireg_client_new(NULL, &client, NULL) == OCIREG_OK);
    CHECK(call_ocireg_client_exists(client, at(authority, "/team/app:1"), NULL, &presence, NULL) ==
          OCIREG_OK);
    CHECK(presence == OCIREG_PRESENCE_EXISTS);
    /* This call ends at once. A thread that looks up the name may still run when the library is
     * closed. */
    ocireg_call *hasty = call_ocireg_call_new();
    CHECK(call_ocireg_call_set_timeout_ms(hasty, 1) == OCIREG_OK);
    CHECK(call_ocireg_client_exists(client, "slow.invalid:1/team/app:1", hasty, &presence, NULL) !=
          OCIREG_OK);
    call_ocireg_call_free(hasty);
    call_ocireg_client_free(client);
    CHECK(dlclose(library) == 0);
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    for (int i = 0; i < atoi(arguments[3]); i++)
        once(arguments[1], arguments[2]);
    /* Waits for the helper thread of the last call, if there is one. */
    sleep_ms(300);
    return finish();
}
