/* SPDX-License-Identifier: MIT */
/* ib_cancel_action: an event handler that cancels builds that are stuck, and sees it done. */
#include "lib/arazzo/check.h"
#include "lib/base/env.h"
#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/record.h"
#include "lib/plugin/start.h"
#include "lib/sys/detach.h"
#include "lib/sys/random.h"
#include "lib/watch/allow.h"
#include "lib/watch/cancel.h"
#include "lib/watch/gate.h"
#include "lib/watch/sender.h"
#include "plugins/cancelled.h"
#include "plugins/diagnose.h"
#include "plugins/history.h"
#include "plugins/plan.h"
#include "plugins/recorded.h"
#include "plugins/resume.h"

#define TIMEOUT_MS      (25 * IB_SECOND_MS) /* Nagios kills handlers after 30 s */
#define CONFIRM_MS      (15 * IB_SECOND_MS)
#define SWEEP_CONFIRM_MS (3 * IB_SECOND_MS) /* for each that was open before; the next sweep looks again */
#define ASK_MIN_MS      (4 * IB_SECOND_MS) /* to read, decide and ask: so long, however many builds wait */
#define RESERVE_MS      300 /* kept back from --timeout: what was done is written and said within it */
#define CANDIDATES_MAX  50 /* builds looked at in one run */

struct options {
    struct ib_common common;
    struct ib_plan_options plan;
    struct ib_gate_rules gate;
    struct ib_gate_event event;
    const char *problem_id, *workflow;
    bool any_age, age_from_creation, distributing, dry_run, explain;
    int64_t max_cancel;     /* -1 = not given */
    int64_t confirm_ms;     /* -1 = not given */
    int64_t minimum_age_ms; /* -1 = not given */
    int64_t parallel;
    struct ib_option_list allow;

    bool resume, sweep, history, no_journal, comment, detach;
    bool sweep_selects;     /* the command line says what is swept */
    int64_t limit;          /* of --history */
    const char *state_dir, *host, *service, *tag;
    int recheck;            /* enum ib_scheduler */
    int after_cancel;       /* enum ib_after_cancel; -1 = not given */
    int facility;
    int argc;
    char *const *argv;
};

#define AT(member) offsetof(struct options, member)

static enum ib_rc parse_state(const struct ib_option *option, const char *value, void *dest,
                              struct ib_error *err)
{
    struct ib_gate_event *e = dest;

    (void)option;
    e->has_state = ib_state_from(ib_str_from(value), &e->state);
    return e->has_state ? IB_OK
                        : ib_fail(err, IB_EUSAGE,
                                  "\"%s\" is not OK, WARNING, CRITICAL or UNKNOWN (a macro that "
                                  "was not replaced?)", value);
}

static enum ib_rc parse_type(const struct ib_option *option, const char *value, void *dest,
                             struct ib_error *err)
{
    struct ib_gate_event *e = dest;
    struct ib_str s = ib_str_from(value);

    (void)option;
    e->type = ib_str_ieq_c(s, "HARD")   ? IB_GATE_TYPE_HARD
              : ib_str_ieq_c(s, "SOFT") ? IB_GATE_TYPE_SOFT
                                        : IB_GATE_TYPE_NONE;
    return e->type != IB_GATE_TYPE_NONE
               ? IB_OK
               : ib_fail(err, IB_EUSAGE, "\"%s\" is not SOFT or HARD (a macro that was not "
                                         "replaced?)", value);
}

static enum ib_rc parse_on(const struct ib_option *option, const char *value, void *dest,
                           struct ib_error *err)
{
    (void)option;
    return ib_gate_on_parse(value, dest, err);
}

static enum ib_rc parse_depth(const struct ib_option *option, const char *value, void *dest,
                              struct ib_error *err)
{
    struct ib_gate_event *e = dest;

    (void)option;
    enum ib_rc rc =
        ib_num_i64(ib_str_from(value), 0, 1000000, "depth", &e->downtime_depth, err);
    e->has_downtime = rc == IB_OK;
    return rc;
}

static enum ib_rc parse_allow(const struct ib_option *option, const char *value, void *dest,
                              struct ib_error *err)
{
    struct ib_option_list *list = dest;

    (void)option;
    if (ib_allow_check(ib_str_from(value), "pattern", err) != IB_OK) {
        if (err != NULL) {
            err->rc = IB_EUSAGE;
        }
        return IB_EUSAGE;
    }
    const char **grown = reallocarray(list->items, list->count + 1, sizeof *grown);
    if (grown == NULL) {
        return ib_fail_nomem(err);
    }
    list->items = grown;
    list->items[list->count++] = value;
    return IB_OK;
}

static const struct ib_option event_rows[] = {
    { .long_name = "state", .kind = IB_OPTION_CALL, .offset = AT(event), .arg = "STATE",
      .parse = parse_state, .help = "state of the service: $SERVICESTATE$, $service.state$" },
    { .long_name = "state-type", .kind = IB_OPTION_CALL, .offset = AT(event), .arg = "TYPE",
      .parse = parse_type,
      .help = "SOFT or HARD: $SERVICESTATETYPE$, $service.state_type$" },
    { .long_name = "attempt", .kind = IB_OPTION_INT, .offset = AT(event.attempt), .arg = "N",
      .min = 1, .max = 100000, .help = "check attempt, for --on soft:N" },
    { .long_name = "on", .kind = IB_OPTION_CALL, .offset = AT(gate), .arg = "hard|soft:N|always",
      .parse = parse_on, .def = "hard",
      .help = "act on CRITICAL HARD; also on CRITICAL SOFT from attempt N; always" },
    { .long_name = "problem-id", .kind = IB_OPTION_TEXT, .offset = AT(problem_id), .arg = "ID",
      .help = "the scheduler's id of the problem, for the record" },
    { .long_name = "check-source", .kind = IB_OPTION_TEXT, .offset = AT(event.check_source),
      .arg = "NAME", .help = "where the check ran: $service.check_source$" },
    { .long_name = "node", .kind = IB_OPTION_TEXT, .offset = AT(event.node), .arg = "NAME",
      .help = "this node: do nothing unless it is the --check-source" },
    { .long_name = "downtime-depth", .kind = IB_OPTION_CALL, .offset = AT(event), .arg = "N",
      .parse = parse_depth, .help = "$SERVICEDOWNTIME$, $service.downtime_depth$" },
    { .long_name = "skip-in-downtime", .kind = IB_OPTION_FLAG,
      .offset = AT(gate.skip_in_downtime), .help = "do nothing while a downtime is in effect" },
};

static const struct ib_option cancel_rows[] = {
    { .long_name = "any-age", .kind = IB_OPTION_FLAG, .offset = AT(any_age),
      .help = "with --arn: cancel whatever its age" },
    { .long_name = "max-cancel", .kind = IB_OPTION_INT, .offset = AT(max_cancel), .arg = "N",
      .min = 1, .max = 1000, .def = "1", .help = "cancel at most N builds in this run" },
    { .long_name = "allow", .kind = IB_OPTION_CALL, .offset = AT(allow), .arg = "PATTERN",
      .parse = parse_allow,
      .help = "cancel only builds whose ARN fits; needed for builds found by --pipeline, --image "
              "or --all; repeatable" },
    { .long_name = "minimum-age", .kind = IB_OPTION_DURATION, .offset = AT(minimum_age_ms),
      .arg = "DUR", .def = "none", .help = "never cancel a younger build" },
    { .long_name = "age-from-creation", .kind = IB_OPTION_FLAG, .offset = AT(age_from_creation),
      .help = "where it may not be read whether a build was put back to work or waits for a person, "
              "age it from its creation instead of leaving it alone" },
    { .long_name = "also-distributing", .kind = IB_OPTION_FLAG, .offset = AT(distributing),
      .help = "also cancel while DISTRIBUTING, when copies of AMIs may stay behind" },
    { .long_name = "confirm-timeout", .kind = IB_OPTION_DURATION, .offset = AT(confirm_ms),
      .arg = "DUR", .max = IB_HOUR_MS, .def = "15s",
      .help = "how long to wait until the build has ended" },
    { .long_name = "dry-run", .kind = IB_OPTION_FLAG, .offset = AT(dry_run),
      .help = "do everything but ask for the cancel" },
    { .long_name = "explain", .kind = IB_OPTION_FLAG, .offset = AT(explain),
      .help = "show every rule of the decision; implies --dry-run" },
    { .long_name = "workflow", .kind = IB_OPTION_TEXT, .offset = AT(workflow), .arg = "FILE",
      .help = "Arazzo document in place of the built-in one" },
};

static const char *const after_kinds[] = { "nothing", "retry", "start-pipeline", NULL };
static const char *const schedulers[] = { "none", "icinga", "nagios", NULL };

static const struct ib_option memory_rows[] = {
    { .long_name = "resume", .kind = IB_OPTION_FLAG, .offset = AT(resume),
      .help = "finish or retry what earlier calls left open, nothing else; fit for a service of its "
              "own" },
    { .long_name = "sweep", .kind = IB_OPTION_FLAG, .offset = AT(sweep),
      .help = "resume, then cancel every stuck build that targets and policy allow, no event needed" },
    { .long_name = "history", .kind = IB_OPTION_FLAG, .offset = AT(history),
      .help = "show who cancelled what, why, and what came of it" },
    { .long_name = "limit", .kind = IB_OPTION_INT, .offset = AT(limit), .arg = "N", .min = 1,
      .max = 100000, .def = "100", .help = "lines of --history" },
    { .long_name = "state-dir", .kind = IB_OPTION_TEXT, .offset = AT(state_dir), .arg = "DIR",
      .help = "directory of the journal; default: state_dir of the configuration, $IB_STATE_DIR, "
              IB_STATEDIR },
    { .long_name = "no-journal", .kind = IB_OPTION_FLAG, .offset = AT(no_journal),
      .help = "cancel without a record: no once-only, no hourly limits, no --resume" },
    { .long_name = "after-cancel", .kind = IB_OPTION_CHOICE, .offset = AT(after_cancel), .arg = "KIND",
      .choices = after_kinds,
      .help = "nothing, retry or start-pipeline: what follows a confirmed cancel, once; default: "
              "after_cancel of the configuration" },
    { .long_name = "detach", .kind = IB_OPTION_FLAG, .offset = AT(detach),
      .help = "do not wait: a background process confirms" },
    { .long_name = "syslog", .kind = IB_OPTION_CHOICE, .offset = AT(facility), .arg = "FACILITY",
      .choices = ib_record_facilities, .def = "daemon", .help = "one line per decision; none: no line" },
    { .long_name = "syslog-tag", .kind = IB_OPTION_TEXT, .offset = AT(tag), .arg = "TAG",
      .def = "ib_cancel_action", .help = "name of these lines" },
    { .long_name = "recheck", .kind = IB_OPTION_CHOICE, .offset = AT(recheck), .arg = "SCHEDULER",
      .choices = schedulers, .def = "none",
      .help = "icinga or nagios: have the check run again at once (feedback in the configuration)" },
    { .long_name = "comment", .kind = IB_OPTION_FLAG, .offset = AT(comment),
      .help = "with --recheck: leave what was done on the service" },
    { .long_name = "host", .kind = IB_OPTION_TEXT, .offset = AT(host), .arg = "NAME",
      .help = "host of the service, for --recheck" },
    { .long_name = "service", .kind = IB_OPTION_TEXT, .offset = AT(service), .arg = "NAME",
      .help = "the service, for --recheck" },
};

static const char *const usage[] = {
    "-a ARN... -c RANGE [--state STATE --state-type TYPE] [options]",
    "-T TARGET... | --all-targets [options]",
    "-p PIPELINE... | -n IMAGE... | -A  -c RANGE --allow PATTERN [options]",
    "--resume | --sweep [options]",
    "--history [-a ARN] [--limit N]",
    NULL,
};
static const char *const notes[] = {
    "A build is cancelled only when it is in flight, when the check with the same options would "
    "call it CRITICAL for its age, and when no rule forbids it; it is read afresh right before. "
    "The tag ib-plugins:no-cancel on an image forbids it.",
    "Exit codes: 0 cancelled and confirmed, or nothing to do; 1 requested, not yet confirmed; "
    "2 refused or failed; 3 could not be tried.",
    NULL,
};
static const char *const examples[] = {
    "ib_cancel_action -a arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7 "
    "-c 90m --on always --dry-run",
    "ib_cancel_action --state CRITICAL --state-type HARD -T web-server",
    "ib_cancel_action --history",
    NULL,
};
static const struct ib_program program = {
    .name = "ib_cancel_action",
    .prefix = "IB_CANCEL",
    .summary = "cancel EC2 Image Builder builds that are stuck, and see it done",
    .usage = usage,
    .notes = notes,
    .examples = examples,
    .help_state = IB_STATE_OK,
    .changes = true,
    .hint = "--resume goes on with it",
};

/* --- what is stuck must be said ----------------------------------------------------------------- */

/* A sweep of all targets is about those that may be cancelled; others may have no limits at all. */
static void keep_enabled(struct ib_plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->count; i++) {
        if (plan->targets[i].cancel_enabled) {
            plan->targets[kept++] = plan->targets[i];
        }
    }
    plan->count = kept;
}

static enum ib_rc check_stuck(const struct options *o, const struct ib_plan *plan,
                              struct ib_error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct ib_judge_rules *rules = &plan->targets[i].rules;
        bool any = rules->age.crit.is_set;
        enum ib_rc rc = ib_judge_check_critical(rules, err);

        if (rc != IB_OK) {
            return rc;
        }
        for (int s = 0; s < IB_IMAGE_STATUS_COUNT; s++) {
            any = any || rules->phase[s].crit.is_set;
        }
        if (!any && !o->any_age) {
            return ib_fail(err, IB_EUSAGE,
                           "nothing says when a build is stuck: give --critical or --phase%s",
                           o->plan.arns.count > 0 ? ", or --any-age" : "");
        }
    }
    return IB_OK;
}

/* Does the command line name builds, or targets by their names? */
static bool names_builds(const struct options *o)
{
    const struct ib_plan_options *p = &o->plan;

    return p->arns.count + p->pipelines.count + p->images.count + p->targets.count > 0 || p->all;
}

static bool has_selection(const struct options *o)
{
    return names_builds(o) || o->plan.all_targets;
}

static enum ib_rc check_memory(const struct options *o, struct ib_error *err)
{
    if ((o->resume ? 1 : 0) + (o->sweep ? 1 : 0) + (o->history ? 1 : 0) > 1) {
        return ib_fail(err, IB_EUSAGE, "one of --resume, --sweep and --history is allowed");
    }
    if (o->resume && o->detach) {
        return ib_fail(err, IB_EUSAGE, "--resume waits itself; --detach goes with a cancel");
    }
    if (o->no_journal && (o->resume || o->sweep || o->history || o->detach)) {
        return ib_fail(err, IB_EUSAGE, "--%s needs the journal that --no-journal leaves out",
                       o->resume ? "resume" : o->sweep ? "sweep" : o->history ? "history" : "detach");
    }
    if (o->detach && (o->common.external_id != NULL || o->common.proxy != NULL)) {
        return ib_fail(err, IB_EUSAGE, "--detach does not hand --external-id and --proxy on: set them in "
                                       "the configuration");
    }
    if (o->after_cancel >= 0 && (o->resume || o->history)) {
        return ib_fail(err, IB_EUSAGE, "--after-cancel goes with a cancel; --resume keeps to what is on "
                                       "record with each");
    }
    if (o->resume && has_selection(o)) {
        return ib_fail(err, IB_EUSAGE, "--resume takes up whatever is open; it takes no selection of builds");
    }
    if (o->history && (o->plan.arns.count > 1 || (has_selection(o) && o->plan.arns.count == 0))) {
        return ib_fail(err, IB_EUSAGE, "--history shows all builds, or the one of --arn");
    }
    if (o->recheck != IB_SCHEDULER_NONE) {
        struct ib_feedback_event event = { o->host, o->service, NULL, true };
        if (o->host == NULL || o->service == NULL) {
            return ib_fail(err, IB_EUSAGE, "--recheck needs --host and --service");
        }
        return ib_feedback_check(&event, o->recheck == IB_SCHEDULER_ICINGA, err);
    }
    if (o->comment) {
        return ib_fail(err, IB_EUSAGE, "--comment goes with --recheck");
    }
    return IB_OK;
}

static enum ib_rc check_options(const struct options *o, struct ib_error *err)
{
    enum ib_rc rc = check_memory(o, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (o->any_age && o->plan.arns.count == 0) {
        return ib_fail(err, IB_EUSAGE, "--any-age goes with --arn alone");
    }
    return ib_gate_check(&o->gate, &o->event, err);
}

/* --- acting ------------------------------------------------------------------------------------- */

struct action {
    const struct options *o;
    const struct ib_watch_config *config;
    const struct ib_plan *plan;
    struct ib_clients *clients;
    struct ib_arazzo_doc *doc;
    struct ib_deadline deadline;
    struct ib_str *allow; /* patterns of --allow */
    size_t allow_count;
    struct ib_cancelled *done;
    struct ib_recorded *recorded;
};

static void on_survey_phase(void *ctx, const char *what)
{
    (void)ctx;
    ib_start_phase(false, "%s", what);
}

static struct ib_policy policy_of(const struct action *a, const struct ib_target *t)
{
    const struct options *o = a->o;
    struct ib_policy p = {
        .any_age = o->any_age,
        .age_from_creation = o->age_from_creation || t->age_from_creation,
        .minimum_age_ms = o->minimum_age_ms >= 0 ? o->minimum_age_ms : t->minimum_age_ms,
        .states = t->cancel_states,
        .enabled = t->name != NULL ? t->cancel_enabled : o->allow.count > 0,
        .file_allow = a->config->has_allow ? &a->config->allow : NULL,
        .allow = o->allow.count > 0 ? a->allow : NULL,
        .allow_count = a->allow_count,
        .max_cancel = o->max_cancel > 0 ? o->max_cancel : t->max_cancel,
        .target_per_hour = t->max_per_hour,
        .total_per_hour = a->config->max_per_hour,
    };

    if (o->distributing) {
        p.states = (p.states == 0 ? ib_policy_states_default() : p.states) |
                   UINT32_C(1) << IB_IMAGE_DISTRIBUTING;
    }
    return p;
}

/* Of two targets' results for one build the one that did something counts, else the worse one, in any order. */
static void settle(struct action *a, struct ib_cancelled_item *later)
{
    const struct ib_cancel_report *now = &later->report;
    bool idle = now->outcome == IB_OUTCOME_REFUSED || now->outcome == IB_OUTCOME_NOTHING ||
                now->outcome == IB_OUTCOME_UNTRIED;

    for (struct ib_cancelled_item *item = a->done->items; item < later; item++) {
        if (item->record == NULL || item->outdone || strcmp(item->report.arn, now->arn) != 0) {
            continue;
        }
        int worse = ib_state_cmp(ib_cancelled_item_state(a->done, item),
                                 ib_cancelled_item_state(a->done, later));
        bool keep = idle && !now->sent && worse >= 0;
        item->outdone = !keep;
        later->outdone = keep;
    }
}

/* rest: builds that wait for their turn, with this one: one that gives no answer must not use up the time of all. */
static enum ib_rc act_on(struct action *a, const struct ib_target *t, struct ib_str arn,
                         int64_t confirm_ms, size_t rest, struct ib_error *err)
{
    int64_t share_ms = ib_deadline_left_ms(&a->deadline) / (int64_t)rest;
    struct ib_policy policy = policy_of(a, t);
    struct ib_cancel_report *report = NULL;
    struct ib_cancel_job job = {
        .arn = arn,
        .target = t,
        .policy = &policy,
        .by_arn = t->select == IB_SELECT_ARN && t->name == NULL,
        .cancelled_this_run = (int64_t)ib_cancelled_new(a->done),
        .doc = a->doc,
        .clients = a->clients,
        .dry_run = a->o->dry_run || a->o->explain,
        .deadline = a->deadline,
        .ask_ms = share_ms < ASK_MIN_MS ? ASK_MIN_MS : share_ms,
        .confirm_ms = confirm_ms,
    };
    enum ib_rc rc = ib_uuid4(job.token, err);

    if (rc == IB_OK) {
        rc = ib_cancelled_add(a->done, t, &report, err);
    }
    if (rc == IB_OK) {
        (void)ib_text_copy(report->arn, sizeof report->arn, arn);
        rc = ib_recorded_attach(a->recorded, a->done, &job, err);
        if (rc != IB_OK && err != NULL) {
            report->error = *err;
            (void)snprintf(report->text, sizeof report->text, "not tried: %.480s", err->text);
        }
    }
    if (rc == IB_OK) {
        ib_cancel_run(&job, report);
        settle(a, &a->done->items[a->done->count - 1]);
    }
    return rc;
}

static int64_t confirm_of(const struct options *o, const struct ib_target *t)
{
    return o->confirm_ms >= 0 ? o->confirm_ms : t->confirm_ms >= 0 ? t->confirm_ms : CONFIRM_MS;
}

/* Those that were sent without waiting, so that the wait for one does not cost another its cancel. */
static void confirm_rest(struct action *a)
{
    for (size_t i = 0; i < a->done->count; i++) {
        struct ib_cancelled_item *item = &a->done->items[i];
        if (item->record == NULL) {
            continue; /* taken up by the resume before: done with, and of another target */
        }
        struct ib_cancel_job job = {
            .arn = ib_str_from(item->report.arn),
            .target = item->target,
            .doc = a->doc,
            .clients = a->clients,
            .deadline = a->deadline,
            .confirm_ms = confirm_of(a->o, item->target),
        };
        ib_recorded_rejoin(item, &job);
        ib_cancel_confirm(&job, &item->report);
    }
}

/*
 * Several targets may select a build. Each may allow its cancel by its own rules: what one of them refused, or does not
 * call stuck, is the next one's to decide. False: it is settled.
 */
static bool may_act_on(const struct action *a, struct ib_str arn)
{
    for (size_t i = 0; i < a->done->count; i++) {
        const struct ib_cancelled_item *item = &a->done->items[i];
        const struct ib_cancel_report *r = &item->report;
        /* Without a record: taken up by the resume, and withdrawn or not stuck by its target's limits. */
        bool open = (item->record == NULL || item->record->standing == IB_STANDING_NONE) && !r->sent &&
                    r->decided &&
                    (r->outcome == IB_OUTCOME_REFUSED || r->outcome == IB_OUTCOME_NOTHING ||
                     r->outcome == IB_OUTCOME_UNTRIED) &&
                    r->decision.verdict != IB_POLICY_CANCEL && r->decision.rule != IB_RULE_IN_FLIGHT &&
                    r->decision.rule != IB_RULE_OPT_OUT;
        if (ib_str_eq_c(arn, r->arn) && !item->outdone && !open) {
            return false;
        }
    }
    return true;
}

/* The builds named by -a, or by a target's arn. */
static enum ib_rc act_on_arns(struct action *a, const struct ib_target *t, bool wait, size_t *rest,
                              struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; i < ib_conf_texts_count(&t->what) && rc == IB_OK; i++) {
        struct ib_str arn = ib_conf_texts_at(&t->what, i);
        if (may_act_on(a, arn)) {
            rc = act_on(a, t, arn, wait ? confirm_of(a->o, t) : 0, *rest, err);
        }
        (*rest)--;
    }
    return rc;
}

/* A range that has an end within: more age can make it right, and less, which a list does not know. */
static bool can_fall_back(const struct ib_range *range)
{
    return range->is_set && range->inside && !range->end_inf;
}

/*
 * May the check call it stuck? Lists do not tell of each build since when it does what it does; a closer look is taken
 * before every cancel.
 */
static bool is_candidate(const struct action *a, const struct ib_survey *survey,
                         const struct ib_survey_build *b)
{
    const struct ib_judge_rules *rules = &survey->plan[b->target].rules;
    bool unsure = b->judgement.reason == IB_JUDGED_AGE_UNKNOWN || can_fall_back(&rules->age.crit) ||
                  (b->judgement.in_flight && can_fall_back(&rules->phase[b->image.status].crit));

    return b->judgement.stuck || (b->judgement.in_flight && (unsure || a->o->explain));
}

/* By what is known without reading it: a target that may not cancel, or an ARN that no list covers. */
static bool is_forbidden(const struct action *a, const struct ib_survey *survey,
                         const struct ib_survey_build *b)
{
    struct ib_policy policy = policy_of(a, &survey->plan[b->target]);
    struct ib_policy_facts facts = { .arn = b->image.arn };

    return !ib_policy_allows(&policy, &facts);
}

struct candidates {
    size_t *at; /* of builds of the survey */
    size_t count;
};

/*
 * Those that may be cancelled first: what is forbidden must not keep them from their turn. Where there are more than one
 * run looks at, each run begins elsewhere, or those at the end would never be looked at.
 */
static enum ib_rc find_candidates(const struct action *a, const struct ib_survey *survey,
                                  struct candidates *ret, struct ib_error *err)
{
    size_t room = survey->build_count + 1, count = 0, allowed = 0;
    size_t *at = calloc(2 * room, sizeof *at); /* the second half to turn them in */

    if (at == NULL) {
        return ib_fail_nomem(err);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < survey->build_count; i++) {
            const struct ib_survey_build *b = &survey->builds[i];
            bool forbidden = is_forbidden(a, survey, b);
            if (is_candidate(a, survey, b) && forbidden == (pass == 1)) {
                at[count++] = i;
            }
        }
        allowed = pass == 0 ? count : allowed;
    }
    size_t begin = allowed > CANDIDATES_MAX ? (size_t)(ib_random_unit() * (double)allowed) % allowed : 0;
    for (size_t i = 0; i < allowed; i++) {
        at[room + i] = at[(begin + i) % allowed];
    }
    memcpy(at, at + room, allowed * sizeof *at);
    *ret = (struct candidates){ at, count };
    return IB_OK;
}

static bool is_shown(const struct ib_cancelled *done, struct ib_str arn)
{
    for (size_t i = 0; i < done->count; i++) {
        if (ib_str_eq_c(arn, done->items[i].report.arn)) {
            return true;
        }
    }
    return false;
}

/* Every build of pipelines, images or accounts that may be stuck by its lists. */
static enum ib_rc act_on_found(struct action *a, struct ib_survey *survey, bool wait,
                               struct ib_error *err)
{
    struct candidates all = { NULL, 0 };
    enum ib_rc rc = find_candidates(a, survey, &all, err);
    size_t looked = 0;

    for (size_t i = 0; i < all.count && rc == IB_OK; i++) {
        const struct ib_survey_build *b = &survey->builds[all.at[i]];
        const struct ib_target *t = &survey->plan[b->target];
        bool again = is_shown(a->done, b->image.arn);
        if (a->o->sweep && !policy_of(a, t).enabled) {
            continue; /* watched, not to be cancelled: a sweep has no event that asked for it */
        }
        if (looked >= CANDIDATES_MAX && !again) {
            /* What is protected on purpose is the check's to tell, not a sweep's. */
            bool protected = a->o->sweep && is_forbidden(a, survey, b);
            a->done->left_out += b->judgement.stuck && !protected ? 1 : 0;
            continue;
        }
        if (may_act_on(a, b->image.arn)) {
            looked += again ? 0 : 1;
            rc = act_on(a, t, b->image.arn, wait ? confirm_of(a->o, t) : 0, all.count - i, err);
        }
    }
    free(all.at);
    a->done->survey = survey;
    return rc;
}

static enum ib_rc act(struct action *a, struct ib_survey *survey, struct ib_error *err)
{
    /* What gives no answers must leave time to cancel what was found elsewhere. */
    struct ib_deadline until = ib_deadline_in(ib_deadline_left_ms(&a->deadline) / 2);
    struct ib_survey_options options = {
        .clients = a->clients,
        .until = &until,
        .parallel = (size_t)a->o->parallel,
        .now_ms = ib_time_now_ms(),
        .begun_after = ib_journal_begun_after,
        .begun_ctx = &a->recorded->journal,
        .no_details = true, /* each one is looked at closer right before its cancel */
        .phase = on_survey_phase,
    };
    bool all_arns = true, wait = true;
    size_t named = 0;
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; i < a->plan->count; i++) {
        const struct ib_target *t = &a->plan->targets[i];
        all_arns = all_arns && t->select == IB_SELECT_ARN;
        named += ib_conf_texts_count(&t->what);
        wait = wait && (a->o->max_cancel > 0 ? a->o->max_cancel : t->max_cancel) <= 1;
    }
    if (all_arns) {
        for (size_t i = 0; i < a->plan->count && rc == IB_OK; i++) {
            rc = act_on_arns(a, &a->plan->targets[i], wait, &named, err);
        }
    } else {
        rc = ib_survey_run(a->plan->targets, a->plan->count, &options, survey, err);
        if (rc == IB_OK) {
            rc = act_on_found(a, survey, wait, err);
        }
    }
    if (rc == IB_OK && !wait) {
        confirm_rest(a);
    }
    return rc;
}

static enum ib_rc collect_allow(struct action *a, struct ib_error *err)
{
    a->allow = calloc(a->o->allow.count + 1, sizeof *a->allow);
    if (a->allow == NULL) {
        return ib_fail_nomem(err);
    }
    for (size_t i = 0; i < a->o->allow.count; i++) {
        a->allow[a->allow_count++] = ib_str_from(a->o->allow.items[i]);
    }
    return IB_OK;
}

static const char *state_dir_of(const struct options *o, const struct ib_watch_config *config)
{
    return o->state_dir != NULL ? o->state_dir : ib_plan_state_dir(config);
}

static enum ib_rc open_record(const struct options *o, const struct ib_watch_config *config,
                              struct ib_deadline deadline, struct ib_recorded *ret,
                              struct ib_error *err)
{
    struct ib_recorded_options options = {
        .state_dir = state_dir_of(o, config),
        .no_journal = o->no_journal,
        .read_only = o->dry_run || o->explain,
        .busy_ms = o->common.timeout_ms / 3,
        .deadline = deadline,
        .retry_for_ms = config->retry_for_ms,
        .unattended = o->event.has_state || o->sweep,
        .distributing = o->distributing,
        .detach = o->detach,
        .after_cancel = o->after_cancel,
        .caller = { .program = program.name, .argc = o->argc, .argv = o->argv, .problem = o->problem_id },
        .facility = o->facility,
        .tag = o->tag,
    };

    return ib_recorded_open(&options, ret, err);
}

/* What a run works with; all of it ends with the run. */
struct session {
    struct ib_watch_config config;
    struct ib_plan plan;
    struct ib_arazzo_doc *doc;
    struct ib_clients *clients;
    struct ib_survey survey;
    struct ib_cancelled done;
    struct ib_recorded recorded;
    struct ib_resume resume;
    struct ib_error detach_trouble; /* no background process: what was done stands */
};

static void session_fini(struct session *s)
{
    ib_recorded_fini(&s->recorded);
    ib_cancelled_fini(&s->done);
    ib_survey_fini(&s->survey);
    ib_clients_free(s->clients);
    ib_arazzo_cleanup(&s->doc);
    ib_plan_fini(&s->plan);
    ib_watch_config_fini(&s->config);
}

/* Take up what is open. A sweep waits little for it and gives it half of the time: cancels that hang
 * would keep it from builds that nobody has tried to cancel yet. */
static enum ib_rc do_resume(const struct options *o, struct session *s, struct ib_deadline deadline,
                            struct ib_error *err)
{
    /* The command line goes before the configuration; what the row says goes before both. */
    ib_plan_reach(&o->common, &s->config.defaults);
    for (size_t i = 0; i < s->config.target_count; i++) {
        ib_plan_reach(&o->common, &s->config.targets[i]);
    }
    s->resume = (struct ib_resume){ .journal = &s->recorded.journal,
                                    .config = &s->config,
                                    .doc = s->doc,
                                    .clients = s->clients,
                                    .caller = s->recorded.caller,
                                    .deadline = o->sweep ? ib_deadline_in(o->common.timeout_ms / 2)
                                                         : deadline,
                                    .confirm_ms = o->confirm_ms >= 0 ? o->confirm_ms : CONFIRM_MS,
                                    .external_id = o->common.external_id,
                                    .proxy = o->common.proxy,
                                    .dry_run = o->dry_run || o->explain };
    if (o->sweep && s->resume.confirm_ms > SWEEP_CONFIRM_MS) {
        s->resume.confirm_ms = SWEEP_CONFIRM_MS;
    }
    return ib_resume_run(&s->resume, &s->done, err);
}

/* The background process of --detach: this program's --resume with the same ways to reach AWS. */
static enum ib_rc detach(const struct options *o, const struct session *s, struct ib_error *err)
{
    const struct {
        const char *name, *value;
    } more[] = { { "--state-dir", state_dir_of(o, &s->config) },
                 { "--config", o->common.config },
                 { "--workflow", o->workflow },
                 { "--syslog", ib_record_facilities[o->facility] },
                 { "--syslog-tag", o->tag },
                 /* No comment: it may be about another build that was open. */
                 { "--recheck", o->recheck == IB_SCHEDULER_NONE ? NULL : schedulers[o->recheck] },
                 { "--host", o->recheck == IB_SCHEDULER_NONE ? NULL : o->host },
                 { "--service", o->recheck == IB_SCHEDULER_NONE ? NULL : o->service } };
    const char *args[4 + IB_ARRAY_LEN(more) + 1] = { program.name, "--resume", "--timeout=10m",
                                                     "--confirm-timeout=9m" };
    struct ib_buf joined[IB_ARRAY_LEN(more)];
    size_t n = 4;
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; i < IB_ARRAY_LEN(more); i++) {
        joined[i] = (struct ib_buf)IB_BUF_INIT((size_t)128 * 1024);
        if (more[i].value != NULL) {
            /* One word each: a value may begin with a dash. */
            ib_buf_addf(&joined[i], "%s=%s", more[i].name, more[i].value);
            rc = rc == IB_OK ? ib_buf_ok(&joined[i], more[i].name, err) : rc;
            args[n++] = ib_buf_c(&joined[i]);
        }
    }
    if (rc == IB_OK) {
        /* The strings stay what they are; exec only wants them without const. */
        rc = ib_detach_self((char *const *)(uintptr_t)args, err);
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(more); i++) {
        ib_buf_fini(&joined[i]);
    }
    return rc;
}

static bool left_open(const struct ib_cancelled *done)
{
    for (size_t i = 0; i < done->count; i++) {
        const struct ib_journal_cancel *record = done->items[i].record; /* none: taken up by the resume before */
        if ((record == NULL || record->standing == IB_STANDING_OWNED) &&
            (done->items[i].report.outcome == IB_OUTCOME_REQUESTED ||
             done->items[i].report.outcome == IB_OUTCOME_UNKNOWN || done->items[i].report.may_pass)) {
            return true;
        }
    }
    return false;
}

static enum ib_rc do_cancels(struct action *a, struct session *s, struct ib_error *err)
{
    enum ib_rc rc = collect_allow(a, err);

    if (rc == IB_OK) {
        rc = act(a, &s->survey, err);
    }
    free(a->allow);
    a->allow = NULL;
    /* Written also after a failure: what was sent before it stays on record. */
    ib_recorded_finish(&s->recorded, s->clients, a->deadline, &s->done);
    for (size_t i = s->done.count; i > 0 && !a->o->explain; i--) {
        if (s->done.items[i - 1].outdone) {
            ib_cancelled_drop(&s->done, i - 1);
        }
    }
    if (rc != IB_OK && ib_cancelled_sent(&s->done) > 0) {
        /* And is told. */
        if (err != NULL) {
            s->done.journal_trouble = *err;
        }
        rc = IB_OK;
    }
    if (rc == IB_OK && a->o->detach && left_open(&s->done)) {
        /* Kept apart: what was done is said all the same. */
        s->detach_trouble.rc = detach(a->o, s, &s->detach_trouble);
    }
    return rc;
}

/*
 * The first line of a sweep is about what it did; about what is open, when it did nothing, and besides when that is
 * the worse of both.
 */
static void say_resumed(const struct options *o, struct session *s, enum ib_state acted,
                        struct ib_output *out)
{
    enum ib_state resumed = ib_resume_state(&s->resume, &s->done);
    bool idle = s->done.count == s->resume.taken && s->done.left_out == 0;
    char words[IB_RESUME_WORDS_MAX];

    ib_resume_perf(&s->resume, out);
    (void)ib_resume_words(&s->resume, words, sizeof words);
    if (s->done.unrecordable.rc != IB_OK && (idle || o->resume)) {
        ib_output_text(out, "what is open is not known: %s", s->done.unrecordable.text);
    } else if (o->resume || (idle && resumed != IB_STATE_OK)) {
        ib_output_text(out, "%s", words);
    } else if (idle && !ib_cancelled_unread(&s->done, out)) {
        ib_output_text(out, "%s%s", words,
                       s->plan.count == 0 ? ", and no target has cancel.enabled" : "");
    } else if (ib_state_cmp(resumed, acted) > 0) {
        ib_output_more(out, "; %s", words);
    }
    s->done.sums = ib_resume_sums(&s->resume);
}

static enum ib_rc conclude(const struct options *o, struct session *s, struct ib_deadline deadline,
                           struct ib_output *out, enum ib_state *ret_state, struct ib_error *err)
{
    struct ib_told told = { (enum ib_scheduler)o->recheck, o->comment, o->host, o->service };

    s->done.stats = ib_clients_stats(s->clients);
    enum ib_state acted = ib_cancelled_state(&s->done);
    *ret_state = acted;
    if (o->resume || o->sweep) {
        enum ib_state resumed = ib_resume_state(&s->resume, &s->done);
        *ret_state = o->resume ? resumed : ib_state_worst(*ret_state, resumed);
    }
    ib_cancelled_text(&s->done, out);
    if (o->explain && !o->resume) {
        struct ib_gate_decision gate;
        ib_gate_decide(&o->gate, &o->event, &gate);
        ib_output_line(out, "holds  gate: %s", gate.words);
    }
    if (s->detach_trouble.rc != IB_OK) {
        ib_output_line(out, "[detach] nobody waits for the end, --resume does: %s", s->detach_trouble.text);
    }
    if (o->resume || o->sweep) {
        say_resumed(o, s, acted, out);
    }
    ib_recorded_tell(&told, &s->config.feedback, &s->done, &deadline, out);
    ib_recorded_prune(&s->recorded, s->config.keep_ms);
    return o->common.output == IB_OUTPUT_FORM_JSON
               ? ib_cancelled_json(&s->done, program.name, *ret_state, out, err)
               : IB_OK;
}

static enum ib_rc prepare(const struct options *o, struct session *s, struct ib_deadline deadline,
                          struct ib_output *out, struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    if (!o->resume) {
        rc = ib_plan_make(&o->plan, &o->common, &s->config, &s->plan, err);
    }
    if (rc == IB_OK && o->sweep && !o->sweep_selects) {
        keep_enabled(&s->plan);
    }
    if (rc == IB_OK && !o->resume) {
        rc = check_stuck(o, &s->plan, err);
    }
    if (rc == IB_OK) {
        rc = ib_arazzo_open(o->workflow, &IB_SENDER_CHECK, &s->doc, err);
    }
    if (rc == IB_OK) {
        rc = ib_clients_new(deadline, ib_diagnose_trace(o->common.verbose), out, &s->clients, err);
    }
    if (rc == IB_OK) {
        rc = ib_clients_cache_in(s->clients, state_dir_of(o, &s->config), err);
    }
    if (rc == IB_OK) {
        rc = open_record(o, &s->config, deadline, &s->recorded, err);
    }
    return rc;
}

static enum ib_rc show_history(const struct options *o, const struct ib_watch_config *config,
                               struct ib_output *out, struct ib_error *err)
{
    struct ib_history_options options = { .state_dir = state_dir_of(o, config),
                                          .arn = o->plan.arns.count > 0 ? o->plan.arns.items[0] : NULL,
                                          .limit = o->limit,
                                          .busy_ms = o->common.timeout_ms / 3,
                                          .json = o->common.output == IB_OUTPUT_FORM_JSON };

    return ib_history_show(&options, out, err);
}

/*
 * What the same command line would work with. --resume finds its targets in the journal, and --history needs none: shown
 * is the way that the common options give.
 */
static enum ib_rc diagnose(const struct action *a, struct session *s, struct ib_output *out,
                           enum ib_state *ret_state, struct ib_error *err)
{
    const struct options *o = a->o;
    struct ib_diagnose_request request = { .program = program.name, .config = &s->config,
                                           .state_dir = state_dir_of(o, &s->config),
                                           .deadline = a->deadline, .must_cancel = true,
                                           .json = o->common.output == IB_OUTPUT_FORM_JSON };
    struct ib_diagnose_way way = { .arn = NULL };
    enum ib_rc rc = IB_OK;
    char cache_dir[4096];

    if (o->resume || o->history) {
        (void)snprintf(cache_dir, sizeof cache_dir, "%s/cache", request.state_dir);
        way.aws = ib_plan_aws(&o->common, &s->config);
        way.aws.cache_dir = cache_dir;
        request.way = &way;
    } else {
        rc = ib_plan_make(&o->plan, &o->common, &s->config, &s->plan, err);
        request.targets = s->plan.targets;
        request.target_count = s->plan.count;
    }
    return rc == IB_OK ? ib_diagnose_run(&request, out, ret_state, err) : rc;
}

/* Nothing was even asked, for the options, the configuration or the credentials are wrong. */
static bool never_began(const struct ib_cancelled *done)
{
    enum ib_rc rc = done->count == 1 ? done->items[0].report.error.rc : IB_OK;

    /* What was taken up from the journal has been begun, and there may be more to tell. */
    return !done->sweep && done->count == 1 && done->items[0].record != NULL &&
           done->items[0].report.outcome == IB_OUTCOME_UNTRIED && done->items[0].report.reads == 0 &&
           (rc == IB_EUSAGE || rc == IB_ECONFIG || rc == IB_ECRED);
}

/* A decision about no build in particular: those about one are logged beside the record. */
static void log_decision(const struct options *o, bool problem, const char *what, const char *text)
{
    ib_record(o->facility, o->tag, problem, "%s: %s uid=%u%s%s", what, text, (unsigned)getuid(),
              o->problem_id == NULL ? "" : " problem=", o->problem_id == NULL ? "" : o->problem_id);
}

/* Asked by an event, and no build is there to decide about. */
static void log_nothing(const struct options *o, const struct ib_cancelled *done)
{
    bool tried = done->survey == NULL || done->survey->trouble_count == 0;

    if (done->count == 0 && !o->resume && !o->sweep) {
        log_decision(o, !tried, tried ? "nothing" : "untried",
                     tried ? "no build is stuck" : done->survey->troubles[0].err.text);
    }
}

static enum ib_rc run(const struct options *o, struct ib_output *out, enum ib_state *ret_state,
                      struct ib_error *err)
{
    IB_CLEANUP(session_fini) struct session s = { .doc = NULL };
    struct ib_deadline deadline = ib_deadline_in(o->common.timeout_ms - RESERVE_MS);
    struct action a = { .o = o, .config = &s.config, .plan = &s.plan, .done = &s.done,
                        .recorded = &s.recorded, .deadline = deadline };
    enum ib_rc rc = ib_plan_config(&o->common, &s.config, err);

    s.done.begin_mono_ms = ib_time_mono_ms();
    s.done.explain = o->explain;
    s.done.sweep = o->sweep;
    if (rc == IB_OK && o->common.diagnose) {
        return diagnose(&a, &s, out, ret_state, err);
    }
    if (rc == IB_OK && o->history) {
        return show_history(o, &s.config, out, err);
    }
    if (rc == IB_OK) {
        rc = prepare(o, &s, deadline, out, err);
    }
    if (rc != IB_OK) {
        log_decision(o, true, "untried", err->text);
        return rc;
    }
    a.doc = s.doc;
    a.clients = s.clients;
    s.done.unrecordable = s.recorded.unrecordable;
    if (o->resume || o->sweep) {
        rc = do_resume(o, &s, deadline, err);
    }
    if (rc == IB_OK && o->resume) {
        ib_recorded_finish(&s.recorded, s.clients, deadline, &s.done);
    } else if (rc == IB_OK) {
        rc = do_cancels(&a, &s, err);
    }
    if (rc != IB_OK) {
        log_decision(o, true, "untried", err->text);
        return rc;
    }
    log_nothing(o, &s.done);
    if (never_began(&s.done)) {
        *err = s.done.items[0].report.error;
        return err->rc;
    }
    return conclude(o, &s, deadline, out, ret_state, err);
}

/* The gate is closed: say why, touch nothing. */
static enum ib_rc no_action(const struct options *o, const struct ib_gate_decision *decision,
                            struct ib_output *out, struct ib_error *err)
{
    IB_CLEANUP(ib_cancelled_fini) struct ib_cancelled done = { 0 };

    done.begin_mono_ms = ib_time_mono_ms();
    done.no_action = decision->words;
    log_decision(o, false, "no action", decision->words);
    ib_cancelled_text(&done, out);
    if (o->explain) {
        ib_output_line(out, "BROKEN gate: %s", decision->words);
    }
    return o->common.output == IB_OUTPUT_FORM_JSON
               ? ib_cancelled_json(&done, program.name, IB_STATE_OK, out, err)
               : IB_OK;
}

int main(int argc, char **argv)
{
    struct options o = {
        .common = IB_COMMON_INIT(TIMEOUT_MS),
        .plan = IB_PLAN_OPTIONS_INIT,
        .max_cancel = -1,
        .confirm_ms = -1,
        .minimum_age_ms = -1,
        .after_cancel = -1,
        .parallel = 8,
        .limit = IB_HISTORY_DEFAULT,
        .facility = IB_RECORD_DEFAULT,
        .tag = program.name,
        .argc = argc,
        .argv = argv,
    };
    const struct ib_option_group groups[] = {
        ib_plan_selection_group(&o.plan),
        ib_plan_stuck_group(&o.plan),
        { "Cancelling", cancel_rows, IB_ARRAY_LEN(cancel_rows), &o },
        { "Event (from the scheduler)", event_rows, IB_ARRAY_LEN(event_rows), &o },
        { "Memory and record", memory_rows, IB_ARRAY_LEN(memory_rows), &o },
        ib_common_aws_group(&o.common),
        ib_common_group(&o.common),
    };
    struct ib_option_result result = IB_OPTION_RESULT_INIT;
    struct ib_output out = IB_OUTPUT_INIT;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_gate_decision decision;
    enum ib_state state = IB_STATE_OK;

    ib_start(&program);
    ib_start_options(groups, IB_ARRAY_LEN(groups), argc, argv, &result);
    ib_option_result_fini(&result);
    bool json = o.common.output == IB_OUTPUT_FORM_JSON;
    ib_start_timeout(o.common.timeout_ms, IB_STATE_UNKNOWN, json);
    if (check_options(&o, &err) != IB_OK) {
        log_decision(&o, true, "untried", err.text);
        ib_start_usage(NULL, &err);
    }
    if (o.detach && o.confirm_ms < 0) {
        o.confirm_ms = 0; /* the background process waits */
    }
    o.sweep_selects = names_builds(&o);
    o.plan.all_targets = o.plan.all_targets || (o.sweep && !o.sweep_selects);
    ib_gate_decide(&o.gate, &o.event, &decision);
    enum ib_rc rc = decision.act || o.common.diagnose ? run(&o, &out, &state, &err)
                                                      : no_action(&o, &decision, &out, &err);
    if (rc != IB_OK && o.common.diagnose) {
        const struct ib_diagnose_broken broken = {
            program.name, &o.common, o.plan.arns.count > 0 ? o.plan.arns.items[0] : NULL, &err };
        rc = ib_diagnose_broken(&broken, &out, &state, &err);
    }
    ib_plan_options_fini(&o.plan);
    ib_option_list_fini(&o.allow);
    if (rc == IB_EUSAGE) {
        ib_start_usage(&out, &err);
    }
    if (rc != IB_OK) {
        ib_start_fail(&out, &err, IB_STATE_UNKNOWN, json);
    }
    ib_start_end(&out, state);
}
