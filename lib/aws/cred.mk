# SPDX-License-Identifier: MIT
# Credentials, profiles, region and settings.
lib_libib_a_SOURCES += \
	lib/aws/awsconfig.c \
	lib/aws/cred.c lib/aws/cred.h \
	lib/aws/cred_assume_role.c \
	lib/aws/cred_cache.c lib/aws/cred_cache.h \
	lib/aws/cred_chain.c \
	lib/aws/cred_container.c \
	lib/aws/cred_env.c \
	lib/aws/cred_imds.c \
	lib/aws/cred_login.c \
	lib/aws/cred_process.c \
	lib/aws/cred_shared.c \
	lib/aws/cred_sso.c \
	lib/aws/cred_web_identity.c \
	lib/aws/imds.c lib/aws/imds.h \
	lib/aws/outside.c lib/aws/outside.h \
	lib/aws/profile.c lib/aws/profile.h \
	lib/aws/profile_chain.c lib/aws/profile_chain.h \
	lib/aws/sts.c lib/aws/sts.h
