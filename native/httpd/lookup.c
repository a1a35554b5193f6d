/* native/httpd/lookup.c - one process for each name, all at once: getaddrinfo takes no deadline, and a thread that waits in it would outlive
 * this module. */
#include "lookup.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 2
#define AT_ONCE 64
#define LOOK_AGAIN 2000 /* us */

typedef struct asked {
    const char *name, *answer;
    pid_t pid; /* 0: it has answered */
} asked;

/* In a process of its own: the error of getaddrinfo, which is a small negative number. */
static void ask(const char *name)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;

    signal(SIGTERM, SIG_DFL);
    _exit(abs(getaddrinfo(name, NULL, &hints, &list)) & 127);
}

static void begin(asked *one)
{
    one->pid = fork();
    if (one->pid == 0)
        ask(one->name);
    if (one->pid < 0)
        one->pid = 0; /* nobody was asked, and nothing is known to be wrong */
}

static bool has_answered(apr_pool_t *p, asked *one)
{
    int status;

    if (one->pid == 0)
        return true;
    if (waitpid(one->pid, &status, WNOHANG) != one->pid)
        return false;
    one->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        one->answer = apr_pstrdup(p, gai_strerror(EAI_NONAME < 0 ? -WEXITSTATUS(status) : WEXITSTATUS(status)));
    return true;
}

static void give_up(apr_pool_t *p, asked *one)
{
    if (has_answered(p, one))
        return;
    kill(one->pid, SIGKILL);
    waitpid(one->pid, NULL, 0);
    one->answer = apr_psprintf(p, "the name service has said nothing for %d s", SECONDS);
}

/* A window of names that are asked for at once. */
static void ask_all(apr_pool_t *p, asked *all, int n, apr_time_t until)
{
    for (int i = 0; i < n; i++)
        begin(&all[i]);
    for (int left = n; left > 0 && apr_time_now() < until;) {
        left = 0;
        for (int i = 0; i < n; i++)
            left += !has_answered(p, &all[i]);
        if (left > 0)
            apr_sleep(LOOK_AGAIN);
    }
    for (int i = 0; i < n; i++)
        give_up(p, &all[i]);
}

const char **jk_lookup_all(apr_pool_t *p, const char *const *names, int n)
{
    const char **answers = apr_pcalloc(p, (apr_size_t)(n + 1) * sizeof *answers);
    asked *all = apr_pcalloc(p, (apr_size_t)(n + 1) * sizeof *all);
    apr_time_t until = apr_time_now() + apr_time_from_sec(SECONDS);
    apr_hash_t *known = apr_hash_make(p);
    int different = 0;

    for (int i = 0; i < n; i++) {
        if (apr_hash_get(known, names[i], APR_HASH_KEY_STRING))
            continue;
        all[different].name = names[i];
        apr_hash_set(known, names[i], APR_HASH_KEY_STRING, &all[different++]);
    }
    for (int i = 0; i < different && apr_time_now() < until; i += AT_ONCE)
        ask_all(p, all + i, different - i < AT_ONCE ? different - i : AT_ONCE, until);
    for (int i = 0; i < n; i++)
        answers[i] = ((const asked *)apr_hash_get(known, names[i], APR_HASH_KEY_STRING))->answer;
    return answers;
}
