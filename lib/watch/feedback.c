/* SPDX-License-Identifier: MIT */
/* Feedback to Icinga 2 and Nagios. */
#include "lib/watch/feedback.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "lib/aws/http.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/file.h"

#define COMMENT_AUTHOR    "ib_cancel_action"
#define PASSWORD_MAX      256 /* bytes */
#define ANSWER_MAX        ((size_t)64 * 1024)
#define ICINGA_TIMEOUT_MS 5000 /* a busy master answers in well under a second */

/* Each of these ends a field, a command or a quoted text somewhere on the way. */
static const char forbidden[] = ";!|\\\"'<>`$&";

static enum ib_rc check_name(const char *what, const char *name, bool as_data, struct ib_error *err)
{
    struct ib_str s = ib_str_from(name);

    if (s.n == 0 || s.n > IB_FEEDBACK_NAME_MAX || !ib_utf8_valid(s.p, s.n)) {
        return ib_fail(err, IB_EUSAGE, "%s: a name of 1 to %d bytes of UTF-8 is needed", what,
                       IB_FEEDBACK_NAME_MAX);
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7F || (!as_data && strchr(forbidden, (char)c) != NULL)) {
            return ib_fail(err, IB_EUSAGE, "%s: \"%.64s\" holds a control character%s%s", what, name,
                           as_data ? "" : " or one of ", as_data ? "" : forbidden);
        }
    }
    return IB_OK;
}

enum ib_rc ib_feedback_check(const struct ib_feedback_event *event, bool as_data, struct ib_error *err)
{
    enum ib_rc rc = check_name("--host", event->host, as_data, err);

    return rc != IB_OK ? rc : check_name("--service", event->service, as_data, err);
}

/* --- Icinga 2 ----------------------------------------------------------------------------------
 */

static enum ib_rc add_text(struct ib_value *object, const char *key, const char *text,
                           struct ib_error *err)
{
    return ib_value_set(object, ib_str_from(key), ib_value_string(ib_str_from(text)), err);
}

/* The filter is a constant; names travel as data beside it, so no name can change what it selects.
 */
static enum ib_rc action_body(const struct ib_feedback_event *event, const char *comment,
                              struct ib_buf *out, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = ib_value_object();
    struct ib_value *names = ib_value_object();

    if (body == NULL || names == NULL) {
        ib_value_unref(names);
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = ib_value_set(body, IB_STR("filter_vars"), names, err);
    if (rc == IB_OK) {
        rc = add_text(names, "ib_host", event->host, err);
    }
    if (rc == IB_OK) {
        rc = add_text(names, "ib_service", event->service, err);
    }
    if (rc == IB_OK) {
        rc = add_text(body, "type", "Service", err);
    }
    if (rc == IB_OK) {
        rc = add_text(body, "filter", "host.name == ib_host && service.name == ib_service", err);
    }
    if (rc == IB_OK && comment == NULL) {
        rc = ib_value_set(body, IB_STR("force"), ib_value_bool(true), err);
    }
    if (rc == IB_OK && comment != NULL) {
        rc = add_text(body, "author", COMMENT_AUTHOR, err);
    }
    if (rc == IB_OK && comment != NULL) {
        rc = add_text(body, "comment", comment, err);
    }
    if (rc == IB_OK) {
        ib_json_print(body, IB_JSON_COMPACT, out);
        rc = ib_buf_ok(out, "Icinga request", err);
    }
    return rc;
}

static enum ib_rc read_password(const char *path, struct ib_buf *ret, struct ib_error *err)
{
    struct ib_file_options options = {.max_bytes = PASSWORD_MAX, .need_owner = true};
    struct ib_file_facts facts;
    enum ib_rc rc = ib_file_read_facts(path, &options, ret, &facts, err);

    if (rc != IB_OK) {
        return rc;
    }
    if ((facts.mode & (S_IROTH | S_IWOTH)) != 0) {
        return ib_fail(err, IB_ECONFIG,
                       "%s: a password may not be readable by everybody (mode %04o)", path,
                       (unsigned)facts.mode);
    }
    struct ib_str text = ib_str_trim(ib_buf_str(ret));
    if (text.n == 0) {
        return ib_fail(err, IB_ECONFIG, "%s: holds no password", path);
    }
    ib_buf_cut(ret, (size_t)(text.p - ret->data) + text.n);
    return IB_OK;
}

static enum ib_rc add_headers(const struct ib_feedback *where, struct ib_headers *headers,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf password = IB_BUF_INIT_SECRET(PASSWORD_MAX);
    IB_CLEANUP(ib_buf_fini) struct ib_buf pair = IB_BUF_INIT_SECRET(2 * PASSWORD_MAX);
    IB_CLEANUP(ib_buf_fini) struct ib_buf basic = IB_BUF_INIT_SECRET(4 * PASSWORD_MAX);
    enum ib_rc rc = read_password(where->icinga_password_file, &password, err);

    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_addf(&pair, "%s:", where->icinga_user);
    ib_buf_add_str(&pair, ib_str_trim(ib_buf_str(&password)));
    ib_buf_add_c(&basic, "Basic ");
    ib_base64_add(&basic, pair.data, pair.len);
    rc = ib_buf_ok(&basic, "Icinga user and password", err);
    if (rc == IB_OK) {
        rc = ib_headers_add(headers, "Authorization", ib_buf_str(&basic), err);
    }
    if (rc == IB_OK) {
        rc = ib_headers_add(headers, "Accept", IB_STR("application/json"), err);
    }
    if (rc == IB_OK) {
        rc = ib_headers_add(headers, "Content-Type", IB_STR("application/json"), err);
    }
    return rc;
}

/* A 200 may hold failures: each result has a code of its own. */
static enum ib_rc read_results(const struct ib_value *results, const char *action, struct ib_error *err)
{
    struct ib_error ignored = IB_ERROR_INIT;

    if (!ib_value_is(results, IB_VALUE_ARRAY) || ib_value_count(results) == 0) {
        return ib_fail(err, IB_EHTTP, "Icinga %s: the answer has no results", action);
    }
    for (size_t i = 0; i < ib_value_count(results); i++) {
        const struct ib_value *one = ib_value_at(results, i);
        const struct ib_value *code = ib_value_get_c(one, "code");
        struct ib_str said = {NULL, 0};
        double number = ib_value_is_number(code) ? ib_value_as_real(code) : 0.0;
        if (number < 200.0 || number > 299.0) {
            if (ib_value_opt_str(one, "status", 1000, &said, &ignored) != IB_OK || said.p == NULL) {
                said = IB_STR("without a reason");
            }
            return ib_fail(err, IB_EHTTP, "Icinga %s: result %.0f %.*s", action, number,
                           IB_STR_ARG(ib_str_head(said, 200)));
        }
    }
    return IB_OK;
}

/* Icinga answers 200 with {"results":[{"code":200,"status":"..."}]}, 404 when the filter finds
 * nothing. */
static enum ib_rc read_answer(const struct ib_http_response *response, const char *action,
                              const struct ib_feedback_event *event, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = NULL;
    struct ib_error ignored = IB_ERROR_INIT;
    enum ib_rc rc = IB_OK;

    /* An answer that is no JSON has nothing to add to its status. */
    bool readable =
        ib_json_parse(ib_buf_str(&response->body), "answer", NULL, &body, &ignored) == IB_OK;
    if (response->status == 401) {
        rc = ib_fail(err, IB_EHTTP, "Icinga %s: user or password is not accepted", action);
    } else if (response->status == 404) {
        rc = ib_fail(
            err, IB_EHTTP,
            "Icinga %s: there is no service \"%s\" on host \"%s\", or the user may not see it",
            action, event->service, event->host);
    } else if (response->status != 200) {
        struct ib_str said = {NULL, 0};
        if (!readable || ib_value_opt_str(body, "status", 1000, &said, &ignored) != IB_OK) {
            said = IB_STR("without a reason");
        }
        rc = ib_fail(err, IB_EHTTP, "Icinga %s: HTTP %d %.*s", action, response->status,
                     IB_STR_ARG(ib_str_head(said, 200)));
    } else {
        rc = read_results(ib_value_get_c(body, "results"), action, err);
    }
    if (rc != IB_OK && err != NULL) {
        err->http_status = response->status;
    }
    return rc;
}

static enum ib_rc icinga_action(struct ib_http *http, const struct ib_feedback *where,
                                const struct ib_feedback_event *event, const char *comment,
                                const struct ib_deadline *deadline, struct ib_error *err)
{
    const char *action = comment == NULL ? "reschedule-check" : "add-comment";
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response response = IB_HTTP_RESPONSE_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf body = IB_BUF_INIT(16384);
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(2048);
    struct ib_str base = ib_str_from(where->icinga_url);

    while (ib_str_ends(base, IB_STR("/"))) {
        base.n--;
    }
    ib_buf_addf(&url, "%.*s/v1/actions/%s", IB_STR_ARG(base), action);
    enum ib_rc rc = ib_buf_ok(&url, "Icinga URL", err);
    if (rc == IB_OK) {
        rc = action_body(event, comment, &body, err);
    }
    if (rc == IB_OK) {
        rc = add_headers(where, &headers, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    struct ib_http_request request = {.method = "POST",
                                      .url = ib_buf_c(&url),
                                      .headers = &headers,
                                      .body = ib_buf_str(&body),
                                      .deadline = *deadline,
                                      .timeout_ms = ICINGA_TIMEOUT_MS,
                                      .max_body = ANSWER_MAX};
    rc = ib_http_perform(http, &request, &response, err);
    if (rc != IB_OK) {
        (void)ib_error_context(err, "Icinga %s", action);
        return rc;
    }
    return read_answer(&response, action, event, err);
}

enum ib_rc ib_feedback_icinga(const struct ib_feedback *where,
                              const struct ib_feedback_event *event,
                              const struct ib_deadline *deadline, struct ib_error *ret_comment,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_http_cleanup) struct ib_http *http = NULL;
    struct ib_error why = IB_ERROR_INIT;
    struct ib_http_options options = {.ca_bundle = where->icinga_ca,
                                      .ca_bundle_source = "feedback.icinga.ca",
                                      .user_agent = COMMENT_AUTHOR};
    char comment[IB_FEEDBACK_COMMENT_MAX];

    if (where->icinga_url == NULL || where->icinga_user == NULL ||
        where->icinga_password_file == NULL || where->icinga_ca == NULL) {
        return ib_fail(
            err, IB_ECONFIG,
            "feedback.icinga needs url, user, password_file and ca (the CA of the Icinga API)");
    }
    enum ib_rc rc = ib_feedback_check(event, true, err);
    if (rc == IB_OK) {
        rc = ib_http_new(&options, &http, err);
    }
    if (rc == IB_OK && event->comment != NULL) {
        (void)ib_text_clean(event->comment, strlen(event->comment), comment, sizeof comment);
        rc = icinga_action(http, where, event, comment, deadline, &why);
        if (rc != IB_OK && event->recheck && why.http_status != 0) {
            /* It answers, and may well do the other thing: another permission. */
            *ret_comment = why;
            rc = IB_OK;
        } else if (rc != IB_OK && err != NULL) {
            *err = why;
        }
    }
    if (rc == IB_OK && event->recheck) {
        rc = icinga_action(http, where, event, NULL, deadline, err);
    }
    return rc;
}

/* --- Nagios -------------------------------------------------------------------------------------
 */

/* One write of less than PIPE_BUF bytes is one piece, whoever else writes at the time. */
static enum ib_rc write_command(int fd, const char *path, const struct ib_buf *line,
                                struct ib_error *err)
{
    enum ib_rc rc = ib_buf_ok(line, "Nagios command", err);

    if (rc != IB_OK) {
        return rc;
    }
    ssize_t n = write(fd, line->data, line->len);
    if (n < 0) {
        return errno == EAGAIN
                   ? ib_fail(err, IB_ESYS, "%s is full: the daemon does not read it", path)
                   : ib_fail_errno(err, errno, "cannot write %s", path);
    }
    if ((size_t)n != line->len) {
        return ib_fail(err, IB_ESYS, "%s took %zd of %zu bytes", path, n, line->len);
    }
    return IB_OK;
}

static enum ib_rc open_command_file(const char *path, int *ret, struct ib_error *err)
{
    struct stat st;
    /* Without a reader this fails with ENXIO instead of waiting for one. */
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return errno == ENXIO
                   ? ib_fail(err, IB_ESYS, "%s has no reader: the daemon is not running", path)
                   : ib_fail_errno(err, errno, "cannot open command file %s", path);
    }
    if (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode)) {
        (void)close(fd);
        return ib_fail(err, IB_ECONFIG, "%s is no FIFO: not the daemon's command file", path);
    }
    *ret = fd;
    return IB_OK;
}

enum ib_rc ib_feedback_nagios(const struct ib_feedback *where,
                              const struct ib_feedback_event *event, int64_t now_ms,
                              struct ib_error *err)
{
    const char *path = where->nagios_command_file;
    IB_CLEANUP(ib_cleanup_fd) int fd = -1;
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT(PIPE_BUF - 1);
    char comment[IB_FEEDBACK_COMMENT_MAX];
    int64_t now_s = now_ms / IB_SECOND_MS;

    if (path == NULL) {
        return ib_fail(err, IB_ECONFIG, "feedback.nagios.command_file is not set");
    }
    enum ib_rc rc = ib_feedback_check(event, false, err);
    if (rc == IB_OK) {
        rc = open_command_file(path, &fd, err);
    }
    if (rc == IB_OK && event->comment != NULL) {
        (void)ib_text_plugin(event->comment, strlen(event->comment), comment, sizeof comment);
        for (char *c = comment; *c != '\0'; c++) {
            *c = *c == ';' ? ',' : *c;
        }
        ib_buf_addf(&line, "[%" PRId64 "] ADD_SVC_COMMENT;%s;%s;1;" COMMENT_AUTHOR ";%s\n", now_s,
                    event->host, event->service, comment);
        rc = write_command(fd, path, &line, err);
    }
    if (rc == IB_OK && event->recheck) {
        ib_buf_reset(&line);
        ib_buf_addf(&line, "[%" PRId64 "] SCHEDULE_FORCED_SVC_CHECK;%s;%s;%" PRId64 "\n", now_s,
                    event->host, event->service, now_s);
        rc = write_command(fd, path, &line, err);
    }
    return rc;
}
