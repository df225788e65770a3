/* SPDX-License-Identifier: MIT */
/* lib/sys/child.c: how a child is started, read, bounded and ended. */
#include "ib_fork.h"

#include <limits.h>
#include <sys/stat.h>

#include "lib/base/time.h"
#include "lib/sys/child.h"
#include "lib/sys/signals.h"
#include "lib/sys/watchdog.h"

#define CAP 1000

struct row {
    const char *name;
    const char *script; /* run by sh -c; NULL: argv0 alone */
    const char *argv0;
    int timeout_ms;
    enum ib_rc rc;
    int status;
    const char *out, *err_out;
    const char *error;
};
#define SH(name, script, status, out, err_out) \
    { name, script, NULL, 30000, IB_OK, status, out, err_out, NULL }
static const struct row rows[] = {
    SH("output_and_status", "echo hello; echo oops >&2; exit 7", 7, "hello\n", "oops\n"),
    SH("success_without_output", "exit 0", 0, "", ""),
    SH("a_signal_is_128_and_its_number", "kill -TERM $$", 128 + SIGTERM, "", ""),
    SH("stdin_is_empty", "cat; echo end", 0, "end\n", ""),
    SH("output_after_closing_the_other_pipe", "exec 2>&-; echo a", 0, "a\n", ""),
    SH("status_after_closing_both_pipes", "exec >&- 2>&-; exit 3", 3, "", ""),
    SH("exactly_the_cap_is_fine", "printf '%01000d' 5 | tail -c 1; printf '%0999d' 0", 0, NULL, ""),
    SH("too_much_on_stderr_is_dropped", "i=0; while [ $i -lt 300 ]; do echo xxxxxxxxx >&2; i=$((i+1)); done; echo ok",
       0, "ok\n", NULL),
    SH("no_descriptor_of_ours_is_handed_down", "ls /proc/self/fd | tr '\\n' ' '", 0, "0 1 2 3 ", ""),
    SH("it_leads_its_own_process_group", "test \"$(ps -o pgid= -p $$ | tr -d ' ')\" = $$ && echo yes", 0,
       "yes\n", ""),
    { "more_than_the_cap_on_stdout", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxx; done", NULL, 30000,
      IB_ELIMIT, 0, NULL, NULL, "sh: its output is larger than 1000 bytes" },
    { "a_sleeper_is_killed_at_the_deadline", "sleep 60", NULL, 100, IB_ETIMEOUT, 0, NULL, NULL,
      "sh did not end in time and was killed" },
    { "a_busy_writer_to_stderr_is_killed_at_the_deadline", "while :; do echo x >&2; done", NULL, 200,
      IB_ETIMEOUT, 0, NULL, NULL, "sh did not end in time and was killed" },
    { "one_that_ignores_sigterm_is_killed_too", "trap '' TERM HUP INT; while :; do sleep 1; done", NULL, 100,
      IB_ETIMEOUT, 0, NULL, NULL, "was killed" },
    { "no_time_left_means_not_started", "touch /tmp/never", NULL, 0, IB_ETIMEOUT, 0, NULL, NULL,
      "did not end in time" },
    { "no_such_program_in_path", NULL, "ib-no-such-program", 30000, IB_ENOENT, 0, NULL, NULL,
      "there is no program ib-no-such-program in PATH" },
    { "no_such_program_by_path", NULL, "/nonexistent/helper", 30000, IB_ENOENT, 0, NULL, NULL,
      "there is no program /nonexistent/helper" },
    { "a_directory_is_no_program", NULL, "/tmp", 30000, IB_ESYS, 0, NULL, NULL, "cannot run /tmp: " },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    const char *const sh[] = { "sh", "-c", r->script, NULL };
    const char *const alone[] = { r->argv0, NULL };
    struct ib_child_options options = { .deadline = ib_deadline_in(r->timeout_ms) };
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT_SECRET(CAP);
    IB_CLEANUP(ib_buf_fini) struct ib_buf err_out = IB_BUF_INIT(CAP);
    int status = -1;
    int64_t begin = ib_time_mono_ms();

    assert_rc(ib_child_run(r->script == NULL ? alone : sh, &options, &out, &err_out, &status, &err), r->rc,
              &err);
    if (r->rc != IB_OK) {
        assert_contains(err.text, r->error);
        assert_int_equal(status, -1);
        assert_true(ib_time_mono_ms() - begin < 10000);
    } else {
        assert_int_equal(status, r->status);
        if (r->out != NULL) {
            assert_string_equal(ib_buf_c(&out), r->out);
        } else {
            assert_int_equal(out.len, CAP);
        }
        if (r->err_out != NULL) {
            assert_string_equal(ib_buf_c(&err_out), r->err_out);
        } else {
            assert_int_equal(err_out.len, CAP);
        }
    }
    /* Nothing is left to wait for. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* A deaf grandchild in the same group: the test sees by a FIFO that it has died. */
static void the_whole_group_is_killed(void **state)
{
    (void)state;
    char dir[] = "/tmp/ib-child.XXXXXX", script[PATH_MAX + 100], fifo[PATH_MAX];
    struct ib_error err = IB_ERROR_INIT;
    struct ib_child_options options = { .deadline = ib_deadline_in(300) };
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(CAP), err_out = IB_BUF_INIT(CAP);
    int status;
    char c;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)snprintf(script, sizeof script, "(trap '' TERM; sleep 60 >%s) & echo started; wait", fifo);
    const char *const argv[] = { "sh", "-c", script, NULL };
    assert_rc(ib_child_run(argv, &options, &out, &err_out, &status, &err), IB_ETIMEOUT, &err);
    assert_string_equal(ib_buf_c(&out), "started\n");
    /* End of file: nobody holds the writing end any more. Waited for, as death takes a moment. */
    (void)fcntl(fd, F_SETFL, 0);
    assert_int_equal(read(fd, &c, 1), 0);
    (void)close(fd);
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void a_daemon_that_keeps_the_pipe_does_not_hold_us(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_child_options options = { .deadline = ib_deadline_in(20000) };
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(CAP), err_out = IB_BUF_INIT(CAP);
    const char *const argv[] = { "sh", "-c", "sleep 30 & echo $!", NULL };
    int status = -1;
    int64_t begin = ib_time_mono_ms();

    assert_ok(ib_child_run(argv, &options, &out, &err_out, &status, &err), &err);
    assert_int_equal(status, 0);
    assert_true(ib_time_mono_ms() - begin < 10000);
    /* It was left alone: it is ours to end now. */
    ib_buf_cut(&out, out.len - 1);
    const char *const kill_it[] = { "kill", ib_buf_c(&out), NULL };
    IB_CLEANUP(ib_buf_fini) struct ib_buf more = IB_BUF_INIT(CAP);
    assert_ok(ib_child_run(kill_it, &options, &more, &err_out, &status, &err), &err);
    assert_int_equal(status, 0);
}

static void the_environment_may_be_replaced(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char one[] = "IB_ONE=1";
    char *environment[] = { one, NULL };
    struct ib_child_options options = { .deadline = ib_deadline_in(20000), .environment = environment };
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(CAP), err_out = IB_BUF_INIT(CAP);
    const char *const argv[] = { "/usr/bin/env", NULL };
    int status = -1;

    assert_ok(ib_child_run(argv, &options, &out, &err_out, &status, &err), &err);
    assert_string_equal(ib_buf_c(&out), "IB_ONE=1\n");
}

/* --- in processes of their own ------------------------------------------------------------------ */

static enum ib_rc run_sh(const char *script, int64_t timeout_ms, struct ib_buf *out, int *status,
                         struct ib_error *err)
{
    struct ib_child_options options = { .deadline = ib_deadline_in(timeout_ms) };
    IB_CLEANUP(ib_buf_fini) struct ib_buf err_out = IB_BUF_INIT(CAP);
    const char *const argv[] = { "sh", "-c", script, NULL };

    return ib_child_run(argv, &options, out, &err_out, status, err);
}

static void run_with_odd_signals(void *arg)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(CAP);
    sigset_t some;
    int status = -1;

    (void)arg;
    ib_signals_reset(); /* ignores SIGPIPE */
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &some, NULL);
    /* Signals 32 and 33 are libc's own. */
    (void)run_sh("while read -r k v; do case $k in SigBlk:|SigIgn:) echo \"$k$((0x$v & 0x7fffffff))\";; esac;"
                 " done </proc/self/status",
                 20000, &out, &status, NULL);
    (void)dprintf(1, "%s", ib_buf_c(&out));
    _exit(0);
}

static void it_starts_with_default_signals_and_an_empty_mask(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(run_with_odd_signals, NULL, &ended);
    assert_string_equal(ended.text, "SigBlk:0\nSigIgn:0\n");
}

static void be_stopped(void *arg)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(CAP);
    struct ib_error err = IB_ERROR_INIT;
    int status = -1;

    (void)arg;
    ib_signals_reset();
    ib_signals_catch_stop();
    enum ib_rc rc = run_sh("kill -TERM $PPID; exec sleep 60", 60000, &out, &status, &err);
    (void)dprintf(1, "%s: %s", ib_rc_name(rc), err.text);
    _exit(0);
}

static void a_stop_request_kills_the_child(void **state)
{
    (void)state;
    struct ib_ended ended;

    ib_fork_run(be_stopped, NULL, &ended);
    assert_string_equal(ended.text, "timeout: stopped by SIGTERM while sh was running");
}

static void be_bitten(void *arg)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(CAP);
    int status;

    (void)arg;
    if (ib_watchdog_start(300, 3, "bitten", NULL) != IB_OK) {
        _exit(97);
    }
    /* The child holds our stdout's pipe open through descriptor 1 of nobody: it must die with us. */
    (void)run_sh("trap '' TERM; sleep 60", 60000, &out, &status, NULL);
}

static void the_watchdog_takes_the_child_along(void **state)
{
    (void)state;
    struct ib_ended ended;
    int64_t begin = ib_time_mono_ms();

    ib_fork_run(be_bitten, NULL, &ended);
    assert_string_equal(ended.text, "bitten\n");
    assert_int_equal(ended.code, 3);
    assert_true(ib_time_mono_ms() - begin < 10000);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(the_whole_group_is_killed);
    IB_TEST_CASE(a_daemon_that_keeps_the_pipe_does_not_hold_us);
    IB_TEST_CASE(the_environment_may_be_replaced);
    IB_TEST_CASE(it_starts_with_default_signals_and_an_empty_mask);
    IB_TEST_CASE(a_stop_request_kills_the_child);
    IB_TEST_CASE(the_watchdog_takes_the_child_along);
    return IB_TEST_RUN();
}
