/* native/net/pool.c - one mutex, one list of idle connections, one queue of waiters. */
#include "jk/net/pool.h"

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

struct jk_pool {
    apr_thread_mutex_t *mutex; /* guards all below */
    apr_thread_cond_t *granted; /* some waiter was granted something */
    jk_conn *idle;
    jk_waiter *first, *last;
    unsigned limit;
    jk_pool_counts n;
};

static apr_status_t close_idle(void *data)
{
    jk_pool *pool = data;

    apr_thread_mutex_lock(pool->mutex);
    jk_conn *conn = pool->idle;
    pool->idle = NULL;
    apr_thread_mutex_unlock(pool->mutex);
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
    if (apr_thread_mutex_create(&pool->mutex, APR_THREAD_MUTEX_DEFAULT, own) != APR_SUCCESS)
        return NULL;
    if (apr_thread_cond_create(&pool->granted, own) != APR_SUCCESS)
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

static bool take_locked(jk_pool *pool, jk_conn **conn)
{
    if (pool->idle) {
        *conn = pool->idle;
        pool->idle = (*conn)->next;
        pool->n.idle--;
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
    apr_thread_mutex_lock(pool->mutex);
    bool taken = take_locked(pool, conn);
    if (!taken) {
        waiter->granted = false;
        waiter->conn = NULL;
        link_locked(pool, waiter);
    }
    apr_thread_mutex_unlock(pool->mutex);
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
        apr_thread_cond_broadcast(pool->granted);
}

/* The connection, or with NULL its place, goes to the first waiter, else back into the pool. */
static void put(jk_pool *pool, jk_conn *conn)
{
    void (*call)(void *) = NULL;
    void *ctx = NULL;

    apr_thread_mutex_lock(pool->mutex);
    jk_waiter *waiter = grant_locked(pool, conn);
    if (waiter) { /* once granted it may vanish: what is called is copied under the mutex */
        call = waiter->wake;
        ctx = waiter->ctx;
    } else if (conn) {
        conn->next = pool->idle;
        pool->idle = conn;
        pool->n.idle++;
    } else {
        pool->n.open--;
    }
    apr_thread_mutex_unlock(pool->mutex);
    wake(pool, waiter, call, ctx);
}

jk_rc jk_pool_granted(jk_pool *pool, jk_waiter *waiter, jk_conn **conn)
{
    apr_thread_mutex_lock(pool->mutex);
    bool granted = waiter->granted;
    if (granted) {
        *conn = waiter->conn;
        waiter->granted = false;
    }
    apr_thread_mutex_unlock(pool->mutex);
    return granted ? JK_OK : JK_AGAIN;
}

void jk_pool_wait(jk_pool *pool, jk_waiter *waiter, apr_time_t until)
{
    apr_thread_mutex_lock(pool->mutex);
    while (!waiter->granted) {
        apr_time_t now = apr_time_now();
        if (now >= until)
            break;
        apr_thread_cond_timedwait(pool->granted, pool->mutex, until - now);
    }
    apr_thread_mutex_unlock(pool->mutex);
}

void jk_pool_give_up(jk_pool *pool, jk_waiter *waiter)
{
    apr_thread_mutex_lock(pool->mutex);
    bool granted = waiter->granted;
    jk_conn *conn = waiter->conn;
    if (waiter->linked)
        unlink_locked(pool, waiter);
    waiter->granted = false;
    apr_thread_mutex_unlock(pool->mutex);
    if (granted)
        put(pool, conn);
}

void jk_pool_give_back(jk_pool *pool, jk_conn **conn, apr_time_t now)
{
    jk_conn *back = *conn;

    *conn = NULL;
    back->idle_since = now;
    put(pool, back);
}

void jk_pool_free_place(jk_pool *pool)
{
    put(pool, NULL);
}

void jk_pool_found_dead(jk_pool *pool)
{
    apr_thread_mutex_lock(pool->mutex);
    pool->n.dead++;
    apr_thread_mutex_unlock(pool->mutex);
}

void jk_pool_opened(jk_pool *pool)
{
    apr_thread_mutex_lock(pool->mutex);
    pool->n.opened++;
    apr_thread_mutex_unlock(pool->mutex);
}

jk_pool_counts jk_pool_count(jk_pool *pool)
{
    apr_thread_mutex_lock(pool->mutex);
    jk_pool_counts n = pool->n;
    apr_thread_mutex_unlock(pool->mutex);
    return n;
}
