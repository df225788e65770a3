/* SPDX-License-Identifier: MIT */
/* The AWS profile files: location, merged content, choice of the profile. */
#include "lib/aws/profile.h"

#include <errno.h>

#include "lib/base/text.h"
#include "lib/data/ini.h"

struct property {
    char *key, *value;
    enum ib_profile_origin origin;
};

struct section {
    enum ib_profile_kind kind;
    uint64_t hash; /* of the name */
    char *name;
    struct property *properties;
    size_t count, cap;
};

struct ib_profiles {
    struct section *sections;
    size_t count, cap;
    size_t last; /* section that was found last: properties come one after the other */
    struct ib_profile_file files[IB_PROFILE_FILES_MAX];
    size_t file_count;
};

struct ib_profiles *ib_profiles_new(void)
{
    return calloc(1, sizeof(struct ib_profiles));
}

static void wipe_text(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void ib_profiles_free(struct ib_profiles *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->count; i++) {
        struct section *s = &p->sections[i];

        for (size_t k = 0; k < s->count; k++) {
            free(s->properties[k].key);
            wipe_text(s->properties[k].value);
        }
        free(s->properties);
        free(s->name);
    }
    free(p->sections);
    free(p);
}

void ib_profiles_cleanup(struct ib_profiles **p)
{
    ib_profiles_free(*p);
    *p = NULL;
}

/* --- content ------------------------------------------------------------------------------- */

static bool is_section(const struct section *s, enum ib_profile_kind kind, struct ib_str name,
                       uint64_t hash)
{
    return s->hash == hash && s->kind == kind && ib_str_eq_c(name, s->name);
}

static struct section *find_section(const struct ib_profiles *p, enum ib_profile_kind kind,
                                    struct ib_str name)
{
    uint64_t hash = ib_str_hash(name);

    if (p == NULL || p->count == 0) {
        return NULL;
    }
    if (is_section(&p->sections[p->last], kind, name, hash)) {
        return &p->sections[p->last];
    }
    for (size_t i = 0; i < p->count; i++) {
        if (is_section(&p->sections[i], kind, name, hash)) {
            return &p->sections[i];
        }
    }
    return NULL;
}

static struct property *find_property(const struct section *s, struct ib_str key)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        if (ib_str_eq_c(key, s->properties[i].key)) {
            return &s->properties[i];
        }
    }
    return NULL;
}

enum ib_rc ib_profiles_define(struct ib_profiles *p, enum ib_profile_kind kind, struct ib_str name,
                              struct ib_error *err)
{
    struct section *grown;
    char *copy;

    const struct section *known = find_section(p, kind, name);

    if (known != NULL) {
        p->last = (size_t)(known - p->sections);
        return IB_OK;
    }
    if (p->count == IB_PROFILES_MAX) {
        return ib_fail(err, IB_ELIMIT, "profile files: more than %d profiles", IB_PROFILES_MAX);
    }
    if (p->count == p->cap) {
        size_t cap = p->cap == 0 ? 8 : p->cap * 2;

        grown = reallocarray(p->sections, cap, sizeof *grown);
        if (grown == NULL) {
            return ib_fail_nomem(err);
        }
        p->sections = grown;
        p->cap = cap;
    }
    copy = ib_str_dup(name);
    if (copy == NULL) {
        return ib_fail_nomem(err);
    }
    p->last = p->count;
    p->sections[p->count++] =
        (struct section){.kind = kind, .hash = ib_str_hash(name), .name = copy};
    return IB_OK;
}

static enum ib_rc add_property(struct section *s, struct ib_str key, char *value,
                               enum ib_profile_origin origin, struct ib_error *err)
{
    char *key_copy;

    if (s->count == IB_PROFILE_KEYS_MAX) {
        return ib_fail(err, IB_ELIMIT, "profile files: more than %d properties in [%s]",
                       IB_PROFILE_KEYS_MAX, s->name);
    }
    if (s->count == s->cap) {
        size_t cap = s->cap == 0 ? 8 : s->cap * 2;
        struct property *grown = reallocarray(s->properties, cap, sizeof *grown);

        if (grown == NULL) {
            return ib_fail_nomem(err);
        }
        s->properties = grown;
        s->cap = cap;
    }
    key_copy = ib_str_dup(key);
    if (key_copy == NULL) {
        return ib_fail_nomem(err);
    }
    s->properties[s->count++] =
        (struct property){.key = key_copy, .value = value, .origin = origin};
    return IB_OK;
}

enum ib_rc ib_profiles_set(struct ib_profiles *p, enum ib_profile_kind kind, struct ib_str name,
                           enum ib_profile_origin origin, struct ib_str key, struct ib_str value,
                           struct ib_error *err)
{
    struct section *s;
    struct property *known;
    char *copy;
    enum ib_rc rc = ib_profiles_define(p, kind, name, err);

    if (rc != IB_OK) {
        return rc;
    }
    copy = ib_str_dup(value);
    if (copy == NULL) {
        return ib_fail_nomem(err);
    }
    s = find_section(p, kind, name);
    known = find_property(s, key);
    if (known != NULL) {
        wipe_text(known->value);
        known->value = copy;
        known->origin = origin;
        return IB_OK;
    }
    rc = add_property(s, key, copy, origin, err);
    if (rc != IB_OK) {
        wipe_text(copy);
    }
    return rc;
}

bool ib_profiles_has(const struct ib_profiles *p, enum ib_profile_kind kind, const char *name)
{
    return find_section(p, kind, ib_str_from(name)) != NULL;
}

const char *ib_profiles_get(const struct ib_profiles *p, enum ib_profile_kind kind,
                            const char *name, const char *key)
{
    const struct property *found =
        find_property(find_section(p, kind, ib_str_from(name)), ib_str_from(key));

    return found == NULL || found->value[0] == '\0' ? NULL : found->value;
}

const char *ib_profile_get(const struct ib_profiles *p, const char *profile, const char *key)
{
    return ib_profiles_get(p, IB_PROFILE, profile, key);
}

enum ib_profile_origin ib_profile_origin(const struct ib_profiles *p, const char *profile,
                                         const char *key)
{
    const struct property *found =
        find_property(find_section(p, IB_PROFILE, ib_str_from(profile)), ib_str_from(key));

    IB_ASSERT(found != NULL);
    return found->origin;
}

const char *ib_profiles_get_sub(const struct ib_profiles *p, enum ib_profile_kind kind,
                                const char *name, const char *key, const char *sub, char *buf,
                                size_t cap)
{
    struct ib_str rest = ib_str_from(ib_profiles_get(p, kind, name, key));
    struct ib_str found = {NULL, 0};

    /* "key = value" on the same line has no nested properties. */
    if (rest.n == 0 || rest.p[0] != '\n') {
        return NULL;
    }
    while (rest.p != NULL) {
        struct ib_str value = ib_str_split(&rest, '\n');
        struct ib_str word = ib_str_trim(ib_str_split(&value, '='));

        if (value.p != NULL && ib_str_ieq_c(word, sub)) {
            found = ib_str_trim(value);
        }
    }
    return found.n > 0 && ib_text_copy(buf, cap, found) ? buf : NULL;
}

const char *ib_profiles_name_at(const struct ib_profiles *p, enum ib_profile_kind kind, size_t i)
{
    for (size_t at = 0; at < p->count; at++) {
        if (p->sections[at].kind == kind && i-- == 0) {
            return p->sections[at].name;
        }
    }
    return NULL;
}

size_t ib_profiles_size(const struct ib_profiles *p, enum ib_profile_kind kind, const char *name)
{
    const struct section *s = find_section(p, kind, ib_str_from(name));

    return s == NULL ? 0 : s->count;
}

/* --- where the files are ------------------------------------------------------------------- */

struct place {
    const char *variable, *below_home, *below_windows_home;
};
static const struct place places[IB_PROFILE_ORIGIN_COUNT] = {
    [IB_PROFILE_CONFIG] = {"AWS_CONFIG_FILE", "/.aws/config", "\\.aws\\config"},
    [IB_PROFILE_CREDENTIALS] = {"AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials",
                                "\\.aws\\credentials"},
};

/* Behind HOME: USERPROFILE, then HOMEDRIVE and HOMEPATH. NULL when none of them is set. */
static const char *windows_home(const struct ib_outside *outside, char buf[IB_PROFILE_PATH_MAX],
                                const char **ret_source)
{
    const char *user = IB_OUTSIDE_ENV(outside, "USERPROFILE");
    const char *drive = IB_OUTSIDE_ENV(outside, "HOMEDRIVE");
    const char *path = IB_OUTSIDE_ENV(outside, "HOMEPATH");

    if (user != NULL) {
        *ret_source = "USERPROFILE";
        return user;
    }
    *ret_source = "HOMEDRIVE and HOMEPATH";
    if (drive == NULL || path == NULL) {
        return NULL;
    }
    (void)snprintf(buf, IB_PROFILE_PATH_MAX, "%s%s", drive, path);
    return buf;
}

const char *ib_profile_home(const struct ib_outside *outside, const char **ret_source)
{
    const char *home = IB_OUTSIDE_ENV(outside, "HOME");

    *ret_source = "HOME";
    if (home == NULL) {
        home = outside->passwd_home(outside->ctx);
        *ret_source = "password database";
    }
    return home;
}

static void set_path(struct ib_profile_file *file, const char *home, const char *rest)
{
    int n = snprintf(file->path, sizeof file->path, "%s%s", home, rest);

    file->state = IB_PROFILE_FILE_MISSING;
    if (n < 0 || (size_t)n >= sizeof file->path) {
        file->path[0] = '\0';
        file->state = IB_PROFILE_FILE_NOWHERE;
    }
}

void ib_profile_locate(const struct ib_outside *outside, enum ib_profile_origin origin,
                       struct ib_profile_file *ret)
{
    const struct place *place = &places[origin];
    const char *named = IB_OUTSIDE_ENV(outside, place->variable);
    const char *home, *source;
    char buf[IB_PROFILE_PATH_MAX];

    *ret = (struct ib_profile_file){.origin = origin, .state = IB_PROFILE_FILE_NOWHERE};
    home = ib_profile_home(outside, &source);
    if (home == NULL && outside->is_windows) {
        home = windows_home(outside, buf, &source);
    }
    if (named != NULL) {
        ret->source = place->variable;
        if (named[0] == '~' && named[1] == '/' && home != NULL) {
            set_path(ret, home, named + 1);
        } else {
            set_path(ret, named, "");
        }
        return;
    }
    ret->source = source;
    if (home != NULL) {
        set_path(ret, home, outside->is_windows ? place->below_windows_home : place->below_home);
    }
}

struct ib_profile_choice ib_profile_choose(const struct ib_outside *outside, const char *option)
{
    static const char *const variables[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"};

    if (option != NULL && option[0] != '\0') {
        return (struct ib_profile_choice){
            .name = option, .source = "--profile", .by_option = true, .is_named = true};
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(variables); i++) {
        const char *name = IB_OUTSIDE_ENV(outside, variables[i]);

        if (name != NULL) {
            return (struct ib_profile_choice){
                .name = name, .source = variables[i], .is_named = true};
        }
    }
    return (struct ib_profile_choice){.name = "default", .source = "default"};
}

size_t ib_profiles_files(const struct ib_profiles *p, const struct ib_profile_file **ret)
{
    *ret = p->files;
    return p->file_count;
}

const struct ib_profile_file *ib_profiles_file(const struct ib_profiles *p,
                                               enum ib_profile_origin origin)
{
    for (size_t i = 0; i < p->file_count; i++) {
        if (p->files[i].origin == origin && p->files[i].state == IB_PROFILE_FILE_READ) {
            return &p->files[i];
        }
    }
    return NULL;
}

void ib_profiles_describe_files(const struct ib_profiles *p, struct ib_buf *out)
{
    for (size_t i = 0; i < p->file_count; i++) {
        const struct ib_profile_file *f = &p->files[i];

        ib_buf_add_c(out, i == 0 ? "" : ", ");
        switch (f->state) {
        case IB_PROFILE_FILE_READ:
            ib_buf_addf(out, "%s", f->path);
            break;
        case IB_PROFILE_FILE_MISSING:
            ib_buf_addf(out, "%s (missing)", f->path);
            break;
        case IB_PROFILE_FILE_FORBIDDEN:
            ib_buf_addf(out, "%s (may not be read by user id %ld)", f->path, (long)geteuid());
            break;
        case IB_PROFILE_FILE_NOWHERE:
            ib_buf_addf(out, "no %s file (HOME is not set and user id %ld has no home directory)",
                        f->origin == IB_PROFILE_CONFIG ? "config" : "credentials", (long)geteuid());
            break;
        }
    }
}

/* --- reading them --------------------------------------------------------------------------- */

struct loading {
    struct ib_profiles *profiles;
    enum ib_profile_origin origin;
};

static enum ib_rc take_entry(void *ctx, const struct ib_ini_entry *entry, struct ib_error *err)
{
    static const enum ib_profile_kind kinds[] = {
        [IB_INI_PROFILE] = IB_PROFILE,
        [IB_INI_SSO_SESSION] = IB_PROFILE_SSO_SESSION,
        [IB_INI_SERVICES] = IB_PROFILE_SERVICES,
    };
    const struct loading *l = ctx;
    enum ib_profile_kind kind = kinds[entry->section];

    if (entry->key.p == NULL) {
        return ib_profiles_define(l->profiles, kind, entry->name, err);
    }
    return ib_profiles_set(l->profiles, kind, entry->name, l->origin, entry->key, entry->value,
                           err);
}

/* Not there, or behind a door that is closed: noted in file->state. */
static enum ib_rc read_file(const struct ib_outside *outside, struct ib_profiles *p,
                            struct ib_profile_file *file, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(IB_INI_BYTES_MAX);
    struct loading loading = {p, file->origin};
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = outside->read(outside->ctx, file->path, &text, &file->facts, &why);

    if (rc == IB_ENOENT) {
        file->state = IB_PROFILE_FILE_MISSING;
        return IB_OK;
    }
    if (rc == IB_ESYS && (why.sys == EACCES || why.sys == EPERM)) {
        file->state = IB_PROFILE_FILE_FORBIDDEN;
        return IB_OK;
    }
    if (rc != IB_OK) {
        return ib_fail(err, rc, "%s", why.text);
    }
    file->state = IB_PROFILE_FILE_READ;
    return ib_ini_parse(ib_buf_str(&text), file->path,
                        file->origin == IB_PROFILE_CONFIG ? IB_INI_CONFIG : IB_INI_CREDENTIALS,
                        take_entry, &loading, err);
}

/* HOME was root's and this is nagios: then the home that the password database knows is meant. */
static enum ib_rc read_at_own_home(const struct ib_outside *outside, struct ib_profiles *p,
                                   const struct ib_profile_file *tried, struct ib_error *err)
{
    const char *home = outside->passwd_home(outside->ctx);
    struct ib_profile_file *file = &p->files[p->file_count];

    if (home == NULL) {
        return IB_OK;
    }
    *file = (struct ib_profile_file){.origin = tried->origin, .source = "password database"};
    set_path(file, home, places[tried->origin].below_home);
    if (strcmp(file->path, tried->path) == 0) {
        return IB_OK;
    }
    p->file_count++;
    return read_file(outside, p, file, err);
}

static enum ib_rc load_one(const struct ib_outside *outside, struct ib_profiles *p,
                           enum ib_profile_origin origin, struct ib_error *err)
{
    struct ib_profile_file *file = &p->files[p->file_count++];
    enum ib_rc rc;

    ib_profile_locate(outside, origin, file);
    if (file->state == IB_PROFILE_FILE_NOWHERE) {
        return IB_OK;
    }
    rc = read_file(outside, p, file, err);
    if (rc != IB_OK || file->state != IB_PROFILE_FILE_FORBIDDEN) {
        return rc;
    }
    if (strcmp(file->source, "HOME") == 0) {
        return read_at_own_home(outside, p, file, err);
    }
    if (strcmp(file->source, places[origin].variable) == 0) {
        return ib_fail(err, IB_ECRED, "%s (named by %s) may not be read by user id %ld", file->path,
                       file->source, (long)geteuid());
    }
    return IB_OK;
}

enum ib_rc ib_profiles_load(const struct ib_outside *outside, struct ib_profiles **ret,
                            struct ib_error *err)
{
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = ib_profiles_new();
    enum ib_rc rc;

    if (p == NULL) {
        return ib_fail_nomem(err);
    }
    /* In this order: the last value of a key is the one that counts. */
    rc = load_one(outside, p, IB_PROFILE_CONFIG, err);
    if (rc == IB_OK) {
        rc = load_one(outside, p, IB_PROFILE_CREDENTIALS, err);
    }
    if (rc == IB_OK) {
        *ret = p;
        p = NULL;
    }
    return rc;
}
