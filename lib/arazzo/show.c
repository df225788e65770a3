/* SPDX-License-Identifier: MIT */
/* Drawing workflows from the edges between their steps. */
#include "lib/arazzo/show.h"

#include "lib/arazzo/flow.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

/* Nodes are numbered: names may hold anything. */
#define NODE_SUCCESS "ok"
#define NODE_FAILURE "failed"

struct drawing {
    const struct ib_arazzo_workflow *w;
    size_t number; /* of the workflow in the drawing */
    enum ib_show_format format;
    struct ib_buf *out;
};

/* Names in conditions run to kilobytes; a drawing needs their beginning. */
#define LABEL_MAX 200

static void add_char_escaped(struct ib_buf *out, enum ib_show_format format, char c)
{
    switch (format) {
    case IB_SHOW_TEXT:
        ib_buf_add_char(out, c);
        break;
    case IB_SHOW_DOT:
        if (c == '"' || c == '\\') {
            ib_buf_add_char(out, '\\');
        }
        ib_buf_add_char(out, c);
        break;
    case IB_SHOW_MERMAID:
        if (c == '"') {
            ib_buf_add_c(out, "#quot;");
        } else if (c == '#' || c == '<' || c == '>' || c == '&' || c == '`') {
            ib_buf_addf(out, "#%d;", c);
        } else {
            ib_buf_add_char(out, c);
        }
        break;
    }
}

static void add_text(const struct drawing *d, struct ib_str text)
{
    char clean[LABEL_MAX];
    size_t n = ib_text_clean(text.p == NULL ? "" : text.p, text.n, clean, sizeof clean);

    for (size_t i = 0; i < n; i++) {
        add_char_escaped(d->out, d->format, clean[i]);
    }
}

static void add_c(const struct drawing *d, const char *text)
{
    add_text(d, ib_str_from(text));
}

/* --- words ---------------------------------------------------------------------------------- */

/* "retry stillEnding, 720 times, every 5s", "inFlight", "failure busy". */
static void edge_words(const struct drawing *d, const struct ib_edge *edge, struct ib_buf *words)
{
    const struct ib_arazzo_action *a = edge->action;
    char time[IB_TIME_TEXT_MAX];

    (void)d;
    if (a == NULL) {
        ib_buf_add_c(words, edge->kind == IB_EDGE_FAILED ? "failure" : "");
        return;
    }
    if (edge->kind == IB_EDGE_FAILURE) {
        ib_buf_add_c(words, a->type == IB_ACTION_RETRY ? "retry " : "failure ");
    }
    ib_buf_add_str(words, a->name);
    if (a->type == IB_ACTION_RETRY) {
        ib_buf_addf(words, ", %lld time%s", (long long)a->retry_limit,
                    a->retry_limit == 1 ? "" : "s");
        if (a->retry_after_ms >= 0) {
            ib_buf_addf(words, ", after %s", ib_duration_fmt(a->retry_after_ms, time, sizeof time));
        }
    }
}

static void add_target(const struct drawing *d, const struct ib_arazzo_step *s)
{
    add_c(d, s->target_type == IB_TARGET_WORKFLOW ? "workflow " : "");
    add_text(d, s->target);
}

/* A condition, with what it is about where that stands apart. */
static void add_criterion(const struct drawing *d, const struct ib_arazzo_criterion *criterion)
{
    const struct ib_value *context = ib_value_get_c(criterion->source, "context");
    const struct ib_value *type = ib_value_get_c(criterion->source, "type");

    if (ib_value_is(type, IB_VALUE_OBJECT)) {
        type = ib_value_get_c(type, "type");
    }
    if (ib_value_is(context, IB_VALUE_STRING) && ib_value_is(type, IB_VALUE_STRING) &&
        !ib_str_eq_c(ib_value_as_str(type), "simple")) {
        add_text(d, ib_value_as_str(context));
        ib_buf_add_char(d->out, ' ');
        add_text(d, ib_value_as_str(type));
        ib_buf_add_char(d->out, ' ');
    }
    add_text(d, criterion->condition);
}

static void add_criteria(const struct drawing *d, const struct ib_arazzo_criterion *criteria,
                         size_t count, const char *between)
{
    for (size_t i = 0; i < count; i++) {
        ib_buf_add_c(d->out, i == 0 ? "" : between);
        add_criterion(d, &criteria[i]);
    }
}

/* --- text ----------------------------------------------------------------------------------- */

static void text_edge(void *ctx, const struct ib_edge *edge)
{
    const struct drawing *d = ctx;
    struct ib_buf words = IB_BUF_INIT(4096);
    const struct ib_arazzo_action *a = edge->action;
    bool failed =
        edge->kind == IB_EDGE_FAILED || (edge->kind == IB_EDGE_FAILURE && a->type == IB_ACTION_END);

    edge_words(d, edge, &words);
    ib_buf_add_c(d->out, "      ");
    add_c(d, ib_buf_c(&words));
    ib_buf_add_c(d->out, words.len > 0 ? " -> " : "-> ");
    if (a != NULL && a->workflow_id.p != NULL) {
        ib_buf_add_c(d->out, "workflow ");
        add_text(d, a->workflow_id);
    } else if (edge->to < d->w->step_count) {
        add_text(d, d->w->steps[edge->to].id);
    } else {
        ib_buf_add_c(d->out, failed ? "end, failed" : "end");
    }
    if (a != NULL && a->type == IB_ACTION_RETRY &&
        (a->workflow_id.p != NULL || edge->to != edge->from)) {
        ib_buf_add_c(d->out, ", then again");
    }
    if (a != NULL && a->criterion_count > 0) {
        ib_buf_add_c(d->out, "  if ");
        add_criteria(d, a->criteria, a->criterion_count, " and ");
    }
    ib_buf_add_char(d->out, '\n');
    ib_buf_fini(&words);
}

static void text_workflow(struct drawing *d)
{
    ib_buf_add_c(d->out, "workflow ");
    add_text(d, d->w->id);
    if (d->w->summary.p != NULL) {
        ib_buf_add_c(d->out, ": ");
        add_text(d, d->w->summary);
    }
    ib_buf_add_char(d->out, '\n');
    for (size_t i = 0; i < d->w->depends_on_count; i++) {
        ib_buf_add_c(d->out, "  after workflow ");
        add_text(d, d->w->depends_on[i]);
        ib_buf_add_char(d->out, '\n');
    }
    for (size_t i = 0; i < d->w->step_count; i++) {
        const struct ib_arazzo_step *s = &d->w->steps[i];
        ib_buf_addf(d->out, "  %zu. ", i + 1);
        add_text(d, s->id);
        ib_buf_add_c(d->out, ": ");
        add_target(d, s);
        if (s->success_criterion_count > 0) {
            ib_buf_add_c(d->out, "  succeeds if ");
            add_criteria(d, s->success_criteria, s->success_criterion_count, " and ");
        }
        ib_buf_add_char(d->out, '\n');
        ib_arazzo_edges(d->w, i, text_edge, d);
    }
    for (size_t i = 0; i < d->w->outputs.count; i++) {
        ib_buf_add_c(d->out, "  output ");
        add_text(d, d->w->outputs.items[i].name);
        ib_buf_add_c(d->out, " = ");
        add_text(d, d->w->outputs.items[i].text);
        ib_buf_add_char(d->out, '\n');
    }
}

/* --- graphs --------------------------------------------------------------------------------- */

static void node_name(const struct drawing *d, const struct ib_edge *edge, struct ib_buf *out)
{
    const struct ib_arazzo_action *a = edge->action;
    bool failed = edge->kind == IB_EDGE_FAILED ||
                  (edge->kind == IB_EDGE_FAILURE && a != NULL && a->type == IB_ACTION_END);

    if (a != NULL && a->workflow_id.p != NULL) {
        ib_buf_addf(out, "w%zu_to%zu_%zu", d->number, edge->from,
                    (size_t)ib_str_hash(a->workflow_id) % 100000);
    } else if (edge->to < d->w->step_count) {
        ib_buf_addf(out, "w%zu_s%zu", d->number, edge->to);
    } else {
        ib_buf_addf(out, "w%zu_%s", d->number, failed ? NODE_FAILURE : NODE_SUCCESS);
    }
}

static bool is_failure(const struct ib_edge *edge)
{
    return edge->kind == IB_EDGE_FAILURE || edge->kind == IB_EDGE_FAILED;
}

static void dot_edge(const struct drawing *d, const struct ib_edge *edge, const char *to,
                     const char *words)
{
    if (edge->action != NULL && edge->action->workflow_id.p != NULL) {
        ib_buf_addf(d->out, "    %s [shape=component, label=\"", to);
        add_text(d, edge->action->workflow_id);
        ib_buf_add_c(d->out, "\"];\n");
    }
    ib_buf_addf(d->out, "    w%zu_s%zu -> %s [label=\"", d->number, edge->from, to);
    add_c(d, words);
    ib_buf_addf(d->out, "\"%s];\n", is_failure(edge) ? ", style=dashed" : "");
}

static void mermaid_edge(const struct drawing *d, const struct ib_edge *edge, const char *to,
                         const char *words)
{
    ib_buf_addf(d->out, "    w%zu_s%zu %s", d->number, edge->from,
                is_failure(edge) ? "-.->" : "-->");
    if (words[0] != '\0') {
        ib_buf_add_c(d->out, "|\"");
        add_c(d, words);
        ib_buf_add_c(d->out, "\"|");
    }
    ib_buf_addf(d->out, " %s", to);
    if (edge->action != NULL && edge->action->workflow_id.p != NULL) {
        ib_buf_add_c(d->out, "[[\"");
        add_text(d, edge->action->workflow_id);
        ib_buf_add_c(d->out, "\"]]");
    }
    ib_buf_add_char(d->out, '\n');
}

static void graph_edge(void *ctx, const struct ib_edge *edge)
{
    const struct drawing *d = ctx;
    struct ib_buf words = IB_BUF_INIT(4096);
    struct ib_buf to = IB_BUF_INIT(64);

    edge_words(d, edge, &words);
    node_name(d, edge, &to);
    if (d->format == IB_SHOW_DOT) {
        dot_edge(d, edge, ib_buf_c(&to), ib_buf_c(&words));
    } else {
        mermaid_edge(d, edge, ib_buf_c(&to), ib_buf_c(&words));
    }
    ib_buf_fini(&words);
    ib_buf_fini(&to);
}

static void graph_nodes(const struct drawing *d)
{
    bool dot = d->format == IB_SHOW_DOT;

    for (size_t i = 0; i < d->w->step_count; i++) {
        const struct ib_arazzo_step *s = &d->w->steps[i];
        ib_buf_addf(d->out, dot ? "    w%zu_s%zu [label=\"" : "    w%zu_s%zu[\"", d->number, i);
        add_text(d, s->id);
        ib_buf_add_c(d->out, dot ? "\\n" : "<br/>");
        add_target(d, s);
        ib_buf_add_c(d->out, dot ? "\"];\n" : "\"]\n");
    }
    if (dot) {
        ib_buf_addf(d->out,
                    "    w%zu_" NODE_SUCCESS " [shape=doublecircle, label=\"end\"];\n"
                    "    w%zu_" NODE_FAILURE " [shape=octagon, label=\"failed\"];\n",
                    d->number, d->number);
    } else {
        ib_buf_addf(d->out,
                    "    w%zu_" NODE_SUCCESS "([\"end\"])\n    w%zu_" NODE_FAILURE
                    "{{\"failed\"}}\n",
                    d->number, d->number);
    }
}

static void graph_workflow(struct drawing *d)
{
    bool dot = d->format == IB_SHOW_DOT;

    ib_buf_addf(d->out, dot ? "  subgraph cluster_%zu {\n    label=\"" : "  subgraph g%zu [\"",
                d->number);
    add_text(d, d->w->id);
    ib_buf_add_c(d->out, dot ? "\";\n" : "\"]\n");
    graph_nodes(d);
    for (size_t i = 0; i < d->w->step_count; i++) {
        ib_arazzo_edges(d->w, i, graph_edge, d);
    }
    ib_buf_add_c(d->out, dot ? "  }\n" : "  end\n");
}

void ib_arazzo_show(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                    enum ib_show_format format, struct ib_buf *out)
{
    if (format == IB_SHOW_DOT) {
        ib_buf_add_c(out, "digraph arazzo {\n  node [shape=box, fontname=\"sans-serif\"];\n"
                          "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    } else if (format == IB_SHOW_MERMAID) {
        ib_buf_add_c(out, "flowchart TD\n");
    }
    for (size_t i = 0; i < doc->workflow_count; i++) {
        struct drawing d = {&doc->workflows[i], i, format, out};
        if (workflow != NULL && workflow != d.w) {
            continue;
        }
        if (format == IB_SHOW_TEXT) {
            text_workflow(&d);
        } else {
            graph_workflow(&d);
        }
    }
    if (format == IB_SHOW_DOT) {
        ib_buf_add_c(out, "}\n");
    }
}
