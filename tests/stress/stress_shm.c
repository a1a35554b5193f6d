/* tests/stress/stress_shm.c - threads of several processes work on the same slots, others are killed in the middle of it, and in the end the
 * books must balance: what was counted, what is under way, who held a probe, and every single edit. */
#include "stress.h"

#include "jk/shm/stat.h"

#include <apr_general.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>

#define PROCESSES 3
#define THREADS 3
#define LIMIT 4
#define INTERVAL 100 /* milliseconds, which play the part of seconds */
#define VICTIMS 2    /* alive at once; each is killed and followed by another */
#define PAIRS (PROCESSES + VICTIMS)

/* Numbers and a text that are always edited together, by one process alone: a copy in which they differ is torn, and one that is behind
 * its editor has lost an edit. */
static const struct {
    size_t number, text;
} pairs[PAIRS] = {
    { offsetof(jk_tune, retries), offsetof(jk_tune, host) },
    { offsetof(jk_tune, reply_timeout), offsetof(jk_tune, route) },
    { offsetof(jk_tune, lbfactor), offsetof(jk_tune, domain) },
    { offsetof(jk_tune, recover_time), offsetof(jk_tune, session_cookie) },
    { offsetof(jk_tune, retry_budget), offsetof(jk_tune, session_path) },
};

/* The books of this program, beside those that are tested. */
typedef struct book {
    _Atomic uint64_t counted, refused, probes, won, written, us;
    _Atomic uint32_t holders, probers;
    _Atomic int32_t edits[PAIRS];  /* that came back */
    _Atomic uint32_t killed;
} book;

static jk_shm *shm;
static jk_stat *slot, *edited, *probed;
static book *books;
static int64_t until;

/* ---- the work ---- */

static void one_request(uint32_t *seed)
{
    if (!jk_stat_begin_within(slot, LIMIT)) {
        books->refused++;
        sched_yield();
        return;
    }
    MUST(++books->holders <= LIMIT);
    MUST(jk_stat_connect_within(slot, 0));
    jk_stat_add(slot, JK_COUNT_SERVED, 1);
    jk_stat_add(slot, JK_COUNT_READ, 1000);
    jk_stat_value_move(slot, (jk_method_load){ 3, 0 });
    jk_stat_budget_started(slot, stress_ms());
    books->counted++;
    if (stress_chance(seed) % 16 == 0)
        sched_yield(); /* or with few processors nobody would meet the limit */
    books->won += jk_stat_claim_maintenance(slot, stress_ms(), INTERVAL);
    jk_stat_value_move(slot, (jk_method_load){ 0, 3 });
    jk_stat_disconnect(slot);
    uint32_t us = stress_chance(seed) % 100000000;
    books->written += us % 7;
    books->us += us;
    books->holders--;
    jk_stat_leave(slot, &(jk_stat_visit){ .written = us % 7, .first = us, .total = us, .status = 200 + us % 300 });
}

static int32_t number_of(const jk_tune *tune, int pair)
{
    int32_t n;

    memcpy(&n, (const char *)tune + pairs[pair].number, sizeof n);
    return n;
}

static void one_edit(int pair)
{
    jk_tune from, to;
    int32_t n;

    jk_stat_tune_read(edited, &from);
    to = from;
    n = number_of(&from, pair) + 1;
    memcpy((char *)&to + pairs[pair].number, &n, sizeof n);
    memset((char *)&to + pairs[pair].text, 'a' + n % 26, 200);
    MUST(jk_stat_tune_edit(edited, &from, &to) == JK_OK);
    books->edits[pair]++;
}

static void look_at_tune(uint32_t *version)
{
    int32_t least[PAIRS];
    jk_tune tune;

    if (jk_stat_tune_version(edited) == *version)
        return;
    for (int i = 0; i < PAIRS; i++)
        least[i] = books->edits[i];
    *version = jk_stat_tune_read(edited, &tune);
    for (int i = 0; i < PAIRS; i++) {
        int32_t n = number_of(&tune, i);
        const char *text = (const char *)&tune + pairs[i].text;
        MUST(n >= least[i]);
        for (int at = 0; n > 0 && at < 200; at++)
            MUST(text[at] == 'a' + n % 26);
    }
}

/* One alone may try a member that recovers. */
static void one_probe(void)
{
    const jk_tune rules = { .recover_time = 60, .error_escalation_time = 30 };

    if (!(jk_stat_event(probed, JK_MEMBER_CHOSEN, 1000, &rules).todo & JK_DO_CLAIM))
        return;
    MUST(++books->probers == 1);
    books->probes++;
    MUST(jk_stat_state(probed) == JK_STATE_PRB);
    books->probers--;
    MUST(jk_stat_event(probed, JK_MEMBER_HARD, 1000, &rules).next == JK_STATE_ERR);
    (void)jk_stat_event(probed, JK_MEMBER_MAINTAIN, 1061, &rules);
}

typedef struct job {
    int pair; /* that this thread edits; -1: none */
    uint32_t seed;
} job;

static void *thread(void *data)
{
    job *mine = data;
    uint32_t version = 0;

    for (unsigned n = 0; n % 64 || stress_ms() < until; n++) {
        one_request(&mine->seed);
        look_at_tune(&version);
        if (n % 4 == 0)
            one_probe();
        if (n % 8 == 0 && mine->pair >= 0)
            one_edit(mine->pair);
    }
    return NULL;
}

static void process(int number)
{
    pthread_t threads[THREADS];
    job jobs[THREADS];

    MUST(jk_shm_child_begin(shm, (int)getpid()) == JK_OK);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){ i == 0 ? number : -1, (uint32_t)(number * THREADS + i + 1) };
        MUST(pthread_create(&threads[i], NULL, thread, &jobs[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    exit(EXIT_SUCCESS);
}

/* Holds what it got until it is killed, wherever it is then. */
static void victim(int pair)
{
    MUST(jk_shm_child_begin(shm, (int)getpid()) == JK_OK);
    for (uint32_t seed = (uint32_t)getpid();;) {
        (void)jk_stat_begin(edited);
        (void)jk_stat_connect_within(edited, 0);
        if (stress_chance(&seed) % 3 == 0)
            jk_stat_end(edited);
        one_edit(pair);
    }
}

/* ---- the parent ---- */

static pid_t start(void (*run)(int), int number)
{
    pid_t pid = fork();

    MUST(pid >= 0);
    if (pid == 0) {
#ifdef PR_SET_PDEATHSIG
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing outlives the test, not even where it is killed */
#endif
        run(number);
    }
    jk_shm_parent_child_started(shm, (int)pid);
    return pid;
}

/* What it had told of is there, and at most the one edit more that it was killed in. */
static void kill_one(pid_t pid, int pair)
{
    int status;
    jk_tune tune;

    kill(pid, SIGKILL);
    MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    jk_shm_parent_child_ended(shm, (int)pid);
    jk_stat_tune_read(edited, &tune);
    int32_t more = number_of(&tune, pair) - books->edits[pair];
    MUST(more == 0 || more == 1);
    books->edits[pair] += more;
    books->killed++;
}

static void kill_some(void)
{
    pid_t victims[VICTIMS];
    uint32_t seed = 7;

    for (int i = 0; i < VICTIMS; i++)
        victims[i] = start(victim, PROCESSES + i);
    for (int i = 0; stress_ms() < until; i = (i + 1) % VICTIMS) {
        usleep(5000 + stress_chance(&seed) % 10000);
        kill_one(victims[i], PROCESSES + i);
        victims[i] = start(victim, PROCESSES + i);
    }
    for (int i = 0; i < VICTIMS; i++)
        kill_one(victims[i], PROCESSES + i);
}

static void look_at_books(int64_t began)
{
    jk_stat_numbers n = jk_stat_read(slot), m = jk_stat_read(edited);
    jk_tune tune;
    jk_stat_totals t;
    uint64_t times = 0, answers = 0;

    jk_stat_tune_read(edited, &tune);
    jk_stat_totals_read(slot, &t);
    for (int i = 0; i < JK_STAT_BUCKETS; i++)
        times += t.time[JK_TIME_TOTAL].bucket[i];
    for (int i = 0; i < JK_STAT_CLASSES; i++)
        answers += t.answers[i];
    printf("%llu requests, %llu refused, %llu probes, %llu intervals, %u killed, edits", (unsigned long long)books->counted,
           (unsigned long long)books->refused, (unsigned long long)books->probes, (unsigned long long)books->won, books->killed);
    for (int i = 0; i < PAIRS; i++)
        printf(" %d", books->edits[i]);
    printf("\n");
    fflush(stdout);
    MUST(n.count[JK_COUNT_SERVED] == books->counted);
    MUST(n.count[JK_COUNT_READ] == books->counted * 1000 && t.count[JK_COUNT_WRITTEN] == books->written);
    MUST(times == books->counted && answers == books->counted && t.time[JK_TIME_TOTAL].sum == books->us && t.time[JK_TIME_FIRST].sum == books->us);
    MUST(n.busy == 0 && n.connected == 0 && n.max_busy <= LIMIT && jk_stat_value(slot) == 0);
    MUST(m.busy == 0 && m.connected == 0);
    for (int i = 0; i < PAIRS; i++)
        MUST(books->edits[i] > 0 && number_of(&tune, i) == books->edits[i]);
    MUST(books->counted > 0 && books->refused > 0 && books->probes > 0 && books->killed > VICTIMS);
    MUST(books->won > 0 && (int64_t)books->won <= (stress_ms() - began) / INTERVAL);
}

int main(void)
{
    const jk_tune file = { .max_packet_size = 8192 };
    const int64_t began = stress_ms();
    apr_pool_t *pool;
    pid_t pids[PROCESSES];
    jk_shm_news news;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    until = began + stress_length();
    books = mmap(NULL, sizeof *books, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shm = jk_shm_parent_open(pool, pool, 8, 2 * PAIRS, &news);
    MUST(news == JK_SHM_MADE);
    slot = jk_stat_make(pool, shm, jk_shm_parent_slot(shm, "one", 1, &file));
    edited = jk_stat_make(pool, shm, jk_shm_parent_slot(shm, "two", 1, &file));
    probed = jk_stat_make(pool, shm, jk_shm_parent_slot(shm, "three", 1, &file));
    (void)jk_stat_event(probed, JK_MEMBER_HARD, 1, &file);
    (void)jk_stat_event(probed, JK_MEMBER_MAINTAIN, 1000, &file);
    MUST(jk_stat_state(probed) == JK_STATE_REC);
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start(process, i);
    kill_some();
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        MUST(waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        jk_shm_parent_child_ended(shm, (int)pids[i]);
    }
    look_at_books(began);
    return EXIT_SUCCESS;
}
