#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test of the project: installs what is missing, builds a copy of the tree in a scratch
# directory, runs all, and ends with the one line "N passed, N failed, N skipped". Exit 0 only when
# nothing failed.
#
#   sh tests/all.sh                 everything
#   sh tests/all.sh check e2e       only these stages; "sh tests/all.sh --list" names them
#
# IB_ALL_DIR=DIR  build there and keep it, so that the next run compiles only what changed
# IB_AWS_SDK_DIR=DIR  where npm's aws-sdk is, or is to be put (default: in the user's cache)
# IB_SHARED=DIR   test vectors that are not ours to ship (default: ../shared beside the clone)
# IB_AWS_SDK_DIR=DIR  where npm's aws-sdk is, or is put (default: in the scratch directory)
# CI=true         a test that was skipped for want of something counts as failed
set -u
exec </dev/null
LC_ALL=C
export LC_ALL
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
stages="check e2e sanitizers shellcheck cppcheck tidy dist"
if [ "${1:-}" = --list ]; then
    echo "$stages"
    exit 0
fi
wanted=${*:-$stages}
for name in $wanted; do
    case " $stages " in
    *" $name "*) ;;
    *)
        echo "tests/all.sh: no stage '$name'; there are: $stages" >&2
        exit 3
        ;;
    esac
done

sh "$top/tests/install-packages.sh" || exit 1
# Without npm, or offline, one test is skipped: the package is a second opinion, no need.
IB_AWS_SDK_DIR=${IB_AWS_SDK_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ib-plugins/aws-sdk}
export IB_AWS_SDK_DIR
sh "$top/tests/standin/install-awssdk.sh" "$IB_AWS_SDK_DIR"

IB_SHARED=${IB_SHARED:-$top/../shared}
[ -d "$IB_SHARED" ] && IB_SHARED=$(cd "$IB_SHARED" && pwd)
# Debian's own tools first, and nothing of the caller's compiler settings.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export IB_SHARED PATH
unset CC CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS MFLAGS MAKELEVEL DESTDIR

keep=${IB_ALL_DIR:-}
IB_ALL_DIR=${IB_ALL_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/ib-all.XXXXXX")} || exit 1
mkdir -p "$IB_ALL_DIR/src" && IB_ALL_DIR=$(cd "$IB_ALL_DIR" && pwd) && chmod 755 "$IB_ALL_DIR" || exit 1
export IB_ALL_DIR
logs=$IB_ALL_DIR/log
rm -rf "$logs"
mkdir "$logs" || exit 1

finish() {
    trap '' INT TERM
    # timeout(1) leads a process group of its own and hands the signal on to it.
    for pid_file in "$logs"/*.pid; do
        [ -e "$pid_file" ] && kill "$(cat "$pid_file")" 2>/dev/null
    done
    wait
    [ -n "$keep" ] || rm -rf "$IB_ALL_DIR"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wants() {
    case " $wanted " in *" $1 "*) return 0 ;; esac
    return 1
}

# stage NAME TITLE: one run of tests/stage.sh; its output goes to a log, its verdict to a file.
stage() {
    st_begin=$(date +%s)
    case $1 in
    shellcheck | san-build | cppcheck | tidy | dist) st_nice='nice -n 15' ;;
    *) st_nice= ;;
    esac
    # shellcheck disable=SC2086 # words
    $st_nice timeout --kill-after=20 1500 sh "$IB_ALL_DIR/src/tests/stage.sh" "$1" >"$logs/$1.log" 2>&1 &
    echo $! >"$logs/$1.pid"
    wait $!
    st_rc=$?
    rm -f "$logs/$1.pid"
    st_took=$(($(date +%s) - st_begin))
    if [ $st_rc = 0 ]; then
        echo "pass" >"$logs/$1.verdict"
        echo "-- $2: done in $st_took s"
    else
        echo "fail" >"$logs/$1.verdict"
        echo "-- $2: FAILED after $st_took s (exit $st_rc)"
    fi
    return $st_rc
}

# Two lanes, for two cores: the first one tests, the second one has what is about computing, and gives
# way, so that tests with deadlines meet no other crowd than themselves.
lane_main() {
    if ! stage build "build with gcc -Werror"; then
        echo no >"$logs/built"
        return
    fi
    echo yes >"$logs/built"
    wants check && stage check "make check"
    wants e2e && stage e2e "the real daemons, end to end"
}
lane_rest() {
    wants shellcheck && stage shellcheck "shellcheck"
    wants sanitizers && stage san-build "build with sanitizers" && san_built=yes
    # These read the configuration and the generated sources of the first lane.
    until [ -s "$logs/built" ]; do sleep 1; done
    if [ "$(cat "$logs/built")" = yes ]; then
        wants cppcheck && stage cppcheck "cppcheck"
        wants tidy && stage tidy "clang-tidy"
    fi
    [ "${san_built:-}" = yes ] && stage san-check "make check with sanitizers"
    [ "$(cat "$logs/built")" = yes ] && wants dist && stage dist "make distcheck, built by clang -Werror"
}

begin=$(date +%s)
# A second model for the stand-in; where npm or the net is missing its tests are skipped.
IB_AWS_SDK_DIR=${IB_AWS_SDK_DIR:-$IB_ALL_DIR/awssdk}
sh "$top/tests/standin/install-awssdk.sh" "$IB_AWS_SDK_DIR" || IB_AWS_SDK_DIR=
export IB_AWS_SDK_DIR
sh "$top/tests/stage.sh" copy || { echo "tests/all.sh: cannot copy $top to $IB_ALL_DIR" >&2; exit 1; }
if stage configure "autoreconf"; then
    find "$IB_ALL_DIR/main" "$IB_ALL_DIR/san" -name '*.trs' -delete 2>/dev/null
    lane_main &
    main_pid=$!
    lane_rest &
    rest_pid=$!
    wait $main_pid
    wait $rest_pid
fi

# --- what ran, and how it went --------------------------------------------------------------------
passed=0
failed=0
skipped=0
skip_line='^\(ok\|1\.\.0\).*# SKIP'
count() { # count PATTERN FILE
    grep -c "^:test-result: $1" "$2"
}
report_tests() { # report_tests HEADING BUILD-DIRECTORY
    [ -d "$2" ] || return
    echo "== $1"
    tree=$2
    (cd "$tree" && find . -path './ib-plugins-*' -prune -o -name '*.trs' -print | sort) >"$IB_ALL_DIR/trs"
    while read -r trs; do
        test_name=${trs#./}
        test_name=${test_name%.trs}
        test_log=$tree/${trs%.trs}.log
        good=$(count '\(PASS\|XFAIL\)' "$tree/$trs")
        bad=$(count '\(FAIL\|XPASS\|ERROR\)' "$tree/$trs")
        skips=$(count SKIP "$tree/$trs")
        # In CI nothing may be missing, but for the vectors that are not ours to ship, and for the
        # npm package where npm could not get it, for what a container may not do, and for Windows.
        if [ "${CI:-}" = true ] && [ "$skips" != 0 ]; then
            set -- -e 'for Windows' -e 'no private network namespace'
            [ -d "$IB_SHARED" ] || set -- "$@" -e IB_SHARED -e "$IB_SHARED"
            [ -n "$IB_AWS_SDK_DIR" ] || set -- "$@" -e IB_AWS_SDK_DIR
            allowed=$(grep "$skip_line" "$test_log" | grep -cF "$@")
            bad=$((bad + skips - allowed))
            skips=$allowed
        fi
        passed=$((passed + good))
        failed=$((failed + bad))
        skipped=$((skipped + skips))
        echo "   $test_name: $good passed, $bad failed, $skips skipped"
        grep "$skip_line" "$test_log" | sed 's/^.*# SKIP/      skipped:/'
        if [ "$bad" != 0 ]; then
            awk '/^not ok|^Bail out|^(FAIL|ERROR|XPASS):/ { show = 40 } /^ok/ { show = 0 }
                show-- > 0 { print "      | " $0 }' "$test_log" | head -n 200
        fi
    done <"$IB_ALL_DIR/trs"
}
report_tests "make check, and the real daemons" "$IB_ALL_DIR/main"
report_tests "make check with sanitizers" "$IB_ALL_DIR/san"
echo "== builds and checkers"
for verdict in "$logs"/*.verdict; do
    name=$(basename "$verdict" .verdict)
    if [ "$(cat "$verdict")" = pass ]; then
        echo "   $name: passed"
        passed=$((passed + 1))
    else
        echo "   $name: FAILED; its errors, and the end of its output:"
        failed=$((failed + 1))
        { grep -n ' error: ' "$logs/$name.log" | head -n 30; tail -n 40 "$logs/$name.log"; } | sed 's/^/      | /'
    fi
done
[ $((passed + failed)) -gt 0 ] || failed=1
echo "$(($(date +%s) - begin)) seconds"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
