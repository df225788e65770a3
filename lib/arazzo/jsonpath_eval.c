/* SPDX-License-Identifier: MIT */
/*
 * JSONPath evaluation: sections 2.2 to 2.5 of RFC 9535 over a compiled tree.
 *
 * Every value looked at is counted. A filter inside a filter over the same array is quadratic,
 * three are cubic: the count is what ends that.
 */
#include "lib/arazzo/compare.h"
#include "lib/arazzo/jsonpath_ast.h"
#include "lib/base/text.h"

#define WALK_DEPTH_MAX 256 /* levels of a value; parsers make 64 */

struct run {
    const struct ib_value *root;
    const struct ib_value *current; /* what @ is */
    size_t steps, regex_steps;      /* left */
    size_t filter_depth;
    struct ib_verdict_note *note; /* may be NULL */
    struct ib_error *err;
    /* The last pattern that came from the value, so that a row of nodes compiles it once. */
    const struct ib_value *pattern;
    enum ib_jp_function pattern_function;
    struct ib_regex *regex;
};

/* What a comparable comes to. length() and count() make numbers that no value holds. */
struct result {
    const struct ib_value *value; /* NULL: nothing, or a number of ours */
    bool is_number;
    int64_t number;
};

static enum ib_rc test(struct run *run, const struct ib_jp_logical *l, bool *ret);
static enum ib_rc evaluate(struct run *run, const struct ib_jp_operand *o, struct result *ret);

static enum ib_rc spend(struct run *run, size_t steps)
{
    return ib_compare_spend(&run->steps, steps, run->err);
}

/* What it takes to find a member. */
static size_t steps_for(const struct ib_jp_selector *s)
{
    return 1 + s->name.n / IB_COMPARE_BYTES_PER_STEP;
}

/* ---------------------------------------------------------------------------------- nodelists */

void ib_nodelist_fini(struct ib_nodelist *list)
{
    free(list->items);
    *list = (struct ib_nodelist){NULL, 0, 0};
}

static enum ib_rc add_node(struct run *run, struct ib_nodelist *list, const struct ib_value *v)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 8 : list->cap * 2;
        if (list->count >= IB_JSONPATH_NODES_MAX) {
            return ib_fail(run->err, IB_ELIMIT, "JSONPath: more than %d nodes are selected",
                           IB_JSONPATH_NODES_MAX);
        }
        const struct ib_value **grown = reallocarray(list->items, cap, sizeof(struct ib_value *));
        if (grown == NULL) {
            return ib_fail_nomem(run->err);
        }
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = v;
    return IB_OK;
}

/* ---------------------------------------------------------------------------------- selectors */

static const struct ib_value *element(const struct ib_value *array, int64_t index)
{
    int64_t count = (int64_t)ib_value_count(array);

    if (!ib_value_is(array, IB_VALUE_ARRAY)) {
        return NULL;
    }
    index = index < 0 ? index + count : index;
    return index < 0 || index >= count ? NULL : ib_value_at(array, (size_t)index);
}

static int64_t clamp(int64_t i, int64_t low, int64_t high)
{
    return i < low ? low : i > high ? high : i;
}

/* Section 2.3.4.2.2, its arithmetic; indexes are within 2^53, so sums do not overflow. */
static enum ib_rc select_slice(struct run *run, const struct ib_jp_selector *s,
                               const struct ib_value *v, struct ib_nodelist *out)
{
    int64_t len = (int64_t)ib_value_count(v);
    enum ib_rc rc = IB_OK;

    if (!ib_value_is(v, IB_VALUE_ARRAY) || s->step == 0) {
        return IB_OK;
    }
    int64_t start = s->has_start ? s->start : s->step > 0 ? 0 : len - 1;
    int64_t end = s->has_end ? s->end : s->step > 0 ? len : -len - 1;
    start = start >= 0 ? start : len + start;
    end = end >= 0 ? end : len + end;
    if (s->step > 0) {
        int64_t upper = clamp(end, 0, len);
        for (int64_t i = clamp(start, 0, len); rc == IB_OK && i < upper; i += s->step) {
            rc = spend(run, 1);
            rc = rc == IB_OK ? add_node(run, out, ib_value_at(v, (size_t)i)) : rc;
        }
    } else {
        int64_t lower = clamp(end, -1, len - 1);
        for (int64_t i = clamp(start, -1, len - 1); rc == IB_OK && i > lower; i += s->step) {
            rc = spend(run, 1);
            rc = rc == IB_OK ? add_node(run, out, ib_value_at(v, (size_t)i)) : rc;
        }
    }
    return rc;
}

/* All children, or those that pass the filter. */
static enum ib_rc select_children(struct run *run, const struct ib_jp_logical *filter,
                                  const struct ib_value *v, struct ib_nodelist *out)
{
    const struct ib_value *outer = run->current;
    size_t count = ib_value_count(v);
    enum ib_rc rc = IB_OK;

    run->filter_depth++;
    for (size_t i = 0; rc == IB_OK && i < count; i++) {
        bool is_selected = true;
        rc = spend(run, 1);
        if (rc == IB_OK && filter != NULL) {
            run->current = ib_value_at(v, i);
            rc = test(run, filter, &is_selected);
        }
        if (rc == IB_OK && is_selected) {
            rc = add_node(run, out, ib_value_at(v, i));
        }
    }
    run->filter_depth--;
    run->current = outer;
    return rc;
}

static enum ib_rc apply_selector(struct run *run, const struct ib_jp_selector *s,
                                 const struct ib_value *v, struct ib_nodelist *out)
{
    const struct ib_value *found = NULL;

    switch (s->kind) {
    case IB_JP_NAME:
        found = ib_value_get(v, s->name);
        break;
    case IB_JP_INDEX:
        found = element(v, s->start);
        break;
    case IB_JP_SLICE:
        return select_slice(run, s, v, out);
    case IB_JP_WILDCARD:
        return select_children(run, NULL, v, out);
    case IB_JP_FILTER:
        return select_children(run, s->filter, v, out);
    }
    return found == NULL ? IB_OK : add_node(run, out, found);
}

static enum ib_rc apply_selectors(struct run *run, const struct ib_jp_segment *segment,
                                  const struct ib_value *v, struct ib_nodelist *out)
{
    enum ib_rc rc = IB_OK;

    for (const struct ib_jp_selector *s = segment->selectors; rc == IB_OK && s != NULL;
         s = s->next) {
        rc = spend(run, steps_for(s));
        if (rc == IB_OK) {
            rc = apply_selector(run, s, v, out);
        }
    }
    return rc;
}

/* A node and everything below it, parents before children, arrays in order (section 2.5.2.2). */
static enum ib_rc descend(struct run *run, const struct ib_jp_segment *segment,
                          const struct ib_value *v, size_t depth, struct ib_nodelist *out)
{
    if (depth > WALK_DEPTH_MAX) {
        return ib_fail(run->err, IB_ELIMIT, "JSONPath: the value has more than %d levels",
                       WALK_DEPTH_MAX);
    }
    enum ib_rc rc = apply_selectors(run, segment, v, out);
    for (size_t i = 0; rc == IB_OK && i < ib_value_count(v); i++) {
        rc = descend(run, segment, ib_value_at(v, i), depth + 1, out);
    }
    return rc;
}

static enum ib_rc apply_segment(struct run *run, const struct ib_jp_segment *segment,
                                const struct ib_nodelist *in, struct ib_nodelist *out)
{
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < in->count; i++) {
        rc = segment->is_descendant ? descend(run, segment, in->items[i], 0, out)
                                    : apply_selectors(run, segment, in->items[i], out);
    }
    return rc;
}

static enum ib_rc select_nodes(struct run *run, const struct ib_jp_query *q,
                               struct ib_nodelist *ret)
{
    IB_CLEANUP(ib_nodelist_fini) struct ib_nodelist list = {NULL, 0, 0};
    enum ib_rc rc = add_node(run, &list, q->is_absolute ? run->root : run->current);

    for (const struct ib_jp_segment *s = q->segments; rc == IB_OK && s != NULL; s = s->next) {
        IB_CLEANUP(ib_nodelist_fini) struct ib_nodelist next = {NULL, 0, 0};
        rc = apply_segment(run, s, &list, &next);
        struct ib_nodelist done = list;
        list = next;
        next = done;
    }
    if (rc == IB_OK) {
        *ret = list;
        list = (struct ib_nodelist){NULL, 0, 0};
    }
    return rc;
}

/* A singular query needs no list. *ret NULL: nothing. */
static enum ib_rc select_one(struct run *run, const struct ib_jp_query *q,
                             const struct ib_value **ret)
{
    const struct ib_value *v = q->is_absolute ? run->root : run->current;
    enum ib_rc rc = spend(run, 1);

    for (const struct ib_jp_segment *s = q->segments; rc == IB_OK && v != NULL && s != NULL;
         s = s->next) {
        v = s->selectors->kind == IB_JP_NAME ? ib_value_get(v, s->selectors->name)
                                             : element(v, s->selectors->start);
        rc = spend(run, steps_for(s->selectors));
    }
    *ret = v;
    return rc;
}

/* ---------------------------------------------------------------------------------- functions */

/* length() of section 2.4.4: code points, elements or members; of anything else nothing. */
static struct result length_of(const struct ib_value *v)
{
    struct result r = {NULL, false, 0};

    if (ib_value_is(v, IB_VALUE_STRING)) {
        struct ib_str s = ib_value_as_str(v);
        r.is_number = true;
        r.number = (int64_t)ib_utf8_count(s.p, s.n);
    } else if (ib_value_is(v, IB_VALUE_ARRAY) || ib_value_is(v, IB_VALUE_OBJECT)) {
        r.is_number = true;
        r.number = (int64_t)ib_value_count(v);
    }
    return r;
}

static enum ib_rc call_length(struct run *run, const struct ib_jp_call *call, struct result *ret)
{
    struct result arg;
    enum ib_rc rc = evaluate(run, call->args[0], &arg);

    if (rc == IB_OK && ib_value_is(arg.value, IB_VALUE_STRING)) {
        rc = spend(run, ib_value_as_str(arg.value).n / IB_COMPARE_BYTES_PER_STEP);
    }
    if (rc == IB_OK) {
        *ret = length_of(arg.value);
    }
    return rc;
}

/* count() and value(), sections 2.4.5 and 2.4.8. */
static enum ib_rc call_on_nodes(struct run *run, const struct ib_jp_call *call, struct result *ret)
{
    IB_CLEANUP(ib_nodelist_fini) struct ib_nodelist nodes = {NULL, 0, 0};
    enum ib_rc rc = select_nodes(run, call->args[0]->query, &nodes);

    if (rc != IB_OK) {
        return rc;
    }
    *ret = (struct result){NULL, false, 0};
    if (call->function == IB_JP_COUNT) {
        ret->is_number = true;
        ret->number = (int64_t)nodes.count;
    } else if (nodes.count == 1) {
        ret->value = nodes.items[0];
    }
    return IB_OK;
}

static enum ib_rc call_for_value(struct run *run, const struct ib_jp_call *call, struct result *ret)
{
    switch (call->function) {
    case IB_JP_LENGTH:
        return call_length(run, call, ret);
    case IB_JP_COUNT:
    case IB_JP_VALUE:
        return call_on_nodes(run, call, ret);
    case IB_JP_MATCH:
    case IB_JP_SEARCH:
        break;
    }
    return ib_fail(run->err, IB_EBUG, "JSONPath: a test is used as a value");
}

/* The pattern of match() and search() when the value itself holds it. */
static enum ib_rc pattern_from(struct run *run, const struct ib_jp_call *call,
                               const struct ib_value *pattern, const struct ib_regex **ret)
{
    if (run->regex == NULL || run->pattern != pattern || run->pattern_function != call->function) {
        struct ib_regex *fresh = NULL;
        enum ib_rc rc = spend(run, 100 + ib_value_as_str(pattern).n);
        if (rc == IB_OK) {
            rc = ib_regex_compile(ib_value_as_str(pattern),
                                  call->function == IB_JP_MATCH ? IB_REGEX_IREGEXP_WHOLE
                                                                : IB_REGEX_IREGEXP,
                                  &fresh, NULL, run->err);
            if (rc == IB_EPARSE) {
                (void)ib_error_context(run->err, "JSONPath: pattern found in the value");
                if (run->err != NULL) {
                    run->err->rc = IB_EEVAL;
                }
                rc = IB_EEVAL;
            }
        }
        if (rc != IB_OK) {
            return rc;
        }
        ib_regex_free(run->regex);
        run->regex = fresh;
        run->pattern = pattern;
        run->pattern_function = call->function;
    }
    *ret = run->regex;
    return IB_OK;
}

/* match() and search(), sections 2.4.6 and 2.4.7: false unless both are text. */
static enum ib_rc call_for_test(struct run *run, const struct ib_jp_call *call, bool *ret)
{
    struct result subject, pattern;
    const struct ib_regex *regex = call->regex;
    enum ib_rc rc = evaluate(run, call->args[0], &subject);

    if (rc == IB_OK) {
        rc = evaluate(run, call->args[1], &pattern);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (!ib_value_is(subject.value, IB_VALUE_STRING) ||
        !ib_value_is(pattern.value, IB_VALUE_STRING)) {
        *ret = false;
        return IB_OK;
    }
    if (regex == NULL) {
        rc = pattern_from(run, call, pattern.value, &regex);
    }
    if (rc == IB_OK) {
        rc = ib_regex_search(regex, ib_value_as_str(subject.value), &run->regex_steps, ret,
                             run->err);
    }
    return rc;
}

/* --------------------------------------------------------------------------------- comparison */

static enum ib_rc evaluate(struct run *run, const struct ib_jp_operand *o, struct result *ret)
{
    enum ib_rc rc;

    *ret = (struct result){NULL, false, 0};
    switch (o->kind) {
    case IB_JP_LITERAL:
        ret->value = o->literal;
        return IB_OK;
    case IB_JP_QUERY:
        rc = select_one(run, o->query, &ret->value);
        if (rc == IB_OK && ret->value == NULL && run->filter_depth == 0) {
            ib_verdict_note_operand(run->note, o->query->text);
        }
        return rc;
    case IB_JP_CALL:
        return call_for_value(run, o->call, ret);
    }
    return IB_OK;
}

static bool is_nothing(const struct result *r)
{
    return r->value == NULL && !r->is_number;
}

static bool is_number(const struct result *r)
{
    return r->is_number || ib_value_is_number(r->value);
}

/* <0, 0, >0; both are numbers. */
static int compare_numbers(const struct result *a, const struct result *b)
{
    struct ib_number x = a->is_number ? ib_number_int(a->number) : ib_number_of(a->value);
    struct ib_number y = b->is_number ? ib_number_int(b->number) : ib_number_of(b->value);

    return ib_number_compare(&x, &y);
}

static enum ib_rc equal(struct run *run, const struct result *a, const struct result *b, bool *ret)
{
    if (is_nothing(a) || is_nothing(b)) {
        *ret = is_nothing(a) && is_nothing(b);
        return IB_OK;
    }
    if (is_number(a) && is_number(b)) {
        *ret = compare_numbers(a, b) == 0;
        return IB_OK;
    }
    if (a->value == NULL || b->value == NULL) {
        *ret = false;
        return IB_OK;
    }
    return ib_compare_equal(a->value, b->value, &run->steps, ret, run->err);
}

/* a < b: numbers with numbers, text with text by code points; UTF-8 bytes have their order. */
static enum ib_rc less(struct run *run, const struct result *a, const struct result *b, bool *ret)
{
    *ret = false;
    if (is_number(a) && is_number(b)) {
        *ret = compare_numbers(a, b) < 0;
        return IB_OK;
    }
    if (ib_value_is(a->value, IB_VALUE_STRING) && ib_value_is(b->value, IB_VALUE_STRING)) {
        struct ib_str x = ib_value_as_str(a->value);
        *ret = ib_str_cmp(x, ib_value_as_str(b->value)) < 0;
        return spend(run, x.n / IB_COMPARE_BYTES_PER_STEP);
    }
    return IB_OK;
}

static enum ib_rc less_or_equal(struct run *run, const struct result *a, const struct result *b,
                                bool *ret)
{
    enum ib_rc rc = less(run, a, b, ret);

    return rc != IB_OK || *ret ? rc : equal(run, a, b, ret);
}

static enum ib_rc compare(struct run *run, const struct ib_jp_logical *l, bool *ret)
{
    struct result a, b;
    enum ib_rc rc = evaluate(run, l->a, &a);

    if (rc == IB_OK) {
        rc = evaluate(run, l->b, &b);
    }
    if (rc != IB_OK) {
        return rc;
    }
    switch (l->op) {
    case IB_JP_EQ:
        return equal(run, &a, &b, ret);
    case IB_JP_NE:
        rc = equal(run, &a, &b, ret);
        *ret = !*ret;
        return rc;
    case IB_JP_LT:
        return less(run, &a, &b, ret);
    case IB_JP_LE:
        return less_or_equal(run, &a, &b, ret);
    case IB_JP_GT:
        return less(run, &b, &a, ret);
    case IB_JP_GE:
        return less_or_equal(run, &b, &a, ret);
    }
    return IB_OK;
}

/* A query alone holds when it selects anything, also null and false. */
static enum ib_rc test_operand(struct run *run, const struct ib_jp_operand *o, bool *ret)
{
    IB_CLEANUP(ib_nodelist_fini) struct ib_nodelist nodes = {NULL, 0, 0};
    const struct ib_value *one = NULL;
    enum ib_rc rc;

    if (o->kind == IB_JP_CALL) {
        return call_for_test(run, o->call, ret);
    }
    if (o->query->is_singular) {
        rc = select_one(run, o->query, &one);
        *ret = one != NULL;
        return rc;
    }
    rc = select_nodes(run, o->query, &nodes);
    *ret = nodes.count > 0;
    return rc;
}

static enum ib_rc test(struct run *run, const struct ib_jp_logical *l, bool *ret)
{
    enum ib_rc rc = IB_OK;

    while (rc == IB_OK && (l->kind == IB_JP_OR || l->kind == IB_JP_AND)) {
        rc = test(run, l->left, ret);
        if (rc == IB_OK && *ret == (l->kind == IB_JP_OR)) {
            return IB_OK;
        }
        l = l->right;
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (l->kind == IB_JP_NOT) {
        rc = test(run, l->left, ret);
        *ret = !*ret;
        return rc;
    }
    return l->kind == IB_JP_COMPARE ? compare(run, l, ret) : test_operand(run, l->a, ret);
}

/* -------------------------------------------------------------------------------------- doors */

enum ib_rc ib_jsonpath_select(const struct ib_jsonpath *q, const struct ib_value *root,
                              struct ib_nodelist *ret, struct ib_error *err)
{
    struct run run = {.root = root,
                      .current = root,
                      .steps = IB_JSONPATH_STEPS_MAX,
                      .regex_steps = IB_REGEX_STEPS_MAX,
                      .err = err};

    IB_ASSERT(root != NULL && q->query != NULL);
    enum ib_rc rc = select_nodes(&run, q->query, ret);
    ib_regex_free(run.regex);
    return rc;
}

enum ib_verdict ib_jsonpath_test(const struct ib_jsonpath *q, const struct ib_value *root,
                                 struct ib_verdict_note *note, struct ib_error *err)
{
    struct run run = {.root = root,
                      .current = root,
                      .steps = IB_JSONPATH_STEPS_MAX,
                      .regex_steps = IB_REGEX_STEPS_MAX,
                      .note = note,
                      .err = err};
    bool holds = false;

    IB_ASSERT(root != NULL && q->logical != NULL);
    if (note != NULL) {
        memset(note, 0, sizeof *note);
    }
    enum ib_rc rc = test(&run, q->logical, &holds);
    ib_regex_free(run.regex);
    if (rc != IB_OK) {
        return IB_VERDICT_ERROR;
    }
    return holds ? IB_VERDICT_PASS : IB_VERDICT_FAIL;
}
