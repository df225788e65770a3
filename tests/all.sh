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
# IB_AWS_SDK_DIR=DIR  where npm's aws-sdk is, or is put (default: in the user's cache)
# IB_SHARED=DIR   test vectors that are not ours to ship (default: ../shared beside the clone)
# CI=true         a test that was skipped for want of a package counts as failed
set -u
exec </dev/null
LC_ALL=C
export LC_ALL
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
stages="check e2e packages sanitizers shellcheck cppcheck tidy dist"
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

give_up() { # give_up SENTENCE: whoever reads only the end finds the reason there
    echo "tests/all.sh: $1"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}
sh "$top/tests/install-packages.sh" || give_up "packages are missing"

IB_SHARED=${IB_SHARED:-$top/../shared}
[ -d "$IB_SHARED" ] && IB_SHARED=$(cd "$IB_SHARED" && pwd)
# Debian's own tools first, and nothing of the caller's compiler settings.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export IB_SHARED PATH
unset CC CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS MFLAGS MAKELEVEL DESTDIR

keep=${IB_ALL_DIR:-}
IB_ALL_DIR=${IB_ALL_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/ib-all.XXXXXX")} || give_up "no scratch directory"
mkdir -p "$IB_ALL_DIR/src" && IB_ALL_DIR=$(cd "$IB_ALL_DIR" && pwd) && chmod 755 "$IB_ALL_DIR" ||
    give_up "no scratch directory"
export IB_ALL_DIR
logs=$IB_ALL_DIR/log
rm -rf "$logs"
mkdir "$logs" || give_up "cannot write to $IB_ALL_DIR"

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
    packages) st_nice='nice -n 5' ;;
    *) st_nice= ;;
    esac
    # shellcheck disable=SC2086 # words
    $st_nice timeout --kill-after=20 2700 sh "$IB_ALL_DIR/src/tests/stage.sh" "$1" >"$logs/$1.log" 2>&1 &
    echo $! >"$logs/$1.pid"
    wait $!
    st_rc=$?
    rm -f "$logs/$1.pid"
    st_took=$(($(date +%s) - st_begin))
    if [ $st_rc = 0 ]; then
        echo "pass" >"$logs/$1.verdict"
        echo "-- $2: done in $st_took s"
    else
        echo "fail $st_rc" >"$logs/$1.verdict"
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
    wants packages && stage packages "packages, built and installed"
    wants dist && stage dist "make distcheck, built by clang -Werror"
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
}

begin=$(date +%s)
# A second model for the stand-in. Without npm, or offline, its tests are skipped: it is a second opinion.
if [ -z "${IB_AWS_SDK_DIR:-}" ]; then
    cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    IB_AWS_SDK_DIR=${cache:-$IB_ALL_DIR}/ib-plugins/aws-sdk
fi
sh "$top/tests/standin/install-awssdk.sh" "$IB_AWS_SDK_DIR" || IB_AWS_SDK_DIR=
export IB_AWS_SDK_DIR
sh "$top/tests/stage.sh" copy || give_up "cannot copy $top to $IB_ALL_DIR"
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
: >"$IB_ALL_DIR/rows"    # what failed, a row for each
: >"$IB_ALL_DIR/details" # the same, with what the tests say about it
skip_line='^\(ok\|1\.\.0\).*# SKIP'
compiler_error='^[^ :]+:[0-9]+:([0-9]+:)? (fatal )?error: |^collect2: |undefined reference to '
count() { # count PATTERN FILE
    grep -c "^:test-result: $1" "$2"
}
# failed_rows LOG: each row that failed with its diagnostics, and what a program said before it died
failed_rows() {
    awk -v most=25 '
        function show(line) { print substr(line, 1, 500) (length(line) > 500 ? " ..." : "") }
        /^not ok/ && !/# (SKIP|TODO)/ { show($0); left = most; kept = 0; next }
        /^FAIL:/ { next } # what the driver says about the row above
        /^(ok|not ok|1\.\.|PASS:|SKIP:|XFAIL:)/ { left = 0; kept = 0; next }
        /^Bail out/ { show($0); next }
        /^(ERROR|XPASS):/ {
            for (i = kept > most ? kept - most : 0; i < kept; i++) { show(said[i]) }
            show($0); left = 0; kept = 0; next
        }
        left > 0 { show($0); left--; next }
        /./ { said[kept++] = $0 }' "$1"
}
note_failure() { # note_failure NAME: rows and diagnostics on standard input
    cat >"$IB_ALL_DIR/failure"
    sed 's/^/      | /' "$IB_ALL_DIR/failure"
    awk -v name="$1" '/^(not ok|Bail out|ERROR:|XPASS:|CI:|FAILED)/ { print "   " name ": " $0 }' \
        "$IB_ALL_DIR/failure" >>"$IB_ALL_DIR/rows"
    { echo "   $1"; sed 's/^/      | /' "$IB_ALL_DIR/failure"; } >>"$IB_ALL_DIR/details"
}
report_tests() { # report_tests HEADING BUILD-DIRECTORY STAGE [LABEL]
    [ -d "$2" ] || return
    echo "== $1"
    tree=$2
    tree_stage=$3
    tree_label=${4:-} # behind the names of its tests
    (cd "$tree" && find . -path './ib-plugins-*' -prune -o -name '*.trs' -print | sort) >"$IB_ALL_DIR/trs"
    while read -r trs; do
        test_name=${trs#./}
        test_name=${test_name%.trs}
        test_log=$tree/${trs%.trs}.log
        test_stage=$tree_stage
        case $test_name in
        tests/e2e/*) test_stage=e2e ;;
        tests/packaging/*) test_stage=packages ;;
        esac
        good=$(count '\(PASS\|XFAIL\)' "$tree/$trs")
        bad=$(count '\(FAIL\|XPASS\|ERROR\)' "$tree/$trs")
        skips=$(count SKIP "$tree/$trs")
        missing=0
        # In CI no package may be missing, and nothing of the vectors where they are. What a container may
        # not do, or nobody but root, is skipped there too.
        if [ "${CI:-}" = true ] && [ "$skips" != 0 ]; then
            set -- -e 'is not installed' -e '(Debian:' -e 'is not built' -e 'no user nagios'
            [ -d "$IB_SHARED" ] && set -- "$@" -e IB_SHARED -e "$IB_SHARED"
            [ -n "$IB_AWS_SDK_DIR" ] && set -- "$@" -e IB_AWS_SDK_DIR
            grep "$skip_line" "$test_log" | grep -F "$@" >"$IB_ALL_DIR/missing"
            missing=$(wc -l <"$IB_ALL_DIR/missing")
            skips=$((skips - missing))
        fi
        passed=$((passed + good))
        failed=$((failed + bad + missing))
        skipped=$((skipped + skips))
        echo "   $test_name: $good passed, $((bad + missing)) failed, $skips skipped"
        grep "$skip_line" "$test_log" | sed 's/^.*# SKIP/      skipped:/'
        sed -n 's/^# counts: /      /p' "$test_log"
        [ "$bad" = 0 ] || echo "$test_name" >>"$logs/$test_stage.failed"
        [ $((bad + missing)) = 0 ] || {
            failed_rows "$test_log"
            [ $missing = 0 ] || sed 's/^/CI: may not be skipped: /' "$IB_ALL_DIR/missing"
        } | note_failure "$test_name$tree_label"
    done <"$IB_ALL_DIR/trs"
}
# Why a stage failed: compiler errors; the rest of its output only where no test has told it.
stage_errors() {
    read -r _ rc <"$logs/$1.verdict"
    case $rc in
    124 | 137) echo "FAILED: it took more than 45 minutes and was stopped" ;;
    *) echo "FAILED: exit code $rc" ;;
    esac
    grep -nE "$compiler_error" "$logs/$1.log" | head -n 20
    if [ -s "$logs/$1.failed" ] && [ "$rc" = 2 ]; then
        echo "its tests are above"
        return
    fi
    # distcheck has its tests in a tree of its own
    grep -E '^(FAIL|ERROR|XPASS): ' "$logs/$1.log" | head -n 20
    grep -vE '^(PASS|SKIP|XFAIL|FAIL|ERROR|XPASS): ' "$logs/$1.log" | tail -n 25
}
rm -f "$logs"/*.failed
report_tests "make check, the real daemons, and packages" "$IB_ALL_DIR/main" check
report_tests "make check with sanitizers" "$IB_ALL_DIR/san" san-check " (sanitizers)"
echo "== builds and checkers"
for verdict in "$logs"/*.verdict; do
    name=$(basename "$verdict" .verdict)
    if [ "$(cat "$verdict")" = pass ]; then
        echo "   $name: passed"
        passed=$((passed + 1))
    else
        echo "   $name: FAILED"
        failed=$((failed + 1))
        stage_errors "$name" | note_failure "stage $name"
    fi
done
if [ $((passed + failed)) = 0 ]; then
    failed=1
    echo "   nothing ran" | tee -a "$IB_ALL_DIR/rows" "$IB_ALL_DIR/details"
fi
# Once more at the end, for those who see only that: as much as 60 lines hold.
if [ "$failed" != 0 ]; then
    echo "== what failed"
    lines=$(wc -l <"$IB_ALL_DIR/rows")
    # The end of what a row says: wanted and seen, or the last line of a traceback.
    awk -v most=3 '
        function tell(i) {
            for (i = count > most ? count - most : 0; i < count; i++) { print said[i] }
            count = 0
        }
        !/^      \| / || /^      \| (not ok|Bail out|ERROR:|XPASS:|CI:|FAILED)/ { tell(); print; next }
        { said[count++] = $0 }
        END { tell() }' "$IB_ALL_DIR/details" >"$IB_ALL_DIR/shorter"
    if [ "$(wc -l <"$IB_ALL_DIR/details")" -le 58 ]; then
        cat "$IB_ALL_DIR/details"
    elif [ "$(wc -l <"$IB_ALL_DIR/shorter")" -le 58 ]; then
        cat "$IB_ALL_DIR/shorter"
    else
        cut -c 1-240 "$IB_ALL_DIR/rows" | head -n 58
        [ "$lines" -le 58 ] || echo "   and $((lines - 58)) more; all are above"
    fi
fi
echo "$(($(date +%s) - begin)) seconds"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
