package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Priorities: AMX 300, which no remedy brings; Kleidi 200, which a library makes ready; Vector
/// 100; Scalar 0. Kleidi takes linear of Q4_0, Vector of F32.
class NoFallbackTest {
  private static final String PROPERTY = "quern.assert-no-fallback";

  @TempDir Path folder;

  /// Who runs linear of a format under each rule, or whom the failure names, and why.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "auto           | yes | all              | Q4_0 | kleidi",
        "auto           | no  | linear           | Q4_0 | kleidi: unavailable: no libkleidiai.so was found. Remedy: set",
        "auto           | yes | linear           | F32  | kleidi: needs Q4_0 and int8-sym-32",
        "auto           | no  | attention , rope | Q4_0 | scalar",
        "scalar         | no  | all              | Q4_0 | scalar",
        "vector,scalar  | yes | linear           | F32  | vector",
        "vector,scalar  | yes | linear           | Q4_0 | vector: no kernel for ",
        "vector,scalar  | yes | swiglu           | Q4_0 | scalar",
        "amx?,scalar    | no  | linear           | Q4_0 | scalar",
        "kleidi?,scalar | no  | linear           | Q4_0 | kleidi: unavailable: no libkleidiai.so",
        "scalar,kleidi? | no  | linear           | Q4_0 | scalar",
      })
  void aForbiddenFallbackFailsTheChoice(
      String value, String kleidi, String operators, String weights, String expected)
      throws IOException {
    Kernels kernels =
        Kernels.load(options(kleidi.equals("yes")).withProvider(value).with(PROPERTY, operators));
    LinearSpec spec =
        new LinearSpec(
            BlockFormat.byId(weights).orElseThrow(),
            4,
            256,
            false,
            Set.copyOf(Numerics.standard()));
    if (!expected.contains(":")) {
      kernels.linear(spec);
      assertEquals(expected, kernels.report().choices().getFirst().provider());
      return;
    }
    String message = failure(() -> kernels.linear(spec));
    assertTrue(message.startsWith(PROPERTY + "=" + operators + ": "), message);
    assertTrue(message.contains(" would run " + spec + ", expected no fall-back:"), message);
    assertTrue(message.contains("  " + expected), message);
    assertTrue(message.contains("  Remedy: mend this, name "), message);
    assertTrue(message.contains(kernels.report().text()), message);
    assertEquals(List.of(), kernels.report().choices(), "nothing was chosen");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lineer     | no operator is called 'lineer' (did you mean linear?), expected all, or of linear,attention,rmsnorm,rope,swiglu those",
        "linear,    | no operator is called '', expected all",
        "all,linear | no operator is called 'all' ",
      })
  void whatNamesNoOperatorIsRefused(String value, String expected) throws IOException {
    KernelOptions options = options(false).with(PROPERTY, value);
    String message = failure(() -> Kernels.load(options));
    assertTrue(message.startsWith(PROPERTY + "=" + value + ": " + expected), message);
  }

  @Test
  void aVariableStatesItToo() throws IOException {
    KernelOptions plain = options(false);
    KernelOptions options =
        KernelOptions.of(
            Map.of(), Map.of("QUERN_ASSERT_NO_FALLBACK", "x"), plain.platform(), plain.loader());
    assertEquals(Map.of(PROPERTY, "x"), options.properties());
    assertTrue(failure(() -> Kernels.load(options)).startsWith("QUERN_ASSERT_NO_FALLBACK=x: "));
  }

  private static String failure(Executable started) {
    return assertThrows(SelectionException.class, started).getMessage();
  }

  private KernelOptions options(boolean kleidi) throws IOException {
    KernelOptions options =
        Fakes.options(
            folder, Fakes.Scalar.class, Fakes.Amx.class, Fakes.Kleidi.class, Fakes.Vector.class);
    return kleidi ? options.with("quern.kleidi.library", "x") : options;
  }
}
