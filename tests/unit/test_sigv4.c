/* SPDX-License-Identifier: MIT */
/* lib/aws/sigv4.c: the two public test suites, each step of each case, and our own rules. */
#include "ib_test.h"

#include <dirent.h>

#include "ib_vectors.h"
#include "lib/aws/sigv4.h"
#include "lib/base/time.h"

#define PATH_CAP 512

/* One case of a suite: a request and what each step must give. */
struct suite_case {
    char name[128];
    char base[PATH_CAP]; /* directory and file stem */
    bool is_botocore;
};

static struct suite_case cases[128];
static size_t case_count;

/* A request as the suites write it. */
struct parsed {
    struct ib_buf text;
    char method[16];
    struct ib_str path, query, body;
    struct ib_headers headers;
};

static void parsed_fini(struct parsed *p)
{
    ib_buf_fini(&p->text);
    ib_headers_fini(&p->headers);
}

static void parse_request(const char *file, struct parsed *p)
{
    struct ib_error err = IB_ERROR_INIT;
    char name[256] = "", value[1024] = "";

    assert_true(ib_vectors_read(file, &p->text));
    struct ib_str rest = ib_buf_str(&p->text);
    struct ib_str line = ib_str_split(&rest, '\n');
    size_t blank = ib_str_find(line, ' ');
    assert_true(blank > 0 && blank < sizeof p->method);
    memcpy(p->method, line.p, blank);
    struct ib_str target = ib_str_skip(line, blank + 1);
    while (target.n > 0 && target.p[target.n - 1] != ' ') {
        target.n--;
    }
    target.n--;
    size_t question = ib_str_find(target, '?');
    p->path = ib_str_head(target, question);
    p->query = ib_str_skip(target, question + 1);
    while (rest.p != NULL) {
        line = ib_str_split(&rest, '\n');
        if (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
            /* A folded line goes on with the value: its only meaning is one blank. */
            struct ib_str more = ib_str_trim(line);
            size_t used = strlen(value);
            (void)snprintf(value + used, sizeof value - used, " %.*s", IB_STR_ARG(more));
            continue;
        }
        if (name[0] != '\0') {
            assert_ok(ib_headers_add(&p->headers, name, ib_str_from(value), &err), &err);
            name[0] = '\0';
        }
        if (line.n == 0) {
            break;
        }
        size_t colon = ib_str_find(line, ':');
        (void)snprintf(name, sizeof name, "%.*s", IB_STR_ARG(ib_str_head(line, colon)));
        (void)snprintf(value, sizeof value, "%.*s", IB_STR_ARG(ib_str_skip(line, colon + 1)));
    }
    if (name[0] != '\0') {
        assert_ok(ib_headers_add(&p->headers, name, ib_str_from(value), &err), &err);
    }
    p->body = rest.p == NULL ? ib_str_from("") : rest;
}

/* Member of context.json, whose form is one plain member per line: no parser needed. */
static bool context_str(const char *json, const char *key, char *ret, size_t cap)
{
    char quoted[64];

    (void)snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *at = strstr(json, quoted);
    if (at == NULL) {
        return false;
    }
    at += strlen(quoted);
    bool in_quotes = *at == '"';
    at += in_quotes;
    size_t n = strcspn(at, in_quotes ? "\"" : ",\n }");
    assert_true(n < cap);
    memcpy(ret, at, n);
    ret[n] = '\0';
    return true;
}

static void assert_step(const struct suite_case *c, const char *suffix, const char *got)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf want = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    char file[PATH_CAP + 64];

    (void)snprintf(file, sizeof file, "%s%s", c->base, suffix);
    assert_true(ib_vectors_read(file, &want));
    if (strcmp(ib_buf_c(&want), got) != 0) {
        fail_msg("%s: step %s\nwant:\n%s\ngot:\n%s", c->name, suffix, ib_buf_c(&want), got);
    }
}

struct setup {
    char access[64], secret[128], token[1024], region[64], service[64], time[64], word[16];
    bool has_token, keep_path, sign_body, omit_token;
};

static void read_context(const struct suite_case *c, struct setup *s)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf json = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    char file[PATH_CAP + 64];

    (void)snprintf(file, sizeof file, "%scontext.json", c->base);
    assert_true(ib_vectors_read(file, &json));
    const char *text = ib_buf_c(&json);
    assert_true(context_str(text, "access_key_id", s->access, sizeof s->access));
    assert_true(context_str(text, "secret_access_key", s->secret, sizeof s->secret));
    assert_true(context_str(text, "region", s->region, sizeof s->region));
    assert_true(context_str(text, "service", s->service, sizeof s->service));
    assert_true(context_str(text, "timestamp", s->time, sizeof s->time));
    s->has_token = context_str(text, "token", s->token, sizeof s->token);
    assert_true(context_str(text, "normalize", s->word, sizeof s->word));
    s->keep_path = strcmp(s->word, "false") == 0;
    assert_true(context_str(text, "sign_body", s->word, sizeof s->word));
    s->sign_body = strcmp(s->word, "true") == 0;
    s->omit_token = context_str(text, "omit_session_token", s->word, sizeof s->word) &&
                    strcmp(s->word, "true") == 0;
}

/* The classic suite has no context files: one key for all, and the token of one case by its name.
 */
static void classic_context(const struct suite_case *c, const struct parsed *p, struct setup *s)
{
    const char *sent = ib_headers_get(&p->headers, "x-amz-security-token");

    *s = (struct setup){.access = "AKIDEXAMPLE",
                        .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                        .region = "us-east-1",
                        .service = "service",
                        .time = "2015-08-30T12:36:00Z"};
    if (strstr(c->name, "session-token") != NULL) {
        (void)snprintf(s->token, sizeof s->token,
                       "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267");
        s->has_token = true;
    } else if (sent != NULL) {
        (void)snprintf(s->token, sizeof s->token, "%s", sent);
        s->has_token = true;
    }
}

static void suite_row(void **state)
{
    const struct suite_case *c = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(parsed_fini) struct parsed p = {.text = IB_BUF_INIT(IB_VECTORS_FILE_MAX)};
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps steps = IB_SIGV4_STEPS_INIT;
    char file[PATH_CAP + 64];
    struct setup s = {.access = ""};
    int64_t now_ms;

    (void)snprintf(file, sizeof file, "%s%s", c->base, c->is_botocore ? ".req" : "request.txt");
    parse_request(file, &p);
    if (c->is_botocore) {
        classic_context(c, &p, &s);
    } else {
        read_context(c, &s);
    }
    assert_ok(ib_time_parse_iso8601(ib_str_from(s.time), &now_ms, &err), &err);
    struct ib_sigv4_key key = {s.access, s.secret, s.has_token ? s.token : NULL, s.region,
                               s.service};
    struct ib_sigv4_request request = {
        .method = p.method,
        .path = p.path,
        .query = p.query,
        .body = p.body,
        .now_ms = now_ms,
        .keep_path = s.keep_path,
        .sign_body_hash = s.sign_body,
        .token_unsigned = s.omit_token,
    };
    assert_ok(ib_sigv4_sign(&key, &request, &p.headers, &steps, &err), &err);
    assert_step(c, c->is_botocore ? ".creq" : "header-canonical-request.txt",
                ib_buf_c(&steps.canonical_request));
    assert_step(c, c->is_botocore ? ".sts" : "header-string-to-sign.txt",
                ib_buf_c(&steps.string_to_sign));
    if (c->is_botocore) {
        assert_step(c, ".authz", ib_buf_c(&steps.authorization));
    } else {
        IB_CLEANUP(ib_buf_fini) struct ib_buf signed_request = IB_BUF_INIT(IB_VECTORS_FILE_MAX);

        assert_step(c, "header-signature.txt", steps.signature);
        (void)snprintf(file, sizeof file, "%sheader-signed-request.txt", c->base);
        assert_true(ib_vectors_read(file, &signed_request));
        assert_contains(ib_buf_c(&signed_request), ib_buf_c(&steps.authorization));
    }
    assert_string_equal(ib_headers_get(&p.headers, "Authorization"),
                        ib_buf_c(&steps.authorization));
    if (s.has_token) {
        assert_string_equal(ib_headers_get(&p.headers, "X-Amz-Security-Token"), s.token);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct suite_case *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Every folder below dir is a case; returns how many there were. */
static size_t collect(const char *dir, const char *prefix, bool is_botocore)
{
    char path[PATH_CAP];
    DIR *d = opendir(ib_vectors_shared(dir, path, sizeof path));
    size_t before = case_count;

    if (d == NULL) {
        return 0;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        struct suite_case *c = &cases[case_count];
        char probe[PATH_CAP + 64];

        if (e->d_name[0] == '.' || case_count == IB_ARRAY_LEN(cases)) {
            continue;
        }
        (void)snprintf(c->name, sizeof c->name, "%s_%.100s", prefix, e->d_name);
        if (is_botocore) {
            (void)snprintf(c->base, sizeof c->base, "%.200s/%.100s/%.100s", path, e->d_name,
                           e->d_name);
            (void)snprintf(probe, sizeof probe, "%s.creq", c->base);
        } else {
            (void)snprintf(c->base, sizeof c->base, "%.200s/%.100s/", path, e->d_name);
            (void)snprintf(probe, sizeof probe, "%sheader-canonical-request.txt", c->base);
        }
        c->is_botocore = is_botocore;
        case_count += access(probe, R_OK) == 0;
    }
    (void)closedir(d);
    qsort(cases + before, case_count - before, sizeof cases[0], by_name);
    return case_count - before;
}

static size_t crt_cases, botocore_cases;

static void every_case_of_the_suites_was_found(void **state)
{
    (void)state;
    assert_int_equal(crt_cases, 38);
    assert_int_equal(botocore_cases, 34);
}

/* --- our own rules --- */

static enum ib_rc sign(struct ib_headers *headers, struct ib_str path, struct ib_str query,
                       struct ib_sigv4_steps *steps, struct ib_error *err)
{
    struct ib_sigv4_key key = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL,
                               "us-west-2", "imagebuilder"};
    struct ib_sigv4_request request = {
        .method = "GET", .path = path, .query = query, .now_ms = INT64_C(1788414261000)};

    return ib_sigv4_sign(&key, &request, headers, steps, err);
}

static void a_request_without_host_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;

    assert_rc(sign(&headers, IB_STR("/"), IB_STR(""), NULL, &err), IB_EUSAGE, &err);
    assert_contains(err.text, "Host");
}

static void headers_that_travel_badly_are_not_signed(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps steps = IB_SIGV4_STEPS_INIT;
    static const char *const names[] = {
        "User-Agent",        "Expect",          "Connection", "Proxy-Connection",
        "Transfer-Encoding", "X-Amzn-Trace-Id", "TE"};

    assert_ok(ib_headers_add(&headers, "Host", IB_STR("h"), &err), &err);
    for (size_t i = 0; i < IB_ARRAY_LEN(names); i++) {
        assert_ok(ib_headers_add(&headers, names[i], IB_STR("x"), &err), &err);
    }
    assert_ok(sign(&headers, IB_STR("/"), IB_STR(""), &steps, &err), &err);
    assert_contains(ib_buf_c(&steps.authorization), "SignedHeaders=host;x-amz-date,");
}

static void signing_again_replaces_date_and_signature(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps first = IB_SIGV4_STEPS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps second = IB_SIGV4_STEPS_INIT;

    assert_ok(ib_headers_add(&headers, "Host", IB_STR("h"), &err), &err);
    assert_ok(sign(&headers, IB_STR("/a"), IB_STR("b=1"), &first, &err), &err);
    assert_ok(sign(&headers, IB_STR("/a"), IB_STR("b=1"), &second, &err), &err);
    assert_string_equal(first.signature, second.signature);
    assert_int_equal(headers.count, 3);
    assert_string_equal(ib_headers_get(&headers, "x-amz-date"), "20260903T054421Z");
}

static void an_encoded_and_a_plain_query_sign_alike(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps first = IB_SIGV4_STEPS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps second = IB_SIGV4_STEPS_INIT;

    assert_ok(ib_headers_add(&headers, "Host", IB_STR("h"), &err), &err);
    assert_ok(sign(&headers, IB_STR("/"), IB_STR("b=arn%3aaws/x&a"), &first, &err), &err);
    assert_ok(sign(&headers, IB_STR("/"), IB_STR("a=&b=arn:aws%2Fx"), &second, &err), &err);
    assert_contains(ib_buf_c(&first.canonical_request), "\na=&b=arn%3Aaws%2Fx\n");
    assert_string_equal(first.signature, second.signature);
}

int main(void)
{
    crt_cases = collect("sigv4-suite/aws-c-auth-v4", "crt", false);
    botocore_cases =
        collect("sigv4-suite/botocore-aws4_testsuite", "classic", true) +
        collect("sigv4-suite/botocore-aws4_testsuite/normalize-path", "classic_normalize", true) +
        collect("sigv4-suite/botocore-aws4_testsuite/post-sts-token", "classic_sts", true);
    for (size_t i = 0; i < case_count; i++) {
        ib_test_add(cases[i].name, suite_row, &cases[i]);
    }
    if (case_count == 0) {
        IB_TEST_SKIP_ROW("the_public_suites", "no sigv4-suite below $IB_SHARED");
    } else {
        IB_TEST_CASE(every_case_of_the_suites_was_found);
    }
    IB_TEST_CASE(a_request_without_host_is_refused);
    IB_TEST_CASE(headers_that_travel_badly_are_not_signed);
    IB_TEST_CASE(signing_again_replaces_date_and_signature);
    IB_TEST_CASE(an_encoded_and_a_plain_query_sign_alike);
    return IB_TEST_RUN();
}
