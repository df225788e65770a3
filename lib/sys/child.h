/* SPDX-License-Identifier: MIT */
/*
 * Running another program without a shell: in a process group of its own, with default signals, its
 * standard input empty, both outputs read at once under a deadline and caps.
 */
#ifndef IB_SYS_CHILD_H
#define IB_SYS_CHILD_H

#include "lib/base/buf.h"
#include "lib/sys/deadline.h"

struct ib_child_options {
    struct ib_deadline deadline;
    char *const *environment; /* NULL = ours */
};

/*
 * Run argv (NULL-terminated; argv[0] is looked for in PATH when it has no '/') to its end.
 * ret_out, ret_err: what it wrote, up to their max; make them secret where it may be. More on its
 * standard output is IB_ELIMIT; of its standard error the rest is dropped.
 * ret_status: exit status, 128 + n when signal n ended it. Anything but 0 is still IB_OK.
 * Errors: IB_ENOENT no such program; IB_ESYS cannot be started; IB_ETIMEOUT the deadline passed or a stop
 * was requested; IB_ELIMIT. In the last two the whole group is killed and the child reaped.
 * What a child leaves running in the background when it ends by itself is left alone.
 */
IB_NODISCARD enum ib_rc ib_child_run(const char *const *argv, const struct ib_child_options *options,
                                     struct ib_buf *ret_out, struct ib_buf *ret_err, int *ret_status,
                                     struct ib_error *err);

#endif
