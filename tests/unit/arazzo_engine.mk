# SPDX-License-Identifier: MIT
# Documents and the engine.
EXTRA_DIST += tests/unit/engine_test.h tests/data/arazzo tests/data/seed
unit_programs += tests/unit/test_check \
	tests/unit/test_documents \
	tests/unit/test_engine
tests_unit_test_check_SOURCES = tests/unit/test_check.c
tests_unit_test_check_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_check_LDADD = $(UNIT_LIBS)
tests_unit_test_documents_SOURCES = tests/unit/test_documents.c
tests_unit_test_documents_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_documents_LDADD = $(UNIT_LIBS)
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c
tests_unit_test_engine_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_engine_LDADD = $(UNIT_LIBS)
