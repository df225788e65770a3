/* SPDX-License-Identifier: MIT */
/* lib/aws/proxy.c: which proxy, and for which hosts none. */
#include "ib_test.h"

#include "lib/aws/proxy.h"

/* Tests set the environment; the library never does. */
#undef setenv
#undef unsetenv

struct no_row {
    const char *name, *no_proxy, *host;
    int port;
    bool want;
};
static const struct no_row no_rows[] = {
    {"no_proxy_empty", "", "a.example", 443, false},
    {"no_proxy_star", "*", "a.example", 443, true},
    {"no_proxy_same_name", "a.example", "a.example", 443, true},
    {"no_proxy_case", "A.Example", "a.example", 443, true},
    {"no_proxy_sub_domain", "example", "a.example", 443, true},
    {"no_proxy_leading_dot", ".example", "a.example", 443, true},
    {"no_proxy_leading_star", "*.example", "a.example", 443, true},
    {"no_proxy_final_dot", "example.", "a.example", 443, true},
    {"no_proxy_only_whole_labels", "ample", "a.example", 443, false},
    {"no_proxy_longer_name", "b.a.example", "a.example", 443, false},
    {"no_proxy_second_of_list", "x.example, a.example", "a.example", 443, true},
    {"no_proxy_blanks_for_commas", "x.example a.example", "a.example", 443, true},
    {"no_proxy_port_that_fits", "a.example:443", "a.example", 443, true},
    {"no_proxy_port_that_does_not", "a.example:8443", "a.example", 443, false},
    {"no_proxy_address", "10.1.2.3", "10.1.2.3", 443, true},
    {"no_proxy_address_is_no_suffix", "2.3", "10.1.2.3", 443, false},
    {"no_proxy_network", "10.0.0.0/8", "10.1.2.3", 443, true},
    {"no_proxy_network_outside", "10.0.0.0/16", "10.1.2.3", 443, false},
    {"no_proxy_network_of_all", "0.0.0.0/0", "10.1.2.3", 443, true},
    {"no_proxy_bad_network", "10.0.0.0/33", "10.1.2.3", 443, false},
    {"no_proxy_ipv6", "2001:db8::1", "2001:db8::1", 443, true},
    {"no_proxy_ipv6_brackets_and_port", "[2001:db8::1]:443", "2001:db8::1", 443, true},
    {"no_proxy_ipv6_other_port", "[2001:db8::1]:80", "2001:db8::1", 443, false},
    {"no_proxy_ipv6_network", "2001:db8::/32", "2001:db8::1", 443, true},
    {"no_proxy_families_do_not_mix", "::/0", "10.1.2.3", 443, false},
    {"no_proxy_only_commas", ",,,", "a.example", 443, false},
    {"no_proxy_lone_colon", ":", "a.example", 443, false},
};

static struct ib_url target(const char *host, int port)
{
    struct ib_url url = {.is_https = true, .port = port};

    (void)snprintf(url.host, sizeof url.host, "%s", host);
    return url;
}

static void no_row(void **state)
{
    const struct no_row *r = *state;
    struct ib_url url = target(r->host, r->port);

    assert_int_equal(ib_proxy_is_excluded(ib_str_from(r->no_proxy), &url), r->want);
}

struct proxy_row {
    const char *name;
    const char *env_name, *env_value, *no_proxy; /* NULL = not set */
    const char *option, *host;
    const char *want; /* URL; "" = direct; NULL = refused */
    const char *shown_or_problem;
};
static const struct proxy_row proxy_rows[] = {
    {"proxy_none", NULL, NULL, NULL, NULL, "a.example", "", ""},
    {"proxy_upper_case", "HTTPS_PROXY", "http://p:3128", NULL, NULL, "a.example", "http://p:3128",
     "p:3128"},
    {"proxy_lower_case", "https_proxy", "http://p:3128", NULL, NULL, "a.example", "http://p:3128",
     "p:3128"},
    {"proxy_all", "ALL_PROXY", "socks5h://p", NULL, NULL, "a.example", "socks5h://p:1080",
     "p:1080"},
    {"proxy_http_proxy_is_not_for_https", "HTTP_PROXY", "http://p:3128", NULL, NULL, "a.example",
     "", ""},
    {"proxy_without_scheme_and_port", "HTTPS_PROXY", "p", NULL, NULL, "a.example", "http://p:80",
     "p:80"},
    {"proxy_https_port", "HTTPS_PROXY", "https://p/", NULL, NULL, "a.example", "https://p:443",
     "p:443"},
    {"proxy_password_is_kept_and_hidden", "HTTPS_PROXY", "http://u:s%40cret@p:1", NULL, NULL,
     "a.example", "http://u:s%40cret@p:1", "p:1"},
    {"proxy_ipv6", "HTTPS_PROXY", "http://[2001:db8::1]:3128", NULL, NULL, "a.example",
     "http://[2001:db8::1]:3128", "[2001:db8::1]:3128"},
    {"proxy_ipv6_without_port", "HTTPS_PROXY", "http://[2001:db8::1]", NULL, NULL, "a.example",
     "http://[2001:db8::1]:80", "[2001:db8::1]:80"},
    {"proxy_option_wins", "HTTPS_PROXY", "http://p:1", NULL, "http://q:2", "a.example",
     "http://q:2", "q:2"},
    {"proxy_excluded", "HTTPS_PROXY", "http://p:1", ".example", NULL, "a.example", "", ""},
    {"proxy_option_obeys_no_proxy", NULL, NULL, ".example", "http://q:2", "a.example", "", ""},
    {"proxy_not_for_loopback", "HTTPS_PROXY", "http://p:1", NULL, NULL, "127.0.0.1", "", ""},
    {"proxy_not_for_imds", "HTTPS_PROXY", "http://p:1", NULL, NULL, "169.254.169.254", "", ""},
    {"proxy_not_for_imds_by_option", NULL, NULL, NULL, "http://q:2", "fd00:ec2::254", "", ""},
    {"proxy_unknown_scheme", "HTTPS_PROXY", "ftp://p:1", NULL, NULL, "a.example", NULL,
     "HTTPS_PROXY: not a proxy URL"},
    {"proxy_blank_inside", "HTTPS_PROXY", "http://p :1", NULL, NULL, "a.example", NULL, "blank"},
    {"proxy_bad_port", NULL, NULL, NULL, "http://p:99999", "a.example", NULL,
     "--proxy: not a proxy URL"},
    {"proxy_path", NULL, NULL, NULL, "http://p:1/x", "a.example", NULL, "--proxy: not a proxy URL"},
};

static void proxy_row(void **state)
{
    const struct proxy_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_url url = target(r->host, 443);
    struct ib_proxy proxy;

    if (r->env_name != NULL) {
        assert_int_equal(setenv(r->env_name, r->env_value, 1), 0);
    }
    if (r->no_proxy != NULL) {
        assert_int_equal(setenv("no_proxy", r->no_proxy, 1), 0);
    }
    enum ib_rc rc = ib_proxy_choose(r->option, &url, &proxy, &err);
    (void)unsetenv("no_proxy");
    (void)unsetenv(r->env_name == NULL ? "HTTPS_PROXY" : r->env_name);
    if (r->want == NULL) {
        assert_int_equal(rc, IB_EUSAGE);
        assert_contains(err.text, r->shown_or_problem);
        return;
    }
    assert_ok(rc, &err);
    assert_string_equal(proxy.url, r->want);
    assert_string_equal(proxy.shown, r->shown_or_problem);
}

static void a_malformed_proxy_never_shows_its_password(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_url url = target("a.example", 443);
    struct ib_proxy proxy;

    assert_rc(ib_proxy_choose("ftp://u:hunter2@p:1", &url, &proxy, &err), IB_EUSAGE, &err);
    assert_null(strstr(err.text, "hunter2"));
}

int main(void)
{
    IB_TEST_ROWS(no_rows, no_row);
    IB_TEST_ROWS(proxy_rows, proxy_row);
    IB_TEST_CASE(a_malformed_proxy_never_shows_its_password);
    return IB_TEST_RUN();
}
