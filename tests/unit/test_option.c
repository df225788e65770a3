/* SPDX-License-Identifier: MIT */
/* The command line: every kind of option, every way to get it wrong, and the help. */
#include "ib_test.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/plugin/common.h"
#include "lib/plugin/option.h"

struct options {
    bool flag;
    int verbose, form;
    const char *text;
    struct ib_option_list list;
    int64_t number, duration_ms;
    struct ib_range range, age;
    enum ib_state state;
    char special[32];
};

static enum ib_rc parse_special(const struct ib_option *option, const char *value, void *dest,
                                struct ib_error *err)
{
    assert_string_equal(option->long_name, "special");
    if (strlen(value) > 8) {
        return ib_fail(err, IB_EPARSE, "\"%s\" is too special", value);
    }
    (void)snprintf(dest, 32, "<%s>", value);
    return IB_OK;
}

static const char *const forms[] = { "text", "json", NULL };
#define AT(m) offsetof(struct options, m)
static const struct ib_option rows_of_test[] = {
    { .long_name = "flag", .short_name = 'f', .kind = IB_OPTION_FLAG, .offset = AT(flag),
      .help = "a flag" },
    { .long_name = "verbose", .short_name = 'v', .kind = IB_OPTION_COUNT, .offset = AT(verbose),
      .max = 3, .help = "more" },
    { .long_name = "text", .short_name = 'x', .kind = IB_OPTION_TEXT, .offset = AT(text),
      .arg = "TEXT", .help = "some text that is so long that the help must wrap it over two lines",
      .def = "none" },
    { .long_name = "list", .short_name = 'l', .kind = IB_OPTION_LIST, .offset = AT(list),
      .arg = "ITEM", .help = "repeatable" },
    { .long_name = "number", .short_name = 'n', .kind = IB_OPTION_INT, .offset = AT(number),
      .arg = "N", .min = 1, .max = 64, .help = "a number" },
    { .long_name = "duration", .short_name = 'd', .kind = IB_OPTION_DURATION,
      .offset = AT(duration_ms), .arg = "DUR", .min = IB_SECOND_MS, .max = IB_HOUR_MS,
      .help = "a time" },
    { .long_name = "range", .short_name = 'w', .kind = IB_OPTION_RANGE, .offset = AT(range),
      .arg = "RANGE", .help = "a range" },
    { .long_name = "age", .kind = IB_OPTION_AGE, .offset = AT(age), .arg = "RANGE",
      .help = "an age" },
    { .long_name = "state", .kind = IB_OPTION_STATE, .offset = AT(state), .arg = "STATE",
      .help = "a state" },
    { .long_name = "output", .kind = IB_OPTION_CHOICE, .offset = AT(form), .arg = "FORM",
      .choices = forms, .help = "a form" },
    { .long_name = "special", .kind = IB_OPTION_CALL, .offset = AT(special), .arg = "S",
      .parse = parse_special, .help = "special" },
    { .long_name = "secret-knob", .kind = IB_OPTION_FLAG, .offset = AT(flag), .help = "hidden",
      .hidden = true },
    { .long_name = "help", .short_name = 'h', .kind = IB_OPTION_HELP, .help = "help" },
    { .long_name = "version", .short_name = 'V', .kind = IB_OPTION_VERSION, .help = "version" },
};

static const char *const usage[] = { "[options]", "--also THIS", NULL };
static const char *const examples[] = { "check_x -w 5", NULL };
static const char *const notes[] = { "A note.", NULL };
static const struct ib_program program = {
    .name = "check_x", .prefix = "X", .summary = "sees X", .usage = usage, .examples = examples,
    .notes = notes, .help_state = IB_STATE_UNKNOWN, .operands_max = 0,
};

struct run {
    struct options o;
    struct ib_option_result result;
    struct ib_error err;
    enum ib_rc rc;
};

/* args: words separated by one blank; "_" stands for an empty word. */
static void run(struct run *r, const char *args, size_t operands_max)
{
    static char words[1024];
    char *argv[32] = { (char *)(uintptr_t)"check_x" };
    int argc = 1;
    struct ib_program p = program;
    struct ib_option_group group = { "Test", rows_of_test, IB_ARRAY_LEN(rows_of_test), &r->o };

    (void)snprintf(words, sizeof words, "%s", args);
    for (char *at = words; *at != '\0' && argc < 31;) {
        size_t n = strcspn(at, " ");
        bool more = at[n] == ' ';
        at[n] = '\0';
        argv[argc++] = strcmp(at, "_") == 0 ? at + 1 : at;
        at += n + (more ? 1 : 0);
    }
    p.operands_max = operands_max;
    *r = (struct run){ .result = IB_OPTION_RESULT_INIT };
    r->rc = ib_option_parse(&p, &group, 1, argc, argv, &r->result, &r->err);
}

static void end(struct run *r)
{
    ib_option_list_fini(&r->o.list);
    ib_option_result_fini(&r->result);
}

struct bad_row {
    const char *name, *args, *sentence;
};
static const struct bad_row bad_rows[] = {
    { "an_unknown_long_option_is_named", "--nope", "unknown option --nope" },
    { "an_unknown_short_option_is_named", "-q", "unknown option -q" },
    { "an_unknown_option_among_bundled_ones_is_named", "-vqv", "unknown option -q" },
    { "an_abbreviation_is_not_taken", "--verb", "unknown option --verb" },
    { "an_option_of_other_case_is_not_taken", "--Flag", "unknown option --Flag" },
    { "three_dashes_are_no_option", "---flag", "unknown option ---flag" },
    { "an_equals_sign_without_name_is_no_option", "--=5", "unknown option --" },
    { "a_missing_value_is_told", "--text", "--text: its value TEXT is missing" },
    { "a_missing_value_of_a_short_option_is_told", "-x", "-x: its value TEXT is missing" },
    { "a_missing_value_before_an_option_is_told", "--text --flag",
      "--text: its value TEXT is missing before \"--flag\"" },
    { "an_empty_value_is_refused", "--text _", "--text: its value is empty" },
    { "an_empty_value_behind_an_equals_sign_is_refused", "--text=", "--text: its value is empty" },
    { "an_empty_list_item_is_refused", "-l _", "-l: its value is empty" },
    { "a_flag_takes_no_value", "--flag=yes", "--flag takes no value" },
    { "a_leftover_word_is_refused", "-v left", "\"left\" belongs to no option" },
    { "a_word_after_two_dashes_is_refused", "-- -v", "\"-v\" belongs to no option" },
    { "a_dash_alone_is_refused", "-", "\"-\" belongs to no option" },
    { "an_empty_word_is_refused", "_", "\"\" belongs to no option" },
    { "a_number_with_letters_is_refused", "-n 5x", "-n" },
    { "a_number_too_small_is_refused", "-n 0", "1..64" },
    { "a_number_too_large_is_refused", "-n 65", "1..64" },
    { "a_number_far_too_large_is_refused", "-n 99999999999999999999", "-n" },
    { "a_duration_that_is_none_is_refused", "-d soon", "\"soon\" is not a duration" },
    { "a_duration_too_short_is_refused", "-d 0", "outside 1s..1h 0m" },
    { "a_duration_too_long_is_refused", "-d 2h", "outside 1s..1h 0m" },
    { "a_range_upside_down_is_refused", "-w 5:1", "-w: \"5:1\" is not a range: its start" },
    { "a_range_with_letters_is_refused", "--range=10abc", "--range: \"10abc\" is not a range" },
    { "an_age_of_unknown_unit_is_refused", "--age 5y", "--age: \"5y\" is not a range" },
    { "a_state_that_is_none_is_refused", "--state bad",
      "--state: \"bad\" is not ok, warning, critical or unknown" },
    { "a_choice_that_is_none_is_refused_and_all_are_told", "--output xml",
      "--output: \"xml\" is none of text, json" },
    { "an_own_parser_tells_its_rule", "--special muchtoospecial",
      "--special: \"muchtoospecial\" is too special" },
};
static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct run run_;

    run(&run_, r->args, 0);
    assert_int_equal(run_.rc, IB_EUSAGE);
    assert_int_equal(run_.err.rc, IB_EUSAGE);
    assert_contains(run_.err.text, r->sentence);
    end(&run_);
}

static void values_are_taken_in_all_four_forms(void **state)
{
    struct run r;

    (void)state;
    run(&r, "--text=a=b -n5 -d 45m --list one -ltwo --list=--three", 0);
    assert_ok(r.rc, &r.err);
    assert_string_equal(r.o.text, "a=b");
    assert_int_equal(r.o.number, 5);
    assert_int_equal(r.o.duration_ms, 45 * IB_MINUTE_MS);
    assert_int_equal(r.o.list.count, 3);
    assert_string_equal(r.o.list.items[0], "one");
    assert_string_equal(r.o.list.items[1], "two");
    assert_string_equal(r.o.list.items[2], "--three");
    end(&r);
}

static void every_kind_finds_its_place(void **state)
{
    struct run r;

    (void)state;
    run(&r, "-f -w @10:20 --age 1h30m --state CRITICAL --output json --special x", 0);
    assert_ok(r.rc, &r.err);
    assert_true(r.o.flag);
    assert_true(r.o.range.inside);
    assert_true(r.o.age.end > 5399 && r.o.age.end < 5401);
    assert_int_equal(r.o.state, IB_STATE_CRITICAL);
    assert_int_equal(r.o.form, 1);
    assert_string_equal(r.o.special, "<x>");
    end(&r);
}

static void a_value_may_begin_with_one_dash(void **state)
{
    struct run r;

    (void)state;
    run(&r, "-w -5:10 --range -6:", 0);
    assert_ok(r.rc, &r.err);
    assert_string_equal(r.o.range.text, "-6:");
    end(&r);
}

static void bundled_counts_stop_at_their_maximum(void **state)
{
    struct run r;

    (void)state;
    run(&r, "-vfv -vv --verbose", 0);
    assert_ok(r.rc, &r.err);
    assert_int_equal(r.o.verbose, 3);
    assert_true(r.o.flag);
    end(&r);
}

static void the_later_use_of_a_single_option_wins(void **state)
{
    struct run r;

    (void)state;
    run(&r, "-x one --text two", 0);
    assert_ok(r.rc, &r.err);
    assert_string_equal(r.o.text, "two");
    end(&r);
}

static void operands_are_kept_in_order_when_allowed(void **state)
{
    struct run r;

    (void)state;
    run(&r, "one -f two -- -x", 3);
    assert_ok(r.rc, &r.err);
    assert_int_equal(r.result.operands.count, 3);
    assert_string_equal(r.result.operands.items[0], "one");
    assert_string_equal(r.result.operands.items[2], "-x");
    end(&r);
    run(&r, "one two", 1);
    assert_int_equal(r.rc, IB_EUSAGE);
    assert_contains(r.err.text, "\"two\" is one argument too many");
    end(&r);
}

static void version_shows_name_and_number(void **state)
{
    struct run r;

    (void)state;
    run(&r, "-V", 0);
    assert_ok(r.rc, &r.err);
    assert_int_equal(r.result.outcome, IB_OPTION_SHOW);
    assert_string_equal(ib_buf_c(&r.result.text), "check_x " PACKAGE_VERSION "\n");
    end(&r);
}

static void help_ends_the_reading(void **state)
{
    struct run r;

    (void)state;
    run(&r, "-vh --nope", 0);
    assert_ok(r.rc, &r.err);
    assert_int_equal(r.result.outcome, IB_OPTION_SHOW);
    assert_contains(ib_buf_c(&r.result.text), "Usage: check_x [options]");
    assert_contains(ib_buf_c(&r.result.text), "       check_x --also THIS");
    assert_contains(ib_buf_c(&r.result.text), "-x, --text TEXT");
    assert_contains(ib_buf_c(&r.result.text), "(default none)");
    assert_contains(ib_buf_c(&r.result.text), "A note.");
    assert_contains(ib_buf_c(&r.result.text), "check_x -w 5");
    assert_null(strstr(ib_buf_c(&r.result.text), "secret-knob"));
    end(&r);
}

/* The help of one option with this default; the widest line is what is asked for. */
static void help_of(const char *def, struct ib_buf *out)
{
    const struct ib_option row = { .long_name = "config", .kind = IB_OPTION_TEXT, .arg = "FILE",
                                   .help = "file to read", .def = def };
    struct ib_option_group group = { "Test", &row, 1, NULL };

    ib_option_help(&program, &group, 1, out);
}

#define TEN "/234567890"
struct width_row {
    const char *name, *path, *wanted;
};
static const struct width_row width_rows[] = {
    { "a_path_that_fits_stays_in_its_column", TEN TEN TEN TEN TEN,
      "file to read (default\n                          " TEN TEN TEN TEN TEN ")\n" },
    { "a_path_wider_than_its_column_moves_left", TEN TEN TEN TEN TEN TEN TEN,
      "file to read (default\n         " TEN TEN TEN TEN TEN TEN TEN ")\n" },
    { "a_path_wider_than_a_line_has_one_of_its_own",
      TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN " when it is there",
      "file to read (default\n  " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
      "\n                          when it is there)\n" },
};
static void test_width(void **state)
{
    const struct width_row *r = *state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(64 * 1024);

    help_of(r->path, &out);
    assert_contains(ib_buf_c(&out), r->wanted);
}

static void help_stays_within_80_columns(void **state)
{
    struct ib_common common = IB_COMMON_INIT(30 * IB_SECOND_MS);
    struct ib_option_group groups[] = {
        { "Test", rows_of_test, IB_ARRAY_LEN(rows_of_test), NULL },
        ib_common_aws_group(&common),
        ib_common_group(&common),
    };
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(64 * 1024);

    (void)state;
    ib_option_help(&program, groups, IB_ARRAY_LEN(groups), &out);
    struct ib_str rest = ib_buf_str(&out);
    assert_true(rest.n > 1000);
    while (rest.n > 0) {
        struct ib_str line = ib_str_split(&rest, '\n');
        struct ib_str word = ib_str_trim(line);
        /* The configured directory may be wider than a line. */
        bool is_path = word.n > 78 && word.p[0] == '/' && memchr(word.p, ' ', word.n) == NULL;
        if (ib_utf8_count(line.p, line.n) > 80 && !is_path) {
            fail_msg("longer than 80 columns: %.*s", IB_STR_ARG(line));
        }
    }
    assert_contains(ib_buf_c(&out), "(default 30s)");
}

static void a_long_example_is_wrapped_so_that_it_can_be_pasted(void **state)
{
    static const char *const lines[] = {
        "check_x --first 1111111111111111111 --second 2222222222222222 --third 33333333 -x", NULL
    };
    struct ib_program p = program;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(64 * 1024);

    (void)state;
    p.examples = lines;
    ib_option_help(&p, NULL, 0, &out);
    assert_contains(ib_buf_c(&out), "  check_x --first 1111111111111111111 --second "
                                    "2222222222222222 --third \\\n      33333333 -x\n");
}

static void the_table_has_a_row_for_each_option_hidden_ones_too(void **state)
{
    struct run r;
    size_t lines = 0;

    (void)state;
    run(&r, "--help-table", 0);
    assert_ok(r.rc, &r.err);
    struct ib_str rest = ib_buf_str(&r.result.text);
    while (rest.n > 0) {
        (void)ib_str_split(&rest, '\n');
        lines++;
    }
    assert_int_equal(lines, IB_ARRAY_LEN(rows_of_test));
    assert_contains(ib_buf_c(&r.result.text), "Test\tx\ttext\ttext\tTEXT\tnone\t\tsome text");
    assert_contains(ib_buf_c(&r.result.text), "\tsecret-knob\tflag\t\t\thidden\thidden");
    assert_contains(ib_buf_c(&r.result.text), "\toutput\tchoice:text|json\tFORM");
    end(&r);
}

int main(void)
{
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_CASE(values_are_taken_in_all_four_forms);
    IB_TEST_CASE(every_kind_finds_its_place);
    IB_TEST_CASE(a_value_may_begin_with_one_dash);
    IB_TEST_CASE(bundled_counts_stop_at_their_maximum);
    IB_TEST_CASE(the_later_use_of_a_single_option_wins);
    IB_TEST_CASE(operands_are_kept_in_order_when_allowed);
    IB_TEST_CASE(version_shows_name_and_number);
    IB_TEST_CASE(help_ends_the_reading);
    IB_TEST_CASE(help_stays_within_80_columns);
    IB_TEST_ROWS(width_rows, test_width);
    IB_TEST_CASE(a_long_example_is_wrapped_so_that_it_can_be_pasted);
    IB_TEST_CASE(the_table_has_a_row_for_each_option_hidden_ones_too);
    return IB_TEST_RUN();
}
