/* SPDX-License-Identifier: MIT */
/* Keeping the record of a run. */
#include "plugins/recorded.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/record.h"
#include "lib/plugin/start.h"
#include "lib/sys/signals.h"

#define BEHIND_MS (3 * IB_SECOND_MS)

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
    if (rc == IB_OK) {
        ib_statedb_until(ret->journal.db, options->deadline);
    }
    if (rc != IB_OK && options->read_only) {
        /* None yet is an empty one. Any other keeps the real run from sending anything. */
        if (rc != IB_ENOENT) {
            ret->unrecordable = why;
        }
        ib_journal_fini(&ret->journal);
    }
    if (options->read_only) {
        if (ret->unrecordable.rc == IB_OK) {
            ret->unrecordable.rc = ib_statedb_may_write(options->state_dir, &ret->unrecordable);
        }
        bool is_wrong = ret->unrecordable.rc == IB_ENOENT || ret->unrecordable.rc == IB_ECONFIG;
        if (is_wrong && err != NULL) {
            *err = ret->unrecordable; /* a name that is wrong, and no passing state of this machine */
        }
        return is_wrong ? ret->unrecordable.rc : IB_OK;
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
    record->unattended = recorded->options.unattended;
    record->retry_for_ms = recorded->options.retry_for_ms;
    record->distributing_said = recorded->options.distributing;
    record->follow_said = recorded->options.after_cancel >= 0;
    enum ib_after_cancel kind = record->follow_said
                                    ? (enum ib_after_cancel)recorded->options.after_cancel
                                    : job->target->after_cancel;
    record->follow = (struct ib_follow_rules){.kind = kind,
                                              .target_per_hour = job->policy->target_per_hour,
                                              .total_per_hour = job->policy->total_per_hour,
                                              .within_ms = recorded->options.retry_for_ms};
    (void)ib_text_copy(record->arn, sizeof record->arn, job->arn);
    if (recorded->journal.db != NULL) {
        rc = ib_statedb_count(recorded->journal.db,
                              job->target->name == NULL ? "" : job->target->name, record->arn,
                              ib_time_now_ms(), &job->target_last_hour, &job->total_last_hour, err);
    }
    if (recorded->journal.db != NULL && rc == IB_OK) {
        rc = ib_statedb_begun_after(recorded->journal.db, record->arn, &job->begun_after_ms, err);
    }
    job->hooks = ib_journal_hooks(record);
    if (recorded->options.read_only) {
        /* What this run would have asked for before counts as if it had. */
        for (size_t i = 0; i + 1 < done->count; i++) {
            const struct ib_cancelled_item *item = &done->items[i];
            bool would = item->report.outcome == IB_OUTCOME_DRY_RUN;
            job->total_last_hour += would ? 1 : 0;
            job->target_last_hour += would && item->target == job->target ? 1 : 0;
        }
        job->hooks = (struct ib_cancel_hooks){.ctx = record, .once = job->hooks.once};
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

static void note_open(const struct ib_recorded *recorded, struct ib_cancel_report *r)
{
    const char *hint = recorded->options.detach ? "; a background process goes on with it"
                                                : "; --resume goes on with it";
    size_t used = strlen(r->text), n = strlen(hint) + 1;

    if ((r->outcome == IB_OUTCOME_REQUESTED || r->outcome == IB_OUTCOME_UNKNOWN ||
         r->outcome == IB_OUTCOME_UNTRIED || r->may_pass) &&
        used + n <= sizeof r->text) {
        memcpy(r->text + used, hint, n);
    }
}

/* A dry run beside a cancel that is open: the real call would join it, or go on with it. */
static void note_under_way(struct ib_statedb *db, struct ib_cancelled_item *item)
{
    struct ib_cancel_standing standing;
    struct ib_error ignored = IB_ERROR_INIT;
    char raw[2 * IB_ERROR_TEXT_MAX], words[256];

    if (item->report.outcome != IB_OUTCOME_DRY_RUN ||
        ib_statedb_standing(db, item->record->arn, &standing, &ignored) != IB_OK || !standing.has_open) {
        return;
    }
    (void)snprintf(raw, sizeof raw, "%s; one is under way: %s", item->report.text,
                   ib_journal_words(&standing.open, ib_time_now_ms(), words, sizeof words));
    (void)ib_text_plugin(raw, strlen(raw), item->report.text, sizeof item->report.text);
}

static void on_follow_phase(void *ctx, bool sent, const char *what)
{
    const struct ib_cancel_row *row = ctx;

    ib_start_phase(sent, "%s (%s)", what, row->arn);
}

enum ib_rc ib_recorded_follow(struct ib_journal_cancel *record, struct ib_follow_job *job,
                              struct ib_cancelled_item *item, struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    if (!record->followed) {
        return IB_OK;
    }
    if (record->start.ended_ms != 0) {
        ib_follow_say(&item->follow, IB_FOLLOW_REFUSED, ib_follow_kind(record->start.kind),
                      record->start.text);
    } else {
        job->db = record->journal->db;
        job->self = &record->journal->self;
        job->row = &record->start;
        job->phase = on_follow_phase;
        job->ctx = &record->start;
        rc = ib_follow_run(job, &item->follow, err);
    }
    ib_cancelled_note_follow(item);
    return rc;
}

void ib_recorded_look_behind(struct ib_statedb *db, const struct ib_target *target,
                             struct ib_clients *clients, struct ib_deadline deadline,
                             struct ib_cancelled_item *item)
{
    IB_CLEANUP(ib_members_fini) struct ib_members members = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    const struct ib_image *image = &item->report.build.image;
    int64_t within_ms = ib_deadline_left_ms(&deadline) / 3;
    struct ib_image_ami ami;
    struct ib_error ignored = IB_ERROR_INIT;

    if (image->value == NULL || image->status != IB_IMAGE_CANCELLED || ib_signals_stop_requested()) {
        return;
    }
    item->looked_behind = true;
    ib_start_phase(true, "looking for what it left behind (%s)", item->report.arn);
    ib_behind_look(target, clients, image, within_ms < BEHIND_MS ? within_ms : BEHIND_MS,
                   &item->left);
    bool any = item->left.instance_count + item->left.image_count > 0 ||
               ib_image_ami_at(image, 0, &ami);
    if (db == NULL || !any) {
        return;
    }
    ib_cancelled_left_members(item, &members);
    if (ib_members_take(&members, &v, &ignored) != IB_OK ||
        ib_statedb_audit(db, ib_time_now_ms(), item->report.arn, "left-behind", v, &ignored) !=
            IB_OK) {
        return; /* it is printed; a journal that fails is told where it matters */
    }
}

/* Nothing is started without a record, and nothing in a dry run: say so. */
static void foretell(const struct ib_recorded *recorded, struct ib_cancelled_item *item)
{
    const struct ib_journal_cancel *record = item->record;
    const struct ib_follow_rules *rules = &record->follow;
    struct ib_follow_counts counts = {.again = false};
    struct ib_error err = IB_ERROR_INIT;
    char why[IB_CANCEL_TEXT_MAX], what[IB_FOLLOW_WHAT_MAX];
    bool dry = item->report.outcome == IB_OUTCOME_DRY_RUN;

    if (rules->kind == IB_AFTER_NOTHING || (!dry && item->report.outcome != IB_OUTCOME_CANCELLED)) {
        return;
    }
    if (!dry || recorded->options.no_journal) {
        ib_follow_say(&item->follow, IB_FOLLOW_WITHHELD, rules->kind,
                      "--no-journal leaves no record that it was");
        item->follow.outcome = dry ? IB_FOLLOW_WOULD : item->follow.outcome; /* nothing was asked for */
        ib_cancelled_note_follow(item);
        return;
    }
    ib_follow_what(rules->kind, &item->report.build.image, ib_str_from(record->arn), what,
                   sizeof what);
    if (recorded->journal.db != NULL &&
        ib_statedb_follow_look(recorded->journal.db, record->arn, what,
                               record->target->name == NULL ? "" : record->target->name,
                               ib_time_now_ms(), &counts, &err) != IB_OK) {
        ib_follow_say(&item->follow, IB_FOLLOW_REFUSED, rules->kind, err.text);
    } else {
        counts.target_last_hour++; /* the cancel itself */
        counts.total_last_hour++;
        bool would = ib_follow_decide(rules, what, &counts, 0, why, sizeof why);
        ib_follow_say(&item->follow, would ? IB_FOLLOW_WOULD : IB_FOLLOW_REFUSED, rules->kind, why);
    }
    item->follow.outcome = IB_FOLLOW_WOULD; /* nothing was refused: nothing was asked for */
    ib_cancelled_note_follow(item);
}

void ib_recorded_finish(struct ib_recorded *recorded, struct ib_clients *clients,
                        struct ib_deadline deadline, struct ib_cancelled *done)
{
    for (size_t i = 0; i < done->count; i++) {
        struct ib_cancelled_item *item = &done->items[i];
        struct ib_follow_job job = {.target = item->target,
                                    .clients = clients,
                                    .deadline = deadline,
                                    .within_ms = recorded->options.retry_for_ms};
        struct ib_error err = IB_ERROR_INIT;
        bool owned = item->record != NULL && item->record->standing == IB_STANDING_OWNED;

        struct ib_statedb *db = recorded->journal.db;
        bool mine = item->report.sent && item->report.outcome == IB_OUTCOME_CANCELLED;
        if (mine && db == NULL && item->record != NULL) {
            ib_recorded_look_behind(NULL, item->target, clients, deadline, item);
        }
        ib_cancelled_foretell(done, item);
        if (recorded->options.read_only && item->record != NULL && db != NULL) {
            note_under_way(db, item);
        }
        if (item->record != NULL && (recorded->options.read_only || recorded->journal.db == NULL)) {
            foretell(recorded, item);
        } else if (item->record != NULL) {
            enum ib_rc rc = ib_journal_finish(item->record, &item->report, &err);
            if (mine) {
                ib_recorded_look_behind(db, item->target, clients, deadline, item);
            }
            if (rc != IB_OK || ib_recorded_follow(item->record, &job, item, &err) != IB_OK) {
                done->journal_trouble = err;
            } else if (item->record->trouble.rc != IB_OK) {
                done->journal_trouble = item->record->trouble;
            }
        }
        if (owned) {
            note_open(recorded, &item->report);
        }
    }
    /* After the record: a log daemon that reads nothing must cost no row its end. */
    for (size_t i = 0; i < done->count; i++) {
        log_one(recorded, &done->items[i].report);
    }
}

void ib_recorded_prune(struct ib_recorded *recorded, int64_t keep_ms)
{
    struct ib_error ignored = IB_ERROR_INIT;

    if (recorded->journal.db == NULL || recorded->options.read_only) {
        return;
    }
    /* The result is not printed yet: nobody waits here for another call's transaction. */
    ib_statedb_patience(recorded->journal.db, 0);
    if (ib_statedb_prune(recorded->journal.db, ib_time_now_ms() - keep_ms, &ignored) != IB_OK) {
        return; /* another run will */
    }
}

/* Did this run change or find out something that the service should show now? */
static bool is_news(const struct ib_cancelled_item *item)
{
    const struct ib_cancel_report *r = &item->report;
    bool of_row = item->record == NULL || item->record->standing == IB_STANDING_OWNED;
    bool ended = r->outcome == IB_OUTCOME_NOTHING || r->outcome == IB_OUTCOME_GONE ||
                 r->outcome == IB_OUTCOME_REFUSED;

    /*
     * That a build has ended by itself, or is not stuck, the check finds out as well. Asked to run again for it, one
     * that is CRITICAL for another reason would call the handler at once, and so on.
     */
    return r->sent || (of_row && ended);
}

/* The one that the comment is about, and how many others there are. */
static const struct ib_cancel_report *newsworthy(const struct ib_cancelled *done, size_t *ret_others)
{
    const struct ib_cancel_report *best = NULL;
    size_t count = 0;

    for (size_t i = 0; i < done->count; i++) {
        const struct ib_cancel_report *r = &done->items[i].report;
        bool news = is_news(&done->items[i]);
        count += news ? 1 : 0;
        if (news && (best == NULL || (r->sent && !best->sent))) {
            best = r;
        }
    }
    *ret_others = count > 0 ? count - 1 : 0;
    return best;
}

void ib_recorded_tell(const struct ib_told *told, const struct ib_feedback *where,
                      struct ib_cancelled *done, const struct ib_deadline *deadline,
                      struct ib_output *out)
{
    size_t others = 0;
    const struct ib_cancel_report *news = newsworthy(done, &others);
    struct ib_error err = IB_ERROR_INIT, no_comment = IB_ERROR_INIT;
    char comment[IB_FEEDBACK_COMMENT_MAX], more[64] = "";
    enum ib_rc rc;

    if (told->recheck == IB_SCHEDULER_NONE || news == NULL) {
        return;
    }
    if (others > 0) {
        (void)snprintf(more, sizeof more, " (and %zu other%s)", others, others == 1 ? "" : "s");
    }
    (void)snprintf(comment, sizeof comment, "%s: %.400s %.300s%s", ib_outcome_name(news->outcome),
                   news->text, news->arn, more);
    struct ib_feedback_event event = {told->host, told->service, told->comment ? comment : NULL,
                                      true};
    ib_start_phase(false, "asking %s for a new check, after: %.200s",
                   told->recheck == IB_SCHEDULER_ICINGA ? "Icinga" : "Nagios", news->text);
    if (told->recheck == IB_SCHEDULER_ICINGA) {
        rc = ib_feedback_icinga(where, &event, deadline, &no_comment, &err);
    } else {
        rc = ib_feedback_nagios(where, &event, ib_time_now_ms(), &err);
    }
    if (rc == IB_OK && no_comment.rc != IB_OK) {
        (void)snprintf(done->told, sizeof done->told,
                       "asked for a new check of %.100s on %.100s, but left no comment: %.250s",
                       told->service, told->host, no_comment.text);
    } else if (rc == IB_OK) {
        (void)snprintf(done->told, sizeof done->told, "asked for a new check of %.150s on %.150s%s",
                       told->service, told->host, told->comment ? ", and left a comment" : "");
    } else {
        (void)snprintf(done->told, sizeof done->told, "could not ask for a new check: %.450s", err.text);
    }
    ib_output_line(out, "%s", done->told);
}
