/* native/conf/workers.c - finds the workers among the properties, resolves references, and checks what belongs together. */
#include "jk/conf/workers.h"

#include "jk/conf/keys.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>

#define NESTING_MOST 20
#define CONNECT_DEFAULT 5000 /* ms; connecting never waits for ever */

typedef struct parse {
    apr_pool_t *p;
    jk_findings *found;
    jk_props *props;
    jk_workers_conf *conf;
} parse;

/* "worker.a.b.port" -> "a.b", "port": the attribute is what stands behind the last dot. */
static bool split(apr_pool_t *p, const char *key, const char **name, const char **attr)
{
    const char *last = strrchr(key, '.');

    if (strncmp(key, "worker.", 7) != 0 || last < key + 7)
        return false;
    *name = apr_pstrmemdup(p, key + 7, (apr_size_t)(last - key - 7));
    *attr = last + 1;
    return **name != '\0';
}

static bool global_key(const char *key)
{
    return strcmp(key, "worker.list") == 0 || strcmp(key, "worker.maintain") == 0;
}

static const char *hint(const parse *ps, const char *attr)
{
    const char **names = apr_palloc(ps->p, jk_keys_count * sizeof *names);

    for (size_t i = 0; i < jk_keys_count; i++)
        names[i] = jk_keys[i].name;
    return jk_findings_hint(ps->p, attr, names, jk_keys_count);
}

/* Every key must be one that some worker could have. */
static void check_key(parse *ps, const jk_prop *prop)
{
    const char *name, *attr;
    bool old;

    if (strncmp(prop->key, "worker.", 7) != 0 || global_key(prop->key))
        return;
    if (!split(ps->p, prop->key, &name, &attr)) {
        attr = prop->key + 7;
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line,
                        "attribute '%s' is not supported; allowed: worker.list, worker.maintain or worker.NAME.ATTRIBUTE", prop->key);
        return;
    }
    const jk_key *key = jk_keys_find(attr, &old);
    if (key == NULL)
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line, "attribute '%s' is not supported%s", prop->key, hint(ps, attr));
    else if (old || key->state == JK_KEY_IGNORED)
        jk_findings_add(ps->found, JK_FIND_INFO, prop->file, prop->line, "'%s' is deprecated: %s", prop->key,
                        old ? apr_pstrcat(ps->p, "use ", key->name, NULL) : key->help);
    if (strlen(name) > JK_NAME_MAX)
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line, "the worker's name has %" APR_SIZE_T_FMT " bytes; allowed: %d",
                        strlen(name), JK_NAME_MAX);
}

/* Quadratic, over a few hundred lines at most. */
static void check_duplicates(parse *ps)
{
    const apr_array_header_t *all = ps->props->all;

    for (int i = 0; i < all->nelts; i++) {
        const jk_prop *late = &APR_ARRAY_IDX(all, i, jk_prop);
        const char *name, *attr;
        bool old;
        if (!split(ps->p, late->key, &name, &attr))
            continue;
        const jk_key *key = jk_keys_find(attr, &old);
        if (key == NULL || key->type == JK_KEY_LIST)
            continue;
        for (int j = i - 1; j >= 0; j--) {
            const jk_prop *early = &APR_ARRAY_IDX(all, j, jk_prop);
            if (strcmp(early->key, late->key) != 0)
                continue;
            jk_findings_add(ps->found, JK_FIND_WARN, late->file, late->line,
                            "Duplicate key '%s' detected: it overrides the value of %s:%d", late->key, early->file, early->line);
            break;
        }
    }
}

/* ---- one worker's properties, its references' behind them ---- */

static const jk_prop *own(const parse *ps, const char *name, const char *attr)
{
    const char *key = apr_pstrcat(ps->p, "worker.", name, ".", attr, NULL);

    for (int i = ps->props->all->nelts; i-- > 0;)
        if (strcmp(APR_ARRAY_IDX(ps->props->all, i, jk_prop).key, key) == 0)
            return &APR_ARRAY_IDX(ps->props->all, i, jk_prop);
    return NULL;
}

static bool has_any(const parse *ps, const char *name)
{
    const char *prefix = apr_pstrcat(ps->p, "worker.", name, ".", NULL);

    for (int i = 0; i < ps->props->all->nelts; i++)
        if (strncmp(APR_ARRAY_IDX(ps->props->all, i, jk_prop).key, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* The attribute's property: the worker's own, under its name or the deprecated one, else that of what it refers to. */
static const jk_prop *find(const parse *ps, const char *name, const jk_key *key, int depth)
{
    const jk_prop *prop = own(ps, name, key->name), *ref;

    if (prop == NULL && key->alias)
        prop = own(ps, name, key->alias);
    if (prop || depth >= NESTING_MOST)
        return prop;
    ref = own(ps, name, "reference");
    return ref && strncmp(ref->value, "worker.", 7) == 0 ? find(ps, ref->value + 7, key, depth + 1) : NULL;
}

static void check_reference(parse *ps, const char *name)
{
    const jk_prop *ref = own(ps, name, "reference");

    for (int depth = 0; ref; depth++) {
        const char *target = strncmp(ref->value, "worker.", 7) == 0 ? ref->value + 7 : NULL;
        if (depth >= NESTING_MOST) {
            jk_findings_add(ps->found, JK_FIND_ERROR, ref->file, ref->line, "'%s' refers to itself, or through more than %d workers", ref->key,
                            NESTING_MOST);
            return;
        }
        if (target == NULL || !has_any(ps, target)) {
            jk_findings_add(ps->found, JK_FIND_ERROR, ref->file, ref->line, "'%s=%s': there are no such properties; allowed: worker.NAME of a "
                            "worker in this file", ref->key, ref->value);
            return;
        }
        ref = own(ps, target, "reference");
    }
}

/* ---- host and port ---- */

static bool number_of(const char *s, int *n)
{
    char *end;
    long value = strtol(s, &end, 10);

    *n = (int)value;
    return *s != '\0' && *end == '\0' && value >= 0 && value <= 65535;
}

/* name, name:port, [v6], [v6]:port, a bare v6 address, unix:/path */
static void set_host(parse *ps, jk_worker_conf *one, const jk_prop *prop)
{
    char *host = apr_pstrdup(ps->p, prop->value), *port = NULL;
    int n;

    if (strncmp(host, "unix:", 5) == 0) {
        one->unix_path = host + 5;
        apr_cpystrn(one->tune.host, host, sizeof one->tune.host);
        return;
    }
    if (*host == '[' && strchr(host, ']')) {
        char *close = strchr(host, ']');
        port = close[1] == ':' ? close + 2 : NULL;
        *close = '\0';
        host++;
    } else if (strchr(host, ':') && strchr(host, ':') == strrchr(host, ':')) {
        port = strchr(host, ':');
        *port++ = '\0';
    }
    if (port && number_of(port, &n))
        one->tune.port = n;
    else if (port)
        jk_findings_add(ps->found, JK_FIND_LENIENT, prop->file, prop->line, "'%s' is no port in %s; allowed: 0 to 65535; %d is used", port,
                        prop->key, one->tune.port);
    if (strlen(host) > JK_NAME_MAX)
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line, "the host's name has %" APR_SIZE_T_FMT " bytes; allowed: %d",
                        strlen(host), JK_NAME_MAX);
    apr_cpystrn(one->tune.host, host, sizeof one->tune.host);
}

/* ---- one worker ---- */

static void set_kind(parse *ps, jk_worker_conf *one, const jk_prop *prop)
{
    const char *type = prop ? prop->value : "ajp13";

    one->kind = JK_WORKER_AJP13;
    if (strcmp(type, "ajp13") == 0)
        return;
    one->listed = false; /* whatever it is, it cannot be made */
    if (strcmp(type, "lb") == 0 || strcmp(type, "status") == 0) {
        one->kind = *type == 'l' ? JK_WORKER_LB : JK_WORKER_STATUS;
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line, "worker '%s': the type %s is not built yet in this version; "
                        "allowed: ajp13", one->name, type);
    } else if (strcmp(type, "ajp12") == 0 || strcmp(type, "ajp14") == 0) {
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line, "worker '%s': the type %s is not supported any more; use ajp13",
                        one->name, type);
    } else {
        jk_findings_add(ps->found, JK_FIND_ERROR, prop->file, prop->line, "Unknown worker type %s for worker %s; allowed: ajp13, lb, status%s",
                        type, one->name,
                        jk_findings_hint(ps->p, type, (const char *const[]){ "ajp13", "status" }, 2));
    }
}

static void set_attribute(parse *ps, jk_worker_conf *one, const jk_key *key, const jk_prop *prop)
{
    if (!(key->kinds & (int)one->kind)) {
        jk_findings_add(ps->found, JK_FIND_LENIENT, prop->file, prop->line, "'%s' has no meaning for a worker of this type and is ignored",
                        prop->key);
        return;
    }
    if (key->state == JK_KEY_LATER)
        jk_findings_add(ps->found, JK_FIND_WARN, prop->file, prop->line, "'%s' is known, but not in force yet in this version", prop->key);
    jk_keys_set(key, prop, one, ps->found);
}

static void derive(jk_worker_conf *one, bool connect_set, bool acquire_set)
{
    jk_tune *t = &one->tune;
    int pause = t->retry_interval > 0 ? t->retry_interval : 0;

    if (!connect_set)
        one->socket_connect_timeout = one->socket_timeout > 0 ? one->socket_timeout * 1000 : CONNECT_DEFAULT;
    if (!acquire_set)
        t->connection_acquire_timeout = t->retries * pause;
    t->max_packet_size = (t->max_packet_size + 1023) / 1024 * 1024;
}

static void make_worker(parse *ps, const char *name, const char *file, int line)
{
    jk_worker_conf *one = apr_pcalloc(ps->p, sizeof *one);
    bool connect_set = false, acquire_set = false, old;

    *one = (jk_worker_conf){ .name = name, .file = file, .line = line, .listed = true, .secret = "" };
    jk_keys_defaults(one);
    apr_cpystrn(one->tune.host, "localhost", sizeof one->tune.host);
    check_reference(ps, name);
    set_kind(ps, one, find(ps, name, jk_keys_find("type", &old), 0));
    for (size_t i = 0; i < jk_keys_count; i++) {
        const jk_prop *prop = find(ps, name, &jk_keys[i], 0);
        if (prop == NULL)
            continue;
        set_attribute(ps, one, &jk_keys[i], prop);
        connect_set |= strcmp(jk_keys[i].name, "socket_connect_timeout") == 0;
        acquire_set |= strcmp(jk_keys[i].name, "connection_acquire_timeout") == 0;
    }
    const jk_prop *host = find(ps, name, jk_keys_find("host", &old), 0);
    if (host && one->kind == JK_WORKER_AJP13) /* after the port: a port in the host's value wins */
        set_host(ps, one, host);
    derive(one, connect_set, acquire_set);
    APR_ARRAY_PUSH(ps->conf->workers, jk_worker_conf *) = one;
}

static void make_list(parse *ps, const jk_prop *list)
{
    char *rest = apr_pstrdup(ps->p, list->value), *state;

    for (char *name = apr_strtok(rest, " \t,", &state); name; name = apr_strtok(NULL, " \t,", &state)) {
        if (jk_workers_find(ps->conf, name))
            jk_findings_add(ps->found, JK_FIND_INFO, list->file, list->line, "worker '%s' stands in worker.list twice", name);
        else
            make_worker(ps, name, list->file, list->line);
    }
}

jk_workers_conf *jk_workers_parse(apr_pool_t *p, const jk_workers_input *in, jk_findings *found)
{
    parse ps = { p, found, jk_props_make(p, in->env), apr_palloc(p, sizeof *ps.conf) };
    bool listed = false;

    ps.conf->workers = apr_array_make(p, 8, sizeof(jk_worker_conf *));
    for (int i = 0; i < in->nlines; i++)
        jk_props_line(ps.props, found, in->lines[i].value, in->lines[i].file, in->lines[i].line);
    if (in->file) {
        jk_props_line(ps.props, found, apr_pstrcat(p, "ServerRoot=", in->server_root, NULL), in->file, 0);
        jk_props_text(ps.props, found, in->text, in->file);
    }
    for (int i = 0; i < ps.props->all->nelts; i++)
        check_key(&ps, &APR_ARRAY_IDX(ps.props->all, i, jk_prop));
    check_duplicates(&ps);
    for (int i = 0; i < ps.props->all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(ps.props->all, i, jk_prop);
        if (strcmp(prop->key, "worker.list") != 0)
            continue;
        listed = true;
        make_list(&ps, prop);
    }
    if (!listed)
        make_worker(&ps, "ajp13", in->file, 0);
    return ps.conf;
}

const jk_worker_conf *jk_workers_find(const jk_workers_conf *conf, const char *name)
{
    for (int i = 0; i < conf->workers->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(conf->workers, i, jk_worker_conf *)->name, name) == 0)
            return APR_ARRAY_IDX(conf->workers, i, jk_worker_conf *);
    return NULL;
}
