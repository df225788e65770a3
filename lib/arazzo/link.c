/* SPDX-License-Identifier: MIT */
/* From names to what they name: files, operations, workflows. */
#include "lib/arazzo/link.h"

#include "lib/arazzo/document_load.h"
#include "lib/arazzo/expr.h"
#include "lib/sys/file.h"

#define PATH_BYTES_MAX ((size_t)4096)

struct linker {
    struct ib_arazzo_doc *top; /* owns the others */
    struct ib_findings *out;
    struct ib_arazzo_doc *docs[IB_ARAZZO_DOCS_MAX];
    const char *paths[IB_ARAZZO_DOCS_MAX];
    size_t count;
};

/* "https:", "urn:" ...; "file:" is taken off by the caller. RFC 3986 section 3.1. */
static bool has_scheme(struct ib_str url)
{
    size_t colon = ib_str_find(url, ':');

    if (colon == url.n || colon == 0 || !ib_ascii_alpha(url.p[0])) {
        return false;
    }
    for (size_t i = 0; i < colon; i++) {
        if (!ib_ascii_alnum(url.p[i]) && url.p[i] != '+' && url.p[i] != '-' && url.p[i] != '.') {
            return false;
        }
    }
    return true;
}

/* dir + url without "." and "..", so that one file has one name here. */
static void join_path(const char *dir, struct ib_str url, struct ib_buf *out)
{
    struct ib_buf whole = IB_BUF_INIT(PATH_BYTES_MAX);

    if (url.n == 0 || url.p[0] != '/') {
        ib_buf_addf(&whole, "%s/", dir);
    }
    ib_buf_add_str(&whole, url);
    struct ib_str rest = ib_buf_str(&whole);
    if (rest.n > 0 && rest.p[0] == '/') {
        ib_buf_add_char(out, '/');
    }
    size_t root = out->len;
    size_t ups = 0; /* leading ".." of a relative path, which cannot be taken back */
    while (rest.p != NULL) {
        struct ib_str part = ib_str_split(&rest, '/');
        if (part.n == 0 || ib_str_eq_c(part, ".")) {
            continue;
        }
        bool up = ib_str_eq_c(part, "..");
        size_t floor = root + ups * 3;
        if (up && out->len > floor) {
            size_t cut = out->len;
            while (cut > floor && out->data[cut - 1] != '/') {
                cut--;
            }
            ib_buf_cut(out, cut > floor ? cut - 1 : floor);
            continue;
        }
        if (up && root > 0) {
            continue;
        }
        if (out->len > root && out->data[out->len - 1] != '/') {
            ib_buf_add_char(out, '/');
        }
        ib_buf_add_str(out, part);
        if (up) {
            ib_buf_add_char(out, '/');
            ups++;
        }
    }
    ib_buf_fini(&whole);
}

/* False: the url is not that of a local file. */
static bool local_path(const struct ib_arazzo_doc *doc, struct ib_str url, struct ib_buf *out)
{
    struct ib_str scheme = IB_STR("file://");

    if (ib_str_starts(url, scheme)) {
        url = ib_str_skip(url, scheme.n);
        if (url.n == 0 || url.p[0] != '/') {
            return false;
        }
    } else if (has_scheme(url) || doc->dir == NULL) {
        return false;
    }
    url = ib_str_head(url, ib_str_find(url, '#'));
    url = ib_str_head(url, ib_str_find(url, '?'));
    join_path(doc->dir == NULL ? "" : doc->dir, url, out);
    return out->len > 0 && !out->failed;
}

static enum ib_rc link_doc(struct linker *l, struct ib_arazzo_doc *doc, struct ib_error *err);

static void source_finding(struct linker *l, enum ib_severity severity,
                           const struct ib_arazzo_source *source, const char *text)
{
    ib_findings_add(l->out, severity, "source-document", source->at, "source \"%.*s\": %s",
                    IB_STR_ARG(source->name), text);
}

static enum ib_rc add_openapi(struct linker *l, struct ib_arazzo_source *source,
                              struct ib_value *root, const char *path, struct ib_error *err)
{
    struct ib_openapi *openapi = NULL;
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_openapi_from_tree(root, path, &openapi, &why);

    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    if (rc != IB_OK) {
        source_finding(l, IB_FINDING_ERROR, source, why.text);
        return IB_OK;
    }
    if (!ib_arazzo_own_openapi(l->top, openapi)) {
        return ib_fail_nomem(err);
    }
    source->openapi = openapi;
    return IB_OK;
}

static enum ib_rc add_arazzo(struct linker *l, struct ib_arazzo_source *source, struct ib_str text,
                             const char *path, struct ib_error *err)
{
    struct ib_findings own = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error why = IB_ERROR_INIT;
    const char *slash = strrchr(path, '/');
    IB_CLEANUP(ib_cleanup_char) char *dir = NULL;

    if (l->count == IB_ARAZZO_DOCS_MAX) {
        source_finding(l, IB_FINDING_ERROR, source, "too many documents refer to each other");
        return IB_OK;
    }
    dir = slash == NULL ? ib_str_dup(IB_STR("."))
                        : ib_str_dup(ib_str_head(ib_str_from(path), (size_t)(slash - path) + 1));
    enum ib_rc rc =
        dir == NULL ? ib_fail_nomem(err) : ib_arazzo_parse(text, path, dir, &own, &doc, err);
    if (rc == IB_OK && ib_findings_ok(&own, path, &why) != IB_OK) {
        source_finding(l, IB_FINDING_ERROR, source, why.text);
    }
    ib_findings_fini(&own);
    if (rc != IB_OK || doc == NULL) {
        return rc;
    }
    if (!ib_arazzo_own_doc(l->top, doc)) {
        return ib_fail_nomem(err);
    }
    source->doc = doc;
    l->paths[l->count] = doc->name;
    l->docs[l->count++] = doc;
    return link_doc(l, doc, err);
}

/* What kind of document a tree is; the type that the source says goes first. */
static enum ib_arazzo_source_type kind_of(const struct ib_arazzo_source *source,
                                          const struct ib_value *root)
{
    if (source->type != IB_SOURCE_UNSAID) {
        return source->type;
    }
    return ib_value_get_c(root, "arazzo") != NULL ? IB_SOURCE_ARAZZO : IB_SOURCE_OPENAPI;
}

static enum ib_rc read_source(struct linker *l, struct ib_arazzo_source *source, const char *path,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_OPENAPI_BYTES_MAX);
    const struct ib_file_options options = {.max_bytes = IB_OPENAPI_BYTES_MAX};
    struct ib_value *root = NULL;
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_file_read(path, &options, &text, &why);

    if (rc == IB_ENOENT) {
        return IB_OK;
    }
    if (rc == IB_OK) {
        rc = ib_openapi_tree(ib_buf_str(&text), path, &root, &why);
    }
    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    if (rc != IB_OK) {
        source_finding(l, IB_FINDING_ERROR, source, why.text);
        return IB_OK;
    }
    if (kind_of(source, root) == IB_SOURCE_OPENAPI) {
        return add_openapi(l, source, root, path, err);
    }
    ib_value_unref(root);
    return add_arazzo(l, source, ib_buf_str(&text), path, err);
}

static enum ib_rc link_doc(struct linker *l, struct ib_arazzo_doc *doc, struct ib_error *err)
{
    for (size_t i = 0; i < doc->source_count; i++) {
        struct ib_arazzo_source *source = &doc->sources[i];
        IB_CLEANUP(ib_buf_fini) struct ib_buf path = IB_BUF_INIT(PATH_BYTES_MAX);
        if (source->name.p == NULL || source->url.p == NULL ||
            !local_path(doc, source->url, &path)) {
            continue;
        }
        for (size_t k = 0; k < l->count && source->doc == NULL; k++) {
            if (strcmp(l->paths[k], ib_buf_c(&path)) == 0) {
                source->doc = l->docs[k];
            }
        }
        if (source->doc != NULL) {
            continue;
        }
        enum ib_rc rc = read_source(l, source, ib_buf_c(&path), err);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

enum ib_rc ib_arazzo_link(struct ib_arazzo_doc *doc, struct ib_findings *findings,
                          struct ib_error *err)
{
    struct linker l = {.top = doc, .out = findings};
    IB_CLEANUP(ib_buf_fini) struct ib_buf own = IB_BUF_INIT(PATH_BYTES_MAX);

    if (doc->dir != NULL) {
        const char *slash = strrchr(doc->name, '/');
        join_path(doc->dir, ib_str_from(slash == NULL ? doc->name : slash + 1), &own);
    }
    l.docs[0] = doc;
    l.paths[0] = ib_buf_c(&own);
    l.count = 1;
    return link_doc(&l, doc, err);
}

/* --- operations ----------------------------------------------------------------------------- */

/* "$sourceDescriptions.NAME.REST"? */
static bool source_ref(const struct ib_arazzo_doc *doc, struct ib_str text,
                       const struct ib_arazzo_source **ret_source, struct ib_str *ret_rest,
                       struct ib_str *ret_name)
{
    struct ib_str prefix = IB_STR("$sourceDescriptions.");

    if (!ib_str_starts(text, prefix)) {
        return false;
    }
    *ret_rest = ib_str_skip(text, prefix.n);
    *ret_name = ib_str_split(ret_rest, '.');
    *ret_source = ib_arazzo_source_find(doc, *ret_name);
    return true;
}

static enum ib_rc operation_by_ref(const struct ib_arazzo_doc *doc, struct ib_str text,
                                   struct ib_arazzo_operation *ret, struct ib_error *err)
{
    const struct ib_arazzo_source *source = NULL;
    struct ib_str id = {NULL, 0};
    struct ib_str name = {NULL, 0};

    (void)source_ref(doc, text, &source, &id, &name);
    if (source == NULL) {
        return ib_fail(err, IB_ECONFIG, "there is no source description \"%.*s\"",
                       IB_STR_ARG(name));
    }
    if (id.p == NULL || id.n == 0) {
        return ib_fail(err, IB_ECONFIG, "an operationId must follow \"%.*s.\"", IB_STR_ARG(text));
    }
    if (source->doc != NULL || source->type == IB_SOURCE_ARAZZO) {
        return ib_fail(err, IB_ECONFIG,
                       "source \"%.*s\" is an Arazzo document: it has no operations",
                       IB_STR_ARG(name));
    }
    ret->id = id;
    ret->openapi = source->openapi == NULL ? NULL : ib_openapi_by_id(source->openapi, id, NULL);
    return IB_OK;
}

static enum ib_rc operation_by_id(const struct ib_arazzo_doc *doc, struct ib_str id,
                                  struct ib_arazzo_operation *ret, struct ib_error *err)
{
    size_t sources = 0;
    size_t found = 0;

    ret->id = id;
    for (size_t i = 0; i < doc->source_count; i++) {
        const struct ib_arazzo_source *source = &doc->sources[i];
        size_t count = 0;
        if (source->doc != NULL || source->type == IB_SOURCE_ARAZZO) {
            continue;
        }
        sources++;
        if (source->openapi != NULL) {
            const struct ib_openapi_operation *one = ib_openapi_by_id(source->openapi, id, &count);
            ret->openapi = one == NULL ? ret->openapi : one;
            found += count;
        }
    }
    if (sources > 1) {
        return ib_fail(err, IB_ECONFIG,
                       "with several source descriptions the operation must be named as "
                       "$sourceDescriptions.NAME.%.*s",
                       IB_STR_ARG(id));
    }
    if (found > 1) {
        return ib_fail(err, IB_ECONFIG, "operationId \"%.*s\" stands %zu times in its description",
                       IB_STR_ARG(id), found);
    }
    return IB_OK;
}

static enum ib_rc operation_by_path(const struct ib_arazzo_doc *doc, struct ib_str text,
                                    struct ib_arazzo_operation *ret, struct ib_error *err)
{
    struct ib_str open = IB_STR("{$sourceDescriptions.");
    struct ib_str close = IB_STR(".url}#");
    struct ib_str rest = ib_str_skip(text, open.n);
    size_t end = 0;

    while (end < rest.n && !ib_str_starts(ib_str_skip(rest, end), close)) {
        end++;
    }
    if (!ib_str_starts(text, open) || end == rest.n) {
        return ib_fail(err, IB_ECONFIG,
                       "operationPath must be {$sourceDescriptions.NAME.url}#/paths/PATH/METHOD");
    }
    struct ib_str name = ib_str_head(rest, end);
    struct ib_str pointer = ib_str_skip(rest, end + close.n);
    const struct ib_arazzo_source *source = ib_arazzo_source_find(doc, name);
    if (source == NULL) {
        return ib_fail(err, IB_ECONFIG, "there is no source description \"%.*s\"",
                       IB_STR_ARG(name));
    }
    if (source->openapi == NULL) {
        return ib_fail(
            err, IB_ECONFIG,
            "operationPath needs the OpenAPI document of source \"%.*s\", and there is no "
            "local file \"%.*s\"",
            IB_STR_ARG(name), IB_STR_ARG(source->url));
    }
    ret->openapi = ib_openapi_by_pointer(source->openapi, pointer);
    if (ret->openapi == NULL) {
        return ib_fail(err, IB_ECONFIG, "\"%.*s\" names no operation (a path ends with its method)",
                       IB_STR_ARG(pointer));
    }
    ret->id = ret->openapi->id;
    return IB_OK;
}

enum ib_rc ib_arazzo_operation(const struct ib_arazzo_doc *doc, const struct ib_arazzo_step *step,
                               struct ib_arazzo_operation *ret, struct ib_error *err)
{
    struct ib_arazzo_operation found = {.openapi = NULL};
    enum ib_rc rc = IB_OK;

    if (step->target_type == IB_TARGET_OPERATION_PATH) {
        rc = operation_by_path(doc, step->target, &found, err);
    } else if (ib_str_starts(step->target, IB_STR("$sourceDescriptions."))) {
        rc = operation_by_ref(doc, step->target, &found, err);
    } else {
        rc = operation_by_id(doc, step->target, &found, err);
    }
    if (rc == IB_OK) {
        *ret = found;
    }
    return rc;
}

enum ib_rc ib_arazzo_workflow_by_ref(const struct ib_arazzo_doc *doc, struct ib_str ref,
                                     const struct ib_arazzo_doc **ret_doc,
                                     const struct ib_arazzo_workflow **ret, struct ib_error *err)
{
    const struct ib_arazzo_source *source = NULL;
    struct ib_str id = ref;
    struct ib_str name = {NULL, 0};
    const struct ib_arazzo_doc *owner = doc;

    if (source_ref(doc, ref, &source, &id, &name)) {
        if (source == NULL) {
            return ib_fail(err, IB_ECONFIG, "there is no source description \"%.*s\"",
                           IB_STR_ARG(name));
        }
        if (source->doc == NULL) {
            return ib_fail(err, IB_ECONFIG, "source \"%.*s\" (%.*s) is no local Arazzo document",
                           IB_STR_ARG(name), IB_STR_ARG(source->url));
        }
        owner = source->doc;
    }
    const struct ib_arazzo_workflow *found = ib_arazzo_workflow_find(owner, id);
    if (found == NULL) {
        return ib_fail(err, IB_ECONFIG, "there is no workflow \"%.*s\"%s%s", IB_STR_ARG(id),
                       owner == doc ? "" : " in ", owner == doc ? "" : owner->name);
    }
    if (ret_doc != NULL) {
        *ret_doc = owner;
    }
    *ret = found;
    return IB_OK;
}
