/* SPDX-License-Identifier: MIT */
/* The real world behind the credential providers. */
#include "lib/aws/outside.h"

#include <errno.h>
#include <pwd.h>

#include "lib/base/env.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/shlex.h"
#include "lib/sys/child.h"

static const char *real_env(void *ctx, const char *name)
{
    (void)ctx;
    return ib_env_get(name);
}

static const char *real_passwd_home(void *ctx)
{
    struct ib_outside_real *r = ctx;
    struct passwd entry, *found = NULL;
    char text[4096];

    if (r->home[0] == '\0' && getpwuid_r(geteuid(), &entry, text, sizeof text, &found) == 0 &&
        found != NULL && !ib_text_copy(r->home, sizeof r->home, ib_str_from(found->pw_dir))) {
        return NULL;
    }
    return r->home[0] == '\0' ? NULL : r->home;
}

static enum ib_rc real_read(void *ctx, const char *path, struct ib_buf *ret,
                            struct ib_file_facts *ret_facts, struct ib_error *err)
{
    const struct ib_file_options options = {.max_bytes = 0};

    (void)ctx;
    return ib_file_read_facts(path, &options, ret, ret_facts, err);
}

static enum ib_rc real_check_trusted(void *ctx, const char *path, struct ib_error *err)
{
    const struct ib_file_options options = {.need_trusted = true};
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(IB_OUTSIDE_FILE_MAX);

    (void)ctx;
    return ib_file_read(path, &options, &text, err);
}

static enum ib_rc real_write(void *ctx, const char *path, struct ib_str content,
                             struct ib_error *err)
{
    (void)ctx;
    return ib_file_write_atomic(path, content, 0600, err);
}

static enum ib_rc real_fetch(void *ctx, const struct ib_http_request *request,
                             struct ib_http_response *ret, struct ib_error *err)
{
    const struct ib_outside_real *r = ctx;

    if (r->http == NULL) {
        return ib_fail(err, IB_EBUG, "no HTTP here yet: %s", request->url);
    }
    return ib_http_perform(r->http, request, ret, err);
}

static enum ib_rc real_run(void *ctx, const char *command, struct ib_deadline deadline,
                           struct ib_buf *ret_out, struct ib_buf *ret_err, int *ret_status,
                           struct ib_error *err)
{
    IB_CLEANUP(ib_words_fini) struct ib_words words = IB_WORDS_INIT;
    const struct ib_child_options options = {.deadline = deadline};
    enum ib_rc rc = ib_shlex_split(ib_str_from(command), &words, err);

    (void)ctx;
    if (rc != IB_OK) {
        return rc;
    }
    return ib_child_run((const char *const *)words.argv, &options, ret_out, ret_err, ret_status,
                        err);
}

static int64_t real_now_ms(void *ctx)
{
    (void)ctx;
    return ib_time_now_ms();
}

void ib_outside_real_init(struct ib_outside_real *ret)
{
    *ret = (struct ib_outside_real){
        .outside =
            {
                .ctx = ret,
                .env = real_env,
                .passwd_home = real_passwd_home,
                .read = real_read,
                .check_trusted = real_check_trusted,
                .write = real_write,
                .fetch = real_fetch,
                .run = real_run,
                .now_ms = real_now_ms,
            },
    };
}
