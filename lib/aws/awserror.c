/* SPDX-License-Identifier: MIT */
/* AWS errors: reading them in all their forms, and saying what to do. */
#include "lib/aws/awserror.h"

#include "lib/aws/xml.h"
#include "lib/base/text.h"

/* --- reading --- */

/* "ns#FooException:http://..." becomes "FooException"; anything odd becomes nothing. */
static void set_code(struct ib_awserror *e, struct ib_str raw)
{
    struct ib_str name = ib_str_trim(ib_str_head(raw, ib_str_find(raw, ':')));
    size_t hash = ib_str_find(name, '#');

    if (hash < name.n) {
        name = ib_str_skip(name, hash + 1);
    }
    for (size_t i = 0; i < name.n; i++) {
        if (!ib_ascii_alnum(name.p[i]) && name.p[i] != '.' && name.p[i] != '_' &&
            name.p[i] != '-') {
            return;
        }
    }
    (void)ib_text_copy(e->code, sizeof e->code, name);
}

static struct ib_str member(const struct ib_value *object, const char *key)
{
    const struct ib_value *v = ib_value_get_c(object, key);

    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v) : ib_str_from("");
}

static void set_message(struct ib_awserror *e, struct ib_str raw)
{
    (void)ib_text_clean(raw.p == NULL ? "" : raw.p, raw.n, e->message, sizeof e->message);
}

static void read_members(struct ib_awserror *e, const struct ib_value *object)
{
    static const char *const names[] = {"code", "Code", "__type"};
    struct ib_str text = member(object, "message");

    for (size_t i = 0; e->code[0] == '\0' && i < IB_ARRAY_LEN(names); i++) {
        set_code(e, member(object, names[i]));
    }
    set_message(e, text.n > 0 ? text : member(object, "Message"));
}

/* <ErrorResponse><Error><Code>..., <Response><Errors><Error>..., or the name as the root itself. */
static void read_xml(struct ib_awserror *e, struct ib_str body)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *root = NULL;
    char root_name[64];

    if (ib_xml_parse(body, "error", root_name, &root, NULL) != IB_OK ||
        strcasecmp(root_name, "html") == 0) {
        return;
    }
    const struct ib_value *error = ib_value_get_c(root, "Error");
    if (error == NULL) {
        error = ib_value_path(root, "Errors.Error");
    }
    if (error != NULL) {
        read_members(e, error);
    } else {
        read_members(e, root);
        if (e->code[0] == '\0' && e->message[0] != '\0') {
            set_code(e, ib_str_from(root_name));
        }
    }
    struct ib_str id = member(root, "RequestId");
    if (id.n == 0) {
        id = member(root, "RequestID");
    }
    if (e->request_id[0] == '\0') {
        (void)ib_text_clean(id.p, id.n, e->request_id, sizeof e->request_id);
    }
}

/* A page, by its first characters: proxies do not always name the type. */
static bool looks_like_html(struct ib_str body)
{
    struct ib_str text = ib_str_trim(body);

    return ib_str_ieq(ib_str_head(text, 5), IB_STR("<html")) ||
           ib_str_ieq(ib_str_head(text, 14), IB_STR("<!doctype html"));
}

static bool has_type(const char *content_type, const char *part)
{
    struct ib_str text = ib_str_from(content_type);
    size_t n = strlen(part);

    for (size_t i = 0; i + n <= text.n; i++) {
        if (ib_str_ieq_c((struct ib_str){text.p + i, n}, part)) {
            return true;
        }
    }
    return false;
}

void ib_awserror_read(const struct ib_headers *headers, struct ib_str body,
                      const struct ib_value *json, struct ib_awserror *ret)
{
    static const char *const ids[] = {"x-amzn-RequestId", "x-amz-request-id", "x-amzn-request-id"};
    const char *type = ib_headers_get(headers, "Content-Type");
    const char *named = ib_headers_get(headers, "x-amzn-ErrorType");

    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; ret->request_id[0] == '\0' && i < IB_ARRAY_LEN(ids); i++) {
        const char *id = ib_headers_get(headers, ids[i]);
        if (id != NULL) {
            (void)ib_text_clean(id, strlen(id), ret->request_id, sizeof ret->request_id);
        }
    }
    set_code(ret, ib_str_from(named));
    ret->is_html = has_type(type, "text/html") || looks_like_html(body);
    if (ib_value_is(json, IB_VALUE_OBJECT)) {
        read_members(ret, json);
    } else if (!ret->is_html && ib_str_head(ib_str_trim(body), 1).n == 1 &&
               ib_str_trim(body).p[0] == '<') {
        read_xml(ret, body);
    } else if (!ret->is_html) {
        set_message(ret, ib_str_head(body, IB_AWSERROR_MESSAGE_MAX));
    }
}

/* --- kinds --- */

static bool is_one_of(const char *code, const char *const *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool ib_awserror_is_expired(const char *code)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException",
                                        "TokenRefreshRequired"};

    return is_one_of(code, codes, IB_ARRAY_LEN(codes));
}

bool ib_awserror_is_denied(const char *code, int status)
{
    static const char *const codes[] = {"AccessDenied", "AccessDeniedException",
                                        "ForbiddenException", "UnauthorizedOperation",
                                        "NotAuthorized"};

    return is_one_of(code, codes, IB_ARRAY_LEN(codes)) || (status == 403 && code[0] == '\0');
}

/* --- writing --- */

struct advice {
    const char *code, *text;
};
static const struct advice advices[] = {
    {"ExpiredToken",
     "the credentials have expired: renew them (aws sso login, aws login, a new session)"},
    {"ExpiredTokenException",
     "the credentials have expired: renew them (aws sso login, aws login, a new session)"},
    {"UnrecognizedClientException",
     "AWS does not know the access key in this Region: deleted, mistyped, without its session "
     "token, or the Region is not enabled for the account"},
    {"InvalidClientTokenId",
     "AWS does not know the access key in this Region: deleted, mistyped, without its session "
     "token, or the Region is not enabled for the account"},
    {"InvalidSignatureException",
     "the secret key does not fit the access key, or something on the way changed the request"},
    {"SignatureDoesNotMatch",
     "the secret key does not fit the access key, or something on the way changed the request"},
    {"RequestTimeTooSkewed", "the clock of this machine is wrong: check its time service"},
    {"RequestExpired", "the clock of this machine is wrong: check its time service"},
    {"OptInRequired", "the Region is not enabled for this account"},
    {"MissingAuthenticationTokenException",
     "the endpoint does not know this operation, or credentials were removed on the way: check the "
     "endpoint URL"},
    {"UnknownOperationException",
     "the endpoint does not know this operation: check the endpoint URL and the Region"},
};

static const char *advice_for(const struct ib_awserror *e)
{
    /* Said in the message already, with both times. */
    if (strstr(e->message, "Signature expired") != NULL ||
        strstr(e->message, "Signature not yet current") != NULL) {
        return "the clock of this machine is wrong: check its time service";
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(advices); i++) {
        if (strcmp(e->code, advices[i].code) == 0) {
            return advices[i].text;
        }
    }
    return NULL;
}

/* What AWS says that it was not allowed: "... is not authorized to perform: iam:PassRole on ..." */
static struct ib_str named_action(const char *message)
{
    static const char before[] = "not authorized to perform: ";
    const char *at = strstr(message, before);
    struct ib_str text = at == NULL ? (struct ib_str){"", 0} : ib_str_from(at + sizeof before - 1);
    size_t n = 0;

    while (n < text.n && (ib_ascii_alnum(text.p[n]) || text.p[n] == ':' || text.p[n] == '-')) {
        n++;
    }
    return ib_str_head(text, ib_str_find(ib_str_head(text, n), ':') < n ? n : 0);
}

static enum ib_rc fail_denied(struct ib_error *err, const struct ib_awserror *e,
                              const char *service, const char *operation)
{
    char action[160];

    (void)snprintf(action, sizeof action, "%s:%s", service, operation);
    if (strstr(e->message, "Unable to determine service/operation") != NULL) {
        /* What AWS's front end says to a path that it does not know: no permission would help. */
        return ib_fail(err, IB_EAWS,
                       "%s: %s: the endpoint does not know this operation: check the endpoint URL "
                       "and the Region",
                       operation, e->message);
    }
    /* The permission comes first: AWS's own text names it late, where a first line has ended. */
    struct ib_str named = named_action(e->message);
    if (named.n > 0) {
        (void)ib_text_clean(named.p, named.n, action, sizeof action);
    }
    return ib_fail(err, IB_EAWS, "%s: access denied, the permission %s is needed%s%s", operation,
                   action, e->message[0] == '\0' ? "" : ": ", e->message);
}

static enum ib_rc fail_unnamed(struct ib_error *err, const struct ib_awserror *e,
                               const char *operation, int status)
{
    if (e->is_html) {
        return ib_fail(err, IB_EHTTP,
                       "%s: HTTP %d with a web page instead of an answer of AWS: a proxy or load "
                       "balancer on the way",
                       operation, status);
    }
    if (status == 407) {
        return ib_fail(err, IB_EHTTP, "%s: HTTP 407: the proxy wants a user and password",
                       operation);
    }
    if (status >= 300 && status < 400) {
        return ib_fail(err, IB_EHTTP,
                       "%s: HTTP %d: a redirect, which AWS never sends and is not followed: check "
                       "the endpoint URL",
                       operation, status);
    }
    return ib_fail(err, IB_EHTTP, "%s: HTTP %d%s%s", operation, status,
                   e->message[0] == '\0' ? " without an explanation" : ": ", e->message);
}

enum ib_rc ib_awserror_fail(struct ib_error *err, const struct ib_awserror *e, const char *service,
                            const char *operation, int status)
{
    const char *advice = advice_for(e);
    enum ib_rc rc;

    if (e->code[0] == '\0') {
        rc = fail_unnamed(err, e, operation, status);
    } else if (ib_awserror_is_denied(e->code, status)) {
        rc = fail_denied(err, e, service, operation);
    } else {
        rc = ib_fail(err, IB_EAWS, "%s: %s%s%s%s%s%s", operation, e->code,
                     e->message[0] == '\0' ? "" : ": ", e->message, advice == NULL ? "" : " (",
                     advice == NULL ? "" : advice, advice == NULL ? "" : ")");
    }
    if (err != NULL) {
        err->http_status = status;
        memcpy(err->aws_code, e->code, sizeof err->aws_code);
        memcpy(err->request_id, e->request_id, sizeof err->request_id);
    }
    return rc;
}
