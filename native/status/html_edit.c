/* native/status/html_edit.c - forms. What may be edited, and by which parameter, is the table of status/edit; what a value may be stands in
 * conf/keys. A form that was refused is shown again with what was sent. */
#include "html.h"

#include "jk/conf/values.h"
#include "jk/status/edit.h"

#include <apr_strings.h>

bool jk_html_may_change(const jk_page *page)
{
    return page->view && *page->view->from.token && !page->ask->read_only;
}

/* ---- the form itself ---- */

static void hidden(jk_page *page, const char *name, const char *value)
{
    if (value)
        jk_html_put(page, "<input type='hidden' name='%s' value='%s'/>", name, value);
}

static const char *number(apr_pool_t *p, int n)
{
    return n > 0 ? apr_itoa(p, n) : NULL;
}

static void begin_form(jk_page *page, const char *cmd, const char *w, const char *sw, const char *kind)
{
    const jk_html_to to = { .re = -1, .flip = page->ask->opt };

    jk_html_put(page, "<form method='post' action='%s' class='%s'>", jk_html_url(page, &to), kind);
    hidden(page, "token", page->view->from.token);
    hidden(page, "cmd", cmd);
    hidden(page, "w", w);
    hidden(page, "sw", sw);
    hidden(page, "from", jk_html_from(page));
    hidden(page, "psw", page->ask->sw && page->ask->command->does & JK_CMD_ONE ? page->ask->sw : NULL);
    hidden(page, "re", number(page->p, page->ask->refresh));
    hidden(page, "opt", number(page->p, (int)page->ask->opt));
}

void jk_html_button_put(jk_page *page, const jk_html_button *button)
{
    begin_form(page, button->cmd, button->w, button->sw, "one");
    if (button->param)
        hidden(page, button->param, button->value);
    jk_html_put(page, "<button type='submit' class='%s'>%s</button></form>", button->kind, button->text);
}

/* ---- one value ---- */

static const char *value_of(const jk_page *page, const jk_key *key, const jk_view_worker *w)
{
    jk_worker_conf copy = *w->worker->conf;

    copy.tune = w->now;
    return apr_pstrdup(page->p, jk_values_text(page->p, key, &copy)); /* a text lies in the copy */
}

static void put_options(jk_page *page, const jk_key *key, const char *now)
{
    static const jk_key_word flags[] = { { "true", "", 1 }, { "false", "", 0 }, { NULL } };
    int32_t last = INT32_MIN;

    for (const jk_key_word *w = key->words ? key->words : flags; w->word; w++) {
        if (w->value == last)
            continue;
        last = w->value;
        jk_html_put(page, strcasecmp(w->word, now) == 0 ? "<option selected='selected'>%s</option>" : "<option>%s</option>", w->word);
    }
}

/* `id` is unique on the page, `name` what is sent. */
static void put_control(jk_page *page, const jk_key *key, const char *id, const char *name, const char *value)
{
    bool is_number = key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE;

    if (key->words || key->type == JK_KEY_BOOL) {
        jk_html_put(page, "<select id='%s' name='%s'>", id, name);
        put_options(page, key, value);
        jk_html_put(page, "</select>");
        return;
    }
    jk_html_put(page, "<input id='%s' name='%s' value='%s' class='%s' autocomplete='off' spellcheck='false'/>", id, name, value, is_number ?
                "number" : "text");
    if (*key->unit)
        jk_html_put(page, "<span class='unit'>%s</span>", key->unit);
}

static const jk_view_edit *edit_of(const jk_view_worker *w, const char *name)
{
    for (int i = 0; i < w->edits->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(w->edits, i, jk_view_edit).name, name) == 0)
            return &APR_ARRAY_IDX(w->edits, i, jk_view_edit);
    return NULL;
}

/* What a refused form was sent with; else `now`. */
static const char *sent_or(const jk_page *page, const char *param, const char *now)
{
    const char *sent = jk_result_ok(page->result) ? NULL : jk_query_get(&page->ask->query, param);

    return sent ? sent : now;
}

static void put_field(jk_page *page, const jk_attribute *a, const jk_view_worker *w)
{
    const jk_key *key = jk_attribute_key(a);
    const jk_view_edit *edit = edit_of(w, key->name);

    jk_html_put(page, "<div class='field'><label for='%s'>%s</label><div class='control'>", a->param, key->name);
    put_control(page, key, a->param, a->param, sent_or(page, a->param, value_of(page, key, w)));
    jk_html_put(page, "</div><p class='help'>%s", key->help);
    if (edit)
        jk_html_put(page, " <span class='edited'>The file says %s.</span>", *edit->file ? edit->file : "nothing");
    jk_html_put(page, "</p></div>\n");
}

/* ---- all values of one worker ---- */

static void put_worker_form(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    unsigned of = w->members ? JK_OF_LB : lb ? JK_OF_MEMBER : JK_OF_AJP;

    jk_html_section(page, "edit", apr_pstrcat(page->p, "Edit ", w->name, NULL),
                    lb ? apr_pstrcat(page->p, "member of ", lb->name, NULL) : w->members ? "balancer" : "ajp13");
    begin_form(page, "update", lb ? lb->name : w->name, lb ? w->name : NULL, "fields");
    for (const jk_attribute *a = jk_attributes; a->param; a++)
        if (a->of & of)
            put_field(page, a, w);
    jk_html_put(page, "<div class='submit'><button type='submit' class='main'>Save</button><p class='mute'>In force at once in all processes, "
                      "until the value is edited in the file or the server is stopped; JkStateFile keeps it over a stop, "
                      "too.</p></div></form></section>\n");
}

/* ---- one value of all members ---- */

static const jk_attribute *attribute_of(const char *param)
{
    for (const jk_attribute *a = jk_attributes; param && a->param; a++)
        if (strcmp(a->param, param) == 0 && (a->of & JK_OF_MEMBER) && !a->alone)
            return a;
    return NULL;
}

static void put_choices(jk_page *page, const jk_view_worker *lb, const jk_attribute *now)
{
    jk_html_section(page, "column", "One attribute of several members", "");
    jk_html_put(page, "<p class='choices'>");
    for (const jk_attribute *a = jk_attributes; a->param; a++) {
        const jk_html_to to = { .cmd = "edit", .w = lb->name, .att = a->param, .from = true };
        if (!(a->of & JK_OF_MEMBER) || a->alone)
            continue;
        if (a == now)
            jk_html_put(page, "<b aria-current='page'>%s</b> ", jk_attribute_key(a)->name);
        else
            jk_html_link(page, &to, jk_attribute_key(a)->name);
        jk_html_put(page, "\n");
    }
    jk_html_put(page, "</p></section>\n");
}

static void put_column_row(jk_page *page, const jk_attribute *a, const jk_view_worker *m, int i)
{
    const jk_key *key = jk_attribute_key(a);
    const char *id = apr_psprintf(page->p, "val%d", i);

    jk_html_put(page, "<div class='field'><label for='%s'>%s</label><div class='control'>", id, m->name);
    put_control(page, key, id, id, sent_or(page, id, value_of(page, key, m)));
    jk_html_put(page, "</div></div>\n");
}

static void put_column_form(jk_page *page, const jk_view_worker *lb, const jk_attribute *a)
{
    const jk_key *key = jk_attribute_key(a);

    jk_html_section(page, "each", apr_pstrcat(page->p, key->name, " of each member of ", lb->name, NULL), "");
    jk_html_put(page, "<p class='mute'>%s</p>\n", key->help);
    begin_form(page, "update", lb->name, NULL, "fields column");
    hidden(page, "att", a->param);
    for (int i = 0; i < lb->members->nelts; i++)
        put_column_row(page, a, &APR_ARRAY_IDX(lb->members, i, jk_view_worker), i);
    jk_html_put(page, "<div class='submit'><button type='submit' class='main'>Save each</button></div></form></section>\n");
}

static void put_pattern_form(jk_page *page, const jk_view_worker *lb, const jk_attribute *a)
{
    const jk_key *key = jk_attribute_key(a);
    const char *first = lb->members->nelts > 0 ? value_of(page, key, &APR_ARRAY_IDX(lb->members, 0, jk_view_worker)) : "";

    if (strcmp(key->name, "route") == 0) /* no two may have the same */
        return;
    jk_html_section(page, "same", apr_pstrcat(page->p, "The same ", key->name, " for several", NULL), "");
    begin_form(page, "update", lb->name, NULL, "fields");
    jk_html_put(page, "<div class='field'><label for='sw'>Members</label><div class='control'><input id='sw' name='sw' value='*' class='text' "
                      "autocomplete='off' spellcheck='false'/></div><p class='help'>a name, or a pattern: * for any characters, ? for "
                      "one</p></div>\n<div class='field'><label for='same-value'>%s</label><div class='control'>",
                key->name);
    put_control(page, key, "same-value", a->param, first);
    jk_html_put(page, "</div><p class='help'>%s</p></div>\n<div class='submit'><button type='submit' class='main'>Save for all of "
                      "them</button></div></form></section>\n", key->help);
}

/* ---- a new member ---- */

static void put_new_field(jk_page *page, const char *param, const char *value)
{
    const jk_attribute *a = jk_attributes;

    while (strcmp(a->param, param) != 0)
        a++;
    jk_html_put(page, "<div class='field'><label for='%s'>%s</label><div class='control'>", param, jk_attribute_key(a)->name);
    put_control(page, jk_attribute_key(a), param, param, sent_or(page, param, value));
    jk_html_put(page, "</div><p class='help'>%s</p></div>\n", jk_attribute_key(a)->help);
}

static void put_new_member(jk_page *page, const jk_view_worker *lb)
{
    const char *name = strcmp(page->ask->command->name, "add") == 0 ? page->ask->sw : "";

    if (lb->worker->conf->spare_members == 0)
        return;
    jk_html_section(page, "add", "Add a member", "");
    jk_html_put(page, "<p class='mute'>It begins with what the balancer's first member has: secret, timeouts and all that is not asked for here. Its "
                      "Tomcat's jvmRoute must be its name. It stays over a graceful restart; the workers file does not know it.</p>\n");
    begin_form(page, "add", lb->name, NULL, "fields");
    jk_html_put(page, "<div class='field'><label for='new-name'>name</label><div class='control'><input id='new-name' name='sw' value='%s' "
                      "class='text' autocomplete='off' spellcheck='false'/></div><p class='help'>letters, digits and -_.:@+; nobody else's</p>"
                      "</div>\n", name ? name : "");
    put_new_field(page, "vahst", "");
    put_new_field(page, "vaprt", "8009");
    put_new_field(page, "vwf", "1");
    jk_html_put(page, "<div class='submit'><button type='submit' class='main'>Add</button></div></form></section>\n");
}

/* ---- which form ---- */

static void put_members_to_edit(jk_page *page, const jk_view_worker *lb)
{
    if (lb->members->nelts == 0)
        return;
    jk_html_section(page, "each", "Its members", "");
    jk_html_members(page, lb);
    jk_html_put(page, "</section>\n");
}

void jk_html_edit(jk_page *page)
{
    const jk_view_worker *w = jk_view_find(page->view, page->ask->w), *m = NULL;
    const jk_attribute *a = attribute_of(page->ask->att);

    if (w == NULL || !jk_html_may_change(page))
        return;
    if (w->members && page->ask->sw && strpbrk(page->ask->sw, "*?") == NULL)
        m = jk_view_member(w, page->ask->sw);
    if (m) {
        put_worker_form(page, m, w);
        return;
    }
    if (w->members && a)
        put_column_form(page, w, a);
    else
        put_worker_form(page, w, NULL);
    if (w->members == NULL)
        return;
    if (a)
        put_pattern_form(page, w, a);
    else
        put_members_to_edit(page, w);
    put_choices(page, w, a);
    if (a == NULL)
        put_new_member(page, w);
}
