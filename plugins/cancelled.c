/* SPDX-License-Identifier: MIT */
/* Results of cancels as lines and as JSON. */
#include "plugins/cancelled.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/data/members.h"

#define UNRECORDABLE "nothing would be cancelled, for it could not be recorded (--no-journal lifts this): "

void ib_cancelled_foretell(const struct ib_cancelled *done, struct ib_cancelled_item *item)
{
    char raw[2 * IB_ERROR_TEXT_MAX];

    if (done->unrecordable.rc == IB_OK || item->report.outcome != IB_OUTCOME_DRY_RUN) {
        return;
    }
    (void)snprintf(raw, sizeof raw, UNRECORDABLE "%s", done->unrecordable.text);
    (void)ib_text_plugin(raw, strlen(raw), item->report.text, sizeof item->report.text);
    item->report.outcome = IB_OUTCOME_UNTRIED;
    item->report.error = done->unrecordable;
}

void ib_cancelled_fini(struct ib_cancelled *done)
{
    for (size_t i = 0; i < done->count; i++) {
        ib_cancel_report_fini(&done->items[i].report);
        free(done->items[i].record);
    }
    free(done->items);
    *done = (struct ib_cancelled){ 0 };
}

enum ib_rc ib_cancelled_add(struct ib_cancelled *done, const struct ib_target *target,
                            struct ib_cancel_report **ret, struct ib_error *err)
{
    struct ib_cancelled_item *items = reallocarray(done->items, done->count + 1, sizeof *items);

    if (items == NULL) {
        return ib_fail_nomem(err);
    }
    done->items = items;
    items[done->count] = (struct ib_cancelled_item){
        .target = target, .report = { .outcome = IB_OUTCOME_UNTRIED, .text = "not tried" } };
    *ret = &items[done->count++].report;
    return IB_OK;
}

void ib_cancelled_drop(struct ib_cancelled *done, size_t at)
{
    ib_cancel_report_fini(&done->items[at].report);
    free(done->items[at].record);
    memmove(&done->items[at], &done->items[at + 1], (done->count - at - 1) * sizeof *done->items);
    done->count--;
}

size_t ib_cancelled_sent(const struct ib_cancelled *done)
{
    size_t n = 0;

    for (size_t i = 0; i < done->count; i++) {
        n += done->items[i].report.sent ? 1 : 0;
    }
    return n;
}

size_t ib_cancelled_new(const struct ib_cancelled *done)
{
    size_t n = 0;

    for (size_t i = 0; i < done->count; i++) {
        const struct ib_cancelled_item *item = &done->items[i];
        /*
         * What --resume took up has no record of its own here; who took over has tried before. What AWS refused
         * is cancelled neither now nor later; what it throttled, or called in use, is asked for again, and counts.
         */
        bool refused = item->report.outcome == IB_OUTCOME_REFUSED && !item->report.may_pass;
        bool asked = item->report.sent || item->report.outcome == IB_OUTCOME_DRY_RUN;
        n += asked && !refused && item->record != NULL && item->record->row.attempts <= 1
                 ? 1
                 : 0;
    }
    return n;
}

void ib_cancelled_note_follow(struct ib_cancelled_item *item)
{
    char raw[2 * IB_ERROR_TEXT_MAX + 4];

    if (item->follow.outcome != IB_FOLLOW_NONE) {
        (void)snprintf(raw, sizeof raw, "%s; %s", item->report.text, item->follow.text);
        (void)ib_text_plugin(raw, strlen(raw), item->report.text, sizeof item->report.text);
    }
}

/* A refusal in a sweep, where nobody asked for this build. */
static enum ib_state swept_state(enum ib_policy_rule rule)
{
    switch (rule) {
    case IB_RULE_MINIMUM_AGE:
    case IB_RULE_STATE:
    case IB_RULE_OPT_OUT:
    case IB_RULE_ENABLED:
    case IB_RULE_ALLOW_LIST:
        return IB_STATE_OK;
    case IB_RULE_MAX_CANCEL:
        return IB_STATE_WARNING;
    case IB_RULE_NONE:
    case IB_RULE_IN_FLIGHT:
    case IB_RULE_AGE_KNOWN:
    case IB_RULE_STUCK:
    case IB_RULE_ONCE:
    case IB_RULE_TARGET_BUDGET:
    case IB_RULE_TOTAL_BUDGET:
    case IB_RULE_COUNT:
        break;
    }
    return IB_STATE_CRITICAL;
}

enum ib_state ib_cancelled_item_state(const struct ib_cancelled *done,
                                      const struct ib_cancelled_item *item)
{
    const struct ib_cancel_report *r = &item->report;
    enum ib_state state = ib_outcome_state(r->outcome);

    if (item->outdone) {
        return IB_STATE_OK;
    }
    if (done->sweep && r->outcome == IB_OUTCOME_REFUSED && r->decided &&
        r->decision.verdict == IB_POLICY_REFUSE) {
        state = swept_state(r->decision.rule);
    }
    return ib_state_worst(state, ib_follow_state(item->follow.outcome));
}

/* Exit codes of this program order otherwise than plugin states: what could not be tried hides nothing. */
enum ib_state ib_cancelled_state(const struct ib_cancelled *done)
{
    enum ib_state worst =
        done->survey != NULL && done->survey->trouble_count > 0 ? IB_STATE_UNKNOWN : IB_STATE_OK;

    for (size_t i = 0; i < done->count; i++) {
        worst = ib_state_worst(worst, ib_cancelled_item_state(done, &done->items[i]));
    }
    if (done->unrecordable.rc != IB_OK && done->no_action == NULL) {
        worst = ib_state_worst(worst, IB_STATE_UNKNOWN);
    }
    if (done->journal_trouble.rc != IB_OK && ib_cancelled_sent(done) > 0) {
        worst = ib_state_worst(worst, IB_STATE_WARNING);
    }
    return done->left_out > 0 ? ib_state_worst(worst, IB_STATE_CRITICAL) : worst;
}

static const char *title(const struct ib_cancel_report *r, char *buf, size_t cap)
{
    if (r->build.image.value == NULL) {
        /* Never read: the ARN is all there is; its end tells most. */
        const char *slash = strchr(r->arn, '/');
        const char *name = slash == NULL ? r->arn : slash + 1;
        (void)ib_text_plugin(name, strlen(name), buf, cap);
        return buf;
    }
    return ib_image_title(&r->build.image, buf, cap);
}

/* The result that the first line is about: the worst, and of equals the first that did something. */
static const struct ib_cancel_report *leading(const struct ib_cancelled *done)
{
    const struct ib_cancelled_item *lead = NULL;

    for (size_t i = 0; i < done->count; i++) {
        const struct ib_cancelled_item *item = &done->items[i];
        if (item->outdone) {
            continue;
        }
        int c = lead == NULL ? 1
                             : ib_state_cmp(ib_cancelled_item_state(done, item),
                                            ib_cancelled_item_state(done, lead));
        if (c > 0 || (c == 0 && item->report.sent && !lead->report.sent)) {
            lead = item;
        }
    }
    return lead == NULL ? NULL : &lead->report;
}

bool ib_cancelled_unread(const struct ib_cancelled *done, struct ib_output *out)
{
    if (done->survey == NULL || done->survey->trouble_count == 0) {
        return false;
    }
    ib_output_text(out, "not tried: %s", done->survey->troubles[0].err.text);
    return true;
}

static void first_line(const struct ib_cancelled *done, struct ib_output *out)
{
    const struct ib_cancel_report *lead = leading(done);
    char name[IB_IMAGE_TITLE_MAX];

    if (done->no_action != NULL) {
        ib_output_text(out, "%s", done->no_action);
    } else if (lead == NULL && ib_cancelled_unread(done, out)) {
        return;
    } else if (lead == NULL) {
        ib_output_text(out, "nothing to cancel: no build is stuck");
        if (done->unrecordable.rc != IB_OK) {
            ib_output_more(out, "; but " UNRECORDABLE "%s", done->unrecordable.text);
        }
    } else {
        ib_output_text(out, "%s %s", title(lead, name, sizeof name), lead->text);
        if (done->survey != NULL && done->survey->trouble_count > 0 &&
            ib_outcome_state(lead->outcome) == IB_STATE_OK) {
            ib_output_more(out, "; not tried: %s", done->survey->troubles[0].err.text);
        }
        if (done->count > 1) {
            ib_output_more(out, " (%zu builds looked at, %zu cancels sent)", done->count,
                           ib_cancelled_sent(done));
        }
    }
    if (done->left_out > 0) {
        ib_output_more(out, "; %zu more stuck builds were not looked at", done->left_out);
    }
}

static void add_left_behind(const struct ib_cancelled_item *item, struct ib_output *out)
{
    const struct ib_cancel_report *r = &item->report;
    const struct ib_leftover *left = &item->left;
    struct ib_image_ami ami;

    for (size_t i = 0; i < left->instance_count; i++) {
        const struct ib_leftover_thing *t = &left->instances[i];
        ib_output_line(out, "may be left behind: instance %s, launched by step %s and terminated by none",
                       t->id, t->step);
    }
    for (size_t i = 0; i < left->image_count; i++) {
        ib_output_line(out, "may be left behind: AMI %s with its snapshots, made by step %s",
                       left->images[i].id, left->images[i].step);
    }

    if (!item->looked_behind && r->outcome != IB_OUTCOME_CANCELLED &&
        r->outcome != IB_OUTCOME_REQUESTED) {
        return;
    }
    for (size_t i = 0; ib_image_ami_at(&r->build.image, i, &ami) && i < 50; i++) {
        ib_output_line(out, "left behind: AMI %.*s in %.*s %.*s, with its snapshots", IB_STR_ARG(ami.id),
                       IB_STR_ARG(ami.region), IB_STR_ARG(ami.name));
    }
}

static void explain(const struct ib_cancelled *done, const struct ib_cancel_report *r, struct ib_output *out)
{
    for (int i = IB_RULE_NONE + 1; r->decided && i < IB_RULE_COUNT; i++) {
        ib_output_line(out, "%s %s: %s", r->decision.holds[i] ? "holds " : "BROKEN",
                       ib_policy_rule_name((enum ib_policy_rule)i), r->decision.words[i]);
    }
    if (r->decided && done->unrecordable.rc != IB_OK) {
        ib_output_line(out, "BROKEN journal: %s", done->unrecordable.text);
    }
}

static void result_lines(const struct ib_cancelled *done, const struct ib_cancelled_item *item,
                         struct ib_output *out)
{
    const struct ib_cancel_report *r = &item->report;
    char name[IB_IMAGE_TITLE_MAX];

    ib_output_line(out, "[%s] %s %s, %s%s%s%s%s", ib_outcome_name(r->outcome),
                   title(r, name, sizeof name), r->text, r->arn,
                   r->token[0] != '\0' ? ", token " : "", r->token,
                   r->request_id[0] != '\0' ? ", request " : "", r->request_id);
    if (item->follow.token[0] != '\0') {
        ib_output_line(out, "after_cancel %s: %s, token %s%s%s%s%s",
                       ib_follow_kind_name(item->follow.kind), item->follow.text,
                       item->follow.token, item->follow.request_id[0] != '\0' ? ", request " : "",
                       item->follow.request_id, item->follow.started[0] != '\0' ? ", " : "",
                       item->follow.started);
    }
    add_left_behind(item, out);
    if (done->explain) {
        explain(done, r, out);
    }
    if (done->explain && item->follow.outcome != IB_FOLLOW_NONE) {
        ib_output_line(out, "after_cancel %s: %s", ib_follow_kind_name(item->follow.kind),
                       item->follow.text);
    }
}

/* The first line has said it all when the only target was to blame. */
static void trouble_lines(const struct ib_cancelled *done, struct ib_output *out)
{
    const struct ib_survey *s = done->survey;

    if (s == NULL ||
        (done->count == 0 && s->plan_count == 1 && s->trouble_count == 1 && !done->sweep)) {
        return;
    }
    for (size_t i = 0; i < s->trouble_count; i++) {
        ib_output_line(out, "[untried] %s: %s", s->troubles[i].what, s->troubles[i].err.text);
    }
}

void ib_cancelled_text(const struct ib_cancelled *done, struct ib_output *out)
{
    size_t counts[IB_OUTCOME_COUNT] = { 0 };

    first_line(done, out);
    for (size_t i = 0; i < done->count; i++) {
        result_lines(done, &done->items[i], out);
        counts[done->items[i].report.outcome]++;
    }
    if (done->journal_trouble.rc != IB_OK) {
        ib_output_line(out, "[record] what came of it could not be written down: %s",
                       done->journal_trouble.text);
    }
    trouble_lines(done, out);
    for (int i = 0; done->no_action == NULL && i < IB_OUTCOME_COUNT; i++) {
        struct ib_perf perf = { .label = ib_outcome_name((enum ib_outcome)i),
                                .value = (double)counts[i], .has_min = true };
        ib_output_perf(out, &perf);
    }
    if (done->no_action == NULL) {
        struct ib_perf time = {
            .label = "time",
            .value = (double)(ib_time_mono_ms() - done->begin_mono_ms) / 1000.0,
            .uom = IB_UOM_SECONDS, .has_min = true,
        };
        ib_output_perf(out, &time);
    }
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void add_decision(const struct ib_cancel_report *r, struct ib_members *m)
{
    struct ib_members decision = ib_members_new();

    if (!r->decided) {
        ib_members_fini(&decision);
        return;
    }
    ib_members_bool(&decision, "cancel", r->decision.verdict == IB_POLICY_CANCEL);
    ib_members_c(&decision, "rule", ib_policy_rule_name(r->decision.rule));
    for (int i = IB_RULE_NONE + 1; i < IB_RULE_COUNT; i++) {
        struct ib_members rule = ib_members_new();
        ib_members_c(&rule, "rule", ib_policy_rule_name((enum ib_policy_rule)i));
        ib_members_bool(&rule, "holds", r->decision.holds[i]);
        ib_members_c(&rule, "text", r->decision.words[i]);
        ib_members_push(&decision, "rules", &rule);
    }
    ib_members_object(m, "decision", &decision);
}

static void add_amis(const struct ib_image *image, struct ib_members *m)
{
    struct ib_image_ami ami;

    ib_members_array(m, "amis");
    for (size_t i = 0; image->value != NULL && ib_image_ami_at(image, i, &ami); i++) {
        struct ib_members item = ib_members_new();
        ib_members_str(&item, "id", ami.id);
        ib_members_str(&item, "region", ami.region);
        ib_members_push(m, "amis", &item);
    }
}

static void add_follow(const struct ib_follow_report *f, struct ib_members *m)
{
    struct ib_members follow = ib_members_new();

    if (f->outcome == IB_FOLLOW_NONE) {
        ib_members_fini(&follow);
        return;
    }
    ib_members_c(&follow, "kind", ib_follow_kind_name(f->kind));
    ib_members_c(&follow, "outcome", ib_follow_outcome_name(f->outcome));
    ib_members_c(&follow, "text", f->text);
    ib_members_bool(&follow, "sent", f->sent);
    ib_members_str_if(&follow, "arn", ib_str_from(f->started));
    ib_members_str_if(&follow, "clientToken", ib_str_from(f->token));
    ib_members_str_if(&follow, "requestId", ib_str_from(f->request_id));
    ib_members_str_if(&follow, "code", ib_str_from(f->error.aws_code));
    ib_members_object(m, "afterCancel", &follow);
}

static void add_things(const char *key, const struct ib_leftover_thing *list, size_t count,
                       struct ib_members *m)
{
    for (size_t i = 0; i < count; i++) {
        struct ib_members item = ib_members_new();
        ib_members_c(&item, "id", list[i].id);
        ib_members_c(&item, "step", list[i].step);
        ib_members_push(m, key, &item);
    }
}

void ib_cancelled_left_members(const struct ib_cancelled_item *item, struct ib_members *m)
{
    add_amis(&item->report.build.image, m);
    add_things("maybeInstances", item->left.instances, item->left.instance_count, m);
    add_things("maybeAmis", item->left.images, item->left.image_count, m);
}

static void add_result(const struct ib_cancelled *done, const struct ib_cancelled_item *item,
                       struct ib_members *all)
{
    const struct ib_cancel_report *r = &item->report;
    struct ib_members m = ib_members_new();

    ib_members_c(&m, "arn", r->arn);
    ib_members_c(&m, "target", item->target->name);
    ib_members_c(&m, "outcome", ib_outcome_name(r->outcome));
    ib_members_int(&m, "exitCode", (int64_t)ib_cancelled_item_state(done, item));
    ib_members_c(&m, "text", r->text);
    ib_members_bool(&m, "sent", r->sent);
    if (r->sent) {
        ib_members_c(&m, "clientToken", r->token);
        ib_members_time(&m, "sentTime", r->sent_ms);
    }
    if (r->ended_ms != 0) {
        ib_members_time(&m, "endedTime", r->ended_ms);
    }
    ib_members_str_if(&m, "requestId", ib_str_from(r->request_id));
    ib_members_str_if(&m, "statusBefore", ib_str_from(r->status_before));
    ib_members_str_if(&m, "statusAfter", ib_str_from(r->status_after));
    ib_members_int(&m, "reads", r->reads);
    if (r->build.image.value != NULL && r->build.facts.age_known) {
        ib_members_int(&m, "ageSeconds", r->build.facts.age_ms / 1000);
    }
    add_decision(r, &m);
    add_follow(&item->follow, &m);
    ib_cancelled_left_members(item, &m);
    if (r->error.rc != IB_OK) {
        struct ib_members error = ib_members_new();
        ib_members_c(&error, "kind", ib_rc_name(r->error.rc));
        ib_members_c(&error, "text", r->error.text);
        ib_members_str_if(&error, "code", ib_str_from(r->error.aws_code));
        ib_members_str_if(&error, "requestId", ib_str_from(r->error.request_id));
        ib_members_object(&m, "error", &error);
    }
    ib_members_push(all, "results", &m);
}

enum ib_rc ib_cancelled_json(const struct ib_cancelled *done, const char *program,
                             enum ib_state state, struct ib_output *out, struct ib_error *err)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    const struct ib_survey *s = done->survey;
    char text[IB_OUTPUT_FIRST_MAX];
    struct ib_str raw = ib_buf_str(&out->text);

    (void)ib_text_plugin(raw.p, raw.n, text, sizeof text);
    ib_members_c(&m, "program", program);
    ib_members_c(&m, "state", ib_state_name(state));
    ib_members_int(&m, "exitCode", (int64_t)state);
    ib_members_c(&m, "text", text);
    ib_members_bool(&m, "action", done->no_action == NULL);
    ib_members_array(&m, "results");
    for (size_t i = 0; i < done->count; i++) {
        add_result(done, &done->items[i], &m);
    }
    ib_members_array(&m, "errors");
    for (size_t i = 0; s != NULL && i < s->trouble_count; i++) {
        struct ib_members item = ib_members_new();
        ib_members_c(&item, "what", s->troubles[i].what);
        ib_members_c(&item, "kind", ib_rc_name(s->troubles[i].err.rc));
        ib_members_c(&item, "text", s->troubles[i].err.text);
        ib_members_push(&m, "errors", &item);
    }
    if (done->sums.are_set) {
        struct ib_members sums = ib_members_new();
        ib_members_int(&sums, "taken", (int64_t)done->sums.taken);
        ib_members_int(&sums, "open", (int64_t)done->sums.open);
        ib_members_int(&sums, "failed", (int64_t)done->sums.failed);
        ib_members_int(&sums, "oldestSeconds", done->sums.oldest_ms / IB_SECOND_MS);
        ib_members_int(&sums, "startsOpen", (int64_t)done->sums.starts_open);
        ib_members_int(&sums, "startsFailed", (int64_t)done->sums.starts_failed);
        ib_members_object(&m, "journal", &sums);
    }
    const struct ib_error *journal =
        done->journal_trouble.rc != IB_OK ? &done->journal_trouble : &done->unrecordable;
    if (journal->rc != IB_OK) {
        ib_members_c(&m, "journalError", journal->text);
    }
    ib_members_str_if(&m, "feedback", ib_str_from(done->told));
    ib_members_int(&m, "requests", done->stats.attempts);
    enum ib_rc rc = ib_members_take(&m, &v, err);
    if (rc == IB_OK) {
        ib_json_print(v, IB_JSON_COMPACT, &out->json);
    }
    return rc;
}
