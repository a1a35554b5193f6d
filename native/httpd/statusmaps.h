/* native/httpd/statusmaps.h - the mounts of all servers as the status page shows them. */
#ifndef JK_HTTPD_STATUSMAPS_H
#define JK_HTTPD_STATUSMAPS_H

#include "config.h"

#include "jk/status/view.h"

/* Of jk_view_map, in r's pool, with which the maps are held. Rule files are looked at now, whatever JkMountFileReload says. */
apr_array_header_t *jk_statusmaps_make(request_rec *r, server_rec *main_server);

/* Those that are counted, for metrics: of jk_metrics_mount, each place once, and one for all that have none. Likewise. */
apr_array_header_t *jk_statusmaps_mounts(request_rec *r, server_rec *main_server);

#endif
