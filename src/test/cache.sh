# shellcheck shell=bash
# What is made once and kept, for all checkouts on the machine. To be sourced by src/test/*/build.

say() { printf '%s/%s: %s\n' "$(basename "$(dirname "$0")")" "$(basename "$0")" "$*" >&2; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/apiserver-updater

# cached NAME COMMAND...: prints the folder in the cache that COMMAND fills, which gets its path as one
# more argument; if the folder is not there, it is made.
cached() {
  local folder=$cache/$1 unfinished
  shift
  # The folder appears by a rename when everything is in it, so its existence is enough.
  if [ ! -d "$folder" ]; then
    mkdir -p "$cache"
    exec 9>"$folder.lock"
    # A second build of the same thing waits for the first and uses its result.
    flock 9
    if [ ! -d "$folder" ]; then
      unfinished=$(mktemp -d "$folder.XXXXXX")
      # shellcheck disable=SC2064 # The folder of now.
      trap "rm -rf --one-file-system '$unfinished'" EXIT
      say "making $folder"
      "$@" "$unfinished/made"
      chmod 755 "$unfinished/made"
      mv -T "$unfinished/made" "$folder"
    fi
  fi
  echo "$folder"
}
