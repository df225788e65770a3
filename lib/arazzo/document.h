/* SPDX-License-Identifier: MIT */
/*
 * An Arazzo document in memory: what the file says, with the place of everything.
 *
 * Loading checks the shape (the rules of the specification's schema: members, types, patterns,
 * unique names, references into components) and compiles every expression and criterion; all
 * mistakes go to a list of findings, and a document with errors is still returned for further
 * checking, but must not be run (ib_findings_ok()). Reading is of 1.0.x; a 1.1.x document is taken
 * when it uses only what 1.0 has.
 *
 * Everything in the structs is borrowed from the document and lives as long as it does.
 * Source: Arazzo Specification 1.0.1.
 */
#ifndef IB_ARAZZO_DOCUMENT_H
#define IB_ARAZZO_DOCUMENT_H

#include "lib/arazzo/finding.h"

struct ib_criterion;
struct ib_template;
struct ib_openapi;
struct ib_arazzo_doc;

#define IB_ARAZZO_BYTES_MAX     ((size_t)256 * 1024)
#define IB_ARAZZO_STEPS_MAX     1000 /* in one workflow */
#define IB_ARAZZO_WORKFLOWS_MAX 200  /* in one document */
#define IB_ARAZZO_SOURCES_MAX   50
/* Documents that reach each other through sourceDescriptions, with the first one. */
#define IB_ARAZZO_DOCS_MAX 20

enum ib_arazzo_source_type {
    IB_SOURCE_UNSAID, /* no type given: told by the content */
    IB_SOURCE_OPENAPI,
    IB_SOURCE_ARAZZO,
};

struct ib_arazzo_source {
    struct ib_place at;
    struct ib_str name, url;
    enum ib_arazzo_source_type type;
    /* Set by ib_arazzo_link(): at most one of them; neither when the file is not there. */
    struct ib_arazzo_doc *doc;
    struct ib_openapi *openapi;
};

struct ib_arazzo_criterion {
    struct ib_place at; /* of the condition */
    struct ib_str condition;
    const struct ib_value *source; /* the Criterion Object */
    struct ib_criterion *test;     /* NULL only when a finding says why */
};

struct ib_arazzo_param {
    struct ib_place at;
    struct ib_str name;
    struct ib_str in;             /* "path", "query", "header", "cookie"; p NULL: not said */
    const struct ib_value *value; /* literal, expression or both mixed */
};

enum ib_arazzo_action_type { IB_ACTION_END, IB_ACTION_GOTO, IB_ACTION_RETRY };

struct ib_arazzo_action {
    struct ib_place at;
    struct ib_str name;
    enum ib_arazzo_action_type type;
    struct ib_str step_id, workflow_id; /* p NULL: not said; at most one is */
    int64_t retry_after_ms;             /* -1: not said */
    int64_t retry_limit;                /* attempts after the first; 1 when not said */
    struct ib_arazzo_criterion *criteria;
    size_t criterion_count;
};

struct ib_arazzo_actions {
    struct ib_arazzo_action *items;
    size_t count;
    bool said; /* the list stands there, be it empty: then it replaces the workflow's */
};

struct ib_arazzo_params {
    struct ib_arazzo_param *items;
    size_t count;
};

struct ib_arazzo_output {
    struct ib_place at;
    struct ib_str name, text;
    struct ib_template *value; /* NULL only when a finding says why */
};

struct ib_arazzo_outputs {
    struct ib_arazzo_output *items;
    size_t count;
};

struct ib_arazzo_replacement {
    struct ib_place at;
    struct ib_str target; /* RFC 6901 pointer */
    const struct ib_value *value;
};

enum ib_arazzo_target { IB_TARGET_OPERATION_ID, IB_TARGET_OPERATION_PATH, IB_TARGET_WORKFLOW };

struct ib_arazzo_step {
    struct ib_place at;
    struct ib_str id, description;
    enum ib_arazzo_target target_type;
    struct ib_str target; /* operationId, operationPath or workflowId as written */
    struct ib_place target_at;
    struct ib_arazzo_params params; /* the step's own */
    const struct ib_value *payload; /* NULL: no body */
    struct ib_str content_type;     /* p NULL: not said */
    struct ib_place payload_at;
    struct ib_arazzo_replacement *replacements;
    size_t replacement_count;
    struct ib_arazzo_criterion *success_criteria;
    size_t success_criterion_count;
    struct ib_arazzo_actions on_success, on_failure; /* the step's own */
    struct ib_arazzo_outputs outputs;
};

struct ib_arazzo_workflow {
    struct ib_place at;
    struct ib_str id, summary;
    const struct ib_value *inputs; /* JSON Schema; NULL: takes none */
    struct ib_place inputs_at;
    struct ib_str *depends_on;
    struct ib_place *depends_on_at;
    size_t depends_on_count;
    struct ib_arazzo_params params;
    struct ib_arazzo_actions success_actions, failure_actions;
    struct ib_arazzo_step *steps;
    size_t step_count;
    struct ib_arazzo_outputs outputs;
};

struct ib_arazzo_doc {
    const char *name; /* for messages: the path as given */
    const char *dir;  /* relative urls start here; NULL: there is no such place */
    const struct ib_value *root;
    struct ib_str version; /* "1.0.1" */
    struct ib_str title;
    struct ib_arazzo_source *sources;
    size_t source_count;
    struct ib_arazzo_workflow *workflows;
    size_t workflow_count;
    struct ib_arazzo_doc_memory *memory; /* of document.c */
};

/*
 * Read a document from text: JSON when its first character is '{', else YAML. name is for
 * messages; dir may be NULL. *ret is set also when findings has errors, but not when the text is no
 * JSON or YAML (rule "syntax" then, and *ret NULL). Errors: IB_ENOMEM alone.
 */
IB_NODISCARD enum ib_rc ib_arazzo_parse(struct ib_str text, const char *name, const char *dir,
                                        struct ib_findings *findings, struct ib_arazzo_doc **ret,
                                        struct ib_error *err);

/* The same from a file. Errors: those of ib_file_read(), IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_arazzo_read(const char *path, struct ib_findings *findings,
                                       struct ib_arazzo_doc **ret, struct ib_error *err);

/* Frees it and every document that it was linked to. */
void ib_arazzo_free(struct ib_arazzo_doc *doc);
void ib_arazzo_cleanup(struct ib_arazzo_doc **doc);

/* The document that the project ships, built into the program. */
struct ib_str ib_arazzo_builtin_text(void);
#define IB_ARAZZO_BUILTIN_NAME "cancel-running-image-build.arazzo.yaml (built in)"

/* NULL when there is none of this name. */
const struct ib_arazzo_workflow *ib_arazzo_workflow_find(const struct ib_arazzo_doc *doc,
                                                         struct ib_str id);
const struct ib_arazzo_step *ib_arazzo_step_find(const struct ib_arazzo_workflow *workflow,
                                                 struct ib_str id);
const struct ib_arazzo_source *ib_arazzo_source_find(const struct ib_arazzo_doc *doc,
                                                     struct ib_str name);

/* The lists that hold for a step: its own if it says one, else the workflow's. */
const struct ib_arazzo_actions *ib_arazzo_success_actions(const struct ib_arazzo_workflow *w,
                                                          const struct ib_arazzo_step *s);
const struct ib_arazzo_actions *ib_arazzo_failure_actions(const struct ib_arazzo_workflow *w,
                                                          const struct ib_arazzo_step *s);
/* Does the step itself say this parameter, so that the workflow's one is replaced? */
bool ib_arazzo_param_replaced(const struct ib_arazzo_step *s, const struct ib_arazzo_param *p);

/* "end", "goto", "retry". */
const char *ib_arazzo_action_name(enum ib_arazzo_action_type type);

#endif
