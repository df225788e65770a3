/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what AWS answers about a build: judged and shown. The output stays what schedulers can
 * parse, and nothing unknown or stuck is ever OK. After a NUL byte: the workflow's answers.
 */
#include "fuzz.h"

#include "lib/data/json.h"
#include "plugins/report.h"

#define NOW_MS INT64_C(1788500000000)

static struct ib_value *parse(struct ib_str text)
{
    const struct ib_json_limits limits = { .max_bytes = 64 * 1024 };
    struct ib_value *v = NULL;

    return ib_json_parse(text, "answer", &limits, &v, NULL) == IB_OK ? v : NULL;
}

static void look_closer(struct ib_value *v, struct ib_survey_detail *d)
{
    struct ib_workflow_list list = { 0 };
    struct ib_workflow_facts facts;

    if (v == NULL || ib_workflow_list_add(&list, v, NULL) != IB_OK) {
        ib_workflow_list_fini(&list);
        return;
    }
    ib_workflow_look(&list, &facts);
    d->looked = true;
    d->retried = facts.retried;
    d->restart_known = facts.restart_known;
    d->restart_ms = facts.restart_ms;
    if (facts.running != NULL) {
        memcpy(d->workflow, facts.running->name, sizeof d->workflow);
        d->has_workflow_start = facts.running->has_start;
        d->workflow_start_ms = facts.running->start_ms;
    }
    (void)ib_workflow_running_step(v, &d->step);
    ib_workflow_list_fini(&list);
}

/* Lines of clean text, one '|' at most and only in the first, which keeps its limit before it. */
static void check_lines(struct ib_str all, size_t first_max)
{
    struct ib_str rest = all;
    size_t lines = 0;

    while (rest.n > 0) {
        struct ib_str line = ib_str_split(&rest, '\n');
        size_t pipe = ib_str_find(line, '|');
        IB_ASSERT(lines > 0 || pipe < line.n);
        IB_ASSERT(lines == 0 || pipe == line.n);
        IB_ASSERT(lines > 0 || pipe <= first_max + 1);
        IB_ASSERT(ib_str_find(ib_str_skip(line, pipe + 1), '|') == ib_str_skip(line, pipe + 1).n);
        for (size_t i = 0; i < line.n; i++) {
            IB_ASSERT((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7F);
        }
        lines++;
    }
    IB_ASSERT(lines >= 2);
}

static void check_report(struct ib_survey *survey, enum ib_state state)
{
    const struct ib_report report = { .survey = survey, .timeout_state = IB_STATE_UNKNOWN,
                                      .limit = 10, .verbose = 1 };
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(1024 * 1024);
    struct ib_error err = IB_ERROR_INIT;

    out.first_max = 119;
    IB_ASSERT(ib_report_state(&report) == state);
    ib_report_text(&report, state, &out);
    IB_ASSERT(ib_output_render(&out, "IB_IMAGE", state, &text, &err) == IB_OK);
    check_lines(ib_buf_str(&text), out.first_max);
    IB_ASSERT(ib_report_json(&report, "check_ib_image", state, &out, &err) == IB_OK);
    struct ib_value *back = NULL;
    IB_ASSERT(ib_json_parse(ib_buf_str(&out.json), "output", NULL, &back, &err) == IB_OK);
    IB_ASSERT(ib_value_is(ib_value_get_c(back, "builds"), IB_VALUE_ARRAY));
    ib_value_unref(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str rest = { (const char *)data, n };
    struct ib_str answer = ib_str_split(&rest, '\0');
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = parse(answer);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *workflows = parse(rest);
    struct ib_target target = { .select = IB_SELECT_ARN };
    struct ib_survey_target of_target = { .builds = 1 };
    struct ib_survey_build build = { .target = 0 };
    struct ib_error err = IB_ERROR_INIT;

    ib_judge_rules_init(&target.rules);
    IB_ASSERT(ib_range_parse(IB_STR("90m"), IB_RANGE_SECONDS, "-c", &target.rules.age.crit, &err) ==
              IB_OK);
    if (v == NULL || ib_image_decode(v, (struct ib_str){ "", 0 }, &build.image, &err) != IB_OK) {
        return 0;
    }
    look_closer(workflows, &build.detail);
    ib_survey_facts(&build, NOW_MS, &build.facts);
    ib_judge(&target.rules, &build.facts, &build.judgement);
    if (build.judgement.stuck) {
        IB_ASSERT(build.judgement.in_flight && build.judgement.state == IB_STATE_CRITICAL);
        IB_ASSERT(build.facts.age_known && build.facts.age_ms > INT64_C(5400000));
    }
    if (build.image.status == IB_IMAGE_UNHEARD_OF ||
        (build.judgement.in_flight && !build.facts.age_known)) {
        IB_ASSERT(build.judgement.state != IB_STATE_OK && !build.judgement.stuck);
    }
    struct ib_survey survey = { .plan = &target, .plan_count = 1, .targets = &of_target,
                                .builds = &build, .build_count = 1, .now_ms = NOW_MS };
    check_report(&survey, build.judgement.state);
    ib_image_fini(&build.image);
    return 0;
}
