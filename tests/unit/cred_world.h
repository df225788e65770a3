/* SPDX-License-Identifier: MIT */
/*
 * A made-up world for credential providers: environment, files, answers over HTTP and programs are
 * rows of tables, the clock stands still, and every request is recorded.
 */
#ifndef IB_CRED_WORLD_H
#define IB_CRED_WORLD_H

#include <errno.h>

#include "ib_test.h"

#include "lib/aws/cred.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#define WORLD_NOW_MS INT64_C(1788414261121) /* 2026-09-03T05:44:21.121Z */
#define WORLD_ROWS   24

struct world_text {
    const char *name, *value;
};

struct world_file {
    const char *path, *content;
    bool forbidden; /* EACCES */
    bool untrusted; /* others may write it */
};

struct world_answer {
    const char *method, *url_part; /* first fitting row that is not used up answers */
    enum ib_rc rc;                 /* IB_OK: status and body */
    int status;
    const char *body;
    int times;                     /* 0: always */
    int used;
};

struct world_request {
    char method[8], url[512], body[2048], authorization[256], token[256], bearer[256];
    unsigned flags;
    int64_t timeout_ms;
};

struct world {
    struct world_text env[WORLD_ROWS];
    struct world_file files[WORLD_ROWS];
    struct world_answer answers[WORLD_ROWS];
    const char *passwd_home;
    int64_t now_ms;
    /* a program */
    const char *run_out, *run_err;
    int run_status;
    enum ib_rc run_rc;
    /* record */
    struct world_request requests[64];
    size_t request_count;
    char ran[512], written_path[512], written[4096];
    struct ib_outside outside;
};

static inline const char *world_env(void *ctx, const char *name)
{
    const struct world *w = ctx;

    for (size_t i = 0; i < WORLD_ROWS && w->env[i].name != NULL; i++) {
        if (strcmp(w->env[i].name, name) == 0 && w->env[i].value[0] != '\0') {
            return w->env[i].value;
        }
    }
    return NULL;
}

static inline const char *world_home(void *ctx)
{
    return ((const struct world *)ctx)->passwd_home;
}

static inline const struct world_file *world_file(const struct world *w, const char *path)
{
    for (size_t i = 0; i < WORLD_ROWS && w->files[i].path != NULL; i++) {
        if (strcmp(w->files[i].path, path) == 0) {
            return &w->files[i];
        }
    }
    return NULL;
}

static inline enum ib_rc world_read(void *ctx, const char *path, struct ib_buf *ret,
                                    struct ib_file_facts *ret_facts, struct ib_error *err)
{
    const struct world_file *f = world_file(ctx, path);

    if (f == NULL) {
        return ib_fail(err, IB_ENOENT, "%s: not there", path);
    }
    if (f->forbidden) {
        return ib_fail_errno(err, EACCES, "%s", path);
    }
    if (ret_facts != NULL) {
        *ret_facts = (struct ib_file_facts){ .others_may_write = f->untrusted };
    }
    ib_buf_add_c(ret, f->content);
    return ib_buf_ok(ret, path, err);
}

static inline enum ib_rc world_check_trusted(void *ctx, const char *path, struct ib_error *err)
{
    const struct world_file *f = world_file(ctx, path);

    return f != NULL && !f->untrusted ? IB_OK
                                      : ib_fail(err, IB_ECONFIG, "%s: others may write it", path);
}

static inline enum ib_rc world_write(void *ctx, const char *path, struct ib_str content,
                                     struct ib_error *err)
{
    struct world *w = ctx;

    (void)err;
    (void)ib_text_copy(w->written_path, sizeof w->written_path, ib_str_from(path));
    (void)ib_text_copy(w->written, sizeof w->written, content);
    return IB_OK;
}

static inline void world_note(char *dst, size_t cap, const char *text)
{
    (void)snprintf(dst, cap, "%s", text == NULL ? "" : text);
}

static inline void world_record(struct world *w, const struct ib_http_request *request)
{
    struct world_request *r = &w->requests[w->request_count++];

    assert_true(w->request_count < IB_ARRAY_LEN(w->requests));
    world_note(r->method, sizeof r->method, request->method);
    world_note(r->url, sizeof r->url, request->url);
    (void)snprintf(r->body, sizeof r->body, "%.*s", IB_STR_ARG(request->body));
    r->flags = request->flags;
    r->timeout_ms = request->timeout_ms;
    if (request->headers != NULL) {
        world_note(r->authorization, sizeof r->authorization,
                   ib_headers_get(request->headers, "Authorization"));
        world_note(r->token, sizeof r->token,
                   ib_headers_get(request->headers, "X-aws-ec2-metadata-token"));
        world_note(r->bearer, sizeof r->bearer,
                   ib_headers_get(request->headers, "x-amz-sso_bearer_token"));
    }
}

static inline enum ib_rc world_fetch(void *ctx, const struct ib_http_request *request,
                                     struct ib_http_response *ret, struct ib_error *err)
{
    struct world *w = ctx;

    world_record(w, request);
    for (size_t i = 0; i < WORLD_ROWS && w->answers[i].url_part != NULL; i++) {
        struct world_answer *a = &w->answers[i];

        if (strcmp(a->method, request->method) != 0 || strstr(request->url, a->url_part) == NULL ||
            (a->times != 0 && a->used == a->times)) {
            continue;
        }
        a->used++;
        if (a->rc != IB_OK) {
            return ib_fail(err, a->rc, "made-up failure (%s)", ib_rc_name(a->rc));
        }
        *ret = (struct ib_http_response){ .status = a->status };
        ret->body = (struct ib_buf)IB_BUF_INIT_SECRET(request->max_body);
        ib_buf_add_c(&ret->body, a->body);
        return ib_buf_ok(&ret->body, "made-up answer", err);
    }
    return ib_fail(err, IB_ENET, "nobody there");
}

static inline enum ib_rc world_run(void *ctx, const char *command, struct ib_deadline deadline,
                                   struct ib_buf *ret_out, struct ib_buf *ret_err, int *ret_status,
                                   struct ib_error *err)
{
    struct world *w = ctx;

    (void)deadline;
    world_note(w->ran, sizeof w->ran, command);
    if (w->run_rc != IB_OK) {
        return ib_fail(err, w->run_rc, "made-up failure (%s)", ib_rc_name(w->run_rc));
    }
    ib_buf_add_c(ret_out, w->run_out);
    ib_buf_add_c(ret_err, w->run_err == NULL ? "" : w->run_err);
    *ret_status = w->run_status;
    return ib_buf_ok(ret_out, "made-up output", err);
}

static inline int64_t world_now(void *ctx)
{
    const struct world *w = ctx;

    return w->now_ms == 0 ? WORLD_NOW_MS : w->now_ms;
}

static inline struct ib_outside *world_open(struct world *w)
{
    w->outside = (struct ib_outside){
        .ctx = w, .env = world_env, .passwd_home = world_home, .read = world_read,
        .check_trusted = world_check_trusted, .write = world_write, .fetch = world_fetch,
        .run = world_run, .now_ms = world_now,
    };
    return &w->outside;
}

/* Settings and credentials as a program would get them. */
static inline enum ib_rc world_resolve(struct world *w, const struct ib_aws_options *options,
                                       struct ib_aws_config **ret_config,
                                       struct ib_credentials *ret, struct ib_error *err)
{
    const struct ib_deadline deadline = ib_deadline_in(20 * IB_SECOND_MS);
    enum ib_rc rc = ib_aws_config_load(options, world_open(w), ret_config, err);

    return rc != IB_OK ? rc
                       : ib_credentials_resolve(*ret_config, /* fresh= */ false, &deadline, ret, err);
}

/* words with "UID" replaced by this process's user id. */
static inline void world_with_uid(const char *words, char *buf, size_t cap)
{
    const char *at = strstr(words, "UID");

    if (at == NULL) {
        (void)snprintf(buf, cap, "%s", words);
    } else {
        (void)snprintf(buf, cap, "%.*s%ld%s", (int)(at - words), words, (long)geteuid(), at + 3);
    }
}

/* No secret of the tests may be in a sentence. All of them contain this word. */
#define WORLD_SECRET "geheim"
static inline void assert_no_secret(const char *text)
{
    if (strstr(text, WORLD_SECRET) != NULL) {
        fail_msg("a secret is shown: \"%s\"", text);
    }
}

#endif
