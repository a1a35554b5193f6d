/* tests/fuzz/house.c - builds the house, looks at it, and stands for the name service: numbers are themselves, "localhost" and names that end
 * with ".known" are 127.0.0.1, and nobody knows any other. So no input leaves the machine, nor waits. */
#include "house.h"

#include "../../native/shm/own.h"
#include "jk/conf/keys.h"
#include "jk/conf/values.h"
#include "jk/status/manager.h"
#include "jk/worker/backend.h"
#include "jk/worker/lb.h"

#include <apr_general.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 64 /* a small segment is made quickly */

const char house_usual[] = "worker.list=lb,w,s\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.lb.spare_members=2\n"
                           "worker.lb.secret=" HOUSE_SECRET "\nworker.a.port=1\nworker.b.port=2\nworker.b.route=rb\nworker.w.port=3\nworker.w.secret=" HOUSE_SECRET
                           "\nworker.s.type=status\n";

/* ---- names ---- */

static bool is_known(const char *name)
{
    size_t n = strlen(name);

    return strcmp(name, "localhost") == 0 || (n > 6 && strcmp(name + n - 6, ".known") == 0);
}

/* One block: the entry, and behind it the address. */
static struct addrinfo *entry(int family, const void *address, size_t size, int port)
{
    struct addrinfo *ai = calloc(1, sizeof *ai + sizeof(struct sockaddr_in6));
    struct sockaddr_in *in = (void *)(ai + 1);
    struct sockaddr_in6 *in6 = (void *)(ai + 1);

    must(ai != NULL, "memory");
    ai->ai_family = family;
    ai->ai_addr = (void *)in;
    ai->ai_addrlen = family == AF_INET ? sizeof *in : sizeof *in6;
    memcpy(family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr, address, size);
    in->sin_port = htons((uint16_t)port); /* the same place in both */
    ai->ai_addr->sa_family = (sa_family_t)family;
    return ai;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    struct in_addr v4 = { htonl(INADDR_LOOPBACK) };
    struct in6_addr v6;
    int port = service ? atoi(service) : 0;

    (void)hints;
    *list = NULL;
    if (is_known(node) || inet_pton(AF_INET, node, &v4) == 1)
        *list = entry(AF_INET, &v4, sizeof v4, port);
    else if (inet_pton(AF_INET6, node, &v6) == 1)
        *list = entry(AF_INET6, &v6, sizeof v6, port);
    return *list ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    free(list);
}

/* ---- building ---- */

static void quiet(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *line)
{
    (void)log;
    (void)level;
    (void)place;
    (void)id;
    must(!house_tells(line, strlen(line)), "no log line holds a secret");
}

static const jk_log silence = { JK_LOG_INFO, quiet, "FUZZ", NULL, NULL };
static const jk_registry_type types[] = { { JK_WORKER_AJP13, jk_backend_make }, { JK_WORKER_LB, jk_lb_make },
                                          { JK_WORKER_STATUS, jk_manager_make }, { 0, NULL } };

/* A server has its segment until its process ends. */
static apr_status_t unmap(void *shm)
{
    const jk_layout_kept *kept = ((const jk_shm *)shm)->kept;

    if (kept->map)
        munmap(kept->map, kept->map_size);
    return APR_SUCCESS;
}

house house_build(apr_pool_t *p, const char *properties)
{
    jk_workers_input in = { .file = "f", .text = jk_span_of(properties), .server_root = "/", .kinds = 7 };
    house h = { .p = p, .found = jk_findings_make(p) };
    apr_pool_t *process;
    jk_shm_news news;

    must(apr_pool_create(&process, p) == APR_SUCCESS, "memory");
    h.conf = jk_workers_parse(p, &in, h.found);
    h.registry = jk_registry_make(p, h.conf, types);
    h.shm = jk_shm_parent_open(process, p, SLOTS, 2, &news);
    apr_pool_pre_cleanup_register(p, h.shm, unmap); /* before the pools inside go, in which its description lies */
    jk_registry_ready(h.registry, p, h.shm, &silence);
    must(jk_shm_child_begin(h.shm, (int)getpid()) == JK_OK && jk_registry_child(h.registry, p, &silence) == JK_OK, "a house stands");
    return h;
}

/* ---- secrets ---- */

static uint32_t sum_of(const char *text, size_t n)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < n; i++)
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    return sum;
}

/* By a sum: a fuzzer sees what is compared with what, and would write the secret itself. */
bool house_tells(const void *text, size_t n)
{
    static const size_t len = sizeof HOUSE_SECRET - 1;
    uint32_t sum = sum_of(HOUSE_SECRET, len);

    for (size_t i = 0; i + len <= n; i++)
        if (sum_of((const char *)text + i, len) == sum)
            return true;
    return false;
}

/* ---- looking ---- */

/* Behind a text's end lies what a longer one left there. */
static void trim(jk_tune *tune)
{
    char *const texts[] = { tune->host, tune->name, tune->route, tune->domain, tune->redirect, tune->session_cookie, tune->session_path };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        memset(texts[i] + strlen(texts[i]), 0, JK_NAME_MAX + 1 - strlen(texts[i]));
}

static void look_at(house_values *out, const jk_worker *worker, const jk_worker *lb, bool there)
{
    must(out->n < HOUSE_MOST, "the house is small");
    out->of[out->n].worker = worker;
    out->of[out->n].lb = lb;
    out->of[out->n].there = there;
    jk_stat_tune_read(jk_manage_stat(worker), &out->of[out->n].tune);
    trim(&out->of[out->n].tune);
    out->n++;
}

void house_look(const house *h, house_values *out)
{
    out->n = 0;
    for (size_t i = 0; i < jk_registry_count(h->registry); i++) {
        const jk_worker *worker = jk_registry_at(h->registry, i);
        if (jk_manage_stat(worker) == NULL)
            continue;
        look_at(out, worker, NULL, true);
        for (size_t k = 0; k < jk_manage_members(worker); k++)
            look_at(out, jk_manage_place(worker, k), worker, jk_manage_member(worker, k) != NULL);
    }
}

bool house_same(const house_values *a, const house_values *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; same && i < a->n; i++)
        same = a->of[i].there == b->of[i].there && (!a->of[i].there || memcmp(&a->of[i].tune, &b->of[i].tune, sizeof(jk_tune)) == 0);
    return same;
}

/* ---- checking ---- */

static bool is_plain(const char *text)
{
    for (const uint8_t *c = (const uint8_t *)text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\",\\", *c))
            return false;
    return true;
}

static void check_value(const house *h, const jk_key *key, const jk_worker_conf *conf)
{
    const char *text = jk_values_text(h->p, key, conf);
    bool number = !key->words && (key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE);

    must(!number || (atoll(text) >= key->min && atoll(text) <= key->max), "a number is in its range");
    must(key->type != JK_KEY_TEXT || (strlen(text) <= JK_NAME_MAX && is_plain(text)), "a text is a word");
}

static void check_one(const house *h, const jk_worker *worker, const jk_tune *tune)
{
    jk_worker_conf conf = *worker->conf;

    conf.tune = *tune;
    for (size_t i = 0; i < jk_keys_count; i++)
        if (jk_keys[i].home == JK_HOME_TUNE && (jk_keys[i].kinds & (int)conf.kind))
            check_value(h, &jk_keys[i], &conf);
    must(tune->max_packet_size % 1024 == 0 && tune->max_packet_size >= 8192 && tune->max_packet_size <= 65536, "a packet has its bounds");
}

void house_check(const house *h, const house_values *v)
{
    for (size_t i = 0; i < v->n; i++) {
        if (!v->of[i].there)
            continue;
        check_one(h, v->of[i].worker, &v->of[i].tune);
        must(jk_workers_name(v->of[i].worker->name) == NULL, "a worker has a name");
        for (size_t k = 0; k < i; k++) {
            must(!v->of[k].there || strcmp(v->of[i].worker->name, v->of[k].worker->name) != 0, "one name, one worker");
            must(!v->of[k].there || v->of[i].lb == NULL || v->of[i].lb != v->of[k].lb || strcmp(v->of[i].tune.route, v->of[k].tune.route) != 0,
                 "one route, one member");
        }
    }
}
