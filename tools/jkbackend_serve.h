/* tools/jkbackend_serve.h - one connection, from its first packet to its end. */
#ifndef JKBACKEND_SERVE_H
#define JKBACKEND_SERVE_H

#include "jkbackend_pages.h"

/* Serves until the connection ends; `serial` is its number. Does not close it. */
void jkb_serve(jkb_server *server, jkb_wire *wire, uint64_t serial);

#endif
