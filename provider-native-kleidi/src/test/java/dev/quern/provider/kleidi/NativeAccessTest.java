package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.kleidi.FoundLibrary;
import dev.quern.spi.KernelProvider;
import dev.quern.testing.ChildJvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A JVM that denies native access: the provider says so, and which option grants it. In JVMs of
/// their own, on the class path and as a module, on any machine: access is denied before anything
/// is loaded.
class NativeAccessTest {
  private static final String DENY = "--illegal-native-access=deny";

  @TempDir private Path folder;

  @Test
  void onTheClassPath() throws Exception {
    List<String> classPath =
        List.of(
            "-cp", ChildJvm.path(FoundLibrary.class, KleidiProvider.class, KernelProvider.class));
    assertDenied("ALL-UNNAMED", classPath);
    assertGranted("ALL-UNNAMED", classPath);
  }

  @Test
  void asAModule() throws Exception {
    String module = "dev.quern.provider.kleidi";
    List<String> modulePath =
        List.of(
            "-p", ChildJvm.path(KleidiProvider.class, KernelProvider.class),
            "--add-modules", module,
            "-cp", ChildJvm.path(FoundLibrary.class));
    assertDenied(module, modulePath);
    assertGranted(module, modulePath);
  }

  private void assertDenied(String to, List<String> options) throws Exception {
    List<String> lines = run(DENY, options);
    assertTrue(lines.get(0).startsWith("native access is denied to it: "), lines.toString());
    assertEquals("start the JVM with --enable-native-access=" + to, lines.get(1));
  }

  /// The remedy works: the next obstacle is the library, which is none.
  private void assertGranted(String to, List<String> options) throws Exception {
    List<String> granted = new ArrayList<>(options);
    granted.add("--enable-native-access=" + to);
    List<String> lines = run(DENY, granted);
    assertTrue(lines.get(0).contains("the system's loader refuses it"), lines.toString());
  }

  private List<String> run(String option, List<String> options) throws Exception {
    List<String> words = new ArrayList<>(options);
    words.addFirst(option);
    words.addAll(List.of(FoundLibrary.class.getName(), library().toString()));
    return ChildJvm.run(words);
  }

  /// The head of a shared library for aarch64 and nothing else.
  private Path library() throws IOException {
    ByteBuffer head = ByteBuffer.allocate(120).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(0, 0x464C457F).put(4, (byte) 2).put(5, (byte) 1);
    head.putShort(16, (short) 3).putShort(18, (short) 183);
    head.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 1);
    head.putInt(64, 0x6474_E551).putInt(68, 6); // PT_GNU_STACK: the JVM warns where it is lacking
    return Files.write(folder.resolve("libkleidiai.so"), head.array());
  }
}
