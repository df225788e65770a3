/* SPDX-License-Identifier: MIT */
/* ib_workflow run: inputs and given outputs from the command line. */
#include "lib/arazzo/inputs.h"
#include "lib/aws/arn.h"
#include "lib/data/json.h"
#include "lib/sys/file.h"
#include "plugins/ib_workflow.h"

#define INPUTS_FILE_MAX ((size_t)1024 * 1024)

/* --- inputs --------------------------------------------------------------------------------- */

static enum ib_rc read_inputs_file(const char *path, struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(INPUTS_FILE_MAX);
    const struct ib_file_options options = {.max_bytes = INPUTS_FILE_MAX};
    struct ib_value *v = NULL;
    enum ib_rc rc = ib_file_read(path, &options, &text, err);

    if (rc == IB_OK) {
        rc = ib_json_parse(ib_buf_str(&text), path, NULL, &v, err);
    }
    if (rc != IB_OK) {
        return ib_error_context(err, "--inputs");
    }
    if (!ib_value_is(v, IB_VALUE_OBJECT)) {
        rc = ib_fail(err, IB_EUSAGE, "--inputs: %s holds %s, not an object", path,
                     ib_value_type_name(v));
        ib_value_unref(v);
        return rc;
    }
    *ret = v;
    return IB_OK;
}

/* name=value; its type is that of the schema. */
static enum ib_rc add_input(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *w,
                            const char *text, struct ib_value *inputs, struct ib_error *err)
{
    struct ib_str value = ib_str_from(text);
    struct ib_str name = ib_str_split(&value, '=');
    struct ib_value *v = NULL;

    if (value.p == NULL || name.n == 0) {
        return ib_fail(err, IB_EUSAGE, "--input: \"%s\" is not name=value", text);
    }
    enum ib_rc rc = ib_inputs_from_text(doc, w, name, value, &v, err);
    return rc == IB_OK ? ib_value_set(inputs, name, v, err) : rc;
}

static const char *arn_among(const struct ib_option_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *value = strchr(list->items[i], '=');
        if (value != NULL && ib_arn_looks_like(ib_str_from(value + 1))) {
            return value + 1;
        }
    }
    return NULL;
}

const char *ib_workflow_arn(const struct ib_workflow_options *o)
{
    const char *given = arn_among(&o->given);

    return given != NULL ? given : arn_among(&o->inputs);
}

enum ib_rc ib_workflow_inputs(const struct ib_workflow_options *o, const struct ib_arazzo_doc *doc,
                              const struct ib_arazzo_workflow *w, struct ib_value **ret,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = NULL;
    enum ib_rc rc = IB_OK;

    if (o->inputs_file != NULL) {
        rc = read_inputs_file(o->inputs_file, &inputs, err);
    } else {
        inputs = ib_value_object();
        rc = inputs == NULL ? ib_fail_nomem(err) : IB_OK;
    }
    for (size_t i = 0; rc == IB_OK && i < o->inputs.count; i++) {
        rc = add_input(doc, w, o->inputs.items[i], inputs, err);
    }
    if (rc == IB_OK) {
        *ret = inputs;
        inputs = NULL;
    }
    return rc;
}

/* --- given outputs -------------------------------------------------------------------------- */

void ib_workflow_givens_fini(struct ib_workflow_givens *g)
{
    free(g->items);
    ib_value_unref(g->values);
}

/* The longest step id that "STEP.OUTPUT" begins with: both parts may hold dots. */
static bool split_target(const struct ib_arazzo_workflow *w, struct ib_str target,
                         struct ib_arazzo_given *ret)
{
    size_t best = 0;

    for (size_t i = 0; i < w->step_count; i++) {
        struct ib_str id = w->steps[i].id;
        if (id.n >= best && ib_str_starts(target, id) && target.n > id.n + 1 &&
            target.p[id.n] == '.') {
            best = id.n;
            ret->step = ib_str_head(target, id.n);
            ret->output = ib_str_skip(target, id.n + 1);
        }
    }
    if (ret->step.p == NULL) {
        ret->output = target;
        ret->step = ib_str_split(&ret->output, '.');
    }
    return ret->output.p != NULL && ret->output.n > 0 && ret->step.n > 0;
}

/* STEP.OUTPUT=text or STEP.OUTPUT:=JSON. */
static enum ib_rc read_given(const struct ib_arazzo_workflow *w, const char *text,
                             struct ib_workflow_givens *g, size_t i, struct ib_error *err)
{
    struct ib_str value = ib_str_from(text);
    struct ib_str target = ib_str_split(&value, '=');
    bool json = target.n > 0 && target.p[target.n - 1] == ':';
    struct ib_value *v = NULL;

    target.n -= json ? 1 : 0;
    if (value.p == NULL || !split_target(w, target, &g->items[i])) {
        return ib_fail(err, IB_EUSAGE, "--given: \"%s\" is not STEP.OUTPUT=VALUE", text);
    }
    if (json) {
        enum ib_rc rc = ib_json_parse(value, "--given", NULL, &v, err);
        if (rc != IB_OK) {
            return rc;
        }
    } else {
        v = ib_value_string(value);
    }
    g->items[i].value = v;
    return ib_value_push(g->values, v, err);
}

enum ib_rc ib_workflow_givens(const struct ib_workflow_options *o,
                              const struct ib_arazzo_workflow *w, struct ib_workflow_givens *g,
                              struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    g->items = calloc(o->given.count + 1, sizeof *g->items);
    g->values = ib_value_array();
    if (g->items == NULL || g->values == NULL) {
        return ib_fail_nomem(err);
    }
    for (size_t i = 0; rc == IB_OK && i < o->given.count; i++) {
        rc = read_given(w, o->given.items[i], g, i, err);
    }
    return rc;
}
