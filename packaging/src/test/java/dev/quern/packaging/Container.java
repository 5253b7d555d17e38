package dev.quern.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A root folder in name spaces of its own: no network, no process of others, and of this machine's
/// files only devices and what the kernel tells. What a container engine does, without one.
///
/// @param root the folder
record Container(Path root) {
  static final String SUITE = "trixie";

  /// Debian's smallest system, which is fetched once for all builds of a user.
  static Path debian() throws IOException {
    Path cache = Path.of(System.getProperty("user.home"), ".cache", "quern", "container");
    Path tar = cache.resolve(SUITE + "-essential.tar");
    if (!Files.exists(tar)) {
      Files.createDirectories(cache);
      Path part = Files.createTempFile(cache, "part", ".tar");
      try {
        Command.run(
                cache,
                List.of(
                    "mmdebstrap",
                    "--quiet",
                    "--variant=essential",
                    "--dpkgopt=force-unsafe-io",
                    SUITE,
                    part.toString()))
            .orFail();
        Files.move(part, tar);
      } finally {
        Files.deleteIfExists(part);
      }
    }
    return tar;
  }

  /// Runs a program in it, as `sh` finds it.
  Command run(String... words) throws IOException {
    return run(List.of(), words);
  }

  /// The same under limits.
  ///
  /// @param groups folders of control groups, which the program joins first
  Command run(List<Path> groups, String... words) throws IOException {
    StringBuilder script = new StringBuilder("set -e\n");
    for (Path group : groups) {
      script.append("echo $$ >'").append(group).append("/cgroup.procs'\n");
    }
    script.append(
        """
        exec unshare --mount --pid --net --fork sh -ec '
          mount -t proc proc "$0/proc"
          mount --rbind /sys "$0/sys"
          exec chroot "$0" env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"
        ' "$@"
        """);
    List<String> all =
        new ArrayList<>(List.of("sh", "-c", script.toString(), "sh", root.toString()));
    all.addAll(List.of(words));
    return Command.run(root, all);
  }
}
