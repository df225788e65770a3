# SPDX-License-Identifier: MIT
# The packages, built and installed. Not part of make check: they take minutes, root, and Debian's mirror;
# tests/all.sh runs them.
packaging_tests = tests/packaging/build.sh tests/packaging/system.sh tests/packaging/install_deb.sh \
	tests/packaging/install_rpm.sh
EXTRA_DIST += $(packaging_tests) tests/packaging/lib.sh tests/packaging/contents.py tests/packaging/check_sbom.py \
	tests/packaging/contents.deb tests/packaging/contents.rpm tests/tap.sh

tests/packaging/install_deb.log tests/packaging/install_rpm.log: tests/packaging/build.log tests/packaging/system.log

.PHONY: packages
packages: all
	@test -n "$$IB_PACKAGING" || { echo "make packages: IB_PACKAGING is not set; use: sh tests/all.sh packages" >&2; exit 1; }
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(packaging_tests)' TEST_SUITE_LOG=tests/packaging/packages.log
