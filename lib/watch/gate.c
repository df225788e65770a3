/* SPDX-License-Identifier: MIT */
/* The gate before every action. */
#include "lib/watch/gate.h"

#include "lib/base/num.h"
#include "lib/base/text.h"

enum ib_rc ib_gate_on_parse(const char *text, struct ib_gate_rules *rules, struct ib_error *err)
{
    struct ib_str s = ib_str_from(text);

    if (ib_str_eq_c(s, "hard")) {
        rules->on = IB_GATE_HARD;
        return IB_OK;
    }
    if (ib_str_eq_c(s, "always")) {
        rules->on = IB_GATE_ALWAYS;
        return IB_OK;
    }
    if (ib_str_starts(s, IB_STR("soft:")) &&
        ib_num_i64(ib_str_skip(s, 5), 1, 100, "soft", &rules->soft_attempt, NULL) == IB_OK) {
        rules->on = IB_GATE_SOFT;
        return IB_OK;
    }
    return ib_fail(err, IB_EUSAGE, "\"%s\" is not hard, soft:N (N 1..100) or always", text);
}

enum ib_rc ib_gate_check(const struct ib_gate_rules *rules, const struct ib_gate_event *event,
                         struct ib_error *err)
{
    bool has_type = event->type != IB_GATE_TYPE_NONE;

    if (has_type && !event->has_state) {
        return ib_fail(err, IB_EUSAGE, "--state-type is given without --state");
    }
    if (event->has_state && !has_type && rules->on != IB_GATE_ALWAYS) {
        return ib_fail(err, IB_EUSAGE,
                       "--state is given without --state-type (or use --on always)");
    }
    if (event->has_state && rules->on == IB_GATE_SOFT && event->attempt == 0) {
        return ib_fail(err, IB_EUSAGE, "--on soft:N needs --attempt");
    }
    if ((event->check_source == NULL) != (event->node == NULL)) {
        return ib_fail(err, IB_EUSAGE, "%s is given without %s",
                       event->node == NULL ? "--check-source" : "--node",
                       event->node == NULL ? "--node" : "--check-source");
    }
    if (rules->skip_in_downtime && !event->has_downtime) {
        return ib_fail(err, IB_EUSAGE, "--skip-in-downtime needs --downtime-depth");
    }
    return IB_OK;
}

static const char *type_name(enum ib_gate_type type)
{
    switch (type) {
    case IB_GATE_TYPE_SOFT:
        return " SOFT";
    case IB_GATE_TYPE_HARD:
        return " HARD";
    case IB_GATE_TYPE_NONE:
        break;
    }
    return "";
}

static void say(struct ib_gate_decision *d, const char *fmt, ...) IB_PRINTF(2, 3);
static void say(struct ib_gate_decision *d, const char *fmt, ...)
{
    char raw[sizeof d->words];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    (void)ib_text_plugin(raw, strlen(raw), d->words, sizeof d->words);
}

/* The part that looks at state and type. */
static bool state_passes(const struct ib_gate_rules *rules, const struct ib_gate_event *event,
                         struct ib_gate_decision *d)
{
    const char *state = event->has_state ? ib_state_name(event->state) : "";
    const char *type = type_name(event->type);

    if (!event->has_state) {
        say(d, "no event was named");
        return true;
    }
    if (rules->on == IB_GATE_ALWAYS) {
        say(d, "%s%s, acts always", state, type);
        return true;
    }
    bool is_critical = event->state == IB_STATE_CRITICAL;
    if (is_critical && event->type == IB_GATE_TYPE_HARD) {
        say(d, "CRITICAL HARD");
        return true;
    }
    if (rules->on == IB_GATE_HARD) {
        say(d, "no action: %s%s, acts on CRITICAL HARD", state, type);
        return false;
    }
    bool passes = is_critical && event->type == IB_GATE_TYPE_SOFT &&
                  event->attempt >= rules->soft_attempt;
    say(d, "%s%s%s attempt %" PRId64 "%s%" PRId64, passes ? "" : "no action: ", state, type,
        event->attempt, passes ? ", acts from attempt " : ", acts on CRITICAL from SOFT attempt ",
        rules->soft_attempt);
    return passes;
}

void ib_gate_decide(const struct ib_gate_rules *rules, const struct ib_gate_event *event,
                    struct ib_gate_decision *ret)
{
    struct ib_gate_decision d = { .act = false };

    if (event->check_source != NULL && event->node != NULL &&
        strcmp(event->check_source, event->node) != 0) {
        say(&d, "no action: the check ran on %s, this is %s", event->check_source, event->node);
    } else if (rules->skip_in_downtime && event->downtime_depth > 0) {
        say(&d, "no action: in downtime");
    } else {
        d.act = state_passes(rules, event, &d);
    }
    *ret = d;
}
