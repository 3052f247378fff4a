#!/usr/bin/env bash
# Counts the instructions of hits and misses of each kind, and compares them with what is recorded: figures that no noise of
# the machine moves. `--record` writes them anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly recorded=tests/instructions/recorded.txt
readonly kinds="memory-sync memory-async memory-value memory-three memory-hashed memory-none memory-stale near-sync near-async near-value miss-roomy miss-full http-bare http-hit http-304 http-bypass"
# Number of calls; then twice as many: the difference has nothing of what is done once.
readonly times=1000
# Percent by which a kind may grow.
readonly room=5

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '\ntests/instructions/run.sh: %s\n' "$*" >&2; exit 1; }

record=no
case "${1:-}" in
    "") ;;
    --record) record=yes ;;
    *) fail "the one option is --record" ;;
esac

if [ "$(uname -s)" = Darwin ]; then
    say "NOT CHECKED: the instructions of a call. They are counted by valgrind, which there isn't for macOS"
    exit 0
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
    else fail "$1 has to be run by root; run: sudo $*"
    fi
}

# needs <program> <package>
needs() {
    if command -v "$1" >/dev/null; then return; fi
    say "$1 is missing; installing it"
    command -v apt-get >/dev/null || fail "$1 is missing; install it, so that it is on the PATH"
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$2"
    command -v "$1" >/dev/null || fail "$1 was installed and is not on the PATH"
}
needs cargo rustc
needs valgrind valgrind
needs redis-server redis-server

folder="$(mktemp -d)"
redis_pid=""
clean() {
    if [ -n "$redis_pid" ]; then
        kill "$redis_pid" 2>/dev/null || true
        wait "$redis_pid" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# On a free port: it ends at once where the port is taken, and the next attempt takes another.
start_redis() {
    local attempt port log
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 30000))
        log="$folder/redis.$attempt"
        redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --save '' --appendonly no --daemonize no \
            >"$log" 2>&1 &
        redis_pid=$!
        while kill -0 "$redis_pid" 2>/dev/null; do
            if grep -q 'eady to accept connections' "$log"; then
                export REDIS_URL="redis://127.0.0.1:$port"
                return
            fi
            sleep 0.1
        done
        wait "$redis_pid" 2>/dev/null || true
    done
    cat "$folder"/redis.* >&2
    fail "redis-server did not start"
}

# What the caller's environment says of caches is not what is counted here.
for name in $(compgen -e); do
    case "$name" in REDIS_URL | CACHE_*) unset "$name" ;; esac
done
# A profile or flags of the caller's would make another program.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS
say "cargo build --release -p instructions"
cargo build --release -p instructions
program="$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/instructions"
[ -x "$program" ] || fail "there is no $program, which cargo has built"
start_redis

# Only what is done within `counted` is: neither other threads nor the start count.
instructions() {
    local log="$folder/callgrind"
    valgrind --tool=callgrind --toggle-collect='*counted*' --callgrind-out-file=/dev/null "$program" "$1" "$2" \
        >"$log" 2>&1 </dev/null || { cat "$log" >&2; fail "$1 failed"; }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log"
}

# Prints the instructions of one call of a kind.
per_call() {
    local few many
    few="$(instructions "$1" "$times")"
    many="$(instructions "$1" $((2 * times)))"
    [ "${few:-0}" -gt 0 ] && [ "${many:-0}" -gt "$few" ] || fail "$1: nothing was counted"
    echo $(((many - few) / times))
}

# Usage: has_grown NOW BEFORE
has_grown() { [ $(($1 * 100)) -gt $(($2 * (100 + room))) ]; }

compiler="$(rustc --version) for $(uname -m)"
{
    echo "# Instructions of one call, counted by callgrind. Written by tests/instructions/run.sh --record."
    echo "# $compiler"
    for kind in $kinds; do
        now="$(per_call "$kind")" || exit 1
        echo "$kind $now"
    done
} >"$folder/now" || exit 1

if [ "$record" = yes ]; then
    cp "$folder/now" "$recorded"
    say "recorded"
    cat "$recorded"
    exit 0
fi

then_compiler="$(sed -n '2s/^# //p' "$recorded")"
if [ "${then_compiler##* }" != "${compiler##* }" ]; then
    say "NOT CHECKED: the instructions of a call. They were recorded by $then_compiler, and this is $compiler"
    cat "$folder/now"
    exit 0
fi
note=""
if [ "$then_compiler" != "$compiler" ]; then
    note=" (recorded by $then_compiler, counted by $compiler: another compiler makes other code; if that is all, --record)"
fi
say "instructions of a call: now, and recorded$note"
grown=""
while read -r kind now; do
    before="$(sed -n "s/^$kind //p" "$recorded")"
    [ -n "$before" ] || fail "$kind isn't recorded; run tests/instructions/run.sh --record$note"
    # The seeds of the hashes are random, and one call that has to ask Redis counts for a hundred hits: of
    # three counts, the least is taken.
    for _ in 1 2; do
        if has_grown "$now" "$before"; then
            again="$(per_call "$kind")"
            if [ "$again" -lt "$now" ]; then now="$again"; fi
        fi
    done
    printf '%-16s %6d %6s\n' "$kind" "$now" "$before"
    if has_grown "$now" "$before"; then grown="$grown $kind"; fi
done < <(grep -v '^#' "$folder/now")
[ -z "$grown" ] || fail "more than $room % more instructions than recorded:$grown$note. \
Find what costs them, or, if they are worth it, run tests/instructions/run.sh --record and say why in the commit"
say "no kind of call has grown by more than $room %"
