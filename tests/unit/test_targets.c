/* SPDX-License-Identifier: MIT */
/* lib/watch/targets.c: ib-plugins.conf, its rules, and who said what. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/watch/targets.h"

static const char whole[] =
    "state_dir = \"/srv/ib\";\n"
    "defaults: { region = \"eu-central-1\"; profile = \"monitoring\"; warning = \"45m\"; critical = \"90m\";\n"
    "            cancel: { minimum_age = \"10m\"; }; };\n"
    "targets: {\n"
    "  web-server: { pipeline = \"arn:aws:imagebuilder:eu-central-1:123456789012:image-pipeline/web-server\";\n"
    "                critical = \"2h\"; phases: { TESTING = [ \"20m\", \"40m\" ]; };\n"
    "                map: { FAILED = \"warning\"; };\n"
    "                cancel: { enabled = true; max_per_hour = 2; confirm = \"20s\"; states = [ \"BUILDING\", \"TESTING\" ]; }; };\n"
    "  golden: { image = [ \"golden-ami\", \"golden-arm\" ]; none = \"ok\"; };\n"
    "  account: { all = true; lookback = \"1d\"; region = \"us-east-1\"; };\n"
    "};\n"
    "cancel: { allow = [ \"arn:aws:imagebuilder:*:123456789012:image/web-*\" ]; max_per_hour = 5; retry_for = \"1h\"; };\n"
    "feedback: { nagios: { command_file = \"/var/lib/nagios4/rw/nagios.cmd\"; }; };\n";

static void settings_come_from_target_defaults_and_program(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_watch_config c;
    const struct ib_target *t = NULL;

    assert_ok(ib_watch_config_parse(ib_str_from(whole), "ib.conf", &c, &err), &err);
    assert_string_equal(c.state_dir, "/srv/ib");
    assert_int_equal(c.target_count, 3);
    assert_true(c.has_allow);
    assert_int_equal(c.max_per_hour, 5);
    assert_int_equal(c.retry_for_ms, IB_HOUR_MS);
    assert_string_equal(c.feedback.nagios_command_file, "/var/lib/nagios4/rw/nagios.cmd");

    assert_ok(ib_watch_config_target(&c, "web-server", &t, &err), &err);
    assert_int_equal(t->select, IB_SELECT_PIPELINE);
    assert_int_equal(ib_conf_texts_count(&t->what), 1);
    assert_string_equal(t->region, "eu-central-1");
    assert_true(ib_range_alerts(&t->rules.age.crit, 7201) && !ib_range_alerts(&t->rules.age.crit, 7200));
    assert_true(ib_range_alerts(&t->rules.age.warn, 2701));
    assert_true(ib_range_alerts(&t->rules.phase[IB_IMAGE_TESTING].crit, 2401));
    assert_int_equal(t->rules.map[IB_IMAGE_FAILED], IB_STATE_WARNING);
    assert_true(t->cancel_enabled);
    assert_int_equal(t->max_per_hour, 2);
    assert_int_equal(t->confirm_ms, 20000);
    assert_int_equal(t->minimum_age_ms, 10 * IB_MINUTE_MS);
    assert_int_equal(t->cancel_states, 1U << IB_IMAGE_BUILDING | 1U << IB_IMAGE_TESTING);

    assert_ok(ib_watch_config_target(&c, "golden", &t, &err), &err);
    assert_int_equal(ib_conf_texts_count(&t->what), 2);
    assert_true(t->none_set && t->none == IB_STATE_OK);
    assert_false(t->cancel_enabled);
    assert_true(ib_range_alerts(&t->rules.age.crit, 5401));
    assert_int_equal(t->rules.map[IB_IMAGE_FAILED], IB_STATE_CRITICAL);

    assert_ok(ib_watch_config_target(&c, "account", &t, &err), &err);
    assert_int_equal(t->select, IB_SELECT_ALL);
    assert_string_equal(t->region, "us-east-1");
    assert_int_equal(t->lookback_ms, IB_DAY_MS);

    assert_rc(ib_watch_config_target(&c, "webserver", &t, &err), IB_EUSAGE, &err);
    assert_string_equal(err.text, "target \"webserver\": ib.conf has no such target (it has: web-server, golden, account)");
    ib_watch_config_fini(&c);
}

struct seen {
    char text[8192];
};

static void take_setting(void *ctx, const char *name, const char *value, const char *source)
{
    struct seen *s = ctx;
    size_t used = strlen(s->text);

    (void)snprintf(s->text + used, sizeof s->text - used, "%s=%s from %s\n", name, value, source);
}

static void every_setting_tells_who_said_it(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_watch_config c;
    const struct ib_target *t = NULL;
    struct seen s = { "" };

    assert_ok(ib_watch_config_parse(ib_str_from(whole), "ib.conf", &c, &err), &err);
    assert_ok(ib_watch_config_target(&c, "web-server", &t, &err), &err);
    ib_watch_config_settings(&c, t, take_setting, &s);
    assert_contains(s.text, "selection=pipeline arn:aws:imagebuilder:eu-central-1:123456789012:image-pipeline/web-server from targets.web-server (ib.conf:5)\n");
    assert_contains(s.text, "region=eu-central-1 from defaults (ib.conf:2)\n");
    assert_contains(s.text, "critical=2h from targets.web-server (ib.conf:6)\n");
    assert_contains(s.text, "warning=45m from defaults (ib.conf:2)\n");
    assert_contains(s.text, "phases.TESTING=20m, 40m from targets.web-server (ib.conf:6)\n");
    assert_contains(s.text, "map.FAILED=WARNING from targets.web-server (ib.conf:7)\n");
    assert_contains(s.text, "map.AVAILABLE=OK from built in\n");
    assert_contains(s.text, "cancel.minimum_age=10m 0s from defaults (ib.conf:3)\n");
    assert_contains(s.text, "cancel.states=BUILDING, TESTING from targets.web-server (ib.conf:8)\n");
    assert_contains(s.text, "cancel.max_cancel=1 from built in\n");
    assert_contains(s.text, "role_arn=not set from built in\n");
    ib_watch_config_fini(&c);
}

static void without_a_file_nothing_but_an_arn_may_be_cancelled(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_watch_config c;
    const struct ib_target *t = NULL;

    ib_watch_config_init(&c);
    assert_false(c.defaults.cancel_enabled);
    assert_false(c.has_allow);
    assert_int_equal(c.defaults.max_cancel, 1);
    assert_rc(ib_watch_config_target(&c, "web", &t, &err), IB_EUSAGE, &err);
    assert_contains(err.text, "there is no configuration file");
    ib_watch_config_fini(&c);
}

struct bad_row {
    const char *name, *text, *words;
};
#define T(body) "targets: { web: { image = \"web\"; " body " }; };"
static const struct bad_row bad_rows[] = {
    { "typo_at_the_top", "target: { };", "f:1: target: there is no such key; \"targets\" is meant?" },
    { "typo_in_defaults", "defaults: { regoin = \"x\"; };", "defaults.regoin: there is no such key; \"region\" is meant?" },
    { "typo_in_a_target", T("crit = \"1h\";"), "targets.web.crit: there is no such key" },
    { "typo_in_cancel", T("cancel: { enable = true; };"), "targets.web.cancel.enable: there is no such key; \"enabled\" is meant?" },
    { "selection_in_defaults", "defaults: { pipeline = \"x\"; };", "defaults.pipeline: there is no such key" },
    { "targets_is_a_list", "targets = ( );", "targets: is array, not a group" },
    { "target_is_a_text", "targets: { web = \"x\"; };", "targets.web: is string, not a group" },
    { "defaults_is_a_number", "defaults = 1;", "defaults: is integer, not a group" },
    { "target_without_selection", "targets: { web: { critical = \"1h\"; }; };", "targets.web: selects nothing" },
    { "target_with_all_false", "targets: { web: { all = false; }; };", "targets.web: selects nothing" },
    { "target_with_two_selections", T("pipeline = \"p\";"), "selects by pipeline and by image: one is allowed" },
    { "duplicate_target", "targets: {\n web: { all = true; };\n web: { all = true; }; };", "f:3: duplicate" },
    { "duplicate_key", "targets: { web: { all = true; all = true; }; };", "duplicate" },
    { "same_image_twice", "targets: { web: { image = [ \"a\", \"a\" ]; }; };", "names \"a\" twice" },
    { "empty_selection", "targets: { web: { image = [ ]; }; };", "targets.web.image: is an empty list" },
    { "empty_name", "targets: { web: { image = \"\"; }; };", "targets.web.image: is empty" },
    { "number_for_an_image", "targets: { web: { image = 5; }; };", "is integer, not a string or a list" },
    { "threshold_is_a_number", T("critical = 90;"), "targets.web.critical: is integer, not a string" },
    { "threshold_start_above_end", T("critical = \"5:1\";"), "5:1" },
    { "threshold_with_letters", T("critical = \"10abc\";"), "targets.web.critical" },
    { "threshold_nan", T("warning = \"nan\";"), "targets.web.warning" },
    { "threshold_three_parts", T("warning = \"1:2:3\";"), "1:2:3" },
    { "phase_of_an_unknown_state", T("phases: { BAKING = [ \"1m\", \"2m\" ]; };"), "BAKING" },
    { "phase_of_an_ended_state", T("phases: { AVAILABLE = [ \"1m\", \"2m\" ]; };"), "AVAILABLE" },
    { "phase_with_one_threshold", T("phases: { TESTING = [ \"1m\" ]; };"), "TESTING: is not [ \"WARNING\", \"CRITICAL\" ]" },
    { "phase_that_is_a_text", T("phases: { TESTING = \"1m\"; };"), "is not [ \"WARNING\"" },
    { "phases_that_are_a_text", T("phases = \"1m\";"), "targets.web.phases: is string, not a group" },
    { "phase_with_a_bad_range", T("phases: { TESTING = [ \"1m\", \"x\" ]; };"), "targets.web.phases" },
    { "map_of_an_unknown_state", T("map: { BAKED = \"ok\"; };"), "\"BAKED\" is no status" },
    { "map_of_a_state_in_flight", T("map: { BUILDING = \"ok\"; };"), "BUILDING is judged by age" },
    { "map_to_an_unknown_state", T("map: { FAILED = \"red\"; };"), "\"red\" is not ok" },
    { "map_to_a_number", T("map: { FAILED = 1; };"), "FAILED: is integer, not a string" },
    { "none_unknown", T("none = \"green\";"), "\"green\" is none of ok, warning, critical, unknown" },
    { "lookback_negative", T("lookback = -5;"), "targets.web.lookback: is outside" },
    { "lookback_garbage", T("lookback = \"soon\";"), "\"soon\" is not a duration" },
    { "max_per_hour_negative", T("cancel: { max_per_hour = -1; };"), "-1 is outside 0..1000" },
    { "max_per_hour_wraps", T("cancel: { max_per_hour = 4294967297; };"), "not a whole number of 32 bits" },
    { "max_per_hour_text", T("cancel: { max_per_hour = \"2\"; };"), "is string, not a whole number" },
    { "enabled_text", T("cancel: { enabled = \"yes\"; };"), "is string, not true or false" },
    { "enabled_without_threshold", T("cancel: { enabled = true; };"), "cancel.enabled without a critical threshold" },
    { "enabled_with_a_threshold_for_young_builds", T("critical = \"10m:\"; cancel: { enabled = true; };"), "has cancel.enabled, and its critical range \"10m:\" never says" },
    { "enabled_with_a_threshold_of_nothing", T("critical = \"~:\"; cancel: { enabled = true; };"), "critical range \"~:\" never says that a build is too old" },
    { "enabled_with_a_threshold_for_every_build", T("critical = \"0\"; cancel: { enabled = true; };"), "critical range \"0\" says of every build" },
    { "enabled_with_a_phase_for_young_builds", T("critical = \"2h\"; phases: { TESTING = [ \"\", \"@40m\" ]; }; cancel: { enabled = true; };"), "critical range \"@40m\" for TESTING never says" },
    { "confirm_too_long", T("cancel: { confirm = \"2h\"; };"), "targets.web.cancel.confirm: is outside" },
    { "states_of_an_ended_build", T("cancel: { states = [ \"AVAILABLE\" ]; };"), "\"AVAILABLE\" is no state of a build in flight" },
    { "after_cancel_unknown", T("cancel: { after_cancel = \"reboot\"; };"), "\"reboot\" is none of nothing, retry, start-pipeline" },
    { "start_pipeline_without_pipeline", T("cancel: { after_cancel = \"start-pipeline\"; };"), "selects no pipeline" },
    { "after_cancel_without_room_in_the_budget", T("cancel: { after_cancel = \"retry\"; max_per_hour = 1; };"), "a start counts as one too" },
    { "region_of_another_arn", "targets: { a: { arn = \"arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.0.0/1\"; region = \"us-east-1\"; }; };",
      "has region = \"us-east-1\", but the ARN arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.0.0/1 names region eu-central-1" },
    { "external_id_without_role", T("external_id = \"x\";"), "external_id without a role_arn" },
    { "allow_pattern_of_another_service", "cancel: { allow = [ \"arn:aws:ec2:*:*:image/*\" ]; };", "f:1: cancel.allow: pattern" },
    { "allow_empty", "cancel: { allow = [ ]; };", "cancel.allow: is an empty list" },
    { "allow_star", "cancel: { allow = \"*\"; };", "fewer than six parts" },
    { "state_dir_relative", "state_dir = \"var\";", "\"var\" is no absolute path" },
    { "keep_too_short", "cancel: { keep = \"1h\"; };", "cancel.keep: is outside" },
    { "include", "@include \"other.conf\"", "f:1: @include is not allowed" },
    { "syntax", "targets: { web: {", "f:1: syntax error" },
    { "binary", "\x7f" "ELF\x02\x01\x01\x80", "not UTF-8" },
};

static void bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_watch_config c;

    assert_rc(ib_watch_config_parse(ib_str_from(r->text), "f", &c, &err), IB_ECONFIG, &err);
    assert_contains(err.text, r->words);
}

static void thousand_targets_are_enough(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_watch_config c;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(200000);

    ib_buf_add_c(&b, "targets: {");
    for (int i = 0; i < IB_TARGETS_MAX; i++) {
        ib_buf_addf(&b, "t%d: { image = \"i%d\"; };\n", i, i);
    }
    ib_buf_add_c(&b, "};");
    assert_ok(ib_watch_config_parse(ib_buf_str(&b), "f", &c, &err), &err);
    assert_int_equal(c.target_count, IB_TARGETS_MAX);
    ib_watch_config_fini(&c);
    ib_buf_cut(&b, b.len - 2);
    ib_buf_add_c(&b, "more: { all = true; }; };");
    assert_rc(ib_watch_config_parse(ib_buf_str(&b), "f", &c, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "has more than 1000 entries");
}

int main(void)
{
    IB_TEST_CASE(settings_come_from_target_defaults_and_program);
    IB_TEST_CASE(every_setting_tells_who_said_it);
    IB_TEST_CASE(without_a_file_nothing_but_an_arn_may_be_cancelled);
    IB_TEST_ROWS(bad_rows, bad_row);
    IB_TEST_CASE(thousand_targets_are_enough);
    return IB_TEST_RUN();
}
