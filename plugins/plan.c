/* SPDX-License-Identifier: MIT */
/* Options and configuration made one. */
#include "plugins/plan.h"

#include "lib/aws/arn.h"
#include "lib/base/env.h"
#include "lib/sys/file.h"

#define AT(member)     offsetof(struct ib_plan_options, member)
#define CONFIG_DEFAULT IB_SYSCONFDIR "/ib-plugins.conf"
#define NAME_MAX_BYTES 128 /* of pipelines and images; the model allows 128 characters */

static enum ib_rc keep(struct ib_option_list *list, const char *value, struct ib_error *err)
{
    const char **grown = reallocarray(list->items, list->count + 1, sizeof *grown);

    if (grown == NULL) {
        return ib_fail_nomem(err);
    }
    list->items = grown;
    list->items[list->count++] = value;
    return IB_OK;
}

/* Checked here, so that a mistake is told with its option; used when the plan is made. */
static enum ib_rc parse_phase(const struct ib_option *option, const char *value, void *dest,
                              struct ib_error *err)
{
    struct ib_judge_rules scratch;

    (void)option;
    ib_judge_rules_init(&scratch);
    enum ib_rc rc = ib_judge_phase_parse(value, &scratch, err);
    return rc == IB_OK ? keep(dest, value, err) : rc;
}

static enum ib_rc parse_map(const struct ib_option *option, const char *value, void *dest,
                            struct ib_error *err)
{
    struct ib_judge_rules scratch;

    (void)option;
    ib_judge_rules_init(&scratch);
    enum ib_rc rc = ib_judge_map_parse(value, &scratch, err);
    return rc == IB_OK ? keep(dest, value, err) : rc;
}

static enum ib_rc parse_waiting(const struct ib_option *option, const char *value, void *dest,
                                struct ib_error *err)
{
    struct ib_plan_options *o = dest;

    (void)option;
    o->has_waiting = ib_state_from(ib_str_from(value), &o->waiting);
    return o->has_waiting
               ? IB_OK
               : ib_fail(err, IB_EUSAGE, "\"%s\" is not ok, warning, critical or unknown", value);
}

static enum ib_rc parse_none(const struct ib_option *option, const char *value, void *dest,
                             struct ib_error *err)
{
    struct ib_plan_options *o = dest;

    (void)option;
    o->has_none = ib_state_from(ib_str_from(value), &o->none);
    return o->has_none
               ? IB_OK
               : ib_fail(err, IB_EUSAGE, "\"%s\" is not ok, warning, critical or unknown", value);
}

static const struct ib_option selection_rows[] = {
    { .long_name = "arn", .short_name = 'a', .kind = IB_OPTION_LIST, .offset = AT(arns),
      .arg = "ARN", .help = "build version ARN, .../image/NAME/1.4.2/7; repeatable" },
    { .long_name = "pipeline", .short_name = 'p', .kind = IB_OPTION_LIST, .offset = AT(pipelines),
      .arg = "ARN|NAME", .help = "builds of a pipeline; repeatable" },
    { .long_name = "image", .short_name = 'n', .kind = IB_OPTION_LIST, .offset = AT(images),
      .arg = "NAME", .help = "builds of all versions of an image; repeatable" },
    { .long_name = "all", .short_name = 'A', .kind = IB_OPTION_FLAG, .offset = AT(all),
      .help = "every build of the account in the Region" },
    { .long_name = "target", .short_name = 'T', .kind = IB_OPTION_LIST, .offset = AT(targets),
      .arg = "NAME", .help = "target of the configuration; repeatable" },
    { .long_name = "all-targets", .kind = IB_OPTION_FLAG, .offset = AT(all_targets),
      .help = "every target of the configuration" },
};

#define CRITICAL_ROW                                                                              \
    { .long_name = "critical", .short_name = 'c', .kind = IB_OPTION_AGE, .offset = AT(crit),      \
      .arg = "RANGE", .help = "CRITICAL when a build in flight is older; RANGE ends may be "      \
                              "durations: 90m, @2h:, 10m:2h" }
#define PHASE_ROW                                                                                 \
    { .long_name = "phase", .kind = IB_OPTION_CALL, .offset = AT(phases),                         \
      .arg = "STATUS=WARN,CRIT", .parse = parse_phase,                                            \
      .help = "limits for the time in one status, such as TESTING=20m,40m; repeatable" }
#define WAITING_ROW                                                                               \
    { .long_name = "waiting", .kind = IB_OPTION_CALL, .offset = 0, .arg = "STATE",                \
      .parse = parse_waiting, .def = "warning",                                                   \
      .help = "state of a build over its limit that waits for a person (WaitForAction)" }

static const struct ib_option limit_rows[] = {
    { .long_name = "warning", .short_name = 'w', .kind = IB_OPTION_AGE, .offset = AT(warn),
      .arg = "RANGE", .help = "WARNING when a build in flight is older" },
    CRITICAL_ROW,
    PHASE_ROW,
    WAITING_ROW,
    { .long_name = "stuck-only", .kind = IB_OPTION_FLAG, .offset = AT(stuck_only),
      .help = "judge builds in flight alone: CRITICAL then means stuck and nothing else" },
    { .long_name = "map", .kind = IB_OPTION_CALL, .offset = AT(maps), .arg = "STATUS=STATE",
      .parse = parse_map,
      .help = "state of an ended build, or of \"other\" statuses (default AVAILABLE=ok, "
              "FAILED=critical, CANCELLED=warning, DEPRECATED=ok, DISABLED=warning, "
              "DELETED=warning, other=unknown); repeatable" },
    { .long_name = "none", .kind = IB_OPTION_CALL, .offset = 0, .arg = "STATE",
      .parse = parse_none, .help = "state when nothing matches (default unknown; ok for -A)" },
    { .long_name = "lookback", .kind = IB_OPTION_DURATION, .offset = AT(lookback_ms),
      .arg = "DUR", .def = "1d", .help = "with -A: judge ended builds that were created since" },
};

static const struct ib_option stuck_rows[] = { CRITICAL_ROW, PHASE_ROW, WAITING_ROW };

struct ib_option_group ib_plan_selection_group(struct ib_plan_options *options)
{
    return (struct ib_option_group){ "What to watch (one kind)", selection_rows,
                                     IB_ARRAY_LEN(selection_rows), options };
}

struct ib_option_group ib_plan_limits_group(struct ib_plan_options *options)
{
    return (struct ib_option_group){ "Limits", limit_rows, IB_ARRAY_LEN(limit_rows), options };
}

struct ib_option_group ib_plan_stuck_group(struct ib_plan_options *options)
{
    return (struct ib_option_group){ "What is stuck", stuck_rows, IB_ARRAY_LEN(stuck_rows),
                                     options };
}

void ib_plan_options_fini(struct ib_plan_options *options)
{
    ib_option_list_fini(&options->arns);
    ib_option_list_fini(&options->pipelines);
    ib_option_list_fini(&options->images);
    ib_option_list_fini(&options->targets);
    ib_option_list_fini(&options->phases);
    ib_option_list_fini(&options->maps);
}

enum ib_rc ib_plan_config(const struct ib_common *common, struct ib_watch_config *ret,
                          struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_CONF_BYTES_MAX);
    struct ib_file_options options = { .need_owner = true };
    const char *file = common->config != NULL ? common->config : CONFIG_DEFAULT;
    enum ib_rc rc = ib_file_read(file, &options, &text, err);

    if (rc == IB_ENOENT && common->config == NULL) {
        ib_watch_config_init(ret);
        return IB_OK;
    }
    return rc == IB_OK ? ib_watch_config_parse(ib_buf_str(&text), file, ret, err) : rc;
}

struct ib_aws_options ib_plan_aws(const struct ib_common *c, const struct ib_watch_config *config)
{
    const struct ib_target *d = &config->defaults;

    return (struct ib_aws_options){
        .profile = c->profile != NULL ? c->profile : d->profile,
        .region = c->region,
        .default_region = d->region, /* gives way to that of an ARN */
        .role_arn = c->role_arn != NULL ? c->role_arn : d->role_arn,
        .external_id = c->external_id != NULL ? c->external_id : d->external_id,
        .endpoint_url = c->endpoint_url != NULL ? c->endpoint_url : d->endpoint_url,
        .ca_bundle = c->ca_bundle != NULL ? c->ca_bundle : d->ca_bundle,
        .proxy = c->proxy != NULL ? c->proxy : d->proxy,
    };
}

const char *ib_plan_state_dir(const struct ib_watch_config *config)
{
    const char *by_environment = ib_env_get("IB_STATE_DIR");
    bool by_file = ib_value_get_c(config->values, "state_dir") != NULL;

    return by_file || by_environment == NULL ? config->state_dir : by_environment;
}

void ib_plan_fini(struct ib_plan *plan)
{
    free(plan->targets);
    ib_value_unref(plan->what);
    *plan = (struct ib_plan){ 0 };
}

static enum ib_rc check_pipeline(const char *text, struct ib_error *err)
{
    struct ib_str s = ib_str_from(text);
    struct ib_arn arn;

    if (!ib_arn_looks_like(s)) {
        return s.n <= NAME_MAX_BYTES ? IB_OK
                                     : ib_fail(err, IB_EUSAGE, "--pipeline: the name is too long");
    }
    enum ib_rc rc = ib_arn_parse(s, "--pipeline", &arn, err);
    if (rc == IB_OK && (strcmp(arn.service, "imagebuilder") != 0 ||
                        !ib_str_starts(ib_str_from(arn.resource), IB_STR("image-pipeline/")))) {
        return ib_fail(err, IB_EUSAGE,
                       "--pipeline: \"%s\" is not the ARN of a pipeline "
                       "(arn:aws:imagebuilder:REGION:ACCOUNT:image-pipeline/NAME)",
                       text);
    }
    return rc;
}

static enum ib_rc check_image(const char *text, struct ib_error *err)
{
    struct ib_str s = ib_str_from(text);

    if (ib_arn_looks_like(s) || ib_str_find(s, '/') < s.n) {
        return ib_fail(err, IB_EUSAGE, "--image: \"%s\" is not the name of an image (a build's ARN "
                                       "goes to --arn)", text);
    }
    return s.n <= NAME_MAX_BYTES ? IB_OK
                                 : ib_fail(err, IB_EUSAGE, "--image: the name is too long");
}

static enum ib_rc check_items(enum ib_select select, const struct ib_option_list *list,
                              struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; i < list->count && rc == IB_OK; i++) {
        struct ib_image_arn arn;
        if (select == IB_SELECT_ARN) {
            rc = ib_image_arn_parse(ib_str_from(list->items[i]), IB_IMAGE_ARN_NEED_BUILD, "--arn",
                                    &arn, err);
        } else {
            rc = select == IB_SELECT_PIPELINE ? check_pipeline(list->items[i], err)
                                              : check_image(list->items[i], err);
        }
    }
    return rc;
}

/* Exactly one kind of selection. */
static enum ib_rc check_kinds(const struct ib_plan_options *o, struct ib_error *err)
{
    const struct {
        bool given;
        const char *name;
    } kinds[] = {
        { o->arns.count > 0, "--arn" },       { o->pipelines.count > 0, "--pipeline" },
        { o->images.count > 0, "--image" },   { o->all, "--all" },
        { o->targets.count > 0, "--target" }, { o->all_targets, "--all-targets" },
    };
    const char *first = NULL;

    for (size_t i = 0; i < IB_ARRAY_LEN(kinds); i++) {
        if (kinds[i].given && first != NULL) {
            return ib_fail(err, IB_EUSAGE, "%s and %s do not go together", first, kinds[i].name);
        }
        if (kinds[i].given) {
            first = kinds[i].name;
        }
    }
    return first != NULL ? IB_OK
                         : ib_fail(err, IB_EUSAGE,
                                   "nothing to watch is named: give --arn, --pipeline, --image, "
                                   "--all, --target or --all-targets");
}

void ib_plan_reach(const struct ib_common *c, struct ib_target *t)
{
    const struct {
        const char *given;
        const char **setting;
    } texts[] = {
        { c->profile, &t->profile },         { c->role_arn, &t->role_arn },
        { c->external_id, &t->external_id }, { c->endpoint_url, &t->endpoint_url },
        { c->ca_bundle, &t->ca_bundle },     { c->proxy, &t->proxy },
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(texts); i++) {
        if (texts[i].given != NULL) {
            *texts[i].setting = texts[i].given;
        }
    }
}

/* What the command line says, over what the target says. */
static enum ib_rc override(const struct ib_plan_options *o, const struct ib_common *c,
                           struct ib_target *t, struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    ib_plan_reach(c, t);
    if (c->region != NULL) {
        t->region_option = c->region;
    }
    if (o->warn.is_set) {
        t->rules.age.warn = o->warn;
    }
    if (o->crit.is_set) {
        t->rules.age.crit = o->crit;
    }
    for (size_t i = 0; i < o->phases.count && rc == IB_OK; i++) {
        rc = ib_judge_phase_parse(o->phases.items[i], &t->rules, err);
    }
    for (size_t i = 0; i < o->maps.count && rc == IB_OK; i++) {
        rc = ib_judge_map_parse(o->maps.items[i], &t->rules, err);
    }
    t->rules.waiting = o->has_waiting ? o->waiting : t->rules.waiting;
    t->rules.stuck_only = t->rules.stuck_only || o->stuck_only;
    t->none_set = t->none_set || o->has_none;
    t->none = o->has_none ? o->none : t->none;
    t->lookback_ms = o->lookback_ms >= 0 ? o->lookback_ms : t->lookback_ms;
    return rc;
}

/* One target that stands for -a, -p, -n or -A. */
static enum ib_rc plan_selection(const struct ib_plan_options *o,
                                 const struct ib_watch_config *config, struct ib_plan *plan,
                                 struct ib_error *err)
{
    const struct ib_option_list *list = o->arns.count > 0        ? &o->arns
                                        : o->pipelines.count > 0 ? &o->pipelines
                                                                 : &o->images;
    enum ib_select select = o->all                   ? IB_SELECT_ALL
                            : o->arns.count > 0      ? IB_SELECT_ARN
                            : o->pipelines.count > 0 ? IB_SELECT_PIPELINE
                                                     : IB_SELECT_IMAGE;

    plan->targets = calloc(1, sizeof *plan->targets);
    plan->what = ib_value_array();
    if (plan->targets == NULL || plan->what == NULL) {
        return ib_fail_nomem(err);
    }
    plan->count = 1;
    plan->targets[0] = config->defaults;
    plan->targets[0].name = NULL;
    plan->targets[0].select = select;
    if (select == IB_SELECT_ALL) {
        return IB_OK;
    }
    enum ib_rc rc = check_items(select, list, err);
    for (size_t i = 0; i < list->count && rc == IB_OK; i++) {
        struct ib_value *text = ib_value_string(ib_str_from(list->items[i]));
        rc = ib_value_push(plan->what, text, err);
    }
    plan->targets[0].what.array = plan->what;
    return rc;
}

static enum ib_rc plan_targets(const struct ib_plan_options *o,
                               const struct ib_watch_config *config, struct ib_plan *plan,
                               struct ib_error *err)
{
    size_t count = o->all_targets ? config->target_count : o->targets.count;

    if (config->target_count == 0) {
        return ib_fail(err, IB_EUSAGE, "%s: %s has no targets",
                       o->all_targets ? "--all-targets" : "--target",
                       config->file == NULL ? "there is no configuration file, so it"
                                            : config->file);
    }
    plan->targets = calloc(count, sizeof *plan->targets);
    if (plan->targets == NULL) {
        return ib_fail_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        const struct ib_target *t = o->all_targets ? &config->targets[i] : NULL;
        enum ib_rc rc =
            t != NULL ? IB_OK : ib_watch_config_target(config, o->targets.items[i], &t, err);
        if (rc != IB_OK) {
            return rc;
        }
        plan->targets[plan->count++] = *t;
    }
    return IB_OK;
}

enum ib_rc ib_plan_make(const struct ib_plan_options *options, const struct ib_common *common,
                        const struct ib_watch_config *config, struct ib_plan *ret,
                        struct ib_error *err)
{
    enum ib_rc rc = check_kinds(options, err);

    if (rc == IB_OK) {
        rc = options->targets.count > 0 || options->all_targets
                 ? plan_targets(options, config, ret, err)
                 : plan_selection(options, config, ret, err);
    }
    for (size_t i = 0; i < ret->count && rc == IB_OK; i++) {
        rc = override(options, common, &ret->targets[i], err);
    }
    return rc;
}
