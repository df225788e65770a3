/* SPDX-License-Identifier: MIT */
/* Any bytes as a command line, an argument per line: taken, or refused in one clean line. */
#include "fuzz.h"

#include "lib/plugin/common.h"
#include "plugins/plan.h"

#define ARGS_MAX 64

static const char *const usage[] = { "[options]", NULL };
static const struct ib_program program = { .name = "check_x", .prefix = "X", .summary = "x",
                                           .usage = usage, .operands_max = 2 };

static void check_refusal(const struct ib_error *err)
{
    IB_ASSERT(err->rc == IB_EUSAGE && err->text[0] != '\0');
    for (const char *p = err->text; *p != '\0'; p++) {
        IB_ASSERT((unsigned char)*p >= 0x20 && *p != 0x7F);
    }
}

static void parse(int argc, char **argv)
{
    struct ib_common common = IB_COMMON_INIT(30000);
    struct ib_plan_options options = IB_PLAN_OPTIONS_INIT;
    const struct ib_option_group groups[] = {
        ib_plan_selection_group(&options),
        ib_plan_limits_group(&options),
        ib_common_aws_group(&common),
        ib_common_group(&common),
    };
    struct ib_option_result result = IB_OPTION_RESULT_INIT;
    struct ib_error err = IB_ERROR_INIT;

    if (ib_option_parse(&program, groups, IB_ARRAY_LEN(groups), argc, argv, &result, &err) !=
        IB_OK) {
        check_refusal(&err);
    } else if (result.outcome == IB_OPTION_RUN) {
        IB_ASSERT(common.timeout_ms >= 1000 && common.timeout_ms <= 3600000);
        IB_ASSERT(common.verbose >= 0 && common.verbose <= 3);
        struct ib_watch_config config;
        struct ib_plan plan = { 0 };
        ib_watch_config_init(&config);
        if (ib_plan_make(&options, &common, &config, &plan, &err) != IB_OK) {
            check_refusal(&err);
        }
        ib_plan_fini(&plan);
        ib_watch_config_fini(&config);
    }
    ib_option_result_fini(&result);
    ib_plan_options_fini(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *argv[ARGS_MAX] = { (char *)(uintptr_t)"check_x" };
    int argc = 1;
    char *copy = malloc(n + 1);

    IB_ASSERT(copy != NULL);
    memcpy(copy, data, n);
    copy[n] = '\0';
    for (char *at = copy; at < copy + n && argc < ARGS_MAX - 1;) {
        char *end = memchr(at, '\n', (size_t)(copy + n - at));
        argv[argc++] = at;
        if (end == NULL) {
            break;
        }
        *end = '\0';
        at = end + 1;
    }
    parse(argc, argv);
    free(copy);
    return 0;
}
