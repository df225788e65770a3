# SPDX-License-Identifier: MIT
# Configuration to drop in. Where each goes is the caller's choice; the defaults are Debian's places
# below the prefix.
icingaitldir = $(datadir)/icinga2/include/plugins-contrib.d
icingaservicesdir = $(pkgdatadir)/icinga2
nagioscommandsdir = $(sysconfdir)/nagios-plugins/config
nagiosexampledir = $(pkgdatadir)/nagios
nrpeexampledir = $(pkgdatadir)/nrpe

dist_icingaitl_DATA = conf/icinga2/ib-plugins-templates.conf
dist_icingaservices_DATA = conf/icinga2/services.conf
nagioscommands_DATA = conf/nagios/ib-plugins.cfg
dist_nagiosexample_DATA = conf/nagios/example-services.cfg
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
