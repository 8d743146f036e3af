# shellcheck shell=bash
# A Java runtime with only what one program needs. To be sourced by deploy/*/build-tree.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# release_of JDK KEY: what the JDK says of itself, such as JAVA_VERSION.
release_of() { sed -n "s/^$2=\"\(.*\)\"\$/\1/p" "$1/release"; }

feature_of() { release_of "$1" JAVA_VERSION | cut -d. -f1; }

# The JDK's architecture, as Debian and container images call it. Not that of the machine: programs
# of another one may run in an emulator.
architecture_of() {
  case "$(release_of "$1" OS_ARCH)" in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
  esac
}

# Whether this JDK can link a runtime: from its jmods, or, from 24 on and if it was built for that,
# from its own files (JEP 493).
can_link() {
  [ -x "$1/bin/jlink" ] && [ -e "$1/release" ] && [ "$(feature_of "$1")" -ge 17 ] &&
    { [ -e "$1/jmods/java.base.jmod" ] ||
      LC_ALL=C "$1/bin/jlink" --help | grep 'Linking from run-time image enabled' >/dev/null; }
}

# release_jdk FOLDER: the JDK of a release for amd64. JAVA_HOME, if it is set; Temurin 17, if FOLDER, such
# as /usr/lib/jvm, has it, as its files need an old glibc; else that of the javac in PATH.
release_jdk() {
  local candidate
  if [ -n "${JAVA_HOME-}" ]; then
    echo "$JAVA_HOME"
    return
  fi
  for candidate in "$1"/temurin-17-jdk*; do
    if can_link "$candidate" && [ "$(architecture_of "$candidate")" = amd64 ]; then
      echo "$candidate"
      return
    fi
  done
  dirname "$(dirname "$(readlink -f "$(command -v javac)")")"
}

# floor_advice FLOORS: what to do when one of them, as in "2.34 on amd64, 2.9 on arm64", is above that of
# EL 8 and Kylin V10; nothing when none is.
floor_advice() {
  local newest
  newest=$({ echo 2.28; grep -o '2[.][0-9]*' <<<"$1"; } | sort --version-sort | tail -n 1)
  [ "$newest" = 2.28 ] ||
    echo "glibc $newest is newer than 2.28: the package does not start on EL 8, Kylin V10 and the like." \
      "Build with Temurin 17, in JAVA_HOME and in --arm64-jdk: docs/release.md"
}

# How a class archive is dumped so that the same input gives the same file: without objects of the
# heap, which hold random numbers; whatever memory the machine has; and "${in_turn[@]}".
# shellcheck disable=SC2034 # For who sources this.
dump_options=(-Xshare:dump -XX:+UseSerialGC -Xmx64m -Xlog:disable -Xlog:all=error:stderr)

# choose_tools JDK TOOLS SYSROOT: sets jdk, the JDK whose runtime is linked; tools, the JDK whose
# programs do that; strip; emulator, what comes before a program of the runtime; and in_turn, what
# comes before both when it dumps a class archive. If JDK is for another architecture than TOOLS, the
# build's own, qemu-user runs its programs, with the libraries in SYSROOT.
choose_tools() {
  # shellcheck disable=SC2034 # sysroot is for who sources this.
  jdk=$1 tools=$1 sysroot=$3 strip=strip emulator=()
  if [ -e "$1/release" ] && [ "$(architecture_of "$1")" != "$(architecture_of "$2")" ]; then
    local machine
    machine=$(release_of "$1" OS_ARCH)
    tools=$2 strip=$machine-linux-gnu-strip emulator=("qemu-$machine-static" -L "$3")
    if [ ! -e "$1/jmods/java.base.jmod" ] || [ "$(feature_of "$1")" != "$(feature_of "$2")" ]; then
      say "$1 is for $machine: its runtime can be linked here only from jmods, by a JDK of the same" \
        "version; it has $(feature_of "$1"), the build's JDK $(feature_of "$2")"
      exit 1
    fi
    for program in "$strip" "${emulator[0]}"; do
      command -v "$program" >/dev/null || {
        say "$program is not installed. On Debian or Ubuntu: apt-get install qemu-user-static" \
          "binutils-${machine//_/-}-linux-gnu"
        exit 1
      }
    done
  fi
  need_tools "$tools"
  if [ -z "$(architecture_of "$jdk")" ]; then
    say "cannot build for $(release_of "$jdk" OS_ARCH), only for amd64 and arm64"
    exit 1
  fi
  # Up to JDK 18 a class archive depends on which thread of the JVM is first, and has an address in it
  # (JDK-8253495). So all threads share a processor, none interrupts another, and addresses are not
  # random, as far as this user may ask for that.
  in_turn=(taskset --cpu-list "$(taskset --cpu-list --pid $$ | sed 's/.*: \([0-9]*\).*/\1/')")
  ! setarch --addr-no-randomize true 2>/dev/null || in_turn+=(setarch --addr-no-randomize)
  ! chrt --fifo 1 true 2>/dev/null || in_turn+=(chrt --fifo 1)
}

need_tools() {
  if ! can_link "$1"; then
    say "$1 is not a complete JDK 17 or newer: it lacks bin/jlink, or the jmods that this jlink" \
      "needs. On Debian or Ubuntu: apt-get install openjdk-17-jdk-headless. To take another one" \
      "than that of Maven: -Druntime.jdk=FOLDER"
    exit 1
  fi
  if ! command -v strip >/dev/null || ! command -v readelf >/dev/null; then
    say "strip or readelf is not installed. On Debian or Ubuntu: apt-get install binutils"
    exit 1
  fi
}

# link_runtime RUNTIME TIMESTAMP MODULES [FOLDER]: with the module in FOLDER as well.
link_runtime() {
  local runtime=$1 timestamp=$2 modules=$3 path=${4-} compress=zip-6
  [ "$(feature_of "$jdk")" -ge 21 ] || compress=2
  # By default jlink takes the modules of its own JDK.
  [ "$tools" = "$jdk" ] || path+=${path:+:}$jdk/jmods
  "$tools/bin/jlink" ${path:+--module-path "$path"} --add-modules "$modules" \
    --strip-java-debug-attributes --no-header-files --no-man-pages --compress="$compress" \
    --vm=server --output "$runtime"
  (
    cd "$runtime" || exit 1
    # Tools for building, and public CAs: the programs trust only the cluster's CA. Not every
    # version has them all.
    rm -rf bin/keytool lib/jrt-fs.jar lib/jexec lib/classlist lib/libjsig.so \
      lib/server/libjsig.so lib/security/cacerts lib/security/public_suffix_list.dat conf/sdp
    # Symbol tables are a tenth of the size, and only debuggers need them.
    find . -type f \( -name '*.so' -o -path ./bin/java -o -name jspawnhelper \) \
      -exec "$strip" --strip-unneeded {} +
    # This line differs between machines with the same JDK.
    sed -i '/^SOURCE=/d' release
    # The class archive is valid only while this file has the same time stamp.
    touch --date="$timestamp" lib/modules
  )
}

# What the programs and libraries in a folder say to the loader.
elf() { # OPTION FOLDER
  # readelf complains of each other file.
  LC_ALL=C find "$2" -type f -exec readelf "$1" {} + 2>/dev/null || true
}

# The oldest version of glibc with which the files in a folder start, such as 2.34: the newest of the
# versions whose symbols they need.
libc_floor() {
  # Relocations of a kind that came with 2.36 (DT_RELR) have a version without a number.
  elf --version-info "$1" |
    sed -n -e 's/GLIBC_ABI_DT_RELR/GLIBC_2.36/' -e 's/.*Name: GLIBC_\([0-9][0-9.]*\).*/\1/p' |
    sort --unique --version-sort | tail -n 1
}

# Debian's packages of the libraries that the files in a folder need and do not bring, but for glibc.
library_packages() {
  local library
  elf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort --unique |
    while read -r library; do
      case "$library" in
        libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | ld-linux*) ;;
        libgcc_s.so.1) echo libgcc-s1 ;;
        libstdc++.so.6) echo libstdc++6 ;;
        libz.so.1) echo zlib1g ;;
        *)
          [ -n "$(find "$1" -name "$library")" ] ||
            { say "no package is known for $library, which the runtime needs"; exit 1; }
          ;;
      esac
    done
}
