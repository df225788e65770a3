/* SPDX-License-Identifier: MIT */
/*
 * A small client over lib/aws for the tests in Python: each line of stdin is a JSON object, each
 * line of stdout the answer to it.
 *
 *   {"do":"sign", "method","path","query","body","headers":{},"access","secret","token","region",
 *    "service","now_ms"}                     -> {"authorization","canonical_request","headers":{}}
 *   {"do":"open", "endpoint_url","region","ca_bundle","proxy","timeout_ms","trace":true}
 *                                            -> {"rc"} and a client for the lines that follow
 *   {"do":"call", "service","operation","method","path","query","body","times":1,"parallel":1}
 *                                            -> {"rc","text","status","attempts","error_rc",...}
 *   {"do":"diagnose", as "open", "arn_region"}
 *                                            -> {"rc","text","rows":[["topic","text"]]}
 *   {"do":"close"}                           -> {"notes":[],"trace":[],"stats":{}}
 */
#include "lib/aws/awserror.h"
#include "lib/aws/client.h"
#include "lib/aws/diagnose.h"
#include "lib/aws/sigv4.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/signals.h"

#define LINE_MAX_BYTES ((size_t)8 * 1024 * 1024)

struct probe {
    struct ib_aws_client *client;
    struct ib_value *open;  /* the line that opened it: its texts are borrowed by the client */
    struct ib_value *trace; /* array of lines */
};

static const char *text_of(const struct ib_value *object, const char *key)
{
    const struct ib_value *v = ib_value_get_c(object, key);

    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v).p : NULL;
}

static struct ib_str str_of(const struct ib_value *object, const char *key)
{
    const struct ib_value *v = ib_value_get_c(object, key);

    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v) : (struct ib_str){NULL, 0};
}

static int64_t int_of(const struct ib_value *object, const char *key, int64_t otherwise)
{
    const struct ib_value *v = ib_value_get_c(object, key);

    return ib_value_is(v, IB_VALUE_INT) ? ib_value_as_int(v) : otherwise;
}

static void set(struct ib_value *object, const char *key, struct ib_value *item)
{
    IB_ASSERT(ib_value_set(object, ib_str_from(key), item, NULL) == IB_OK);
}

static void set_text(struct ib_value *object, const char *key, const char *text)
{
    set(object, key, ib_value_string(ib_str_from(text == NULL ? "" : text)));
}

static struct ib_value *headers_value(const struct ib_headers *h)
{
    struct ib_value *v = ib_value_object();

    for (size_t i = 0; i < h->count; i++) {
        set_text(v, h->items[i].name, h->items[i].value);
    }
    return v;
}

static void do_sign(const struct ib_value *line, struct ib_value *reply)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps steps = IB_SIGV4_STEPS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    const struct ib_value *given = ib_value_get_c(line, "headers");
    struct ib_sigv4_key key = {text_of(line, "access"), text_of(line, "secret"),
                               text_of(line, "token"), text_of(line, "region"),
                               text_of(line, "service")};
    struct ib_sigv4_request request = {
        .method = text_of(line, "method"),
        .path = str_of(line, "path"),
        .query = str_of(line, "query"),
        .body = str_of(line, "body"),
        .now_ms = int_of(line, "now_ms", 0),
    };
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < ib_value_count(given); i++) {
        rc = ib_headers_add(&headers, ib_value_key_at(given, i).p,
                            ib_value_as_str(ib_value_at(given, i)), &err);
    }
    if (rc == IB_OK) {
        rc = ib_sigv4_sign(&key, &request, &headers, &steps, &err);
    }
    set_text(reply, "rc", ib_rc_name(rc));
    set_text(reply, "text", err.text);
    set_text(reply, "authorization", ib_buf_c(&steps.authorization));
    set_text(reply, "canonical_request", ib_buf_c(&steps.canonical_request));
    set(reply, "headers", headers_value(&headers));
}

static void on_trace(void *ctx, const char *line)
{
    IB_ASSERT(ib_value_push(ctx, ib_value_string(ib_str_from(line)), NULL) == IB_OK);
}

static struct ib_aws_options options_of(const struct ib_value *line)
{
    return (struct ib_aws_options){
        .profile = text_of(line, "profile"),
        .region = text_of(line, "region"),
        .role_arn = text_of(line, "role_arn"),
        .external_id = text_of(line, "external_id"),
        .endpoint_url = text_of(line, "endpoint_url"),
        .ca_bundle = text_of(line, "ca_bundle"),
        .proxy = text_of(line, "proxy"),
        .cache_dir = text_of(line, "cache_dir"),
    };
}

static void do_diagnose(const struct ib_value *line, struct ib_value *reply)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_diagnose_fini) struct ib_diagnose d = IB_DIAGNOSE_INIT;
    struct ib_aws_options options = options_of(line);
    struct ib_value *rows = ib_value_array();
    enum ib_rc rc = ib_diagnose_aws(&options, ib_deadline_in(int_of(line, "timeout_ms", 10000)),
                                    text_of(line, "arn_region"), &d, NULL, &err);

    set_text(reply, "rc", ib_rc_name(rc));
    set_text(reply, "text", err.text);
    for (size_t i = 0; i < d.count; i++) {
        struct ib_value *row = ib_value_array();

        on_trace(row, d.rows[i].topic);
        on_trace(row, d.rows[i].text);
        IB_ASSERT(ib_value_push(rows, row, NULL) == IB_OK);
    }
    set(reply, "rows", rows);
}

static void do_open(struct probe *p, struct ib_value *line, struct ib_value *reply)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_aws_options options = options_of(line);

    ib_value_unref(p->open);
    p->open = ib_value_ref(line);
    ib_value_unref(p->trace);
    p->trace = ib_value_array();
    if (ib_value_get_c(line, "trace") != NULL) {
        options.trace = on_trace;
        options.trace_ctx = p->trace;
    }
    ib_aws_client_cleanup(&p->client);
    enum ib_rc rc = ib_aws_client_new(&options, ib_deadline_in(int_of(line, "timeout_ms", 10000)),
                                      &p->client, &err);
    set_text(reply, "rc", ib_rc_name(rc));
    set_text(reply, "text", err.text);
}

static struct ib_value *job_value(const struct ib_aws_job *job)
{
    struct ib_value *v = ib_value_object();
    struct ib_error err = IB_ERROR_INIT;
    const struct ib_aws_response *r = &job->response;

    set_text(v, "rc", ib_rc_name(job->rc));
    if (job->rc != IB_OK) {
        set_text(v, "text", job->err.text);
        return v;
    }
    enum ib_rc rc = ib_aws_response_error(r, &err);
    set(v, "status", ib_value_int(r->status));
    set(v, "attempts", ib_value_int(r->attempts));
    set_text(v, "error_rc", ib_rc_name(rc));
    set_text(v, "text", err.text);
    set_text(v, "code", err.aws_code);
    set_text(v, "request_id", r->request_id);
    set_text(v, "url", r->url);
    set(v, "bytes", ib_value_int((int64_t)r->body.len));
    set(v, "value", r->value == NULL ? ib_value_null() : ib_value_ref(r->value));
    return v;
}

static void do_call(struct probe *p, const struct ib_value *line, struct ib_value *reply)
{
    struct ib_error err = IB_ERROR_INIT;
    size_t times = (size_t)int_of(line, "times", 1);
    struct ib_aws_job *jobs = calloc(times, sizeof *jobs);
    struct ib_value *list = ib_value_array();
    int64_t begun = ib_time_mono_ms();
    const char *service = text_of(line, "service");

    IB_ASSERT(jobs != NULL && p->client != NULL);
    for (size_t i = 0; i < times; i++) {
        jobs[i].request = (struct ib_aws_request){
            .service = service == NULL ? "imagebuilder" : service,
            .operation = text_of(line, "operation"),
            .method = text_of(line, "method"),
            .path = str_of(line, "path"),
            .query = str_of(line, "query"),
            .body = str_of(line, "body"),
            .content_type = text_of(line, "content_type"),
            .region = text_of(line, "region"),
            .no_retry = ib_value_get_c(line, "no_retry") != NULL,
        };
    }
    enum ib_rc rc =
        ib_aws_call_many(p->client, jobs, times, (size_t)int_of(line, "parallel", 1), &err);
    set_text(reply, "batch_rc", ib_rc_name(rc));
    set(reply, "elapsed_ms", ib_value_int(ib_time_mono_ms() - begun));
    for (size_t i = 0; i < times; i++) {
        struct ib_value *v = job_value(&jobs[i]);

        for (size_t k = 0; i == 0 && k < ib_value_count(v); k++) {
            set(reply, ib_value_key_at(v, k).p, ib_value_ref(ib_value_at(v, k)));
        }
        IB_ASSERT(ib_value_push(list, v, NULL) == IB_OK);
        ib_aws_response_fini(&jobs[i].response);
    }
    set(reply, "all", list);
    free(jobs);
}

static void do_close(struct probe *p, struct ib_value *reply)
{
    struct ib_value *notes = ib_value_array();
    struct ib_value *stats = ib_value_object();
    struct ib_aws_stats s = ib_aws_client_stats(p->client);

    for (size_t i = 0; ib_aws_client_note(p->client, i) != NULL; i++) {
        on_trace(notes, ib_aws_client_note(p->client, i));
    }
    set(stats, "calls", ib_value_int(s.calls));
    set(stats, "attempts", ib_value_int(s.attempts));
    set(stats, "retries", ib_value_int(s.retries));
    set(stats, "throttled", ib_value_int(s.throttled));
    set(stats, "skew_ms", ib_value_int(s.skew_ms));
    set(reply, "notes", notes);
    set(reply, "stats", stats);
    set(reply, "trace", ib_value_ref(p->trace));
    ib_aws_client_cleanup(&p->client);
}

static void answer(struct probe *p, struct ib_str text)
{
    struct ib_error err = IB_ERROR_INIT;
    const struct ib_json_limits limits = {.max_bytes = LINE_MAX_BYTES};
    IB_CLEANUP(ib_value_cleanup) struct ib_value *line = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *reply = ib_value_object();
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(LINE_MAX_BYTES * 2);
    const char *what = NULL;

    if (ib_json_parse(text, "line", &limits, &line, &err) == IB_OK) {
        what = text_of(line, "do");
    }
    if (what == NULL) {
        set_text(reply, "bug", err.text);
    } else if (strcmp(what, "sign") == 0) {
        do_sign(line, reply);
    } else if (strcmp(what, "open") == 0) {
        do_open(p, line, reply);
    } else if (strcmp(what, "call") == 0) {
        do_call(p, line, reply);
    } else if (strcmp(what, "diagnose") == 0) {
        do_diagnose(line, reply);
    } else if (strcmp(what, "close") == 0) {
        do_close(p, reply);
    }
    ib_json_print(reply, IB_JSON_COMPACT, &out);
    (void)printf("%s\n", ib_buf_c(&out));
    (void)fflush(stdout);
}

int main(void)
{
    struct probe p = {.client = NULL};
    char *line = NULL;
    size_t cap = 0;

    ib_signals_reset();
    ib_signals_catch_stop();
    for (ssize_t n = getline(&line, &cap, stdin); n >= 0; n = getline(&line, &cap, stdin)) {
        answer(&p, ib_str_trim((struct ib_str){line, (size_t)n}));
    }
    free(line);
    ib_aws_client_cleanup(&p.client);
    ib_value_unref(p.open);
    ib_value_unref(p.trace);
    return 0;
}
