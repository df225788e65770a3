/* SPDX-License-Identifier: MIT */
/* The ends of a program, each in a process of its own: exit code and what stdout got. */
#include "ib_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/time.h"
#include "lib/plugin/common.h"
#include "lib/plugin/start.h"
#include "lib/sys/signals.h"

static const char *const usage[] = { "[options]", NULL };
static const struct ib_program check = { .name = "check_x", .prefix = "X", .summary = "sees X",
                                         .usage = usage, .help_state = IB_STATE_UNKNOWN };
static const struct ib_program action = { .name = "ib_x", .prefix = "Y", .summary = "does Y",
                                          .usage = usage, .changes = true };

struct ended {
    int code;         /* exit code, or -signal */
    char text[4096];
};

/* Run body in a child; its stdout comes back. */
static void in_child(void (*body)(void), struct ended *ret)
{
    int fds[2];
    size_t len = 0;
    int status = 0;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)close(fds[0]);
        (void)close(fds[1]);
        body();
        _exit(99);
    }
    (void)close(fds[1]);
    for (;;) {
        ssize_t n = read(fds[0], ret->text + len, sizeof ret->text - 1 - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    ret->text[len] = '\0';
    (void)close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ret->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void body_end(void)
{
    struct ib_output out = IB_OUTPUT_INIT;

    ib_start(&check);
    ib_output_text(&out, "broken");
    ib_start_end(&out, IB_STATE_CRITICAL);
}
static void body_full_disk(void)
{
    struct ib_output out = IB_OUTPUT_INIT;
    int full = open("/dev/full", O_WRONLY);

    ib_start(&check);
    (void)dup2(full, STDOUT_FILENO);
    ib_output_text(&out, "fine");
    ib_start_end(&out, IB_STATE_OK);
}
static void body_broken_pipe(void)
{
    struct ib_output out = IB_OUTPUT_INIT;
    int fds[2];

    ib_start(&check);
    if (pipe(fds) == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)close(fds[0]);
    }
    ib_output_text(&out, "fine");
    ib_start_end(&out, IB_STATE_OK);
}
static void body_fail(void)
{
    struct ib_error err = IB_ERROR_INIT;

    ib_start(&check);
    (void)ib_fail(&err, IB_ENET, "no answer");
    ib_start_fail(NULL, &err, IB_STATE_UNKNOWN, false);
}
static void body_fail_with_lines(void)
{
    struct ib_output out = IB_OUTPUT_INIT;
    struct ib_error err = IB_ERROR_INIT;

    ib_start(&check);
    ib_output_text(&out, "half of it");
    ib_output_perf(&out, &(struct ib_perf){.label = "age"});
    ib_output_line(&out, "how far it came");
    (void)ib_fail(&err, IB_ENET, "no answer");
    ib_start_fail(&out, &err, IB_STATE_UNKNOWN, false);
}
static void body_usage_with_lines(void)
{
    struct ib_output out = IB_OUTPUT_INIT;
    struct ib_error err = IB_ERROR_INIT;

    ib_start(&check);
    ib_output_line(&out, "how far it came");
    (void)ib_fail(&err, IB_EUSAGE, "no");
    ib_start_usage(&out, &err);
}
static void body_fail_json(void)
{
    struct ib_error err = IB_ERROR_INIT;

    ib_start(&check);
    (void)ib_fail(&err, IB_ENET, "no answer");
    ib_start_fail(NULL, &err, IB_STATE_WARNING, true);
}
static void body_json_too_large(void)
{
    struct ib_output out = IB_OUTPUT_INIT;

    ib_start(&check);
    out.json.max = 3;
    ib_buf_add_c(&out.json, "{\"a\":1}");
    ib_start_end(&out, IB_STATE_OK);
}

/* Each option body parses this. */
static const char *const *args;
static void body_options(void)
{
    struct ib_common common = IB_COMMON_INIT(30 * IB_SECOND_MS);
    struct ib_option_group group = ib_common_group(&common);
    struct ib_option_result result = IB_OPTION_RESULT_INIT;
    char *argv[8] = { (char *)(uintptr_t)"check_x" };
    int argc = 1;

    for (size_t i = 0; args[i] != NULL; i++) {
        argv[argc++] = (char *)(uintptr_t)args[i];
    }
    ib_start(&check);
    ib_start_options(&group, 1, argc, argv, &result);
    ib_option_result_fini(&result);
    _exit(50);
}

static void wait_forever(void)
{
    for (;;) {
        (void)pause();
    }
}
static void body_watchdog(void)
{
    ib_start(&check);
    ib_start_timeout(10, IB_STATE_UNKNOWN, false);
    ib_start_phase(false, "reading arn:x|y");
    wait_forever();
}
static void body_watchdog_sent(void)
{
    ib_start(&action);
    ib_start_timeout(10, IB_STATE_UNKNOWN, false);
    ib_start_phase(true, "asking for a cancel");
    wait_forever();
}
static void body_watchdog_json(void)
{
    ib_start(&check);
    ib_start_timeout(10, IB_STATE_CRITICAL, true);
    ib_start_phase(false, "reading \"x\"");
    wait_forever();
}
static void body_stop(void)
{
    ib_start(&action);
    ib_start_timeout(3600000, IB_STATE_UNKNOWN, false);
    ib_start_phase(true, "asking for a cancel");
    (void)raise(SIGTERM);
    /* A library that looks at no flag: */
    wait_forever();
}
static void body_stop_flag(void)
{
    ib_start(&action);
    ib_start_timeout(3600000, IB_STATE_UNKNOWN, false);
    (void)raise(SIGTERM);
    _exit(ib_signals_stop_requested() ? 40 : 41);
}
static void body_blocked_signals(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGALRM, SIG_IGN);
    body_watchdog();
}
static void body_rlimit(void)
{
    struct rlimit limit = { 1, 1 };
    mode_t mask;

    ib_start(&check);
    (void)getrlimit(RLIMIT_CORE, &limit);
    mask = umask(0);
    _exit(limit.rlim_cur == 0 && limit.rlim_max == 0 && mask == 077 ? 42 : 43);
}

struct row {
    const char *name;
    void (*body)(void);
    int code;
    const char *text; /* whole stdout */
};
static const struct row rows[] = {
    { "the_end_prints_and_gives_the_state", body_end, 2, "X CRITICAL - broken\n" },
    { "a_full_disk_is_never_ok", body_full_disk, 3, "" },
    { "a_closed_pipe_is_never_ok", body_broken_pipe, 3, "" },
    { "an_error_becomes_the_line", body_fail, 3, "X UNKNOWN - no answer\n" },
    { "an_error_keeps_the_lines_that_say_how_far_it_came", body_fail_with_lines, 3,
      "X UNKNOWN - no answer\nhow far it came\n" },
    { "a_usage_error_keeps_them_too", body_usage_with_lines, 3,
      "X UNKNOWN - no (see check_x --help)\nhow far it came\n" },
    { "an_error_becomes_json_when_asked", body_fail_json, 1,
      "{\"program\":\"check_x\",\"state\":\"WARNING\",\"exitCode\":1,\"text\":\"no answer\","
      "\"error\":{\"kind\":\"network\"}}\n" },
    { "json_that_does_not_fit_is_unknown", body_json_too_large, 3,
      "X UNKNOWN - JSON output is larger than 3 bytes\n" },
    { "the_watchdog_says_what_was_under_way", body_watchdog, 3,
      "X UNKNOWN - timed out after 0s while reading arn:x/y\n" },
    { "the_watchdog_of_a_changing_program_says_outcome_unknown", body_watchdog_sent, 3,
      "Y UNKNOWN - outcome unknown: timed out after 0s, or was told to stop, while asking for a "
      "cancel\n" },
    { "the_watchdog_speaks_json_and_has_the_chosen_state", body_watchdog_json, 2,
      "{\"program\":\"check_x\",\"state\":\"CRITICAL\",\"exitCode\":2,\"text\":\"timed out after 0s "
      "while reading \\\"x\\\"\",\"error\":{\"kind\":\"timeout\"}}\n" },
    { "the_watchdog_works_when_the_scheduler_blocked_its_signal", body_blocked_signals, 3,
      "X UNKNOWN - timed out after 0s while reading arn:x/y\n" },
    { "a_changing_program_sees_the_stop_and_goes_on", body_stop_flag, 40, "" },
    { "a_stop_that_nothing_notices_ends_soon_all_the_same", body_stop, 3,
      "Y UNKNOWN - outcome unknown: timed out after 1h 0m, or was told to stop, while asking for a "
      "cancel\n" },
    { "no_core_file_and_a_private_umask", body_rlimit, 42, "" },
};
static void test_row(void **state)
{
    const struct row *r = *state;
    struct ended ended;
    int64_t begin = ib_time_mono_ms();

    in_child(r->body, &ended);
    assert_string_equal(ended.text, r->text);
    assert_int_equal(ended.code, r->code);
    assert_true(ib_time_mono_ms() - begin < 20000);
}

struct option_row {
    const char *name;
    const char *const args[4];
    int code;
    const char *begin;
};
static const struct option_row option_rows[] = {
    { "help_of_a_check_ends_with_3", { "--help" }, 3, "check_x - sees X\n\nUsage: check_x [options]\n" },
    { "version_of_a_check_ends_with_3", { "-V" }, 3, "check_x " PACKAGE_VERSION "\n" },
    { "a_usage_error_is_one_line_and_ends_with_3", { "--nope" }, 3,
      "X UNKNOWN - unknown option --nope (see check_x --help)\n" },
    { "a_foreign_option_cannot_break_the_line", { "--a|b\nc" }, 3,
      "X UNKNOWN - unknown option --a/b c (see check_x --help)\n" },
    { "good_options_return", { "-t", "5" }, 50, "" },
};
static void test_options(void **state)
{
    const struct option_row *r = *state;
    struct ended ended;

    args = r->args;
    in_child(body_options, &ended);
    ended.text[strlen(r->begin)] = r->code == 3 && strchr(r->begin, '(') == NULL
                                       ? '\0'
                                       : ended.text[strlen(r->begin)];
    assert_string_equal(ended.text, r->begin);
    assert_int_equal(ended.code, r->code);
}

struct rc_row {
    const char *name;
    enum ib_rc rc;
    enum ib_state state;
};
static const struct rc_row rc_rows[] = {
    { "ok_is_ok", IB_OK, IB_STATE_OK },
    { "a_usage_error_is_unknown", IB_EUSAGE, IB_STATE_UNKNOWN },
    { "missing_credentials_are_unknown", IB_ECRED, IB_STATE_UNKNOWN },
    { "a_network_error_is_unknown", IB_ENET, IB_STATE_UNKNOWN },
    { "an_untrusted_peer_is_unknown", IB_ETLS, IB_STATE_UNKNOWN },
    { "an_aws_error_is_unknown", IB_EAWS, IB_STATE_UNKNOWN },
    { "an_unreadable_answer_is_unknown", IB_EPARSE, IB_STATE_UNKNOWN },
    { "what_cannot_be_evaluated_is_unknown", IB_EEVAL, IB_STATE_UNKNOWN },
    { "a_timeout_is_what_the_user_chose", IB_ETIMEOUT, IB_STATE_WARNING },
    { "a_refusal_is_critical", IB_EREFUSED, IB_STATE_CRITICAL },
};
static void test_rc(void **state)
{
    const struct rc_row *r = *state;

    assert_int_equal(ib_start_state_of(r->rc, IB_STATE_WARNING), r->state);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(option_rows, test_options);
    IB_TEST_ROWS(rc_rows, test_rc);
    return IB_TEST_RUN();
}
