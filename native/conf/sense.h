/* native/conf/sense.h - what is right line by line and makes no sense together. Room-private. */
#ifndef JK_CONF_SENSE_H
#define JK_CONF_SENSE_H

#include "source.h"

/* After all workers are made: adds findings and changes nothing. */
void jk_sense_check(jk_parse *ps);

#endif
