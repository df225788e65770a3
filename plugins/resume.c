/* SPDX-License-Identifier: MIT */
/* Finishing what was begun. */
#include "plugins/resume.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/start.h"
#include "plugins/recorded.h"

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
        return ib_fail(err, IB_EREFUSED, "given up: still %.*s, not confirmed within %s",
                       IB_STR_ARG(ib_str_head(build->image.status_text, 32)), a->after);
    }
    return a->inner.before_send(&a->record, build, decision, token, err);
}

static void after_send(void *ctx, const struct ib_error *answer, const char *request_id)
{
    struct attempt *a = ctx;

    a->inner.after_send(&a->record, answer, request_id);
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
    enum ib_rc rc = ib_journal_target(row, r->config, &context, &target, err);

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

/* The row is ours: run the document's branch with its token, and write what came of it. */
static enum ib_rc work_on(struct ib_resume *r, const struct ib_cancel_row *row,
                          struct ib_deadline until, struct ib_cancelled *done, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *context = NULL;
    struct ib_target target;
    struct ib_cancel_report *report = NULL;
    enum ib_rc rc = ib_journal_target(row, r->config, &context, &target, err);

    if (rc == IB_EPARSE) {
        return let_go(r, row, done, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    target.external_id = target.external_id == NULL ? r->external_id : target.external_id;
    target.proxy = target.proxy == NULL ? r->proxy : target.proxy;
    const struct ib_target *named = NULL;
    struct ib_error no_target = IB_ERROR_INIT;
    bool of_file = row->target[0] != '\0' &&
                   ib_watch_config_target(r->config, row->target, &named, &no_target) == IB_OK;
    /*
     * That it is stuck and within budgets was decided when it was claimed, and --allow with it. What the file
     * says by now counts: what it forbids is not asked for again.
     */
    struct ib_policy policy = {.any_age = true,
                               .age_from_creation = target.age_from_creation,
                               .states = target.cancel_states,
                               .enabled = !of_file || target.cancel_enabled,
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
                                .by_arn = !of_file,
                                .doc = r->doc,
                                .clients = r->clients,
                                .resume = a.next == IB_NEXT_SEND,
                                .deadline = until,
                                .confirm_ms = r->confirm_ms,
                                .hooks = {&a, before_send, after_send, seen, phase}};
    memcpy(job.token, row->token, sizeof row->token);
    rc = ib_cancelled_add(done, &r->config->defaults, &report, err);
    if (rc != IB_OK) {
        return rc;
    }
    ib_cancel_run(&job, report);
    r->taken++;
    if (report->outcome == IB_OUTCOME_UNTRIED && report->reads == 0 &&
        strcmp(report->error.aws_code, "ResourceNotFoundException") == 0) {
        /* It was there when it was claimed. */
        report->outcome = IB_OUTCOME_GONE;
        report->error = (struct ib_error)IB_ERROR_INIT;
        (void)snprintf(report->text, sizeof report->text,
                       "nothing to cancel any more: the build is gone");
    }
    struct ib_cancelled_item *item = &done->items[done->count - 1];
    bool gave_up = a.next == IB_NEXT_READ && report->outcome == IB_OUTCOME_REFUSED;
    if (!gave_up && row->sent_ms != 0 && report->decided &&
        report->decision.verdict == IB_POLICY_REFUSE) {
        /* Not asked for again, but the first request may still do it. */
        report->outcome = IB_OUTCOME_REQUESTED;
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
        int64_t age_ms = p->now_ms - row->created_ms;
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

enum ib_rc ib_resume_run(struct ib_resume *resume, struct ib_cancelled *done, struct ib_error *err)
{
    struct rows *rows = calloc(1, sizeof *rows);
    enum ib_rc rc = rows == NULL ? ib_fail_nomem(err)
                                 : ib_statedb_cancels(resume->journal->db, true, IB_RESUME_ROWS_MAX,
                                                      keep_row, rows, err);

    /* A row that cannot be worked on does not stop the others, nor does one whose build gives no answer. */
    for (size_t i = 0; rc == IB_OK && i < rows->count; i++) {
        struct ib_cancel_row row;
        enum ib_claim_result result;
        if (ib_deadline_left_ms(&resume->deadline) < IB_SECOND_MS) {
            break;
        }
        rc = ib_statedb_take(resume->journal->db, rows->items[i].id, &resume->journal->self,
                             ib_time_now_ms(), &result, &row, err);
        if (rc == IB_OK && result == IB_CLAIM_TAKEN_OVER) {
            struct ib_deadline until = share_of(resume, rows->count - i);
            bool start = strcmp(row.kind, IB_CANCEL_KIND) != 0;
            rc = start ? start_on(resume, &row, until, done, err)
                       : work_on(resume, &row, until, done, err);
            resume->settled += rc == IB_OK ? 1 : 0;
        }
    }
    free(rows);
    if (rc != IB_OK) {
        return rc;
    }
    struct picture picture = {.resume = resume, .now_ms = ib_time_now_ms()};
    rc = ib_statedb_cancels(resume->journal->db, false, 1000, count_row, &picture, err);
    return rc;
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
    return resume->failed > 0 ? IB_STATE_CRITICAL : state;
}

void ib_resume_text(const struct ib_resume *resume, struct ib_output *out)
{
    if (resume->failed > 0) {
        ib_output_text(out, "%zu cancel%s failed within the last hour: %s", resume->failed,
                       resume->failed == 1 ? "" : "s", resume->worst);
    } else if (resume->open > 0) {
        ib_output_text(out, "%zu cancel%s not confirmed yet: %s", resume->open,
                       resume->open == 1 ? "" : "s", resume->worst);
    } else if (resume->starts_failed + resume->starts_open > 0) {
        ib_output_text(out, "%zu start%s after a cancel not made: %s",
                       resume->starts_failed + resume->starts_open,
                       resume->starts_failed + resume->starts_open == 1 ? "" : "s",
                       resume->worst_start);
    } else {
        ib_output_text(out, "no cancel is open");
    }
    if (resume->taken > 0) {
        ib_output_more(out, " (%zu taken up)", resume->taken);
    }
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
