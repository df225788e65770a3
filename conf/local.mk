# SPDX-License-Identifier: MIT
# Configuration to drop in. Where each goes is the caller's choice; the defaults are Debian's places
# below the prefix.
icingaitldir = $(datadir)/icinga2/include/plugins-contrib.d
icingaservicesdir = $(pkgdatadir)/icinga2
nagioscommandsdir = $(sysconfdir)/nagios-plugins/config
nagiosexampledir = $(pkgdatadir)/nagios
nrpeexampledir = $(pkgdatadir)/nrpe
directorbasketdir = $(pkgdatadir)/director

dist_icingaitl_DATA = conf/icinga2/ib-plugins.conf conf/icinga2/ib-plugins-templates.conf
dist_icingaservices_DATA = conf/icinga2/services.conf conf/icinga2/api-user.conf
nagioscommands_DATA = conf/nagios/ib-plugins.cfg
dist_nagiosexample_DATA = conf/nagios/example-services.cfg
dist_directorbasket_DATA = conf/director/ib-plugins-basket.json
nrpeexample_DATA = conf/nrpe/ib-plugins.cfg

# Paths are known to make, not to configure: ${prefix} may still be in them there.
conf_with_paths = conf/nagios/ib-plugins.cfg conf/nrpe/ib-plugins.cfg
EXTRA_DIST += $(conf_with_paths:=.in)
CLEANFILES += $(conf_with_paths)
$(conf_with_paths): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed -e 's|[@]plugindir[@]|$(plugindir)|g' \
		-e 's|[@]eventhandlerdir[@]|$(eventhandlerdir)|g' $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/nagios/ib-plugins.cfg: conf/nagios/ib-plugins.cfg.in
conf/nrpe/ib-plugins.cfg: conf/nrpe/ib-plugins.cfg.in

# Ours to ship, the administrator's to edit: an existing one stays.
ibconfdir = $(sysconfdir)/ib-plugins
iamdir = $(pkgdatadir)/iam
dist_iam_DATA = conf/iam/read-only.json conf/iam/cancel.json conf/iam/create.json \
	conf/iam/after-cancel.json \
	conf/iam/assume-monitoring-role.json conf/iam/trust-with-external-id.json
EXTRA_DIST += conf/ib-plugins.conf
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(ibconfdir)'
	test -e '$(DESTDIR)$(ibconfdir)/ib-plugins.conf' || \
		$(INSTALL_DATA) $(srcdir)/conf/ib-plugins.conf '$(DESTDIR)$(ibconfdir)/ib-plugins.conf'
uninstall-local:
	if cmp -s $(srcdir)/conf/ib-plugins.conf '$(DESTDIR)$(ibconfdir)/ib-plugins.conf'; then \
		rm -f '$(DESTDIR)$(ibconfdir)/ib-plugins.conf'; fi

# The workflow that is also built in: a copy to start a site's own from.
workflowsdir = $(pkgdatadir)/workflows
dist_workflows_DATA = conf/workflows/cancel-running-image-build.arazzo.yaml
