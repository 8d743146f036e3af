# shellcheck shell=bash
# Programs built from Go modules. To be sourced by src/test/*/build, in the folder with the go.mod.
# shellcheck source=src/test/cache.sh
. "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

# Nothing here changes go.mod or go.sum, links a C library, or fetches another Go behind the caller's
# back.
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly

# need_go: fails, and says what to install, if Go is older than go.mod asks for.
need_go() {
  local wanted found
  wanted=$(sed -n 's/^go //p' go.mod)
  found=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || found=
  [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort --version-sort | head -n 1)" = "$wanted" ] || {
    say "needs Go $wanted or newer (https://go.dev/dl/), found ${found:-none}"
    exit 1
  }
}

# version_of MODULE: the release of it in go.mod, without the v.
version_of() { sed -n "s|^\(require\)\?[[:space:]]*$1 v\([0-9.]*\).*|\2|p" go.mod; }

# hash_of FILE...: stands for their content in a folder's name.
hash_of() { sha256sum "$@" | sha256sum | cut -c1-16; }

# build PROGRAM PACKAGE [ARGUMENT...]: builds it into the file PROGRAM, with these arguments of go build.
build() { go build -trimpath -o "$1" "${@:3}" "$2"; }
