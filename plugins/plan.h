/* SPDX-License-Identifier: MIT */
/*
 * What the command line and the configuration select, and by which limits: the same options and the
 * same plan for check and cancel. The command line wins over the configuration.
 */
#ifndef IB_PLUGINS_PLAN_H
#define IB_PLUGINS_PLAN_H

#include "lib/aws/awsconfig.h"
#include "lib/plugin/common.h"
#include "lib/watch/targets.h"

struct ib_plan_options {
    struct ib_option_list arns, pipelines, images, targets;
    bool all, all_targets;
    struct ib_range warn, crit;
    struct ib_option_list phases, maps; /* checked while they were read */
    bool has_waiting, stuck_only, has_none;
    enum ib_state waiting, none;
    int64_t lookback_ms;                /* -1 = not given */
};
#define IB_PLAN_OPTIONS_INIT { .lookback_ms = -1 }
void ib_plan_options_fini(struct ib_plan_options *options);

struct ib_option_group ib_plan_selection_group(struct ib_plan_options *options);
/* Limits and mapping as the check has them. */
struct ib_option_group ib_plan_limits_group(struct ib_plan_options *options);
/* The part of them that decides what is stuck: -c, --phase, --waiting. */
struct ib_option_group ib_plan_stuck_group(struct ib_plan_options *options);

/*
 * Read the configuration: --config FILE, or the installed default when it is there. Errors: IB_ECONFIG,
 * IB_ESYS, and IB_ENOENT for a named file that is not there.
 */
IB_NODISCARD enum ib_rc ib_plan_config(const struct ib_common *common, struct ib_watch_config *ret,
                                       struct ib_error *err);

/*
 * How a program without targets reaches AWS: the command line over the configuration's defaults.
 * Trace and cache are the caller's to add.
 */
struct ib_aws_options ib_plan_aws(const struct ib_common *common,
                                  const struct ib_watch_config *config);

/* The way to AWS that the command line gives, over what a target says; not the region, which an ARN has. */
void ib_plan_reach(const struct ib_common *common, struct ib_target *target);

struct ib_plan {
    struct ib_target *targets;
    size_t count;
    struct ib_value *what; /* owns the texts of the command line */
};
/* Where the journal is: state_dir of the configuration, $IB_STATE_DIR, built in. */
const char *ib_plan_state_dir(const struct ib_watch_config *config);
void ib_plan_fini(struct ib_plan *plan);

/* config and the command line must outlive the plan. Errors: IB_EUSAGE, IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_plan_make(const struct ib_plan_options *options,
                                     const struct ib_common *common,
                                     const struct ib_watch_config *config, struct ib_plan *ret,
                                     struct ib_error *err);

#endif
