/* SPDX-License-Identifier: MIT */
/* Building requests by the operation table. */
#include "lib/imagebuilder/request.h"

#include "lib/aws/url.h"
#include "lib/base/num.h"
#include "lib/data/json.h"

void ib_imagebuilder_request_fini(struct ib_imagebuilder_request *request)
{
    ib_buf_fini(&request->path);
    ib_buf_fini(&request->query);
    ib_buf_fini(&request->body);
}

/* A scalar as it stands in a URL. */
static enum ib_rc add_text(const struct ib_operation *op, struct ib_str name,
                           const struct ib_value *v, struct ib_buf *out, struct ib_error *err)
{
    char number[IB_NUM_TEXT_MAX];

    switch (ib_value_type(v)) {
    case IB_VALUE_STRING:
        ib_buf_add_str(out, ib_value_as_str(v));
        return IB_OK;
    case IB_VALUE_INT:
        ib_buf_addf(out, "%" PRId64, ib_value_as_int(v));
        return IB_OK;
    case IB_VALUE_REAL:
        ib_buf_add_c(out, ib_num_fmt_double(ib_value_as_real(v), number, sizeof number));
        return IB_OK;
    case IB_VALUE_BOOL:
        ib_buf_add_c(out, ib_value_as_bool(v) ? "true" : "false");
        return IB_OK;
    case IB_VALUE_NULL:
    case IB_VALUE_ARRAY:
    case IB_VALUE_OBJECT:
        break;
    }
    return ib_fail(err, IB_EUSAGE, "%s: parameter %.*s is %s, not text", op->name,
                   IB_STR_ARG(name), ib_value_type_name(v));
}

static enum ib_rc add_query(const struct ib_operation *op, struct ib_str name,
                            const struct ib_value *v, struct ib_buf *query, struct ib_error *err)
{
    bool is_list = ib_value_is(v, IB_VALUE_ARRAY);
    size_t count = is_list ? ib_value_count(v) : 1;

    for (size_t i = 0; i < count; i++) {
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(8192);
        enum ib_rc rc = add_text(op, name, is_list ? ib_value_at(v, i) : v, &text, err);
        if (rc != IB_OK) {
            return rc;
        }
        ib_url_add_query(query, name, ib_buf_str(&text));
    }
    return IB_OK;
}

/* "/tags/{resourceArn}": each name in braces is replaced by its value. */
static enum ib_rc add_path(const struct ib_operation *op, const struct ib_value *params,
                           struct ib_buf *path, struct ib_error *err)
{
    struct ib_str rest = ib_str_from(op->path);

    while (rest.n > 0) {
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(2048);
        ib_buf_add_str(path, ib_str_split(&rest, '{'));
        if (rest.p == NULL) {
            break;
        }
        struct ib_str name = ib_str_split(&rest, '}');
        const struct ib_value *v = ib_value_get(params, name);
        if (v == NULL) {
            return ib_fail(err, IB_EUSAGE, "%s: parameter %.*s is missing", op->name,
                           IB_STR_ARG(name));
        }
        enum ib_rc rc = add_text(op, name, v, &text, err);
        if (rc != IB_OK) {
            return rc;
        }
        if (text.len == 0) {
            return ib_fail(err, IB_EUSAGE, "%s: parameter %.*s is empty", op->name,
                           IB_STR_ARG(name));
        }
        ib_url_encode(ib_buf_str(&text), false, path);
    }
    return IB_OK;
}

/* Sort params to their places; body parameters go into *body. */
static enum ib_rc place_params(const struct ib_operation *op,
                               const struct ib_imagebuilder_params *params,
                               struct ib_buf *query, struct ib_value *body, struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; i < ib_value_count(params->params) && rc == IB_OK; i++) {
        struct ib_str name = ib_value_key_at(params->params, i);
        const struct ib_value *v = ib_value_at(params->params, i);

        switch (ib_operation_place(op, name)) {
        case IB_PLACE_QUERY:
            rc = add_query(op, name, v, query, err);
            break;
        case IB_PLACE_PATH:
            break;
        case IB_PLACE_BODY:
            rc = params->body != NULL
                     ? ib_fail(err, IB_EUSAGE, "%s: parameter %.*s stands beside a whole body",
                               op->name, IB_STR_ARG(name))
                     : ib_value_set(body, name, ib_value_ref(v), err);
            break;
        case IB_PLACE_NONE:
            rc = ib_fail(err, IB_EUSAGE, "%s has no parameter %.*s", op->name, IB_STR_ARG(name));
            break;
        }
    }
    return rc;
}

enum ib_rc ib_imagebuilder_prepare(const struct ib_operation *operation,
                                   const struct ib_imagebuilder_params *params,
                                   struct ib_imagebuilder_request *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = ib_value_object();
    bool has_body = strcmp(operation->method, "GET") != 0 &&
                    strcmp(operation->method, "DELETE") != 0;

    if (body == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = place_params(operation, params, &ret->query, body, err);
    if (rc == IB_OK) {
        rc = add_path(operation, params->params, &ret->path, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (has_body) {
        ib_json_print(params->body != NULL ? params->body : body, IB_JSON_COMPACT, &ret->body);
    } else if (params->body != NULL) {
        return ib_fail(err, IB_EUSAGE, "%s takes no body", operation->name);
    }
    if (ib_buf_ok(&ret->query, "query", err) != IB_OK ||
        ib_buf_ok(&ret->path, "path", err) != IB_OK ||
        ib_buf_ok(&ret->body, "body", err) != IB_OK) {
        return ib_error_context(err, "%s", operation->name);
    }
    ret->aws = (struct ib_aws_request){
        .service = IB_IMAGEBUILDER_SERVICE,
        .operation = operation->name,
        .method = operation->method,
        .path = ib_buf_str(&ret->path),
        .query = ib_buf_str(&ret->query),
        .body = has_body ? ib_buf_str(&ret->body) : (struct ib_str){ NULL, 0 },
        .region = params->region,
        /* Without a token a second request may be a second act; reading and deleting may be repeated. */
        .no_retry = has_body && !ib_operation_reads(operation) &&
                    !ib_operation_has_token(operation),
    };
    return IB_OK;
}
