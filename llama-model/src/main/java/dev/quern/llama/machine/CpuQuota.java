package dev.quern.llama.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/// How many CPUs' worth of time the control groups of a process leave it, see `cpu.max` (version 2)
/// and `cpu.cfs_quota_us` (version 1) in the kernel's documentation: all threads of a group run for
/// so many microseconds in each period, and are stopped for the rest of it.
///
/// The JVM knows the quota too, and the least of the groups around it, but rounds it up to whole
/// CPUs, and not at all with `-XX:-UseContainerSupport`.
final class CpuQuota {
  private CpuQuota() {}

  /// The least quota / period of all groups; empty if none has one.
  static OptionalDouble cpus(ControlGroups groups) {
    return Stream.concat(
            groups.unified().stream().map(f -> words(f.resolve("cpu.max"))),
            groups.of("cpu").stream()
                .map(f ->
                    Stream.of("cpu.cfs_quota_us", "cpu.cfs_period_us")
                        .flatMap(name -> words(f.resolve(name)).stream())
                        .toList()))
        .filter(CpuQuota::isLimit)
        .mapToDouble(words -> Double.parseDouble(words.get(0)) / Double.parseDouble(words.get(1)))
        .min();
  }

  /// Quota and period. Without a limit the quota is `max`, or -1.
  private static boolean isLimit(List<String> words) {
    return words.size() == 2 && words.stream().allMatch(word -> word.matches("[1-9]\\d{0,18}"));
  }

  private static List<String> words(Path file) {
    return ControlGroups.lines(file).flatMap(line -> Stream.of(line.strip().split(" +"))).toList();
  }
}
