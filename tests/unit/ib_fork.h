/* SPDX-License-Identifier: MIT */
/* For tests of what ends a process: run a body in a child, or this test program anew by exec. */
#ifndef IB_FORK_H
#define IB_FORK_H

#include "ib_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

struct ib_ended {
    int code;        /* exit code, or -signal */
    char text[8192]; /* what it wrote on stdout */
};

static inline void ib_collect(pid_t pid, int fd, struct ib_ended *ret)
{
    size_t len = 0;
    int status = 0;

    for (;;) {
        ssize_t n = read(fd, ret->text + len, sizeof ret->text - 1 - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    ret->text[len] = '\0';
    (void)close(fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    ret->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/*
 * Run body(arg) in a child whose stdout is a pipe; a body that returns exits with 99. A body that
 * wants the state after exec calls ib_again().
 */
static inline pid_t ib_fork_start(void (*body)(void *), void *arg, int *ret_fd)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    (void)fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ib_test_die_with_parent();
        (void)dup2(fds[1], STDOUT_FILENO);
        body(arg);
        _exit(99);
    }
    (void)close(fds[1]);
    *ret_fd = fds[0];
    return pid;
}

static inline void ib_fork_run(void (*body)(void *), void *arg, struct ib_ended *ret)
{
    int fd;
    pid_t pid = ib_fork_start(body, arg, &fd);

    ib_collect(pid, fd, ret);
}

/* This program anew with one argument, as a scheduler starts a plugin. */
static inline void ib_again(const char *word)
{
    char self[] = "/proc/self/exe", name[] = "again";
    char *argv[] = { name, (char *)(uintptr_t)word, NULL };

    (void)execv(self, argv);
    _exit(98);
}

#endif
