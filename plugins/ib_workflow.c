/* SPDX-License-Identifier: MIT */
/* ib_workflow: runs, checks and draws Arazzo workflow documents. */
#include "plugins/ib_workflow.h"

#include "lib/arazzo/check.h"
#include "lib/arazzo/show.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/plugin/start.h"
#include "lib/watch/sender.h"
#include "plugins/diagnose.h"

/* By hand and in pipelines: a build that is cancelled takes its time to end. */
#define TIMEOUT_MS (15 * IB_MINUTE_MS)
#define FILES_MAX  1000

#define AT(member) offsetof(struct ib_workflow_options, member)
static const char *const formats[] = {"text", "mermaid", "dot", NULL};

static const struct ib_option run_rows[] = {
    {.long_name = "workflow",
     .short_name = 'W',
     .kind = IB_OPTION_TEXT,
     .offset = AT(workflow),
     .arg = "ID",
     .help = "workflow of the document, when it has several"},
    {.long_name = "input",
     .short_name = 'i',
     .kind = IB_OPTION_LIST,
     .offset = AT(inputs),
     .arg = "NAME=VALUE",
     .help = "input of the workflow; its type is that of the schema"},
    {.long_name = "inputs",
     .kind = IB_OPTION_TEXT,
     .offset = AT(inputs_file),
     .arg = "FILE",
     .help = "inputs as a JSON object; --input goes before it"},
    {.long_name = "from",
     .kind = IB_OPTION_TEXT,
     .offset = AT(from),
     .arg = "STEP",
     .help = "begin at this step"},
    {.long_name = "until",
     .kind = IB_OPTION_TEXT,
     .offset = AT(until),
     .arg = "STEP",
     .help = "end behind this step"},
    {.long_name = "given",
     .kind = IB_OPTION_LIST,
     .offset = AT(given),
     .arg = "STEP.OUTPUT=VALUE",
     .help = "output of a step that does not run; STEP.OUTPUT:=JSON for other than text"},
    {.long_name = "dry-run",
     .kind = IB_OPTION_FLAG,
     .offset = AT(dry_run),
     .help = "send what only reads, and show the first call that changes something instead of "
             "sending it"},
    {.long_name = "trace",
     .kind = IB_OPTION_FLAG,
     .offset = AT(trace),
     .help = "write every request and answer to stderr; no secrets in it"},
    {.long_name = "literal",
     .kind = IB_OPTION_FLAG,
     .offset = AT(literal),
     .help = "as Arazzo 1.1 has it: a criterion that cannot be evaluated fails instead of stopping "
             "the run, an output that is not there stays absent"},
    {.long_name = "max-steps",
     .kind = IB_OPTION_INT,
     .offset = AT(max_steps),
     .arg = "N",
     .min = 1,
     .max = 1000000,
     .def = "1000",
     .help = "stop after N steps"},
    {.long_name = "pace",
     .kind = IB_OPTION_DURATION,
     .offset = AT(pace_ms),
     .arg = "DUR",
     .help = "time between two starts of a step that the document repeats without a delay"},
};
static const struct ib_option show_rows[] = {
    {.long_name = "format",
     .kind = IB_OPTION_CHOICE,
     .offset = AT(format),
     .arg = "text|mermaid|dot",
     .choices = formats,
     .def = "text",
     .help = "form of the drawing"},
};

static const char *const usage[] = {
    "run [FILE] [-W ID] [-i NAME=VALUE]... [options]",
    "check [FILE...]",
    "show [FILE] [-W ID] [--format text|mermaid|dot]",
    NULL,
};
static const char *const notes[] = {
    "Without FILE the built-in document is meant, cancel-running-image-build.",
    "Exit codes of run: 0 success, 2 the workflow failed, 3 it could not be run or evaluated. Of "
    "check: 0 nothing wrong, 1 warnings, 2 errors, 3 a file cannot be read.",
    NULL,
};
static const char *const examples[] = {
    "ib_workflow run --dry-run --from getImage "
    "--given createImage.imageBuildVersionArn=\"$arn\"",
    "ib_workflow check /usr/share/ib-plugins/workflows/*.yaml",
    "ib_workflow show --format dot | dot -Tsvg > flow.svg",
    NULL,
};
static const struct ib_program program = {
    .name = "ib_workflow",
    .prefix = "IB_WORKFLOW",
    .summary = "run, check and draw Arazzo workflow documents",
    .usage = usage,
    .notes = notes,
    .examples = examples,
    .help_state = IB_STATE_OK,
    .changes = true,
    .operands_max = FILES_MAX,
};

/* --- check ---------------------------------------------------------------------------------- */

struct check_sum {
    size_t files, errors, warnings, unread;
    struct ib_value *json; /* array of files; NULL for text */
};

static enum ib_rc say_findings(const char *file, const struct ib_findings *f, struct check_sum *sum,
                               struct ib_output *out, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *list = ib_value_array();
    enum ib_rc rc = list == NULL ? ib_fail_nomem(err) : IB_OK;

    for (size_t i = 0; rc == IB_OK && i < f->count; i++) {
        IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT((size_t)64 * 1024);
        ib_finding_print(&f->items[i], file, &line);
        ib_output_line(out, "%s", ib_buf_c(&line));
        if (sum->json != NULL) {
            rc = ib_value_push(list, ib_finding_value(&f->items[i], file), err);
        }
    }
    if (f->cut) {
        ib_output_line(out, "%s: there is more, not shown", file);
    }
    if (rc != IB_OK || sum->json == NULL) {
        return rc;
    }
    struct ib_value *one = ib_value_object();
    rc = one == NULL ? ib_fail_nomem(err)
                     : ib_value_set(one, IB_STR("file"), ib_value_string(ib_str_from(file)), err);
    if (rc == IB_OK) {
        rc = ib_value_set(one, IB_STR("errors"), ib_value_int((int64_t)f->errors), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(one, IB_STR("warnings"), ib_value_int((int64_t)f->warnings), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(one, IB_STR("findings"), ib_value_ref(list), err);
    }
    if (rc != IB_OK) {
        ib_value_unref(one);
        return rc;
    }
    return ib_value_push(sum->json, one, err);
}

/* A file that cannot be read is reported like a finding, and the others are still looked at. */
static enum ib_rc check_one(const char *path, struct check_sum *sum, struct ib_output *out,
                            struct ib_error *err)
{
    IB_CLEANUP(ib_findings_fini) struct ib_findings findings = IB_FINDINGS_INIT;
    IB_CLEANUP(ib_arazzo_cleanup) struct ib_arazzo_doc *doc = NULL;
    const struct ib_check_options options = IB_SENDER_CHECK;
    const struct ib_place whole = {{0, 0}, ""};
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_arazzo_check_file(path, &options, &findings, &doc, &why);

    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    if (rc != IB_OK) {
        sum->unread++;
        ib_findings_add(&findings, IB_FINDING_ERROR, "file", whole, "%s", why.text);
    }
    sum->files++;
    sum->errors += findings.errors;
    sum->warnings += findings.warnings;
    return say_findings(path == NULL ? IB_ARAZZO_BUILTIN_NAME : path, &findings, sum, out, err);
}

static enum ib_state check_state(const struct check_sum *sum)
{
    if (sum->unread > 0) {
        return IB_STATE_UNKNOWN;
    }
    if (sum->errors > 0) {
        return IB_STATE_CRITICAL;
    }
    return sum->warnings > 0 ? IB_STATE_WARNING : IB_STATE_OK;
}

static enum ib_rc check_json(const struct check_sum *sum, struct ib_output *out,
                             struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_value_object();
    enum ib_state state = check_state(sum);
    enum ib_rc rc = v == NULL ? ib_fail_nomem(err) : IB_OK;

    if (rc == IB_OK) {
        rc = ib_value_set(v, IB_STR("program"), ib_value_string(ib_str_from(program.name)), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(v, IB_STR("state"), ib_value_string(ib_str_from(ib_state_name(state))),
                          err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(v, IB_STR("exitCode"), ib_value_int((int64_t)state), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(v, IB_STR("files"), ib_value_ref(sum->json), err);
    }
    if (rc == IB_OK) {
        ib_json_print(v, IB_JSON_COMPACT, &out->json);
        ib_buf_add_char(&out->json, '\n');
    }
    return rc;
}

static enum ib_rc check(const struct ib_workflow_options *o, const struct ib_option_list *files,
                        struct ib_output *out, enum ib_state *ret_state, struct ib_error *err)
{
    struct check_sum sum = {.files = 0};
    enum ib_rc rc = IB_OK;

    if (o->common.output == IB_OUTPUT_FORM_JSON) {
        sum.json = ib_value_array();
        rc = sum.json == NULL ? ib_fail_nomem(err) : IB_OK;
    }
    if (rc == IB_OK && files->count == 1) {
        rc = check_one(NULL, &sum, out, err);
    }
    for (size_t i = 1; rc == IB_OK && i < files->count; i++) {
        rc = check_one(files->items[i], &sum, out, err);
    }
    ib_output_text(out, "%zu document%s, %zu error%s, %zu warning%s", sum.files,
                   sum.files == 1 ? "" : "s", sum.errors, sum.errors == 1 ? "" : "s", sum.warnings,
                   sum.warnings == 1 ? "" : "s");
    *ret_state = check_state(&sum);
    if (rc == IB_OK && sum.json != NULL) {
        rc = check_json(&sum, out, err);
    }
    ib_value_unref(sum.json);
    return rc;
}

/* --- show ----------------------------------------------------------------------------------- */

static enum ib_rc show(const struct ib_workflow_options *o, const char *path, struct ib_output *out,
                       enum ib_state *ret_state, struct ib_error *err)
{
    IB_CLEANUP(ib_arazzo_cleanup) struct ib_arazzo_doc *doc = NULL;
    const struct ib_arazzo_workflow *w = NULL;
    /* Operations that could not be sent can be drawn. */
    enum ib_rc rc = ib_arazzo_open(path, /* options= */ NULL, &doc, err);

    if (rc == IB_OK && o->workflow != NULL) {
        rc = ib_arazzo_pick_workflow(doc, ib_str_from(o->workflow), &w, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    /* A drawing is for another program: nothing stands before it. */
    ib_arazzo_show(doc, w, (enum ib_show_format)o->format, &out->json);
    *ret_state = IB_STATE_OK;
    return IB_OK;
}

/* --- all ------------------------------------------------------------------------------------ */

static enum ib_rc one_file(const struct ib_option_list *operands, const char **ret,
                           struct ib_error *err)
{
    if (operands->count > 2) {
        return ib_fail(err, IB_EUSAGE, "%s takes one file; \"%s\" is one too many",
                       operands->items[0], operands->items[2]);
    }
    *ret = operands->count == 2 ? operands->items[1] : NULL;
    return IB_OK;
}

static enum ib_rc command(const struct ib_workflow_options *o,
                          const struct ib_option_list *operands, struct ib_output *out,
                          enum ib_state *ret_state, struct ib_error *err)
{
    const char *path = NULL;
    const char *name = operands->count == 0 ? "" : operands->items[0];

    if (strcmp(name, "check") == 0) {
        return check(o, operands, out, ret_state, err);
    }
    if (strcmp(name, "run") != 0 && strcmp(name, "show") != 0) {
        return name[0] == '\0'
                   ? ib_fail(err, IB_EUSAGE, "run, check or show?")
                   : ib_fail(err, IB_EUSAGE, "\"%s\" is none of run, check and show", name);
    }
    enum ib_rc rc = one_file(operands, &path, err);
    if (rc != IB_OK) {
        return rc;
    }
    return name[0] == 'r' ? ib_workflow_run(o, path, out, ret_state, err)
                          : show(o, path, out, ret_state, err);
}

int main(int argc, char **argv)
{
    struct ib_workflow_options o = {
        .common = IB_COMMON_INIT(TIMEOUT_MS),
        .max_steps = IB_RUN_STEPS_DEFAULT,
        .pace_ms = IB_RUN_PACE_DEFAULT_MS,
    };
    const struct ib_option_group groups[] = {
        {"Run", run_rows, IB_ARRAY_LEN(run_rows), &o},
        {"Show", show_rows, IB_ARRAY_LEN(show_rows), &o},
        ib_common_aws_group(&o.common),
        ib_common_group(&o.common),
    };
    struct ib_option_result options = IB_OPTION_RESULT_INIT;
    struct ib_output out = IB_OUTPUT_INIT;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_state state = IB_STATE_UNKNOWN;

    ib_start(&program);
    ib_start_options(groups, IB_ARRAY_LEN(groups), argc, argv, &options);
    bool json = o.common.output == IB_OUTPUT_FORM_JSON;
    ib_start_timeout(o.common.timeout_ms, IB_STATE_UNKNOWN, json);
    enum ib_rc rc = command(&o, &options.operands, &out, &state, &err);
    if (rc != IB_OK && o.common.diagnose) {
        const struct ib_diagnose_broken broken = {program.name, &o.common, ib_workflow_arn(&o),
                                                  &err};
        rc = ib_diagnose_broken(&broken, &out, &state, &err);
    }
    ib_option_list_fini(&o.inputs);
    ib_option_list_fini(&o.given);
    ib_option_result_fini(&options);
    if (rc != IB_OK) {
        ib_start_fail(&out, &err, IB_STATE_UNKNOWN, json);
    }
    ib_start_end(&out, state);
}
