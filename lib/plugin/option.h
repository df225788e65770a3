/* SPDX-License-Identifier: MIT */
/*
 * The command line from one table. A row gives an option's names, kind, destination, argument
 * name and help; from the rows come parser, --help, --help-table (for man pages, completion and
 * tests). Values are checked while they are read.
 *
 * Not getopt_long: it takes abbreviations (--any for --any-age), obeys POSIXLY_CORRECT and keeps
 * global state. Accepted: --name value, --name=value, -x value, -xvalue, -vvv, "--" before
 * operands. An empty value is an error (a macro that was not set), and so is a separate value that
 * starts with "--" (a forgotten value); --name=--text passes one.
 */
#ifndef IB_PLUGIN_OPTION_H
#define IB_PLUGIN_OPTION_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/plugin/range.h"
#include "lib/plugin/state.h"

enum ib_option_kind {
    IB_OPTION_FLAG,     /* bool: set to true */
    IB_OPTION_COUNT,    /* int: one more per use, at most max */
    IB_OPTION_TEXT,     /* const char *: points into argv, never empty */
    IB_OPTION_LIST,     /* struct ib_option_list: every use adds one */
    IB_OPTION_INT,      /* int64_t: min..max */
    IB_OPTION_DURATION, /* int64_t milliseconds: min..max (milliseconds; max 0 = ten years) */
    IB_OPTION_RANGE,    /* struct ib_range of numbers */
    IB_OPTION_AGE,      /* struct ib_range of seconds or durations */
    IB_OPTION_STATE,    /* enum ib_state: ok, warning, critical, unknown */
    IB_OPTION_CHOICE,   /* int: index into choices */
    IB_OPTION_CALL,     /* whatever parse() makes of it; repeatable */
    IB_OPTION_HELP,
    IB_OPTION_VERSION,
};

#define IB_OPTION_LIST_MAX 1024 /* uses of one repeatable option */

/* Values of a repeatable option in their order; they point into argv. */
struct ib_option_list {
    const char **items; /* heap */
    size_t count;
};
void ib_option_list_fini(struct ib_option_list *list);

struct ib_option;
/* dest is the group's base plus the row's offset. Errors: IB_EUSAGE or the parser's own. */
typedef enum ib_rc (*ib_option_parse_fn)(const struct ib_option *option, const char *value,
                                         void *dest, struct ib_error *err);

struct ib_option {
    const char *long_name; /* without dashes */
    char short_name;       /* 0 = none */
    enum ib_option_kind kind;
    size_t offset;         /* of the destination in the group's base */
    const char *arg;       /* name of the value in --help; NULL for FLAG, COUNT, HELP, VERSION */
    const char *help;      /* sentence; "%s" does not expand */
    const char *def;       /* default for --help; NULL = none, for DURATION the destination's value */
    int64_t min, max;
    const char *const *choices; /* CHOICE: names, NULL at the end */
    ib_option_parse_fn parse;   /* CALL */
    bool hidden;                /* not in --help */
};

struct ib_option_group {
    const char *heading;
    const struct ib_option *rows;
    size_t count;
    void *base;
};

/* A program as --help and --version show it. */
struct ib_program {
    const char *name;     /* "check_ib_image" */
    const char *prefix;   /* of the first line: "IB_IMAGE" */
    const char *summary;  /* one sentence */
    const char *const *usage;    /* lines after "Usage: ", NULL at the end; without the name */
    const char *const *notes;    /* paragraphs after the options, NULL at the end; may be NULL */
    const char *const *examples; /* command lines, NULL at the end; may be NULL */
    enum ib_state help_state;    /* exit code of --help and --version: check_* UNKNOWN, ib_* OK */
    bool changes;         /* it changes something at AWS: a timeout says "outcome unknown" */
    const char *hint;     /* said with it: what to do then; NULL = nothing */
    size_t operands_max;  /* how many operands it takes; 0 = leftovers are errors */
};

enum ib_option_outcome {
    IB_OPTION_RUN,  /* go on */
    IB_OPTION_SHOW, /* --help, --version or --help-table: text is ready */
};

struct ib_option_result {
    enum ib_option_outcome outcome;
    struct ib_buf text;             /* what to show */
    struct ib_option_list operands;
};
#define IB_OPTION_RESULT_INIT { .text = IB_BUF_INIT(256 * 1024) }
void ib_option_result_fini(struct ib_option_result *result);

/*
 * Read argv[1..argc-1]. Later uses win for single options. Nothing but argv is looked at. --help and
 * --version win as soon as they are met.
 * Errors: IB_EUSAGE, one line that names the option, the value and the rule; IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_option_parse(const struct ib_program *program,
                                        const struct ib_option_group *groups, size_t group_count,
                                        int argc, char *const *argv, struct ib_option_result *ret,
                                        struct ib_error *err);

/* --help: 80 columns, but for a word (a path) wider than a line; examples can be pasted. */
void ib_option_help(const struct ib_program *program, const struct ib_option_group *groups,
                    size_t group_count, struct ib_buf *out);
/* One row per line, tab separated: heading, short, long, kind, argument, default, hidden, help. */
void ib_option_table(const struct ib_option_group *groups, size_t group_count, struct ib_buf *out);

#endif
