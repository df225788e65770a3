/* SPDX-License-Identifier: MIT */
/* From a call of the engine to a request of Image Builder, and from its answer back. */
#include "lib/watch/sender.h"

#include "lib/aws/arn.h"
#include "lib/aws/endpoint.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

/* --- which operation ------------------------------------------------------------------------ */

/* An operation that only OpenAPI knows, in the form of the table. */
struct described {
    struct ib_operation operation;
    struct ib_buf name, method, path, query, path_params;
};

#define DESCRIBED_INIT                                                                  \
    {                                                                                   \
        .name = IB_BUF_INIT(256), .method = IB_BUF_INIT(16), .path = IB_BUF_INIT(4096), \
        .path_params = IB_BUF_INIT(1024), .query = IB_BUF_INIT(4096)                    \
    }

static void described_fini(struct described *d)
{
    ib_buf_fini(&d->name);
    ib_buf_fini(&d->method);
    ib_buf_fini(&d->path);
    ib_buf_fini(&d->query);
    ib_buf_fini(&d->path_params);
}

static bool same_request(const struct ib_operation *op, const struct ib_openapi_operation *o)
{
    return ib_str_eq_c(o->method, op->method) && ib_str_eq_c(o->path, op->path);
}

/* The operation of the table, found by its name or by what OpenAPI says is sent; NULL: none. */
static const struct ib_operation *find_in_table(const struct ib_arazzo_call *call)
{
    const struct ib_operation *op =
        call->operation_id.p == NULL ? NULL : ib_operation_find(call->operation_id);

    if (call->openapi == NULL || (op != NULL && same_request(op, call->openapi))) {
        return op;
    }
    for (size_t i = 0; i < IB_OPERATION_COUNT; i++) {
        if (same_request(ib_operation_at(i), call->openapi)) {
            return ib_operation_at(i);
        }
    }
    return NULL;
}

/* The keys of an object, as the table writes lists of parameters. */
static void add_names(const struct ib_value *object, struct ib_buf *out)
{
    for (size_t i = 0; i < ib_value_count(object); i++) {
        ib_buf_addf(out, "%s%.*s", i == 0 ? "" : ",", IB_STR_ARG(ib_value_key_at(object, i)));
    }
}

static enum ib_rc describe_operation(const struct ib_arazzo_call *call, struct described *d,
                                     struct ib_error *err)
{
    const struct ib_openapi_operation *o = call->openapi;

    if (o == NULL) {
        return ib_fail(err, IB_ECONFIG, "there is no operation \"%.*s\"",
                       IB_STR_ARG(call->operation_id));
    }
    if (o->path.n == 0 || o->path.p[0] != '/') {
        return ib_fail(err, IB_ECONFIG, "the OpenAPI path \"%.*s\" does not begin with '/'",
                       IB_STR_ARG(o->path));
    }
    ib_buf_add_str(&d->name, call->operation_id.p == NULL ? o->path : call->operation_id);
    ib_buf_add_str(&d->method, o->method);
    ib_buf_add_str(&d->path, o->path);
    add_names(call->query, &d->query);
    add_names(call->path, &d->path_params);
    d->operation = (struct ib_operation){.name = ib_buf_c(&d->name),
                                         .method = ib_buf_c(&d->method),
                                         .path = ib_buf_c(&d->path),
                                         .query = ib_buf_c(&d->query),
                                         .path_params = ib_buf_c(&d->path_params),
                                         .body = ""};
    for (size_t i = 0; i < ib_value_count(call->path); i++) {
        struct ib_buf hole = IB_BUF_INIT(256);
        ib_buf_addf(&hole, "{%.*s}", IB_STR_ARG(ib_value_key_at(call->path, i)));
        bool there = strstr(ib_buf_c(&d->path), ib_buf_c(&hole)) != NULL;
        ib_buf_fini(&hole);
        if (!there) {
            return ib_fail(err, IB_EUSAGE, "%s has no path parameter %.*s", d->operation.name,
                           IB_STR_ARG(ib_value_key_at(call->path, i)));
        }
    }
    return ib_buf_ok(&d->query, "operation", err);
}

static bool method_changes(struct ib_str method)
{
    return !ib_str_eq_c(method, "GET") && !ib_str_eq_c(method, "HEAD") &&
           !ib_str_eq_c(method, "OPTIONS");
}

bool ib_sender_changes(const struct ib_arazzo_call *call)
{
    const struct ib_operation *op = find_in_table(call);

    if (op != NULL) {
        return !ib_operation_reads(op);
    }
    return call->openapi == NULL || method_changes(call->openapi->method);
}

bool ib_sender_knows(void *ctx, struct ib_str operation_id)
{
    (void)ctx;
    return ib_operation_find(operation_id) != NULL;
}

/* --- where to ------------------------------------------------------------------------------- */

/* Host names of Image Builder begin so; region and suffix follow. */
static const char *const host_prefixes[] = {"imagebuilder.", "imagebuilder-fips."};

/* "eu-central-1.amazonaws.com" with a suffix of some partition; *ret the region's text. */
static bool is_region_and_suffix(struct ib_str rest, struct ib_str *ret)
{
    for (size_t i = 0; ib_partition_at(i) != NULL; i++) {
        const char *const suffixes[] = {ib_partition_at(i)->suffix,
                                        ib_partition_at(i)->dualstack_suffix};
        for (size_t k = 0; k < IB_ARRAY_LEN(suffixes); k++) {
            struct ib_str suffix = ib_str_from(suffixes[k]);
            if (suffix.n > 0 && rest.n > suffix.n + 1 && ib_str_ends(rest, suffix) &&
                rest.p[rest.n - suffix.n - 1] == '.') {
                *ret = ib_str_head(rest, rest.n - suffix.n - 1);
                return true;
            }
        }
    }
    return false;
}

/*
 * Is the server of an OpenAPI document Image Builder's? *ret_region: the region that it names,
 * empty when it leaves that open ("{region}").
 */
static bool is_image_builder(struct ib_str server, struct ib_str *ret_region)
{
    struct ib_str host = server;
    struct ib_str region = {NULL, 0};

    if (ib_str_starts(host, IB_STR("https://"))) {
        host = ib_str_skip(host, strlen("https://"));
    } else if (ib_str_starts(host, IB_STR("http://"))) {
        /* Only the name counts: what is sent goes by https. */
        host = ib_str_skip(host, strlen("http://"));
    } else {
        return false;
    }
    if (ib_str_ends(host, IB_STR("/"))) {
        host.n--;
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(host_prefixes); i++) {
        struct ib_str prefix = ib_str_from(host_prefixes[i]);
        if (!ib_str_starts(host, prefix) ||
            !is_region_and_suffix(ib_str_skip(host, prefix.n), &region)) {
            continue;
        }
        if (ib_str_eq_c(region, "{region}")) {
            *ret_region = (struct ib_str){NULL, 0};
            return true;
        }
        *ret_region = region;
        return ib_region_is_valid(region);
    }
    return false;
}

/* The region of the first ARN of Image Builder among the values. */
static bool arn_region(const struct ib_value *values, char *region, size_t cap)
{
    for (size_t i = 0; i < ib_value_count(values); i++) {
        const struct ib_value *v = ib_value_at(values, i);
        struct ib_arn arn;
        if (ib_value_is(v, IB_VALUE_STRING) && ib_arn_looks_like(ib_value_as_str(v)) &&
            ib_arn_parse(ib_value_as_str(v), "parameter", &arn, NULL) == IB_OK &&
            strcmp(arn.service, IB_IMAGEBUILDER_SERVICE) == 0 && arn.region[0] != '\0') {
            return ib_text_copy(region, cap, ib_str_from(arn.region));
        }
    }
    return false;
}

struct prepared {
    const struct ib_operation *operation; /* NULL in the table's sense: see described */
    struct described described;
    struct ib_imagebuilder_request request;
    struct ib_value *params, *body;
    char region[64];
};

static void prepared_fini(struct prepared *p)
{
    described_fini(&p->described);
    ib_imagebuilder_request_fini(&p->request);
    ib_value_unref(p->params);
    ib_value_unref(p->body);
}

static enum ib_rc find_region(const struct ib_arazzo_call *call, bool endpoint_is_given,
                              struct prepared *p, struct ib_error *err)
{
    struct ib_str server = {NULL, 0};
    const struct ib_openapi_operation *o = call->openapi;

    if (o != NULL && o->server.p != NULL && o->server.n > 0 && o->server.p[0] != '/' &&
        !endpoint_is_given) {
        if (!is_image_builder(o->server, &server)) {
            return ib_fail(err, IB_EREFUSED,
                           "the server %.*s is not the endpoint of Image Builder: no request is "
                           "signed for it (--endpoint-url would say where to instead)",
                           IB_STR_ARG(o->server));
        }
    }
    if (arn_region(p->params, p->region, sizeof p->region) ||
        arn_region(p->body, p->region, sizeof p->region)) {
        return IB_OK;
    }
    if (server.p != NULL && !ib_text_copy(p->region, sizeof p->region, server)) {
        return ib_fail(err, IB_EUSAGE, "the region in %.*s is too long", IB_STR_ARG(o->server));
    }
    return IB_OK;
}

/* --- parameters ----------------------------------------------------------------------------- */

static enum ib_rc add_params(const struct ib_operation *table, const struct ib_value *from,
                             enum ib_operation_place place, const char *in, struct prepared *p,
                             struct ib_error *err)
{
    static const char *const place_names[] = {[IB_PLACE_NONE] = "nowhere",
                                              [IB_PLACE_QUERY] = "query",
                                              [IB_PLACE_PATH] = "path",
                                              [IB_PLACE_BODY] = "the body"};
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < ib_value_count(from); i++) {
        struct ib_str name = ib_value_key_at(from, i);
        enum ib_operation_place right = table == NULL ? place : ib_operation_place(table, name);
        if (right == IB_PLACE_NONE) {
            return ib_fail(err, IB_EUSAGE, "%s has no parameter %.*s", table->name,
                           IB_STR_ARG(name));
        }
        if (right != place) {
            return ib_fail(err, IB_EUSAGE, "%s: parameter %.*s belongs in %s, not in %s",
                           table == NULL ? "" : table->name, IB_STR_ARG(name), place_names[right],
                           in);
        }
        rc = ib_value_set(p->params, name, ib_value_ref(ib_value_at(from, i)), err);
    }
    return rc;
}

static enum ib_rc refuse_others(const struct ib_arazzo_call *call, struct ib_error *err)
{
    if (ib_value_count(call->headers) > 0 || ib_value_count(call->cookies) > 0) {
        bool header = ib_value_count(call->headers) > 0;
        return ib_fail(err, IB_EUSAGE, "Image Builder takes no %s parameters (%.*s)",
                       header ? "header" : "cookie",
                       IB_STR_ARG(ib_value_key_at(header ? call->headers : call->cookies, 0)));
    }
    if (call->content_type.p != NULL && !ib_str_ieq_c(call->content_type, "application/json")) {
        return ib_fail(err, IB_EUSAGE, "Image Builder takes application/json, not %.*s",
                       IB_STR_ARG(call->content_type));
    }
    return IB_OK;
}

/* A payload that is a text is JSON written out, with its expressions filled in. */
static enum ib_rc body_of(const struct ib_arazzo_call *call, struct ib_value **ret,
                          struct ib_error *err)
{
    if (!ib_value_is(call->body, IB_VALUE_STRING)) {
        *ret = ib_value_ref(call->body);
        return IB_OK;
    }
    return ib_json_parse(ib_value_as_str(call->body), "payload", NULL, ret, err);
}

/* A build that is to be cancelled must be named whole; nothing else looks like an ARN by accident.
 */
static enum ib_rc check_arn(const struct ib_operation *op, const struct ib_value *values,
                            struct ib_error *err)
{
    const struct ib_value *v = ib_value_get_c(values, "imageBuildVersionArn");
    bool cancel = strcmp(op->name, "CancelImageCreation") == 0;
    struct ib_image_arn arn;

    if (v == NULL) {
        return IB_OK;
    }
    if (!ib_value_is(v, IB_VALUE_STRING)) {
        return ib_fail(err, IB_EUSAGE, "imageBuildVersionArn must be text, not %s",
                       ib_value_type_name(v));
    }
    return ib_image_arn_parse(ib_value_as_str(v),
                              cancel ? IB_IMAGE_ARN_NEED_BUILD : IB_IMAGE_ARN_ANY,
                              "imageBuildVersionArn", &arn, err);
}

static enum ib_rc prepare(const struct ib_arazzo_call *call, bool endpoint_is_given,
                          struct prepared *p, struct ib_error *err)
{
    const struct ib_operation *op = find_in_table(call);
    enum ib_rc rc = refuse_others(call, err);

    p->operation = op;
    p->params = ib_value_object();
    if (rc == IB_OK && p->params == NULL) {
        return ib_fail_nomem(err);
    }
    if (rc == IB_OK && op == NULL) {
        rc = describe_operation(call, &p->described, err);
    }
    if (rc == IB_OK) {
        rc = add_params(op, call->path, IB_PLACE_PATH, "path", p, err);
    }
    if (rc == IB_OK) {
        rc = add_params(op, call->query, IB_PLACE_QUERY, "query", p, err);
    }
    if (rc == IB_OK && call->body != NULL) {
        rc = body_of(call, &p->body, err);
    }
    if (rc == IB_OK && op != NULL) {
        rc = check_arn(op, p->params, err);
    }
    if (rc == IB_OK && op != NULL) {
        rc = check_arn(op, p->body, err);
    }
    if (rc == IB_OK) {
        rc = find_region(call, endpoint_is_given, p, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    const struct ib_imagebuilder_params params = {
        .params = p->params,
        .body = p->body,
        .region = p->region[0] == '\0' ? NULL : p->region,
    };
    return ib_imagebuilder_prepare(op == NULL ? &p->described.operation : op, &params, &p->request,
                                   err);
}

enum ib_rc ib_sender_describe(const struct ib_arazzo_call *call, struct ib_buf *out,
                              struct ib_error *err)
{
    IB_CLEANUP(prepared_fini)
    struct prepared p = {.described = DESCRIBED_INIT, .request = IB_IMAGEBUILDER_REQUEST_INIT};
    enum ib_rc rc = prepare(call, /* endpoint_is_given= */ true, &p, err);

    if (rc != IB_OK) {
        return rc;
    }
    const struct ib_aws_request *aws = &p.request.aws;
    ib_buf_addf(out, "%s %.*s", aws->method, IB_STR_ARG(aws->path));
    if (aws->query.n > 0) {
        ib_buf_addf(out, "?%.*s", IB_STR_ARG(aws->query));
    }
    if (aws->body.p != NULL) {
        ib_buf_add_char(out, ' ');
        ib_buf_add_str(out, aws->body);
    }
    return ib_buf_ok(out, "request", err);
}

/* --- the answer ----------------------------------------------------------------------------- */

static enum ib_rc answer_headers(const struct ib_headers *headers, struct ib_value **ret,
                                 struct ib_error *err)
{
    struct ib_value *object = ib_value_object();
    enum ib_rc rc = object == NULL ? ib_fail_nomem(err) : IB_OK;

    for (size_t i = 0; rc == IB_OK && i < headers->count; i++) {
        struct ib_buf name = IB_BUF_INIT(IB_HEADERS_BYTES_MAX);
        struct ib_str value = ib_str_from(headers->items[i].value);
        for (const char *p = headers->items[i].name; *p != '\0'; p++) {
            ib_buf_add_char(&name, ib_ascii_tolower(*p));
        }
        /* A header is text to expressions; bytes that are none have nothing to say to them. */
        if (ib_utf8_valid(value.p, value.n)) {
            rc = ib_value_set(object, ib_buf_str(&name), ib_value_string(value), err);
        }
        ib_buf_fini(&name);
    }
    if (rc != IB_OK) {
        ib_value_unref(object);
        return rc;
    }
    *ret = object;
    return IB_OK;
}

/* Parsed JSON, else the text, else (bytes that are no text) nothing. */
static enum ib_rc answer_body(const struct ib_aws_response *r, struct ib_value **ret,
                              struct ib_error *err)
{
    struct ib_str text = ib_buf_str(&r->body);

    if (r->value != NULL) {
        *ret = ib_value_ref(r->value);
        return IB_OK;
    }
    if (text.n == 0 || !ib_utf8_valid(text.p, text.n) || memchr(text.p, '\0', text.n) != NULL) {
        return IB_OK;
    }
    *ret = ib_value_string(text);
    return *ret == NULL ? ib_fail_nomem(err) : IB_OK;
}

static enum ib_rc fill_reply(const struct ib_aws_response *r, const struct ib_aws_request *request,
                             struct ib_arazzo_reply *reply, struct ib_error *err)
{
    enum ib_rc rc = answer_headers(&r->headers, &reply->headers, err);

    if (rc == IB_OK) {
        rc = answer_body(r, &reply->body, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    reply->status = r->status;
    reply->url = r->url == NULL ? NULL : ib_value_string(ib_str_from(r->url));
    reply->method = ib_value_string(ib_str_from(request->method));
    if (ib_aws_response_error(r, &reply->error) == IB_OK) {
        reply->error = (struct ib_error)IB_ERROR_INIT;
    }
    return IB_OK;
}

/* On a look that shows no state nothing may be decided, however a document asks. */
static enum ib_rc check_look(const struct ib_operation *op, const struct ib_aws_response *r,
                             struct ib_error *err)
{
    struct ib_str status = {NULL, 0};

    if (op == NULL || strcmp(op->name, "GetImage") != 0 || r->status != 200) {
        return IB_OK;
    }
    if (r->value == NULL && r->unread.rc != IB_OK) {
        *err = r->unread;
        return ib_error_context(err, "GetImage");
    }
    enum ib_rc rc = ib_value_need_str(r->value, "image.state.status", 64, &status, err);
    if (rc != IB_OK) {
        return ib_error_context(err, "GetImage: the answer shows no state");
    }
    return status.n > 0 ? IB_OK
                        : ib_fail(err, IB_EPARSE, "GetImage: the answer shows an empty state");
}

static enum ib_rc send(struct ib_sender *s, const struct ib_arazzo_call *call, struct prepared *p,
                       struct ib_arazzo_reply *reply, struct ib_error *err)
{
    IB_CLEANUP(ib_aws_response_fini) struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
    enum ib_rc rc = ib_aws_call(s->client, &p->request.aws, &response, err);

    if (rc == IB_OK) {
        rc = check_look(p->operation, &response, err);
    }
    if (rc == IB_OK && s->seen != NULL) {
        rc = s->seen(s->ctx, call, p->operation, &response, err);
    }
    return rc == IB_OK ? fill_reply(&response, &p->request.aws, reply, err) : rc;
}

static bool endpoint_is_given(const struct ib_sender *s)
{
    struct ib_aws_setting url = {NULL, NULL};

    if (s->client == NULL ||
        ib_aws_config_endpoint_url(ib_aws_client_config(s->client), IB_IMAGEBUILDER_SERVICE, &url,
                                   NULL) != IB_OK) {
        return false;
    }
    bool given = url.value != NULL;
    ib_aws_setting_fini(&url);
    return given;
}

enum ib_rc ib_sender_call(void *ctx, const struct ib_arazzo_call *call,
                          struct ib_arazzo_reply *reply, struct ib_error *err)
{
    struct ib_sender *s = ctx;
    IB_CLEANUP(prepared_fini)
    struct prepared p = {.described = DESCRIBED_INIT, .request = IB_IMAGEBUILDER_REQUEST_INIT};
    bool changes = ib_sender_changes(call);
    enum ib_rc rc = prepare(call, endpoint_is_given(s), &p, err);

    if (rc == IB_OK && s->gate != NULL) {
        rc = s->gate(s->ctx, call, p.operation, changes, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if ((s->dry_run && changes) || s->client == NULL) {
        reply->withheld = true;
        return IB_OK;
    }
    return send(s, call, &p, reply, err);
}
