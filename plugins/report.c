/* SPDX-License-Identifier: MIT */
/* From a survey to lines. */
#include "plugins/report.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/data/members.h"

#define PREFIX     "IB_IMAGE"
#define AMIS_SHOWN 10

enum ib_state ib_report_state(const struct ib_report *report)
{
    return ib_survey_state(report->survey, report->timeout_state);
}

/* --- one build ---------------------------------------------------------------------------------- */

static void add_clean(struct ib_buf *out, const char *before, struct ib_str text, size_t max)
{
    char clean[1200];

    if (text.n > 0) {
        (void)ib_text_plugin(text.p, text.n, clean, max < sizeof clean ? max : sizeof clean);
        ib_buf_addf(out, "%s%s", before, clean);
    }
}

static void add_failure(const struct ib_image *image, struct ib_buf *out)
{
    struct ib_image_failure f;

    add_clean(out, ": ", image->reason, 300);
    if (!ib_image_failure(image, &f)) {
        return;
    }
    add_clean(out, "; step ", f.step, 80);
    add_clean(out, ", component ", f.component, 200);
    add_clean(out, " step ", f.component_step, 80);
    add_clean(out, ": ", f.message, 200);
    add_clean(out, ", Region ", f.region, 40);
    add_clean(out, " ", f.region_status, 40);
    if (f.region_count > 1) {
        ib_buf_addf(out, " and %zu more", f.region_count - 1);
    }
}

void ib_report_add_build(const struct ib_survey_build *build, int64_t now_ms, bool with_reason,
                         struct ib_buf *out)
{
    const struct ib_survey_detail *d = &build->detail;
    char title[IB_IMAGE_TITLE_MAX], time[IB_TIME_TEXT_MAX];

    ib_buf_addf(out, "%s %s", ib_image_title(&build->image, title, sizeof title),
                build->judgement.words);
    if (d->step.name[0] != '\0' && !d->step.waits) {
        ib_buf_addf(out, ", step %s", d->step.name);
    } else if (d->step.name[0] == '\0' && d->workflow[0] != '\0') {
        ib_buf_addf(out, ", workflow %s", d->workflow);
    }
    if ((d->retried || d->begun_late) && d->restart_known) {
        ib_buf_addf(out, ", %s %s ago", d->retried ? "retried" : "begun",
                    ib_duration_fmt(now_ms - d->restart_ms, time, sizeof time));
    }
    if (with_reason && !build->judgement.in_flight) {
        add_failure(&build->image, out);
    }
}

static void add_amis(const struct ib_image *image, struct ib_buf *out)
{
    struct ib_image_ami ami;
    struct ib_str region, uri;
    size_t i;

    for (i = 0; ib_image_ami_at(image, i, &ami) && i < AMIS_SHOWN; i++) {
        add_clean(out, i == 0 ? ", AMIs " : ", ", ami.id, 80);
        add_clean(out, " in ", ami.region, 40);
    }
    if (ib_image_ami_at(image, i, &ami)) {
        ib_buf_add_c(out, ", ...");
    }
    for (i = 0; ib_image_container_at(image, i, &region, &uri) && i < AMIS_SHOWN; i++) {
        add_clean(out, i == 0 ? ", containers " : ", ", uri, 300);
    }
}

/* What the journal tells about a build; "" when it tells nothing, or may not be read. */
static const char *journal_words(const struct ib_report *r, const struct ib_survey_build *b,
                                 struct ib_cancel_row *row, char *buf, size_t cap)
{
    char arn[sizeof row->arn];
    struct ib_error ignored = IB_ERROR_INIT;

    buf[0] = '\0';
    if (r->journal == NULL || b->image.arn.n >= sizeof arn) {
        return buf;
    }
    (void)ib_text_copy(arn, sizeof arn, b->image.arn);
    enum ib_rc rc = ib_statedb_last(r->journal, arn, row, &ignored);
    if (rc == IB_ETIMEOUT) {
        ib_statedb_patience(r->journal, 0); /* a cancel is being recorded: waiting once is enough */
    }
    if (rc != IB_OK) {
        return buf;
    }
    /* An ended cancel says nothing about a build that was put back to work since, but who did that may be told. */
    bool started = strcmp(row->outcome, "started") == 0;
    if (!started && row->ended_ms != 0 && b->judgement.in_flight && b->detail.restart_known &&
        b->detail.restart_ms > row->ended_ms) {
        return buf;
    }
    bool was_cancelled = strcmp(row->outcome, "cancelled") == 0 || strcmp(row->outcome, "refused") == 0;
    /* Back at work, or ended otherwise since. */
    if (row->ended_ms != 0 && was_cancelled && b->image.status != IB_IMAGE_CANCELLED) {
        return buf;
    }
    /* What failed is no news of a build that has ended all the same. */
    if (ib_journal_failed(row) && !b->judgement.in_flight) {
        return buf;
    }
    return ib_journal_words(row, r->survey->now_ms, buf, cap);
}

static void add_line(const struct ib_report *r, const struct ib_survey_build *b,
                     struct ib_output *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT(16 * 1024);
    const struct ib_survey_detail *d = &b->detail;
    char time[IB_TIME_TEXT_MAX], words[256];
    struct ib_cancel_row row;

    ib_buf_addf(&line, "[%s] ", ib_state_name(b->judgement.state));
    ib_report_add_build(b, r->survey->now_ms, true, &line);
    if (d->step.name[0] != '\0' && d->step.has_start) {
        ib_buf_addf(&line, " for %s",
                    ib_duration_fmt(r->survey->now_ms - d->step.start_ms, time, sizeof time));
    }
    if (d->step.name[0] != '\0' && d->workflow[0] != '\0') {
        ib_buf_addf(&line, " in workflow %s", d->workflow);
    }
    add_clean(&line, ", ", ib_str_from(journal_words(r, b, &row, words, sizeof words)), 256);
    if (b->judgement.in_flight) {
        add_clean(&line, ", ", b->image.reason, 300);
    }
    add_clean(&line, ", pipeline ", b->image.pipeline_name, 130);
    add_amis(&b->image, &line);
    if (r->verbose > 0) {
        add_clean(&line, ", created ", b->image.created_text, 64);
    }
    add_clean(&line, ", ", b->image.arn, 1025);
    if (d->trouble.rc != IB_OK) {
        ib_buf_addf(&line, " (no more is known: %s)", d->trouble.text);
    }
    ib_output_line(out, "%s", ib_buf_c(&line));
}

/* --- the first line ----------------------------------------------------------------------------- */

/* What a target is called when nothing of it was found. */
static void add_nothing(const struct ib_survey *s, size_t target, struct ib_buf *out)
{
    const struct ib_target *t = &s->plan[target];

    for (size_t i = 0; i < s->pipeline_count; i++) {
        if (s->pipelines[i].target == target && s->pipelines[i].words[0] != '\0') {
            ib_buf_add_c(out, s->pipelines[i].words);
            return;
        }
    }
    switch (t->select) {
    case IB_SELECT_ALL:
        ib_buf_add_c(out, "no build in flight");
        break;
    case IB_SELECT_PIPELINE:
        add_clean(out, "no build of pipeline ", ib_conf_texts_at(&t->what, 0), 100);
        break;
    case IB_SELECT_IMAGE:
        add_clean(out, "no build of image ", ib_conf_texts_at(&t->what, 0), 100);
        break;
    case IB_SELECT_ARN:
    case IB_SELECT_NONE:
        ib_buf_add_c(out, "no build");
        break;
    }
    if (t->name != NULL) {
        add_clean(out, ", target ", ib_str_from(t->name), 80);
    }
}

static size_t in_flight(const struct ib_survey *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->build_count; i++) {
        n += s->builds[i].judgement.in_flight && !s->builds[i].repeated ? 1 : 0;
    }
    return n;
}

/* The oldest in flight; NULL when there is none whose age is known. */
static const struct ib_survey_build *oldest(const struct ib_survey *s)
{
    const struct ib_survey_build *found = NULL;

    for (size_t i = 0; i < s->build_count; i++) {
        const struct ib_survey_build *b = &s->builds[i];
        if (b->judgement.in_flight && b->facts.age_known &&
            (found == NULL || b->facts.age_ms > found->facts.age_ms)) {
            found = b;
        }
    }
    return found;
}

/* What became of its cancel matters more than what the build is doing: the line is short. */
static void add_leading(const struct ib_report *r, const struct ib_survey_build *b,
                        bool with_reason, struct ib_buf *out)
{
    char title[IB_IMAGE_TITLE_MAX], words[256];
    struct ib_cancel_row row;

    if (journal_words(r, b, &row, words, sizeof words)[0] == '\0') {
        ib_report_add_build(b, r->survey->now_ms, with_reason, out);
        return;
    }
    ib_buf_addf(out, "%s %s", ib_image_title(&b->image, title, sizeof title), b->judgement.words);
    add_clean(out, ", ", ib_str_from(words), 256);
}

static void add_all_well(const struct ib_report *r, struct ib_buf *out)
{
    const struct ib_survey *s = r->survey;
    const struct ib_survey_build *old = oldest(s);
    size_t running = in_flight(s);

    if (s->build_count == 0) {
        add_nothing(s, 0, out);
        return;
    }
    if (s->build_count == 1) {
        if (!s->builds[0].judgement.in_flight && s->plan[0].rules.stuck_only) {
            ib_buf_add_c(out, "nothing in flight, ");
        }
        add_leading(r, &s->builds[0], false, out);
        return;
    }
    ib_buf_addf(out, "%zu builds, %zu in flight", s->build_count, running);
    if (old != NULL) {
        ib_buf_add_c(out, ", oldest ");
        add_leading(r, old, false, out);
    }
}

/* The one thing that matters most, of those in this state. */
static void add_worst(const struct ib_report *r, enum ib_state state, struct ib_buf *out)
{
    const struct ib_survey *s = r->survey;

    if (s->build_count > 0 && s->builds[0].judgement.state == state) {
        add_leading(r, &s->builds[0], true, out);
        return;
    }
    for (size_t i = 0; i < s->pipeline_count; i++) {
        if (s->pipelines[i].state == state) {
            ib_buf_add_c(out, s->pipelines[i].words);
            return;
        }
    }
    if (s->trouble_count > 0) {
        /* An ARN in front would leave no room for what is wrong; the long line has it. */
        ib_buf_addf(out, "%s", s->troubles[0].err.text);
        return;
    }
    for (size_t i = 0; i < s->plan_count; i++) {
        if (s->targets[i].none && s->targets[i].none_state == state) {
            add_nothing(s, i, out);
            return;
        }
    }
}

/* ", and 2 CRITICAL, 1 WARNING more": everything that is not OK, but for the one that was named. */
static void add_others(const struct ib_report *r, enum ib_state state, struct ib_buf *out)
{
    static const enum ib_state order[] = { IB_STATE_CRITICAL, IB_STATE_WARNING, IB_STATE_UNKNOWN };
    const struct ib_survey *s = r->survey;
    size_t counts[IB_STATE_COUNT] = { 0 };
    bool any = false;

    for (size_t i = 0; i < s->build_count; i++) {
        counts[s->builds[i].judgement.state] += s->builds[i].repeated ? 0 : 1;
    }
    for (size_t i = 0; i < s->pipeline_count; i++) {
        counts[s->pipelines[i].state]++;
    }
    for (size_t i = 0; i < s->plan_count; i++) {
        counts[s->targets[i].none_state]++;
    }
    counts[IB_STATE_UNKNOWN] += s->trouble_count;
    counts[state] -= counts[state] > 0 ? 1 : 0;
    for (size_t i = 0; i < IB_ARRAY_LEN(order); i++) {
        if (counts[order[i]] > 0) {
            ib_buf_addf(out, "%s%zu %s", any ? ", " : "; also ", counts[order[i]],
                        ib_state_name(order[i]));
            any = true;
        }
    }
}

static void first_line(const struct ib_report *r, enum ib_state state, struct ib_output *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf head = IB_BUF_INIT(16 * 1024);
    IB_CLEANUP(ib_buf_fini) struct ib_buf tail = IB_BUF_INIT(1024);
    char text[512];
    size_t used = strlen(PREFIX) + strlen(ib_state_name(state)) + 4;
    size_t max = out->first_max == 0 ? 200 : out->first_max;

    if (state == IB_STATE_OK) {
        add_all_well(r, &head);
    } else {
        add_worst(r, state, &head);
        add_others(r, state, &tail);
    }
    size_t room = max > used + tail.len + 40 ? max - used - tail.len : 40;
    struct ib_str all = ib_buf_str(&head);
    (void)ib_text_plugin(all.p, all.n, text, room + 1 < sizeof text ? room + 1 : sizeof text);
    ib_output_text(out, "%s%s", text, ib_buf_c(&tail));
}

/* --- perfdata ----------------------------------------------------------------------------------- */

static void add_count(struct ib_output *out, const char *label, size_t count)
{
    struct ib_perf perf = { .label = label, .value = (double)count, .has_min = true };

    ib_output_perf(out, &perf);
}

static bool same_range(const struct ib_range *a, const struct ib_range *b)
{
    return a->is_set == b->is_set && strcmp(a->text, b->text) == 0;
}

/* Age of the oldest in flight, with limits where all targets agree on them. */
static void add_age(const struct ib_report *r, struct ib_output *out)
{
    const struct ib_survey *s = r->survey;
    const struct ib_survey_build *old = oldest(s);
    struct ib_perf perf = {
        .label = "age",
        .value = old == NULL || old->facts.age_ms < 0 ? 0.0 : (double)(old->facts.age_ms / 1000),
        /* Nothing in flight is an age of 0; something whose age nobody knows is not. */
        .unknown = old == NULL && (in_flight(s) > 0 || s->trouble_count > 0),
        .uom = IB_UOM_SECONDS,
        .has_min = true,
    };
    bool same_warn = s->plan_count > 0, same_crit = s->plan_count > 0;

    for (size_t i = 1; i < s->plan_count; i++) {
        same_warn = same_warn && same_range(&s->plan[i].rules.age.warn, &s->plan[0].rules.age.warn);
        same_crit = same_crit && same_range(&s->plan[i].rules.age.crit, &s->plan[0].rules.age.crit);
    }
    perf.warn = same_warn ? &s->plan[0].rules.age.warn : NULL;
    perf.crit = same_crit ? &s->plan[0].rules.age.crit : NULL;
    ib_output_perf(out, &perf);
}

static void perfdata(const struct ib_report *r, struct ib_output *out)
{
    const struct ib_survey *s = r->survey;
    size_t counts[IB_IMAGE_STATUS_COUNT + 1] = { 0 }, stuck = 0, waiting = 0;

    for (size_t i = 0; i < s->build_count; i++) {
        if (!s->builds[i].repeated) {
            counts[s->builds[i].image.status]++;
            stuck += s->builds[i].judgement.stuck ? 1 : 0;
            waiting += s->builds[i].facts.waiting ? 1 : 0;
        }
    }
    add_age(r, out);
    add_count(out, "in_flight", in_flight(s));
    add_count(out, "stuck", stuck);
    add_count(out, "waiting", waiting);
    for (int i = 0; i <= IB_IMAGE_STATUS_COUNT; i++) {
        char label[32];
        const char *name =
            i == IB_IMAGE_UNHEARD_OF ? "other" : ib_image_status_name((enum ib_image_status)i);
        size_t n = 0;
        for (; name[n] != '\0' && n + 1 < sizeof label; n++) {
            label[n] = ib_ascii_tolower(name[n]);
        }
        label[n] = '\0';
        add_count(out, label, counts[i]);
    }
    add_count(out, "unreadable", s->trouble_count);
    struct ib_perf duration = { .label = "duration", .value = (double)(s->duration_ms / 1000),
                                .unknown = !s->has_duration, .uom = IB_UOM_SECONDS,
                                .has_min = true };
    ib_output_perf(out, &duration);
    add_count(out, "api_calls", (size_t)r->stats.attempts);
    struct ib_perf time = { .label = "time", .value = (double)r->elapsed_ms / 1000.0,
                            .uom = IB_UOM_SECONDS, .has_min = true };
    ib_output_perf(out, &time);
}

/* --- all lines ---------------------------------------------------------------------------------- */

static void other_lines(const struct ib_report *r, struct ib_output *out)
{
    const struct ib_survey *s = r->survey;

    for (size_t i = 0; i < s->trouble_count; i++) {
        ib_output_line(out, "[%s] %s: %s",
                       ib_state_name(s->troubles[i].err.rc == IB_ETIMEOUT ? r->timeout_state
                                                                          : IB_STATE_UNKNOWN),
                       s->troubles[i].what, s->troubles[i].err.text);
    }
    if (s->vanished > 0) {
        ib_output_line(out, "[OK] %zu build%s vanished between list and read", s->vanished,
                       s->vanished == 1 ? "" : "s");
    }
    for (size_t i = 0; i < s->pipeline_count; i++) {
        if (s->pipelines[i].words[0] != '\0') {
            ib_output_line(out, "[%s] %s, %s", ib_state_name(s->pipelines[i].state),
                           s->pipelines[i].words, s->pipelines[i].arn);
        }
    }
    for (size_t i = 0; i < s->plan_count; i++) {
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(2048);
        if (s->targets[i].none) {
            add_nothing(s, i, &text);
            ib_output_line(out, "[%s] %s", ib_state_name(s->targets[i].none_state),
                           ib_buf_c(&text));
        }
    }
}

/* The guidelines allow them, and a person may want them; no cancel hangs on what they say. */
static void note_ranges(const struct ib_survey *s, struct ib_output *out)
{
    for (size_t i = 0; i < s->plan_count; i++) {
        const struct ib_target *t = &s->plan[i];
        struct ib_error why = IB_ERROR_INIT;

        if (t->rules.stuck_only && !ib_judge_has_limits(&t->rules)) {
            (void)ib_fail(&why, IB_EUSAGE, "nothing says when a build is stuck");
        }
        if (why.rc != IB_OK || ib_judge_check_critical(&t->rules, &why) != IB_OK) {
            ib_output_line(out, "note%s%s: %s", t->name == NULL ? "" : " on target ",
                           t->name == NULL ? "" : t->name, why.text);
        }
    }
}

void ib_report_text(const struct ib_report *report, enum ib_state state, struct ib_output *out)
{
    const struct ib_survey *s = report->survey;
    size_t shown = 0, hidden = 0;

    first_line(report, state, out);
    for (size_t i = 0; i < s->build_count; i++) {
        if (s->builds[i].repeated) {
            continue;
        }
        if (shown < report->limit) {
            add_line(report, &s->builds[i], out);
            shown++;
        } else {
            hidden++;
        }
    }
    if (hidden > 0) {
        ib_output_line(out, "and %zu more builds (--limit)", hidden);
    }
    other_lines(report, out);
    if (report->verbose > 0) {
        note_ranges(s, out);
        ib_output_line(out, "%" PRId64 " requests, %" PRId64 " of them again, %" PRId64
                       " builds named by lists, %zu vanished",
                       report->stats.attempts, report->stats.retries, (int64_t)s->seen,
                       s->vanished);
    }
    perfdata(report, out);
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void add_outputs(const struct ib_image *image, struct ib_members *m)
{
    struct ib_image_ami ami;
    struct ib_str region, uri;

    ib_members_array(m, "amis");
    for (size_t i = 0; ib_image_ami_at(image, i, &ami); i++) {
        struct ib_members item = ib_members_new();
        ib_members_str(&item, "id", ami.id);
        ib_members_str(&item, "region", ami.region);
        ib_members_str_if(&item, "name", ami.name);
        ib_members_str_if(&item, "accountId", ami.account);
        ib_members_push(m, "amis", &item);
    }
    ib_members_array(m, "containers");
    for (size_t i = 0; ib_image_container_at(image, i, &region, &uri); i++) {
        struct ib_members item = ib_members_new();
        ib_members_str(&item, "uri", uri);
        ib_members_str(&item, "region", region);
        ib_members_push(m, "containers", &item);
    }
}

static void add_failure_members(const struct ib_image *image, struct ib_members *m)
{
    struct ib_members item = ib_members_new();
    struct ib_image_failure f;

    if (!ib_image_failure(image, &f)) {
        ib_members_fini(&item);
        return;
    }
    ib_members_str_if(&item, "phase", f.phase);
    ib_members_str_if(&item, "step", f.step);
    ib_members_str_if(&item, "component", f.component);
    ib_members_str_if(&item, "componentPhase", f.component_phase);
    ib_members_str_if(&item, "componentStep", f.component_step);
    ib_members_str_if(&item, "message", f.message);
    if (f.region_count > 0) {
        ib_members_str_if(&item, "region", f.region);
        ib_members_str_if(&item, "regionStatus", f.region_status);
        ib_members_int(&item, "regionsFailed", (int64_t)f.region_count);
    }
    ib_members_object(m, "failure", &item);
}

static void add_detail_members(const struct ib_survey_detail *d, struct ib_members *m)
{
    if (d->workflow[0] != '\0' || d->workflow_type[0] != '\0') {
        struct ib_members item = ib_members_new();
        ib_members_c(&item, "name", d->workflow);
        ib_members_c(&item, "type", d->workflow_type);
        if (d->has_workflow_start) {
            ib_members_time(&item, "startTime", d->workflow_start_ms);
        }
        ib_members_object(m, "workflow", &item);
    }
    if (d->step.name[0] != '\0') {
        struct ib_members item = ib_members_new();
        ib_members_c(&item, "name", d->step.name);
        ib_members_c(&item, "action", d->step.action);
        if (d->step.has_start) {
            ib_members_time(&item, "startTime", d->step.start_ms);
        }
        ib_members_object(m, "step", &item);
    }
    if (d->looked) {
        ib_members_bool(m, "retried", d->retried);
        ib_members_bool(m, "begunLate", d->begun_late);
    }
    if ((d->retried || d->begun_late) && d->restart_known) {
        ib_members_time(m, "restarted", d->restart_ms);
    }
    if (d->trouble.rc != IB_OK) {
        ib_members_c(m, "detailError", d->trouble.text);
    }
}

void ib_report_build_members(const struct ib_survey_build *build, int64_t now_ms,
                             struct ib_members *ret)
{
    const struct ib_image *image = &build->image;
    struct ib_members m = ib_members_new();

    (void)now_ms;
    ib_members_str(&m, "arn", image->arn);
    ib_members_str(&m, "name", image->name);
    ib_members_str(&m, "version", image->version);
    ib_members_int(&m, "build", image->build);
    ib_members_str_if(&m, "region", image->region);
    ib_members_str_if(&m, "account", image->account);
    ib_members_str(&m, "status", image->status_text);
    ib_members_str_if(&m, "statusReason", image->reason);
    ib_members_c(&m, "state", ib_state_name(build->judgement.state));
    ib_members_c(&m, "why", ib_judge_reason_name(build->judgement.reason));
    ib_members_c(&m, "text", build->judgement.words);
    ib_members_bool(&m, "inFlight", build->judgement.in_flight);
    ib_members_bool(&m, "stuck", build->judgement.stuck);
    ib_members_bool(&m, "waiting", build->facts.waiting);
    if (image->has_created) {
        ib_members_time(&m, "created", image->created_ms);
    } else {
        ib_members_null(&m, "created");
    }
    if (build->facts.age_known) {
        ib_members_int(&m, "ageSeconds", build->facts.age_ms / 1000);
    } else {
        ib_members_null(&m, "ageSeconds");
    }
    if (build->facts.phase_known) {
        ib_members_int(&m, "phaseSeconds", build->facts.phase_ms / 1000);
    }
    ib_members_str_if(&m, "dateCreated", image->created_text);
    ib_members_str_if(&m, "type", image->type);
    ib_members_str_if(&m, "platform", image->platform);
    ib_members_str_if(&m, "osVersion", image->os_version);
    ib_members_str_if(&m, "buildType", image->build_type);
    ib_members_str_if(&m, "pipelineName", image->pipeline_name);
    ib_members_str_if(&m, "pipelineArn", image->pipeline_arn);
    if (image->tags != NULL && ib_value_count(image->tags) > 0) {
        ib_members_value(&m, "tags", ib_value_copy(image->tags));
    }
    add_detail_members(&build->detail, &m);
    add_failure_members(image, &m);
    add_outputs(image, &m);
    *ret = m;
}

static void add_error_members(const struct ib_error *err, struct ib_members *m)
{
    ib_members_c(m, "kind", ib_rc_name(err->rc));
    ib_members_c(m, "text", err->text);
    ib_members_str_if(m, "code", ib_str_from(err->aws_code));
    ib_members_str_if(m, "requestId", ib_str_from(err->request_id));
    if (err->http_status != 0) {
        ib_members_int(m, "httpStatus", err->http_status);
    }
}

static void add_cancel(const struct ib_report *r, const struct ib_survey_build *b,
                       struct ib_members *m)
{
    struct ib_cancel_row row;
    struct ib_members cancel;
    char words[256];

    if (journal_words(r, b, &row, words, sizeof words)[0] == '\0') {
        return;
    }
    cancel = ib_members_new();
    ib_members_c(&cancel, "text", words);
    ib_members_c(&cancel, "phase", ib_cancel_phase_name(row.phase));
    ib_members_str_if(&cancel, "outcome", ib_str_from(row.outcome));
    ib_members_c(&cancel, "clientToken", row.token);
    ib_members_time(&cancel, "decided", row.created_ms);
    if (row.sent_ms != 0) {
        ib_members_time(&cancel, "sent", row.sent_ms);
    }
    ib_members_object(m, "cancel", &cancel);
}

static void add_lists(const struct ib_report *r, struct ib_members *m)
{
    const struct ib_survey *s = r->survey;

    ib_members_array(m, "builds");
    for (size_t i = 0; i < s->build_count; i++) {
        struct ib_members item;
        ib_report_build_members(&s->builds[i], s->now_ms, &item);
        ib_members_c(&item, "target", s->plan[s->builds[i].target].name);
        add_cancel(r, &s->builds[i], &item);
        ib_members_push(m, "builds", &item);
    }
    ib_members_array(m, "pipelines");
    for (size_t i = 0; i < s->pipeline_count; i++) {
        const struct ib_survey_pipeline *p = &s->pipelines[i];
        struct ib_members item = ib_members_new();
        ib_members_c(&item, "name", p->name);
        ib_members_c(&item, "arn", p->arn);
        ib_members_c(&item, "state", ib_state_name(p->state));
        ib_members_c(&item, "text", p->words);
        ib_members_bool(&item, "enabled", p->enabled);
        ib_members_bool(&item, "disabledByFailures", p->disabled_by_failures);
        ib_members_int(&item, "builds", (int64_t)p->builds);
        if (p->consecutive_failures >= 0) {
            ib_members_int(&item, "consecutiveFailures", p->consecutive_failures);
        }
        ib_members_c(&item, "target", s->plan[p->target].name);
        ib_members_push(m, "pipelines", &item);
    }
    ib_members_array(m, "errors");
    for (size_t i = 0; i < s->trouble_count; i++) {
        struct ib_members item = ib_members_new();
        ib_members_c(&item, "what", s->troubles[i].what);
        add_error_members(&s->troubles[i].err, &item);
        ib_members_c(&item, "target", s->plan[s->troubles[i].target].name);
        ib_members_push(m, "errors", &item);
    }
    ib_members_array(m, "nothing");
    for (size_t i = 0; i < s->plan_count; i++) {
        if (s->targets[i].none) {
            IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(2048);
            struct ib_members item = ib_members_new();
            add_nothing(s, i, &text);
            ib_members_c(&item, "target", s->plan[i].name);
            ib_members_c(&item, "state", ib_state_name(s->targets[i].none_state));
            ib_members_c(&item, "text", ib_buf_c(&text));
            ib_members_push(m, "nothing", &item);
        }
    }
}

enum ib_rc ib_report_json(const struct ib_report *report, const char *program,
                          enum ib_state state, struct ib_output *out, struct ib_error *err)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    const struct ib_survey *s = report->survey;
    struct ib_members aws = ib_members_new();
    char text[IB_OUTPUT_FIRST_MAX];
    struct ib_str raw = ib_buf_str(&out->text);

    (void)ib_text_plugin(raw.p, raw.n, text, sizeof text);
    ib_members_c(&m, "program", program);
    ib_members_c(&m, "state", ib_state_name(state));
    ib_members_int(&m, "exitCode", (int64_t)state);
    ib_members_c(&m, "text", text);
    ib_members_time(&m, "time", s->now_ms);
    ib_members_int(&m, "inFlight", (int64_t)in_flight(s));
    ib_members_int(&m, "seen", (int64_t)s->seen);
    ib_members_int(&m, "vanished", (int64_t)s->vanished);
    if (s->has_duration) {
        ib_members_int(&m, "durationSeconds", s->duration_ms / 1000);
    }
    add_lists(report, &m);
    ib_members_int(&aws, "requests", report->stats.attempts);
    ib_members_int(&aws, "retries", report->stats.retries);
    ib_members_int(&aws, "throttled", report->stats.throttled);
    ib_members_int(&aws, "milliseconds", report->elapsed_ms);
    ib_members_object(&m, "aws", &aws);
    ib_members_c(&m, "perfdata", ib_buf_c(&out->perf));
    enum ib_rc rc = ib_members_take(&m, &v, err);
    if (rc == IB_OK) {
        ib_json_print(v, IB_JSON_COMPACT, &out->json);
    }
    return rc;
}
