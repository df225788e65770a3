/* SPDX-License-Identifier: MIT */
/* One cancel, from the fresh look to its confirmed end. */
#include "lib/watch/cancel.h"

#include "lib/aws/arn.h"
#include "lib/aws/awserror.h"
#include "lib/aws/retry.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/imagebuilder/api.h"
#include "lib/sys/signals.h"
#include "lib/watch/sender.h"

#define STEP_FROM   "getImage"
#define STEP_CONFIRM "confirmCancellation"
#define STEP_GIVEN  "createImage"
#define OUTPUT_ARN  "imageBuildVersionArn"
#define ANY_AGE_LOOK_MS (5 * IB_SECOND_MS) /* whatever comes of it, the cancel is asked for */
#define REREAD_MS     (3 * IB_SECOND_MS) /* to know what became of a request that was not accepted */
#define READ_MS       300 /* what one more look takes */
#define LAST_WORDS_MS 400 /* kept back from the deadline to say what came of it */

static const struct {
    const char *name;
    enum ib_state state;
} outcomes[IB_OUTCOME_COUNT] = {
    [IB_OUTCOME_CANCELLED] = { "cancelled", IB_STATE_OK },
    [IB_OUTCOME_FINISHED] = { "finished", IB_STATE_OK },
    [IB_OUTCOME_NOTHING] = { "nothing", IB_STATE_OK },
    [IB_OUTCOME_GONE] = { "gone", IB_STATE_OK },
    [IB_OUTCOME_DRY_RUN] = { "dry-run", IB_STATE_OK },
    [IB_OUTCOME_REQUESTED] = { "requested", IB_STATE_WARNING },
    [IB_OUTCOME_UNKNOWN] = { "unknown", IB_STATE_WARNING },
    [IB_OUTCOME_REFUSED] = { "refused", IB_STATE_CRITICAL },
    [IB_OUTCOME_UNTRIED] = { "untried", IB_STATE_UNKNOWN },
};

const char *ib_outcome_name(enum ib_outcome outcome)
{
    IB_ASSERT((unsigned)outcome < IB_OUTCOME_COUNT);
    return outcomes[outcome].name;
}

enum ib_state ib_outcome_state(enum ib_outcome outcome)
{
    IB_ASSERT((unsigned)outcome < IB_OUTCOME_COUNT);
    return outcomes[outcome].state;
}

void ib_cancel_report_fini(struct ib_cancel_report *report)
{
    ib_image_fini(&report->build.image);
}

struct run {
    const struct ib_cancel_job *job;
    struct ib_cancel_report *report;
    struct ib_sender sender;
    struct ib_deadline deadline; /* shrinks to the time for confirming once the cancel was accepted */
    bool vetoed;                 /* outcome and text are set, no request was sent */
    bool answered, accepted;     /* the cancel's answer came; it was a yes */
    bool unsure;                 /* a try before that answer may have done it */
    int64_t wait_mono_ms;        /* when the wait for the end began */
    struct ib_error answer;      /* of a no, or of the missing answer */
    int reads_after;             /* GetImage answers after the request */
    struct ib_error read_error;  /* of the last GetImage that gave no image; rc IB_OK otherwise */
};

static void say(struct run *r, enum ib_outcome outcome, const char *fmt, ...) IB_PRINTF(3, 4);
static void say(struct run *r, enum ib_outcome outcome, const char *fmt, ...)
{
    char raw[IB_ERROR_TEXT_MAX * 2];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    r->report->outcome = outcome;
    (void)ib_text_plugin(raw, strlen(raw), r->report->text, sizeof r->report->text);
}

static void phase(const struct run *r, bool sent, const char *what)
{
    if (r->job->hooks.phase != NULL) {
        r->job->hooks.phase(r->job->hooks.ctx, sent, what);
    }
}

/* What gets no answer ends by then, and leaves the rest of the run to others. */
static void set_deadline(struct run *r, struct ib_deadline deadline)
{
    r->deadline = deadline;
    ib_clients_until(r->job->clients, deadline);
}

/* When all must be over, or sooner. */
static struct ib_deadline within(const struct run *r, int64_t ms)
{
    int64_t left_ms = ib_deadline_left_ms(&r->job->deadline) - LAST_WORDS_MS;

    return ib_deadline_in(ms < left_ms ? ms : left_ms);
}

/* --- reading ------------------------------------------------------------------------------------ */

static void take_image(struct run *r, struct ib_value *body)
{
    struct ib_cancel_report *report = r->report;
    struct ib_image image = { 0 };

    if (ib_image_from_answer(body, r->job->arn, &image, &r->read_error) != IB_OK) {
        return;
    }
    r->read_error = (struct ib_error)IB_ERROR_INIT;
    ib_image_fini(&report->build.image);
    report->build.image = image;
    report->reads++;
    char *status = report->sent ? report->status_after : report->status_before;
    (void)ib_text_plugin(image.status_text.p, image.status_text.n, status,
                         sizeof report->status_after);
    r->reads_after += report->sent ? 1 : 0;
    if (r->job->hooks.seen != NULL) {
        r->job->hooks.seen(r->job->hooks.ctx, &report->build.image);
    }
}

static void take_read_answer(struct run *r, const struct ib_aws_response *response)
{
    struct ib_error bad = IB_ERROR_INIT;

    if (ib_aws_response_error(response, &bad) != IB_OK) {
        r->read_error = bad;
    } else {
        take_image(r, response->value);
    }
}

/* Once more, outside of the document: to know what became of a request that was not accepted. */
static void reread(struct run *r)
{
    struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *params = ib_value_object();
    struct ib_image_arn arn;
    struct ib_error err = IB_ERROR_INIT;

    if (params == NULL ||
        ib_value_set(params, IB_STR(OUTPUT_ARN), ib_value_string(r->job->arn), &err) != IB_OK ||
        ib_image_arn_parse(r->job->arn, IB_IMAGE_ARN_NEED_BUILD, "ARN", &arn, &err) != IB_OK) {
        return;
    }
    struct ib_imagebuilder_params all = { .params = params, .region = arn.arn.region };
    phase(r, r->report->sent, "reading the build again");
    if (ib_imagebuilder_call(r->sender.client, ib_operation_find(IB_STR("GetImage")), &all,
                             &response, &err) == IB_OK) {
        take_read_answer(r, &response);
    } else {
        r->read_error = err;
    }
    ib_aws_response_fini(&response);
}

/* --- deciding ----------------------------------------------------------------------------------- */


/* It cannot be read what it is doing, and no repetition will change that. */
static bool is_blind(const struct ib_survey_detail *d)
{
    return d->trouble.rc != IB_OK && (d->denied || d->unsupported);
}

/*
 * What is it doing, and was it put back to work? Not known is not stuck. A cancel that was decided
 * before is not repeated on a build of which that is not known, whatever the reason: RetryImage keeps the ARN.
 * With --any-age nothing hangs on it now, but what is on record tells a later call whether it is still the
 * build that was meant.
 */
static bool look(struct run *r, int64_t now_ms)
{
    const struct ib_cancel_job *job = r->job;
    struct ib_survey_build *b = &r->report->build;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = IB_OK;

    if (job->resume || job->policy->any_age) {
        int64_t most_ms = ib_deadline_left_ms(&r->deadline) / 2;
        most_ms = most_ms < ANY_AGE_LOOK_MS ? most_ms : ANY_AGE_LOOK_MS;
        rc = ib_survey_look_always(job->target, job->clients, now_ms, job->resume ? 0 : most_ms, b, &err);
    } else {
        rc = ib_survey_look(job->target, job->clients, now_ms, b, &err);
    }
    if (rc != IB_OK) {
        r->report->error = err;
        say(r, IB_OUTCOME_UNTRIED, "not tried: %s", err.text);
        return false;
    }
    ib_survey_facts(b, now_ms, &b->facts);
    if (job->begun_after_ms != 0) {
        ib_judge_not_older(&b->facts, ib_time_now_ms() - job->begun_after_ms);
    }
    ib_judge(&job->target->rules, &b->facts, &b->judgement);
    if (b->facts.restarting) {
        /* In flight when it was read, its workflows failed when they were: it may have ended between. */
        reread(r);
        if (r->read_error.rc == IB_OK && ib_image_status_terminal(b->image.status)) {
            say(r, IB_OUTCOME_NOTHING, "nothing to cancel: it has ended as %.*s",
                IB_STR_ARG(b->image.status_text));
            return false;
        }
    }
    bool matters = job->resume ? !is_blind(&b->detail) || !job->policy->age_from_creation
                               : b->judgement.stuck && !is_blind(&b->detail) && !job->policy->any_age;
    if (matters && b->detail.trouble.rc != IB_OK) {
        r->report->error = b->detail.trouble;
        say(r, IB_OUTCOME_UNTRIED, "not tried, for what it is doing could not be read: %s",
            b->detail.trouble.text);
        return false;
    }
    if (job->resume && b->facts.restarting) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: it is being put back to work");
        return false;
    }
    return true;
}

/* Policy on the build as it was read last. */
static void ask_policy(struct run *r)
{
    const struct ib_cancel_job *job = r->job;
    struct ib_survey_build *b = &r->report->build;
    char once[sizeof r->report->decision.reason] = "";
    bool given_up =
        job->hooks.once != NULL && !job->hooks.once(job->hooks.ctx, b, once, sizeof once);
    struct ib_policy_facts facts = {
        .arn = job->arn,
        .state = b->image.status,
        .status = b->image.status_text,
        .age_known = b->facts.age_known,
        .age_ms = b->facts.age_ms,
        .unread = is_blind(&b->detail) && (b->judgement.stuck || job->policy->any_age)
                      ? ib_str_from(b->detail.trouble.text)
                      : (struct ib_str){"", 0},
        .stuck = b->judgement.stuck,
        .tags_known = !b->image.tags_unreadable,
        .tags = b->image.tags,
        .by_arn = job->by_arn,
        .given_up = given_up,
        .once = ib_str_from(once),
        .cancelled_this_run = job->cancelled_this_run,
        .target_last_hour = job->target_last_hour,
        .total_last_hour = job->total_last_hour,
    };
    ib_policy_decide(job->policy, &facts, &r->report->decision);
    r->report->decided = true;
}

/* The last word before the request: the check's judgement, then policy. True: send. */
static bool decide(struct run *r)
{
    const struct ib_cancel_job *job = r->job;
    struct ib_cancel_report *report = r->report;
    const struct ib_survey_build *b = &report->build;

    if (!look(r, ib_time_now_ms() + ib_clients_skew_ms(job->clients))) {
        return false;
    }
    ask_policy(r);
    switch (report->decision.verdict) {
    case IB_POLICY_CANCEL:
        break;
    case IB_POLICY_NOTHING:
        say(r, IB_OUTCOME_NOTHING, "nothing to cancel: %s",
            report->decision.rule == IB_RULE_STUCK ? b->judgement.words : report->decision.reason);
        return false;
    case IB_POLICY_REFUSE:
        say(r, IB_OUTCOME_REFUSED, "refused by rule %s: %s",
            ib_policy_rule_name(report->decision.rule), report->decision.reason);
        return false;
    }
    if (job->dry_run) {
        say(r, IB_OUTCOME_DRY_RUN, "would be cancelled (dry run): %s", b->judgement.words);
        return false;
    }
    return true;
}

static bool may_send(struct run *r)
{
    struct ib_cancel_report *report = r->report;
    struct ib_error err = IB_ERROR_INIT;

    if (report->build.image.value == NULL || r->read_error.rc != IB_OK) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: the document asks for a cancel before it has read "
                                   "the build");
        return false;
    }
    if (!decide(r)) {
        return false;
    }
    if (ib_signals_stop_requested()) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: stopped by %s", ib_signals_stop_name());
        return false;
    }
    if (ib_deadline_passed(&r->deadline)) {
        (void)ib_fail(&report->error, IB_ETIMEOUT, "no time is left to ask for the cancel");
        say(r, IB_OUTCOME_UNTRIED, "not tried: %s", report->error.text);
        return false;
    }
    memcpy(report->token, r->job->token, sizeof report->token);
    if (r->job->hooks.before_send == NULL) {
        return true;
    }
    enum ib_rc rc = r->job->hooks.before_send(r->job->hooks.ctx, &report->build, &report->decision,
                                              report->token, &err);
    if (rc != IB_OK) {
        report->token[0] = '\0';
        report->error = err;
        say(r, rc == IB_EREFUSED ? IB_OUTCOME_REFUSED : IB_OUTCOME_UNTRIED, "%s", err.text);
        return false;
    }
    return true;
}

/* --- the calls of the document ------------------------------------------------------------------ */

static enum ib_rc veto(struct run *r, struct ib_error *err)
{
    r->vetoed = true;
    return ib_fail(err, IB_EREFUSED, "%s", r->report->text);
}

/* The body of the document, with the token that is on record. */
static struct ib_value *cancel_body(const struct run *r, const struct ib_arazzo_call *call)
{
    struct ib_value *body = ib_value_copy(call->body);
    struct ib_value *token = ib_value_string(ib_str_from(r->report->token));
    struct ib_error err = IB_ERROR_INIT;

    if (body == NULL || token == NULL) {
        ib_value_unref(token);
        ib_value_unref(body);
        return NULL;
    }
    if (ib_value_set(body, IB_STR("clientToken"), token, &err) != IB_OK) {
        ib_value_unref(body);
        return NULL;
    }
    return body;
}

/* Is it Image Builder that says yes, and of this build? A captive portal's 200 is no cancel. */
static enum ib_rc check_yes(const struct run *r, const struct ib_aws_response *response,
                            struct ib_error *err)
{
    enum ib_rc rc = ib_aws_response_error(response, err);

    if (rc != IB_OK) {
        return rc;
    }
    const struct ib_value *arn = ib_value_get_c(response->value, OUTPUT_ARN);
    const struct ib_value *id = ib_value_get_c(response->value, "requestId");
    bool says_yes = arn == NULL ? ib_value_is(id, IB_VALUE_STRING)
                                : ib_value_is(arn, IB_VALUE_STRING) &&
                                      ib_str_eq(ib_value_as_str(arn), r->job->arn);
    if (!says_yes) {
        rc = ib_fail(err, IB_EPARSE, "CancelImageCreation: HTTP %d, but %s", response->status,
                     arn == NULL ? "not with what Image Builder answers: a proxy or load balancer on "
                                   "the way?"
                                 : "it names another build");
        err->http_status = response->status;
    }
    return rc;
}

static void take_cancel_answer(struct run *r, const struct ib_aws_response *response)
{
    struct ib_cancel_report *report = r->report;

    r->answered = true;
    (void)snprintf(report->request_id, sizeof report->request_id, "%s", response->request_id);
    r->answer = (struct ib_error)IB_ERROR_INIT;
    r->accepted = check_yes(r, response, &r->answer) == IB_OK;
    r->wait_mono_ms = ib_time_mono_ms();
    r->unsure = response->unsure > 0;
    /* A refusal is looked at once more: has it ended by itself? */
    set_deadline(r, within(r, r->accepted || r->job->confirm_ms > REREAD_MS ? r->job->confirm_ms : REREAD_MS));
}

/*
 * No answer, or one that says nothing about what was done: a failure of AWS's, not AWS's at all (without a code or a
 * request id), or a no to a try after such a one.
 */
static bool may_have_arrived(const struct run *r)
{
    return !r->answered || r->answer.http_status >= 500 ||
           (!r->accepted && (r->unsure || r->answer.aws_code[0] == '\0' || r->answer.request_id[0] == '\0'));
}

static enum ib_rc send_cancel(struct run *r, const struct ib_arazzo_call *call,
                              struct ib_arazzo_reply *reply, struct ib_error *err)
{
    struct ib_cancel_report *report = r->report;
    const struct ib_value *arn = ib_value_get_c(call->body, OUTPUT_ARN);

    if (!ib_value_is(arn, IB_VALUE_STRING) || !ib_str_eq(ib_value_as_str(arn), r->job->arn)) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: the document asks to cancel another build");
        return veto(r, err);
    }
    if (report->sent) {
        return ib_fail(err, IB_EREFUSED, "the document asks for a second cancel");
    }
    if (!may_send(r)) {
        return veto(r, err);
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = cancel_body(r, call);
    if (body == NULL) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: out of memory");
        return veto(r, err);
    }
    struct ib_arazzo_call with_token = *call;
    with_token.body = body;
    report->sent = true;
    report->sent_ms = ib_time_now_ms();
    phase(r, true, "asking for the cancel");
    int64_t tries = ib_aws_client_stats(r->sender.client).attempts;
    enum ib_rc rc = ib_sender_call(&r->sender, &with_token, reply, err);
    if (!r->answered) {
        r->answer = *err;
        /* No credentials any more, no time, stopped: it did not leave this machine. */
        report->sent = ib_aws_client_stats(r->sender.client).attempts > tries;
    }
    if (r->job->hooks.after_send != NULL) {
        bool refused = !report->sent || (!r->accepted && !may_have_arrived(r));
        r->job->hooks.after_send(r->job->hooks.ctx, &r->answer, refused, report->request_id);
    }
    phase(r, report->sent, "waiting for the build to end");
    return rc;
}

/* Every answer that came, before the document makes anything of it. */
static enum ib_rc on_seen(void *ctx, const struct ib_arazzo_call *call,
                          const struct ib_operation *operation,
                          const struct ib_aws_response *response, struct ib_error *err)
{
    struct run *r = ctx;

    (void)call;
    (void)err;
    if (operation != NULL && strcmp(operation->name, "GetImage") == 0) {
        take_read_answer(r, response);
    } else if (operation != NULL && strcmp(operation->name, "CancelImageCreation") == 0) {
        take_cancel_answer(r, response);
    }
    return IB_OK;
}

static enum ib_rc on_call(void *ctx, const struct ib_arazzo_call *call,
                          struct ib_arazzo_reply *reply, struct ib_error *err)
{
    struct run *r = ctx;
    struct ib_str name = call->operation_id;

    if (name.p == NULL && call->openapi != NULL) {
        name = call->openapi->id;
    }
    if (ib_str_eq_c(name, "CancelImageCreation")) {
        return send_cancel(r, call, reply, err);
    }
    if (ib_sender_changes(call)) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: the document asks for %.*s, which is no part of a "
                                   "cancel", IB_STR_ARG(name));
        return veto(r, err);
    }
    enum ib_rc rc = ib_sender_call(&r->sender, call, reply, err);
    if (rc != IB_OK && r->read_error.rc == IB_OK && ib_str_eq_c(name, "GetImage")) {
        r->read_error = *err;
    }
    return rc;
}

/* --- what came of it ---------------------------------------------------------------------------- */

static bool is_gone(const struct ib_error *err)
{
    return strcmp(err->aws_code, "ResourceNotFoundException") == 0 ||
           (err->rc == IB_EAWS && err->http_status == 404);
}

/* Still named when it stays, so that somebody deletes it. */
static bool has_leftovers(const struct ib_image *image)
{
    struct ib_image_ami ami;

    return ib_image_ami_at(image, 0, &ami);
}

/* The request was sent and a later read shows how the build ended. True when it does. */
static bool ended(struct run *r)
{
    const struct ib_image *image = &r->report->build.image;

    if (r->reads_after == 0 || r->read_error.rc != IB_OK ||
        !ib_image_status_terminal(image->status)) {
        return false;
    }
    r->report->ended_ms = ib_time_now_ms();
    if (image->status == IB_IMAGE_CANCELLED && (r->accepted || may_have_arrived(r))) {
        say(r, IB_OUTCOME_CANCELLED, "cancelled and confirmed%s",
            has_leftovers(image) ? "; an AMI was left behind" : "");
    } else if (image->status == IB_IMAGE_CANCELLED) {
        say(r, IB_OUTCOME_FINISHED, "it was cancelled by another");
    } else {
        say(r, IB_OUTCOME_FINISHED, "not cancelled: it ended by itself as %.*s before the cancel "
                                    "took effect",
            IB_STR_ARG(image->status_text));
    }
    return true;
}

static void conclude_refused(struct run *r)
{
    struct ib_cancel_report *report = r->report;
    const char *code = r->answer.aws_code;

    report->error = r->answer;
    if (is_gone(&r->read_error) || (is_gone(&r->answer) && r->read_error.rc != IB_OK)) {
        report->error = (struct ib_error)IB_ERROR_INIT;
        say(r, IB_OUTCOME_GONE, "nothing to cancel any more: the build is gone");
    } else if (may_have_arrived(r)) {
        say(r, IB_OUTCOME_UNKNOWN, "outcome unknown: %s", r->answer.text);
    } else if (ib_awserror_is_denied(code, r->answer.http_status)) {
        say(r, IB_OUTCOME_REFUSED, "it may be read but not cancelled: %s", r->answer.text);
    } else if (ib_retry_may_pass(&r->answer)) {
        say(r, IB_OUTCOME_UNTRIED, "not cancelled yet: %s", r->answer.text);
    } else if (strcmp(code, "ResourceInUseException") == 0) {
        report->may_pass = true; /* as what after_cancel asks for: in a minute it may be free */
        say(r, IB_OUTCOME_REFUSED, "not cancelled, the build is in use: %s", r->answer.text);
    } else if (strcmp(code, "IdempotentParameterMismatchException") == 0) {
        say(r, IB_OUTCOME_REFUSED, "not cancelled, its token was used for another request: %s",
            r->answer.text);
    } else {
        say(r, IB_OUTCOME_REFUSED, "not cancelled: %s", r->answer.text);
    }
}

static bool run_slice(struct run *r, const char *from, struct ib_arazzo_result *result);

/* As if it had been accepted: if it was, the build ends. */
static void wait_for_end(struct run *r)
{
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    struct ib_error before = r->report->error;

    set_deadline(r, within(r, r->job->confirm_ms));
    r->wait_mono_ms = ib_time_mono_ms();
    phase(r, true, "waiting for the build to end");
    if (!run_slice(r, STEP_CONFIRM, &result)) {
        r->report->error = before;
    }
    ib_arazzo_result_fini(&result);
}

/* The document looks every few seconds: once more at the end of the time that was given. */
static void last_look(struct run *r)
{
    struct ib_error ignored = IB_ERROR_INIT;
    int64_t left_ms = ib_deadline_left_ms(&r->deadline);

    if (left_ms == 0 || ib_signals_stop_requested() || is_gone(&r->read_error)) {
        return;
    }
    if (left_ms > READ_MS &&
        ib_deadline_sleep(&r->deadline, left_ms - READ_MS, &ignored) != IB_OK) {
        return; /* stopped */
    }
    reread(r);
}

/* What was waited for: what was asked for, unless the run had no time for it. */
static const char *waited(const struct run *r, char *buf, size_t cap)
{
    int64_t ms = ib_time_mono_ms() - r->wait_mono_ms;
    bool whole = ms + IB_SECOND_MS > r->job->confirm_ms;

    int64_t rounded_ms = (ms + IB_SECOND_MS / 2) / IB_SECOND_MS * IB_SECOND_MS;
    return ib_duration_fmt(whole ? r->job->confirm_ms : rounded_ms, buf, cap);
}

static void conclude_sent(struct run *r)
{
    struct ib_cancel_report *report = r->report;
    char limit[IB_TIME_TEXT_MAX];
    if (!r->accepted && r->reads_after == 0 && !ib_signals_stop_requested()) {
        set_deadline(r, within(r, REREAD_MS));
        reread(r);
    }
    if (may_have_arrived(r) && r->read_error.rc == IB_OK && !ended(r) &&
        !ib_signals_stop_requested()) {
        wait_for_end(r);
    }
    if ((r->accepted || may_have_arrived(r)) && !ended(r)) {
        last_look(r);
    }
    if (ended(r)) {
        return;
    }
    if (r->answered && !r->accepted) {
        conclude_refused(r);
        return;
    }
    if (r->accepted && is_gone(&r->read_error)) {
        say(r, IB_OUTCOME_GONE, "the cancel was accepted and the build is gone");
        return;
    }
    report->error = r->accepted ? r->read_error : r->answer;
    const char *stop = ib_signals_stop_name();
    const char *status = report->status_after[0] != '\0' ? report->status_after
                                                         : report->status_before;
    if (!r->accepted) {
        say(r, IB_OUTCOME_UNKNOWN, "outcome unknown, the request may have arrived: %s",
            r->answer.text);
    } else if (ib_signals_stop_requested()) {
        say(r, IB_OUTCOME_REQUESTED, "outcome unknown: cancel requested, stopped by %s before it "
                                     "was confirmed, last seen %s", stop, status);
    } else if (r->read_error.rc != IB_OK && r->read_error.rc != IB_ETIMEOUT) {
        say(r, IB_OUTCOME_REQUESTED, "cancel requested, not confirmed: %s", r->read_error.text);
    } else if (r->job->confirm_ms == 0) {
        say(r, IB_OUTCOME_REQUESTED, "cancel requested, not confirmed yet: last seen %s", status);
    } else {
        say(r, IB_OUTCOME_REQUESTED, "cancel requested, not confirmed within %s: still %s",
            waited(r, limit, sizeof limit), status);
    }
}

static void conclude_unsent(struct run *r, const struct ib_arazzo_result *result)
{
    struct ib_cancel_report *report = r->report;
    const struct ib_image *image = &report->build.image;
    const struct ib_error *why = r->read_error.rc != IB_OK ? &r->read_error : &result->error;

    if (image->value != NULL && r->read_error.rc == IB_OK && !ib_signals_stop_requested()) {
        if (ib_image_status_terminal(image->status)) {
            int64_t now_ms = ib_time_now_ms() + ib_clients_skew_ms(r->job->clients);
            ib_survey_facts(&report->build, now_ms, &report->build.facts);
            ask_policy(r); /* for --explain: which rules hold of it all the same */
            say(r, IB_OUTCOME_NOTHING, "nothing to cancel: it has ended as %.*s",
                IB_STR_ARG(image->status_text));
            return;
        }
        if (image->status == IB_IMAGE_UNHEARD_OF) {
            say(r, IB_OUTCOME_REFUSED, "not cancelled: state %.*s is not known to this version",
                IB_STR_ARG(image->status_text));
            return;
        }
        if (result->outcome == IB_RUN_SUCCESS) {
            say(r, IB_OUTCOME_NOTHING, "the document ends without a cancel: state %.*s",
                IB_STR_ARG(image->status_text));
            return;
        }
    }
    report->error = *why;
    if (ib_signals_stop_requested()) {
        say(r, IB_OUTCOME_UNTRIED, "not tried: stopped by %s", ib_signals_stop_name());
    } else {
        say(r, IB_OUTCOME_UNTRIED, "not tried: %s", why->text);
    }
}

/* The workflow that has the steps of a cancel. */
static const struct ib_arazzo_workflow *find_workflow(const struct ib_arazzo_doc *doc)
{
    for (size_t i = 0; i < doc->workflow_count; i++) {
        const struct ib_arazzo_workflow *w = &doc->workflows[i];
        for (size_t s = 0; s < w->step_count; s++) {
            if (ib_str_eq_c(w->steps[s].target, "CancelImageCreation") &&
                ib_arazzo_step_find(w, IB_STR(STEP_FROM)) != NULL) {
                return w;
            }
        }
    }
    return NULL;
}

/* A slice that begins with `from`, about the build of the job. False: it could not be run. */
static bool run_slice(struct run *r, const char *from, struct ib_arazzo_result *result)
{
    const struct ib_cancel_job *job = r->job;
    struct ib_aws_options options = ib_survey_aws_options(job->target);
    struct ib_error err = IB_ERROR_INIT;
    const struct ib_arazzo_workflow *workflow = find_workflow(job->doc);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *arn = ib_value_string(job->arn);
    enum ib_rc rc = IB_OK;

    if (workflow == NULL) {
        rc = ib_fail(&err, IB_ECONFIG,
                     "%s: no workflow has a step " STEP_FROM " and one that calls "
                     "CancelImageCreation", job->doc->name);
    } else if (arn == NULL) {
        rc = ib_fail_nomem(&err);
    } else {
        rc = ib_clients_get(job->clients, &options, &r->sender.client, &err);
    }
    if (rc != IB_OK) {
        r->report->error = err;
        return false;
    }
    r->sender.seen = on_seen;
    r->sender.ctx = r;
    const struct ib_arazzo_given given = { IB_STR(STEP_GIVEN), IB_STR(OUTPUT_ARN), arn };
    const struct ib_arazzo_run_options run_options = {
        .workflow_id = workflow->id,
        .from = ib_str_from(from),
        .given = &given,
        .given_count = 1,
        .pace_ms = -1,
        .deadline = &r->deadline,
        .call = on_call,
        .call_ctx = r,
    };
    ib_arazzo_run(job->doc, &run_options, result);
    return true;
}

void ib_cancel_run(const struct ib_cancel_job *job, struct ib_cancel_report *ret)
{
    struct run r = { .job = job, .report = ret };
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    (void)snprintf(ret->arn, sizeof ret->arn, "%.*s", IB_STR_ARG(job->arn));
    set_deadline(&r, within(&r, job->ask_ms > 0 ? job->ask_ms : INT64_MAX));
    phase(&r, false, "reading the build");
    if (!run_slice(&r, STEP_FROM, &result)) {
        say(&r, IB_OUTCOME_UNTRIED, "not tried: %s", ret->error.text);
    } else if (ret->sent) {
        conclude_sent(&r);
    } else if (!r.vetoed) {
        conclude_unsent(&r, &result);
    }
    ib_clients_until_end(job->clients);
    ib_arazzo_result_fini(&result);
}

void ib_cancel_confirm(const struct ib_cancel_job *job, struct ib_cancel_report *report)
{
    struct run r = { .job = job, .report = report, .answered = true, .accepted = true };
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    if (report->outcome != IB_OUTCOME_REQUESTED) {
        return;
    }
    set_deadline(&r, within(&r, job->confirm_ms));
    r.wait_mono_ms = ib_time_mono_ms();
    phase(&r, true, "waiting for the build to end");
    if (run_slice(&r, STEP_CONFIRM, &result)) {
        conclude_sent(&r);
    }
    ib_clients_until_end(job->clients);
    ib_arazzo_result_fini(&result);
}
