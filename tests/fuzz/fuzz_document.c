/* SPDX-License-Identifier: MIT */
/*
 * Whole documents: read, checked, drawn, and run when nothing is wrong with them. A run must end within
 * its steps, whatever the document, and a document with errors must say so in one line.
 */
#include "fuzz.h"

#include "lib/arazzo/check.h"
#include "lib/arazzo/engine.h"
#include "lib/arazzo/show.h"
#include "lib/data/json.h"

#define STEPS_MAX 50

struct service {
    int64_t calls, now_ms;
};

/* Answers of several kinds, one after the other. */
static enum ib_rc answer(void *ctx, const struct ib_arazzo_call *call,
                         struct ib_arazzo_reply *reply, struct ib_error *err)
{
    static const char *const bodies[] = {
        "{\"image\":{\"state\":{\"status\":\"BUILDING\"}},\"items\":[{\"id\":1}],\"token\":\"t\"}",
        "{}",
        "[1,null,\"x\",{\"a\":{\"b\":[true]}}]",
    };
    static const int statuses[] = { 200, 429, 200, 503, 200 };
    struct service *s = ctx;

    IB_ASSERT(call->path != NULL && call->query != NULL && call->headers != NULL &&
              call->cookies != NULL);
    s->calls++;
    if (s->calls % 11 == 0) {
        return ib_fail(err, IB_ENET, "no answer");
    }
    reply->status = statuses[(size_t)s->calls % IB_ARRAY_LEN(statuses)];
    const char *body = bodies[(size_t)s->calls % IB_ARRAY_LEN(bodies)];
    return ib_json_parse(ib_str_from(body), "answer", NULL, &reply->body, err);
}

static int64_t now(void *ctx)
{
    return ((struct service *)ctx)->now_ms;
}

static enum ib_rc wait_for(void *ctx, int64_t ms, struct ib_error *err)
{
    struct service *s = ctx;

    IB_ASSERT(ms > 0);
    s->now_ms += ms;
    return s->now_ms < 1000000000 ? IB_OK : ib_fail(err, IB_ETIMEOUT, "late");
}

static void run(const struct ib_arazzo_doc *doc, bool literal)
{
    struct service s = { 0, 1000 };
    const struct ib_run_clock clock = { now, now, wait_for, &s };
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    for (size_t i = 0; i < doc->workflow_count && i < 3; i++) {
        const struct ib_arazzo_run_options options = {
            .workflow_id = doc->workflows[i].id,
            .max_steps = STEPS_MAX,
            .literal = literal,
            .call = answer,
            .call_ctx = &s,
            .clock = &clock,
            .pace_ms = -1,
        };
        s.calls = 0;
        ib_arazzo_run(doc, &options, &result);
        IB_ASSERT(s.calls <= STEPS_MAX);
        IB_ASSERT((result.outcome == IB_RUN_SUCCESS) == (result.error.text[0] == '\0'));
        struct ib_value *v = ib_arazzo_result_value(&result);
        IB_ASSERT(v != NULL);
        ib_value_unref(v);
        ib_arazzo_result_fini(&result);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_buf drawing = IB_BUF_INIT(IB_SHOW_BYTES_MAX);
    const struct ib_str text = { (const char *)data, n };

    IB_ASSERT(ib_arazzo_parse(text, "fuzz", NULL, &findings, &doc, &err) == IB_OK);
    IB_ASSERT(doc != NULL || findings.errors > 0);
    if (doc != NULL) {
        IB_ASSERT(ib_arazzo_check(doc, NULL, &findings, &err) == IB_OK);
        for (int format = IB_SHOW_TEXT; format <= IB_SHOW_DOT; format++) {
            ib_arazzo_show(doc, NULL, (enum ib_show_format)format, &drawing);
        }
    }
    ib_findings_sort(&findings);
    if (ib_findings_ok(&findings, "fuzz", &err) == IB_OK) {
        run(doc, /* literal= */ false);
        run(doc, /* literal= */ true);
    } else {
        IB_ASSERT(err.text[0] != '\0');
    }
    ib_buf_fini(&drawing);
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
    return 0;
}
