# SPDX-License-Identifier: MIT
# The AWS half against the stand-in and botocore: a probe in C, driven by Python.
check_PROGRAMS += tests/aws/aws_probe
tests_aws_aws_probe_SOURCES = tests/aws/aws_probe.c
tests_aws_aws_probe_LDADD = $(IB_LIBS)
# The same with the HTTP layer as it is built for libcurl before 7.87 (see lib/aws/http.c).
check_PROGRAMS += tests/aws/aws_probe_old
tests_aws_aws_probe_old_SOURCES = tests/aws/aws_probe.c lib/aws/http.c
tests_aws_aws_probe_old_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) -DIB_HTTP_NO_QUICK_EXIT
tests_aws_aws_probe_old_LDADD = $(IB_LIBS)
aws_tests = tests/aws/test_sign.py tests/aws/test_client.py tests/aws/test_dns.py
TESTS += $(aws_tests)
EXTRA_DIST += $(aws_tests) tests/aws/probe.py
