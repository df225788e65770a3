/* SPDX-License-Identifier: MIT */
/* Any bytes as a runtime expression, as an operand and as a string with expressions in it. */
#include "fuzz.h"

#include "lib/arazzo/template.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

static const char inputs_text[] =
    "{\"a\":1,\"a.b\":{\"c\":[1,{\"d\":\"x\"}]},\"s\":\"t\",\"n\":null}";

static void use_expr(struct ib_str text, bool is_operand, const struct ib_scope *scope)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *e = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    size_t column = 0;

    enum ib_rc rc = is_operand ? ib_expr_parse_operand(text, &e, &column, &err)
                               : ib_expr_parse(text, &e, &column, &err);
    if (rc != IB_OK) {
        IB_ASSERT(e == NULL && err.text[0] != '\0');
        IB_ASSERT(rc != IB_EPARSE || (column >= 1 && column <= text.n + 1));
        return;
    }
    IB_ASSERT(ib_str_eq(e->text, text));
    IB_ASSERT(ib_expr_eval(e, scope, &v, &err) == IB_OK);
}

static void use_template(struct ib_str text, const struct ib_scope *scope)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    const struct ib_expr *missing = NULL;
    size_t column = 0;

    if (ib_template_parse(text, &t, &err) != IB_OK) {
        IB_ASSERT(t == NULL && err.text[0] != '\0');
        return;
    }
    if (ib_template_doubt(t, &column) != NULL) {
        IB_ASSERT(column >= 1 && column <= text.n + 1);
    }
    IB_ASSERT((ib_template_kind(t) == IB_TEMPLATE_LITERAL) == (ib_template_expr_count(t) == 0));
    IB_ASSERT(ib_template_eval(t, scope, &v, &missing, &err) == IB_OK);
    IB_ASSERT((v == NULL) == (missing != NULL));
    if (ib_template_kind(t) == IB_TEMPLATE_LITERAL) {
        IB_ASSERT(ib_str_eq(ib_value_as_str(v), text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str text = {(const char *)data, n};
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = NULL;

    IB_ASSERT(ib_json_parse(ib_str_from(inputs_text), "inputs", NULL, &inputs, NULL) == IB_OK);
    struct ib_scope scope = {.inputs = inputs, .outputs = inputs, .response = {.body = inputs}};
    use_expr(text, false, &scope);
    use_expr(text, true, &scope);
    use_template(text, &scope);
    return 0;
}
