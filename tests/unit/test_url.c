/* SPDX-License-Identifier: MIT */
/* lib/aws/url.c: endpoints as people write them, addresses, percent-encoding. */
#include "ib_test.h"

#include "lib/aws/url.h"

struct url_row {
    const char *name, *text;
    const char *want; /* the URL written again; NULL: refused */
    const char *host_or_problem;
};
static const struct url_row url_rows[] = {
    {"url_https", "https://imagebuilder.eu-central-1.amazonaws.com",
     "https://imagebuilder.eu-central-1.amazonaws.com", "imagebuilder.eu-central-1.amazonaws.com"},
    {"url_final_slash_is_dropped", "https://h.example/", "https://h.example", "h.example"},
    {"url_base_path", "https://h.example/a/b/", "https://h.example/a/b", "h.example"},
    {"url_own_port_is_left_out", "https://h.example:443", "https://h.example", "h.example"},
    {"url_other_port", "http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080"},
    {"url_port_443_of_http_is_other", "http://localhost:443/", "http://localhost:443",
     "localhost:443"},
    {"url_ipv6", "http://[::1]:4566", "http://[::1]:4566", "[::1]:4566"},
    {"url_ipv6_without_port", "https://[FD00:EC2::254]/", "https://[fd00:ec2::254]",
     "[fd00:ec2::254]"},
    {"url_upper_case", "HTTPS://H.Example", "https://h.example", "h.example"},
    {"url_underscore_of_docker", "http://my_host:80", "http://my_host", "my_host"},
    {"url_empty", "", NULL, "must begin with https://"},
    {"url_no_scheme", "h.example:443", NULL, "must begin with https://"},
    {"url_ftp", "ftp://h.example", NULL, "must begin with https://"},
    {"url_no_host", "https:///x", NULL, "host is missing"},
    {"url_user", "https://u:p@h.example", NULL, "user name"},
    {"url_password_is_not_shown", "https://u:geheim@h.example", NULL, "user name"},
    {"url_password_without_scheme_is_not_shown", "u:geheim@h.example", NULL, "begin with https://"},
    {"url_password_and_slash_is_not_shown", "https://u:geheim/x@h.example", NULL, "1 to 65535"},
    {"url_query_is_not_shown", "https://h.example/?a=geheim", NULL, "query"},
    {"url_query", "https://h.example/?a=b", NULL, "query"},
    {"url_fragment", "https://h.example#x", NULL, "fragment"},
    {"url_blank", "https://h example", NULL, "letters, digits"},
    {"url_newline", "https://h.example\n", NULL, "letters, digits"},
    {"url_port_0", "https://h.example:0", NULL, "1 to 65535"},
    {"url_port_65536", "https://h.example:65536", NULL, "1 to 65535"},
    {"url_port_empty", "https://h.example:", NULL, "1 to 65535"},
    {"url_port_signed", "https://h.example:+80", NULL, "1 to 65535"},
    {"url_port_word", "https://h.example:http", NULL, "1 to 65535"},
    {"url_open_bracket", "https://[::1", NULL, "bracket"},
    {"url_bad_ipv6", "https://[::g]", NULL, "letters, digits"},
    {"url_not_quite_ipv6", "https://[1:2]", NULL, "not an IPv6 address"},
    {"url_junk_behind_bracket", "https://[::1]x", NULL, "1 to 65535"},
    {"url_two_dots", "https://a..b", NULL, "malformed"},
    {"url_path_with_blank", "https://h.example/a b", NULL, "percent-encoded"},
    {"url_path_with_lone_percent", "https://h.example/a%2", NULL, "percent-encoded"},
    {"url_path_encoded", "https://h.example/a%20b", "https://h.example/a%20b", "h.example"},
};

static void url_row(void **state)
{
    const struct url_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf got = IB_BUF_INIT(4096);
    struct ib_url url;
    enum ib_rc rc = ib_url_parse(ib_str_from(r->text), "--endpoint-url", &url, &err);

    if (r->want == NULL) {
        assert_int_equal(rc, IB_EUSAGE);
        assert_contains(err.text, "--endpoint-url: ");
        assert_contains(err.text, r->host_or_problem);
        assert_null(strstr(err.text, "geheim"));
        return;
    }
    assert_ok(rc, &err);
    ib_url_add(&url, &got);
    assert_string_equal(ib_buf_c(&got), r->want);
    ib_buf_reset(&got);
    ib_url_add_host(&url, &got);
    assert_string_equal(ib_buf_c(&got), r->host_or_problem);
}

struct host_row {
    const char *name, *host;
    bool is_loopback, is_link_local;
};
static const struct host_row host_rows[] = {
    {"host_localhost", "localhost", true, false},
    {"host_127_0_0_1", "127.0.0.1", true, false},
    {"host_127_8_9_1", "127.8.9.1", true, false},
    {"host_ipv6_loopback", "::1", true, false},
    {"host_ipv6_loopback_written_out", "0:0:0:0:0:0:0:1", true, false},
    {"host_that_only_begins_like_loopback", "127.0.0.1.evil.example", false, false},
    {"host_localhost_of_somebody", "localhost.evil.example", false, false},
    {"host_imds", "169.254.169.254", false, true},
    {"host_ecs", "169.254.170.2", false, true},
    {"host_imds_ipv6", "fd00:ec2::254", false, true},
    {"host_eks_ipv6", "fd00:ec2::23", false, true},
    {"host_ipv6_link_local", "fe80::1", false, true},
    {"host_private", "10.0.0.1", false, false},
    {"host_private_ipv6", "fd00::1", false, false},
    {"host_octal_is_no_address", "0177.0.0.1", false, false},
    {"host_empty", "", false, false},
};

static void host_row(void **state)
{
    const struct host_row *r = *state;

    assert_int_equal(ib_host_is_loopback(r->host), r->is_loopback);
    assert_int_equal(ib_host_is_link_local(r->host), r->is_link_local);
}

static void every_byte_encodes_and_comes_back(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf encoded = IB_BUF_INIT(4096);
    IB_CLEANUP(ib_buf_fini) struct ib_buf decoded = IB_BUF_INIT(4096);
    char all[256];

    for (int i = 0; i < 256; i++) {
        all[i] = (char)i;
    }
    ib_url_encode((struct ib_str){all, sizeof all}, false, &encoded);
    assert_int_equal(encoded.len, 66 + 3 * (256 - 66));
    ib_url_decode(ib_buf_str(&encoded), &decoded);
    assert_int_equal(decoded.len, 256);
    assert_memory_equal(decoded.data, all, 256);
}

static void query_parameters_are_joined_and_encoded(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf query = IB_BUF_INIT(4096);

    ib_url_add_query(&query, IB_STR("imageBuildVersionArn"), IB_STR("arn:aws:x/1 ~"));
    ib_url_add_query(&query, IB_STR("b"), IB_STR(""));
    assert_string_equal(ib_buf_c(&query), "imageBuildVersionArn=arn%3Aaws%3Ax%2F1%20~&b=");
}

static void a_stray_percent_is_kept(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(64);

    ib_url_decode(IB_STR("100%&%4g%41%"), &out);
    assert_string_equal(ib_buf_c(&out), "100%&%4gA%");
}

int main(void)
{
    IB_TEST_ROWS(url_rows, url_row);
    IB_TEST_ROWS(host_rows, host_row);
    IB_TEST_CASE(every_byte_encodes_and_comes_back);
    IB_TEST_CASE(query_parameters_are_joined_and_encoded);
    IB_TEST_CASE(a_stray_percent_is_kept);
    return IB_TEST_RUN();
}
