/* native/conf/rating.h - what a status worker calls good and bad. Room-private. */
#ifndef JK_CONF_RATING_H
#define JK_CONF_RATING_H

#include "source.h"

/* Sets good_when and bad_when from the lists. */
void jk_rating_derive(jk_parse *ps, jk_worker_conf *status);

#endif
