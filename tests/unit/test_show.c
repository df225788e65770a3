/* SPDX-License-Identifier: MIT */
/* lib/arazzo/show.c: drawings of documents, and names that would break out of them. */
#include "engine_test.h"

#include "lib/arazzo/show.h"

static void draw(const char *name, enum ib_show_format format, struct ib_buf *out)
{
    struct ib_arazzo_doc *doc = good_doc(name);

    ib_arazzo_show(doc, NULL, format, out);
    ib_arazzo_free(doc);
}

static void text_shows_branches_retries_and_ends(void **state)
{
    struct ib_buf out = IB_BUF_INIT(IB_SHOW_BYTES_MAX);

    (void)state;
    draw("seed/cancel-running-image-build.arazzo.yaml", IB_SHOW_TEXT, &out);
    assert_contains(ib_buf_c(&out), "  2. getImage: GetImage  succeeds if $statusCode == 200\n"
                                    "      cancellable -> cancelCreation  if $response.body jsonpath "
                                    "$.image.state.status != \"AVAILABLE\"");
    assert_contains(ib_buf_c(&out), "      alreadyTerminal -> end  if $response.body jsonpath ");
    assert_contains(ib_buf_c(&out), "      -> cancelCreation\n      failure -> end, failed\n");
    assert_contains(ib_buf_c(&out), "  output finalStatus = $steps.confirmCancellation.outputs.finalStatus\n");
    ib_buf_reset(&out);
    draw("arazzo/good/retry.yaml", IB_SHOW_TEXT, &out);
    assert_contains(ib_buf_c(&out), "      retry loginAgain, 1 time, after 0s -> login, then again  if "
                                    "$statusCode == 401\n");
    ib_buf_reset(&out);
    draw("arazzo/good/depends.yaml", IB_SHOW_TEXT, &out);
    assert_contains(ib_buf_c(&out), "workflow main\n  after workflow login\n  after workflow warmUp\n");
    assert_contains(ib_buf_c(&out), "      clean -> workflow cleanUp\n");
    ib_buf_fini(&out);
}

static void dot_has_a_node_for_each_step_and_an_edge_for_each_way(void **state)
{
    struct ib_buf out = IB_BUF_INIT(IB_SHOW_BYTES_MAX);

    (void)state;
    draw("seed/cancel-running-image-build.arazzo.yaml", IB_SHOW_DOT, &out);
    assert_contains(ib_buf_c(&out), "digraph arazzo {");
    assert_contains(ib_buf_c(&out), "    w0_s1 [label=\"getImage\\nGetImage\"];");
    assert_contains(ib_buf_c(&out), "    w0_s1 -> w0_s2 [label=\"cancellable\"];");
    assert_contains(ib_buf_c(&out), "    w0_s1 -> w0_ok [label=\"alreadyTerminal\"];");
    assert_contains(ib_buf_c(&out), "    w0_s1 -> w0_failed [label=\"failure\", style=dashed];");
    ib_buf_reset(&out);
    draw("arazzo/good/polling.yaml", IB_SHOW_DOT, &out);
    assert_contains(ib_buf_c(&out), "    w0_s0 -> w0_s0 [label=\"lookAgain\"];");
    assert_contains(ib_buf_c(&out), "[shape=component, label=\"there\"];");
    ib_buf_fini(&out);
}

static void mermaid_has_them_too(void **state)
{
    struct ib_buf out = IB_BUF_INIT(IB_SHOW_BYTES_MAX);

    (void)state;
    draw("arazzo/good/retry.yaml", IB_SHOW_MERMAID, &out);
    assert_contains(ib_buf_c(&out), "flowchart TD\n  subgraph g0 [\"once\"]\n    w0_s0[\"ask<br/>Ask\"]\n");
    assert_contains(ib_buf_c(&out), "    w0_s0 -.->|\"retry again, 1 time\"| w0_s0\n");
    assert_contains(ib_buf_c(&out), "    w1_s0 -.->|\"failure other\"| w1_s2\n");
    ib_buf_fini(&out);
}

static void names_cannot_break_out(void **state)
{
    static const char text[] =
        "arazzo: 1.0.1\ninfo: {title: t, version: 1.0.0}\nsourceDescriptions: [{name: a, url: ./a}]\n"
        "workflows:\n- workflowId: 'w\"]; x'\n  steps:\n  - stepId: \"a\\\"\\\\\\n<b>\"\n    operationId: 'O#1'\n";
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_buf out = IB_BUF_INIT(IB_SHOW_BYTES_MAX);

    (void)state;
    assert_ok(ib_arazzo_parse(IB_STR(text), "t", NULL, &findings, &doc, &err), &err);
    ib_arazzo_show(doc, NULL, IB_SHOW_DOT, &out);
    assert_contains(ib_buf_c(&out), "label=\"w\\\"]; x\";");
    assert_contains(ib_buf_c(&out), "[label=\"a\\\"\\\\ <b>\\nO#1\"];");
    ib_buf_reset(&out);
    ib_arazzo_show(doc, NULL, IB_SHOW_MERMAID, &out);
    assert_contains(ib_buf_c(&out), "[\"w#quot;]; x\"]");
    assert_contains(ib_buf_c(&out), "[\"a#quot;\\ #60;b#62;<br/>O#35;1\"]");
    ib_buf_fini(&out);
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
}

int main(void)
{
    IB_TEST_CASE(text_shows_branches_retries_and_ends);
    IB_TEST_CASE(dot_has_a_node_for_each_step_and_an_edge_for_each_way);
    IB_TEST_CASE(mermaid_has_them_too);
    IB_TEST_CASE(names_cannot_break_out);
    return IB_TEST_RUN();
}
