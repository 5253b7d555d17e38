package dev.quern.packaging;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Control groups of a test, in the kernel's version 1 or 2.
final class ControlGroup {
  static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final String NAME = "quern-test-" + ProcessHandle.current().pid();

  private ControlGroup() {}

  /// Folders of new groups, to join all of; none where there may be no such.
  ///
  /// @param micros of CPU time in each 100,000
  static List<Path> limited(long micros, long bytes) throws IOException {
    Path first = ROOT.resolve("cpu");
    boolean old = Files.isDirectory(first);
    if (!old && !Files.exists(ROOT.resolve("cgroup.subtree_control"))) {
      return List.of();
    }
    try {
      if (!old) {
        Path group = Files.createDirectory(ROOT.resolve(NAME));
        Files.writeString(group.resolve("cpu.max"), micros + " 100000");
        Files.writeString(group.resolve("memory.max"), Long.toString(bytes));
        return List.of(group);
      }
      Path cpu = Files.createDirectory(first.resolve(NAME));
      Files.writeString(cpu.resolve("cpu.cfs_period_us"), "100000");
      Files.writeString(cpu.resolve("cpu.cfs_quota_us"), Long.toString(micros));
      Path memory = Files.createDirectory(ROOT.resolve("memory").resolve(NAME));
      Files.writeString(memory.resolve("memory.limit_in_bytes"), Long.toString(bytes));
      return List.of(cpu, memory);
    } catch (AccessDeniedException e) {
      return List.of(); // this process may not limit anything: the caller says so
    } catch (FileSystemException e) {
      throw new IOException("control groups at " + ROOT + ": " + e.getMessage(), e);
    }
  }
}
