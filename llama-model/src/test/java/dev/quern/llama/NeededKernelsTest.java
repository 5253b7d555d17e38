package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Choice;
import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.op.LinearSpec;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NeededKernelsTest {
  /// The same specs, and each as often as `explain` counts it.
  @ParameterizedTest
  @ValueSource(strings = {"stories260K.gguf", "stories260K-Q4_0.gguf", "tiny1-Q4_K_M.gguf"})
  void theyAreWhatExplainAsksFor(String name) throws IOException {
    Path model = SharedFiles.file("models/" + name);
    List<NeededKernel> needed = LlamaModel.neededKernels(model, KvFormat.F16);
    LoadOptions options =
        LoadOptions.defaults()
            .withKernels(KernelOptions.fromSystem().withProvider("scalar"))
            .withContext(needed.getFirst().context());
    Map<String, Integer> uses = new TreeMap<>();
    needed.forEach(k -> uses.merge(k.spec().toString(), 1, Integer::sum));
    Map<String, Integer> explained = new TreeMap<>();
    for (Choice choice : LlamaModel.explain(model, options).choices()) {
      explained.put(choice.spec(), choice.uses());
    }
    assertEquals(explained, uses);
    for (NeededKernel k : needed) {
      if (k.spec() instanceof LinearSpec linear) {
        assertEquals(
            linear.outputs(), k.stacked().stream().mapToInt(Integer::intValue).sum(), k.toString());
      } else {
        assertEquals(List.of(), k.stacked());
      }
    }
    assertTrue(needed.stream().anyMatch(k -> k.stacked().size() == 2), "gate and up");
  }
}
