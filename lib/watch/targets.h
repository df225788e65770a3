/* SPDX-License-Identifier: MIT */
/*
 * ib-plugins.conf: defaults, targets, cancel policy and what the scheduler is told.
 *
 * A setting of a target is what the target says, else what `defaults` says, else what is built in; for
 * each it is known who said so. All meaning of keys lives in targets.c's one table; lib/data/conf.c
 * knows the syntax.
 */
#ifndef IB_WATCH_TARGETS_H
#define IB_WATCH_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/data/conf.h"
#include "lib/watch/judge.h"
#include "lib/watch/policy.h"

#define IB_TARGETS_MAX     1000
#define IB_TARGET_NAME_MAX 64 /* characters: letters, digits, '-', '_' as libconfig names are, '*' no */

/* What a target watches; exactly one kind. */
enum ib_select {
    IB_SELECT_NONE,
    IB_SELECT_ARN,      /* -a: build version ARNs */
    IB_SELECT_PIPELINE, /* -p: pipeline ARNs or names */
    IB_SELECT_IMAGE,    /* -n: image names, all versions */
    IB_SELECT_ALL,      /* -A: every build of the account in the Region */
};
const char *ib_select_name(enum ib_select select); /* "arn", "pipeline", "image", "all", "none" */

enum ib_after_cancel { IB_AFTER_NOTHING, IB_AFTER_RETRY, IB_AFTER_START_PIPELINE };

/* Effective settings of one target. Texts belong to the configuration; NULL = not set. */
struct ib_target {
    const char *name;
    uint32_t line;
    enum ib_select select;
    struct ib_conf_texts what; /* ARNs or names; empty for IB_SELECT_ALL */

    const char *region, *profile, *role_arn, *external_id, *endpoint_url, *ca_bundle, *proxy;
    const char *region_option; /* --region: must agree with an ARN, where the configuration's gives way */

    struct ib_judge_rules rules;
    bool none_set;
    enum ib_state none;        /* when nothing matches */
    int64_t lookback_ms;       /* -1 = not set */

    bool cancel_enabled;
    int64_t max_per_hour;      /* -1 = no limit of its own */
    int64_t max_cancel;        /* per run */
    int64_t confirm_ms;        /* -1 = not set */
    int64_t minimum_age_ms;
    bool age_from_creation;    /* of a build whose workflows may not be read */
    uint32_t cancel_states;    /* 0 = IB_POLICY's default */
    enum ib_after_cancel after_cancel;
};

struct ib_feedback {
    const char *icinga_url, *icinga_user, *icinga_password_file, *icinga_ca; /* NULL = not set */
    const char *nagios_command_file;
};

struct ib_watch_config {
    const char *file;          /* its name; NULL = no file: built-in values */
    struct ib_value *values;   /* owns all texts */
    const char *state_dir;     /* IB_STATEDIR when not set */
    struct ib_target *targets; /* in the order of the file */
    size_t target_count;
    struct ib_target defaults; /* as a target without name and selection: for -a, -p, -n, -A */
    struct ib_conf_texts allow;
    bool has_allow;            /* cancel.allow is there, even if it covers nothing */
    int64_t max_per_hour;      /* overall; -1 = no limit */
    int64_t retry_for_ms;      /* --resume retries what was left open so long */
    int64_t keep_ms;           /* journal rows and audit lines older than this are removed */
    struct ib_feedback feedback;
};

/* Built-in values without any file. */
void ib_watch_config_init(struct ib_watch_config *config);
void ib_watch_config_fini(struct ib_watch_config *config);

/* Read a configuration text. Errors: IB_ECONFIG with file, line, path and rule; IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_watch_config_parse(struct ib_str text, const char *file,
                                              struct ib_watch_config *ret, struct ib_error *err);

/* A target by name; errors: IB_EUSAGE, naming those that there are. */
IB_NODISCARD enum ib_rc ib_watch_config_target(const struct ib_watch_config *config,
                                               const char *name, const struct ib_target **ret,
                                               struct ib_error *err);

/* One row of --diagnose -T: setting, value and "targets.web (FILE:12)", "defaults (FILE:3)", "built in",
 * or "command line" where the target has another value than the configuration gives it. */
typedef void (*ib_setting_fn)(void *ctx, const char *name, const char *value, const char *source);
void ib_watch_config_settings(const struct ib_watch_config *config, const struct ib_target *target,
                              ib_setting_fn fn, void *ctx);

#endif
