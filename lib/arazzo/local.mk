# SPDX-License-Identifier: MIT
# Documents, expressions, criteria, JSONPath, engine. Third-party: PCRE2.
lib_libib_a_SOURCES += \
	lib/arazzo/arena.c lib/arazzo/arena.h \
	lib/arazzo/column.c lib/arazzo/column.h \
	lib/arazzo/compare.c lib/arazzo/compare.h \
	lib/arazzo/criterion.c lib/arazzo/criterion.h \
	lib/arazzo/expr.c lib/arazzo/expr.h \
	lib/arazzo/iregexp.c lib/arazzo/iregexp.h \
	lib/arazzo/jsonpath.h lib/arazzo/jsonpath_ast.h \
	lib/arazzo/jsonpath_eval.c lib/arazzo/jsonpath_parse.c \
	lib/arazzo/regex.c lib/arazzo/regex.h \
	lib/arazzo/simple.c lib/arazzo/simple.h \
	lib/arazzo/template.c lib/arazzo/template.h \
	lib/arazzo/verdict.c lib/arazzo/verdict.h

# --- documents and the engine
lib_libib_a_SOURCES += \
	lib/arazzo/builtin.h \
	lib/arazzo/check.c lib/arazzo/check.h \
	lib/arazzo/check_expr.c lib/arazzo/check_expr.h \
	lib/arazzo/check_graph.c lib/arazzo/check_graph.h \
	lib/arazzo/document.c lib/arazzo/document.h \
	lib/arazzo/document_load.c lib/arazzo/document_load.h \
	lib/arazzo/engine.c lib/arazzo/engine.h lib/arazzo/engine_run.h \
	lib/arazzo/engine_record.c lib/arazzo/engine_request.c \
	lib/arazzo/engine_step.c lib/arazzo/engine_wait.c \
	lib/arazzo/finding.c lib/arazzo/finding.h \
	lib/arazzo/flow.c lib/arazzo/flow.h \
	lib/arazzo/inputs.c lib/arazzo/inputs.h \
	lib/arazzo/link.c lib/arazzo/link.h \
	lib/arazzo/openapi.c lib/arazzo/openapi.h \
	lib/arazzo/schema.c lib/arazzo/schema_check.c lib/arazzo/schema.h \
	lib/arazzo/show.c lib/arazzo/show.h

# The project's own document goes into the library, so that no program depends on a file.
IB_BUILTIN_DOCUMENT = conf/workflows/cancel-running-image-build.arazzo.yaml
nodist_lib_libib_a_SOURCES = lib/arazzo/builtin_bytes.c
CLEANFILES += lib/arazzo/builtin_bytes.c
lib/arazzo/builtin_bytes.c: $(IB_BUILTIN_DOCUMENT) lib/arazzo/local.mk
	$(AM_V_GEN)$(MKDIR_P) lib/arazzo && { \
	  echo '/* SPDX-License-Identifier: MIT */' && \
	  echo '/* Made from $(IB_BUILTIN_DOCUMENT). */' && \
	  echo '#include "lib/arazzo/builtin.h"' && \
	  echo 'const unsigned char ib_arazzo_builtin_bytes[] = {' && \
	  LC_ALL=C od -An -v -tu1 < $(srcdir)/$(IB_BUILTIN_DOCUMENT) | \
	    LC_ALL=C $(AWK) '{ for (i = 1; i <= NF; i++) printf "%s,", $$i; print "" }' && \
	  echo '};' && \
	  echo 'const size_t ib_arazzo_builtin_size = sizeof ib_arazzo_builtin_bytes;'; \
	} > $@-t && mv $@-t $@
