# SPDX-License-Identifier: MIT
# Documents and inputs.
fuzz_programs += tests/fuzz/fuzz_document tests/fuzz/fuzz_inputs
tests_fuzz_fuzz_document_SOURCES = tests/fuzz/fuzz_document.c $(FUZZ_MAIN)
tests_fuzz_fuzz_document_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_document_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_document_LDADD = $(IB_LIBS)
tests_fuzz_fuzz_inputs_SOURCES = tests/fuzz/fuzz_inputs.c $(FUZZ_MAIN)
tests_fuzz_fuzz_inputs_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_inputs_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_inputs_LDADD = $(IB_LIBS)
