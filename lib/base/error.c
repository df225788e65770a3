/* SPDX-License-Identifier: MIT */
/* Writing errors: formatting, cleaning, prefixing. */
#include "lib/base/error.h"

#include <errno.h>
#include <stdarg.h>

#include "lib/base/text.h"

/* What the header tells the analyser of these stands for calls, not for the definitions here. */
#undef ib_fail
#undef ib_fail_errno
#undef ib_fail_nomem

static const char *const rc_names[IB_RC_COUNT] = {
    [IB_OK] = "ok",           [IB_EUSAGE] = "usage",     [IB_ECONFIG] = "config",
    [IB_ECRED] = "credentials", [IB_ENET] = "network",   [IB_ETLS] = "tls",
    [IB_ETIMEOUT] = "timeout", [IB_EHTTP] = "http",      [IB_EAWS] = "aws",
    [IB_EPARSE] = "parse",    [IB_ELIMIT] = "limit",     [IB_ENOENT] = "not-found",
    [IB_EREFUSED] = "refused", [IB_EEVAL] = "evaluation", [IB_ENOMEM] = "memory",
    [IB_ESYS] = "system",     [IB_EBUG] = "internal",
};

const char *ib_rc_name(enum ib_rc rc)
{
    if ((unsigned)rc >= IB_RC_COUNT || rc_names[rc] == NULL) {
        return "internal";
    }
    return rc_names[rc];
}

const char *ib_errno_text(int errnum, char *buf, size_t cap)
{
    /* The GNU form may return a static string and leave buf alone. */
    const char *text = strerror_r(errnum, buf, cap);

    if (text != buf) {
        (void)snprintf(buf, cap, "%s", text);
    }
    return buf;
}

/* Marks a text that did not fit, so that nobody takes the cut line for the whole. */
static void mark_cut(char *text, size_t cap)
{
    static const char dots[] = "...";

    memcpy(text + cap - sizeof dots, dots, sizeof dots);
}

static void IB_PRINTF(2, 0) write_text(struct ib_error *err, const char *fmt, va_list ap)
{
    char raw[IB_ERROR_TEXT_MAX];
    int n = vsnprintf(raw, sizeof raw, fmt, ap);

    if (n < 0) {
        raw[0] = '\0';
    } else if ((size_t)n >= sizeof raw) {
        mark_cut(raw, sizeof raw);
    }
    (void)ib_text_clean(raw, strlen(raw), err->text, sizeof err->text);
}

enum ib_rc ib_fail(struct ib_error *err, enum ib_rc rc, const char *fmt, ...)
{
    if (err != NULL) {
        struct ib_error fresh = IB_ERROR_INIT;
        va_list ap;

        /* Formatted into a fresh one first: an argument may point into *err itself. */
        va_start(ap, fmt);
        write_text(&fresh, fmt, ap);
        va_end(ap);
        fresh.rc = rc;
        *err = fresh;
    }
    return rc;
}

enum ib_rc ib_fail_errno(struct ib_error *err, int errnum, const char *fmt, ...)
{
    if (err != NULL) {
        struct ib_error fresh = IB_ERROR_INIT;
        char reason[128];
        va_list ap;

        va_start(ap, fmt);
        write_text(&fresh, fmt, ap);
        va_end(ap);
        *err = fresh;
        err->rc = IB_ESYS;
        err->sys = errnum;
        size_t used = strlen(err->text);
        (void)snprintf(err->text + used, sizeof err->text - used, ": %s",
                       ib_errno_text(errnum, reason, sizeof reason));
    }
    return IB_ESYS;
}

enum ib_rc ib_error_context(struct ib_error *err, const char *fmt, ...)
{
    struct ib_error prefix = IB_ERROR_INIT;
    char joined[IB_ERROR_TEXT_MAX];
    va_list ap;

    if (err == NULL) {
        return IB_EBUG;
    }
    va_start(ap, fmt);
    write_text(&prefix, fmt, ap);
    va_end(ap);
    size_t used = strlen(prefix.text);
    size_t have = strlen(err->text);
    if (used > sizeof joined - 4) {
        used = sizeof joined - 4;
    }
    memcpy(joined, prefix.text, used);
    memcpy(joined + used, ": ", 2);
    used += 2;
    size_t room = sizeof joined - 1 - used;
    size_t take = have < room ? have : room;
    memcpy(joined + used, err->text, take);
    joined[used + take] = '\0';
    if (take < have) {
        mark_cut(joined, sizeof joined);
    }
    /* Cutting may have split a character. */
    (void)ib_text_clean(joined, strlen(joined), err->text, sizeof err->text);
    return err->rc;
}

enum ib_rc ib_fail_nomem(struct ib_error *err)
{
    return ib_fail(err, IB_ENOMEM, "out of memory");
}

void ib_assert_failed(const char *file, int line, const char *what)
{
    char text[256];
    int n = snprintf(text, sizeof text, "UNKNOWN - internal error %s:%d (%s)\n", file, line, what);

    if (n > 0) {
        size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
        ssize_t ignored = write(STDOUT_FILENO, text, len);
        (void)ignored;
    }
    _exit(3);
}
