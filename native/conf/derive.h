/* native/conf/derive.h - values that follow from others, once all that was written is in the struct. Room-private. */
#ifndef JK_CONF_DERIVE_H
#define JK_CONF_DERIVE_H

#include "source.h"

void jk_derive_worker(jk_parse *ps, jk_worker_conf *one);

#endif
