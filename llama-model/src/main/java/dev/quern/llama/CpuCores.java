package dev.quern.llama;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/// The default number of threads: physical cores, since two hyper-threads of a core share the
/// vector units that kernels keep busy.
final class CpuCores {
  private CpuCores() {}

  /// Physical cores where Linux tells, else the JVM's processors; never more than the JVM may use.
  static int physical() {
    int available = Runtime.getRuntime().availableProcessors();
    int physical = fromLinuxTopology(Path.of("/sys/devices/system/cpu"));
    return physical == 0 ? available : Math.min(physical, available);
  }

  /// The number of different sets of sibling threads below a folder like `/sys/devices/system/cpu`;
  /// 0 where there are none (not Linux, or a container that hides them).
  static int fromLinuxTopology(Path cpus) {
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(cpus, "cpu[0-9]*")) {
      for (Path cpu : folders) {
        Path siblings = cpu.resolve("topology/thread_siblings_list");
        if (Files.isReadable(siblings)) {
          cores.add(Files.readString(siblings).strip());
        }
      }
    } catch (IOException e) {
      return 0; // no such folder: not Linux, and "0" says so to the caller
    }
    return cores.size();
  }
}
