/* SPDX-License-Identifier: MIT */
/* Reading the command line by a table, and showing the table. */
#include "lib/plugin/option.h"

#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

#define HELP_WIDTH  80 /* columns, as the plugin guidelines ask */
#define HELP_INDENT 26 /* column where the sentences begin */
#define HELP_LEFT   2  /* column where nothing begins left of, in a paragraph that is indented */
#define NAME_MAX_   96 /* bytes of "--long-name" in messages */

/* One use of an option on the command line. */
struct use {
    const struct ib_option *option;
    void *dest;
    char name[NAME_MAX_]; /* "--warning" or "-w", as it was written */
};

struct parser {
    const struct ib_program *program;
    const struct ib_option_group *groups;
    size_t group_count;
    int argc;
    char *const *argv;
    int at; /* argument to look at next */
    struct ib_option_result *ret;
};

void ib_option_list_fini(struct ib_option_list *list)
{
    free(list->items);
    *list = (struct ib_option_list){ 0 };
}

void ib_option_result_fini(struct ib_option_result *result)
{
    ib_buf_fini(&result->text);
    ib_option_list_fini(&result->operands);
}

static enum ib_rc list_add(struct ib_option_list *list, const char *value, const char *name,
                           struct ib_error *err)
{
    if (list->count >= IB_OPTION_LIST_MAX) {
        return ib_fail(err, IB_EUSAGE, "%s is given more than %d times", name, IB_OPTION_LIST_MAX);
    }
    const char **grown = reallocarray(list->items, list->count + 1, sizeof *grown);
    if (grown == NULL) {
        return ib_fail_nomem(err);
    }
    list->items = grown;
    list->items[list->count++] = value;
    return IB_OK;
}

static bool takes_value(enum ib_option_kind kind)
{
    return kind != IB_OPTION_FLAG && kind != IB_OPTION_COUNT && kind != IB_OPTION_HELP &&
           kind != IB_OPTION_VERSION;
}

static const struct ib_option *find(const struct parser *p, struct ib_str long_name,
                                    char short_name, void **ret_dest)
{
    for (size_t g = 0; g < p->group_count; g++) {
        for (size_t i = 0; i < p->groups[g].count; i++) {
            const struct ib_option *o = &p->groups[g].rows[i];
            bool is_it = short_name != '\0' ? o->short_name == short_name
                                            : ib_str_eq_c(long_name, o->long_name);
            if (is_it) {
                IB_ASSERT(p->groups[g].base != NULL); /* only --help may go without */
                *ret_dest = (char *)p->groups[g].base + o->offset;
                return o;
            }
        }
    }
    return NULL;
}

/* Errors of the value parsers are IB_EPARSE, IB_ELIMIT ...: on the command line all are usage. */
static enum ib_rc as_usage(enum ib_rc rc, struct ib_error *err)
{
    if (rc == IB_EPARSE || rc == IB_ELIMIT) {
        if (err != NULL) {
            err->rc = IB_EUSAGE;
        }
        return IB_EUSAGE;
    }
    return rc;
}

static enum ib_rc set_state(const struct use *use, struct ib_str value, struct ib_error *err)
{
    if (!ib_state_from(value, use->dest)) {
        return ib_fail(err, IB_EUSAGE, "%s: \"%.*s\" is not ok, warning, critical or unknown",
                       use->name, IB_STR_ARG(value));
    }
    return IB_OK;
}

static enum ib_rc set_choice(const struct use *use, struct ib_str value, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf all = IB_BUF_INIT(1024);
    int *dest = use->dest;

    for (int i = 0; use->option->choices[i] != NULL; i++) {
        if (ib_str_eq_c(value, use->option->choices[i])) {
            *dest = i;
            return IB_OK;
        }
        ib_buf_addf(&all, "%s%s", i == 0 ? "" : ", ", use->option->choices[i]);
    }
    return ib_fail(err, IB_EUSAGE, "%s: \"%.*s\" is none of %s", use->name, IB_STR_ARG(value),
                   ib_buf_c(&all));
}

static enum ib_rc set_duration(const struct use *use, struct ib_str value, struct ib_error *err)
{
    int64_t *dest = use->dest;
    int64_t max = use->option->max == 0 ? IB_DURATION_MAX_MS : use->option->max;
    int64_t ms;
    enum ib_rc rc = ib_duration_parse(value, use->name, &ms, err);

    if (rc != IB_OK) {
        return as_usage(rc, err);
    }
    if (ms < use->option->min || ms > max) {
        char lo[IB_TIME_TEXT_MAX], hi[IB_TIME_TEXT_MAX];
        return ib_fail(err, IB_EUSAGE, "%s: %.*s is outside %s..%s", use->name, IB_STR_ARG(value),
                       ib_duration_fmt(use->option->min, lo, sizeof lo),
                       ib_duration_fmt(max, hi, sizeof hi));
    }
    *dest = ms;
    return IB_OK;
}

static enum ib_rc set_value(const struct use *use, const char *text, struct ib_error *err)
{
    const struct ib_option *o = use->option;
    struct ib_str value = ib_str_from(text);

    if (value.n == 0) {
        return ib_fail(err, IB_EUSAGE, "%s: its value is empty", use->name);
    }
    switch (o->kind) {
    case IB_OPTION_TEXT:
        *(const char **)use->dest = text;
        return IB_OK;
    case IB_OPTION_LIST:
        return list_add(use->dest, text, use->name, err);
    case IB_OPTION_INT:
        return as_usage(ib_num_i64(value, o->min, o->max, use->name, use->dest, err), err);
    case IB_OPTION_DURATION:
        return set_duration(use, value, err);
    case IB_OPTION_RANGE:
        return as_usage(ib_range_parse(value, IB_RANGE_NUMBER, use->name, use->dest, err), err);
    case IB_OPTION_AGE:
        return as_usage(ib_range_parse(value, IB_RANGE_SECONDS, use->name, use->dest, err), err);
    case IB_OPTION_STATE:
        return set_state(use, value, err);
    case IB_OPTION_CHOICE:
        return set_choice(use, value, err);
    case IB_OPTION_CALL: {
        enum ib_rc rc = o->parse(o, text, use->dest, err);
        return rc == IB_OK ? IB_OK : as_usage(ib_error_context(err, "%s", use->name), err);
    }
    case IB_OPTION_FLAG:
    case IB_OPTION_COUNT:
    case IB_OPTION_HELP:
    case IB_OPTION_VERSION:
        break;
    }
    return ib_fail(err, IB_EBUG, "option %s takes no value", use->name);
}

static void show(struct parser *p, enum ib_option_kind kind)
{
    p->ret->outcome = IB_OPTION_SHOW;
    if (kind == IB_OPTION_HELP) {
        ib_option_help(p->program, p->groups, p->group_count, &p->ret->text);
    } else {
        ib_buf_addf(&p->ret->text, "%s %s\n", p->program->name, PACKAGE_VERSION);
    }
}

static void set_bare(struct parser *p, const struct use *use)
{
    if (use->option->kind == IB_OPTION_FLAG) {
        *(bool *)use->dest = true;
    } else if (use->option->kind == IB_OPTION_COUNT) {
        int *count = use->dest;
        if (*count < use->option->max) {
            (*count)++;
        }
    } else {
        show(p, use->option->kind);
    }
}

/* The value that stands in the next argument. */
static enum ib_rc separate_value(struct parser *p, const struct use *use, const char **ret,
                                 struct ib_error *err)
{
    const char *arg = use->option->arg;

    if (p->at >= p->argc) {
        return ib_fail(err, IB_EUSAGE, "%s: its value %s is missing", use->name, arg);
    }
    const char *value = p->argv[p->at++];
    if (strncmp(value, "--", 2) == 0) {
        return ib_fail(err, IB_EUSAGE,
                       "%s: its value %s is missing before \"%s\" (if that is the value: --%s=%s)",
                       use->name, arg, value, use->option->long_name, value);
    }
    *ret = value;
    return IB_OK;
}

static enum ib_rc parse_long(struct parser *p, const char *text, struct ib_error *err)
{
    struct ib_str rest = ib_str_from(text);
    struct ib_str name = ib_str_split(&rest, '=');
    struct use use = { 0 };

    if (ib_str_eq_c(name, "help-table") && rest.p == NULL) {
        p->ret->outcome = IB_OPTION_SHOW;
        ib_option_table(p->groups, p->group_count, &p->ret->text);
        return IB_OK;
    }
    (void)snprintf(use.name, sizeof use.name, "--%.*s", IB_STR_ARG(name));
    use.option = name.n == 0 ? NULL : find(p, name, '\0', &use.dest);
    if (use.option == NULL) {
        return ib_fail(err, IB_EUSAGE, "unknown option %s", use.name);
    }
    if (!takes_value(use.option->kind)) {
        if (rest.p != NULL) {
            return ib_fail(err, IB_EUSAGE, "%s takes no value", use.name);
        }
        set_bare(p, &use);
        return IB_OK;
    }
    const char *value = rest.p;
    if (value == NULL) {
        enum ib_rc rc = separate_value(p, &use, &value, err);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return set_value(&use, value, err);
}

/* text: what follows the dash, at least one character; flags may stand in a row (-vvh). */
static enum ib_rc parse_short(struct parser *p, const char *text, struct ib_error *err)
{
    for (; *text != '\0' && p->ret->outcome == IB_OPTION_RUN; text++) {
        struct use use = { 0 };
        size_t len = ib_utf8_len(text, strlen(text));

        (void)snprintf(use.name, sizeof use.name, "-%.*s", len == 0 ? 1 : (int)len, text);
        use.option = find(p, (struct ib_str){ NULL, 0 }, *text, &use.dest);
        if (use.option == NULL) {
            return ib_fail(err, IB_EUSAGE, "unknown option %s", use.name);
        }
        if (takes_value(use.option->kind)) {
            const char *value = text + 1;
            if (*value == '\0') {
                enum ib_rc rc = separate_value(p, &use, &value, err);
                if (rc != IB_OK) {
                    return rc;
                }
            }
            return set_value(&use, value, err);
        }
        set_bare(p, &use);
    }
    return IB_OK;
}

static enum ib_rc parse_operand(struct parser *p, const char *text, struct ib_error *err)
{
    if (p->ret->operands.count >= p->program->operands_max) {
        return p->program->operands_max == 0
                   ? ib_fail(err, IB_EUSAGE, "\"%s\" belongs to no option", text)
                   : ib_fail(err, IB_EUSAGE, "\"%s\" is one argument too many", text);
    }
    return list_add(&p->ret->operands, text, "operand", err);
}

enum ib_rc ib_option_parse(const struct ib_program *program, const struct ib_option_group *groups,
                           size_t group_count, int argc, char *const *argv,
                           struct ib_option_result *ret, struct ib_error *err)
{
    struct parser p = { .program = program, .groups = groups, .group_count = group_count,
                        .argc = argc, .argv = argv, .at = 1, .ret = ret };
    bool only_operands = false;

    ret->outcome = IB_OPTION_RUN;
    while (p.at < argc && ret->outcome == IB_OPTION_RUN) {
        const char *arg = argv[p.at++];
        enum ib_rc rc;

        if (only_operands || arg[0] != '-' || arg[1] == '\0') {
            rc = parse_operand(&p, arg, err);
        } else if (strcmp(arg, "--") == 0) {
            only_operands = true;
            rc = IB_OK;
        } else if (arg[1] == '-') {
            rc = parse_long(&p, arg + 2, err);
        } else {
            rc = parse_short(&p, arg + 1, err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return ib_buf_ok(&ret->text, "help", err);
}

/* Where a line begins whose first word is this wide: further left when it does not fit otherwise. */
static size_t indent_for(size_t indent, size_t width)
{
    if (indent + width <= HELP_WIDTH) {
        return indent;
    }
    return width + HELP_LEFT <= HELP_WIDTH ? HELP_WIDTH - width : HELP_LEFT;
}

/*
 * Words of text, wrapped between column `indent` and the width; the cursor stands at `column`. A
 * word is never broken: one that is too wide, such as a path, stands on a line of its own, and only
 * a word that is wider than all of a line passes the width. glue: what ends a line that goes on.
 */
static void wrap(struct ib_buf *out, const char *text, size_t indent, size_t column,
                 const char *glue)
{
    struct ib_str rest = ib_str_from(text);
    size_t limit = HELP_WIDTH - strlen(glue);
    bool first = true;

    while (rest.n > 0) {
        struct ib_str word = ib_str_split(&rest, ' ');
        size_t width = ib_utf8_count(word.p, word.n);

        if (!first && column + 1 + width > (rest.n > 0 ? limit : HELP_WIDTH)) {
            column = indent_for(indent, width + (rest.n > 0 ? HELP_WIDTH - limit : 0));
            ib_buf_addf(out, "%s\n%*s", glue, (int)column, "");
        } else if (!first) {
            ib_buf_add_char(out, ' ');
            column++;
        }
        ib_buf_add_str(out, word);
        column += width;
        first = false;
    }
    ib_buf_add_char(out, '\n');
}

/* The default as --help shows it; "" for none. */
static const char *default_of(const struct ib_option_group *group, const struct ib_option *option,
                              char *buf, size_t cap)
{
    if (option->def != NULL || option->kind != IB_OPTION_DURATION || group->base == NULL) {
        return option->def == NULL ? "" : option->def;
    }
    int64_t ms;
    memcpy(&ms, (const char *)group->base + option->offset, sizeof ms);
    return ms == 0 ? "" : ib_duration_fmt(ms, buf, cap);
}

static void help_row(const struct ib_option_group *group, const struct ib_option *option,
                     struct ib_buf *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(4096);
    char def_text[IB_TIME_TEXT_MAX];
    const char *def = default_of(group, option, def_text, sizeof def_text);
    size_t start = out->len;

    if (option->short_name != '\0') {
        ib_buf_addf(out, "  -%c, --%s", option->short_name, option->long_name);
    } else {
        ib_buf_addf(out, "      --%s", option->long_name);
    }
    if (option->arg != NULL) {
        ib_buf_addf(out, " %s", option->arg);
    }
    size_t column = out->len - start;
    if (column + 2 > HELP_INDENT) {
        ib_buf_addf(out, "\n%*s", HELP_INDENT, "");
    } else {
        ib_buf_addf(out, "%*s", (int)(HELP_INDENT - column), "");
    }
    ib_buf_add_c(&text, option->help);
    if (def[0] != '\0') {
        ib_buf_addf(&text, " (default %s)", def);
    }
    wrap(out, ib_buf_c(&text), HELP_INDENT, HELP_INDENT, "");
}

void ib_option_help(const struct ib_program *program, const struct ib_option_group *groups,
                    size_t group_count, struct ib_buf *out)
{
    size_t indent = strlen("Usage: ");

    ib_buf_addf(out, "%s - ", program->name);
    wrap(out, program->summary, 2, strlen(program->name) + 3, "");
    ib_buf_add_char(out, '\n');
    for (size_t i = 0; program->usage[i] != NULL; i++) {
        ib_buf_addf(out, "%s%s ", i == 0 ? "Usage: " : "       ", program->name);
        wrap(out, program->usage[i], indent + 4, indent + strlen(program->name) + 1, "");
    }
    for (size_t g = 0; g < group_count; g++) {
        ib_buf_addf(out, "\n%s\n", groups[g].heading);
        for (size_t i = 0; i < groups[g].count; i++) {
            if (!groups[g].rows[i].hidden) {
                help_row(&groups[g], &groups[g].rows[i], out);
            }
        }
    }
    for (size_t i = 0; program->notes != NULL && program->notes[i] != NULL; i++) {
        ib_buf_add_char(out, '\n');
        wrap(out, program->notes[i], 0, 0, "");
    }
    if (program->examples != NULL && program->examples[0] != NULL) {
        ib_buf_add_c(out, "\nExamples\n");
        for (size_t i = 0; program->examples[i] != NULL; i++) {
            ib_buf_add_c(out, "  ");
            wrap(out, program->examples[i], 6, 2, " \\");
        }
    }
}

static const char *kind_name(enum ib_option_kind kind)
{
    switch (kind) {
    case IB_OPTION_FLAG:
        return "flag";
    case IB_OPTION_COUNT:
        return "count";
    case IB_OPTION_TEXT:
        return "text";
    case IB_OPTION_LIST:
        return "list";
    case IB_OPTION_INT:
        return "int";
    case IB_OPTION_DURATION:
        return "duration";
    case IB_OPTION_RANGE:
        return "range";
    case IB_OPTION_AGE:
        return "age-range";
    case IB_OPTION_STATE:
        return "state";
    case IB_OPTION_CHOICE:
        return "choice";
    case IB_OPTION_CALL:
        return "special";
    case IB_OPTION_HELP:
        return "help";
    case IB_OPTION_VERSION:
        return "version";
    }
    return "";
}

void ib_option_table(const struct ib_option_group *groups, size_t group_count, struct ib_buf *out)
{
    for (size_t g = 0; g < group_count; g++) {
        for (size_t i = 0; i < groups[g].count; i++) {
            const struct ib_option *o = &groups[g].rows[i];
            char short_name[2] = { o->short_name, '\0' };
            char def[IB_TIME_TEXT_MAX];

            ib_buf_addf(out, "%s\t%s\t%s\t%s", groups[g].heading, short_name, o->long_name,
                        kind_name(o->kind));
            for (size_t c = 0; o->choices != NULL && o->choices[c] != NULL; c++) {
                ib_buf_addf(out, "%c%s", c == 0 ? ':' : '|', o->choices[c]);
            }
            ib_buf_addf(out, "\t%s\t%s\t%s\t%s\n", o->arg == NULL ? "" : o->arg,
                        default_of(&groups[g], o, def, sizeof def), o->hidden ? "hidden" : "",
                        o->help);
        }
    }
}
