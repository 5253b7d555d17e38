package dev.quern.llama.machine;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What this process may compute on, and so how many threads it uses unless it is told: a thread
/// for each physical core, since two hyper-threads of a core share the vector units that kernels
/// keep busy.
///
/// @param processors that the JVM may use: by affinity (`taskset`, cpusets), by quota, rounded up,
///   or by `-XX:ActiveProcessorCount`
/// @param physical cores that these are, as far as the system tells; else 0
/// @param quota CPUs' worth of time, see [CpuQuota]; empty if there is no such limit
public record CpuCores(int processors, int physical, OptionalDouble quota) {
  private static final Pattern RANGE = Pattern.compile("(\\d{1,6})(?:-(\\d{1,6}))?");

  public static CpuCores ofThisProcess() {
    return new CpuCores(
        Runtime.getRuntime().availableProcessors(),
        fromLinuxTopology(
            Path.of("/sys/devices/system/cpu"), allowed(Path.of("/proc/self/status"))),
        CpuQuota.cpus(ControlGroups.OF_THIS_PROCESS));
  }

  /// The default number of threads.
  ///
  /// A quota is rounded: of 1.2 CPUs, two threads would be stopped for 0.8 of each period between
  /// them, and lose more by waiting for each other than the fifth; of 1.5 they are worth it.
  public int threads() {
    int cores = physical == 0 ? processors : Math.min(physical, processors);
    return Math.min(cores, fromQuota());
  }

  private int fromQuota() {
    return quota.isPresent()
        ? Math.clamp(Math.round(quota.getAsDouble()), 1, Integer.MAX_VALUE)
        : Integer.MAX_VALUE;
  }

  /// What so many threads would suffer from, in a line; empty if nothing.
  public Optional<String> warning(int threads) {
    return threads <= fromQuota()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "threads=%d, expected at most %d: the control group's quota is %s CPUs, and all threads are stopped for the rest of each period once it is used up",
                threads,
                fromQuota(),
                quotaText()));
  }

  /// All of it in a few words, such as `cores 2, processors 4, CPU quota 1.50`.
  public String text() {
    return String.format(
        Locale.ROOT,
        "cores %s, processors %d, CPU quota %s",
        physical == 0 ? "unknown" : Integer.toString(physical),
        processors,
        quota.isPresent() ? quotaText() : "none");
  }

  private String quotaText() {
    return String.format(Locale.ROOT, "%.2f", quota.orElseThrow());
  }

  /// The number of different sets of sibling threads below a folder like `/sys/devices/system/cpu`;
  /// 0 where there are none (not Linux, or a container that hides them).
  ///
  /// @param allowed the CPUs that count; empty for all
  static int fromLinuxTopology(Path cpus, BitSet allowed) {
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(cpus, "cpu[0-9]*")) {
      for (Path cpu : folders) {
        Path siblings = cpu.resolve("topology/thread_siblings_list");
        int number = Integer.parseInt(cpu.getFileName().toString().substring("cpu".length()));
        if ((allowed.isEmpty() || allowed.get(number)) && Files.isReadable(siblings)) {
          cores.add(Files.readString(siblings).strip());
        }
      }
    } catch (IOException e) {
      return 0; // no such folder: not Linux, and "0" says so to the caller
    }
    return cores.size();
  }

  /// The CPUs of the affinity mask, as a list like `0-3,8`; none where the system does not tell.
  ///
  /// @param status like `/proc/self/status`
  static BitSet allowed(Path status) {
    BitSet allowed = new BitSet();
    String label = "Cpus_allowed_list:";
    ControlGroups.lines(status)
        .filter(line -> line.startsWith(label))
        .findFirst()
        .ifPresent(line -> {
          Matcher ranges = RANGE.matcher(line.substring(label.length()));
          while (ranges.find()) {
            int from = Integer.parseInt(ranges.group(1));
            int to = ranges.group(2) == null ? from : Integer.parseInt(ranges.group(2));
            allowed.set(from, to + 1);
          }
        });
    return allowed;
  }
}
