/* native/httpd/handler.h - the hooks of a request: map it, and have it answered. */
#ifndef JK_HTTPD_HANDLER_H
#define JK_HTTPD_HANDLER_H

#include <httpd.h>

#include <stdbool.h>

int jk_handler_translate(request_rec *r);
int jk_handler_map_to_storage(request_rec *r);
int jk_handler_run(request_rec *r);

/* Was this request a worker's, whatever came of it? */
bool jk_handler_has_taken(request_rec *r);

#endif
