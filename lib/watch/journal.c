/* SPDX-License-Identifier: MIT */
/* What a cancel writes down, and when. */
#include "lib/watch/journal.h"

#include <errno.h>

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/random.h"

#define ARGUMENTS_MAX 64  /* of one call; more are counted, not kept */
#define ARGUMENT_MAX  200 /* bytes kept of one */
#define QUIET_MS      IB_HOUR_MS /* what is decided the same way every minute is written down so often */

enum ib_rc ib_journal_open(const char *state_dir, bool read_only, int64_t busy_ms,
                           struct ib_journal *ret, struct ib_error *err)
{
    struct ib_statedb_options options = {
        .dir = state_dir, .create = !read_only, .read_only = read_only, .busy_ms = busy_ms};
    enum ib_rc rc = ib_process_self(&ret->self, err);

    if (rc == IB_OK) {
        rc = ib_statedb_open(&options, &ret->db, err);
    }
    if (rc != IB_OK) {
        (void)ib_error_context(err, "journal");
    }
    return rc;
}

void ib_journal_fini(struct ib_journal *journal)
{
    ib_statedb_close(journal->db);
    *journal = (struct ib_journal){0};
}

/* --- small makers of audit members -------------------------------------------------------------
 */

/* Details of a line are worth less than the line: when memory runs out they are left out. */
static void put(struct ib_value *object, const char *key, struct ib_value *item)
{
    struct ib_error ignored = IB_ERROR_INIT;

    if (object == NULL) {
        ib_value_unref(item);
        return;
    }
    if (ib_value_set(object, ib_str_from(key), item, &ignored) != IB_OK) {
        return;
    }
}

static void put_text(struct ib_value *object, const char *key, const char *text)
{
    char clean[IB_ERROR_TEXT_MAX];

    if (text != NULL && text[0] != '\0') {
        (void)ib_text_clean(text, strlen(text), clean, sizeof clean);
        put(object, key, ib_value_string(ib_str_from(clean)));
    }
}

/* Options whose values may be secrets: they are named in the record, and no more. */
static const char *const private_options[] = { "--external-id", "--proxy", "--endpoint-url" };

/* What is kept of an argument; before: the one before it, or "". */
static const char *kept_of(const char *before, const char *argument, char *buf, size_t cap)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(private_options); i++) {
        size_t n = strlen(private_options[i]);
        if (strcmp(before, private_options[i]) == 0) {
            return "(not kept)";
        }
        if (strncmp(argument, private_options[i], n) == 0 && argument[n] == '=') {
            (void)snprintf(buf, cap, "%s=(not kept)", private_options[i]);
            return buf;
        }
    }
    return argument;
}

struct ib_value *ib_journal_caller_value(const struct ib_journal_caller *caller)
{
    struct ib_value *v = ib_value_object();
    struct ib_value *arguments = ib_value_array();
    struct ib_error ignored = IB_ERROR_INIT;

    if (v == NULL || arguments == NULL) {
        ib_value_unref(v);
        ib_value_unref(arguments);
        return NULL;
    }
    for (int i = 1; i < caller->argc && i <= ARGUMENTS_MAX; i++) {
        char clean[ARGUMENT_MAX], buf[64];
        const char *text =
            kept_of(i == 1 ? "" : caller->argv[i - 1], caller->argv[i], buf, sizeof buf);
        (void)ib_text_clean(text, strlen(text), clean, sizeof clean);
        if (ib_value_push(arguments, ib_value_string(ib_str_from(clean)), &ignored) != IB_OK) {
            break;
        }
    }
    put_text(v, "program", caller->program);
    put(v, "user", ib_value_int((int64_t)getuid()));
    put(v, "pid", ib_value_int((int64_t)getpid()));
    put(v, "parent", ib_value_int((int64_t)getppid()));
    put(v, "arguments", arguments);
    put_text(v, "problem", caller->problem);
    return v;
}

/* --- before the request --------------------------------------------------------------------------
 */

struct claim {
    const struct ib_journal_cancel *cancel;
    struct ib_policy_decision decision;
    const struct ib_survey_build *build;
    bool overtaken, given_up;
    char why[sizeof ((struct ib_policy_decision *)NULL)->reason];
    struct ib_cancel_row last;
};

bool ib_journal_may_again(const struct ib_cancel_standing *s, const struct ib_survey_detail *now,
                          const struct ib_journal_cancel *cancel, int64_t now_ms, char *ret_words,
                          size_t cap)
{
    char ago[IB_TIME_TEXT_MAX], rest[IB_TIME_TEXT_MAX], text[160];
    int64_t since_ms = s->has_last ? now_ms - s->last.ended_ms : 0;
    int64_t left_ms = cancel->retry_for_ms - since_ms;

    if (s->has_open) {
        (void)snprintf(ret_words, cap, "one is under way: %s",
                       ib_journal_words(&s->open, now_ms, text, sizeof text));
        return true; /* this call joins it, or goes on with it */
    }
    if (!s->has_last || !ib_journal_failed(&s->last) || ib_journal_superseded(&s->last, now)) {
        (void)snprintf(ret_words, cap, "none is under way, and none has failed");
        return true;
    }
    (void)ib_text_plugin(s->last.text, strlen(s->last.text), text, sizeof text);
    (void)ib_duration_fmt(since_ms < 0 ? 0 : since_ms, ago, sizeof ago);
    bool expired = strcmp(s->last.outcome, "expired") == 0;
    bool for_good = s->last_accepted && expired;
    /* Retried all that time, and nothing has left: as soon as AWS answers again. In the future: the clock went back. */
    bool at_once = (expired && s->last.sent_ms == 0) || since_ms < -IB_MINUTE_MS;
    if (!cancel->unattended || (!for_good && (at_once || left_ms <= 0))) {
        (void)snprintf(ret_words, cap, "one has failed %s ago%s: %s", ago,
                       cancel->unattended ? "" : ", and a person asks", text);
        return true;
    }
    (void)snprintf(ret_words, cap, "it failed %s ago; %s%s, a call without an event now: %s", ago,
                   for_good ? "no event and no sweep asks again" : "an event or a sweep may ask again in ",
                   for_good ? "" : ib_duration_fmt(left_ms, rest, sizeof rest), text);
    return false;
}

/* An end that says something of the build, not only of the call that had claimed it. */
static bool was_dealt_with(const struct ib_cancel_row *row)
{
    return row->sent_ms != 0 || ib_journal_failed(row) || strcmp(row->outcome, "gone") == 0 ||
           ib_image_status_terminal(ib_image_status_from(ib_str_from(row->status)));
}

static bool decide_in_transaction(void *ctx, const struct ib_claim_counts *counts,
                                  struct ib_value **ret_audit)
{
    struct claim *c = ctx;
    struct ib_value *audit = ib_value_object();

    *ret_audit = audit;
    const struct ib_cancel_row *last = &counts->build.last;
    if (counts->build.has_last && was_dealt_with(last) && c->cancel->begun_ms != 0 &&
        last->ended_ms >= c->cancel->begun_ms && last->ended_ms <= ib_time_now_ms() + IB_SECOND_MS) { /* else the clock went back */
        /* What this call has read is older than the end of another's cancel. */
        c->overtaken = true;
        c->last = *last;
        put_text(audit, "reason", "another call has just ended its cancel");
        put_text(audit, "outcome", last->outcome);
        return false;
    }
    if (!ib_journal_may_again(&counts->build, &c->build->detail, c->cancel, ib_time_now_ms(), c->why,
                              sizeof c->why)) {
        c->given_up = true;
        put_text(audit, "rule", ib_policy_rule_name(IB_RULE_ONCE));
        put_text(audit, "reason", c->why);
        return false;
    }
    ib_policy_decide_budgets(c->cancel->policy, counts->target_last_hour, counts->total_last_hour,
                             &c->decision);
    put_text(audit, "rule", ib_policy_rule_name(c->decision.rule));
    put_text(audit, "reason", c->decision.reason);
    put(audit, "targetLastHour", ib_value_int(counts->target_last_hour));
    put(audit, "totalLastHour", ib_value_int(counts->total_last_hour));
    return c->decision.verdict == IB_POLICY_CANCEL;
}

/* What made it stuck: for a call that comes after, before any request has arrived. */
static void write_limits(struct ib_value *context, const struct ib_journal_cancel *c)
{
    const struct ib_judge_rules *rules = &c->target->rules;
    struct ib_value *phases = ib_value_object();

    if (c->policy->any_age) {
        put(context, "anyAge", ib_value_bool(true));
    }
    if (rules->age.crit.is_set) {
        put_text(context, "critical", rules->age.crit.text);
    }
    for (int s = 0; s < IB_IMAGE_STATUS_COUNT; s++) {
        if (rules->phase[s].crit.is_set) {
            put_text(phases, ib_image_status_name((enum ib_image_status)s), rules->phase[s].crit.text);
        }
    }
    put(context, "phases", phases);
    put_text(context, "waiting", ib_state_name(rules->waiting));
    put(context, "minimumAgeMs", ib_value_int(c->policy->minimum_age_ms));
}

/*
 * How to reach the build again, without secrets (an external id or a proxy comes from the caller
 * anew); what policy allowed; and what the build was doing, by AWS's clock, to know it again.
 */
static void write_context(const struct ib_journal_cancel *c, const struct ib_survey_build *build,
                          struct ib_buf *out)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_value_object();
    const struct ib_target *t = c->target;
    const struct ib_survey_detail *d = &build->detail;

    put_text(v, "region", t->region);
    put_text(v, "profile", t->profile);
    put_text(v, "roleArn", t->role_arn);
    put_text(v, "endpointUrl", t->endpoint_url);
    put_text(v, "caBundle", t->ca_bundle);
    put(v, "states", ib_value_int((int64_t)c->policy->states));
    write_limits(v, c);
    if (c->distributing_said) {
        put(v, "alsoDistributing", ib_value_bool(true));
    }
    if (c->policy->age_from_creation) {
        put(v, "ageFromCreation", ib_value_bool(true));
    }
    if (c->follow_said) {
        put_text(v, "afterCancel", ib_follow_kind_name(c->follow.kind));
    }
    if (d->looked) {
        put(v, "restartMs", ib_value_int(d->restart_known ? d->restart_ms : 0));
        put(v, "firstStartMs", ib_value_int(d->has_first_start ? d->first_start_ms : 0));
    }
    if (v == NULL) {
        ib_buf_add_c(out, "{}");
    } else {
        ib_json_print(v, IB_JSON_COMPACT, out);
    }
}

static struct ib_cancel_update update_of(const struct ib_journal_cancel *c,
                                         enum ib_cancel_phase phase, const char *event,
                                         const struct ib_value *audit, const char *text)
{
    return (struct ib_cancel_update){.id = c->row.id,
                                     .now_ms = ib_time_now_ms(),
                                     .self = &c->journal->self,
                                     .phase = phase,
                                     .status = c->status,
                                     .text = text,
                                     .event = event,
                                     .audit = audit};
}

static enum ib_rc write_row(struct ib_journal_cancel *c, enum ib_cancel_phase phase,
                            const char *event, const struct ib_value *audit, const char *text,
                            struct ib_error *err)
{
    struct ib_cancel_update u = update_of(c, phase, event, audit, text);

    return ib_statedb_update(c->journal->db, &u, err);
}

struct follow {
    const struct ib_journal_cancel *cancel;
    char what[IB_FOLLOW_WHAT_MAX], token[IB_UUID_SIZE];
};

static bool decide_follow(void *ctx, const struct ib_follow_counts *counts, char *ret_why,
                          size_t cap)
{
    const struct follow *f = ctx;

    return ib_follow_decide(&f->cancel->follow, f->what, counts,
                            ib_time_now_ms() - f->cancel->row.created_ms, ret_why, cap);
}

/* End the row, and claim the start that follows in the same transaction. */
static enum ib_rc end_and_follow(struct ib_journal_cancel *c, const struct ib_cancel_update *u,
                                 const struct ib_image *image, struct ib_error *err)
{
    struct follow f = {.cancel = c};
    enum ib_claim_result result = IB_CLAIM_REFUSED;
    struct ib_follow_request request = {.kind = ib_follow_kind_name(c->follow.kind),
                                        .what = f.what,
                                        .token = f.token,
                                        .decide = decide_follow,
                                        .ctx = &f};
    enum ib_rc rc = ib_uuid4(f.token, err);

    if (rc != IB_OK) {
        return rc;
    }
    ib_follow_what(c->follow.kind, image, ib_str_from(c->arn), f.what, sizeof f.what);
    rc = ib_statedb_end_and_follow(c->journal->db, u, &request, &result, &c->start, err);
    c->followed = rc == IB_OK;
    return rc;
}

/* follow_image: the build as last read, when something is to follow; else NULL. */
static enum ib_rc end_row(struct ib_journal_cancel *c, const char *outcome, const char *text,
                          const struct ib_image *follow_image, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = ib_value_object();
    struct ib_cancel_update u = update_of(c, IB_CANCEL_ENDED, "end", audit, text);

    u.outcome = outcome;
    put_text(audit, "outcome", outcome);
    put_text(audit, "status", c->status);
    put_text(audit, "text", text);
    return follow_image == NULL ? ib_statedb_update(c->journal->db, &u, err)
                                : end_and_follow(c, &u, follow_image, err);
}

static int64_t number_of(const struct ib_value *context, const char *key, int64_t otherwise)
{
    const struct ib_value *v = ib_value_get_c(context, key);

    return ib_value_is(v, IB_VALUE_INT) ? ib_value_as_int(v) : otherwise;
}

bool ib_journal_superseded(const struct ib_cancel_row *row, const struct ib_survey_detail *now)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *context = NULL;
    struct ib_error ignored = IB_ERROR_INIT;

    if (!now->looked) {
        return false;
    }
    if (ib_json_parse(ib_str_from(row->context), "context in the journal", NULL, &context,
                      &ignored) != IB_OK) {
        context = NULL;
    }
    /* Both of AWS's clock when the build was looked at then, else against ours. */
    int64_t restart_ms = number_of(context, "restartMs", row->created_ms);
    int64_t first_ms = number_of(context, "firstStartMs", row->created_ms);
    /* One that waited long for its turn is aged from its first workflow: that is no restart. */
    bool own_begin = first_ms == 0 && now->has_first_start && now->restart_ms == now->first_start_ms;
    if (now->restart_known && now->restart_ms > restart_ms && !own_begin) {
        return true;
    }
    if (first_ms == 0) {
        /* Nothing had begun then: what has begun since is its own progress. */
        return false;
    }
    bool vanished = !now->has_first_start && ib_value_get_c(context, "firstStartMs") != NULL;
    return vanished || (now->has_first_start && now->first_start_ms > first_ms);
}

/* The row is this call's, or the reason why it is not. IB_EREFUSED is a rule's word alone. */
static enum ib_rc claim_row(struct ib_journal_cancel *c, const struct ib_survey_build *build,
                            const struct ib_policy_decision *decision, const char *token,
                            struct ib_error *err)
{
    struct claim claim = {.cancel = c, .decision = *decision, .build = build};
    IB_CLEANUP(ib_buf_fini) struct ib_buf context = IB_BUF_INIT(sizeof c->row.context - 1);
    enum ib_claim_result result = IB_CLAIM_REFUSED;
    char age[IB_TIME_TEXT_MAX];
    int64_t now_ms = ib_time_now_ms();

    if (c->arn[0] == '\0') {
        return ib_fail(err, IB_ELIMIT,
                       "not tried, for it cannot be recorded (--no-journal lifts this): its ARN has "
                       "more than %zu bytes", sizeof c->arn - 1);
    }
    write_context(c, build, &context);
    if (context.failed) {
        ib_buf_reset(&context);
        ib_buf_add_c(&context, "{}");
    }
    if (claim.decision.verdict != IB_POLICY_CANCEL) {
        claim.decision = (struct ib_policy_decision){.verdict = IB_POLICY_CANCEL};
    }
    struct ib_claim_request request = {.arn = c->arn,
                                       .target = c->target->name == NULL ? "" : c->target->name,
                                       .token = token,
                                       .problem = c->problem == NULL ? "" : c->problem,
                                       .context = ib_buf_c(&context),
                                       .now_ms = now_ms,
                                       .self = &c->journal->self,
                                       .audit = c->caller,
                                       .decide = decide_in_transaction,
                                       .ctx = &claim};
    enum ib_rc rc = ib_statedb_claim(c->journal->db, &request, &result, &c->row, err);
    if (rc != IB_OK) {
        /* IB_EREFUSED is a rule's word; a journal that cannot be written is none. */
        (void)ib_error_context(err,
                               "not tried, for it cannot be recorded (--no-journal lifts this)");
        return rc == IB_EREFUSED ? IB_ESYS : rc;
    }
    if (result == IB_CLAIM_REFUSED && claim.overtaken) {
        c->standing = IB_STANDING_OVERTAKEN;
        c->row = claim.last;
        return ib_fail(err, IB_EREFUSED, "another call has just dealt with it: %s",
                       claim.last.text[0] == '\0' ? claim.last.outcome : claim.last.text);
    }
    if (result == IB_CLAIM_REFUSED) {
        enum ib_policy_rule rule = claim.given_up ? IB_RULE_ONCE : claim.decision.rule;
        return ib_fail(err, IB_EREFUSED, "refused by rule %s: %s", ib_policy_rule_name(rule),
                       claim.given_up ? claim.why : claim.decision.reason);
    }
    if (result == IB_CLAIM_BUSY) {
        c->standing = IB_STANDING_JOINED;
        return ib_fail(
            err, IB_EREFUSED, "another call (process %" PRId64 ") has been cancelling it for %s",
            c->row.owner.pid, ib_duration_fmt(now_ms - c->row.created_ms, age, sizeof age));
    }
    c->standing = IB_STANDING_OWNED;
    return IB_OK;
}

static enum ib_rc before_send(void *ctx, const struct ib_survey_build *build,
                              const struct ib_policy_decision *decision,
                              char token[IB_CANCEL_TOKEN_MAX], struct ib_error *err)
{
    struct ib_journal_cancel *c = ctx;
    bool resumed = c->standing == IB_STANDING_OWNED;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = ib_value_object();
    enum ib_rc rc = claim_row(c, build, decision, token, err);

    if (rc != IB_OK) {
        return rc;
    }
    (void)ib_text_clean(build->image.status_text.p, build->image.status_text.n, c->status,
                        sizeof c->status);
    if (c->row.attempts > 1 && ib_journal_superseded(&c->row, &build->detail)) {
        rc = end_row(c, "superseded", "the build was put back to work after the cancel was decided",
                     NULL, err);
        if (rc != IB_OK) {
            return rc == IB_EREFUSED ? IB_ESYS : rc;
        }
        c->standing = IB_STANDING_SUPERSEDED;
        if (!resumed) {
            /* Decided anew by this call, for what the build does now: a cancel of its own. */
            c->standing = IB_STANDING_NONE;
            c->begun_ms = ib_time_now_ms() + 1; /* the end just written is not another's */
            rc = claim_row(c, build, decision, token, err);
        }
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (c->standing == IB_STANDING_SUPERSEDED) {
        return ib_fail(err, IB_EREFUSED,
                       "the build was put back to work after this cancel was decided: left alone");
    }
    memcpy(token, c->row.token, sizeof c->row.token);
    put_text(audit, "token", token);
    put_text(audit, "status", c->status);
    put(audit, "try", ib_value_int(c->row.attempts));
    rc = write_row(c, IB_CANCEL_SENT, "send", audit, "the request was about to leave", err);
    if (rc != IB_OK) {
        (void)ib_error_context(err,
                               "not tried, for it cannot be recorded (--no-journal lifts this)");
        return rc == IB_EREFUSED ? IB_ESYS : rc;
    }
    return IB_OK;
}

/* --- after the request
 * ----------------------------------------------------------------------------- */

static void after_send(void *ctx, const struct ib_error *answer, bool refused, const char *request_id)
{
    struct ib_journal_cancel *c = ctx;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = ib_value_object();
    struct ib_error err = IB_ERROR_INIT;
    bool accepted = answer->rc == IB_OK;

    put_text(audit, "requestId", request_id);
    if (!accepted) {
        put_text(audit, "error", answer->text);
        put_text(audit, "code", answer->aws_code);
        put(audit, "httpStatus", ib_value_int(answer->http_status));
    }
    const char *event = accepted ? "accepted" : answer->http_status == 0 ? "no-answer" : "answer";
    struct ib_cancel_update u = update_of(c, accepted ? IB_CANCEL_ACCEPTED : IB_CANCEL_SENT, event, audit,
                                          accepted ? "Image Builder accepted the request" : answer->text);
    u.unsent = refused && c->row.sent_ms == 0;
    if (ib_statedb_update(c->journal->db, &u, &err) != IB_OK) {
        c->trouble = err;
    }
}

static bool once(void *ctx, const struct ib_survey_build *build, char *ret_words, size_t cap)
{
    const struct ib_journal_cancel *c = ctx;
    struct ib_cancel_standing standing;
    struct ib_error err = IB_ERROR_INIT;

    if (ib_statedb_standing(c->journal->db, c->arn, &standing, &err) != IB_OK) {
        (void)snprintf(ret_words, cap, "%.200s", err.text);
        return true; /* the claim fails by it, and says so */
    }
    return ib_journal_may_again(&standing, &build->detail, c, ib_time_now_ms(), ret_words, cap);
}

static void seen(void *ctx, const struct ib_image *image)
{
    struct ib_journal_cancel *c = ctx;
    struct ib_error err = IB_ERROR_INIT;
    char status[IB_IMAGE_STATUS_MAX];

    (void)ib_text_clean(image->status_text.p, image->status_text.n, status, sizeof status);
    if (c->standing != IB_STANDING_OWNED || strcmp(status, c->status) == 0) {
        return;
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = ib_value_object();
    memcpy(c->status, status, sizeof c->status);
    put_text(audit, "status", status);
    if (write_row(c, IB_CANCEL_CLAIMED, "state", audit, NULL, &err) != IB_OK) {
        c->trouble = err;
    }
}

struct ib_cancel_hooks ib_journal_hooks(struct ib_journal_cancel *cancel)
{
    if (cancel->journal == NULL || cancel->journal->db == NULL) {
        return (struct ib_cancel_hooks){.ctx = cancel};
    }
    return (struct ib_cancel_hooks){
        .ctx = cancel, .once = once, .before_send = before_send, .after_send = after_send, .seen = seen};
}

/* --- the end
 * ----------------------------------------------------------------------------------------- */

/* Outcomes after which nothing is left to do or to hope for. */
static const char *final_outcome(const struct ib_cancel_report *report)
{
    switch (report->outcome) {
    case IB_OUTCOME_CANCELLED:
        return "cancelled";
    case IB_OUTCOME_FINISHED:
        return "finished";
    case IB_OUTCOME_NOTHING:
        return "finished";
    case IB_OUTCOME_GONE:
        return "gone";
    case IB_OUTCOME_REFUSED:
        return report->may_pass || !(report->sent || report->decided) ? NULL : "failed";
    /* Not tried, or told to come back later: tried again. */
    case IB_OUTCOME_DRY_RUN:
    case IB_OUTCOME_REQUESTED:
    case IB_OUTCOME_UNKNOWN:
    case IB_OUTCOME_UNTRIED:
        break;
    }
    return NULL;
}

/* What an earlier request of this row may have done, the report of this call does not know. */
static void mind_earlier(const struct ib_journal_cancel *c, struct ib_cancel_report *report)
{
    if (c->row.sent_ms == 0) {
        return;
    }
    if (report->outcome == IB_OUTCOME_REFUSED) {
        /* A no to a repetition, by AWS or by a rule, takes nothing back: its end is waited for. */
        report->outcome = IB_OUTCOME_REQUESTED;
    } else if (report->outcome == IB_OUTCOME_FINISHED &&
               ib_image_status_from(ib_str_from(c->status)) == IB_IMAGE_CANCELLED) {
        report->outcome = IB_OUTCOME_CANCELLED;
        (void)snprintf(report->text, sizeof report->text, "cancelled and confirmed, by an earlier request");
    }
}

static enum ib_rc finish_owned(struct ib_journal_cancel *c, struct ib_cancel_report *report,
                               struct ib_error *err)
{
    mind_earlier(c, report);
    const char *outcome = final_outcome(report);

    /* A later look that finds it cancelled is the confirmation of what an earlier call sent. */
    if (report->outcome == IB_OUTCOME_NOTHING && c->row.sent_ms != 0 &&
        ib_image_status_from(ib_str_from(c->status)) == IB_IMAGE_CANCELLED) {
        outcome = "cancelled";
    }
    if (report->outcome == IB_OUTCOME_REFUSED && report->decided && c->row.sent_ms == 0 &&
        report->decision.verdict == IB_POLICY_REFUSE) {
        outcome = "withdrawn"; /* nothing was asked for yet, and by now a rule forbids it: no failure */
    }
    if (outcome != NULL) {
        bool follows = strcmp(outcome, "cancelled") == 0 && c->follow.kind != IB_AFTER_NOTHING;
        return end_row(c, outcome, report->text, follows ? &report->build.image : NULL, err);
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = ib_value_object();
    put_text(audit, "outcome", ib_outcome_name(report->outcome));
    put_text(audit, "text", report->text);
    enum ib_rc rc = write_row(c, IB_CANCEL_CLAIMED, "left-open", audit, report->text, err);
    if (rc == IB_OK) {
        rc =
            ib_statedb_release(c->journal->db, c->row.id, &c->journal->self, ib_time_now_ms(), err);
    }
    return rc;
}

enum ib_rc ib_journal_expire(struct ib_journal_cancel *cancel,
                             const struct ib_cancel_report *report, struct ib_error *err)
{
    return end_row(cancel, "expired", report->text, NULL, err);
}

/* A line for what was decided without any claim. */
static enum ib_rc note_decision(struct ib_journal_cancel *c, const struct ib_cancel_report *report,
                                struct ib_error *err)
{
    struct ib_value *base = c->caller == NULL ? ib_value_object() : ib_value_copy(c->caller);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = base;

    put_text(audit, "outcome", ib_outcome_name(report->outcome));
    put_text(audit, "text", report->text);
    put_text(audit, "status", report->status_before);
    put_text(audit, "code", report->error.aws_code);
    if (report->decided) {
        put_text(audit, "rule", ib_policy_rule_name(report->decision.rule));
    }
    const char *event = c->standing == IB_STANDING_JOINED       ? "join"
                        : report->outcome == IB_OUTCOME_REFUSED ? "refuse"
                        : report->outcome == IB_OUTCOME_DRY_RUN ? "dry-run"
                        : report->outcome == IB_OUTCOME_UNTRIED ? "untried"
                                                                : "nothing";
    return ib_statedb_audit_change(c->journal->db, ib_time_now_ms(), QUIET_MS, c->arn, event, audit,
                                   err);
}

enum ib_rc ib_journal_finish(struct ib_journal_cancel *cancel, struct ib_cancel_report *report,
                             struct ib_error *err)
{
    if (cancel->journal == NULL || cancel->journal->db == NULL) {
        return IB_OK;
    }
    switch (cancel->standing) {
    case IB_STANDING_OWNED:
        return finish_owned(cancel, report, err);
    case IB_STANDING_JOINED:
        report->outcome = IB_OUTCOME_REQUESTED;
        report->error = (struct ib_error)IB_ERROR_INIT;
        return note_decision(cancel, report, err);
    case IB_STANDING_OVERTAKEN:
        if (ib_journal_failed(&cancel->row)) {
            return IB_OK;
        }
        report->outcome = IB_OUTCOME_NOTHING;
        report->error = (struct ib_error)IB_ERROR_INIT;
        return IB_OK;
    case IB_STANDING_SUPERSEDED:
        report->outcome = IB_OUTCOME_NOTHING;
        report->error = (struct ib_error)IB_ERROR_INIT;
        return IB_OK;
    case IB_STANDING_NONE:
        break;
    }
    return note_decision(cancel, report, err);
}

bool ib_journal_failed(const struct ib_cancel_row *row)
{
    return row->ended_ms != 0 && strcmp(row->kind, IB_CANCEL_KIND) == 0 &&
           (strcmp(row->outcome, "failed") == 0 || strcmp(row->outcome, "expired") == 0);
}

/* --- later calls
 * --------------------------------------------------------------------------------------- */

enum ib_journal_next ib_journal_next(const struct ib_cancel_row *row, int64_t now_ms,
                                     int64_t retry_for_ms)
{
    int64_t age_ms = now_ms - row->created_ms;

    if (age_ms < -IB_MINUTE_MS) {
        return IB_NEXT_WAIT;
    }
    return age_ms > retry_for_ms ? IB_NEXT_READ : IB_NEXT_SEND;
}

static bool is_true(const struct ib_value *context, const char *key)
{
    const struct ib_value *v = ib_value_get_c(context, key);

    return ib_value_is(v, IB_VALUE_BOOL) && ib_value_as_bool(v);
}

/* What was stuck by the command line's limits is judged by them again. */
static bool use_limits(const struct ib_value *context, struct ib_judge_rules *rules)
{
    const struct ib_value *phases = ib_value_get_c(context, "phases");
    const struct ib_value *critical = ib_value_get_c(context, "critical");
    const struct ib_value *waiting = ib_value_get_c(context, "waiting");
    struct ib_error ignored = IB_ERROR_INIT;
    bool sound = phases != NULL; /* a row of an older version has none of them */

    ib_judge_rules_init(rules);
    if (ib_value_is(critical, IB_VALUE_STRING)) {
        sound = sound && ib_range_parse(ib_value_as_str(critical), IB_RANGE_SECONDS, "critical",
                                        &rules->age.crit, &ignored) == IB_OK;
    }
    for (size_t i = 0; sound && i < ib_value_count(phases); i++) {
        enum ib_image_status status = ib_image_status_from(ib_value_key_at(phases, i));
        const struct ib_value *range = ib_value_at(phases, i);
        sound = ib_image_status_in_flight(status) && ib_value_is(range, IB_VALUE_STRING) &&
                ib_range_parse(ib_value_as_str(range), IB_RANGE_SECONDS, "phase",
                               &rules->phase[status].crit, &ignored) == IB_OK;
    }
    return sound && ib_value_is(waiting, IB_VALUE_STRING) &&
           ib_state_from(ib_value_as_str(waiting), &rules->waiting);
}

/* What the command line said when it was decided: --age-from-creation, --after-cancel. */
static void use_said(const struct ib_value *context, struct ib_target *target)
{
    const struct ib_value *after = ib_value_get_c(context, "afterCancel");

    if (is_true(context, "ageFromCreation")) {
        target->age_from_creation = true;
    }
    if (is_true(context, "alsoDistributing")) {
        target->cancel_states = (target->cancel_states == 0 ? ib_policy_states_default()
                                                            : target->cancel_states) |
                                UINT32_C(1) << IB_IMAGE_DISTRIBUTING;
    }
    if (ib_value_is(after, IB_VALUE_STRING)) {
        target->after_cancel = ib_follow_kind(ib_value_as_str(after).p);
    }
}

/* The way to AWS that the build was reached by. Another one may know no such build: a false "gone". */
static void use_reach(const struct ib_value *context, struct ib_target *target)
{
    const struct {
        const char *key;
        const char **setting;
    } texts[] = {
        {"region", &target->region},
        {"profile", &target->profile},
        {"roleArn", &target->role_arn},
        {"endpointUrl", &target->endpoint_url},
        {"caBundle", &target->ca_bundle},
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(texts); i++) {
        const struct ib_value *v = ib_value_get_c(context, texts[i].key);
        if (ib_value_is(v, IB_VALUE_STRING)) {
            *texts[i].setting = ib_value_as_str(v).p;
        }
    }
}

enum ib_rc ib_journal_target(const struct ib_cancel_row *row, const struct ib_watch_config *config,
                             struct ib_value **row_context, struct ib_target *ret, bool *ret_judged,
                             struct ib_error *err)
{
    struct ib_error ignored = IB_ERROR_INIT;
    const struct ib_target *named = NULL;

    if (row->target[0] != '\0' &&
        ib_watch_config_target(config, row->target, &named, &ignored) == IB_OK) {
        *ret = *named;
        if (ib_json_parse(ib_str_from(row->context), "context in the journal", NULL, row_context,
                          &ignored) == IB_OK) {
            use_said(*row_context, ret);
            use_reach(*row_context, ret);
        }
        *ret_judged = !is_true(*row_context, "anyAge");
        return IB_OK;
    }
    enum ib_rc rc =
        ib_json_parse(ib_str_from(row->context), "context in the journal", NULL, row_context, err);
    if (rc != IB_OK) {
        return rc;
    }
    *ret = config->defaults;
    ret->name = row->target;
    if (row->target[0] != '\0') {
        ret->after_cancel = IB_AFTER_NOTHING; /* its target, which asked for it, is gone */
    }
    ret->cancel_states = (uint32_t)number_of(*row_context, "states", 0);
    ret->minimum_age_ms = number_of(*row_context, "minimumAgeMs", 0);
    *ret_judged = use_limits(*row_context, &ret->rules) && !is_true(*row_context, "anyAge");
    use_said(*row_context, ret);
    use_reach(*row_context, ret);
    return IB_OK;
}

int64_t ib_journal_begun_after(void *ctx, struct ib_str arn)
{
    struct ib_journal *journal = ctx;
    struct ib_error ignored = IB_ERROR_INIT;
    char text[sizeof ((struct ib_cancel_row *)NULL)->arn];
    int64_t at_ms = 0;

    if (journal->db == NULL || journal->is_deaf || arn.n >= sizeof text ||
        !ib_text_copy(text, sizeof text, arn)) {
        return 0;
    }
    journal->is_deaf = ib_statedb_begun_after(journal->db, text, &at_ms, &ignored) != IB_OK;
    return at_ms;
}

/* The row of a start, of a build that this program cancelled. */
static void start_words(const struct ib_cancel_row *row, const char *age, char *buf, size_t cap)
{
    char text[160];

    (void)ib_text_plugin(row->text, strlen(row->text), text, sizeof text);
    if (strcmp(row->outcome, "started") == 0) {
        (void)snprintf(buf, cap, "cancelled by ib_cancel_action and %s %s ago", text, age);
    } else if (row->ended_ms == 0 && row->sent_ms != 0) {
        (void)snprintf(buf, cap, "cancelled by ib_cancel_action, a new start was asked for %s ago, "
                                 "not confirmed", age);
    } else if (row->ended_ms == 0) {
        (void)snprintf(buf, cap, "cancelled by ib_cancel_action, not started again yet%s%s",
                       text[0] == '\0' ? "" : ": ", text);
    } else if (strcmp(row->outcome, "refused") == 0) {
        (void)snprintf(buf, cap, "cancelled by ib_cancel_action, not started again: %s", text);
    } else {
        (void)snprintf(buf, cap, "cancelled by ib_cancel_action, %s", text);
    }
}

const char *ib_journal_words(const struct ib_cancel_row *row, int64_t now_ms, char *buf, size_t cap)
{
    char age[IB_TIME_TEXT_MAX];
    int64_t since_ms = ib_journal_failed(row) ? row->ended_ms
                       : row->sent_ms != 0    ? row->sent_ms
                                              : row->created_ms;
    int64_t ago_ms = now_ms > since_ms ? now_ms - since_ms : 0;

    buf[0] = '\0';
    (void)ib_duration_fmt(ago_ms, age, sizeof age);
    if (strcmp(row->kind, IB_CANCEL_KIND) != 0) {
        start_words(row, age, buf, cap);
    } else if (row->ended_ms == 0) {
        (void)snprintf(buf, cap, "cancel %s %s ago, not confirmed",
                       row->phase == IB_CANCEL_CLAIMED ? "decided" : "requested", age);
    } else if (strcmp(row->outcome, "cancelled") == 0) {
        (void)snprintf(buf, cap, "cancelled by ib_cancel_action");
    } else if (ib_journal_failed(row)) {
        char reason[160];
        (void)ib_text_plugin(row->text, strlen(row->text), reason, sizeof reason);
        (void)snprintf(buf, cap, "cancel failed %s ago: %s", age, reason);
    }
    return buf;
}
