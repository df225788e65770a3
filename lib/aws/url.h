/* SPDX-License-Identifier: MIT */
/* URLs of endpoints, and percent-encoding. */
#ifndef IB_AWS_URL_H
#define IB_AWS_URL_H

#include <stdbool.h>

#include "lib/base/buf.h"

#define IB_URL_HOST_MAX 256 /* bytes with NUL; DNS allows 253 */
#define IB_URL_PATH_MAX 1024

/* The fixed part of every URL that a client speaks to. */
struct ib_url {
    bool is_https;
    bool is_ipv6;               /* host is an address: needs brackets */
    char host[IB_URL_HOST_MAX]; /* lower case, without brackets */
    int port;                   /* always set: 443 or 80 by default */
    char path[IB_URL_PATH_MAX]; /* "" or begins with '/', never ends with one */
};

/*
 * Parse an endpoint: scheme://host[:port][/path]. No user, query or fragment. what names it in
 * errors ("--endpoint-url"). Errors: IB_EUSAGE, with the rule that it breaks.
 */
IB_NODISCARD enum ib_rc ib_url_parse(struct ib_str text, const char *what, struct ib_url *ret,
                                     struct ib_error *err);
/* The value of the Host header: brackets around IPv6, port when it is not the scheme's own. */
void ib_url_add_host(const struct ib_url *url, struct ib_buf *out);
/* scheme://host[:port]path */
void ib_url_add(const struct ib_url *url, struct ib_buf *out);

/* localhost, 127.0.0.0/8, ::1. host without brackets. */
bool ib_host_is_loopback(const char *host);
/* 169.254.0.0/16, fe80::/10, and Amazon's metadata addresses fd00:ec2::/32. */
bool ib_host_is_link_local(const char *host);

/* Percent-encode all but A-Z a-z 0-9 - . _ ~ (and '/' when keep_slash). Source: RFC 3986 §2.3. */
void ib_url_encode(struct ib_str text, bool keep_slash, struct ib_buf *out);
/* Undo it; a '%' without two hexadecimal digits stays as it is. */
void ib_url_decode(struct ib_str text, struct ib_buf *out);
/* Append name=value to a query, both encoded, with '&' in front when it is not the first. */
void ib_url_add_query(struct ib_buf *query, struct ib_str name, struct ib_str value);

#endif
