# SPDX-License-Identifier: MIT
# Man pages, completion, bill of materials; the packages themselves are made by packaging/build.sh.
bashcompletiondir = $(datadir)/bash-completion/completions

dist_man_MANS = packaging/man/ib-plugins.conf.5 packaging/man/ib-workflow.5 packaging/man/check_ib_image.8 \
	packaging/man/ib_cancel_action.8 packaging/man/ib_create_action.8 packaging/man/ib_workflow.8
EXTRA_DIST += packaging/man/check_ib_image.8.in packaging/man/ib_cancel_action.8.in \
	packaging/man/ib_create_action.8.in packaging/man/ib_workflow.8.in packaging/man/environment.in packaging/completion

# One file for all, found by each program's name.
install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/packaging/completion/ib-plugins.bash '$(DESTDIR)$(bashcompletiondir)/ib_workflow'
	cd '$(DESTDIR)$(bashcompletiondir)' && for p in check_ib_image ib_cancel_action ib_create_action; do \
		rm -f $$p && $(LN_S) ib_workflow $$p || exit 1; done
uninstall-hook:
	cd '$(DESTDIR)$(bashcompletiondir)' && rm -f ib_workflow check_ib_image ib_cancel_action ib_create_action

EXTRA_DIST += packaging/sbom.py packaging/generate.py packaging/build.sh packaging/debian packaging/rpm

# What the option tables say elsewhere too; packaging/generate.py writes it into the sources.
.PHONY: generated
generated: $(plugin_PROGRAMS) $(eventhandler_PROGRAMS) $(bin_PROGRAMS)
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
