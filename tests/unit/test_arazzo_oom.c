/* SPDX-License-Identifier: MIT */
/* Conditions, expressions and JSONPath with the n-th allocation failing, for every n. */
#include "arazzo_test.h"
#include "ib_oom.h"

#include "lib/arazzo/criterion.h"
#include "lib/arazzo/jsonpath.h"
#include "lib/arazzo/template.h"

struct row {
    const char *name, *type, *context, *condition;
};
static const struct row rows[] = {
    {"simple_condition", NULL, NULL,
     "$statusCode == 200 && !($inputs.a != \"x\") || $response.body.l[0] == 1.5"},
    {"jsonpath_condition", "jsonpath", "$response.body",
     "count($.l[?@ > 0 && match(@, 'a|b')]) == 0 && $..*[0,1:2] || search($.s, $.re)"},
    {"jsonpath_condition_with_expression", "jsonpath", "$response.body",
     "$.s == '{$inputs.a}' && $.l[0] == {$inputs.n}"},
    {"regex_condition", "regex", "$response.body#/l", "^\\[[0-9,]*\\]$"},
    {"regex_condition_with_expression", "regex", "$response.body#/s", "^{$inputs.a}$"},
};

struct fixture {
    struct ib_value *inputs, *body, *status;
    struct ib_scope scope;
};

static void fixture_init(struct fixture *f)
{
    f->inputs = json("{\"a\":\"x\",\"n\":1}");
    f->body = json("{\"l\":[1,2,3],\"s\":\"x\",\"re\":\"[x]\"}");
    f->status = json("200");
    f->scope =
        (struct ib_scope){.inputs = f->inputs, .response = {.body = f->body, .status = f->status}};
}

static void fixture_fini(struct fixture *f)
{
    ib_value_unref(f->inputs);
    ib_value_unref(f->body);
    ib_value_unref(f->status);
}

static enum ib_rc attempt(const struct row *r, const struct ib_scope *scope, struct ib_error *err)
{
    IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
    struct ib_criterion_source source = {.condition = ib_str_from(r->condition),
                                         .context = ib_str_from(r->context),
                                         .type = ib_str_from(r->type)};

    enum ib_rc rc = ib_criterion_compile(&source, &c, NULL, err);
    if (rc != IB_OK) {
        return rc;
    }
    switch (ib_criterion_test(c, scope, /* literal= */ false, NULL, err)) {
    case IB_VERDICT_PASS:
        return IB_OK;
    case IB_VERDICT_FAIL:
        return IB_EBUG; /* none of the rows fails: want of memory is never "does not hold" */
    case IB_VERDICT_ERROR:
        break;
    }
    return err->rc;
}

static void test_row(void **state)
{
    const struct row *r = *state;
    IB_CLEANUP(fixture_fini) struct fixture f = {.inputs = NULL};
    enum ib_rc rc = IB_ENOMEM;
    size_t n = 0;

    fixture_init(&f);
    while (rc == IB_ENOMEM && n < 10000) {
        struct ib_error err = IB_ERROR_INIT;
        ib_oom_arm(++n);
        rc = attempt(r, &f.scope, &err);
        (void)ib_oom_disarm();
        if (rc == IB_ENOMEM) {
            assert_int_equal(err.rc, IB_ENOMEM);
        }
    }
    assert_string_equal(ib_rc_name(rc), ib_rc_name(IB_OK));
    assert_in_range(n, 5, 500);
}

static enum ib_rc attempt_template(const struct ib_scope *scope, struct ib_error *err)
{
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;

    enum ib_rc rc = ib_template_parse(IB_STR("a{$inputs.a}b{$steps.x}{$inputs.n}"), &t, err);
    if (rc == IB_OK) {
        rc = ib_template_eval(t, scope, &v, NULL, err);
    }
    return rc == IB_OK && !ib_str_eq_c(ib_value_as_str(v), "axb{$steps.x}1") ? IB_EBUG : rc;
}

static void template(void **state)
{
    (void)state;
    IB_CLEANUP(fixture_fini) struct fixture f = {.inputs = NULL};
    enum ib_rc rc = IB_ENOMEM;
    size_t n = 0;

    fixture_init(&f);
    while (rc == IB_ENOMEM && n < 10000) {
        struct ib_error err = IB_ERROR_INIT;
        ib_oom_arm(++n);
        rc = attempt_template(&f.scope, &err);
        (void)ib_oom_disarm();
    }
    assert_string_equal(ib_rc_name(rc), ib_rc_name(IB_OK));
    assert_in_range(n, 5, 500);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(template);
    return IB_TEST_RUN();
}
