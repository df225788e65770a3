/* SPDX-License-Identifier: MIT */
/* Proxy rules. */
#include "lib/aws/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/base/env.h"
#include "lib/base/num.h"
#include "lib/base/text.h"

/* --- NO_PROXY --- */

struct address {
    uint8_t bytes[16];
    size_t bits; /* 32, 128; 0 = no address */
};

static struct address read_address(struct ib_str text)
{
    struct address a = {.bits = 0};
    char copy[INET6_ADDRSTRLEN];

    if (text.n > 1 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
        text = (struct ib_str){text.p + 1, text.n - 2};
    }
    if (!ib_text_copy(copy, sizeof copy, text)) {
        return a;
    }
    if (inet_pton(AF_INET, copy, a.bytes) == 1) {
        a.bits = 32;
    } else if (inet_pton(AF_INET6, copy, a.bytes) == 1) {
        a.bits = 128;
    }
    return a;
}

static bool same_bits(const struct address *a, const struct address *b, size_t bits)
{
    for (size_t i = 0; i < bits; i++) {
        uint8_t mask = (uint8_t)(0x80 >> (i % 8));
        if ((a->bytes[i / 8] & mask) != (b->bytes[i / 8] & mask)) {
            return false;
        }
    }
    return true;
}

static bool fits_network(struct ib_str entry, const struct address *host)
{
    size_t slash = ib_str_find(entry, '/');
    struct address network = read_address(ib_str_head(entry, slash));
    int64_t bits = (int64_t)network.bits;

    if (network.bits == 0 || network.bits != host->bits) {
        return false;
    }
    if (slash < entry.n &&
        ib_num_i64(ib_str_skip(entry, slash + 1), 0, bits, "bits", &bits, NULL) != IB_OK) {
        return false;
    }
    return same_bits(&network, host, (size_t)bits);
}

/* The entry itself and everything below it. */
static bool fits_domain(struct ib_str entry, struct ib_str host)
{
    if (ib_str_starts(entry, IB_STR("*."))) {
        entry = ib_str_skip(entry, 1);
    }
    if (entry.n > 0 && entry.p[0] == '.') {
        entry = ib_str_skip(entry, 1);
    }
    if (entry.n > 0 && entry.p[entry.n - 1] == '.') {
        entry.n--;
    }
    if (entry.n == 0 || entry.n > host.n) {
        return false;
    }
    struct ib_str tail = ib_str_skip(host, host.n - entry.n);
    return ib_str_ieq(tail, entry) && (tail.n == host.n || host.p[host.n - tail.n - 1] == '.');
}

/* "host:port" says something about this port only. */
static bool cut_port(struct ib_str *entry, int port)
{
    size_t colon = ib_str_find(*entry, ':');
    int64_t wanted;

    if (entry->n > 0 && entry->p[0] == '[') {
        size_t close = ib_str_find(*entry, ']');
        colon = close + 1 < entry->n && entry->p[close + 1] == ':' ? close + 1 : entry->n;
    } else if (ib_str_find(ib_str_skip(*entry, colon + 1), ':') + colon + 1 < entry->n) {
        return true; /* two colons: an IPv6 address */
    }
    if (colon >= entry->n) {
        return true;
    }
    struct ib_str digits = ib_str_skip(*entry, colon + 1);
    *entry = ib_str_head(*entry, colon);
    return ib_num_i64(digits, 1, 65535, "port", &wanted, NULL) == IB_OK && wanted == port;
}

bool ib_proxy_is_excluded(struct ib_str no_proxy, const struct ib_url *target)
{
    struct ib_str host = ib_str_from(target->host);
    struct address address = read_address(host);
    size_t i = 0;

    while (i < no_proxy.n) {
        size_t start = i;
        while (i < no_proxy.n && no_proxy.p[i] != ',' && !ib_ascii_space(no_proxy.p[i])) {
            i++;
        }
        struct ib_str entry = {no_proxy.p + start, i - start};
        i++;
        if (ib_str_eq_c(entry, "*")) {
            return true;
        }
        if (entry.n == 0 || !cut_port(&entry, target->port)) {
            continue;
        }
        if (address.bits > 0 ? fits_network(entry, &address) : fits_domain(entry, host)) {
            return true;
        }
    }
    return false;
}

/* --- the proxy's URL --- */

struct scheme {
    const char *prefix;
    int port;
};
static const struct scheme schemes[] = {
    {"http://", 80},      {"https://", 443},   {"socks4://", 1080},
    {"socks4a://", 1080}, {"socks5://", 1080}, {"socks5h://", 1080},
};

static enum ib_rc bad_proxy(struct ib_error *err, const char *source, const char *rule)
{
    /* The text itself may hold a password. */
    return ib_fail(err, IB_EUSAGE, "%s: not a proxy URL: %s", source, rule);
}

/* Reads host and port by the rules of endpoint URLs. */
static bool read_authority(struct ib_str authority, struct ib_url *ret, bool *ret_has_port)
{
    char text[IB_URL_HOST_MAX + 32];
    int n = snprintf(text, sizeof text, "http://%.*s", IB_STR_ARG(authority));
    size_t behind = authority.n > 0 && authority.p[0] == '[' ? ib_str_find(authority, ']') : 0;

    *ret_has_port = ib_str_find(ib_str_skip(authority, behind), ':') + behind < authority.n;
    return n > 0 && (size_t)n < sizeof text &&
           ib_url_parse(ib_str_from(text), "proxy", ret, NULL) == IB_OK && ret->path[0] == '\0';
}

static enum ib_rc read_proxy(struct ib_str text, const char *source, struct ib_proxy *ret,
                             struct ib_error *err)
{
    const struct scheme *scheme = &schemes[0];
    struct ib_str rest = text;
    struct ib_url host;
    bool has_port;

    if (text.n >= IB_PROXY_URL_MAX - 32) {
        return bad_proxy(err, source, "it is too long");
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(schemes); i++) {
        struct ib_str prefix = ib_str_from(schemes[i].prefix);
        if (ib_str_ieq(ib_str_head(text, prefix.n), prefix)) {
            scheme = &schemes[i];
            rest = ib_str_skip(text, prefix.n);
        }
    }
    size_t user_n = 0;
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] <= ' ' || rest.p[i] > '~') {
            return bad_proxy(err, source,
                             "it holds a blank, a control character or one that is not ASCII");
        }
        user_n = rest.p[i] == '@' ? i + 1 : user_n;
    }
    struct ib_str authority = ib_str_skip(rest, user_n);
    if (ib_str_find(ib_str_head(rest, user_n), '/') < user_n) {
        return bad_proxy(err, source,
                         "the scheme must be http, https, socks5 or socks5h; a '/' in the password "
                         "is written %2F");
    }
    while (authority.n > 0 && authority.p[authority.n - 1] == '/') {
        authority.n--;
    }
    if (!read_authority(authority, &host, &has_port)) {
        return bad_proxy(
            err, source,
            "want [http://][USER:PASSWORD@]HOST[:PORT]; schemes http, https, socks5, socks5h");
    }
    if (!has_port) {
        host.port = scheme->port;
    }
    (void)snprintf(ret->shown, sizeof ret->shown, host.is_ipv6 ? "[%s]:%d" : "%s:%d", host.host,
                   host.port);
    (void)snprintf(ret->url, sizeof ret->url, "%s%.*s%s", scheme->prefix, (int)user_n, rest.p,
                   ret->shown);
    ret->source = source;
    return IB_OK;
}

enum ib_rc ib_proxy_choose(const char *option, const struct ib_url *target, struct ib_proxy *ret,
                           struct ib_error *err)
{
    static const char *const names[] = {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"};
    const char *text = option, *source = "--proxy";
    const char *no_proxy = ib_env_get("NO_PROXY");

    memset(ret, 0, sizeof *ret);
    if (ib_host_is_loopback(target->host) || ib_host_is_link_local(target->host)) {
        return IB_OK;
    }
    for (size_t i = 0; text == NULL && i < IB_ARRAY_LEN(names); i++) {
        text = ib_env_get(names[i]);
        source = names[i];
    }
    if (no_proxy == NULL) {
        no_proxy = ib_env_get("no_proxy");
    }
    if (text == NULL || text[0] == '\0' || ib_proxy_is_excluded(ib_str_from(no_proxy), target)) {
        return IB_OK;
    }
    return read_proxy(ib_str_from(text), source, ret, err);
}

void ib_proxy_wipe(struct ib_proxy *proxy)
{
    explicit_bzero(proxy->url, sizeof proxy->url);
}
