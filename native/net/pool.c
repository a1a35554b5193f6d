/* native/net/pool.c - one mutex, one list of idle connections, one queue of waiters. */
#include "jk/net/pool.h"

#include <pthread.h>

struct jk_pool {
    pthread_mutex_t mutex;  /* guards all below. Not APR's: its wrapper is half as dear as the lock itself */
    pthread_cond_t granted; /* some waiter was granted something */
    jk_conn *idle, *oldest; /* the two ends of the idle ones; the one used last is lent first */
    uint64_t last_id;
    jk_waiter *first, *last;
    unsigned limit;
    jk_pool_counts n;
};

static apr_status_t close_idle(void *data)
{
    jk_pool *pool = data;

    pthread_mutex_lock(&pool->mutex);
    jk_conn *conn = pool->idle;
    pool->idle = pool->oldest = NULL;
    pthread_mutex_unlock(&pool->mutex);
    while (conn) {
        jk_conn *next = conn->next;
        jk_conn_close(&conn, false);
        conn = next;
    }
    return APR_SUCCESS;
}

jk_pool *jk_pool_make(apr_pool_t *p, unsigned limit)
{
    apr_pool_t *own;

    /* At a hard stop a child's pool goes while threads still work on requests: what they touch here must outlive it. */
    if (apr_pool_create(&own, NULL) != APR_SUCCESS)
        return NULL;
    jk_pool *pool = apr_pcalloc(own, sizeof *pool);
    pool->limit = limit;
    if (pthread_mutex_init(&pool->mutex, NULL) != 0 || pthread_cond_init(&pool->granted, NULL) != 0)
        return NULL;
    apr_pool_cleanup_register(p, pool, close_idle, apr_pool_cleanup_null);
    return pool;
}

static void link_locked(jk_pool *pool, jk_waiter *waiter)
{
    waiter->next = NULL;
    waiter->prev = pool->last;
    *(pool->last ? &pool->last->next : &pool->first) = waiter;
    pool->last = waiter;
    waiter->linked = true;
    pool->n.waiting++;
}

static void unlink_locked(jk_pool *pool, jk_waiter *waiter)
{
    *(waiter->prev ? &waiter->prev->next : &pool->first) = waiter->next;
    *(waiter->next ? &waiter->next->prev : &pool->last) = waiter->prev;
    waiter->linked = false;
    pool->n.waiting--;
}

/* Puts an idle connection in its place by age: `before` is the one that was used next after it, NULL at the young end. */
static void insert_locked(jk_pool *pool, jk_conn *conn, jk_conn *before)
{
    conn->prev = before;
    conn->next = before ? before->next : pool->idle;
    *(conn->prev ? &conn->prev->next : &pool->idle) = conn;
    *(conn->next ? &conn->next->prev : &pool->oldest) = conn;
    pool->n.idle++;
}

static void remove_locked(jk_pool *pool, jk_conn *conn)
{
    *(conn->prev ? &conn->prev->next : &pool->idle) = conn->next;
    *(conn->next ? &conn->next->prev : &pool->oldest) = conn->prev;
    conn->next = conn->prev = NULL;
    pool->n.idle--;
}

static bool take_locked(jk_pool *pool, jk_conn **conn)
{
    if (pool->idle) {
        *conn = pool->idle;
        remove_locked(pool, *conn);
        pool->n.reused++;
        return true;
    }
    if (pool->limit && pool->n.open >= pool->limit)
        return false;
    *conn = NULL;
    if (++pool->n.open > pool->n.most_open)
        pool->n.most_open = pool->n.open;
    return true;
}

jk_rc jk_pool_lend(jk_pool *pool, jk_waiter *waiter, jk_conn **conn)
{
    pthread_mutex_lock(&pool->mutex);
    bool taken = take_locked(pool, conn);
    if (!taken) {
        waiter->granted = false;
        waiter->conn = NULL;
        link_locked(pool, waiter);
    }
    pthread_mutex_unlock(&pool->mutex);
    return taken ? JK_OK : JK_AGAIN;
}

/* Gives the first waiter a connection, or the place of one; returns it to be woken outside the mutex, or NULL. */
static jk_waiter *grant_locked(jk_pool *pool, jk_conn *conn)
{
    jk_waiter *waiter = pool->first;

    if (waiter == NULL)
        return NULL;
    unlink_locked(pool, waiter);
    waiter->conn = conn;
    waiter->granted = true;
    return waiter;
}

static void wake(jk_pool *pool, jk_waiter *waiter, void (*call)(void *), void *ctx)
{
    if (waiter == NULL)
        return;
    if (call)
        call(ctx);
    else
        pthread_cond_broadcast(&pool->granted);
}

/* The one that was used next after a connection idle since `since`: they lie in the order of their ages. */
static jk_conn *younger_locked(const jk_pool *pool, apr_time_t since)
{
    jk_conn *one = pool->oldest;

    while (one && one->idle_since < since)
        one = one->prev;
    return one;
}

/* The connection, or with NULL its place, goes to the first waiter, else back into the pool; `old`: to where it was. */
static void put(jk_pool *pool, jk_conn *conn, bool old)
{
    void (*call)(void *) = NULL;
    void *ctx = NULL;

    pthread_mutex_lock(&pool->mutex);
    jk_waiter *waiter = grant_locked(pool, conn);
    if (waiter) { /* once granted it may vanish: what is called is copied under the mutex */
        call = waiter->wake;
        ctx = waiter->ctx;
    } else if (conn) {
        if (conn->id == 0)
            conn->id = ++pool->last_id;
        insert_locked(pool, conn, old ? younger_locked(pool, conn->idle_since) : NULL);
    } else {
        pool->n.open--;
    }
    pthread_mutex_unlock(&pool->mutex);
    wake(pool, waiter, call, ctx);
}

jk_rc jk_pool_granted(jk_pool *pool, jk_waiter *waiter, jk_conn **conn)
{
    pthread_mutex_lock(&pool->mutex);
    bool granted = waiter->granted;
    if (granted) {
        *conn = waiter->conn;
        waiter->granted = false;
    }
    pthread_mutex_unlock(&pool->mutex);
    return granted ? JK_OK : JK_AGAIN;
}

void jk_pool_wait(jk_pool *pool, jk_waiter *waiter, apr_time_t until)
{
    struct timespec end = { (time_t)apr_time_sec(until), (long)apr_time_usec(until) * 1000 };

    pthread_mutex_lock(&pool->mutex);
    while (!waiter->granted && apr_time_now() < until)
        pthread_cond_timedwait(&pool->granted, &pool->mutex, &end);
    pthread_mutex_unlock(&pool->mutex);
}

jk_rc jk_pool_wake_by(jk_pool *pool, jk_waiter *waiter, void (*call)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&pool->mutex);
    bool granted = waiter->granted;
    waiter->wake = call;
    waiter->ctx = ctx;
    pthread_mutex_unlock(&pool->mutex);
    return granted ? JK_OK : JK_AGAIN;
}

void jk_pool_give_up(jk_pool *pool, jk_waiter *waiter)
{
    pthread_mutex_lock(&pool->mutex);
    bool granted = waiter->granted;
    jk_conn *conn = waiter->conn;
    if (waiter->linked)
        unlink_locked(pool, waiter);
    waiter->granted = false;
    pthread_mutex_unlock(&pool->mutex);
    if (granted)
        put(pool, conn, false);
}

void jk_pool_give_back(jk_pool *pool, jk_conn **conn, apr_time_t now)
{
    jk_conn *back = *conn;

    *conn = NULL;
    back->idle_since = now;
    put(pool, back, false);
}

void jk_pool_free_place(jk_pool *pool)
{
    put(pool, NULL, false);
}

void jk_pool_found_dead(jk_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->n.dead++;
    pthread_mutex_unlock(&pool->mutex);
}

void jk_pool_opened(jk_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->n.opened++;
    pthread_mutex_unlock(&pool->mutex);
}

/* ---- upkeep ---- */

unsigned jk_pool_idle(jk_pool *pool, jk_idle *out, unsigned room)
{
    unsigned n = 0;

    pthread_mutex_lock(&pool->mutex);
    for (const jk_conn *one = pool->idle; one && n < room; one = one->next)
        out[n++] = (jk_idle){ one->id, one->fd, one->idle_since, one->probed };
    pthread_mutex_unlock(&pool->mutex);
    return n;
}

jk_conn *jk_pool_withdraw(jk_pool *pool, uint64_t id)
{
    pthread_mutex_lock(&pool->mutex);
    jk_conn *one = pool->oldest;
    while (one && one->id != id)
        one = one->prev;
    if (one)
        remove_locked(pool, one);
    pthread_mutex_unlock(&pool->mutex);
    return one;
}

void jk_pool_return(jk_pool *pool, jk_conn **conn)
{
    jk_conn *back = *conn;

    *conn = NULL;
    put(pool, back, true);
}

void jk_pool_gone(jk_pool *pool, jk_close_why why)
{
    pthread_mutex_lock(&pool->mutex);
    pool->n.aged += why == JK_CLOSE_AGED;
    pool->n.dead += why == JK_CLOSE_DEAD;
    pthread_mutex_unlock(&pool->mutex);
    put(pool, NULL, false);
}

jk_pool_counts jk_pool_count(jk_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    jk_pool_counts n = pool->n;
    pthread_mutex_unlock(&pool->mutex);
    return n;
}
