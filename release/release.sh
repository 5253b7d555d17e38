#!/bin/sh
# Sourced by ./build, which has found a JDK and gone to the checkout's folder: docs/releasing.md.
#   ./build release --dry-run [--staged FOLDER]   makes and checks all of a release, signed by a key that is thrown away
#   ./build release                               the same with the real key, then uploads it
# `--staged`: what a build has deployed into this folder, its SBOM and its archives are taken, and nothing is built.
: "${home:?}"
out=$home/target/release

say() { printf 'release: %s\n' "$*"; }

die() {
  printf 'release: %s\n' "$*" >&2
  exit 1
}

dry=
staged=
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes ;;
    --staged)
      staged=${2:-}
      [ -d "$staged/dev/quern" ] || die "--staged: $staged: expected a folder that a build deployed into (dev/quern is not there)"
      shift
      ;;
    *) die "$1: no such option; usage: ./build release [--dry-run] [--staged FOLDER]" ;;
  esac
  shift
done
[ "$dry" ] || [ -z "$staged" ] || die "--staged: only with --dry-run; a release is built from its tag's sources"

# The first <version> of the root's POM is its own: it has no parent.
version=$(sed -n 's:^  <version>\(.*\)</version>$:\1:p' pom.xml | head -n 1)
case $version in
  '' | *[!0-9.]*) die "pom.xml: version '$version': expected numbers and dots, and no SNAPSHOT" ;;
esac
git rev-parse --verify -q HEAD >/dev/null || die "$home: expected a Git checkout with a commit: JReleaser names the commit that it releases"
for tool in gpg git; do
  command -v "$tool" >/dev/null || die "$tool is not installed"
done
section=$(awk -v v="$version" '/^## /{ inside = ($2 == v) } inside' CHANGELOG.md)
[ "$section" ] || die "CHANGELOG.md: no section '## $version (DATE)': it becomes the release's notes"
heading=$(printf '%s\n' "$section" | head -n 1)

# What must be right before anything leaves this machine.
if [ -z "$dry" ]; then
  for name in JRELEASER_GITHUB_TOKEN JRELEASER_MAVENCENTRAL_CENTRAL_USERNAME JRELEASER_MAVENCENTRAL_CENTRAL_PASSWORD \
    JRELEASER_GPG_PUBLIC_KEY JRELEASER_GPG_SECRET_KEY JRELEASER_GPG_PASSPHRASE; do
    eval "[ -n \"\${$name:-}\" ]" || die "$name is not set; docs/releasing.md says what it is. To see all without secrets: ./build release --dry-run"
  done
  case $heading in
    "## $version ("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]")") ;;
    *) die "CHANGELOG.md: '$heading': expected the day of the release, as in '## $version (2026-12-31)'" ;;
  esac
  [ -z "$(git status --porcelain)" ] || die "the work tree has changes; commit them first: what is released is a commit"
  ! git rev-parse -q --verify "refs/tags/v$version" >/dev/null || die "the tag v$version is there already; raise the version"
fi

rm -rf "$out"
mkdir -p "$out/files" "$out/staging"

# Notes: the changelog's section; links lead to this version's files.
printf '%s\n' "$section" | tail -n +2 |
  sed "s#](\([a-zA-Z][^):]*\))#](https://github.com/quern/quern/blob/v$version/\1)#g" >"$out/notes.md"

# A key of this run alone, in a folder that goes with it. The real one comes from the environment.
keys=$(mktemp -d)
trap 'gpgconf --homedir "$keys" --kill gpg-agent >/dev/null 2>&1 || :; rm -rf "$keys"' EXIT
if [ "$dry" ]; then
  say "dry run: signing with a key that is thrown away"
  JRELEASER_GPG_PASSPHRASE="dry-run"
  own() { gpg --homedir "$keys" --batch --quiet --pinentry-mode loopback --passphrase "$JRELEASER_GPG_PASSPHRASE" "$@"; }
  # JReleaser opens the key anew for each file, and what makes guessing its passphrase slow would make that slow.
  echo 's2k-count 65536' >"$keys/gpg-agent.conf"
  own --quick-gen-key "Quern's dry run, worth nothing <nobody@localhost>" rsa3072 sign 1d
  JRELEASER_GPG_PUBLIC_KEY=$(own --armor --export)
  JRELEASER_GPG_SECRET_KEY=$(own --armor --export-secret-keys)
  # It asks for these, and uses none in a dry run. A user's own are not given to it.
  JRELEASER_GITHUB_TOKEN="dry-run"
  JRELEASER_MAVENCENTRAL_CENTRAL_USERNAME="dry-run"
  JRELEASER_MAVENCENTRAL_CENTRAL_PASSWORD="dry-run"
  export JRELEASER_GPG_PASSPHRASE JRELEASER_GPG_PUBLIC_KEY JRELEASER_GPG_SECRET_KEY JRELEASER_GITHUB_TOKEN \
    JRELEASER_MAVENCENTRAL_CENTRAL_USERNAME JRELEASER_MAVENCENTRAL_CENTRAL_PASSWORD
fi
printf '%s\n' "$JRELEASER_GPG_PUBLIC_KEY" >"$out/key.asc"

# Artifacts as Maven deploys them, archives, and SBOMs of what is published and of what is in the archives.
if [ "$staged" ]; then
  cp -R "$staged/." "$out/staging"
else
  say "building $version"
  ./mvnw -B -ntp -q clean deploy org.cyclonedx:cyclonedx-maven-plugin:makeAggregateBom -Prelease \
    -Dquern.platform="$(sh release/platform.sh)" -DskipTests -DskipITs -Dmaven.install.skip=true \
    -DaltDeploymentRepository="staging::file:$out/staging"
fi
# Central has metadata of its own.
find "$out/staging" -name 'maven-metadata.xml*' -exec rm -f {} +
cp dist/target/quern-"$version"*.zip dist/target/quern-"$version"*.tar.gz "$out/files/"
cp target/quern-"$version"-sbom.json dist/target/quern-dist-"$version"-sbom.json "$out/files/"
cp release/Dockerfile "$out/files/"

say "comparing the API with that of the last tag"
sh release/api.sh "$out/staging"

# JReleaser reads the commit and its remote by JGit, which knows no `git worktree`: so a clone, whose remote is the public
# one. It looks for files below its own folder only.
git clone -q --shared . "$out/checkout"
git -C "$out/checkout" remote set-url origin https://github.com/quern/quern.git
work=$out/checkout/target/release
mkdir -p "$work"
cp -R "$out/files" "$out/notes.md" "$work/"
mv "$out/staging" "$work/"
jreleaser() { # OPTION...
  (cd "$out/checkout" && ./mvnw -B -ntp -q -pl release org.jreleaser:jreleaser-maven-plugin:full-release "$@") \
    >"$out/jreleaser.log" 2>&1 || {
    cat "$out/jreleaser.log" >&2
    die "JReleaser failed"
  }
}
say "signing and bundling"
jreleaser -Djreleaser.dry.run=true
cp "$work"/jreleaser/deploy/mavenCentral/central/*-bundle.zip "$out/bundle.zip"
mkdir "$out/signatures"
cp "$work"/jreleaser/signatures/* "$work"/jreleaser/checksums/checksums_*.txt "$out/signatures/"

say "checking the bundle"
"$JAVA_HOME/bin/java" -cp release/target/classes dev.quern.release.CheckBundle "$out/bundle.zip" "$out/key.asc"
if [ "$dry" ]; then
  say "$out has the bundle, what goes to GitHub (files), signatures and checksums of it, and the notes"
  exit
fi
say "uploading $version"
jreleaser
say "released $version: Maven Central shows it in half an hour; raise the version in all POMs, and empty release/api-breaks.txt"
