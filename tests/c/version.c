/* Prints the version of the library and of the header: text, number, ABI. */
#include <ocireg.h>
#include <stdio.h>

int main(void) {
    printf("%s %s %u %u %u %u\n", ocireg_version(), OCIREG_VERSION,
           (unsigned)ocireg_version_number(), (unsigned)OCIREG_VERSION_NUMBER,
           (unsigned)ocireg_abi_version(), (unsigned)OCIREG_ABI_VERSION);
    return 0;
}
