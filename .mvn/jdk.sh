# Sourced by ./quern and ./build. find_jdk MAJOR TOOL prints the home of a Java of at least that major
# version which has bin/TOOL; where there is none it says so on stderr and returns 1.
# Order: JAVA_HOME, the java on PATH, then the usual install folders, newest first.

# Sets major to the major version of a Java home, from its release file (no JVM is started), else from java itself.
java_major() {
  v=
  if [ -r "$1/release" ]; then
    while IFS= read -r line; do # no process: a machine may have a dozen of them
      case $line in
        JAVA_VERSION=*) v=${line#JAVA_VERSION=} ;;
      esac
    done <"$1/release"
    v=${v#\"}
    v=${v%\"}
  else
    v=$("$1/bin/java" -version 2>&1 </dev/null | sed -n '1s/.*"\([0-9._]*\).*/\1/p')
  fi
  case $v in
    1.*) v=${v#1.} ;;
  esac
  major=${v%%[!0-9]*}
}

# The home of the java on PATH, behind its links; nothing where there is none.
path_java_home() {
  j=$(command -v java 2>/dev/null) || return 0
  while [ -L "$j" ]; do
    t=$(readlink "$j")
    case $t in
      /*) j=$t ;;
      *) j=$(dirname -- "$j")/$t ;;
    esac
  done
  dirname -- "$(dirname -- "$j")"
}

# Looks at one folder: the first that will do of the user's own choice (JAVA_HOME, PATH), else the newest.
try_jdk() { # MAJOR TOOL FOLDER
  [ -x "$3/bin/java" ] || return 0
  java_major "$3"
  case $major in
    '' | *[!0-9]*) return 0 ;;
  esac
  seen="$seen
  $3 (Java $major)"
  if [ "$major" -gt "$best_major" ] && [ "$major" -ge "$1" ] && [ -x "$3/bin/$2" ]; then
    best=$3
    best_major=$major
  fi
}

find_jdk() {
  seen=
  best=
  best_major=0
  user=${HOME:-/nonexistent} # no HOME in cron, systemd units, env -i
  for d in "${JAVA_HOME:-}" "$(path_java_home)"; do
    [ -n "$best" ] || [ -z "$d" ] || try_jdk "$1" "$2" "$d"
  done
  if [ -z "$best" ]; then
    for d in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* /opt/*jdk* "$user"/.sdkman/candidates/java/* \
      "$user"/.jdks/* "$user"/.asdf/installs/java/* "$user"/.local/share/mise/installs/java/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home \
      "$user"/Library/Java/JavaVirtualMachines/*/Contents/Home \
      /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
      /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
      try_jdk "$1" "$2" "$d"
    done
  fi
  case $best in
    /*) printf '%s\n' "$best" ;;
    '')
      printf 'quern: no JDK %s or newer found (looked for bin/%s). Install one, or set JAVA_HOME to it.\n' "$1" "$2" >&2
      [ -z "$seen" ] || printf 'quern: found only:%s\n' "$seen" >&2
      return 1
      ;;
    *) printf '%s/%s\n' "$PWD" "$best" ;; # a relative JAVA_HOME, and ./build changes the folder
  esac
}
