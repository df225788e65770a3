/* SPDX-License-Identifier: MIT */
/*
 * Everything outside the process that finding credentials may touch: environment, password
 * database, files, child processes, network, clock. Providers reach the world through this table
 * only, so their logic is tested with made-up worlds and no network.
 */
#ifndef IB_AWS_OUTSIDE_H
#define IB_AWS_OUTSIDE_H

#include <stdint.h>

#include "lib/aws/http.h"
#include "lib/base/buf.h"
#include "lib/sys/deadline.h"
#include "lib/sys/file.h"

#define IB_OUTSIDE_REPLY_MAX ((size_t)256 * 1024)  /* bytes; real answers have a few KiB */
#define IB_OUTSIDE_FILE_MAX  ((size_t)1024 * 1024) /* bytes of a profile, token or cache file */
#define IB_OUTSIDE_RUN_MAX   ((size_t)64 * 1024)   /* bytes that a credential_process may write */

struct ib_outside {
    void *ctx;
    bool is_windows; /* homes and paths by its rules: the SDKs' vectors for both are one set */
    /* NULL when unset or empty. */
    const char *(*env)(void *ctx, const char *name);
    /* Home directory by the password database; NULL when the user has no entry. */
    const char *(*passwd_home)(void *ctx);
    /*
     * Whole file appended to ret; ret_facts may be NULL. IB_ENOENT: not there; IB_ESYS with
     * sys = EACCES: may not be read; IB_ELIMIT: larger than ret->max.
     */
    enum ib_rc (*read)(void *ctx, const char *path, struct ib_buf *ret,
                       struct ib_file_facts *ret_facts, struct ib_error *err);
    /* IB_ECONFIG when anybody but root and this user could have written the file or moved it there. */
    enum ib_rc (*check_trusted)(void *ctx, const char *path, struct ib_error *err);
    /* Replace a file as one step, mode 0600. */
    enum ib_rc (*write)(void *ctx, const char *path, struct ib_str content, struct ib_error *err);
    /* As ib_http_perform(). */
    enum ib_rc (*fetch)(void *ctx, const struct ib_http_request *request,
                        struct ib_http_response *ret, struct ib_error *err);
    /*
     * Split a command line as a shell would quote it and run it without a shell. ret_status is its
     * exit status, 128 + n when signal n ended it. IB_ETIMEOUT: it was killed at the deadline.
     */
    enum ib_rc (*run)(void *ctx, const char *command, struct ib_deadline deadline,
                      struct ib_buf *ret_out, struct ib_buf *ret_err, int *ret_status,
                      struct ib_error *err);
    int64_t (*now_ms)(void *ctx);
};

#define IB_OUTSIDE_ENV(o, name) ((o)->env((o)->ctx, (name)))
#define IB_OUTSIDE_NOW(o)       ((o)->now_ms((o)->ctx))

/* The real world. http is set as soon as there is one; until then fetching is IB_EBUG. */
struct ib_outside_real {
    struct ib_outside outside;
    struct ib_http *http; /* borrowed */
    char home[1024];      /* by the password database */
};
void ib_outside_real_init(struct ib_outside_real *ret);

#endif
