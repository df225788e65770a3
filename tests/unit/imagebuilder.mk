# SPDX-License-Identifier: MIT
unit_programs += tests/unit/test_image tests/unit/test_operation tests/unit/test_request tests/unit/test_status tests/unit/test_workflow
tests_unit_test_image_SOURCES = tests/unit/test_image.c
tests_unit_test_image_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_image_LDADD = $(UNIT_LIBS)
tests_unit_test_operation_SOURCES = tests/unit/test_operation.c
tests_unit_test_operation_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_operation_LDADD = $(UNIT_LIBS)
tests_unit_test_request_SOURCES = tests/unit/test_request.c
tests_unit_test_request_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_request_LDADD = $(UNIT_LIBS)
tests_unit_test_status_SOURCES = tests/unit/test_status.c
tests_unit_test_status_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_status_LDADD = $(UNIT_LIBS)
tests_unit_test_workflow_SOURCES = tests/unit/test_workflow.c
tests_unit_test_workflow_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_workflow_LDADD = $(UNIT_LIBS)
