/* native/httpd/statusmaps.h - the mounts of all servers as the status page shows them. */
#ifndef JK_HTTPD_STATUSMAPS_H
#define JK_HTTPD_STATUSMAPS_H

#include "config.h"

#include "jk/status/view.h"

/* Of jk_view_map, in r's pool, with which the maps are held. Rule files are looked at now, whatever JkMountFileReload says. */
apr_array_header_t *jk_statusmaps_make(request_rec *r, server_rec *main_server);

#endif
