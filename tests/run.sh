#!/usr/bin/env bash
# Runs every test, on memory and on real servers of Redis, Postgres and MariaDB, and with a browser.
# Installs the servers that are missing, and the browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '\ntests/run.sh: %s\n' "$*" >&2; exit 1; }
run() { say "$*"; "$@"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then run "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then run sudo -n "$@"
    else fail "a server is missing and only root can install it; run: sudo $*"
    fi
}

# Prints the path of a server's program. Postgres and MariaDB keep theirs off the PATH.
program() {
    local folder
    command -v "$1" && return
    for folder in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin \
        /usr/sbin /usr/local/sbin /opt/homebrew/opt/{mariadb,postgresql@*}/bin \
        /usr/local/opt/{mariadb,postgresql@*}/bin; do
        if [ -x "$folder/$1" ]; then printf '%s\n' "$folder/$1"; return; fi
    done
    return 1
}

# Prints the path of a browser: the one that CHROMIUM names, or one that is installed.
browser() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome \
        "/Applications/Chromium.app/Contents/MacOS/Chromium" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        if [ -n "$name" ] && command -v "$name"; then return; fi
    done
    return 1
}

# Usage: install PROGRAM APT_PACKAGE BREW_PACKAGE [BREW_OPTION]. A server that apt starts as a service does not
# matter: the tests start their own, on free ports.
install() {
    say "$1 is missing; installing it"
    if command -v apt-get >/dev/null; then
        as_root apt-get update
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install --yes --no-install-recommends "$2"
    elif command -v brew >/dev/null; then
        run brew install ${4:+"$4"} "$3"
    else
        fail "$1 is missing; install it, so that it is on the PATH"
    fi
    case "$1" in
        chromium) browser ;;
        *) program "$1" ;;
    esac >/dev/null || fail "$1 was installed and is not on the PATH"
}

# Starts a server on a free port, in a directory of its own, and sets redis_pid and redis_port.
redis_dir=""
redis_pid=""
redis_port=""
start_redis() {
    redis_dir="$(mktemp -d)"
    local attempt
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        redis_port=$((20000 + RANDOM % 30000))
        local log="$redis_dir/$attempt.log"
        redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$redis_dir" \
            --save '' --appendonly no --daemonize no >"$log" 2>&1 &
        redis_pid=$!
        # It ends at once if the port is taken; the next attempt takes another one.
        while kill -0 "$redis_pid" 2>/dev/null; do
            if grep -q 'eady to accept connections' "$log"; then return; fi
            sleep 0.1
        done
        wait "$redis_pid" 2>/dev/null || true
    done
    cat "$redis_dir"/*.log >&2
    fail "redis-server did not start"
}

stop_redis() {
    if [ -n "$redis_pid" ]; then
        kill "$redis_pid" 2>/dev/null || true
        wait "$redis_pid" 2>/dev/null || true
        redis_pid=""
    fi
    if [ -n "$redis_dir" ]; then rm -rf "$redis_dir"; fi
}
trap stop_redis EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# One command to the server, over bash's own TCP, as redis-cli may not be there.
redis_says() {
    local reply
    exec 3<>"/dev/tcp/127.0.0.1/$redis_port"
    printf '%s\r\n' "$*" >&3
    IFS= read -r -t 10 reply <&3
    exec 3>&-
    printf '%s' "${reply%$'\r'}"
}

command -v cargo >/dev/null || fail "cargo is missing; install Rust with rustup (https://rustup.rs)"
command -v redis-server >/dev/null || install redis-server redis-server redis
program initdb >/dev/null || install initdb postgresql postgresql
program mariadbd >/dev/null || install mariadbd mariadb-server mariadb
browser >/dev/null || install chromium chromium chromium --cask
run cargo --version
run redis-server --version
run "$(program initdb)" --version
run "$(program mariadbd)" --version
run "$(browser)" --version

# What the caller's environment says of caches is not what is tested here.
for name in $(compgen -e); do
    case "$name" in
        CACHE_TESTS) ;; # a checkout of the public test suite of HTTP caches
        REDIS_URL | CACHE_*) unset "$name" ;;
    esac
done

# The value of our profile, for the programs of tests/ui too: they are a workspace of their own, and with all
# debug information they take 12 GB.
run env CARGO_PROFILE_DEV_DEBUG=line-tables-only cargo test --workspace
run cargo test -p cache-cli --lib --features top
run cargo test -p cache-runtime --lib --no-default-features
run cargo test -p cache-runtime --lib --no-default-features --features macros,redis,postcard
# Each compression without the other; without either it is the line before these, and with both the next.
run cargo test -p cache-runtime --lib --no-default-features --features redis,lz4 entry
run cargo check -p cache-runtime --no-default-features --features redis,zstd
run cargo test -p cache-runtime --all-features
# Flights, the memory store and the near cache in thousands of orders of what threads and tasks do. A folder of its
# own, since the flags are other ones: in the common folder all would be compiled anew each time.
run env RUSTFLAGS="--cfg shuttle" cargo test -p cache-runtime --lib --no-default-features --features redis \
    --target-dir target/shuttle explored

# Programs on other frameworks: a workspace of its own, so that the frameworks stay out of our lock file.
frameworks() {
    local minutes=40 status=0
    local limit=()
    if command -v timeout >/dev/null; then limit=(timeout "$((minutes * 60))"); fi
    run ${limit[@]+"${limit[@]}"} "$@" cargo test --workspace --manifest-path examples/frameworks/Cargo.toml || status=$?
    case "$status" in
        0) ;;
        124) fail "examples/frameworks was not built and tested within $minutes minutes" ;;
        *) fail "a test of examples/frameworks failed, see above" ;;
    esac
}
say "examples/frameworks: building poem, rocket, juniper, SeaORM and Diesel takes minutes, once"
frameworks

# The dashboard in a real browser: a workspace of its own, so that the driver stays out of our lock file. Two at a
# time, since each test starts a browser.
run cargo test --manifest-path tests/browser/Cargo.toml -- --test-threads 2

run cargo run -p quickpost -- --demo
run cargo run -p graphql-example -- --demo
start_redis
frameworks env "REDIS_URL=redis://127.0.0.1:$redis_port"
run env "REDIS_URL=redis://127.0.0.1:$redis_port" cargo run -p quickpost -- --demo
# The demo reads the topics last: they are in Redis, under the documented key, or it ran without Redis.
[ "$(redis_says EXISTS quickpost:topics)" = ":1" ] || fail "the demo left nothing in Redis"
run env "REDIS_URL=redis://127.0.0.1:$redis_port" cargo run -p graphql-example -- --demo
[ "$(redis_says EXISTS errands:banks_list:NG)" = ":1" ] || fail "the demo of GraphQL left nothing in Redis"

say "all tests passed"
