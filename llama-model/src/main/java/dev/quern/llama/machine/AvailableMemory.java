package dev.quern.llama.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/// How much memory this process can still take without the kernel killing someone for it: on Linux
/// `MemAvailable` of `/proc/meminfo`, or what the memory limits of its control groups leave, if
/// that is less. A file's cached pages count as available, since they can be given back.
public final class AvailableMemory {
  private final ControlGroups groups;

  public AvailableMemory(ControlGroups groups) {
    this.groups = groups;
  }

  /// Bytes on this machine, now; empty where the system doesn't tell (Linux only).
  public static OptionalLong bytes() {
    return new AvailableMemory(ControlGroups.OF_THIS_PROCESS).read();
  }

  public OptionalLong read() {
    OptionalLong machine = valueOf(groups.proc().resolve("meminfo"), "MemAvailable:", 1024);
    if (machine.isEmpty()) {
      return machine;
    }
    long available = machine.getAsLong();
    for (Path folder : groups.unified()) {
      available = Math.min(available, left(folder, "memory.max", "memory.current"));
    }
    for (Path folder : groups.of("memory")) {
      available =
          Math.min(available, left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes"));
    }
    return OptionalLong.of(available);
  }

  /// What the limit of a group leaves.
  private static long left(Path folder, String limitFile, String usageFile) {
    OptionalLong limit = valueOf(folder.resolve(limitFile), "", 1);
    OptionalLong usage = valueOf(folder.resolve(usageFile), "", 1);
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
    return ControlGroups.lines(file)
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
}
