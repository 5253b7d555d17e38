package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.spi.KernelProvider;
import dev.quern.testing.ChildJvm;
import dev.quern.x86.AskProvider;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
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
            "-p", ChildJvm.path(X86Provider.class, KernelProvider.class),
            "--add-modules", MODULE,
            "-cp", ChildJvm.path(AskProvider.class));
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
    return List.of(
        "-cp", ChildJvm.path(AskProvider.class, X86Provider.class, KernelProvider.class));
  }

  private static List<String> run(List<String> path, List<String> options, String... arguments)
      throws Exception {
    List<String> words = new ArrayList<>(options);
    words.addAll(path);
    words.add(AskProvider.class.getName());
    words.addAll(List.of(arguments));
    return ChildJvm.run(words);
  }
}
