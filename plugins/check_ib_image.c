/* SPDX-License-Identifier: MIT */
/* check_ib_image: finds builds that are stuck, failed or gone, and says so to the scheduler. */
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/start.h"
#include "lib/watch/survey.h"
#include "plugins/diagnose.h"
#include "plugins/plan.h"
#include "plugins/report.h"

#define TIMEOUT_MS     (30 * IB_SECOND_MS)
#define JOURNAL_BUSY_MS 200 /* patience with a cancel that is being recorded */
#define FIRST_LINE_MAX 119 /* what fits the list views of the web interfaces */

struct options {
    struct ib_common common;
    struct ib_plan_options plan;
    enum ib_state timeout_state;
    int64_t parallel, limit;
};

#define AT(member) offsetof(struct options, member)
static const struct ib_option check_rows[] = {
    { .long_name = "timeout-state", .kind = IB_OPTION_STATE, .offset = AT(timeout_state),
      .arg = "STATE", .def = "unknown", .help = "state when the timeout ends the check" },
    { .long_name = "limit", .kind = IB_OPTION_INT, .offset = AT(limit), .arg = "N", .max = 100000,
      .def = "50", .help = "show at most N builds in the long output" },
    { .long_name = "parallel", .kind = IB_OPTION_INT, .offset = AT(parallel), .arg = "N",
      .min = 1, .max = IB_AWS_PARALLEL_MAX, .def = "8", .help = "requests at the same time" },
};

static const char *const usage[] = {
    "-a ARN... [-w RANGE] [-c RANGE] [options]",
    "-p PIPELINE... | -n IMAGE... | -A | -T TARGET... | --all-targets [options]",
    NULL,
};
static const char *const notes[] = {
    "States: a build in flight (PENDING, CREATING, BUILDING, TESTING, DISTRIBUTING, INTEGRATING) "
    "is judged by its age, one that has ended by --map. Of a pipeline or an image all builds in "
    "flight count, and the newest that has ended. What cannot be read is UNKNOWN.",
    "Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; the worst counts, in the order OK, "
    "UNKNOWN, WARNING, CRITICAL.",
    NULL,
};
static const char *const examples[] = {
    "check_ib_image -p web-server -w 45m -c 90m",
    "check_ib_image --stuck-only -c 2h --phase TESTING=20m,40m -n golden-ami",
    "check_ib_image -a arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7 "
    "-c 90m",
    NULL,
};
static const struct ib_program program = {
    .name = "check_ib_image",
    .prefix = "IB_IMAGE",
    .summary = "find EC2 Image Builder builds that are stuck or failed",
    .usage = usage,
    .notes = notes,
    .examples = examples,
    .help_state = IB_STATE_UNKNOWN,
};

static void on_phase(void *ctx, const char *what)
{
    (void)ctx;
    ib_start_phase(false, "%s", what);
}

static void options_fini(struct options *o)
{
    ib_plan_options_fini(&o->plan);
}

/* Nothing was even asked, for the options, the configuration or the credentials are wrong. */
static bool never_began(const struct ib_survey *s)
{
    enum ib_rc rc = s->trouble_count == 0 ? IB_OK : s->troubles[0].err.rc;

    return s->plan_count == 1 && s->build_count == 0 && s->pipeline_count == 0 &&
           (rc == IB_EUSAGE || rc == IB_ECONFIG || rc == IB_ECRED);
}

/* Where CRITICAL is to mean stuck, a range that cannot say so is a mistake, and so is none at all. */
static enum ib_rc check_stuck_only(const struct ib_plan *plan, struct ib_error *err)
{
    bool is_judged = false;

    for (size_t i = 0; i < plan->count; i++) {
        const struct ib_target *t = &plan->targets[i];
        enum ib_rc rc =
            t->rules.stuck_only ? ib_judge_check_critical(&t->rules, err) : IB_OK;

        if (rc != IB_OK) {
            return ib_error_context(err, "--stuck-only");
        }
        is_judged = is_judged || !t->rules.stuck_only || ib_judge_has_limits(&t->rules);
    }
    return is_judged ? IB_OK
                     : ib_fail(err, IB_EUSAGE,
                               "--stuck-only: nothing says when a build is stuck: give --critical "
                               "or --phase");
}

/* Gather, judge, fill the output. */
static enum ib_rc run(const struct options *o, struct ib_output *out, enum ib_state *ret_state,
                      struct ib_error *err)
{
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config config = { 0 };
    IB_CLEANUP(ib_plan_fini) struct ib_plan plan = { 0 };
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = NULL;
    IB_CLEANUP(ib_survey_fini) struct ib_survey survey = { 0 };
    struct ib_deadline deadline = ib_deadline_in(o->common.timeout_ms);
    int64_t begin_ms = ib_time_mono_ms();
    enum ib_rc rc = ib_plan_config(&o->common, &config, err);

    if (rc == IB_OK) {
        rc = ib_plan_make(&o->plan, &o->common, &config, &plan, err);
    }
    if (rc == IB_OK) {
        rc = check_stuck_only(&plan, err);
    }
    if (rc == IB_OK && o->common.diagnose) {
        struct ib_diagnose_request request = {
            .program = program.name, .config = &config,
            .state_dir = ib_plan_state_dir(&config), .targets = plan.targets,
            .target_count = plan.count, .deadline = deadline,
            .json = o->common.output == IB_OUTPUT_FORM_JSON,
        };
        return ib_diagnose_run(&request, out, ret_state, err);
    }
    if (rc == IB_OK) {
        rc = ib_clients_new(deadline, ib_diagnose_trace(o->common.verbose), out, &clients, err);
    }
    if (rc == IB_OK) {
        rc = ib_clients_cache_in(clients, ib_plan_state_dir(&config), err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    IB_CLEANUP(ib_journal_fini) struct ib_journal journal = { 0 };
    struct ib_error no_journal = IB_ERROR_INIT;
    if (ib_journal_open(ib_plan_state_dir(&config), true, JOURNAL_BUSY_MS, &journal, &no_journal) !=
        IB_OK) {
        ib_journal_fini(&journal); /* another user's, or none yet: the check does without */
    }
    struct ib_survey_options options = {
        .clients = clients,
        .parallel = (size_t)o->parallel,
        .now_ms = ib_time_now_ms(),
        .begun_after = ib_journal_begun_after,
        .begun_ctx = &journal,
        .phase = on_phase,
    };
    rc = ib_survey_run(plan.targets, plan.count, &options, &survey, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (never_began(&survey)) {
        *err = survey.troubles[0].err;
        return err->rc;
    }
    struct ib_report report = {
        .journal = journal.db,
        .survey = &survey,
        .timeout_state = o->timeout_state,
        .limit = (size_t)o->limit,
        .verbose = o->common.verbose,
        .stats = ib_clients_stats(clients),
        .elapsed_ms = ib_time_mono_ms() - begin_ms,
    };
    *ret_state = ib_report_state(&report);
    ib_report_text(&report, *ret_state, out);
    if (o->common.output == IB_OUTPUT_FORM_JSON) {
        rc = ib_report_json(&report, program.name, *ret_state, out, err);
    }
    return rc;
}

/* To learn a Region from; NULL when none was given. */
static const char *arn_at_hand(const struct options *o)
{
    return o->plan.arns.count > 0 ? o->plan.arns.items[0] : NULL;
}

int main(int argc, char **argv)
{
    struct options o = {
        .common = IB_COMMON_INIT(TIMEOUT_MS),
        .plan = IB_PLAN_OPTIONS_INIT,
        .timeout_state = IB_STATE_UNKNOWN,
        .parallel = 8,
        .limit = 50,
    };
    const struct ib_option_group groups[] = {
        ib_plan_selection_group(&o.plan),
        ib_plan_limits_group(&o.plan),
        { "Check", check_rows, IB_ARRAY_LEN(check_rows), &o },
        ib_common_aws_group(&o.common),
        ib_common_group(&o.common),
    };
    struct ib_option_result result = IB_OPTION_RESULT_INIT;
    struct ib_output out = IB_OUTPUT_INIT;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_state state = IB_STATE_UNKNOWN;

    ib_start(&program);
    ib_start_options(groups, IB_ARRAY_LEN(groups), argc, argv, &result);
    ib_option_result_fini(&result);
    bool json = o.common.output == IB_OUTPUT_FORM_JSON;
    ib_start_timeout(o.common.timeout_ms, o.timeout_state, json);
    out.first_max = FIRST_LINE_MAX;
    enum ib_rc rc = run(&o, &out, &state, &err);
    if (rc != IB_OK && o.common.diagnose) {
        const struct ib_diagnose_broken broken = { program.name, &o.common, arn_at_hand(&o),
                                                   &err };
        rc = ib_diagnose_broken(&broken, &out, &state, &err);
    }
    options_fini(&o);
    if (rc == IB_EUSAGE) {
        ib_start_usage(&out, &err);
    }
    if (rc != IB_OK) {
        ib_start_fail(&out, &err, ib_start_state_of(rc, o.timeout_state), json);
    }
    ib_start_end(&out, state);
}
