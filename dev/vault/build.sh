#!/usr/bin/env bash
# Build a real Vault for the tests into .cache/bin, once for each go.mod and go.sum.
# Does nothing when a vault or bao of the machine's own is on PATH. Cold 5-10 min, warm 1 min.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/.cache/bin
stamp=$out/vault.digest
digest=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -d' ' -f1)

for name in vault bao; do
    found=$(command -v "$name" || true)
    if [ -n "$found" ] && [ "$found" != "$out/vault" ]; then
        echo "Tests use $found."
        exit 0
    fi
done

if [ -x "$out/vault" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ]; then
    exit 0
fi

without_go() {
    echo "No Vault for the tests: $1" >&2
    echo "Tests against a real Vault will be skipped. Install Go $wanted or later, or put vault or bao on PATH." >&2
    # In continuous integration a skipped test is a failure, so say it here already.
    [ "${CI:-}" = true ] && exit 1
    exit 0
}

wanted=$(sed -n 's/^go //p' "$here/go.mod")
command -v go >/dev/null || without_go "Go is not installed."
have=$(cd / && go env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
oldest=$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n1)
[ "$oldest" = "$wanted" ] || without_go "Go is $have, too old."

echo "Building Vault with Go $have into .cache/bin; this takes up to 10 minutes the first time."
mkdir -p "$out"
cd "$here"
# The minimal tag leaves cloud engines out; GOTOOLCHAIN=local keeps Go from fetching another Go.
CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
    go build -trimpath -tags minimal -ldflags='-s -w' -o "$out/" tool
echo "$digest" > "$stamp"
"$out/vault" version
