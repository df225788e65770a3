/* SPDX-License-Identifier: MIT */
/*
 * Exchanges over libcurl's multi interface. One timeout rule for all versions: we watch the
 * deadline ourselves and drop what has passed it; curl's own timeouts are set where it can end a
 * hanging name lookup (CURLOPT_QUICK_EXIT, 7.87), and left off before, where it would wait for the
 * resolver.
 */
#include "lib/aws/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/aws/catrust.h"
#include "lib/aws/proxy.h"
#include "lib/aws/url.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/sys/signals.h"

#define CONNECT_TIMEOUT_MAX_MS 10000 /* curl gives each address but the last half of what is left \
                                      */
#define SOCKETS_MAX   8              /* that one transfer opens: some addresses of a host */
#define POLL_SLICE_MS 1000           /* how long a wait goes on without looking around */

/* A test builds the way of the older versions too. */
#if LIBCURL_VERSION_NUM >= 0x075700 && !defined IB_HTTP_NO_QUICK_EXIT
#    define HAS_QUICK_EXIT 1
#else
#    define HAS_QUICK_EXIT 0
#endif

enum stage {
    STAGE_RESOLVE,
    STAGE_CONNECT,
    STAGE_TLS,
    STAGE_WAIT,
    STAGE_READ,
};

struct ib_http {
    CURLM *multi;
    const char *proxy, *user_agent;
    struct ib_catrust ca;
    struct ib_http_transfer *all; /* begun and not ended */
    bool is_leaky;                /* a lookup was left behind: curl must not wait for it */
};

struct ib_http_transfer {
    struct ib_http *http;
    struct ib_http_transfer *next;
    CURL *easy;
    struct curl_slist *fields;
    struct ib_buf body; /* of the request */
    struct ib_http_response response;
    struct ib_error problem; /* what a callback found wrong */
    struct ib_url url;       /* host and port; path unused */
    struct ib_proxy proxy;
    struct ib_deadline deadline;
    int64_t start_mono_ms, connect_timeout_ms;
    unsigned flags;
    CURLcode setup, result;
    enum stage stage;         /* as last seen on the way */
    int sockets[SOCKETS_MAX]; /* opened for it, perhaps closed again */
    size_t socket_count;
    bool is_done, is_attached, timed_out, stopped;
    char detail[CURL_ERROR_SIZE];
};

/* --- the run's handle --- */

#ifdef IB_CA_FILE
static const char *const built_in_ca_file = IB_CA_FILE;
static const char *const built_in_ca_dir = NULL;
#elif defined IB_CA_PATH
static const char *const built_in_ca_file = NULL;
static const char *const built_in_ca_dir = IB_CA_PATH;
#else
static const char *const built_in_ca_file = NULL;
static const char *const built_in_ca_dir = NULL;
#endif

static enum ib_rc choose_ca(const struct ib_http_options *options, struct ib_catrust *ret,
                            struct ib_error *err)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    struct ib_catrust_options o = {
        .bundle = options->ca_bundle,
        .source = options->ca_bundle_source,
        .system_dir = built_in_ca_dir,
        .system_file = built_in_ca_file,
        .has_dirs = curl->ssl_version != NULL && strstr(curl->ssl_version, "OpenSSL") != NULL,
    };

    return ib_catrust_choose(&o, ret, err);
}

enum ib_rc ib_http_new(const struct ib_http_options *options, struct ib_http **ret,
                       struct ib_error *err)
{
    IB_CLEANUP(ib_http_cleanup) struct ib_http *http = calloc(1, sizeof *http);

    if (http == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = choose_ca(options, &http->ca, err);
    if (rc != IB_OK) {
        return rc;
    }
    http->proxy = options->proxy;
    http->user_agent = options->user_agent;
    /* Counted by curl; never undone: the process ends soon, and cleaning up only costs time. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return ib_fail(err, IB_ESYS, "libcurl could not be started");
    }
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        return ib_fail_nomem(err);
    }
    *ret = http;
    http = NULL;
    return IB_OK;
}

static void destroy(struct ib_http_transfer *t);
static void free_transfer(struct ib_http_transfer *t);

void ib_http_free(struct ib_http *http)
{
    if (http == NULL) {
        return;
    }
    struct ib_http_transfer *next;
    for (struct ib_http_transfer *t = http->all; t != NULL; t = next) {
        next = t->next;
        destroy(t);
    }
    if (http->multi != NULL && !http->is_leaky) {
        (void)curl_multi_cleanup(http->multi);
    }
    free(http);
}

void ib_http_cleanup(struct ib_http **http)
{
    ib_http_free(*http);
    *http = NULL;
}

void ib_http_response_fini(struct ib_http_response *r)
{
    ib_headers_fini(&r->headers);
    ib_buf_fini(&r->body);
}

const char *ib_http_library(void)
{
    return curl_version();
}

const char *ib_http_trusted(const struct ib_http *http)
{
    return http->ca.shown;
}

void ib_http_describe_proxy(const struct ib_http *http, const char *url, struct ib_buf *out)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_proxy proxy;
    struct ib_url target;
    enum ib_rc rc = ib_url_parse(ib_str_from(url), "URL", &target, &err);

    if (rc == IB_OK) {
        rc = ib_proxy_choose(http->proxy, &target, &proxy, &err);
    }
    if (rc != IB_OK) {
        ib_buf_add_c(out, err.text);
    } else if (proxy.url[0] == '\0') {
        ib_buf_add_c(out, "none");
    } else {
        ib_buf_addf(out, "%s (%s)", proxy.shown, proxy.source);
        ib_proxy_wipe(&proxy);
    }
}

/* --- what curl calls --- */

/* One line of the answer's head. */
static size_t on_header(char *data, size_t size, size_t n, void *user)
{
    struct ib_http_transfer *t = user;
    struct ib_str line = ib_str_trim((struct ib_str){data, size * n});
    char name[256];

    if (ib_str_starts(line, IB_STR("HTTP/"))) {
        /* A new head: what stood in an earlier one (100 Continue) is not the answer's. */
        ib_headers_fini(&t->response.headers);
        return size * n;
    }
    size_t colon = ib_str_find(line, ':');
    if (colon == line.n || !ib_text_copy(name, sizeof name, ib_str_head(line, colon))) {
        return size * n;
    }
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = ib_headers_add(&t->response.headers, name, ib_str_skip(line, colon + 1), &err);
    if (rc != IB_OK && rc != IB_EPARSE) {
        t->problem = err;
        return 0;
    }
    return size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
    struct ib_http_transfer *t = user;

    ib_buf_add(&t->response.body, data, size * n);
    if (ib_buf_ok(&t->response.body, "answer", &t->problem) != IB_OK) {
        return 0;
    }
    return size * n;
}

static bool is_allowed_address(const struct ib_http_transfer *t, const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    bool local_ok = (t->flags & IB_HTTP_METADATA) != 0;

    if (t->url.is_https || (t->flags & IB_HTTP_PLAIN) != 0 || t->proxy.url[0] != '\0') {
        return true;
    }
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        uint32_t a = ntohl(v4.sin_addr.s_addr);
        return a >> 24 == 127 || (local_ok && a >> 16 == 0xA9FE);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        const uint8_t *b = v6.sin6_addr.s6_addr;
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
               (local_ok && (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ||
                             (b[0] == 0xFD && b[1] == 0 && b[2] == 0x0E && b[3] == 0xC2)));
    }
    return false;
}

/* Makes the socket: the name is resolved then, and children must not inherit it. */
static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct ib_http_transfer *t = user;

    (void)purpose;
    if (!is_allowed_address(t, &address->addr)) {
        (void)ib_fail(&t->problem, IB_EUSAGE,
                      "%s is not an address of this machine: plain http is refused", t->url.host);
        t->socket_count++;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0) {
        t->sockets[t->socket_count % SOCKETS_MAX] = fd;
        t->socket_count++;
    }
    return fd;
}

/* --- beginning --- */

#define SET(t, option, value)                                        \
    do {                                                             \
        if ((t)->setup == CURLE_OK) {                                \
            (t)->setup = curl_easy_setopt((t)->easy, option, value); \
        }                                                            \
    } while (0)

#if LIBCURL_VERSION_NUM >= 0x075500
static void set_protocols(struct ib_http_transfer *t)
{
    SET(t, CURLOPT_PROTOCOLS_STR, "http,https");
}
#else
static void set_protocols(struct ib_http_transfer *t)
{
    SET(t, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
}
#endif

#if HAS_QUICK_EXIT
static void set_timeouts(struct ib_http_transfer *t)
{
    SET(t, CURLOPT_QUICK_EXIT, 1L);
    SET(t, CURLOPT_TIMEOUT_MS, (long)ib_deadline_left_int(&t->deadline, 86400000));
    SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_timeout_ms);
}
#else
static void set_timeouts(struct ib_http_transfer *t)
{
    (void)t;
}
#endif

static void set_tls(struct ib_http_transfer *t)
{
    const struct ib_catrust *ca = &t->http->ca;

    SET(t, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(t, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca->file[0] != '\0') {
        SET(t, CURLOPT_CAINFO, ca->file);
    }
    if (ca->dir[0] != '\0') {
        SET(t, CURLOPT_CAPATH, ca->dir);
    } else if (ca->file[0] != '\0') {
        /* curl's built-in directory must not add to what was chosen; not every TLS library has one.
         */
        (void)curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
    }
}

/* A proxy that is spoken to in TLS is trusted by the same CAs. */
static void set_proxy_tls(struct ib_http_transfer *t)
{
    const struct ib_catrust *ca = &t->http->ca;

    SET(t, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca->file[0] != '\0') {
        SET(t, CURLOPT_PROXY_CAINFO, ca->file);
    }
    if (ca->dir[0] != '\0') {
        SET(t, CURLOPT_PROXY_CAPATH, ca->dir);
    }
}

static void set_proxy(struct ib_http_transfer *t)
{
    /* Set in either case: an empty one keeps curl from looking at the environment itself. */
    SET(t, CURLOPT_PROXY, t->proxy.url);
    SET(t, CURLOPT_NOPROXY, "");
    SET(t, CURLOPT_HTTPPROXYTUNNEL, 1L);
    SET(t, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(t, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(t, CURLOPT_PROXYAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
    if (ib_str_starts(ib_str_from(t->proxy.url), IB_STR("https://"))) {
        set_proxy_tls(t);
    }
}

static void set_callbacks(struct ib_http_transfer *t)
{
    SET(t, CURLOPT_HEADERFUNCTION, on_header);
    SET(t, CURLOPT_HEADERDATA, t);
    SET(t, CURLOPT_WRITEFUNCTION, on_body);
    SET(t, CURLOPT_WRITEDATA, t);
    SET(t, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(t, CURLOPT_OPENSOCKETDATA, t);
    SET(t, CURLOPT_ERRORBUFFER, t->detail);
    SET(t, CURLOPT_PRIVATE, t);
}

static void set_request(struct ib_http_transfer *t, const struct ib_http_request *r)
{
    bool has_body =
        r->body.p != NULL || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0;

    SET(t, CURLOPT_URL, r->url);
    SET(t, CURLOPT_PATH_AS_IS, 1L);
    SET(t, CURLOPT_FOLLOWLOCATION, 0L);
    SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(t, CURLOPT_NOSIGNAL, 1L);
    if (t->http->user_agent != NULL) {
        SET(t, CURLOPT_USERAGENT, t->http->user_agent);
    }
    if (has_body) {
        SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
        SET(t, CURLOPT_POSTFIELDS, ib_buf_c(&t->body));
    } else if (strcmp(r->method, "HEAD") == 0) {
        SET(t, CURLOPT_NOBODY, 1L);
    } else {
        SET(t, CURLOPT_HTTPGET, 1L);
    }
    if (strcmp(r->method, "HEAD") != 0) {
        SET(t, CURLOPT_CUSTOMREQUEST, r->method);
    }
    SET(t, CURLOPT_HTTPHEADER, t->fields);
    SET(t, CURLOPT_FRESH_CONNECT, (r->flags & IB_HTTP_ONCE) != 0 ? 1L : 0L);
}

static enum ib_rc add_field(struct ib_http_transfer *t, const char *name, const char *value,
                            struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT_SECRET(IB_HEADERS_BYTES_MAX + 64);

    /* curl's way to write a field with an empty value is "Name;". */
    ib_buf_add_c(&line, name);
    ib_buf_add_c(&line, value[0] == '\0' ? ";" : ": ");
    ib_buf_add_c(&line, value);
    struct curl_slist *longer = curl_slist_append(t->fields, ib_buf_c(&line));
    if (longer == NULL) {
        return ib_fail_nomem(err);
    }
    t->fields = longer;
    return ib_buf_ok(&line, "request header", err);
}

/* The caller's fields, and "Name:" for each that curl would add of its own accord. */
static enum ib_rc build_fields(struct ib_http_transfer *t, const struct ib_http_request *r,
                               struct ib_error *err)
{
    static const char *const unwanted[] = {"Expect:", "Accept:", "Content-Type:"};
    const struct ib_headers none = IB_HEADERS_INIT;
    const struct ib_headers *h = r->headers == NULL ? &none : r->headers;
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < h->count; i++) {
        rc = add_field(t, h->items[i].name, h->items[i].value, err);
    }
    for (size_t i = 0; rc == IB_OK && i < IB_ARRAY_LEN(unwanted); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", (int)strlen(unwanted[i]) - 1, unwanted[i]);
        if (ib_headers_get(h, name) == NULL) {
            struct curl_slist *longer = curl_slist_append(t->fields, unwanted[i]);
            rc = longer == NULL ? ib_fail_nomem(err) : IB_OK;
            t->fields = longer == NULL ? t->fields : longer;
        }
    }
    return rc;
}

/* Host and port of the URL; the rest goes to the wire unseen, so it must be clean. */
static enum ib_rc read_url(struct ib_http_transfer *t, const struct ib_http_request *r,
                           struct ib_error *err)
{
    struct ib_str url = ib_str_from(r->url);
    size_t scheme = 0;

    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= ' ' || url.p[i] > '~') {
            return ib_fail(err, IB_EUSAGE,
                           "a URL holds a blank, a control character or one that is not ASCII");
        }
    }
    while (scheme < url.n && !ib_str_starts(ib_str_skip(url, scheme), IB_STR("://"))) {
        scheme++;
    }
    struct ib_str rest = ib_str_skip(url, scheme + 3);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#') {
        end++;
    }
    enum ib_rc rc = ib_url_parse(ib_str_head(url, url.n - rest.n + end), "URL", &t->url, err);
    if (rc != IB_OK || t->url.is_https || (r->flags & IB_HTTP_PLAIN) != 0 ||
        ib_host_is_loopback(t->url.host) ||
        ((r->flags & IB_HTTP_METADATA) != 0 && ib_host_is_link_local(t->url.host))) {
        return rc;
    }
    return ib_fail(err, IB_EUSAGE, "http://%s: plain http is for this machine only: use https",
                   t->url.host);
}

static enum ib_rc prepare(struct ib_http_transfer *t, const struct ib_http_request *r,
                          struct ib_error *err)
{
    enum ib_rc rc = read_url(t, r, err);

    if (rc == IB_OK && (r->flags & IB_HTTP_METADATA) == 0) {
        rc = ib_proxy_choose(t->http->proxy, &t->url, &t->proxy, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_add_str(&t->body, r->body);
    rc = ib_buf_ok(&t->body, "request body", err);
    if (rc == IB_OK) {
        rc = build_fields(t, r, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    t->deadline = r->deadline;
    if (r->timeout_ms > 0) {
        t->deadline = ib_deadline_min(t->deadline, ib_deadline_in(r->timeout_ms));
    }
    t->connect_timeout_ms =
        r->connect_timeout_ms > 0 ? r->connect_timeout_ms : CONNECT_TIMEOUT_MAX_MS;
    return IB_OK;
}

static enum ib_rc configure(struct ib_http_transfer *t, const struct ib_http_request *r,
                            struct ib_error *err)
{
    t->easy = curl_easy_init();
    if (t->easy == NULL) {
        return ib_fail_nomem(err);
    }
    set_protocols(t);
    set_timeouts(t);
    set_tls(t);
    set_proxy(t);
    set_callbacks(t);
    set_request(t, r);
    if (t->setup != CURLE_OK) {
        return ib_fail(err, t->setup == CURLE_OUT_OF_MEMORY ? IB_ENOMEM : IB_EBUG,
                       "libcurl refused an option: %s", curl_easy_strerror(t->setup));
    }
    if (curl_multi_add_handle(t->http->multi, t->easy) != CURLM_OK) {
        return ib_fail_nomem(err);
    }
    t->is_attached = true;
    return IB_OK;
}

enum ib_rc ib_http_begin(struct ib_http *http, const struct ib_http_request *request,
                         struct ib_http_transfer **ret, struct ib_error *err)
{
    struct ib_http_transfer *t = calloc(1, sizeof *t);

    if (t == NULL) {
        return ib_fail_nomem(err);
    }
    t->http = http;
    t->next = http->all;
    http->all = t;
    t->flags = request->flags;
    t->start_mono_ms = ib_time_mono_ms();
    t->body = (struct ib_buf)IB_BUF_INIT_SECRET(IB_HTTP_BODY_MAX);
    t->response.body =
        (struct ib_buf)IB_BUF_INIT(request->max_body == 0 ? IB_HTTP_BODY_MAX : request->max_body);
    t->response.body.secret = (request->flags & IB_HTTP_SECRET) != 0;
    enum ib_rc rc = prepare(t, request, err);
    if (rc == IB_OK) {
        rc = configure(t, request, err);
    }
    if (rc != IB_OK) {
        free_transfer(t);
        return rc;
    }
    *ret = t;
    return IB_OK;
}

/* --- ending --- */

static void wipe_fields(struct curl_slist *fields)
{
    for (struct curl_slist *f = fields; f != NULL; f = f->next) {
        explicit_bzero(f->data, strlen(f->data));
    }
    curl_slist_free_all(fields);
}

static void unlink_transfer(struct ib_http_transfer *t)
{
    struct ib_http_transfer **at = &t->http->all;

    while (*at != NULL && *at != t) {
        at = &(*at)->next;
    }
    if (*at == t) {
        *at = t->next;
    }
}

static void detach(struct ib_http_transfer *t)
{
    if (t->is_attached) {
        (void)curl_multi_remove_handle(t->http->multi, t->easy);
        t->is_attached = false;
    }
}

static void destroy(struct ib_http_transfer *t)
{
    ib_http_response_fini(&t->response);
    ib_proxy_wipe(&t->proxy);
    if (!HAS_QUICK_EXIT && t->is_attached && t->socket_count == 0) {
        /* Removing it would wait for the name lookup: left behind, it ends with the process. */
        t->http->is_leaky = true;
        return;
    }
    detach(t);
    if (t->easy != NULL) {
        curl_easy_cleanup(t->easy);
    }
    wipe_fields(t->fields);
    ib_buf_fini(&t->body);
    free(t);
}

/* Asked of the kernel: curl's own times are not known before the handshake is over. */
static bool has_peer(const struct ib_http_transfer *t)
{
    for (size_t i = 0; i < t->socket_count && i < SOCKETS_MAX; i++) {
        struct sockaddr_storage peer;
        socklen_t n = sizeof peer;

        if (getpeername(t->sockets[i], (struct sockaddr *)&peer, &n) == 0) {
            return true;
        }
    }
    return false;
}

static void free_transfer(struct ib_http_transfer *t)
{
    unlink_transfer(t);
    destroy(t);
}

/* How far it is now, as far as can be seen: after its end, sockets are closed. */
static enum stage look_at_stage(const struct ib_http_transfer *t)
{
    curl_off_t connected = 0, secured = 0, first_byte = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
    (void)curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    (void)curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    if (t->response.body.len > 0 || t->response.headers.count > 0 || first_byte > 0) {
        return STAGE_READ;
    }
    curl_off_t sent = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
    if (sent > 0 || (t->url.is_https ? secured > 0 : connected > 0)) {
        return STAGE_WAIT;
    }
    if (connected > 0 || has_peer(t)) {
        return t->url.is_https ? STAGE_TLS : STAGE_WAIT;
    }
    return t->socket_count > 0 ? STAGE_CONNECT : STAGE_RESOLVE;
}

/* How far it came. */
static enum stage stage_of(const struct ib_http_transfer *t)
{
    enum stage now = look_at_stage(t);

    return now > t->stage ? now : t->stage;
}

/* host:port, and the proxy on the way to it. */
static const char *peer_of(const struct ib_http_transfer *t, char *buf, size_t cap)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(1024);

    ib_buf_addf(&text, t->url.is_ipv6 ? "[%s]:%d" : "%s:%d", t->url.host, t->url.port);
    if (t->proxy.url[0] != '\0') {
        ib_buf_addf(&text, " through the proxy %s (%s)", t->proxy.shown, t->proxy.source);
    }
    (void)snprintf(buf, cap, "%s", ib_buf_c(&text));
    return buf;
}

static const char *detail_of(const struct ib_http_transfer *t)
{
    return t->detail[0] != '\0' ? t->detail : curl_easy_strerror(t->result);
}

static enum ib_rc fail_timeout(const struct ib_http_transfer *t, const char *peer,
                               struct ib_error *err)
{
    static const char *const doing[] = {
        [STAGE_RESOLVE] = "looking up the name (DNS)",
        [STAGE_CONNECT] = "connecting",
        [STAGE_TLS] = "doing the TLS handshake",
        [STAGE_WAIT] = "waiting for the answer",
        [STAGE_READ] = "reading the answer",
    };
    static const char *const advice[] = {
        [STAGE_RESOLVE] = ": check the name servers of this machine",
        [STAGE_CONNECT] = ": check route, firewall, proxy, or the VPC endpoint's security group",
        [STAGE_TLS] = ": check firewall and proxy",
        [STAGE_WAIT] = "",
        [STAGE_READ] = "",
    };
    enum stage stage = stage_of(t);
    char took[IB_TIME_TEXT_MAX];
    int64_t ms = ib_time_mono_ms() - t->start_mono_ms;

    if (ms < 10000) {
        (void)snprintf(took, sizeof took, "%d.%ds", (int)(ms / 1000), (int)(ms % 1000 / 100));
    } else {
        (void)ib_duration_fmt(ms, took, sizeof took);
    }
    bool at_proxy = stage == STAGE_TLS && t->proxy.url[0] != '\0';
    const char *what = at_proxy ? "waiting for the proxy" : doing[stage];
    if (t->stopped) {
        return ib_fail(err, IB_ETIMEOUT, "%s: stopped by %s while %s", peer, ib_signals_stop_name(),
                       what);
    }
    return ib_fail(err, IB_ETIMEOUT, "%s: timed out after %s while %s%s", peer, took, what,
                   advice[stage]);
}

static enum ib_rc fail_connect(const struct ib_http_transfer *t, const char *peer,
                               struct ib_error *err)
{
    long os_errno = 0;
    char reason[128];

    (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
    enum ib_rc rc =
        ib_fail(err, IB_ENET, "%s: cannot connect: %s", peer,
                os_errno > 0 ? ib_errno_text((int)os_errno, reason, sizeof reason) : detail_of(t));
    if (err != NULL) {
        err->sys = (int)os_errno;
    }
    return rc;
}

static enum ib_rc fail_tls(const struct ib_http_transfer *t, const char *peer, struct ib_error *err)
{
    const struct ib_catrust *ca = &t->http->ca;

    if (t->result == CURLE_SSL_CACERT_BADFILE) {
        return ib_fail(err, IB_ETLS, "the trusted CAs in %s cannot be read: %s", ca->shown,
                       detail_of(t));
    }
    if (t->result != CURLE_PEER_FAILED_VERIFICATION) {
        return ib_fail(err, IB_ETLS, "%s: TLS failed: %s", peer, detail_of(t));
    }
    if (strstr(t->detail, "subject name") != NULL || strstr(t->detail, "alternative") != NULL) {
        return ib_fail(err, IB_ETLS, "%s: the certificate is for another host: %s", peer,
                       detail_of(t));
    }
    return ib_fail(
        err, IB_ETLS,
        "%s: certificate not trusted: %s (CAs from %s); behind a proxy that inspects TLS, "
        "name its CA with --ca-bundle or AWS_CA_BUNDLE",
        peer, detail_of(t), ca->shown);
}

/* Connection came about, the answer did not. */
static enum ib_rc fail_broken(const struct ib_http_transfer *t, const char *peer,
                              struct ib_error *err)
{
    long connect_status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    if (t->proxy.url[0] != '\0' && connect_status >= 300) {
        /* A proxy's 5xx may pass; what it refuses, it refuses again. */
        enum ib_rc rc = ib_fail(err, connect_status >= 500 ? IB_ENET : IB_EHTTP,
                                "proxy %s (%s) refused the way to %s: HTTP %ld%s",
                                t->proxy.shown, t->proxy.source, t->url.host, connect_status,
                                connect_status == 407 ? ": it wants a user and password" : "");
        if (err != NULL) {
            err->http_status = (int)connect_status;
        }
        return rc;
    }
    if (t->result == CURLE_PARTIAL_FILE) {
        return ib_fail(err, IB_ENET, "%s: the answer was cut off after %zu bytes", peer,
                       t->response.body.len);
    }
    if (t->result == CURLE_GOT_NOTHING) {
        return ib_fail(err, IB_ENET, "%s: the connection was closed without an answer", peer);
    }
    return ib_fail(err, IB_ENET, "%s: the connection broke while %s: %s", peer,
                   stage_of(t) == STAGE_READ ? "reading the answer" : "waiting for the answer",
                   detail_of(t));
}

static enum ib_rc fail_transfer(const struct ib_http_transfer *t, struct ib_error *err)
{
    char peer[IB_URL_HOST_MAX * 2 + 128];
    unsigned code = (unsigned)t->result; /* not as enum: curl adds codes */

    (void)peer_of(t, peer, sizeof peer);
    if (t->timed_out || code == CURLE_OPERATION_TIMEDOUT) {
        return fail_timeout(t, peer, err);
    }
    if (t->problem.rc != IB_OK) {
        if (err != NULL) {
            *err = t->problem;
            (void)ib_error_context(err, "%s", peer);
        }
        return t->problem.rc;
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        return ib_fail(
            err, IB_ENET,
            "%s: no such host (DNS): check the Region, and the name servers of this machine", peer);
    }
    if (code == CURLE_COULDNT_RESOLVE_PROXY) {
        return ib_fail(err, IB_ENET, "proxy %s (%s): no such host (DNS)", t->proxy.shown,
                       t->proxy.source);
    }
    if (code == CURLE_COULDNT_CONNECT) {
        return fail_connect(t, peer, err);
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
        code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
        code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR) {
        return fail_tls(t, peer, err);
    }
    if (code == CURLE_OUT_OF_MEMORY) {
        return ib_fail_nomem(err);
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY) {
        return ib_fail(err, IB_ENET, "%s: the answer is not HTTP: %s", peer, detail_of(t));
    }
    return fail_broken(t, peer, err);
}

static enum ib_rc take_response(struct ib_http_transfer *t, struct ib_http_response *ret,
                                struct ib_error *err)
{
    long status = 0;
    curl_off_t total_us = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    if (status < 100 || status > 999) {
        return ib_fail(err, IB_ENET, "%s:%d: the answer is not HTTP", t->url.host, t->url.port);
    }
    const char *date = ib_headers_get(&t->response.headers, "Date");
    t->response.status = (int)status;
    t->response.elapsed_ms = (int64_t)total_us / 1000;
    if (date == NULL ||
        ib_time_parse_http(ib_str_from(date), &t->response.date_ms, NULL) != IB_OK) {
        t->response.date_ms = 0;
    }
    *ret = t->response;
    t->response = (struct ib_http_response)IB_HTTP_RESPONSE_INIT;
    return IB_OK;
}

bool ib_http_is_done(const struct ib_http_transfer *transfer)
{
    return transfer->is_done;
}

enum ib_rc ib_http_end(struct ib_http_transfer *transfer, struct ib_http_response *ret,
                       struct ib_error *err)
{
    enum ib_rc rc;

    if (!transfer->is_done) {
        transfer->timed_out = true;
        transfer->stopped = ib_signals_stop_requested();
    }
    if (transfer->is_done && !transfer->timed_out && transfer->result == CURLE_OK) {
        rc = take_response(transfer, ret, err);
    } else {
        rc = fail_transfer(transfer, err);
    }
    free_transfer(transfer);
    return rc;
}

/* --- moving --- */

/* Marks what curl has finished; returns how many. */
static int harvest(struct ib_http *http)
{
    int finished = 0, left;

    for (CURLMsg *m = curl_multi_info_read(http->multi, &left); m != NULL;
         m = curl_multi_info_read(http->multi, &left)) {
        struct ib_http_transfer *t = NULL;

        if (m->msg != CURLMSG_DONE) {
            continue;
        }
        CURLcode result = m->data.result;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        IB_ASSERT(t != NULL);
        t->result = result;
        t->is_done = true;
        finished++;
        /* The connection goes back to the pool at once. */
        detach(t);
    }
    return finished;
}

/* Marks what is past its time; returns how many. *wait_ms shrinks to the next such moment. */
static int expire(struct ib_http *http, int64_t *wait_ms)
{
    int64_t now = ib_time_mono_ms();
    int expired = 0;

    for (struct ib_http_transfer *t = http->all; t != NULL; t = t->next) {
        if (t->is_done) {
            continue;
        }
        int64_t left = ib_deadline_left_ms(&t->deadline);
        t->stage = stage_of(t);
        if (t->stage <= STAGE_CONNECT) {
            int64_t connect_left = t->start_mono_ms + t->connect_timeout_ms - now;
            left = connect_left < left ? connect_left : left;
        }
        if (left <= 0) {
            t->timed_out = true;
            t->is_done = true;
            expired++;
        } else if (left < *wait_ms) {
            *wait_ms = left;
        }
    }
    return expired;
}

enum ib_rc ib_http_poll(struct ib_http *http, int64_t wait_ms, struct ib_error *err)
{
    int64_t end = ib_time_mono_ms() + wait_ms;

    for (;;) {
        int running = 0;
        if (curl_multi_perform(http->multi, &running) != CURLM_OK) {
            return ib_fail(err, IB_EBUG, "libcurl cannot go on");
        }
        int64_t wait = end - ib_time_mono_ms();
        int finished = harvest(http) + expire(http, &wait);
        if (finished > 0 || wait <= 0 || ib_signals_stop_requested()) {
            return IB_OK;
        }
        struct curl_waitfd stop = {.fd = ib_signals_stop_fd(), .events = CURL_WAIT_POLLIN};
        unsigned extra = stop.fd >= 0 ? 1 : 0;
        int slice = (int)(wait < POLL_SLICE_MS ? wait : POLL_SLICE_MS);
        if (curl_multi_poll(http->multi, &stop, extra, slice, NULL) != CURLM_OK) {
            return ib_fail(err, IB_ESYS, "waiting for the network failed");
        }
    }
}

enum ib_rc ib_http_perform(struct ib_http *http, const struct ib_http_request *request,
                           struct ib_http_response *ret, struct ib_error *err)
{
    struct ib_http_transfer *t;
    enum ib_rc rc = ib_http_begin(http, request, &t, err);

    while (rc == IB_OK && !t->is_done && !ib_signals_stop_requested()) {
        rc = ib_http_poll(http, POLL_SLICE_MS, err);
        if (rc != IB_OK) {
            free_transfer(t);
        }
    }
    return rc == IB_OK ? ib_http_end(t, ret, err) : rc;
}
