# SPDX-License-Identifier: MIT
# make check: unit tests (cmocka, one TAP line per row), shell tests, fuzz corpora replayed.
# tests/all.sh runs this and everything that needs a daemon or the stand-in.
TEST_EXTENSIONS = .sh .py
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/unit/run.sh
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
PY_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_COMPILER = $${PYTHON:-/usr/bin/python3}
AM_TESTS_ENVIRONMENT = \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	sysconfdir='$(sysconfdir)'; statedir='$(statedir)'; export sysconfdir statedir; \
	. '$(abs_top_srcdir)/tests/env';

EXTRA_DIST += tests/env tests/packages tests/all.sh tests/demo.sh tests/stage.sh tests/install-packages.sh
EXTRA_DIST += tests/data tests/layers.sh tests/unit/ib_test.h tests/unit/run.sh
TESTS += tests/layers.sh

# Unit tests link the archive and cmocka. Each room lists its own in its fragment.
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests/unit
UNIT_LIBS = $(IB_LIBS) $(CMOCKA_LIBS)
unit_programs =
EXTRA_PROGRAMS =

include tests/unit/base.mk
include tests/unit/sys.mk
include tests/unit/data.mk
include tests/unit/aws.mk
include tests/unit/imagebuilder.mk
include tests/unit/arazzo.mk
include tests/unit/watch.mk
include tests/unit/plugin.mk
include tests/fuzz/local.mk
include tests/cli/local.mk
include tests/docs/local.mk
include tests/e2e/local.mk
include tests/packaging/local.mk
include tests/standin/local.mk
include tests/aws/local.mk

if HAVE_CMOCKA
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)
endif
EXTRA_PROGRAMS += $(unit_programs)
