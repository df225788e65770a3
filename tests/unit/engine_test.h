/* SPDX-License-Identifier: MIT */
/* What tests of the engine share: a service that answers by script, a clock that only counts. */
#ifndef IB_ENGINE_TEST_H
#define IB_ENGINE_TEST_H

#include "arazzo_test.h"
#include "ib_vectors.h"

#include "lib/arazzo/check.h"
#include "lib/arazzo/engine.h"
#include "lib/base/time.h"

/* One answer. status 0: no answer, rc says what went wrong. */
struct answer {
    int status;
    const char *body;    /* JSON; text in front of which stands '!' is no JSON; NULL: empty */
    const char *headers; /* JSON object or NULL */
    enum ib_rc rc;
};

#define FAKE_NOW_MS INT64_C(1788414261000) /* Thu, 03 Sep 2026 05:44:21 GMT */

struct fake {
    const struct answer *answers; /* in order; the last one repeats */
    size_t count, next;
    struct ib_buf calls;    /* "CreateImage GetImage" */
    struct ib_buf requests; /* one JSON object per line */
    struct ib_buf waits;    /* "1000 2500": milliseconds waited */
    int64_t mono_ms;
    int64_t stop_at_ms;     /* sleeping beyond fails with IB_ETIMEOUT; 0: never */
    const char *withhold;   /* operation that a dry run does not send */
};

#define FAKE_INIT                                                                                 \
    { .calls = IB_BUF_INIT(64 * 1024), .requests = IB_BUF_INIT(256 * 1024),                           \
      .waits = IB_BUF_INIT(64 * 1024), .mono_ms = 1000000 }

static inline void fake_fini(struct fake *f)
{
    ib_buf_fini(&f->calls);
    ib_buf_fini(&f->requests);
    ib_buf_fini(&f->waits);
}

static inline void fake_request(struct fake *f, const struct ib_arazzo_call *call)
{
    const struct {
        const char *name;
        const struct ib_value *v;
    } parts[] = { { "path", call->path },       { "query", call->query }, { "headers", call->headers },
                  { "cookies", call->cookies }, { "body", call->body } };

    ib_buf_addf(&f->requests, "{\"op\":\"%.*s\"", IB_STR_ARG(call->operation_id));
    for (size_t i = 0; i < IB_ARRAY_LEN(parts); i++) {
        if (parts[i].v != NULL && (i == 4 || ib_value_count(parts[i].v) > 0)) {
            ib_buf_addf(&f->requests, ",\"%s\":", parts[i].name);
            ib_json_print(parts[i].v, IB_JSON_COMPACT, &f->requests);
        }
    }
    ib_buf_add_c(&f->requests, "}\n");
}

static inline enum ib_rc fake_call(void *ctx, const struct ib_arazzo_call *call,
                                   struct ib_arazzo_reply *reply, struct ib_error *err)
{
    struct fake *f = ctx;
    const struct answer *a = &f->answers[f->next < f->count ? f->next : f->count - 1];

    if (f->withhold != NULL && ib_str_eq_c(call->operation_id, f->withhold)) {
        reply->withheld = true;
        return IB_OK;
    }
    ib_buf_addf(&f->calls, "%s%.*s", f->calls.len > 0 ? " " : "", IB_STR_ARG(call->operation_id));
    fake_request(f, call);
    f->next++;
    f->mono_ms += 100;
    if (a->rc != IB_OK) {
        return ib_fail(err, a->rc, "the fake service says %s", ib_rc_name(a->rc));
    }
    reply->status = a->status;
    reply->headers = json(a->headers);
    if (a->body != NULL) {
        reply->body =
            a->body[0] == '!' ? ib_value_string(ib_str_from(a->body + 1)) : json(a->body);
    }
    reply->url = ib_value_string(IB_STR("https://fake/"));
    reply->method = ib_value_string(IB_STR("GET"));
    if (a->status >= 400) {
        (void)ib_fail(&reply->error, IB_EAWS, "the service says %d", a->status);
    }
    return IB_OK;
}

static inline int64_t fake_mono(void *ctx)
{
    return ((struct fake *)ctx)->mono_ms;
}

static inline int64_t fake_wall(void *ctx)
{
    (void)ctx;
    return FAKE_NOW_MS;
}

static inline enum ib_rc fake_wait(void *ctx, int64_t ms, struct ib_error *err)
{
    struct fake *f = ctx;

    if (f->stop_at_ms != 0 && f->mono_ms + ms > f->stop_at_ms) {
        return ib_fail(err, IB_ETIMEOUT, "too late");
    }
    ib_buf_addf(&f->waits, "%s%lld", f->waits.len > 0 ? " " : "", (long long)ms);
    f->mono_ms += ms;
    return IB_OK;
}

/* Run with the fake in place of the world. The caller ends result. */
static inline void fake_run(struct fake *f, const struct ib_arazzo_doc *doc,
                            struct ib_arazzo_run_options options, struct ib_arazzo_result *result)
{
    const struct ib_run_clock clock = { fake_mono, fake_wall, fake_wait, f };

    options.call = fake_call;
    options.call_ctx = f;
    options.clock = &clock;
    options.pace_ms = -1;
    ib_arazzo_run(doc, &options, result);
}

/* A document below tests/data that must be free of errors. */
static inline struct ib_arazzo_doc *good_doc(const char *name)
{
    char path[4096];
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_arazzo_open(ib_vectors_ours(name, path, sizeof path), NULL, &doc, &err), &err);
    return doc;
}

#endif
