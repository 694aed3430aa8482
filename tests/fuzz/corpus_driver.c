/*
 * Runs a fuzz target once over each file named on the command line, and over nothing at all. So the
 * corpus is checked in every test run, without libFuzzer.
 *
 * Threads: one.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Defined by the target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VG_CORPUS_FILE_MAX (16u << 20)

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *whole = malloc(VG_CORPUS_FILE_MAX);
    if (whole == NULL) {
        (void)fclose(file);
        return 1;
    }
    size_t size = fread(whole, 1, VG_CORPUS_FILE_MAX, file);
    int failed = ferror(file);
    (void)fclose(file);
    /* A copy of the exact size, so that a sanitizer sees a read past the end. */
    uint8_t *data = realloc(whole, size > 0 ? size : 1);
    if (data == NULL) {
        data = whole;
    }
    if (!failed) {
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return failed;
}

int main(int count, char **arguments)
{
    int failed = 0;
    uint8_t nothing = 0;
    (void)LLVMFuzzerTestOneInput(&nothing, 0);
    for (int i = 1; i < count; i++) {
        failed |= run_file(arguments[i]);
    }
    if (count < 2) {
        (void)fprintf(stderr, "no corpus\n");
        return 1;
    }
    (void)printf("%d files\n", count - 1);
    return failed;
}
