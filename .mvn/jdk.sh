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
    v=$("$1/bin/java" -version 2>&1 | sed -n '1s/.*"\([0-9._]*\).*/\1/p')
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
      *) j=$(dirname "$j")/$t ;;
    esac
  done
  dirname "$(dirname "$j")"
}

# Homes that are worth a look, one a line. A home may hold spaces, so nothing here splits on them.
java_homes() {
  echo "${JAVA_HOME:-}"
  echo "$path_home"
  for d in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* /opt/*jdk* "$HOME"/.sdkman/candidates/java/* \
    "$HOME"/.jdks/* "$HOME"/.asdf/installs/java/* "$HOME"/.local/share/mise/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    echo "$d"
  done
}

find_jdk() {
  seen=
  best=
  best_major=0
  path_home=$(path_java_home)
  # A here-document and not a pipe: the loop's variables must outlive it.
  while IFS= read -r d; do
    [ -x "$d/bin/java" ] || continue
    java_major "$d"
    m=$major
    case $m in
      '' | *[!0-9]*) continue ;;
    esac
    seen="$seen
  $d (Java $m)"
    if [ "$m" -ge "$1" ] && [ -x "$d/bin/$2" ]; then
      # JAVA_HOME and PATH are the user's choice, so the first that will do wins over a newer one.
      if [ "$d" = "${JAVA_HOME:-}" ] || [ "$d" = "$path_home" ]; then
        echo "$d"
        return 0
      fi
      if [ "$m" -gt "$best_major" ]; then
        best=$d
        best_major=$m
      fi
    fi
  done <<END
$(java_homes)
END
  if [ -n "$best" ]; then
    echo "$best"
    return 0
  fi
  echo "quern: no JDK $1 or newer found (looked for bin/$2). Install one, or set JAVA_HOME to it." >&2
  if [ -n "$seen" ]; then
    echo "quern: found only:$seen" >&2
  fi
  return 1
}
