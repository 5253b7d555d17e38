# Sourced by ./quern (a checkout) and bin/quern (an unpacked distribution), which know where things lie:
#   launcher   the script that the user started
#   home       the folder of it all; `find_jdk` (jdk.sh) is there already
#   parts      the folder of this file
#   out        the folder with lib, conformance, serve and charts, each a module path, and the providers' options
#   first      not empty: this start may store a class archive, if none was tried since the JARs came
# They call `prepare`, see to it that the JARs are there, and end with `launch "$@"`. Written for any POSIX
# sh under `set -eu`; no word of it may depend on HOME, CDPATH, the locale, or a writable temporary folder.
: "${launcher:?}" "${home:?}" "${out:?}" "${parts:?}"
# shellcheck source=launcher/providers.sh
. "$parts/providers.sh"
# shellcheck source=launcher/alone.sh
. "$parts/alone.sh"
first=
more=         # of the JVM's words, for JARs beside those of every start
trainer=warm  # the command whose classes an archive has
main=dev.quern.cli/dev.quern.cli.Main

say() { printf 'quern: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# What has to be right before anything is built or started.
prepare() {
  open_descriptors
  case $home in
    *:*) die "$home: a folder with a colon in its path can't be a Java module path; rename it, or start a link to it: ln -s '$home' /tmp/quern" ;;
  esac
  [ -z "${QUERN_PROVIDERS:-}" ] ||
    die "QUERN_PROVIDERS is called QUERN_PROVIDER_PATH now: set QUERN_PROVIDER_PATH='$QUERN_PROVIDERS' instead"
  providers=
  [ -z "${QUERN_PROVIDER_PATH:-}" ] || providers=$(provider_path) || exit 1
}

# A closed descriptor would be given to the next file that the JVM opens, which would then be read as the
# user's input, or be written to. Standard input is at its end instead; writing to standard output fails
# (it is open for reading), as it should; what goes to stderr is lost, as it was.
open_descriptors() {
  { true 3<&0; } 2>/dev/null || exec </dev/null
  { true 3>&1; } 2>/dev/null || exec 1</dev/null
  true 3>&2 || exec 2>/dev/null
}

# The JVM decodes arguments and file names by the locale. Where that is C or POSIX, because nothing is set
# (cron, systemd, containers) or because what is set is not installed, it would decode ASCII and no more: the
# rest of a prompt would be lost. So it gets a UTF-8 locale there, and no other part of the locale changes. A
# real 8-bit locale stays.
use_utf8() {
  # `locale` complains on stderr where setlocale(LC_ALL, "") fails, as it then will in the JVM.
  charmap=$(locale charmap 2>&1) || charmap=none
  case $charmap in
    UTF-8) return ;;
    ANSI_X3.4-1968 | US-ASCII | 646 | C | POSIX) ;;
    *[!A-Za-z0-9_.:-]*) LC_ALL=C ;; # words and not a name: the JVM's locale would be C in all its parts
    none) case ${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} in C | POSIX) ;; *) return ;; esac ;; # musl has no `locale`
    *) return ;;
  esac
  for utf8 in C.UTF-8 en_US.UTF-8 any; do
    [ "$utf8" != any ] || utf8=$(locale -a 2>/dev/null | grep -i 'utf-*8$' | head -n 1)
    [ "$charmap" = none ] || [ "$(LC_ALL=$utf8 locale charmap 2>&1)" = UTF-8 ] || continue
    if [ "${LC_ALL:-}" ]; then # it would win over LC_CTYPE
      for name in $(env | sed -n 's/^\(LC_[A-Z]*\)=.*/\1/p') LC_ALL; do
        unset "$name"
      done
      export LANG=C
    fi
    export LC_CTYPE="$utf8"
    return
  done
}

# Sets `jvm` to the options of every JVM: ours and our providers', without the flags that the user set, then
# QUERN_JAVA_OPTS.
# JAVA_TOOL_OPTIONS and JDK_JAVA_OPTIONS reach the JVM by themselves, but ours would win over them, and two
# collectors stop it.
jvm_options() {
  theirs=
  own_collector=
  for word in ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-} ${_JAVA_OPTIONS:-} ${QUERN_JAVA_OPTS:-}; do
    word=${word#[\"\']}
    case $word in
      @*) note_options "" "${word#@}" ;;
      -XX:VMOptionsFile=*) note_options "" "${word#*=}" ;;
      -XX:Flags=*) note_options -XX: "${word#*=}" ;;
      *) note_option "$word" ;;
    esac
  done
  jvm=
  set +f
  for file in "$parts/jvm.options" "$out/options"/*.options; do
    [ ! -e "$file" ] || add_options "$file"
  done
  set -f
  # Small machines get a second C2 thread, which larger ones have.
  if [ "$(getconf _NPROCESSORS_ONLN)" -lt 4 ] && ! is_theirs -XX:CICompilerCount; then
    jvm="$jvm -XX:CICompilerCount=3"
  fi
  jvm="$jvm ${QUERN_JAVA_OPTS:-}"
}

add_options() { # FILE
  while IFS= read -r option || [ "$option" ]; do
    case $option in
      '' | '#'*) continue ;;
      -XX:+Use*GC) [ -z "$own_collector" ] || continue ;;
      -XX:CompileCommand=*) ;; # they add up
      -XX:*=*) is_theirs "${option%%=*}" && continue ;;
    esac
    jvm="$jvm $option"
  done <"$1"
}

note_options() { # PREFIX FILE; a file that can't be read is the JVM's to complain about
  # shellcheck disable=SC2013 # words and not lines
  for word in $(cat "$2" 2>/dev/null); do
    note_option "$1${word#[\"\']}"
  done
}

note_option() {
  case ${1%[\"\']} in
    -XX:[+-]Use*GC) own_collector=yes ;;
    -XX:*=*) theirs="$theirs ${1%%=*} " ;;
    -Djava.io.tmpdir=*) theirs="$theirs ${1%%=*} " ;;
    -Xshare:*) theirs="$theirs -XX:SharedArchiveFile " ;;
  esac
}

is_theirs() {
  case $theirs in
    *" $1 "*) ;;
    *) return 1 ;;
  esac
}

# The JVM itself looks at no TMPDIR, and for no other folder where /tmp is read-only. Sets temp to what it
# shall use instead of its own choice.
temp_folder() {
  temp=
  ! is_theirs -Djava.io.tmpdir || return 0
  for folder in "${TMPDIR:-}" /tmp /var/tmp "${XDG_RUNTIME_DIR:-}"; do
    if [ -d "$folder" ] && [ -w "$folder" ]; then
      [ "$folder" = /tmp ] || temp=$folder
      return
    fi
  done
}

# Where the class archive lies (CDS, JEP 350): with the product, or in the user's cache where someone else
# installed it; nowhere where there is no such folder, or the user's options use an archive of their own.
archive_folder() {
  archive=
  no_archive="the JVM's options name an archive of their own, or there is no folder for it (set HOME or XDG_CACHE_HOME)"
  if link=$(linked_jar); then
    no_archive="$link is a link; put the file itself in its place"
    return 0
  fi
  for flag in AOTCache AOTMode AOTConfiguration AOTCacheOutput SharedArchiveFile ArchiveClassesAtExit; do
    ! is_theirs "-XX:$flag" || return 0
  done
  if [ -w "$out" ]; then
    archive=$out/classes
  else
    case ${XDG_CACHE_HOME:-} in # the rules of XDG: what is not absolute is ignored
      /*) archive=$XDG_CACHE_HOME/quern/classes ;;
      *) [ -z "${HOME:-}" ] || archive=$HOME/.cache/quern/classes ;;
    esac
  fi
}

# The JVM keeps an archived class's JAR by the path that no link is part of, and a module's by the path that it
# was given. Where these differ, it refuses classes of an archive whose package has others already ("sealing
# violation", JDK 25). So paths are given without links, and with a JAR that is one there is no archive.
physical() { # PATH
  (
    CDPATH=''
    if [ -d "$1" ]; then
      cd -P -- "$1" && pwd -P
    else
      cd -P -- "$(dirname -- "$1")" && printf '%s/%s' "$(pwd -P)" "$(basename -- "$1")"
    fi
  ) 2>/dev/null || printf '%s' "$1"
}

# Prints a JAR of `modules` that is a link, if there is one.
linked_jar() (
  IFS=:
  for entry in $modules; do
    set +f
    for jar in "$entry" "$entry"/*.jar; do
      [ ! -L "$jar" ] || {
        printf '%s' "$jar"
        exit 0
      }
    done
    set -f
  done
  exit 1
)

# What a class archive belongs to: these JARs and providers on this JDK with these options. The JVM looks
# at most of it too, but would report a misfit at every start.
archive_key() {
  printf '%s\n' "$JAVA_HOME" "$modules" "$jvm" "${JDK_JAVA_OPTIONS:-}" "${JAVA_TOOL_OPTIONS:-}" \
    "${_JAVA_OPTIONS:-}" "${CLASSPATH:-}"
  (
    IFS=:
    # shellcheck disable=SC2086 # a path is split at its colons on purpose
    TZ=UTC0 LC_ALL=C ls -lLn "$JAVA_HOME/release" "$JAVA_HOME/lib/modules" $modules 2>&1
  ) || true # what is absent is part of the key; the JVM reports it
}

# lock FILE MESSAGE: waits for a lock, which `unlock` or the end of this process and its children lets go.
# macOS has no flock(1), but Perl has it.
lock() {
  exec 9>"$1"
  flock_9 -n || {
    say "$2"
    flock_9
  }
}

flock_9() {
  if command -v flock >/dev/null 2>&1; then
    flock "$@" 9
  elif command -v perl >/dev/null 2>&1; then
    perl -e 'use Fcntl ":flock"; open(F, ">&=", 9) && flock(F, LOCK_EX | (@ARGV ? LOCK_NB : 0)) or exit 1' -- "$@"
  fi # else nobody waits: two at once are rare
}

unlock() { exec 9>&-; }

# Puts a JVM in this process's place.
start() {
  # shellcheck disable=SC2086 # options are split on purpose
  exec "$java" $jvm ${temp:+"-Djava.io.tmpdir=$temp"} "$@"
}

# Stores a class archive of a training run; the arguments are the JVM's, up to the main module. The old
# archive's key goes first and the new one's comes last: whoever is interrupted leaves none that looks
# valid, and no log. One at a time: an archive of one process must not get another's key.
make_archive() {
  mkdir -p "$archive" && [ -w "$archive" ] || return 1
  lock "$archive/lock" "waiting for another quern, which stores a class archive in $archive ..."
  if [ "$first" ] && archive_fits; then # the other one has done it
    unlock
    return 0
  fi
  rm -f "$archive/key" "$archive/log"
  rm_new '*' # whose maker was killed
  new=$archive/new.$$
  made=1
  # shellcheck disable=SC2086 # words are split on purpose
  if (start -XX:ArchiveClassesAtExit="$new.jsa" -p "$modules" $more "$@" $trainer) >"$new.log" 2>&1 </dev/null &&
    [ -s "$new.jsa" ] && mv -f "$new.jsa" "$archive/classes.jsa" && archive_key >"$new.key" &&
    mv -f "$new.key" "$archive/key"; then
    made=0
  fi
  mv -f "$new.log" "$archive/log"
  rm_new $$
  unlock
  return $made
}

rm_new() { find "$archive" -name "new.$1.*" -exec rm -f {} +; }

archive_fits() {
  [ "$archive" ] && [ -s "$archive/classes.jsa" ] && [ -r "$archive/key" ] &&
    [ "$(archive_key)" = "$(cat "$archive/key")" ]
}

# What went wrong, on one line: the JVM's errors without its hundreds of warnings, else its last words.
archive_error() {
  if [ ! -s "$archive/log" ]; then
    printf 'it can'"'"'t be written to'
    return
  fi
  errors=$(sed -n -e 's/^\[[^]]*\]\[error *\]\[[^]]*\] *//p' -e 's/^quern: //p' "$archive/log" | head -n 2 | tr '\n' ' ')
  [ "$errors" ] || errors="$(tail -n 1 "$archive/log") "
  printf '%s(all of it: %s)' "$errors" "$archive/log"
}

# `quern warm`; the arguments are the JVM's, up to the main module.
warm() {
  [ "$archive" ] || die "warm: no class archive: $no_archive"
  say "storing a class archive for faster starts ..."
  make_archive "$@" || die "warm: no class archive could be stored in $archive: $(archive_error)"
  say "wrote $archive/classes.jsa"
  stand_alone run # most starts are such
  [ -z "$alone" ] || make_archive "$@" || say "warning: no class archive in $archive: $(archive_error)"
  with_server
  [ -z "$archive" ] || make_archive "$@" || say "warning: no class archive in $archive: $(archive_error)"
}

# A start of `quern serve`: its JARs lie beside the others, and it has an archive of its own.
with_server() {
  modules=$modules:$(physical "$out/serve")
  more="--add-modules dev.quern.serve"
  trainer="serve --training"
  ! linked_jar >/dev/null || archive=
  [ -z "$archive" ] || archive=$archive-serve
}

# launch WORD...: starts the JVM in this process's place. Leading -Dname=value words are the JVM's; the
# command and every word behind it are Quern's, untouched: a prompt may begin with -D.
launch() {
  if [ -x "$home/runtime/bin/java" ]; then # an archive with a runtime is tested with that one, and runs on it
    JAVA_HOME=$home/runtime
  else
    JAVA_HOME=$(find_jdk 25 java) || exit 1
  fi
  set -f # options hold stars, and are split where they are used
  java=$JAVA_HOME/bin/java
  lib=$(physical "$out/lib")
  modules=$lib${providers:+:$providers}
  use_utf8
  jvm_options
  temp_folder
  archive_folder
  try_providers

  # -D words go behind the others for a moment, so that $1 is the command.
  properties=0
  for word in "$@"; do
    case $word in
      -D?*) properties=$((properties + 1)) ;;
      *) break ;;
    esac
  done
  words=$(($# - properties))
  stand_alone "$@"
  i=0
  while [ "$i" -lt "$properties" ]; do
    set -- "$@" "$1"
    shift
    i=$((i + 1))
  done
  command=
  [ "$words" -eq 0 ] || command=$1
  charts=
  case "$command $* " in
    "bench "*" --html"[\ =]* | "bench "*" --svg"[\ =]*) charts=yes ;;
  esac
  warm= # `quern warm --help` and its like are for the command itself
  case "$command $words ${2:-}" in
    "warm 1 "*) warm=selfcheck ;;
    "warm 2 --no-selfcheck") warm=only ;;
  esac
  [ -z "$warm" ] || {
    shift "$words"
    words=0
  }
  set -- "$@" -m "$main"
  i=0
  while [ "$i" -lt "$words" ]; do
    set -- "$@" "$1"
    shift
    i=$((i + 1))
  done

  # JUnit and jqwik come with the suite, and other commands would only start slower for them. The
  # suite's guard pages come from mmap.
  suite="--add-modules dev.quern.conformance --enable-native-access=dev.quern.conformance"

  # shellcheck disable=SC2086 # options are split on purpose
  case $warm$command in
    onlywarm)
      warm "$@"
      exit
      ;;
    selfcheckwarm)
      (start -p "$modules:$out/conformance" $suite "$@" selfcheck) || exit
      warm "$@"
      exit
      ;;
    serve) with_server ;;
    conformance | selfcheck) start -p "$modules:$out/conformance" $suite "$@" ;;
    bench)
      export QUERN_LAUNCHER="$launcher" # its --protocol starts each run with it
      # Charts come with JFreeChart and java.desktop, which cost start-up time as the suite does.
      [ -z "$charts" ] || start -p "$modules:$out/charts" \
        --add-modules java.desktop,org.jfree.jfreechart,VectorGraphics2D -Djava.awt.headless=true "$@"
      ;;
  esac

  # None has been tried since the build, be it ours or another one that left newer JARs.
  if [ "$first" ] && [ "$archive" ] && [ -n "$(find "$out/lib" "$out/serve" -prune -newer "$archive/log" 2>&1)" ]; then
    say "storing a class archive for faster starts (a few seconds) ..."
    make_archive -m "$main" || say "warning: no class archive, so starts are slower: $(archive_error)"
  fi
  # shellcheck disable=SC2086 # words are split on purpose
  set -- -p "$modules" $more "$@"
  if archive_fits; then
    # A damaged file must cost the archive and not the start, so the JVM verifies the checksums (20 ms).
    set -- -XX:SharedArchiveFile="$archive/classes.jsa" -XX:+VerifySharedSpaces '-Xlog:cds*=off' '-Xlog:aot*=off' "$@"
  fi
  start "$@"
}
