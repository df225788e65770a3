/* SPDX-License-Identifier: MIT */
/* Any bytes as a threshold, a mapping, a phase or a gate: what is taken reads back as the same. */
#include "fuzz.h"

#include "lib/watch/gate.h"
#include "lib/watch/judge.h"

/* Where CRITICAL must mean stuck it does, at any age. */
static void check_stuck(const struct ib_range *range)
{
    static const int64_t ages_ms[] = { -1, 0, 999, 1000, 60000, 5400000, INT64_C(315360000000) };
    struct ib_judge_rules rules;
    struct ib_judge_facts facts = { .status = IB_IMAGE_BUILDING, .status_text = IB_STR("BUILDING"),
                                    .age_known = true };
    struct ib_judgement j;
    struct ib_error err = IB_ERROR_INIT;

    ib_judge_rules_init(&rules);
    rules.age.crit = *range;
    rules.stuck_only = true;
    bool is_fit = ib_judge_check_critical(&rules, &err) == IB_OK;
    IB_ASSERT(is_fit || err.rc == IB_EUSAGE);
    for (size_t i = 0; i < IB_ARRAY_LEN(ages_ms); i++) {
        facts.age_ms = ages_ms[i];
        ib_judge(&rules, &facts, &j);
        IB_ASSERT(j.stuck == (j.state == IB_STATE_CRITICAL));
        IB_ASSERT(!is_fit || !j.stuck || ages_ms[i] >= 1000);
    }
}

static void check_range(struct ib_str text, enum ib_range_unit unit)
{
    struct ib_range range, again;
    struct ib_error err = IB_ERROR_INIT;
    char first[IB_RANGE_FMT_MAX], second[IB_RANGE_FMT_MAX], people[IB_RANGE_FMT_MAX];

    if (ib_range_parse(text, unit, "-w", &range, &err) != IB_OK) {
        IB_ASSERT(err.rc == IB_EPARSE);
        return;
    }
    IB_ASSERT(range.start_inf || range.end_inf || range.start <= range.end);
    IB_ASSERT(strlen(ib_range_fmt_people(&range, people, sizeof people)) > 0);
    IB_ASSERT(ib_range_parse(ib_str_from(ib_range_fmt(&range, first, sizeof first)),
                             IB_RANGE_NUMBER, "-w", &again, &err) == IB_OK);
    IB_ASSERT(strcmp(ib_range_fmt(&again, second, sizeof second), first) == 0);
    IB_ASSERT(ib_range_alerts(&range, 0.0) == ib_range_alerts(&again, 0.0) ||
              (range.start > -0.001 && range.end < 0.001));
    check_stuck(&range);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str text = { (const char *)data, n };
    struct ib_judge_rules rules;
    struct ib_gate_rules gate = { .on = IB_GATE_HARD };
    struct ib_error err = IB_ERROR_INIT;
    char copy[256];

    check_range(text, IB_RANGE_NUMBER);
    check_range(text, IB_RANGE_SECONDS);
    if (n >= sizeof copy || memchr(data, '\0', n) != NULL) {
        return 0;
    }
    memcpy(copy, data, n);
    copy[n] = '\0';
    ib_judge_rules_init(&rules);
    IB_ASSERT(ib_judge_map_parse(copy, &rules, &err) == IB_OK || err.rc == IB_EUSAGE);
    IB_ASSERT(ib_judge_phase_parse(copy, &rules, &err) == IB_OK || err.rc == IB_EUSAGE);
    IB_ASSERT(ib_gate_on_parse(copy, &gate, &err) == IB_OK || err.rc == IB_EUSAGE);
    IB_ASSERT(gate.on != IB_GATE_SOFT || (gate.soft_attempt >= 1 && gate.soft_attempt <= 100));
    return 0;
}
