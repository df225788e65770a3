/* SPDX-License-Identifier: MIT */
/*
 * Runtime expressions: "$steps.getImage.outputs.status".
 *
 * Source: Arazzo 1.0.1 "Runtime Expressions", with the pointers after names that 1.1 adds. Names
 * may hold dots and hyphens: when a value is looked up, the whole name is tried as a key first,
 * then shorter ones with the rest as ".member" and "[n]".
 */
#ifndef IB_ARAZZO_EXPR_H
#define IB_ARAZZO_EXPR_H

#include "lib/data/value.h"

#define IB_EXPR_TEXT_MAX 4096 /* bytes of one expression */

enum ib_expr_kind {
    IB_EXPR_URL,             /* $url */
    IB_EXPR_METHOD,          /* $method */
    IB_EXPR_STATUS_CODE,     /* $statusCode */
    IB_EXPR_REQUEST_HEADER,  /* $request.header.NAME */
    IB_EXPR_REQUEST_QUERY,   /* $request.query.NAME */
    IB_EXPR_REQUEST_PATH,    /* $request.path.NAME */
    IB_EXPR_REQUEST_BODY,    /* $request.body[#POINTER] */
    IB_EXPR_RESPONSE_HEADER, /* $response.header.NAME */
    IB_EXPR_RESPONSE_QUERY,  /* $response.query.NAME: the grammar has it; never there */
    IB_EXPR_RESPONSE_PATH,   /* $response.path.NAME: the same */
    IB_EXPR_RESPONSE_BODY,   /* $response.body[#POINTER] */
    IB_EXPR_INPUT,           /* $inputs.NAME[#POINTER] */
    IB_EXPR_OUTPUT,          /* $outputs.NAME[#POINTER] */
    IB_EXPR_STEP_OUTPUT,     /* $steps.OWNER.outputs.NAME[#POINTER] */
    IB_EXPR_WORKFLOW_INPUT,  /* $workflows.OWNER.inputs.NAME[#POINTER] */
    IB_EXPR_WORKFLOW_OUTPUT, /* $workflows.OWNER.outputs.NAME[#POINTER] */
    IB_EXPR_SOURCE, /* $sourceDescriptions.OWNER.NAME: url, type or an operation's or workflow's id
                     */
    IB_EXPR_COMPONENT, /* $components.OWNER.NAME: OWNER is inputs, parameters, successActions,
                          failureActions */
    IB_EXPR_SELF,      /* $self (Arazzo 1.1) */
};

/* A parsed expression; all views live as long as it does. */
struct ib_expr {
    enum ib_expr_kind kind;
    struct ib_str text;    /* as written, with the navigation */
    struct ib_str owner;   /* step, workflow or source; kind of component; else empty */
    struct ib_str name;    /* see above; may hold ".member" and "[n]" after the real name */
    struct ib_str pointer; /* without '#'; p == NULL: none was written */
    struct ib_str nav;     /* ".a[0]" after a body, in conditions only; else empty */
};

/*
 * Parse a text that is one expression from first to last byte.
 *
 * ret_column  when not NULL: on IB_EPARSE the byte, counted from 1, where the text went wrong.
 * Errors IB_EPARSE ("column N: ..."), IB_ELIMIT, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_expr_parse(struct ib_str text, struct ib_expr **ret, size_t *ret_column,
                                      struct ib_error *err);
/* The same for an operand of a condition: ".member", "[n]" and "['member']" may follow a body. */
IB_NODISCARD enum ib_rc ib_expr_parse_operand(struct ib_str text, struct ib_expr **ret,
                                              size_t *ret_column, struct ib_error *err);
void ib_expr_free(struct ib_expr *e);
/* For IB_CLEANUP(ib_expr_cleanup). */
void ib_expr_cleanup(struct ib_expr **e);

/*
 * Does a text begin like an expression ("$inputs.", "$statusCode", ...)? One that does and is none
 * is most likely a mistake; for the standard it is a literal.
 */
bool ib_expr_looks_like(struct ib_str text);

/*
 * What expressions are looked up in. Every member may be NULL (not there). All are borrowed.
 * Header names match whatever their case.
 */
struct ib_scope {
    const struct ib_value *inputs;     /* object of the current workflow */
    const struct ib_value *outputs;    /* object of the current workflow */
    const struct ib_value *steps;      /* stepId -> object of outputs; absent = has not run */
    const struct ib_value *workflows;  /* workflowId -> {"inputs": {...}, "outputs": {...}} */
    const struct ib_value *sources;    /* name -> {"url": "...", "type": "..."} */
    const struct ib_value *components; /* the document's object of that name */
    const struct ib_value *self;       /* string */
    struct {
        const struct ib_value *url, *method;           /* strings */
        const struct ib_value *headers, *query, *path; /* objects: the declared parameters alone */
        const struct ib_value *body;
    } request;
    struct {
        const struct ib_value *status;  /* integer */
        const struct ib_value *headers; /* object */
        const struct ib_value *body;    /* parsed JSON, or a string */
    } response;
};

/*
 * Look an expression up. *ret gets a reference of its own, or NULL when the thing is not there.
 * Errors IB_ELIMIT (a name of very many dots).
 */
IB_NODISCARD enum ib_rc ib_expr_eval(const struct ib_expr *e, const struct ib_scope *scope,
                                     struct ib_value **ret, struct ib_error *err);

/*
 * The part of a name ("items[0].id") that is a key of an object: the longest; *ret_rest what
 * follows it ("[0].id", empty when all of it is the key). p == NULL when none is.
 */
struct ib_str ib_expr_known_key(const struct ib_value *object, struct ib_str name,
                                struct ib_str *ret_rest);
/* Value of a header, names compared without case; NULL when absent. Borrowed. */
struct ib_value *ib_scope_header(const struct ib_value *headers, struct ib_str name);

/*
 * A value as text: a string itself, other scalars as JSON writes them, arrays and objects as
 * compact JSON; "null" for null. Appended to out.
 */
void ib_expr_text_of(const struct ib_value *v, struct ib_buf *out);

#endif
