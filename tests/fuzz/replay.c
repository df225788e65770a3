/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target without a fuzzer: feeds every file of its corpus, whole, cut off and with changed
 * bytes, always the same ones. One TAP line per file.
 *
 *     fuzz_X                tests/fuzz/corpus/X
 *     fuzz_X FILE...        only these, unchanged
 */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>

#include "lib/base/env.h"

#define FILE_MAX    ((size_t)2 * 1024 * 1024)
#define CHANGED_MAX 65536 /* bytes; larger files are fed as they are */
#define CHANGES     64    /* cut-off copies, and as many with other bytes, per file */

/* Bytes that mean something to a parser. */
static const char spice[] = "\0\n\t \"'\\/{}[]()<>,:;=#$*&!%@|.-+0eEu\x7f\x80\xc3\xff";

/* A copy of exactly n bytes, so that a read too far is seen. */
static void feed(const char *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    IB_ASSERT(copy != NULL);
    memcpy(copy, data, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

static void feed_changed(char *data, size_t n)
{
    uint32_t random = (uint32_t)n;

    for (size_t i = 0; i < CHANGES && i < n; i++) {
        feed(data, n <= CHANGES ? i : next_random(&random) % n);
    }
    for (size_t i = 0; i < CHANGES && n > 0; i++) {
        size_t at = n <= CHANGES ? i % n : next_random(&random) % n;
        char before = data[at];
        data[at] = spice[next_random(&random) % (sizeof spice - 1)];
        feed(data, n);
        data[at] = before;
    }
}

static bool replay(const char *path, bool changed)
{
    FILE *file = fopen(path, "rbe");
    char *data = malloc(FILE_MAX);
    size_t n = 0;

    if (file != NULL && data != NULL) {
        n = fread(data, 1, FILE_MAX, file);
        feed(data, n);
        if (changed && n <= CHANGED_MAX) {
            feed_changed(data, n);
        }
    }
    bool fine = file != NULL && data != NULL && n < FILE_MAX;
    if (file != NULL) {
        (void)fclose(file);
    }
    free(data);
    return fine;
}

static int wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_corpus(const char *dir)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, wanted, alphasort);

    if (count <= 0) {
        (void)printf("1..1\nnot ok 1 - the corpus %s has no files\n", dir);
        return 1;
    }
    (void)printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX + NAME_MAX + 2];
        (void)snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        /* Said first: a crash leaves this as the last line. */
        (void)printf("# %s\n", entries[i]->d_name);
        (void)fflush(stdout);
        (void)printf("%s %d - %s\n", replay(path, /* changed= */ true) ? "ok" : "not ok", i + 1,
                     entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash == NULL ? argv[0] : slash + 1;
    const char *top = ib_env_get("abs_top_srcdir");
    char dir[PATH_MAX];

    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            (void)printf("%s %d - %s\n", replay(argv[i], /* changed= */ false) ? "ok" : "not ok", i,
                         argv[i]);
        }
        (void)printf("1..%d\n", argc - 1);
        return 0;
    }
    if (strncmp(name, "fuzz_", 5) == 0) {
        name += 5;
    }
    (void)snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s", top == NULL ? "." : top, name);
    return replay_corpus(dir);
}
