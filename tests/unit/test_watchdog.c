/* SPDX-License-Identifier: MIT */
/* lib/sys/watchdog.c: the process ends in time, with the line and the code, whatever it is stuck in. */
#include "ib_fork.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#include "lib/base/time.h"
#include "lib/sys/signals.h"
#include "lib/sys/watchdog.h"

#define LINE "IB_TEST UNKNOWN - timeout"

static void start_watchdog(void)
{
    struct ib_error err = IB_ERROR_INIT;

    if (ib_watchdog_start(30, 3, LINE, &err) != IB_OK) {
        _exit(97);
    }
}

/* --- places to be stuck in ---------------------------------------------------------------------- */

static void stuck_in_read(void)
{
    int fds[2];
    char c;

    if (pipe(fds) != 0) {
        return;
    }
    while (read(fds[0], &c, 1) != 1) {
        /* Interrupted or not: never gives up, like a careless library. */
    }
}

static void stuck_in_a_loop(void)
{
    volatile unsigned turns = 0;

    for (;;) {
        turns++;
    }
}

static void stuck_in_a_mutex(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    (void)pthread_mutex_lock(&mutex);
    (void)pthread_mutex_lock(&mutex);
}

static void *wait_for_ever(void *arg)
{
    sigset_t all;

    /* As libcurl's resolver threads do. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        (void)poll(NULL, 0, -1);
    }
    return arg;
}

static void stuck_in_joining_a_thread(void)
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, wait_for_ever, NULL);
    (void)pthread_join(thread, NULL);
}

static void stuck_in_writing_stdout(void)
{
    char block[4096];

    memset(block, 'x', sizeof block);
    for (;;) {
        if (write(STDOUT_FILENO, block, sizeof block) < 0) {
            /* Never gives up either. */
        }
    }
}

static void stuck_in_waiting_for_a_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)poll(NULL, 0, 60000);
        _exit(0);
    }
    (void)setpgid(pid, pid);
    ib_watchdog_set_child(pid);
    while (waitpid(pid, NULL, 0) != pid) {
    }
    /* The watchdog killed the child first; it must not get further than its own end. */
    (void)poll(NULL, 0, 5000);
    (void)dprintf(STDOUT_FILENO, "went on");
}

struct stuck_row {
    const char *name;
    void (*place)(void);
};
static const struct stuck_row stuck_rows[] = {
    { "stuck_in_read", stuck_in_read },
    { "stuck_in_a_loop", stuck_in_a_loop },
    { "stuck_in_a_mutex", stuck_in_a_mutex },
    { "stuck_in_joining_a_thread", stuck_in_joining_a_thread },
    { "stuck_in_waiting_for_a_child", stuck_in_waiting_for_a_child },
};

static void be_stuck(void *arg)
{
    const struct stuck_row *r = arg;

    ib_signals_reset();
    start_watchdog();
    r->place();
}

static void test_stuck(void **state)
{
    struct ib_ended ended;
    int64_t begin = ib_time_mono_ms();

    ib_fork_run(be_stuck, *state, &ended);
    assert_string_equal(ended.text, LINE "\n");
    assert_int_equal(ended.code, 3);
    assert_true(ib_time_mono_ms() - begin < 20000);
}

static void be_stuck_writing(void *arg)
{
    (void)arg;
    ib_signals_reset();
    start_watchdog();
    stuck_in_writing_stdout();
}

static void a_reader_that_does_not_read_cannot_hold_it(void **state)
{
    (void)state;
    int fd, status = 0;
    pid_t pid = ib_fork_start(be_stuck_writing, NULL, &fd);

    /* Not read from until it has ended. */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    (void)close(fd);
}

/* --- inherited trouble -------------------------------------------------------------------------- */

static int probe_inherited(void)
{
    ib_signals_reset();
    start_watchdog();
    stuck_in_read();
    return 96;
}

static void block_and_ignore_alarm(void *arg)
{
    sigset_t all;

    (void)arg;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGALRM, SIG_IGN);
    ib_again("inherited");
}

static void it_bites_in_a_process_born_with_sigalrm_blocked_and_ignored(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(block_and_ignore_alarm, NULL, &ended);
    assert_string_equal(ended.text, LINE "\n");
    assert_int_equal(ended.code, 3);
}

/* --- what it says and clears away --------------------------------------------------------------- */

static void change_the_line(void *arg)
{
    (void)arg;
    start_watchdog();
    ib_watchdog_set_line("first");
    ib_watchdog_set_line("second, with its newline\n");
    ib_watchdog_set_line("third");
    stuck_in_read();
}

static void the_last_line_is_said(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(change_the_line, NULL, &ended);
    assert_string_equal(ended.text, "third\n");
}

static void have_said_it(void *arg)
{
    (void)arg;
    start_watchdog();
    (void)dprintf(STDOUT_FILENO, "the result\n");
    ib_watchdog_set_line(NULL);
    stuck_in_read();
}

static void behind_a_result_it_says_nothing(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(have_said_it, NULL, &ended);
    assert_string_equal(ended.text, "the result\n");
    assert_int_equal(ended.code, 3);
}

static void change_lines_all_the_time(void *arg)
{
    (void)arg;
    start_watchdog();
    for (;;) {
        ib_watchdog_set_line("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        ib_watchdog_set_line("bb");
    }
}

static void a_line_is_never_half_old_and_half_new(void **state)
{
    (void)state;
    struct ib_ended ended;

    for (int i = 0; i < 5; i++) {
        ib_fork_run(change_lines_all_the_time, NULL, &ended);
        assert_true(strcmp(ended.text, "bb\n") == 0 ||
                    strspn(ended.text, "a") == strlen(ended.text) - 1);
        assert_int_equal(ended.code, 3);
    }
}

static void say_a_long_line(void *arg)
{
    char text[2 * IB_WATCHDOG_LINE_MAX];

    (void)arg;
    memset(text, 'z', sizeof text);
    text[sizeof text - 1] = '\0';
    start_watchdog();
    ib_watchdog_set_line(text);
    stuck_in_read();
}

static void a_long_line_is_cut_and_ends_with_a_newline(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(say_a_long_line, NULL, &ended);
    assert_int_equal(strlen(ended.text), IB_WATCHDOG_LINE_MAX - 1);
    assert_int_equal(ended.text[IB_WATCHDOG_LINE_MAX - 2], '\n');
}

static void leave_a_temporary_file(void *arg)
{
    const char *dir = arg;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
    int fd = openat(dir_fd, "temp", O_CREAT | O_WRONLY, 0600);

    (void)openat(dir_fd, "other", O_CREAT | O_WRONLY, 0600);
    if (fd < 0) {
        _exit(95);
    }
    start_watchdog();
    ib_watchdog_set_temp(dir_fd, "other");
    ib_watchdog_set_temp(dir_fd, "temp");
    stuck_in_read();
}

static void the_temporary_file_is_removed(void **state)
{
    (void)state;
    char dir[] = "/tmp/ib-watchdog.XXXXXX", path[PATH_MAX];
    struct ib_ended ended;
    struct stat st;

    assert_non_null(mkdtemp(dir));
    ib_fork_run(leave_a_temporary_file, dir, &ended);
    assert_int_equal(ended.code, 3);
    (void)snprintf(path, sizeof path, "%s/temp", dir);
    assert_int_not_equal(stat(path, &st), 0);
    (void)snprintf(path, sizeof path, "%s/other", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void stop_in_time(void *arg)
{
    (void)arg;
    start_watchdog();
    ib_watchdog_stop();
    (void)poll(NULL, 0, 100);
    _exit(0);
}

static void after_stop_it_is_silent(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(stop_in_time, NULL, &ended);
    assert_string_equal(ended.text, "");
    assert_int_equal(ended.code, 0);
}

static void start_anew(void *arg)
{
    (void)arg;
    if (ib_watchdog_start(60000, 1, "far", NULL) != IB_OK) {
        _exit(97);
    }
    start_watchdog();
    stuck_in_read();
}

static void starting_anew_replaces_the_first(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(start_anew, NULL, &ended);
    assert_string_equal(ended.text, LINE "\n");
    assert_int_equal(ended.code, 3);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "inherited") == 0) {
        return probe_inherited();
    }
    IB_TEST_ROWS(stuck_rows, test_stuck);
    IB_TEST_CASE(a_reader_that_does_not_read_cannot_hold_it);
    IB_TEST_CASE(it_bites_in_a_process_born_with_sigalrm_blocked_and_ignored);
    IB_TEST_CASE(the_last_line_is_said);
    IB_TEST_CASE(behind_a_result_it_says_nothing);
    IB_TEST_CASE(a_line_is_never_half_old_and_half_new);
    IB_TEST_CASE(a_long_line_is_cut_and_ends_with_a_newline);
    IB_TEST_CASE(the_temporary_file_is_removed);
    IB_TEST_CASE(after_stop_it_is_silent);
    IB_TEST_CASE(starting_anew_replaces_the_first);
    return IB_TEST_RUN();
}
