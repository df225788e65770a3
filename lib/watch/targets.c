/* SPDX-License-Identifier: MIT */
/* The keys of ib-plugins.conf and what they mean. */
#include "lib/watch/targets.h"

#include "lib/aws/arn.h"
#include "lib/base/time.h"
#include "lib/imagebuilder/status.h"
#include "lib/watch/allow.h"

#define STATES "ok", "warning", "critical", "unknown"

static const char *const state_names[] = {STATES, NULL};
static const char *const after_names[] = {"nothing", "retry", "start-pipeline", NULL};
static const char *const select_names[] = {"none", "arn", "pipeline", "image", "all"};

const char *ib_select_name(enum ib_select select)
{
    return select_names[select];
}

/*
 * A group as it is written, before defaults and built-in values are put under it. A line of 0 says
 * that the key was not given.
 */
struct written {
    const char *text[9];
    uint32_t text_line[9];
    struct ib_conf_texts arn, pipeline, image, cancel_states;
    uint32_t arn_line, pipeline_line, image_line, cancel_states_line;
    bool all, enabled;
    uint32_t all_line, enabled_line;
    const struct ib_value *phases, *map;
    uint32_t phases_line, map_line;
    int none, waiting, after_cancel;
    uint32_t none_line, waiting_line, after_cancel_line;
    bool stuck_only, age_from_creation;
    uint32_t stuck_only_line, age_from_creation_line;
    int64_t lookback_ms, max_per_hour, max_cancel, confirm_ms, minimum_age_ms;
    uint32_t lookback_line, max_per_hour_line, max_cancel_line, confirm_line, minimum_age_line;
};

enum text_key {
    TEXT_REGION,
    TEXT_PROFILE,
    TEXT_ROLE_ARN,
    TEXT_EXTERNAL_ID,
    TEXT_ENDPOINT_URL,
    TEXT_CA_BUNDLE,
    TEXT_PROXY,
    TEXT_WARNING,
    TEXT_CRITICAL,
};

#define AT(member)   .offset = offsetof(struct written, member)
#define LINE(member) .line_offset = offsetof(struct written, member##_line)
#define TEXT(key_name, index)                                                                      \
    {                                                                                              \
        .name = (key_name), .kind = IB_CONF_TEXT, .offset = offsetof(struct written, text[index]), \
        .line_offset = offsetof(struct written, text_line[index])                                  \
    }

static const struct ib_conf_key cancel_keys[] = {
    {.name = "enabled", .kind = IB_CONF_BOOL, AT(enabled), LINE(enabled)},
    {.name = "max_per_hour",
     .kind = IB_CONF_INT,
     AT(max_per_hour),
     LINE(max_per_hour),
     .max = 1000},
    {.name = "max_cancel", .kind = IB_CONF_INT, AT(max_cancel), LINE(max_cancel), .max = 1000},
    {.name = "confirm", .kind = IB_CONF_DURATION, AT(confirm_ms), LINE(confirm), .max = IB_HOUR_MS},
    {.name = "minimum_age",
     .kind = IB_CONF_DURATION,
     AT(minimum_age_ms),
     LINE(minimum_age),
     .max = 30 * IB_DAY_MS},
    {.name = "age_from_creation",
     .kind = IB_CONF_BOOL,
     AT(age_from_creation),
     LINE(age_from_creation)},
    {.name = "states", .kind = IB_CONF_TEXTS, AT(cancel_states), LINE(cancel_states)},
    {.name = "after_cancel",
     .kind = IB_CONF_CHOICE,
     AT(after_cancel),
     LINE(after_cancel),
     .choices = after_names},
};

/* What defaults and targets share. */
#define SHARED_KEYS                                                                              \
    TEXT("region", TEXT_REGION), TEXT("profile", TEXT_PROFILE), TEXT("role_arn", TEXT_ROLE_ARN), \
        TEXT("external_id", TEXT_EXTERNAL_ID), TEXT("endpoint_url", TEXT_ENDPOINT_URL),          \
        TEXT("ca_bundle", TEXT_CA_BUNDLE), TEXT("proxy", TEXT_PROXY),                            \
        TEXT("warning", TEXT_WARNING), TEXT("critical", TEXT_CRITICAL),                          \
        {.name = "phases", .kind = IB_CONF_VALUE, AT(phases), LINE(phases)},                     \
        {.name = "map", .kind = IB_CONF_VALUE, AT(map), LINE(map)},                              \
        {.name = "none", .kind = IB_CONF_CHOICE, AT(none), LINE(none), .choices = state_names},  \
        {.name = "waiting",                                                                      \
         .kind = IB_CONF_CHOICE,                                                                 \
         AT(waiting),                                                                            \
         LINE(waiting),                                                                          \
         .choices = state_names},                                                                \
        {.name = "stuck_only", .kind = IB_CONF_BOOL, AT(stuck_only), LINE(stuck_only)},          \
        {.name = "lookback",                                                                     \
         .kind = IB_CONF_DURATION,                                                               \
         AT(lookback_ms),                                                                        \
         LINE(lookback),                                                                         \
         .max = 365 * IB_DAY_MS},                                                                \
    {                                                                                            \
        .name = "cancel", .kind = IB_CONF_GROUP, .keys = cancel_keys,                            \
        .key_count = IB_ARRAY_LEN(cancel_keys)                                                   \
    }

static const struct ib_conf_key default_keys[] = {SHARED_KEYS};

static const struct ib_conf_key target_keys[] = {
    {.name = "arn", .kind = IB_CONF_TEXTS, AT(arn), LINE(arn)},
    {.name = "pipeline", .kind = IB_CONF_TEXTS, AT(pipeline), LINE(pipeline)},
    {.name = "image", .kind = IB_CONF_TEXTS, AT(image), LINE(image)},
    {.name = "all", .kind = IB_CONF_BOOL, AT(all), LINE(all)},
    SHARED_KEYS,
};

struct written_file {
    const char *state_dir;
    const struct ib_value *defaults, *targets;
    struct ib_conf_texts allow;
    uint32_t allow_line;
    int64_t max_per_hour, retry_for_ms, keep_ms;
    struct ib_feedback feedback;
};

#define FILE_AT(member) .offset = offsetof(struct written_file, member)

static const struct ib_conf_key file_cancel_keys[] = {
    {.name = "allow",
     .kind = IB_CONF_TEXTS,
     FILE_AT(allow),
     .line_offset = offsetof(struct written_file, allow_line)},
    {.name = "max_per_hour", .kind = IB_CONF_INT, FILE_AT(max_per_hour), .max = 1000},
    {.name = "retry_for", .kind = IB_CONF_DURATION, FILE_AT(retry_for_ms), .max = IB_DAY_MS},
    {.name = "keep",
     .kind = IB_CONF_DURATION,
     FILE_AT(keep_ms),
     .min = IB_DAY_MS,
     .max = IB_DURATION_MAX_MS},
};
static const struct ib_conf_key icinga_keys[] = {
    {.name = "url", .kind = IB_CONF_TEXT, FILE_AT(feedback.icinga_url)},
    {.name = "user", .kind = IB_CONF_TEXT, FILE_AT(feedback.icinga_user)},
    {.name = "password_file", .kind = IB_CONF_TEXT, FILE_AT(feedback.icinga_password_file)},
    {.name = "ca", .kind = IB_CONF_TEXT, FILE_AT(feedback.icinga_ca)},
};
static const struct ib_conf_key nagios_keys[] = {
    {.name = "command_file", .kind = IB_CONF_TEXT, FILE_AT(feedback.nagios_command_file)},
};
static const struct ib_conf_key feedback_keys[] = {
    {.name = "icinga",
     .kind = IB_CONF_GROUP,
     .keys = icinga_keys,
     .key_count = IB_ARRAY_LEN(icinga_keys)},
    {.name = "nagios",
     .kind = IB_CONF_GROUP,
     .keys = nagios_keys,
     .key_count = IB_ARRAY_LEN(nagios_keys)},
};
static const struct ib_conf_key file_keys[] = {
    {.name = "state_dir", .kind = IB_CONF_TEXT, FILE_AT(state_dir)},
    {.name = "defaults", .kind = IB_CONF_VALUE, FILE_AT(defaults)},
    {.name = "targets", .kind = IB_CONF_VALUE, FILE_AT(targets)},
    {.name = "cancel",
     .kind = IB_CONF_GROUP,
     .keys = file_cancel_keys,
     .key_count = IB_ARRAY_LEN(file_cancel_keys)},
    {.name = "feedback",
     .kind = IB_CONF_GROUP,
     .keys = feedback_keys,
     .key_count = IB_ARRAY_LEN(feedback_keys)},
};

#define TABLE(rows) ((struct ib_conf_table){(rows), IB_ARRAY_LEN(rows)})

/* A reader of one file: where it is, for sentences. */
struct reader {
    const char *file;
    struct ib_error *err;
};

/* --- thresholds ------------------------------------------------------------------------------- */

static enum ib_rc read_range(const struct reader *r, const struct ib_value *at, const char *path,
                             struct ib_str text, struct ib_range *ret)
{
    struct ib_error why = IB_ERROR_INIT;

    if (ib_range_parse(text, IB_RANGE_SECONDS, path, ret, &why) != IB_OK) {
        return ib_conf_fail(r->err, r->file, at, "", "%s", why.text);
    }
    return IB_OK;
}

/* { TESTING = [ "20m", "40m" ]; BUILDING = ("", "2h"); } */
static enum ib_rc read_phases(const struct reader *r, const char *path,
                              const struct ib_value *phases, struct ib_judge_rules *rules)
{
    if (!ib_value_is(phases, IB_VALUE_OBJECT)) {
        return ib_conf_fail(r->err, r->file, phases, path,
                            "is %s, not a group { STATE = [ \"20m\", \"40m\" ]; }",
                            ib_value_type_name(phases));
    }
    for (size_t i = 0; i < ib_value_count(phases); i++) {
        struct ib_str status = ib_value_key_at(phases, i);
        const struct ib_value *pair = ib_value_at(phases, i);
        const struct ib_value *warn = ib_value_at(pair, 0), *crit = ib_value_at(pair, 1);
        struct ib_error why = IB_ERROR_INIT;
        char text[256];

        if (!ib_value_is(pair, IB_VALUE_ARRAY) || ib_value_count(pair) != 2 ||
            !ib_value_is(warn, IB_VALUE_STRING) || !ib_value_is(crit, IB_VALUE_STRING)) {
            return ib_conf_fail(r->err, r->file, pair, path,
                                "%.*s: is not [ \"WARNING\", \"CRITICAL\" ]",
                                IB_STR_ARG(ib_str_head(status, 32)));
        }
        (void)snprintf(text, sizeof text, "%.*s=%.*s,%.*s", IB_STR_ARG(ib_str_head(status, 32)),
                       IB_STR_ARG(ib_str_head(ib_value_as_str(warn), 100)),
                       IB_STR_ARG(ib_str_head(ib_value_as_str(crit), 100)));
        if (ib_judge_phase_parse(text, rules, &why) != IB_OK) {
            return ib_conf_fail(r->err, r->file, pair, path, "%s", why.text);
        }
    }
    return IB_OK;
}

/* { FAILED = "warning"; other = "critical"; } */
static enum ib_rc read_map(const struct reader *r, const char *path, const struct ib_value *map,
                           struct ib_judge_rules *rules)
{
    if (!ib_value_is(map, IB_VALUE_OBJECT)) {
        return ib_conf_fail(r->err, r->file, map, path,
                            "is %s, not a group { FAILED = \"warning\"; }",
                            ib_value_type_name(map));
    }
    for (size_t i = 0; i < ib_value_count(map); i++) {
        const struct ib_value *state = ib_value_at(map, i);
        struct ib_error why = IB_ERROR_INIT;
        char text[128];

        if (!ib_value_is(state, IB_VALUE_STRING)) {
            return ib_conf_fail(r->err, r->file, state, path, "%.*s: is %s, not a string",
                                IB_STR_ARG(ib_str_head(ib_value_key_at(map, i), 32)),
                                ib_value_type_name(state));
        }
        (void)snprintf(text, sizeof text, "%.*s=%.*s",
                       IB_STR_ARG(ib_str_head(ib_value_key_at(map, i), 32)),
                       IB_STR_ARG(ib_str_head(ib_value_as_str(state), 32)));
        if (ib_judge_map_parse(text, rules, &why) != IB_OK) {
            return ib_conf_fail(r->err, r->file, state, path, "%s", why.text);
        }
    }
    return IB_OK;
}

static enum ib_rc read_states(const struct reader *r, const char *path,
                              const struct ib_conf_texts *names, uint32_t *ret)
{
    uint32_t states = 0;

    for (size_t i = 0; i < ib_conf_texts_count(names); i++) {
        struct ib_str name = ib_conf_texts_at(names, i);
        enum ib_image_status status = ib_image_status_from(name);
        if (!ib_image_status_in_flight(status)) {
            return ib_conf_fail(
                r->err, r->file, names->array, path,
                "\"%.*s\" is no state of a build in flight (PENDING, CREATING, BUILDING, "
                "TESTING, DISTRIBUTING, INTEGRATING)",
                IB_STR_ARG(ib_str_head(name, 32)));
        }
        states |= UINT32_C(1) << status;
    }
    *ret = states;
    return IB_OK;
}

/* --- one group over what lies under it ---------------------------------------------------------
 */

static void use_text(const struct written *w, enum text_key key, const char **dest)
{
    if (w->text_line[key] != 0) {
        *dest = w->text[key];
    }
}

static enum ib_rc use_thresholds(const struct reader *r, const char *path,
                                 const struct ib_value *group, const struct written *w,
                                 struct ib_target *t)
{
    static const struct {
        enum text_key key;
        const char *name;
        size_t offset;
    } rows[] = {
        {TEXT_WARNING, "warning", offsetof(struct ib_target, rules.age.warn)},
        {TEXT_CRITICAL, "critical", offsetof(struct ib_target, rules.age.crit)},
    };
    char where[256];
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < IB_ARRAY_LEN(rows); i++) {
        if (w->text_line[rows[i].key] != 0) {
            (void)snprintf(where, sizeof where, "%s.%s", path, rows[i].name);
            rc = read_range(r, ib_value_get_c(group, rows[i].name), where,
                            ib_str_from(w->text[rows[i].key]),
                            (struct ib_range *)(void *)((char *)t + rows[i].offset));
        }
    }
    if (rc == IB_OK && w->phases_line != 0) {
        (void)snprintf(where, sizeof where, "%s.phases", path);
        rc = read_phases(r, where, w->phases, &t->rules);
    }
    if (rc == IB_OK && w->map_line != 0) {
        (void)snprintf(where, sizeof where, "%s.map", path);
        rc = read_map(r, where, w->map, &t->rules);
    }
    if (rc == IB_OK && w->cancel_states_line != 0) {
        (void)snprintf(where, sizeof where, "%s.cancel.states", path);
        rc = read_states(r, where, &w->cancel_states, &t->cancel_states);
    }
    return rc;
}

static const enum ib_state states_by_choice[] = {IB_STATE_OK, IB_STATE_WARNING, IB_STATE_CRITICAL,
                                                 IB_STATE_UNKNOWN};

static void use_scalars(const struct written *w, struct ib_target *t)
{
    use_text(w, TEXT_REGION, &t->region);
    use_text(w, TEXT_PROFILE, &t->profile);
    use_text(w, TEXT_ROLE_ARN, &t->role_arn);
    use_text(w, TEXT_EXTERNAL_ID, &t->external_id);
    use_text(w, TEXT_ENDPOINT_URL, &t->endpoint_url);
    use_text(w, TEXT_CA_BUNDLE, &t->ca_bundle);
    use_text(w, TEXT_PROXY, &t->proxy);
    if (w->none_line != 0) {
        t->none_set = true;
        t->none = states_by_choice[w->none];
    }
    if (w->waiting_line != 0) {
        t->rules.waiting = states_by_choice[w->waiting];
    }
    if (w->stuck_only_line != 0) {
        t->rules.stuck_only = w->stuck_only;
    }
    if (w->lookback_line != 0) {
        t->lookback_ms = w->lookback_ms;
    }
    if (w->enabled_line != 0) {
        t->cancel_enabled = w->enabled;
    }
    if (w->max_per_hour_line != 0) {
        t->max_per_hour = w->max_per_hour;
    }
    if (w->max_cancel_line != 0) {
        t->max_cancel = w->max_cancel;
    }
    if (w->confirm_line != 0) {
        t->confirm_ms = w->confirm_ms;
    }
    if (w->minimum_age_line != 0) {
        t->minimum_age_ms = w->minimum_age_ms;
    }
    if (w->age_from_creation_line != 0) {
        t->age_from_creation = w->age_from_creation;
    }
    if (w->after_cancel_line != 0) {
        t->after_cancel = (enum ib_after_cancel)w->after_cancel;
    }
}

static void builtin_target(struct ib_target *t)
{
    *t = (struct ib_target){
        .name = "", .lookback_ms = -1, .max_per_hour = -1, .max_cancel = 1, .confirm_ms = -1};
    ib_judge_rules_init(&t->rules);
}

/* Exactly one kind of selection. */
static enum ib_rc use_selection(const struct reader *r, const char *path,
                                const struct ib_value *group, const struct written *w,
                                struct ib_target *t)
{
    const struct {
        uint32_t line;
        enum ib_select select;
        const struct ib_conf_texts *what;
    } kinds[] = {
        {w->arn_line, IB_SELECT_ARN, &w->arn},
        {w->pipeline_line, IB_SELECT_PIPELINE, &w->pipeline},
        {w->image_line, IB_SELECT_IMAGE, &w->image},
        {w->all ? w->all_line : 0, IB_SELECT_ALL, NULL},
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(kinds); i++) {
        if (kinds[i].line == 0) {
            continue;
        }
        if (t->select != IB_SELECT_NONE) {
            return ib_conf_fail(r->err, r->file, group, path,
                                "selects by %s and by %s: one is allowed",
                                ib_select_name(t->select), ib_select_name(kinds[i].select));
        }
        t->select = kinds[i].select;
        if (kinds[i].what != NULL) {
            t->what = *kinds[i].what;
        }
    }
    if (t->select == IB_SELECT_NONE) {
        return ib_conf_fail(r->err, r->file, group, path,
                            "selects nothing: give arn, pipeline, image or all = true");
    }
    return IB_OK;
}

static enum ib_rc read_group(const struct reader *r, const char *path, const struct ib_value *group,
                             bool is_target, struct ib_target *t)
{
    struct written w = {.all = false};
    struct ib_conf_table table = is_target ? TABLE(target_keys) : TABLE(default_keys);

    if (!ib_value_is(group, IB_VALUE_OBJECT)) {
        return ib_conf_fail(r->err, r->file, group, path, "is %s, not a group { ... }",
                            ib_value_type_name(group));
    }
    enum ib_rc rc = ib_conf_decode(r->file, path, group, table, &w, r->err);
    if (rc == IB_OK) {
        rc = use_thresholds(r, path, group, &w, t);
    }
    if (rc != IB_OK) {
        return rc;
    }
    use_scalars(&w, t);
    t->line = ib_value_mark(group).line;
    return is_target ? use_selection(r, path, group, &w, t) : IB_OK;
}

/* A Region of defaults gives way to an ARN's; one of the target itself must agree with it. */
static enum ib_rc check_region(const struct reader *r, const char *path,
                               const struct ib_value *group, const struct ib_target *t)
{
    bool is_own = ib_value_get_c(group, "region") != NULL;

    for (size_t i = 0; is_own && i < ib_conf_texts_count(&t->what); i++) {
        struct ib_str text = ib_conf_texts_at(&t->what, i);
        struct ib_arn arn;

        if (ib_arn_looks_like(text) && ib_arn_parse(text, path, &arn, NULL) == IB_OK &&
            arn.region[0] != '\0' && strcmp(arn.region, t->region) != 0) {
            return ib_conf_fail(r->err, r->file, group, path,
                                "has region = \"%s\", but the ARN %s names region %s", t->region,
                                arn.text, arn.region);
        }
    }
    return IB_OK;
}

/* Rules over the whole of a target, after defaults were put under it. */
static enum ib_rc check_target(const struct reader *r, const char *path,
                               const struct ib_value *group, const struct ib_target *t)
{
    if (t->external_id != NULL && t->role_arn == NULL) {
        return ib_conf_fail(r->err, r->file, group, path, "has an external_id without a role_arn");
    }
    if (t->cancel_enabled) {
        struct ib_error why = IB_ERROR_INIT;
        bool any = t->rules.age.crit.is_set;

        for (size_t s = 0; s < IB_IMAGE_STATUS_COUNT; s++) {
            any = any || t->rules.phase[s].crit.is_set;
        }
        if (!any) {
            return ib_conf_fail(
                r->err, r->file, group, path,
                "has cancel.enabled without a critical threshold: nothing would ever be stuck");
        }
        if (ib_judge_check_critical(&t->rules, &why) != IB_OK) {
            return ib_conf_fail(r->err, r->file, group, path, "has cancel.enabled, and its %s",
                                why.text);
        }
    }
    if (t->after_cancel == IB_AFTER_START_PIPELINE && t->select != IB_SELECT_PIPELINE) {
        return ib_conf_fail(r->err, r->file, group, path,
                            "has after_cancel = \"start-pipeline\" but selects no pipeline");
    }
    if (t->after_cancel != IB_AFTER_NOTHING && t->max_per_hour >= 0 && t->max_per_hour < 2) {
        return ib_conf_fail(r->err, r->file, group, path,
                            "has after_cancel with max_per_hour = %" PRId64
                            ": a start counts as one too, so that there would never be any",
                            t->max_per_hour);
    }
    return check_region(r, path, group, t);
}

static enum ib_rc read_targets(const struct reader *r, const struct ib_value *targets,
                               struct ib_watch_config *c)
{
    if (!ib_value_is(targets, IB_VALUE_OBJECT)) {
        return ib_conf_fail(r->err, r->file, targets, "targets",
                            "is %s, not a group { NAME: { ... }; }", ib_value_type_name(targets));
    }
    size_t count = ib_value_count(targets);
    if (count > IB_TARGETS_MAX) {
        return ib_conf_fail(r->err, r->file, targets, "targets", "has more than %d entries",
                            IB_TARGETS_MAX);
    }
    c->targets = calloc(count == 0 ? 1 : count, sizeof *c->targets);
    if (c->targets == NULL) {
        return ib_fail_nomem(r->err);
    }
    for (size_t i = 0; i < count; i++) {
        struct ib_target *t = &c->targets[c->target_count];
        struct ib_str name = ib_value_key_at(targets, i);
        const struct ib_value *group = ib_value_at(targets, i);
        char path[128];
        *t = c->defaults;
        t->name = name.p;
        (void)snprintf(path, sizeof path, "targets.%.*s", IB_STR_ARG(ib_str_head(name, 64)));
        if (name.n > IB_TARGET_NAME_MAX) {
            return ib_conf_fail(r->err, r->file, group, path,
                                "the name is longer than %d characters", IB_TARGET_NAME_MAX);
        }
        enum ib_rc rc = read_group(r, path, group, true, t);
        if (rc == IB_OK) {
            rc = check_target(r, path, group, t);
        }
        if (rc != IB_OK) {
            return rc;
        }
        c->target_count++;
    }
    return IB_OK;
}

static enum ib_rc check_file(const struct reader *r, const struct written_file *w,
                             const struct ib_value *root)
{
    for (size_t i = 0; i < ib_conf_texts_count(&w->allow); i++) {
        struct ib_error why = IB_ERROR_INIT;
        if (ib_allow_check(ib_conf_texts_at(&w->allow, i), "cancel.allow", &why) != IB_OK) {
            return ib_conf_fail(r->err, r->file, w->allow.array, "", "%s", why.text);
        }
    }
    if (w->state_dir[0] != '/') {
        return ib_conf_fail(r->err, r->file, ib_value_get_c(root, "state_dir"), "state_dir",
                            "\"%s\" is no absolute path", w->state_dir);
    }
    const char *url = w->feedback.icinga_url;
    if (url != NULL && !ib_str_starts(ib_str_from(url), IB_STR("https://"))) {
        const struct ib_value *icinga = ib_value_get_c(ib_value_get_c(root, "feedback"), "icinga");
        return ib_conf_fail(r->err, r->file, ib_value_get_c(icinga, "url"), "feedback.icinga.url",
                            "\"%s\" does not begin with https://: the password would go in clear", url);
    }
    return IB_OK;
}

void ib_watch_config_init(struct ib_watch_config *config)
{
    *config = (struct ib_watch_config){.state_dir = IB_STATEDIR,
                                       .max_per_hour = -1,
                                       .retry_for_ms = 30 * IB_MINUTE_MS,
                                       .keep_ms = 90 * IB_DAY_MS};
    builtin_target(&config->defaults);
}

void ib_watch_config_fini(struct ib_watch_config *config)
{
    free(config->targets);
    ib_value_unref(config->values);
    *config = (struct ib_watch_config){0};
}

enum ib_rc ib_watch_config_parse(struct ib_str text, const char *file, struct ib_watch_config *ret,
                                 struct ib_error *err)
{
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config c;
    struct reader r = {file, err};

    ib_watch_config_init(&c);
    c.file = file;
    struct written_file w = {.state_dir = c.state_dir,
                             .max_per_hour = c.max_per_hour,
                             .retry_for_ms = c.retry_for_ms,
                             .keep_ms = c.keep_ms};
    enum ib_rc rc = ib_conf_parse(text, file, &c.values, err);
    if (rc == IB_OK) {
        rc = ib_conf_decode(file, "", c.values, TABLE(file_keys), &w, err);
    }
    if (rc == IB_OK) {
        rc = check_file(&r, &w, c.values);
    }
    if (rc == IB_OK && w.defaults != NULL) {
        rc = read_group(&r, "defaults", w.defaults, false, &c.defaults);
    }
    if (rc == IB_OK && w.targets != NULL) {
        rc = read_targets(&r, w.targets, &c);
    }
    if (rc != IB_OK) {
        return rc;
    }
    c.state_dir = w.state_dir;
    c.allow = w.allow;
    c.has_allow = w.allow_line != 0;
    c.max_per_hour = w.max_per_hour;
    c.retry_for_ms = w.retry_for_ms;
    c.keep_ms = w.keep_ms;
    c.feedback = w.feedback;
    *ret = c;
    c = (struct ib_watch_config){0};
    return IB_OK;
}

enum ib_rc ib_watch_config_target(const struct ib_watch_config *config, const char *name,
                                  const struct ib_target **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf names = IB_BUF_INIT(256);

    for (size_t i = 0; i < config->target_count; i++) {
        if (strcmp(config->targets[i].name, name) == 0) {
            *ret = &config->targets[i];
            return IB_OK;
        }
        if (names.len < 150) {
            ib_buf_addf(&names, "%s%s", names.len == 0 ? "" : ", ", config->targets[i].name);
        }
    }
    if (config->file == NULL) {
        return ib_fail(err, IB_EUSAGE, "target \"%.64s\": there is no configuration file", name);
    }
    return ib_fail(err, IB_EUSAGE, "target \"%.64s\": %s has no such target (it has: %s)", name,
                   config->file, names.len == 0 ? "none" : ib_buf_c(&names));
}

/* --- what is in force, and who said so
 * ------------------------------------------------------------ */

/* What the configuration alone says, by the name of the setting; what is not set is not there. */
struct own_settings {
    struct ib_value *texts;
    bool failed; /* out of memory: nothing is compared */
};

struct settings {
    const struct ib_watch_config *config;
    const struct ib_target *target;
    ib_setting_fn fn; /* NULL: note it in own */
    void *ctx;
    struct own_settings *own;
};

static void note(struct own_settings *own, const char *name, const char *value)
{
    struct ib_error err = IB_ERROR_INIT;

    if (value == NULL || own->failed) {
        return;
    }
    struct ib_value *text = ib_value_string(ib_str_from(value));
    if (text == NULL || own->texts == NULL) {
        ib_value_unref(text);
        own->failed = true;
    } else if (ib_value_set(own->texts, ib_str_from(name), text, &err) != IB_OK) {
        own->failed = true;
    }
}

/* Another value than the configuration's: an option of this very call says it. */
static bool is_option(const struct own_settings *own, const char *name, const char *value)
{
    const struct ib_value *was = ib_value_get_c(own->texts, name);

    if (own->failed || value == NULL) {
        return false;
    }
    return was == NULL || !ib_str_eq_c(ib_value_as_str(was), value);
}

/*
 * A dotted path below the target's or the defaults' group that gives the setting. Shown is what may be
 * seen of the value.
 */
static void tell_as(const struct settings *s, const char *path, const char *name, const char *value,
                    const char *shown)
{
    const struct ib_value *targets = ib_value_get_c(s->config->values, "targets");
    const struct ib_value *at = NULL;
    char source[512] = "built in";

    if (s->fn == NULL) {
        note(s->own, name, value);
        return;
    }
    if (is_option(s->own, name, value)) {
        s->fn(s->ctx, name, shown, "command line");
        return;
    }
    if (s->target->name[0] != '\0') {
        at = ib_value_path(ib_value_get_c(targets, s->target->name), path);
    }
    if (at != NULL) {
        (void)snprintf(source, sizeof source, "targets.%s (%s:%" PRIu32 ")", s->target->name,
                       s->config->file, ib_value_mark(at).line);
    } else {
        at = ib_value_path(ib_value_get_c(s->config->values, "defaults"), path);
        if (at != NULL) {
            (void)snprintf(source, sizeof source, "defaults (%s:%" PRIu32 ")", s->config->file,
                           ib_value_mark(at).line);
        }
    }
    s->fn(s->ctx, name, value == NULL ? "not set" : shown, source);
}

static void tell(const struct settings *s, const char *path, const char *name, const char *value)
{
    tell_as(s, path, name, value, value);
}

static void tell_duration(const struct settings *s, const char *path, const char *name, int64_t ms)
{
    char text[IB_TIME_TEXT_MAX];

    tell(s, path, name, ms < 0 ? NULL : ib_duration_fmt(ms, text, sizeof text));
}

static void tell_count(const struct settings *s, const char *path, const char *name, int64_t count)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, count);
    tell(s, path, name, count < 0 ? "no limit" : text);
}

static void tell_selection(const struct settings *s)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf names = IB_BUF_INIT(4096);
    const struct ib_target *t = s->target;
    size_t count = ib_conf_texts_count(&t->what);

    ib_buf_add_c(&names, ib_select_name(t->select));
    for (size_t i = 0; i < count && i < 10; i++) {
        ib_buf_addf(&names, "%s%.*s", i == 0 ? " " : ", ",
                    IB_STR_ARG(ib_str_head(ib_conf_texts_at(&t->what, i), 300)));
    }
    if (count > 10) {
        ib_buf_addf(&names, " and %zu more", count - 10);
    }
    tell(s, ib_select_name(t->select), "selection", ib_buf_c(&names));
}

static void tell_rules(const struct settings *s)
{
    const struct ib_judge_rules *rules = &s->target->rules;
    char path[64], text[2 * IB_RANGE_TEXT_MAX + 8];

    tell(s, "warning", "warning", rules->age.warn.is_set ? rules->age.warn.text : NULL);
    tell(s, "critical", "critical", rules->age.crit.is_set ? rules->age.crit.text : NULL);
    for (int i = 0; i < IB_IMAGE_STATUS_COUNT; i++) {
        const struct ib_judge_limits *l = &rules->phase[i];
        const char *status = ib_image_status_name((enum ib_image_status)i);
        if (l->warn.is_set || l->crit.is_set) {
            (void)snprintf(path, sizeof path, "phases.%s", status);
            (void)snprintf(text, sizeof text, "%s, %s", l->warn.is_set ? l->warn.text : "-",
                           l->crit.is_set ? l->crit.text : "-");
            tell(s, path, path, text);
        }
    }
    for (int i = 0; i <= IB_IMAGE_STATUS_COUNT; i++) {
        enum ib_image_status status = (enum ib_image_status)i;
        if (!ib_image_status_in_flight(status)) {
            (void)snprintf(path, sizeof path, "map.%s",
                           status == IB_IMAGE_UNHEARD_OF ? "other" : ib_image_status_name(status));
            tell(s, path, path, ib_state_name(rules->map[i]));
        }
    }
    tell(s, "waiting", "waiting", ib_state_name(rules->waiting));
    tell(s, "stuck_only", "stuck_only", rules->stuck_only ? "true" : "false");
}

static void tell_cancel(const struct settings *s)
{
    const struct ib_target *t = s->target;
    IB_CLEANUP(ib_buf_fini) struct ib_buf states = IB_BUF_INIT(256);
    uint32_t mask = t->cancel_states == 0 ? ib_policy_states_default() : t->cancel_states;

    for (int i = 0; i < IB_IMAGE_STATUS_COUNT; i++) {
        if ((mask >> i & 1U) != 0) {
            ib_buf_addf(&states, "%s%s", states.len == 0 ? "" : ", ",
                        ib_image_status_name((enum ib_image_status)i));
        }
    }
    tell(s, "cancel.enabled", "cancel.enabled", t->cancel_enabled ? "true" : "false");
    tell_count(s, "cancel.max_per_hour", "cancel.max_per_hour", t->max_per_hour);
    tell_count(s, "cancel.max_cancel", "cancel.max_cancel", t->max_cancel);
    tell_duration(s, "cancel.confirm", "cancel.confirm", t->confirm_ms);
    tell_duration(s, "cancel.minimum_age", "cancel.minimum_age", t->minimum_age_ms);
    tell(s, "cancel.age_from_creation", "cancel.age_from_creation",
         t->age_from_creation ? "true" : "false");
    tell(s, "cancel.states", "cancel.states", ib_buf_c(&states));
    tell(s, "cancel.after_cancel", "cancel.after_cancel", after_names[t->after_cancel]);
}

static void tell_all(const struct settings *s)
{
    const struct ib_target *t = s->target;

    tell_selection(s);
    tell(s, "region", "region", t->region_option != NULL ? t->region_option : t->region);
    tell(s, "profile", "profile", t->profile);
    tell(s, "role_arn", "role_arn", t->role_arn);
    tell_as(s, "external_id", "external_id", t->external_id, "(set)");
    tell(s, "endpoint_url", "endpoint_url", t->endpoint_url);
    tell(s, "ca_bundle", "ca_bundle", t->ca_bundle);
    tell_as(s, "proxy", "proxy", t->proxy, "(set)");
    tell_rules(s);
    tell(s, "none", "none", t->none_set ? ib_state_name(t->none) : NULL);
    tell_duration(s, "lookback", "lookback", t->lookback_ms);
    tell_cancel(s);
}

void ib_watch_config_settings(const struct ib_watch_config *config, const struct ib_target *target,
                              ib_setting_fn fn, void *ctx)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *texts = ib_value_object();
    struct own_settings own = {.texts = texts, .failed = texts == NULL};
    const struct ib_target *untouched = NULL;

    for (size_t i = 0; i < config->target_count; i++) {
        if (strcmp(config->targets[i].name, target->name) == 0) {
            untouched = &config->targets[i];
        }
    }
    if (untouched == NULL) {
        own.failed = true;
    } else {
        tell_all(&(struct settings){.config = config, .target = untouched, .own = &own});
    }
    tell_all(&(struct settings){config, target, fn, ctx, &own});
}
