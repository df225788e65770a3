# SPDX-License-Identifier: MIT
# Compiler and linker flags are probed one by one and kept in variables of our own, so that a
# packager's CFLAGS, CPPFLAGS and LDFLAGS stay what the packager said.

# IB_TRY_FLAG(VARIABLE, FLAG, KIND): append FLAG to VARIABLE when the compiler (KIND=c) or the
# linker (KIND=ld) takes it without a warning.
AC_DEFUN([IB_TRY_FLAG], [
    AS_VAR_PUSHDEF([cachevar], [ib_cv_flag_$3_$2])
    AC_CACHE_CHECK([whether $2 works], [cachevar], [
        ib_saved_CFLAGS=$CFLAGS; ib_saved_LDFLAGS=$LDFLAGS
        AS_IF([test $3 = ld], [LDFLAGS="$LDFLAGS -Werror $2"], [CFLAGS="$CFLAGS -Werror $2"])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[return puts("") < 0;]])],
            [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
        CFLAGS=$ib_saved_CFLAGS; LDFLAGS=$ib_saved_LDFLAGS])
    AS_VAR_IF([cachevar], [yes], [$1="$$1 $2"])
    AS_VAR_POPDEF([cachevar])
])

# IB_CLEANUP_ATTRIBUTE: the house relies on __attribute__((cleanup)); without it everything leaks.
AC_DEFUN([IB_CLEANUP_ATTRIBUTE], [
    AC_CACHE_CHECK([for the cleanup attribute], [ib_cv_cleanup], [
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[static void f(int *p) { (void)p; }]],
            [[__attribute__((cleanup(f))) int i = 0; (void)i;]])], [ib_cv_cleanup=yes], [ib_cv_cleanup=no])])
    AS_IF([test "x$ib_cv_cleanup" != xyes],
        [AC_MSG_ERROR([the compiler lacks __attribute__((cleanup)): use gcc or clang])])
])

# IB_COMPILER_FLAGS: sets WARN_CFLAGS HARD_CFLAGS HARD_CPPFLAGS HARD_LDFLAGS SAN_FLAGS COV_FLAGS FUZZ_LDFLAGS.
AC_DEFUN([IB_COMPILER_FLAGS], [
    WARN_CFLAGS= HARD_CFLAGS= HARD_CPPFLAGS= HARD_LDFLAGS= SAN_FLAGS= COV_FLAGS= FUZZ_LDFLAGS=
    m4_foreach_w([flag], [-Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wcast-qual -Wvla -Wundef
        -Wimplicit-fallthrough -Wconversion -Wnull-dereference -Wduplicated-cond -Wlogical-op
        -Wswitch-enum -Wno-missing-field-initializers],
        [IB_TRY_FLAG([WARN_CFLAGS], flag, [c])])
    AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])

    AS_IF([test "x$enable_sanitizers" != xno || test "x$enable_coverage" = xyes || test "x$enable_fuzzing" = xyes],
        [enable_hardening=no])
    AS_IF([test "x$enable_hardening" = xyes], [
        m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection
            -mbranch-protection=standard -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks
            -fno-strict-overflow -fPIE], [IB_TRY_FLAG([HARD_CFLAGS], flag, [c])])
        # _FORTIFY_SOURCE needs an optimising compiler, and a packager's own choice wins.
        AS_CASE([" $CFLAGS $CPPFLAGS "],
            [*_FORTIFY_SOURCE*], [],
            [*" -O"@<:@123s@:>@*], [
                AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
                    #undef _FORTIFY_SOURCE
                    #define _FORTIFY_SOURCE 3
                    #include <string.h>]], [])],
                    [HARD_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"],
                    [HARD_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])
        m4_foreach_w([flag], [-pie], [IB_TRY_FLAG([HARD_LDFLAGS], flag, [ld])])
        IB_TRY_FLAG([HARD_LDFLAGS], [-Wl,-z,relro], [ld])
        IB_TRY_FLAG([HARD_LDFLAGS], [-Wl,-z,now], [ld])
        IB_TRY_FLAG([HARD_LDFLAGS], [-Wl,-z,noexecstack], [ld])
    ])
    IB_TRY_FLAG([HARD_LDFLAGS], [-Wl,--as-needed], [ld])

    AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
    AS_IF([test "x$enable_sanitizers" != xno], [
        SAN_FLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer -g"
        AC_DEFINE([IB_SANITIZERS], [1], [built with sanitizers])])
    # Counters between two tests of a pointer make gcc forget the first one.
    AS_IF([test "x$enable_coverage" = xyes], [COV_FLAGS="--coverage -O0 -g -Wno-null-dereference"])
    AS_IF([test "x$enable_fuzzing" = xyes], [
        # The library is instrumented for coverage; only the targets bring libFuzzer's main.
        SAN_FLAGS="$SAN_FLAGS -fsanitize=fuzzer-no-link -g"
        FUZZ_LDFLAGS="-fsanitize=fuzzer"])
    AC_SUBST([WARN_CFLAGS]) AC_SUBST([HARD_CFLAGS]) AC_SUBST([HARD_CPPFLAGS]) AC_SUBST([HARD_LDFLAGS])
    AC_SUBST([SAN_FLAGS]) AC_SUBST([COV_FLAGS]) AC_SUBST([FUZZ_LDFLAGS])
])
