/* native/httpd/access.c - modes, owners and groups. */
#include "access.h"

#include <apr_strings.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif
#include <unistd.h>
#include <unixd.h>

#define GROUPS_MOST 256

struct jk_access {
    const char *name;
    uid_t uid;
    gid_t groups[GROUPS_MOST];
    int ngroups;
};

const jk_access *jk_access_of_children(apr_pool_t *p)
{
    const unixd_config_rec *is = &ap_unixd_config;
    jk_access *who = apr_pcalloc(p, sizeof *who);
    const struct passwd *user;

    if (geteuid() != 0 || is->user_id == 0 || is->user_id == (uid_t)-1)
        return NULL;
    user = getpwuid(is->user_id);
    who->uid = is->user_id;
    who->name = user ? apr_pstrdup(p, user->pw_name) : apr_psprintf(p, "#%lu", (unsigned long)is->user_id);
    who->ngroups = GROUPS_MOST;
    if (user == NULL || getgrouplist(who->name, is->group_id, who->groups, &who->ngroups) < 0) {
        who->groups[0] = is->group_id;
        who->ngroups = 1;
    }
    return who;
}

const char *jk_access_name(const jk_access *who)
{
    return who->name;
}

static bool has_list(const char *path)
{
#ifdef __linux__
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
#else
    (void)path;
    return false;
#endif
}

static bool in_group(const jk_access *who, gid_t gid)
{
    for (int i = 0; i < who->ngroups; i++)
        if (who->groups[i] == gid)
            return true;
    return false;
}

/* who NULL: one whom the modes do not know. */
static bool may(const jk_access *who, const char *path, int what)
{
    struct stat st;
    int shift = 0;

    if (stat(path, &st) != 0)
        return false;
    if (who && has_list(path))
        return true;
    if (who && who->uid == st.st_uid)
        shift = 6;
    else if (who && in_group(who, st.st_gid))
        shift = 3;
    return ((int)(st.st_mode >> shift) & what) == what;
}

static bool may_reach(const jk_access *who, const char *path, int what)
{
    char real[PATH_MAX];

    if (realpath(path, real) == NULL || !may(who, real, what))
        return false;
    for (char *slash = strrchr(real, '/'); slash; slash = strrchr(real, '/')) {
        *slash = '\0';
        if (!may(who, *real ? real : "/", JK_ACCESS_ENTER))
            return false;
    }
    return true;
}

bool jk_access_may(const jk_access *who, const char *path, int what)
{
    return who == NULL || may_reach(who, path, what);
}

bool jk_access_all_may(const char *path, int what)
{
    return may_reach(NULL, path, what);
}

/* In a sticky directory nobody replaces another's file. */
static bool is_open(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & S_IWOTH) && !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX)) && !S_ISCHR(st.st_mode);
}

const char *jk_access_open_to_all(apr_pool_t *p, const char *path)
{
    char real[PATH_MAX];

    if (realpath(path, real) == NULL)
        return NULL;
    for (;;) {
        if (is_open(*real ? real : "/"))
            return apr_pstrdup(p, *real ? real : "/");
        char *slash = strrchr(real, '/');
        if (slash == NULL)
            return NULL;
        *slash = '\0';
    }
}
