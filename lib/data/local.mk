# SPDX-License-Identifier: MIT
# JSON, YAML, ini, configuration, state database. Third-party: json-c, libyaml, libconfig, SQLite.
lib_libib_a_SOURCES += \
	lib/data/conf.c lib/data/conf.h \
	lib/data/ini.c lib/data/ini.h \
	lib/data/json.c lib/data/json.h \
	lib/data/members.c lib/data/members.h \
	lib/data/shlex.c lib/data/shlex.h \
	lib/data/statedb.c lib/data/statedb.h \
	lib/data/value.c lib/data/value.h \
	lib/data/yaml.c lib/data/yaml.h
