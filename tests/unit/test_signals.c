/* SPDX-License-Identifier: MIT */
/* lib/sys/signals.c: what a scheduler hands down is undone, and a stop ends waiting. */
#include "ib_fork.h"

#include <poll.h>

#include "lib/base/time.h"
#include "lib/sys/deadline.h"
#include "lib/sys/signals.h"

static bool is_default(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* --- after exec -------------------------------------------------------------------------------- */

static int probe_reset(void)
{
    sigset_t mask;

    ib_signals_reset();
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < 32; number++) {
        if (sigismember(&mask, number) == 1) {
            (void)printf("signal %d is blocked\n", number);
        }
    }
    static const int to_default[] = { SIGALRM, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2 };
    for (size_t i = 0; i < IB_ARRAY_LEN(to_default); i++) {
        if (!is_default(to_default[i])) {
            (void)printf("signal %d is not at its default\n", to_default[i]);
        }
    }
    if (!is_ignored(SIGPIPE)) {
        (void)printf("SIGPIPE is not ignored\n");
    }
    /* nohup and background jobs mean it. */
    ib_signals_catch_stop();
    if (!is_ignored(SIGHUP) || !is_ignored(SIGINT)) {
        (void)printf("SIGHUP or SIGINT is no longer ignored\n");
    }
    return 0;
}

static int probe_fds(void)
{
    ib_signals_reset();
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            return 10 + fd;
        }
    }
    int next = open("/dev/null", O_RDONLY);
    return next > 2 ? 0 : 20;
}

static void inherit_trouble(void *arg)
{
    sigset_t all;

    (void)arg;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (int number = 1; number < 32; number++) {
        (void)signal(number, number == SIGPIPE ? SIG_DFL : SIG_IGN);
    }
    ib_again("reset");
}

static void blocked_and_ignored_signals_of_the_parent_are_undone(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(inherit_trouble, NULL, &ended);
    assert_string_equal(ended.text, "");
    assert_int_equal(ended.code, 0);
}

static void close_standard_fds(void *arg)
{
    (void)arg;
    (void)close(0);
    (void)close(1);
    (void)close(2);
    ib_again("fds");
}

static void closed_standard_descriptors_are_opened(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(close_standard_fds, NULL, &ended);
    assert_int_equal(ended.code, 0);
}

/* --- the stop request --------------------------------------------------------------------------- */

static void wait_for_stop(void *arg)
{
    const int *number = arg;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_deadline d = ib_deadline_in(60000);

    ib_signals_reset();
    ib_signals_catch_stop();
    if (ib_signals_stop_requested() || ib_signals_stop_name()[0] != '\0') {
        _exit(1);
    }
    (void)raise(*number);
    /* The signal came before the wait: it must not be slept over. */
    enum ib_rc rc = ib_deadline_sleep(&d, 50000, &err);
    struct pollfd fd = { .fd = ib_signals_stop_fd(), .events = POLLIN };
    bool readable = poll(&fd, 1, 0) == 1;
    (void)dprintf(1, "%s %s readable=%d %s", ib_rc_name(rc), ib_signals_stop_name(), readable, err.text);
    _exit(0);
}

struct stop_row {
    const char *name;
    int number;
    const char *text;
};
static const struct stop_row stop_rows[] = {
    { "sigterm_ends_a_wait", SIGTERM, "timeout SIGTERM readable=1 stopped by a signal while waiting" },
    { "sigint_ends_a_wait", SIGINT, "timeout SIGINT readable=1 stopped by a signal while waiting" },
    { "sighup_ends_a_wait", SIGHUP, "timeout SIGHUP readable=1 stopped by a signal while waiting" },
};

static void test_stop(void **state)
{
    const struct stop_row *r = *state;
    struct ib_ended ended;
    int number = r->number;

    ib_fork_run(wait_for_stop, &number, &ended);
    assert_string_equal(ended.text, r->text);
    assert_int_equal(ended.code, 0);
}

static void sleep_until_killed(void *arg)
{
    struct ib_deadline d = ib_deadline_in(60000);

    (void)arg;
    ib_signals_reset();
    ib_signals_catch_stop();
    (void)dprintf(1, "ready\n");
    enum ib_rc rc = ib_deadline_sleep(&d, 50000, NULL);
    (void)dprintf(1, "%s", ib_rc_name(rc));
    _exit(0);
}

static void a_signal_during_a_wait_ends_it_at_once(void **state)
{
    (void)state;
    struct ib_ended ended;
    char ready[6];
    int fd;
    int64_t begin = ib_time_mono_ms();
    pid_t pid = ib_fork_start(sleep_until_killed, NULL, &fd);

    assert_int_equal(read(fd, ready, sizeof ready), 6);
    assert_int_equal(kill(pid, SIGTERM), 0);
    ib_collect(pid, fd, &ended);
    assert_string_equal(ended.text, "timeout");
    assert_true(ib_time_mono_ms() - begin < 10000);
}

static void interrupt_twice(void *arg)
{
    (void)arg;
    ib_signals_reset();
    ib_signals_catch_stop();
    (void)raise(SIGINT);
    (void)dprintf(1, "still here");
    (void)raise(SIGINT);
    (void)dprintf(1, ", and after the second");
}

static void a_second_sigint_kills(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(interrupt_twice, NULL, &ended);
    assert_string_equal(ended.text, "still here");
    assert_int_equal(ended.code, -SIGINT);
}

static void terminate_twice(void *arg)
{
    (void)arg;
    ib_signals_reset();
    ib_signals_catch_stop();
    (void)raise(SIGTERM);
    (void)raise(SIGTERM);
    (void)raise(SIGHUP);
    (void)dprintf(1, "%s", ib_signals_stop_name());
    _exit(0);
}

static void a_second_sigterm_changes_nothing(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(terminate_twice, NULL, &ended);
    assert_string_equal(ended.text, "SIGTERM");
    assert_int_equal(ended.code, 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "reset") == 0) {
        return probe_reset();
    }
    if (argc == 2 && strcmp(argv[1], "fds") == 0) {
        return probe_fds();
    }
    /* A job in the background, or one below nohup, has them ignored, and so would have what we start. */
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    IB_TEST_CASE(blocked_and_ignored_signals_of_the_parent_are_undone);
    IB_TEST_CASE(closed_standard_descriptors_are_opened);
    IB_TEST_ROWS(stop_rows, test_stop);
    IB_TEST_CASE(a_signal_during_a_wait_ends_it_at_once);
    IB_TEST_CASE(a_second_sigint_kills);
    IB_TEST_CASE(a_second_sigterm_changes_nothing);
    return IB_TEST_RUN();
}
