# shellcheck shell=sh disable=SC2154 # variables are launch.sh's
# Sourced by launch.sh: a start that leaves out JARs which nothing will need. One of them brings an incubator
# module, of which the JVM warns at every start that resolves it, before `--help` even; nothing silences that.
# Providers' options say, on lines that are comments to others:
#   #:alone NAME FLAG...   where /proc/cpuinfo has all of these, the provider NAME runs nearly every model alone
#   #:spare JAR            what need not be there then; a pattern
# `nearly`: the command line is told (quern.alone), asks that provider and no other, and where it declines
# starts this launcher again with all of them (Restart.java). So a wrong guess costs time and changes nothing.

# may_be_alone WORD...: whether nobody asks for more than what the automatic choice comes to.
may_be_alone() {
  [ -z "$providers${QUERN_ALL_PROVIDERS:-}${QUERN_PROVIDER:-}${QUERN_NUMERICS:-}${QUERN_CPU_MASK:-}" ] || return 1
  [ -z "${QUERN_PROVIDER_LINEAR:-}${QUERN_PROVIDER_ATTENTION:-}${QUERN_PROVIDER_RMSNORM:-}" ] || return 1
  [ -z "${QUERN_PROVIDER_ROPE:-}${QUERN_PROVIDER_SWIGLU:-}" ] || return 1
  case " ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-} ${_JAVA_OPTIONS:-} ${QUERN_JAVA_OPTS:-} " in
    *quern.* | *modules* | *@* | *File=* | *:Flags=*) return 1 ;;
  esac
  case ${1:-} in
    '' | help | -h | --help | -V | --version) ;;
    run | chat | logits | tokenize | inspect | quantize | synthesize | serve) ;;
    *) case $#${2:-} in 2-h | 2--help) ;; *) return 1 ;; esac ;; # what shows or measures providers needs all
  esac
  served=0
  for word in "$@"; do
    case $word in
      -D* | -P* | --provider* | --numerics*) return 1 ;; # or text, which only costs time
      -m* | --model*) served=$((served + 1)) ;;
    esac
  done
  # A server that loads a second model when it is asked for can't start again then.
  [ "${1:-}" != serve ] || [ "$served" -lt 2 ]
}

# stand_alone WORD...: where that may be, and one provider will do, sets `alone` to its name, and `modules`,
# `jvm` and `archive` to those of such a start.
stand_alone() {
  alone=
  may_be_alone "$@" || return 0
  cpu=$(sed -n '/^flags/{s/^[^:]*://p;q;}' /proc/cpuinfo 2>/dev/null) || return 0
  spare=
  set +f
  for file in "$out/options"/*.options; do
    while IFS= read -r line || [ "$line" ]; do
      case $line in
        '#:alone '*) [ -n "$alone" ] || stand_by "${line#* }" ;;
        '#:spare '*) spare="$spare ${line#* }" ;;
      esac
    done <"$file"
  done
  if [ -n "$alone" ]; then
    modules=
    for jar in "$lib"/*.jar; do
      is_spare "${jar##*/}" || modules=$modules${modules:+:}$jar
    done
    jvm="$jvm -Dquern.alone=$alone --enable-native-access=dev.quern.cli"
    [ -z "$archive" ] || archive=$archive-alone
    export QUERN_LAUNCHER="$launcher"
  fi
  set -f
}

stand_by() { # NAME FLAG...; without quotes, to split it
  # shellcheck disable=SC2086
  set -- $1
  name=$1
  shift
  for flag in "$@"; do
    case "$cpu " in *" $flag "*) ;; *) return 0 ;; esac
  done
  alone=$name
}

is_spare() {
  for pattern in $spare; do
    # shellcheck disable=SC2254 # a pattern it is
    case $1 in $pattern) return 0 ;; esac
  done
  return 1
}
