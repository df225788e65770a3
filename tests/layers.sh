#!/bin/sh
# SPDX-License-Identifier: MIT
# The walls of the house: who may include whom, and where each third-party library may be seen.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$top" || exit 1
n=0

result() { # result NAME BAD-LINES
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}

# folder: what it may include besides itself
may_include() {
    case $1 in
    lib/base) echo "" ;;
    lib/sys) echo "lib/base" ;;
    lib/data) echo "lib/base lib/sys" ;;
    lib/aws) echo "lib/base lib/sys lib/data" ;;
    lib/imagebuilder) echo "lib/base lib/sys lib/data lib/aws" ;;
    lib/arazzo) echo "lib/base lib/sys lib/data" ;;
    # A judgement speaks of ranges and states; both are pure words that know nothing of a program.
    lib/watch) echo "lib/base lib/sys lib/data lib/aws lib/imagebuilder lib/arazzo lib/plugin/range.h lib/plugin/state.h" ;;
    lib/plugin) echo "lib/base lib/sys" ;;
    plugins) echo "lib/base lib/sys lib/data lib/aws lib/imagebuilder lib/arazzo lib/watch lib/plugin" ;;
    esac
}

for folder in lib/base lib/sys lib/data lib/aws lib/imagebuilder lib/arazzo lib/watch lib/plugin plugins; do
    allowed="$folder $(may_include $folder)"
    bad=$(find $folder -name '*.[ch]' -exec grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' {} + |
        while IFS= read -r line; do
            path=${line#*\"}
            path=${path%%\"*}
            ok=no
            for a in $allowed; do
                [ "${path%/*}" = "$a" ] && ok=yes
                [ "$path" = "$a" ] && ok=yes
            done
            [ $ok = yes ] || printf '%s\n' "$line"
        done)
    result "$folder includes only what stands left of it" "$bad"
done

# library's header: the one folder that may see it
third_party() { # third_party PATTERN FOLDER NAME
    bad=$(find lib plugins -name '*.[ch]' ! -path "$2/*" -exec grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$1" {} +)
    result "$3 is seen only in $2" "$bad"
}
third_party 'json(-c/|\.h)' lib/data json-c
third_party 'yaml\.h' lib/data libyaml
third_party 'libconfig' lib/data libconfig
third_party 'sqlite3' lib/data SQLite
third_party 'curl/' lib/aws libcurl
third_party 'openssl/' lib/aws OpenSSL
third_party 'expat' lib/aws expat
third_party 'pcre2' lib/arazzo PCRE2
# Public headers of a layer speak the project's own types, so no caller inherits a library.
bad=$(find lib -name '*.h' -exec grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<(json|yaml|libconfig|sqlite3|curl|openssl|expat|pcre2)' {} +)
result "no header of ours includes a third-party header" "$bad"

echo "1..$n"
