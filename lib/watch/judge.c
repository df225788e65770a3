/* SPDX-License-Identifier: MIT */
/* Judging one build. */
#include "lib/watch/judge.h"

#include "lib/base/text.h"
#include "lib/base/time.h"

/* What an image that is not in flight means by default; --map changes single rows. */
static const enum ib_state default_map[IB_IMAGE_STATUS_COUNT + 1] = {
    [IB_IMAGE_AVAILABLE] = IB_STATE_OK,
    [IB_IMAGE_FAILED] = IB_STATE_CRITICAL,
    [IB_IMAGE_CANCELLED] = IB_STATE_WARNING,
    [IB_IMAGE_DEPRECATED] = IB_STATE_OK,
    [IB_IMAGE_DISABLED] = IB_STATE_WARNING,
    [IB_IMAGE_DELETED] = IB_STATE_WARNING,
    [IB_IMAGE_UNHEARD_OF] = IB_STATE_UNKNOWN,
};

void ib_judge_rules_init(struct ib_judge_rules *rules)
{
    *rules = (struct ib_judge_rules){ .waiting = IB_STATE_WARNING };
    memcpy(rules->map, default_map, sizeof rules->map);
}

enum ib_rc ib_judge_map_parse(const char *text, struct ib_judge_rules *rules, struct ib_error *err)
{
    struct ib_str rest = ib_str_from(text);
    struct ib_str name = ib_str_split(&rest, '=');
    enum ib_image_status status = ib_image_status_from(name);
    enum ib_state state;

    if (rest.p == NULL) {
        return ib_fail(err, IB_EUSAGE, "\"%s\" is not STATUS=STATE, such as FAILED=warning", text);
    }
    if (status == IB_IMAGE_UNHEARD_OF && !ib_str_eq_c(name, "other")) {
        return ib_fail(err, IB_EUSAGE,
                       "\"%.*s\" is no status of an image (AVAILABLE, FAILED, CANCELLED, "
                       "DEPRECATED, DISABLED, DELETED, other)",
                       IB_STR_ARG(name));
    }
    if (ib_image_status_in_flight(status)) {
        return ib_fail(err, IB_EUSAGE, "%.*s is judged by age (-w, -c, --phase), not by --map",
                       IB_STR_ARG(name));
    }
    if (!ib_state_from(rest, &state)) {
        return ib_fail(err, IB_EUSAGE, "\"%.*s\" is not ok, warning, critical or unknown",
                       IB_STR_ARG(rest));
    }
    rules->map[status] = state;
    return IB_OK;
}

static enum ib_rc parse_limit(struct ib_str text, const char *what, struct ib_range *ret,
                              struct ib_error *err)
{
    if (text.n == 0) {
        return IB_OK;
    }
    return ib_range_parse(text, IB_RANGE_SECONDS, what, ret, err) == IB_OK ? IB_OK : IB_EUSAGE;
}

enum ib_rc ib_judge_phase_parse(const char *text, struct ib_judge_rules *rules,
                                struct ib_error *err)
{
    struct ib_str rest = ib_str_from(text);
    struct ib_str name = ib_str_split(&rest, '=');
    enum ib_image_status status = ib_image_status_from(name);
    struct ib_judge_limits limits = { 0 };

    if (rest.n == 0) {
        return ib_fail(err, IB_EUSAGE, "\"%s\" is not STATUS=WARN,CRIT, such as TESTING=20m,40m",
                       text);
    }
    if (!ib_image_status_in_flight(status)) {
        return ib_fail(err, IB_EUSAGE,
                       "\"%.*s\" is no status of a build in flight (PENDING, CREATING, BUILDING, "
                       "TESTING, DISTRIBUTING, INTEGRATING)",
                       IB_STR_ARG(name));
    }
    struct ib_str warn = ib_str_split(&rest, ',');
    if (rest.p == NULL || ib_str_find(rest, ',') < rest.n) {
        return ib_fail(err, IB_EUSAGE, "\"%s\" is not STATUS=WARN,CRIT, such as TESTING=20m,40m",
                       text);
    }
    if (parse_limit(warn, "warning", &limits.warn, err) != IB_OK ||
        parse_limit(rest, "critical", &limits.crit, err) != IB_OK) {
        if (err != NULL) {
            err->rc = IB_EUSAGE;
        }
        return IB_EUSAGE;
    }
    rules->phase[status] = limits;
    return IB_OK;
}

bool ib_judge_can_be_too_old(const struct ib_range *range)
{
    if (!range->is_set) {
        return false;
    }
    return range->inside ? !range->start_inf && range->start > 0.0 : !range->end_inf;
}

static enum ib_rc check_range(const struct ib_range *range, const char *phase,
                              struct ib_error *err)
{
    double limit = range->inside ? range->start : range->end;
    const char *of = phase[0] == '\0' ? "" : " for ";

    if (!range->is_set) {
        return IB_OK;
    }
    if (!ib_judge_can_be_too_old(range)) {
        return ib_fail(err, IB_EUSAGE,
                       "critical range \"%s\"%s%s never says that a build is too old; for \"older "
                       "than 90m\" write 90m",
                       range->text, of, phase);
    }
    if (limit < 1.0) {
        return ib_fail(err, IB_EUSAGE,
                       "critical range \"%s\"%s%s says of every build that it is too old",
                       range->text, of, phase);
    }
    return IB_OK;
}

enum ib_rc ib_judge_check_critical(const struct ib_judge_rules *rules, struct ib_error *err)
{
    enum ib_rc rc = check_range(&rules->age.crit, "", err);

    for (int s = 0; s < IB_IMAGE_STATUS_COUNT && rc == IB_OK; s++) {
        rc = check_range(&rules->phase[s].crit, ib_image_status_name((enum ib_image_status)s), err);
    }
    return rc;
}

/* Does the range alert, and does it do so because the value is too high? */
static bool too_high(const struct ib_range *range, double seconds)
{
    return ib_range_alerts(range, seconds) && ib_judge_can_be_too_old(range) &&
           (range->inside || seconds > range->end);
}

/* One limit met: what it gives. */
struct hit {
    enum ib_state state;
    bool stuck;
    const struct ib_range *range;
};

static struct hit test_limits(const struct ib_judge_limits *limits, int64_t ms)
{
    double seconds = (double)ms / 1000.0;

    if (ib_range_alerts(&limits->crit, seconds)) {
        return (struct hit){ IB_STATE_CRITICAL, too_high(&limits->crit, seconds), &limits->crit };
    }
    if (ib_range_alerts(&limits->warn, seconds)) {
        return (struct hit){ IB_STATE_WARNING, false, &limits->warn };
    }
    return (struct hit){ IB_STATE_OK, false, NULL };
}

static bool has_limits(const struct ib_judge_limits *limits)
{
    return limits->warn.is_set || limits->crit.is_set;
}

bool ib_judge_has_limits(const struct ib_judge_rules *rules)
{
    bool has = has_limits(&rules->age);

    for (int s = 0; s < IB_IMAGE_STATUS_COUNT && !has; s++) {
        has = has_limits(&rules->phase[s]);
    }
    return has;
}

static void say(struct ib_judgement *j, const char *fmt, ...) IB_PRINTF(2, 3);
static void say(struct ib_judgement *j, const char *fmt, ...)
{
    char raw[sizeof j->words];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    (void)ib_text_plugin(raw, strlen(raw), j->words, sizeof j->words);
}

static void say_hit(struct ib_judgement *j, const struct ib_judge_facts *f, const struct hit *hit,
                    const char *age, const char *phase)
{
    char limit[IB_RANGE_FMT_MAX];
    const char *word = hit->state == IB_STATE_CRITICAL ? "critical" : "warning";
    const char *shown = ib_range_fmt_people(hit->range, limit, sizeof limit);

    if (j->reason == IB_JUDGED_PHASE) {
        say(j, "%.*s for %s (%s in this state %s)", IB_STR_ARG(f->status_text), phase, word, shown);
    } else {
        say(j, "%.*s for %s (%s %s)", IB_STR_ARG(f->status_text), age, word, shown);
    }
    if (f->waiting) {
        struct ib_str step = ib_str_head(f->waiting_step, 40);
        j->reason = IB_JUDGED_WAITING;
        say(j, "%.*s for %s, waits for an answer%s%.*s", IB_STR_ARG(f->status_text), age,
            step.n > 0 ? " in step " : "", IB_STR_ARG(step));
    }
}

static void judge_in_flight(const struct ib_judge_rules *rules, const struct ib_judge_facts *f,
                            struct ib_judgement *j)
{
    const struct ib_judge_limits *phase_limits = &rules->phase[f->status];
    bool by_age = has_limits(&rules->age);
    bool by_phase = has_limits(phase_limits);
    bool age_known = f->age_known && f->age_ms >= -IB_JUDGE_SKEW_MS;
    bool phase_known = f->phase_known ? f->phase_ms >= -IB_JUDGE_SKEW_MS : age_known;
    int64_t age_ms = f->age_ms < 0 ? 0 : f->age_ms;
    int64_t phase_ms = !f->phase_known ? age_ms : f->phase_ms < 0 ? 0 : f->phase_ms;
    char age[IB_TIME_TEXT_MAX] = "an unknown time", phase[IB_TIME_TEXT_MAX] = "an unknown time";

    if (age_known) {
        (void)ib_duration_fmt(age_ms, age, sizeof age);
    }
    if (phase_known) {
        (void)ib_duration_fmt(phase_ms, phase, sizeof phase);
    }
    struct hit hit = { IB_STATE_OK, false, NULL };
    if (by_age && age_known) {
        hit = test_limits(&rules->age, age_ms);
        j->reason = hit.range != NULL ? IB_JUDGED_AGE : IB_JUDGED_FINE;
    }
    if (by_phase && phase_known) {
        struct hit other = test_limits(phase_limits, phase_ms);
        if (ib_state_cmp(other.state, hit.state) > 0 || (other.stuck && !hit.stuck)) {
            hit = other;
            j->reason = IB_JUDGED_PHASE;
        }
    }
    j->state = hit.state;
    j->stuck = hit.stuck;
    if (hit.range != NULL) {
        say_hit(j, f, &hit, age, phase);
        if (f->waiting) {
            j->stuck = hit.stuck && rules->waiting == IB_STATE_CRITICAL;
            j->state = rules->waiting;
        }
        /* Too young, or one that waits and is over its warning: it may get stuck yet, and that must
         * be a change of state, or no handler hears of it. */
        if (rules->stuck_only && j->state == IB_STATE_CRITICAL && !j->stuck) {
            j->state = IB_STATE_WARNING;
        }
    } else if ((by_age && !age_known) || (by_phase && !phase_known)) {
        j->state = IB_STATE_UNKNOWN;
        j->reason = IB_JUDGED_AGE_UNKNOWN;
        say(j, "%.*s, age not known: %s", IB_STR_ARG(f->status_text),
            f->restarting  ? "a workflow failed and none runs: put back to work, or hung"
            : f->age_known ? "it is dated in the future, check this host's clock"
                           : "no readable creation date");
    } else if (age_known) {
        say(j, "%.*s for %s", IB_STR_ARG(f->status_text), age);
    } else {
        say(j, "%.*s, age not known", IB_STR_ARG(f->status_text));
    }
}

void ib_judge_not_older(struct ib_judge_facts *facts, int64_t most_ms)
{
    if (most_ms < -IB_MINUTE_MS && facts->phase_known) {
        return; /* our clock went back, and a workflow tells since when it works */
    }
    if (facts->age_known && facts->age_ms > most_ms) {
        facts->age_ms = most_ms;
    }
    if (facts->phase_known && facts->phase_ms > most_ms) {
        facts->phase_ms = most_ms;
    }
}

void ib_judge(const struct ib_judge_rules *rules, const struct ib_judge_facts *facts,
              struct ib_judgement *ret)
{
    struct ib_judgement j = { .state = IB_STATE_OK, .reason = IB_JUDGED_FINE };

    j.in_flight = ib_image_status_in_flight(facts->status);
    if (j.in_flight) {
        judge_in_flight(rules, facts, &j);
    } else if (facts->status == IB_IMAGE_UNHEARD_OF) {
        j.reason = IB_JUDGED_UNHEARD_OF;
        j.state = rules->map[IB_IMAGE_UNHEARD_OF];
        /* With stuck_only CRITICAL means stuck, and of this one nobody knows whether it even runs. */
        if (rules->stuck_only && j.state == IB_STATE_CRITICAL) {
            j.state = IB_STATE_UNKNOWN;
        }
        say(&j, "%.*s, a state unknown to this version", IB_STR_ARG(facts->status_text));
    } else {
        j.reason = rules->stuck_only ? IB_JUDGED_SKIPPED : IB_JUDGED_ENDED;
        j.state = rules->stuck_only ? IB_STATE_OK : rules->map[facts->status];
        say(&j, "%.*s", IB_STR_ARG(facts->status_text));
    }
    *ret = j;
}

const char *ib_judge_reason_name(enum ib_judge_reason reason)
{
    switch (reason) {
    case IB_JUDGED_FINE:
        return "fine";
    case IB_JUDGED_AGE:
        return "age";
    case IB_JUDGED_PHASE:
        return "phase";
    case IB_JUDGED_WAITING:
        return "waiting";
    case IB_JUDGED_AGE_UNKNOWN:
        return "age-unknown";
    case IB_JUDGED_ENDED:
        return "ended";
    case IB_JUDGED_UNHEARD_OF:
        return "unheard-of";
    case IB_JUDGED_SKIPPED:
        return "skipped";
    }
    return "unknown";
}
