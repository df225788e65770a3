# SPDX-License-Identifier: MIT
# Documents and the engine.
EXTRA_DIST += tests/unit/engine_test.h tests/data/arazzo tests/data/seed
unit_programs += tests/unit/test_check \
	tests/unit/test_documents \
	tests/unit/test_engine \
	tests/unit/test_engine_oom \
	tests/unit/test_inputs \
	tests/unit/test_openapi \
	tests/unit/test_sender \
	tests/unit/test_show
tests_unit_test_check_SOURCES = tests/unit/test_check.c
tests_unit_test_check_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_check_LDADD = $(UNIT_LIBS)
tests_unit_test_documents_SOURCES = tests/unit/test_documents.c
tests_unit_test_documents_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_documents_LDADD = $(UNIT_LIBS)
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c
tests_unit_test_engine_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_engine_LDADD = $(UNIT_LIBS)
tests_unit_test_inputs_SOURCES = tests/unit/test_inputs.c
tests_unit_test_inputs_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_inputs_LDADD = $(UNIT_LIBS)
tests_unit_test_openapi_SOURCES = tests/unit/test_openapi.c
tests_unit_test_openapi_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_openapi_LDADD = $(UNIT_LIBS)
tests_unit_test_sender_SOURCES = tests/unit/test_sender.c
tests_unit_test_sender_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_sender_LDADD = $(UNIT_LIBS)
tests_unit_test_show_SOURCES = tests/unit/test_show.c
tests_unit_test_show_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_show_LDADD = $(UNIT_LIBS)
tests_unit_test_engine_oom_SOURCES = tests/unit/test_engine_oom.c
tests_unit_test_engine_oom_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_engine_oom_LDADD = $(UNIT_LIBS)
tests_unit_test_engine_oom_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=reallocarray
