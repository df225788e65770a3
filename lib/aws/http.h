/* SPDX-License-Identifier: MIT */
/*
 * HTTP, the only door to libcurl.
 *
 * One struct ib_http per run: it keeps connections alive, holds the choice of trusted CAs and the
 * proxy, and drives any number of exchanges at once on the calling thread. https only; plain http
 * to loopback, and to link-local metadata addresses when the request asks for it. No redirects, no
 * cookies, no compression. Every exchange ends by its deadline or when a stop was requested.
 */
#ifndef IB_AWS_HTTP_H
#define IB_AWS_HTTP_H

#include "lib/aws/headers.h"
#include "lib/base/buf.h"
#include "lib/sys/deadline.h"

#define IB_HTTP_BODY_MAX ((size_t)1024 * 1024) /* bytes; the largest known has 256 KiB */

/* Borrowed for the life of the ib_http; NULL = default. */
struct ib_http_options {
    const char *ca_bundle;        /* PEM file or hashed directory */
    const char *ca_bundle_source; /* who said so, for TLS errors: "AWS_CA_BUNDLE" */
    const char *proxy;            /* --proxy; NULL = by environment, see proxy.h */
    const char *user_agent;
};

struct ib_http;

IB_NODISCARD enum ib_rc ib_http_new(const struct ib_http_options *options, struct ib_http **ret,
                                    struct ib_error *err);
void ib_http_free(struct ib_http *http);
void ib_http_cleanup(struct ib_http **http);

/* For --diagnose: "libcurl/7.88.1 OpenSSL/3.0.17", and the CAs that are trusted. */
const char *ib_http_library(void);
const char *ib_http_trusted(const struct ib_http *http);
/* Append the proxy that a URL would go through: "none", "proxy.example:3128 (HTTPS_PROXY)". */
void ib_http_describe_proxy(const struct ib_http *http, const char *url, struct ib_buf *out);

enum ib_http_flag {
    /* A metadata service: never through a proxy; plain http to link-local addresses is allowed. */
    IB_HTTP_METADATA = 1,
    /* Plain http to any host: a metadata endpoint that the user named. */
    IB_HTTP_PLAIN = 2,
    /* The answer holds a secret: its buffer wipes itself. */
    IB_HTTP_SECRET = 4,
    /*
     * It does more than read, and whoever sends it counts how often it may have arrived: a connection of its own, for
     * on one that was used before and has died curl sends a request again without a word.
     */
    IB_HTTP_ONCE = 8,
};

struct ib_http_request {
    const char *method;               /* "GET", "PUT", "POST" ... */
    const char *url;                  /* sent as it is written, nothing normalised */
    const struct ib_headers *headers; /* may be NULL; sent besides: Content-Length, User-Agent */
    struct ib_str body;               /* p == NULL: none */
    struct ib_deadline deadline;
    int64_t timeout_ms;               /* of this exchange; 0 = the deadline alone */
    int64_t connect_timeout_ms;       /* 0 = 10 s */
    size_t max_body;                  /* bytes of the answer; 0 = IB_HTTP_BODY_MAX */
    unsigned flags;                   /* enum ib_http_flag */
};

struct ib_http_response {
    int status;                /* 100..999 */
    struct ib_headers headers;
    struct ib_buf body;
    int64_t date_ms;           /* Date header; 0 = none or unreadable */
    int64_t elapsed_ms;        /* from start to the last byte */
};

#define IB_HTTP_RESPONSE_INIT { 0 }
void ib_http_response_fini(struct ib_http_response *r);

/*
 * One exchange, start to end. IB_OK for every complete answer, whatever its status.
 * Errors: IB_EUSAGE a URL that is none or plain http where it may not be; IB_ENET no connection or
 * it broke; IB_ETLS; IB_ETIMEOUT (the deadline, the exchange's own limit, or a stop that was
 * requested); IB_ELIMIT answer larger than max_body; IB_EHTTP the proxy refused. The sentence
 * names the host, the stage and what to do.
 */
IB_NODISCARD enum ib_rc ib_http_perform(struct ib_http *http, const struct ib_http_request *request,
                                        struct ib_http_response *ret, struct ib_error *err);

/* --- several at once --- */

struct ib_http_transfer;

/* Begin an exchange; request is copied. Nothing moves before ib_http_poll(). */
IB_NODISCARD enum ib_rc ib_http_begin(struct ib_http *http, const struct ib_http_request *request,
                                      struct ib_http_transfer **ret, struct ib_error *err);
/* Move all exchanges; returns when one ended, at a stop, or after wait_ms. */
IB_NODISCARD enum ib_rc ib_http_poll(struct ib_http *http, int64_t wait_ms, struct ib_error *err);
bool ib_http_is_done(const struct ib_http_transfer *transfer);
/*
 * End an exchange, done or not (not done: it is dropped, IB_ETIMEOUT), and free it.
 * Results as ib_http_perform().
 */
IB_NODISCARD enum ib_rc ib_http_end(struct ib_http_transfer *transfer, struct ib_http_response *ret,
                                    struct ib_error *err);

#endif
