/* tools/jkconf_host.c - httpd's own way to look for a virtual host: chains of hosts, one for each address and port, walked in the order of the
 * file; the first of a chain is its default. */
#include "jkconf_host.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <string.h>

/* The hosts of one address and port. */
typedef struct chain {
    const char *address; /* NULL: any */
    int port;            /* 0: any */
    apr_array_header_t *members; /* of member, the last of the file first */
} chain;

typedef struct member {
    const server_rec *s;
    const server_addr_rec *as;
} member;

typedef struct hunt {
    apr_pool_t *p;
    apr_array_header_t *chains; /* of chain * */
} hunt;

static bool is_any(const server_addr_rec *a)
{
    const char *t = a->virthost;

    return strcmp(t, "*") == 0 || strcasecmp(t, "_default_") == 0 || strcmp(t, "0.0.0.0") == 0 || strcmp(t, "[::]") == 0;
}

static bool same_address(const char *a, const char *b)
{
    size_t n = strlen(a);

    if (*a == '[' && n > 2 && a[n - 1] == ']')
        return strlen(b) == n - 2 && strncasecmp(a + 1, b, n - 2) == 0;
    return strcasecmp(a, b) == 0;
}

/* The port's own chain, or that of all ports. `address` NULL: of those of any address. */
static chain *chain_of(const hunt *h, const char *address, int port)
{
    chain *found = NULL;

    for (int i = 0; i < h->chains->nelts; i++) {
        chain *c = APR_ARRAY_IDX(h->chains, i, chain *);
        if ((address == NULL) != (c->address == NULL) || (address && !same_address(c->address, address)))
            continue;
        if (c->port == port)
            return c;
        if (c->port == 0)
            found = c;
    }
    return found;
}

static void add(const hunt *h, const server_rec *s, const server_addr_rec *a)
{
    const char *address = is_any(a) ? NULL : a->virthost;
    chain *c = chain_of(h, address, a->host_port);

    if (c == NULL || c->port != a->host_port) {
        c = apr_pcalloc(h->p, sizeof *c);
        c->address = address;
        c->port = a->host_port;
        c->members = apr_array_make(h->p, 4, sizeof(member));
        APR_ARRAY_PUSH(h->chains, chain *) = c;
    }
    APR_ARRAY_PUSH(c->members, member) = (member){ s, a };
}

/* ---- names ---- */

static const char *alias_of(const server_rec *s, const char *host)
{
    for (int i = 0; i < s->names->nelts; i++)
        if (strcasecmp(APR_ARRAY_IDX(s->names, i, char *), host) == 0)
            return APR_ARRAY_IDX(s->names, i, char *);
    for (int i = 0; i < s->wild_names->nelts; i++)
        if (apr_fnmatch(APR_ARRAY_IDX(s->wild_names, i, char *), host, APR_FNM_CASE_BLIND | APR_FNM_NOESCAPE) == APR_SUCCESS)
            return APR_ARRAY_IDX(s->wild_names, i, char *);
    return NULL;
}

static const char *fits(apr_pool_t *p, const server_rec *s, const char *host)
{
    const char *alias;

    if (s->server_hostname && strcasecmp(s->server_hostname, host) == 0)
        return "by its ServerName";
    alias = alias_of(s, host);
    return alias ? apr_psprintf(p, "by ServerAlias %s", alias) : NULL;
}

static const char *named(const chain *c)
{
    return c->address ? c->address : "*";
}

static jkconf_met in_chain(apr_pool_t *p, const chain *c, const char *host)
{
    const member *first = &APR_ARRAY_IDX(c->members, c->members->nelts - 1, member), *by_address = NULL;
    const char *how, *where = c->port ? apr_psprintf(p, "%s:%d", named(c), c->port) : named(c);

    for (int i = c->members->nelts - 1; *host && i >= 0; i--) {
        const member *m = &APR_ARRAY_IDX(c->members, i, member);
        if ((how = fits(p, m->s, host)) != NULL)
            return (jkconf_met){ m->s, how, NULL };
        if (by_address == NULL && same_address(m->as->virthost, host))
            by_address = m;
    }
    if (by_address)
        return (jkconf_met){ by_address->s, "by the name in <VirtualHost>", NULL };
    if (c->members->nelts == 1)
        return (jkconf_met){ first->s, apr_psprintf(p, "the only one of %s", where), NULL };
    return (jkconf_met){ first->s, *host ? apr_psprintf(p, "the first of %s, since no name there is %s", where, host) :
                         apr_psprintf(p, "the first of %s, since no name is asked for", where), NULL };
}

/* Those of an address that the request might come to, for all that is known. */
static apr_array_header_t *unknown_addresses(const hunt *h, const char *address, int port)
{
    apr_array_header_t *doubts = apr_array_make(h->p, 2, sizeof(const char *));

    for (int i = 0; address == NULL && i < h->chains->nelts; i++) {
        const chain *c = APR_ARRAY_IDX(h->chains, i, const chain *);
        const server_rec *s = APR_ARRAY_IDX(c->members, c->members->nelts - 1, member).s;
        if (c->address && (c->port == 0 || c->port == port))
            APR_ARRAY_PUSH(doubts, const char *) = apr_psprintf(h->p, "%s:%u: a virtual host of the address %s alone is not looked at: --address "
                                                                "says which one the request comes to", s->defn_name, s->defn_line_number, c->address);
    }
    return doubts;
}

jkconf_met jkconf_host_find(apr_pool_t *p, const server_rec *main_server, const char *address, int port, const char *host)
{
    hunt h = { p, apr_array_make(p, 4, sizeof(chain *)) };
    jkconf_met met;
    const chain *c;

    for (const server_rec *s = main_server->next; s; s = s->next)
        for (const server_addr_rec *a = s->addrs; a; a = a->next)
            add(&h, s, a);
    c = chain_of(&h, address ? address : host, port);
    if (c && address == NULL)
        address = host;
    if (c == NULL)
        c = chain_of(&h, NULL, port);
    if (c)
        met = in_chain(p, c, host);
    else
        met = (jkconf_met){ main_server, main_server->next ? apr_psprintf(p, "no virtual host has the port %d", port) :
                            "there are no virtual hosts", NULL };
    met.doubts = unknown_addresses(&h, address, port);
    return met;
}

const char *jkconf_host_name(apr_pool_t *p, const server_rec *s)
{
    if (!s->is_virtual)
        return "main server";
    return apr_psprintf(p, "virtual host %s %s:%u", s->server_hostname ? s->server_hostname : "-", s->defn_name, s->defn_line_number);
}
