/* tests/fuzz/replay_main.c - runs files, or the files of directories, through a fuzz target without a fuzzer, so that every
 * compiler's `make check` replays the corpus. Without arguments fuzz_NAME takes $srcdir/tests/fuzz/corpus/NAME. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size)
{
    /* A block of exactly that size: a sanitizer sees what lies beyond. */
    uint8_t *data = malloc(size);
    FILE *f = fopen(path, "rb");
    int ok = f && (size == 0 || (data && fread(data, 1, size, f) == size));

    if (ok)
        LLVMFuzzerTestOneInput(data, size);
    else
        perror(path);
    if (f)
        fclose(f);
    free(data);
    return ok ? 1 : -1;
}

/* Returns how many inputs ran; -1: one could not be read. */
static int replay(const char *path)
{
    struct stat st;
    struct dirent *entry;
    int n = 0;

    if (stat(path, &st) != 0) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path, (size_t)st.st_size);
    DIR *dir = opendir(path);
    while (dir && n >= 0 && (entry = readdir(dir)) != NULL) {
        char inner[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner)
            abort();
        int ran = replay(inner);
        n = ran < 0 ? -1 : n + ran;
    }
    if (dir)
        closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    char corpus[PATH_MAX];
    const char *srcdir = getenv("srcdir"), *name = strstr(argv[0], "fuzz_"), *next;
    int n = 0;

    while (name && (next = strstr(name + 1, "fuzz_")) != NULL)
        name = next;
    snprintf(corpus, sizeof corpus, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name ? name + 5 : "");
    for (int i = argc > 1 ? 1 : 0; i < argc && n >= 0; i++) {
        int ran = replay(argc > 1 ? argv[i] : corpus);
        n = ran < 0 ? -1 : n + ran;
    }
    printf("%s: %d inputs\n", argv[0], n);
    return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
