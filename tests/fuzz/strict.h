/* tests/fuzz/strict.h - strict readers of what native/status writes: each ends the run where a text is not of its format to the letter, and
 * gives its skeleton: what of it is not a value. Two pages that differ in values alone have one skeleton. */
#ifndef JK_FUZZ_STRICT_H
#define JK_FUZZ_STRICT_H

#include "promise.h"

/* Well-formed XML 1.0 in UTF-8, of the entities that need no DTD. The skeleton: tags, and the names of their attributes. To be freed. */
char *strict_xml(jk_span text);

/* The same, and what a page may hold: no script, no handler of events, links that stay on this server. The parts of a link are in the skeleton. */
char *strict_page(jk_span text);

/* Lines of key=value behind a label, or key=value alone (prop): no control character, quotes that end, backslashes that escape. The skeleton: as
 * many newlines as there are lines. To be freed, as all of them. */
char *strict_txt(jk_span text);
char *strict_prop(jk_span text);

/* Samples, comments and the end, as OpenMetrics 1.0 has them. */
char *strict_metrics(jk_span text);

#endif
