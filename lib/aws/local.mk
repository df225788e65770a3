# SPDX-License-Identifier: MIT
# AWS: credentials, signatures, endpoints, HTTP, retries, client. Third-party: libcurl, OpenSSL, expat.
lib_libib_a_SOURCES += \
	lib/aws/arn.c lib/aws/arn.h \
	lib/aws/awsconfig.h \
	lib/aws/awserror.c lib/aws/awserror.h \
	lib/aws/caller.c lib/aws/caller.h \
	lib/aws/catrust.c lib/aws/catrust.h \
	lib/aws/client.c lib/aws/client.h \
	lib/aws/credentials.c lib/aws/credentials.h \
	lib/aws/diagnose.c lib/aws/diagnose.h \
	lib/aws/endpoint.c lib/aws/endpoint.h \
	lib/aws/headers.c lib/aws/headers.h \
	lib/aws/http.c lib/aws/http.h \
	lib/aws/proxy.c lib/aws/proxy.h \
	lib/aws/retry.c lib/aws/retry.h \
	lib/aws/sha.c lib/aws/sha.h \
	lib/aws/sigv4.c lib/aws/sigv4.h \
	lib/aws/trace.c lib/aws/trace.h \
	lib/aws/url.c lib/aws/url.h \
	lib/aws/useragent.c lib/aws/useragent.h \
	lib/aws/xml.c lib/aws/xml.h
include lib/aws/cred.mk
