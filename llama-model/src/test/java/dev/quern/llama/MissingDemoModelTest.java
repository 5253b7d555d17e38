package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The demo model is an artifact that a program may leave out.
class MissingDemoModelTest {
  private static final String MISSING =
      "dev.quern.llama.error.LlamaException: the demo model is not there: it is in the artifact quern-demo-model. Remedy: add dev.quern:quern-demo-model (with a module-info: requires dev.quern.demo), or load a model's file";

  @TempDir Path folder;

  @Test
  void whereItIsMissingWhatToAddIsSaid() throws Exception {
    Path source =
        Files.writeString(
            folder.resolve("Demo.java"),
            """
            import dev.quern.llama.LlamaModel;
            import dev.quern.llama.LoadOptions;

            void main() {
              ask(() -> LlamaModel.loadDemo(LoadOptions.defaults()));
              ask(() -> LlamaModel.explainDemo(LoadOptions.defaults()));
              ask(LlamaModel::loadDemoTokenizer);
              ask(LlamaModel::openDemo);
            }

            void ask(java.util.concurrent.Callable<?> question) {
              try {
                question.call();
                IO.println("it is there");
              } catch (Exception e) {
                IO.println(e);
              }
            }
            """);
    String all = System.getProperty("java.class.path");
    String without =
        Arrays.stream(all.split(File.pathSeparator))
            .filter(element -> !element.contains("demo-model"))
            .collect(Collectors.joining(File.pathSeparator));
    assertNotEquals(all, without, "the class path of tests has the demo model");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                without,
                source.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), printed);
    assertEquals((MISSING + "\n").repeat(4), printed.replace("\r\n", "\n"));
  }
}
