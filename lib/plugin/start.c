/* SPDX-License-Identifier: MIT */
/* First and last lines of every program; the only place that ends a process in an orderly way. */
#include "lib/plugin/start.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/sys/signals.h"
#include "lib/sys/watchdog.h"

#undef exit /* this is where it belongs */

/* The watchdog comes after every deadline of the program itself had its chance. */
#define GRACE_MS 500

/* What the watchdog says, if it must. */
static struct {
    const struct ib_program *program;
    enum ib_state state;
    bool json;
    int64_t timeout_ms;
} start;

static void forbid_cores(void)
{
    struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
}

#ifdef IB_SANITIZERS
/* The leak checker looks at the process as a debugger would. */
static void forbid_tracing(void)
{
}
#else
static void forbid_tracing(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
#endif

void ib_start(const struct ib_program *program)
{
    start.program = program;
    start.state = IB_STATE_UNKNOWN;
    forbid_cores();
    forbid_tracing();
    (void)umask(077);
    ib_signals_reset();
}

/* All bytes, or false. */
static bool write_out(struct ib_str text)
{
    while (text.n > 0) {
        ssize_t n = write(STDOUT_FILENO, text.p, text.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        text = ib_str_skip(text, (size_t)n);
    }
    return true;
}

static void leave(struct ib_str text, enum ib_state state) IB_NORETURN;
static void leave(struct ib_str text, enum ib_state state)
{
    /* A reader that does not read is still waited for no longer; but never a second line behind ours. */
    ib_watchdog_set_line(NULL);
    /* Nobody may take for OK what nobody could read. */
    enum ib_state seen = write_out(text) ? state : IB_STATE_UNKNOWN;

    ib_watchdog_stop();
    exit((int)seen);
}

/* Of what was to be printed only the lines are left. */
static void keep_lines(struct ib_output *out)
{
    ib_buf_reset(&out->text);
    ib_buf_reset(&out->perf);
    ib_buf_reset(&out->json);
    out->first_max = 0;
}

void ib_start_fail(struct ib_output *out, const struct ib_error *err, enum ib_state state,
                   bool json)
{
    IB_CLEANUP(ib_output_fini) struct ib_output none = IB_OUTPUT_INIT;
    struct ib_output *to = out == NULL ? &none : out;

    keep_lines(to);
    if (json) {
        ib_output_error_json(start.program->name, state, err, &to->json);
    }
    ib_output_text(to, "%s", err->text);
    ib_start_end(to, state);
}

void ib_start_end(struct ib_output *out, enum ib_state state)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf all = IB_BUF_INIT(32 * 1024 * 1024);
    struct ib_error err = IB_ERROR_INIT;

    if (ib_output_render(out, start.program->prefix, state, &all, &err) != IB_OK) {
        state = IB_STATE_UNKNOWN;
        ib_buf_reset(&all);
        if (start.json) {
            ib_output_error_json(start.program->name, state, &err, &all);
        } else {
            ib_buf_addf(&all, "%s UNKNOWN - %s\n", start.program->prefix, err.text);
        }
    }
    ib_output_fini(out);
    leave(ib_buf_str(&all), state);
}

/* Of a command line that may be wrong in any other way. */
static bool asks_for_json(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        bool is_next = strcmp(argv[i], "--output") == 0 && i + 1 < argc;
        if (strcmp(is_next ? argv[i + 1] : argv[i], is_next ? "json" : "--output=json") == 0) {
            return true;
        }
    }
    return false;
}

void ib_start_options(const struct ib_option_group *groups, size_t group_count, int argc,
                      char *const *argv, struct ib_option_result *ret)
{
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = ib_option_parse(start.program, groups, group_count, argc, argv, ret, &err);

    if (rc != IB_OK) {
        start.json = asks_for_json(argc, argv);
        ib_start_usage(NULL, &err);
    }
    if (ret->outcome == IB_OPTION_SHOW) {
        leave(ib_buf_str(&ret->text), start.program->help_state);
    }
}

void ib_start_usage(struct ib_output *out, const struct ib_error *err)
{
    IB_CLEANUP(ib_output_fini) struct ib_output none = IB_OUTPUT_INIT;
    struct ib_output *to = out == NULL ? &none : out;

    keep_lines(to);
    if (start.json) {
        ib_output_error_json(start.program->name, IB_STATE_UNKNOWN, err, &to->json);
    }
    ib_output_text(to, "%s (see %s --help)", err->text, start.program->name);
    ib_start_end(to, IB_STATE_UNKNOWN);
}

/* The line for the watchdog, whole and ready to be written by a signal handler. */
static void set_line(const char *text)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT(4096);
    struct ib_error err = IB_ERROR_INIT;

    (void)ib_fail(&err, IB_ETIMEOUT, "%s", text);
    if (start.json) {
        ib_output_error_json(start.program->name, start.state, &err, &line);
    } else {
        ib_buf_addf(&line, "%s %s - ", start.program->prefix, ib_state_name(start.state));
        char clean[IB_ERROR_TEXT_MAX];
        (void)ib_text_plugin(err.text, strlen(err.text), clean, sizeof clean);
        ib_buf_addf(&line, "%s\n", clean);
    }
    ib_watchdog_set_line(ib_buf_c(&line));
}

void ib_start_timeout(int64_t timeout_ms, enum ib_state state, bool json)
{
    struct ib_error err = IB_ERROR_INIT;

    start.state = state;
    start.json = json;
    start.timeout_ms = timeout_ms;
    if (ib_watchdog_start(timeout_ms + GRACE_MS, (int)state, "", &err) != IB_OK) {
        /* Without the last line of defence a hanging library would hang the scheduler's slot. */
        ib_start_fail(NULL, &err, IB_STATE_UNKNOWN, json);
    }
    ib_start_phase(false, "starting");
    if (start.program->changes) {
        ib_signals_catch_stop();
    }
}

void ib_start_phase(bool sent, const char *fmt, ...)
{
    char what[300], limit[IB_TIME_TEXT_MAX], text[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    (void)ib_duration_fmt(start.timeout_ms, limit, sizeof limit);
    /* A stop that hangs ends by the same line (lib/sys/signals.c). */
    (void)snprintf(text, sizeof text, "%stimed out after %s%s while %s%s%s",
                   sent ? "outcome unknown: " : "", limit,
                   start.program->changes ? ", or was told to stop," : "", what,
                   sent && start.program->hint != NULL ? "; " : "",
                   sent && start.program->hint != NULL ? start.program->hint : "");
    set_line(text);
}

enum ib_state ib_start_state_of(enum ib_rc rc, enum ib_state timeout_state)
{
    switch (rc) {
    case IB_OK:
        return IB_STATE_OK;
    case IB_EREFUSED:
        return IB_STATE_CRITICAL;
    case IB_ETIMEOUT:
        return timeout_state;
    case IB_EUSAGE:
    case IB_ECONFIG:
    case IB_ECRED:
    case IB_ENET:
    case IB_ETLS:
    case IB_EHTTP:
    case IB_EAWS:
    case IB_EPARSE:
    case IB_ELIMIT:
    case IB_ENOENT:
    case IB_EEVAL:
    case IB_ENOMEM:
    case IB_ESYS:
    case IB_EBUG:
    case IB_RC_COUNT:
        break;
    }
    return IB_STATE_UNKNOWN;
}
