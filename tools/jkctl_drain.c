/* tools/jkctl_drain.c - disable, wait, stop, wait. The server is looked at again and again; that one look fails is no end: httpd may be
 * restarted meanwhile. */
#include "jkctl_drain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAILURES_MOST 5 /* looks, one behind the other */

/* What a look says of all that the name means, together. */
typedef struct sum {
    json_int_t busy, served;
    bool in_error;
} sum;

typedef struct drain {
    jkc_line *line;
    const char *name;
    const jkc_drain *how;
    int64_t began;
    sum now;
    int64_t changed;    /* when something was under way last, or had been */
    int failures;
    const char *activation; /* "disabled"; "stopped" */
} drain;

static int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_over(const drain *d)
{
    return *d->how->over != 0;
}

/* A signal ends it. */
static void rest(const drain *d)
{
    const struct timespec t = { d->how->every / 1000, d->how->every % 1000 * 1000000 };

    if (!is_over(d))
        nanosleep(&t, NULL);
}

static bool progress(const drain *d)
{
    return !d->how->json;
}

/* ---- looking ---- */

static sum add_up(const jkc_workers *found)
{
    sum s = { 0, 0, false };

    for (size_t i = 0; i < found->n; i++) {
        const json_t *values = found->list[i].values;
        s.busy += jkc_number(values, "busy");
        s.served += jkc_number(values, "elected");
        s.in_error = s.in_error || strncmp(jkc_text(values, "state"), "ERR", 3) == 0;
    }
    return s;
}

/* JKC_GOOD: d->now is new. JKC_NOT_DONE: there was no answer, it may be asked again. */
static jkc_exit look_again(drain *d)
{
    json_t *look = jkc_ask_look(d->line, false);

    if (look == NULL) {
        jkc_say("%s", jkc_ask_why(d->line));
        return ++d->failures < FAILURES_MOST ? JKC_NOT_DONE : JKC_CANNOT_ASK;
    }
    d->failures = 0;
    jkc_workers found = jkc_look_find(look, d->name, JKC_MEMBER);
    jkc_exit rc = found.n ? JKC_GOOD : JKC_REFUSED;
    if (found.n) {
        sum s = add_up(&found);
        if (s.busy > 0 || s.served != d->now.served)
            d->changed = clock_ms();
        d->now = s;
    }
    free(found.list);
    json_decref(look);
    return rc;
}

/* Back with JKC_GOOD when nothing was there for `idle`; else with JKC_NOT_DONE at `until`. */
static jkc_exit await_quiet(drain *d, int64_t idle, int64_t until)
{
    jkc_exit rc;

    d->changed = clock_ms();
    for (;;) {
        rest(d);
        rc = is_over(d) ? JKC_NOT_DONE : look_again(d);
        if (is_over(d))
            return JKC_NOT_DONE;
        if (rc != JKC_GOOD && rc != JKC_NOT_DONE)
            return rc;
        if (rc == JKC_GOOD && d->now.busy == 0 && clock_ms() - d->changed >= idle)
            return JKC_GOOD;
        if (clock_ms() >= until)
            return JKC_NOT_DONE;
    }
}

/* ---- changing ---- */

static void warn_of_force(const jkc_worker *member)
{
    if (!jkc_flag(member->lb, "sticky_session_force"))
        return;
    char *name = jkc_look_name(member);
    jkc_say("%s: sticky_session_force is on: sessions that it has still get 503 when it is stopped", name);
    free(name);
}

/* All that the name means. */
static jkc_exit activate(drain *d, const char *activation, bool first)
{
    json_t *look = jkc_ask_look(d->line, false), *answer;
    jkc_exit rc = JKC_GOOD;

    if (look == NULL) {
        jkc_say("%s", jkc_ask_why(d->line));
        return JKC_CANNOT_ASK;
    }
    jkc_workers found = jkc_look_find(look, d->name, JKC_MEMBER);
    if (found.n == 0)
        rc = JKC_REFUSED;
    for (size_t i = 0; first && i < found.n && rc == JKC_GOOD; i++)
        rc = jkc_change_has_others(&found.list[i], d->how->way) ? JKC_GOOD : JKC_REFUSED;
    for (size_t i = 0; i < found.n && rc == JKC_GOOD; i++) {
        if (first)
            warn_of_force(&found.list[i]);
        /* one that is stopped already gets nothing back */
        if (!first || strcmp(jkc_text(found.list[i].values, "activation"), "STP") != 0) {
            rc = jkc_change_post_activation(d->line, look, &found.list[i], activation, &answer);
            d->activation = rc == JKC_GOOD ? activation : d->activation;
            json_decref(answer);
        }
    }
    if (rc == JKC_GOOD)
        d->now = add_up(&found);
    free(found.list);
    json_decref(look);
    return rc;
}

/* ---- what is said ---- */

static double seconds(const drain *d)
{
    return (double)(clock_ms() - d->began) / 1000;
}

static void tell(const drain *d, const char *words)
{
    char *name = jkc_clean(d->name);

    if (progress(d))
        printf("%s: %s; %" JSON_INTEGER_FORMAT " under way, %.1f s\n", name, words, d->now.busy, seconds(d));
    fflush(stdout);
    free(name);
}

static jkc_exit conclude(const drain *d, jkc_exit rc)
{
    if (rc == JKC_NOT_DONE && is_over(d))
        jkc_say("interrupted: it stays %s; jkctl enable takes it back", d->activation);
    else if (rc == JKC_NOT_DONE)
        jkc_say("the time is over, and it is in use still (%" JSON_INTEGER_FORMAT " under way): it stays %s%s", d->now.busy, d->activation,
                d->how->force ? "" : ". jkctl enable takes it back; --force stops it at the end of the time");
    if (d->how->json) {
        json_t *said = json_pack("{s:s, s:b, s:s, s:I, s:f}", "member", d->name, "drained", rc == JKC_GOOD, "activation", d->activation,
                                 "busy", d->now.busy, "seconds", seconds(d));
        json_dumpf(jkc_must(said), stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(said);
    }
    return rc;
}

/* ---- all of it ---- */

/* What was chosen a moment before the stop may not be booked yet: nothing under way, for two looks. */
static jkc_exit stop(drain *d)
{
    jkc_exit rc = activate(d, "stopped", false);

    if (rc != JKC_GOOD)
        return conclude(d, rc);
    tell(d, "stopped: nothing goes there any more");
    rc = await_quiet(d, d->how->every, clock_ms() + d->how->wait);
    if (rc == JKC_GOOD)
        tell(d, "drained: its container may be stopped");
    return conclude(d, rc);
}

jkc_exit jkc_drain_run(jkc_line *line, const char *name, const jkc_drain *how)
{
    drain d = { .line = line, .name = name, .how = how, .began = clock_ms(), .activation = "stopped" };
    jkc_exit rc = activate(&d, "disabled", true);

    if (rc != JKC_GOOD)
        return rc;
    tell(&d, strcmp(d.activation, "stopped") == 0 ? "stopped, as it was" : "disabled: only sessions that it has go on");
    rc = await_quiet(&d, how->idle, d.began + how->wait);
    if (rc == JKC_NOT_DONE && how->force && !is_over(&d))
        tell(&d, "the time is over: its sessions go to other members");
    else if (rc != JKC_GOOD)
        return conclude(&d, rc);
    return stop(&d);
}

jkc_exit jkc_drain_await_good(jkc_line *line, const char *name, const jkc_drain *how)
{
    drain d = { .line = line, .name = name, .how = how, .began = clock_ms() };

    for (;;) {
        jkc_exit rc = look_again(&d);
        if ((rc == JKC_GOOD && !d.now.in_error) || (rc != JKC_GOOD && rc != JKC_NOT_DONE))
            return rc;
        if (is_over(&d) || clock_ms() - d.began >= how->wait) {
            jkc_say("it is in error still");
            return JKC_NOT_DONE;
        }
        rest(&d);
    }
}
