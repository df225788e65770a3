/* SPDX-License-Identifier: MIT */
/*
 * Who a process is, beyond a number that the kernel hands out again: pid, start time and boot.
 * Two records that differ in any of them were written by two different processes.
 */
#ifndef IB_SYS_PROCESS_H
#define IB_SYS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

#define IB_BOOT_ID_MAX 40 /* bytes with NUL; the kernel writes a UUID of 36 */
#define IB_HOST_MAX    65 /* bytes with NUL; HOST_NAME_MAX of Linux is 64 */

struct ib_process {
    int64_t pid;
    int64_t start_ticks;          /* /proc/PID/stat field 22: clock ticks since boot */
    char boot_id[IB_BOOT_ID_MAX]; /* /proc/sys/kernel/random/boot_id */
    char host[IB_HOST_MAX];       /* of whose process it is: one of another host cannot be looked at */
};

enum ib_process_life {
    IB_PROCESS_ALIVE,
    IB_PROCESS_GONE,    /* ended, its number was given to another, or the machine was booted since */
    IB_PROCESS_UNKNOWN, /* /proc cannot be read: nothing may be concluded */
};

/* This process. Errors: IB_ESYS when /proc is not there. */
IB_NODISCARD enum ib_rc ib_process_self(struct ib_process *ret, struct ib_error *err);

/* Does the process that was recorded still run on this machine? Zombies count as gone. */
enum ib_process_life ib_process_life(const struct ib_process *process);

#endif
