/* SPDX-License-Identifier: MIT */
/* XML to values, by expat. */
#include "lib/aws/xml.h"

#include <expat.h>

#include "lib/base/text.h"

#define NAME_MAX_BYTES 64

/* An element that is open. */
struct frame {
    char name[NAME_MAX_BYTES];
    struct ib_value *children; /* NULL until the first child */
    struct ib_buf text;
};

struct reader {
    XML_Parser parser;
    const char *what;
    struct frame frames[IB_XML_DEPTH_MAX];
    size_t depth, nodes;
    char root[NAME_MAX_BYTES];
    struct ib_value *result;
    struct ib_error *err;
    enum ib_rc rc;
};

static void frame_fini(struct frame *f)
{
    ib_value_unref(f->children);
    ib_buf_fini(&f->text);
    f->children = NULL;
}

static void reader_fini(struct reader *r)
{
    while (r->depth > 0) {
        frame_fini(&r->frames[--r->depth]);
    }
    ib_value_unref(r->result);
    if (r->parser != NULL) {
        XML_ParserFree(r->parser);
    }
}

static void stop(struct reader *r, enum ib_rc rc)
{
    if (r->rc == IB_OK) {
        r->rc = rc;
        (void)XML_StopParser(r->parser, XML_FALSE);
    }
}

static void stop_here(struct reader *r, enum ib_rc rc, const char *rule)
{
    if (r->rc == IB_OK) {
        stop(r, ib_fail(r->err, rc, "%s: line %lu: %s", r->what,
                        (unsigned long)XML_GetCurrentLineNumber(r->parser), rule));
    }
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    stop_here(user, IB_EPARSE, "a document type declaration is not accepted");
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = user;
    const char *colon = strrchr(name, ':');
    struct ib_str local = ib_str_from(colon == NULL || colon[1] == '\0' ? name : colon + 1);

    (void)attributes;
    if (r->rc != IB_OK) {
        return;
    }
    if (r->depth == IB_XML_DEPTH_MAX || ++r->nodes > IB_XML_NODES_MAX) {
        stop_here(r, IB_ELIMIT,
                  r->depth == IB_XML_DEPTH_MAX ? "elements are nested too deep"
                                               : "too many elements");
        return;
    }
    struct frame *f = &r->frames[r->depth];
    *f = (struct frame){.text = IB_BUF_INIT_SECRET(IB_XML_BYTES_MAX)};
    if (!ib_text_copy(f->name, sizeof f->name, local)) {
        stop_here(r, IB_ELIMIT, "the name of an element is too long");
        return;
    }
    r->depth++;
}

static void XMLCALL on_text(void *user, const XML_Char *text, int n)
{
    struct reader *r = user;

    if (r->rc == IB_OK && r->depth > 0) {
        ib_buf_add(&r->frames[r->depth - 1].text, text, (size_t)n);
    }
}

/* Value of the element that ends. */
static struct ib_value *finish(struct frame *f)
{
    if (f->children != NULL) {
        return ib_value_ref(f->children);
    }
    return ib_value_string(ib_str_trim(ib_buf_str(&f->text)));
}

/* Adds to the parent; the second of a name makes an array of the two. Takes item over. */
static enum ib_rc add_child(struct frame *parent, const char *name, struct ib_value *item,
                            struct ib_error *err)
{
    struct ib_str key = ib_str_from(name);

    if (parent->children == NULL) {
        parent->children = ib_value_object();
    }
    if (parent->children == NULL || item == NULL) {
        ib_value_unref(item);
        return ib_fail_nomem(err);
    }
    struct ib_value *before = ib_value_get(parent->children, key);
    if (before == NULL) {
        return ib_value_set(parent->children, key, item, err);
    }
    if (ib_value_is(before, IB_VALUE_ARRAY)) {
        return ib_value_push(before, item, err);
    }
    struct ib_value *list = ib_value_array();
    if (list == NULL) {
        ib_value_unref(item);
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = ib_value_push(list, ib_value_ref(before), err);
    if (rc != IB_OK) {
        ib_value_unref(item);
        ib_value_unref(list);
        return rc;
    }
    rc = ib_value_push(list, item, err);
    if (rc != IB_OK) {
        ib_value_unref(list);
        return rc;
    }
    return ib_value_set(parent->children, key, list, err);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    struct reader *r = user;

    (void)name;
    if (r->rc != IB_OK || r->depth == 0) {
        return;
    }
    struct frame *f = &r->frames[r->depth - 1];
    enum ib_rc rc = ib_buf_ok(&f->text, r->what, r->err);
    struct ib_value *item = rc == IB_OK ? finish(f) : NULL;
    if (rc == IB_OK && r->depth == 1) {
        (void)ib_text_copy(r->root, sizeof r->root, ib_str_from(f->name));
        r->result = item;
        rc = item == NULL ? ib_fail_nomem(r->err) : IB_OK;
    } else if (rc == IB_OK) {
        rc = add_child(&r->frames[r->depth - 2], f->name, item, r->err);
    }
    frame_fini(f);
    r->depth--;
    if (rc != IB_OK) {
        stop(r, rc);
    }
}

static enum ib_rc run(struct reader *r, struct ib_str text)
{
    r->parser = XML_ParserCreate("UTF-8");
    if (r->parser == NULL) {
        return ib_fail_nomem(r->err);
    }
    XML_SetUserData(r->parser, r);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    enum XML_Status status =
        XML_Parse(r->parser, text.p == NULL ? "" : text.p, (int)text.n, XML_TRUE);
    if (r->rc != IB_OK) {
        return r->rc;
    }
    if (status != XML_STATUS_OK) {
        enum XML_Error code = XML_GetErrorCode(r->parser);
        if ((unsigned)code == XML_ERROR_NO_MEMORY) {
            return ib_fail_nomem(r->err);
        }
        return ib_fail(r->err, IB_EPARSE, "%s: line %lu: not XML: %s", r->what,
                       (unsigned long)XML_GetCurrentLineNumber(r->parser), XML_ErrorString(code));
    }
    return IB_OK;
}

enum ib_rc ib_xml_parse(struct ib_str text, const char *what, char ret_root[64],
                        struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(reader_fini) struct reader r = {.what = what, .err = err};

    if (text.n > IB_XML_BYTES_MAX) {
        return ib_fail(err, IB_ELIMIT, "%s: larger than %zu bytes", what, IB_XML_BYTES_MAX);
    }
    enum ib_rc rc = run(&r, text);
    if (rc != IB_OK) {
        return rc;
    }
    IB_ASSERT(r.result != NULL);
    if (ret_root != NULL) {
        memcpy(ret_root, r.root, sizeof r.root);
    }
    *ret = r.result;
    r.result = NULL;
    return IB_OK;
}
