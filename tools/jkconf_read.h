/* tools/jkconf_read.h - reads httpd's configuration as httpd does, without httpd: lines and their continuation, sections, Define and ${NAME},
 * <IfDefine>, <IfModule>, <IfVersion>, <IfFile>, <IfDirective>, <IfSection>, Include with wildcards, ServerRoot.
 *
 * What comes out is httpd's own tree of directives, those of all modules: who means some looks for their names. What cannot be read as httpd
 * would (a macro, a module that is perhaps linked in) is a finding. The files named by Include are opened, and nothing else. */
#ifndef JKCONF_READ_H
#define JKCONF_READ_H

#include "jk/conf/findings.h"

#include <util_cfgtree.h>

typedef struct jkconf_reader {
    apr_pool_t *p;
    jk_findings *found;
    const char *root;             /* ServerRoot */
    const char *beside;           /* while nobody has said which: where the first file lies, for what is there and not below `root`; else NULL */
    apr_table_t *defines;         /* -D and Define: name -> value */
    apr_table_t *modules;         /* names that <IfModule> may use -> "" */
    apr_array_header_t *doubts;   /* of const char *: what was decided without knowing it, with file:line */
    bool guesses;                 /* nobody but the configuration may say ServerRoot */
    bool shallow;                 /* Include is not followed */
    int depth;
    int lines, files;             /* so far: bounds for who includes himself, or a directory that is none of configurations */
} jkconf_reader;

/* `root` is used until ServerRoot says another; NULL: that of the httpd for which this was built. It allocates from p, for good. */
jkconf_reader *jkconf_read_make(apr_pool_t *p, const char *root, jk_findings *found);

/* As -D NAME does, or NAME=VALUE. */
void jkconf_read_define(jkconf_reader *r, const char *text);

/* As LoadModule does: "rewrite", "rewrite_module" or "mod_rewrite.c". */
void jkconf_read_module(jkconf_reader *r, const char *name);

/* Reads a file, or text that is called `name`; the first node is found through *tree, behind what was there. false: it cannot be read, which is
 * a finding. */
bool jkconf_read_file(jkconf_reader *r, const char *path, ap_directive_t **tree);
void jkconf_read_text(jkconf_reader *r, const char *text, size_t len, const char *name, ap_directive_t **tree);

/* The next word of a directive's arguments, in quotes or not, without them; *line moves behind it and the blanks there. */
char *jkconf_read_word(apr_pool_t *p, const char **line);

/* The same with ${NAME} in their place. */
char *jkconf_read_resolved(jkconf_reader *r, const char *text, const ap_directive_t *at);

/* The same by the reader, of a file that is to be there: it may lie beside the configuration instead. NULL: it is none. */
char *jkconf_read_below(jkconf_reader *r, const char *path);

/* A path below ServerRoot; NULL: it is none. */
char *jkconf_read_path(apr_pool_t *p, const char *root, const char *path);

/* Has it this name, whatever the case? A section's begins with '<'. */
bool jkconf_read_is(const ap_directive_t *node, const char *name);

/* The arguments of a section without its '>'. */
const char *jkconf_read_section(apr_pool_t *p, const ap_directive_t *node);

#endif
