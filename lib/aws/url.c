/* SPDX-License-Identifier: MIT */
/* Endpoint URLs and percent-encoding. */
#include "lib/aws/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/base/num.h"
#include "lib/base/text.h"

/* --- addresses --- */

static bool is_ipv4(const char *host, struct in_addr *ret)
{
    return inet_pton(AF_INET, host, ret) == 1;
}

static bool is_ipv6(const char *host, struct in6_addr *ret)
{
    return inet_pton(AF_INET6, host, ret) == 1;
}

bool ib_host_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (is_ipv4(host, &v4)) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    if (is_ipv6(host, &v6)) {
        return IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return ib_str_ieq_c(ib_str_from(host), "localhost");
}

bool ib_host_is_link_local(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (is_ipv4(host, &v4)) {
        return ntohl(v4.s_addr) >> 16 == 0xA9FE;
    }
    if (!is_ipv6(host, &v6)) {
        return false;
    }
    const uint8_t *b = v6.s6_addr;
    return IN6_IS_ADDR_LINKLOCAL(&v6) ||
           (b[0] == 0xFD && b[1] == 0 && b[2] == 0x0E && b[3] == 0xC2);
}

/* --- parsing --- */

struct parts {
    struct ib_str host, port, path;
    bool is_https, is_bracketed;
};

/* What may be a password or a token is not shown. */
static enum ib_rc bad_url(struct ib_error *err, const char *what, struct ib_str text,
                          const char *rule)
{
    if (ib_str_find(text, '@') < text.n) {
        return ib_fail(err, IB_EUSAGE, "%s: what it says (not shown) is not an endpoint URL: %s",
                       what, rule);
    }
    text = ib_str_head(text, ib_str_find(text, '?'));
    return ib_fail(err, IB_EUSAGE, "%s: \"%.*s\" is not an endpoint URL: %s", what,
                   IB_STR_ARG(ib_str_head(text, 200)), rule);
}

/* Cuts the text; NULL, or the rule that it breaks. */
static const char *cut_parts(struct ib_str text, struct parts *p)
{
    struct ib_str rest;

    if (ib_str_ieq(ib_str_head(text, 8), IB_STR("https://"))) {
        p->is_https = true;
        rest = ib_str_skip(text, 8);
    } else if (ib_str_ieq(ib_str_head(text, 7), IB_STR("http://"))) {
        rest = ib_str_skip(text, 7);
    } else {
        return "it must begin with https:// (http:// only for this machine)";
    }
    size_t end = ib_str_find(rest, '/');
    struct ib_str authority = ib_str_head(rest, end);
    p->path = ib_str_skip(rest, end);
    if (ib_str_find(text, '?') < text.n || ib_str_find(text, '#') < text.n) {
        return "it must not have a query or a fragment";
    }
    if (ib_str_find(authority, '@') < authority.n) {
        return "it must not hold a user name or password";
    }
    if (authority.n > 0 && authority.p[0] == '[') {
        size_t close = ib_str_find(authority, ']');
        if (close == authority.n) {
            return "the bracket around the IPv6 address is not closed";
        }
        p->is_bracketed = true;
        p->host = (struct ib_str){authority.p + 1, close - 1};
        p->port = ib_str_skip(authority, close + 1);
    } else {
        size_t colon = ib_str_find(authority, ':');
        p->host = ib_str_head(authority, colon);
        p->port = ib_str_skip(authority, colon);
    }
    if (p->host.n == 0) {
        return "the host is missing";
    }
    return NULL;
}

static const char *check_host(const struct parts *p, struct ib_url *url)
{
    struct in6_addr v6;

    if (p->host.n >= sizeof url->host) {
        return "the host is longer than 253 characters";
    }
    for (size_t i = 0; i < p->host.n; i++) {
        char c = p->host.p[i];
        bool ok = p->is_bracketed ? ib_hex_value(c) >= 0 || c == ':' || c == '.'
                                  : ib_ascii_alnum(c) || c == '-' || c == '.' || c == '_';
        if (!ok) {
            return "the host may hold letters, digits, dots and dashes only";
        }
        url->host[i] = ib_ascii_tolower(c);
    }
    url->host[p->host.n] = '\0';
    if (p->is_bracketed && !is_ipv6(url->host, &v6)) {
        return "what stands between brackets is not an IPv6 address";
    }
    if (!p->is_bracketed &&
        (url->host[0] == '.' || url->host[0] == '-' || strstr(url->host, "..") != NULL)) {
        return "the host is malformed";
    }
    url->is_ipv6 = p->is_bracketed;
    return NULL;
}

static const char *check_port(const struct parts *p, struct ib_url *url)
{
    int64_t port = p->is_https ? 443 : 80;

    if (p->port.n > 0) {
        struct ib_str digits = ib_str_skip(p->port, 1);
        if (p->port.p[0] != ':' || digits.n == 0 || !ib_ascii_digit(digits.p[0]) ||
            ib_num_i64(digits, 1, 65535, "port", &port, NULL) != IB_OK) {
            return "the port must be a number from 1 to 65535";
        }
    }
    url->port = (int)port;
    return NULL;
}

/* The path goes to the wire as it stands, so it holds nothing that needs encoding. */
static const char *check_path(const struct parts *p, struct ib_url *url)
{
    struct ib_str path = p->path;

    while (path.n > 0 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '%' && i + 2 < path.n && ib_hex_value(path.p[i + 1]) >= 0 &&
            ib_hex_value(path.p[i + 2]) >= 0) {
            continue;
        }
        if (!ib_ascii_alnum(c) && (c == '\0' || strchr("-._~/!$&'()*+,;=:@", c) == NULL)) {
            return "the path holds a character that must be percent-encoded";
        }
    }
    if (!ib_text_copy(url->path, sizeof url->path, path)) {
        return "the path is longer than 1023 characters";
    }
    return NULL;
}

enum ib_rc ib_url_parse(struct ib_str text, const char *what, struct ib_url *ret,
                        struct ib_error *err)
{
    struct parts parts = {.is_https = false};
    struct ib_url url = {.is_https = false};
    const char *rule = cut_parts(text, &parts);

    url.is_https = parts.is_https;
    if (rule == NULL) {
        rule = check_host(&parts, &url);
    }
    if (rule == NULL) {
        rule = check_port(&parts, &url);
    }
    if (rule == NULL) {
        rule = check_path(&parts, &url);
    }
    if (rule != NULL) {
        return bad_url(err, what, text, rule);
    }
    *ret = url;
    return IB_OK;
}

void ib_url_add_host(const struct ib_url *url, struct ib_buf *out)
{
    ib_buf_addf(out, url->is_ipv6 ? "[%s]" : "%s", url->host);
    if (url->port != (url->is_https ? 443 : 80)) {
        ib_buf_addf(out, ":%d", url->port);
    }
}

void ib_url_add(const struct ib_url *url, struct ib_buf *out)
{
    ib_buf_add_c(out, url->is_https ? "https://" : "http://");
    ib_url_add_host(url, out);
    ib_buf_add_c(out, url->path);
}

/* --- percent-encoding --- */

void ib_url_encode(struct ib_str text, bool keep_slash, struct ib_buf *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (ib_ascii_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~' ||
            (c == '/' && keep_slash)) {
            ib_buf_add_char(out, c);
        } else {
            unsigned char byte = (unsigned char)c;
            char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
            ib_buf_add(out, encoded, sizeof encoded);
        }
    }
}

void ib_url_decode(struct ib_str text, struct ib_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' && text.n - i > 2 && ib_hex_value(text.p[i + 1]) >= 0 &&
            ib_hex_value(text.p[i + 2]) >= 0) {
            ib_buf_add_char(out,
                            (char)(ib_hex_value(text.p[i + 1]) * 16 + ib_hex_value(text.p[i + 2])));
            i += 2;
        } else {
            ib_buf_add_char(out, text.p[i]);
        }
    }
}

void ib_url_add_query(struct ib_buf *query, struct ib_str name, struct ib_str value)
{
    if (query->len > 0) {
        ib_buf_add_char(query, '&');
    }
    ib_url_encode(name, false, query);
    ib_buf_add_char(query, '=');
    ib_url_encode(value, false, query);
}
