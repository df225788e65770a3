/* SPDX-License-Identifier: MIT */
/* Keeping the record of a run. */
#include "plugins/recorded.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/record.h"
#include "lib/plugin/start.h"

enum ib_rc ib_recorded_open(const struct ib_recorded_options *options, struct ib_recorded *ret,
                            struct ib_error *err)
{
    struct ib_error why = IB_ERROR_INIT;

    ret->options = *options;
    if (options->no_journal) {
        return IB_OK;
    }
    enum ib_rc rc = ib_journal_open(options->state_dir, options->read_only, options->busy_ms,
                                    &ret->journal, &why);
    if (rc != IB_OK && options->read_only) {
        /* Nothing will be sent: a journal that is not there or may not be read counts as empty. */
        ib_journal_fini(&ret->journal);
        return IB_OK;
    }
    if (rc != IB_OK) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    ret->caller = ib_journal_caller_value(&options->caller);
    return IB_OK;
}

void ib_recorded_fini(struct ib_recorded *recorded)
{
    ib_journal_fini(&recorded->journal);
    ib_value_unref(recorded->caller);
    recorded->caller = NULL;
}

static void on_phase(void *ctx, bool sent, const char *what)
{
    const struct ib_journal_cancel *record = ctx;

    ib_start_phase(sent, "%s (%s)", what, record->arn);
}

enum ib_rc ib_recorded_attach(struct ib_recorded *recorded, struct ib_cancelled *done,
                              struct ib_cancel_job *job, struct ib_error *err)
{
    struct ib_journal_cancel *record = calloc(1, sizeof *record);
    enum ib_rc rc = IB_OK;

    if (record == NULL) {
        return ib_fail_nomem(err);
    }
    done->items[done->count - 1].record = record;
    record->journal = &recorded->journal;
    record->policy = job->policy;
    record->target = job->target;
    record->problem = recorded->options.caller.problem;
    record->caller = recorded->caller;
    record->begun_ms = ib_time_now_ms();
    (void)ib_text_copy(record->arn, sizeof record->arn, job->arn);
    if (recorded->journal.db != NULL) {
        rc = ib_statedb_count(recorded->journal.db,
                              job->target->name == NULL ? "" : job->target->name, ib_time_now_ms(),
                              &job->target_last_hour, &job->total_last_hour, err);
    }
    job->hooks = ib_journal_hooks(record);
    if (recorded->options.read_only) {
        job->hooks = (struct ib_cancel_hooks){.ctx = record};
    }
    job->hooks.phase = on_phase;
    return rc;
}

void ib_recorded_rejoin(const struct ib_cancelled_item *item, struct ib_cancel_job *job)
{
    job->hooks = (struct ib_cancel_hooks){0};
    if (item->record != NULL) {
        job->hooks = ib_journal_hooks(item->record);
        job->hooks.phase = on_phase;
    }
}

/* One line per decision in syslog. */
static void log_one(const struct ib_recorded *recorded, const struct ib_cancel_report *r)
{
    bool problem = ib_outcome_state(r->outcome) != IB_STATE_OK;

    ib_record(recorded->options.facility, recorded->options.tag, problem,
              "%s %s: %s%s%s%s%s uid=%u%s%s", ib_outcome_name(r->outcome), r->arn, r->text,
              r->token[0] == '\0' ? "" : " token=", r->token,
              r->request_id[0] == '\0' ? "" : " request=", r->request_id, (unsigned)getuid(),
              recorded->options.caller.problem == NULL ? "" : " problem=",
              recorded->options.caller.problem == NULL ? "" : recorded->options.caller.problem);
}

static void note_open(struct ib_cancel_report *r)
{
    static const char hint[] = "; --resume goes on with it";
    size_t used = strlen(r->text);

    if ((r->outcome == IB_OUTCOME_REQUESTED || r->outcome == IB_OUTCOME_UNKNOWN ||
         r->outcome == IB_OUTCOME_UNTRIED) &&
        used + sizeof hint <= sizeof r->text) {
        memcpy(r->text + used, hint, sizeof hint);
    }
}

void ib_recorded_finish(struct ib_recorded *recorded, struct ib_cancelled *done)
{
    for (size_t i = 0; i < done->count; i++) {
        struct ib_cancelled_item *item = &done->items[i];
        struct ib_error err = IB_ERROR_INIT;
        bool owned = item->record != NULL && item->record->standing == IB_STANDING_OWNED;

        if (item->record != NULL && !recorded->options.read_only) {
            if (ib_journal_finish(item->record, &item->report, &err) != IB_OK) {
                done->journal_trouble = err;
            } else if (item->record->trouble.rc != IB_OK) {
                done->journal_trouble = item->record->trouble;
            }
        }
        if (owned) {
            note_open(&item->report);
        }
        log_one(recorded, &item->report);
    }
}

void ib_recorded_prune(struct ib_recorded *recorded, int64_t keep_ms)
{
    struct ib_error ignored = IB_ERROR_INIT;

    if (recorded->journal.db == NULL || recorded->options.read_only ||
        ib_statedb_prune(recorded->journal.db, ib_time_now_ms() - keep_ms, &ignored) != IB_OK) {
        return; /* another run will */
    }
}

/* Did this run change or find out something that the service should show now? */
static const struct ib_cancel_report *newsworthy(const struct ib_cancelled *done)
{
    const struct ib_cancel_report *best = NULL;

    for (size_t i = 0; i < done->count; i++) {
        const struct ib_cancel_report *r = &done->items[i].report;
        bool news = r->sent || r->outcome == IB_OUTCOME_NOTHING || r->outcome == IB_OUTCOME_GONE;
        if (news && (best == NULL || (r->sent && !best->sent))) {
            best = r;
        }
    }
    return best;
}

void ib_recorded_tell(const struct ib_told *told, const struct ib_feedback *where,
                      const struct ib_cancelled *done, const struct ib_deadline *deadline,
                      struct ib_output *out)
{
    const struct ib_cancel_report *news = newsworthy(done);
    struct ib_error err = IB_ERROR_INIT;
    char comment[IB_FEEDBACK_COMMENT_MAX];
    enum ib_rc rc;

    if (told->recheck == IB_SCHEDULER_NONE || news == NULL) {
        return;
    }
    (void)snprintf(comment, sizeof comment, "%s: %.400s %.300s", ib_outcome_name(news->outcome),
                   news->text, news->arn);
    struct ib_feedback_event event = {told->host, told->service, told->comment ? comment : NULL,
                                      true};
    if (told->recheck == IB_SCHEDULER_ICINGA) {
        rc = ib_feedback_icinga(where, &event, deadline, &err);
    } else {
        rc = ib_feedback_nagios(where, &event, ib_time_now_ms(), &err);
    }
    if (rc == IB_OK) {
        ib_output_line(out, "asked for a new check of %s on %s%s", told->service, told->host,
                       told->comment ? ", and left a comment" : "");
    } else {
        ib_output_line(out, "could not ask for a new check: %s", err.text);
    }
}
