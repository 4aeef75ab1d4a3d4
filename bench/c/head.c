/* Sends the same HEAD request many times on one connection, with libcurl's easy API. A C program
 * without ocireg would ask so whether an image exists and what its digest is.
 *
 * Usage: head URL WARM-UPS REQUESTS HEADER...
 * Prints the CPU time of REQUESTS requests in nanoseconds.
 */
#define _POSIX_C_SOURCE 200809L
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long cpu_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "libcurl: %s\n", what);
    exit(1);
}

/* One lookup: reads the status, and the three headers that describe the image. */
static void look_up(CURL *curl) {
    struct curl_header *header;
    curl_off_t size;
    long status;
    CURLcode result = curl_easy_perform(curl);
    if (result != CURLE_OK) fail(curl_easy_strerror(result));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    if (status != 200 || size <= 0) fail("unexpected answer");
    if (curl_easy_header(curl, "Docker-Content-Digest", 0, CURLH_HEADER, -1, &header) != CURLHE_OK
        || strncmp(header->value, "sha256:", 7) != 0)
        fail("no digest");
    if (curl_easy_header(curl, "Content-Type", 0, CURLH_HEADER, -1, &header) != CURLHE_OK
        || strncmp(header->value, "application/", 12) != 0)
        fail("no media type");
}

int main(int argc, char **argv) {
    if (argc < 4) fail("usage: head URL WARM-UPS REQUESTS HEADER...");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    if (curl == NULL) fail("no handle");
    struct curl_slist *headers = NULL;
    for (int i = 4; i < argc; i++) headers = curl_slist_append(headers, argv[i]);
    curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    /* ocireg's time limits. */
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 300000L);
    for (long i = atol(argv[2]); i > 0; i--) look_up(curl);
    long requests = atol(argv[3]), connections = 0;
    long long before = cpu_time();
    for (long i = requests; i > 0; i--) look_up(curl);
    printf("%lld\n", cpu_time() - before);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
    if (connections != 0) fail("the last request made a new connection");
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return 0;
}
