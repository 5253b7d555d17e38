package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.spi.KernelProvider;
import dev.quern.x86.AskProvider;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Processes that are denied what the provider needs, each a JVM of its own: native access, on the
/// class path and as a module, and memory for code. The provider says so, and the remedy works.
class RefusedProcessTest {
  private static final String MODULE = "dev.quern.provider.x86";

  @BeforeAll
  static void needsLinux() throws Exception {
    Host.features();
  }

  @Test
  void nativeAccessOnTheClassPath() throws Exception {
    assertDeniedAndGranted("ALL-UNNAMED", classPath());
  }

  @Test
  void nativeAccessAsAModule() throws Exception {
    List<String> modulePath =
        List.of(
            "-p", paths(X86Provider.class, KernelProvider.class),
            "--add-modules", MODULE,
            "-cp", paths(AskProvider.class));
    assertDeniedAndGranted(MODULE, modulePath);
  }

  private static void assertDeniedAndGranted(String to, List<String> options) throws Exception {
    List<String> denied = run(options, List.of("--illegal-native-access=deny"));
    assertTrue(denied.get(0).startsWith("native access is denied to it: "), denied.toString());
    assertEquals("start the JVM with --enable-native-access=" + to, denied.get(1));
    assertEquals(2, denied.size());
    List<String> granted =
        run(options, List.of("--illegal-native-access=deny", "--enable-native-access=" + to));
    assertTrue(granted.get(0).startsWith("ready: machine code for CPU row "), granted.toString());
  }

  @Test
  void memoryForCode() throws Exception {
    List<String> lines =
        run(classPath(), List.of("-Xint", "--enable-native-access=ALL-UNNAMED"), "deny");
    if (lines.get(0).startsWith("prctl: ")) {
      Host.leftOut(
          "Linux before 6.3 can't forbid a process to execute what it wrote (" + lines + ")");
    }
    assertTrue(
        lines.get(0).startsWith("the system refuses memory for machine code: mprotect to read"),
        lines.toString());
    assertTrue(lines.get(1).contains("systemd: MemoryDenyWriteExecute=no"), lines.toString());
    assertEquals(2, lines.size());
  }

  private static List<String> classPath() throws URISyntaxException {
    return List.of("-cp", paths(AskProvider.class, X86Provider.class, KernelProvider.class));
  }

  private static List<String> run(List<String> path, List<String> options, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(path);
    command.add(AskProvider.class.getName());
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(1, TimeUnit.MINUTES), "no end");
    assertEquals(0, process.exitValue(), output);
    return output.lines().toList();
  }

  /// Where classes come from, as a path.
  private static String paths(Class<?>... classes) throws URISyntaxException {
    List<String> paths = new ArrayList<>();
    for (Class<?> c : classes) {
      paths.add(Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
    }
    return String.join(File.pathSeparator, paths);
  }
}
