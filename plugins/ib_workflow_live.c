/* SPDX-License-Identifier: MIT */
/* ib_workflow: what a person sees of a run while it goes on, and the trace. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/plugin/start.h"
#include "lib/watch/sender.h"
#include "plugins/diagnose.h"
#include "plugins/ib_workflow.h"

#define LINE_MAX_BYTES ((size_t)2048)
#define TRACE_MAX_BYTES                                                      \
    ((size_t)64 * 1024) /* of one line; answers of Image Builder are smaller \
                         */
#define VALUE_MAX_BYTES ((size_t)80)

/* One clean line of at most max bytes, whatever stands in it. Losing it is no reason to stop. */
static void put_line_cut(const char *prefix, struct ib_str text, const char *suffix, size_t max)
{
    static char clean[TRACE_MAX_BYTES];
    size_t cap = max < sizeof clean ? max : sizeof clean;
    size_t n = ib_text_clean(text.p == NULL ? "" : text.p, text.n, clean, cap);

    (void)fputs(prefix, stderr);
    (void)fwrite(clean, 1, n, stderr);
    (void)fputs(suffix, stderr);
    (void)fflush(stderr);
}

static void put_line(const char *prefix, struct ib_str text, const char *suffix)
{
    put_line_cut(prefix, text, suffix, TRACE_MAX_BYTES);
}

/* A line that is written over must not be longer than the terminal is wide. */
static size_t terminal_width(void)
{
    struct winsize size = {.ws_col = 0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) {
        return 80;
    }
    return size.ws_col;
}

void ib_workflow_live_init(struct ib_workflow_live *live, const struct ib_workflow_options *o)
{
    *live = (struct ib_workflow_live){
        .terminal = isatty(STDERR_FILENO) == 1 && o->common.output == IB_OUTPUT_FORM_TEXT,
        .trace = o->trace,
        .wire = o->trace || o->common.verbose >= 3,
        .started_ms = ib_time_mono_ms(),
    };
}

void ib_workflow_outputs_text(const struct ib_value *outputs, struct ib_buf *out)
{
    for (size_t i = 0; i < ib_value_count(outputs); i++) {
        const struct ib_value *v = ib_value_at(outputs, i);
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(TRACE_MAX_BYTES);
        if (ib_value_is(v, IB_VALUE_STRING)) {
            ib_buf_add_str(&text, ib_value_as_str(v));
        } else {
            ib_json_print(v, IB_JSON_COMPACT, &text);
        }
        bool whole = text.len <= VALUE_MAX_BYTES && ib_buf_ok(&text, "value", NULL) == IB_OK;
        ib_buf_addf(out, "%s%.*s=%.*s%s", i == 0 ? "" : " ",
                    IB_STR_ARG(ib_value_key_at(outputs, i)),
                    IB_STR_ARG(ib_str_head(ib_buf_str(&text), whole ? text.len : VALUE_MAX_BYTES)),
                    whole ? "" : "...");
    }
}

/* --- the terminal --------------------------------------------------------------------------- */

/* "  [1m 4s] getImage, attempt 2: " */
static void begin_line(const struct ib_workflow_live *live, const struct ib_run_event *e,
                       struct ib_buf *line)
{
    char elapsed[IB_TIME_TEXT_MAX];

    ib_buf_addf(line, "[%s] ",
                ib_duration_fmt(ib_time_mono_ms() - live->started_ms, elapsed, sizeof elapsed));
    for (unsigned i = 0; i < e->depth; i++) {
        ib_buf_add_c(line, "> ");
    }
    if (e->step != NULL) {
        ib_buf_addf(line, "%.*s", IB_STR_ARG(e->step->id));
    }
    if (e->attempt > 1) {
        ib_buf_addf(line, ", attempt %lld", (long long)e->attempt);
    }
    ib_buf_add_c(line, ": ");
}

/* The line moves on until the step has ended; then it stays. */
static void show_line(struct ib_workflow_live *live, const struct ib_buf *line, bool stays)
{
    put_line_cut("\r\033[K", ib_buf_str(line), stays ? "\n" : "",
                 stays ? TRACE_MAX_BYTES : terminal_width());
    live->line_open = !stays;
}

static void add_action(const struct ib_arazzo_action *action, struct ib_buf *line)
{
    if (action == NULL) {
        return;
    }
    ib_buf_addf(line, ", %.*s: %s", IB_STR_ARG(action->name), ib_arazzo_action_name(action->type));
    if (action->step_id.p != NULL) {
        ib_buf_addf(line, " %.*s", IB_STR_ARG(action->step_id));
    } else if (action->workflow_id.p != NULL) {
        ib_buf_addf(line, " workflow %.*s", IB_STR_ARG(action->workflow_id));
    }
}

static bool is_retried(const struct ib_run_event *e)
{
    return e->action != NULL && e->action->type == IB_ACTION_RETRY;
}

static void add_end(const struct ib_run_event *e, struct ib_buf *line)
{
    ib_buf_add_c(line, e->passed ? "done" : is_retried(e) ? "not yet" : "failed");
    if (e->reply != NULL) {
        ib_buf_addf(line, " (%d)", e->reply->status);
    }
    ib_buf_add_char(line, ' ');
    ib_workflow_outputs_text(e->outputs, line);
    if (!e->passed && !is_retried(e)) {
        ib_buf_addf(line, " %s", e->text);
    }
    add_action(e->action, line);
}

static void show_event(struct ib_workflow_live *live, const struct ib_run_event *e)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT(LINE_MAX_BYTES);
    char time[IB_TIME_TEXT_MAX];

    begin_line(live, e, &line);
    switch (e->type) {
    case IB_EVENT_STEP_START:
        ib_buf_add_c(&line, "...");
        break;
    case IB_EVENT_WAIT:
        ib_buf_addf(&line, "next look in %s (%s)", ib_duration_fmt(e->wait_ms, time, sizeof time),
                    e->text);
        break;
    case IB_EVENT_STEP_END:
        add_end(e, &line);
        break;
    case IB_EVENT_NOTE:
        ib_buf_add_c(&line, e->text);
        break;
    case IB_EVENT_CALL:
    case IB_EVENT_REPLY:
    case IB_EVENT_NO_REPLY:
        return;
    }
    /* A poll that goes on stays one line; all else is history. */
    bool polls = e->type == IB_EVENT_STEP_START || e->type == IB_EVENT_WAIT ||
                 (e->type == IB_EVENT_STEP_END && is_retried(e));
    show_line(live, &line, !polls);
}

/* --- the trace ------------------------------------------------------------------------------ */

/* Requests and answers are written by the client; here is what the document makes of them. */
static void trace_event(const struct ib_run_event *e)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT(TRACE_MAX_BYTES);
    const char *name = e->step == NULL ? "" : e->step->id.p;

    switch (e->type) {
    case IB_EVENT_STEP_START:
        ib_buf_addf(&line, "step %s, attempt %lld", name, (long long)e->attempt);
        break;
    case IB_EVENT_NO_REPLY:
        ib_buf_add_c(&line, e->error->text);
        break;
    case IB_EVENT_NOTE:
        ib_buf_add_c(&line, e->text);
        break;
    case IB_EVENT_STEP_END:
        ib_buf_addf(&line, "step %s %s", name, e->passed ? "succeeded " : "failed: ");
        ib_buf_add_c(&line, e->passed ? "" : e->text);
        if (e->passed) {
            ib_workflow_outputs_text(e->outputs, &line);
        }
        add_action(e->action, &line);
        break;
    case IB_EVENT_WAIT:
        ib_buf_addf(&line, "waiting %lld ms (%s)", (long long)e->wait_ms, e->text);
        break;
    case IB_EVENT_CALL:
    case IB_EVENT_REPLY:
        return;
    }
    put_line("# ", ib_buf_str(&line), "\n");
}

/* The watchdog's line says what was under way. */
static void tell_watchdog(const struct ib_run_event *e)
{
    if (e->type == IB_EVENT_CALL) {
        ib_start_phase(ib_sender_changes(e->call), "waiting for the answer to step %.*s (%.*s)",
                       IB_STR_ARG(e->step->id), IB_STR_ARG(e->step->target));
    } else if (e->type == IB_EVENT_REPLY) {
        ib_start_phase(false, "evaluating step %.*s", IB_STR_ARG(e->step->id));
    } else if (e->type == IB_EVENT_WAIT) {
        ib_start_phase(false, "waiting before step %.*s", IB_STR_ARG(e->step->id));
    }
}

void ib_workflow_live_event(void *ctx, const struct ib_run_event *event)
{
    struct ib_workflow_live *live = ctx;

    tell_watchdog(event);
    if (live->trace) {
        ib_workflow_live_end(live);
        trace_event(event);
    }
    if (live->terminal) {
        show_event(live, event);
    }
}

void ib_workflow_live_client(void *ctx, const char *line)
{
    const struct ib_workflow_live *live = ctx;

    if (!live->wire && !ib_diagnose_is_decision(line)) {
        return;
    }
    ib_workflow_live_end(ctx);
    put_line("", ib_str_from(line), "\n");
}

void ib_workflow_live_end(struct ib_workflow_live *live)
{
    if (live->line_open) {
        (void)fputs("\n", stderr);
        live->line_open = false;
    }
}
