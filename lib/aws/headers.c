/* SPDX-License-Identifier: MIT */
/* A list of header fields. */
#include "lib/aws/headers.h"

#include "lib/base/buf.h"

/* Token characters of RFC 9110 §5.6.2. */
static bool is_token_char(char c)
{
    return ib_ascii_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (!is_token_char(*p)) {
            return false;
        }
    }
    return name[0] != '\0';
}

static enum ib_rc check_field(const char *name, struct ib_str value, struct ib_error *err)
{
    if (!is_token(name)) {
        return ib_fail(err, IB_EPARSE, "\"%s\" cannot be the name of an HTTP header", name);
    }
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0') {
            return ib_fail(err, IB_EPARSE,
                           "HTTP header %s: the value holds a line end or a NUL byte", name);
        }
    }
    return IB_OK;
}

static enum ib_rc grow(struct ib_headers *h, struct ib_error *err)
{
    if (h->count < h->cap) {
        return IB_OK;
    }
    size_t cap = h->cap == 0 ? 16 : h->cap * 2;
    struct ib_header *items = reallocarray(h->items, cap, sizeof *items);

    if (items == NULL) {
        return ib_fail_nomem(err);
    }
    h->items = items;
    h->cap = cap;
    return IB_OK;
}

static void wipe_field(struct ib_header *field)
{
    explicit_bzero(field->value, strlen(field->value));
    free(field->value);
    free(field->name);
}

enum ib_rc ib_headers_add(struct ib_headers *h, const char *name, struct ib_str value,
                          struct ib_error *err)
{
    enum ib_rc rc = check_field(name, value, err);

    if (rc != IB_OK) {
        return rc;
    }
    value = ib_str_trim(value);
    size_t bytes = strlen(name) + value.n;
    if (h->count >= IB_HEADERS_COUNT_MAX || bytes > IB_HEADERS_BYTES_MAX - h->bytes) {
        return ib_fail(err, IB_ELIMIT, "more than %d HTTP headers, or more than %d bytes of them",
                       IB_HEADERS_COUNT_MAX, IB_HEADERS_BYTES_MAX);
    }
    rc = grow(h, err);
    if (rc != IB_OK) {
        return rc;
    }
    char *own_name = ib_str_dup(ib_str_from(name));
    char *own_value = ib_str_dup(value);
    if (own_name == NULL || own_value == NULL) {
        free(own_name);
        free(own_value);
        return ib_fail_nomem(err);
    }
    h->items[h->count++] = (struct ib_header){.name = own_name, .value = own_value};
    h->bytes += bytes;
    return IB_OK;
}

void ib_headers_remove(struct ib_headers *h, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->count; i++) {
        if (ib_str_ieq_c(ib_str_from(h->items[i].name), name)) {
            h->bytes -= strlen(h->items[i].name) + strlen(h->items[i].value);
            wipe_field(&h->items[i]);
        } else {
            h->items[kept++] = h->items[i];
        }
    }
    h->count = kept;
}

enum ib_rc ib_headers_set(struct ib_headers *h, const char *name, struct ib_str value,
                          struct ib_error *err)
{
    ib_headers_remove(h, name);
    return ib_headers_add(h, name, value, err);
}

const char *ib_headers_get(const struct ib_headers *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++) {
        if (ib_str_ieq_c(ib_str_from(h->items[i].name), name)) {
            return h->items[i].value;
        }
    }
    return NULL;
}

enum ib_rc ib_headers_copy(struct ib_headers *h, const struct ib_headers *from,
                           struct ib_error *err)
{
    for (size_t i = 0; from != NULL && i < from->count; i++) {
        enum ib_rc rc =
            ib_headers_add(h, from->items[i].name, ib_str_from(from->items[i].value), err);

        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

bool ib_header_is_secret(struct ib_str name)
{
    static const char *const secret[] = {
        "authorization",
        "proxy-authorization",
        "x-amz-security-token",
        "x-amz-sso_bearer_token",
        "x-aws-ec2-metadata-token",
        "cookie",
        "set-cookie",
        "dpop",
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(secret); i++) {
        if (ib_str_ieq_c(name, secret[i])) {
            return true;
        }
    }
    return false;
}

void ib_headers_fini(struct ib_headers *h)
{
    for (size_t i = 0; i < h->count; i++) {
        wipe_field(&h->items[i]);
    }
    free(h->items);
    *h = (struct ib_headers)IB_HEADERS_INIT;
}
