/* SPDX-License-Identifier: MIT */
/* Any bytes as an endpoint, a proxy, a NO_PROXY list and a text to encode. */
#include "fuzz.h"

#include "lib/aws/proxy.h"

static void check_url(struct ib_str text)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf written = IB_BUF_INIT(8192);
    struct ib_url url, again;

    if (ib_url_parse(text, "--endpoint-url", &url, &err) != IB_OK) {
        IB_ASSERT(err.rc == IB_EUSAGE);
        return;
    }
    IB_ASSERT(url.port >= 1 && url.port <= 65535 && url.host[0] != '\0');
    ib_url_add(&url, &written);
    IB_ASSERT(ib_url_parse(ib_buf_str(&written), "again", &again, &err) == IB_OK);
    IB_ASSERT(strcmp(url.host, again.host) == 0 && strcmp(url.path, again.path) == 0 &&
              url.port == again.port && url.is_https == again.is_https);
    (void)ib_host_is_loopback(url.host);
    (void)ib_host_is_link_local(url.host);
    (void)ib_proxy_is_excluded(text, &url);
}

static void check_proxy(struct ib_str text)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_url target = {.is_https = true, .host = "a.example", .port = 443};
    struct ib_url address = {.is_https = true, .host = "10.1.2.3", .port = 443};
    struct ib_proxy proxy;
    char option[2048];

    (void)ib_proxy_is_excluded(text, &target);
    (void)ib_proxy_is_excluded(text, &address);
    if (text.n == 0 || text.n >= sizeof option || memchr(text.p, 0, text.n) != NULL) {
        return;
    }
    memcpy(option, text.p, text.n);
    option[text.n] = '\0';
    if (ib_proxy_choose(option, &target, &proxy, &err) != IB_OK) {
        IB_ASSERT(err.rc == IB_EUSAGE);
        return;
    }
    IB_ASSERT(strstr(proxy.url, "://") != NULL && strchr(proxy.shown, '@') == NULL);
    IB_ASSERT(ib_str_ends(ib_str_from(proxy.url), ib_str_from(proxy.shown)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str text = {(const char *)data, n};
    IB_CLEANUP(ib_buf_fini) struct ib_buf encoded = IB_BUF_INIT((size_t)8 * 1024 * 1024);
    IB_CLEANUP(ib_buf_fini) struct ib_buf decoded = IB_BUF_INIT((size_t)8 * 1024 * 1024);

    check_url(text);
    check_proxy(text);
    ib_url_encode(text, false, &encoded);
    ib_url_decode(ib_buf_str(&encoded), &decoded);
    IB_ASSERT(ib_str_eq(ib_buf_str(&decoded), text));
    ib_buf_reset(&decoded);
    ib_url_decode(text, &decoded);
    IB_ASSERT(decoded.len <= n);
    return 0;
}
