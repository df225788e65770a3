/* SPDX-License-Identifier: MIT */
/*
 * lib/watch/journal.c: what is on disk before a request may leave, what later calls make of it, and
 * every way in which a journal that cannot be trusted stops the cancel.
 */
#include "ib_fork.h"
#include "ib_oom.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/base/time.h"
#include "lib/watch/journal.h"

#define WEB     "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"
#define BUSY_MS 20000

static char dir[128];
static struct ib_target target;
static struct ib_policy policy;

/* --- a world for each test ----------------------------------------------------------------------- */

static void path_of(char *buf, size_t cap, const char *name)
{
    (void)snprintf(buf, cap, "%s/%s", dir, name);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/ib-journal-XXXXXX");
    assert_non_null(mkdtemp(dir));
    target = (struct ib_target){.name = "web", .region = "eu-central-1", .profile = "monitoring"};
    policy = (struct ib_policy){.enabled = true, .max_cancel = 1, .target_per_hour = 2,
                                .total_per_hour = 3};
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"journal.db", "journal.db-journal"};
    char path[256];

    (void)state;
    for (size_t i = 0; i < IB_ARRAY_LEN(names); i++) {
        path_of(path, sizeof path, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

#define WITH_DIR(fn)                                                                              \
    ib_tests[ib_test_count++] = (struct CMUnitTest){#fn, fn, set_up, tear_down, NULL}
#define ROWS_WITH_DIR(rows, fn)                                                                   \
    for (size_t i = 0; i < IB_ARRAY_LEN(rows); i++) {                                             \
        ib_tests[ib_test_count++] = (struct CMUnitTest){(rows)[i].name, fn, set_up, tear_down,    \
                                                        (void *)(uintptr_t)&(rows)[i]};           \
    }

static void open_journal(struct ib_journal *ret)
{
    struct ib_error err = IB_ERROR_INIT;

    *ret = (struct ib_journal){0};
    assert_ok(ib_journal_open(dir, false, BUSY_MS, ret, &err), &err);
}

/* A cancel as ib_cancel_run() drives it, of a build that was looked at. */
struct act {
    struct ib_journal_cancel cancel;
    struct ib_cancel_hooks hooks;
    struct ib_survey_build build;
    struct ib_policy_decision decision;
    char token[IB_CANCEL_TOKEN_MAX];
};

static void begin_act(struct act *a, struct ib_journal *journal, const char *arn, const char *token)
{
    *a = (struct act){.cancel = {.journal = journal, .policy = &policy, .target = &target,
                                 .begun_ms = ib_time_now_ms()},
                      .build = {.image = {.status = IB_IMAGE_BUILDING,
                                          .status_text = IB_STR("BUILDING")},
                                .detail = {.looked = true, .has_first_start = true,
                                           .first_start_ms = 1000}}};
    (void)snprintf(a->cancel.arn, sizeof a->cancel.arn, "%s", arn);
    (void)snprintf(a->token, sizeof a->token, "%s", token);
    a->hooks = ib_journal_hooks(&a->cancel);
}

static enum ib_rc send_act(struct act *a, struct ib_error *err)
{
    return a->hooks.before_send(a->hooks.ctx, &a->build, &a->decision, a->token, err);
}

static void answer_act(struct act *a)
{
    struct ib_error ok = IB_ERROR_INIT;

    a->hooks.after_send(a->hooks.ctx, &ok, false, "request-1");
}

static void end_act(struct act *a, enum ib_outcome outcome, const char *text)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_report report = {.outcome = outcome, .sent = outcome == IB_OUTCOME_REFUSED};

    (void)snprintf(report.text, sizeof report.text, "%s", text);
    assert_ok(ib_journal_finish(&a->cancel, &report, &err), &err);
}

/* Send, accepted, seen as cancelled. */
static enum ib_rc whole_act(struct ib_journal *journal, const char *arn, const char *token,
                            struct ib_error *err)
{
    struct act a;

    begin_act(&a, journal, arn, token);
    enum ib_rc rc = send_act(&a, err);
    if (rc == IB_OK) {
        answer_act(&a);
        end_act(&a, IB_OUTCOME_CANCELLED, "cancelled and confirmed");
    }
    return rc;
}

/* Past the library: what somebody else, or a clock, did to the file. */
static int sql_fails(const char *text)
{
    sqlite3 *sql = NULL;
    char path[256];

    path_of(path, sizeof path, "journal.db");
    assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
    int rc = sqlite3_exec(sql, text, NULL, NULL, NULL);
    (void)sqlite3_close(sql);
    return rc;
}

static void run_sql(const char *text)
{
    assert_int_equal(sql_fails(text), SQLITE_OK);
}

static int64_t ask(const char *text)
{
    sqlite3 *sql = NULL;
    sqlite3_stmt *stmt = NULL;
    char path[256];

    path_of(path, sizeof path, "journal.db");
    assert_int_equal(sqlite3_open_v2(path, &sql, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sql, text, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t got = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sql);
    return got;
}

static void read_last(struct ib_journal *journal, const char *arn, struct ib_cancel_row *ret)
{
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_statedb_last(journal->db, arn, ret, &err), &err);
}

/* --- before the request -------------------------------------------------------------------------- */

static void token_and_claim_are_on_disk_before_the_request(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_row row;
    struct act a;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    assert_int_equal(a.cancel.standing, IB_STANDING_OWNED);
    read_last(&j, WEB, &row);
    assert_int_equal(row.phase, IB_CANCEL_SENT);
    assert_string_equal(row.token, "token-1");
    assert_string_equal(row.status, "BUILDING");
    assert_true(row.sent_ms > 0 && row.ended_ms == 0);
    assert_int_equal(ask("SELECT count(*) FROM audit WHERE event IN ('claim', 'send')"), 2);
    assert_int_equal(ask("SELECT max(members LIKE '%\"token-1\"%') FROM audit WHERE event = 'send'"), 1);
}

static void second_try_uses_the_token_on_record(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct act a, b;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    begin_act(&b, &j, WEB, "token-2");
    assert_ok(send_act(&b, &err), &err);
    assert_string_equal(b.token, "token-1");
    assert_int_equal(ask("SELECT count(*) FROM cancels"), 1);
}

/* The claim of a child, which then stays until it is killed. */
static pid_t child_with_claim(const char *token, int *ret_fd)
{
    int fds[2];
    char c = 'x';

    assert_int_equal(pipe(fds), 0);
    (void)fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ib_test_die_with_parent();
        struct ib_error err = IB_ERROR_INIT;
        struct ib_journal j = {0};
        struct act a;
        if (ib_journal_open(dir, false, BUSY_MS, &j, &err) == IB_OK) {
            begin_act(&a, &j, WEB, token);
            c = send_act(&a, &err) == IB_OK ? 'g' : 'x';
        }
        if (write(fds[1], &c, 1) != 1) {
            _exit(3);
        }
        for (;;) {
            (void)pause();
        }
    }
    (void)close(fds[1]);
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(c, 'g');
    *ret_fd = fds[0];
    return pid;
}

static void living_call_is_joined_and_a_dead_one_is_taken_over(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_report report = {.outcome = IB_OUTCOME_REFUSED};
    struct act a;
    int fd = -1, status = 0;
    pid_t pid = child_with_claim("token-child", &fd);

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-2");
    enum ib_rc rc = send_act(&a, &err);
    bool joined = a.cancel.standing == IB_STANDING_JOINED;
    assert_ok(ib_journal_finish(&a.cancel, &report, &err), &err);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(fd);
    assert_int_equal(rc, IB_EREFUSED);
    assert_true(joined);
    assert_int_equal(report.outcome, IB_OUTCOME_REQUESTED);

    begin_act(&a, &j, WEB, "token-3");
    assert_ok(send_act(&a, &err), &err);
    assert_int_equal(a.cancel.standing, IB_STANDING_OWNED);
    assert_string_equal(a.token, "token-child");
    assert_int_equal(ask("SELECT count(*) FROM audit WHERE event = 'take-over'"), 1);
}

struct overtaken_row {
    const char *name;
    enum ib_outcome outcome;  /* of the call that was first */
    enum ib_outcome told;     /* of the one that had begun to read before */
};
static const struct overtaken_row overtaken_rows[] = {
    {"overtaken_by_a_cancel_is_nothing_to_do", IB_OUTCOME_CANCELLED, IB_OUTCOME_NOTHING},
    {"overtaken_by_an_end_is_nothing_to_do", IB_OUTCOME_FINISHED, IB_OUTCOME_NOTHING},
    {"overtaken_by_gone_is_nothing_to_do", IB_OUTCOME_GONE, IB_OUTCOME_NOTHING},
    {"overtaken_by_a_refusal_stays_refused", IB_OUTCOME_REFUSED, IB_OUTCOME_REFUSED},
};

static void overtaken_row(void **state)
{
    const struct overtaken_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_report report = {.outcome = IB_OUTCOME_REFUSED};
    struct act slow, fast;

    open_journal(&j);
    begin_act(&slow, &j, WEB, "token-slow");
    begin_act(&fast, &j, WEB, "token-fast");
    assert_ok(send_act(&fast, &err), &err);
    end_act(&fast, r->outcome, "what came of it");
    assert_rc(send_act(&slow, &err), IB_EREFUSED, &err);
    assert_contains(err.text, "what came of it");
    assert_int_equal(slow.cancel.standing, IB_STANDING_OVERTAKEN);
    assert_ok(ib_journal_finish(&slow.cancel, &report, &err), &err);
    assert_int_equal(report.outcome, r->told);
    assert_int_equal(ask("SELECT count(*) FROM cancels"), 1);
}

static void end_in_the_future_overtakes_nothing(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct act before, now;

    open_journal(&j);
    begin_act(&before, &j, WEB, "token-before");
    assert_ok(send_act(&before, &err), &err);
    end_act(&before, IB_OUTCOME_CANCELLED, "done");
    run_sql("UPDATE cancels SET ended_ms = ended_ms + 7200000"); /* the clock went back since */
    begin_act(&now, &j, WEB, "token-now");
    assert_ok(send_act(&now, &err), &err);
    assert_int_equal(now.cancel.standing, IB_STANDING_OWNED);
}

/* --- budgets ------------------------------------------------------------------------------------- */

struct budget_row {
    const char *name;
    const char *earlier; /* targets of cancels that were sent, one letter each */
    const char *shift;   /* SQL before the next one: the clock, or another outcome */
    const char *rule;    /* that refuses the next one for target "w"; NULL = granted */
};
#define SHIFT(ms)                                                                                 \
    "UPDATE cancels SET sent_ms = sent_ms + (" ms "), created_ms = created_ms + (" ms "),"        \
    " ended_ms = ended_ms + (" ms ") WHERE ended_ms <> 0"
static const struct budget_row budget_rows[] = {
    {"budget_untouched", "", NULL, NULL},
    {"budget_one_of_two_used", "w", NULL, NULL},
    {"budget_of_the_target_used_up", "ww", NULL, "target-budget"},
    {"budget_of_another_target_is_its_own", "od", NULL, NULL},
    {"budget_of_all_used_up_by_others", "odo", NULL, "total-budget"},
    {"budget_of_all_used_up_by_mixed", "wod", NULL, "total-budget"},
    {"budget_is_given_back_after_an_hour", "ww", SHIFT("-3601000"), NULL},
    {"budget_counts_to_the_end_of_the_hour", "ww", SHIFT("-3590000"), "target-budget"},
    {"budget_is_not_won_by_a_clock_that_went_back_an_hour", "ww", SHIFT("3600000"), "target-budget"},
    {"budget_is_not_won_by_a_clock_that_went_back_a_year", "odw", SHIFT("31536000000"),
     "total-budget"},
    {"budget_after_a_clock_that_went_a_year_forward", "ww", SHIFT("-31536000000"), NULL},
    {"budget_counts_what_failed_after_it_was_sent", "ww", "UPDATE cancels SET outcome = 'failed'",
     "target-budget"},
    {"budget_counts_what_is_open_and_was_never_sent", "ww",
     "UPDATE cancels SET sent_ms = 0, ended_ms = 0, phase = 0", "target-budget"},
    {"budget_does_not_count_what_ended_unsent", "ww", "UPDATE cancels SET sent_ms = 0", NULL},
};

static void budget_row(void **state)
{
    const struct budget_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    char name[2] = "", arn[128], token[16];

    open_journal(&j);
    target.name = name;
    policy.target_per_hour = 100;
    policy.total_per_hour = 100;
    for (size_t i = 0; r->earlier[i] != '\0'; i++) {
        name[0] = r->earlier[i];
        (void)snprintf(arn, sizeof arn, WEB "%zu", i);
        (void)snprintf(token, sizeof token, "token-%zu", i);
        assert_ok(whole_act(&j, arn, token, &err), &err);
    }
    if (r->shift != NULL) {
        run_sql(r->shift);
    }
    int64_t rows = ask("SELECT count(*) FROM cancels");
    name[0] = 'w';
    policy.target_per_hour = 2;
    policy.total_per_hour = 3;
    enum ib_rc rc = whole_act(&j, WEB, "token-next", &err);
    if (r->rule == NULL) {
        assert_int_equal(rc, IB_OK);
        assert_int_equal(ask("SELECT count(*) FROM cancels"), rows + 1);
    } else {
        assert_int_equal(rc, IB_EREFUSED);
        assert_contains(err.text, r->rule);
        assert_int_equal(ask("SELECT count(*) FROM cancels"), rows);
        assert_int_equal(ask("SELECT count(*) FROM audit WHERE event = 'refuse'"), 1);
    }
}

/* --- the end ------------------------------------------------------------------------------------- */

struct end_row {
    const char *name;
    enum ib_outcome outcome;
    const char *status; /* last seen */
    const char *want;   /* NULL = stays open, for anybody to take up */
};
static const struct end_row end_rows[] = {
    {"end_cancelled", IB_OUTCOME_CANCELLED, "CANCELLED", "cancelled"},
    {"end_by_itself", IB_OUTCOME_FINISHED, "AVAILABLE", "finished"},
    {"end_found_later_as_cancelled", IB_OUTCOME_NOTHING, "CANCELLED", "cancelled"},
    {"end_found_later_as_available", IB_OUTCOME_NOTHING, "AVAILABLE", "finished"},
    {"end_gone", IB_OUTCOME_GONE, "BUILDING", "gone"},
    {"open_when_refused_after_an_earlier_request", IB_OUTCOME_REFUSED, "BUILDING", NULL},
    {"open_while_not_confirmed", IB_OUTCOME_REQUESTED, "BUILDING", NULL},
    {"open_while_the_answer_is_not_known", IB_OUTCOME_UNKNOWN, "BUILDING", NULL},
    {"open_when_it_could_not_be_tried", IB_OUTCOME_UNTRIED, "BUILDING", NULL},
};

static void end_row(void **state)
{
    const struct end_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_image image = {.status_text = ib_str_from(r->status)};
    struct ib_cancel_row row;
    struct act a;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    a.hooks.seen(a.hooks.ctx, &image);
    read_last(&j, WEB, &a.cancel.row); /* as a later call takes it up */
    end_act(&a, r->outcome, "a sentence");
    read_last(&j, WEB, &row);
    assert_string_equal(row.status, r->status);
    assert_string_equal(row.text, "a sentence");
    assert_string_equal(row.outcome, r->want == NULL ? "" : r->want);
    assert_int_equal(row.ended_ms != 0, r->want != NULL);
    assert_int_equal(row.owner.pid == 0, r->want == NULL);
    assert_int_equal(ask(r->want == NULL ? "SELECT count(*) FROM audit WHERE event = 'left-open'"
                                         : "SELECT count(*) FROM audit WHERE event = 'end'"), 1);
}

static void answer_that_is_a_refusal_is_on_record_with_its_code(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT, refusal = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_row row;
    struct act a;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    (void)ib_fail(&refusal, IB_EAWS, "access denied\n[1] X");
    refusal.http_status = 403;
    (void)snprintf(refusal.aws_code, sizeof refusal.aws_code, "AccessDeniedException");
    a.hooks.after_send(a.hooks.ctx, &refusal, false, "request-9");
    read_last(&j, WEB, &row);
    assert_int_equal(row.phase, IB_CANCEL_SENT);
    assert_true(row.sent_ms != 0);
    assert_null(strchr(row.text, '\n'));
    assert_int_equal(ask("SELECT count(*) FROM audit WHERE event = 'answer' AND members LIKE"
                         " '%AccessDeniedException%' AND members LIKE '%403%' AND members LIKE '%request-9%'"),
                     1);
}

/* A plain no: for the budgets, and for whose cancel it was, nothing has left. */
static void refusal_of_every_try_takes_the_sending_back(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT, refusal = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_row row;
    struct act a;
    int64_t of_target = 0, total = 0;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    assert_ok(ib_statedb_count(j.db, "web", "", ib_time_now_ms(), &of_target, &total, &err), &err);
    assert_int_equal(total, 1);
    assert_ok(ib_statedb_count(j.db, "web", WEB, ib_time_now_ms(), &of_target, &total, &err), &err);
    assert_int_equal(total, 0); /* its own open cancel is no other */
    (void)ib_fail(&refusal, IB_EAWS, "access denied");
    refusal.http_status = 403;
    a.hooks.after_send(a.hooks.ctx, &refusal, true, "request-9");
    read_last(&j, WEB, &row);
    assert_int_equal(row.phase, IB_CANCEL_CLAIMED);
    assert_true(row.sent_ms == 0);
    end_act(&a, IB_OUTCOME_REFUSED, "refused");
    read_last(&j, WEB, &row);
    assert_string_equal(row.outcome, "failed");
    assert_ok(ib_statedb_count(j.db, "web", "", ib_time_now_ms(), &of_target, &total, &err), &err);
    assert_int_equal(total, 0);
}

static void cancel_whose_time_is_up_expires(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_report report = {.outcome = IB_OUTCOME_REFUSED, .text = "given up"};
    struct ib_cancel_row row;
    struct act a;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    assert_ok(ib_journal_expire(&a.cancel, &report, &err), &err);
    read_last(&j, WEB, &row);
    assert_string_equal(row.outcome, "expired");
    assert_true(row.ended_ms != 0);
}

static void write_after_another_took_over_is_told_and_changes_nothing(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct ib_cancel_row row;
    struct act a;

    open_journal(&j);
    begin_act(&a, &j, WEB, "token-1");
    assert_ok(send_act(&a, &err), &err);
    run_sql("UPDATE cancels SET pid = 1");
    answer_act(&a);
    assert_int_equal(a.cancel.trouble.rc, IB_EREFUSED);
    read_last(&j, WEB, &row);
    assert_int_equal(row.phase, IB_CANCEL_SENT);
}

/* --- the record stays ---------------------------------------------------------------------------- */

static void audit_lines_cannot_be_changed(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;

    open_journal(&j);
    assert_ok(whole_act(&j, WEB, "token-1", &err), &err);
    assert_int_not_equal(sql_fails("UPDATE audit SET event = 'nothing'"), SQLITE_OK);
    assert_int_not_equal(sql_fails("UPDATE audit SET members = '{}' WHERE id = 1"), SQLITE_OK);
    assert_int_equal(ask("SELECT count(*) FROM audit WHERE event = 'claim'"), 1);
}

static void old_rows_go_and_open_ones_stay_with_their_lines(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct act a;

    policy.target_per_hour = 100;
    open_journal(&j);
    assert_ok(whole_act(&j, WEB "1", "token-1", &err), &err);
    int64_t lines = ask("SELECT count(*) FROM audit");
    int64_t before = ib_time_now_ms() + 1;
    while (ib_time_now_ms() <= before) {
    }
    assert_ok(whole_act(&j, WEB "2", "token-2", &err), &err);
    begin_act(&a, &j, WEB "3", "token-3");
    assert_ok(send_act(&a, &err), &err);
    run_sql("UPDATE cancels SET created_ms = 1, sent_ms = 1 WHERE ended_ms = 0");
    assert_ok(ib_statedb_prune(j.db, before, &err), &err);
    assert_int_equal(ask("SELECT count(*) FROM cancels WHERE token = 'token-1'"), 0);
    assert_int_equal(ask("SELECT count(*) FROM audit"), lines + 2);
    assert_int_equal(ask("SELECT count(*) FROM cancels"), 2);
}

/* --- journals that cannot be trusted ------------------------------------------------------------- */

static void make_sound(void)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;

    open_journal(&j);
    assert_ok(whole_act(&j, WEB "0", "token-0", &err), &err);
}

static int journal_fd(void)
{
    char path[256];

    path_of(path, sizeof path, "journal.db");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void cut_to(off_t (*how)(off_t))
{
    struct stat st;
    int fd = journal_fd();

    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(ftruncate(fd, how(st.st_size)), 0);
    (void)close(fd);
}

static off_t half(off_t size)
{
    return size / 2 / 4096 * 4096;
}
static off_t odd(off_t size)
{
    return size * 2 / 3 + 123;
}
static off_t hundred_megabytes(off_t size)
{
    (void)size;
    return (off_t)100 * 1024 * 1024;
}

static void cut_in_half(void)
{
    cut_to(half);
}
static void cut_inside_a_page(void)
{
    cut_to(odd);
}
static void grow(void)
{
    cut_to(hundred_megabytes);
}
static void overwrite(off_t from, size_t n, char with)
{
    char bytes[8192];
    int fd = journal_fd();

    memset(bytes, with, sizeof bytes);
    assert_true(pwrite(fd, bytes, n, from) == (ssize_t)n);
    (void)close(fd);
}
static void break_header(void)
{
    overwrite(0, 100, 'x');
}
static void break_pages(void)
{
    overwrite(4096, 8192, (char)0xFF);
}
static void make_newer(void)
{
    run_sql("PRAGMA user_version = 99");
}
static void be_another_s(void)
{
    char path[256];

    path_of(path, sizeof path, "journal.db");
    assert_int_equal(unlink(path), 0);
    run_sql("CREATE TABLE theirs (x)");
    assert_int_equal(chmod(path, 0600), 0);
}
static void open_to_all(void)
{
    char path[256];

    path_of(path, sizeof path, "journal.db");
    assert_int_equal(chmod(path, 0666), 0);
}

struct bad_row {
    const char *name;
    void (*make)(void);
    enum ib_rc rc;
    const char *words;
};
static const struct bad_row bad_rows[] = {
    {"journal_cut_in_half_is_refused", cut_in_half, IB_EPARSE, "is damaged; move it away"},
    {"journal_cut_inside_a_page_is_refused", cut_inside_a_page, IB_EPARSE, "is damaged"},
    {"journal_with_a_broken_header_is_refused", break_header, IB_EPARSE, "is damaged"},
    {"journal_with_broken_pages_is_refused", break_pages, IB_EPARSE, "is damaged"},
    {"journal_of_a_newer_version_is_refused", make_newer, IB_ECONFIG, "newer version"},
    {"journal_of_another_program_is_refused", be_another_s, IB_ECONFIG, "another program"},
    {"journal_of_100_MB_is_refused", grow, IB_ELIMIT, "more than"},
    {"journal_that_everybody_writes_is_refused", open_to_all, IB_ECONFIG, "writable by others"},
};

static void bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_journal j = {0};

    make_sound();
    r->make();
    enum ib_rc rc = ib_journal_open(dir, false, 100, &j, &err);
    ib_journal_fini(&j);
    assert_int_equal(rc, r->rc);
    assert_contains(err.text, r->words);
    assert_contains(err.text, dir);
    assert_null(strchr(err.text, '\n'));
}

static void reader_of_a_newer_journal_is_refused_too(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_journal j = {0};

    make_sound();
    make_newer();
    enum ib_rc rc = ib_journal_open(dir, true, 100, &j, &err);
    ib_journal_fini(&j);
    assert_int_equal(rc, IB_ECONFIG);
}

static void journal_that_another_holds_stops_the_cancel_in_time(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_journal j = {0};
    sqlite3 *sql = NULL;
    char path[256];
    struct act a;

    make_sound();
    assert_ok(ib_journal_open(dir, false, 50, &j, &err), &err);
    path_of(path, sizeof path, "journal.db");
    assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sql, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    begin_act(&a, &j, WEB, "token-1");
    enum ib_rc rc = send_act(&a, &err);
    (void)sqlite3_close(sql);
    ib_journal_fini(&j);
    assert_int_equal(rc, IB_ETIMEOUT);
    assert_contains(err.text, "not tried, for it cannot be recorded");
    assert_contains(err.text, "locked");
    assert_int_equal(ask("SELECT count(*) FROM cancels"), 1);
}

/* In a child: these limits cannot be taken back. */
static void act_without_room(void *arg)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_journal j = {0};
    struct rlimit none = {4096, 4096};
    struct act a;

    (void)arg;
    if (ib_journal_open(dir, false, BUSY_MS, &j, &err) != IB_OK) {
        _exit(2);
    }
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) {
        _exit(3);
    }
    begin_act(&a, &j, WEB, "token-1");
    enum ib_rc rc = send_act(&a, &err);
    (void)dprintf(STDOUT_FILENO, "%s", err.text);
    ib_journal_fini(&j);
    _exit(rc == IB_ESYS ? 0 : 1);
}

static void journal_that_cannot_grow_stops_the_cancel(void **state)
{
    (void)state;
    struct ib_ended ended;

    make_sound();
    ib_fork_run(act_without_room, NULL, &ended);
    assert_int_equal(ended.code, 0);
    assert_contains(ended.text, "not tried, for it cannot be recorded");
    assert_int_equal(ask("SELECT count(*) FROM cancels"), 1);
}

static void open_as_nobody(void *arg)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_journal j = {0};

    (void)arg;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        _exit(3);
    }
    enum ib_rc rc = ib_journal_open(dir, false, 100, &j, &err);
    (void)dprintf(STDOUT_FILENO, "%s", err.text);
    ib_journal_fini(&j);
    _exit(rc == IB_ESYS ? 0 : 1);
}

/* Owned by root as the directories of a package are; as another user owned by that one, without right to write. */
static void directory_that_may_not_be_written_stops_the_cancel(void **state)
{
    (void)state;
    struct ib_ended ended;

    assert_int_equal(chmod(dir, 0555), 0);
    ib_fork_run(open_as_nobody, NULL, &ended);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(ended.code, 0);
    assert_contains(ended.text, "journal: cannot open");
    assert_contains(ended.text, dir);
}

/* Cut, the names of two builds could be one. */
static void arn_longer_than_a_row_holds_sends_nothing(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_journal_fini) struct ib_journal j;
    struct act a;

    open_journal(&j);
    begin_act(&a, &j, "", "token-1");
    assert_rc(send_act(&a, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "cannot be recorded");
    assert_int_equal(ask("SELECT count(*) FROM cancels"), 0);
}

/* --- pure parts ---------------------------------------------------------------------------------- */

struct superseded_row {
    const char *name, *context;
    struct ib_survey_detail now;
    bool want;
};
static const struct superseded_row superseded_rows[] = {
    {"superseded_not_when_nothing_was_looked_at", "{\"restartMs\":0,\"firstStartMs\":1000}",
     {.looked = false, .restart_known = true, .restart_ms = 9000}, false},
    {"superseded_not_when_all_is_as_it_was", "{\"restartMs\":0,\"firstStartMs\":1000}",
     {.looked = true, .has_first_start = true, .first_start_ms = 1000}, false},
    {"superseded_by_a_restart", "{\"restartMs\":0,\"firstStartMs\":1000}",
     {.looked = true, .restart_known = true, .restart_ms = 9000, .has_first_start = true,
      .first_start_ms = 1000}, true},
    {"superseded_not_by_the_restart_that_was_known", "{\"restartMs\":9000,\"firstStartMs\":1000}",
     {.looked = true, .restart_known = true, .restart_ms = 9000, .has_first_start = true,
      .first_start_ms = 1000}, false},
    {"superseded_by_a_second_restart", "{\"restartMs\":9000,\"firstStartMs\":1000}",
     {.looked = true, .restart_known = true, .restart_ms = 9001, .has_first_start = true,
      .first_start_ms = 1000}, true},
    {"superseded_by_workflows_that_begin_anew", "{\"restartMs\":0,\"firstStartMs\":1000}",
     {.looked = true, .has_first_start = true, .first_start_ms = 1001}, true},
    {"superseded_by_workflows_that_vanished", "{\"restartMs\":0,\"firstStartMs\":1000}",
     {.looked = true}, true},
    {"superseded_not_by_the_first_workflow_of_all", "{\"restartMs\":0,\"firstStartMs\":0}",
     {.looked = true, .has_first_start = true, .first_start_ms = 9000}, false},
    {"superseded_by_our_clock_when_it_was_not_looked_at_then", "{}",
     {.looked = true, .restart_known = true, .restart_ms = 5001}, true},
    {"superseded_not_by_an_older_restart_when_it_was_not_looked_at_then", "{}",
     {.looked = true, .restart_known = true, .restart_ms = 4999}, false},
    {"superseded_by_our_clock_when_the_context_is_damaged", "{broken",
     {.looked = true, .restart_known = true, .restart_ms = 5001}, true},
};

static void superseded_row(void **state)
{
    const struct superseded_row *r = *state;
    struct ib_cancel_row row = {.created_ms = 5000};

    (void)snprintf(row.context, sizeof row.context, "%s", r->context);
    assert_int_equal(ib_journal_superseded(&row, &r->now), r->want);
}

struct next_row {
    const char *name;
    int64_t created_ms, now_ms;
    enum ib_journal_next want;
};
#define NOW INT64_C(1788414261000)
static const struct next_row next_rows[] = {
    {"next_sends_at_once", NOW, NOW, IB_NEXT_SEND},
    {"next_sends_until_its_time_is_up", NOW, NOW + 1800000, IB_NEXT_SEND},
    {"next_only_reads_after_that", NOW, NOW + 1800001, IB_NEXT_READ},
    {"next_sends_when_the_clock_went_back_a_little", NOW, NOW - 60000, IB_NEXT_SEND},
    {"next_waits_when_it_went_back_more", NOW, NOW - 60001, IB_NEXT_WAIT},
};

static void next_row(void **state)
{
    const struct next_row *r = *state;
    struct ib_cancel_row row = {.created_ms = r->created_ms};

    assert_int_equal(ib_journal_next(&row, r->now_ms, 1800000), r->want);
}

struct words_row {
    const char *name;
    struct ib_cancel_row row;
    const char *want;
};
static const struct words_row words_rows[] = {
    {"words_decided", {.kind = "cancel", .phase = IB_CANCEL_CLAIMED, .created_ms = NOW - 5000},
     "cancel decided 5s ago, not confirmed"},
    {"words_requested",
     {.kind = "cancel", .phase = IB_CANCEL_ACCEPTED, .created_ms = NOW - 200000, .sent_ms = NOW - 180000},
     "cancel requested 3m 0s ago, not confirmed"},
    {"words_requested_in_the_future", {.kind = "cancel", .phase = IB_CANCEL_SENT, .sent_ms = NOW + 180000},
     "cancel requested 0s ago, not confirmed"},
    {"words_cancelled", {.kind = "cancel", .ended_ms = NOW, .outcome = "cancelled"}, "cancelled by ib_cancel_action"},
    {"words_failed",
     {.kind = "cancel", .ended_ms = NOW - 60000, .sent_ms = NOW - 90000, .outcome = "failed",
      .text = "no|permission\n"},
     "cancel failed 1m 0s ago: no/permission"},
    {"words_expired",
     {.kind = "cancel", .ended_ms = NOW, .sent_ms = NOW - 60000, .outcome = "expired", .text = "given up"},
     "cancel failed 0s ago: given up"},
    {"words_finished_tells_nothing", {.kind = "cancel", .ended_ms = NOW, .outcome = "finished"}, ""},
    {"words_superseded_tells_nothing", {.kind = "cancel", .ended_ms = NOW, .outcome = "superseded"}, ""},
};

static void words_row(void **state)
{
    const struct words_row *r = *state;
    char got[256];

    assert_string_equal(ib_journal_words(&r->row, NOW, got, sizeof got), r->want);
}

struct again_row {
    const char *name;
    struct ib_cancel_standing standing;
    struct ib_survey_detail now;
    bool attended, want;
    const char *words;
};
#define AS_IT_WAS {.looked = true, .has_first_start = true, .first_start_ms = 1000}
#define ENDED(how, ago) \
    {.kind = "cancel", .ended_ms = NOW - (ago), .outcome = (how), .text = "no", \
     .context = "{\"restartMs\":0,\"firstStartMs\":1000}"}
static const struct again_row again_rows[] = {
    {"again_without_any_record", {.has_last = false}, AS_IT_WAS, false, true, "none is under way, and none has failed"},
    {"again_after_one_that_was_cancelled", {.has_last = true, .last = ENDED("cancelled", 60000)}, AS_IT_WAS, false,
     true, "none is under way, and none has failed"},
    {"again_not_soon_after_a_refusal", {.has_last = true, .last = ENDED("failed", 60000)}, AS_IT_WAS, false, false,
     "it failed 1m 0s ago; an event or a sweep may ask again in 29m 0s, a call without an event now: no"},
    {"again_when_a_person_asks", {.has_last = true, .last = ENDED("failed", 60000)}, AS_IT_WAS, true, true,
     "one has failed 1m 0s ago, and a person asks: no"},
    {"again_half_an_hour_after_a_refusal", {.has_last = true, .last = ENDED("failed", 1800000)}, AS_IT_WAS, false,
     true, "one has failed 30m 0s ago: no"},
    {"again_never_what_aws_accepted_and_did_not_end",
     {.has_last = true, .last_accepted = true, .last = ENDED("expired", 90000000)}, AS_IT_WAS, false, false,
     "it failed 1d 1h ago; no event and no sweep asks again, a call without an event now: no"},
    {"again_what_was_accepted_when_a_person_asks",
     {.has_last = true, .last_accepted = true, .last = ENDED("expired", 60000)}, AS_IT_WAS, true, true,
     "one has failed 1m 0s ago, and a person asks: no"},
    {"again_what_was_put_back_to_work_since",
     {.has_last = true, .last_accepted = true, .last = ENDED("expired", 60000)},
     {.looked = true, .has_first_start = true, .first_start_ms = 1001}, false, true,
     "none is under way, and none has failed"},
    {"again_not_when_it_was_not_looked_at", {.has_last = true, .last = ENDED("failed", 60000)}, {.looked = false},
     false, false, "it failed 1m 0s ago; an event or a sweep may ask again in 29m 0s, a call without an event now: no"},
    {"again_not_after_a_failure_in_the_future", {.has_last = true, .last = ENDED("failed", -60000)}, AS_IT_WAS,
     false, false, "it failed 0s ago; an event or a sweep may ask again in 31m 0s, a call without an event now: no"},
    {"again_after_a_failure_far_in_the_future_for_the_clock_went_back",
     {.has_last = true, .last = ENDED("failed", -60001)}, AS_IT_WAS, false, true, "one has failed 0s ago: no"},
    {"again_at_once_when_nothing_ever_left", {.has_last = true, .last = ENDED("expired", 1000)}, AS_IT_WAS, false, true,
     "one has failed 1s ago: no"},
    {"again_beside_an_open_one", {.has_open = true, .open = {.kind = "cancel", .created_ms = NOW - 5000}}, AS_IT_WAS,
     false, true, "one is under way: cancel decided 5s ago, not confirmed"},
};

static void again_row(void **state)
{
    const struct again_row *r = *state;
    const struct ib_journal_cancel cancel = {.unattended = !r->attended, .retry_for_ms = 1800000};
    char words[256];

    assert_int_equal(ib_journal_may_again(&r->standing, &r->now, &cancel, NOW, words, sizeof words), r->want);
    assert_string_equal(words, r->words);
}

struct target_row {
    const char *name, *target, *context;
    enum ib_rc rc;
    const char *region, *profile;
    bool judged;            /* it must be stuck still, by: */
    const char *critical;
    uint32_t phase_seconds; /* of TESTING */
};
static const struct target_row target_rows[] = {
    {"target_by_name", "web", "{}", IB_OK, "eu-west-1", "of-file", true, "90m", 0},
    {"target_by_name_and_its_present_limits", "web", "{\"critical\":\"10m\",\"phases\":{},\"waiting\":\"WARNING\"}", IB_OK,
     "eu-west-1", "of-file", true, "90m", 0},
    {"target_by_name_of_any_age", "web", "{\"anyAge\":true}", IB_OK, "eu-west-1", "of-file", false, "90m", 0},
    {"target_of_arn_with_its_limits", "",
     "{\"region\":\"us-west-2\",\"critical\":\"10m\",\"phases\":{\"TESTING\":\"5m\"},\"waiting\":\"WARNING\"}",
     IB_OK, "us-west-2", NULL, true, "10m", 300},
    {"target_of_arn_of_any_age", "",
     "{\"region\":\"us-west-2\",\"critical\":\"10m\",\"phases\":{},\"waiting\":\"WARNING\",\"anyAge\":true}", IB_OK,
     "us-west-2", NULL, false, "10m", 0},
    {"target_of_arn_whose_limits_are_damaged", "",
     "{\"region\":\"us-west-2\",\"critical\":\"soon\",\"phases\":{},\"waiting\":\"WARNING\"}", IB_OK, "us-west-2", NULL,
     false, NULL, 0},
    {"target_by_name_reached_as_its_record_says", "web",
     "{\"region\":\"us-west-2\",\"profile\":\"p\"}", IB_OK, "us-west-2", "p", true, "90m", 0},
    {"target_that_is_no_more_by_its_record", "gone", "{\"region\":\"us-west-2\",\"profile\":\"p\"}",
     IB_OK, "us-west-2", "p", false, NULL, 0},
    {"target_of_arn_by_its_record", "", "{\"region\":\"us-west-2\"}", IB_OK, "us-west-2", NULL, false, NULL, 0},
    {"target_whose_record_holds_no_texts", "", "{\"region\":7}", IB_OK, NULL, NULL, false, NULL, 0},
    {"target_whose_record_is_damaged", "", "{broken", IB_EPARSE, NULL, NULL, false, NULL, 0},
    {"target_by_name_although_its_record_is_damaged", "web", "{broken", IB_OK, "eu-west-1", "of-file", true, "90m", 0},
};

static void target_row(void **state)
{
    const struct target_row *r = *state;
    static const char text[] = "targets: { web: { image = \"web\"; region = \"eu-west-1\";"
                               " profile = \"of-file\"; critical = \"90m\"; }; };";
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config config;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *context = NULL;
    struct ib_cancel_row row = {.id = 1};
    struct ib_target got = {0};

    ib_watch_config_init(&config);
    assert_ok(ib_watch_config_parse(IB_STR(text), "test.conf", &config, &err), &err);
    (void)snprintf(row.target, sizeof row.target, "%s", r->target);
    (void)snprintf(row.context, sizeof row.context, "%s", r->context);
    bool judged = false;
    assert_rc(ib_journal_target(&row, &config, &context, &got, &judged, &err), r->rc, &err);
    if (r->rc == IB_OK) {
        assert_int_equal(judged, r->judged);
        assert_string_equal(got.rules.age.crit.text, r->critical == NULL ? "" : r->critical);
        assert_int_equal(got.rules.phase[IB_IMAGE_TESTING].crit.end, r->phase_seconds);
        assert_int_equal(got.region == NULL, r->region == NULL);
        assert_int_equal(got.profile == NULL, r->profile == NULL);
        assert_string_equal(got.region == NULL ? "" : got.region, r->region == NULL ? "" : r->region);
        assert_string_equal(got.profile == NULL ? "" : got.profile, r->profile == NULL ? "" : r->profile);
    }
}

static void caller_is_kept_clean_and_short(void **state)
{
    (void)state;
    char big[5000], *argv[102];
    struct ib_journal_caller caller = {.program = "ib_cancel_action", .argc = 101, .argv = argv,
                                       .problem = "7\n[1] X"};

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    big[3] = '\n';
    for (int i = 0; i < 101; i++) {
        argv[i] = big;
    }
    argv[101] = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_journal_caller_value(&caller);
    const struct ib_value *arguments = ib_value_get_c(v, "arguments");
    assert_true(ib_value_count(arguments) == 64);
    struct ib_str first = ib_value_as_str(ib_value_at(arguments, 0));
    assert_true(first.n < 200);
    assert_null(memchr(first.p, '\n', first.n));
    struct ib_str problem = ib_value_as_str(ib_value_get_c(v, "problem"));
    assert_null(memchr(problem.p, '\n', problem.n));
}

static void no_secret_of_the_command_line_is_kept(void **state)
{
    static char *argv[] = {(char *)(uintptr_t)"ib_cancel_action", (char *)(uintptr_t)"--external-id",
                           (char *)(uintptr_t)"geheim", (char *)(uintptr_t)"--proxy=http://u:geheim@h",
                           (char *)(uintptr_t)"--external-id=geheim", (char *)(uintptr_t)"--endpoint-url",
                           (char *)(uintptr_t)"http://u:geheim@h", (char *)(uintptr_t)"-A", NULL};
    static const char *const wanted[] = {"--external-id", "(not kept)", "--proxy=(not kept)",
                                         "--external-id=(not kept)", "--endpoint-url", "(not kept)",
                                         "-A"};
    struct ib_journal_caller caller = {.program = "ib_cancel_action", .argc = 8, .argv = argv};

    (void)state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_journal_caller_value(&caller);
    const struct ib_value *arguments = ib_value_get_c(v, "arguments");
    assert_int_equal(ib_value_count(arguments), IB_ARRAY_LEN(wanted));
    for (size_t i = 0; i < IB_ARRAY_LEN(wanted); i++) {
        assert_true(ib_str_eq_c(ib_value_as_str(ib_value_at(arguments, i)), wanted[i]));
    }
}

static void without_a_journal_nothing_is_recorded(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_journal none = {0};
    struct ib_cancel_report report = {.outcome = IB_OUTCOME_REFUSED};
    struct act a;

    begin_act(&a, &none, WEB, "token-1");
    assert_null(a.hooks.before_send);
    assert_ok(ib_journal_finish(&a.cancel, &report, &err), &err);
    assert_int_equal(report.outcome, IB_OUTCOME_REFUSED);
}

/* --- memory that runs out ------------------------------------------------------------------------ */

static void no_request_without_record_whichever_allocation_fails(void **state)
{
    (void)state;
    size_t stopped = 0, n = 0;
    bool more = true;

    for (n = 1; more; n++) {
        struct ib_error err = IB_ERROR_INIT;
        struct ib_journal j = {0};
        struct act a;

        assert_true(n < 5000);
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(set_up(NULL), 0);
        ib_oom_arm(n);
        enum ib_rc rc = ib_journal_open(dir, false, BUSY_MS, &j, &err);
        bool opened = rc == IB_OK;
        if (opened) {
            begin_act(&a, &j, WEB, "token-1");
            rc = send_act(&a, &err);
        }
        more = ib_oom_disarm();
        if (rc == IB_OK) {
            /* The request leaves: then its token and its claim are there to be found. */
            assert_int_equal(ask("SELECT count(*) FROM cancels WHERE token = 'token-1' AND phase = 1"), 1);
            assert_int_equal(ask("SELECT count(*) FROM audit WHERE event IN ('claim', 'send')"), 2);
        } else {
            stopped++;
            assert_int_not_equal(rc, IB_EREFUSED); /* that would be a rule's word */
            assert_int_equal(opened ? ask("SELECT count(*) FROM cancels WHERE sent_ms <> 0") : 0, 0);
        }
        ib_journal_fini(&j);
    }
    assert_true(n > 10 && stopped > 0);
}

int main(void)
{
    WITH_DIR(token_and_claim_are_on_disk_before_the_request);
    WITH_DIR(second_try_uses_the_token_on_record);
    WITH_DIR(living_call_is_joined_and_a_dead_one_is_taken_over);
    ROWS_WITH_DIR(overtaken_rows, overtaken_row);
    WITH_DIR(end_in_the_future_overtakes_nothing);
    ROWS_WITH_DIR(budget_rows, budget_row);
    ROWS_WITH_DIR(end_rows, end_row);
    WITH_DIR(answer_that_is_a_refusal_is_on_record_with_its_code);
    WITH_DIR(refusal_of_every_try_takes_the_sending_back);
    WITH_DIR(cancel_whose_time_is_up_expires);
    WITH_DIR(write_after_another_took_over_is_told_and_changes_nothing);
    WITH_DIR(audit_lines_cannot_be_changed);
    WITH_DIR(old_rows_go_and_open_ones_stay_with_their_lines);
    ROWS_WITH_DIR(bad_rows, bad_row);
    WITH_DIR(reader_of_a_newer_journal_is_refused_too);
    WITH_DIR(journal_that_another_holds_stops_the_cancel_in_time);
    WITH_DIR(journal_that_cannot_grow_stops_the_cancel);
    WITH_DIR(directory_that_may_not_be_written_stops_the_cancel);
    WITH_DIR(arn_longer_than_a_row_holds_sends_nothing);
    IB_TEST_ROWS(superseded_rows, superseded_row);
    IB_TEST_ROWS(next_rows, next_row);
    IB_TEST_ROWS(again_rows, again_row);
    IB_TEST_ROWS(words_rows, words_row);
    IB_TEST_ROWS(target_rows, target_row);
    IB_TEST_CASE(caller_is_kept_clean_and_short);
    IB_TEST_CASE(no_secret_of_the_command_line_is_kept);
    IB_TEST_CASE(without_a_journal_nothing_is_recorded);
    WITH_DIR(no_request_without_record_whichever_allocation_fails);
    return IB_TEST_RUN();
}
