package dev.quern.llama.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The memory that the machine and its control groups leave.
class AvailableMemoryTest {
  @TempDir Path folder;

  @Test
  void theLeastOfMachineAndGroupsIsAvailable() throws IOException {
    Path proc = Files.createDirectories(folder.resolve("proc/self")).getParent();
    Path groups = Files.createDirectories(folder.resolve("cgroup/a/b")).getParent().getParent();
    AvailableMemory memory = new AvailableMemory(new ControlGroups(proc, groups));
    assertEquals(OptionalLong.empty(), memory.read());
    Files.writeString(proc.resolve("meminfo"), "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n");
    assertEquals(8000 * 1024, memory.read().getAsLong());

    Files.writeString(proc.resolve("self/cgroup"), "0::/a/b\n");
    Files.writeString(groups.resolve("a/b/memory.max"), "max\n");
    Files.writeString(groups.resolve("a/b/memory.current"), "1000\n");
    assertEquals(8000 * 1024, memory.read().getAsLong());
    Files.writeString(groups.resolve("a/memory.max"), "5000\n"); // of the group around it
    Files.writeString(groups.resolve("a/memory.current"), "3000\n");
    Files.writeString(
        groups.resolve("a/memory.stat"), "anon 9\ninactive_file 400\nactive_file 50\n");
    assertEquals(2450, memory.read().getAsLong());

    Files.writeString(proc.resolve("self/cgroup"), "0::/../elsewhere\n"); // out of view
    Files.writeString(groups.resolve("memory.max"), "7000\n");
    Files.writeString(groups.resolve("memory.current"), "3000\n");
    assertEquals(4000, memory.read().getAsLong());

    Path old = Files.createDirectories(groups.resolve("memory"));
    Files.writeString(proc.resolve("self/cgroup"), "4:memory:/not/mounted/here\n0::/a/b\n");
    Files.writeString(old.resolve("memory.limit_in_bytes"), "9223372036854771712\n");
    Files.writeString(old.resolve("memory.usage_in_bytes"), "10\n");
    assertEquals(2450, memory.read().getAsLong());
    Files.writeString(old.resolve("memory.limit_in_bytes"), "100\n");
    Files.writeString(
        old.resolve("memory.stat"),
        "inactive_file 9\ntotal_inactive_file 3\ntotal_active_file 2\n");
    assertEquals(95, memory.read().getAsLong());
  }
}
