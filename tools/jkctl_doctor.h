/* tools/jkctl_doctor.h - `jkctl doctor`: all containers of a configuration, asked side by side, and what is wrong with each. */
#ifndef JKCTL_DOCTOR_H
#define JKCTL_DOCTOR_H

#include "jkctl_look.h"

#include <stdint.h>

#define JKC_DOCTOR_ATTRIBUTES 32

/* NULL and 0: not given. */
typedef struct jkc_doctor {
    const char *conf, *workers; /* httpd.conf; a workers file. Neither: httpd.conf where distributions have it */
    const char *only;           /* this worker, or the members of this balancer */
    const char *path, *host, *remote_user, *httpd_user;
    const char *attributes[JKC_DOCTOR_ATTRIBUTES]; /* NAME=VALUE */
    size_t nattributes;
    int64_t budget; /* ms for one worker */
    bool json, colours;
} jkc_doctor;

/* JKC_GOOD; JKC_DEGRADED: there are warnings; JKC_BAD: there are faults; JKC_CANNOT_ASK: no configuration; JKC_REFUSED: no such worker. */
jkc_exit jkc_doctor_run(const jkc_doctor *how);

#endif
