# SPDX-License-Identifier: MIT
# Man pages, completion, bill of materials; the packages themselves are made by packaging/build.sh.
bashcompletiondir = $(datadir)/bash-completion/completions

dist_man_MANS = packaging/man/ib-plugins.conf.5 packaging/man/ib-workflow.5

EXTRA_DIST += packaging/sbom.py packaging/generate.py packaging/build.sh packaging/debian packaging/rpm

# What the option tables say elsewhere too; packaging/generate.py writes it into the sources.
.PHONY: generated
generated: all
	$${PYTHON:-/usr/bin/python3} $(srcdir)/packaging/generate.py --sysconfdir '$(sysconfdir)' \
		--statedir '$(statedir)' $(builddir) $(srcdir)

# CycloneDX: what the programs are linked to.
sbom.cdx.json: $(plugin_PROGRAMS) $(eventhandler_PROGRAMS) $(bin_PROGRAMS) packaging/sbom.py
	$(AM_V_GEN)$${PYTHON:-/usr/bin/python3} $(srcdir)/packaging/sbom.py $(PACKAGE_NAME) $(PACKAGE_VERSION) \
		$(plugin_PROGRAMS) $(eventhandler_PROGRAMS) $(bin_PROGRAMS) >$@.tmp && mv $@.tmp $@
CLEANFILES += sbom.cdx.json

# What is shipped beside the programs agrees with them.
TESTS += tests/cli/test_shipped.py
EXTRA_DIST += tests/cli/test_shipped.py
