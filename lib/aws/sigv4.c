/* SPDX-License-Identifier: MIT */
/* SigV4: canonical request, string to sign, key, signature. */
#include "lib/aws/sigv4.h"

#include "lib/aws/url.h"
#include "lib/base/time.h"

#define QUERY_PAIRS_MAX 256
#define ALGORITHM       "AWS4-HMAC-SHA256"

struct pair {
    struct ib_str name, value;
};

/* All that one signature is made of. */
struct signing {
    const struct ib_sigv4_key *key;
    const struct ib_sigv4_request *request;
    const struct ib_headers *headers;
    char date_time[IB_TIME_TEXT_MAX];
    struct ib_buf scope, signed_names;
};

static void signing_fini(struct signing *s)
{
    ib_buf_fini(&s->scope);
    ib_buf_fini(&s->signed_names);
}

void ib_sigv4_steps_fini(struct ib_sigv4_steps *steps)
{
    ib_buf_fini(&steps->canonical_request);
    ib_buf_fini(&steps->string_to_sign);
    ib_buf_fini(&steps->authorization);
    explicit_bzero(steps->signature, sizeof steps->signature);
}

/* --- canonical request --- */

/* Path without ".", ".." and empty segments, as botocore and the test suites have it. */
static void add_normal_path(struct ib_str path, struct ib_buf *out)
{
    struct ib_str rest = path;

    while (rest.p != NULL) {
        struct ib_str segment = ib_str_split(&rest, '/');

        if (segment.n == 0 || ib_str_eq_c(segment, ".")) {
            continue;
        }
        if (ib_str_eq_c(segment, "..")) {
            while (out->len > 0 && out->data[out->len - 1] != '/') {
                ib_buf_cut(out, out->len - 1);
            }
            ib_buf_cut(out, out->len == 0 ? 0 : out->len - 1);
            continue;
        }
        ib_buf_add_char(out, '/');
        ib_buf_add_str(out, segment);
    }
    if (out->len == 0 || (path.n > 0 && path.p[path.n - 1] == '/')) {
        ib_buf_add_char(out, '/');
    }
}

static enum ib_rc add_path(const struct ib_sigv4_request *r, struct ib_buf *out,
                           struct ib_error *err)
{
    if (r->keep_path) {
        ib_url_encode(r->path.n == 0 ? IB_STR("/") : r->path, true, out);
        return IB_OK;
    }
    IB_CLEANUP(ib_buf_fini) struct ib_buf normal = IB_BUF_INIT(IB_SIGV4_TEXT_MAX);

    add_normal_path(r->path, &normal);
    enum ib_rc rc = ib_buf_ok(&normal, "path of a request", err);
    if (rc == IB_OK) {
        /* What is sent is encoded already; the signature wants it encoded once more. */
        ib_url_encode(ib_buf_str(&normal), true, out);
    }
    return rc;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int by_name = ib_str_cmp(x->name, y->name);

    return by_name != 0 ? by_name : ib_str_cmp(x->value, y->value);
}

/* Decoded first: so the signature does not depend on how much the caller had encoded. */
static void add_reencoded(struct ib_str text, struct ib_buf *scratch, struct ib_buf *out)
{
    ib_buf_reset(scratch);
    ib_url_decode(text, scratch);
    ib_url_encode(ib_buf_str(scratch), false, out);
    /* Sticky as everywhere: what scratch could not hold must not be signed. */
    out->failed = out->failed || scratch->failed;
}

static enum ib_rc add_query(struct ib_str query, struct ib_buf *out, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf scratch = IB_BUF_INIT(IB_SIGV4_TEXT_MAX);
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_SIGV4_TEXT_MAX);
    struct pair pairs[QUERY_PAIRS_MAX];
    size_t ends[QUERY_PAIRS_MAX][2];
    size_t count = 0;
    struct ib_str rest = query;

    while (rest.p != NULL && query.n > 0) {
        struct ib_str value = ib_str_split(&rest, '&');

        if (value.n == 0) {
            continue;
        }
        if (count == QUERY_PAIRS_MAX) {
            return ib_fail(err, IB_ELIMIT, "more than %d query parameters", QUERY_PAIRS_MAX);
        }
        struct ib_str name = ib_str_split(&value, '=');
        add_reencoded(name, &scratch, &text);
        ends[count][0] = text.len;
        add_reencoded(value, &scratch, &text);
        ends[count++][1] = text.len;
    }
    enum ib_rc rc = ib_buf_ok(&text, "query of a request", err);
    if (rc != IB_OK) {
        return rc;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        pairs[i].name = (struct ib_str){ib_buf_c(&text) + at, ends[i][0] - at};
        pairs[i].value = (struct ib_str){ib_buf_c(&text) + ends[i][0], ends[i][1] - ends[i][0]};
        at = ends[i][1];
    }
    qsort(pairs, count, sizeof pairs[0], compare_pairs);
    for (size_t i = 0; i < count; i++) {
        ib_buf_add_c(out, i == 0 ? "" : "&");
        ib_buf_add_str(out, pairs[i].name);
        ib_buf_add_char(out, '=');
        ib_buf_add_str(out, pairs[i].value);
    }
    return ib_buf_ok(out, "canonical request", err);
}

/* Fields that proxies and HTTP libraries add, change or drop after signing. */
static bool is_never_signed(const char *name)
{
    static const char *const unsigned_names[] = {
        "connection",      "expect",        "transfer-encoding", "te",
        "trailer",         "upgrade",       "keep-alive",        "user-agent",
        "x-amzn-trace-id", "authorization",
    };
    struct ib_str s = ib_str_from(name);

    for (size_t i = 0; i < IB_ARRAY_LEN(unsigned_names); i++) {
        if (ib_str_ieq_c(s, unsigned_names[i])) {
            return true;
        }
    }
    return ib_str_ieq_c(ib_str_head(s, 6), "proxy-");
}

static int compare_names(const char *a, const char *b)
{
    return strcasecmp(a, b); /* ASCII tokens: no locale in play */
}

/* Indexes of the signed fields, by name; equal names keep their order. */
static size_t sort_fields(const struct ib_sigv4_request *r, const struct ib_headers *h,
                          size_t order[IB_HEADERS_COUNT_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++) {
        const char *name = h->items[i].name;

        if (is_never_signed(name) ||
            (r->token_unsigned && ib_str_ieq_c(ib_str_from(name), "x-amz-security-token"))) {
            continue;
        }
        size_t at = count++;
        while (at > 0 && compare_names(h->items[order[at - 1]].name, name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    return count;
}

static void add_lower(const char *name, struct ib_buf *out)
{
    for (const char *p = name; *p != '\0'; p++) {
        ib_buf_add_char(out, ib_ascii_tolower(*p));
    }
}

/* Value with runs of blanks made one; the list has trimmed it already. */
static void add_value(const char *value, struct ib_buf *out)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p != ' ' || p[1] != ' ') {
            ib_buf_add_char(out, *p);
        }
    }
}

static void add_fields(struct signing *s, struct ib_buf *out)
{
    size_t order[IB_HEADERS_COUNT_MAX];
    const struct ib_headers *h = s->headers;
    size_t count = sort_fields(s->request, h, order);

    for (size_t i = 0; i < count; i++) {
        const struct ib_header *field = &h->items[order[i]];

        if (i > 0 && compare_names(h->items[order[i - 1]].name, field->name) == 0) {
            ib_buf_cut(out, out->len - 1);
            ib_buf_add_char(out, ',');
        } else {
            add_lower(field->name, out);
            ib_buf_add_char(out, ':');
            ib_buf_add_c(&s->signed_names, s->signed_names.len == 0 ? "" : ";");
            add_lower(field->name, &s->signed_names);
        }
        add_value(field->value, out);
        ib_buf_add_char(out, '\n');
    }
}

static enum ib_rc build_canonical(struct signing *s, struct ib_str body_hash, struct ib_buf *out,
                                  struct ib_error *err)
{
    ib_buf_add_c(out, s->request->method);
    ib_buf_add_char(out, '\n');
    enum ib_rc rc = add_path(s->request, out, err);
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_add_char(out, '\n');
    rc = add_query(s->request->query, out, err);
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_add_char(out, '\n');
    add_fields(s, out);
    ib_buf_add_char(out, '\n');
    ib_buf_add_str(out, ib_buf_str(&s->signed_names));
    ib_buf_add_char(out, '\n');
    ib_buf_add_str(out, body_hash);
    rc = ib_buf_ok(&s->signed_names, "signed header names", err);
    return rc == IB_OK ? ib_buf_ok(out, "canonical request", err) : rc;
}

/* --- key and signature --- */

static void wipe_key(uint8_t (*key)[IB_SHA256_BYTES])
{
    explicit_bzero(*key, sizeof *key);
}

static struct ib_str key_str(const uint8_t key[IB_SHA256_BYTES])
{
    return (struct ib_str){(const char *)key, IB_SHA256_BYTES};
}

/* HMAC by HMAC from the secret to the signature; each intermediate key is a secret as well. */
static enum ib_rc compute_signature(const struct signing *s, struct ib_str string_to_sign,
                                    char ret[IB_SHA256_HEX_MAX], struct ib_error *err)
{
    IB_CLEANUP(wipe_key) uint8_t key[IB_SHA256_BYTES] = {0};
    IB_CLEANUP(wipe_key) uint8_t next[IB_SHA256_BYTES] = {0};
    IB_CLEANUP(ib_buf_fini) struct ib_buf seed = IB_BUF_INIT_SECRET(IB_HMAC_KEY_MAX);
    const struct ib_str steps[] = {
        ib_str_head(ib_str_from(s->date_time), 8),
        ib_str_from(s->key->region),
        ib_str_from(s->key->service),
        IB_STR("aws4_request"),
        string_to_sign,
    };

    ib_buf_add_c(&seed, "AWS4");
    ib_buf_add_c(&seed, s->key->secret_access_key);
    enum ib_rc rc = ib_buf_ok(&seed, "secret access key", err);
    for (size_t i = 0; rc == IB_OK && i < IB_ARRAY_LEN(steps); i++) {
        rc = ib_hmac_sha256(i == 0 ? ib_buf_str(&seed) : key_str(key), steps[i], next, err);
        memcpy(key, next, sizeof key);
    }
    if (rc == IB_OK) {
        ib_hex(key, sizeof key, ret);
    }
    return rc;
}

/* --- all of it --- */

static enum ib_rc prepare_headers(const struct ib_sigv4_key *key, const struct ib_sigv4_request *r,
                                  const char *date_time, const char *body_hash,
                                  struct ib_headers *h, struct ib_error *err)
{
    if (ib_headers_get(h, "host") == NULL) {
        return ib_fail(err, IB_EUSAGE, "a request to sign has no Host header");
    }
    ib_headers_remove(h, "authorization");
    enum ib_rc rc = ib_headers_set(h, "X-Amz-Date", ib_str_from(date_time), err);
    if (rc == IB_OK && r->sign_body_hash) {
        rc = ib_headers_set(h, "x-amz-content-sha256", ib_str_from(body_hash), err);
    }
    if (rc == IB_OK && key->session_token != NULL) {
        rc = ib_headers_set(h, "X-Amz-Security-Token", ib_str_from(key->session_token), err);
    }
    return rc;
}

static void add_string_to_sign(const struct signing *s, const char *canonical_hash,
                               struct ib_buf *out)
{
    ib_buf_addf(out, ALGORITHM "\n%s\n%s\n%s", s->date_time, ib_buf_c(&s->scope), canonical_hash);
}

static enum ib_rc run_steps(struct signing *s, const char *body_hash, struct ib_sigv4_steps *steps,
                            struct ib_error *err)
{
    char canonical_hash[IB_SHA256_HEX_MAX];
    enum ib_rc rc = build_canonical(s, ib_str_from(body_hash), &steps->canonical_request, err);

    if (rc == IB_OK) {
        rc = ib_sha256_hex(ib_buf_str(&steps->canonical_request), canonical_hash, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    add_string_to_sign(s, canonical_hash, &steps->string_to_sign);
    rc = ib_buf_ok(&steps->string_to_sign, "string to sign", err);
    if (rc == IB_OK) {
        rc = compute_signature(s, ib_buf_str(&steps->string_to_sign), steps->signature, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_addf(
        &steps->authorization, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
        s->key->access_key_id, ib_buf_c(&s->scope), ib_buf_c(&s->signed_names), steps->signature);
    return ib_buf_ok(&steps->authorization, "Authorization header", err);
}

enum ib_rc ib_sigv4_sign(const struct ib_sigv4_key *key, const struct ib_sigv4_request *request,
                         struct ib_headers *headers, struct ib_sigv4_steps *steps,
                         struct ib_error *err)
{
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps own = IB_SIGV4_STEPS_INIT;
    IB_CLEANUP(signing_fini)
    struct signing s = {
        .key = key,
        .request = request,
        .headers = headers,
        .scope = IB_BUF_INIT(1024),
        .signed_names = IB_BUF_INIT(8192),
    };
    char body_hash[IB_SHA256_HEX_MAX];

    if (steps == NULL) {
        steps = &own;
    }
    (void)ib_time_fmt_amz(request->now_ms, s.date_time, sizeof s.date_time);
    enum ib_rc rc = ib_sha256_hex(request->body, body_hash, err);
    if (rc == IB_OK) {
        rc = prepare_headers(key, request, s.date_time, body_hash, headers, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_addf(&s.scope, "%.8s/%s/%s/aws4_request", s.date_time, key->region, key->service);
    rc = ib_buf_ok(&s.scope, "credential scope", err);
    if (rc == IB_OK) {
        rc = run_steps(&s, body_hash, steps, err);
    }
    if (rc == IB_OK) {
        rc = ib_headers_set(headers, "Authorization", ib_buf_str(&steps->authorization), err);
    }
    return rc;
}
