/* SPDX-License-Identifier: MIT */
/*
 * Functions that the house does not use. Force-included before every file of the project, so the
 * names fail to compile. Beside each: what to use.
 *
 * A file that implements the replacement lifts single names by #undef and says why.
 */
#ifndef IB_BASE_BANNED_H
#define IB_BASE_BANNED_H

/* System headers that declare the names must come first: poisoning would break them. */
#include <ctype.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define IB_BANNED(name) ib_banned_function_##name

/* unbounded or silently truncating copies: struct ib_buf, memcpy with a checked length, ib_text_copy */
#undef strcpy
#define strcpy(...) IB_BANNED(strcpy)
#undef strncpy
#define strncpy(...) IB_BANNED(strncpy)
#undef strcat
#define strcat(...) IB_BANNED(strcat)
#undef strncat
#define strncat(...) IB_BANNED(strncat)
#undef stpcpy
#define stpcpy(...) IB_BANNED(stpcpy)
#undef sprintf
#define sprintf(...) IB_BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) IB_BANNED(vsprintf)
#undef asprintf
#define asprintf(...) IB_BANNED(asprintf)
#undef vasprintf
#define vasprintf(...) IB_BANNED(vasprintf)
#undef gets
#define gets(...) IB_BANNED(gets)
#undef alloca
#define alloca(...) IB_BANNED(alloca)

/* parsers that clamp, skip or obey the locale: lib/base/num.h, lib/base/str.h */
#undef atoi
#define atoi(...) IB_BANNED(atoi)
#undef atol
#define atol(...) IB_BANNED(atol)
#undef atoll
#define atoll(...) IB_BANNED(atoll)
#undef atof
#define atof(...) IB_BANNED(atof)
#undef strtol
#define strtol(...) IB_BANNED(strtol)
#undef strtoul
#define strtoul(...) IB_BANNED(strtoul)
#undef strtoll
#define strtoll(...) IB_BANNED(strtoll)
#undef strtoull
#define strtoull(...) IB_BANNED(strtoull)
#undef strtod
#define strtod(...) IB_BANNED(strtod)
#undef strtof
#define strtof(...) IB_BANNED(strtof)
#undef strtok
#define strtok(...) IB_BANNED(strtok)
#undef strtok_r
#define strtok_r(...) IB_BANNED(strtok_r)
#undef sscanf
#define sscanf(...) IB_BANNED(sscanf)
#undef scanf
#define scanf(...) IB_BANNED(scanf)
#undef fscanf
#define fscanf(...) IB_BANNED(fscanf)

/* time by TZ or locale: lib/base/time.h */
#undef gmtime
#define gmtime(...) IB_BANNED(gmtime)
#undef localtime
#define localtime(...) IB_BANNED(localtime)
#undef ctime
#define ctime(...) IB_BANNED(ctime)
#undef asctime
#define asctime(...) IB_BANNED(asctime)
#undef strptime
#define strptime(...) IB_BANNED(strptime)
#undef mktime
#define mktime(...) IB_BANNED(mktime)
#undef timegm
#define timegm(...) IB_BANNED(timegm)
#undef strftime
#define strftime(...) IB_BANNED(strftime)

/* shells, guessable names, process-wide state */
#undef system
#define system(...) IB_BANNED(system)
#undef popen
#define popen(...) IB_BANNED(popen)
#undef tmpnam
#define tmpnam(...) IB_BANNED(tmpnam)
#undef tempnam
#define tempnam(...) IB_BANNED(tempnam)
#undef mktemp
#define mktemp(...) IB_BANNED(mktemp)
#undef getenv
#define getenv(...) IB_BANNED(getenv_use_ib_env_get)
#undef setenv
#define setenv(...) IB_BANNED(setenv)
#undef putenv
#define putenv(...) IB_BANNED(putenv)
#undef setlocale
#define setlocale(...) IB_BANNED(setlocale)
#undef strerror
#define strerror(...) IB_BANNED(strerror_use_ib_errno_text)
#undef exit
#define exit(...) IB_BANNED(exit_belongs_to_lib_plugin_start_c)
#undef abort
#define abort(...) IB_BANNED(abort)
#undef rand
#define rand(...) IB_BANNED(rand)
#undef srand
#define srand(...) IB_BANNED(srand)
#undef sleep
#define sleep(...) IB_BANNED(sleep_use_ib_deadline_sleep)
#undef usleep
#define usleep(...) IB_BANNED(usleep)
#undef alarm
#define alarm(...) IB_BANNED(alarm)

#endif
