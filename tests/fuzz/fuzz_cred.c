/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what hands out credentials: answers of metadata services, STS and SSO, token files,
 * programs. The first byte says which. Credentials that come out are fit for HTTP headers, and
 * no sentence quotes a secret of the made-up files.
 */
#include "fuzz.h"

#include "lib/aws/cred.h"
#include "lib/base/text.h"

#define NOW_MS INT64_C(1788414261121) /* 2026-09-03T05:44:21.121Z */

struct kind {
    char letter;
    const char *config;       /* of the profile file */
    const char *variables[4]; /* name, value, ... */
    const char *file;         /* part of the path whose content the bytes are */
    const char *url;          /* part of the URL whose answer the bytes are */
    bool is_run;              /* the bytes are what a program writes */
    bool is_variable;         /* the bytes are the value of variables[0] */
};

#define SSO                                                                                         \
    "[default]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n[sso-session s]\n"                      \
    "sso_region=eu-west-1\nsso_start_url=https://s.example\n"
#define ROLE "[default]\nrole_arn=arn:aws:iam::123456789012:role/r\nsource_profile=b\n[profile b]\n"     \
             "aws_access_key_id=AKIA\naws_secret_access_key=geheim\n"

static const struct kind kinds[] = {
    { 'c', "", { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c" }, NULL, "170.2/c", false, false },
    { 'u', "", { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "" }, NULL, NULL, false, true },
    { 'v', "", { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "" }, NULL, NULL, false, true },
    { 'k', "", { "AWS_CONTAINER_AUTHORIZATION_TOKEN", "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c" }, NULL,
      NULL, false, true },
    { 't', "", { NULL }, NULL, "/latest/api/token", false, false },
    { 'r', "", { NULL }, NULL, "security-credentials/", false, false },
    { 'i', "", { NULL }, NULL, "security-credentials/Role", false, false },
    { 's', SSO, { NULL }, "/sso/cache/", NULL, false, false },
    { 'o', SSO, { NULL }, NULL, "oidc.", false, false },
    { 'p', SSO, { NULL }, NULL, "portal.sso.", false, false },
    { 'l', "[default]\nlogin_session=me\n", { NULL }, "/login/cache/", NULL, false, false },
    { 'x', "[default]\ncredential_process=x\n", { NULL }, NULL, NULL, true, false },
    { 'a', ROLE, { NULL }, NULL, "sts.", false, false },
};

struct world {
    const struct kind *kind;
    struct ib_str bytes;
    char text[4096]; /* bytes as a variable */
};

static const char *get_env(void *ctx, const char *name)
{
    const struct world *w = ctx;

    if (strcmp(name, "HOME") == 0) {
        return "/h";
    }
    if (strcmp(name, "AWS_MAX_ATTEMPTS") == 0) {
        return "1";
    }
    for (size_t i = 0; i + 1 < IB_ARRAY_LEN(w->kind->variables); i += 2) {
        if (w->kind->variables[i] != NULL && strcmp(w->kind->variables[i], name) == 0) {
            const char *value = w->kind->variables[i + 1];
            return w->kind->is_variable && i == 0 ? (w->text[0] == '\0' ? NULL : w->text) : value;
        }
    }
    return NULL;
}

static const char *no_home(void *ctx)
{
    (void)ctx;
    return NULL;
}

static enum ib_rc read_file(void *ctx, const char *path, struct ib_buf *ret,
                            struct ib_file_facts *ret_facts, struct ib_error *err)
{
    const struct world *w = ctx;

    if (ret_facts != NULL) {
        *ret_facts = (struct ib_file_facts){ .others_may_read = false };
    }
    if (strcmp(path, "/h/.aws/config") == 0) {
        ib_buf_add_c(ret, w->kind->config);
    } else if (w->kind->file != NULL && strstr(path, w->kind->file) != NULL) {
        ib_buf_add_str(ret, w->bytes);
    } else if (strstr(path, "/sso/cache/") != NULL) {
        ib_buf_add_c(ret, w->kind->letter == 'o'
                              ? "{\"accessToken\":\"geheim\",\"expiresAt\":\"2020-01-01T00:00:00Z\",\"clientId\":\"c\","
                                "\"clientSecret\":\"geheim\",\"refreshToken\":\"geheim\"}"
                              : "{\"accessToken\":\"geheim\",\"expiresAt\":\"2100-01-01T00:00:00Z\"}");
    } else {
        return ib_fail(err, IB_ENOENT, "%s: not there", path);
    }
    return ib_buf_ok(ret, path, err);
}

static enum ib_rc trust(void *ctx, const char *path, struct ib_error *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    return IB_OK;
}

static enum ib_rc write_file(void *ctx, const char *path, struct ib_str content,
                             struct ib_error *err)
{
    (void)ctx;
    (void)path;
    (void)content;
    (void)err;
    return IB_OK;
}

/* The bytes where they are meant to be, else an answer that leads on to them. */
static enum ib_rc fetch(void *ctx, const struct ib_http_request *request,
                        struct ib_http_response *ret, struct ib_error *err)
{
    static const char *const answers[][2] = {
        { "/latest/api/token", "token" },
        { "security-credentials/Role", "{}" },
        { "security-credentials/", "Role" },
    };
    const struct world *w = ctx;
    bool is_meant = w->kind->url != NULL && strstr(request->url, w->kind->url) != NULL;

    *ret = (struct ib_http_response){ .status = 200 };
    ret->body = (struct ib_buf)IB_BUF_INIT_SECRET(request->max_body);
    /* The list of roles is a prefix of the role. */
    if (w->kind->letter == 'r' && strstr(request->url, "security-credentials/") != NULL) {
        is_meant = request->url[strlen(request->url) - 1] == '/';
    }
    if (is_meant) {
        ib_buf_add_str(&ret->body, w->bytes);
        return ib_buf_ok(&ret->body, "answer", err);
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(answers); i++) {
        if (strstr(request->url, answers[i][0]) != NULL) {
            ib_buf_add_c(&ret->body, answers[i][1]);
            return ib_buf_ok(&ret->body, "answer", err);
        }
    }
    return ib_fail(err, IB_ENET, "nobody there");
}

static enum ib_rc run_program(void *ctx, const char *command, struct ib_deadline deadline,
                              struct ib_buf *ret_out, struct ib_buf *ret_err, int *ret_status,
                              struct ib_error *err)
{
    const struct world *w = ctx;

    (void)command;
    (void)deadline;
    (void)ret_err;
    *ret_status = 0;
    ib_buf_add_str(ret_out, w->bytes);
    return ib_buf_ok(ret_out, "output", err);
}

static int64_t now_ms(void *ctx)
{
    (void)ctx;
    return NOW_MS;
}

static void check_text(const char *text)
{
    IB_ASSERT(text[0] != '\0');
    for (const char *c = text; *c != '\0'; c++) {
        IB_ASSERT(*c > ' ' && *c < 0x7f);
    }
}

static void check_trail(const struct ib_aws_config *config)
{
    for (size_t i = 0; i < config->trail->count; i++) {
        const char *text = config->trail->rows[i].text;
        IB_ASSERT(ib_utf8_valid(text, strlen(text)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct world w = { .kind = NULL };
    struct ib_outside outside = {
        .ctx = &w, .env = get_env, .passwd_home = no_home, .read = read_file,
        .check_trusted = trust, .write = write_file, .fetch = fetch, .run = run_program,
        .now_ms = now_ms,
    };
    const struct ib_aws_options options = { .region = "eu-central-1" };
    /* Too short for any wait, so that none is begun. */
    const struct ib_deadline deadline = ib_deadline_in(90);
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    for (size_t i = 0; n > 0 && i < IB_ARRAY_LEN(kinds); i++) {
        if (kinds[i].letter == (char)data[0]) {
            w.kind = &kinds[i];
        }
    }
    if (w.kind == NULL) {
        return 0;
    }
    w.bytes = (struct ib_str){ (const char *)data + 1, n - 1 };
    if (w.kind->is_variable &&
        (memchr(w.bytes.p, '\0', w.bytes.n) != NULL || !ib_text_copy(w.text, sizeof w.text, w.bytes))) {
        return 0;
    }
    IB_ASSERT(ib_aws_config_load(&options, &outside, &config, &err) == IB_OK);
    enum ib_rc rc = ib_credentials_resolve(config, /* fresh= */ false, &deadline, &c, &err);
    check_trail(config);
    if (rc != IB_OK) {
        IB_ASSERT(rc != IB_EBUG && err.text[0] != '\0');
        return 0;
    }
    check_text(c.access_key_id);
    check_text(c.secret_access_key);
    if (c.session_token != NULL) {
        check_text(c.session_token);
    }
    return 0;
}
