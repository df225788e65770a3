# SPDX-License-Identifier: MIT
# Documents, expressions, criteria, JSONPath, engine. Third-party: PCRE2.
lib_libib_a_SOURCES += \
	lib/arazzo/arena.c lib/arazzo/arena.h \
	lib/arazzo/column.c lib/arazzo/column.h \
	lib/arazzo/criterion.c lib/arazzo/criterion.h \
	lib/arazzo/expr.c lib/arazzo/expr.h \
	lib/arazzo/iregexp.c lib/arazzo/iregexp.h \
	lib/arazzo/jsonpath.h lib/arazzo/jsonpath_ast.h \
	lib/arazzo/jsonpath_eval.c lib/arazzo/jsonpath_parse.c \
	lib/arazzo/regex.c lib/arazzo/regex.h \
	lib/arazzo/simple.c lib/arazzo/simple.h \
	lib/arazzo/template.c lib/arazzo/template.h \
	lib/arazzo/verdict.c lib/arazzo/verdict.h
