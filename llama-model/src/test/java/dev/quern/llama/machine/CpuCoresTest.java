package dev.quern.llama.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Threads by cores, affinity and quota, on machines made of files.
class CpuCoresTest {
  @TempDir Path folder;

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "a group of its own,      0::/a/b, a/b/cpu.max=150000 100000, 1.5",
    "without a limit,         0::/a/b, a/b/cpu.max=max 100000, ",
    "a group around it,       0::/a/b, a/cpu.max=200000 50000|a/b/cpu.max=max 50000, 4",
    "the least of both,       0::/a/b, a/cpu.max=50000 100000|a/b/cpu.max=300000 100000, 0.5",
    "the least is its own,    0::/a/b, a/cpu.max=300000 100000|a/b/cpu.max=50000 100000, 0.5",
    "a container's root,      0::/, cpu.max=200000 100000, 2",
    "a path of the host's,    0::/host/only, cpu.max=200000 100000, 2",
    "out of view,             0::/../elsewhere, cpu.max=200000 100000|x/cpu.max=1 100000, 2",
    "of someone else,         0::/a, b/cpu.max=1 100000, ",
    "nothing at all,          '', x=, ",
    "damaged,                 0::/a, a/cpu.max=many 100000, ",
    "half a line,             0::/a, a/cpu.max=100000, ",
    "no period,               0::/a, a/cpu.max=100000 0, ",
    "version 1,               '4:cpu,cpuacct:/a', cpu/a/cpu.cfs_quota_us=150000|cpu/a/cpu.cfs_period_us=100000, 1.5",
    "version 1 without,       4:cpu:/a, cpu/a/cpu.cfs_quota_us=-1|cpu/a/cpu.cfs_period_us=100000, ",
    "version 1 around it,     4:cpu:/a/b, cpu/a/cpu.cfs_quota_us=250000|cpu/a/cpu.cfs_period_us=100000|cpu/a/b/cpu.cfs_quota_us=-1|cpu/a/b/cpu.cfs_period_us=100000, 2.5",
    "version 1 in a container, 4:cpu:/docker/0, cpu/cpu.cfs_quota_us=30000|cpu/cpu.cfs_period_us=10000, 3",
    "another controller,      5:cpuset:/a, cpu/a/cpu.cfs_quota_us=1000|cpu/a/cpu.cfs_period_us=100000, ",
    "both versions,           4:cpu:/a|0::/b, cpu/a/cpu.cfs_quota_us=200000|cpu/a/cpu.cfs_period_us=100000|b/cpu.max=100000 100000, 1",
  })
  void theLeastQuotaCounts(String name, String group, String files, Double expected)
      throws IOException {
    Path proc = Files.createDirectories(folder.resolve("proc/self")).getParent();
    Path mounts = Files.createDirectories(folder.resolve("cgroup"));
    Files.writeString(proc.resolve("self/cgroup"), group.replace('|', '\n') + "\n");
    for (String file : files.split("\\|")) {
      int equals = file.indexOf('=');
      Path path = mounts.resolve(file.substring(0, equals));
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.substring(equals + 1) + "\n");
    }
    OptionalDouble quota = CpuQuota.cpus(new ControlGroups(proc, mounts));
    assertEquals(expected == null ? OptionalDouble.empty() : OptionalDouble.of(expected), quota);
  }

  @Test
  void whereThereAreNoControlGroupsThereIsNoQuota() {
    Path nowhere = folder.resolve("nowhere");
    assertEquals(OptionalDouble.empty(), CpuQuota.cpus(new ControlGroups(nowhere, nowhere)));
  }

  @ParameterizedTest
  @CsvSource({
    // processors, cores, quota, threads
    "64, 32, , 32",
    "64, 0, , 64",
    "2, 32, , 2", // more cores than processors: what the system says of others
    "64, 32, 2, 2",
    "64, 32, 40, 32",
    "2, 1, 1.5, 1", // two hyper-threads of a core
    "2, 2, 1.5, 2",
    "2, 2, 1.4, 1",
    "8, 8, 2.6, 3",
    "2, 2, 0.1, 1",
    "8, 8, 1e300, 8",
  })
  void threads(int processors, int cores, Double quota, int threads) {
    assertEquals(threads, cpus(processors, cores, quota).threads());
    assertEquals(Optional.empty(), cpus(processors, cores, quota).warning(threads));
  }

  @Test
  void moreThreadsThanTheQuotaAreWarnedOf() {
    assertEquals(
        Optional.of(
            "threads=3, expected at most 2: the control group's quota is 1.50 CPUs, and all threads are stopped for the rest of each period once it is used up"),
        cpus(64, 32, 1.5).warning(3));
    assertEquals(Optional.empty(), cpus(64, 32, 1.5).warning(2));
    assertEquals(Optional.empty(), cpus(2, 2, null).warning(64));
  }

  @Test
  void whatIsReported() {
    assertEquals("cores 32, processors 64, CPU quota 1.50", cpus(64, 32, 1.5).text());
    assertEquals("cores unknown, processors 4, CPU quota none", cpus(4, 0, null).text());
  }

  /// Eight hyper-threads of four cores, as on many machines: CPU n and n + 4 share a core.
  @Test
  void coresAreThoseOfTheAffinityMask() throws IOException {
    for (int cpu = 0; cpu < 8; cpu++) {
      Path topology = Files.createDirectories(folder.resolve("cpus/cpu" + cpu + "/topology"));
      Files.writeString(
          topology.resolve("thread_siblings_list"),
          String.format(Locale.ROOT, "%d,%d\n", cpu % 4, cpu % 4 + 4));
    }
    Files.createDirectories(folder.resolve("cpus/cpufreq"));
    Path cpus = folder.resolve("cpus");
    assertEquals(4, CpuCores.fromLinuxTopology(cpus, allowed("0-7")));
    assertEquals(1, CpuCores.fromLinuxTopology(cpus, allowed("0,4")));
    assertEquals(2, CpuCores.fromLinuxTopology(cpus, allowed("0-1")));
    assertEquals(3, CpuCores.fromLinuxTopology(cpus, allowed("1,3-5")));
    assertEquals(4, CpuCores.fromLinuxTopology(cpus, new BitSet()));
    assertEquals(0, CpuCores.fromLinuxTopology(folder.resolve("absent"), new BitSet()));
    assertEquals(new BitSet(), CpuCores.allowed(folder.resolve("absent")));
  }

  /// What the JVM makes of the process's affinity is what counts here too.
  @Test
  void aProcessOnOneCpuUsesOneThread() throws Exception {
    if (!Files.isExecutable(Path.of("/usr/bin/taskset"))) {
      System.err.println("affinity is not tested: there is no /usr/bin/taskset");
      return;
    }
    int cpu = Math.max(0, CpuCores.allowed(Path.of("/proc/self/status")).nextSetBit(0));
    Process child =
        new ProcessBuilder(
                "/usr/bin/taskset",
                "-c",
                Integer.toString(cpu),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                DefaultThreads.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(child.getInputStream().readAllBytes());
    assertTrue(child.waitFor(1, TimeUnit.MINUTES), "no end");
    assertEquals("1", output.strip());
  }

  /// Prints the default number of threads.
  static final class DefaultThreads {
    private DefaultThreads() {}

    public static void main(String[] args) {
      System.out.println(LoadOptions.defaults().threads());
    }
  }

  private static CpuCores cpus(int processors, int cores, Double quota) {
    return new CpuCores(
        processors, cores, quota == null ? OptionalDouble.empty() : OptionalDouble.of(quota));
  }

  private BitSet allowed(String list) throws IOException {
    Path status = folder.resolve("status");
    Files.writeString(status, "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + list + "\n");
    return CpuCores.allowed(status);
  }
}
