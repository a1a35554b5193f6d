/* tests/stress/stress_pool.c - threads borrow, wait for, return and close connections of one pool while upkeep looks through it: nobody gets
 * one that another has, there are never more than the limit, nobody waits for what lies idle, and in the end all are accounted for. */
#include "stress.h"

#include "jk/net/pool.h"
#include "jk/net/upkeep.h"

#include <apr_general.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#define LIMIT 4
#define THREADS 10

/* Of one connection. `holder` is plain memory: two threads that had it at once would be a race to the sanitizer, and are told by their
 * numbers without it. */
typedef struct line {
    int holder; /* 0: none */
    int peer;   /* the container's end */
} line;

static jk_pool *pool;
static int64_t until;
static atomic_uint open_now, lent, waited, given_up, woken, opened, closed, dead, aged;

static line *line_of(const jk_conn *conn)
{
    return conn->gone_ctx;
}

/* Its place is free only after this. */
static void gone(void *ctx, const jk_conn *conn)
{
    line *was = ctx;

    (void)conn;

    close(was->peer);
    free(was);
    open_now--;
    closed++;
}

static void open_one(jk_conn **conn, int me)
{
    const jk_sock_options options = { 0 };
    line *new = calloc(1, sizeof *new);
    int fds[2];

    MUST(new && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    MUST(++open_now <= LIMIT);
    opened++;
    *conn = jk_conn_make(fds[0], &options);
    MUST(*conn != NULL);
    *new = (line){ me, fds[1] };
    (*conn)->gone = gone;
    (*conn)->gone_ctx = new;
    jk_pool_opened(pool);
}

static void take(jk_conn *conn, int me)
{
    MUST(line_of(conn)->holder == 0);
    line_of(conn)->holder = me;
}

/* ---- who borrows ---- */

static void wake(void *ctx)
{
    sem_post(ctx);
}

/* Blocks in the pool, or is woken by a call; false: gave up. */
static bool wait_for(jk_waiter *waiter, jk_conn **conn, sem_t *called, unsigned ms)
{
    apr_time_t deadline = apr_time_now() + (apr_time_t)ms * 1000;

    waited++;
    if (waiter->wake) {
        struct timespec at = { (time_t)apr_time_sec(deadline), (long)apr_time_usec(deadline) * 1000 };
        woken += sem_timedwait(called, &at) == 0;
    } else {
        jk_pool_wait(pool, waiter, deadline);
    }
    if (jk_pool_granted(pool, waiter, conn) == JK_OK)
        return true;
    jk_pool_give_up(pool, waiter); /* perhaps it was granted just now: then it goes on to the next */
    given_up++;
    return false;
}

static void one_loan(int me, uint32_t *seed, sem_t *called)
{
    jk_waiter waiter = { .wake = stress_chance(seed) % 2 ? wake : NULL, .ctx = called };
    jk_conn *conn = NULL;

    if (jk_pool_lend(pool, &waiter, &conn) != JK_OK && !wait_for(&waiter, &conn, called, stress_chance(seed) % 4))
        return;
    if (conn)
        take(conn, me);
    else if (stress_chance(seed) % 16 == 0) { /* nothing came of it */
        jk_pool_free_place(pool);
        return;
    } else
        open_one(&conn, me);
    lent++;
    if (stress_chance(seed) % 8 == 0)
        usleep(stress_chance(seed) % 300);
    MUST(line_of(conn)->holder == me);
    uint32_t end = stress_chance(seed) % 16;
    if (end == 0) {
        jk_conn_close(&conn, stress_chance(seed) % 2);
        jk_pool_free_place(pool);
        return;
    }
    if (end == 1) /* the container closes it while it is idle */
        shutdown(line_of(conn)->peer, SHUT_RDWR);
    line_of(conn)->holder = 0;
    jk_pool_give_back(pool, &conn, apr_time_now());
    MUST(conn == NULL);
}

/* A call that comes after the waiter gave up must not reach memory that is gone: the semaphore outlives all. */
static void *borrower(void *data)
{
    sem_t *called = data;
    static atomic_int numbers;
    int me = ++numbers;
    uint32_t seed = (uint32_t)me * 2654435761u;

    for (unsigned n = 0; stress_ms() < until; n++) {
        one_loan(me, &seed, called);
        if (n % 1024 > 960) /* a quiet time now and then, in which connections grow old */
            usleep(500);
    }
    return NULL;
}

/* ---- who looks after them ---- */

/* As a child's background does it. */
static void *keeper(void *data)
{
    (void)data;
    while (stress_ms() < until) {
        unsigned unasked;
        dead += jk_upkeep_look(pool, &unasked);
        MUST(unasked == 0);
        aged += jk_upkeep_age(pool, apr_time_now(), 300, LIMIT / 2);
        jk_pool_counts now = jk_pool_count(pool);
        MUST(now.open <= LIMIT && now.idle <= now.open && (now.idle == 0 || now.waiting == 0));
        usleep(50);
    }
    return NULL;
}

/* Takes idle ones out and puts them back, each of them the only one who has it. */
static void *fiddler(void *data)
{
    jk_idle idle[2 * LIMIT];

    (void)data;
    while (stress_ms() < until) {
        unsigned n = jk_pool_idle(pool, idle, 2 * LIMIT);
        MUST(n <= LIMIT);
        for (unsigned i = 0; i < n; i++) {
            jk_conn *conn = jk_pool_withdraw(pool, idle[i].id);
            if (conn == NULL)
                continue; /* lent meanwhile */
            take(conn, -1);
            line_of(conn)->holder = 0;
            jk_pool_return(pool, &conn);
        }
        usleep(20);
    }
    return NULL;
}

static void look_at_books(void)
{
    jk_pool_counts n = jk_pool_count(pool);

    printf("%u loans, %u waited, %u of them woken by a call, %u gave up; %u opened, %u closed, of these %u dead and %u aged; most %u\n", lent, waited,
           woken, given_up, opened, closed, dead, aged, n.most_open);
    fflush(stdout);
    MUST(n.waiting == 0 && n.open == n.idle && n.open == open_now && n.most_open == LIMIT);
    MUST(n.opened == opened && n.dead == dead && n.aged == aged && opened == closed + n.idle);
    MUST(lent > 0 && waited > 0 && given_up > 0 && woken > 0 && dead > 0 && aged > 0);
}

int main(void)
{
    pthread_t threads[THREADS], keepers[2];
    void *(*const keep[2])(void *) = { keeper, fiddler };
    sem_t called[THREADS];
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    pool = jk_pool_make(p, LIMIT);
    until = stress_ms() + stress_length();
    for (int i = 0; i < THREADS; i++) {
        sem_init(&called[i], 0, 0);
        MUST(pthread_create(&threads[i], NULL, borrower, &called[i]) == 0);
    }
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&keepers[i], NULL, keep[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(keepers[i], NULL);
    look_at_books();
    apr_pool_destroy(p); /* closes the idle ones */
    return EXIT_SUCCESS;
}
