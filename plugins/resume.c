/* SPDX-License-Identifier: MIT */
/* Finishing what was begun. */
#include "plugins/resume.h"

#include "lib/aws/arn.h"
#include "lib/aws/caller.h"
#include "lib/aws/retry.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/start.h"
#include "lib/sys/signals.h"
#include "plugins/recorded.h"

#define LEAST_MS   (IB_SECOND_MS / 2) /* with less, no row is taken up */
#define ROW_MIN_MS (3 * IB_SECOND_MS) /* one row may take so long, however many wait */

struct rows {
    struct ib_cancel_row items[IB_RESUME_ROWS_MAX];
    size_t count;
};

static bool keep_row(void *ctx, const struct ib_cancel_row *row)
{
    struct rows *r = ctx;

    r->items[r->count++] = *row;
    return r->count < IB_RESUME_ROWS_MAX;
}

/* One row under way: the record's hooks with words for the watchdog and the end of its time. */
struct attempt {
    struct ib_journal_cancel record;
    struct ib_cancel_hooks inner;
    enum ib_journal_next next;
    char after[IB_TIME_TEXT_MAX];
};

static enum ib_rc before_send(void *ctx, const struct ib_survey_build *build,
                              const struct ib_policy_decision *decision,
                              char token[IB_CANCEL_TOKEN_MAX], struct ib_error *err)
{
    struct attempt *a = ctx;

    if (a->next == IB_NEXT_READ) {
        return ib_fail(err, IB_EREFUSED, "given up: still %.*s, %s within %s",
                       IB_STR_ARG(ib_str_head(build->image.status_text, 32)),
                       a->record.row.sent_ms == 0 ? "could not be asked for" : "not confirmed", a->after);
    }
    if (a->next == IB_NEXT_WAIT) {
        return ib_fail(err, IB_ESYS, "not tried: by this host's clock the cancel was decided in the future, so its "
                                     "time cannot be told; see to the time service");
    }
    return a->inner.before_send(&a->record, build, decision, token, err);
}

static void after_send(void *ctx, const struct ib_error *answer, bool refused, const char *request_id)
{
    struct attempt *a = ctx;

    a->inner.after_send(&a->record, answer, refused, request_id);
}

static void seen(void *ctx, const struct ib_image *image)
{
    struct attempt *a = ctx;

    a->inner.seen(&a->record, image);
}

static void phase(void *ctx, bool sent, const char *what)
{
    const struct attempt *a = ctx;

    ib_start_phase(sent, "%s (%s)", what, a->record.arn);
}

/* What the row says about its build cannot be read: that is no reason to leave the others. */
static enum ib_rc let_go(struct ib_resume *r, const struct ib_cancel_row *row,
                         struct ib_cancelled *done, struct ib_error *err)
{
    struct ib_cancel_report *report = NULL;
    struct ib_error why = *err;

    (void)ib_error_context(&why, "not tried");
    enum ib_rc rc = ib_cancelled_add(done, &r->config->defaults, &report, err);
    if (rc == IB_OK) {
        report->outcome = IB_OUTCOME_UNTRIED;
        (void)ib_text_copy(report->arn, sizeof report->arn, ib_str_from(row->arn));
        (void)ib_text_copy(report->text, sizeof report->text, ib_str_from(why.text));
        rc = ib_statedb_release(r->journal->db, row->id, &r->journal->self, ib_time_now_ms(), err);
    }
    return rc;
}

static struct ib_follow_job follow_job(const struct ib_resume *r, const struct ib_target *target,
                                       struct ib_deadline until)
{
    return (struct ib_follow_job){.target = target,
                                  .clients = r->clients,
                                  .deadline = until,
                                  .within_ms = r->config->retry_for_ms};
}

/* A start that was left open: its cancel has ended long ago. */
static enum ib_rc start_on(struct ib_resume *r, const struct ib_cancel_row *row,
                           struct ib_deadline until, struct ib_cancelled *done,
                           struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *context = NULL;
    struct ib_target target;
    struct ib_cancel_report *report = NULL;
    bool judged = false;
    enum ib_rc rc = ib_journal_target(row, r->config, &context, &target, &judged, err);

    if (rc == IB_EPARSE) {
        return let_go(r, row, done, err);
    }
    if (rc == IB_OK) {
        rc = ib_cancelled_add(done, &r->config->defaults, &report, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    target.external_id = target.external_id == NULL ? r->external_id : target.external_id;
    target.proxy = target.proxy == NULL ? r->proxy : target.proxy;
    struct ib_journal_cancel record = {.journal = r->journal, .followed = true, .start = *row};
    struct ib_follow_job job = follow_job(r, &target, until);
    job.withdrawn = target.after_cancel != ib_follow_kind(row->kind);
    report->outcome = IB_OUTCOME_NOTHING;
    (void)ib_text_copy(report->arn, sizeof report->arn, ib_str_from(row->arn));
    (void)snprintf(report->text, sizeof report->text, "was cancelled before");
    r->taken++;
    return ib_recorded_follow(&record, &job, &done->items[done->count - 1], err);
}

/*
 * There is no such build, says AWS. It was there when it was claimed, and whoever asks with the credentials of another
 * account may get the same answer: gone it is for its own account alone.
 */
static void say_gone(const struct ib_resume *r, const struct ib_target *target, struct ib_deadline until,
                     struct ib_cancel_report *report)
{
    struct ib_aws_options options = ib_survey_aws_options(target);
    struct ib_aws_client *client = NULL;
    struct ib_aws_caller caller;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_arn arn;

    ib_clients_until(r->clients, until);
    enum ib_rc rc = ib_arn_parse(ib_str_from(report->arn), "ARN", &arn, &err);
    if (rc == IB_OK) {
        rc = ib_clients_get(r->clients, &options, &client, &err);
    }
    if (rc == IB_OK) {
        rc = ib_aws_caller(client, arn.region, &caller, &err);
    }
    ib_clients_until_end(r->clients);
    if (rc == IB_OK && strcmp(caller.account, arn.account) == 0) {
        report->outcome = IB_OUTCOME_GONE;
        report->error = (struct ib_error)IB_ERROR_INIT;
        (void)snprintf(report->text, sizeof report->text, "nothing to cancel any more: the build is gone");
    } else if (rc == IB_OK) {
        (void)snprintf(report->text, sizeof report->text,
                       "not tried: account %.20s, whose credentials these are, knows no such build; it is of account %.20s",
                       caller.account, arn.account);
    }
}

/* Its time is up and it cannot be read: because AWS says no, or for a day. */
static bool is_past_hope(const struct ib_cancel_row *row, const struct ib_cancel_report *report)
{
    bool said_no = report->error.aws_code[0] != '\0' && report->error.http_status < 500 &&
                   !ib_retry_may_pass(&report->error);

    return said_no || ib_time_now_ms() - row->created_ms > IB_DAY_MS;
}

/* The row is ours: run the document's branch with its token, and write what came of it. */
static enum ib_rc work_on(struct ib_resume *r, const struct ib_cancel_row *row,
                          struct ib_deadline until, struct ib_cancelled *done, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *context = NULL;
    struct ib_target target;
    struct ib_cancel_report *report = NULL;
    bool judged = false;
    enum ib_rc rc = ib_journal_target(row, r->config, &context, &target, &judged, err);

    if (rc == IB_EPARSE) {
        return let_go(r, row, done, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    /* As long as no request can have arrived, it must be stuck still, and old enough. */
    judged = judged && row->sent_ms == 0;
    target.external_id = target.external_id == NULL ? r->external_id : target.external_id;
    target.proxy = target.proxy == NULL ? r->proxy : target.proxy;
    const struct ib_target *named = NULL;
    struct ib_error no_target = IB_ERROR_INIT;
    bool by_target = row->target[0] != '\0';
    bool of_file =
        by_target && ib_watch_config_target(r->config, row->target, &named, &no_target) == IB_OK;
    /*
     * That it is within budgets was decided when it was claimed, and --allow with it. What the file says by now
     * counts: what it forbids, or enables no more, is not asked for again.
     */
    struct ib_policy policy = {.any_age = !judged,
                               .minimum_age_ms = judged ? target.minimum_age_ms : 0,
                               .age_from_creation = target.age_from_creation,
                               .states = target.cancel_states,
                               .enabled = !by_target || (of_file && target.cancel_enabled),
                               .file_allow = r->config->has_allow ? &r->config->allow : NULL,
                               .max_cancel = 1,
                               .target_per_hour = -1,
                               .total_per_hour = -1};
    struct attempt a = {.record = {.journal = r->journal,
                                   .policy = &policy,
                                   .target = &target,
                                   .problem = row->problem,
                                   .caller = r->caller,
                                   .standing = IB_STANDING_OWNED,
                                   .row = *row},
                        .next = ib_journal_next(row, ib_time_now_ms(), r->config->retry_for_ms)};
    a.record.follow = (struct ib_follow_rules){.kind = target.after_cancel,
                                               .target_per_hour = target.max_per_hour,
                                               .total_per_hour = r->config->max_per_hour,
                                               .within_ms = r->config->retry_for_ms};
    memcpy(a.record.arn, row->arn, sizeof a.record.arn);
    a.inner = ib_journal_hooks(&a.record);
    (void)ib_duration_fmt(r->config->retry_for_ms, a.after, sizeof a.after);
    (void)ib_text_copy(a.record.status, sizeof a.record.status, ib_str_from(row->status));
    struct ib_cancel_job job = {.arn = ib_str_from(row->arn),
                                .target = &target,
                                .policy = &policy,
                                .by_arn = !by_target,
                                .doc = r->doc,
                                .clients = r->clients,
                                .resume = a.next != IB_NEXT_READ,
                                .deadline = until,
                                .confirm_ms = r->confirm_ms,
                                .hooks = {.ctx = &a,
                                          .before_send = before_send,
                                          .after_send = after_send,
                                          .seen = seen,
                                          .phase = phase}};
    memcpy(job.token, row->token, sizeof row->token);
    rc = ib_cancelled_add(done, &r->config->defaults, &report, err);
    if (rc != IB_OK) {
        return rc;
    }
    rc = ib_statedb_begun_after(r->journal->db, row->arn, &job.begun_after_ms, err);
    if (rc != IB_OK) {
        return rc;
    }
    ib_cancel_run(&job, report);
    r->taken++;
    if (report->outcome == IB_OUTCOME_UNTRIED && report->reads == 0 &&
        strcmp(report->error.aws_code, "ResourceNotFoundException") == 0) {
        say_gone(r, &target, until, report);
    }
    struct ib_cancelled_item *item = &done->items[done->count - 1];
    /* What nothing has left for, and a rule forbids by now, is withdrawn at any time. */
    bool withdrawn = row->sent_ms == 0 && report->decided && report->decision.verdict == IB_POLICY_REFUSE;
    bool gave_up = a.next == IB_NEXT_READ && report->outcome == IB_OUTCOME_REFUSED && !withdrawn;
    if (a.next == IB_NEXT_READ && report->outcome == IB_OUTCOME_UNTRIED && is_past_hope(row, report)) {
        char why[IB_ERROR_TEXT_MAX];
        (void)ib_text_copy(why, sizeof why, ib_str_from(report->text));
        (void)snprintf(report->text, sizeof report->text, "given up after %s, it cannot be read: %.400s",
                       a.after, why);
        report->outcome = IB_OUTCOME_REFUSED;
        gave_up = true;
    }
    /* A cancel that was confirmed at the last moment still has what follows it. */
    struct ib_deadline after =
        ib_deadline_min(r->deadline, ib_deadline_in(ib_deadline_left_ms(&until) + ROW_MIN_MS));
    rc = gave_up ? ib_journal_expire(&a.record, report, err)
                 : ib_journal_finish(&a.record, report, err);
    if (rc == IB_OK && !gave_up && row->sent_ms + report->sent_ms != 0) {
        ib_recorded_look_behind(r->journal->db, &target, r->clients, after, item);
    }
    if (rc == IB_OK) {
        struct ib_follow_job follow = follow_job(r, &target, after);
        rc = ib_recorded_follow(&a.record, &follow, item, err);
    }
    if (rc == IB_OK && a.record.trouble.rc != IB_OK) {
        *err = a.record.trouble;
        rc = a.record.trouble.rc;
    }
    return rc;
}

/* --- the picture afterwards ----------------------------------------------------------------------
 */

struct picture {
    struct ib_resume *resume;
    int64_t now_ms;
    bool has_failure;
};

/* Newest first: the sentence is about the newest. */
static void count_start(const struct picture *p, const struct ib_cancel_row *row)
{
    struct ib_resume *r = p->resume;
    char words[256];
    bool open = row->ended_ms == 0;
    bool counts = open || (strcmp(row->outcome, "started") != 0 &&
                           p->now_ms - row->ended_ms <= IB_RESUME_RECENT_MS);

    if (counts && r->worst_start[0] == '\0') {
        (void)snprintf(r->worst_start, sizeof r->worst_start, "%.200s: %s", row->arn,
                       ib_journal_words(row, p->now_ms, words, sizeof words));
    }
    r->starts_open += open ? 1 : 0;
    r->starts_failed += counts && !open ? 1 : 0;
}

static bool count_row(void *ctx, const struct ib_cancel_row *row)
{
    struct picture *p = ctx;
    struct ib_resume *r = p->resume;
    char words[256];

    if (strcmp(row->kind, IB_CANCEL_KIND) != 0) {
        count_start(p, row);
        return true;
    }
    if (row->ended_ms == 0) {
        int64_t age_ms = p->now_ms > row->created_ms ? p->now_ms - row->created_ms : 0;
        r->open++;
        if (age_ms >= r->oldest_ms) {
            r->oldest_ms = age_ms;
            if (!p->has_failure) {
                (void)snprintf(r->worst, sizeof r->worst, "%.200s: %s", row->arn,
                               ib_journal_words(row, p->now_ms, words, sizeof words));
            }
        }
        return true;
    }
    if (ib_journal_failed(row) && p->now_ms - row->ended_ms <= IB_RESUME_RECENT_MS) {
        r->failed++;
        if (!p->has_failure) {
            p->has_failure = true;
            (void)snprintf(r->worst, sizeof r->worst, "%.200s: %s", row->arn,
                           ib_journal_words(row, p->now_ms, words, sizeof words));
        }
    }
    return true;
}

/* What one row may take: a build that never ends must not use up the time of those behind it. */
static struct ib_deadline share_of(const struct ib_resume *r, size_t rows_left)
{
    int64_t share_ms = ib_deadline_left_ms(&r->deadline) / (int64_t)rows_left;

    return ib_deadline_min(r->deadline, ib_deadline_in(share_ms < ROW_MIN_MS ? ROW_MIN_MS : share_ms));
}

static enum ib_rc take_up(struct ib_resume *r, const struct rows *rows, struct ib_cancelled *done,
                          struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    /* A row that cannot be worked on does not stop the others, nor does one whose build gives no answer. */
    for (size_t i = 0; rc == IB_OK && i < rows->count; i++) {
        struct ib_cancel_row row;
        enum ib_claim_result result;
        if (ib_deadline_left_ms(&r->deadline) < LEAST_MS || ib_signals_stop_requested()) {
            break;
        }
        rc = ib_statedb_take(r->journal->db, rows->items[i].id, &r->journal->self, ib_time_now_ms(),
                             r->caller, &result, &row, err);
        if (rc == IB_OK && result == IB_CLAIM_TAKEN_OVER) {
            struct ib_deadline until = share_of(r, rows->count - i);
            bool start = strcmp(row.kind, IB_CANCEL_KIND) != 0;
            rc = start ? start_on(r, &row, until, done, err) : work_on(r, &row, until, done, err);
            r->settled += rc == IB_OK ? 1 : 0;
        }
    }
    return rc;
}

enum ib_rc ib_resume_run(struct ib_resume *resume, struct ib_cancelled *done, struct ib_error *err)
{
    struct ib_error trouble = IB_ERROR_INIT;

    if (resume->journal->db == NULL) {
        return IB_OK; /* a dry run, and no journal yet: nothing is open */
    }
    if (!resume->dry_run) {
        struct rows *rows = calloc(1, sizeof *rows);
        trouble.rc = rows == NULL ? ib_fail_nomem(&trouble)
                                  : ib_statedb_open_rows(resume->journal->db, IB_RESUME_ROWS_MAX, keep_row,
                                                         rows, &trouble);
        if (trouble.rc == IB_OK) {
            trouble.rc = take_up(resume, rows, done, &trouble);
        }
        free(rows);
    }
    struct picture picture = {.resume = resume, .now_ms = ib_time_now_ms()};
    enum ib_rc rc = ib_statedb_recent_rows(resume->journal->db, picture.now_ms - IB_RESUME_RECENT_MS,
                                           count_row, &picture, err);
    if (trouble.rc == IB_OK) {
        return rc;
    }
    if (done->count > 0) {
        done->journal_trouble = trouble; /* what was done before is told all the same */
        return IB_OK;
    }
    if (err != NULL) {
        *err = trouble;
    }
    return trouble.rc;
}

enum ib_state ib_resume_state(const struct ib_resume *resume, const struct ib_cancelled *done)
{
    bool warn = resume->open > 0 || resume->starts_open > 0 || resume->starts_failed > 0;
    enum ib_state state = warn ? IB_STATE_WARNING : IB_STATE_OK;

    for (size_t i = 0; i < done->count; i++) {
        if (done->items[i].report.outcome == IB_OUTCOME_UNTRIED) {
            state = ib_state_worst(state, IB_STATE_UNKNOWN);
        }
    }
    if (done->journal_trouble.rc != IB_OK || done->unrecordable.rc != IB_OK) {
        state = ib_state_worst(state, IB_STATE_UNKNOWN);
    }
    return resume->failed > 0 ? IB_STATE_CRITICAL : state;
}

const char *ib_resume_words(const struct ib_resume *resume, char *buf, size_t cap)
{
    size_t starts = resume->starts_failed + resume->starts_open;
    char taken[64] = "";

    if (resume->dry_run) {
        (void)snprintf(taken, sizeof taken, " (dry run: nothing taken up)");
    } else if (resume->taken > 0) {
        (void)snprintf(taken, sizeof taken, " (%zu taken up)", resume->taken);
    }
    if (resume->failed > 0) {
        (void)snprintf(buf, cap, "%zu cancel%s failed within the last hour: %s%s", resume->failed,
                       resume->failed == 1 ? "" : "s", resume->worst, taken);
    } else if (resume->open > 0) {
        (void)snprintf(buf, cap, "%zu cancel%s not confirmed yet: %s%s", resume->open,
                       resume->open == 1 ? "" : "s", resume->worst, taken);
    } else if (starts > 0) {
        (void)snprintf(buf, cap, "%zu start%s after a cancel not made: %s%s", starts, starts == 1 ? "" : "s",
                       resume->worst_start, taken);
    } else {
        (void)snprintf(buf, cap, "no cancel is open%s", taken);
    }
    return buf;
}

void ib_resume_perf(const struct ib_resume *resume, struct ib_output *out)
{
    const struct ib_perf perfs[] = {
        {.label = "open", .value = (double)resume->open, .has_min = true},
        {.label = "failed", .value = (double)resume->failed, .has_min = true},
        {.label = "oldest",
         .value = (double)(resume->oldest_ms / IB_SECOND_MS),
         .uom = IB_UOM_SECONDS,
         .has_min = true},
        {.label = "starts_open", .value = (double)resume->starts_open, .has_min = true},
        {.label = "starts_failed", .value = (double)resume->starts_failed, .has_min = true},
    };
    for (size_t i = 0; i < IB_ARRAY_LEN(perfs); i++) {
        ib_output_perf(out, &perfs[i]);
    }
}

struct ib_cancelled_sums ib_resume_sums(const struct ib_resume *resume)
{
    return (struct ib_cancelled_sums){.are_set = true,
                                      .taken = resume->taken,
                                      .open = resume->open,
                                      .failed = resume->failed,
                                      .oldest_ms = resume->oldest_ms,
                                      .starts_open = resume->starts_open,
                                      .starts_failed = resume->starts_failed};
}
