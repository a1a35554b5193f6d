/* tests/sim/world.c - processes, actors and the clock. */
#include "world.h"

#include "jk/worker/backend.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

apr_time_t world_now = APR_TIME_C(1700000000000000);

/* Stands before APR's own: everything that asks for the time is told ours. */
apr_time_t apr_time_now(void)
{
    return world_now;
}

typedef struct process {
    apr_pool_t *pool;
    jk_shm *shm;
    jk_worker *lb;
    int pid;
} process;

typedef struct due {
    apr_time_t at;
    uint64_t order; /* what is due at one moment comes in the order it was begun in */
    world_call *call;
} due;

struct world {
    apr_pool_t *pool;
    const world_script *script;
    const jk_workers_conf *conf;
    const jk_worker_conf *lb_conf;
    process processes[WORLD_PROCESSES];
    int nprocesses, members, interval, last_pid;
    jk_stat *stats[WORLD_MEMBERS + 1]; /* the last is the lb's */
    due *heap;
    size_t nheap, room;
    uint64_t order;
    world_call *spare;
    apr_time_t tended;
    jk_log log;
};

static world *the_world; /* there is one at a time: actors have no other way to it */

/* ---- what is due ---- */

static bool before(const due *a, const due *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void sink_down(world *w, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < w->nheap; i = child) {
        if (child + 1 < w->nheap && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!before(&w->heap[child], &w->heap[i]))
            return;
        due t = w->heap[i];
        w->heap[i] = w->heap[child];
        w->heap[child] = t;
    }
}

static void push(world *w, apr_time_t at, world_call *call)
{
    size_t i = w->nheap++;

    if (w->nheap > w->room) {
        w->room = w->room ? 2 * w->room : 1024;
        w->heap = realloc(w->heap, w->room * sizeof *w->heap);
        if (w->heap == NULL)
            abort();
    }
    w->heap[i] = (due){ at, ++w->order, call };
    for (size_t up; i > 0 && before(&w->heap[i], &w->heap[up = (i - 1) / 2]); i = up) {
        due t = w->heap[i];
        w->heap[i] = w->heap[up];
        w->heap[up] = t;
    }
}

static world_call *pop(world *w)
{
    world_call *call = w->heap[0].call;

    w->heap[0] = w->heap[--w->nheap];
    sink_down(w, 0);
    return call;
}

/* ---- actors ---- */

typedef struct actor {
    jk_worker worker;
    jk_stat *stat;
    int member;
} actor;

static world_call *call_of(jk_run *run)
{
    return (world_call *)((char *)run - offsetof(world_call, run));
}

static jk_rc actor_begin(actor *a, jk_run *run)
{
    world_call *call = call_of(run);
    jk_limits *limits = &call->limits;

    jk_stat_limits_read(a->stat, limits);
    run->up->worker = &a->worker;
    run->up->limits = limits;
    if (!jk_stat_begin_within(a->stat, limits->busy_limit > 0 ? (uint32_t)limits->busy_limit : 0))
        return JK_E_BUSY;
    run->up->counted = true;
    jk_stat_add(a->stat, JK_COUNT_SERVED, 1);
    run->up->stage = 1;
    run->encoded = true;
    run->x.progress = JK_PROGRESS_NONE;
    call->act = the_world->script->visit(the_world->script->ctx, call, a->member);
    run->wait = (jk_wait){ JK_WAIT_TIMER, -1, world_now + call->act.takes };
    return JK_AGAIN;
}

static void actor_leave(actor *a, jk_run *run)
{
    if (run->up->counted)
        jk_stat_end(a->stat);
    run->up->counted = false;
}

static jk_rc actor_step(const jk_worker *worker, jk_run *run)
{
    actor *a = worker->own;
    const world_act *act = &call_of(run)->act;

    if (run->up->stage == 0)
        return actor_begin(a, run);
    if (!jk_run_late(run, world_now))
        return JK_AGAIN;
    run->up->fresh = act->fresh;
    run->soft = act->soft;
    run->err = act->err;
    run->up->refusals = act->refusals;
    run->x.progress = act->progress;
    run->read += act->read;
    run->written += act->written;
    jk_stat_add(a->stat, JK_COUNT_READ, act->read);
    jk_stat_add(a->stat, JK_COUNT_WRITTEN, act->written);
    actor_leave(a, run);
    return act->rc;
}

static void actor_ready(jk_worker *worker, apr_pool_t *p, jk_shm *shm, const jk_log *log)
{
    actor *a = worker->own;

    (void)log;
    a->stat = jk_stat_make(p, shm, jk_shm_parent_slot(shm, worker->slot, (int)worker->conf->kind, &worker->conf->tune));
}

static jk_rc actor_child(jk_worker *worker, apr_pool_t *p, const jk_log *log)
{
    (void)worker, (void)p, (void)log;
    return JK_OK;
}

static void actor_tend(jk_worker *worker, const jk_tend *what, const jk_log *log)
{
    (void)worker, (void)what, (void)log;
}

static void actor_finish(const jk_worker *worker, jk_run *run)
{
    if (run->up->worker == worker)
        actor_leave(worker->own, run);
}

static const jk_worker_type actor_type = { "actor", actor_step, NULL, NULL, actor_ready, actor_child, actor_tend, actor_finish };

/* The four that lb asks of worker/backend. */
jk_worker *jk_backend_make_member(apr_pool_t *p, const jk_worker_conf *conf, const char *slot)
{
    actor *a = apr_pcalloc(p, sizeof *a);

    a->worker = (jk_worker){ &actor_type, conf, conf->name, slot, a };
    a->member = *conf->name ? atoi(conf->name + 1) : 0;
    return &a->worker;
}

jk_stat *jk_backend_stat(const jk_worker *worker)
{
    return ((const actor *)worker->own)->stat;
}

void jk_backend_close_idle(const jk_worker *worker)
{
    (void)worker;
}

bool jk_backend_has_room(const jk_worker *worker)
{
    (void)worker;
    return true;
}

/* ---- processes ---- */

static void keep_line(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text)
{
    const world_script *script = ((world *)log->sink)->script;

    (void)place;
    if (script->line)
        script->line(script->ctx, level, id, text);
}

static void process_begin(world *w, process *p)
{
    jk_shm_news news;

    apr_pool_create(&p->pool, w->pool);
    p->shm = jk_shm_parent_open(w->pool, p->pool, 64, 2 * WORLD_PROCESSES, &news);
    p->lb = jk_lb_make(p->pool, w->lb_conf);
    p->lb->type->ready(p->lb, p->pool, p->shm, &w->log);
    p->pid = ++w->last_pid;
    jk_shm_child_begin(p->shm, p->pid);
    if (p->lb->type->child(p->lb, p->pool, &w->log) != JK_OK)
        abort();
}

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void read_conf(world *w, const char *text)
{
    jk_findings *found = jk_findings_make(w->pool);
    jk_workers_input in = { NULL, 0, "w.properties", jk_span_of(apr_pstrdup(w->pool, text)), "/srv", no_environment,
                            JK_WORKER_AJP13 | JK_WORKER_LB };

    w->conf = jk_workers_parse(w->pool, &in, found);
    w->lb_conf = jk_workers_find(w->conf, "b");
    if (jk_findings_refuse(found, true) || w->lb_conf == NULL) {
        fprintf(stderr, "the world's workers file is wrong:\n%s", text);
        exit(1);
    }
    w->members = w->lb_conf->members->nelts;
}

/* A view of the shared numbers that is no process's. */
static void look_in(world *w)
{
    process *p = &w->processes[0];

    for (int i = 0; i < w->members; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(w->lb_conf->members, i, const jk_worker_conf *);
        const char *slot = apr_pstrcat(w->pool, "b/", one->name, NULL);
        w->stats[i] = jk_stat_make(w->pool, p->shm, jk_shm_parent_slot(p->shm, slot, (int)one->kind, &one->tune));
    }
    w->stats[WORLD_MEMBERS] = jk_stat_make(w->pool, p->shm, jk_shm_parent_slot(p->shm, "b", (int)w->lb_conf->kind, &w->lb_conf->tune));
}

world *world_make(const char *text, int processes, const world_script *script)
{
    world *w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    apr_pool_create(&w->pool, NULL);
    the_world = w;
    w->script = script;
    w->interval = 60;
    w->tended = world_now;
    w->log = (jk_log){ JK_LOG_INFO, keep_line, "SIM", NULL, w };
    read_conf(w, text);
    for (w->nprocesses = 0; w->nprocesses < processes; w->nprocesses++)
        process_begin(w, &w->processes[w->nprocesses]);
    look_in(w);
    return w;
}

void world_end(world *w)
{
    apr_pool_destroy(w->pool);
    free(w->heap);
    free(w);
    the_world = NULL;
}

size_t world_kill(world *w, int process_no)
{
    process *p = &w->processes[process_no];
    size_t kept = 0, gone;

    for (size_t i = 0; i < w->nheap; i++)
        if (w->heap[i].call->process != process_no)
            w->heap[kept++] = w->heap[i];
    gone = w->nheap - kept; /* nobody finishes them */
    w->nheap = kept;
    for (size_t i = kept; i-- > 0;)
        sink_down(w, i);
    jk_shm_parent_child_ended(p->shm, p->pid);
    p->pid = ++w->last_pid; /* its successor is forked from the same parent: with the same memory, as far as that matters */
    jk_shm_child_begin(p->shm, p->pid);
    return gone;
}

/* ---- requests ---- */

world_call *world_call_make(world *w, int process_no, const char *method, const char *uri, const char *cookie)
{
    world_call *call = w->spare;

    if (call) {
        w->spare = call->next;
    } else {
        call = malloc(sizeof *call);
        if (call == NULL)
            abort();
        apr_pool_create(&call->pool, w->pool);
    }
    apr_pool_t *pool = call->pool;
    memset(call, 0, sizeof *call);
    call->pool = pool;
    call->process = process_no;
    call->rq = (jk_request){ .method = jk_span_of(method), .uri = jk_span_of(uri), .headers = &call->header, .nheaders = cookie ? 1 : 0 };
    call->header = (jk_field){ JK_SPAN_LIT("Cookie"), jk_span_of(cookie) };
    call->run = (jk_run){ .pool = pool, .rq = &call->rq, .log = &w->log, .wish = &call->wish };
    return call;
}

static void step(world *w, world_call *call)
{
    const jk_worker *lb = w->processes[call->process].lb;
    jk_rc rc = lb->type->step(lb, &call->run);

    if (rc == JK_AGAIN) {
        push(w, call->run.wait.until, call);
        return;
    }
    jk_run_finish(&call->run, rc);
    w->script->over(w->script->ctx, call, rc);
    apr_pool_clear(call->pool);
    call->next = w->spare;
    w->spare = call;
}

void world_call_start(world *w, world_call *call)
{
    jk_run_init(&call->run);
    jk_worker_begin(w->processes[call->process].lb, &call->run);
    step(w, call);
}

static void tend(world *w)
{
    jk_tend what = { world_now, true, w->interval, false };

    for (int i = 0; i < w->nprocesses; i++) {
        jk_worker *lb = w->processes[i].lb;
        lb->type->tend(lb, &what, &w->log);
    }
}

void world_run(world *w, apr_time_t until)
{
    for (;;) {
        apr_time_t next = w->nheap ? w->heap[0].at : until, tick = w->tended + apr_time_from_sec(1);
        if (next > until)
            next = until;
        if (tick <= next) {
            world_now = w->tended = tick;
            tend(w);
            continue;
        }
        if (w->nheap == 0 || w->heap[0].at > until)
            break;
        world_now = next;
        step(w, pop(w));
    }
    world_now = until;
}

size_t world_busy(const world *w)
{
    return w->nheap;
}

/* Processes are killed here, with all that they hold. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/* ---- looking and editing ---- */

jk_stat *world_stat(const world *w, int member)
{
    return w->stats[member < 0 ? WORLD_MEMBERS : member];
}

jk_tune world_tune(const world *w, int member)
{
    jk_tune tune;

    jk_stat_tune_read(world_stat(w, member), &tune);
    return tune;
}

void world_edit(world *w, int member, const jk_tune *now)
{
    jk_tune was = world_tune(w, member);

    if (jk_stat_tune_edit(world_stat(w, member), &was, now) != JK_OK) /* nobody hinders it */
        abort();
}

int world_members(const world *w)
{
    return w->members;
}

void world_maintain_every(world *w, int seconds)
{
    w->interval = seconds;
}
