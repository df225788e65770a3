# SPDX-License-Identifier: MIT
# lib/libib.a: everything the programs share. One archive; a program links what it uses of it.
noinst_LIBRARIES += lib/libib.a
lib_libib_a_SOURCES =
lib_libib_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS) $(EXPAT_CFLAGS) $(JSONC_CFLAGS) \
	$(YAML_CFLAGS) $(LIBCONFIG_CFLAGS) $(SQLITE_CFLAGS) $(PCRE2_CFLAGS)
IB_LIBS = lib/libib.a $(CURL_LIBS) $(CRYPTO_LIBS) $(EXPAT_LIBS) $(JSONC_LIBS) $(YAML_LIBS) \
	$(LIBCONFIG_LIBS) $(SQLITE_LIBS) $(PCRE2_LIBS)

include lib/base/local.mk
include lib/sys/local.mk
include lib/data/local.mk
include lib/aws/local.mk
include lib/imagebuilder/local.mk
include lib/arazzo/local.mk
include lib/watch/local.mk
include lib/plugin/local.mk
