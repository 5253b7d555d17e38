package dev.quern.llama.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The control groups that limit this process, as Linux shows them in files: see cgroups(7). Each
/// group's limits hold for those within it, so that the least on the way up counts.
///
/// @param proc the proc file system
/// @param mounts where control groups are mounted
public record ControlGroups(Path proc, Path mounts) {
  static final ControlGroups OF_THIS_PROCESS =
      new ControlGroups(Path.of("/proc"), Path.of("/sys/fs/cgroup"));

  /// Folders of version 2, where one hierarchy has all controllers: the process's group, then those
  /// around it. Some may be absent.
  List<Path> unified() {
    return folders(Pattern.compile("0::(/.*)"), "");
  }

  /// Folders of version 1, where each controller may have a hierarchy of its own.
  ///
  /// @param controller such as `memory`
  List<Path> of(String controller) {
    return folders(
        Pattern.compile("\\d+:(?:.*,)?" + Pattern.quote(controller) + "(?:,.*)?:(/.*)"),
        controller);
  }

  /// The path in a container may be the host's, whose folders are not there.
  ///
  /// @param line of `/proc/self/cgroup` that names this process's group: the hierarchy's number,
  ///   its controllers, and the group
  /// @param below where the hierarchy is mounted
  private List<Path> folders(Pattern line, String below) {
    String group =
        lines(proc.resolve("self/cgroup"))
            .map(line::matcher)
            .filter(Matcher::matches)
            .map(m -> m.group(1))
            .findFirst()
            .orElse("/");
    Path mount = mounts.resolve(below).normalize();
    Path folder = mount.resolve(group.substring(1)).normalize();
    if (!folder.startsWith(mount)) {
      folder = mount; // a group outside this container's view begins with "/.."
    }
    List<Path> folders = new ArrayList<>();
    for (; folder != null && folder.startsWith(mount); folder = folder.getParent()) {
      folders.add(folder);
    }
    return folders;
  }

  /// A file's lines; none where it can't be read: what it says is then unknown, as it is on other
  /// systems.
  static Stream<String> lines(Path file) {
    if (!Files.isReadable(file)) {
      return Stream.empty();
    }
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      return Stream.empty(); // see above
    }
  }
}
