/* SPDX-License-Identifier: MIT */
/* Temporary credentials kept on disk between runs. */
#include "lib/aws/cred_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/aws/sha.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/file.h"

#define NAME_MAX_BYTES 80 /* 64 hexadecimal digits and a suffix */
#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define SWEEP_MAX      256             /* files looked at when old ones are removed */
#define SWEEP_AFTER_MS (2 * IB_DAY_MS) /* since it was written; no session lives longer than 12 h \
                                        */

#define LIFE_MAX_MS (12 * IB_HOUR_MS)
#define EARLY_MS    (15 * IB_MINUTE_MS) /* as the AWS CLI */
#define MUST_MS     (5 * IB_MINUTE_MS)

struct entry {
    struct ib_credentials credentials;
    int64_t fetched_ms;
};

struct cache {
    const struct ib_cred_context *ctx;
    const struct ib_cred_ask *ask;
    int dir;
    char name[NAME_MAX_BYTES], lock_name[NAME_MAX_BYTES];
};

static void entry_fini(struct entry *e)
{
    ib_credentials_fini(&e->credentials);
}

struct ib_cred_window ib_cred_window_of(int64_t fetched_ms, int64_t expiration_ms)
{
    int64_t life = expiration_ms - fetched_ms;
    int64_t early, must;

    /* Whatever an answer claims, no session of a role lives longer. */
    if (life > LIFE_MAX_MS) {
        life = LIFE_MAX_MS;
        expiration_ms = fetched_ms + LIFE_MAX_MS;
    }
    early = life / 4;
    must = life / 12;
    /* A session of 15 minutes, the shortest there is, would otherwise be renewed by each run. */
    early = early > EARLY_MS ? EARLY_MS : early;
    must = must > MUST_MS ? MUST_MS : must;
    return (struct ib_cred_window){expiration_ms - early, expiration_ms - must};
}

/* --- the file ----------------------------------------------------------------------------------
 */

static enum ib_rc parse_entry(const struct cache *c, struct ib_str text, struct entry *ret,
                              struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "AccessKeyId",
        .secret_access_key = "SecretAccessKey",
        .session_token = "SessionToken",
        .expiration = "Expiration",
        .account_id = "AccountId",
        .needs_token = true,
        .needs_expiration = true,
    };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    struct ib_cred_fields fields;
    struct ib_str source = {NULL, 0};
    char words[600];
    int64_t fetched = 0;
    enum ib_rc rc = ib_json_parse(text, "cached credentials", NULL, &object, err);

    if (rc == IB_OK) {
        rc = ib_cred_json_fields(object, "cached credentials", &names, &fields, err);
    }
    if (rc == IB_OK) {
        rc = ib_value_opt_i64(object, "Fetched", 0, INT64_MAX, &fetched, err);
    }
    if (rc == IB_OK) {
        rc = ib_value_opt_str(object, "Source", 512, &source, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    /* A clock that was set back, or a file from the future: better asked anew. */
    if (fetched > IB_OUTSIDE_NOW(c->ctx->outside) + IB_MINUTE_MS) {
        return ib_fail(err, IB_ECRED, "cached credentials: fetched in the future");
    }
    (void)snprintf(words, sizeof words, "%.*s (cached)", IB_STR_ARG(source));
    rc = ib_cred_accept(&fields, c->ask->provider, words, &ret->credentials, err);
    ret->fetched_ms = fetched;
    return rc;
}

static enum ib_rc read_entry(const struct cache *c, struct entry *ret, struct ib_error *err)
{
    const struct ib_file_options options = {
        .no_symlink = true, .need_private = true, .need_owner = true};
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(FILE_MAX_BYTES);
    enum ib_rc rc = ib_file_read_at(c->dir, c->name, &options, &text, NULL, err);

    return rc != IB_OK ? rc : parse_entry(c, ib_buf_str(&text), ret, err);
}

static void add_member(struct ib_buf *b, const char *name, const char *value)
{
    if (value != NULL) {
        ib_buf_addf(b, ",\"%s\":", name);
        ib_json_print_str(ib_str_from(value), b);
    }
}

static enum ib_rc write_entry(const struct cache *cache, const struct ib_credentials *c,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(FILE_MAX_BYTES);
    char end[IB_TIME_TEXT_MAX];
    enum ib_rc rc;

    ib_buf_addf(&text, "{\"Fetched\":%lld", (long long)IB_OUTSIDE_NOW(cache->ctx->outside));
    add_member(&text, "Source", c->source);
    add_member(&text, "Expiration", ib_time_fmt_iso8601(c->expiration_ms, end, sizeof end));
    add_member(&text, "AccessKeyId", c->access_key_id);
    add_member(&text, "SecretAccessKey", c->secret_access_key);
    add_member(&text, "SessionToken", c->session_token);
    add_member(&text, "AccountId", c->account_id);
    ib_buf_add_c(&text, "}\n");
    rc = ib_buf_ok(&text, "cached credentials", err);
    return rc != IB_OK
               ? rc
               : ib_file_write_atomic_at(cache->dir, cache->name, ib_buf_str(&text), 0600, err);
}

static bool is_entry_name(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < 64 && i < n; i++) {
        if (ib_hex_value(name[i]) < 0) {
            return false;
        }
    }
    return n == 69 && strcmp(name + 64, ".json") == 0;
}

/* Keys of parameters that nobody uses any more would stay for ever. */
static void sweep(const struct ib_cred_context *ctx, int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    int64_t oldest = IB_OUTSIDE_NOW(ctx->outside) - SWEEP_AFTER_MS;
    const struct dirent *found;

    if (list == NULL) {
        if (copy >= 0) {
            (void)close(copy);
        }
        return;
    }
    for (int i = 0; i < SWEEP_MAX; i++) {
        struct stat facts;

        found = readdir(list);
        if (found == NULL) {
            break;
        }
        if (is_entry_name(found->d_name) &&
            fstatat(dir, found->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
            (int64_t)facts.st_mtim.tv_sec * IB_SECOND_MS < oldest) {
            (void)unlinkat(dir, found->d_name, 0);
        }
    }
    (void)closedir(list);
}

/* --- the decision --------------------------------------------------------------------------------
 */

enum freshness { GOOD, GOOD_FOR_NOW, NO_GOOD };

static enum freshness judge(const struct cache *c, const struct entry *e)
{
    int64_t now = IB_OUTSIDE_NOW(c->ctx->outside);
    struct ib_cred_window window = ib_cred_window_of(e->fetched_ms, e->credentials.expiration_ms);
    const char *refused = c->ctx->config->refused_key;

    if (c->ctx->fresh && refused != NULL && strcmp(refused, e->credentials.access_key_id) == 0) {
        return NO_GOOD;
    }
    if (now >= window.must_ms) {
        return NO_GOOD;
    }
    return now >= window.early_ms ? GOOD_FOR_NOW : GOOD;
}

static enum freshness look(const struct cache *c, struct entry *ret)
{
    struct entry found = {.fetched_ms = 0};
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = read_entry(c, &found, &why);
    enum freshness verdict;

    if (rc != IB_OK) {
        if (rc != IB_ENOENT) {
            ib_cred_trail_add(c->ctx->trail, "cache", IB_CRED_PASSED_OVER, "%s", why.text);
        }
        entry_fini(&found);
        return NO_GOOD;
    }
    verdict = judge(c, &found);
    if (verdict == NO_GOOD) {
        entry_fini(&found);
        return verdict;
    }
    entry_fini(ret);
    *ret = found;
    return verdict;
}

static void hand_over(struct entry *from, struct ib_credentials *ret)
{
    *ret = from->credentials;
    from->credentials = (struct ib_credentials)IB_CREDENTIALS_INIT;
}

/* Holding the lock: another may have fetched while we waited for it. */
static enum ib_rc renew(const struct cache *c, struct entry *old, struct ib_credentials *ret,
                        struct ib_error *err)
{
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc;

    if (look(c, old) == GOOD) {
        hand_over(old, ret);
        return IB_OK;
    }
    rc = c->ask->fetch(c->ctx, c->ask->arg, ret, &why);
    if (rc != IB_OK) {
        if (old->credentials.access_key_id == NULL) {
            *err = why;
            return rc;
        }
        ib_cred_trail_add(c->ctx->trail, "cache", IB_CRED_FAILED,
                          "not renewed, used until their end: %s", why.text);
        hand_over(old, ret);
        return IB_OK;
    }
    if (ret->expiration_ms == 0) {
        return IB_OK;
    }
    if (write_entry(c, ret, &why) != IB_OK) {
        ib_cred_trail_add(c->ctx->trail, "cache", IB_CRED_FAILED, "not kept: %s", why.text);
    }
    sweep(c->ctx, c->dir);
    return IB_OK;
}

static enum ib_rc get(const struct cache *c, struct ib_credentials *ret, struct ib_error *err)
{
    IB_CLEANUP(entry_fini) struct entry found = {.fetched_ms = 0};
    IB_CLEANUP(ib_lock_release) struct ib_lock lock = IB_LOCK_INIT;
    enum freshness verdict = look(c, &found);
    /* While what is there still serves, nobody waits for the lock. */
    struct ib_deadline wait = verdict == NO_GOOD ? c->ctx->deadline : ib_deadline_in(0);
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc;

    if (verdict == GOOD) {
        hand_over(&found, ret);
        return IB_OK;
    }
    rc = ib_lock_take(c->dir, c->lock_name, &wait, &lock, &why);
    if (rc == IB_ETIMEOUT && verdict == GOOD_FOR_NOW) {
        hand_over(&found, ret);
        return IB_OK;
    }
    if (rc == IB_ETIMEOUT) {
        return ib_fail(err, rc, "%s",
                       "another process has been asking for the same credentials all the time");
    }
    if (rc != IB_OK) {
        ib_cred_trail_add(c->ctx->trail, "cache", IB_CRED_FAILED, "%s", why.text);
    }
    return renew(c, &found, ret, err);
}

enum ib_rc ib_cred_cache_get(const struct ib_cred_context *ctx, const struct ib_cred_ask *ask,
                             struct ib_credentials *ret, struct ib_error *err)
{
    const char *path = ctx->config->options.cache_dir;
    struct cache c = {.ctx = ctx, .ask = ask, .dir = -1};
    struct ib_error why = IB_ERROR_INIT;
    char key[IB_SHA256_HEX_MAX];
    enum ib_rc rc;

    if (path == NULL) {
        return ask->fetch(ctx, ask->arg, ret, err);
    }
    rc = ib_sha256_hex(ask->description, key, err);
    if (rc != IB_OK) {
        return rc;
    }
    (void)snprintf(c.name, sizeof c.name, "%s.json", key);
    /* At most 256 lock files ever: they cannot be removed safely while others may hold them. */
    (void)snprintf(c.lock_name, sizeof c.lock_name, "lock-%.2s", key);
    rc = ib_dir_private_open(path, true, &c.dir, &why);
    if (rc != IB_OK) {
        ib_cred_trail_add(ctx->trail, "cache", IB_CRED_PASSED_OVER, "%s", why.text);
        return ask->fetch(ctx, ask->arg, ret, err);
    }
    rc = get(&c, ret, err);
    ib_cleanup_fd(&c.dir);
    return rc;
}
