/* SPDX-License-Identifier: MIT */
/* What a step sends: parameters, body, replacements, with their expressions evaluated. */
#include "lib/arazzo/engine_run.h"

#include "lib/arazzo/inputs.h"
#include "lib/base/num.h"
#include "lib/data/yaml.h"

void ib_run_scope(const struct frame *f, struct ib_scope *ret)
{
    *ret = (struct ib_scope){
        .inputs = f->inputs,
        .steps = f->outputs_of,
        .workflows = f->doc->workflows,
        .sources = f->doc->sources,
        .components = ib_value_get_c(f->doc->doc->root, "components"),
    };
}

void ib_run_attempt_scope(const struct attempt *a, struct ib_scope *ret)
{
    ib_run_scope(a->frame, ret);
    ret->outputs = a->callee;
    ret->request.headers = a->headers;
    ret->request.query = a->query;
    ret->request.path = a->path;
    ret->request.body = a->body;
    if (a->answered) {
        ret->request.url = a->reply.url;
        ret->request.method = a->reply.method;
        ret->response.status = a->status;
        ret->response.headers = a->reply.headers;
        ret->response.body = a->reply.body;
    }
}

/* Only one thing may be left out in silence: an input that its schema does not require. */
static bool is_optional_input(const struct frame *f, const struct ib_expr *missing)
{
    if (missing == NULL || missing->kind != IB_EXPR_INPUT ||
        ib_value_get(f->inputs, missing->name) != NULL) {
        return false;
    }
    return ib_inputs_has(f->doc->doc, f->workflow, missing->name) &&
           !ib_inputs_required(f->doc->doc, f->workflow, missing->name);
}

/* *ret stays NULL when the value is to be left out. */
static enum ib_rc eval_text(const struct attempt *a, const struct ib_value *v,
                            struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    const struct ib_expr *missing = NULL;
    struct ib_scope scope;
    enum ib_rc rc = ib_template_parse(ib_value_as_str(v), &t, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (ib_template_kind(t) == IB_TEMPLATE_LITERAL) {
        *ret = ib_value_ref(v);
        return IB_OK;
    }
    ib_run_attempt_scope(a, &scope);
    rc = ib_template_eval(t, &scope, ret, &missing, err);
    if (rc != IB_OK || *ret != NULL) {
        return rc;
    }
    if (ib_template_kind(t) == IB_TEMPLATE_EXPR && is_optional_input(a->frame, missing)) {
        return IB_OK;
    }
    return ib_fail(err, IB_EEVAL, "%.*s is not there",
                   IB_STR_ARG(missing == NULL ? ib_value_as_str(v) : missing->text));
}

static enum ib_rc eval_value(const struct attempt *a, const struct ib_value *v, size_t depth,
                             struct ib_value **ret, struct ib_error *err);

static enum ib_rc eval_members(const struct attempt *a, const struct ib_value *v, size_t depth,
                               struct ib_value *copy, struct ib_error *err)
{
    bool object = ib_value_is(v, IB_VALUE_OBJECT);
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < ib_value_count(v); i++) {
        struct ib_value *item = NULL;
        rc = eval_value(a, ib_value_at(v, i), depth + 1, &item, err);
        if (rc != IB_OK || item == NULL) {
            continue;
        }
        rc = object ? ib_value_set(copy, ib_value_key_at(v, i), item, err)
                    : ib_value_push(copy, item, err);
    }
    return rc;
}

static enum ib_rc eval_value(const struct attempt *a, const struct ib_value *v, size_t depth,
                             struct ib_value **ret, struct ib_error *err)
{
    if (ib_value_is(v, IB_VALUE_STRING)) {
        return eval_text(a, v, ret, err);
    }
    if (!ib_value_is(v, IB_VALUE_ARRAY) && !ib_value_is(v, IB_VALUE_OBJECT)) {
        *ret = ib_value_ref(v);
        return IB_OK;
    }
    if (depth > IB_YAML_DEPTH_MAX) {
        return ib_fail(err, IB_ELIMIT, "nested too deep");
    }
    struct ib_value *copy = ib_value_is(v, IB_VALUE_OBJECT) ? ib_value_object() : ib_value_array();
    if (copy == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = eval_members(a, v, depth, copy, err);
    if (rc != IB_OK) {
        ib_value_unref(copy);
        return rc;
    }
    *ret = copy;
    return IB_OK;
}

/* --- replacements --------------------------------------------------------------------------- */

/* One reference token of a pointer, "~1" and "~0" undone. */
static enum ib_rc next_token(struct ib_str *pointer, struct ib_buf *token, struct ib_error *err)
{
    struct ib_str rest = ib_str_skip(*pointer, 1);
    struct ib_str raw = ib_str_head(rest, ib_str_find(rest, '/'));

    *pointer = ib_str_skip(rest, raw.n);
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '~' && i + 1 < raw.n) {
            i++;
            ib_buf_add_char(token, raw.p[i] == '1' ? '/' : '~');
        } else {
            ib_buf_add_char(token, raw.p[i]);
        }
    }
    return ib_buf_ok(token, "replacement target", err);
}

/* Position in an array, by the rules of RFC 6901; count when it is none that is there. */
static size_t array_position(const struct ib_value *array, struct ib_str token)
{
    size_t count = ib_value_count(array);
    int64_t at = 0;

    if (token.n == 0 || !ib_ascii_digit(token.p[0]) || (token.n > 1 && token.p[0] == '0') ||
        ib_num_i64(token, 0, INT32_MAX, "index", &at, NULL) != IB_OK || (size_t)at >= count) {
        return count;
    }
    return (size_t)at;
}

/*
 * A copy of v with another value at the pointer. What is on the way must be there; the last token
 * may be a new member of an object. Values are shared, so each container on the way is copied.
 */
static enum ib_rc with_replaced(const struct ib_value *v, struct ib_str pointer,
                                struct ib_value *item, struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf token = IB_BUF_INIT(4096);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *copy = NULL;
    struct ib_value *inner = NULL;

    if (pointer.n == 0) {
        *ret = ib_value_ref(item);
        return IB_OK;
    }
    enum ib_rc rc = next_token(&pointer, &token, err);
    if (rc != IB_OK) {
        return rc;
    }
    bool array = ib_value_is(v, IB_VALUE_ARRAY);
    size_t at = array ? array_position(v, ib_buf_str(&token)) : 0;
    const struct ib_value *there = array ? ib_value_at(v, at) : ib_value_get(v, ib_buf_str(&token));
    bool new_member = pointer.n == 0 && ib_value_is(v, IB_VALUE_OBJECT);
    if (there == NULL && !new_member) {
        return ib_fail(err, IB_EEVAL, "the payload has nothing at \"%s\"", ib_buf_c(&token));
    }
    rc = with_replaced(there, pointer, item, &inner, err);
    if (rc != IB_OK) {
        return rc;
    }
    copy = ib_value_copy(v);
    if (copy == NULL) {
        ib_value_unref(inner);
        return ib_fail_nomem(err);
    }
    rc = array ? ib_value_set_at(copy, at, inner, err)
               : ib_value_set(copy, ib_buf_str(&token), inner, err);
    if (rc == IB_OK) {
        *ret = copy;
        copy = NULL;
    }
    return rc;
}

static enum ib_rc replace_one(struct attempt *a, const struct ib_arazzo_replacement *r,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *item = NULL;
    struct ib_value *body = NULL;
    enum ib_rc rc = eval_value(a, r->value, 0, &item, err);

    if (rc != IB_OK || item == NULL) {
        return rc;
    }
    rc = with_replaced(a->body, r->target, item, &body, err);
    if (rc == IB_OK) {
        ib_value_unref(a->body);
        a->body = body;
    }
    return rc;
}

static enum ib_rc build_body(struct attempt *a, struct ib_error *err)
{
    const struct ib_arazzo_step *s = a->step;
    enum ib_rc rc = IB_OK;

    if (s->payload == NULL) {
        return IB_OK;
    }
    rc = eval_value(a, s->payload, 0, &a->body, err);
    for (size_t i = 0; rc == IB_OK && i < s->replacement_count; i++) {
        if (a->body == NULL) {
            return ib_fail(err, IB_EEVAL, "replacements without a payload");
        }
        rc = replace_one(a, &s->replacements[i], err);
    }
    return rc;
}

/* --- parameters ----------------------------------------------------------------------------- */

static struct ib_value **place_for(struct attempt *a, struct ib_str in)
{
    if (ib_str_eq_c(in, "path")) {
        return &a->path;
    }
    if (ib_str_eq_c(in, "query")) {
        return &a->query;
    }
    if (ib_str_eq_c(in, "header")) {
        return &a->headers;
    }
    return ib_str_eq_c(in, "cookie") ? &a->cookies : NULL;
}

static enum ib_rc add_param(struct attempt *a, const struct ib_arazzo_param *p,
                            struct ib_value *inputs, struct ib_error *err)
{
    struct ib_value **place = p->in.p == NULL ? &inputs : place_for(a, p->in);
    struct ib_value *value = NULL;

    /* A workflow's parameters for requests mean nothing to a step that calls a workflow, and so on.
     */
    if (place == NULL || *place == NULL) {
        return IB_OK;
    }
    enum ib_rc rc = eval_value(a, p->value, 0, &value, err);
    if (rc == IB_OK && value != NULL) {
        rc = ib_value_set(*place, p->name, value, err);
    }
    return rc == IB_OK ? rc : ib_error_context(err, "parameter %.*s", IB_STR_ARG(p->name));
}

/* inputs NULL: parameters of a request. */
static enum ib_rc add_params(struct attempt *a, struct ib_value *inputs, struct ib_error *err)
{
    const struct ib_arazzo_params *own = &a->step->params;
    const struct ib_arazzo_params *shared = &a->frame->workflow->params;
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < shared->count; i++) {
        if (!ib_arazzo_param_replaced(a->step, &shared->items[i])) {
            rc = add_param(a, &shared->items[i], inputs, err);
        }
    }
    for (size_t i = 0; rc == IB_OK && i < own->count; i++) {
        rc = add_param(a, &own->items[i], inputs, err);
    }
    return rc;
}

enum ib_rc ib_run_build_request(struct attempt *a)
{
    struct ib_error *err = a->frame->run->err;

    a->path = ib_value_object();
    a->query = ib_value_object();
    a->headers = ib_value_object();
    a->cookies = ib_value_object();
    if (a->path == NULL || a->query == NULL || a->headers == NULL || a->cookies == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = ib_arazzo_operation(a->frame->doc->doc, a->step, &a->operation, err);
    if (rc == IB_OK) {
        rc = add_params(a, /* inputs= */ NULL, err);
    }
    if (rc == IB_OK) {
        rc = build_body(a, err);
        if (rc != IB_OK) {
            rc = ib_error_context(err, "request body");
        }
    }
    return rc == IB_OK ? rc : ib_error_context(err, "step %.*s", IB_STR_ARG(a->step->id));
}

enum ib_rc ib_run_build_inputs(struct attempt *a, struct ib_value **ret)
{
    struct ib_error *err = a->frame->run->err;
    struct ib_value *inputs = ib_value_object();

    if (inputs == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = add_params(a, inputs, err);
    if (rc != IB_OK) {
        ib_value_unref(inputs);
        return ib_error_context(err, "step %.*s", IB_STR_ARG(a->step->id));
    }
    *ret = inputs;
    return IB_OK;
}
