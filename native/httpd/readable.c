/* native/httpd/readable.c - modes alone: nobody becomes another user for this. An access control list may allow more, so that what comes of it
 * is a warning and no error. */
#include "readable.h"

#include <apr_strings.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ap_config.h>
#include <httpd.h>
#include <unixd.h>

#define GROUPS_MOST 256

typedef struct identity {
    uid_t user;
    gid_t groups[GROUPS_MOST];
    int ngroups;
} identity;

/* As the children get them: the Group, and those that the user is in besides. */
static identity children(void)
{
    identity who = { .user = ap_unixd_config.user_id, .ngroups = GROUPS_MOST };
    const struct passwd *entry = getpwuid(who.user);

    if (entry == NULL || getgrouplist(entry->pw_name, ap_unixd_config.group_id, who.groups, &who.ngroups) < 0) {
        who.groups[0] = ap_unixd_config.group_id;
        who.ngroups = 1;
    }
    return who;
}

static bool in_group(const identity *who, gid_t group)
{
    for (int i = 0; i < who->ngroups; i++)
        if (who->groups[i] == group)
            return true;
    return false;
}

/* `bit`: 4 to read, 1 to pass through. */
static bool allows(const identity *who, const char *path, mode_t bit)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    if (st.st_uid == who->user)
        return st.st_mode & bit << 6;
    return st.st_mode & (in_group(who, st.st_gid) ? bit << 3 : bit);
}

bool jk_readable_by_children(apr_pool_t *p, const char *path)
{
    identity who;

    if (geteuid() != 0) /* they are who we are */
        return true;
    who = children();
    if (who.user == 0)
        return true;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (!allows(&who, slash == path ? "/" : apr_pstrmemdup(p, path, (apr_size_t)(slash - path)), 1))
            return false;
    return allows(&who, path, 4);
}
