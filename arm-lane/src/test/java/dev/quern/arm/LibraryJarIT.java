package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.KernelOptions;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The JAR with KleidiAI's library, on emulated CPUs on which no library is installed and no
/// property names one.
class LibraryJarIT {
  private static final Path SCRIPT = Path.of(System.getProperty("quern.arm.sysroot"));
  private static final Path HOME = SCRIPT.resolveSibling("..").normalize();
  private static final String NAME = "quern-provider-native-kleidi-linux-aarch64.jar";
  private static final String LIBRARY = "META-INF/quern/native/linux-aarch64/libkleidiai.so";
  private static final int UNAVAILABLE = 69;
  private static final int MINUTES = 5;

  @TempDir private static Path folder;
  private static LaneHost host;
  private static Path jar;
  private static Path model;

  @BeforeAll
  static void make() throws IOException, InterruptedException {
    try {
      host = LaneHost.find(SCRIPT);
    } catch (LaneHost.UnavailableException e) {
      if (Boolean.getBoolean("quern.arm.required")) {
        fail("-Dquern.arm.required=true, and the Arm lane can't run: " + e.getMessage());
      }
      throw LeftOut.ended(LibraryJarIT.class, e.getMessage());
    }
    if (!host.emulated()) {
      throw LeftOut.ended(
          LibraryJarIT.class, "the JAR is made on x86-64, and this is an Arm machine");
    }
    jar = folder.resolve(NAME);
    Output made = libraryJar(HOME, Map.of(), jar.toString());
    if (made.status() == UNAVAILABLE) { // Debian's archive has another version by now
      throw LeftOut.ended(LibraryJarIT.class, made.text().strip());
    }
    assertEquals(0, made.status(), made.text());
    model = ModelRuns.DEMO_INT4.file(folder);
  }

  /// A CPU with dot products and, where there is time, one with i8mm: the kernels differ, the text
  /// does not.
  @Test
  void autoFindsItInTheJarAndTheReportNamesIt() throws IOException, InterruptedException {
    Map<ArmCpu, String> kernels = new LinkedHashMap<>();
    kernels.put(ArmCpu.CORTEX_A76, "qsi4c32p4x4_16x4_neon_dotprod");
    if (Asked.FULL.yes()) {
      kernels.put(ArmCpu.NEOVERSE_N2, "qsi4c32p4x8_16x4x32_neon_i8mm");
    }
    for (Map.Entry<ArmCpu, String> cpu : kernels.entrySet()) {
      Output run = run(cpu.getKey(), jar, Map.of());
      assertEquals(0, run.status(), run.text());
      for (String part :
          List.of(
              "quern.provider=auto",
              "KleidiAI " + version() + " of " + NAME,
              cpu.getValue(),
              "text: " + exactText() + "\n")) {
        assertTrue(run.text().contains(part), () -> part + " is not in\n" + run.text());
      }
    }
  }

  @Test
  void aDamagedLibraryIsRefusedInOneLine() throws IOException, InterruptedException {
    Path damaged = folder.resolve("damaged.jar");
    damage(damaged);
    Output run = run(ArmCpu.CORTEX_A76, damaged, Map.of("quern.provider", "kleidi,scalar"));
    String reason = "the resource " + LIBRARY + " of damaged.jar is damaged: ";
    String line = run.text().lines().findFirst().orElse("");
    assertTrue(line.startsWith("refused: ") && line.contains(reason), run.text());
    assertFalse(run.text().contains("text: "), run.text());
  }

  /// Another folder, another time zone, a while later.
  @Test
  void twoFoldersMakeTheSameBytes() throws IOException, InterruptedException {
    LeftOut.unlessFull(LibraryJarIT.class, "a second JAR");
    Path other = folder.resolve("another folder");
    for (String file :
        List.of(
            "LICENSE",
            "pom.xml",
            ".mvn/jdk.sh",
            "arm-lane/sysroot",
            "provider-native-kleidi/library-jar",
            "provider-native-kleidi/link-kleidiai",
            "provider-native-kleidi/library/LICENSE-BSD-3-Clause",
            "provider-native-kleidi/library/NOTICE",
            "provider-native-kleidi/library/linux-aarch64.properties",
            "provider-native-kleidi/library/pack.sh")) {
      Files.createDirectories(other.resolve(file).getParent());
      Files.copy(HOME.resolve(file), other.resolve(file));
    }
    Path second = folder.resolve("second.jar");
    Output made = libraryJar(other, Map.of("TZ", "Asia/Tokyo"), second.toString());
    assertEquals(0, made.status(), made.text());
    assertEquals(-1, Files.mismatch(jar, second));
  }

  @Test
  void anotherPackageIsRefusedWithTheRemedy() throws IOException, InterruptedException {
    Path trixie = host.library("trixie").resolveSibling("dev.deb");
    Path none = folder.resolve("none.jar");
    Output made = libraryJar(HOME, Map.of("QUERN_KLEIDI_DEB", trixie.toString()), none.toString());
    assertEquals(UNAVAILABLE, made.status(), made.text());
    assertEquals(1, made.text().lines().count(), made.text());
    assertTrue(made.text().contains("is version 1.8.0+ds-1 with the SHA-256 "), made.text());
    assertTrue(
        made.text().contains("take the expected one from https://snapshot.debian.org/"),
        made.text());
    assertFalse(Files.exists(none));
  }

  /// The same model in exact arithmetic on this machine.
  private static String exactText() throws IOException {
    LoadOptions exact =
        LoadOptions.defaults()
            .withContext(128)
            .withKernels(
                KernelOptions.fromSystem().withProvider("scalar").with("quern.numerics", "exact"));
    StringBuilder text = new StringBuilder();
    try (LlamaModel loaded = LlamaModel.load(model, exact);
        LlamaSession session = loaded.newSession()) {
      session.generate(
          LibraryJarMain.PROMPT, GenerationOptions.greedy(LibraryJarMain.TOKENS), text::append);
    }
    return text.toString();
  }

  /// KleidiAI's version, as the file says that the JAR is made by.
  private static String version() throws IOException {
    return Files.readAllLines(
            HOME.resolve("provider-native-kleidi/library/linux-aarch64.properties"))
        .stream()
        .filter(l -> l.startsWith("version="))
        .findFirst()
        .orElseThrow()
        .substring("version=".length());
  }

  /// The same JAR, but for one byte in the middle of the library.
  private static void damage(Path damaged) throws IOException {
    try (JarFile in = new JarFile(jar.toFile());
        OutputStream file = Files.newOutputStream(damaged);
        JarOutputStream out = new JarOutputStream(file)) {
      for (JarEntry entry : in.stream().toList()) {
        try (InputStream content = in.getInputStream(entry)) {
          byte[] bytes = content.readAllBytes();
          if (entry.getName().equals(LIBRARY)) {
            bytes[bytes.length / 2] ^= 1;
          }
          out.putNextEntry(new ZipEntry(entry.getName()));
          out.write(bytes);
        }
      }
    }
  }

  private record Output(int status, String text) {}

  /// [LibraryJarMain] on a CPU, with a JAR on its class path beside what the lane's tests have.
  private static Output run(ArmCpu cpu, Path library, Map<String, String> properties)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                host.sysroot().resolve("bin/java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dquern.selfcheck.file=" + folder.resolve("no-selfcheck")));
    properties.forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.addAll(
        List.of(
            "-cp",
            LaneHost.classPath() + File.pathSeparator + library,
            LibraryJarMain.class.getName(),
            model.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("ARM_CPU", cpu.cpu());
    builder.environment().put("ARM_QEMU", Integer.toString(cpu.qemu()));
    return output(builder);
  }

  private static Output libraryJar(Path home, Map<String, String> environment, String... words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(home.resolve("provider-native-kleidi/library-jar").toString());
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().remove("QUERN_KLEIDI_DEB");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return output(builder);
  }

  private static Output output(ProcessBuilder builder) throws IOException, InterruptedException {
    // A file and no pipe: who reads a pipe waits for a program that hangs.
    Path text = Files.createTempFile(folder, "output", ".txt");
    Process process = builder.redirectErrorStream(true).redirectOutput(text.toFile()).start();
    boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
    process.destroyForcibly().waitFor();
    assertTrue(ended, () -> "no end: " + builder.command());
    return new Output(process.exitValue(), Files.readString(text));
  }
}
