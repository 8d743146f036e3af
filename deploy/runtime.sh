# shellcheck shell=bash
# A Java runtime with only what one program needs. To be sourced by deploy/*/build-tree.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

need_whole_jdk() {
  if [ ! -e "$1/jmods/java.base.jmod" ] || [ ! -x "$1/bin/jlink" ]; then
    say "$1 is not a complete JDK: it lacks bin/jlink or jmods. On Debian or Ubuntu:" \
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
    # Tools for building, and public CAs: the programs trust only the cluster's CA.
    rm -r bin/keytool lib/jrt-fs.jar lib/jexec lib/classlist lib/libjsig.so \
      lib/server/libjsig.so lib/security/cacerts lib/security/public_suffix_list.dat conf/sdp
    # Symbol tables are a tenth of the size, and only debuggers need them.
    if command -v strip >/dev/null; then
      find . -type f \( -name '*.so' -o -path ./bin/java -o -name jspawnhelper \) \
        -exec strip --strip-unneeded {} +
    else
      say "strip is not installed, so the result is larger. On Debian or Ubuntu: apt-get install binutils"
    fi
    # This line differs between machines with the same JDK.
    sed -i '/^SOURCE=/d' release
    # The class archive is valid only while this file has the same time stamp.
    touch --date="$timestamp" lib/modules
  )
}
