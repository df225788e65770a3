/* SPDX-License-Identifier: MIT */
/*
 * The AWS profile files as one set of sections, where they lie, and which profile is meant.
 *
 * Locations: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else .aws/config and .aws/credentials
 * below HOME, else below the home of the password database: a daemon often has no HOME, or one that
 * belongs to somebody else (root's, after a restart from a root shell) and cannot be entered.
 * Format and merging: lib/data/ini.h; the credentials file wins over the config file.
 * Source: SDK reference guide "Location of the shared config and credentials files".
 */
#ifndef IB_AWS_PROFILE_H
#define IB_AWS_PROFILE_H

#include "lib/aws/outside.h"

#define IB_PROFILE_PATH_MAX 1024  /* bytes with NUL of a file's path */
#define IB_PROFILES_MAX     20000 /* sections of both files; tools for SSO write thousands */
#define IB_PROFILE_KEYS_MAX 1000  /* properties of one section */

enum ib_profile_kind {
    IB_PROFILE,
    IB_PROFILE_SSO_SESSION, /* [sso-session NAME] */
    IB_PROFILE_SERVICES,    /* [services NAME] */
};

enum ib_profile_origin {
    IB_PROFILE_CONFIG,
    IB_PROFILE_CREDENTIALS,
    IB_PROFILE_ORIGIN_COUNT
};

enum ib_profile_file_state {
    IB_PROFILE_FILE_READ,
    IB_PROFILE_FILE_MISSING,
    IB_PROFILE_FILE_FORBIDDEN, /* there, or below a directory that may not be entered */
    IB_PROFILE_FILE_NOWHERE,   /* no home directory to look in */
};

/* One file that was tried. */
struct ib_profile_file {
    enum ib_profile_origin origin;
    enum ib_profile_file_state state;
    const char *source; /* "AWS_CONFIG_FILE", "HOME", "password database"; static text */
    struct ib_file_facts facts; /* only when READ */
    char path[IB_PROFILE_PATH_MAX]; /* "" when NOWHERE */
};

#define IB_PROFILE_FILES_MAX 4 /* two kinds, HOME and password database each */

struct ib_profiles;

/* Empty set; NULL when out of memory. */
struct ib_profiles *ib_profiles_new(void);
/* Wipes every value. NULL is fine. */
void ib_profiles_free(struct ib_profiles *p);
void ib_profiles_cleanup(struct ib_profiles **p);

/*
 * Find, read and merge the two files. A file that is missing or forbidden is noted and does not
 * fail, with one exception: one named by AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE that exists
 * and may not be read. Errors: IB_ECRED for that, IB_ECONFIG for a malformed file (path and line).
 */
IB_NODISCARD enum ib_rc ib_profiles_load(const struct ib_outside *outside, struct ib_profiles **ret,
                                         struct ib_error *err);

/* Add an empty section, or one property ("" is a value); later calls win. For the loader and tests. */
IB_NODISCARD enum ib_rc ib_profiles_define(struct ib_profiles *p, enum ib_profile_kind kind,
                                           struct ib_str name, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_profiles_set(struct ib_profiles *p, enum ib_profile_kind kind,
                                        struct ib_str name, enum ib_profile_origin origin,
                                        struct ib_str key, struct ib_str value,
                                        struct ib_error *err);

bool ib_profiles_has(const struct ib_profiles *p, enum ib_profile_kind kind, const char *name);
/* Value of a property (keys are lower case); NULL when it is absent or empty. Borrowed. */
const char *ib_profiles_get(const struct ib_profiles *p, enum ib_profile_kind kind,
                            const char *name, const char *key);
/* ib_profiles_get() for a profile. */
const char *ib_profile_get(const struct ib_profiles *p, const char *profile, const char *key);
/* Which file the value that counts came from; only for a property that is there. */
enum ib_profile_origin ib_profile_origin(const struct ib_profiles *p, const char *profile,
                                         const char *key);
/*
 * Nested property: "key =" followed by indented "sub = value" lines. Copies the value to buf and
 * returns it; NULL when absent, empty, or longer than cap.
 */
const char *ib_profiles_get_sub(const struct ib_profiles *p, enum ib_profile_kind kind,
                                const char *name, const char *key, const char *sub, char *buf,
                                size_t cap);

/* Files that were tried, in order. */
size_t ib_profiles_files(const struct ib_profiles *p, const struct ib_profile_file **ret);
/* The file of this kind that was read; NULL when none was. */
const struct ib_profile_file *ib_profiles_file(const struct ib_profiles *p,
                                               enum ib_profile_origin origin);
/* Append in words which files were tried and what became of each: "/x/.aws/config (missing), ...". */
void ib_profiles_describe_files(const struct ib_profiles *p, struct ib_buf *out);
/* Section i of a kind in order of appearance, NULL behind the last: for tests. */
const char *ib_profiles_name_at(const struct ib_profiles *p, enum ib_profile_kind kind, size_t i);
/* Number of properties of a section, empty ones too: for tests. */
size_t ib_profiles_size(const struct ib_profiles *p, enum ib_profile_kind kind, const char *name);

/* Where one of the two files is looked for first; "" in ret->path and NOWHERE without a home. */
void ib_profile_locate(const struct ib_outside *outside, enum ib_profile_origin origin,
                       struct ib_profile_file *ret);
/* HOME, else the password database's; NULL when neither is there. *ret_source as in ib_profile_file. */
const char *ib_profile_home(const struct ib_outside *outside, const char **ret_source);

/* Which profile is meant, and who said so. */
struct ib_profile_choice {
    const char *name;   /* borrowed from the option or the environment */
    const char *source; /* "--profile", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "default" */
    bool by_option;     /* --profile: the environment's credentials are skipped */
    bool is_named;      /* anybody named it: it must exist */
};
/* option may be NULL. AWS_PROFILE comes before AWS_DEFAULT_PROFILE, as in the SDK reference guide. */
struct ib_profile_choice ib_profile_choose(const struct ib_outside *outside, const char *option);

#endif
