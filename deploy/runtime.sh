# shellcheck shell=bash
# A Java runtime with only what one program needs. To be sourced by deploy/*/build-tree.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

need_whole_jdk() {
  if [ ! -e "$1/jmods/java.base.jmod" ] || [ ! -x "$1/bin/jlink" ]; then
    say "$1 is no whole JDK: it has no bin/jlink, or no jmods. On Debian or Ubuntu:" \
      "apt-get install openjdk-17-jdk-headless"
    exit 1
  fi
}

# link_runtime JDK RUNTIME TIMESTAMP MODULES [JLINK-ARGUMENT...]
link_runtime() {
  local jdk=$1 runtime=$2 timestamp=$3 modules=$4
  "$jdk/bin/jlink" "${@:5}" --add-modules "$modules" --strip-debug --no-header-files \
    --no-man-pages --compress=2 --vm=server --output "$runtime"
  (
    cd "$runtime" || exit 1
    # Nobody builds on this runtime, and what it trusts is the cluster's CA alone.
    rm -r bin/keytool lib/jrt-fs.jar lib/jexec lib/classlist lib/libjsig.so \
      lib/server/libjsig.so lib/security/cacerts lib/security/public_suffix_list.dat conf/sdp
    # Tables of symbols are for debuggers, and a tenth of the whole.
    if command -v strip >/dev/null; then
      find . -type f \( -name '*.so' -o -path ./bin/java -o -name jspawnhelper \) \
        -exec strip --strip-unneeded {} +
    else
      say "no strip: the result gets larger. On Debian or Ubuntu: apt-get install binutils"
    fi
    # What differs between two machines with the same JDK.
    sed -i '/^SOURCE=/d' release
    # The archive of classes notes the time of this file, and refuses another.
    touch --date="$timestamp" lib/modules
  )
}
