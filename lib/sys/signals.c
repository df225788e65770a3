/* SPDX-License-Identifier: MIT */
/* Signal dispositions and the stop request. */
#include "lib/sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#undef alarm /* async-signal-safe, unlike setitimer() by the letter of POSIX */

/* What waits in lib/sys and lib/aws ends at once; what hangs in a library is ended by the watchdog. */
#define STOP_PATIENCE_S 1

static volatile sig_atomic_t stop_signal;
/* A pipe: what is written by the handler wakes every poll() that has the reading end in it, also
 * when the signal arrives between the look at the flag and the poll. */
static int stop_pipe[2] = { -1, -1 };

static void set_handler(int number, void (*handler)(int), int flags)
{
    struct sigaction action = { 0 };

    action.sa_handler = handler;
    action.sa_flags = flags;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void open_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            /* open() gives the lowest free number, which is fd. */
            int opened = open("/dev/null", O_RDWR | O_NOCTTY);
            (void)opened;
        }
    }
}

void ib_signals_reset(void)
{
    static const int to_default[] = { SIGALRM, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2 };
    sigset_t none;

    open_standard_fds();
    for (size_t i = 0; i < IB_ARRAY_LEN(to_default); i++) {
        set_handler(to_default[i], SIG_DFL, 0);
    }
    set_handler(SIGPIPE, SIG_IGN, 0);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void on_stop(int number)
{
    int saved = errno;

    if (stop_signal == 0) {
        stop_signal = number;
        ssize_t ignored = write(stop_pipe[1], "", 1);
        (void)ignored;
        (void)alarm(STOP_PATIENCE_S);
    }
    errno = saved;
}

void ib_signals_catch_stop(void)
{
    if (stop_pipe[0] < 0 && pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        /* The flag alone still works; waits then notice by EINTR. */
        stop_pipe[0] = -1;
        stop_pipe[1] = -1;
    }
    set_handler(SIGTERM, on_stop, 0);
    if (!is_ignored(SIGINT)) {
        set_handler(SIGINT, on_stop, (int)SA_RESETHAND);
    }
    if (!is_ignored(SIGHUP)) {
        set_handler(SIGHUP, on_stop, 0);
    }
}

bool ib_signals_stop_requested(void)
{
    return stop_signal != 0;
}

const char *ib_signals_stop_name(void)
{
    switch (stop_signal) {
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    default:
        return "";
    }
}

int ib_signals_stop_fd(void)
{
    return stop_pipe[0];
}

bool ib_signals_wait(int ms)
{
    struct pollfd stop = { .fd = stop_pipe[0], .events = POLLIN };

    if (!ib_signals_stop_requested()) {
        (void)poll(&stop, 1, ms);
    }
    return ib_signals_stop_requested();
}
