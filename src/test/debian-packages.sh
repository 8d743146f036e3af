# shellcheck shell=bash
# Debian packages of another architecture or release than the machine's, unpacked and not installed.
# To be sourced by src/test/*/build.

# shellcheck source=src/test/cache.sh
. "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

# mirror RELEASE: where Debian's packages of that release are. Releases at the end of their life move.
mirror() {
  if [ "$1" = bullseye ] && [ -n "${DEBIAN11_MIRROR-}" ]; then
    echo "$DEBIAN11_MIRROR"
  else
    sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(PATH=$PATH:/usr/sbin command -v debootstrap)"
  fi
}

# unpack ROOT ARCHITECTURE RELEASE PACKAGE...: puts what these packages contain into ROOT, as on a
# machine that has them. If RELEASE is empty, they are from where the machine has its own. Fails, and
# leaves the reason in ROOT.log, if they cannot be had.
unpack() {
  # Lists of its own, so that the machine's apt does not come to know what it cannot install.
  local root=$1 architecture=$2 release=$3 apt=$1.apt status=0 package link target
  shift 3
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
  touch "$apt/status"
  cat >"$apt/apt.conf" <<END
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
END
  if [ -n "$release" ]; then
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror "$release") $release main" \
      >"$apt/sources.list"
    cat >>"$apt/apt.conf" <<END
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "-";
END
  fi
  (
    cd "$apt/archives" &&
      apt-get --config-file "$apt/apt.conf" -qq update &&
      apt-get --config-file "$apt/apt.conf" -qq download "$@" &&
      for package in *.deb; do dpkg-deb --extract "$package" "$root" || exit 1; done
  ) >"$root.log" 2>&1 || status=1
  rm -rf "$apt"
  [ $status = 0 ] || return 1
  # Links such as a JDK's into /etc would lead to the machine's files.
  find "$root" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link target; do
    ln --symbolic --force --relative --no-dereference "$root$target" "$link"
  done
}
