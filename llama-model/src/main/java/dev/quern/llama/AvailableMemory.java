package dev.quern.llama;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// How much memory this process can still take without the kernel killing someone for it: on Linux
/// `MemAvailable` of `/proc/meminfo`, or what the memory limits of its control groups leave, if
/// that is less. A file's cached pages count as available, since they can be given back.
final class AvailableMemory {
  /// Where a version of control groups keeps a group's memory, see cgroups(7).
  ///
  /// @param line of `/proc/self/cgroup` that names this process's group: the hierarchy's number,
  ///   its controllers, and the group
  /// @param mount below `/sys/fs/cgroup`
  private record Groups(Pattern line, String mount, String limit, String usage) {}

  private static final List<Groups> VERSIONS =
      List.of(
          new Groups(Pattern.compile("0::(/.*)"), "", "memory.max", "memory.current"),
          new Groups(
              Pattern.compile("\\d+:(?:.*,)?memory(?:,.*)?:(/.*)"),
              "memory",
              "memory.limit_in_bytes",
              "memory.usage_in_bytes"));

  private final Path proc;
  private final Path cgroups;

  /// @param proc the proc file system
  /// @param cgroups where control groups are mounted
  AvailableMemory(Path proc, Path cgroups) {
    this.proc = proc;
    this.cgroups = cgroups;
  }

  /// Bytes on this machine, now; empty where the system doesn't tell (Linux only).
  static OptionalLong bytes() {
    return new AvailableMemory(Path.of("/proc"), Path.of("/sys/fs/cgroup")).read();
  }

  OptionalLong read() {
    OptionalLong machine = valueOf(proc.resolve("meminfo"), "MemAvailable:", 1024);
    if (machine.isEmpty()) {
      return machine;
    }
    long available = machine.getAsLong();
    for (Groups version : VERSIONS) {
      available = Math.min(available, left(version));
    }
    return OptionalLong.of(available);
  }

  /// What the limits of a group and of those around it leave; the path in a container may be the
  /// host's, whose folders are not there.
  private long left(Groups version) {
    String group =
        lines(proc.resolve("self/cgroup"))
            .map(version.line()::matcher)
            .filter(Matcher::matches)
            .map(m -> m.group(1))
            .findFirst()
            .orElse("/");
    Path mount = cgroups.resolve(version.mount()).normalize();
    Path folder = mount.resolve(group.substring(1)).normalize();
    if (!folder.startsWith(mount)) {
      folder = mount; // a group outside this container's view begins with "/.."
    }
    long left = Long.MAX_VALUE;
    for (; folder != null && folder.startsWith(mount); folder = folder.getParent()) {
      left = Math.min(left, leftIn(folder, version));
    }
    return left;
  }

  private static long leftIn(Path folder, Groups version) {
    OptionalLong limit = valueOf(folder.resolve(version.limit()), "", 1);
    OptionalLong usage = valueOf(folder.resolve(version.usage()), "", 1);
    if (limit.isEmpty() || usage.isEmpty()) {
      return Long.MAX_VALUE; // no limit ("max"), or no such folder
    }
    Path stat = folder.resolve("memory.stat");
    long cached = 0;
    for (String list : List.of("inactive_file ", "active_file ")) {
      OptionalLong withChildren = valueOf(stat, "total_" + list, 1); // version 1 alone has both
      cached += (withChildren.isPresent() ? withChildren : valueOf(stat, list, 1)).orElse(0);
    }
    return Math.max(0, limit.getAsLong() - usage.getAsLong() + cached);
  }

  /// The number behind a word at a line's begin; empty if there is none.
  private static OptionalLong valueOf(Path file, String word, long unit) {
    return lines(file)
        .filter(l -> l.startsWith(word))
        .map(l -> l.substring(word.length()).strip().split(" ")[0])
        .filter(number -> number.matches("\\d{1,19}"))
        .mapToLong(number -> saturated(number, unit))
        .findFirst();
  }

  private static long saturated(String number, long unit) {
    double value = Double.parseDouble(number) * unit;
    return value >= Long.MAX_VALUE / 2 ? Long.MAX_VALUE / 2 : Long.parseLong(number) * unit;
  }

  private static Stream<String> lines(Path file) {
    if (!Files.isReadable(file)) {
      return Stream.empty();
    }
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      return Stream.empty(); // the limit is then unknown, as it is on other systems
    }
  }
}
