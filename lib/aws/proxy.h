/* SPDX-License-Identifier: MIT */
/*
 * Which proxy an https request goes through. Decided here and told to the HTTP library, so that the
 * rules are the same whatever its version.
 *
 * --proxy, else HTTPS_PROXY, https_proxy, ALL_PROXY, all_proxy; not for hosts in NO_PROXY or
 * no_proxy, never for this machine and never for link-local addresses: a metadata service
 * behind a proxy is somebody else's.
 */
#ifndef IB_AWS_PROXY_H
#define IB_AWS_PROXY_H

#include "lib/aws/url.h"

#define IB_PROXY_URL_MAX 1024 /* bytes with NUL; may hold a password */

struct ib_proxy {
    char url[IB_PROXY_URL_MAX];       /* "" = direct */
    char shown[IB_URL_HOST_MAX + 16]; /* host:port, without user and password */
    const char *source;               /* "--proxy", "HTTPS_PROXY"; static text */
};

/*
 * option: --proxy, NULL = by environment. Errors: IB_EUSAGE for something that is no proxy URL:
 * scheme http, https, socks4, socks4a, socks5 or socks5h (without one: http), host, port (80, 443,
 * 1080).
 */
IB_NODISCARD enum ib_rc ib_proxy_choose(const char *option, const struct ib_url *target,
                                        struct ib_proxy *ret, struct ib_error *err);
void ib_proxy_wipe(struct ib_proxy *proxy);

/*
 * NO_PROXY as curl, Python and Go read it: names with or without leading dot (sub-domains fit too),
 * host:port, addresses, networks (10.0.0.0/8), "*"; separated by commas or blanks.
 */
bool ib_proxy_is_excluded(struct ib_str no_proxy, const struct ib_url *target);

#endif
