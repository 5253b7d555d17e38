package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.demo.DemoModelFile;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The README's example, as it stands there, compiles, and prints a story.
class ReadmeExampleTest {
  @TempDir Path folder;

  @Test
  void compilesAndRuns() throws Exception {
    Path readme = Path.of(System.getProperty("user.dir")).resolveSibling("README.md");
    Matcher block =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(readme));
    assertTrue(block.find(), "README.md has no Java example");
    Path source = Files.writeString(folder.resolve("Example.java"), block.group(1));
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(messages, true, StandardCharsets.UTF_8);
    String classPath = System.getProperty("java.class.path");
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(out, out, "-cp", classPath, "-d", folder.toString(), source.toString());
    assertEquals(0, code, messages.toString(StandardCharsets.UTF_8));

    Path model = folder.resolve("model.gguf");
    Files.copy(DemoModelFile.open(), model);
    Path printed = folder.resolve("printed.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                folder + java.io.File.pathSeparator + classPath,
                "Example",
                model.toString())
            .redirectOutput(printed.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertEquals(0, process.waitFor());
    assertTrue(
        Files.readString(printed).startsWith(", there was a curious boy named Oskar."),
        Files.readString(printed));
  }
}
