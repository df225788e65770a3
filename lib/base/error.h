/* SPDX-License-Identifier: MIT */
/*
 * The one error type of the project.
 *
 * A function that can fail returns enum ib_rc and takes a struct ib_error that its caller owns.
 * The lowest layer that knows the fact writes the sentence once with ib_fail(); callers above put
 * words in front with ib_error_context() and never replace it. No allocation, no globals.
 */
#ifndef IB_BASE_ERROR_H
#define IB_BASE_ERROR_H

#include "lib/base/attr.h"

enum ib_rc {
    IB_OK = 0,
    IB_EUSAGE,   /* the command line is wrong */
    IB_ECONFIG,  /* a configuration file or a workflow document is wrong */
    IB_ECRED,    /* no usable AWS credentials */
    IB_ENET,     /* no answer: name resolution, connection, reset */
    IB_ETLS,     /* the peer could not be trusted */
    IB_ETIMEOUT, /* the deadline passed */
    IB_EHTTP,    /* an answer that is not AWS's (proxy page, unexpected status) */
    IB_EAWS,     /* AWS answered with an error; aws_code says which */
    IB_EPARSE,   /* bytes that do not follow their format */
    IB_ELIMIT,   /* a size, depth or count cap was reached */
    IB_ENOENT,   /* what was asked for is not there */
    IB_EREFUSED, /* policy says no: nothing was changed */
    IB_EEVAL,    /* an expression or criterion of a workflow could not be evaluated */
    IB_ENOMEM,
    IB_ESYS,     /* an operating system call failed; sys holds errno */
    IB_EBUG,     /* broken invariant */
    IB_RC_COUNT
};

#define IB_ERROR_TEXT_MAX 512 /* bytes with NUL; one line for a monitoring screen */

struct ib_error {
    enum ib_rc rc;
    int sys;              /* errno or CURLcode, 0 if none */
    int http_status;      /* 0 if no response was read */
    char aws_code[64];    /* error name without namespace, e.g. "ThrottlingException"; "" if none */
    char request_id[64];  /* AWS request id; "" if none */
    char text[IB_ERROR_TEXT_MAX]; /* one line of clean UTF-8, never a secret */
};

/* Zeroed error to start from. */
#define IB_ERROR_INIT { .rc = IB_OK }

/*
 * Write an error and return its code: `return ib_fail(err, IB_EPARSE, "...", ...)`.
 * err may be NULL (the code alone is wanted). All other members are reset.
 * The text is cleaned: control bytes become spaces, bad UTF-8 becomes '?', too long is cut with "...".
 */
enum ib_rc ib_fail(struct ib_error *err, enum ib_rc rc, const char *fmt, ...) IB_PRINTF(3, 4);

/* Like ib_fail() for IB_ESYS: appends ": " and the text of errnum. */
enum ib_rc ib_fail_errno(struct ib_error *err, int errnum, const char *fmt, ...) IB_PRINTF(3, 4);

/* Put "words: " in front of an error that is already written; returns its code. */
enum ib_rc ib_error_context(struct ib_error *err, const char *fmt, ...) IB_PRINTF(2, 3);

/* Out of memory in one fixed sentence. */
enum ib_rc ib_fail_nomem(struct ib_error *err);

/* Short name of a code for JSON output and tests: "usage", "config", "timeout", ... Never NULL. */
const char *ib_rc_name(enum ib_rc rc);

/* Text of an errno value, written to buf; returns buf. Thread-safe replacement of strerror. */
const char *ib_errno_text(int errnum, char *buf, size_t cap);

/*
 * A broken invariant: prints "UNKNOWN - internal error FILE:LINE" on stdout and ends with 3.
 * Not abort(): a core file would hold secrets. Does not depend on NDEBUG.
 */
void ib_assert_failed(const char *file, int line, const char *what) IB_NORETURN;
#define IB_ASSERT(cond) ((cond) ? (void)0 : ib_assert_failed(__FILE__, __LINE__, #cond))

#ifdef __clang_analyzer__
/* The analyser sees one file at a time: tell it that these return the code that they are given. */
#define ib_fail(err, rc, ...) ((void)(ib_fail)(err, rc, __VA_ARGS__), (rc))
#define ib_fail_errno(err, errnum, ...) ((void)(ib_fail_errno)(err, errnum, __VA_ARGS__), IB_ESYS)
#define ib_fail_nomem(err) ((void)(ib_fail_nomem)(err), IB_ENOMEM)
#endif

#endif
