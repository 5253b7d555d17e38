package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.KernelOptions;
import dev.quern.Kernels;
import dev.quern.SelectionException;
import dev.quern.op.RmsNormSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// JVMs in which C2 would leave vector code to its fall-backs.
class JvmFlagsTest {

  /// What such a JVM says of the provider: under `auto`, and where it was promised.
  static final class Main {
    public static void main(String[] args) {
      Kernels automatic = Kernels.load();
      automatic.rmsNorm(RmsNormSpec.of(8, 0));
      System.out.println("runs " + automatic.report().choices().getFirst().provider());
      try {
        Kernels.load(KernelOptions.fromSystem().withProvider("vector"));
        System.out.println("vector is taken");
      } catch (SelectionException e) {
        System.out.println("refused " + e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:-UseFMA",
        "-XX:MaxVectorSize=8",
        "-XX:TieredStopAtLevel=0",
        "-XX:TieredStopAtLevel=1",
        "-XX:TieredStopAtLevel=2",
        "-XX:TieredStopAtLevel=3",
        "-XX:CompilationMode=quick-only",
        "-XX:-UseCompiler",
        "-XX:CompileThresholdScaling=0.0",
        "-XX:CompileThresholdScaling=1000.0",
        "-XX:-Inline",
        "-XX:-DoEscapeAnalysis",
        "-XX:CompileOnly=far.away.Type::method",
        "-XX:CompileCommand=exclude,dev.quern.provider.vector.direct.Tile::*",
      })
  void whatKeepsC2FromVectorsIsNamed(String flag) throws Exception {
    assertPassedOver(run(flag), flag);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:-EnableVectorSupport",
        "-XX:-IncrementalInline",
        "-XX:-InlineNatives",
        "-XX:-InlineUnsafeOps",
      })
  void soIsAFlagThatHadToBeUnlocked(String flag) throws Exception {
    assertPassedOver(
        run("-XX:+UnlockExperimentalVMOptions", "-XX:+UnlockDiagnosticVMOptions", flag), flag);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-XX:UseAVX=0", "-XX:UseSSE=2"})
  void soIsAFlagOfX86(String flag) throws Exception {
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), flag + " is for x86, and this is not");
    assertPassedOver(run(flag), flag);
  }

  @Test
  void interpretedModeIsNamed() throws Exception {
    String text = run("-Xint");
    assertTrue(text.contains("runs scalar"), text);
    assertTrue(text.contains("-Xint"), text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:-TieredCompilation",
        "-XX:CompilationMode=high-only",
        "-XX:CompileCommand=exclude,far.away.Type::method",
        "-XX:MaxVectorSize=16",
      })
  void whatDoesNoHarmIsNone(String flag) throws Exception {
    String text = run(flag);
    assertTrue(text.contains("runs vector"), text);
    assertTrue(text.contains("vector is taken"), text);
    assertFalse(text.contains("passed over"), text);
  }

  /// Levels are for tiered compilation alone.
  @Test
  void aLevelThatIsNotInForceIsNone() throws Exception {
    assertTrue(
        run("-XX:-TieredCompilation", "-XX:TieredStopAtLevel=1").contains("vector is taken"));
  }

  /// One from a variable is no word of the command line.
  @Test
  void aFlagFromTheEnvironmentCounts() throws Exception {
    Process process = start(Map.of("JAVA_TOOL_OPTIONS", "-XX:-UseFMA"));
    assertPassedOver(read(process), "-XX:-UseFMA");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CompileCommand   | exclude,jdk/incubator/vector/FloatVector.add       | true",
        "CompileCommand   | exclude jdk.incubator.vector.FloatVector::lanewise | true",
        "CompileCommand   | dontinline,*Vector::*                              | false",
        "CompileCommand   | dontinline,*vector*::*                             | true",
        "CompileCommand   | exclude,dev.quern.*::*                             | true",
        "CompileCommand   | exclude,*::*                                       | true",
        "CompileCommand   | exclude,dev.quern.llama.Sampler::*                 | false",
        "CompileCommand   | compileonly,a.B::c                                 | true",
        "CompileCommand   | compileonly,dev.quern.provider.vector.*::*         | false",
        "CompileCommand   | ControlIntrinsic,*::*,-_VectorBinaryOp             | true",
        "CompileCommand   | quiet                                              | false",
        "CompileCommand   | BackgroundCompilation,dev.quern.provider.vector.*::*,false | false",
        "DisableIntrinsic | _VectorBinaryOp                                    | true",
        "ControlIntrinsic | +_dabs,-_VectorUnaryOp                             | true",
        "ControlIntrinsic | -_dabs                                             | false",
        "UseJVMCICompiler | false                                              | false",
        "UseAVX           | 1                                                  | false",
      })
  void valuesAreRead(String flag, String value, boolean stops) {
    assertEquals(stops, JvmFlags.reason(platform(Jit.C2, Map.of(flag, value))).isPresent());
  }

  @Test
  void onlyTheLineThatDoesHarmIsNamed() {
    Availability.Unavailable no =
        JvmFlags.reason(
                platform(Jit.C2, Map.of("CompileCommand", "quiet\nexclude,*::*\nprint,a.b::c")))
            .orElseThrow();
    assertEquals(
        "C2 is kept from vector code, and this JVM runs with -XX:CompileCommand=exclude,*::*",
        no.reason());
  }

  /// The JVM's choice of a compiler is the platform's to judge.
  @Test
  void aFlagThatIsOverruledIsNone() {
    Map<String, String> flags = Map.of("TieredStopAtLevel", "1");
    assertTrue(JvmFlags.reason(platform(Jit.C2, flags)).isEmpty());
    assertInstanceOf(
        Availability.Unavailable.class, JvmFlags.reason(platform(Jit.C1, flags)).orElseThrow());
  }

  private static Platform platform(Jit jit, Map<String, String> flags) {
    return new Platform(
        "linux", "x86_64", Set.of("fma"), jit, Set.of("jdk.incubator.vector"), Map.of(), flags);
  }

  private static void assertPassedOver(String text, String flag) {
    assertTrue(text.contains("runs scalar"), text);
    List<String> warnings = text.lines().filter(l -> l.contains("is passed over")).toList();
    assertEquals(1, warnings.size(), text);
    assertTrue(warnings.getFirst().contains("provider vector"), text);
    assertTrue(warnings.getFirst().contains("runs with " + flag), text);
    assertTrue(warnings.getFirst().contains("Remedy: start the JVM without " + flag), text);
    List<String> refused = text.lines().filter(l -> l.startsWith("refused ")).toList();
    assertTrue(refused.getFirst().contains("quern.provider=vector: provider vector"), text);
    assertTrue(refused.getFirst().contains("start the JVM without " + flag), text);
  }

  private static String run(String... flags) throws Exception {
    return read(start(Map.of(), flags));
  }

  private static Process start(Map<String, String> environment, String... flags) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=jdk.incubator.vector");
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static String read(Process process) throws Exception {
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(2, TimeUnit.MINUTES), "no end");
    assertEquals(0, process.exitValue(), text);
    return text;
  }
}
