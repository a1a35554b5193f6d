/* native/conf/members.h - the members of an lb worker, and what must fit among them. Room-private. */
#ifndef JK_CONF_MEMBERS_H
#define JK_CONF_MEMBERS_H

#include "source.h"

/* Fills lb->members; makes the workers that worker.list does not name. */
void jk_members_make(jk_parse *ps, jk_worker_conf *lb);

#endif
