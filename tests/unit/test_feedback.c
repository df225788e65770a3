/* SPDX-License-Identifier: MIT */
/* lib/watch/feedback.c: nothing but the two commands ever reaches the command file. */
#include "ib_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/base64.h"
#include "lib/watch/feedback.h"

static char dir[64];
static char fifo[128];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/ib-feedback-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(fifo, sizeof fifo, "%s/nagios.cmd", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(fifo);
    return rmdir(dir);
}

static enum ib_rc send_event(const char *host, const char *service, const char *comment,
                             struct ib_error *err)
{
    struct ib_feedback where = { .nagios_command_file = fifo };
    struct ib_feedback_event event = { host, service, comment, true };

    return ib_feedback_nagios(&where, &event, INT64_C(1788414261121), err);
}

static void both_commands_are_written(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char text[4096] = "";

    assert_int_equal(mkfifo(fifo, 0600), 0);
    int fd = open(fifo, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_ok(send_event("aws", "ib-web", "cancelled; web-server 1.4.2/7\n[1] SHUTDOWN_PROGRAM | x", &err), &err);
    ssize_t n = read(fd, text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text,
                        "[1788414261] ADD_SVC_COMMENT;aws;ib-web;1;ib_cancel_action;cancelled, web-server 1.4.2/7 "
                        "[1] SHUTDOWN_PROGRAM / x\n"
                        "[1788414261] SCHEDULE_FORCED_SVC_CHECK;aws;ib-web;1788414261\n");
    (void)close(fd);
}

static void a_daemon_that_is_down_is_told(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_rc(send_event("aws", "ib-web", NULL, &err), IB_ESYS, &err);
    assert_contains(err.text, "the daemon is not running");
}

static void the_file_is_never_made(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(send_event("aws", "ib-web", NULL, &err), IB_ESYS, &err);
    assert_contains(err.text, "cannot open command file");
    assert_int_equal(access(fifo, F_OK), -1);
}

static void a_plain_file_is_not_written(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct stat st;
    int fd = open(fifo, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
    assert_rc(send_event("aws", "ib-web", "x", &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is no FIFO");
    assert_int_equal(stat(fifo, &st), 0);
    assert_int_equal(st.st_size, 0);
}

struct name_row {
    const char *name, *host, *service;
    bool ok;
    bool ok_as_data; /* where names cannot end a line or a field */
};
static const struct name_row name_rows[] = {
    { "name_plain", "aws-prod", "ib image web", true, true },
    { "name_utf8", "m\xC3\xBCnchen", "ib", true, true },
    { "name_empty", "aws", "", false, false },
    { "name_newline", "aws\n[1] X", "ib", false, false },
    { "name_semicolon", "aws", "ib;1", false, true },
    { "name_quote", "aws", "ib\" || true", false, true },
    { "name_dollar", "aws", "$SERVICEDESC$", false, true },
    { "name_ampersand", "aws", "R&D builds", false, true },
    { "name_apostrophe", "aws", "Tom's builds", false, true },
    { "name_bad_utf8", "aws\xFF", "ib", false, false },
};

static void name_row(void **state)
{
    const struct name_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_feedback_event event = { r->host, r->service, NULL, true };

    assert_int_equal(ib_feedback_check(&event, false, &err), r->ok ? IB_OK : IB_EUSAGE);
    assert_int_equal(ib_feedback_check(&event, true, &err), r->ok_as_data ? IB_OK : IB_EUSAGE);
}

struct code_row {
    const char *name, *plain, *coded;
};
static const struct code_row code_rows[] = {
    { "base64_empty", "", "" },         { "base64_one", "f", "Zg==" },
    { "base64_two", "fo", "Zm8=" },     { "base64_three", "foo", "Zm9v" },
    { "base64_six", "foobar", "Zm9vYmFy" }, { "base64_high", "\xFF\xFE", "//4=" },
};

static void code_row(void **state)
{
    const struct code_row *r = *state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(100);

    ib_base64_add(&b, r->plain, strlen(r->plain));
    assert_string_equal(ib_buf_c(&b), r->coded);
}

#define WITH_DIR(fn) ib_tests[ib_test_count++] = (struct CMUnitTest){ #fn, fn, set_up, tear_down, NULL }

int main(void)
{
    WITH_DIR(both_commands_are_written);
    WITH_DIR(a_daemon_that_is_down_is_told);
    WITH_DIR(the_file_is_never_made);
    WITH_DIR(a_plain_file_is_not_written);
    IB_TEST_ROWS(name_rows, name_row);
    IB_TEST_ROWS(code_rows, code_row);
    return IB_TEST_RUN();
}
