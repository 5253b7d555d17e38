#!/bin/sh
# Prints what this machine's archive with a runtime is called: linux-x86_64, linux-aarch64, macos-aarch64 ...
case $(uname -s) in
  Linux) os=linux ;;
  Darwin) os=macos ;;
  *)
    echo "release: $(uname -s): archives with a runtime are made on Linux and macOS" >&2
    exit 1
    ;;
esac
arch=$(uname -m)
[ "$arch" != arm64 ] || arch=aarch64
echo "$os-$arch"
