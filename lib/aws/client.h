/* SPDX-License-Identifier: MIT */
/*
 * The AWS client: endpoint, credentials, signature, retries and the reading of answers in one call.
 *
 * One client per run and thread. Credentials and region are looked up at the first call that needs
 * them. Everything ends by the deadline that it was made with, or was given since.
 */
#ifndef IB_AWS_CLIENT_H
#define IB_AWS_CLIENT_H

#include "lib/aws/awsconfig.h"
#include "lib/aws/headers.h"
#include "lib/data/value.h"

struct ib_aws_client;
struct ib_http;

IB_NODISCARD enum ib_rc ib_aws_client_new(const struct ib_aws_options *options,
                                          struct ib_deadline deadline, struct ib_aws_client **ret,
                                          struct ib_error *err);
void ib_aws_client_free(struct ib_aws_client *client);
void ib_aws_client_cleanup(struct ib_aws_client **client);

/* All texts are borrowed until the call returns. */
struct ib_aws_request {
    const char *service;              /* "imagebuilder", "sts" */
    const char *operation;            /* "GetImage": for messages and the trace */
    const char *method;               /* "GET" */
    struct ib_str path;               /* percent-encoded, begins with '/' */
    struct ib_str query;              /* percent-encoded, without '?'; may be empty */
    struct ib_str body;               /* p == NULL: none */
    const char *content_type;         /* NULL = application/json when there is a body */
    const char *region;               /* region of the ARN at hand; NULL = by configuration */
    const struct ib_headers *headers; /* further ones, signed too; may be NULL */
    bool no_retry;                    /* repeating it might do it twice */
};

struct ib_aws_response {
    int status;
    struct ib_headers headers;
    struct ib_buf body;     /* as it came, at most 1 MiB */
    struct ib_value *value; /* parsed body when it is JSON and sound, else NULL */
    struct ib_error unread; /* rc != IB_OK: it claims to be JSON and is not; why */
    char request_id[64];    /* "" when the answer has none */
    char operation[64], service[32];
    char *url;          /* without query; for the trace and $url */
    int attempts;       /* tries made, 1 or more */
    int unsure;         /* of those before this answer: got none, or a 5xx; they may have done what was asked */
    int64_t elapsed_ms; /* all tries and waits together */
};

#define IB_AWS_RESPONSE_INIT { 0 }
void ib_aws_response_fini(struct ib_aws_response *r);

/*
 * One call with retries. IB_OK for ANY complete HTTP answer, 4xx and 5xx too: ask
 * ib_aws_response_error(). Errors: IB_ENET, IB_ETLS, IB_ETIMEOUT (after the last try), IB_ECRED,
 * IB_EUSAGE (region, endpoint), IB_ELIMIT; the sentence begins with the operation, or
 * with "after 3 tries: " and the operation.
 */
IB_NODISCARD enum ib_rc ib_aws_call(struct ib_aws_client *client,
                                    const struct ib_aws_request *request,
                                    struct ib_aws_response *ret, struct ib_error *err);

/* One of several calls made at once. */
struct ib_aws_job {
    struct ib_aws_request request;
    struct ib_aws_response response; /* filled when rc is IB_OK */
    enum ib_rc rc;
    struct ib_error err;
};

/*
 * Make all calls, at most `parallel` (1..IB_AWS_PARALLEL_MAX) at a time, each with its own
 * retries. Every job has its rc afterwards. Errors: only what keeps all of them from being tried
 * (IB_ECRED, IB_ENOMEM).
 */
#define IB_AWS_PARALLEL_MAX 32
IB_NODISCARD enum ib_rc ib_aws_call_many(struct ib_aws_client *client, struct ib_aws_job *jobs,
                                         size_t count, size_t parallel, struct ib_error *err);

/*
 * Calls of any number of clients under way at once, where an answer may lead to further calls. At
 * most `parallel` (1..IB_AWS_PARALLEL_MAX) requests are in flight, and each client with something
 * to do has the same share of them, so that one that gets no answers does not keep the others
 * waiting.
 */
struct ib_aws_flight;

IB_NODISCARD enum ib_rc ib_aws_flight_new(size_t parallel, struct ib_aws_flight **ret,
                                          struct ib_error *err);
/* What is under way is dropped. Before its clients are freed. */
void ib_aws_flight_free(struct ib_aws_flight *flight);
void ib_aws_flight_cleanup(struct ib_aws_flight **flight);

/* What has no answer by then ends with IB_ETIMEOUT; beside each client's own deadline. */
void ib_aws_flight_until(struct ib_aws_flight *flight, struct ib_deadline until);

/* Texts of the request are borrowed until its result is handed out. Errors: IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_aws_flight_add(struct ib_aws_flight *flight,
                                          struct ib_aws_client *client,
                                          const struct ib_aws_request *request, void *tag,
                                          struct ib_error *err);

/*
 * Drop one call that is under way and give back its tag, for the caller's own tidying; NULL when
 * none is.
 */
void *ib_aws_flight_take(struct ib_aws_flight *flight);

/* Calls of this client (NULL: of all) whose result has not been handed out. */
size_t ib_aws_flight_count(const struct ib_aws_flight *flight, const struct ib_aws_client *client);

/* The result of one call; the caller ends it with ib_aws_response_fini(). */
struct ib_aws_landed {
    void *tag;
    enum ib_rc rc;
    struct ib_error err;
    struct ib_aws_response response; /* filled when rc is IB_OK */
};

/*
 * Wait for a call to end. There must be one. Errors: only when the loop itself breaks down
 * (IB_EBUG, IB_ESYS); what a call meets is in ret->rc.
 */
IB_NODISCARD enum ib_rc ib_aws_flight_next(struct ib_aws_flight *flight, struct ib_aws_landed *ret,
                                           struct ib_error *err);

/*
 * Turn an answer that is no success into an error: IB_EAWS, IB_EHTTP; IB_EPARSE for a 2xx whose
 * body is not the JSON that it should be. IB_OK for a sound 2xx.
 */
IB_NODISCARD enum ib_rc ib_aws_response_error(const struct ib_aws_response *r,
                                              struct ib_error *err);

struct ib_aws_stats {
    int64_t calls;      /* ib_aws_call()s made */
    int64_t attempts;   /* HTTP requests sent for them */
    int64_t retries;    /* attempts that were not the first */
    int64_t throttled;  /* answers that said: slower */
    int64_t elapsed_ms; /* total time in calls, summed */
    int64_t skew_ms;    /* AWS's clock minus ours as last seen, by the Date header; whole seconds */
    bool skew_known;
    int64_t corrected_ms; /* what our clock was corrected by before a signature was taken; 0 = it was good enough */
};
struct ib_aws_stats ib_aws_client_stats(const struct ib_aws_client *client);

/* What a person should know of it (clock corrected, credentials renewed): line i, or NULL. */
const char *ib_aws_client_note(const struct ib_aws_client *client, size_t i);

/* For the providers and for --diagnose. Borrowed. */
struct ib_aws_config *ib_aws_client_config(struct ib_aws_client *client);
struct ib_http *ib_aws_client_http(struct ib_aws_client *client);
struct ib_deadline ib_aws_client_deadline(const struct ib_aws_client *client);
/* From now on its calls end by this. What it was made with is the caller's to keep. */
void ib_aws_client_until(struct ib_aws_client *client, struct ib_deadline until);
/*
 * Look for credentials now, and keep them for the calls that follow; *ret_end_ms is when they end (Unix
 * time, 0 = never). Errors as ib_credentials_resolve().
 */
IB_NODISCARD enum ib_rc ib_aws_client_find_credentials(struct ib_aws_client *client,
                                                       int64_t *ret_end_ms, struct ib_error *err);

#endif
