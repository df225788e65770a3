/* SPDX-License-Identifier: MIT */
/*
 * What the credential providers share. Internal to lib/aws: callers use awsconfig.h.
 *
 * A provider is one function in a file of its own (cred_env.c, cred_imds.c ...). It answers with
 * IB_OK and credentials; with IB_ENOENT and a sentence why it has none, and the chain goes on to the
 * next; or with any other code, and the chain stops there: somebody set this provider up, so using
 * another account's credentials instead would be a guess.
 */
#ifndef IB_AWS_CRED_H
#define IB_AWS_CRED_H

#include "lib/aws/awsconfig.h"
#include "lib/aws/outside.h"
#include "lib/aws/profile.h"
#include "lib/data/value.h"

/* What became of each provider: for errors, -vvv and --diagnose. */
enum ib_cred_outcome { IB_CRED_ANSWERED, IB_CRED_PASSED_OVER, IB_CRED_FAILED, IB_CRED_NOT_ASKED };

#define IB_CRED_TRAIL_MAX 24

struct ib_cred_trail_row {
    const char *provider; /* static text */
    enum ib_cred_outcome outcome;
    char text[IB_ERROR_TEXT_MAX]; /* why, or what was found; never a secret */
};
struct ib_cred_trail {
    struct ib_cred_trail_row rows[IB_CRED_TRAIL_MAX];
    size_t count;
};
/* Rows beyond the maximum are dropped. */
void ib_cred_trail_add(struct ib_cred_trail *trail, const char *provider,
                       enum ib_cred_outcome outcome, const char *fmt, ...) IB_PRINTF(4, 5);

/* Everything that a provider may look at. */
struct ib_cred_context {
    struct ib_aws_config *config;
    const struct ib_outside *outside;
    const struct ib_profiles *profiles;
    const char *profile;  /* the selected one: its settings apply to metadata services */
    struct ib_deadline deadline;
    bool fresh;           /* what is cached was refused by AWS */
    struct ib_cred_trail *trail;
};

/* Provider names, as shown to people. */
#define IB_CRED_ENV          "environment"
#define IB_CRED_SHARED       "profile keys"
#define IB_CRED_ASSUME_ROLE  "assume role"
#define IB_CRED_WEB_IDENTITY "web identity"
#define IB_CRED_SSO          "SSO"
#define IB_CRED_LOGIN        "aws login"
#define IB_CRED_PROCESS      "credential_process"
#define IB_CRED_CONTAINER    "container"
#define IB_CRED_IMDS         "instance metadata"

#define IB_CRED_KEY_MAX    128   /* bytes; IAM: access key ids have 16 to 128 */
#define IB_CRED_SECRET_MAX 1024  /* bytes; today 40 */
#define IB_CRED_TOKEN_MAX  16384 /* bytes; STS promises no maximum, HTTP servers end about here */

/* Credentials as found, before they are checked. */
struct ib_cred_fields {
    struct ib_str access_key_id, secret_access_key, session_token, account_id;
    int64_t expiration_ms; /* 0: none */
};

/*
 * The one door through which credentials enter: nothing empty, no blanks or control characters
 * (these texts become HTTP headers), sane lengths. what names the place in the sentence, which
 * never shows a value; source goes into ret->source. Errors: IB_ECRED, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_cred_accept(const struct ib_cred_fields *fields, const char *provider,
                                       const char *source, struct ib_credentials *ret,
                                       struct ib_error *err);
/* IB_ECRED when the credentials ended before now; what says what to do about it. */
IB_NODISCARD enum ib_rc ib_cred_check_expired(const struct ib_credentials *c, int64_t now_ms,
                                              const char *advice, struct ib_error *err);

/*
 * What could not be read or understood on the way is a failure of credentials: keeps the sentence, makes
 * the code IB_ECRED. What has nothing to do with them (no memory, the deadline, a broken
 * invariant) stays what it is.
 */
enum ib_rc ib_cred_blame(struct ib_error *err, enum ib_rc rc);

/* Names of the members of one kind of JSON answer; NULL: this kind has none. */
struct ib_cred_json_names {
    const char *access_key_id, *secret_access_key, *session_token, *expiration, *account_id;
    bool needs_token, needs_expiration;
    bool expiration_is_ms; /* a number of milliseconds instead of ISO 8601 */
};
/* Read credentials out of a JSON object; the fields are views into it. Errors: IB_ECRED. */
IB_NODISCARD enum ib_rc ib_cred_json_fields(const struct ib_value *object, const char *what,
                                            const struct ib_cred_json_names *names,
                                            struct ib_cred_fields *ret, struct ib_error *err);

/* The last characters of the access key id: tells keys apart, and is no secret. Borrowed. */
const char *ib_cred_key_tail(const struct ib_credentials *c);
/* "true" in any case is true, everything else is false, as the SDKs read switches. NULL is false. */
bool ib_cred_is_true(const char *value);

/* The providers. ret is written only on IB_OK. */
IB_NODISCARD enum ib_rc ib_cred_env(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                                    struct ib_error *err);
IB_NODISCARD enum ib_rc ib_cred_shared(const struct ib_cred_context *ctx, const char *profile,
                                       struct ib_credentials *ret, struct ib_error *err);
/* profile NULL: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN. */
IB_NODISCARD enum ib_rc ib_cred_web_identity(const struct ib_cred_context *ctx, const char *profile,
                                             struct ib_credentials *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_cred_sso(const struct ib_cred_context *ctx, const char *profile,
                                    struct ib_credentials *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_cred_login(const struct ib_cred_context *ctx, const char *profile,
                                      struct ib_credentials *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_cred_process(const struct ib_cred_context *ctx, const char *profile,
                                        struct ib_credentials *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_cred_container(const struct ib_cred_context *ctx,
                                          struct ib_credentials *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_cred_imds(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                                     struct ib_error *err);

/* One role to assume. NULL members were not given. */
struct ib_cred_role {
    const char *arn, *session_name, *external_id, *mfa_serial, *duration;
    const char *where; /* "profile \"web\"", "--role-arn": for sentences */
};
/* A role as a profile describes it; where is written to buf. */
void ib_cred_role_of_profile(const struct ib_cred_context *ctx, const char *profile, char *buf,
                             size_t cap, struct ib_cred_role *ret);
/* A role by --role-arn and --external-id. */
void ib_cred_role_of_options(const struct ib_cred_context *ctx, struct ib_cred_role *ret);
/*
 * Check what can be known without asking: a role ARN, no MFA (nobody is there to type a code), a
 * duration of 900 to 43200 s, names of STS's characters. Errors: IB_ECRED.
 */
IB_NODISCARD enum ib_rc ib_cred_role_check(const struct ib_cred_role *role, struct ib_error *err);
/* AssumeRole by the given credentials. */
IB_NODISCARD enum ib_rc ib_cred_assume_role(const struct ib_cred_context *ctx,
                                            const struct ib_cred_role *role,
                                            const struct ib_credentials *by,
                                            struct ib_credentials *ret, struct ib_error *err);
/* Lines that tell one role from another: part of the description that the cache hashes. */
void ib_cred_role_describe(const struct ib_cred_context *ctx, const struct ib_cred_role *role,
                           struct ib_buf *out);
/* Session name when nobody gave one: "ib-plugins-HOST", so that CloudTrail shows who it was. */
void ib_cred_session_name(char *buf, size_t cap);

/*
 * Read a file below the home directory (rest begins with '/'), HOME's first, the password database's
 * when that one may not be entered. ret_path (IB_PROFILE_PATH_MAX bytes) is where it was found or
 * should be; ret_facts may be NULL. Errors: IB_ENOENT not there, or no home; as ib_outside.read.
 */
IB_NODISCARD enum ib_rc ib_cred_read_below_home(const struct ib_cred_context *ctx, const char *rest,
                                                struct ib_buf *ret, char *ret_path,
                                                struct ib_file_facts *ret_facts,
                                                struct ib_error *err);

/*
 * Append the URL that the container's variables name. *ret_is_metadata: a metadata service, asked
 * directly. Errors: IB_ENOENT no variable is set; IB_ECONFIG a URL that is none, or plain http to a
 * host that might be anybody's.
 */
IB_NODISCARD enum ib_rc ib_cred_container_url(const struct ib_outside *outside, struct ib_buf *ret,
                                              bool *ret_is_metadata, struct ib_error *err);

#endif
