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

# dump_classes ARCHIVE COMMAND...: writes an archive of parsed classes; the command is Java
# with the list of classes, the archive's path as Java sees it, and a class path.
#
# The archive holds the classes in the order in which they were loaded, which is always the
# same, but for one: the thread of the finalizers asks for jdk.internal.misc.VM while the
# main thread is about to. So the first dump is taken whose classes one thread has loaded;
# on one processor, where a new thread does not displace the old one, that is most of them.
# Addresses are not random, and nothing is compiled beside it, since they are in it, too.
# And so are the gaps in the JVM's own records, with what their memory held before (paths,
# say, or the environment): the C library is told to overwrite what is given back.
dump_classes() {
  local archive=$1 processor prefix attempt threads
  local sealed=(env --ignore-environment PATH="$PATH" LC_ALL=C TZ=UTC
    GLIBC_TUNABLES=glibc.malloc.perturb=85:glibc.malloc.tcache_count=0)
  processor=$(taskset --cpu-list --pid $$ | sed 's/.*[^0-9]//')
  for prefix in "setarch -R" "taskset --cpu-list $processor" "chrt --batch 0"; do
    # shellcheck disable=SC2086,SC2206 # these are commands with their arguments
    if $prefix true 2>/dev/null; then
      sealed+=($prefix)
    fi
  done
  for attempt in {1..40}; do
    rm -f "$archive"
    # G1 can write the objects of the module system into it; the serial collector, with
    # which the program runs, reads them. They come to the upper end of the heap, with what
    # was left there between them: nothing, while the heap is far from its largest size.
    threads=$("${sealed[@]}" "${@:2}" -XX:+UseG1GC -Xms8m -Xmx128m -Xint -Xrs -XX:+DisableAttachMechanism \
      -Xlog:disable -Xlog:all=error:stderr -Xlog:class+load=info:stdout:tid -Xshare:dump |
      sed -n 's/^\[\([0-9]*\)\].*/\1/p' | sort --unique | wc -l)
    if [ "$threads" = 1 ]; then
      return
    fi
  done
  say "in $attempt dumps of classes another thread loaded one; another build will differ"
}
