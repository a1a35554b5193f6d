/* native/conf/workers.c - from properties to all workers: who is in the list, who is a member, how often maintenance is done. What one
 * worker is made of is build's and derive's. */
#include "jk/conf/workers.h"

#include "build.h"
#include "jk/conf/values.h"
#include "members.h"
#include "sense.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <stdlib.h>

#define SUN_PATH_MOST 107 /* bytes of a Unix socket's path, without its NUL */

/* ---- host ---- */

static bool is_port(const char *s, int32_t *port)
{
    char *end;
    long value = strtol(s, &end, 10);

    *port = (int32_t)value;
    return apr_isdigit(*s) && *end == '\0' && value >= 0 && value <= 65535;
}

/* A '%' begins the zone of an address. */
static bool is_v6(const char *name)
{
    char address[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    size_t n = strcspn(name, "%");

    if (n >= sizeof address)
        return false;
    apr_cpystrn(address, name, n + 1);
    return inet_pton(AF_INET6, address, bytes) == 1;
}

/* '_' is no letter of a host's name, and yet in use. */
static bool is_host_byte(char c)
{
    return apr_isalnum(c) || strchr("-._:%", c);
}

static const char *wrong_bytes(const char *name)
{
    if (strstr(name, "$(")) /* of which there is a finding already */
        return NULL;
    while (*name && is_host_byte(*name))
        name++;
    if (*name == '"' || *name == '\'')
        return "there is a quote in it: write it without";
    if (*name & 0x80)
        return "there is a byte in it that is no ASCII; allowed: the name as the name service has it (xn--..)";
    return *name ? "there is a character in it that no host's name has; allowed: one name or address" : NULL;
}

static const char *wrong_name(const char *name)
{
    if (strstr(name, "//"))
        return "it is no URL; allowed: name, name:port, [v6]:port, unix:/path";
    if (*name == '\0')
        return "there is no name in it";
    if (strchr(name, ':') && !is_v6(name))
        return "there is more than one ':' in it, and it is no IPv6 address; allowed: name, name:port, [v6]:port, unix:/path";
    if (strchr(name, '/'))
        return "there is a '/' in it; allowed: name, name:port, [v6]:port, unix:/path";
    return wrong_bytes(name);
}

static const char *unix_host(const char *text, jk_host *out)
{
    out->is_unix = true;
    if (text[5] != '/')
        return "a Unix socket's path begins with a '/'";
    if (strlen(text + 5) > SUN_PATH_MOST)
        return "a Unix socket's path has at most 107 bytes";
    apr_cpystrn(out->name, text, sizeof out->name);
    return NULL;
}

/* Where the name ends, and where the port begins (NULL: there is none). */
static const char *name_end(const char *text, bool brackets, const char **port)
{
    const char *end = brackets ? strchr(text, ']') : strchr(text, ':');

    *port = NULL;
    if (brackets) {
        *port = end[1] ? end + 1 : NULL;
        return end;
    }
    if (end == NULL || strchr(end + 1, ':')) /* none, or a bare IPv6 address */
        return text + strlen(text);
    *port = end;
    return end;
}

const char *jk_workers_host(const char *text, jk_host *out)
{
    bool brackets = *text == '[' && strchr(text, ']');
    const char *port, *end;

    *out = (jk_host){ "", -1, false };
    if (strncmp(text, "unix:", 5) == 0)
        return unix_host(text, out);
    end = name_end(text, brackets, &port);
    text += brackets;
    if (end - text > JK_NAME_MAX)
        return "a host's name has at most 255 bytes";
    apr_cpystrn(out->name, text, (apr_size_t)(end - text) + 1);
    const char *wrong = wrong_name(out->name);
    if (wrong || port == NULL)
        return wrong;
    int32_t n;
    if (*port != ':' || !is_port(port + 1, &n))
        return "what follows the ':' is no port; allowed: 0 to 65535";
    out->port = n;
    return NULL;
}

/* ---- names ---- */

bool jk_workers_name_fits(const char *name)
{
    return strlen(name) <= JK_NAME_MAX;
}

/* Names go into keys of files, logs, and the pages of the status worker. */
const char *jk_workers_name(const char *name)
{
    if (*name == '\0')
        return "it is empty";
    if (!jk_workers_name_fits(name))
        return "it has more than 255 bytes";
    for (; *name; name++)
        if ((*name & 0x80) || !(apr_isalnum(*name) || strchr("-_.:@+", *name)))
            return "allowed: letters and digits of ASCII, and - _ . : @ +";
    return NULL;
}

/* ---- the list ---- */

static void make_list(jk_parse *ps, const jk_prop *list)
{
    apr_array_header_t *names = apr_array_make(ps->p, 8, sizeof(const char *));

    jk_values_words(names, list->value);
    if (names->nelts == 0)
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(list), "worker.list names no worker; allowed: NAME,NAME");
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        if (!jk_workers_name_fits(name))
            jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(list), "the worker's name has %" APR_SIZE_T_FMT " bytes; allowed: %d",
                            strlen(name), JK_NAME_MAX);
        else if (jk_workers_find(ps->conf, name))
            jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(list), "worker '%s' stands in worker.list twice",
                            jk_props_shown(ps->p, list, name));
        else
            jk_build_worker(ps, name, list, true);
    }
}

static void make_workers(jk_parse *ps, const char *file)
{
    const apr_array_header_t *all = ps->props->all;
    bool listed = false;

    for (int i = 0, n = all->nelts; i < n; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(all, i, jk_prop);
        if (strcmp(prop->key, "worker.list") != 0)
            continue;
        listed = true;
        make_list(ps, prop);
    }
    if (!listed)
        jk_build_worker(ps, "ajp13", &(jk_prop){ "", "", file, 0 }, true);
}

/* Members are made behind all that is listed, whose places in the list must not change. */
static void make_members(jk_parse *ps)
{
    for (int i = 0, n = ps->conf->workers->nelts; i < n; i++) {
        jk_worker_conf *one = APR_ARRAY_IDX(ps->conf->workers, i, jk_worker_conf *);
        if (one->kind == JK_WORKER_LB)
            jk_members_make(ps, one);
    }
}

static void check_mounts(jk_parse *ps)
{
    for (int i = 0; i < ps->conf->workers->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(ps->conf->workers, i, jk_worker_conf *);
        const jk_prop *mount = jk_source_last(ps, one->name, "mount");
        if (mount && !one->listed && one->kind == JK_WORKER_AJP13)
            jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(mount), "%s has no effect: worker '%s' is not in worker.list", mount->key,
                            jk_source_shown(ps, one->name));
    }
}

static int32_t maintain_of(jk_parse *ps)
{
    const jk_key *key = jk_keys_of("worker.maintain");
    const jk_prop *last = &(jk_prop){ "worker.maintain", key->dflt, NULL, 0 };

    for (int i = 0; i < ps->props->all->nelts; i++)
        if (jk_keys_of(APR_ARRAY_IDX(ps->props->all, i, jk_prop).key) == key)
            last = &APR_ARRAY_IDX(ps->props->all, i, jk_prop);
    return jk_values_number(key, last, ps->found);
}

static jk_props *read_props(apr_pool_t *p, const jk_workers_input *in, jk_findings *found)
{
    jk_props *props = jk_props_make(p, in->env);

    for (int i = 0; i < in->nlines; i++)
        jk_props_line(props, found, in->lines[i].value, in->lines[i].file, in->lines[i].line);
    if (in->file) {
        jk_props_define(props, "ServerRoot", in->server_root ? in->server_root : "", in->file);
        jk_props_text(props, found, in->text, in->file);
    }
    jk_props_close(props, found);
    return props;
}

jk_workers_conf *jk_workers_parse(apr_pool_t *p, const jk_workers_input *in, jk_findings *found)
{
    jk_workers_conf *conf = apr_pcalloc(p, sizeof *conf);
    jk_parse ps = { .p = p, .found = found, .props = read_props(p, in, found), .conf = conf,
                    .sources = apr_hash_make(p), .order = apr_array_make(p, 8, sizeof(jk_source *)),
                    .hidden = apr_hash_make(p), .kinds = in->kinds ? in->kinds : JK_WORKER_AJP13 };

    *conf = (jk_workers_conf){ apr_array_make(p, 8, sizeof(jk_worker_conf *)), apr_hash_make(p), 0, ps.props };
    jk_source_gather(&ps);
    jk_source_resolve(&ps);
    conf->maintain = maintain_of(&ps);
    make_workers(&ps, in->file);
    make_members(&ps);
    check_mounts(&ps);
    jk_sense_check(&ps);
    return conf;
}

const jk_worker_conf *jk_workers_find(const jk_workers_conf *conf, const char *name)
{
    return apr_hash_get(conf->by_name, name, APR_HASH_KEY_STRING);
}
