# shellcheck shell=sh disable=SC2154 # variables are launch.sh's
# Sourced by launch.sh: what QUERN_PROVIDER_PATH names is there, and does not stop the JVM.

# Prints QUERN_PROVIDER_PATH without empty entries. The JVM passes over what does not exist.
provider_path() {
  path=
  set -f
  IFS=:
  for entry in $QUERN_PROVIDER_PATH; do
    [ "$entry" ] || continue
    where="QUERN_PROVIDER_PATH: $entry"
    [ -e "$entry" ] || die "$where: no such file or folder (entries are separated by colons)"
    [ -r "$entry" ] || die "$where: can't be read: no permission"
    if [ -d "$entry" ]; then
      [ -x "$entry" ] || die "$where: can't be read: no permission"
      holds_modules "$entry" || die "$where: there is no JAR in this folder"
    else
      case $entry in
        *.jar) [ -f "$entry" ] || die "$where: not a regular file, expected a JAR" ;;
        *) die "$where: expected a JAR (NAME.jar) or a folder with JARs" ;;
      esac
    fi
    path=$path${path:+:}$(physical "$entry")
  done
  printf '%s' "$path"
}

# Whether a folder has a JAR, or a module's classes, or folders with such; all of them must be readable.
holds_modules() {
  found=1
  set +f
  for file in "$1"/*.jar "$1"/module-info.class "$1"/*/module-info.class; do
    if [ -e "$file" ]; then
      found=0
      [ -r "$file" ] || die "QUERN_PROVIDER_PATH: $file: can't be read: no permission"
    elif [ -L "$file" ]; then
      die "QUERN_PROVIDER_PATH: $file: a link to nothing"
    fi
  done
  set -f
  return $found
}

# What is wrong with a provider's JAR may stop the JVM before Quern runs ("Error occurred during
# initialization of boot layer"). So a path that has not yet worked is tried without running anything, and
# what the JVM says becomes one line with a remedy.
try_providers() {
  [ "$providers" ] || return 0
  key=$(archive_key)
  if [ "$archive" ] && [ -r "$archive/tried" ] && [ "$key" = "$(cat "$archive/tried")" ]; then
    return 0
  fi
  # Without the user's options: an agent or a recording must not start twice.
  if ! words=$("$java" -p "$modules" --dry-run -m "$main" 2>&1 </dev/null); then
    case $words in *"initialization of boot layer"*) die "$(boot_error "$words")" ;; esac
    return 0 # the start itself will say why
  fi
  own=$(jars_of_modules | sed -n 's/^\(dev\.quern\.provider\.[^ ]*\) file:\/\/\([^ ]*\).*/\2: module \1/p' | head -n 1)
  [ -z "$own" ] || die "QUERN_PROVIDER_PATH: $own is Quern's own and comes first; take it off the path, or put the JAR in the place of the one in $out/lib"
  if [ "$archive" ] && mkdir -p "$archive" 2>/dev/null && [ -w "$archive" ]; then
    printf '%s\n' "$key" >"$archive/tried.$$" && mv -f "$archive/tried.$$" "$archive/tried"
  fi
}

# The modules on QUERN_PROVIDER_PATH, each with its JAR.
jars_of_modules() {
  "$java" -p "$providers" --list-modules 2>/dev/null | grep ' file:' || true
}

# boot_error WORDS: one line of the JVM's many, with a remedy.
boot_error() {
  reason=$(printf '%s\n' "$1" | sed -n '
    /^Error occurred during initialization of boot layer/,$ {
      s/^Caused by: //
      s/^[a-z][A-Za-z0-9_.$]*\.[A-Z][A-Za-z0-9_]*: //p
    }' | tr '\n' '|' | sed 's/|$//; s/|/: /g')
  case $reason in
    *"Two versions of module"*) remedy="keep one of them in the folder" ;;
    *"Unsupported major.minor"*) remedy="it was built for a newer Java than $JAVA_HOME: set JAVA_HOME to that one" ;;
    *"not in JAR file"*) remedy="META-INF/services names a class that the JAR lacks: mend that file, or build the JAR again" ;;
    *"Invalid module name"*) remedy="rename the file, or give its manifest an Automatic-Module-Name" ;;
    *"Error reading"*) remedy="the file is damaged or cut: copy it again" ;;
    *"not found, required by"*) remedy="add its JAR to the path" ;;
    *"Package "*" in both module "* | *"contains package"*) remedy="a package may be in one module only: take one of the JARs off the path" ;;
    *) remedy="$java -p '$modules' --validate-modules says more" ;;
  esac
  # What names modules gets their JARs.
  jars_of_modules | {
    where=
    while read -r module file _; do
      module=${module%%@*}
      case " $reason " in
        *".jar"*) ;;
        *[\ ,]"$module"[\ ,]*) where="$where${where:+, }$module is ${file#file://}" ;;
      esac
    done
    printf '%s' "QUERN_PROVIDER_PATH: $reason${where:+ ($where)}; $remedy"
  }
}
