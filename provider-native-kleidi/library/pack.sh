# shellcheck shell=sh
# Sourced by library-jar and library-jar-macos, which set
#   self   the folder of this provider
# and have `die`. What both do with hashes, and with a library once it is there.
: "${self:?}"

# An entry of a properties file.
entry() { # FILE KEY
  sed -n "s/^$2=//p" "$1"
}

sha256() { # FILE; macOS has no sha256sum, Debian no shasum without Perl
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1"
  else
    shasum -a 256 "$1"
  fi | cut -c1-64
}

# What Java computes in a millisecond: gzip writes it, lowest byte first, before the length at the end.
crc32() { # FILE
  gzip -c "$1" | tail -c 8 | od -An -tx1 | {
    read -r a b c d _
    printf '%s\n' "$d$c$b$a"
  }
}

# Makes the JAR, without a manifest: the same files give the same bytes, wherever and whenever. It is a module,
# so that jlink takes it, and has the option that resolves it, which the launchers read.
pack() { # PLATFORM FOLDER OUTPUT.jar: FOLDER has what is to lie beside the library, and itself
  . "$self/../.mvn/jdk.sh"
  jdk=$(find_jdk 25 javac) || exit 1
  module=dev.quern.kleidi.$(printf %s "$1" | tr - .)
  tree=$2/jar
  mkdir -p "$tree/META-INF/quern/native/$1"
  cp "$self/../LICENSE" "$self/library/NOTICE" "$self/library/LICENSE-BSD-3-Clause" "$tree/META-INF/"
  printf '# The JAR with its library is found where it is resolved, and nothing requires it.\n--add-modules=%s\n' \
    "$module" >"$tree/META-INF/quern/kleidi-$1.options"
  printf 'module %s {}\n' "$module" >"$2/module-info.java"
  "$jdk/bin/javac" --release 25 -Xlint:-module -d "$tree" "$2/module-info.java"
  for file in "$2"/*; do
    case $file in
      */jar | */module-info.java) ;;
      *) cp "$file" "$tree/META-INF/quern/native/$1/" ;;
    esac
  done
  date=$(sed -n 's|.*<project.build.outputTimestamp>\(.*\)</.*|\1|p' "$self/../pom.xml")
  # Files by name, sorted: `jar` takes folders in the order in which the file system has them.
  files=$(cd "$tree" && find . -type f | LC_ALL=C sort | sed 's|^\./||')
  rm -f "$3"
  # shellcheck disable=SC2086 # none of these names has a blank
  (cd "$tree" && TZ=UTC0 "$jdk/bin/jar" --create --no-manifest --date "$date" --file "$2/out.jar" $files)
  mv "$2/out.jar" "$3"
}
