package dev.quern.provider.vector;

import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/// The JVM's flags under which C2 leaves operations of the Vector API to their fall-backs in plain
/// Java, lane by lane with an object or two for each: a model is then a hundred times slower than
/// with the scalar provider, and nothing says so.
///
/// Flags, and not a measurement: that has to wait for C2, which takes a tenth of a second and more
/// at each start, and on a busy machine it would call a sound JVM slow.
final class JvmFlags {
  private record Row(String flag, Predicate<String> stops, String effect) {}

  private static final String NOT_C2 = "vector code needs the C2 compiler";

  /// The first row that applies is the reason: what sets other flags comes before these.
  private static final List<Row> ROWS =
      List.of(
          new Row("CompileThresholdScaling", v -> number(v) == 0, NOT_C2),
          new Row("TieredStopAtLevel", v -> number(v) < 4, NOT_C2),
          new Row("CompilationMode", "quick-only"::equals, NOT_C2),
          new Row("UseCompiler", "false"::equals, NOT_C2),
          new Row("UseJVMCICompiler", "true"::equals, NOT_C2),
          new Row("CompileThresholdScaling", v -> number(v) > 100, "C2 never gets to compile"),
          new Row("EnableVectorSupport", "false"::equals, "C2 does not know vector code"),
          new Row("UseSSE", v -> number(v) < 4, "C2 lacks the instructions for vectors"),
          new Row("UseAVX", v -> number(v) < 1, "there is no fused multiply-add without AVX"),
          new Row("UseFMA", "false"::equals, "C2 has no fused multiply-add"),
          new Row("MaxVectorSize", v -> number(v) < 16, "vectors of 128 bits are the smallest"),
          new Row("Inline", "false"::equals, "C2 inlines nothing, and so makes no vectors"),
          new Row("IncrementalInline", "false"::equals, "C2 inlines no vector operation"),
          new Row("InlineNatives", "false"::equals, "C2 knows no operation by name"),
          new Row("DoEscapeAnalysis", "false"::equals, "C2 keeps every vector on the heap"),
          new Row("InlineUnsafeOps", "false"::equals, "C2 makes calls of loads and stores"),
          new Row("DisableIntrinsic", JvmFlags::ofVectors, "C2 does not know vector code"),
          new Row("ControlIntrinsic", v -> v.contains("-_Vector"), "C2 does not know vector code"),
          new Row("CompileOnly", v -> !reaches(v), "C2 does not compile kernels"),
          new Row("CompileCommand", JvmFlags::forbids, "C2 is kept from vector code"));

  /// Packages that C2 has to compile and to inline.
  private static final List<String> PACKAGES =
      List.of("dev.quern.provider.vector.", "jdk.incubator.vector.", "jdk.internal.vm.vector.");

  private JvmFlags() {}

  /// Why vector code would not be compiled to vector instructions, if a flag keeps it from that.
  static Optional<Unavailable> reason(Platform platform) {
    for (Row row : ROWS) {
      // Flags that choose a compiler may be overruled by others: the platform knows what came of
      // it.
      boolean moot = row.effect.equals(NOT_C2) && platform.jit() == Jit.C2;
      // A flag that may be given several times has a line for each.
      Optional<String> value =
          platform.flags().getOrDefault(row.flag, "").lines().filter(row.stops).findFirst();
      if (!moot && value.isPresent()) {
        return Optional.of(unavailable(row.effect, option(row.flag, value.get())));
      }
    }
    return Optional.empty();
  }

  private static Unavailable unavailable(String effect, String option) {
    return new Unavailable(
        String.format(Locale.ROOT, "%s, and this JVM runs with %s", effect, option),
        String.format(
            Locale.ROOT,
            "start the JVM without %s%s (JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS and QUERN_JAVA_OPTS may hold it)",
            option,
            option.equals("-XX:-UseCompiler") ? " and -Xint" : ""));
  }

  private static String option(String flag, String value) {
    return switch (value) {
      case "true" -> "-XX:+" + flag;
      case "false" -> "-XX:-" + flag;
      default -> "-XX:" + flag + "=" + value;
    };
  }

  private static double number(String value) {
    return Double.parseDouble(value); // as the JVM wrote it
  }

  private static boolean ofVectors(String intrinsics) {
    return intrinsics.contains("_Vector");
  }

  /// Whether a command for the compiler keeps C2 from vector code.
  private static boolean forbids(String command) {
    String[] words = command.strip().split("[ ,]+", 2);
    String pattern = words.length < 2 ? "" : words[1];
    return switch (words[0].toLowerCase(Locale.ROOT)) {
      case "exclude", "dontinline" -> reaches(pattern);
      case "compileonly" -> !reaches(pattern);
      case "disableintrinsic" -> ofVectors(pattern);
      case "controlintrinsic" -> pattern.contains("-_Vector");
      default -> false;
    };
  }

  /// Whether a pattern of methods (`a.b.C::m`, `a/b/C.m`, stars at the ends of either name) may
  /// mean one of vector code.
  private static boolean reaches(String pattern) {
    String type = pattern.strip().replace('/', '.').replaceFirst("(::|[ ,]).*", "");
    String letters = type.replace("*", "");
    return PACKAGES.stream()
        .anyMatch(p ->
            letters.startsWith(p)
                || type.endsWith("*") && p.startsWith(letters)
                || type.startsWith("*") && p.contains(letters));
  }
}
