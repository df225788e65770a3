/* SPDX-License-Identifier: MIT */
/*
 * Calls as small state machines, so that one call and thirty at once take the same way: start, in
 * flight, waiting to try again, done. One loop moves them all.
 */
#include "lib/aws/client.h"

#include <stdarg.h>

#include "lib/aws/awserror.h"
#include "lib/aws/endpoint.h"
#include "lib/aws/http.h"
#include "lib/aws/outside.h"
#include "lib/aws/profile.h"
#include "lib/aws/retry.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/trace.h"
#include "lib/aws/useragent.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/random.h"
#include "lib/sys/signals.h"

#define NOTES_MAX       16
#define URL_MAX         ((size_t)32 * 1024) /* bytes; AWS front ends end at 8 KiB or so */
#define LOOK_AROUND_MS  1000
#define SLICE_MS        4     /* per client, when several are waited for in turn */
#define EXPIRY_SLACK_MS 10000 /* credentials that end sooner are asked for anew */
#define TRY_MIN_MS      5000  /* a try gets this long at the least, if there is so much left */
#define RETRY_TAKES_MS  1000  /* what another try is thought to take at the most */

struct ib_aws_client {
    struct ib_outside_real real;
    struct ib_aws_config *config;
    struct ib_http *http;
    struct ib_deadline deadline;
    struct ib_trace trace;
    struct ib_buf user_agent;
    struct ib_credentials credentials;
    int credentials_round;           /* 0 = none yet; grows with each look-up */
    struct ib_error credentials_err; /* of the last look-up that failed */
    int64_t credentials_err_mono_ms;
    struct ib_retry_bucket bucket;
    int64_t skew_ms; /* added to our clock when signing */
    struct ib_aws_stats stats;
    char notes[NOTES_MAX][IB_ERROR_TEXT_MAX];
    size_t note_count;
    /* In the flight that is under way: */
    size_t flying; /* calls of this client that are in flight */
    bool is_counted;
    bool has_company; /* calls of other clients are under way, too */
};

enum call_state { CALL_READY, CALL_FLYING, CALL_WAITING, CALL_DONE };

struct call {
    struct ib_aws_client *client;
    const struct ib_aws_request *request;
    struct ib_aws_response *ret;
    struct ib_error *err;
    enum ib_rc rc;
    enum call_state state;
    char region[64];
    struct ib_url endpoint;
    struct ib_buf path, url, bare_url; /* of the request; url with query */
    struct ib_http_transfer *transfer;
    int attempts; /* made in all */
    int counted;  /* of them: those that max_attempts limits */
    int taken;    /* tokens that the last retry took */
    int unsure;   /* tries that may have done what was asked, for all that is known */
    bool skew_tried, renewal_tried;
    int signed_round; /* credentials that the try was signed with */
    int64_t signed_skew_ms;
    int64_t start_mono_ms, try_mono_ms, wake_mono_ms;
    int64_t flight_mono_ms; /* when its flight began */
};

/* --- the client --- */

static void IB_PRINTF(2, 3) add_note(struct ib_aws_client *client, const char *fmt, ...)
{
    char raw[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return;
    }
    ib_trace_line(&client->trace, "* %s", raw);
    if (client->note_count < NOTES_MAX) {
        char *note = client->notes[client->note_count++];
        (void)ib_text_clean(raw, strlen(raw), note, IB_ERROR_TEXT_MAX);
    }
}

static enum ib_rc open_http(struct ib_aws_client *client, struct ib_error *err)
{
    const struct ib_aws_config *config = client->config;

    ib_useragent_add(config->retry_mode, config->app_id.value, &client->user_agent);
    enum ib_rc rc = ib_buf_ok(&client->user_agent, "User-Agent", err);
    if (rc != IB_OK) {
        return rc;
    }
    struct ib_http_options options = {
        .ca_bundle = config->ca_bundle.value,
        .ca_bundle_source = config->ca_bundle.source,
        .proxy = config->options.proxy,
        .user_agent = ib_buf_c(&client->user_agent),
    };
    rc = ib_http_new(&options, &client->http, err);
    client->real.http = client->http;
    return rc;
}

/* What differs between a shell and a daemon. */
static void trace_settings(const struct ib_aws_client *client)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf files = IB_BUF_INIT((size_t)16 * 1024);
    const struct ib_aws_setting *profile = &client->config->profile;

    ib_profiles_describe_files(client->config->profiles, &files);
    ib_trace_line(&client->trace, "* profile %s (%s), files: %s", profile->value, profile->source,
                  ib_buf_c(&files));
}

enum ib_rc ib_aws_client_new(const struct ib_aws_options *options, struct ib_deadline deadline,
                             struct ib_aws_client **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = calloc(1, sizeof *client);

    if (client == NULL) {
        return ib_fail_nomem(err);
    }
    client->deadline = deadline;
    client->trace = (struct ib_trace){options->trace, options->trace_ctx};
    client->bucket = (struct ib_retry_bucket)IB_RETRY_BUCKET_INIT;
    client->user_agent = (struct ib_buf)IB_BUF_INIT(1024);
    ib_outside_real_init(&client->real);
    enum ib_rc rc = ib_aws_config_load(options, &client->real.outside, &client->config, err);
    if (rc == IB_OK) {
        rc = open_http(client, err);
    }
    if (rc == IB_OK) {
        trace_settings(client);
        *ret = client;
        client = NULL;
    }
    return rc;
}

void ib_aws_client_free(struct ib_aws_client *client)
{
    if (client == NULL) {
        return;
    }
    ib_http_free(client->http);
    ib_aws_config_free(client->config);
    ib_credentials_fini(&client->credentials);
    ib_buf_fini(&client->user_agent);
    free(client);
}

void ib_aws_client_cleanup(struct ib_aws_client **client)
{
    ib_aws_client_free(*client);
    *client = NULL;
}

struct ib_aws_stats ib_aws_client_stats(const struct ib_aws_client *client)
{
    struct ib_aws_stats stats = client->stats;

    stats.corrected_ms = client->skew_ms;
    return stats;
}

const char *ib_aws_client_note(const struct ib_aws_client *client, size_t i)
{
    return i < client->note_count ? client->notes[i] : NULL;
}

struct ib_aws_config *ib_aws_client_config(struct ib_aws_client *client)
{
    return client->config;
}

struct ib_http *ib_aws_client_http(struct ib_aws_client *client)
{
    return client->http;
}

struct ib_deadline ib_aws_client_deadline(const struct ib_aws_client *client)
{
    return client->deadline;
}

void ib_aws_client_until(struct ib_aws_client *client, struct ib_deadline until)
{
    client->deadline = until;
}

/* --- answers --- */

void ib_aws_response_fini(struct ib_aws_response *r)
{
    ib_headers_fini(&r->headers);
    ib_buf_fini(&r->body);
    ib_value_unref(r->value);
    free(r->url);
    *r = (struct ib_aws_response)IB_AWS_RESPONSE_INIT;
}

/* application/json, application/x-amz-json-1.1, application/problem+json */
static bool is_json_type(const char *content_type)
{
    struct ib_str type = ib_str_from(content_type);

    type = ib_str_trim(ib_str_head(type, ib_str_find(type, ';')));
    for (size_t i = 0; i + 4 <= type.n; i++) {
        if (ib_str_ieq((struct ib_str){type.p + i, 4}, IB_STR("json"))) {
            return true;
        }
    }
    return false;
}

static void parse_body(struct ib_aws_response *r)
{
    char what[96];

    (void)snprintf(what, sizeof what, "answer to %s", r->operation);
    if (!is_json_type(ib_headers_get(&r->headers, "Content-Type"))) {
        return;
    }
    if (r->body.len == 0) {
        (void)ib_fail(&r->unread, IB_EPARSE, "%s: it is empty", what);
        return;
    }
    (void)(ib_json_parse(ib_buf_str(&r->body), what, NULL, &r->value, &r->unread) == IB_OK);
}

/* Errors come as JSON whatever the content type says. */
static void read_error(const struct ib_aws_response *r, struct ib_awserror *ret)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *own = NULL;

    if (r->value == NULL && r->body.len > 0 && r->body.data[0] == '{') {
        (void)(ib_json_parse(ib_buf_str(&r->body), "error", NULL, &own, NULL) == IB_OK);
    }
    ib_awserror_read(&r->headers, ib_buf_str(&r->body), r->value != NULL ? r->value : own, ret);
}

enum ib_rc ib_aws_response_error(const struct ib_aws_response *r, struct ib_error *err)
{
    if (r->status >= 200 && r->status < 300) {
        if (r->unread.rc != IB_OK) {
            if (err != NULL) {
                *err = r->unread;
            }
            return r->unread.rc;
        }
        if (r->value == NULL) {
            const char *type = ib_headers_get(&r->headers, "Content-Type");
            enum ib_rc rc =
                ib_fail(err, IB_EPARSE,
                        "answer to %s: HTTP %d with %s instead of JSON: a proxy or load balancer "
                        "on the way?",
                        r->operation, r->status, type == NULL ? "no content type" : type);
            if (err != NULL) {
                err->http_status = r->status;
            }
            return rc;
        }
        return IB_OK;
    }
    struct ib_awserror e;
    read_error(r, &e);
    enum ib_rc rc = ib_awserror_fail(err, &e, r->service, r->operation, r->status);
    if (r->attempts > 1) {
        (void)ib_error_context(err, "after %d tries", r->attempts);
    }
    return rc;
}

/* --- one call --- */

static void call_fini(struct call *c)
{
    if (c->transfer != NULL) {
        struct ib_http_response dropped = IB_HTTP_RESPONSE_INIT;
        (void)(ib_http_end(c->transfer, &dropped, NULL) == IB_OK);
        ib_http_response_fini(&dropped);
        c->transfer = NULL;
    }
    ib_buf_fini(&c->path);
    ib_buf_fini(&c->url);
    ib_buf_fini(&c->bare_url);
}

/* The end, in failure: the sentence begins with the operation. */
static void finish_failed(struct call *c, enum ib_rc rc)
{
    c->rc = rc;
    c->state = CALL_DONE;
    (void)ib_error_context(c->err, "%s", c->request->operation);
    if (c->attempts > 1) {
        (void)ib_error_context(c->err, "after %d tries", c->attempts);
    }
}

static enum ib_rc find_endpoint(struct call *c)
{
    struct ib_aws_config *config = c->client->config;
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting region = {NULL, NULL};
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting custom = {NULL, NULL};
    enum ib_rc rc =
        ib_aws_config_region(config, c->request->region, &c->client->deadline, &region, c->err);

    if (rc == IB_OK) {
        rc = ib_aws_config_endpoint_url(config, c->request->service, &custom, c->err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    struct ib_endpoint_params params = {
        .service = c->request->service,
        .region = region.value,
        .use_fips = config->use_fips,
        .use_dualstack = config->use_dualstack,
        .custom_url = custom.value,
        .custom_source = custom.source,
    };
    rc = ib_endpoint_resolve(&params, &c->endpoint, c->err);
    if (rc == IB_OK && !ib_text_copy(c->region, sizeof c->region, ib_str_from(region.value))) {
        rc = ib_fail(c->err, IB_EUSAGE, "Region \"%s\" is too long", region.value);
    }
    return rc;
}

static enum ib_rc build_url(struct call *c)
{
    struct ib_str query = c->request->query;

    ib_buf_add_c(&c->path, c->endpoint.path);
    ib_buf_add_str(&c->path, c->request->path);
    c->endpoint.path[0] = '\0';
    ib_url_add(&c->endpoint, &c->bare_url);
    ib_buf_add_str(&c->bare_url, ib_buf_str(&c->path));
    ib_buf_add_str(&c->url, ib_buf_str(&c->bare_url));
    if (query.n > 0) {
        ib_buf_add_char(&c->url, '?');
        ib_buf_add_str(&c->url, query);
    }
    enum ib_rc rc = ib_buf_ok(&c->path, "URL of the request", c->err);
    if (rc == IB_OK) {
        rc = ib_buf_ok(&c->bare_url, "URL of the request", c->err);
    }
    return rc == IB_OK ? ib_buf_ok(&c->url, "URL of the request", c->err) : rc;
}

static void call_init(struct call *c, struct ib_aws_client *client,
                      const struct ib_aws_request *request, struct ib_aws_response *ret,
                      struct ib_error *err)
{
    *c = (struct call){
        .client = client,
        .request = request,
        .ret = ret,
        .err = err,
        .path = IB_BUF_INIT(URL_MAX),
        .url = IB_BUF_INIT(URL_MAX),
        .bare_url = IB_BUF_INIT(URL_MAX),
        .start_mono_ms = ib_time_mono_ms(),
    };
    client->stats.calls++;
    enum ib_rc rc = find_endpoint(c);
    if (rc == IB_OK) {
        rc = build_url(c);
    }
    if (rc != IB_OK) {
        finish_failed(c, rc);
    }
}

/* Looking for credentials holds up the calls of other clients: then it must leave them time. */
static struct ib_deadline credentials_deadline(const struct ib_aws_client *client)
{
    int64_t half_ms = ib_deadline_left_ms(&client->deadline) / 2;

    return client->has_company ? ib_deadline_min(client->deadline, ib_deadline_in(half_ms))
                               : client->deadline;
}

static void keep_credentials(struct ib_aws_client *client, struct ib_credentials found)
{
    ib_credentials_fini(&client->credentials);
    client->credentials = found;
    client->credentials_round++;
}

enum ib_rc ib_aws_client_find_credentials(struct ib_aws_client *client, int64_t *ret_end_ms,
                                          struct ib_error *err)
{
    struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_deadline deadline = credentials_deadline(client);
    enum ib_rc rc = ib_credentials_resolve(client->config, false, &deadline, &found, err);

    if (rc == IB_OK) {
        *ret_end_ms = found.expiration_ms;
        keep_credentials(client, found);
    }
    return rc;
}

/* Credentials for the next try; asked for once, and again when they are about to end. */
static enum ib_rc need_credentials(struct call *c)
{
    struct ib_aws_client *client = c->client;
    int64_t end_ms = client->credentials.expiration_ms;
    bool ends_soon =
        end_ms != 0 && end_ms - IB_OUTSIDE_NOW(&client->real.outside) < EXPIRY_SLACK_MS;

    if (client->credentials_round > 0 && (!ends_soon || c->renewal_tried)) {
        return IB_OK;
    }
    if (client->credentials_err.rc != IB_OK &&
        c->flight_mono_ms <= client->credentials_err_mono_ms) {
        /* Calls of one flight share the failure too: each look-up may take seconds. */
        *c->err = client->credentials_err;
        return c->err->rc;
    }
    struct ib_credentials found = IB_CREDENTIALS_INIT;
    if (ends_soon) {
        c->renewal_tried = true;
    }
    struct ib_deadline deadline = credentials_deadline(client);
    enum ib_rc rc = ib_credentials_resolve(client->config, false, &deadline, &found, c->err);
    if (rc != IB_OK) {
        client->credentials_err = *c->err;
        client->credentials_err_mono_ms = ib_time_mono_ms();
        return rc;
    }
    keep_credentials(client, found);
    return IB_OK;
}

static enum ib_rc build_headers(struct call *c, struct ib_headers *headers)
{
    const struct ib_aws_request *r = c->request;
    IB_CLEANUP(ib_buf_fini) struct ib_buf host = IB_BUF_INIT(IB_URL_HOST_MAX + 16);
    const char *type = r->content_type == NULL ? "application/json" : r->content_type;

    ib_url_add_host(&c->endpoint, &host);
    enum ib_rc rc = ib_buf_ok(&host, "Host", c->err);
    if (rc == IB_OK) {
        rc = ib_headers_add(headers, "Host", ib_buf_str(&host), c->err);
    }
    if (rc == IB_OK && r->body.p != NULL) {
        rc = ib_headers_add(headers, "Content-Type", ib_str_from(type), c->err);
    }
    if (rc == IB_OK) {
        rc = ib_headers_copy(headers, r->headers, c->err);
    }
    return rc;
}

static enum ib_rc sign(struct call *c, struct ib_headers *headers)
{
    const struct ib_aws_client *client = c->client;
    const struct ib_credentials *by = &client->credentials;
    struct ib_sigv4_key key = {by->access_key_id, by->secret_access_key, by->session_token,
                               c->region, c->request->service};
    struct ib_sigv4_request request = {
        .method = c->request->method,
        .path = ib_buf_str(&c->path),
        .query = c->request->query,
        .body = c->request->body,
        .now_ms = IB_OUTSIDE_NOW(&client->real.outside) + client->skew_ms,
    };

    c->signed_round = client->credentials_round;
    c->signed_skew_ms = client->skew_ms;
    return ib_sigv4_sign(&key, &request, headers, NULL, c->err);
}

static bool may_try_again(const struct call *c)
{
    return !c->request->no_retry && c->counted < c->client->config->max_attempts;
}

/* A try that gets no answer must leave time for the next one. */
static int64_t try_timeout_ms(const struct call *c)
{
    int64_t left_ms = ib_deadline_left_ms(&c->client->deadline);
    int64_t half_ms = left_ms / 2;

    if (!may_try_again(c) || left_ms <= TRY_MIN_MS) {
        return left_ms;
    }
    return half_ms < TRY_MIN_MS ? TRY_MIN_MS : half_ms;
}

/* Image Builder reads by GET and POST. */
static bool changes_something(const struct ib_aws_request *r)
{
    return strcmp(r->method, "PUT") == 0 || strcmp(r->method, "DELETE") == 0;
}

static enum ib_rc launch(struct call *c)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    const struct ib_aws_request *r = c->request;
    enum ib_rc rc = need_credentials(c);

    if (rc == IB_OK) {
        rc = build_headers(c, &headers);
    }
    if (rc == IB_OK) {
        rc = sign(c, &headers);
    }
    if (rc != IB_OK) {
        return rc;
    }
    c->attempts++;
    c->counted++;
    c->client->stats.attempts++;
    c->client->stats.retries += c->attempts > 1;
    c->try_mono_ms = ib_time_mono_ms();
    ib_trace_request(&c->client->trace, r->method, ib_buf_c(&c->url), &headers, r->body);
    struct ib_http_request http = {
        .method = r->method,
        .url = ib_buf_c(&c->url),
        .headers = &headers,
        .body = r->body,
        .deadline = c->client->deadline,
        .timeout_ms = try_timeout_ms(c),
        .flags = changes_something(r) ? IB_HTTP_ONCE : 0,
    };
    return ib_http_begin(c->client->http, &http, &c->transfer, c->err);
}

/* --- after a try --- */

/* Moves an answer to the caller's struct; what an earlier try left there goes. */
static enum ib_rc fill_response(struct call *c, struct ib_http_response *http)
{
    struct ib_aws_response *r = c->ret;
    const char *id;

    ib_aws_response_fini(r);
    r->status = http->status;
    r->headers = http->headers;
    r->body = http->body;
    *http = (struct ib_http_response)IB_HTTP_RESPONSE_INIT;
    (void)ib_text_copy(r->operation, sizeof r->operation, ib_str_from(c->request->operation));
    (void)ib_text_copy(r->service, sizeof r->service, ib_str_from(c->request->service));
    id = ib_headers_get(&r->headers, "x-amzn-RequestId");
    if (id != NULL) {
        (void)ib_text_clean(id, strlen(id), r->request_id, sizeof r->request_id);
    }
    r->url = ib_str_dup(ib_buf_str(&c->bare_url));
    r->attempts = c->attempts;
    r->unsure = c->unsure;
    r->elapsed_ms = ib_time_mono_ms() - c->start_mono_ms;
    parse_body(r);
    return r->url == NULL ? ib_fail_nomem(c->err) : IB_OK;
}

/* Notes the clock's difference; false when the answer does not tell. */
static bool read_skew(struct call *c, int64_t date_ms, int64_t *ret_ms)
{
    struct ib_aws_client *client = c->client;

    if (date_ms == 0) {
        return false;
    }
    int64_t raw_ms = date_ms - IB_OUTSIDE_NOW(&client->real.outside);
    client->stats.skew_ms = raw_ms;
    client->stats.skew_known = true;
    *ret_ms = raw_ms - c->signed_skew_ms;
    return true;
}

static bool correct_clock(struct call *c, int64_t skew_ms)
{
    struct ib_aws_client *client = c->client;
    char ours[IB_TIME_TEXT_MAX], theirs[IB_TIME_TEXT_MAX];

    if (c->signed_skew_ms != client->skew_ms) {
        return true; /* another call has done it meanwhile */
    }
    if (c->skew_tried) {
        return false;
    }
    c->skew_tried = true;
    int64_t now_ms = IB_OUTSIDE_NOW(&client->real.outside);
    client->skew_ms = c->signed_skew_ms + skew_ms;
    add_note(client,
             "the clock of this machine says %s, AWS says %s: signed again with AWS's time; check "
             "the time service of this machine",
             ib_time_fmt_iso8601(now_ms / 1000 * 1000, ours, sizeof ours),
             ib_time_fmt_iso8601((now_ms + client->skew_ms) / 1000 * 1000, theirs, sizeof theirs));
    return true;
}

static bool renew_credentials(struct call *c)
{
    struct ib_aws_client *client = c->client;
    struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    if (c->signed_round != client->credentials_round) {
        return true; /* another call has done it meanwhile */
    }
    if (c->renewal_tried) {
        return false;
    }
    c->renewal_tried = true;
    struct ib_deadline deadline = credentials_deadline(client);
    if (ib_credentials_resolve(client->config, true, &deadline, &found, &err) != IB_OK) {
        add_note(client,
                 "AWS says that the credentials have expired, and there are no new ones: %s",
                 err.text);
        return false;
    }
    keep_credentials(client, found);
    add_note(client, "AWS said that the credentials had expired: asked %s for new ones",
             found.provider == NULL ? "the provider" : found.provider);
    return true;
}

/* Room for another try before the deadline, with the wait before it? */
static bool fits(const struct call *c, int64_t wait_ms)
{
    int64_t took_ms = ib_time_mono_ms() - c->try_mono_ms;
    int64_t needs_ms = took_ms < RETRY_TAKES_MS ? took_ms : RETRY_TAKES_MS;

    return wait_ms + needs_ms < ib_deadline_left_ms(&c->client->deadline);
}

static bool plan_retry(struct call *c, enum ib_retry_kind kind, int64_t server_ms, const char *why)
{
    struct ib_aws_client *client = c->client;

    if (c->counted >= client->config->max_attempts ||
        (c->request->no_retry && kind != IB_RETRY_THROTTLE)) {
        return false;
    }
    int64_t wait_ms = ib_retry_wait_ms(c->counted - 1, ib_random_unit(), server_ms);
    if (!fits(c, wait_ms)) {
        ib_trace_line(&client->trace, "* no time left for another try");
        return false;
    }
    if (!ib_retry_take(&client->bucket, client->config->retry_mode, kind, &c->taken)) {
        ib_trace_line(&client->trace, "* too many failures in this run for another try");
        return false;
    }
    ib_trace_line(&client->trace, "* try %d in %" PRId64 " ms: %s", c->attempts + 1, wait_ms, why);
    c->wake_mono_ms = ib_time_mono_ms() + wait_ms;
    c->state = CALL_WAITING;
    return true;
}

/* True when the call goes on. */
static bool decide(struct call *c, const struct ib_retry_facts *facts, int64_t server_ms,
                   const char *why)
{
    enum ib_retry_kind kind = ib_retry_classify(facts);

    switch (kind) {
    case IB_RETRY_NEVER:
        if (facts->transport == IB_OK && facts->status < 400) {
            ib_retry_give(&c->client->bucket, c->taken);
        }
        return false;
    case IB_RETRY_SKEW:
    case IB_RETRY_EXPIRED:
        if (!fits(c, 0) ||
            !(kind == IB_RETRY_SKEW ? correct_clock(c, facts->skew_ms) : renew_credentials(c))) {
            return false;
        }
        c->counted--;
        c->state = CALL_READY;
        return true;
    case IB_RETRY_THROTTLE:
        c->client->stats.throttled++;
        return plan_retry(c, kind, server_ms, why);
    case IB_RETRY_TRANSIENT:
    case IB_RETRY_TIMEOUT:
        return plan_retry(c, kind, server_ms, why);
    }
    return false;
}

static void land_failed(struct call *c, enum ib_rc rc)
{
    struct ib_retry_facts facts = {.transport = rc, .code = "", .message = ""};

    c->unsure++;
    ib_trace_line(&c->client->trace, "* %s", c->err->text);
    if (ib_signals_stop_requested() || !decide(c, &facts, -1, c->err->text)) {
        finish_failed(c, rc);
    }
}

static void land_answered(struct call *c, struct ib_http_response *http)
{
    struct ib_retry_facts facts = {.status = http->status};
    struct ib_awserror e;
    char why[128];
    int64_t server_ms = ib_retry_after_ms(&http->headers, IB_OUTSIDE_NOW(&c->client->real.outside));

    ib_trace_response(&c->client->trace, http->status, http->elapsed_ms, &http->headers,
                      ib_buf_str(&http->body));
    facts.skew_known = read_skew(c, http->date_ms, &facts.skew_ms);
    enum ib_rc rc = fill_response(c, http);
    if (rc != IB_OK) {
        finish_failed(c, rc);
        return;
    }
    c->unsure += facts.status >= 500 ? 1 : 0;
    memset(&e, 0, sizeof e);
    if (facts.status >= 300) {
        read_error(c->ret, &e);
    }
    facts.code = e.code;
    facts.message = e.message;
    (void)snprintf(why, sizeof why, "HTTP %d %s", facts.status, e.code);
    if (ib_signals_stop_requested() || !decide(c, &facts, server_ms, why)) {
        c->rc = IB_OK;
        c->state = CALL_DONE;
    }
}

static void land(struct call *c)
{
    struct ib_http_response http = IB_HTTP_RESPONSE_INIT;
    enum ib_rc rc = ib_http_end(c->transfer, &http, c->err);

    c->transfer = NULL;
    if (rc == IB_OK) {
        land_answered(c, &http);
    } else {
        land_failed(c, rc);
    }
    ib_http_response_fini(&http);
}

/* --- the loop --- */

/* One call of a flight, with all that its result needs. */
struct flown {
    struct call call;
    struct ib_aws_request request;
    struct ib_aws_response response;
    struct ib_error err;
    void *tag;
};

struct ib_aws_flight {
    size_t parallel;
    struct flown **items; /* in the order of their coming */
    size_t count, cap;
    size_t flying; /* of them, as last counted */
    size_t share;  /* what one client may have in flight */
    int64_t begun_mono_ms;
    struct ib_deadline until;
    bool has_until;
};

enum ib_rc ib_aws_flight_new(size_t parallel, struct ib_aws_flight **ret, struct ib_error *err)
{
    struct ib_aws_flight *f = calloc(1, sizeof *f);

    if (f == NULL) {
        return ib_fail_nomem(err);
    }
    f->parallel = parallel < 1                     ? 1
                  : parallel > IB_AWS_PARALLEL_MAX ? IB_AWS_PARALLEL_MAX
                                                   : parallel;
    f->begun_mono_ms = ib_time_mono_ms();
    *ret = f;
    return IB_OK;
}

static void flown_free(struct flown *item)
{
    call_fini(&item->call);
    ib_aws_response_fini(&item->response);
    free(item);
}

void ib_aws_flight_free(struct ib_aws_flight *flight)
{
    if (flight == NULL) {
        return;
    }
    for (size_t i = 0; i < flight->count; i++) {
        flown_free(flight->items[i]);
    }
    free(flight->items);
    free(flight);
}

void ib_aws_flight_cleanup(struct ib_aws_flight **flight)
{
    ib_aws_flight_free(*flight);
    *flight = NULL;
}

void *ib_aws_flight_take(struct ib_aws_flight *flight)
{
    void *tag = NULL;

    if (flight->count > 0) {
        struct flown *item = flight->items[--flight->count];
        tag = item->tag;
        flown_free(item);
    }
    return tag;
}

void ib_aws_flight_until(struct ib_aws_flight *flight, struct ib_deadline until)
{
    flight->until = until;
    flight->has_until = true;
}

size_t ib_aws_flight_count(const struct ib_aws_flight *flight, const struct ib_aws_client *client)
{
    size_t n = 0;

    for (size_t i = 0; i < flight->count; i++) {
        n += client == NULL || flight->items[i]->call.client == client;
    }
    return n;
}

enum ib_rc ib_aws_flight_add(struct ib_aws_flight *flight, struct ib_aws_client *client,
                             const struct ib_aws_request *request, void *tag, struct ib_error *err)
{
    if (flight->count == flight->cap) {
        size_t cap = flight->cap == 0 ? 8 : flight->cap * 2;
        struct flown **grown = reallocarray(flight->items, cap, sizeof *grown);
        if (grown == NULL) {
            return ib_fail_nomem(err);
        }
        flight->items = grown;
        flight->cap = cap;
    }
    struct flown *item = calloc(1, sizeof *item);
    if (item == NULL) {
        return ib_fail_nomem(err);
    }
    item->request = *request;
    item->response = (struct ib_aws_response)IB_AWS_RESPONSE_INIT;
    item->err = (struct ib_error)IB_ERROR_INIT;
    item->tag = tag;
    flight->items[flight->count++] = item;
    call_init(&item->call, client, &item->request, &item->response, &item->err);
    item->call.flight_mono_ms = flight->begun_mono_ms;
    return IB_OK;
}

/*
 * Count what flies, and give every client that has something to do the same share of the places:
 * one that gets no answers must not keep the others waiting.
 */
static void count_flying(struct ib_aws_flight *f)
{
    size_t clients = 0;

    f->flying = 0;
    for (size_t i = 0; i < f->count; i++) {
        f->items[i]->call.client->flying = 0;
        f->items[i]->call.client->is_counted = false;
    }
    for (size_t i = 0; i < f->count; i++) {
        const struct call *c = &f->items[i]->call;

        if (c->state == CALL_DONE) {
            continue;
        }
        clients += !c->client->is_counted;
        c->client->is_counted = true;
        f->flying += c->state == CALL_FLYING;
        c->client->flying += c->state == CALL_FLYING;
    }
    f->share = clients < 2 ? f->parallel : (f->parallel + clients - 1) / clients;
    for (size_t i = 0; i < f->count; i++) {
        f->items[i]->call.client->has_company = clients > 1;
    }
}

static bool has_place(const struct ib_aws_flight *f, const struct call *c)
{
    return f->flying < f->parallel && c->client->flying < f->share;
}

/*
 * First what was never tried, so that what fails is not repeated at its cost; then by fewest in
 * flight.
 */
static struct call *next_due(const struct ib_aws_flight *f, int64_t now)
{
    struct call *best = NULL;

    for (size_t i = 0; i < f->count; i++) {
        struct call *c = &f->items[i]->call;
        bool is_due =
            c->state == CALL_READY || (c->state == CALL_WAITING && c->wake_mono_ms <= now);

        if (!is_due || !has_place(f, c)) {
            continue;
        }
        if (best == NULL || (c->attempts == 0 && best->attempts > 0) ||
            ((c->attempts == 0) == (best->attempts == 0) &&
             c->client->flying < best->client->flying)) {
            best = c;
        }
    }
    return best;
}

static void start_calls(struct ib_aws_flight *f)
{
    int64_t now = ib_time_mono_ms();

    count_flying(f);
    for (struct call *c = next_due(f, now); c != NULL; c = next_due(f, now)) {
        enum ib_rc rc = launch(c);

        if (rc != IB_OK) {
            finish_failed(c, rc);
        } else {
            c->state = CALL_FLYING;
            c->client->flying++;
            f->flying++;
        }
    }
}

/* How long nothing will happen by itself. */
static int64_t idle_ms(const struct ib_aws_flight *f)
{
    int64_t now = ib_time_mono_ms();
    int64_t wait_ms = LOOK_AROUND_MS;

    for (size_t i = 0; i < f->count; i++) {
        const struct call *c = &f->items[i]->call;
        int64_t own_ms = LOOK_AROUND_MS;

        if (c->state == CALL_DONE || (c->state == CALL_FLYING && ib_http_is_done(c->transfer))) {
            own_ms = 0; /* it ended while credentials were looked up for another */
        } else if (c->state == CALL_WAITING && c->wake_mono_ms > now) {
            own_ms = c->wake_mono_ms - now;
        } else if (c->state == CALL_WAITING && has_place(f, c)) {
            own_ms = 0;
        }
        wait_ms = own_ms < wait_ms ? own_ms : wait_ms;
    }
    if (f->has_until && ib_deadline_left_ms(&f->until) < wait_ms) {
        wait_ms = ib_deadline_left_ms(&f->until);
    }
    return wait_ms;
}

/* No more: what flies is dropped, what waits is not begun. */
static void stop_calls(struct ib_aws_flight *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct call *c = &f->items[i]->call;

        if (c->state == CALL_FLYING && ib_signals_stop_requested()) {
            land(c);
        } else if (c->state != CALL_DONE && ib_signals_stop_requested()) {
            finish_failed(c, ib_fail(c->err, IB_ETIMEOUT, "stopped by %s before it was sent%s",
                                     ib_signals_stop_name(), c->attempts > 0 ? " again" : ""));
        } else if (c->state != CALL_DONE) {
            finish_failed(c, ib_fail(c->err, IB_ETIMEOUT, "%s in the time kept for it",
                                     c->attempts > 0 ? "no answer" : "not sent"));
        }
    }
}

/* Is it the first of the calls in flight that goes through its connections? */
static bool is_first_of_its_http(const struct ib_aws_flight *f, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        const struct call *other = &f->items[i]->call;
        if (other->state == CALL_FLYING && other->client->http == f->items[at]->call.client->http) {
            return false;
        }
    }
    return f->items[at]->call.state == CALL_FLYING;
}

/*
 * Move what is in flight. Calls of several clients have several sets of connections, and only one
 * can be waited for: then each gets a slice in turn.
 */
static enum ib_rc poll_calls(const struct ib_aws_flight *f, struct ib_error *err)
{
    size_t sets = 0;
    struct ib_http *last = f->items[0]->call.client->http;
    int64_t wait_ms = idle_ms(f);
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; i < f->count; i++) {
        if (is_first_of_its_http(f, i)) {
            sets++;
            last = f->items[i]->call.client->http;
        }
    }
    if (sets <= 1) {
        return ib_http_poll(last, wait_ms, err);
    }
    int64_t slice_ms = wait_ms < SLICE_MS ? wait_ms : SLICE_MS;
    for (size_t i = 0; i < f->count && rc == IB_OK; i++) {
        if (is_first_of_its_http(f, i)) {
            rc = ib_http_poll(f->items[i]->call.client->http, slice_ms, err);
        }
    }
    return rc;
}

/* The first call that is done leaves the flight; NULL when none is. */
static struct flown *take_done(struct ib_aws_flight *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct flown *item = f->items[i];
        if (item->call.state == CALL_DONE) {
            f->count--;
            memmove(&f->items[i], &f->items[i + 1], (f->count - i) * sizeof(struct flown *));
            return item;
        }
    }
    return NULL;
}

static void hand_over(struct flown *item, struct ib_aws_landed *ret)
{
    struct call *c = &item->call;

    *ret = (struct ib_aws_landed){.tag = item->tag, .rc = c->rc, .err = item->err};
    ret->response = (struct ib_aws_response)IB_AWS_RESPONSE_INIT;
    if (c->rc == IB_OK) {
        ret->response = item->response;
        item->response = (struct ib_aws_response)IB_AWS_RESPONSE_INIT;
    }
    c->client->stats.elapsed_ms += ib_time_mono_ms() - c->start_mono_ms;
    flown_free(item);
}

enum ib_rc ib_aws_flight_next(struct ib_aws_flight *flight, struct ib_aws_landed *ret,
                              struct ib_error *err)
{
    IB_ASSERT(flight->count > 0);
    for (;;) {
        struct flown *done = take_done(flight);
        if (done != NULL) {
            hand_over(done, ret);
            return IB_OK;
        }
        if (ib_signals_stop_requested() ||
            (flight->has_until && ib_deadline_left_ms(&flight->until) <= 0)) {
            stop_calls(flight);
            continue;
        }
        start_calls(flight);
        enum ib_rc rc = poll_calls(flight, err);
        if (rc != IB_OK) {
            return rc;
        }
        for (size_t i = 0; i < flight->count; i++) {
            struct call *c = &flight->items[i]->call;
            if (c->state == CALL_FLYING && ib_http_is_done(c->transfer)) {
                land(c);
            }
        }
    }
}

enum ib_rc ib_aws_call(struct ib_aws_client *client, const struct ib_aws_request *request,
                       struct ib_aws_response *ret, struct ib_error *err)
{
    struct ib_aws_job job = {.request = *request, .response = IB_AWS_RESPONSE_INIT};
    enum ib_rc rc = ib_aws_call_many(client, &job, 1, 1, err);

    if (rc != IB_OK || job.rc != IB_OK) {
        ib_aws_response_fini(&job.response);
        if (rc == IB_OK && err != NULL) {
            *err = job.err;
        }
        return rc != IB_OK ? rc : job.rc;
    }
    *ret = job.response;
    return IB_OK;
}

enum ib_rc ib_aws_call_many(struct ib_aws_client *client, struct ib_aws_job *jobs, size_t count,
                            size_t parallel, struct ib_error *err)
{
    IB_CLEANUP(ib_aws_flight_cleanup) struct ib_aws_flight *flight = NULL;
    enum ib_rc rc = ib_aws_flight_new(parallel, &flight, err);

    for (size_t i = 0; i < count; i++) {
        struct ib_error *own = &jobs[i].err;
        jobs[i].response = (struct ib_aws_response)IB_AWS_RESPONSE_INIT;
        *own = (struct ib_error)IB_ERROR_INIT;
        /* Stays when the loop itself breaks down. */
        jobs[i].rc = ib_fail(own, IB_EBUG, "%s: not finished", jobs[i].request.operation);
    }
    for (size_t i = 0; i < count && rc == IB_OK; i++) {
        rc = ib_aws_flight_add(flight, client, &jobs[i].request, &jobs[i], err);
    }
    while (rc == IB_OK && flight->count > 0) {
        struct ib_aws_landed landed;
        rc = ib_aws_flight_next(flight, &landed, err);
        if (rc == IB_OK) {
            struct ib_aws_job *job = landed.tag;
            job->rc = landed.rc;
            job->err = landed.err;
            job->response = landed.response;
        }
    }
    return rc;
}
