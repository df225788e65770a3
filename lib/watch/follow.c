/* SPDX-License-Identifier: MIT */
/* Starting a build again after its cancel. */
#include "lib/watch/follow.h"

#include "lib/aws/arn.h"
#include "lib/aws/awserror.h"
#include "lib/aws/retry.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/members.h"
#include "lib/imagebuilder/api.h"
#include "lib/sys/signals.h"
#include "lib/watch/policy.h"
#include "lib/watch/survey.h"

#define CALL_MS (2 * IB_SECOND_MS) /* with less time left it is not begun */

static const struct {
    const char *name;
    enum ib_state state;
} outcomes[IB_FOLLOW_OUTCOME_COUNT] = {
    [IB_FOLLOW_NONE] = {"none", IB_STATE_OK},
    [IB_FOLLOW_WOULD] = {"would-start", IB_STATE_OK},
    [IB_FOLLOW_WITHHELD] = {"withheld", IB_STATE_WARNING},
    [IB_FOLLOW_STARTED] = {"started", IB_STATE_OK},
    [IB_FOLLOW_OPEN] = {"open", IB_STATE_WARNING},
    [IB_FOLLOW_REFUSED] = {"refused", IB_STATE_WARNING},
    [IB_FOLLOW_FAILED] = {"failed", IB_STATE_WARNING},
};

static const char *const kinds[] = {
    [IB_AFTER_NOTHING] = "nothing",
    [IB_AFTER_RETRY] = "retry",
    [IB_AFTER_START_PIPELINE] = "start-pipeline",
};

const char *ib_follow_outcome_name(enum ib_follow_outcome outcome)
{
    IB_ASSERT((unsigned)outcome < IB_FOLLOW_OUTCOME_COUNT);
    return outcomes[outcome].name;
}

enum ib_state ib_follow_state(enum ib_follow_outcome outcome)
{
    IB_ASSERT((unsigned)outcome < IB_FOLLOW_OUTCOME_COUNT);
    return outcomes[outcome].state;
}

const char *ib_follow_kind_name(enum ib_after_cancel kind)
{
    return kinds[kind];
}

enum ib_after_cancel ib_follow_kind(const char *name)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(kinds); i++) {
        if (strcmp(name, kinds[i]) == 0) {
            return (enum ib_after_cancel)i;
        }
    }
    return IB_AFTER_NOTHING;
}

/* "web-server/1.4.2/7", clean. */
static const char *short_name(const char *arn, char *buf, size_t cap)
{
    const char *slash = strchr(arn, '/');
    const char *name = slash == NULL ? arn : slash + 1;

    (void)ib_text_plugin(name, strlen(name), buf, cap);
    return buf;
}

void ib_follow_what(enum ib_after_cancel kind, const struct ib_image *image, struct ib_str arn,
                    char *ret, size_t cap)
{
    struct ib_str what = kind == IB_AFTER_START_PIPELINE ? image->pipeline_arn : arn;

    /* One that does not fit is none: half of a name names something else. */
    if (what.n >= cap || !ib_text_copy(ret, cap, what)) {
        ret[0] = '\0';
    }
}

static int64_t within(int64_t ms)
{
    return ms < IB_MINUTE_MS ? IB_MINUTE_MS : ms;
}

bool ib_follow_decide(const struct ib_follow_rules *rules, const char *what,
                      const struct ib_follow_counts *counts, int64_t late_ms, char *ret_why,
                      size_t cap)
{
    struct ib_policy policy = {.target_per_hour = rules->target_per_hour,
                               .total_per_hour = rules->total_per_hour};
    struct ib_policy_decision budget = {.verdict = IB_POLICY_CANCEL};
    int64_t within_ms = within(rules->within_ms);
    char text[IB_TIME_TEXT_MAX], limit[IB_TIME_TEXT_MAX], name[160];

    if (what[0] == '\0') {
        (void)snprintf(ret_why, cap, "the build is of no pipeline");
    } else if (counts->again) {
        (void)snprintf(ret_why, cap, "it was started again once already");
    } else if (counts->origin[0] != '\0') {
        (void)snprintf(ret_why, cap, "it was itself started after the cancel of %s",
                       short_name(counts->origin, name, sizeof name));
    } else if (counts->lost) {
        (void)snprintf(ret_why, cap, "what became of an earlier start of this pipeline is not known");
    } else if (late_ms < -IB_MINUTE_MS || late_ms > within_ms) {
        (void)snprintf(ret_why, cap, "the cancel was decided %s ago, which is not within %s",
                       ib_duration_fmt(late_ms < 0 ? 0 : late_ms, text, sizeof text),
                       ib_duration_fmt(within_ms, limit, sizeof limit));
    } else {
        ib_policy_decide_budgets(&policy, counts->target_last_hour, counts->total_last_hour,
                                 &budget);
        if (budget.verdict != IB_POLICY_CANCEL) {
            (void)snprintf(ret_why, cap, "refused by rule %s: %s, and a start counts as one",
                           ib_policy_rule_name(budget.rule), budget.reason);
        }
        return budget.verdict == IB_POLICY_CANCEL;
    }
    return false;
}

void ib_follow_say(struct ib_follow_report *report, enum ib_follow_outcome outcome,
                   enum ib_after_cancel kind, const char *why)
{
    char raw[2 * IB_ERROR_TEXT_MAX], name[160];

    report->outcome = outcome;
    report->kind = kind;
    switch (outcome) {
    case IB_FOLLOW_WOULD:
        (void)snprintf(raw, sizeof raw, "then %s",
                       kind == IB_AFTER_RETRY ? "it would be put back to work by RetryImage"
                                              : "its pipeline would be started again");
        break;
    case IB_FOLLOW_STARTED:
        (void)snprintf(raw, sizeof raw, "%s%s",
                       kind == IB_AFTER_RETRY ? "put back to work by RetryImage"
                                              : "started again as ",
                       kind == IB_AFTER_RETRY ? ""
                                              : short_name(report->started, name, sizeof name));
        break;
    case IB_FOLLOW_OPEN:
        (void)snprintf(raw, sizeof raw, "not started again yet: %s; --resume goes on with it", why);
        break;
    case IB_FOLLOW_NONE:
    case IB_FOLLOW_WITHHELD:
    case IB_FOLLOW_REFUSED:
    case IB_FOLLOW_FAILED:
        (void)snprintf(raw, sizeof raw, "not started again: %s", why);
        break;
    }
    (void)ib_text_plugin(raw, strlen(raw), report->text, sizeof report->text);
}

/* --- asking ------------------------------------------------------------------------------------- */

struct run {
    const struct ib_follow_job *job;
    struct ib_follow_report *report;
    enum ib_after_cancel kind;
};

/* text: NULL = as it was. */
static enum ib_rc write_row(const struct run *r, enum ib_cancel_phase phase, const char *event,
                            const char *text, struct ib_members *audit, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *members = NULL;
    struct ib_cancel_update u = {.id = r->job->row->id,
                                 .now_ms = ib_time_now_ms(),
                                 .self = r->job->self,
                                 .phase = phase,
                                 .outcome = phase == IB_CANCEL_ENDED ? event : NULL,
                                 .text = text,
                                 .started = r->report->started,
                                 .event = phase == IB_CANCEL_ENDED ? "start-end" : event};
    enum ib_rc rc = ib_members_take(audit, &members, err);

    u.audit = members;
    return rc == IB_OK ? ib_statedb_update(r->job->db, &u, err) : rc;
}

/* It has ended, one way or the other. */
static enum ib_rc end(const struct run *r, const char *outcome, struct ib_error *err)
{
    struct ib_members audit = ib_members_new();

    ib_members_c(&audit, "outcome", outcome);
    ib_members_c(&audit, "text", r->report->text);
    ib_members_str_if(&audit, "started", ib_str_from(r->report->started));
    ib_members_str_if(&audit, "requestId", ib_str_from(r->report->request_id));
    ib_members_str_if(&audit, "code", ib_str_from(r->report->error.aws_code));
    return write_row(r, IB_CANCEL_ENDED, outcome, r->report->text, &audit, err);
}

static enum ib_rc leave_open(const struct run *r, const char *why, struct ib_error *err)
{
    struct ib_members audit = ib_members_new();

    ib_follow_say(r->report, IB_FOLLOW_OPEN, r->kind, why);
    ib_members_c(&audit, "text", r->report->text);
    ib_members_str_if(&audit, "code", ib_str_from(r->report->error.aws_code));
    enum ib_rc rc = write_row(r, IB_CANCEL_CLAIMED, "start-left-open", why, &audit, err);
    return rc == IB_OK ? ib_statedb_release(r->job->db, r->job->row->id, r->job->self,
                                            ib_time_now_ms(), err)
                       : rc;
}

static void phase(const struct run *r, bool sent, const char *what)
{
    if (r->job->phase != NULL) {
        r->job->phase(r->job->ctx, sent, what);
    }
}

/* May another try help? What is in use may be free in a minute: the cancel was confirmed just now. */
static bool may_pass(const struct ib_error *why)
{
    /* What has no code is not AWS's word: it may have been started all the same. */
    return why->aws_code[0] == '\0' || why->http_status >= 500 ||
           strcmp(why->aws_code, "ResourceInUseException") == 0 ||
           ib_retry_may_pass(why);
}

/* The build that came of it, by the answer; RetryImage keeps the one it was asked for. */
static bool take_started(const struct run *r, const struct ib_value *build, struct ib_error *ret_why)
{
    struct ib_image_arn arn;
    bool sound = ib_value_is(build, IB_VALUE_STRING) &&
                 ib_image_arn_parse(ib_value_as_str(build), IB_IMAGE_ARN_NEED_BUILD, "build", &arn,
                                    NULL) == IB_OK &&
                 (r->kind != IB_AFTER_RETRY || ib_str_eq_c(ib_value_as_str(build), r->job->row->what));

    if (sound && ib_text_copy(r->report->started, sizeof r->report->started, ib_value_as_str(build))) {
        return true;
    }
    r->report->started[0] = '\0';
    (void)ib_fail(ret_why, IB_EPARSE, build == NULL ? "the answer names no build"
                                                    : "the answer names another build, or none");
    return false;
}

/* The request; *ret_why when it was not accepted. */
static bool call(const struct run *r, struct ib_error *ret_why)
{
    IB_CLEANUP(ib_aws_response_fini) struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
    IB_CLEANUP(ib_members_fini) struct ib_members params = ib_members_new();
    struct ib_aws_options options = ib_survey_aws_options(r->job->target);
    struct ib_aws_client *client = NULL;
    bool retry = r->kind == IB_AFTER_RETRY;
    struct ib_arn arn;

    enum ib_rc rc = ib_arn_parse(ib_str_from(r->job->row->what), "what is started", &arn, ret_why);
    if (rc == IB_OK) {
        rc = ib_clients_get(r->job->clients, &options, &client, ret_why);
    }
    ib_members_c(&params, retry ? "imageBuildVersionArn" : "imagePipelineArn", r->job->row->what);
    ib_members_c(&params, "clientToken", r->job->row->token);
    struct ib_imagebuilder_params all = {.params = params.object, .region = arn.region};
    if (rc != IB_OK) {
        return false;
    }
    r->report->sent = true;
    rc = ib_imagebuilder_call(
        client,
        ib_operation_find(retry ? IB_STR("RetryImage") : IB_STR("StartImagePipelineExecution")),
        &all, &response, ret_why);
    (void)snprintf(r->report->request_id, sizeof r->report->request_id, "%s", response.request_id);
    if (rc == IB_OK) {
        rc = ib_aws_response_error(&response, ret_why);
    }
    if (rc != IB_OK) {
        return false;
    }
    return take_started(r, ib_value_get_c(response.value, "imageBuildVersionArn"), ret_why);
}

/* Nothing is sent before this: too late, or not now. True: go on. */
static bool may_begin(const struct run *r, enum ib_rc *ret_rc, struct ib_error *err)
{
    const struct ib_follow_job *job = r->job;
    int64_t age_ms = ib_time_now_ms() - job->row->created_ms;
    char why[IB_CANCEL_TEXT_MAX], limit[IB_TIME_TEXT_MAX];
    bool late = age_ms < -IB_MINUTE_MS || age_ms > within(job->within_ms);

    if (late || job->withdrawn) {
        const char *reason = job->withdrawn ? "after_cancel does not ask for it any more"
                                            : "given up after ";
        (void)snprintf(why, sizeof why, "%s%s%s%.300s", reason,
                       job->withdrawn ? "" : ib_duration_fmt(within(job->within_ms), limit,
                                                             sizeof limit),
                       job->row->text[0] == '\0' ? "" : ", last: ", job->row->text);
        ib_follow_say(r->report, IB_FOLLOW_FAILED, r->kind, why);
        /* One that was asked for may have been begun all the same: told apart for the next one's sake. */
        *ret_rc = end(r, job->row->sent_ms == 0 ? "failed" : "expired", err);
        return false;
    }
    if (ib_signals_stop_requested()) {
        (void)snprintf(why, sizeof why, "stopped by %s", ib_signals_stop_name());
        *ret_rc = leave_open(r, why, err);
        return false;
    }
    if (ib_deadline_left_ms(&job->deadline) < CALL_MS) {
        *ret_rc = leave_open(r, "no time was left", err);
        return false;
    }
    return true;
}

static enum ib_rc conclude(const struct run *r, bool accepted, struct ib_error *err)
{
    char why[IB_ERROR_TEXT_MAX];

    if (accepted) {
        ib_follow_say(r->report, IB_FOLLOW_STARTED, r->kind, NULL);
        return end(r, "started", err);
    }
    if (may_pass(&r->report->error)) {
        (void)snprintf(why, sizeof why, "%.400s", r->report->error.text);
        return leave_open(r, why, err);
    }
    ib_follow_say(r->report, IB_FOLLOW_FAILED, r->kind, r->report->error.text);
    return end(r, "failed", err);
}

enum ib_rc ib_follow_run(const struct ib_follow_job *job, struct ib_follow_report *ret,
                         struct ib_error *err)
{
    struct run r = {.job = job, .report = ret, .kind = ib_follow_kind(job->row->kind)};
    struct ib_members audit = ib_members_new();
    enum ib_rc rc = IB_OK;

    *ret = (struct ib_follow_report){.kind = r.kind};
    memcpy(ret->token, job->row->token, sizeof ret->token);
    if (!may_begin(&r, &rc, err)) {
        ib_members_fini(&audit);
        return rc;
    }
    ib_members_c(&audit, "operation",
                 r.kind == IB_AFTER_RETRY ? "RetryImage" : "StartImagePipelineExecution");
    ib_members_c(&audit, "token", job->row->token);
    ib_members_int(&audit, "try", job->row->attempts);
    rc = write_row(&r, IB_CANCEL_SENT, "start-send", NULL, &audit, err);
    if (rc != IB_OK) {
        ib_follow_say(ret, IB_FOLLOW_OPEN, r.kind, "it cannot be recorded");
        return rc;
    }
    phase(&r, true, "starting it again");
    ib_clients_until(job->clients, job->deadline);
    bool accepted = call(&r, &ret->error);
    ib_clients_until_end(job->clients);
    phase(&r, true, "writing down that it was started again");
    return conclude(&r, accepted, err);
}
