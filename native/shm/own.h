/* native/shm/own.h - the handle of a process. The room's own. */
#ifndef JK_SHM_OWN_H
#define JK_SHM_OWN_H

#include "layout.h"

#include "jk/shm/shm.h"

struct jk_shm {
    jk_layout_header *seg;
    jk_layout_row *row; /* of this process; the overflow row before jk_shm_child_begin() and where none was free */
    uint32_t generation;
};

#endif
