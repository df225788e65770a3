/* SPDX-License-Identifier: MIT */
/* lib/aws/endpoint.c: the SDKs' own endpoint tests, a table of regions, and what users mistype. */
#include "ib_test.h"

#include "ib_vectors.h"
#include "lib/aws/endpoint.h"

struct sdk_case {
    char name[160];
    const struct ib_value *params, *expect;
};
static struct sdk_case sdk_cases[64];

static bool flag(const struct ib_value *params, const char *key)
{
    const struct ib_value *v = ib_value_get_c(params, key);

    return ib_value_is(v, IB_VALUE_BOOL) && ib_value_as_bool(v);
}

static void assert_url(const struct ib_url *url, const char *want)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf got = IB_BUF_INIT(4096);

    ib_url_add(url, &got);
    assert_string_equal(ib_buf_c(&got), want);
}

static void sdk_row(void **state)
{
    const struct sdk_case *c = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_endpoint_params params = {
        .service = "imagebuilder",
        .region = ib_vectors_str(c->params, "Region"),
        .use_fips = flag(c->params, "UseFIPS"),
        .use_dualstack = flag(c->params, "UseDualStack"),
        .custom_url = ib_vectors_str(c->params, "Endpoint"),
    };
    const char *want = ib_vectors_str(c->expect, "endpoint.url");
    const char *want_error = ib_vectors_str(c->expect, "error");
    struct ib_url url;
    enum ib_rc rc = ib_endpoint_resolve(&params, &url, &err);

    if (want != NULL) {
        assert_ok(rc, &err);
        assert_url(&url, want);
        return;
    }
    assert_non_null(want_error);
    assert_int_equal(rc, IB_EUSAGE);
    const char *words = strstr(want_error, ": ");
    assert_non_null(words);
    if (strcmp(words, ": Missing Region") == 0) {
        assert_contains(err.text, "no Region");
    } else {
        assert_contains(err.text, words + 2);
    }
}

/* The files that the cases point into. */
static struct ib_value *sdk_file, *table_file;

static size_t add_sdk_cases(void)
{
    char path[512];

    sdk_file = ib_vectors_json(
        ib_vectors_shared("aws-vectors/imagebuilder-endpoint-tests-1.json", path, sizeof path));
    const struct ib_value *list = ib_value_get_c(sdk_file, "testCases");

    for (size_t i = 0; i < ib_value_count(list); i++) {
        const struct ib_value *v = ib_value_at(list, i);
        struct sdk_case *c = &sdk_cases[i];

        (void)snprintf(c->name, sizeof c->name, "sdk: %s", ib_vectors_str(v, "documentation"));
        c->params = ib_value_get_c(v, "params");
        c->expect = ib_value_get_c(v, "expect");
        ib_test_add(c->name, sdk_row, c);
    }
    return ib_value_count(list);
}

struct table_case {
    char name[128];
    const struct ib_value *row;
};
static struct table_case table_cases[64];

static void table_row(void **state)
{
    const struct table_case *c = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_endpoint_params params = {
        .service = "imagebuilder",
        .region = ib_vectors_str(c->row, "region"),
        .use_fips = flag(c->row, "fips"),
        .use_dualstack = flag(c->row, "dualstack"),
    };
    struct ib_url url;

    assert_ok(ib_endpoint_resolve(&params, &url, &err), &err);
    assert_url(&url, ib_vectors_str(c->row, "url"));
}

static size_t add_table_cases(void)
{
    char path[512];

    table_file = ib_vectors_json(
        ib_vectors_shared("aws-vectors/imagebuilder-endpoint-table.json", path, sizeof path));
    const struct ib_value *list = table_file;

    for (size_t i = 0; i < ib_value_count(list); i++) {
        struct table_case *c = &table_cases[i];

        c->row = ib_value_at(list, i);
        (void)snprintf(c->name, sizeof c->name, "table: %s%s%s", ib_vectors_str(c->row, "region"),
                       flag(c->row, "fips") ? " FIPS" : "",
                       flag(c->row, "dualstack") ? " dual stack" : "");
        ib_test_add(c->name, table_row, c);
    }
    return ib_value_count(list);
}

static size_t sdk_count, table_count;

static void all_rows_of_the_vectors_were_found(void **state)
{
    (void)state;
    assert_int_equal(sdk_count, 23);
    assert_int_equal(table_count, 52);
}

struct own_row {
    const char *name, *service, *region;
    bool use_fips, use_dualstack;
    const char *custom;
    const char *want; /* NULL: refused */
    const char *problem;
};
static const struct own_row own_rows[] = {
    {"sts_is_regional", "sts", "eu-central-1", false, false, NULL,
     "https://sts.eu-central-1.amazonaws.com", NULL},
    {"sts_fips", "sts", "us-east-1", true, false, NULL, "https://sts-fips.us-east-1.amazonaws.com",
     NULL},
    {"sts_fips_of_govcloud_has_no_dash_fips", "sts", "us-gov-west-1", true, false, NULL,
     "https://sts.us-gov-west-1.amazonaws.com", NULL},
    {"sts_fips_dual_stack_of_govcloud", "sts", "us-gov-west-1", true, true, NULL,
     "https://sts-fips.us-gov-west-1.api.aws", NULL},
    {"sts_china", "sts", "cn-northwest-1", false, false, NULL,
     "https://sts.cn-northwest-1.amazonaws.com.cn", NULL},
    {"sso_portal", "sso", "eu-west-1", false, false, NULL,
     "https://portal.sso.eu-west-1.amazonaws.com", NULL},
    {"sso_oidc", "sso-oidc", "eu-west-1", false, false, NULL,
     "https://oidc.eu-west-1.amazonaws.com", NULL},
    {"iso_f", "imagebuilder", "us-isof-south-1", false, true, NULL,
     "https://imagebuilder.us-isof-south-1.api.aws.hci.ic.gov", NULL},
    {"eusc", "imagebuilder", "eusc-de-east-1", false, false, NULL,
     "https://imagebuilder.eusc-de-east-1.amazonaws.eu", NULL},
    {"a_region_of_the_future_is_one_of_aws", "imagebuilder", "xx-moon-1", false, false, NULL,
     "https://imagebuilder.xx-moon-1.amazonaws.com", NULL},
    {"custom_loopback", "imagebuilder", NULL, false, false, "http://127.0.0.1:8080/base/",
     "http://127.0.0.1:8080/base", NULL},
    {"custom_vpc_endpoint", "imagebuilder", "eu-central-1", false, false,
     "https://vpce-1.imagebuilder.eu-central-1.vpce.amazonaws.com",
     "https://vpce-1.imagebuilder.eu-central-1.vpce.amazonaws.com", NULL},
    {"custom_plain_http_elsewhere", "imagebuilder", "eu-central-1", false, false,
     "http://imagebuilder.example", NULL, "use https"},
    {"custom_plain_http_to_imds", "imagebuilder", "eu-central-1", false, false,
     "http://169.254.169.254", NULL, "use https"},
    {"custom_not_a_url", "imagebuilder", "eu-central-1", false, false, "localhost:8080", NULL,
     "--endpoint-url: "},
    {"no_region", "imagebuilder", NULL, false, false, NULL, NULL, "no Region: give --region"},
    {"region_empty", "imagebuilder", "", false, false, NULL, NULL, "no Region"},
    {"region_with_blank", "imagebuilder", "eu central 1", false, false, NULL, NULL,
     "is not a Region"},
    {"region_that_is_a_host", "imagebuilder", "evil.example/", false, false, NULL, NULL,
     "is not a Region"},
    {"region_upper_case", "imagebuilder", "EU-CENTRAL-1", false, false, NULL, NULL,
     "is not a Region"},
    {"region_ends_with_dash", "imagebuilder", "eu-central-", false, false, NULL, NULL,
     "is not a Region"},
};

static void own_row(void **state)
{
    const struct own_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_endpoint_params params = {r->service,  r->region,
                                        r->use_fips, r->use_dualstack,
                                        r->custom,   r->custom == NULL ? NULL : "--endpoint-url"};
    struct ib_url url;
    enum ib_rc rc = ib_endpoint_resolve(&params, &url, &err);

    if (r->want == NULL) {
        assert_int_equal(rc, IB_EUSAGE);
        assert_contains(err.text, r->problem);
        return;
    }
    assert_ok(rc, &err);
    assert_url(&url, r->want);
}

struct partition_row {
    const char *name, *region, *want;
};
static const struct partition_row partition_rows[] = {
    {"partition_of_frankfurt", "eu-central-1", "aws"},
    {"partition_of_beijing", "cn-north-1", "aws-cn"},
    {"partition_of_govcloud", "us-gov-east-1", "aws-us-gov"},
    {"partition_of_iso", "us-iso-west-1", "aws-iso"},
    {"partition_of_isob", "us-isob-east-1", "aws-iso-b"},
    {"partition_of_isoe", "eu-isoe-west-1", "aws-iso-e"},
    {"partition_of_isof", "us-isof-east-1", "aws-iso-f"},
    {"partition_of_eusc", "eusc-de-east-1", "aws-eusc"},
    {"partition_of_a_pseudo_region", "aws-cn-global", "aws-cn"},
    {"partition_of_nonsense", "nowhere", "aws"},
};

static void partition_row(void **state)
{
    const struct partition_row *r = *state;

    assert_string_equal(ib_partition_of(r->region)->name, r->want);
}

int main(void)
{
    sdk_count = add_sdk_cases();
    table_count = add_table_cases();
    if (sdk_count + table_count == 0) {
        IB_TEST_SKIP_ROW("the_sdks_endpoint_tests", "no aws-vectors below $IB_SHARED");
    } else {
        IB_TEST_CASE(all_rows_of_the_vectors_were_found);
    }
    IB_TEST_ROWS(own_rows, own_row);
    IB_TEST_ROWS(partition_rows, partition_row);
    int failed = IB_TEST_RUN();
    ib_value_unref(sdk_file);
    ib_value_unref(table_file);
    return failed;
}
