/* SPDX-License-Identifier: MIT */
/* Background work by posix_spawn. */
#include "lib/sys/detach.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

extern char **environ;

enum ib_rc ib_detach_self(char *const *argv, struct ib_error *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc != 0) {
        return ib_fail_errno(err, rc, "cannot prepare a background process");
    }
    rc = posix_spawnattr_init(&attributes);
    if (rc != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return ib_fail_errno(err, rc, "cannot prepare a background process");
    }
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    rc = rc != 0 ? rc : posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    rc = rc != 0 ? rc : posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    /* Nagios hands a pipe of its own down; held open, it would stall a worker. */
    rc = rc != 0 ? rc : posix_spawn_file_actions_addclosefrom_np(&files, 3);
    rc = rc != 0 ? rc : posix_spawnattr_setsigmask(&attributes, &none);
    rc = rc != 0 ? rc : posix_spawnattr_setsigdefault(&attributes, &all);
    rc = rc != 0 ? rc
                 : posix_spawnattr_setflags(&attributes,
                                            (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF));
    /* By the kernel's link to what runs: argv[0] and PATH are the caller's to choose. */
    rc = rc != 0 ? rc : posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    if (rc != 0) {
        return ib_fail_errno(err, rc, "cannot start a background process");
    }
    return IB_OK;
}
