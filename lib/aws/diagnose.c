/* SPDX-License-Identifier: MIT */
/* Rows for --diagnose. */
#include "lib/aws/diagnose.h"

#include <pwd.h>
#include <stdarg.h>

#include "lib/aws/caller.h"
#include "lib/aws/cred.h"
#include "lib/aws/endpoint.h"
#include "lib/aws/http.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

void ib_diagnose_add(struct ib_diagnose *d, const char *topic, const char *fmt, ...)
{
    char raw[sizeof d->rows->text];
    va_list ap;

    if (d->count == IB_DIAGNOSE_ROWS_MAX) {
        return;
    }
    if (d->count == d->cap) {
        size_t cap = d->cap == 0 ? 16 : d->cap * 2;
        struct ib_diagnose_row *rows = reallocarray(d->rows, cap, sizeof *rows);
        if (rows == NULL) {
            return;
        }
        d->rows = rows;
        d->cap = cap;
    }
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    struct ib_diagnose_row *row = &d->rows[d->count++];
    (void)ib_text_clean(topic, strlen(topic), row->topic, sizeof row->topic);
    (void)ib_text_clean(raw, n < 0 ? 0 : strlen(raw), row->text, sizeof row->text);
}

void ib_diagnose_fini(struct ib_diagnose *d)
{
    free(d->rows);
    *d = (struct ib_diagnose)IB_DIAGNOSE_INIT;
}

/* --- what is known without the network --- */

static void add_process(struct ib_diagnose *d, const struct ib_outside *outside)
{
    const char *home = IB_OUTSIDE_ENV(outside, "HOME");
    const char *own = outside->passwd_home(outside->ctx);
    struct passwd entry, *found = NULL;
    char names[4096];
    bool is_known = getpwuid_r(geteuid(), &entry, names, sizeof names, &found) == 0 && found != NULL;

    /* "libcurl/7.88.1 OpenSSL/3.0.17 zlib/...": the first two matter. */
    struct ib_str rest = ib_str_from(ib_http_library());
    struct ib_str curl = ib_str_split(&rest, ' '), tls = ib_str_split(&rest, ' ');

    ib_diagnose_add(d, "version", "%s %s, %.*s, %.*s", PACKAGE_NAME, PACKAGE_VERSION,
                    IB_STR_ARG(curl), IB_STR_ARG(tls));
    /* Both homes: a daemon that was started from root's shell has root's HOME and its own user id. */
    ib_diagnose_add(d, "user", "%s (uid %ld), HOME %s, home in the password database %s",
                    is_known ? found->pw_name : "without a name", (long)geteuid(),
                    home == NULL ? "not set" : home, own == NULL ? "none" : own);
}

static void add_files(struct ib_diagnose *d, const struct ib_profiles *profiles)
{
    static const char *const states[] = {
        [IB_PROFILE_FILE_READ] = "read",
        [IB_PROFILE_FILE_MISSING] = "not there",
        [IB_PROFILE_FILE_FORBIDDEN] = "this user may not read it",
        [IB_PROFILE_FILE_NOWHERE] = "no home to look in",
    };
    const struct ib_profile_file *files = NULL;
    size_t count = ib_profiles_files(profiles, &files);

    for (size_t i = 0; i < count; i++) {
        ib_diagnose_add(d, files[i].origin == IB_PROFILE_CONFIG ? "config file" : "credentials file",
                        "%s: %s (%s)%s%s", files[i].path[0] == '\0' ? "-" : files[i].path,
                        states[files[i].state], files[i].source == NULL ? "-" : files[i].source,
                        files[i].facts.others_may_write ? "; others may write it: chmod go-w it" : "",
                        files[i].origin == IB_PROFILE_CREDENTIALS && files[i].facts.others_may_read
                            ? "; others may read it: chmod go= it"
                            : "");
    }
}

static void add_endpoint(struct ib_diagnose *d, struct ib_aws_client *client, const char *service,
                         const char *region)
{
    const struct ib_aws_config *config = ib_aws_client_config(client);
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting custom = {NULL, NULL};
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(4096);
    IB_CLEANUP(ib_buf_fini) struct ib_buf proxy = IB_BUF_INIT(4096);
    struct ib_error err = IB_ERROR_INIT;
    struct ib_url url;
    enum ib_rc rc = ib_aws_config_endpoint_url(config, service, &custom, &err);

    if (rc == IB_OK) {
        struct ib_endpoint_params params = {
            service, region, config->use_fips, config->use_dualstack, custom.value, custom.source};
        rc = ib_endpoint_resolve(&params, &url, &err);
    }
    if (rc != IB_OK) {
        ib_diagnose_add(d, "endpoint", "%s: %s", service, err.text);
        return;
    }
    ib_url_add(&url, &text);
    ib_http_describe_proxy(ib_aws_client_http(client), ib_buf_c(&text), &proxy);
    ib_diagnose_add(d, "endpoint", "%s: %s (%s), proxy: %s", service, ib_buf_c(&text),
                    custom.value == NULL ? "by Region" : custom.source, ib_buf_c(&proxy));
}

static void add_settings(struct ib_diagnose *d, struct ib_aws_client *client)
{
    static const char *const modes[] = {
        [IB_AWS_RETRY_STANDARD] = "standard",
        [IB_AWS_RETRY_LEGACY] = "legacy",
        [IB_AWS_RETRY_ADAPTIVE] = "adaptive",
    };
    const struct ib_aws_config *config = ib_aws_client_config(client);

    ib_diagnose_add(d, "trusted CAs", "%s", ib_http_trusted(ib_aws_client_http(client)));
    ib_diagnose_add(d, "tries", "%d at most (retry mode %s)", config->max_attempts,
                    modes[config->retry_mode]);
    ib_diagnose_add(d, "credential cache", "%s",
                    config->options.cache_dir == NULL ? "none" : config->options.cache_dir);
    if (config->use_fips) {
        ib_diagnose_add(d, "FIPS", "on (%s)", config->fips.source);
    }
    if (config->use_dualstack) {
        ib_diagnose_add(d, "dual stack", "on (%s)", config->dualstack.source);
    }
}

/* Region of the calls; "" when nobody says. */
static enum ib_rc add_region(struct ib_diagnose *d, struct ib_aws_client *client,
                             const char *arn_region, char ret[64], struct ib_error *err)
{
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting region = {NULL, NULL};
    struct ib_deadline deadline = ib_aws_client_deadline(client);
    enum ib_rc rc =
        ib_aws_config_region(ib_aws_client_config(client), arn_region, &deadline, &region, err);

    ret[0] = '\0';
    if (rc != IB_OK) {
        ib_diagnose_add(d, "region", "%s", err->text);
        return rc;
    }
    (void)ib_text_copy(ret, 64, ib_str_from(region.value));
    (void)ib_text_copy(d->region, sizeof d->region, ib_str_from(region.value));
    ib_diagnose_add(d, "region", "%s (%s), partition %s", region.value, region.source,
                    ib_partition_of(region.value)->name);
    return IB_OK;
}

/* --- credentials and caller --- */

static void add_trail(struct ib_diagnose *d, const struct ib_cred_trail *trail)
{
    static const char *const words[] = {
        [IB_CRED_ANSWERED] = "used",
        [IB_CRED_PASSED_OVER] = "passed over",
        [IB_CRED_FAILED] = "failed",
        [IB_CRED_NOT_ASKED] = "not asked",
    };

    for (size_t i = 0; trail != NULL && i < trail->count; i++) {
        const struct ib_cred_trail_row *row = &trail->rows[i];

        ib_diagnose_add(d, "credentials", "%s: %s%s%s", row->provider, words[row->outcome],
                        row->text[0] == '\0' ? "" : ": ", row->text);
    }
}

static enum ib_rc add_credentials(struct ib_diagnose *d, struct ib_aws_client *client,
                                  struct ib_error *err)
{
    const struct ib_aws_config *config = ib_aws_client_config(client);
    char end[IB_TIME_TEXT_MAX];
    int64_t end_ms = 0;
    enum ib_rc rc = ib_aws_client_find_credentials(client, &end_ms, err);

    add_trail(d, config->trail);
    if (rc != IB_OK) {
        bool is_told = config->trail != NULL && config->trail->count > 0;
        ib_diagnose_add(d, "credentials", "none%s%s", is_told ? "" : ": ",
                        is_told ? "" : err->text);
    } else if (end_ms != 0) {
        ib_diagnose_add(d, "credentials", "they end at %s",
                        ib_time_fmt_iso8601(end_ms, end, sizeof end));
    }
    return rc;
}

static enum ib_rc add_caller(struct ib_diagnose *d, struct ib_aws_client *client,
                             const char *region, struct ib_error *err)
{
    struct ib_aws_caller caller;
    enum ib_rc rc = ib_aws_caller(client, region, &caller, err);

    if (rc == IB_OK) {
        (void)ib_text_copy(d->account, sizeof d->account, ib_str_from(caller.account));
    }
    ib_diagnose_add(d, "caller", "%s", rc == IB_OK ? caller.arn : err->text);
    return rc;
}

static void add_clock(struct ib_diagnose *d, const struct ib_aws_client *client)
{
    struct ib_aws_stats stats = ib_aws_client_stats(client);
    char now[IB_TIME_TEXT_MAX], off[IB_TIME_TEXT_MAX];
    int64_t off_ms = stats.skew_ms < 0 ? -stats.skew_ms : stats.skew_ms;

    (void)ib_time_fmt_iso8601(ib_time_now_ms(), now, sizeof now);
    if (!stats.skew_known) {
        ib_diagnose_add(d, "clock", "%s; AWS's is not known", now);
    } else if (off_ms < 2 * IB_SECOND_MS) {
        /* The Date header has whole seconds, and the answer was on its way. */
        ib_diagnose_add(d, "clock", "%s, as AWS's", now);
    } else {
        ib_diagnose_add(
            d, "clock", "%s; AWS's is %s %s%s", now, ib_duration_fmt(off_ms, off, sizeof off),
            stats.skew_ms > 0 ? "ahead" : "behind",
            off_ms >= 4 * IB_MINUTE_MS ? ": check the time service of this machine" : "");
    }
    for (size_t i = 0; ib_aws_client_note(client, i) != NULL; i++) {
        ib_diagnose_add(d, "note", "%s", ib_aws_client_note(client, i));
    }
}

static enum ib_rc ask_client(struct ib_diagnose *d, struct ib_aws_client *client,
                             const char *arn_region, struct ib_error *err)
{
    const struct ib_aws_config *config = ib_aws_client_config(client);
    char region[64];

    add_files(d, config->profiles);
    ib_diagnose_add(d, "profile", "%s (%s)", config->profile.value, config->profile.source);
    enum ib_rc rc = add_region(d, client, arn_region, region, err);
    if (rc == IB_OK) {
        add_endpoint(d, client, "imagebuilder", region);
        add_endpoint(d, client, "sts", region);
    }
    add_settings(d, client);
    /* Without a Region the credentials are worth knowing all the same. */
    struct ib_error cred_err = IB_ERROR_INIT;
    enum ib_rc cred_rc = add_credentials(d, client, &cred_err);
    if (rc == IB_OK && cred_rc != IB_OK) {
        *err = cred_err;
        rc = cred_rc;
    }
    if (rc != IB_OK) {
        return rc;
    }
    rc = add_caller(d, client, arn_region, err);
    add_clock(d, client);
    return rc;
}

enum ib_rc ib_diagnose_aws(const struct ib_aws_options *options, struct ib_deadline deadline,
                           const char *arn_region, struct ib_diagnose *d,
                           struct ib_aws_client **ret_client, struct ib_error *err)
{
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    struct ib_outside_real real;
    struct ib_error own = IB_ERROR_INIT;

    err = err == NULL ? &own : err;
    if (ret_client != NULL) {
        *ret_client = NULL;
    }
    ib_outside_real_init(&real);
    add_process(d, &real.outside);
    enum ib_rc rc = ib_aws_client_new(options, deadline, &client, err);
    if (rc != IB_OK) {
        IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *profiles = NULL;

        if (ib_profiles_load(&real.outside, &profiles, NULL) == IB_OK) {
            add_files(d, profiles);
        }
        ib_diagnose_add(d, "settings", "%s", err->text);
        return rc;
    }
    rc = ask_client(d, client, arn_region, err);
    if (ret_client != NULL) {
        *ret_client = client;
        client = NULL;
    }
    return rc;
}
