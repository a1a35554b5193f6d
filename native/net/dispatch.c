/* native/net/dispatch.c - one thread, one epoll, a heap of times, a queue of wakes. One mutex guards all of it; it is held for system
 * calls that do not wait (epoll_ctl, an eventfd's eight bytes).
 *
 *   FREE -> take -> IDLE -> arm -> ARMED -> wake -> WOKEN (queued, then readable) -> disarm -> IDLE ..
 *
 * An epoll event names its slot by number and generation: one that comes late finds another generation. */
#include "jk/net/dispatch.h"

#include <stddef.h>

#ifdef __linux__

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum { FREE, IDLE, ARMED, WOKEN } state;

struct jk_berth {
    jk_dispatch *d;
    uint32_t number, generation;
    state state;
    jk_wake came;
    jk_vigil vigil;
    int fd;        /* an eventfd; -1: to be made */
    bool counted;  /* among those at work */
    bool queued;
    unsigned at;   /* its place in the heap + 1; 0: in none */
    jk_berth *next; /* of the free ones, or of the queue */
};

struct jk_dispatch {
    pthread_mutex_t mutex; /* guards all below */
    int epoll, kick;
    bool threaded, running, stopped;
    pthread_t thread;
    unsigned limit, pace, taken, at_work;
    jk_berth **all; /* by number */
    unsigned made, room;
    jk_berth *free, *first, *last; /* first .. last: woken, and waiting for their turn */
    jk_berth **heap;               /* armed with a time, the earliest first */
    unsigned timed;
    apr_time_t sleeps_until; /* the thread does; 0: it is awake or sleeps without a limit */
    bool sleeps;
    jk_dispatch_counts n;
};

enum { AWAITED, CLIENT }; /* the lowest bit of an event's word */

#define KICK UINT64_MAX
#define AT_ONCE 256 /* events per turn */

static void lock(jk_dispatch *d)
{
    pthread_mutex_lock(&d->mutex);
}

static void unlock(jk_dispatch *d)
{
    pthread_mutex_unlock(&d->mutex);
}

static void ring(int fd)
{
    uint64_t one = 1;

    (void)!write(fd, &one, sizeof one);
}

static void hush(int fd)
{
    uint64_t n;

    (void)!read(fd, &n, sizeof n);
}

/* ---- the heap of times ---- */

static apr_time_t time_at(const jk_dispatch *d, unsigned i)
{
    return d->heap[i]->vigil.until;
}

static void put_at(jk_dispatch *d, jk_berth *b, unsigned i)
{
    d->heap[i] = b;
    b->at = i + 1;
}

static void sift_up(jk_dispatch *d, unsigned i)
{
    jk_berth *b = d->heap[i];

    for (; i > 0 && b->vigil.until < time_at(d, (i - 1) / 2); i = (i - 1) / 2)
        put_at(d, d->heap[(i - 1) / 2], i);
    put_at(d, b, i);
}

static void sift_down(jk_dispatch *d, unsigned i)
{
    jk_berth *b = d->heap[i];

    for (;;) {
        unsigned child = 2 * i + 1;
        if (child + 1 < d->timed && time_at(d, child + 1) < time_at(d, child))
            child++;
        if (child >= d->timed || b->vigil.until <= time_at(d, child))
            break;
        put_at(d, d->heap[child], i);
        i = child;
    }
    put_at(d, b, i);
}

static void time_add(jk_dispatch *d, jk_berth *b)
{
    if (b->vigil.until == 0)
        return;
    put_at(d, b, d->timed++);
    sift_up(d, d->timed - 1);
}

static void time_remove(jk_dispatch *d, jk_berth *b)
{
    unsigned i = b->at - 1;

    if (b->at == 0)
        return;
    b->at = 0;
    d->timed--;
    if (i == d->timed)
        return;
    put_at(d, d->heap[d->timed], i);
    sift_down(d, i);
    sift_up(d, i);
}

/* ---- waking ---- */

static void let_go(jk_dispatch *d, jk_berth *b)
{
    b->counted = true;
    d->at_work++;
    ring(b->fd);
}

static void unwatch(jk_dispatch *d, int fd)
{
    if (fd >= 0)
        (void)epoll_ctl(d->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void leave_armed(jk_dispatch *d, jk_berth *b, state next)
{
    time_remove(d, b);
    b->state = next;
    b->generation++;
    __atomic_store_n(&d->n.now, d->n.now - 1, __ATOMIC_RELAXED);
}

static void wake(jk_dispatch *d, jk_berth *b, jk_wake came)
{
    leave_armed(d, b, WOKEN);
    b->came = came;
    d->n.gone += came == JK_WAKE_GONE;
    d->n.late += came == JK_WAKE_LATE;
    if (b->counted || d->at_work < d->pace) {
        d->at_work -= b->counted;
        let_go(d, b);
        return;
    }
    d->n.paced++;
    b->queued = true;
    b->next = NULL;
    *(d->last ? &d->last->next : &d->first) = b;
    d->last = b;
}

static void leave_queue(jk_dispatch *d, jk_berth *b)
{
    jk_berth **at = &d->first, *before = NULL;

    if (!b->queued)
        return;
    while (*at != b) {
        before = *at;
        at = &before->next;
    }
    *at = b->next;
    if (d->last == b)
        d->last = before;
    b->queued = false;
}

static void next_turn(jk_dispatch *d)
{
    while (d->first && d->at_work < d->pace) {
        jk_berth *b = d->first;
        leave_queue(d, b);
        let_go(d, b);
    }
}

static void done(jk_dispatch *d, jk_berth *b)
{
    if (!b->counted)
        return;
    b->counted = false;
    d->at_work--;
    next_turn(d);
}

/* ---- the thread ---- */

/* The client's side says something: has it left? Bytes before its end are a next request, unless they are TLS's goodbye. */
static bool has_left(const jk_berth *b, uint32_t events)
{
    char one;

    if ((events & (EPOLLHUP | EPOLLERR)) || !b->vigil.hears_bytes)
        return true;
    return recv(b->vigil.client, &one, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

static void take_event(jk_dispatch *d, const struct epoll_event *e)
{
    uint32_t number = (uint32_t)e->data.u64 >> 1, generation = (uint32_t)(e->data.u64 >> 32);
    jk_berth *b;

    if (e->data.u64 == KICK) {
        hush(d->kick);
        return;
    }
    b = d->all[number];
    if (b->generation != generation || b->state != ARMED)
        return;
    if ((e->data.u64 & 1) == AWAITED)
        wake(d, b, JK_WAKE_READY);
    else if (has_left(b, e->events))
        wake(d, b, JK_WAKE_GONE);
}

static void wake_late(jk_dispatch *d, apr_time_t now)
{
    while (d->timed > 0 && time_at(d, 0) <= now)
        wake(d, d->heap[0], JK_WAKE_LATE);
}

void jk_dispatch_turn(jk_dispatch *d, int ms, apr_time_t now)
{
    struct epoll_event events[AT_ONCE];
    int n = epoll_wait(d->epoll, events, AT_ONCE, ms);

    lock(d);
    d->sleeps = false;
    for (int i = 0; i < n; i++)
        take_event(d, &events[i]);
    wake_late(d, now ? now : apr_time_now());
    unlock(d);
}

/* How long the thread may sleep, in ms. From here to its epoll_wait() an earlier time rings it. */
static int sleep_for(jk_dispatch *d)
{
    apr_time_t left;

    d->sleeps = true;
    d->sleeps_until = d->timed ? time_at(d, 0) : 0;
    if (d->sleeps_until == 0)
        return -1;
    left = d->sleeps_until - apr_time_now();
    return left <= 0 ? 0 : left > apr_time_from_sec(3600) ? 3600 * 1000 : (int)(left / 1000) + 1;
}

static void *work(void *data)
{
    jk_dispatch *d = data;

    for (;;) {
        lock(d);
        bool stopped = d->stopped;
        int ms = sleep_for(d);
        unlock(d);
        if (stopped)
            return NULL;
        jk_dispatch_turn(d, ms, 0);
    }
}

/* Not one of APR's threads: joining one in a cleanup of the child's pool would deadlock where APR was built with its pool debugging.
 * httpd's signals are not for it. */
static bool start(jk_dispatch *d)
{
    sigset_t all, before;

    if (d->running || !d->threaded)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    d->running = pthread_create(&d->thread, NULL, work, d) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return d->running;
}

/* ---- slots ---- */

static bool grow(jk_dispatch *d)
{
    unsigned room = d->room ? 2 * d->room : 64;
    jk_berth **all = realloc(d->all, room * sizeof(jk_berth *)), **heap;

    if (all == NULL)
        return false;
    d->all = all;
    heap = realloc(d->heap, room * sizeof(jk_berth *));
    if (heap == NULL)
        return false;
    d->heap = heap;
    d->room = room;
    return true;
}

static jk_berth *make_berth(jk_dispatch *d)
{
    jk_berth *b;

    if (d->made == d->room && !grow(d))
        return NULL;
    b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->d = d;
    b->number = d->made;
    b->fd = -1;
    d->all[d->made++] = b;
    return b;
}

static bool has_fd(jk_berth *b)
{
    if (b->fd < 0)
        b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return b->fd >= 0;
}

static jk_berth *take_locked(jk_dispatch *d)
{
    jk_berth *b = d->free;

    if (d->taken >= d->limit || d->stopped)
        return NULL;
    if (b)
        d->free = b->next;
    else if ((b = make_berth(d)) == NULL)
        return NULL;
    if (!has_fd(b)) {
        b->next = d->free;
        d->free = b;
        return NULL;
    }
    b->state = IDLE;
    d->taken++;
    return b;
}

jk_berth *jk_dispatch_take(jk_dispatch *d)
{
    lock(d);
    jk_berth *b = take_locked(d);
    d->n.refused += b == NULL;
    unlock(d);
    return b;
}

bool jk_dispatch_is_full(jk_dispatch *d)
{
    lock(d);
    bool full = d->taken >= d->limit;
    unlock(d);
    return full;
}

void jk_dispatch_give_back(jk_dispatch *d, jk_berth **berth)
{
    jk_berth *b = *berth;

    *berth = NULL;
    (void)jk_dispatch_disarm(d, b);
    lock(d);
    done(d, b);
    b->state = FREE;
    b->next = d->free;
    d->free = b;
    d->taken--;
    unlock(d);
}

int jk_dispatch_fd(const jk_berth *b)
{
    return b->fd;
}

void jk_dispatch_fd_lost(jk_berth *b)
{
    lock(b->d);
    b->fd = -1;
    unlock(b->d);
}

static bool watch(jk_dispatch *d, const jk_berth *b, int fd, uint32_t events, unsigned which)
{
    struct epoll_event e = { .events = events | EPOLLONESHOT };

    e.data.u64 = (uint64_t)b->generation << 32 | (uint64_t)b->number << 1 | which;
    return fd < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static bool watch_both(jk_dispatch *d, const jk_berth *b)
{
    const jk_vigil *v = &b->vigil;

    if (d->stopped || !start(d))
        return false;
    if (!watch(d, b, v->fd, v->writable ? EPOLLOUT : EPOLLIN | EPOLLRDHUP, AWAITED))
        return false;
    if (!watch(d, b, v->other, EPOLLIN | EPOLLRDHUP, AWAITED))
        return false;
    return watch(d, b, v->client, v->ended ? 0 : EPOLLRDHUP, CLIENT);
}

static bool arm_locked(jk_dispatch *d, jk_berth *b, const jk_vigil *vigil)
{
    bool watched;

    (void)has_fd(b);
    b->generation++;
    b->vigil = *vigil;
    b->state = ARMED;
    b->came = JK_WAKE_NOTHING;
    time_add(d, b);
    d->n.waits++;
    __atomic_store_n(&d->n.now, d->n.now + 1, __ATOMIC_RELAXED);
    if (d->n.now > d->n.most)
        d->n.most = d->n.now;
    watched = watch_both(d, b);
    if (!watched)
        wake(d, b, JK_WAKE_READY);
    else if (d->sleeps && b->vigil.until && (d->sleeps_until == 0 || b->vigil.until < d->sleeps_until))
        ring(d->kick);
    return watched;
}

bool jk_dispatch_arm(jk_dispatch *d, jk_berth *b, const jk_vigil *vigil)
{
    lock(d);
    bool armed = arm_locked(d, b, vigil);
    unlock(d);
    return armed;
}

jk_wake jk_dispatch_disarm(jk_dispatch *d, jk_berth *b)
{
    jk_wake came = JK_WAKE_NOTHING;

    lock(d);
    if (b->state == ARMED || b->state == WOKEN) {
        unwatch(d, b->vigil.fd);
        unwatch(d, b->vigil.other);
        unwatch(d, b->vigil.client);
        if (b->state == ARMED)
            leave_armed(d, b, IDLE);
        else if (b->counted)
            hush(b->fd);
        came = b->came;
        leave_queue(d, b);
        b->state = IDLE;
    }
    unlock(d);
    return came;
}

void jk_dispatch_call(void *berth)
{
    jk_berth *b = berth;

    lock(b->d);
    if (b->state == ARMED)
        wake(b->d, b, JK_WAKE_READY);
    unlock(b->d);
}

void jk_dispatch_done(jk_dispatch *d, jk_berth *b)
{
    lock(d);
    done(d, b);
    unlock(d);
}

/* ---- life ---- */

static bool open_descriptors(jk_dispatch *d)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u64 = KICK };

    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (d->epoll >= 0 && d->kick >= 0 && epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->kick, &e) == 0)
        return true;
    if (d->epoll >= 0)
        close(d->epoll);
    if (d->kick >= 0)
        close(d->kick);
    return false;
}

jk_dispatch *jk_dispatch_make(unsigned limit, unsigned pace, bool threaded)
{
    jk_dispatch *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->limit = limit;
    d->pace = pace ? pace : 1;
    d->threaded = threaded;
    if (open_descriptors(d) && pthread_mutex_init(&d->mutex, NULL) == 0)
        return d;
    free(d);
    return NULL;
}

/* What is there stays: at the end of a process its requests are torn down after this. */
void jk_dispatch_stop(jk_dispatch *d)
{
    lock(d);
    bool running = d->running;
    d->stopped = true;
    d->running = false;
    ring(d->kick);
    unlock(d);
    if (running)
        pthread_join(d->thread, NULL);
}

void jk_dispatch_free(jk_dispatch *d)
{
    jk_dispatch_stop(d);
    for (unsigned i = 0; i < d->made; i++) {
        if (d->all[i]->fd >= 0)
            close(d->all[i]->fd);
        free(d->all[i]);
    }
    close(d->epoll);
    close(d->kick);
    pthread_mutex_destroy(&d->mutex);
    free(d->all);
    free(d->heap);
    free(d);
}

unsigned jk_dispatch_waiting(const jk_dispatch *d)
{
    return __atomic_load_n(&d->n.now, __ATOMIC_RELAXED);
}

jk_dispatch_counts jk_dispatch_count(jk_dispatch *d)
{
    lock(d);
    jk_dispatch_counts n = d->n;
    unlock(d);
    return n;
}

#else /* no epoll: there is no dispatch, and nobody has one to call the rest with */

jk_dispatch *jk_dispatch_make(unsigned limit, unsigned pace, bool threaded)
{
    (void)limit, (void)pace, (void)threaded;
    return NULL;
}

jk_berth *jk_dispatch_take(jk_dispatch *d)
{
    (void)d;
    return NULL;
}

bool jk_dispatch_arm(jk_dispatch *d, jk_berth *b, const jk_vigil *vigil)
{
    (void)d, (void)b, (void)vigil;
    return false;
}

jk_wake jk_dispatch_disarm(jk_dispatch *d, jk_berth *b)
{
    (void)d, (void)b;
    return JK_WAKE_NOTHING;
}

jk_dispatch_counts jk_dispatch_count(jk_dispatch *d)
{
    (void)d;
    return (jk_dispatch_counts){ 0 };
}

bool jk_dispatch_is_full(jk_dispatch *d) { (void)d; return true; }
int jk_dispatch_fd(const jk_berth *b) { (void)b; return -1; }
void jk_dispatch_fd_lost(jk_berth *b) { (void)b; }
void jk_dispatch_call(void *berth) { (void)berth; }
void jk_dispatch_done(jk_dispatch *d, jk_berth *b) { (void)d, (void)b; }
void jk_dispatch_give_back(jk_dispatch *d, jk_berth **b) { (void)d; *b = NULL; }
void jk_dispatch_stop(jk_dispatch *d) { (void)d; }
unsigned jk_dispatch_waiting(const jk_dispatch *d) { (void)d; return 0; }
void jk_dispatch_free(jk_dispatch *d) { (void)d; }
void jk_dispatch_turn(jk_dispatch *d, int ms, apr_time_t now) { (void)d, (void)ms, (void)now; }

#endif
