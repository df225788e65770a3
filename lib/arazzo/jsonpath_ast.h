/* SPDX-License-Identifier: MIT */
/* A compiled JSONPath, between its parser and its evaluator; nobody else includes this. */
#ifndef IB_ARAZZO_JSONPATH_AST_H
#define IB_ARAZZO_JSONPATH_AST_H

#include "lib/arazzo/arena.h"
#include "lib/arazzo/jsonpath.h"
#include "lib/arazzo/regex.h"

enum ib_jp_selector_kind {
    IB_JP_NAME,
    IB_JP_WILDCARD,
    IB_JP_INDEX,
    IB_JP_SLICE,
    IB_JP_FILTER,
};

struct ib_jp_selector {
    struct ib_jp_selector *next;
    enum ib_jp_selector_kind kind;
    struct ib_str name;
    int64_t start, end, step; /* of a slice; start is the index of IB_JP_INDEX */
    bool has_start, has_end;
    struct ib_jp_logical *filter;
};

struct ib_jp_segment {
    struct ib_jp_segment *next;
    struct ib_jp_selector *selectors;
    bool is_descendant;
};

struct ib_jp_query {
    struct ib_str text; /* as written */
    struct ib_jp_segment *segments;
    bool is_absolute; /* begins with $, not @ */
    bool is_singular; /* can select one node at most */
};

enum ib_jp_function {
    IB_JP_LENGTH,
    IB_JP_COUNT,
    IB_JP_MATCH,
    IB_JP_SEARCH,
    IB_JP_VALUE,
};

#define IB_JP_ARGS_MAX 2

struct ib_jp_call {
    enum ib_jp_function function;
    struct ib_jp_operand *args[IB_JP_ARGS_MAX];
    struct ib_regex *regex; /* when the pattern is a literal */
};

enum ib_jp_operand_kind {
    IB_JP_LITERAL,
    IB_JP_QUERY,
    IB_JP_CALL,
};

struct ib_jp_operand {
    enum ib_jp_operand_kind kind;
    struct ib_value *literal;
    struct ib_jp_query *query;
    struct ib_jp_call *call;
};

enum ib_jp_logical_kind {
    IB_JP_OR,      /* left, right */
    IB_JP_AND,     /* left, right */
    IB_JP_NOT,     /* left */
    IB_JP_COMPARE, /* a op b */
    IB_JP_TEST,    /* a: a query or a call of match() or search() */
};

enum ib_jp_op {
    IB_JP_EQ,
    IB_JP_NE,
    IB_JP_LT,
    IB_JP_LE,
    IB_JP_GT,
    IB_JP_GE,
};

/* OR and AND are lists by their right sides: their length does not nest. */
struct ib_jp_logical {
    enum ib_jp_logical_kind kind;
    enum ib_jp_op op;
    struct ib_jp_logical *left, *right;
    struct ib_jp_operand *a, *b;
};

struct ib_jsonpath {
    struct ib_arena arena;
    struct ib_str text;
    struct ib_jp_query *query;     /* of ib_jsonpath_compile() */
    struct ib_jp_logical *logical; /* of ib_jsonpath_compile_condition() */
    bool descends;
    /* What the arena does not free. */
    struct ib_value *literals; /* array */
    struct ib_regex **regexes;
    size_t regex_count;
};

#endif
