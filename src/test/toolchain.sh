# shellcheck shell=bash
# What ./check, ./try and ./bench share: finding, or installing, the tools that they need.
# To be sourced from the root of the checkout.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# Prints the head comment of the script, which lies in the root of the checkout.
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$(basename "$0")"; }

maven() { mvn --no-transfer-progress --batch-mode "$@"; }

# The major version of the javac in PATH; 0 when there is none.
java_version() {
  command -v javac >/dev/null || { echo 0; return; }
  javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p' | grep . || echo 0
}

java_home() { dirname "$(dirname "$(readlink -f "$(command -v javac)")")"; }

# What a node gets, deploy/deb/target/apiserver-bootstrap.deb and .tar.gz and the .rpm in
# deploy/rpm/target, and the updater's image as the manifests name it,
# deploy/image/target/jib-image.tar. Arguments are Maven's.
build_packages() {
  local image
  image=$(sed -n 's/^ *image: //p' deploy/kustomize/base/deployment.yaml)
  maven --quiet -Dquick -DskipTests -Dnode-package -Drpm -Dimage="$image" \
    --projects deploy/deb,deploy/rpm,deploy/image --also-make package "$@"
}

# Unpacks the release archive. The updaters of the lab do not run as root: they must be able
# to read it, and cannot add the archive of classes that the first start makes.
unpack_release() {
  mkdir -p "$1"
  tar -xzf updater/target/apiserver-updater-*.tar.gz -C "$1" --strip-components=1
  chmod 755 "$1"
  "$1/bin/updater" --version >/dev/null
}

# Makes a release of Kubernetes, such as 1.36 or 1.36.3, the one that src/test/kube/build builds and
# all tests use. Fails if there is no such release, and says which there are.
use_kubernetes() {
  LAB_KUBERNETES=$(src/test/kube/version "$1") || return
  export LAB_KUBERNETES
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Of a package that brings a service only the programs are needed: none is started, now or at the
# next boot.
install_packages() {
  say "installing: $*"
  (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    wanted=/etc/systemd/system/multi-user.target.wants
    before=" $(ls "$wanted" 2>/dev/null | tr '\n' ' ')"
    apt-get -qq update >/dev/null
    apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
    for unit in "$wanted"/*; do
      case "$before" in
        *" ${unit##*/} "*) ;;
        *) rm -f "$unit" ;;
      esac
    done
  )
}

# Makes sure that Maven and a JDK 17 or newer are there: installs them on Debian and Ubuntu as root,
# and otherwise says what to install.
need_java() {
  local packages=()
  command -v mvn >/dev/null || packages+=(maven)
  [ "$(java_version)" -ge 17 ] || packages+=(openjdk-17-jdk-headless)
  [ ${#packages[@]} -gt 0 ] || return 0
  if can_install; then
    # Without the certificates Maven cannot verify whom it downloads from.
    install_packages "${packages[@]}" ca-certificates
  else
    say "not installed: ${packages[*]}. Install Maven 3.8.6 or newer and a JDK 17 or newer;" \
      "on Debian or Ubuntu: sudo apt-get install maven openjdk-17-jdk-headless"
    exit 1
  fi
}

# Sets $why to the reason why the real tier cannot run on this machine; empty when it can. Programs
# that are missing are installed on Debian and Ubuntu as root. Arguments: PROGRAM:PACKAGE pairs that
# are needed as well.
prepare_real() {
  local pair packages=()
  why=$(machine_lacks)
  [ -z "$why" ] || return 0
  for pair in nft:nftables iptables:iptables conntrack:conntrack ip:iproute2 debootstrap:debootstrap \
    mke2fs:e2fsprogs strip:binutils systemd-nspawn:systemd-container journalctl:systemd "$@"; do
    command -v "${pair%:*}" >/dev/null || [ -x "/usr/sbin/${pair%:*}" ] || packages+=("${pair#*:}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if can_install; then
    install_packages "${packages[@]}"
  else
    why="not installed: ${packages[*]}; on Debian or Ubuntu: sudo apt-get install ${packages[*]}"
  fi
}

# What the real tier needs and no package provides; empty when the machine has it all.
machine_lacks() {
  [ "$(uname -s)" = Linux ] || { echo "it needs Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "it needs root, for network namespaces"; return; }
  local wanted found
  wanted=$(sed -n 's/^go //p' src/test/kube/go.mod)
  found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//') || found=
  [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort --version-sort | tail -n 1)" = "${found:-0}" ] || {
    echo "it needs Go $wanted or newer, to build Kubernetes; found ${found:-none}"
    return
  }
  # shellcheck source=deploy/runtime.sh
  (. deploy/runtime.sh && can_link "$(java_home)") || {
    echo "the node package needs a complete JDK; $(java_home) lacks jlink, or the jmods for it"
    return
  }
  [ -e /dev/loop-control ] && [ -e /dev/kmsg ] || {
    echo "nodes that boot need loop devices and /dev/kmsg, which this machine (a container?) lacks"
    return
  }
  unshare --net --mount --pid --fork true 2>/dev/null ||
    echo "root may not create namespaces on this machine (a container?)"
}
