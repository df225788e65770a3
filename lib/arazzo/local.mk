# SPDX-License-Identifier: MIT
# Documents, expressions, criteria, JSONPath, engine. Third-party: PCRE2.
lib_libib_a_SOURCES += \
	lib/arazzo/criterion.h \
	lib/arazzo/expr.h \
	lib/arazzo/jsonpath.h \
	lib/arazzo/regex.h \
	lib/arazzo/simple.h \
	lib/arazzo/verdict.h
