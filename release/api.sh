#!/bin/sh
# api.sh FOLDER: compares what a build deployed into FOLDER with what the last tag's sources make. Run by release.sh
# in a checkout; what must stay, and what may change, is in docs/releasing.md.
set -eu
new=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || {
  echo "release: no tag yet, nothing to compare with"
  exit 0
}
base=$PWD/target/api/$(git rev-parse "$tag^{commit}")
if [ ! -e "$base/built" ]; then
  echo "release: building $tag"
  rm -rf "$base"
  mkdir -p "$base/sources"
  git archive "$tag" >"$base/sources.tar"
  tar xf "$base/sources.tar" -C "$base/sources"
  (cd "$base/sources" && ./mvnw -B -ntp -q deploy -DskipTests -DskipITs -Dspotless.check.skip=true -Dmaven.javadoc.skip=true \
    -Dmaven.source.skip=true -Dmaven.install.skip=true -DaltDeploymentRepository="tag::file:$base/jars")
  touch "$base/built"
fi
classpath=${QUERN_RELEASE_CLASSPATH:-} # a test's, which runs before the file is written
[ "$classpath" ] || classpath=$here/target/classes:$(cat "$here/target/classpath")
exec "$JAVA_HOME/bin/java" -cp "$classpath" dev.quern.release.ApiCheck \
  "$base/jars" "$base/sources" "$new" "$here/api-breaks.txt"
